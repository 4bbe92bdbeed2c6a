"""Every question to the database. Functions take an open connection and change nothing."""

from __future__ import annotations

import base64
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from sqlalchemy import BigInteger, ColumnElement, Select, and_, func, literal, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from video_detective.errors import UsageError
from video_detective.storage import rows
from video_detective.storage.base import (
    CameraRow,
    EventQuery,
    EvidenceRow,
    FrameRow,
    NarrationRow,
    NextNumbers,
    Page,
    PointRow,
    RunCounts,
    RunRow,
    StoredEvent,
    TrackRow,
)
from video_detective.storage.dialects import KEY_TEXT
from video_detective.storage.insights.telling import told_by
from video_detective.storage.reach import Reach, of_camera
from video_detective.storage.service_tables import (
    DEVICES,
    INSIGHTS,
    KEPT_EVENTS,
    MEDIA_DELETIONS,
)
from video_detective.storage.tables import (
    CAMERAS,
    COUNTERS,
    COVERAGE,
    EVENTS,
    EVIDENCE,
    FRAMES,
    NARRATIONS,
    RUNS,
    TRACK_POINTS,
    TRACKS,
)

_MAX_PAGE = 1000
_LAST_NS = 2**63 - 1


async def cameras(connection: AsyncConnection) -> list[CameraRow]:
    """Every camera, in order of id."""
    found = await connection.execute(select(CAMERAS).order_by(CAMERAS.c.camera_id))
    return [rows.camera_from(row) for row in found.mappings()]


async def cameras_in(connection: AsyncConnection, reach: Reach) -> frozenset[str]:
    """Camera ids in reach."""
    devices = select(DEVICES.c.camera_id)
    seen = of_camera(reach, DEVICES.c.camera_id)
    found = await connection.scalars(devices if seen is None else devices.where(seen))
    return frozenset(found)


async def runs(connection: AsyncConnection, camera: str | None) -> list[RunRow]:
    """Every analysis (of a camera), newest first."""
    wanted = [column for column in RUNS.columns if column.name != "checkpoint"]
    query = select(*wanted).order_by(RUNS.c.run_id.desc())
    if camera is not None:
        query = query.where(RUNS.c.camera_id == camera)
    return [rows.run_from(row) for row in (await connection.execute(query)).mappings()]


async def run_counts(connection: AsyncConnection, run_id: int) -> RunCounts:
    """Tracks and events of a run by type."""
    counts: list[dict[str, int]] = []
    for table in (TRACKS, EVENTS):
        query = select(table.c.type, func.count()).where(table.c.run_id == run_id)
        found = await connection.execute(query.group_by(table.c.type).order_by(table.c.type))
        counts.append({str(kind): int(count) for kind, count in found})
    return RunCounts(tracks=counts[0], events=counts[1])


async def next_numbers(connection: AsyncConnection, camera_id: str) -> NextNumbers:
    """The camera's first unused numbers."""
    query = select(COUNTERS).where(COUNTERS.c.camera_id == camera_id)
    numbers: dict[str, dict[str, int]] = {"track": {}, "event": {}}
    for row in (await connection.execute(query)).mappings():
        numbers[row["kind"]][row["key"]] = row["next"]
    return NextNumbers(tracks=numbers["track"], events=numbers["event"])


async def frame(connection: AsyncConnection, frame_id: str) -> FrameRow | None:
    """One frame."""
    found = await connection.execute(select(FRAMES).where(FRAMES.c.frame_id == frame_id))
    row = found.mappings().first()
    return None if row is None else rows.frame_from(row)


async def frames(
    connection: AsyncConnection, camera: str, since_ns: int, until_ns: int
) -> list[FrameRow]:
    """A camera's frames in a period, in order of time."""
    query = (
        select(FRAMES)
        .where(
            FRAMES.c.camera_id == camera,
            FRAMES.c.time_ns >= storable_ns(since_ns),
            FRAMES.c.time_ns < storable_ns(until_ns),
        )
        .order_by(FRAMES.c.time_ns, FRAMES.c.frame_id)
    )
    return [rows.frame_from(row) for row in (await connection.execute(query)).mappings()]


async def tracks(
    connection: AsyncConnection, camera: str, since_ns: int, until_ns: int
) -> list[TrackRow]:
    """A camera's tracks seen in a period, in order of first time."""
    query = (
        select(TRACKS)
        .where(
            TRACKS.c.camera_id == camera,
            TRACKS.c.first_ns < storable_ns(until_ns),
            TRACKS.c.last_ns >= storable_ns(since_ns),
        )
        .order_by(TRACKS.c.first_ns, TRACKS.c.track_id)
    )
    return [rows.track_from(row) for row in (await connection.execute(query)).mappings()]


