"""Pictures and clips of events that are too old: let go, row by row. Files are deleted later.

An event's hashes stay: what was there can still be recognised, and its record says when it went.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Literal, NamedTuple

from sqlalchemy import Text, and_, cast, exists, func, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from video_detective.storage import documents
from video_detective.storage.dialects import insert_into
from video_detective.storage.reading import chunks
from video_detective.storage.retention.base import Deleted
from video_detective.storage.retention.choice import cameras_of, is_beside_an_event, is_too_old
from video_detective.storage.service_tables import INSIGHTS, MEDIA_DELETIONS
from video_detective.storage.tables import EVENTS, EVIDENCE, FRAMES

Kind = Literal["sqlite", "postgresql"]

_IS_GONE = exists().where(MEDIA_DELETIONS.c.event_id == EVENTS.c.event_id).correlate(EVENTS)
_HAD_MEDIA = exists().where(EVIDENCE.c.event_id == EVENTS.c.event_id).correlate(EVENTS)
HAS_MEDIA = and_(_HAD_MEDIA, ~_IS_GONE)


class Candidate(NamedTuple):
    """An event whose media may go; where the next look for such goes on."""

    start_ns: int
    event_id: str


async def candidates(
    connection: AsyncConnection,
    account_id: str,
    before_ns: int,
    after: Candidate | None,
    limit: int,
) -> list[Candidate]:
    """Events with media that are too old, in order of start; those behind ``after``."""
    query = (
        select(EVENTS.c.start_ns, EVENTS.c.event_id)
        .where(EVENTS.c.camera_id.in_(cameras_of(account_id)), is_too_old(before_ns), HAS_MEDIA)
        .order_by(EVENTS.c.start_ns, EVENTS.c.event_id)
        .limit(limit)
    )
    if after is not None:
        query = query.where(tuple_(EVENTS.c.start_ns, EVENTS.c.event_id) > tuple_(*after))
    return [Candidate(*row) for row in await connection.execute(query)]


async def let_go(
    connection: AsyncConnection,
    kind: Kind,
    event_ids: Collection[str],
    *,
    before_ns: int,
    now_ns: int,
) -> Deleted:
    """Let go the media of those of these events that are still too old.

    Args:
        connection: Inside a writing transaction.
        kind: Which database.
        event_ids: At most some hundred.
        before_ns: What is too old.
        now_ns: When this is.
    """
    await documents.lock_events(connection, kind, list(event_ids))
    # Some may have been kept since, by whoever had them locked.
    found = await connection.execute(
        select(EVENTS.c.event_id, EVENTS.c.start_ns)
        .where(EVENTS.c.event_id.in_(event_ids), is_too_old(before_ns), HAS_MEDIA)
        .order_by(EVENTS.c.event_id)
    )
    chosen = [(row.event_id, row.start_ns) for row in found]
    ids = [event_id for event_id, _ in chosen]
    if not ids:
        return Deleted()
    files, size = await media_of(connection, ids)
    gone = [{"event_id": event_id, "deleted_ns": now_ns} for event_id in ids]
    await connection.execute(insert_into(MEDIA_DELETIONS, kind).on_conflict_do_nothing(), gone)
    shown = await connection.execute(
        select(EVIDENCE.c.frame_id).distinct().where(EVIDENCE.c.event_id.in_(ids))
    )
    frame_ids = {frame_id for frame_id in shown.scalars() if frame_id is not None}
    frame_ids |= await _let_snapshots_go(connection, ids, now_ns)
    await _forget_pictures(connection, frame_ids)
    starts = [start_ns for _, start_ns in chosen]
    return Deleted(files=files, bytes=size, first_ns=min(starts), last_ns=max(starts))


async def media_of(connection: AsyncConnection, event_ids: Sequence[str]) -> tuple[int, int]:
    """How many files events still have, each content once, and their bytes."""
    present = (
        select(EVIDENCE.c.sha256, func.max(EVIDENCE.c.bytes).label("bytes"))
        .where(
            EVIDENCE.c.event_id.in_(event_ids),
            ~exists().where(MEDIA_DELETIONS.c.event_id == EVIDENCE.c.event_id),
        )
        .group_by(EVIDENCE.c.sha256)
        .subquery()
    )
    row = await connection.execute(
        select(func.count(), func.coalesce(func.sum(present.c.bytes), 0)).select_from(present)
    )
    count, size = row.one()
    return int(count), int(size)


async def forget_stray_pictures(
    connection: AsyncConnection, camera_id: str, before_ns: int, limit: int
) -> int:
    """Let go pictures of frames that are no event's any more: of events that changed since."""
    frame = FRAMES.c
    stray = (
        select(frame.frame_id)
        .where(
            frame.camera_id == camera_id,
            frame.time_ns < before_ns,
            frame.image_sha256.is_not(None),
            ~_is_shown(),
            ~is_beside_an_event(camera_id, frame.time_ns, frame.time_ns),
        )
        .order_by(frame.time_ns)
        .limit(limit)
    )
    ids = (await connection.execute(stray)).scalars().all()
    await _forget_pictures(connection, ids)
    return len(ids)


def _is_shown() -> Any:
    """Whether an event that has its media shows a frame."""
    return exists().where(
        EVIDENCE.c.frame_id == FRAMES.c.frame_id,
        ~exists().where(MEDIA_DELETIONS.c.event_id == EVIDENCE.c.event_id),
    )


async def _let_snapshots_go(
    connection: AsyncConnection, event_ids: Sequence[str], now_ns: int
) -> set[str]:
    """Mark the pictures of insights as deleted; the ids of the frames that they show."""
    found = await connection.execute(
        select(INSIGHTS.c.insight_id, INSIGHTS.c.snapshots)
        .where(INSIGHTS.c.event_id.in_(event_ids), cast(INSIGHTS.c.snapshots, Text) != "[]")
        .order_by(INSIGHTS.c.insight_id)
    )
    frame_ids: set[str] = set()
    for insight_id, snapshots in found.all():
        frame_ids.update(one["frameId"] for one in snapshots)
        await connection.execute(
            update(INSIGHTS)
            .where(INSIGHTS.c.insight_id == insight_id)
            .values(snapshots=[{**one, "deletedNs": now_ns} for one in snapshots])
        )
    return frame_ids


async def _forget_pictures(connection: AsyncConnection, frame_ids: Collection[str]) -> None:
    for chunk in chunks(sorted(frame_ids)):
        await connection.execute(
            update(FRAMES)
            .where(FRAMES.c.frame_id.in_(chunk), ~_is_shown())
            .values(image_sha256=None, annotated_sha256=None)
        )
