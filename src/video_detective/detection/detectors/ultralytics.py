"""Weights run by the Ultralytics package itself (``.pt`` and whatever else it opens)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from video_detective.detection.base import Detections
from video_detective.detection.detectors.labels import kept_by_index
from video_detective.errors import MissingError, UsageError
from video_detective.geometry import Image

SUPPRESS_IOU = 0.7
"""Ultralytics' own default for ``predict``."""


class Tensor(Protocol):
    """What is used of a ``torch.Tensor``."""

    def cpu(self) -> Tensor:
        """The tensor in main memory."""
        ...

    def numpy(self) -> NDArray[np.float32]:
        """The tensor as an array."""
        ...


class Boxes(Protocol):
    """Of one picture: ``xyxy`` (N, 4) in its pixels, ``conf`` (N,) and ``cls`` (N,)."""

    xyxy: Tensor
    conf: Tensor
    cls: Tensor


class Result(Protocol):
    """What was found in one picture; ``boxes`` is None for models that give none."""

    boxes: Boxes | None


class Model(Protocol):
    """What is used of ``ultralytics.YOLO``."""

    names: Mapping[int, str]

    def predict(
        self, source: list[Image], *, conf: float, iou: float, imgsz: int, verbose: bool
    ) -> Sequence[Result]:
        """One result for each picture, in their order."""
        ...


def load_model(path: Path, device: str) -> Model:
    """The weights as Ultralytics loads them; ``cuda`` where PyTorch has it, else the CPU.

    Raises:
        UsageError: the package is not installed, or it cannot open the file.
    """
    try:
        from ultralytics import YOLO
        from ultralytics.utils.torch_utils import torch
    except ImportError as cause:
        raise UsageError(
            "The detector 'ultralytics' needs the package ultralytics, which is not installed "
            "(its licence is AGPL-3.0: whoever offers a service with it must offer the source)",
            remedy="Run pip install 'video-detective[ultralytics]', or export the model to ONNX "
            "and use the detector 'onnx'.",
        ) from cause
    try:
        model: Model = YOLO(str(path))
    except Exception as cause:  # it raises whatever unpickling does
        raise UsageError(
            f"Ultralytics cannot open {path.name!r}: {cause}",
            remedy="Give detection weights of Ultralytics, such as a .pt file it trained.",
        ) from cause
    wanted = "cuda" if device == "cuda" and torch.cuda.is_available() else "cpu"
    model.overrides["device"] = wanted  # type: ignore[attr-defined]
    return model


class UltralyticsDetector:
    """A detector whose weights the Ultralytics package runs (extra ``ultralytics``, AGPL-3.0).

    A ``.pt`` file is a Python pickle and runs code when it is opened: use only files of a source
    you trust.

    Args:
        path: The weights.
        classes: Classes to keep (of ``CLASS_GROUPS``); None keeps all the model has.
        threshold: Scores below are dropped, 0..1.
        class_names: The model's class names in the order of its numbers; None takes its own.
        side: Longest side in pixels to which pictures are scaled.
        device: ``cuda`` is used where PyTorch has it, else the CPU.
        load: Opens the weights.

    Attributes:
        name: ``ultralytics``.
        classes: Classes that can come out.

    Raises:
        MissingError: there is no such file (it is never fetched from the network).
        UsageError: the package is absent, cannot open the file, or the model has none of the
            wanted classes.
    """

    name: str = "ultralytics"

    def __init__(
        self,
        path: Path,
        *,
        classes: Collection[str] | None = None,
        threshold: float = 0.4,
        class_names: Sequence[str] | None = None,
        side: int = 640,
        device: Literal["cpu", "cuda"] = "cpu",
        load: Callable[[Path, str], Model] = load_model,
    ) -> None:
        if not path.is_file():
            raise MissingError(
                f"There is no model file {str(path)!r}",
                remedy="Check the detector's model setting.",
            )
        self._path = path
        self._threshold = threshold
        self._side = side
        self._model = load(path, device)
        own = self._model.names
        names = (
            [own.get(i, "") for i in range(max(own, default=-1) + 1)]
            if class_names is None
            else list(class_names)
        )
        self._kept = kept_by_index(names, None if classes is None else frozenset(classes))
        self.classes: frozenset[str] = frozenset(name for name in self._kept if name is not None)
        if not self.classes:
            raise UsageError(
                f"{path.name!r} has none of the wanted classes: it knows {', '.join(names[:20])}",
                remedy="Watch for classes it knows, or declare its class names.",
            )

    def detect(self, images: Sequence[Image]) -> list[Detections]:
        """One ``Detections`` for each image (H_i, W_i, 3) BGR, in their order; [] for no images."""
        if not images:
            return []  # Ultralytics answers an empty list with its own sample pictures
        results = self._model.predict(
            list(images),
            conf=self._threshold,
            iou=SUPPRESS_IOU,
            imgsz=self._side,
            verbose=False,
        )
        return [self._kept_of(result, image) for result, image in zip(results, images, strict=True)]

    def _kept_of(self, result: Result, image: Image) -> Detections:
        if result.boxes is None:
            raise UsageError(
                f"{self._path.name!r} gives no boxes", remedy="Use weights for detection."
            )
        scores = np.asarray(result.boxes.conf.cpu().numpy(), np.float32)
        indices = result.boxes.cls.cpu().numpy().astype(np.intp)
        height, width = image.shape[:2]
        limits = np.array([width, height, width, height], np.float32)
        boxes = np.asarray(np.clip(result.boxes.xyxy.cpu().numpy(), 0, limits), np.float32)
        names = [self._kept[i] if i < len(self._kept) else None for i in indices]
        real = np.all(boxes[:, 2:] > boxes[:, :2], axis=1).tolist()
        order = np.argsort(-scores, kind="stable")
        chosen = [i for i in order if real[i] and names[i] is not None]
        return Detections(
            boxes=boxes[chosen].reshape(-1, 4),
            scores=scores[chosen],
            classes=tuple(name for name in (names[i] for i in chosen) if name is not None),
        )
