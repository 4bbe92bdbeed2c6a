"""Eyes without weights: blobs of the foreground, named by their shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from video_detective.detection.background import Foreground
from video_detective.detection.base import Detections, Perception
from video_detective.detection.memory import combine
from video_detective.detection.scene import Scene, part_of
from video_detective.geometry import NS_PER_S, Boxes
from video_detective.media.base import Frame

LEAST_PERSON, LEAST_VEHICLE = 0.06, 0.05
"""Least height of a blob with that name, as a share of the picture's height."""
LEAST_VEHICLE_AREA = 0.006
"""Least box area of a vehicle as a share of the picture."""
UPRIGHT, WIDE = 1.15, 1.25
"""A person's blob is at least this many times higher than wide, a vehicle's wider than high."""
CHAOS_SHARE = 0.5
"""When more than this share of the picture moves, blobs mean nothing."""
FRAGMENT_GAP, FRAGMENT_OVERLAP = 0.35, 0.6
"""Two blobs one above the other are one person when the gap is below this share of the upper one's
height and they share this much of the narrower one's width."""
WATCH_S = 2.0
"""The camera stays active for this long after the last movement."""


class MotionEyes:
    """The ``motion`` detector: what stands out of the empty scene is a person or a vehicle.

    Meant for fixed cameras with people or vehicles well apart; a group in one blob is one
    detection. Blobs that moved and now stand still keep their box.

    Args:
        classes: Those to report: any of ``person``, ``car``, ``object``.
    """

    def __init__(self, *, classes: frozenset[str]) -> None:
        self._classes = classes
        self._scene = Scene()
        self._watch_until_ns = -1

    def look(self, frame: Frame, *, idle_sample: bool) -> Perception:
        """Look at a frame; see ``Eyes``. Every look is complete, idle sample or not."""
        sight = self._scene.observe(frame)
        if sight.foreground is None:
            return Perception(
                detections=Detections.none(),
                moving=frame.time_ns < self._watch_until_ns,
                view=sight.view.state,
                cut=sight.view.cut,
            )
        named = Detections.none()
        if sight.foreground.fraction <= CHAOS_SHARE:
            named = _named(sight.foreground, frame.size)
        things = self._scene.things_at_rest(sight, named.boxes, frame.time_ns)
        everything = combine(named, things)
        order = np.argsort(-everything.scores, kind="stable")
        everything = everything.where(order)
        wanted = np.array([name in self._classes for name in everything.classes], np.bool_)
        motion = sight.foreground.boxes[sight.foreground.moving]
        if len(motion) or "person" in named.classes:
            self._watch_until_ns = frame.time_ns + round(WATCH_S * NS_PER_S)
        return Perception(
            detections=everything.where(wanted),
            moving=frame.time_ns < self._watch_until_ns,
            view=sight.view.state,
            cut=sight.view.cut,
            motion=motion,
        )

    def state(self) -> dict[str, NDArray[Any]]:
        """Everything learned."""
        arrays = {f"scene.{name}": array for name, array in self._scene.state().items()}
        arrays["watch_until_ns"] = np.array(self._watch_until_ns, np.int64)
        return arrays

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on from ``state()``."""
        self._scene.restore(part_of(state, "scene"))
        self._watch_until_ns = int(state["watch_until_ns"])


def _named(foreground: Foreground, frame_size: tuple[int, int]) -> Detections:
    """Persons and vehicles among the blobs; scores from how full and how typical the shape is."""
    boxes, areas = _joined(foreground.boxes, foreground.areas)
    if len(boxes) == 0:
        return Detections.none()
    frame_width, frame_height = frame_size
    scale = foreground.mask.shape[1] / frame_width
    widths, heights = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    fill = np.clip(areas / np.maximum(widths * heights * scale * scale, 1), 0, 1)
    person = (heights >= LEAST_PERSON * frame_height) & (heights >= UPRIGHT * widths)
    vehicle = (
        (heights >= LEAST_VEHICLE * frame_height)
        & (widths >= WIDE * heights)
        & (widths * heights >= LEAST_VEHICLE_AREA * frame_width * frame_height)
    )
    score = (0.55 + 0.4 * fill).astype(np.float32)
    keep = np.flatnonzero(person | vehicle)
    order = keep[np.argsort(-score[keep], kind="stable")]
    return Detections(
        boxes=boxes[order],
        scores=score[order],
        classes=tuple("person" if person[i] else "car" for i in order),
    )


def _joined(boxes: Boxes, areas: NDArray[np.int32]) -> tuple[Boxes, NDArray[np.int32]]:
    """Head, trunk and legs that came apart, as one blob again."""
    parts = np.column_stack([boxes, areas]).tolist()
    joined: list[tuple[float, ...]] = []
    for x1, y1, x2, y2, area in sorted(parts, key=lambda part: float(part[1])):
        for i, (ax1, ay1, ax2, ay2, above) in enumerate(joined):
            shared = min(x2, ax2) - max(x1, ax1)
            narrower = min(x2 - x1, ax2 - ax1)
            if shared >= FRAGMENT_OVERLAP * narrower and y1 - ay2 <= FRAGMENT_GAP * (ay2 - ay1):
                joined[i] = (min(x1, ax1), min(y1, ay1), max(x2, ax2), max(y2, ay2), above + area)
                break
        else:
            joined.append((x1, y1, x2, y2, area))
    rows = np.array(joined, np.float64).reshape(-1, 5)
    return rows[:, :4].astype(np.float32), rows[:, 4].astype(np.int32)
