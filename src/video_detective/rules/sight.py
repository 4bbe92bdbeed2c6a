"""One observation as the rules see it, and what they say about it.

Feet are relative to the frame (membership and line topology are affine, so this is exact) and also
in frame heights (x scaled by the aspect ratio), in which every distance and speed is measured: a
rule means the same at every stream resolution.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from video_detective.geometry import NS_PER_S, Point, Polygon
from video_detective.rules.base import Actor, Moment, Observation, Zone
from video_detective.rules.parameters import REFERENCE_HEIGHT

_EDGE = 1e-9
"""How far a zone drawn to the picture's right or bottom edge reaches beyond it, relative."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """One observation, and a relative foot in it when it is about one."""

    time_ns: int
    frame: int
    foot: Point | None = None

    def moment(self, what: str, *track_ids: str) -> Moment:
        """This observation as evidence of ``what``."""
        return Moment(
            time_ns=self.time_ns, frame=self.frame, what=what, track_ids=track_ids, foot=self.foot
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Where a foot was in one observation: ``foot`` relative, ``at`` in frame heights."""

    time_ns: int
    frame: int
    foot: Point
    at: Point

    def stamp(self) -> Stamp:
        """The observation with its relative foot."""
        return Stamp(time_ns=self.time_ns, frame=self.frame, foot=self.foot)

    def moment(self, what: str, *track_ids: str) -> Moment:
        """This observation as evidence of ``what``."""
        return Moment(
            time_ns=self.time_ns, frame=self.frame, what=what, track_ids=track_ids, foot=self.foot
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """One track in one observation."""

    track_id: str
    type: str
    mark: Mark


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """One observation with every foot in both units; ``spots`` in the observation's order."""

    time_ns: int
    frame: int
    aspect: float
    view: str
    spots: Mapping[str, Spot]

    def stamp(self) -> Stamp:
        """The observation as a whole."""
        return Stamp(time_ns=self.time_ns, frame=self.frame)

    def watched(self, classes: Collection[str]) -> dict[str, Spot]:
        """Those of ``classes``, by track id, in order."""
        return {key: spot for key, spot in self.spots.items() if spot.type in classes}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a rule established, before it has a number; a later version has the same ``key``.

    Args:
        key: Unique within the rule for as long as anyone remembers.
        subject: The track it is about, or "" when it is about a place.
        end_ns: None while it goes on.
        Others: As in ``Event``.
    """

    key: str
    subject: str
    start_ns: int
    established_ns: int
    end_ns: int | None
    frames: tuple[int, int]
    zone: str | None = None
    tripwire: str | None = None
    actors: tuple[Actor, ...] = ()
    moments: tuple[Moment, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)


class Machine(Protocol):
    """One rule's state machine. Observations come in strictly rising time."""

    def update(self, sight: Sight) -> list[Finding]:
        """What was newly established, and what ended, with this observation."""
        ...

    def stop(self, ended: str) -> list[Finding]:
        """End what is open at its last observation, for the reason ``ended``; forget tracks."""
        ...

    def state(self) -> Any:
        """What it remembers, as plain JSON."""
        ...

    def restore(self, state: Any) -> None:
        """Go on from ``state()``."""
        ...


class Area:
    """A zone's polygon for feet.

    A detector clips boxes to the picture, so that the feet of someone cut off by the bottom edge
    lie exactly on it. A zone drawn to that edge is meant to hold them; half-open edges alone would
    not.
    """

    def __init__(self, zone: Zone) -> None:
        self.id = zone.id
        self._polygon = Polygon(
            tuple((_over_edge(x), _over_edge(y)) for x, y in zone.polygon.points)
        )

    def contains(self, spot: Spot | None) -> bool:
        """Whether a track was seen and its foot is inside."""
        return spot is not None and self.holds(spot.mark.foot)

    def holds(self, foot: Point) -> bool:
        """Whether a relative point is inside."""
        return self._polygon.contains(foot)

    def holds_each(self, xs: NDArray[np.float64], ys: NDArray[np.float64]) -> NDArray[np.bool_]:
        """As ``holds``, of many points at once."""
        return self._polygon.contains_each(xs, ys)


def _over_edge(value: float) -> float:
    return 1.0 + _EDGE if value == 1.0 else value


def look(observation: Observation) -> Sight:
    """The observation in the rules' units.

    A track without a finite foot is not seen; of two with one id the first counts.
    """
    width, height = observation.size
    aspect = width / height
    spots: dict[str, Spot] = {}
    for track in observation.tracks:
        x, y = track.foot
        foot = (x / width, y / height)
        if track.track_id in spots or not (math.isfinite(x) and math.isfinite(y)):
            continue
        mark = Mark(
            time_ns=observation.time_ns,
            frame=observation.frame,
            foot=foot,
            at=(foot[0] * aspect, foot[1]),
        )
        spots[track.track_id] = Spot(track_id=track.track_id, type=track.type, mark=mark)
    return Sight(
        time_ns=observation.time_ns,
        frame=observation.frame,
        aspect=aspect,
        view=observation.view,
        spots=spots,
    )


def ns(seconds: float) -> int:
    """Seconds as integer nanoseconds."""
    return round(seconds * NS_PER_S)


def seconds(duration_ns: int) -> float:
    """Nanoseconds as seconds, to the millisecond (facts are read by people)."""
    return round(duration_ns / NS_PER_S, 3)


def reference_px(frame_heights: float) -> float:
    """A length in pixels of the reference picture, to the tenth."""
    return round(frame_heights * REFERENCE_HEIGHT, 1)


def distance(a: Point, b: Point) -> float:
    """Euclidean distance."""
    return math.hypot(a[0] - b[0], a[1] - b[1])


def between(a: Mark, b: Mark, time_ns: int) -> Point:
    """Place (frame heights) at ``time_ns`` on a straight, even walk from ``a`` to ``b``."""
    share = (time_ns - a.time_ns) / (b.time_ns - a.time_ns)
    return a.at[0] + (b.at[0] - a.at[0]) * share, a.at[1] + (b.at[1] - a.at[1]) * share
