"""What commands about accounts share: acting as the command line in an account."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from video_detective.services.access import Caller
from video_detective.services.accounts import local_caller
from video_detective.services.workspace import Workspace, open_workspace

AccountName = Annotated[str, typer.Option("--account", help="Of this account; else the default.")]
Devices = Annotated[
    list[str] | None, typer.Option("--device", help="Limit to this device id; again for more.")
]
FromStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from standard input.")
]


@asynccontextmanager
async def acting(
    data_dir: Path, database: str | None, account: str = "", *, create: bool = False
) -> AsyncIterator[tuple[Workspace, Caller]]:
    """A data directory, and the command line as who acts in one of its accounts."""
    async with open_workspace(data_dir, database, create=create) as workspace:
        yield workspace, await local_caller(workspace, account)


def asked_password(from_stdin: bool) -> str:
    """A new password, from whoever sits there; never from an argument, which others can see."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    text: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    return text


def when(time_ns: int | None, otherwise: str = "never") -> str:
    """A moment for a table: UTC, to a second."""
    if time_ns is None:
        return otherwise
    return f"{datetime.fromtimestamp(time_ns / 1e9, UTC):%Y-%m-%dT%H:%M:%SZ}"


def limits(devices: Sequence[str] | None) -> str:
    """How far somebody reaches."""
    return "all devices" if devices is None else f"{len(devices)} devices"
