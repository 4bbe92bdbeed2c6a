"""Checks of what administrators ask for; each complaint names its field."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from video_detective.errors import FieldError, Flaw
from video_detective.services.access import SCOPES, Caller
from video_detective.services.times import utc_text
from video_detective.services.workspace import Workspace

R = TypeVar("R")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed(Generic[R]):
    """A page of a list.

    Args:
        rows: In order.
        total: How many there are on all pages.
        next_cursor: Begins the next page; None on the last.
    """

    rows: list[R]
    total: int
    next_cursor: str | None


def cut(found: tuple[list[R], int], limit: int, cursors: Sequence[str]) -> Listed[R]:
    """A page of rows of which one more than ``limit`` was asked for; ``cursors`` are theirs."""
    rows, total = found
    has_more = len(rows) > limit
    return Listed(
        rows=rows[:limit], total=total, next_cursor=cursors[limit - 1] if has_more else None
    )


async def known_devices(
    workspace: Workspace, caller: Caller, devices: Sequence[str] | None
) -> tuple[str, ...] | None:
    """Device ids to which somebody is to be limited, sorted; None for no limits.

    Raises:
        FieldError: there are none.
        MissingError: one is not of the caller's account.
    """
    if devices is None:
        return None
    if not devices:
        flaw = Flaw("is empty; name some, or leave it out", reason="devices_empty")
        raise FieldError([("deviceIds", flaw)])
    await workspace.database.accounts.require_devices(caller.reach, devices)
    return tuple(sorted(set(devices)))


def told(values: Mapping[str, Any]) -> dict[str, Any]:
    """Changed values as the log has them: under the names that the interface gives them."""
    names = {"devices": "deviceIds", "expires_ns": "expiresAt"}
    shown = dict(values)
    if (expires_ns := shown.get("expires_ns")) is not None:
        shown["expires_ns"] = utc_text(expires_ns)
    return {names.get(key, key): value for key, value in shown.items()}


def refuse_limited_admin(is_admin: bool, devices: Sequence[str] | None) -> None:
    """Refuse an admin of some devices only: one could make a key without limits for oneself.

    Raises:
        FieldError: it is one.
    """
    if is_admin and devices is not None:
        flaw = Flaw("an admin cannot be limited to devices", reason="admin_limited")
        raise FieldError([("deviceIds", flaw)])


def refuse_past(expires_ns: int | None, now_ns: int) -> None:
    """Refuse what would have expired already.

    Raises:
        FieldError: it would.
    """
    if expires_ns is not None and expires_ns <= now_ns:
        raise FieldError([("expiresAt", Flaw("is not in the future", reason="not_in_future"))])


def known_scopes(scopes: Collection[str]) -> tuple[str, ...]:
    """The scopes, each once.

    Raises:
        FieldError: there are none, or unknown ones.
    """
    unknown = sorted(set(scopes) - set(SCOPES))
    if unknown:
        flaw = Flaw(
            f"there is no {unknown[0]!r}; use {', '.join(SCOPES)}",
            reason="choice_unknown",
            value=unknown[0],
            choices=SCOPES,
        )
        raise FieldError([("scopes", flaw)])
    if not scopes:
        flaw = Flaw(f"is empty; use some of {', '.join(SCOPES)}", reason="scopes_empty")
        raise FieldError([("scopes", flaw)])
    return tuple(scope for scope in SCOPES if scope in scopes)


def shown_name(name: str) -> str:
    """A name for people, its spaces folded.

    Raises:
        FieldError: it is empty, longer than 100, or has invisible characters.
    """
    shown = " ".join(name.split())
    if not 1 <= len(shown) <= 100 or not shown.isprintable():
        flaw = Flaw("must be 1 to 100 visible characters", reason="name_wrong", most=100)
        raise FieldError([("name", flaw)])
    return shown


def known_zone(name: str) -> str:
    """The time zone of an IANA name.

    Raises:
        FieldError: there is none of this name.
    """
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as cause:
        problem = Flaw(
            f"there is no {name[:80]!r}; use an IANA name such as Asia/Taipei",
            reason="timezone_unknown",
            value=name[:80],
        )
        raise FieldError([("timezone", problem)]) from cause
    return name
