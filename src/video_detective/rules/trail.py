"""Where a track has been in the last moments, and how fast."""

from __future__ import annotations

from video_detective.geometry import NS_PER_S
from video_detective.rules.sight import Mark, between, distance

MAX_GAP_NS = 2_000_000_000
"""Between observations further apart the way is unknown; as ``LineCrossing.max_gap_s``."""


def extend(trail: list[Mark], mark: Mark, *, window_ns: int) -> None:
    """Add the latest observation and drop what lies before the window."""
    if trail and mark.time_ns - trail[-1].time_ns > MAX_GAP_NS:
        trail.clear()
    trail.append(mark)
    while len(trail) > 1 and trail[1].time_ns <= mark.time_ns - window_ns:
        del trail[0]


def net_speed(trail: list[Mark], *, window_ns: int) -> float | None:
    """Distance from where it was ``window_ns`` ago, over that time; frame heights per second.

    None when it has not been followed for so long.
    """
    then_ns = trail[-1].time_ns - window_ns
    if trail[0].time_ns > then_ns:
        return None
    then = between(trail[0], trail[1], then_ns)
    return distance(then, trail[-1].at) * NS_PER_S / window_ns
