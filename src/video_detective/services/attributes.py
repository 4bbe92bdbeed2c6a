"""What persons looked like, for whoever may see it: records, and sums by local hours and days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from video_detective.errors import FieldError, Flaw, MissingError, PlanError, UsageError, no_such
from video_detective.geometry import NS_PER_S
from video_detective.services.access import Caller
from video_detective.services.times import field_period
from video_detective.services.workspace import Places, Workspace
from video_detective.storage.attributes.base import (
    AttributePage,
    AttributeQuery,
    AttributeRow,
    AttributeStatistics,
    LocalClock,
)

GroupBy = Literal["hour", "day"]
MOST_HOURS_DAYS = 400
"""So many days can be asked for by the hour; more only by the day."""
MOST_DAYS = 3660
"""So many by the day: ten years."""
_HOUR_NS = 3600 * NS_PER_S
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def local_clock(zone: ZoneInfo, group: GroupBy, since_ns: int, until_ns: int) -> LocalClock:
    """How a period is cut into the local hours or days of a time zone.

    Args:
        zone: Whose clock.
        group: Into what.
        since_ns: Where the period begins.
        until_ns: Where it ends.
    """
    day_ns = 24 * _HOUR_NS
    stretch_ns = _HOUR_NS if group == "hour" else day_ns
    # The day in which the period begins may begin under another offset.
    start_ns = max(since_ns - 2 * day_ns, 0)
    offsets = [(start_ns, _offset_ns(zone, start_ns))]
    at_ns = start_ns
    while at_ns < until_ns:
        next_ns = at_ns + day_ns
        if _offset_ns(zone, next_ns) != offsets[-1][1]:
            change_ns = _change(zone, at_ns, next_ns)
            offsets.append((change_ns, _offset_ns(zone, change_ns)))
            next_ns = change_ns
        at_ns = next_ns
    return LocalClock(stretch_ns=stretch_ns, offsets=tuple(offsets))


def _change(zone: ZoneInfo, before_ns: int, after_ns: int) -> int:
    """The first second of the new offset."""
    low, high = before_ns // NS_PER_S, after_ns // NS_PER_S
    old = _offset_ns(zone, before_ns)
    while high - low > 1:
        middle = (low + high) // 2
        if _offset_ns(zone, middle * NS_PER_S) == old:
            low = middle
        else:
            high = middle
    return high * NS_PER_S


def _offset_ns(zone: ZoneInfo, time_ns: int) -> int:
    moment = (_EPOCH + timedelta(seconds=time_ns // NS_PER_S)).astimezone(zone)
    return round((moment.utcoffset() or timedelta()).total_seconds()) * NS_PER_S


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeFilter:
    """Which records are asked for.

    Args:
        device_id: Of this device; None: of all that have attributes.
        scene_id: Of the device of this scene.
        start: Since when, RFC 3339; without offset in the zone of the device, else of the account.
        end: Until when, exclusive.
    """

    device_id: str | None = None
    scene_id: str | None = None
    start: str | None = None
    end: str | None = None


async def _asked(
    workspace: Workspace, caller: Caller, wanted: AttributeFilter
) -> tuple[AttributeQuery, ZoneInfo]:
    """The query, and the zone in which times without offset were read.

    Raises:
        MissingError: there is no such device or scene in reach.
        PlanError: the device's plan has no attributes.
        FieldError: a time cannot be meant.
    """
    places = await workspace.within(caller.reach).places()
    camera_id: str | None = None
    if wanted.device_id is not None:
        device = places.device_by_id(wanted.device_id)
        if device is None:
            raise _missing("device", wanted.device_id)
        camera_id = device.camera_id
    if wanted.scene_id is not None:
        infos = places.devices.values()
        theirs = [info.camera_id for info in infos if info.scene_id == wanted.scene_id]
        if not theirs or camera_id not in (None, *theirs):
            raise _missing("scene", wanted.scene_id)
        camera_id = theirs[0]
    zone = ZoneInfo(caller.timezone)
    if camera_id is not None:
        require_plan(places, camera_id)
        zone = places.zone(camera_id)
    since_ns, until_ns = field_period(wanted.start, wanted.end, zone)
    query = AttributeQuery(
        reach=caller.reach, camera_id=camera_id, since_ns=since_ns, until_ns=until_ns
    )
    return query, zone


def require_plan(places: Places, camera_id: str) -> None:
    """See to it that a camera's plan has attributes.

    Raises:
        PlanError: it has not.
    """
    device = places.device(camera_id)
    if device is None or device.plan != "LEVEL_02":
        raise PlanError(
            "Attributes feature requires LEVEL_02 plan",
            remedy="Give the device the plan LEVEL_02.",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundPage:
    """A page of records, and the zone in which times without offset were read."""

    page: AttributePage
    timezone: str


async def attribute_page(
    workspace: Workspace,
    caller: Caller,
    wanted: AttributeFilter,
    *,
    limit: int,
    offset: int,
    cursor: str | None,
) -> FoundPage:
    """One page of records, newest first; of several devices those whose plan has attributes.

    Raises:
        MissingError, PlanError, FieldError: see ``AttributeFilter``; or the cursor is none.
    """
    query, zone = await _asked(workspace, caller, wanted)
    try:
        page = await workspace.database.attributes.page(
            query, limit=limit, offset=offset, cursor=cursor
        )
    except UsageError as cause:
        flaw = Flaw(cause.message, reason="cursor_unknown")
        raise FieldError([("cursor", flaw)]) from cause
    return FoundPage(page=page, timezone=zone.key)


async def attribute_record(workspace: Workspace, caller: Caller, attribute_id: str) -> AttributeRow:
    """One record.

    Raises:
        MissingError: there is none in reach.
        PlanError: its device's plan has no attributes any more.
    """
    row = await workspace.database.attributes.record(caller.reach, attribute_id)
    if row is None:
        raise _missing("attribute record", attribute_id)
    require_plan(await workspace.within(caller.reach).places(), row.camera_id)
    return row


async def insight_attributes(
    workspace: Workspace, caller: Caller, insight_id: str
) -> Sequence[AttributeRow]:
    """The records of 30 s before and after an insight was triggered, at most 50, in order of time.

    Raises:
        MissingError: there is no such insight in reach.
        PlanError: the device's plan has no attributes.
    """
    place = await workspace.database.attributes.of_insight(caller.reach, insight_id)
    if place is None:
        raise _missing("insight", insight_id)
    camera_id, triggered_ns = place
    require_plan(await workspace.within(caller.reach).places(), camera_id)
    return await workspace.database.attributes.near(camera_id, triggered_ns)


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundStatistics:
    """Sums, and the zone in which times without offset were read."""

    statistics: AttributeStatistics
    timezone: str


async def attribute_statistics(
    workspace: Workspace, caller: Caller, wanted: AttributeFilter, *, group: GroupBy
) -> FoundStatistics:
    """Sums over a period, and over its hours or days by the clock of the account.

    Raises:
        MissingError, PlanError, FieldError: see ``AttributeFilter``; or the period has no
            end, or too many hours or days.
    """
    query, zone = await _asked(workspace, caller, wanted)
    since_ns, until_ns = query.since_ns, query.until_ns
    if since_ns is None or until_ns is None:
        flaw = Flaw("a period with both ends is needed", reason="both_ends_needed")
        raise FieldError([("startDate", flaw)])
    if until_ns - since_ns > MOST_DAYS * 24 * _HOUR_NS:
        flaw = Flaw(
            f"more than {MOST_DAYS} days are too many; ask for shorter periods",
            reason="period_too_long",
            days=MOST_DAYS,
        )
        raise FieldError([("endDate", flaw)])
    if group == "hour" and until_ns - since_ns > MOST_HOURS_DAYS * 24 * _HOUR_NS:
        flaw = Flaw(
            f"hours of more than {MOST_HOURS_DAYS} days are too many; use day",
            reason="too_many_hours",
            days=MOST_HOURS_DAYS,
        )
        raise FieldError([("groupBy", flaw)])
    clock = local_clock(ZoneInfo(caller.timezone), group, since_ns, until_ns)
    found = await workspace.database.attributes.statistics(query, clock)
    return FoundStatistics(statistics=found, timezone=zone.key)


def _missing(what: str, its_id: str) -> MissingError:
    return no_such(what, its_id, remedy="List them to see their ids.")
