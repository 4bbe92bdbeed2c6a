"""The eyes of one camera: a detector that only looks where something may be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from video_detective.detection.base import CLASS_GROUPS, Detections, Detector, Perception
from video_detective.detection.memory import Known, combine
from video_detective.detection.scene.background import Foreground
from video_detective.detection.scene.scene import Scene, Sight, part_of
from video_detective.detection.tiles import join, make_grid, merge_tiles
from video_detective.geometry import NS_PER_S, Boxes, grow, intersection_over_smaller
from video_detective.media.base import Frame

REPORT_SCORE = 0.1
"""Weaker detections are dropped; the tracker uses weak ones to carry tracks through occlusion."""
SEED_SHARE = 0.65
"""A detection of this share of the sure score is looked for again (.3 of .49 on PETS)."""
JOIN_GAP, MOTION_PAD, KNOWN_PAD = 0.013, 0.016, 0.008
"""Shares of the picture's width: blobs this near are one seed, and seeds grow by this much."""
CROWDED_SHARE = 0.35
"""When more than this share of the picture moves, motion tells nothing: search everywhere."""
CROWDED_S = 2.0
"""At most this often."""
OCCUPIED_MARGIN = 0.15
"""Share of its own size by which a known object reaches beyond its box."""
WATCH_S = 2.0
"""The camera stays active for this long after the last movement."""
WATCHED_GROUPS = frozenset({"person", "animal"})
"""Groups that keep the camera active even while they stand still."""


