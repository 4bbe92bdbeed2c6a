"""A user's own ONNX model of pedestrian attributes, in the order of PA-100K or of PP-Human."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from video_detective.attributes.base import Attributes
from video_detective.attributes.colour import MIN_HEIGHT_PX, Box
from video_detective.detection.detectors.session import open_session
from video_detective.errors import WeightsError
from video_detective.geometry import Image

Labels = Literal["pa100k", "pphuman"]
LABELS: dict[Labels, tuple[str, ...]] = {
    "pa100k": (
        "female", "age_over60", "age18_to60", "age_less18", "front", "side", "back",
        "hat", "glasses", "hand_bag", "shoulder_bag", "backpack", "hold_objects_in_front",
        "short_sleeve", "long_sleeve", "", "", "", "", "", "",
        "long_coat", "trousers", "shorts", "skirt_dress", "boots",
    ),
    "pphuman": (
        "hat", "glasses", "short_sleeve", "long_sleeve", "", "", "", "", "", "",
        "long_coat", "trousers", "shorts", "skirt_dress", "boots",
        "hand_bag", "shoulder_bag", "backpack", "hold_objects_in_front",
        "age_over60", "age18_to60", "age_less18", "female", "front", "side", "back",
    ),
}  # fmt: skip
"""What each output is; "" for patterns of clothes, which are not counted.

Source: the data set's ``annotation.mat`` (Liu et al., "HydraPlus-Net", ICCV 2017), and
PaddleDetection's ``pphuman_attribute.md``, whose models give the same 26 in another order.
"""

COUNT = 26
_SIZE = (256, 192)
"""Height and width to which crops are stretched where the model leaves them free."""
_MEAN = np.array((0.485, 0.456, 0.406), np.float32)
_STD = np.array((0.229, 0.224, 0.225), np.float32)
_ONE_OF = (("age_less18", "age18_to60", "age_over60"), ("front", "side", "back"))
_BATCH = 16
_LEAST = 0.5
_LEAST_OF = {"pphuman": {"glasses": 0.3, "hold_objects_in_front": 0.6}}
"""From which probability an attribute counts; PP-Human's own post-processing has two others."""
_NUMBERS = {"tensor(float)": np.float32, "tensor(float16)": np.float16}


