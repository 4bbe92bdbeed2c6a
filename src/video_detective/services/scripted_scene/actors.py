"""Who can appear in the scripted scene, and how an actor moves along its way.

Positions are pixels of the scene's picture and always those of the foot point (the middle of the
lower edge); times are seconds since the first frame.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass
from typing import Literal

from video_detective.geometry import Point

Colour = tuple[int, int, int]
"""Blue, green, red, 0..255."""

Kind = Literal["person", "car", "bag"]

BLACK: Colour = (34, 32, 30)
NAVY: Colour = (84, 42, 30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What an actor wears, or a car's or bag's ``coat`` of paint or cloth.

    ``height`` is a factor on the usual body height.
    """

    coat: Colour
    trousers: Colour = NAVY
    hat: Colour | None = None
    hair: Colour = BLACK
    height: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pose:
    """An actor at one moment.

    Args:
        x, y: Foot point in pixels.
        facing: -1 looks left, 1 right, 0 to the camera.
        walked_px: Way covered so far; drives the legs and wheels.
        moving: Whether it walks or drives.
        bend: How far a person bends down, 0..1.
        carries: Whether a person has a bag in hand.
    """

    x: float
    y: float
    facing: int
    walked_px: float
    moving: bool
    bend: float = 0.0
    carries: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Someone or something that is in the picture for a while.

    Args:
        name: Unique in the script.
        way: (time in s, x, y) in order of time, straight lines between; the actor exists from the
            first to before the last.
        rest_facing: Where it looks while it stands.
        stoops: (start, end) in s of bending down.
        carrying: (start, end) in s with a bag in hand.
    """

    name: str
    kind: Kind
    way: tuple[tuple[float, float, float], ...]
    look: Look
    rest_facing: int = 0
    stoops: tuple[tuple[float, float], ...] = ()
    carrying: tuple[float, float] | None = None

    def pose(self, t: float) -> Pose | None:
        """Where and how it is at ``t`` seconds; None before it appears and after it is gone."""
        way = self.way
        if not way[0][0] <= t < way[-1][0]:
            return None
        leg = bisect_right(way, t, key=lambda point: point[0]) - 1
        walked = sum(math.dist(way[i][1:], way[i + 1][1:]) for i in range(leg))
        (t1, x1, y1), (t2, x2, y2) = way[leg], way[leg + 1]
        share = (t - t1) / (t2 - t1)
        dx, dy = x2 - x1, y2 - y1
        moving = (dx, dy) != (0.0, 0.0)
        facing = (1 if dx > 0 else -1) if moving and abs(dx) > 0.3 * abs(dy) else 0
        return Pose(
            x=x1 + share * dx,
            y=y1 + share * dy,
            facing=facing if moving else self.rest_facing,
            walked_px=walked + share * math.hypot(dx, dy),
            moving=moving,
            bend=max((_bump(t, start, end) for start, end in self.stoops), default=0.0),
            carries=self.carrying is not None and self.carrying[0] <= t < self.carrying[1],
        )


def person_height(y: float) -> float:
    """Height in pixels of a person who stands at ``y``: the yard is seen from above at an angle."""
    return 58.0 + (y - 200.0) * 0.136


def _bump(t: float, start: float, end: float) -> float:
    """0 outside, rising to 1 in the middle of start..end and falling again."""
    if not start < t < end:
        return 0.0
    return math.sin(math.pi * (t - start) / (end - start))


def way(
    start_s: float, begin: Point, *legs: tuple[Point, float] | float
) -> tuple[tuple[float, float, float], ...]:
    """A way from ``begin``: each leg is (point, speed in px/s), or a number of seconds to wait."""
    points = [(start_s, *begin)]
    for leg in legs:
        t, x, y = points[-1]
        if isinstance(leg, tuple):
            target, speed_px_s = leg
            points.append((t + math.dist((x, y), target) / speed_px_s, *target))
        else:
            points.append((t + leg, x, y))
    return tuple(points)
