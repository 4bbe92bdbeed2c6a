"""Events, crossings and alerts by local hours and days; when tracks were seen."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from video_detective.storage import reading
from video_detective.storage.attributes.base import LocalClock
from video_detective.storage.attributes.statistics import stretch_of
from video_detective.storage.base import EventQuery
from video_detective.storage.reach import Reach, of_camera
from video_detective.storage.reading import storable_ns
from video_detective.storage.service_tables import INSIGHTS
from video_detective.storage.tables import EVENTS, RUNS, TRACKS

PAGE = 5000
"""Rows that are fetched at a time."""
Counts = Mapping[tuple[str, ...], Mapping[int, int]]
"""By what was counted; then how many by when their hour or day begins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Of whom and when.

    Args:
        reach: Whose; None: everybody's.
        camera_id: Only of this camera; None: of all in reach.
        since_ns, until_ns: ``[since_ns, until_ns)``.
    """

    reach: Reach | None
    camera_id: str | None
    since_ns: int
    until_ns: int


@dataclass(frozen=True, slots=True)
class SeenTimes:
    """When the tracks of one camera and class were first and last seen, in the same order."""

    first_ns: array[int] = field(default_factory=lambda: array("q"))
    last_ns: array[int] = field(default_factory=lambda: array("q"))


async def events(connection: AsyncConnection, span: Span, clock: LocalClock) -> Counts:
    """Events that are listed and began in the period: by camera, type and risk level."""
    keys = (EVENTS.c.camera_id, EVENTS.c.type, EVENTS.c.risk_level)
    return await _counted(connection, keys, EVENTS.c.start_ns, _events(span, ()), clock)


async def crossings(connection: AsyncConnection, span: Span, clock: LocalClock) -> Counts:
    """Events of line crossing: by camera, tripwire, direction, its name then, and rule."""
    facts = EVENTS.c.facts
    keys = (
        EVENTS.c.camera_id,
        func.coalesce(EVENTS.c.tripwire, ""),
        func.coalesce(facts["direction"].as_string(), ""),
        func.coalesce(facts["direction_name"].as_string(), ""),
        EVENTS.c.rule_id,
    )
    wanted = _events(span, ("line_crossing",))
    return await _counted(connection, keys, EVENTS.c.start_ns, wanted, clock)


async def alerts(connection: AsyncConnection, span: Span, clock: LocalClock) -> Counts:
    """Alerts that are listed: by camera and severity."""
    wanted = [INSIGHTS.c.is_hidden.is_(False), *_period(INSIGHTS.c.triggered_ns, span)]
    if span.reach is not None:
        wanted.append(INSIGHTS.c.account_id == span.reach.account_id)
    wanted += _cameras(INSIGHTS.c.camera_id, span)
    keys = (INSIGHTS.c.camera_id, INSIGHTS.c.severity)
    return await _counted(connection, keys, INSIGHTS.c.triggered_ns, wanted, clock)


async def seen_times(
    connection: AsyncConnection, span: Span, most: int
) -> dict[tuple[str, str], SeenTimes] | None:
    """When the tracks of the period were seen, by camera and class; sixteen bytes a track.

    Those of superseded analyses are left out.

    Args:
        connection: Where.
        span: Tracks that were seen at some time in it.
        most: Of more tracks than that nothing is given.
    """
    superseded = select(RUNS.c.run_id).where(RUNS.c.superseded_by.is_not(None))
    query = select(TRACKS.c.camera_id, TRACKS.c.type, TRACKS.c.first_ns, TRACKS.c.last_ns).where(
        TRACKS.c.first_ns < storable_ns(span.until_ns),
        TRACKS.c.last_ns >= storable_ns(span.since_ns),
        TRACKS.c.run_id.not_in(superseded),
        *_cameras(TRACKS.c.camera_id, span),
    )
    found: defaultdict[tuple[str, str], SeenTimes] = defaultdict(SeenTimes)
    count = 0
    result = await connection.stream(query)
    async for page in result.partitions(PAGE):
        for camera_id, kind, first_ns, last_ns in page:
            times = found[camera_id, kind]
            times.first_ns.append(first_ns)
            times.last_ns.append(last_ns)
        count += len(page)
        if count > most:
            await result.close()
            return None
    return dict(found)


async def _counted(
    connection: AsyncConnection,
    keys: Sequence[ColumnElement[Any]],
    at: ColumnElement[int],
    wanted: Sequence[ColumnElement[bool]],
    clock: LocalClock,
) -> Counts:
    part, number = stretch_of(at, clock)
    named = [key.label(f"key{index}") for index, key in enumerate(keys)]
    placed = select(*named, part.label("part"), number.label("number")).where(*wanted).subquery()
    columns = list(placed.c)
    rows = await connection.execute(select(*columns, func.count()).group_by(*columns))
    found: defaultdict[tuple[str, ...], defaultdict[int, int]] = defaultdict(
        lambda: defaultdict(int)
    )
    for *values, index, stretch, count in rows:
        found[tuple(values)][clock.begin_ns(index, stretch)] += count
    return found


def _events(span: Span, types: tuple[str, ...]) -> list[ColumnElement[bool]]:
    query = EventQuery(
        camera=span.camera_id,
        types=types,
        since_ns=span.since_ns,
        until_ns=span.until_ns,
        reach=span.reach,
    )
    return [*reading.conditions(query), EVENTS.c.start_ns >= storable_ns(span.since_ns)]


def _period(at: ColumnElement[int], span: Span) -> list[ColumnElement[bool]]:
    return [at >= storable_ns(span.since_ns), at < storable_ns(span.until_ns)]


def _cameras(column: ColumnElement[str], span: Span) -> list[ColumnElement[bool]]:
    wanted = [] if span.camera_id is None else [column == span.camera_id]
    seen = of_camera(span.reach, column)
    return wanted if seen is None else [*wanted, seen]
