"""Constant-velocity Kalman filter for boxes that are seen at uneven times.

A box is four numbers (centre x, bottom y, width, height), each with a velocity and filtered on its
own; all noise is a share of the box's height, so that near and far objects, and any resolution,
are treated alike. Time is in seconds; nothing is counted in frames.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from video_detective.geometry import Boxes

POSITION_STD = 0.05
"""Standard deviation of a detected coordinate, in box heights (ByteTrack's 1/20)."""
FIRST_SPEED_STD = 2.0
"""Standard deviation of the unknown first speed, in box heights a second. A pedestrian walks at
about 0.8, a car drives at up to 10; the second observation settles it either way."""
DRIFT_STD = 1.0
"""How far speed wanders in one second, in box heights a second (ByteTrack's 1/160 of the height in
each frame of a 30 fps video comes to 1.03)."""

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Motion:
    """Where N boxes are and how they move, each at its own moment.

    Args:
        place: (N, 4) float64: centre x, bottom y, width, height in pixels.
        speed: (N, 4) float64: their change in pixels per second.
        covariance: (N, 3) float64: variance of place, covariance of place and speed, variance of
            speed; the same for all four numbers of a box.
    """

    place: Values
    speed: Values
    covariance: Values

    def __len__(self) -> int:
        return len(self.place)

    def at(self, rows: Sequence[int]) -> Motion:
        """Those in the given rows, in that order."""
        index = np.array(rows, np.intp)
        return Motion(
            place=self.place[index], speed=self.speed[index], covariance=self.covariance[index]
        )

    def boxes(self) -> Boxes:
        """(N, 4) float32 xyxy in pixels."""
        x, bottom, width, height = self.place.T
        half = width / 2
        return np.stack([x - half, bottom - height, x + half, bottom], axis=1).astype(np.float32)


def measured(boxes: Boxes) -> Values:
    """Boxes (N, 4) xyxy as (N, 4) float64: centre x, bottom y, width, height."""
    left, top, right, bottom = boxes.astype(np.float64).T
    return np.stack([(left + right) / 2, bottom, right - left, bottom - top], axis=1)


def begun(boxes: Boxes) -> Motion:
    """Motion of N boxes seen for the first time: at rest, but surely not for certain."""
    place = measured(boxes)
    height = np.maximum(place[:, 3], 1.0)
    covariance = np.stack(
        [(POSITION_STD * height) ** 2, np.zeros(len(place)), (FIRST_SPEED_STD * height) ** 2],
        axis=1,
    )
    return Motion(place=place, speed=np.zeros_like(place), covariance=covariance)


def predicted(motion: Motion, elapsed_s: Values) -> Motion:
    """The same boxes after ``elapsed_s`` (N,) seconds each.

    Two steps of 0.1 s give what one of 0.2 s gives (white-noise acceleration in continuous time:
    Bar-Shalom et al., "Estimation with Applications to Tracking and Navigation", 2001, 6.2.2).
    """
    height = np.maximum(motion.place[:, 3], 1.0)
    drift = (DRIFT_STD * height) ** 2
    place_var, cross, speed_var = motion.covariance.T
    covariance = np.stack(
        [
            place_var + 2 * elapsed_s * cross + elapsed_s**2 * speed_var + drift * elapsed_s**3 / 3,
            cross + elapsed_s * speed_var + drift * elapsed_s**2 / 2,
            speed_var + drift * elapsed_s,
        ],
        axis=1,
    )
    place = motion.place + motion.speed * elapsed_s[:, None]
    place[:, 2:] = np.maximum(place[:, 2:], 1.0)
    return Motion(place=place, speed=motion.speed, covariance=covariance)


def corrected(motion: Motion, boxes: Boxes) -> Motion:
    """Predicted motion of N boxes after each was seen at ``boxes`` (N, 4) xyxy."""
    seen = measured(boxes)
    noise = (POSITION_STD * np.maximum(seen[:, 3], 1.0)) ** 2
    place_var, cross, speed_var = motion.covariance.T
    total = place_var + noise
    place_gain, speed_gain = place_var / total, cross / total
    surprise = seen - motion.place
    covariance = np.stack(
        [place_var * (1 - place_gain), cross * (1 - place_gain), speed_var - speed_gain * cross],
        axis=1,
    )
    return Motion(
        place=motion.place + place_gain[:, None] * surprise,
        speed=motion.speed + speed_gain[:, None] * surprise,
        covariance=covariance,
    )
