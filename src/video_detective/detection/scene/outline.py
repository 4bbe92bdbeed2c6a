"""Where a blob really ends: its box to a fraction of a thumbnail pixel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from video_detective.geometry import Boxes

FAINT = 0.2
"""Contrast below this share of that inside the blob is blur and soft shadow, not the object."""
RAMP = 3
"""Rows or columns over which an edge may be spread by resizing and smoothing."""


def refine(boxes: Boxes, squared: NDArray[np.float32]) -> Boxes:
    """Boxes moved to where the contrast to the background falls off.

    Smoothing spreads an edge over the neighbouring rows and columns, and a mask with a low
    threshold takes all of them in. Each row of that ramp counts for as much as it has of the
    contrast further inside; what remains is off by less than one thumbnail pixel.

    Args:
        boxes: (N, 4) integral corners of blobs of the mask, in thumbnail pixels.
        squared: (h, w) squared difference of the picture from the background.

    Returns:
        (N, 4) in thumbnail pixels. A side on the picture's border stays there.
    """
    height, width = squared.shape
    refined = boxes.astype(np.float32)
    for i, corners in enumerate(boxes):
        x1, y1, x2, y2 = (int(value) for value in corners)
        left, top = max(x1 - 1, 0), max(y1 - 1, 0)
        part = squared[top : min(y2 + 1, height), left : min(x2 + 1, width)]
        rows, columns = np.sqrt(part.max(axis=1)), np.sqrt(part.max(axis=0))
        if y2 - y1 > 2 * RAMP:
            if y1 > 0:
                refined[i, 1] = y1 + RAMP - 1 - _extent(rows)
            if y2 < height:
                refined[i, 3] = y2 - RAMP + 1 + _extent(rows[::-1])
        if x2 - x1 > 2 * RAMP:
            if x1 > 0:
                refined[i, 0] = x1 + RAMP - 1 - _extent(columns)
            if x2 < width:
                refined[i, 2] = x2 - RAMP + 1 + _extent(columns[::-1])
    return refined


def _extent(profile: NDArray[np.float32]) -> float:
    """How far, in pixels, the object reaches into the first ``RAMP`` values from outside."""
    share = profile[:RAMP] / max(float(profile[RAMP]), 1e-6)
    return float(np.clip((share - FAINT) / (1 - FAINT), 0, 1).sum())
