"""Accounts, users and keys: what an administrator does with them."""

from __future__ import annotations

import secrets
import string
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from video_detective.errors import ForbiddenError, MissingError, UsageError
from video_detective.services.access import SCOPES, Caller, Role
from video_detective.services.callers import digest_of
from video_detective.services.sign_in import folded_name, invite
from video_detective.services.workspace import Workspace
from video_detective.storage.accounts.rows import AccountRow, KeyRow, UserRow
from video_detective.storage.ids import new_id
from video_detective.storage.reach import Reach

Language = Literal["zh-TW", "en"]
KEY_MARK = "vd_live_"
_LETTERS = string.ascii_letters + string.digits


async def local_caller(workspace: Workspace, account: str = "") -> Caller:
    """The command line, in an account.

    Args:
        workspace: Where.
        account: Name of the account; "" for the default one.

    Raises:
        MissingError: there is no such account.
    """
    accounts = workspace.database.accounts
    found = await accounts.by_name(account) if account else await accounts.default()
    if found is None:
        raise MissingError(
            f"There is no account {account!r}",
            remedy="List them with: video-detective accounts list",
        )
    return Caller(
        reach=Reach(account_id=found.account_id),
        kind="local",
        id="local",
        name="command line",
        scopes=frozenset(SCOPES),
        timezone=found.timezone,
        language=found.language,
    )


# --- accounts


async def keeps_accounts(workspace: Workspace, caller: Caller) -> bool:
    """Whether the caller may see and make other accounts: an admin of the default one."""
    default = await workspace.database.accounts.default()
    return "admin" in caller.scopes and caller.account_id == default.account_id


async def find_account(workspace: Workspace, caller: Caller, account_id: str) -> AccountRow:
    """An account that the caller may see.

    Raises:
        MissingError: there is none, or it is somebody else's.
    """
    if account_id != caller.account_id and not await keeps_accounts(workspace, caller):
        raise MissingError(f"There is no account '{account_id}'", remedy="List the accounts.")
    return await workspace.database.accounts.get(account_id)


async def add_account(
    workspace: Workspace,
    caller: Caller,
    *,
    name: str,
    timezone: str,
    language: Language,
    now_ns: int,
) -> tuple[AccountRow, str, int]:
    """Make an account, and a one-time link for its first admin.

    Returns:
        The account, the link's token, and until when it is good.

    Raises:
        ForbiddenError: the caller is no admin of the default account.
        ConflictError: there is one of this name.
        UsageError: name or time zone cannot be one.
    """
    if not await keeps_accounts(workspace, caller):
        raise ForbiddenError(
            "Accounts are made by admins of the default account", remedy="Ask one of them."
        )
    account = AccountRow(
        account_id=new_id(now_ns),
        name=_shown_name(name),
        timezone=_zone(timezone),
        language=language,
        is_default=False,
        created_ns=now_ns,
    )
    details = {"name": account.name, "timezone": timezone, "language": language}
    entry = caller.entry("account.create", account.account_id, time_ns=now_ns, details=details)
    await workspace.database.accounts.add(account, entry)
    token, expires_ns = await invite(
        workspace, caller, role="admin", now_ns=now_ns, account_id=account.account_id
    )
    return account, token, expires_ns


async def change_account(
    workspace: Workspace, caller: Caller, account_id: str, changes: Mapping[str, Any], now_ns: int
) -> AccountRow:
    """Change ``timezone`` or ``language``.

    Raises:
        MissingError: there is none, or it is somebody else's.
        UsageError: there is no such time zone.
    """
    account = await find_account(workspace, caller, account_id)
    if not changes:
        return account
    if "timezone" in changes:
        _zone(changes["timezone"])
    entry = caller.entry("account.change", account_id, time_ns=now_ns, details=dict(changes))
    return await workspace.database.accounts.change(account_id, changes, entry)


# --- users


