"""What the empty scene looks like, and what stands out from it.

One Gaussian a pixel (Wren et al., "Pfinder: Real-Time Tracking of the Human Body", PAMI 1997) on
the thumbnail, chosen over OpenCV's mixture models because every array of it can be stored: an
analysis that was killed goes on with bit-identical results. Two clocks: a slow model that barely
learns under foreground (who stands still stays foreground) and a fast one that tells what moves
now.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from video_detective.detection.scene.thumbnail import Mask, Thumbnail, above
from video_detective.geometry import NS_PER_S, Boxes

LEARN_S = 12.0
"""Time constant of the empty scene: follows clouds and dusk."""
LEARN_UNDER_FOREGROUND_S = 1200.0
"""Time constant under foreground: a bag 40 grey levels off its ground stays for 25 minutes."""
FAST_S = 0.5
"""Time constant of the fast model that tells moving from still."""
FLICKER_S = 15.0
"""Time constant of the per-pixel share of looks in which foreground came or went."""
FLICKER_SHARE = 0.25
"""Pixels that come and go more often than this (leaves, water) widen their variance instead."""
SIGMAS = 4.0
"""Foreground is further than this from the mean, in standard deviations."""
LEAST_SIGMA = 2.2
"""Grey levels; compression and dithering move the quietest pixel by about this much."""
START_SIGMA = 5.0
"""Grey levels; the spread assumed of a pixel seen once."""
MOVING_LEVELS = 9.0
"""Least difference from the fast model, in grey levels, that is movement."""
LEAST_AREA = 0.00025
"""Smallest blob as a share of the picture (measured: 28 thumbnail pixels on PETS)."""
LONGEST_STEP_S = 10.0
"""A longer gap between two looks counts as this long."""
LONGEST_STILL_STEP_S = 0.5
"""… and as this long of standing still: nobody saw what happened in between (a covered lens)."""
GAIN_DEADBAND = 0.012
"""Smaller global brightness changes are left to the ordinary update."""
SAMPLE = 8
"""Every so many rows and columns are used for global statistics."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Foreground:
    """What stands out of the background in one look.

    Args:
        mask: Foreground, cleaned of specks.
        quiet: The part of ``mask`` that does not move now.
        still_s: (h, w) float32, for how long in s each pixel has been quiet foreground.
        squared: (h, w) float32, squared difference from the empty scene.
        boxes: (N, 4) frame pixels: each foreground blob, moving or standing, top to bottom.
        moving: (N,) bool: whether that blob moves now.
        areas: (N,) int32: its thumbnail pixels.
        fraction: Share of the picture that is moving foreground, 0..1.
    """

    mask: Mask
    quiet: Mask
    still_s: NDArray[np.float32]
    squared: NDArray[np.float32]
    boxes: Boxes
    moving: NDArray[np.bool_]
    areas: NDArray[np.int32]
    fraction: float


