"""Where tracks stood and how long they stayed: a grid over the picture, and visits to zones."""

from __future__ import annotations

import asyncio
from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from video_detective.config import Camera
from video_detective.errors import TooLargeError
from video_detective.geometry import NS_PER_S
from video_detective.rules import Zone
from video_detective.rules.sight import Area
from video_detective.services.access import Caller
from video_detective.services.statistics import MOST_TRACKS, Asked, Period, find_period
from video_detective.services.workspace import Workspace
from video_detective.storage.statistics.counts import SeenTimes, Span
from video_detective.storage.statistics.places import SLICE_NS, Foot

GRID = (64, 36)
"""Columns and rows of the heat map."""
GAP_NS = 2 * NS_PER_S
"""Boxes of a track further apart than this are not known to be of one stay; twice the time between
looks at a still picture, where that is more."""
SHORTEST_NS = NS_PER_S
"""A visit lasts at least this long; a foot on the edge comes and goes with the detector."""
MOST_POINTS = 2_000_000
"""Boxes of which a heat map is made; of more it reads only every n-th slice of time."""
MOST_FEET = 5_000_000
"""Boxes within the zones of which visits are made: some ten seconds of one core."""
EDGES_S = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600)
"""Where the bars of a histogram of visits begin; the last has no end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatMap:
    """How long feet were in each cell.

    Args:
        period: Of when.
        kind: Of which class.
        share: Which share of the time was read.
        cells: Seconds by row, then by column; scaled to the whole period.
        points: How many boxes were read.
    """

    period: Period
    kind: str
    share: float
    cells: Sequence[Sequence[float]]
    points: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Visits:
    """Stays in one zone.

    Args:
        zone: Which.
        count: How many began and ended in the period.
        cut: How many more reach over an end of it: their length is not known.
        median_s, p90_s, longest_s: Nearest rank; None of no visit.
        histogram: How many lasted from each of ``EDGES_S`` to the next.
    """

    zone: Zone
    count: int
    cut: int
    median_s: float | None
    p90_s: float | None
    longest_s: float | None
    histogram: Sequence[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dwell:
    """Visits of one class to every zone of the scene in force."""

    period: Period
    kind: str
    zones: Sequence[Visits]


class Presences:
    """Heat maps and visits of a service, one at a time: each may take a core for seconds.

    Args:
        workspace: Where the tracks are.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._turn = asyncio.Lock()

    async def heat_map(self, caller: Caller, asked: Asked, kind: str) -> HeatMap:
        """Seconds of presence on a grid over one device's picture.

        Args:
            caller: Who asks.
            asked: Of which device and when.
            kind: Of which class.

        Raises:
            MissingError: there is no such device in reach.
            FieldError: the period cannot be meant.
            TooLargeError: it has too many tracks.
        """
        period, _ = await find_period(self._workspace, caller, asked)
        async with self._turn:
            return await self._heat_map(caller, period, kind)

    async def _heat_map(self, caller: Caller, period: Period, kind: str) -> HeatMap:
        database, camera_id = self._workspace.database, period.cameras[0]
        span = Span(
            reach=caller.reach,
            camera_id=camera_id,
            since_ns=period.since_ns,
            until_ns=period.until_ns,
        )
        seen = await database.statistics.seen_times(span, MOST_TRACKS)
        if seen is None:
            raise TooLargeError(
                f"The period has more than {MOST_TRACKS:,} tracks",
                remedy="Choose a shorter one.",
                reason="period_too_full",
                most=MOST_TRACKS,
            )
        fps, gap_ns = await self._sampling(camera_id)
        times = seen.get((camera_id, kind), SeenTimes())
        expected = _seen_s(times, period) * fps
        every = max(1, -(-int(expected) // MOST_POINTS))
        cells: Counter[tuple[int, int]] = Counter()
        points = 0
        for stretch in await database.statistics.stretches(
            camera_id, period.since_ns, period.until_ns
        ):
            found = await database.statistics.presence(
                camera_id, kind, stretch, grid=GRID, gap_ns=gap_ns, every=every
            )
            cells.update(found.cells)
            points += found.points
        share = _share(period, every)
        columns, rows = GRID
        return HeatMap(
            period=period,
            kind=kind,
            share=share,
            points=points,
            cells=[
                [round(cells[column, row] / share / NS_PER_S, 1) for column in range(columns)]
                for row in range(rows)
            ],
        )

    async def dwell(self, caller: Caller, asked: Asked, kind: str) -> Dwell:
        """Visits to each zone of a device's scene in force.

        A visit is of one track, from its first to its last box within the zone, with no longer
        absence than ``GAP_NS``; it lasts ``SHORTEST_NS`` or more.

        Args:
            caller: Who asks.
            asked: Of which device and when.
            kind: Of which class.

        Raises:
            MissingError: there is no such device in reach.
            FieldError: the period cannot be meant.
            TooLargeError: more than ``MOST_FEET`` boxes lie around the zones.
        """
        period, _ = await find_period(self._workspace, caller, asked)
        async with self._turn:
            return await self._dwell(period, kind)

    async def _dwell(self, period: Period, kind: str) -> Dwell:
        database, camera_id = self._workspace.database, period.cameras[0]
        zones = period.places.scene(camera_id).zones
        if not zones:
            return Dwell(period=period, kind=kind, zones=())
        _, gap_ns = await self._sampling(camera_id)
        log = VisitLog(zones, period.since_ns, period.until_ns, gap_ns)
        count = 0

        async def take(feet: Sequence[Foot]) -> bool:
            nonlocal count
            count += len(feet)
            await asyncio.to_thread(log.add, feet)
            return count <= MOST_FEET

        # Beyond both ends, to know which visits reach over them.
        for stretch in await database.statistics.stretches(
            camera_id, period.since_ns - gap_ns, period.until_ns + gap_ns
        ):
            await database.statistics.feet(
                camera_id, kind, stretch, within=_around(zones), take=take
            )
            if count > MOST_FEET:
                raise TooLargeError(
                    f"More than {MOST_FEET:,} boxes of the period lie around the zones",
                    remedy="Choose a shorter one.",
                    reason="period_too_full",
                    most=MOST_FEET,
                )
        return Dwell(period=period, kind=kind, zones=await asyncio.to_thread(log.visits))

    async def _sampling(self, camera_id: str) -> tuple[float, int]:
        """Looks a second while anything moves, and the longest time between boxes of one stay."""
        rows = await self._workspace.database.cameras()
        documents = (row.document for row in rows if row.camera_id == camera_id)
        sampling = Camera.model_validate(next(documents, {})).sampling
        return sampling.fps, max(GAP_NS, round(2 * NS_PER_S / sampling.idle_fps))


@dataclass(slots=True)
class _Visit:
    first_ns: int
    last_ns: int


@dataclass(slots=True)
class _Log:
    area: Area
    open: dict[str, _Visit] = field(default_factory=dict)
    lengths_ns: array[int] = field(default_factory=lambda: array("q"))
    cut: int = 0


class VisitLog:
    """Makes visits of feet that come in order of time.

    Args:
        zones: Where.
        since_ns, until_ns: Visits that reach over these are cut.
        gap_ns: Longest absence within one visit.
    """

    def __init__(self, zones: Sequence[Zone], since_ns: int, until_ns: int, gap_ns: int) -> None:
        self._zones = zones
        self._logs = [_Log(Area(zone)) for zone in zones]
        self._since_ns, self._until_ns, self._gap_ns = since_ns, until_ns, gap_ns

    def add(self, feet: Sequence[Foot]) -> None:
        """Take feet in, and end the visits that are over by then."""
        if not feet:
            return
        times, track_ids, *places = zip(*feet, strict=True)
        xs, ys = np.array(places, np.float64)
        for log in self._logs:
            for index in np.flatnonzero(log.area.holds_each(xs, ys)).tolist():
                time_ns, track_id = times[index], track_ids[index]
                visit = log.open.get(track_id)
                if visit is not None and time_ns - visit.last_ns <= self._gap_ns:
                    visit.last_ns = time_ns
                    continue
                if visit is not None:
                    self._end(log, visit)
                log.open[track_id] = _Visit(time_ns, time_ns)
            over_ns = times[-1] - self._gap_ns
            for track_id in [key for key, one in log.open.items() if one.last_ns < over_ns]:
                self._end(log, log.open.pop(track_id))

    def visits(self) -> list[Visits]:
        """What they come to; every visit has ended."""
        found = []
        for zone, log in zip(self._zones, self._logs, strict=True):
            for visit in log.open.values():
                self._end(log, visit)
            log.open.clear()
            lengths = sorted(log.lengths_ns)
            histogram = [0] * len(EDGES_S)
            for length_ns in lengths:
                histogram[bisect_right(EDGES_S, length_ns / NS_PER_S) - 1] += 1
            found.append(
                Visits(
                    zone=zone,
                    count=len(lengths),
                    cut=log.cut,
                    median_s=_rank(lengths, 50),
                    p90_s=_rank(lengths, 90),
                    longest_s=_rank(lengths, 100),
                    histogram=histogram,
                )
            )
        return found

    def _end(self, log: _Log, visit: _Visit) -> None:
        length_ns = visit.last_ns - visit.first_ns
        if visit.last_ns < self._since_ns or visit.first_ns >= self._until_ns:
            return
        if visit.first_ns < self._since_ns or visit.last_ns >= self._until_ns:
            log.cut += 1
        elif length_ns >= SHORTEST_NS:
            log.lengths_ns.append(length_ns)


def _rank(lengths: Sequence[int], percent: int) -> float | None:
    """The nearest-rank percentile of sorted lengths, in seconds."""
    if not lengths:
        return None
    return round(lengths[-(-percent * len(lengths) // 100) - 1] / NS_PER_S, 3)


def _around(zones: Sequence[Zone]) -> tuple[float, float, float, float]:
    points = [point for zone in zones for point in zone.polygon.points]
    left, right = min(x for x, _ in points), max(x for x, _ in points)
    top, bottom = min(y for _, y in points), max(y for _, y in points)
    # Feet on the picture's edge are within a zone that is drawn to it.
    return left, top, right + 0.001, bottom + 0.001


def _seen_s(times: SeenTimes, period: Period) -> float:
    """Seconds that tracks were seen in the period, all together."""
    first = np.maximum(np.frombuffer(times.first_ns, np.int64), period.since_ns)
    last = np.minimum(np.frombuffer(times.last_ns, np.int64), period.until_ns)
    return float(np.sum(last - first)) / NS_PER_S


def _share(period: Period, every: int) -> float:
    """Which share of a period its every n-th slices are."""
    if every == 1:
        return 1.0
    read_ns = sum(
        min((number + 1) * SLICE_NS, period.until_ns) - max(number * SLICE_NS, period.since_ns)
        for number in range(period.since_ns // SLICE_NS, -(-period.until_ns // SLICE_NS))
        if number % every == 0
    )
    return read_ns / (period.until_ns - period.since_ns)
