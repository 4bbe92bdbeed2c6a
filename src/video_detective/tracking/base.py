"""Tracks: detections with an identity over time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from video_detective.detection.base import Detections
from video_detective.geometry import Point

ID_LETTERS: Mapping[str, str] = {
    "person": "p",
    "vehicle": "v",
    "animal": "a",
    "object": "o",
    "face": "f",
}
"""Letter of a track id by class group (``detection.CLASS_GROUPS``)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """One object in one frame, confirmed and observed in that frame (never only predicted).

    Args:
        track_id: Letter of the class group and a number: ``p12``, ``v03``, ``o07``. Unique per
            camera for the life of the database.
        type: Class name.
        conf: Score of the detection, 0..1.
        bbox: xyxy in pixels.
    """

    track_id: str
    type: str
    conf: float
    bbox: tuple[float, float, float, float]

    @property
    def foot(self) -> Point:
        """Where the object stands: ((x1 + x2) / 2, y2), in pixels."""
        return (self.bbox[0] + self.bbox[2]) / 2, self.bbox[3]

    def as_record(self) -> dict[str, Any]:
        """``{"track_id", "type", "conf", "bbox", "foot"}``, rounded for JSON."""
        return {
            "track_id": self.track_id,
            "type": self.type,
            "conf": round(self.conf, 3),
            "bbox": [round(v, 1) for v in self.bbox],
            "foot": [round(v, 1) for v in self.foot],
        }


class Tracker(Protocol):
    """Gives detections of one camera their ids.

    Implementations take ``next_numbers``: the first unused number of each id letter, which
    ``state()["next_numbers"]`` of an earlier tracker holds. After a cut a new tracker made with
    them goes on counting.
    """

    def update(self, detections: Detections, time_ns: int) -> tuple[Track, ...]:
        """Tracks observed at ``time_ns`` (UTC ns), in order of id.

        A time not after the last one gives () and changes nothing.
        """
        ...

    def state(self) -> dict[str, Any]:
        """Everything needed to go on, as plain JSON; ``next_numbers`` among it."""
        ...

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from ``state()``, with identical results, and no number below ``next_numbers``."""
        ...
