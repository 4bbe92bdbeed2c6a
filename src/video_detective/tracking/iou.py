"""The plainest tracker: a detection continues the track whose last box it overlaps most.

Source: Bochinski et al., "High-Speed Tracking-by-Detection Without Using Image Information", AVSS
2017, with the best assignment instead of the greedy one. No motion model and no weak detections:
``bytetrack`` keeps ids better; this one is for reading, and for comparison.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from video_detective.detection.base import Detections
from video_detective.geometry import NS_PER_S
from video_detective.tracking.base import Track
from video_detective.tracking.matching import assigned, by_group, overlap
from video_detective.tracking.numbering import TrackNumbers, id_order

LEAST_IOU = 0.2
"""Overlap with its last box from which a detection continues a track; at 5 frames a second a
walker's boxes overlap by about a half."""


@dataclass(slots=True, kw_only=True)
class _LastSeen:
    """Where and when a track was last; its class is that of its first detection."""

    track_id: str
    group: str
    type: str
    box: tuple[float, float, float, float]
    seen_ns: int


class IouTracker:
    """Follows objects by overlap of each box with the one before.

    Every detection is output at once under an id. After a cut make a new tracker with
    ``next_numbers=old.state()["next_numbers"]``.

    Args:
        next_numbers: First unused number by id letter; an absent letter starts with 1.
        sure_score: Least score that is looked at.
        max_lost_s: A track not seen for longer is gone; its id does not come back.
    """

    def __init__(
        self,
        *,
        next_numbers: Mapping[str, int] | None = None,
        sure_score: float = 0.45,
        max_lost_s: float = 2.0,
    ) -> None:
        self._unused = TrackNumbers(next_numbers or {})
        self._numbers = TrackNumbers(next_numbers or {})
        self._sure_score = sure_score
        self._max_lost_s = max_lost_s
        self._time_ns: int | None = None
        self._last_seen: list[_LastSeen] = []

    def update(self, detections: Detections, time_ns: int) -> tuple[Track, ...]:
        """Tracks observed at ``time_ns`` (UTC ns), in order of id.

        A time not after the last one gives () and changes nothing.
        """
        if self._time_ns is not None and time_ns <= self._time_ns:
            return ()
        self._time_ns = time_ns
        oldest_ns = time_ns - self._max_lost_s * NS_PER_S
        self._last_seen = [one for one in self._last_seen if one.seen_ns >= oldest_ns]
        seen: list[Track] = []
        for group, found in by_group(
            detections.where(detections.scores >= self._sure_score)
        ).items():
            known = [one for one in self._last_seen if one.group == group]
            before = np.array([one.box for one in known], np.float32).reshape(-1, 4)
            rows, columns = assigned(overlap(before, found.boxes), at_least=LEAST_IOU)
            matches = dict(zip(columns.tolist(), rows.tolist(), strict=True))
            for index, name in enumerate(found.classes):
                x1, y1, x2, y2 = found.boxes[index].tolist()
                if index in matches:
                    one = known[matches[index]]
                    one.box, one.seen_ns = (x1, y1, x2, y2), time_ns
                else:
                    one = _LastSeen(
                        track_id=self._numbers.take(group),
                        group=group,
                        type=name,
                        box=(x1, y1, x2, y2),
                        seen_ns=time_ns,
                    )
                    self._last_seen.append(one)
                seen.append(
                    Track(
                        track_id=one.track_id,
                        type=one.type,
                        conf=float(found.scores[index]),
                        bbox=one.box,
                    )
                )
        return tuple(sorted(seen, key=lambda track: id_order(track.track_id)))

    def state(self) -> dict[str, Any]:
        """Everything needed to go on, as plain JSON; ``next_numbers`` is the constructor's."""
        return {
            "time_ns": self._time_ns,
            "next_numbers": self._numbers.unused(),
            "last_seen": [
                {
                    "track_id": one.track_id,
                    "group": one.group,
                    "type": one.type,
                    "box": list(one.box),
                    "seen_ns": one.seen_ns,
                }
                for one in self._last_seen
            ],
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from ``state()``, also after a round trip through JSON; identical from then on."""
        self._time_ns = state["time_ns"]
        self._numbers = self._unused.resumed(state["next_numbers"])
        self._last_seen = [
            _LastSeen(
                track_id=one["track_id"],
                group=one["group"],
                type=one["type"],
                box=tuple(one["box"]),
                seen_ns=one["seen_ns"],
            )
            for one in state["last_seen"]
        ]
