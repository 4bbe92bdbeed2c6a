"""What waits for a model or a receiver, and what was done with less than was wished."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Executable, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from video_detective.storage.reach import Reach, of_camera, of_row
from video_detective.storage.service_tables import ALERTS, DELIVERIES, INSIGHTS
from video_detective.storage.tables import EVENT_DOCUMENTS, EVENTS, NARRATIONS, VECTOR_QUEUE

Open = Callable[[], AbstractAsyncContextManager[AsyncConnection]]
Kind = Literal["insights", "narrations", "embeddings", "deliveries"]
EXAMPLES = 3
_MOST_READ = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """How much waits.

    Args:
        kind: Of what.
        waiting: Nobody has begun it.
        running: Somebody has.
        oldest_ns: Since when the oldest of both waits; None where that is not known.
    """

    kind: Kind
    waiting: int
    running: int
    oldest_ns: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """Something that was done with less, or not: ``detail`` is why, in words."""

    event_id: str
    insight_id: str | None
    time_ns: int
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortfall:
    """What fell short for one reason.

    Args:
        kind: ``insights`` or ``narrations``.
        reason: Stable key.
        is_failed: It has no words of a model; else it has some, of less than was wished.
        count: How many.
        examples: The newest few.
    """

    kind: Kind
    reason: str
    is_failed: bool
    count: int
    examples: tuple[Example, ...]


class Backlog:
    """Reads what waits in an open database.

    Args:
        reading: Opens a connection.
    """

    def __init__(self, reading: Open) -> None:
        self._reading = reading

    async def waiting(self, reach: Reach) -> list[Waiting]:
        """What waits of what somebody reaches."""
        async with self._reading() as connection:
            return [
                await _insights(connection, reach),
                await _narrations(connection, reach),
                await _embeddings(connection, reach),
                await _deliveries(connection, reach),
            ]

    async def shortfalls(self, reach: Reach, since_ns: int) -> list[Shortfall]:
        """What fell short since a moment, the most frequent reason first."""
        camera = of_camera(reach, EVENTS.c.camera_id)
        told = NARRATIONS.c
        narrations = (
            select(told.event_id, told.finished_ns, told.reason, told.status == "failed")
            .join(EVENTS, EVENTS.c.event_id == told.event_id)
            .where(told.finished_ns >= since_ns, told.reason.is_not(None))
            .order_by(told.finished_ns.desc())
            .limit(_MOST_READ)
        )
        if camera is not None:
            narrations = narrations.where(camera)
        insight = INSIGHTS.c
        insights = (
            select(
                insight.event_id,
                insight.vlm_completed_ns,
                insight.reason,
                insight.vlm_status == "failed",
                insight.insight_id,
            )
            .where(
                of_row(reach, INSIGHTS),
                ~insight.is_hidden,
                insight.vlm_completed_ns >= since_ns,
                insight.reason.is_not(None),
            )
            .order_by(insight.vlm_completed_ns.desc())
            .limit(_MOST_READ)
        )
        async with self._reading() as connection:
            found = [
                *await _grouped(connection, "insights", insights),
                *await _grouped(connection, "narrations", narrations),
            ]
        return sorted(found, key=lambda one: (-one.count, one.kind, one.reason))


async def _insights(connection: AsyncConnection, reach: Reach) -> Waiting:
    own = INSIGHTS.c
    query = (
        select(own.worker.is_not(None), func.count(), func.min(own.created_ns))
        .where(of_row(reach, INSIGHTS), own.vlm_status == "pending", ~own.is_hidden)
        .group_by(own.worker.is_not(None))
    )
    return await _waiting(connection, "insights", query)


async def _narrations(connection: AsyncConnection, reach: Reach) -> Waiting:
    own = NARRATIONS.c
    query = (
        select(own.worker.is_not(None), func.count(), func.min(own.requested_ns))
        .join(EVENTS, EVENTS.c.event_id == own.event_id)
        .where(own.status == "pending")
        .group_by(own.worker.is_not(None))
    )
    camera = of_camera(reach, EVENTS.c.camera_id)
    return await _waiting(
        connection, "narrations", query if camera is None else query.where(camera)
    )


async def _embeddings(connection: AsyncConnection, reach: Reach) -> Waiting:
    document = EVENT_DOCUMENTS.c
    query = (
        select(func.count())
        .select_from(VECTOR_QUEUE)
        .join(EVENT_DOCUMENTS, document.document_id == VECTOR_QUEUE.c.document_id)
        .join(EVENTS, EVENTS.c.event_id == document.event_id)
    )
    camera = of_camera(reach, EVENTS.c.camera_id)
    count = await connection.scalar(query if camera is None else query.where(camera)) or 0
    return Waiting(kind="embeddings", waiting=count, running=0, oldest_ns=None)


async def _deliveries(connection: AsyncConnection, reach: Reach) -> Waiting:
    own = DELIVERIES.c
    query = (
        select(own.worker.is_not(None), func.count(), func.min(own.created_ns))
        .join(ALERTS, ALERTS.c.alert_id == own.alert_id)
        .where(of_row(reach, ALERTS), own.status == "waiting")
        .group_by(own.worker.is_not(None))
    )
    return await _waiting(connection, "deliveries", query)


async def _waiting(connection: AsyncConnection, kind: Kind, query: Executable) -> Waiting:
    counts, oldest = {False: 0, True: 0}, list[int]()
    for begun, count, since_ns in (await connection.execute(query)).all():
        counts[bool(begun)] = count
        oldest.append(since_ns)
    return Waiting(
        kind=kind, waiting=counts[False], running=counts[True], oldest_ns=min(oldest, default=None)
    )


async def _grouped(connection: AsyncConnection, kind: Kind, query: Executable) -> list[Shortfall]:
    counts: dict[tuple[str, bool], int] = {}
    examples: dict[tuple[str, bool], list[Example]] = {}
    for event_id, time_ns, reason, is_failed, *insight in (await connection.execute(query)).all():
        name, _, detail = reason.partition(":")
        if name == "no_model":  # then none was ever to be asked
            continue
        key = (name, bool(is_failed))
        counts[key] = counts.get(key, 0) + 1
        some = examples.setdefault(key, [])
        if len(some) < EXAMPLES:
            some.append(
                Example(
                    event_id=event_id,
                    insight_id=insight[0] if insight else None,
                    time_ns=time_ns,
                    detail=detail.strip(),
                )
            )
    return [
        Shortfall(
            kind=kind,
            reason=reason,
            is_failed=is_failed,
            count=count,
            examples=tuple(examples[reason, is_failed]),
        )
        for (reason, is_failed), count in counts.items()
    ]