class PersonModel:
    """Counts of attributes by a model of crops of persons.

    Args:
        path: The ONNX file: one input (N, 3, height, width) of RGB in 0..1 less ImageNet's mean
            by its deviation, one output (N, 26) of probabilities, or of logits (one look at blank
            and noisy pictures tells which).
        labels: In which order.

    Raises:
        WeightsError: the file is absent or is no such model; the text says what was found.
    """

    def __init__(self, path: Path, *, labels: Labels = "pa100k") -> None:
        self._path = path
        self._labels: Labels = labels
        self._session = open_session(path)
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        shape = tuple(inputs[0].shape) if inputs else ()
        fitting = len(inputs) == 1 and len(shape) == 4 and shape[1] in (3, None)
        if not (fitting or (len(shape) == 4 and isinstance(shape[1], str))):
            raise self._unfit(f"takes {_shapes(inputs)}", "one input (N, 3, height, width)")
        if inputs[0].type not in _NUMBERS:
            raise self._unfit(f"takes {inputs[0].type}", "float32 or float16 inputs")
        self._input = inputs[0].name
        self._kind = _NUMBERS[inputs[0].type]
        self._batch = shape[0] if isinstance(shape[0], int) else None
        height, width = (
            side if isinstance(side, int) else usual
            for side, usual in zip(shape[2:], _SIZE, strict=True)
        )
        self._height, self._width = height, width
        rng = np.random.default_rng(0)
        probes = [
            np.zeros((height, width, 3), np.uint8),
            np.full((height, width, 3), 128, np.uint8),
        ]
        probes.append(rng.integers(0, 256, (height, width, 3)).astype(np.uint8))
        scores = self._run(probes, f"gives {_shapes(outputs)}")
        self._is_logits = bool((scores < 0).any() or (scores > 1).any())

    def count(self, picture: Image, persons: Sequence[Box]) -> Attributes:
        """How many of the persons have each attribute; colours are not told.

        Persons of less than 32 pixels are not judged and count to nothing; where nobody could be
        judged everything is None. Age and direction are the likeliest of theirs; whoever is not
        female counts as male.
        """
        crops = [crop for box in persons if (crop := _crop(picture, box)) is not None]
        if not crops:
            return Attributes()
        scores = self._run(crops, "")
        if self._is_logits:
            scores = np.reciprocal(1 + np.exp(-np.clip(scores, -60, 60)), dtype=np.float32)
        labels = LABELS[self._labels]
        by_name = {name: scores[:, index] for index, name in enumerate(labels) if name}
        least = _LEAST_OF.get(self._labels, {})
        counts = {
            name: int((values >= least.get(name, _LEAST)).sum()) for name, values in by_name.items()
        }
        for group in _ONE_OF:
            likeliest = np.argmax(np.stack([by_name[name] for name in group]), axis=0)
            counts |= {name: int((likeliest == index).sum()) for index, name in enumerate(group)}
        return Attributes(**counts, male=len(crops) - counts["female"])

    def _run(self, crops: Sequence[Image], described: str) -> NDArray[np.float32]:
        """(N, 26) scores of crops of any size.

        Raises:
            WeightsError: the model cannot run on them, or gives something else.
        """
        blob = np.stack([self._prepared(crop) for crop in crops])
        size = self._batch or _BATCH
        found = []
        for start in range(0, len(blob), size):
            part = blob[start : start + size]
            lacking = size - len(part) if self._batch is not None else 0
            filled = np.concatenate([part, np.repeat(part[-1:], lacking, axis=0)])
            try:
                results: list[Any] = self._session.run(None, {self._input: filled})
            except Exception as error:  # ONNX Runtime's exceptions share no other base class
                raise self._unfit(
                    f"cannot run on {filled.shape}: {str(error).splitlines()[0]}",
                    "one input (N, 3, 256, 192)",
                ) from error
            scores = np.asarray(results[0], np.float32)
            if len(results) != 1 or scores.shape != (len(filled), COUNT):
                shapes = ", ".join(str(np.shape(result)) for result in results)
                raise self._unfit(
                    f"{described or 'gives other outputs'}: {shapes} for {len(filled)} persons",
                    f"one output (N, {COUNT}), one score for each label of PA-100K",
                )
            found.append(scores[: len(part)])
        return np.concatenate(found)

    def _prepared(self, crop: Image) -> NDArray[Any]:
        sized = cv2.resize(crop, (self._width, self._height), interpolation=cv2.INTER_LINEAR)
        rgb = np.asarray(sized, np.float32)[:, :, ::-1] / 255
        return ((rgb - _MEAN) / _STD).transpose(2, 0, 1).astype(self._kind)

    def _unfit(self, found: str, wanted: str) -> WeightsError:
        return WeightsError(
            f"Attribute model {str(self._path)!r} {found}",
            remedy=f"Export it with {wanted}, or leave `attributes.model` out.",
        )


def _crop(picture: Image, box: Box) -> Image | None:
    height, width = picture.shape[:2]
    x1, x2 = (min(max(round(v), 0), width) for v in (box[0], box[2]))
    y1, y2 = (min(max(round(v), 0), height) for v in (box[1], box[3]))
    if y2 - y1 < MIN_HEIGHT_PX or x2 - x1 < 2:
        return None
    return picture[y1:y2, x1:x2]


def _shapes(nodes: Sequence[ort.NodeArg]) -> str:
    return ", ".join(f"{node.name!r} {tuple(node.shape)}" for node in nodes) or "nothing"
