"""停留 Loitering: in a zone for long and slow.

Speed is measured on positions one second apart, interpolated between observations, so that the
jitter of detections is not walking and the frame rate does not matter. What counts is the average
over the last ``min_seconds`` of the stay: who hurries in and then stands about is found
``min_seconds`` after coming to rest, not when the hurry has been averaged away.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from video_detective.geometry import NS_PER_S, Point
from video_detective.rules.base import Zone
from video_detective.rules.intrusion import stay_finding
from video_detective.rules.parameters import REFERENCE_HEIGHT, Loitering
from video_detective.rules.runs import Stay, follow_stays
from video_detective.rules.sight import (
    Area,
    Finding,
    Mark,
    Sight,
    between,
    distance,
    ns,
    reference_px,
)
from video_detective.rules.snapshot import plain, rebuild

DEFAULT_SECONDS = 20.0
"""``min_seconds`` of a class that a table of classes does not name."""
_SHORTEST_NS = 100_000_000
"""Least time over which an average speed is taken."""


@dataclass(slots=True, kw_only=True)
class Walk:
    """The resampled way of one stay.

    Args:
        last: Last observation.
        at: Where it was at grid instant ``count`` (frame heights).
        count: Grid instants passed since the stay began.
        steps: Lengths of the last steps between grid instants, as many as ``min_seconds`` has.
        length: Sum of all steps.
        window_speed: Average over ``steps`` when established, frame heights per second.
    """

    last: Mark
    at: Point
    count: int = 0
    steps: list[float] = field(default_factory=list)
    length: float = 0.0
    window_speed: float = 0.0


@dataclass(slots=True, kw_only=True)
class LoiteringState:
    """Stays and their ways, by track."""

    stays: dict[str, Stay] = field(default_factory=dict)
    walks: dict[str, Walk] = field(default_factory=dict)


class LoiteringMachine:
    """Established ``min_seconds`` into a stay that is slow; open until the track leaves.

    A stay begins with the first observation inside and survives absences shorter than ``exit_s``.
    """

    def __init__(self, rule: Loitering, zone: Zone) -> None:
        self._rule = rule
        self._area = Area(zone)
        self._limit = (
            rule.max_speed_px_s / REFERENCE_HEIGHT if rule.max_speed is None else rule.max_speed
        )
        self._state = LoiteringState()

    def update(self, sight: Sight) -> list[Finding]:
        """See ``Machine``."""
        found = []
        for track_id, stay, spot, status in follow_stays(
            self._state.stays,
            sight,
            area=self._area,
            classes=self._rule.classes,
            exit_ns=ns(self._rule.exit_s),
        ):
            if status in ("left", "vanished"):
                if stay.established is not None:
                    found.append(self._finding(track_id, stay, status))
                del self._state.walks[track_id]
                continue
            if spot is None:
                continue
            walk = self._state.walks.setdefault(track_id, Walk(last=spot.mark, at=spot.mark.at))
            is_slow = self._advance(stay, walk, spot.mark)
            if is_slow and status == "inside" and stay.established is None:
                stay.established = spot.mark
                found.append(self._finding(track_id, stay, None))
        return found

    def stop(self, ended: str) -> list[Finding]:
        """See ``Machine``."""
        found = [
            self._finding(track_id, stay, ended)
            for track_id, stay in self._state.stays.items()
            if stay.established is not None
        ]
        self._state = LoiteringState()
        return found

    def state(self) -> Any:
        """See ``Machine``."""
        return plain(self._state)

    def restore(self, state: Any) -> None:
        """See ``Machine``."""
        self._state = rebuild(LoiteringState, state)

    def _min_ns(self, stay: Stay) -> int:
        by_class = self._rule.min_seconds
        if isinstance(by_class, dict):
            return max(ns(by_class.get(stay.type, DEFAULT_SECONDS)), _SHORTEST_NS)
        return max(ns(by_class), _SHORTEST_NS)

    def _advance(self, stay: Stay, walk: Walk, mark: Mark) -> bool:
        """Walk on to ``mark``; whether the stay was long and slow at a grid instant on the way."""
        min_ns = self._min_ns(stay)
        per_window = max(1, min_ns // NS_PER_S)
        is_slow = False
        while mark.time_ns > walk.last.time_ns:
            grid_ns = stay.first.time_ns + min_ns * (walk.count + 1) // per_window
            if grid_ns > mark.time_ns:
                break
            at = between(walk.last, mark, grid_ns)
            step = distance(walk.at, at)
            walk.steps = [*walk.steps, step][-per_window:]
            walk.length += step
            walk.at = at
            walk.count += 1
            speed = math.fsum(walk.steps) * NS_PER_S / min_ns
            if walk.count >= per_window and speed <= self._limit and stay.established is None:
                walk.window_speed = speed
                is_slow = True
        walk.last = mark
        return is_slow

    def _finding(self, track_id: str, stay: Stay, ended: str | None) -> Finding:
        walk = self._state.walks[track_id]
        min_ns = self._min_ns(stay)
        walked_s = min_ns * walk.count // max(1, min_ns // NS_PER_S) / NS_PER_S
        return stay_finding(
            track_id,
            stay,
            ended,
            zone=self._area.id,
            facts={
                "average_speed_px_s": reference_px(walk.length / walked_s),
                "window_speed_px_s": reference_px(walk.window_speed),
                "path_length_px": reference_px(walk.length),
            },
        )
