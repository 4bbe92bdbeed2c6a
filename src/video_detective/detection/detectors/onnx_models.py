"""A user's own ONNX detector: RF-DETR, D-FINE, RT-DETR, YOLOX, YOLOv5, YOLOv8/11, YOLO26."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors

from video_detective.detection.base import Detections
from video_detective.detection.detectors.labels import kept_by_index
from video_detective.detection.detectors.onnx_layouts import (
    Candidates,
    FloatArray,
    InputSize,
    Layout,
)
from video_detective.detection.detectors.onnx_recognition import (
    Signature,
    Tensor,
    class_count,
    decoded_outputs,
    layout_named,
    names_in_metadata,
    recognise,
)
from video_detective.detection.suppression import suppress
from video_detective.errors import MissingError, UsageError
from video_detective.geometry import Boxes, Image

MAX_FILE_BYTES = 2 * 1024**3
"""A protobuf message, and so an ONNX file, holds no more."""
MAX_BATCH = 8
"""Pictures in one run of a model with a free batch axis: bounds memory, gains nothing beyond."""
MAX_CANDIDATES = 1000
"""Best boxes of a picture that enter suppression, as in YOLOX and YOLOv5."""
PADDING = 114
"""Grey around a letterboxed picture (YOLOX ``preproc``, Ultralytics ``LetterBox``)."""
DEFAULT_SIDE = 640
"""Pixels; input side of models whose size is free (what all these families train at)."""

_ORT_ERRORS: tuple[type[Exception], ...] = (
    ort_errors.EPFail,
    ort_errors.Fail,
    ort_errors.InvalidArgument,
    ort_errors.InvalidGraph,
    ort_errors.InvalidProtobuf,
    ort_errors.NoModel,
    ort_errors.NoSuchFile,
    ort_errors.NotFound,
    ort_errors.NotImplemented,
    ort_errors.RuntimeException,
)
_NUMBER_TYPES = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Placement:
    """Where a picture lies on the model's input: ``input = picture * scale + offset``."""

    scale: tuple[float, float]
    offset: tuple[float, float]
    width: int
    height: int

    def to_picture(self, boxes: FloatArray) -> Boxes:
        """Boxes (N, 4) in pixels of the picture, cut off at its edges."""
        scale = np.array(self.scale * 2, np.float32)
        offset = np.array(self.offset * 2, np.float32)
        limits = np.array((self.width, self.height) * 2, np.float32)
        return np.asarray(np.clip((boxes - offset) / scale, 0, limits), dtype=np.float32)


