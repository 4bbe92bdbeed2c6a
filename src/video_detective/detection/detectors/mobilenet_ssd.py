"""The default detector: MobileNet-SSD on ONNX Runtime."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from video_detective.detection.base import Detections
from video_detective.detection.detectors.session import open_session
from video_detective.detection.suppression import suppress
from video_detective.detection.weights.mobilenet_ssd_graph import SIZE, prior_boxes
from video_detective.geometry import Image

CLASSES = {
    "bicycle": 2,
    "bus": 6,
    "car": 7,
    "cat": 8,
    "dog": 12,
    "motorcycle": 14,
    "person": 15,
}
"""The kept ones of the 21 outputs (VOC order, 0 is the background; VOC says motorbike)."""

_BATCH = 8
"""Images a run: more bring no speed on one core and only hold memory."""
_AREA_ABOVE = 450
"""From this side on (1.5 times the input) shrinking averages areas; below, bilinear is as good."""
_CENTRE_VARIANCE, _SIZE_VARIANCE = 0.1, 0.2
"""SSD's scaling of the offsets, as in the network's definition."""


class MobileNetSsd:
    """MobileNet-SSD: seven classes, square input of 300 pixels.

    Made for regions: a person should fill at least about an eighth of the height of the image
    handed in. A tall or wide image is squeezed into the square.

    Args:
        model: The converted network, full precision or 8 bits.
        threshold: Lowest score (0..1) that is reported. Low by default: the tracker has a use for
            weak detections, and the caller knows the camera's threshold.
        classes: Which to report; None for all, and those it does not know are left out.

    Raises:
        WeightsError: the file is absent or no such model.
    """

    name = "mobilenet-ssd"

    def __init__(
        self, model: Path, *, threshold: float = 0.05, classes: Collection[str] | None = None
    ) -> None:
        known = frozenset(CLASSES)
        self.classes: frozenset[str] = known if classes is None else known & frozenset(classes)
        self._names = tuple(sorted(self.classes))
        self._columns = np.array([CLASSES[name] for name in self._names], np.intp)
        self._threshold = threshold
        self._session = open_session(model)
        self._priors = prior_boxes()

    def detect(self, images: Sequence[Image]) -> list[Detections]:
        """One ``Detections`` for each image (H_i, W_i, 3) BGR, in their order; [] for no images.

        Boxes are in pixels of the image and inside it; suppressed within each class group.
        """
        found: list[Detections] = []
        for start in range(0, len(images), _BATCH):
            chunk = images[start : start + _BATCH]
            batch = np.empty((len(chunk), SIZE, SIZE, 3), np.uint8)
            for square, image in zip(batch, chunk, strict=True):
                shrinks = max(image.shape[:2]) > _AREA_ABOVE
                interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
                cv2.resize(image, (SIZE, SIZE), dst=square, interpolation=interpolation)
            offsets, scores = self._session.run(["loc", "conf"], {"image": batch})
            found += [
                self._decode(offsets[i], scores[i], image.shape[1], image.shape[0])
                for i, image in enumerate(chunk)
            ]
        return found

    def _decode(
        self,
        offsets: NDArray[np.float32],
        scores: NDArray[np.float32],
        width: int,
        height: int,
    ) -> Detections:
        rows, columns = np.nonzero(scores[:, self._columns] >= self._threshold)
        if len(rows) == 0:
            return Detections.none()
        offset, prior = offsets[rows], self._priors[rows]
        centres = prior[:, :2] + offset[:, :2] * _CENTRE_VARIANCE * prior[:, 2:]
        halves = prior[:, 2:] * np.exp(offset[:, 2:] * _SIZE_VARIANCE) / 2
        relative = np.clip(np.concatenate([centres - halves, centres + halves], axis=1), 0, 1)
        boxes = relative * np.array([width, height, width, height], np.float32)
        return suppress(
            Detections(
                boxes=boxes.astype(np.float32),
                scores=scores[rows, self._columns[columns]],
                classes=tuple(self._names[column] for column in columns),
            )
        )
