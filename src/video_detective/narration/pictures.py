"""Pictures for a model: how sharp they are, and how they are made small."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from video_detective.geometry import Image
from video_detective.media.pictures import encode_jpeg
from video_detective.narration.keyframes import NEAR_NS, Candidate, Sample
from video_detective.rules import Event, Moment
from video_detective.tracking.base import Track

LONGEST_SIDE = 1024
"""Pixels. Persons of a tenth of the picture's height keep 50 pixels and more; vision models cut
larger pictures into tiles, each of which costs as many tokens as a whole small one."""
_MEASURED_SIDE = 640
"""Boxes are measured at this size at most: noise of large sensors is no sharpness."""
_LEAST_SIDE = 8
"""A smaller cut-out says nothing about sharpness."""

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFrame:
    """A frame to show.

    Args:
        frame_id: Names the stored frame.
        candidate: Which frame, and why it was chosen.
        jpeg: The picture, its longest side at most ``LONGEST_SIDE``.
        size: (width, height) of the JPEG.
        tracks: Tracks seen in it, boxes in pixels of the JPEG.
    """

    frame_id: str
    candidate: Candidate
    jpeg: bytes
    size: tuple[int, int]
    tracks: tuple[Track, ...] = ()

    @property
    def time_ns(self) -> int:
        """When, UTC ns."""
        return self.candidate.time_ns


def sharpness(image: Image, boxes: Sequence[Box] = ()) -> float:
    """Variance of the Laplacian, the mean of the boxes' or of the whole picture.

    Args:
        image: (H, W, 3) uint8 BGR.
        boxes: xyxy in pixels; parts outside the picture are cut off, tiny ones passed over.

    Returns:
        0 or more, in squared grey levels; 0 for a picture without detail.

    Source: Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy", ICPR 2000.
    """
    height, width = image.shape[:2]
    cuts = []
    for x1, y1, x2, y2 in boxes:
        left, top = max(int(x1), 0), max(int(y1), 0)
        right, bottom = min(int(x2) + 1, width), min(int(y2) + 1, height)
        if right - left >= _LEAST_SIDE and bottom - top >= _LEAST_SIDE:
            cuts.append(image[top:bottom, left:right])
    parts = cuts or [image]
    return float(np.mean([_laplacian_variance(part) for part in parts]))


def _laplacian_variance(image: Image) -> float:
    small = shrunk(image, _MEASURED_SIDE)
    grey = cv2.cvtColor(small, cv2.COLOR_BGR2GRAY)
    return float(cv2.Laplacian(grey, cv2.CV_64F).var())


def candidate(event: Event, sample: Sample, image: Image) -> Candidate:
    """Measure a frame.

    Args:
        event: Whose tracks and moments count.
        sample: Which frame.
        image: Its picture, (H, W, 3) uint8 BGR, in the pixels of the sample's boxes.
    """
    height, width = image.shape[:2]
    actors = {actor.track_id for actor in event.actors}
    tracks = [track for track in sample.tracks if track.track_id in actors]
    return Candidate(
        time_ns=sample.time_ns,
        frame=sample.frame,
        sharpness=sharpness(image, [track.bbox for track in tracks]),
        sizes={track.track_id: _share(track.bbox, width, height) for track in tracks},
        moments=_shown(event, sample.time_ns),
    )


def _shown(event: Event, time_ns: int) -> tuple[Moment, ...]:
    """The moments nearest to a frame, if near: one frame never stands for before *and* after."""
    nearest = min((abs(moment.time_ns - time_ns) for moment in event.moments), default=NEAR_NS + 1)
    if nearest > NEAR_NS:
        return ()
    return tuple(m for m in event.moments if abs(m.time_ns - time_ns) == nearest)


def candidates(
    event: Event, samples: Sequence[Sample], pictures: Mapping[int, Image]
) -> tuple[Candidate, ...]:
    """Measure those nominated frames whose picture could be cut out, in order of time.

    Args:
        event: The event.
        samples: As ``keyframes.nominate`` gave them.
        pictures: BGR pictures by ``time_ns``.
    """
    ordered = sorted(samples, key=lambda sample: sample.time_ns)
    return tuple(
        candidate(event, sample, pictures[sample.time_ns])
        for sample in ordered
        if sample.time_ns in pictures
    )


def key_frame(frame_id: str, candidate: Candidate, sample: Sample, image: Image) -> KeyFrame:
    """A frame as it goes to the model.

    Args:
        frame_id: Names the stored frame.
        candidate: What was measured of it.
        sample: Its tracks, in the picture's pixels.
        image: (H, W, 3) uint8 BGR.
    """
    small = shrunk(image, LONGEST_SIDE)
    scale = small.shape[1] / image.shape[1]
    tracks = []
    for track in sample.tracks:
        x1, y1, x2, y2 = track.bbox
        box = (x1 * scale, y1 * scale, x2 * scale, y2 * scale)
        tracks.append(replace(track, bbox=box))
    return KeyFrame(
        frame_id=frame_id,
        candidate=candidate,
        jpeg=encode_jpeg(small),
        size=(small.shape[1], small.shape[0]),
        tracks=tuple(tracks),
    )


def _share(box: Box, width: int, height: int) -> float:
    """Area within the picture, as share of it."""
    x1, y1, x2, y2 = box
    across = min(x2, width) - max(x1, 0.0)
    down = min(y2, height) - max(y1, 0.0)
    return max(across, 0.0) * max(down, 0.0) / (width * height)


def shrunk(image: Image, longest: int) -> Image:
    """The picture, or a smaller one whose longest side is ``longest``."""
    height, width = image.shape[:2]
    scale = longest / max(height, width)
    if scale >= 1:
        return image
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