class OnnxDetector:
    """Any detector exported to ONNX in one of the layouts of ``onnx_layouts``.

    Args:
        path: The file.
        classes: Classes to keep (of ``CLASS_GROUPS``); None keeps all the model has. Those that
            it does not have are left out of ``classes``.
        threshold: Scores below are dropped, 0..1.
        layout: A name of ``LAYOUTS``; None recognises it.
        class_names: The model's class names in the order of its numbers ("" for unused ones);
            None takes those in the file, else COCO's where the number of classes fits.
        side: Input side in pixels for a model whose size is free.
        device: ``cuda`` is used where ONNX Runtime has it, else the CPU.

    Attributes:
        name: ``onnx``.
        classes: Classes that can come out.
        layout: The layout in use.
        class_names: The model's class names in use.

    Raises:
        MissingError: there is no such file.
        UsageError: it is no ONNX detector, its layout or class names are unknown, or it has none
            of the wanted classes.
    """

    name: str = "onnx"

    def __init__(
        self,
        path: Path,
        *,
        classes: Collection[str] | None = None,
        threshold: float = 0.4,
        layout: str | None = None,
        class_names: Sequence[str] | None = None,
        side: int = DEFAULT_SIDE,
        device: Literal["cpu", "cuda"] = "cpu",
    ) -> None:
        self._path = path
        self._threshold = threshold
        self._session = _open(path, device)
        signature, self._batch = _signature(path, self._session, side)
        self._size = signature.size
        self.layout: Layout = recognise(signature) if layout is None else layout_named(layout)
        if len(signature.inputs) != 1 + self.layout.target_sizes:
            raise UsageError(
                f"Layout {self.layout.name!r} has {1 + self.layout.target_sizes} inputs, "
                f"{path.name!r} has {len(signature.inputs)} ({signature})",
                remedy="Declare the layout it was exported with, or leave it out.",
            )
        self._inputs = signature.inputs
        outputs = decoded_outputs(self.layout, signature.outputs)
        self._output_names = [output.name for output in outputs]
        self.class_names: tuple[str, ...] = _class_names(
            path, self.layout, class_count(self.layout, outputs), class_names, signature.metadata
        )
        wanted = None if classes is None else frozenset(classes)
        self._kept = kept_by_index(self.class_names, wanted)
        self.classes: frozenset[str] = frozenset(name for name in self._kept if name is not None)
        if not self.classes:
            asked = "any class known here" if wanted is None else ", ".join(sorted(wanted))
            raise UsageError(
                f"{path.name!r} cannot find {asked}: it knows {', '.join(self.class_names[:20])}",
                remedy="Watch for classes it knows, or declare its class names.",
            )

    def detect(self, images: Sequence[Image]) -> list[Detections]:
        """One ``Detections`` for each image (H_i, W_i, 3) BGR, in their order; [] for no images.

        Raises:
            UsageError: the model's outputs are not of its layout, or it gives class numbers that
                it has no names for.
        """
        chunk = self._batch or MAX_BATCH
        found: list[Detections] = []
        for start in range(0, len(images), chunk):
            found += self._detect_batch(images[start : start + chunk])
        return found

    def _detect_batch(self, images: Sequence[Image]) -> list[Detections]:
        rows = self._batch or len(images)
        height, width = self._size
        batch = np.zeros((rows, 3, height, width), np.float32)
        placements = [
            _place(image, self.layout, self._size, batch[i]) for i, image in enumerate(images)
        ]
        feed: dict[str, NDArray[Any]] = {
            self._inputs[0].name: batch.astype(_NUMBER_TYPES[self._inputs[0].type], copy=False)
        }
        if self.layout.target_sizes:
            # The input's own size, so that boxes come in its pixels as with every other layout.
            sizes = np.tile(np.array([width, height]), (rows, 1))
            feed[self._inputs[1].name] = sizes.astype(_NUMBER_TYPES[self._inputs[1].type])
        arrays = _run(self._path, self._session, self._output_names, feed)
        if any(array.ndim == 0 or len(array) != rows for array in arrays):
            raise UsageError(
                f"{self._path.name!r} gave outputs {[array.shape for array in arrays]} "
                f"for {rows} pictures",
                remedy="Export it with the batch as first axis of every output.",
            )
        return [
            self._kept_of(self.layout.decode([array[i] for array in arrays], self._size), placement)
            for i, placement in enumerate(placements)
        ]

    def _kept_of(self, candidates: Candidates, placement: _Placement) -> Detections:
        sure = candidates.scores >= self._threshold
        boxes = placement.to_picture(candidates.boxes[sure])
        scores = np.clip(candidates.scores[sure], 0, 1)
        indices = candidates.indices[sure]
        if len(indices) and not 0 <= int(indices.min()) <= int(indices.max()) < len(self._kept):
            raise UsageError(
                f"{self._path.name!r} gave class number {int(indices.max())}, "
                f"but {len(self._kept)} class names are known",
                remedy="Declare its class names, in the order of its class numbers.",
            )
        names = [self._kept[i] for i in indices]
        # Also false for boxes that are not numbers.
        real = np.all(boxes[:, 2:] > boxes[:, :2], axis=1).tolist()
        order = np.argsort(-scores, kind="stable")
        chosen = [i for i in order if real[i] and names[i] is not None]
        if self.layout.suppress_iou is not None:
            chosen = chosen[:MAX_CANDIDATES]
        detections = Detections(
            boxes=boxes[chosen],
            scores=scores[chosen],
            classes=tuple(name for name in (names[i] for i in chosen) if name is not None),
        )
        if self.layout.suppress_iou is None:
            return detections
        # A box inside another is no tile's remainder here: the model saw the whole picture.
        return suppress(detections, iou=self.layout.suppress_iou, ios=math.inf)


def _open(path: Path, device: str) -> ort.InferenceSession:
    if not path.is_file():
        raise MissingError(
            f"There is no model file {str(path)!r}", remedy="Check the detector's model setting."
        )
    size = path.stat().st_size
    if size > MAX_FILE_BYTES:
        raise UsageError(
            f"{path.name!r} has {size / 1024**3:.1f} GiB, an ONNX file at most 2",
            remedy="Export a smaller model.",
        )
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # As for our own models: without it 8-bit weights overflow on processors without VNNI.
    options.add_session_config_entry("session.x64quantprecision", "1")
    options.log_severity_level = 3  # warnings about a user's graph help nobody
    providers = ["CPUExecutionProvider"]
    if device == "cuda" and "CUDAExecutionProvider" in ort.get_available_providers():
        providers.insert(0, "CUDAExecutionProvider")
    try:
        return ort.InferenceSession(str(path), options, providers=providers)
    except _ORT_ERRORS as cause:
        raise UsageError(
            f"{path.name!r} cannot be loaded as an ONNX model: {cause}",
            remedy="Give a model exported to ONNX, with its external data file beside it if any.",
        ) from cause


