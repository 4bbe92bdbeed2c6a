"""Boxes, segments and polygons.

House convention, for the whole program: pixels, origin top-left, x right, y down; boxes are
``xyxy`` float32 with right and bottom exclusive; images are (H, W, 3) uint8 in BGR order; time is
integer nanoseconds UTC inside and RFC 3339 outside. Rule coordinates are relative (0..1 of width
and height).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Boxes = NDArray[np.float32]
"""(N, 4) float32, ``x1, y1, x2, y2`` in pixels."""
Image = NDArray[np.uint8]
"""(H, W, 3) uint8, BGR."""
Luma = NDArray[np.uint8]
"""(H, W) uint8, the Y plane."""
Point = tuple[float, float]

NS_PER_S = 1_000_000_000


def box_areas(boxes: Boxes) -> NDArray[np.float32]:
    """Area of each box, (N,) float32; degenerate boxes count as 0."""
    sides = np.clip(boxes[:, 2:] - boxes[:, :2], 0, None)
    return np.asarray(sides[:, 0] * sides[:, 1], dtype=np.float32)


def intersection_areas(a: Boxes, b: Boxes) -> NDArray[np.float32]:
    """Overlap area of every pair, (len(a), len(b)) float32."""
    top_left = np.maximum(a[:, None, :2], b[None, :, :2])
    bottom_right = np.minimum(a[:, None, 2:], b[None, :, 2:])
    sides = np.clip(bottom_right - top_left, 0, None)
    return np.asarray(sides[..., 0] * sides[..., 1], dtype=np.float32)


def iou(a: Boxes, b: Boxes) -> NDArray[np.float32]:
    """Intersection over union of every pair, (len(a), len(b)) float32 in 0..1."""
    overlap = intersection_areas(a, b)
    union = box_areas(a)[:, None] + box_areas(b)[None, :] - overlap
    return np.asarray(overlap / np.maximum(union, 1e-9), dtype=np.float32)


def intersection_over_smaller(a: Boxes, b: Boxes) -> NDArray[np.float32]:
    """Overlap over the smaller of each pair's areas, (len(a), len(b)) float32 in 0..1."""
    smaller = np.minimum(box_areas(a)[:, None], box_areas(b)[None, :])
    return np.asarray(intersection_areas(a, b) / np.maximum(smaller, 1e-9), dtype=np.float32)


def grow(boxes: Boxes, share: float) -> Boxes:
    """Boxes enlarged on each side by ``share`` of their own width and height (C-BIoU's buffer).

    Source: Yang et al., "Hard to Track Objects with Irregular Motions and Similar Appearances?
    Make It Easier by Buffering the Matching Space", WACV 2023.
    """
    margin = (boxes[:, 2:] - boxes[:, :2]) * np.float32(share)
    return np.concatenate([boxes[:, :2] - margin, boxes[:, 2:] + margin], axis=1)


def line_side(point: Point, start: Point, end: Point) -> float:
    """Signed distance from the line through ``start`` and ``end``, in the points' unit.

    Positive on the right hand of someone who stands on ``start`` and looks to ``end`` in the
    picture as a person sees it (y down), negative on the left hand, 0 on the line or when the two
    points coincide.

    >>> line_side((0.5, 1.0), (0.0, 0.5), (1.0, 0.5))  # below a line drawn to the right
    0.5
    """
    dx, dy = end[0] - start[0], end[1] - start[1]
    length = math.hypot(dx, dy)
    if length == 0:
        return 0.0
    return (dx * (point[1] - start[1]) - dy * (point[0] - start[0])) / length


@dataclass(frozen=True, slots=True)
class Polygon:
    """A simple polygon; its last point joins its first.

    Args:
        points: At least three points in order (either sense), in any one unit.
    """

    points: tuple[Point, ...]

    def contains(self, point: Point) -> bool:
        """Whether the point is inside, by the even-odd rule on half-open edges.

        A point on a left or top edge is inside, on a right or bottom edge outside, so that two
        polygons that share an edge never both hold a point.
        """
        x, y = point
        inside = False
        x1, y1 = self.points[-1]
        for x2, y2 in self.points:
            if (y1 > y) != (y2 > y) and x < (x2 - x1) * (y - y1) / (y2 - y1) + x1:
                inside = not inside
            x1, y1 = x2, y2
        return inside

    def contains_each(self, xs: NDArray[np.float64], ys: NDArray[np.float64]) -> NDArray[np.bool_]:
        """As ``contains``, of many points at once.

        Args:
            xs: How far right each is, (N,).
            ys: How far down, (N,).

        Returns:
            (N,): whether each is inside.
        """
        inside = np.zeros(len(xs), np.bool_)
        x1, y1 = self.points[-1]
        for x2, y2 in self.points:
            if y1 != y2:  # no point is beside a level edge
                inside ^= ((y1 > ys) != (y2 > ys)) & (xs < (x2 - x1) * (ys - y1) / (y2 - y1) + x1)
            x1, y1 = x2, y2
        return inside

    def area(self) -> float:
        """Area in the points' unit squared (shoelace formula), never negative."""
        twice = 0.0
        x1, y1 = self.points[-1]
        for x2, y2 in self.points:
            twice += x1 * y2 - x2 * y1
            x1, y1 = x2, y2
        return abs(twice) / 2

    def crossing_edges(self) -> tuple[int, int] | None:
        """The first pair of edges that cross or touch away from a shared corner, or None.

        Edge ``i`` runs from point ``i`` to point ``i + 1``.
        """
        n = len(self.points)
        for i in range(n):
            for j in range(i + 1, n):
                if j == i + 1 or (i == 0 and j == n - 1):
                    continue
                if segments_meet(
                    self.points[i],
                    self.points[(i + 1) % n],
                    self.points[j],
                    self.points[(j + 1) % n],
                ):
                    return i, j
        return None


def segments_meet(a: Point, b: Point, c: Point, d: Point) -> bool:
    """Whether the closed segments a-b and c-d share a point (touching and overlap included)."""

    def turn(p: Point, q: Point, r: Point) -> float:
        return (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0])

    def within(p: Point, q: Point, r: Point) -> bool:
        return min(p[0], q[0]) <= r[0] <= max(p[0], q[0]) and min(p[1], q[1]) <= r[1] <= max(
            p[1], q[1]
        )

    d1, d2, d3, d4 = turn(c, d, a), turn(c, d, b), turn(a, b, c), turn(a, b, d)
    if d1 * d2 < 0 and d3 * d4 < 0:
        return True
    return (
        (d1 == 0 and within(c, d, a))
        or (d2 == 0 and within(c, d, b))
        or (d3 == 0 and within(a, b, c))
        or (d4 == 0 and within(a, b, d))
    )