async def add_user(
    workspace: Workspace,
    caller: Caller,
    *,
    name: str,
    password: str,
    role: Role,
    devices: Sequence[str] | None,
    now_ns: int,
) -> UserRow:
    """Make a user.

    Raises:
        UsageError: name or password cannot be one, or an admin is limited to devices.
        ConflictError: the account has one of this name.
        MissingError: the account has no such device.
    """
    _refuse_limited_admin(role == "admin", devices)
    limited = await _devices(workspace, caller, devices)
    user = UserRow(
        user_id=new_id(now_ns),
        account_id=caller.account_id,
        name=folded_name(name),
        password_hash=await workspace.identity.passwords.hash(password),
        role=role,
        devices=limited,
        created_ns=now_ns,
    )
    details = {"name": user.name, "role": role, "devices": _listed(limited)}
    entry = caller.entry("user.create", user.user_id, time_ns=now_ns, details=details)
    await workspace.database.accounts.users.add(user, entry)
    return user


async def change_user(
    workspace: Workspace, caller: Caller, user_id: str, changes: Mapping[str, Any], now_ns: int
) -> UserRow:
    """Change a user. A new password, or being disabled, ends their sessions.

    Args:
        workspace: Where.
        caller: An admin.
        user_id: Whom.
        changes: Of ``role``, ``devices`` (ids, or None for all), ``password``, ``is_disabled``.
        now_ns: When.

    Raises:
        MissingError: the account has no such user or device.
        ConflictError: it would have no admin left.
        UsageError: the password cannot be one, or an admin is limited to devices.
    """
    users = workspace.database.accounts.users
    before = await users.get(caller.reach, user_id)
    values = {key: changes[key] for key in ("role", "devices") if key in changes}
    if "devices" in values:
        values["devices"] = _listed(await _devices(workspace, caller, values["devices"]))
    _refuse_limited_admin(
        values.get("role", before.role) == "admin", values.get("devices", before.devices)
    )
    details = dict(values)
    if "password" in changes:
        values["password_hash"] = await workspace.identity.passwords.hash(changes["password"])
        details["password"] = "changed"  # noqa: S105 - that it was, not which
    is_disabled = changes.get("is_disabled")
    if is_disabled is not None and is_disabled != (before.disabled_ns is not None):
        values["disabled_ns"] = now_ns if is_disabled else None
        details["isDisabled"] = is_disabled
    if not values:
        return before
    entry = caller.entry("user.change", user_id, time_ns=now_ns, details=details)
    return await users.change(caller.reach, user_id, values, entry)


async def user_by_name(workspace: Workspace, caller: Caller, name: str) -> UserRow:
    """A user of the caller's account.

    Raises:
        MissingError: there is none of this name.
    """
    found = await workspace.database.accounts.users.by_name(caller.account_id, folded_name(name))
    if found is None:
        raise MissingError(
            f"There is no user {name!r}", remedy="List them with: video-detective users list"
        )
    return found


async def set_up_token(workspace: Workspace, now_ns: int) -> str | None:
    """The token of a one-time link for the first admin; None when the default account has a user.

    The link of an earlier start stays good for its time, until the first user is made.
    """
    caller = await local_caller(workspace)
    _, total = await workspace.database.accounts.users.page(caller.reach, limit=1)
    if total:
        return None
    token, _ = await invite(workspace, caller, role="admin", now_ns=now_ns)
    return token


# --- keys


async def create_key(
    workspace: Workspace,
    caller: Caller,
    *,
    name: str,
    scopes: Collection[str],
    devices: Sequence[str] | None,
    expires_ns: int | None,
    now_ns: int,
) -> tuple[KeyRow, str]:
    """Make a key.

    Returns:
        What is kept of it, and its text, which nobody can find out later.

    Raises:
        UsageError: it has no scopes or unknown ones, has expired already, or is an admin's limited
            to devices.
        MissingError: the account has no such device.
    """
    checked = _scopes(scopes)
    _refuse_limited_admin("admin" in checked, devices)
    limited = await _devices(workspace, caller, devices)
    _refuse_past(expires_ns, now_ns)
    prefix, secret = _random(8), _random(43)
    text = f"{KEY_MARK}{prefix}{secret}"
    key = KeyRow(
        key_id=new_id(now_ns),
        account_id=caller.account_id,
        name=_shown_name(name),
        prefix=prefix,
        secret_hash=digest_of(text),
        scopes=checked,
        devices=limited,
        created_ns=now_ns,
        created_by=caller.name,
        expires_ns=expires_ns,
    )
    details = {
        "name": key.name,
        "prefix": prefix,
        "scopes": list(checked),
        "devices": _listed(limited),
        "expires_ns": expires_ns,
    }
    entry = caller.entry("key.create", key.key_id, time_ns=now_ns, details=details)
    await workspace.database.accounts.keys.add(key, entry)
    return key, text


