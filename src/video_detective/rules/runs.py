"""Things that last: a track's stay in a zone, and a condition that holds for a while.

Detections flicker. A stay survives frames in which the track is outside or unseen for less than
``exit``; a condition survives dips shorter than it is told to.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Literal

from video_detective.rules.sight import Area, Mark, Sight, Spot, Stamp

Status = Literal["inside", "away", "left", "vanished"]


@dataclass(slots=True, kw_only=True)
class Stay:
    """One track's stay in a zone.

    Args:
        type: Class name when it came in.
        first, last: First and last observation inside.
        seen_ns: When it was last seen at all.
        inside_count: Observations inside since ``first``.
        outside_ns: When it was first seen outside since ``last``, if it was.
        away_count: Observations since ``last`` that did not show it inside.
        established: When the rule was satisfied by this stay.
    """

    type: str
    first: Mark
    last: Mark
    seen_ns: int
    inside_count: int = 1
    outside_ns: int | None = None
    away_count: int = 0
    established: Mark | None = None

    def follow(
        self, spot: Spot | None, *, inside: bool, now_ns: int, exit_ns: int, exit_frames: int | None
    ) -> Status:
        """Take one observation in; ``left`` and ``vanished`` mean that the stay ended at ``last``.

        It is over when the track was outside for ``exit_ns`` in a row (counted from the first
        observation outside), or unseen for that long (counted from when it was last seen); with
        ``exit_frames`` instead after that many observations in a row without it inside.
        """
        if spot is not None and inside:
            self.last, self.seen_ns = spot.mark, now_ns
            self.inside_count += 1
            self.outside_ns, self.away_count = None, 0
            return "inside"
        self.away_count += 1
        if spot is not None:
            self.seen_ns = now_ns
            self.outside_ns = now_ns if self.outside_ns is None else self.outside_ns
        since_ns = self.seen_ns if self.outside_ns is None else self.outside_ns
        over = (
            now_ns - since_ns >= exit_ns if exit_frames is None else self.away_count >= exit_frames
        )
        if not over:
            return "away"
        return "vanished" if self.outside_ns is None else "left"


def follow_stays(
    stays: dict[str, Stay],
    sight: Sight,
    *,
    area: Area,
    classes: Collection[str],
    exit_ns: int,
    exit_frames: int | None = None,
) -> Iterator[tuple[str, Stay, Spot | None, Status]]:
    """Take one observation into every stay, and begin new ones.

    Yields each stay once, the older first; those that ended are already gone from ``stays``.
    """
    watched = sight.watched(classes)
    for track_id, stay in list(stays.items()):
        spot = watched.pop(track_id, None)
        status = stay.follow(
            spot,
            inside=area.contains(spot),
            now_ns=sight.time_ns,
            exit_ns=exit_ns,
            exit_frames=exit_frames,
        )
        if status in ("left", "vanished"):
            del stays[track_id]
        yield track_id, stay, spot, status
    for track_id, spot in watched.items():
        if area.contains(spot):
            stays[track_id] = Stay(
                type=spot.type, first=spot.mark, last=spot.mark, seen_ns=sight.time_ns
            )
            yield track_id, stays[track_id], spot, "inside"


@dataclass(slots=True, kw_only=True)
class Run:
    """A condition that holds.

    Args:
        first, last: First and last observation in which it held.
        failed_ns: Since when it has not held, in the present dip.
        established: The observation at which it had held long enough.
    """

    first: Stamp
    last: Stamp
    failed_ns: int | None = None
    established: Stamp | None = None

    def holds(self, stamp: Stamp, *, min_ns: int) -> bool:
        """It holds in this observation too; True when that establishes it."""
        self.last, self.failed_ns = stamp, None
        if self.established is None and stamp.time_ns - self.first.time_ns >= min_ns:
            self.established = stamp
            return True
        return False

    def fails(self, now_ns: int, *, min_ns: int, exit_ns: int) -> bool:
        """It does not hold in this observation; True when the run is over.

        A dip of ``exit_ns`` (counted from its first observation) ends it; before it is established
        already one of a quarter of ``min_ns``.
        """
        self.failed_ns = now_ns if self.failed_ns is None else self.failed_ns
        forgiven_ns = exit_ns if self.established is not None else min(exit_ns, min_ns // 4)
        return now_ns - self.failed_ns >= forgiven_ns