def _signature(
    path: Path, session: ort.InferenceSession, side: int
) -> tuple[Signature, int | None]:
    """What the model says of itself, and the size of its batches (None: free)."""
    inputs, outputs = _tensors(session.get_inputs()), _tensors(session.get_outputs())
    shape = inputs[0].shape if inputs else ()
    height, width = shape[2:4] if len(shape) == 4 else (None, None)
    size = (height or side, width or side)
    batch = shape[0] if shape else None
    signature = Signature(
        inputs=inputs,
        outputs=outputs,
        size=size,
        metadata=dict(session.get_modelmeta().custom_metadata_map),
    )
    if len(shape) != 4 or shape[1] not in (3, None):
        raise UsageError(
            f"The first input of {path.name!r} is no batch of colour pictures "
            f"(N, 3, height, width) ({signature})",
            remedy="Export a detector for pictures, with channels before height and width.",
        )
    unknown = [tensor for tensor in inputs if tensor.type not in _NUMBER_TYPES]
    if unknown:
        raise UsageError(
            f"Input {unknown[0].name!r} of {path.name!r} takes {unknown[0].type}",
            remedy="Export it with float32 or float16 inputs.",
        )
    if len(inputs) > 1 or all(None not in output.shape[1:] for output in outputs):
        return signature, batch
    # Exporters leave even fixed sides unnamed (Ultralytics with dynamic=True): one run tells.
    blank = np.zeros((batch or 1, 3, *size), _NUMBER_TYPES[inputs[0].type])
    results = _run(path, session, [output.name for output in outputs], {inputs[0].name: blank})
    measured = tuple(
        replace(output, shape=(output.shape[0] if output.shape else None, *result.shape[1:]))
        for output, result in zip(outputs, results, strict=True)
    )
    return replace(signature, outputs=measured), batch


def _tensors(nodes: Sequence[ort.NodeArg]) -> tuple[Tensor, ...]:
    return tuple(
        Tensor(
            name=node.name,
            shape=tuple(length if isinstance(length, int) else None for length in node.shape),
            type=node.type,
        )
        for node in nodes
    )


def _run(
    path: Path,
    session: ort.InferenceSession,
    outputs: Sequence[str],
    feed: Mapping[str, NDArray[Any]],
) -> list[FloatArray]:
    try:
        results = session.run(list(outputs), dict(feed))
    except _ORT_ERRORS as cause:
        shapes = ", ".join(f"{name} {value.shape}" for name, value in feed.items())
        raise UsageError(
            f"{path.name!r} cannot process {shapes}: {cause}",
            remedy="Export it with a fixed input size, or declare the side it was made for.",
        ) from cause
    return [np.asarray(result, np.float32) for result in results]


def _class_names(
    path: Path,
    layout: Layout,
    count: int | None,
    declared: Sequence[str] | None,
    metadata: Mapping[str, str],
) -> tuple[str, ...]:
    names = tuple(declared) if declared is not None else names_in_metadata(metadata)
    if names is None:
        names = layout.default_names.get(count)
        if names is None and count is None:
            names = next(iter(layout.default_names.values()))
    if names is None:
        raise UsageError(
            f"{path.name!r} has {count} classes, but no names of them",
            remedy=f"Declare its {count} class names, in the order of its class numbers.",
        )
    if count is not None and layout.background_last and len(names) == count - 1:
        names = (*names, "")
    if count is not None and len(names) != count:
        raise UsageError(
            f"{path.name!r} has {count} classes, but {len(names)} names were given",
            remedy=f"Declare {count} class names, in the order of its class numbers.",
        )
    return names


def _place(image: Image, layout: Layout, size: InputSize, out: FloatArray) -> _Placement:
    """Write the picture into ``out`` (3, height, width) as the layout wants it."""
    height, width = image.shape[:2]
    ratio = min(size[0] / height, size[1] / width)
    if layout.fit == "stretch":
        new_width, new_height = size[1], size[0]
    elif layout.fit == "centre":
        new_width, new_height = max(1, round(width * ratio)), max(1, round(height * ratio))
    else:
        new_width, new_height = max(1, int(width * ratio)), max(1, int(height * ratio))
    left = top = 0
    if layout.fit == "centre":
        # Ultralytics' LetterBox: an odd pixel of padding goes to the right and the bottom.
        left = round((size[1] - new_width) / 2 - 0.1)
        top = round((size[0] - new_height) / 2 - 0.1)
    shrinks = new_width < width and new_height < height
    method = cv2.INTER_AREA if layout.antialias and shrinks else cv2.INTER_LINEAR
    canvas = np.full((size[0], size[1], 3), PADDING, np.uint8)
    canvas[top : top + new_height, left : left + new_width] = cv2.resize(
        image, (new_width, new_height), interpolation=method
    )
    channels = canvas[:, :, ::-1] if layout.rgb else canvas
    np.multiply(channels.transpose(2, 0, 1), np.float32(layout.scale), out=out)
    if layout.mean is not None and layout.std is not None:
        out -= np.array(layout.mean, np.float32)[:, None, None]
        out /= np.array(layout.std, np.float32)[:, None, None]
    # By the rounded size, which is what was drawn (Ultralytics ``scale_boxes`` since 8.4).
    return _Placement(
        scale=(new_width / width, new_height / height),
        offset=(left, top),
        width=width,
        height=height,
    )
