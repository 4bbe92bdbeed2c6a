"""How many events there are, counted where they lie: a report must not load them all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import BigInteger, ColumnElement, case, func, literal, null, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from video_detective.rules.base import RISK_LEVELS
from video_detective.storage import reading
from video_detective.storage.base import EventQuery, StoredEvent
from video_detective.storage.dialects import KEY_TEXT
from video_detective.storage.tables import EVENTS

BEFORE = -1
"""Stretch of events that began before the period."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KindCount:
    """Events of one camera, type and risk level."""

    camera_id: str
    type: str
    risk_level: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StretchCount:
    """Events of one camera and risk level that began in one stretch of time.

    ``stretch`` 0 begins at the counting's ``origin_ns``; ``BEFORE`` is everything before the
    period.
    """

    camera_id: str
    risk_level: str
    stretch: int
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EventCounts:
    """The same events counted twice, as they stood at one moment: both sums are equal.

    Args:
        kinds: In order of camera, type and risk level.
        stretches: In order of stretch, camera and risk level; none for stretches without events.
    """

    kinds: Sequence[KindCount]
    stretches: Sequence[StretchCount]

    @property
    def total(self) -> int:
        """All events."""
        return sum(kind.count for kind in self.kinds)


async def event_counts(
    connection: AsyncConnection, query: EventQuery, origin_ns: int, stretch_ns: int
) -> EventCounts:
    """Events by kind and by the stretch in which they began."""
    conditions = reading.conditions(query)
    camera, kind, risk, start = (
        EVENTS.c.camera_id, EVENTS.c.type, EVENTS.c.risk_level, EVENTS.c.start_ns,
    )  # fmt: skip
    nth: ColumnElement[int] = (start - literal(origin_ns, BigInteger)) // literal(
        stretch_ns, BigInteger
    )
    if query.since_ns is not None:
        nth = case((start < reading.storable_ns(query.since_ns), BEFORE), else_=nth)
    placed = select(camera, risk, nth.label("stretch")).where(*conditions).subquery()
    # One statement, so that both are of one moment while somebody else writes.
    found = await connection.execute(
        union_all(
            select(camera, kind, risk, null().cast(BigInteger), func.count())
            .where(*conditions)
            .group_by(camera, kind, risk),
            select(
                placed.c.camera_id,
                null().cast(KEY_TEXT),
                placed.c.risk_level,
                placed.c.stretch,
                func.count(),
            ).group_by(placed.c.camera_id, placed.c.risk_level, placed.c.stretch),
        )
    )
    kinds, stretches = [], []
    for camera_id, event_type, risk_level, stretch, count in found:
        if event_type is None:
            stretches.append(
                StretchCount(
                    camera_id=camera_id, risk_level=risk_level, stretch=stretch, count=count
                )
            )
        else:
            kinds.append(
                KindCount(camera_id=camera_id, type=event_type, risk_level=risk_level, count=count)
            )
    kinds.sort(key=lambda row: (row.camera_id, row.type, row.risk_level))
    stretches.sort(key=lambda row: (row.stretch, row.camera_id, row.risk_level))
    return EventCounts(kinds=kinds, stretches=stretches)


async def gravest(connection: AsyncConnection, query: EventQuery) -> list[StoredEvent]:
    """The first ``query.limit`` events by falling risk, then by start; cursor and order unread."""
    rank = case(
        {level: number for number, level in enumerate(RISK_LEVELS)},
        value=EVENTS.c.risk_level,
        else_=BEFORE,
    )
    found = await connection.scalars(
        select(EVENTS.c.event_id)
        .where(*reading.conditions(query))
        .order_by(rank.desc(), EVENTS.c.start_ns, EVENTS.c.event_id)
        .limit(query.limit)
    )
    events = [await reading.event(connection, event_id) for event_id in found.all()]
    return [event for event in events if event is not None]
