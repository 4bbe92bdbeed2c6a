"""How many events there are, counted where they lie: a report must not load them all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import BigInteger, ColumnElement, case, func, literal, null, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from video_detective.geometry import NS_PER_S
from video_detective.rules.base import RISK_LEVELS
from video_detective.storage import reading
from video_detective.storage.base import EventQuery, StoredEvent
from video_detective.storage.dialects import KEY_TEXT
from video_detective.storage.tables import EVENTS

BEFORE = -1
"""Stretch of events that began before the period."""
_HOUR_NS = 3600 * NS_PER_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """How time is cut into stretches of one length.

    Args:
        origin_ns: Where stretch 0 begins, after shifting; not after the period's begin.
        stretch_ns: Length of a stretch.
        shifts: ``(since_ns, shift_ns)`` in order of time: what is added from then on before time
            is cut; the first also holds before. Offsets from UTC give local days, which are 23 or
            25 hours long twice a year. None: time is cut as it is.
    """

    origin_ns: int
    stretch_ns: int
    shifts: Sequence[tuple[int, int]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class KindCount:
    """Events of one camera, type and risk level."""

    camera_id: str
    type: str
    risk_level: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StretchCount:
    """Events of one camera and risk level that began in one stretch of the clock, or ``BEFORE``."""

    camera_id: str
    risk_level: str
    stretch: int
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HourCount:
    """Events of one risk level that began in the period, in one hour (0..23) of the local day."""

    risk_level: str
    hour: int
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EventCounts:
    """The same events counted in several ways, as they stood at one moment: the sums agree.

    Args:
        kinds: In order of camera, type and risk level.
        stretches: In order of stretch, camera and risk level; none for stretches without events.
        hours: In order of hour and risk level, without those that began before the period; empty
            for a clock without shifts.
    """

    kinds: Sequence[KindCount]
    stretches: Sequence[StretchCount]
    hours: Sequence[HourCount]

    @property
    def total(self) -> int:
        """All events."""
        return sum(kind.count for kind in self.kinds)


async def event_counts(connection: AsyncConnection, query: EventQuery, clock: Clock) -> EventCounts:
    """Events by kind, by the stretch in which they began, and by the hour of the day."""
    conditions = reading.conditions(query)
    start = EVENTS.c.start_ns
    shifted = _shifted(start, clock)
    stretch = (shifted - _whole(clock.origin_ns)) // _whole(clock.stretch_ns)
    hour = shifted // _whole(_HOUR_NS) % _whole(24)
    if query.since_ns is not None:
        is_before = start < reading.storable_ns(query.since_ns)
        stretch = case((is_before, BEFORE), else_=stretch)
        hour = case((is_before, BEFORE), else_=hour)
    placed = (
        select(
            EVENTS.c.camera_id,
            EVENTS.c.type,
            EVENTS.c.risk_level,
            stretch.label("stretch"),
            hour.label("hour"),
        )
        .where(*conditions)
        .subquery()
    )
    no_text, no_number = null().cast(KEY_TEXT), null().cast(BigInteger)
    camera, kind, risk = placed.c.camera_id, placed.c.type, placed.c.risk_level
    parts = [
        select(literal(0), camera, kind, risk, no_number, func.count()).group_by(
            camera, kind, risk
        ),
        select(literal(1), camera, no_text, risk, placed.c.stretch, func.count()).group_by(
            camera, risk, placed.c.stretch
        ),
    ]
    if clock.shifts:
        parts.append(
            select(literal(2), no_text, no_text, risk, placed.c.hour, func.count())
            .where(placed.c.hour != BEFORE)
            .group_by(risk, placed.c.hour)
        )
    kinds, stretches, hours = [], [], []
    # One statement, so that all are of one moment while somebody else writes.
    for part, camera_id, event_type, level, number, count in await connection.execute(
        union_all(*parts)
    ):
        if part == 0:
            kinds.append(
                KindCount(camera_id=camera_id, type=event_type, risk_level=level, count=count)
            )
        elif part == 1:
            stretches.append(
                StretchCount(camera_id=camera_id, risk_level=level, stretch=number, count=count)
            )
        else:
            hours.append(HourCount(risk_level=level, hour=number, count=count))
    kinds.sort(key=lambda row: (row.camera_id, row.type, row.risk_level))
    stretches.sort(key=lambda row: (row.stretch, row.camera_id, row.risk_level))
    hours.sort(key=lambda row: (row.hour, row.risk_level))
    return EventCounts(kinds=kinds, stretches=stretches, hours=hours)


def _shifted(time_ns: ColumnElement[int], clock: Clock) -> ColumnElement[int]:
    if not clock.shifts:
        return time_ns
    (_, shift_ns), *later = clock.shifts
    shift: ColumnElement[int] = _whole(shift_ns)
    if later:
        # The latest that has begun holds.
        shift = case(
            *((time_ns >= _whole(since), _whole(add)) for since, add in reversed(later)),
            else_=shift,
        )
    return time_ns + shift


def _whole(number: int) -> ColumnElement[int]:
    return literal(number, BigInteger)


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