async def track_points(
    connection: AsyncConnection, camera: str, since_ns: int, until_ns: int, run_id: int | None
) -> list[PointRow]:
    """Tracked boxes in a period, in order of time and track id."""
    query = (
        select(TRACK_POINTS)
        .where(
            TRACK_POINTS.c.camera_id == camera,
            TRACK_POINTS.c.time_ns >= storable_ns(since_ns),
            TRACK_POINTS.c.time_ns < storable_ns(until_ns),
        )
        .order_by(TRACK_POINTS.c.time_ns, TRACK_POINTS.c.track_id)
    )
    if run_id is not None:
        query = query.where(TRACK_POINTS.c.run_id == run_id)
    return [rows.point_from(row) for row in (await connection.execute(query)).mappings()]


async def coverages(
    connection: AsyncConnection, cameras: Collection[str], since_ns: int, until_ns: int
) -> dict[str, list[tuple[int, int]]]:
    """Disjoint watched spans of each camera, cut to the period, in order."""
    query = (
        select(COVERAGE)
        .where(
            COVERAGE.c.camera_id.in_(list(cameras)),
            COVERAGE.c.run_id.not_in(_superseded()),
            COVERAGE.c.start_ns < storable_ns(until_ns),
            COVERAGE.c.end_ns > storable_ns(since_ns),
        )
        .order_by(COVERAGE.c.camera_id, COVERAGE.c.start_ns)
    )
    watched: dict[str, list[tuple[int, int]]] = {camera: [] for camera in cameras}
    for row in (await connection.execute(query)).mappings():
        spans = watched[row["camera_id"]]
        start_ns, end_ns = max(row["start_ns"], since_ns), min(row["end_ns"], until_ns)
        # Several analyses may have watched the same time.
        if spans and start_ns <= spans[-1][1]:
            spans[-1] = spans[-1][0], max(end_ns, spans[-1][1])
        else:
            spans.append((start_ns, end_ns))
    return watched


async def event(connection: AsyncConnection, event_id: str) -> StoredEvent | None:
    """One event with its evidence and narration."""
    found = await _whole_events(connection, select(EVENTS).where(EVENTS.c.event_id == event_id))
    return found[0] if found else None


async def events_by_id(
    connection: AsyncConnection, event_ids: Sequence[str]
) -> dict[str, StoredEvent]:
    """Those of these events that there are, with evidence and narration."""
    found: dict[str, StoredEvent] = {}
    for chunk in chunks(event_ids):
        some = await _whole_events(connection, select(EVENTS).where(EVENTS.c.event_id.in_(chunk)))
        found |= {stored.event.event_id: stored for stored in some}
    return found


async def events_without_evidence(connection: AsyncConnection, run_id: int) -> list[StoredEvent]:
    """A run's events without evidence, in order of start."""
    has_evidence = select(EVIDENCE.c.event_id).where(EVIDENCE.c.event_id == EVENTS.c.event_id)
    return await _whole_events(
        connection,
        select(EVENTS)
        .where(EVENTS.c.run_id == run_id, ~has_evidence.exists())
        .order_by(EVENTS.c.start_ns, EVENTS.c.event_id),
    )


async def events(connection: AsyncConnection, query: EventQuery) -> Page:
    """One page of events.

    Raises:
        UsageError: limit or cursor cannot be meant.
    """
    if not 1 <= query.limit <= _MAX_PAGE:
        raise UsageError(
            f"A page of {query.limit} events cannot be made", remedy=f"Ask for 1 to {_MAX_PAGE}"
        )
    wanted = conditions(query)
    statement = select(EVENTS).where(*wanted)
    place = tuple_(EVENTS.c.start_ns, EVENTS.c.event_id)
    if query.cursor is not None:
        start_ns, event_id = _read_cursor(query.cursor)
        last = tuple_(literal(start_ns, BigInteger), literal(event_id, KEY_TEXT))
        statement = statement.where(place < last if query.order == "newest" else place > last)
    elif query.offset:
        statement = statement.offset(query.offset)
    keys = [EVENTS.c.start_ns, EVENTS.c.event_id]
    if query.order == "newest":
        statement = statement.order_by(*(key.desc() for key in keys))
    else:
        statement = statement.order_by(*keys)
    found = await _whole_events(connection, statement.limit(query.limit + 1))
    total = await connection.scalar(select(func.count()).select_from(EVENTS).where(*wanted))
    page = found[: query.limit]
    return Page(
        events=tuple(page),
        next_cursor=_write_cursor(page[-1]) if len(found) > query.limit else None,
        total=total or 0,
    )


def conditions(query: EventQuery) -> list[ColumnElement[bool]]:
    """What a row of events must meet to be listed; without limit, cursor and order."""
    wanted: list[ColumnElement[bool]] = [
        or_(EVENTS.c.run_id.is_(None), EVENTS.c.run_id.not_in(_superseded()))
    ]
    if query.camera is not None:
        wanted.append(EVENTS.c.camera_id == query.camera)
    seen = of_camera(query.reach, EVENTS.c.camera_id)
    if seen is not None:
        wanted.append(seen)
    if query.types:
        wanted.append(EVENTS.c.type.in_(query.types))
    if query.risk_levels:
        wanted.append(EVENTS.c.risk_level.in_(query.risk_levels))
    if query.until_ns is not None:
        wanted.append(EVENTS.c.start_ns < storable_ns(query.until_ns))
    if query.since_ns is not None:
        since_ns = storable_ns(query.since_ns)
        goes_on = and_(EVENTS.c.end_ns.is_(None), EVENTS.c.run_id.is_not(None))
        last_ns = func.coalesce(EVENTS.c.end_ns, EVENTS.c.start_ns)
        wanted.append(or_(goes_on, last_ns >= since_ns))
    return wanted


