"""Things left in view: foreground that came to rest and is nobody's.

A still blob of foreground is either a thing that was put there, or a *ghost*: the place that a
thing of the learned background has left. The outline tells: a thing has edges of its own in the
picture, a ghost has them only in the background (as in the left/removed test of Tian et al.,
"Robust Detection of Abandoned and Removed Objects in Complex Surveillance Videos", 2011).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from video_detective.detection.base import Detections
from video_detective.detection.scene.background import Background, Foreground, blob_corners
from video_detective.detection.scene.outline import refine
from video_detective.detection.scene.thumbnail import Mask, Thumbnail, above, gradient
from video_detective.geometry import NS_PER_S, Boxes, box_areas, intersection_areas, iou

JUDGE_S = 0.4
"""Still blobs are judged this often."""
GHOST_S = 1.2
"""A blob is judged to be a ghost after this long without movement."""
GHOST_SHARE = 0.35
"""Ghost when less than this share of the outline's edge energy is in the picture."""
LEFT_S = 4.0
"""A thing is left when it has been still for this long, where people may go unrecognised."""
OWN_SHARE = 0.6
"""A thing when more than this share of the outline's edge energy is in the picture."""
SMALLEST, LARGEST = 0.0004, 0.04
"""Area of a left thing as a share of the picture."""
LEAST_FILL = 0.4
"""A left thing fills this share of its box; patches of light and stripes do not."""
LONGEST_SIDE = 3.5
"""Most that one side may exceed the other."""
OCCUPIED_SHARE = 0.5
"""A still blob with this share of it inside a known object's box belongs to that object."""
RESTED_SHARE = 0.7
"""Share of a blob that must have been still for the time in question."""
SAME_BLOB_IOU = 0.6
"""The resting part and the foreground blob around it are one thing from this overlap on."""
VISIBLE_SHARE = 0.5
"""Share of a thing's pixels that must be seen at rest for it to be reported."""
FORGET_S = 1.0
"""A thing is gone when its place has looked empty for this long."""
COVERED_S = 90.0
"""A thing that stays hidden behind others this long is given up."""


