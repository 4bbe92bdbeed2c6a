"""The small grey picture on which motion and the state of the view are judged."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from video_detective.geometry import Boxes, Luma

Mask = NDArray[np.uint8]
"""(h, w) uint8 of the thumbnail's size: 255 where true, else 0."""

WIDTH = 384
"""Pixels; a walking person of 60 px in a 768-px picture is still 30 px high (measured: PETS)."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Thumbnail:
    """A frame's luma at low resolution, lightly smoothed.

    Args:
        pixels: (h, w) uint8, w at most ``WIDTH``.
        frame_size: (width, height) of the frame it was made from.
    """

    pixels: NDArray[np.uint8]
    frame_size: tuple[int, int]

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in thumbnail pixels."""
        return self.pixels.shape[1], self.pixels.shape[0]

    @property
    def scale(self) -> tuple[float, float]:
        """Frame pixels in one thumbnail pixel, along x and y."""
        width, height = self.size
        return self.frame_size[0] / width, self.frame_size[1] / height

    def to_frame(self, boxes: Boxes) -> Boxes:
        """Boxes (N, 4) in thumbnail pixels, in frame pixels."""
        sx, sy = self.scale
        return boxes * np.array([sx, sy, sx, sy], np.float32)

    def from_frame(self, boxes: Boxes) -> Boxes:
        """Boxes (N, 4) in frame pixels, in thumbnail pixels."""
        sx, sy = self.scale
        return np.asarray(boxes / np.array([sx, sy, sx, sy], np.float32), dtype=np.float32)


def shrink(luma: Luma) -> Thumbnail:
    """The thumbnail of a frame's (H, W) uint8 luma; area-averaged, then a 3x3 mean."""
    height, width = luma.shape
    if width > WIDTH:
        size = (WIDTH, max(1, round(height * WIDTH / width)))
        small = cv2.resize(luma, size, interpolation=cv2.INTER_AREA)
    else:
        small = luma
    blurred = np.asarray(cv2.blur(small, (3, 3)), dtype=np.uint8)
    return Thumbnail(pixels=blurred, frame_size=(width, height))


def above(values: NDArray[np.float32], level: float) -> Mask:
    """Where (h, w) float32 ``values`` exceed ``level``."""
    return np.asarray((values > np.float32(level)).view(np.uint8) * np.uint8(255), dtype=np.uint8)


def gradient(pixels: NDArray[np.uint8] | NDArray[np.float32]) -> NDArray[np.float32]:
    """(h, w) float32 magnitude of the Sobel gradient.

    Not by ``cv2.magnitude``: its last bit depends on where in memory the array lies (OpenCV 5.0),
    and a restored analysis must give the same bits.
    """
    dx, dy = cv2.Sobel(pixels, cv2.CV_32F, 1, 0), cv2.Sobel(pixels, cv2.CV_32F, 0, 1)
    return np.asarray(np.sqrt(dx * dx + dy * dy), dtype=np.float32)
