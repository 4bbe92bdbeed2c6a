"""What the detector found last: where to look again, and what need not be searched anew."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from video_detective.detection.base import CLASS_GROUPS, Detections
from video_detective.detection.suppression import suppress
from video_detective.geometry import NS_PER_S, Boxes, iou

CHECK_S = 1.5
"""An object at rest is searched again this often …"""
LONGEST_CHECK_S = 10.0
"""… and ever more rarely while nothing stirs at it, down to this often; whatever moves there has
it searched at once."""
SLOWER = 1.5
"""Factor from one such check to the next."""
HOLD = 2
"""An object is looked for this many times after it was not found."""
SAME_IOU = 0.3
"""Least overlap with a new detection that is the same object."""
UNMOVED_IOU = 0.6
"""At rest, a detection that overlaps this much leaves the box as it was: no jitter."""

_NAMES = tuple(CLASS_GROUPS)


class Known:
    """The detections of one camera that were sure enough to look for again."""

    def __init__(self) -> None:
        self._detections = Detections.none()
        self._holds = np.zeros(0, np.int64)
        self._checked_ns = np.zeros(0, np.int64)
        self._every_s = np.zeros(0, np.float64)

    @property
    def boxes(self) -> Boxes:
        """(N, 4) in pixels of the picture."""
        return self._detections.boxes

    def to_check(self, stirred: NDArray[np.bool_], time_ns: int) -> Boxes:
        """Boxes of the objects that have to be searched for now.

        Args:
            stirred: (N,) whether anything moves at each.
            time_ns: UTC ns of the picture.
        """
        due = time_ns - self._checked_ns >= self._every_s * NS_PER_S
        return self._detections.boxes[stirred | due | (self._holds < HOLD)]

    def update(
        self,
        found: Detections,
        seen: NDArray[np.bool_],
        stirred: NDArray[np.bool_],
        *,
        least_score: float,
        time_ns: int,
    ) -> Detections:
        """Bring together what was found now and what rests unsearched.

        Args:
            found: Detections of this picture's searched tiles.
            seen: (N,) whether each known object was in a tile that was searched.
            stirred: (N,) whether anything moves at it.
            least_score: Detections of at least this score are remembered.
            time_ns: UTC ns of the picture.

        Returns:
            The picture's detections: those found, and objects at rest as they were last seen.
        """
        known = self._detections
        if len(known) == 0 and len(found) == 0:
            return found
        sure = found.scores >= least_score
        match = _match(known, found, sure)
        matched = match >= 0
        still = matched & ~stirred
        if len(known) and len(found):
            close = iou(known.boxes, found.boxes)[np.arange(len(known)), match]
            still &= close >= UNMOVED_IOU
        found_boxes = found.boxes.copy()
        found_boxes[match[still]] = known.boxes[still]
        found = Detections(boxes=found_boxes, scores=found.scores, classes=found.classes)

        resting = ~seen & ~stirred & ~matched & (self._holds == HOLD)
        holds = np.where(seen | stirred, self._holds - 1, self._holds)
        kept = ~matched & (resting | (holds > 0))

        every_s = np.full(len(found), CHECK_S)
        every_s[match[still]] = np.minimum(self._every_s[still] * SLOWER, LONGEST_CHECK_S)
        remembered = np.flatnonzero(sure)
        rested = known.where(resting)
        self._detections = combine(found.where(remembered), known.where(kept))
        self._holds = np.concatenate([np.full(len(remembered), HOLD), holds[kept]])
        self._checked_ns = np.concatenate(
            [np.full(len(remembered), time_ns), self._checked_ns[kept]]
        )
        self._every_s = np.concatenate([every_s[remembered], self._every_s[kept]])
        return suppress(combine(found, rested))

    def state(self) -> dict[str, NDArray[Any]]:
        """Everything remembered, copied."""
        return {
            "boxes": self._detections.boxes.copy(),
            "scores": self._detections.scores.copy(),
            "classes": np.array([_NAMES.index(c) for c in self._detections.classes], np.int64),
            "holds": self._holds.copy(),
            "checked_ns": self._checked_ns.copy(),
            "every_s": self._every_s.copy(),
        }

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on from ``state()``."""
        self._detections = Detections(
            boxes=state["boxes"].astype(np.float32).reshape(-1, 4),
            scores=state["scores"].astype(np.float32),
            classes=tuple(_NAMES[int(i)] for i in state["classes"]),
        )
        self._holds = state["holds"].astype(np.int64)
        self._checked_ns = state["checked_ns"].astype(np.int64)
        self._every_s = state["every_s"].astype(np.float64)


def _match(known: Detections, found: Detections, sure: NDArray[np.bool_]) -> NDArray[np.intp]:
    """(N,) for each known object the sure one of its group that overlaps it most; -1 for none."""
    match = np.full(len(known), -1, np.intp)
    if len(known) == 0 or len(found) == 0:
        return match
    overlap = iou(known.boxes, found.boxes)
    groups = [np.array([CLASS_GROUPS[c] for c in d.classes]) for d in (known, found)]
    overlap[(groups[0][:, None] != groups[1][None, :]) | ~sure[None, :]] = 0
    # Best pairs first, each found one once.
    while overlap.max() >= SAME_IOU:
        row, column = np.unravel_index(int(overlap.argmax()), overlap.shape)
        match[row] = column
        overlap[row, :] = 0
        overlap[:, column] = 0
    return match


def combine(first: Detections, second: Detections) -> Detections:
    """All of both, the first's before the second's; nothing is sorted or suppressed."""
    return Detections(
        boxes=np.concatenate([first.boxes, second.boxes]),
        scores=np.concatenate([first.scores, second.scores]),
        classes=first.classes + second.classes,
    )
