"""Events that are too old, with everything that belongs to them, and what was tracked then."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Literal

from sqlalchemy import ColumnElement, Table, delete, exists, func, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from video_detective.storage import documents
from video_detective.storage.attributes import writing as attributes
from video_detective.storage.dialects import insert_into
from video_detective.storage.retention.base import Deleted
from video_detective.storage.retention.choice import is_beside_an_event, is_too_old, is_young
from video_detective.storage.retention.media import media_of
from video_detective.storage.service_tables import (
    ALERTS,
    ATTRIBUTES,
    DELIVERIES,
    INSIGHTS,
    LOOKS,
)
from video_detective.storage.tables import (
    COVERAGE,
    EVENTS,
    EVIDENCE,
    FRAMES,
    NARRATIONS,
    RUNS,
    TRACK_POINTS,
    TRACKS,
)

Kind = Literal["sqlite", "postgresql"]
EVENTS_A_STEP = 100
ROWS_A_STEP = 5000


async def delete_events(
    connection: AsyncConnection, kind: Kind, camera_id: str, before_ns: int
) -> Deleted:
    """Delete some of a camera's events that are too old, the oldest first."""
    found = await connection.execute(
        select(EVENTS.c.event_id, EVENTS.c.start_ns)
        .where(EVENTS.c.camera_id == camera_id, is_too_old(before_ns))
        .order_by(EVENTS.c.start_ns, EVENTS.c.event_id)
        .limit(EVENTS_A_STEP)
    )
    starts = {row.event_id: row.start_ns for row in found}
    if not starts:
        return Deleted()
    await documents.lock_events(connection, kind, sorted(starts))
    # Some may have been kept since, by whoever had them locked.
    still = select(EVENTS.c.event_id).where(
        EVENTS.c.event_id.in_(list(starts)), is_too_old(before_ns)
    )
    ids = sorted(await connection.scalars(still))
    if not ids:
        return await delete_events(connection, kind, camera_id, before_ns)
    files, size = await media_of(connection, ids)
    await documents.drop_events(connection, ids)
    alerts = select(ALERTS.c.alert_id).where(ALERTS.c.event_id.in_(ids))
    await connection.execute(delete(DELIVERIES).where(DELIVERIES.c.alert_id.in_(alerts)))
    for table in (NARRATIONS, INSIGHTS, ALERTS, EVIDENCE, EVENTS):
        await connection.execute(delete(table).where(table.c.event_id.in_(ids)))
    return Deleted(
        events=len(ids),
        files=files,
        bytes=size,
        first_ns=min(starts[event_id] for event_id in ids),
        last_ns=max(starts[event_id] for event_id in ids),
    )


async def delete_rows(
    connection: AsyncConnection, kind: Kind, camera_id: str, before_ns: int
) -> int:
    """Delete some of what was tracked before a camera then; 0 when nothing is left."""
    for work in _WORK:
        if count := await work(connection, kind, camera_id, before_ns):
            return count
    return 0


async def forget_coverage(
    connection: AsyncConnection, kind: Kind, camera_id: str, before_ns: int
) -> None:
    """Say no longer that a camera was watched then: "nothing happened" would not be true."""
    span = COVERAGE.c
    begins_before = (
        span.camera_id == camera_id,
        span.start_ns < before_ns,
        ~is_young(span.run_id, before_ns),
    )
    left = (
        select(span.camera_id, span.run_id, literal(before_ns), func.max(span.end_ns))
        .where(*begins_before, span.end_ns > before_ns)
        .group_by(span.camera_id, span.run_id)
    )
    names = ("camera_id", "run_id", "start_ns", "end_ns")
    await connection.execute(
        insert_into(COVERAGE, kind).from_select(names, left).on_conflict_do_nothing()
    )
    await connection.execute(delete(COVERAGE).where(*begins_before))


Work = Callable[[AsyncConnection, Kind, str, int], Awaitable[int]]


async def _delete_attributes(
    connection: AsyncConnection, kind: Kind, camera_id: str, before_ns: int
) -> int:
    time_ns = ATTRIBUTES.c.captured_ns
    found = await connection.execute(
        select(ATTRIBUTES.c.attribute_id, time_ns)
        .where(
            ATTRIBUTES.c.camera_id == camera_id,
            time_ns < before_ns,
            # Of a film of long ago that was analysed lately.
            ATTRIBUTES.c.created_ns < before_ns,
            ~is_beside_an_event(camera_id, time_ns, time_ns),
        )
        .order_by(time_ns)
        .limit(ROWS_A_STEP)
    )
    times = {row.attribute_id: row.captured_ns for row in found}
    await attributes.remove(connection, camera_id, times)
    return len(times)


def _of_camera(table: Table, first: str, last: str, *conditions: ColumnElement[bool]) -> Work:
    """Deletes from a table of a camera's rows that lie in time."""

    async def work(connection: AsyncConnection, kind: Kind, camera_id: str, before_ns: int) -> int:
        ends = table.c[last]
        old = (
            table.c.camera_id == camera_id,
            ends < before_ns,
            or_(table.c.run_id.is_(None), ~is_young(table.c.run_id, before_ns)),
            ~is_beside_an_event(camera_id, table.c[first], ends),
            *conditions,
        )
        some = select(ends).where(*old).order_by(ends).limit(ROWS_A_STEP).subquery()
        until_ns = await connection.scalar(select(func.max(some.c[last])))
        if until_ns is None:
            return 0
        gone = await connection.execute(delete(table).where(*old, ends <= until_ns))
        return int(gone.rowcount)

    return work


async def _delete_looks(
    connection: AsyncConnection, kind: Kind, camera_id: str, before_ns: int
) -> int:
    look = LOOKS.c
    keys = (look.run_id, look.first_ns)
    runs = select(RUNS.c.run_id).where(
        RUNS.c.camera_id == camera_id, ~is_young(RUNS.c.run_id, before_ns)
    )
    found = await connection.execute(
        select(*keys)
        .where(
            look.run_id.in_(runs),
            look.last_ns < before_ns,
            ~is_beside_an_event(camera_id, look.first_ns, look.last_ns),
        )
        .order_by(*keys)
        .limit(ROWS_A_STEP)
    )
    by_run: dict[int, list[int]] = {}
    for run_id, first_ns in found:
        by_run.setdefault(run_id, []).append(first_ns)
    for run_id, firsts in by_run.items():
        for start in range(0, len(firsts), 900):
            some = firsts[start : start + 900]
            await connection.execute(
                delete(LOOKS).where(look.run_id == run_id, look.first_ns.in_(some))
            )
    return sum(map(len, by_run.values()))


_WORK: tuple[Work, ...] = (
    _delete_attributes,
    _of_camera(TRACK_POINTS, "time_ns", "time_ns"),
    _of_camera(TRACKS, "first_ns", "last_ns"),
    _delete_looks,
    _of_camera(
        FRAMES, "time_ns", "time_ns", ~exists().where(EVIDENCE.c.frame_id == FRAMES.c.frame_id)
    ),
)