class Background:
    """The running model of one camera's empty scene.

    Looks must come in order of time; equal or earlier times learn nothing. A thumbnail of another
    size starts anew.
    """

    def __init__(self) -> None:
        self._last_ns = 0
        self._age_s = 0.0
        self._noise = LEAST_SIGMA
        empty = np.zeros((0, 0), np.float32)
        self._mean = empty
        self._variance = empty
        self._fast = empty
        self._flicker = empty
        self._still_s = empty
        self._previous_raw: Mask = np.zeros((0, 0), np.uint8)

    @property
    def mean(self) -> NDArray[np.float32]:
        """(h, w) float32 grey levels of the empty scene; (0, 0) before the first look."""
        return self._mean

    def reset(self, small: Thumbnail, time_ns: int) -> None:
        """Take the picture as the empty scene; everything learned before is forgotten."""
        pixels = small.pixels.astype(np.float32)
        self._last_ns = time_ns
        self._age_s = 0.0
        self._mean = pixels
        self._fast = pixels.copy()
        self._variance = np.full_like(pixels, START_SIGMA**2)
        self._flicker = np.zeros_like(pixels)
        self._still_s = np.zeros_like(pixels)
        self._previous_raw = np.zeros_like(small.pixels)

    def absorb(self, region: Mask) -> None:
        """Take the present content of ``region`` as background: nothing new stands there."""
        cv2.copyTo(self._fast, region, self._mean)
        self._still_s[region > 0] = 0

    def update(self, small: Thumbnail, time_ns: int) -> Foreground:
        """Compare a picture with the scene, then learn from it.

        Args:
            small: The thumbnail of the frame.
            time_ns: UTC ns of the frame; the learning rates follow the time that passed.

        Returns:
            The foreground; empty for the first picture.
        """
        if self._mean.shape != small.pixels.shape:
            self.reset(small, time_ns)
        step_s = min(max(time_ns - self._last_ns, 0) / NS_PER_S, LONGEST_STEP_S)
        self._last_ns = max(self._last_ns, time_ns)
        now = small.pixels.astype(np.float32)
        self._follow_exposure(now)
        squared = now - self._mean
        squared *= squared
        limit = self._variance * np.float32(SIGMAS**2)
        raw = np.asarray(cv2.compare(squared, limit, cv2.CMP_GT), dtype=np.uint8)
        mask, quiet, fraction = self._separate(now, raw, step_s)
        foreground = self._blobs(small, mask, quiet, squared, fraction)
        self._learn(now, squared, raw, mask, step_s)
        return foreground

    def _follow_exposure(self, now: NDArray[np.float32]) -> None:
        """Scale the scene when the whole picture got brighter or darker (auto-exposure, clouds)."""
        sample = now[::SAMPLE, ::SAMPLE]
        mean = self._mean[::SAMPLE, ::SAMPLE]
        deviation = np.abs(sample - self._fast[::SAMPLE, ::SAMPLE])
        # 0.6745 is the median of a standard normal's magnitude.
        noise = _middle(deviation) / 0.6745
        self._noise += 0.05 * (noise - self._noise)
        gain = _middle((sample + 1.0) / (mean + 1.0))
        if abs(gain - 1.0) < GAIN_DEADBAND or not 0.4 < gain < 2.5:
            return
        # A large grey object in view also moves the median: only believe what explains more.
        tolerance = SIGMAS * LEAST_SIGMA
        explained = np.count_nonzero(np.abs(sample - gain * mean) < tolerance)
        before = np.count_nonzero(np.abs(sample - mean) < tolerance)
        if explained > before + 0.03 * sample.size:
            self._mean *= np.float32(gain)
            self._fast *= np.float32(gain)

    def _separate(
        self, now: NDArray[np.float32], raw: Mask, step_s: float
    ) -> tuple[Mask, Mask, float]:
        """The cleaned foreground, its quiet part, and the share of the picture that moves."""
        mask = np.asarray(cv2.medianBlur(raw, 3), dtype=np.uint8)
        if not cv2.countNonZero(mask):
            self._still_s.fill(0)
            return mask, mask.copy(), 0.0
        # Higher than wide: head, trunk and legs of one person join, neighbours do not.
        joint = cv2.getStructuringElement(cv2.MORPH_RECT, (3, 5))
        mask = np.asarray(cv2.morphologyEx(mask, cv2.MORPH_CLOSE, joint), dtype=np.uint8)
        change = np.abs(now - self._fast)
        threshold = max(MOVING_LEVELS, SIGMAS * self._noise)
        moves = cv2.medianBlur(above(change, threshold), 3)
        quiet = np.asarray(cv2.subtract(mask, moves), dtype=np.uint8)
        self._still_s += np.float32(min(step_s, LONGEST_STILL_STEP_S))
        cv2.multiply(self._still_s, quiet, dst=self._still_s, scale=1 / 255, dtype=cv2.CV_32F)
        fraction = (cv2.countNonZero(mask) - cv2.countNonZero(quiet)) / mask.size
        return mask, quiet, fraction

    def _blobs(
        self,
        small: Thumbnail,
        mask: Mask,
        quiet: Mask,
        squared: NDArray[np.float32],
        fraction: float,
    ) -> Foreground:
        # External contours: a tenth of the cost of labelling every pixel.
        least_area = LEAST_AREA * mask.size
        moves = cv2.subtract(mask, quiet)
        corners: list[tuple[int, int, int, int]] = []
        moving: list[bool] = []
        areas: list[int] = []
        for corner in blob_corners(mask):
            left, top, right, bottom = corner
            if (right - left) * (bottom - top) < least_area:
                continue
            area = cv2.countNonZero(mask[top:bottom, left:right])
            if area < least_area:
                continue
            moved = cv2.countNonZero(moves[top:bottom, left:right])
            corners.append(corner)
            areas.append(area)
            moving.append(moved >= max(0.25 * least_area, 0.03 * area))
        return Foreground(
            mask=mask,
            quiet=quiet,
            still_s=self._still_s.copy(),
            squared=squared,
            fraction=fraction,
            boxes=small.to_frame(np.array(corners, np.float32).reshape(-1, 4)),
            moving=np.array(moving, np.bool_),
            areas=np.array(areas, np.int32),
        )

    def _learn(
        self,
        now: NDArray[np.float32],
        squared: NDArray[np.float32],
        raw: Mask,
        mask: Mask,
        step_s: float,
    ) -> None:
        if step_s == 0:
            return
        self._age_s += step_s
        # A running average at first, an exponential one once enough was seen.
        rate = max(_rate(step_s, LEARN_S), step_s / self._age_s if self._age_s < LEARN_S else 0.0)
        rate = min(rate, 0.5)
        toggled = cv2.bitwise_xor(raw, self._previous_raw)
        cv2.accumulateWeighted(toggled, self._flicker, _rate(step_s, FLICKER_S))
        self._previous_raw = raw
        flickers = above(self._flicker, 255 * FLICKER_SHARE)
        if cv2.countNonZero(mask):
            # One pixel of margin, so that the outline of who stands still does not bleed in.
            guard = cv2.dilate(cv2.bitwise_or(mask, raw), np.ones((3, 3), np.uint8))
            empty = cv2.bitwise_not(guard)
            under = _rate(step_s, LEARN_UNDER_FOREGROUND_S)
            cv2.accumulateWeighted(now, self._mean, under, mask=guard)
        else:
            empty = cv2.bitwise_not(raw)
        cv2.accumulateWeighted(now, self._mean, rate, mask=empty)
        cv2.accumulateWeighted(squared, self._variance, rate, mask=cv2.bitwise_or(empty, flickers))
        least = max(LEAST_SIGMA, self._noise)
        np.maximum(self._variance, np.float32(least * least), out=self._variance)
        cv2.accumulateWeighted(now, self._fast, _rate(step_s, FAST_S))

    def state(self) -> dict[str, NDArray[Any]]:
        """Every array and number of the model, copied."""
        return {
            "last_ns": np.array(self._last_ns, np.int64),
            "age_s": np.array(self._age_s, np.float64),
            "noise": np.array(self._noise, np.float64),
            "mean": self._mean.copy(),
            "variance": self._variance.copy(),
            "fast": self._fast.copy(),
            "flicker": self._flicker.copy(),
            "still_s": self._still_s.copy(),
            "previous_raw": self._previous_raw.copy(),
        }

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on from ``state()``."""
        self._last_ns = int(state["last_ns"])
        self._age_s = float(state["age_s"])
        self._noise = float(state["noise"])
        self._mean = state["mean"].astype(np.float32)
        self._variance = state["variance"].astype(np.float32)
        self._fast = state["fast"].astype(np.float32)
        self._flicker = state["flicker"].astype(np.float32)
        self._still_s = state["still_s"].astype(np.float32)
        self._previous_raw = state["previous_raw"].astype(np.uint8)


def blob_corners(mask: Mask) -> list[tuple[int, int, int, int]]:
    """(left, top, right, bottom) of each connected blob in mask pixels, from top left."""
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    corners = []
    for contour in contours:
        left, top, width, height = cv2.boundingRect(contour)
        corners.append((left, top, left + width, top + height))
    return sorted(corners, key=lambda corner: (corner[1], corner[0]))


def _middle(values: NDArray[np.float32]) -> float:
    """The (upper) median; ``np.median`` spends four times as long on checks."""
    flat = values.ravel()
    return float(np.partition(flat, len(flat) // 2)[len(flat) // 2])


def _rate(step_s: float, constant_s: float) -> float:
    """Share of the new value after ``step_s`` in exponential forgetting with that constant."""
    return 1.0 - math.exp(-step_s / constant_s)