class StillObjects:
    """The things left in one camera's view.

    Args:
        left_s: Seconds that a blob must be still to be a thing.
    """

    def __init__(self, *, left_s: float = LEFT_S) -> None:
        self._left_s = left_s
        self._rested_s = min(left_s, GHOST_S)
        self._judged_ns = -1
        self._boxes: Boxes = np.zeros((0, 4), np.float32)
        self._scores = np.zeros(0, np.float32)
        self._pixels = np.zeros(0, np.float32)
        self._seen_ns = np.zeros(0, np.int64)
        self._present_ns = np.zeros(0, np.int64)

    def reset(self) -> None:
        """Forget everything: a new shot."""
        self._keep(np.zeros(len(self._scores), np.bool_))
        self._judged_ns = -1

    def update(
        self,
        foreground: Foreground,
        small: Thumbnail,
        background: Background,
        occupied: Boxes,
        time_ns: int,
    ) -> Detections:
        """Judge what stands still, and take ghosts into the background.

        Args:
            foreground: Of this picture.
            small: This picture.
            background: Its model; ghosts are absorbed into it.
            occupied: (N, 4) boxes in frame pixels of objects that are known for something else.
            time_ns: UTC ns of the picture.

        Returns:
            Class ``object``, each with the box it was first given: a thing at rest does not jitter.
        """
        self._follow(foreground, small, occupied, time_ns)
        due = self._judged_ns < 0 or time_ns - self._judged_ns >= JUDGE_S * NS_PER_S
        if due and float(foreground.still_s.max(initial=0)) > self._rested_s:
            self._judged_ns = time_ns
            self._judge(foreground, small, background, occupied, time_ns)
        visible = self._seen_ns == time_ns
        order = np.argsort(-self._scores[visible], kind="stable")
        return Detections(
            boxes=self._boxes[visible][order],
            scores=self._scores[visible][order],
            classes=("object",) * int(visible.sum()),
        )

    def _follow(
        self, foreground: Foreground, small: Thumbnail, occupied: Boxes, time_ns: int
    ) -> None:
        """See which known things are still there, hidden, or gone."""
        if len(self._scores) == 0:
            return
        for i, (x1, y1, x2, y2) in enumerate(_rounded(small.from_frame(self._boxes))):
            corner = (x1, y1, x2, y2)
            if _count(foreground.mask, corner) >= VISIBLE_SHARE * self._pixels[i]:
                self._present_ns[i] = time_ns
            if _count(foreground.quiet, corner) >= VISIBLE_SHARE * self._pixels[i]:
                self._seen_ns[i] = time_ns
        keep = (time_ns - self._present_ns < FORGET_S * NS_PER_S) & (
            time_ns - self._seen_ns < COVERED_S * NS_PER_S
        )
        if len(occupied):
            overlap = intersection_areas(self._boxes, occupied)
            own, other = box_areas(self._boxes), box_areas(occupied)
            # A known object of about the same outline: it was never a thing.
            union = own[:, None] + other[None, :] - overlap
            keep &= (overlap / np.maximum(union, 1e-9)).max(axis=1) < OCCUPIED_SHARE
        self._keep(keep)

    def _judge(
        self,
        foreground: Foreground,
        small: Thumbnail,
        background: Background,
        occupied: Boxes,
        time_ns: int,
    ) -> None:
        rested = above(foreground.still_s, self._rested_s)
        rested = np.asarray(
            cv2.morphologyEx(rested, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8)), dtype=np.uint8
        )
        ghostly = above(foreground.still_s, GHOST_S)
        left = above(foreground.still_s, self._left_s)
        total = rested.size
        for corner in blob_corners(rested):
            x1, y1, x2, y2 = corner
            blob = np.ascontiguousarray(rested[y1:y2, x1:x2])
            pixels = cv2.countNonZero(blob)
            if pixels < SMALLEST * total:
                continue
            box = small.to_frame(np.array([corner], np.float32))
            if self._is_taken(box, occupied):
                continue
            own = _edge_share(small.pixels, background.mean, rested, corner)
            if own < GHOST_SHARE and _count(ghostly, corner) >= RESTED_SHARE * pixels:
                region = np.zeros_like(rested)
                region[y1:y2, x1:x2] = blob
                background.absorb(
                    np.asarray(cv2.dilate(region, np.ones((5, 5), np.uint8)), dtype=np.uint8)
                )
                continue
            width, height = x2 - x1, y2 - y1
            fill = pixels / (width * height)
            if (
                own >= OWN_SHARE
                and _count(left, corner) >= RESTED_SHARE * pixels
                and pixels <= LARGEST * total
                and fill >= LEAST_FILL
                and max(width / height, height / width) <= LONGEST_SIDE
            ):
                box = _outline(corner, foreground, small)
                self._add(box, min(own, 0.5 + fill / 2), pixels, time_ns)

    def _is_taken(self, box: Boxes, occupied: Boxes) -> bool:
        taken = np.concatenate([self._boxes, occupied]) if len(occupied) else self._boxes
        if len(taken) == 0:
            return False
        share = intersection_areas(box, taken)[0] / np.maximum(box_areas(box)[0], 1e-9)
        return bool(share.max() >= OCCUPIED_SHARE)

    def _add(self, box: Boxes, score: float, pixels: int, time_ns: int) -> None:
        self._boxes = np.concatenate([self._boxes, box.astype(np.float32)])
        self._scores = np.append(self._scores, np.float32(score))
        self._pixels = np.append(self._pixels, np.float32(pixels))
        self._seen_ns = np.append(self._seen_ns, np.int64(time_ns))
        self._present_ns = np.append(self._present_ns, np.int64(time_ns))

    def _keep(self, keep: NDArray[np.bool_]) -> None:
        self._boxes, self._scores = self._boxes[keep], self._scores[keep]
        self._pixels = self._pixels[keep]
        self._seen_ns, self._present_ns = self._seen_ns[keep], self._present_ns[keep]

    def state(self) -> dict[str, NDArray[Any]]:
        """The known things, copied."""
        return {
            "judged_ns": np.array(self._judged_ns, np.int64),
            "boxes": self._boxes.copy(),
            "scores": self._scores.copy(),
            "pixels": self._pixels.copy(),
            "seen_ns": self._seen_ns.copy(),
            "present_ns": self._present_ns.copy(),
        }

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on from ``state()``."""
        self._judged_ns = int(state["judged_ns"])
        self._boxes = state["boxes"].astype(np.float32).reshape(-1, 4)
        self._scores = state["scores"].astype(np.float32)
        self._pixels = state["pixels"].astype(np.float32)
        self._seen_ns = state["seen_ns"].astype(np.int64)
        self._present_ns = state["present_ns"].astype(np.int64)


def _count(mask: Mask, corner: tuple[int, int, int, int]) -> int:
    x1, y1, x2, y2 = corner
    return cv2.countNonZero(mask[y1:y2, x1:x2])


def _outline(corner: tuple[int, int, int, int], foreground: Foreground, small: Thumbnail) -> Boxes:
    """(1, 4) the exact box, in frame pixels, of the blob whose resting part has these corners."""
    rested = np.array([corner], np.float32)
    blobs = small.from_frame(foreground.boxes)
    if len(blobs):
        overlap = iou(rested, blobs)[0]
        # Its rim comes to rest last; but who still stands beside it belongs not to it.
        if overlap.max() >= SAME_BLOB_IOU:
            rested = np.rint(blobs[[int(overlap.argmax())]]).astype(np.float32)
    return small.to_frame(refine(rested, foreground.squared))


def _rounded(boxes: Boxes) -> list[list[int]]:
    return [[round(float(value)) for value in box] for box in boxes]


def _edge_share(
    picture: NDArray[np.uint8],
    scene: NDArray[np.float32],
    blobs: Mask,
    corner: tuple[int, int, int, int],
) -> float:
    """Share of the edge energy on a blob's outline that is in the picture, not in the scene."""
    height, width = blobs.shape
    x1, y1 = max(corner[0] - 4, 0), max(corner[1] - 4, 0)
    x2, y2 = min(corner[2] + 4, width), min(corner[3] + 4, height)
    outline = cv2.morphologyEx(
        np.ascontiguousarray(blobs[y1:y2, x1:x2]), cv2.MORPH_GRADIENT, np.ones((5, 5), np.uint8)
    )
    energies = []
    for image in (picture.astype(np.float32), scene):
        part = np.ascontiguousarray(image[y1:y2, x1:x2])
        energies.append(float(cv2.mean(gradient(part), mask=outline)[0]))
    return energies[0] / max(sum(energies), 1e-6)