class GatedEyes:
    """Motion and earlier detections choose the tiles that go to the detector.

    Args:
        detector: Finds objects in tiles.
        classes: Those to report (``CLASS_GROUPS``); ``object`` needs no detector.
        score: From this score (0..1) on a detection is sure. Weaker ones down to ``REPORT_SCORE``
            are reported, but keep no camera active. .49 is the best of 8-bit MobileNet-SSD on
            PETS09-S2L1.
    """

    def __init__(self, detector: Detector, *, classes: frozenset[str], score: float = 0.49) -> None:
        self._detector = detector
        self._classes = classes
        self._score = score
        self._scene = Scene()
        self._known = Known()
        self._grid = make_grid(1, 1)
        self._next_idle = 0
        self._crowded_ns = -1
        self._watch_until_ns = -1

    def look(self, frame: Frame, *, idle_sample: bool) -> Perception:
        """Look at a frame; see ``Eyes``."""
        if self._grid.frame_size != frame.size:
            self._grid = make_grid(*frame.size)
            self._known = Known()
        sight = self._scene.observe(frame)
        if sight.view.cut:
            self._known = Known()
        if sight.foreground is None:
            return Perception(
                detections=Detections.none(),
                moving=frame.time_ns < self._watch_until_ns,
                view=sight.view.state,
                cut=sight.view.cut,
            )
        motion = sight.foreground.boxes[sight.foreground.moving]
        tiles = self._tiles_to_search(sight, sight.foreground, motion, frame.time_ns, idle_sample)
        found = self._search(frame, tiles)
        detections = self._known.update(
            found,
            self._grid.seen(self._known.boxes, tiles),
            self._stirred(motion),
            least_score=SEED_SHARE * self._score,
            time_ns=frame.time_ns,
        )
        # A shoe or a shadow at somebody's feet is no thing of its own.
        occupied = grow(self._known.boxes, OCCUPIED_MARGIN)
        things = self._scene.things_at_rest(sight, occupied, frame.time_ns)
        if "object" in self._classes and len(things):
            detections = combine(detections, things)
            detections = detections.where(np.argsort(-detections.scores, kind="stable"))
        if len(motion) or self._is_watched(detections):
            self._watch_until_ns = frame.time_ns + round(WATCH_S * NS_PER_S)
        return Perception(
            detections=detections,
            moving=frame.time_ns < self._watch_until_ns,
            view=sight.view.state,
            cut=sight.view.cut,
            tiles=len(tiles),
            motion=motion,
        )

    def _tiles_to_search(
        self, sight: Sight, foreground: Foreground, motion: Boxes, time_ns: int, idle_sample: bool
    ) -> list[int]:
        if sight.fresh:
            self._crowded_ns = time_ns
            return list(range(len(self._grid)))
        width = self._grid.frame_size[0]
        known = _padded(self._known.to_check(self._stirred(motion), time_ns), KNOWN_PAD * width)
        if foreground.fraction > CROWDED_SHARE:
            if time_ns - self._crowded_ns >= CROWDED_S * NS_PER_S:
                self._crowded_ns = time_ns
                return list(range(len(self._grid)))
            seeds = known
        else:
            moving = _padded(join(motion, JOIN_GAP * width), MOTION_PAD * width)
            seeds = np.concatenate([moving, known])
        tiles = set(self._grid.claim(seeds))
        if len(seeds) > len(known):
            # A large moving blob may be one large object or a group of small ones.
            large = [seed for seed in moving if self._grid.level_of(seed) > 0]
            unexplained = [seed for seed in large if not self._is_explained(seed)]
            tiles |= set(self._grid.claim(np.array(unexplained).reshape(-1, 4), level=0))
        if idle_sample:
            # Two at every second sample: the network costs less a tile in a batch.
            self._next_idle += 1
            if self._next_idle % 2 == 0:
                tiles |= {
                    tile % len(self._grid) for tile in (self._next_idle - 2, self._next_idle - 1)
                }
        return sorted(tiles)

    def _is_explained(self, seed: Boxes) -> bool:
        """Whether one known large object fills most of the seed."""
        large = np.array([self._grid.level_of(box) > 0 for box in self._known.boxes], np.bool_)
        boxes = self._known.boxes[large]
        if len(boxes) == 0:
            return False
        overlap = intersection_over_smaller(boxes, seed[None])[:, 0]
        heights = (boxes[:, 3] - boxes[:, 1]) / (seed[3] - seed[1])
        return bool(((overlap > 0.6) & (heights > 0.6)).any())

    def _stirred(self, motion: Boxes) -> NDArray[np.bool_]:
        """(N,) whether anything moves at each known object."""
        if len(motion) == 0 or len(self._known.boxes) == 0:
            return np.zeros(len(self._known.boxes), np.bool_)
        near = _padded(self._known.boxes, KNOWN_PAD * self._grid.frame_size[0])
        return np.asarray((intersection_over_smaller(near, motion) > 0).any(axis=1), np.bool_)

    def _search(self, frame: Frame, tiles: list[int]) -> Detections:
        if not tiles:
            return Detections.none()
        places = self._grid.boxes[tiles]
        picture = frame.bgr
        images = [picture[int(y1) : int(y2), int(x1) : int(x2)] for x1, y1, x2, y2 in places]
        found = merge_tiles(self._detector.detect(images), places, self._grid.frame_size)
        wanted = np.array([name in self._classes for name in found.classes], np.bool_)
        return found.where(wanted & (found.scores >= REPORT_SCORE))

    def _is_watched(self, detections: Detections) -> bool:
        return any(
            score >= self._score and CLASS_GROUPS[name] in WATCHED_GROUPS
            for name, score in zip(detections.classes, detections.scores, strict=True)
        )

    def state(self) -> dict[str, NDArray[Any]]:
        """Everything learned and remembered."""
        arrays = {f"scene.{name}": array for name, array in self._scene.state().items()}
        arrays |= {f"known.{name}": array for name, array in self._known.state().items()}
        arrays["frame_size"] = np.array(self._grid.frame_size, np.int64)
        arrays["counters"] = np.array(
            [self._next_idle, self._crowded_ns, self._watch_until_ns], np.int64
        )
        return arrays

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on from ``state()``."""
        self._scene.restore(part_of(state, "scene"))
        self._known.restore(part_of(state, "known"))
        width, height = state["frame_size"]
        self._grid = make_grid(int(width), int(height))
        self._next_idle, self._crowded_ns, self._watch_until_ns = (
            int(value) for value in state["counters"]
        )


def _padded(boxes: Boxes, pad: float) -> Boxes:
    return boxes + np.array([-pad, -pad, pad, pad], np.float32)
