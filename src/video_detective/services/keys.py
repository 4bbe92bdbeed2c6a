"""API keys: made, changed and revoked by administrators."""

from __future__ import annotations

import secrets
import string
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from video_detective.services.access import Caller
from video_detective.services.account_checks import (
    Listed,
    cut,
    known_devices,
    known_scopes,
    refuse_limited_admin,
    refuse_past,
    shown_name,
    told,
)
from video_detective.services.callers import digest_of
from video_detective.services.workspace import Workspace
from video_detective.storage.accounts.rows import KeyRow
from video_detective.storage.ids import new_id

KEY_MARK = "vd_live_"
_LETTERS = string.ascii_letters + string.digits


async def key_page(
    workspace: Workspace, caller: Caller, *, limit: int, offset: int, cursor: str | None
) -> Listed[KeyRow]:
    """The keys of the caller's account, the newest first."""
    found = await workspace.database.accounts.keys.page(
        caller.reach, limit=limit + 1, offset=offset, after=cursor
    )
    return cut(found, limit, [row.key_id for row in found[0]])


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
        FieldError: it has no scopes or unknown ones, has expired already, or is an admin's limited
            to devices.
        MissingError: the account has no such device.
    """
    checked = known_scopes(scopes)
    refuse_limited_admin("admin" in checked, devices)
    limited = await known_devices(workspace, caller, devices)
    refuse_past(expires_ns, now_ns)
    prefix, secret = _random(8), _random(43)
    text = f"{KEY_MARK}{prefix}{secret}"
    key = KeyRow(
        key_id=new_id(now_ns),
        account_id=caller.account_id,
        name=shown_name(name),
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
        "devices": limited and list(limited),
        "expires_ns": expires_ns,
    }
    entry = caller.entry("key.create", key.key_id, time_ns=now_ns, details=told(details))
    await workspace.database.accounts.keys.add(key, entry)
    return key, text


async def change_key(
    workspace: Workspace, caller: Caller, key_id: str, changes: Mapping[str, Any], now_ns: int
) -> KeyRow:
    """Change ``name``, ``scopes``, ``devices`` or ``expires_ns`` of a key.

    Raises:
        MissingError: the account has no such key that is not revoked, or no such device.
        FieldError: as ``create_key``.
    """
    keys = workspace.database.accounts.keys
    before = await keys.get(caller.reach, key_id)
    values = dict(changes)
    if "name" in values:
        values["name"] = shown_name(values["name"])
    if "scopes" in values:
        values["scopes"] = list(known_scopes(values["scopes"]))
    if "devices" in values:
        values["devices"] = await known_devices(workspace, caller, values["devices"])
    if "expires_ns" in values:
        refuse_past(values["expires_ns"], now_ns)
    refuse_limited_admin(
        "admin" in values.get("scopes", before.scopes), values.get("devices", before.devices)
    )
    if not values:
        return before
    entry = caller.entry("key.change", key_id, time_ns=now_ns, details=told(values))
    return await keys.change(caller.reach, key_id, values, entry)


async def revoke_key(workspace: Workspace, caller: Caller, key_id: str, now_ns: int) -> KeyRow:
    """Let a key not be used any more; again is harmless.

    Raises:
        MissingError: the account has no such key.
    """
    entry = caller.entry("key.revoke", key_id, time_ns=now_ns)
    return await workspace.database.accounts.keys.revoke(caller.reach, key_id, now_ns, entry)


def _random(length: int) -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(length))
