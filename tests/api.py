"""Accounts, users and keys for tests, and clients that use them."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any, cast

import httpx
from argon2 import PasswordHasher
from fastapi import FastAPI

from video_detective.api.app import create_app
from video_detective.api.security import cookie_name
from video_detective.services.access import SCOPES, Caller, Role
from video_detective.services.accounts import add_account, add_user, local_caller
from video_detective.services.feed import LiveFeed
from video_detective.services.identity import Identity
from video_detective.services.keys import create_key
from video_detective.services.passwords import Passwords
from video_detective.services.sign_in import SignedIn, sign_in
from video_detective.services.workspace import Workspace
from video_detective.web.page import add_pages

BASE = "http://localhost"
PASSWORD = "correct horse battery"


def quick(workspace: Workspace) -> Workspace:
    """The same, with passwords that take no time."""
    hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    return replace(workspace, identity=Identity(Passwords(hasher, refusal_s=0.01)))


async def make_account(workspace: Workspace, name: str, *, timezone: str = "Asia/Taipei") -> Caller:
    """A further account; returns its command line, which may do everything in it."""
    local = await local_caller(workspace)
    await add_account(
        workspace, local, name=name, timezone=timezone, language="zh-TW", now_ns=time.time_ns()
    )
    return await local_caller(workspace, name)


async def make_key(
    workspace: Workspace,
    *scopes: str,
    devices: Sequence[str] | None = None,
    account: str = "",
    name: str = "tests",
    expires_ns: int | None = None,
) -> str:
    """A new key's text.

    Args:
        workspace: Where.
        scopes: What it may do; everything (but for limited ones, "admin") when none are given.
        devices: Device ids to which it is limited.
        account: Name of its account; "" for the default one.
        name: Of the key.
        expires_ns: When it expires.
    """
    every: Collection[str] = SCOPES if devices is None else SCOPES[:-1]
    _, text = await create_key(
        workspace,
        await local_caller(workspace, account),
        name=name,
        scopes=scopes or every,
        devices=devices,
        expires_ns=expires_ns,
        now_ns=time.time_ns(),
    )
    return text


async def make_user(
    workspace: Workspace,
    name: str,
    role: Role = "admin",
    *,
    devices: Sequence[str] | None = None,
    account: str = "",
) -> str:
    """A new user with ``PASSWORD``; returns the user's id. The workspace should be ``quick``."""
    user = await add_user(
        workspace,
        await local_caller(workspace, account),
        name=name,
        password=PASSWORD,
        role=role,
        devices=devices,
        now_ns=time.time_ns(),
    )
    return user.user_id


async def signed_in(workspace: Workspace, name: str, *, account: str = "") -> dict[str, str]:
    """Cookies of a user's new session."""
    signed: SignedIn = await sign_in(
        workspace, name=name, password=PASSWORD, account=account, now_ns=time.time_ns()
    )
    return {await cookie_name(workspace): signed.token}


class _Current:
    """Stands for the workspace of the test that runs: one application serves them all."""

    def __init__(self) -> None:
        self.workspace: Workspace | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.workspace, name)


_CURRENT = _Current()
_MADE: list[FastAPI] = []


def forget_application() -> None:
    """The next one is made anew: its routes keep nothing that they learnt before."""
    _CURRENT.workspace = None
    _MADE.clear()


def app_over(workspace: Workspace) -> FastAPI:
    """The application over a workspace.

    Its routes are made once in a process, for that takes longer than most tests; whatever it keeps
    between requests is made anew for each workspace.
    """
    if _CURRENT.workspace is workspace:
        return _MADE[0]
    _CURRENT.workspace = workspace
    if not _MADE:
        _MADE.append(create_app(cast("Workspace", _CURRENT)))
        add_pages(_MADE[0], cast("Workspace", _CURRENT))
    app = _MADE[0]
    app.state.workspace = workspace
    app.state.feed = LiveFeed(workspace.database)
    app.middleware_stack = None  # the guard and the limits know whom they let in
    return app


def client_of(
    workspace: Workspace, key: str | None = None, *, base: str = BASE, **headers: str
) -> httpx.AsyncClient:
    """A client of the application over a workspace, with a key's text or without."""
    app = app_over(workspace)
    if key is not None:
        headers["Authorization"] = f"Bearer {key}"
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app, raise_app_exceptions=False),
        base_url=base,
        headers=headers,
    )
