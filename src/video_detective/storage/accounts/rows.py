"""Accounts, users, sessions, invitations and keys as values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRow:
    """A tenant. ``timezone`` is an IANA name, ``language`` that of words for its people."""

    account_id: str
    name: str
    timezone: str
    language: Literal["zh-TW", "en"]
    is_default: bool
    created_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UserRow:
    """A person with a password.

    Args:
        user_id, account_id: Ids.
        name: Folded (NFKC, lower case).
        password_hash: Argon2; never given out.
        role: ``admin``, ``operator`` or ``viewer``.
        devices: Device ids to which the user is limited; None for all of the account.
        created_ns: When made.
        disabled_ns: Since when the user may not come in; None where they may.
        failures: Attempts to sign in since the last that went well.
        locked_until_ns: Until when no attempt is looked at; None before the first lock-out.
        last_login_ns: When signed in last.
    """

    user_id: str
    account_id: str
    name: str
    password_hash: str
    role: Literal["admin", "operator", "viewer"]
    devices: tuple[str, ...] | None
    created_ns: int
    disabled_ns: int | None = None
    failures: int = 0
    locked_until_ns: int | None = None
    last_login_ns: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRow:
    """Somebody signed in with a browser. ``session_hash``: SHA-256 of what the cookie holds."""

    session_hash: str
    user_id: str
    created_ns: int
    expires_ns: int
    last_seen_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationRow:
    """A one-time link with which somebody makes a user of this role."""

    token_hash: str
    account_id: str
    role: Literal["admin", "operator", "viewer"]
    created_ns: int
    expires_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRow:
    """A program's key.

    Args:
        key_id, account_id: Ids.
        name: For people.
        prefix: What may be shown of it; unique.
        secret_hash: SHA-256 of the whole key, hex.
        scopes: What it may do.
        devices: Device ids to which it is limited; None for all of the account.
        created_ns, created_by: When, and by whom (a name).
        expires_ns, revoked_ns: From when it is not taken any more; None: not.
        last_used_ns: When last, to a minute.
    """

    key_id: str
    account_id: str
    name: str
    prefix: str
    secret_hash: str
    scopes: tuple[str, ...]
    devices: tuple[str, ...] | None
    created_ns: int
    created_by: str
    expires_ns: int | None = None
    revoked_ns: int | None = None
    last_used_ns: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyHolder:
    """A key found by its prefix, its account, and the cameras to which it is limited."""

    key: KeyRow
    account: AccountRow
    cameras: frozenset[str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionHolder:
    """A session found by its hash, its user and account, and the user's cameras."""

    session: SessionRow
    user: UserRow
    account: AccountRow
    cameras: frozenset[str] | None
