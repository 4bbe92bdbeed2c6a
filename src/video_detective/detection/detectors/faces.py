"""Faces: finding them with CenterFace, and making them unrecognisable in exports."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from video_detective.detection.base import Detections, Detector
from video_detective.detection.detectors.session import open_session
from video_detective.detection.suppression import suppress
from video_detective.geometry import Boxes, Image, grow

_OUTPUTS = ("537", "538", "539")
"""Heat map of face centres, log sizes (height, width), offsets (y, x) within a cell."""
_STRIDE = 4
"""Pixels of the input for a cell of the heat map."""
_MULTIPLE = 32
"""Input sides are multiples of the network's coarsest stride."""
_LONGEST_SIDE = 1280
"""Pixels; larger pictures are shrunk to it. A face that is then smaller than a cell is no face
that anybody could recognise."""
_IOU = 0.3
"""The reference implementation's suppression threshold."""

_MARGIN = 0.15
"""Share of the box added on each side, so that hair line, ears and chin are covered too."""
_CELLS = 6
"""Mosaic cells along a face's longer side. Recognisers still tell faces apart at about 16 cells;
at 6 too little is left of the eyes and mouth to restore."""


class CenterFace:
    """CenterFace: faces of any size down to about ten pixels, class ``face``.

    Args:
        model: The installed network.
        threshold: Lowest score (0..1) that is reported.

    Raises:
        WeightsError: the file is absent or no such model.

    Source: Xu et al., "CenterFace: Joint Face Detection and Alignment Using Face as Point" (2019).
    """

    name = "centerface"

    def __init__(self, model: Path, *, threshold: float = 0.3) -> None:
        self.classes = frozenset({"face"})
        self._threshold = threshold
        self._session = open_session(model)

    def detect(self, images: Sequence[Image]) -> list[Detections]:
        """One ``Detections`` for each image (H_i, W_i, 3), in their order; [] for no images.

        Images run one by one: each keeps its own size, at most 1280 pixels long.
        """
        return [self._detect(image) for image in images]

    def _detect(self, image: Image) -> Detections:
        height, width = image.shape[:2]
        shrink = min(1.0, _LONGEST_SIDE / max(height, width))
        size = tuple(
            max(1, round(side * shrink / _MULTIPLE)) * _MULTIPLE for side in (width, height)
        )
        blob = cv2.dnn.blobFromImage(image, size=size, swapRB=True)
        heat, sizes, offsets = self._session.run(list(_OUTPUTS), {"input.1": blob})
        to_image = np.array([width / size[0], height / size[1]], np.float32)
        return suppress(self._decode(heat[0, 0], sizes[0], offsets[0], to_image), iou=_IOU)

    def _decode(
        self,
        heat: NDArray[np.float32],
        sizes: NDArray[np.float32],
        offsets: NDArray[np.float32],
        to_image: NDArray[np.float32],
    ) -> Detections:
        rows, columns = np.nonzero(heat >= self._threshold)
        cells = np.stack([columns, rows], axis=1)
        # The network gives height before width and y before x.
        shift = offsets[::-1, rows, columns].T
        half = np.exp(sizes[::-1, rows, columns].T) * (_STRIDE / 2)
        centres = (cells + shift + 0.5) * _STRIDE
        limit = np.array(heat.shape[::-1], np.float32) * _STRIDE
        top_left = np.clip(centres - half, 0, limit) * to_image
        bottom_right = np.clip(centres + half, 0, limit) * to_image
        return Detections(
            boxes=np.concatenate([top_left, bottom_right], axis=1).astype(np.float32),
            scores=np.clip(heat[rows, columns], 0, 1).astype(np.float32),
            classes=("face",) * len(rows),
        )


class WithFaces:
    """Another detector's objects and CenterFace's faces, in one answer.

    Args:
        detector: Finds everything else.
        faces: Finds faces.
    """

    def __init__(self, detector: Detector, faces: CenterFace) -> None:
        self.name = detector.name
        self.classes = detector.classes | faces.classes
        self._parts: tuple[Detector, ...] = (detector, faces)

    def detect(self, images: Sequence[Image]) -> list[Detections]:
        """One ``Detections`` for each image (H_i, W_i, 3), in their order; [] for no images."""
        answers = zip(*(part.detect(images) for part in self._parts), strict=True)
        return [_together(first, second) for first, second in answers]


def _together(first: Detections, second: Detections) -> Detections:
    both = Detections(
        boxes=np.concatenate([first.boxes, second.boxes]),
        scores=np.concatenate([first.scores, second.scores]),
        classes=first.classes + second.classes,
    )
    return both.where(np.argsort(-both.scores, kind="stable"))


def blur_faces(image: Image, detections: Detections) -> Image:
    """A copy of the picture in which no detected face can be recognised.

    Each box of class ``face``, enlarged by 15 % on each side, becomes a mosaic of at most 6 cells
    a side. Averaging destroys what it removes; nothing of the original stays in the copy.

    Args:
        image: (H, W, 3) uint8; not changed.
        detections: Of any classes, in pixels of the image.
    """
    blurred = image.copy()
    height, width = image.shape[:2]
    is_face = np.array([name == "face" for name in detections.classes], np.bool_)
    faces: Boxes = grow(detections.boxes[is_face], _MARGIN)
    for box in faces:
        x1, y1 = np.maximum(np.floor(box[:2]), 0).astype(int)
        x2, y2 = np.minimum(np.ceil(box[2:]), [width, height]).astype(int)
        if x2 <= x1 or y2 <= y1:
            continue
        region = blurred[y1:y2, x1:x2]
        cell = max(x2 - x1, y2 - y1) / _CELLS
        cells = (max(1, round((x2 - x1) / cell)), max(1, round((y2 - y1) / cell)))
        cells = (min(cells[0], x2 - x1), min(cells[1], y2 - y1))
        mosaic = cv2.resize(region, cells, interpolation=cv2.INTER_AREA)
        blurred[y1:y2, x1:x2] = cv2.resize(
            mosaic, (x2 - x1, y2 - y1), interpolation=cv2.INTER_NEAREST
        )
    return blurred
