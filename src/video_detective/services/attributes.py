"""What persons looked like, for whoever may see it: records, and sums by local hours and days."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from video_detective.errors import ForbiddenError, MissingError, UsageError
from video_detective.geometry import NS_PER_S
from video_detective.services.access import Caller
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


def camera_asked(
    places: Places, *, device_id: str | None = None, scene_id: str | None = None
) -> str | None:
    """The camera that a device or a scene stands for; None when neither is given.

    Args:
        places: As the caller sees them.
        device_id: By its device.
        scene_id: By its scene, which must be that of the device where both are given.

    Raises:
        MissingError: there is no such device or scene in reach.
        ForbiddenError: the device's plan has no attributes.
    """
    cameras: list[str] = []
    if device_id is not None:
        device = places.device_by_id(device_id)
        if device is None:
            raise _missing("device", device_id)
        cameras.append(device.camera_id)
    if scene_id is not None:
        theirs = [info.camera_id for info in places.devices.values() if info.scene_id == scene_id]
        if not theirs or (cameras and cameras != theirs):
            raise _missing("scene", scene_id)
        cameras = theirs
    for camera_id in cameras:
        require_plan(places, camera_id)
    return cameras[0] if cameras else None


def require_plan(places: Places, camera_id: str) -> None:
    """See to it that a camera's plan has attributes.

    Raises:
        ForbiddenError: it has not.
    """
    device = places.device(camera_id)
    if device is None or device.plan != "LEVEL_02":
        raise ForbiddenError(
            "Attributes feature requires LEVEL_02 plan",
            remedy="Give the device the plan LEVEL_02.",
        )


async def attribute_page(
    workspace: Workspace,
    caller: Caller,
    query: AttributeQuery,
    *,
    limit: int,
    offset: int,
    cursor: str | None,
) -> AttributePage:
    """One page of records, newest first; of several devices those whose plan has attributes.

    Raises:
        UsageError: the cursor is none, or the period ends before it begins.
    """
    _check_period(query)
    return await workspace.database.attributes.page(
        query, limit=limit, offset=offset, cursor=cursor
    )


async def attribute_record(workspace: Workspace, caller: Caller, attribute_id: str) -> AttributeRow:
    """One record.

    Raises:
        MissingError: there is none in reach.
        ForbiddenError: its device's plan has no attributes any more.
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
        ForbiddenError: the device's plan has no attributes.
    """
    place = await workspace.database.attributes.of_insight(caller.reach, insight_id)
    if place is None:
        raise _missing("insight", insight_id)
    camera_id, triggered_ns = place
    require_plan(await workspace.within(caller.reach).places(), camera_id)
    return await workspace.database.attributes.near(camera_id, triggered_ns)


async def attribute_statistics(
    workspace: Workspace,
    caller: Caller,
    query: AttributeQuery,
    *,
    group: GroupBy,
) -> AttributeStatistics:
    """Sums over a period and its local hours or days, by the clock of the account.

    Raises:
        UsageError: the period lacks an end, ends before it begins, or is too long.
    """
    _check_period(query)
    since_ns, until_ns = query.since_ns, query.until_ns
    if since_ns is None or until_ns is None:
        raise UsageError("The period lacks an end", remedy="Give startDate and endDate.")
    if group == "hour" and until_ns - since_ns > MOST_HOURS_DAYS * 24 * _HOUR_NS:
        raise UsageError(
            f"groupBy 'hour' over more than {MOST_HOURS_DAYS} days",
            remedy="Ask with groupBy=day, or for a shorter period.",
        )
    clock = local_clock(ZoneInfo(caller.timezone), group, since_ns, until_ns)
    return await workspace.database.attributes.statistics(query, clock)


def _check_period(query: AttributeQuery) -> None:
    since_ns, until_ns = query.since_ns, query.until_ns
    if since_ns is not None and until_ns is not None and until_ns <= since_ns:
        raise UsageError(
            "endDate is not after startDate", remedy="Give a period that ends after it begins."
        )


def _missing(what: str, its_id: str) -> MissingError:
    return MissingError(f"There is no {what} '{its_id}'", remedy="List them to see their ids.")
