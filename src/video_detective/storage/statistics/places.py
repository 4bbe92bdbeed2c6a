"""Where tracks were: boxes are pixels of pictures whose size may have changed meanwhile."""

from __future__ import annotations

import typing
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Integer, cast, func, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from video_detective.storage import looks
from video_detective.storage.base import LookRow
from video_detective.storage.service_tables import LOOKS
from video_detective.storage.tables import FRAMES, TRACK_POINTS

DAY_NS = 24 * 3600 * 10**9
SLICE_NS = 61 * 10**9
"""Of a period of which only every n-th slice is read: 61 s do not always meet the full hour."""
PROBES = 96
"""How often the size of the picture is looked up: every quarter of an hour of a day."""
PAGE = 2000
"""Feet that are given at a time."""
Foot = tuple[int, str, float, float]
"""Time, track id, and the relative foot point: the bottom centre of the box."""
Area = tuple[float, float, float, float]
"""Left, top, right and bottom of a relative rectangle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A part of an analysis whose pictures are of one size, cut to the period asked for.

    Args:
        run_id: Which analysis.
        since_ns, until_ns: ``[since_ns, until_ns)``.
        size: Width and height in pixels.
    """

    run_id: int
    since_ns: int
    until_ns: int
    size: tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence:
    """Seconds of presence on a grid.

    Args:
        cells: Nanoseconds by ``(column, row)``; those of none are left out.
        points: How many boxes were read.
    """

    cells: Mapping[tuple[int, int], int]
    points: int


async def stretches(
    connection: AsyncConnection, camera_id: str, since_ns: int, until_ns: int
) -> list[Stretch]:
    """The shown analyses of a camera in a period, cut where the size of the picture changes.

    Looked at is what was kept at ``PROBES`` moments of the period, and all between two of them
    only where they differ: a stream whose size changes and changes back in between is taken to
    have kept it.
    """
    found: list[Stretch] = []
    for run in await looks.shown_runs(connection, camera_id, since_ns, until_ns):
        begin_ns, end_ns = max(run.first_ns, since_ns), min(run.last_ns + 1, until_ns)
        sizes = (
            await _sizes_of_looks(connection, run.run_id, since_ns, until_ns)
            if run.is_whole
            else await _size_of_frames(connection, run.run_id)
        )
        for index, (from_ns, size) in enumerate(sizes):
            first_ns = begin_ns if index == 0 else max(begin_ns, from_ns)
            last_ns = min(end_ns, sizes[index + 1][0]) if index + 1 < len(sizes) else end_ns
            if first_ns < last_ns:
                found.append(
                    Stretch(run_id=run.run_id, since_ns=first_ns, until_ns=last_ns, size=size)
                )
    return found


Sizes = list[tuple[int, tuple[int, int]]]
"""Since when the picture had which size."""


