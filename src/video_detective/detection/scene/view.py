"""Whether the camera still sees its scene: covered, out of focus, turned away, or a new shot."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from video_detective.detection.scene.thumbnail import Thumbnail, gradient
from video_detective.geometry import NS_PER_S

STATES = ("ok", "dark", "blurred", "shifted")

EDGE_WIDTH = 192
"""Pixels of the picture in which edges are compared."""
COARSE = (32, 24)
"""(width, height) of the picture in which "most of it changed" is judged."""
DARK_MEAN, DARK_SPREAD = 28.0, 8.0
"""Grey levels; black is 16 in video range."""
FLAT_SPREAD = 3.0
"""Grey levels; a lens cap or a black-out is flatter than any scene."""
FLAT_SHARE = 0.15
"""A picture with less than this share of its usual spread is covered."""
BLUR_SHARE = 0.4
"""Blurred below this share of the usual Laplacian spread (a sixth of its energy)."""
SAME_EDGES = 0.35
"""Correlation of edge pictures; one scene at noon and at dusk stays above, another is near 0."""
SURE_EDGES = 0.5
"""Only pictures this alike teach the reference."""
CHANGED_LEVELS, CHANGED_SHARE = 18.0, 0.5
"""A cut changes at least half of the picture by this many grey levels."""
EDGE_NOISE = 24.0
"""Gradient magnitude (Sobel) that noise reaches; less is no edge."""
FEW_EDGES, SOME_EDGES = 0.005, 0.03
"""Shares of edge pixels below which there is nothing to compare, and above which there is."""
LASTING_S = 1.5
"""A blurred view is reported when it lasts this long."""
SHIFTED_S = 2.5
"""A shifted view is reported when it lasts this long; a car close to the lens is gone by then."""
SETTLE_S = 2.0
"""After the lens was covered, no cut is declared for this long: the hand is still leaving."""
ACCEPT_S = 60.0
"""A view that stays shifted this long is the camera's new view."""
REFERENCE_S = 60.0
"""Time constant of the reference."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """The state of the picture as a whole.

    Args:
        state: One of ``STATES``.
        cut: A new shot begins with this picture.
        moved: The camera was turned, or turned back, at this picture: what was learned of the
            scene is void, though the shot goes on.
        same_scene: Whether the edges are where they were: a big change is then a change of light.
    """

    state: str
    cut: bool = False
    moved: bool = False
    same_scene: bool = True


class ViewMonitor:
    """Judges one camera's pictures against how they usually are."""

    def __init__(self) -> None:
        self._state = "ok"
        self._last_ns = -1
        self._seen_s = 0.0
        self._settle_ns = 0
        self._blurred_since_ns = -1
        self._shifted_since_ns = -1
        self._spread = 0.0
        self._sharpness = 0.0
        self._reference = np.zeros((0, 0), np.float32)
        self._previous = np.zeros((0, 0), np.float32)
        self._coarse = np.zeros((0, 0), np.float32)

    def update(self, small: Thumbnail, time_ns: int) -> View:
        """Judge a picture; pictures come in order of time."""
        step_s = 0.0 if self._last_ns < 0 else max(time_ns - self._last_ns, 0) / NS_PER_S
        self._last_ns = max(time_ns, self._last_ns)
        mean, spread = _mean_spread(small.pixels)
        usual = self._spread if self._seen_s >= LASTING_S else 0.0
        if (
            (mean < DARK_MEAN and spread < DARK_SPREAD)
            or spread < FLAT_SPREAD
            or spread < FLAT_SHARE * usual
        ):
            self._state = "dark"
            self._settle_ns = time_ns + round(SETTLE_S * NS_PER_S)
            self._blurred_since_ns = -1
            return View(state="dark")
        size = (EDGE_WIDTH, max(1, round(EDGE_WIDTH * small.size[1] / small.size[0])))
        picture = np.asarray(
            cv2.resize(small.pixels, size, interpolation=cv2.INTER_AREA), dtype=np.uint8
        )
        edges = _edges(picture)
        coarse = cv2.resize(picture, COARSE, interpolation=cv2.INTER_AREA).astype(np.float32)
        sharpness = _mean_spread(cv2.Laplacian(picture, cv2.CV_16S))[1] / spread
        if self._reference.shape != edges.shape:
            self._begin(edges, coarse, spread, sharpness)
            return View(state="ok")
        return self._judge(edges, coarse, spread, sharpness, step_s, time_ns)

    def _begin(
        self,
        edges: NDArray[np.float32],
        coarse: NDArray[np.float32],
        spread: float,
        sharpness: float,
    ) -> None:
        self._state = "ok"
        self._seen_s = 0.0
        self._blurred_since_ns = self._shifted_since_ns = -1
        self._reference = edges.copy()
        self._previous = edges
        self._coarse = coarse
        self._spread, self._sharpness = spread, sharpness

    def _judge(
        self,
        edges: NDArray[np.float32],
        coarse: NDArray[np.float32],
        spread: float,
        sharpness: float,
        step_s: float,
        time_ns: int,
    ) -> View:
        likeness = _likeness(edges, self._reference)
        likeness_before = _likeness(edges, self._previous) if likeness < SAME_EDGES else 1.0
        changed = float(np.mean(np.abs(coarse - self._coarse) > CHANGED_LEVELS))
        if (
            likeness < SAME_EDGES
            and changed > CHANGED_SHARE
            and time_ns >= self._settle_ns
            and likeness_before < SAME_EDGES
        ):
            self._begin(edges, coarse, spread, sharpness)
            return View(state="ok", cut=True, same_scene=False)
        self._previous, self._coarse = edges, coarse
        if self._is_blurred(sharpness, time_ns):
            self._state = "blurred"
            self._settle_ns = time_ns + round(SETTLE_S * NS_PER_S)
            return View(state="blurred")
        if self._blurred_since_ns >= 0:
            # Not sure yet: nothing is learned, the last state holds.
            self._state = "shifted" if self._state == "shifted" else "ok"
            return View(state=self._state, same_scene=likeness >= SAME_EDGES)
        was = self._state
        # Someone before a blank wall brings edges; only a scene that has edges can lose them.
        if likeness >= SAME_EDGES or _edge_share(self._reference) < FEW_EDGES:
            self._shifted_since_ns = -1
            self._state = "ok"
            if likeness >= SURE_EDGES:
                self._learn(edges, spread, sharpness, step_s)
            return View(state="ok", moved=was == "shifted")
        # A lorry that fills the picture moves; what a turned camera sees stands still.
        rests = likeness_before >= SURE_EDGES
        if self._shifted_since_ns < 0 or (was != "shifted" and not rests):
            self._shifted_since_ns = time_ns
        lasted_s = (time_ns - self._shifted_since_ns) / NS_PER_S
        if lasted_s >= ACCEPT_S:
            self._begin(edges, coarse, spread, sharpness)
            return View(state="ok", cut=True, same_scene=False)
        self._state = "shifted" if lasted_s >= SHIFTED_S else "ok"
        return View(
            state=self._state,
            moved=self._state == "shifted" and was != "shifted",
            same_scene=False,
        )

    def _is_blurred(self, sharpness: float, time_ns: int) -> bool:
        if self._seen_s < LASTING_S or sharpness >= BLUR_SHARE * self._sharpness:
            self._blurred_since_ns = -1
            return False
        if self._blurred_since_ns < 0:
            self._blurred_since_ns = time_ns
        return time_ns - self._blurred_since_ns >= LASTING_S * NS_PER_S

    def _learn(
        self, edges: NDArray[np.float32], spread: float, sharpness: float, step_s: float
    ) -> None:
        if step_s == 0:
            return
        self._seen_s += step_s
        rate = 1.0 - math.exp(-step_s / min(REFERENCE_S, self._seen_s))
        cv2.accumulateWeighted(edges, self._reference, rate)
        self._spread += rate * (spread - self._spread)
        self._sharpness += rate * (sharpness - self._sharpness)

    def state(self) -> dict[str, NDArray[Any]]:
        """Everything learned, copied."""
        return {
            "state": np.array(STATES.index(self._state), np.int64),
            "times_ns": np.array(
                [self._last_ns, self._settle_ns, self._blurred_since_ns, self._shifted_since_ns],
                np.int64,
            ),
            "levels": np.array([self._seen_s, self._spread, self._sharpness], np.float64),
            "reference": self._reference.copy(),
            "previous": self._previous.copy(),
            "coarse": self._coarse.copy(),
        }

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on from ``state()``."""
        self._state = STATES[int(state["state"])]
        self._last_ns, self._settle_ns, self._blurred_since_ns, self._shifted_since_ns = (
            int(value) for value in state["times_ns"]
        )
        self._seen_s, self._spread, self._sharpness = (float(v) for v in state["levels"])
        self._reference = state["reference"].astype(np.float32)
        self._previous = state["previous"].astype(np.float32)
        self._coarse = state["coarse"].astype(np.float32)


def _mean_spread(pixels: NDArray[Any]) -> tuple[float, float]:
    mean, deviation = cv2.meanStdDev(pixels)
    return float(mean[0, 0]), float(deviation[0, 0])


def _edges(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Gradient magnitude above the noise; its root, so that a few strong edges do not rule."""
    magnitude = gradient(picture)
    return np.asarray(np.sqrt(np.maximum(magnitude - np.float32(EDGE_NOISE), 0)), dtype=np.float32)


def _edge_share(edges: NDArray[np.float32]) -> float:
    return int(np.count_nonzero(edges > 1)) / edges.size


def _likeness(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    """Correlation of two edge pictures, -1..1; 1 where there is too little to compare."""
    shares = sorted((_edge_share(a), _edge_share(b)))
    if shares[0] < FEW_EDGES:
        return 1.0 if shares[1] < SOME_EDGES else 0.0
    (mean_a, spread_a), (mean_b, spread_b) = _mean_spread(a), _mean_spread(b)
    # Not a BLAS product: its order of summation changes with the number of threads.
    product = float(np.multiply(a, b).mean(dtype=np.float64)) - mean_a * mean_b
    return product / max(spread_a * spread_b, 1e-9)
