"""Which detection continues which track."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from video_detective.detection.base import CLASS_GROUPS, Detections
from video_detective.geometry import Boxes, grow, iou

Matrix = NDArray[np.float64]
"""(tracks, detections) float64 in 0..1."""

FOOT_SPREAD = 0.4
"""How far off its expected line a foot may be, as a standard deviation in heights of the track."""


def by_group(detections: Detections) -> dict[str, Detections]:
    """The detections of each class group that has any, groups in alphabetical order.

    Within a group the order is by score, then box, then class: it does not depend on the order
    given, so neither do the tracks.
    """
    groups = np.array([CLASS_GROUPS[name] for name in detections.classes])
    x1, y1, x2, y2 = detections.boxes.T
    order = np.lexsort((np.array(detections.classes), y2, x2, y1, x1, -detections.scores))
    return {
        str(group): detections.where(order[groups[order] == group]) for group in np.unique(groups)
    }


def overlap(tracks: Boxes, detections: Boxes, *, buffer: float = 0.0) -> Matrix:
    """IoU of every pair, (tracks, detections), of boxes grown by ``buffer`` (``geometry.grow``)."""
    return iou(grow(tracks, buffer), grow(detections, buffer)).astype(np.float64)


def height_agreement(tracks: Boxes, detections: Boxes) -> Matrix:
    """Lower over higher height of every pair, (tracks, detections) in 0..1.

    A person behind another overlaps both boxes, but has not the same height.
    Source: Yang et al., "Hybrid-SORT: Weak Cues Matter for Online Multi-Object Tracking", AAAI
    2024.
    """
    a = (tracks[:, 3] - tracks[:, 1]).astype(np.float64)[:, None]
    b = (detections[:, 3] - detections[:, 1]).astype(np.float64)[None, :]
    return np.asarray(np.minimum(a, b) / np.maximum(np.maximum(a, b), 1e-9))


def foot_agreement(tracks: Boxes, detections: Boxes) -> Matrix:
    """How well the bottom lines of every pair agree, 1 when they are the same.

    The picture of the ground tells near from far: of two people who cover each other, the nearer
    one stands lower. (On PETS09-S2L1 this lifts IDF1 at 10 and 3.3 frames a second from .65 to .80
    and from .72 to .75, and costs nothing at 5.)
    """
    height = np.maximum(tracks[:, 3] - tracks[:, 1], 1).astype(np.float64)
    off = (tracks[:, None, 3] - detections[None, :, 3]) / height[:, None]
    return np.asarray(np.exp(-0.5 * (off / FOOT_SPREAD) ** 2))


def assigned(similarity: Matrix, *, at_least: float) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Pairs (rows, columns) of greatest total similarity; a pair below ``at_least`` is none."""
    allowed = similarity >= at_least
    rows, columns = linear_sum_assignment(np.where(allowed, similarity, 0.0), maximize=True)
    kept = allowed[rows, columns]
    return rows[kept], columns[kept]
