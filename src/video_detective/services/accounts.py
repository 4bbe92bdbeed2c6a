"""Accounts and users: what an administrator does with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from video_detective.errors import ForbiddenError, MissingError, no_such
from video_detective.services.access import SCOPES, Caller, Role
from video_detective.services.account_checks import (
    Listed,
    cut,
    known_devices,
    known_zone,
    refuse_limited_admin,
    shown_name,
    told,
)
from video_detective.services.sign_in import folded_name, invite
from video_detective.services.workspace import Workspace
from video_detective.storage.accounts.rows import AccountRow, UserRow
from video_detective.storage.ids import new_id
from video_detective.storage.reach import Reach

Language = Literal["zh-TW", "en"]


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


async def account_page(
    workspace: Workspace, caller: Caller, *, limit: int, offset: int, cursor: str | None
) -> Listed[AccountRow]:
    """The accounts that the caller may see, in order of making."""
    accounts = workspace.database.accounts
    if not await keeps_accounts(workspace, caller):
        own = await accounts.get(caller.account_id)
        rows = [own][offset:] if cursor is None or own.account_id > cursor else []
        return Listed(rows=rows, total=1, next_cursor=None)
    found = await accounts.page(limit=limit + 1, offset=offset, after=cursor)
    return cut(found, limit, [row.account_id for row in found[0]])


async def find_account(workspace: Workspace, caller: Caller, account_id: str) -> AccountRow:
    """An account that the caller may see.

    Raises:
        MissingError: there is none, or it is somebody else's.
    """
    if account_id != caller.account_id and not await keeps_accounts(workspace, caller):
        raise no_such("account", account_id, remedy="List the accounts.")
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
        FieldError: name or time zone cannot be one.
    """
    if not await keeps_accounts(workspace, caller):
        raise ForbiddenError(
            "Accounts are made by admins of the default account",
            remedy="Ask one of them.",
            reason="default_admins_only",
        )
    account = AccountRow(
        account_id=new_id(now_ns),
        name=shown_name(name),
        timezone=known_zone(timezone),
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
        FieldError: there is no such time zone.
    """
    account = await find_account(workspace, caller, account_id)
    if not changes:
        return account
    if "timezone" in changes:
        known_zone(changes["timezone"])
    entry = caller.entry("account.change", account_id, time_ns=now_ns, details=dict(changes))
    return await workspace.database.accounts.change(account_id, changes, entry)


# --- users


async def user_page(
    workspace: Workspace, caller: Caller, *, limit: int, offset: int, cursor: str | None
) -> Listed[UserRow]:
    """The users of the caller's account, in order of making."""
    found = await workspace.database.accounts.users.page(
        caller.reach, limit=limit + 1, offset=offset, after=cursor
    )
    return cut(found, limit, [row.user_id for row in found[0]])


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
        FieldError: name or password cannot be one, or an admin is limited to devices.
        ConflictError: the account has one of this name.
        MissingError: the account has no such device.
    """
    refuse_limited_admin(role == "admin", devices)
    limited = await known_devices(workspace, caller, devices)
    user = UserRow(
        user_id=new_id(now_ns),
        account_id=caller.account_id,
        name=folded_name(name),
        password_hash=await workspace.identity.passwords.hash(password),
        role=role,
        devices=limited,
        created_ns=now_ns,
    )
    details = {"name": user.name, "role": role, "deviceIds": limited and list(limited)}
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
        FieldError: the password cannot be one, or an admin is limited to devices.
    """
    users = workspace.database.accounts.users
    before = await users.get(caller.reach, user_id)
    values = {key: changes[key] for key in ("role", "devices") if key in changes}
    if "devices" in values:
        values["devices"] = await known_devices(workspace, caller, values["devices"])
    refuse_limited_admin(
        values.get("role", before.role) == "admin", values.get("devices", before.devices)
    )
    details = told(values)
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
