"""Events and tracks in pages, as the interface lists them."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from video_detective.errors import FieldError, Flaw, UsageError, no_such
from video_detective.geometry import NS_PER_S
from video_detective.services.access import Caller
from video_detective.services.devices import find_device
from video_detective.services.times import field_period
from video_detective.services.workspace import Workspace
from video_detective.storage import EventQuery, Page, PointRow, StoredEvent, TrackRow

LONGEST_NS = 24 * 3600 * NS_PER_S
"""Of a range of tracks; a busy camera has tens of thousands a day."""
LONGEST_WITH_POINTS_NS = 3600 * NS_PER_S
MOST_POINTS = 20_000
"""Boxes of one answer; what is beyond is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFilter:
    """Which events.

    Args:
        device_id: Of this device; None: of all.
        types, risk_levels: Any of these; none given: all.
        start, end: They held at some time in ``[start, end)``, RFC 3339; without offset in the
            zone of the device, else of the account.
    """

    device_id: str | None = None
    types: tuple[str, ...] = ()
    risk_levels: tuple[str, ...] = ()
    start: str | None = None
    end: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventPage:
    """A page of events, and the zone in which times without offset were read."""

    page: Page
    timezone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackPage:
    """A page of a device's tracks.

    Args:
        tracks: In order of first time.
        points: Boxes by track id; None when they were not asked for.
        is_cut: There are more boxes than are given.
        total: Tracks in the whole range.
        next_cursor: Begins the next page.
        timezone: Zone in which times without offset were read.
    """

    tracks: Sequence[TrackRow]
    points: Mapping[str, Sequence[PointRow]] | None
    is_cut: bool
    total: int
    next_cursor: str | None
    timezone: str


async def list_events(
    workspace: Workspace,
    caller: Caller,
    wanted: EventFilter,
    *,
    limit: int,
    offset: int,
    cursor: str | None,
) -> EventPage:
    """A page of the events in reach, the newest first.

    Raises:
        MissingError: there is no such device in reach.
        FieldError: a time or the cursor cannot be meant.
    """
    camera, zone = None, ZoneInfo(caller.timezone)
    if wanted.device_id is not None:
        device = await find_device(workspace, caller, wanted.device_id)
        camera, zone = device.camera_id, ZoneInfo(device.timezone)
    since_ns, until_ns = field_period(wanted.start, wanted.end, zone)
    query = EventQuery(
        camera=camera,
        types=wanted.types,
        risk_levels=wanted.risk_levels,
        since_ns=since_ns,
        until_ns=until_ns,
        limit=limit,
        cursor=cursor,
        offset=0 if cursor else offset,
        reach=caller.reach,
    )
    try:
        page = await workspace.database.events(query)
    except UsageError as cause:
        flaw = Flaw(cause.message, reason="cursor_unknown")
        raise FieldError([("cursor", flaw)]) from cause
    return EventPage(page=page, timezone=zone.key)


async def find(workspace: Workspace, caller: Caller, event_id: str) -> StoredEvent:
    """The event of that id.

    Raises:
        MissingError: there is none in reach.
    """
    stored = None
    if "\0" not in event_id:  # PostgreSQL takes none in a text
        stored = await workspace.database.event(event_id, caller.reach)
    if stored is None:
        raise no_such("event", event_id, remedy="List them with GET /api/v1/events.")
    return stored


async def list_tracks(
    workspace: Workspace,
    caller: Caller,
    *,
    device_id: str,
    start: str,
    end: str,
    with_points: bool,
    limit: int,
    offset: int,
    cursor: str | None,
) -> TrackPage:
    """A page of what was tracked before a device in ``[start, end)``, in order of first time.

    Raises:
        MissingError: there is no such device in reach.
        FieldError: a time, the range or the cursor cannot be meant.
    """
    device = await find_device(workspace, caller, device_id)
    since_ns, until_ns = field_period(start, end, ZoneInfo(device.timezone))
    assert since_ns is not None and until_ns is not None  # noqa: S101, PT018 - both are given
    longest_ns = LONGEST_WITH_POINTS_NS if with_points else LONGEST_NS
    if until_ns - since_ns > longest_ns:
        hours = longest_ns // (3600 * NS_PER_S)
        what = " with points" if with_points else ""
        flaw = Flaw(
            f"the range{what} may be {hours} h long at most", reason="hours_too_long", hours=hours
        )
        raise FieldError([("endDate", flaw)])
    tracks, total = await workspace.database.work.tracks.page(
        device.camera_id,
        since_ns,
        until_ns,
        limit=limit + 1,
        offset=offset,
        after=None if cursor is None else _read_cursor(cursor),
    )
    shown = tracks[:limit]
    points: dict[str, list[PointRow]] | None = None
    is_cut = False
    if with_points:
        points = {track.track_id: [] for track in shown}
        found = await workspace.database.work.tracks.points(
            device.camera_id, list(points), since_ns, until_ns, limit=MOST_POINTS + 1
        )
        is_cut = len(found) > MOST_POINTS
        for point in found[:MOST_POINTS]:
            points[point.track.track_id].append(point)
    return TrackPage(
        tracks=shown,
        points=points,
        is_cut=is_cut,
        total=total,
        next_cursor=_write_cursor(shown[-1]) if len(tracks) > limit else None,
        timezone=device.timezone,
    )


def _write_cursor(last: TrackRow) -> str:
    text = f"{last.first_ns} {last.track_id}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read_cursor(cursor: str) -> tuple[int, str]:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        first_ns, track_id = (
            base64.b64decode(padded, altchars=b"-_", validate=True).decode().split(" ", 1)
        )
        return int(first_ns), track_id
    except ValueError as cause:  # also of base64 and of UTF-8
        flaw = Flaw("it is of no page; take nextCursor of the page before", reason="cursor_unknown")
        raise FieldError([("cursor", flaw)]) from cause
