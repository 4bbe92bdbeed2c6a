"""Eyes without weights: blobs of the foreground, named by their shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from video_detective.detection.base import Detections, Perception
from video_detective.detection.memory import combine
from video_detective.detection.scene.background import Foreground
from video_detective.detection.scene.outline import refine
from video_detective.detection.scene.scene import Scene, part_of
from video_detective.detection.scene.thumbnail import Thumbnail
from video_detective.geometry import NS_PER_S, Boxes
from video_detective.media.base import Frame

LEAST_PERSON, LEAST_VEHICLE = 0.06, 0.05
"""Least height of a blob with that name, as a share of the picture's height."""
LEAST_VEHICLE_AREA, LARGEST_VEHICLE_AREA = 0.006, 0.3
"""Box area of a vehicle as a share of the picture; more is a hand before the lens."""
UPRIGHT, WIDE = 1.15, 1.25
"""A person's blob is at least this many times higher than wide, a vehicle's wider than high."""
LEFT_S = 0.6
"""A still blob that has no person's or vehicle's shape is a thing after this long."""
CHAOS_SHARE = 0.5
"""When more than this share of the picture moves, blobs mean nothing."""
FRAGMENT_AREA, FRAGMENT_GAP, FRAGMENT_OVERLAP = 0.3, 0.12, 0.6
"""A blob of at most this share of another's area, with a gap to it of at most this share of its
height, and with this share of its own width above or below it, is a part of it."""
SLIMMEST, SOLID = 3.6, 0.85
"""Nobody is this many times higher than wide, and no person fills this share of a box."""
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
        self._scene = Scene(left_s=LEFT_S)
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
            named = _named(sight.foreground, sight.small)
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


def _named(foreground: Foreground, small: Thumbnail) -> Detections:
    """Persons and vehicles among the blobs; scores from how full and how typical the shape is."""
    corners = np.rint(small.from_frame(foreground.boxes)).astype(np.float32)
    boxes, areas = _joined(small.to_frame(refine(corners, foreground.squared)), foreground.areas)
    if len(boxes) == 0:
        return Detections.none()
    frame_width, frame_height = small.frame_size
    scale_x, scale_y = small.scale
    widths, heights = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    share = widths * heights / (frame_width * frame_height)
    fill = np.clip(areas * scale_x * scale_y / np.maximum(widths * heights, 1), 0, 1)
    # At the border a car's first part looks upright too, but it fills its box.
    entering = (boxes[:, 0] <= 1) | (boxes[:, 2] >= frame_width - 1)
    slim = heights >= SLIMMEST * widths
    person = (
        (heights >= LEAST_PERSON * frame_height)
        & (heights >= UPRIGHT * widths)
        & ~(entering & (slim | (fill > SOLID)))
    )
    vehicle = (
        (heights >= LEAST_VEHICLE * frame_height)
        & (widths >= WIDE * heights)
        & (share >= LEAST_VEHICLE_AREA)
        & (share <= LARGEST_VEHICLE_AREA)
    )
    score = (0.55 + 0.4 * fill).astype(np.float32)
    keep = np.flatnonzero(person | vehicle)
    order = keep[np.argsort(-score[keep], kind="stable")]
    return Detections(
        boxes=boxes[order],
        scores=score[order],
        classes=tuple("person" if person[i] else "car" for i in order),
    )


def _joined(boxes: Boxes, areas: NDArray[np.int32]) -> tuple[Boxes, NDArray[np.float32]]:
    """Fragments (a head, a foot) that came off, joined to the blob above or below them."""
    parts = np.column_stack([boxes, areas]).astype(np.float32)
    whole: list[NDArray[np.float32]] = []
    for part in parts[np.argsort(-parts[:, 4], kind="stable")]:
        for blob in whole:
            shared = min(part[2], blob[2]) - max(part[0], blob[0])
            gap = max(part[1], blob[1]) - min(part[3], blob[3])
            if (
                part[4] <= FRAGMENT_AREA * blob[4]
                and shared >= FRAGMENT_OVERLAP * (part[2] - part[0])
                and gap <= FRAGMENT_GAP * (blob[3] - blob[1])
            ):
                blob[:2] = np.minimum(blob[:2], part[:2])
                blob[2:4] = np.maximum(blob[2:4], part[2:4])
                blob[4] += part[4]
                break
        else:
            whole.append(part.copy())
    rows = np.array(whole, np.float32).reshape(-1, 5)
    return rows[:, :4], rows[:, 4]
