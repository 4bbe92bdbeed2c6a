"""Non-maximum suppression: one box for one object, within a picture and across tiles."""

from __future__ import annotations

import numpy as np

from video_detective.detection.base import CLASS_GROUPS, Detections
from video_detective.geometry import intersection_over_smaller
from video_detective.geometry import iou as iou_of

_BLOCK = 256


def suppress(detections: Detections, *, iou: float = 0.45, ios: float = 0.8) -> Detections:
    """The detections that no better one of the same class group covers.

    Greedy: the best-scored box is kept, boxes that overlap it too much are dropped, and so on with
    the best of the rest. Groups (``CLASS_GROUPS``) never suppress each other: a person on a
    motorcycle stays beside the motorcycle, while ``car`` and ``bus`` on the same pixels become one.

    Args:
        detections: In any order, boxes (N, 4) xyxy in pixels of one picture.
        iou: Drop above this intersection over union.
        ios: Drop above this intersection over the smaller area: a part (head, half body cut by a
            tile's border) inside a whole.

    Returns:
        The survivors in descending order of score (equal scores in their order of input); none
        for none.

    Source: greedy NMS of Dalal and Triggs (CVPR 2005) with the intersection-over-smaller test of
    tiled inference; .45 is MobileNet-SSD's own threshold, .8 was measured on PETS09-S2L1.
    """
    if len(detections) == 0:
        return detections
    ordered = detections.where(np.argsort(-detections.scores, kind="stable"))
    groups = np.array([CLASS_GROUPS[name] for name in ordered.classes])
    alive = np.ones(len(ordered), np.bool_)
    # In blocks of rows: all pairs at once would be large for the raw boxes of a dense picture.
    for start in range(0, len(ordered), _BLOCK):
        later = start + np.flatnonzero(alive[start:])
        block = later[later < start + _BLOCK]
        a, b = ordered.boxes[block], ordered.boxes[later]
        covers = (iou_of(a, b) > iou) | (intersection_over_smaller(a, b) > ios)
        covers &= (groups[block, None] == groups[later]) & (block[:, None] < later)
        for row, best in enumerate(block):
            if alive[best]:
                alive[later[covers[row]]] = False
    return ordered.where(alive)
