"""A camera that films a made-up place."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from video_detective.geometry import NS_PER_S
from video_detective.media.base import Frame

START_NS = 1_700_000_000 * NS_PER_S


class Camera:
    """Films a textured place with sensor noise; every picture of one camera is reproducible."""

    def __init__(self, *, width: int = 384, height: int = 288, seed: int = 1) -> None:
        self.size = (width, height)
        rng = np.random.default_rng(seed)
        coarse = rng.uniform(60, 170, (9, 12)).astype(np.float32)
        place = cv2.resize(coarse, self.size, interpolation=cv2.INTER_LINEAR).astype(np.float32)
        for _ in range(40):
            x, y = int(rng.integers(0, width)), int(rng.integers(0, height))
            w, h = (int(v) for v in rng.integers(6, 60, 2))
            shade = float(rng.uniform(40, 200))
            cv2.rectangle(place, (x, y), (x + w, y + h), shade, 2)
        self.place: NDArray[np.float32] = place
        self._noise = rng.normal(0, 1.5, (16, height, width)).astype(np.float32)

    def film(
        self,
        second: float,
        things: Iterable[tuple[int, int, int, int, float]] = (),
        *,
        gain: float = 1.0,
        place: NDArray[np.float32] | None = None,
    ) -> Frame:
        """The picture at ``second``, with filled boxes ``(x1, y1, x2, y2, grey)`` in view."""
        picture = (self.place if place is None else place).copy()
        for x1, y1, x2, y2, grey in things:
            picture[y1:y2, x1:x2] = grey
        # A fixed pseudo-random order of the noise fields: never the same one twice in a row.
        noise = self._noise[(round(second * 10) * 7) % 16]
        luma = np.clip(picture * np.float32(gain) + noise, 0, 255).astype(np.uint8)
        pts_ns = round(second * NS_PER_S)
        return Frame(
            index=round(second * 10),
            pts_ns=pts_ns,
            time_ns=START_NS + pts_ns,
            luma=luma,
            to_bgr=lambda: np.repeat(luma[:, :, None], 3, axis=2),
        )

    def covered(self, second: float) -> Frame:
        """A lens behind a hand: dark, flat."""
        return self.film(second, place=np.full_like(self.place, 14.0))


@pytest.fixture
def camera() -> Camera:
    return Camera()


@pytest.fixture
def other_place() -> NDArray[np.float32]:
    return Camera(seed=99).place