def _superseded() -> Select[tuple[int]]:
    return select(RUNS.c.run_id).where(RUNS.c.superseded_by.is_not(None))


async def _whole_events(
    connection: AsyncConnection, statement: Select[tuple[object, ...]]
) -> list[StoredEvent]:
    found = (await connection.execute(statement)).mappings().all()
    event_ids = [row["event_id"] for row in found]
    evidence = await _evidence_of(connection, event_ids)
    narrations = await _narrations_of(connection, event_ids)
    kept, gone = await _marks_of(connection, event_ids)
    whole = [
        rows.event_from(row, evidence[row["event_id"]], narrations.get(row["event_id"]))
        for row in found
    ]
    return [_marked(stored, kept, gone) for stored in whole]


def _marked(stored: StoredEvent, kept: set[str], gone: Mapping[str, int]) -> StoredEvent:
    event_id = stored.event.event_id
    if event_id in gone:
        deleted_ns, deleted = gone[event_id], stored.evidence
        stored = replace(stored, evidence=(), deleted_evidence=deleted, media_deleted_ns=deleted_ns)
    return replace(stored, is_kept=True) if event_id in kept else stored


async def _marks_of(
    connection: AsyncConnection, event_ids: Sequence[str]
) -> tuple[set[str], dict[str, int]]:
    """Which events are kept on purpose, and when the media of which were deleted."""
    kept: set[str] = set()
    gone: dict[str, int] = {}
    for chunk in chunks(event_ids):
        key, deleted = KEPT_EVENTS.c.event_id, MEDIA_DELETIONS.c
        kept.update(await connection.scalars(select(key).where(key.in_(chunk))))
        query = select(deleted.event_id, deleted.deleted_ns).where(deleted.event_id.in_(chunk))
        gone.update((event_id, time_ns) for event_id, time_ns in await connection.execute(query))
    return kept, gone


async def _narrations_of(
    connection: AsyncConnection, event_ids: Sequence[str]
) -> dict[str, NarrationRow]:
    narrations: dict[str, NarrationRow] = {}
    for chunk in chunks(event_ids):
        query = select(NARRATIONS).where(NARRATIONS.c.event_id.in_(chunk))
        for row in (await connection.execute(query)).mappings():
            narrations[row["event_id"]] = rows.narration_from(row)
    # An event with an alert is not told on its own: it has the words of the alert's insight.
    for chunk in chunks([event_id for event_id in event_ids if event_id not in narrations]):
        said = select(INSIGHTS).where(INSIGHTS.c.event_id.in_(chunk)).order_by(INSIGHTS.c.number)
        for row in (await connection.execute(said)).mappings():
            told = told_by(dict(row))
            if told is not None:
                narrations.setdefault(row["event_id"], told)
    return narrations


async def _evidence_of(
    connection: AsyncConnection, event_ids: Sequence[str]
) -> defaultdict[str, list[EvidenceRow]]:
    evidence: defaultdict[str, list[EvidenceRow]] = defaultdict(list)
    for chunk in chunks(event_ids):
        query = (
            select(EVIDENCE)
            .where(EVIDENCE.c.event_id.in_(chunk))
            .order_by(EVIDENCE.c.time_ns, EVIDENCE.c.kind, EVIDENCE.c.what)
        )
        for row in (await connection.execute(query)).mappings():
            evidence[row["event_id"]].append(rows.evidence_from(row))
    return evidence


def chunks(keys: Collection[str]) -> list[list[str]]:
    """Keys in portions that fit one IN list (SQLite before 3.32 takes 999 parameters)."""
    ordered = list(keys)
    return [ordered[i : i + 900] for i in range(0, len(ordered), 900)]


def storable_ns(time_ns: int) -> int:
    """The time, cut to what a 64-bit column holds: users may ask for the year 9999."""
    return max(-_LAST_NS, min(time_ns, _LAST_NS))


def _write_cursor(last: StoredEvent) -> str:
    text = f"{last.event.start_ns} {last.event.event_id}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read_cursor(cursor: str) -> tuple[int, str]:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        start_ns, event_id = (
            base64.b64decode(padded, altchars=b"-_", validate=True).decode().split(" ", 1)
        )
        return storable_ns(int(start_ns)), event_id
    except ValueError as error:  # also of base64 and of UTF-8
        raise UsageError(
            f"The cursor '{cursor[:80]}' is of no page",
            remedy="Take next_cursor of the page before, or leave it out to begin anew",
            reason="cursor_unknown",
        ) from error
