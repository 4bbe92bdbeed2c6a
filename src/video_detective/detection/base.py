"""Detections: what was seen in one frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from video_detective.geometry import Boxes, Image
from video_detective.media.base import Frame

CLASS_GROUPS: Mapping[str, str] = {
    "person": "person",
    "bicycle": "vehicle",
    "car": "vehicle",
    "motorcycle": "vehicle",
    "bus": "vehicle",
    "truck": "vehicle",
    "dog": "animal",
    "cat": "animal",
    "backpack": "object",
    "handbag": "object",
    "suitcase": "object",
    "object": "object",
    "face": "face",
}
"""Every class kept, and the group within which boxes suppress each other and tracks may match.

``object`` is a static foreground blob of the background model: something left in view.
"""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Detections:
    """The detections of one picture, in descending order of score.

    Args:
        boxes: (N, 4) float32 xyxy in pixels of the picture.
        scores: (N,) float32 in 0..1.
        classes: N class names of ``CLASS_GROUPS``.
    """

    boxes: Boxes
    scores: NDArray[np.float32]
    classes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.classes)

    @classmethod
    def none(cls) -> Detections:
        """No detections."""
        return cls(boxes=np.zeros((0, 4), np.float32), scores=np.zeros(0, np.float32), classes=())

    def where(self, keep: NDArray[np.bool_] | NDArray[np.intp]) -> Detections:
        """Those chosen by a mask (N,) or an index array, in its order."""
        indices = np.arange(len(self))[keep]
        return Detections(
            boxes=self.boxes[indices],
            scores=self.scores[indices],
            classes=tuple(self.classes[i] for i in indices),
        )

    def as_records(self) -> list[dict[str, Any]]:
        """``[{"type": "person", "conf": 0.92, "bbox": [x1, y1, x2, y2]}]``, rounded for JSON."""
        return [
            {
                "type": name,
                "conf": round(float(score), 3),
                "bbox": [round(float(v), 1) for v in box],
            }
            for name, score, box in zip(self.classes, self.scores, self.boxes, strict=True)
        ]


class Detector(Protocol):
    """Finds objects in pictures without memory of earlier ones."""

    name: str
    classes: frozenset[str]

    def detect(self, images: Sequence[Image]) -> list[Detections]:
        """One ``Detections`` for each image (H_i, W_i, 3), in their order; [] for no images."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Perception:
    """What one look at one frame gave.

    Args:
        detections: Objects found; includes class ``object`` for static foreground.
        moving: Whether anything moves or is being watched, so that the next frames are sampled
            at the active rate.
        view: ``ok``, ``dark``, ``blurred`` or ``shifted``: the state of the picture as a whole.
        cut: A new shot begins with this frame; background, tracks and rule state start anew.
        tiles: How many regions went through the detector (cost, for the report).
    """

    detections: Detections
    moving: bool
    view: str = "ok"
    cut: bool = False
    tiles: int = 0
    motion: Boxes = field(default_factory=lambda: np.zeros((0, 4), np.float32))


class Eyes(Protocol):
    """One camera's perception over time: motion gate, detector and view monitor together.

    Called with every frame of the *active* rate, in order. Between idle samples it may answer from
    the motion gate alone.
    """

    def look(self, frame: Frame, *, idle_sample: bool) -> Perception:
        """Look at a frame.

        Args:
            frame: The picture; its ``bgr`` is only touched when a region goes to the detector.
            idle_sample: Whether the frame is also one of the idle rate (1 a second): then one
                tile is searched even when nothing moves, and static objects are re-checked.
        """
        ...

    def state(self) -> dict[str, NDArray[Any]]:
        """Everything needed to go on in another process, as named arrays (deterministic)."""
        ...

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on from ``state()`` of an equal configuration; identical results from then on."""
        ...