async def _sizes_of_looks(
    connection: AsyncConnection, run_id: int, since_ns: int, until_ns: int
) -> Sizes:
    kept = select(LOOKS.c.first_ns, LOOKS.c.last_ns, LOOKS.c.data).where(
        LOOKS.c.run_id == run_id, LOOKS.c.first_ns < until_ns, LOOKS.c.last_ns >= since_ns
    )
    row = (await connection.execute(kept.order_by(LOOKS.c.first_ns).limit(1))).first()
    changes: Sizes = []
    step_ns = max(1, (until_ns - since_ns) // PROBES)
    reached_ns = since_ns
    while row is not None:
        seen = looks.decode(row.data)
        if changes and changes[-1][1] != seen[0].size:
            # It changed since the row before: somewhere between the two.
            following: int | None = reached_ns
            while following is not None:
                between, following = await looks.read(
                    connection, run_id, following, row.first_ns, limit=4
                )
                _note(changes, between)
        _note(changes, seen)
        reached_ns = row.last_ns + 1
        # The row that is in force a step later, or else the next there is.
        ahead = kept.where(LOOKS.c.first_ns > row.first_ns)
        near = ahead.where(LOOKS.c.first_ns <= row.first_ns + step_ns)
        row = (
            await connection.execute(near.order_by(LOOKS.c.first_ns.desc()).limit(1))
        ).first() or (await connection.execute(ahead.order_by(LOOKS.c.first_ns).limit(1))).first()
    return changes


def _note(changes: Sizes, seen: Iterable[LookRow]) -> None:
    for look in seen:
        if not changes or changes[-1][1] != look.size:
            changes.append((look.time_ns, look.size))


async def _size_of_frames(connection: AsyncConnection, run_id: int) -> Sizes:
    """Of an analysis by an earlier program, the size that most of its frames have."""
    query = (
        select(FRAMES.c.width, FRAMES.c.height)
        .where(FRAMES.c.run_id == run_id)
        .group_by(FRAMES.c.width, FRAMES.c.height)
        .order_by(func.count().desc(), FRAMES.c.width, FRAMES.c.height)
        .limit(1)
    )
    row = (await connection.execute(query)).first()
    return [] if row is None else [(0, (row.width, row.height))]


async def presence(
    connection: AsyncConnection,
    camera_id: str,
    kind: str,
    stretch: Stretch,
    *,
    grid: tuple[int, int],
    gap_ns: int,
    every: int,
) -> Presence:
    """How long feet were in each cell of a grid over the picture.

    The time from one box of a track to its next counts for the cell of the first, unless it is
    longer than ``gap_ns``: then nobody knows where it was.

    Args:
        connection: Where.
        camera_id: Of which camera.
        kind: Of which class.
        stretch: When.
        grid: Columns and rows.
        gap_ns: Longest time between two boxes.
        every: Only every n-th slice of ``SLICE_NS`` is read.
    """
    cells: Counter[tuple[int, int]] = Counter()
    points = 0
    for begin_ns in range(stretch.since_ns, stretch.until_ns, DAY_NS):
        end_ns = min(begin_ns + DAY_NS, stretch.until_ns)
        read_ns = min(end_ns + gap_ns, stretch.until_ns)
        point = TRACK_POINTS.c
        wanted = _wanted(camera_id, kind, stretch.run_id, begin_ns, read_ns)
        if every > 1:
            slice_ = point.time_ns // _whole(SLICE_NS)
            wanted.append(slice_ % _whole(every) == _whole(0))
        ahead = func.lead(point.time_ns).over(partition_by=point.track_id, order_by=point.time_ns)
        x, y = _foot(stretch.size)
        followed = (
            select(
                point.time_ns.label("time_ns"),
                (ahead - point.time_ns).label("lasts_ns"),
                cast(func.floor(x * grid[0]), Integer).label("column"),
                cast(func.floor(y * grid[1]), Integer).label("row"),
            )
            .where(*wanted)
            .subquery()
        )
        here = followed.c
        lasting = func.sum(here.lasts_ns).filter(here.lasts_ns <= _whole(gap_ns))
        rows = await connection.execute(
            select(here.column, here.row, lasting, func.count())
            .where(here.time_ns < _whole(end_ns))
            .group_by(here.column, here.row)
        )
        for column, row, lasts_ns, count in rows:
            points += count
            # Feet of boxes that reach beyond the picture stand at its edge.
            cell = (min(max(column, 0), grid[0] - 1), min(max(row, 0), grid[1] - 1))
            if lasts_ns:
                cells[cell] += int(lasts_ns)
    return Presence(cells=cells, points=points)


async def feet(
    connection: AsyncConnection,
    camera_id: str,
    kind: str,
    stretch: Stretch,
    *,
    within: Area,
    take: Callable[[Sequence[Foot]], Awaitable[bool]],
) -> None:
    """Give the feet within a rectangle to ``take``, in order of time, some thousand at a time.

    Args:
        connection: Where.
        camera_id: Of which camera.
        kind: Of which class.
        stretch: When.
        within: Both edges included.
        take: Is given them; False ends it.
    """
    x, y = _foot(stretch.size)
    left, top, right, bottom = within
    query = (
        select(TRACK_POINTS.c.time_ns, TRACK_POINTS.c.track_id, x.label("x"), y.label("y"))
        .where(
            *_wanted(camera_id, kind, stretch.run_id, stretch.since_ns, stretch.until_ns),
            x.between(left, right),
            y.between(top, bottom),
        )
        .order_by(TRACK_POINTS.c.time_ns, TRACK_POINTS.c.track_id)
    )
    result = await connection.stream(query)
    async for page in result.partitions(PAGE):
        if not await take(typing.cast(Sequence[Foot], page)):
            await result.close()
            return


def _wanted(
    camera_id: str, kind: str, run_id: int, since_ns: int, until_ns: int
) -> list[ColumnElement[bool]]:
    return [
        TRACK_POINTS.c.camera_id == camera_id,
        TRACK_POINTS.c.time_ns >= since_ns,
        TRACK_POINTS.c.time_ns < until_ns,
        TRACK_POINTS.c.run_id == run_id,
        TRACK_POINTS.c.type == kind,
    ]


def _foot(size: tuple[int, int]) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    width, height = size
    return (TRACK_POINTS.c.x1 + TRACK_POINTS.c.x2) / (2.0 * width), TRACK_POINTS.c.y2 / float(
        height
    )


def _whole(number: int) -> ColumnElement[int]:
    return literal(number, BigInteger)