async def change_key(
    workspace: Workspace, caller: Caller, key_id: str, changes: Mapping[str, Any], now_ns: int
) -> KeyRow:
    """Change ``name``, ``scopes``, ``devices`` or ``expires_ns`` of a key.

    Raises:
        MissingError: the account has no such key that is not revoked, or no such device.
        UsageError: as ``create_key``.
    """
    keys = workspace.database.accounts.keys
    before = await keys.get(caller.reach, key_id)
    values = dict(changes)
    if "name" in values:
        values["name"] = _shown_name(values["name"])
    if "scopes" in values:
        values["scopes"] = list(_scopes(values["scopes"]))
    if "devices" in values:
        values["devices"] = _listed(await _devices(workspace, caller, values["devices"]))
    if "expires_ns" in values:
        _refuse_past(values["expires_ns"], now_ns)
    _refuse_limited_admin(
        "admin" in values.get("scopes", before.scopes), values.get("devices", before.devices)
    )
    if not values:
        return before
    entry = caller.entry("key.change", key_id, time_ns=now_ns, details=values)
    return await keys.change(caller.reach, key_id, values, entry)


async def revoke_key(workspace: Workspace, caller: Caller, key_id: str, now_ns: int) -> KeyRow:
    """Let a key not be used any more; again is harmless.

    Raises:
        MissingError: the account has no such key.
    """
    entry = caller.entry("key.revoke", key_id, time_ns=now_ns)
    return await workspace.database.accounts.keys.revoke(caller.reach, key_id, now_ns, entry)


# --- checks


async def _devices(
    workspace: Workspace, caller: Caller, devices: Sequence[str] | None
) -> tuple[str, ...] | None:
    if devices is None:
        return None
    if not devices:
        raise UsageError("The list of devices is empty", remedy="Name some, or leave it out.")
    await workspace.database.accounts.require_devices(caller.reach, devices)
    return tuple(sorted(set(devices)))


def _listed(devices: tuple[str, ...] | None) -> list[str] | None:
    return None if devices is None else list(devices)


def _refuse_limited_admin(is_admin: bool, devices: Sequence[str] | None) -> None:
    # One could make a key without limits for oneself.
    if is_admin and devices is not None:
        raise UsageError(
            "An admin cannot be limited to devices", remedy="Choose other rights, or no devices."
        )


def _refuse_past(expires_ns: int | None, now_ns: int) -> None:
    if expires_ns is not None and expires_ns <= now_ns:
        raise UsageError("The key would have expired already", remedy="Name a time to come.")


def _scopes(scopes: Collection[str]) -> tuple[str, ...]:
    unknown = sorted(set(scopes) - set(SCOPES))
    if unknown or not scopes:
        raise UsageError(
            f"There is no scope {unknown[0]!r}" if unknown else "The key would have no scope",
            remedy=f"Use some of {', '.join(SCOPES)}.",
        )
    return tuple(scope for scope in SCOPES if scope in scopes)


def _shown_name(name: str) -> str:
    shown = " ".join(name.split())
    if not 1 <= len(shown) <= 100 or not shown.isprintable():
        raise UsageError(f"{name[:120]!r} cannot be a name", remedy="Use 1 to 100 characters.")
    return shown


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as cause:
        raise UsageError(
            f"There is no time zone {name[:80]!r}", remedy="Use an IANA name: Asia/Taipei."
        ) from cause
    return name


def _random(length: int) -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(length))
