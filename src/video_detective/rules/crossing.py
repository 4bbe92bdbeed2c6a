"""Passing over a polyline, decided exactly.

A track's way is the straight lines between its observations. Where it meets a segment of the
tripwire from one side to the other is a *pass*; passes are *settled* once the way has gone
``hysteresis`` from the segment passed last, and only their balance counts: jitter on the line
counts once, turning back on it counts nothing. Distance to a segment is convex along a straight
way, so that looking at observations and passes alone misses nothing, and a finer time step changes
nothing.

Which side a foot is on is decided by exact signs with symbolic perturbation (Edelsbrunner and
Mücke, "Simulation of Simplicity", ACM TOG 9(1), 1990: every foot counts as moved by (e, e²)), so
that a way through a joint passes the polyline once and never twice or not at all.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from fractions import Fraction

from video_detective.geometry import Point
from video_detective.rules.base import Tripwire
from video_detective.rules.sight import Mark, Spot, distance

_SIGN_ERROR = 1e-15
"""Relative rounding error of a 2×2 determinant, above Shewchuk's bound (3 + 16e)e = 3.4e-16."""
_FORGET_NS = 60_000_000_000
"""A track unseen for this long is forgotten; no tracker keeps an id so long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """One pass over the line.

    Args:
        sign: 1 from the left hand to the right hand, -1 from right to left.
        time_ns: When the line itself was passed, on the straight way between the observations.
        point: Where, relative.
        before, after: The observations on either side.
    """

    sign: int
    time_ns: int
    point: Point
    before: Mark
    after: Mark


@dataclass(slots=True, kw_only=True)
class Walk:
    """One track near the line: its last observation and the passes not settled yet.

    Args:
        last: The last observation.
        segment: The segment passed last.
        balance: Sum of the signs of the unsettled passes.
        rightward, leftward: The last unsettled pass of either sign.
    """

    last: Mark
    segment: int = 0
    balance: int = 0
    rightward: Pass | None = None
    leftward: Pass | None = None

    def add(self, segment: int, one: Pass) -> None:
        """Take in an unsettled pass."""
        self.segment = segment
        self.balance += one.sign
        if one.sign > 0:
            self.rightward = one
        else:
            self.leftward = one

    def settle(self) -> Pass | None:
        """What the unsettled passes come to; none are left."""
        one = self.rightward if self.balance > 0 else self.leftward if self.balance < 0 else None
        self.balance, self.rightward, self.leftward = 0, None, None
        return one


class Crossings:
    """Passes of tracks over one tripwire.

    Args:
        tripwire: The line; points that repeat are one.
        hysteresis: Frame heights from the line at which a pass is settled.
        max_gap_ns: A way between observations further apart is unknown and passes nothing.
    """

    def __init__(self, tripwire: Tripwire, *, hysteresis: float, max_gap_ns: int) -> None:
        points = [p for i, p in enumerate(tripwire.points) if i == 0 or p != tripwire.points[i - 1]]
        self._segments = list(itertools.pairwise(points))
        self._hysteresis = hysteresis
        self._max_gap_ns = max_gap_ns
        self.walks: dict[str, Walk] = {}

    def update(self, spot: Spot, aspect: float) -> list[Pass]:
        """The passes that this observation of a track settles, in order of time.

        Args:
            spot: The track; its observations come in rising time.
            aspect: Width over height of the frame.
        """
        now = spot.mark
        walk = self.walks.get(spot.track_id)
        if walk is None:
            self.walks[spot.track_id] = Walk(last=now)
            return []
        before, walk.last = walk.last, now
        meetings = self._meetings(before, now)
        if meetings and now.time_ns - before.time_ns > self._max_gap_ns:
            walk.settle()
            return []
        settled: list[Pass | None] = []
        for segment, one in meetings:
            if self._is_clear(walk, one.point, aspect):
                settled.append(walk.settle())
            walk.add(segment, one)
        if self._is_clear(walk, now.foot, aspect):
            settled.append(walk.settle())
        return [one for one in settled if one is not None]

    def forget(self, now_ns: int) -> None:
        """Drop tracks long unseen."""
        limit_ns = max(_FORGET_NS, self._max_gap_ns)
        for track_id in [k for k, w in self.walks.items() if now_ns - w.last.time_ns > limit_ns]:
            del self.walks[track_id]

    def _is_clear(self, walk: Walk, foot: Point, aspect: float) -> bool:
        (x1, y1), (x2, y2) = self._segments[walk.segment]
        gap = _distance_to_segment(
            (foot[0] * aspect, foot[1]), (x1 * aspect, y1), (x2 * aspect, y2)
        )
        return gap >= self._hysteresis

    def _meetings(self, before: Mark, after: Mark) -> list[tuple[int, Pass]]:
        """Passes on the straight way between two observations, with their segments, in order."""
        met = []
        a, b = before.foot, after.foot
        for index, (start, end) in enumerate(self._segments):
            side = _side(b, start, end)
            if _side(a, start, end) == side or not _straddle(start, end, a, b):
                continue
            share = _share(a, b, start, end)
            one = Pass(
                sign=side,
                time_ns=before.time_ns + round((after.time_ns - before.time_ns) * share),
                point=(a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share),
                before=before,
                after=after,
            )
            met.append((share, index, one))
        return [(index, one) for _, index, one in sorted(met, key=lambda m: m[:2])]


def _turn(o: Point, p: Point, q: Point) -> int:
    """Exact sign of (p - o) × (q - o): 1 when q is on the right hand of o → p (y down)."""
    left = (p[0] - o[0]) * (q[1] - o[1])
    right = (p[1] - o[1]) * (q[0] - o[0])
    det = left - right
    if abs(det) > _SIGN_ERROR * (abs(left) + abs(right)):
        return 1 if det > 0 else -1
    ox, oy = Fraction(o[0]), Fraction(o[1])
    exact = (Fraction(p[0]) - ox) * (Fraction(q[1]) - oy) - (Fraction(p[1]) - oy) * (
        Fraction(q[0]) - ox
    )
    return (exact > 0) - (exact < 0)


def _side(foot: Point, start: Point, end: Point) -> int:
    """1 when the foot, moved by (e, e²), is on the right hand of start → end, else -1."""
    turn = _turn(start, end, foot)
    if turn != 0:
        return turn
    if start[1] != end[1]:
        return 1 if end[1] < start[1] else -1
    return 1 if end[0] > start[0] else -1


def _straddle(start: Point, end: Point, a: Point, b: Point) -> bool:
    """Whether start and end are on different sides of a → b, both moved by (e, e²)."""

    def side(corner: Point) -> int:
        turn = _turn(a, b, corner)
        if turn != 0:
            return turn
        if a[1] != b[1]:
            return 1 if b[1] > a[1] else -1
        return 1 if b[0] < a[0] else -1

    return side(start) != side(end)


def _share(a: Point, b: Point, start: Point, end: Point) -> float:
    """Where a → b meets the line through start and end, as a share of the way, 0..1."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    from_a = dx * (a[1] - start[1]) - dy * (a[0] - start[0])
    from_b = dx * (b[1] - start[1]) - dy * (b[0] - start[0])
    return min(max(from_a / (from_a - from_b), 0.0), 1.0) if from_a != from_b else 0.0


def _distance_to_segment(point: Point, start: Point, end: Point) -> float:
    dx, dy = end[0] - start[0], end[1] - start[1]
    along = ((point[0] - start[0]) * dx + (point[1] - start[1]) * dy) / (dx * dx + dy * dy)
    along = min(max(along, 0.0), 1.0)
    return distance(point, (start[0] + dx * along, start[1] + dy * along))
