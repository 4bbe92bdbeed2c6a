"""Which layout an ONNX file is of, told from the names and shapes of its inputs and outputs."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from video_detective.detection.detectors.onnx_layouts import (
    LAYOUTS,
    STRIDES,
    InputSize,
    Layout,
    cell_count,
)
from video_detective.errors import UsageError

MAX_QUERIES = 1000
"""No published end-to-end export gives more boxes than this; grids have more cells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tensor:
    """An input or output of a graph; a dimension that is not fixed is None."""

    name: str
    shape: tuple[int | None, ...]
    type: str = "tensor(float)"

    def __str__(self) -> str:
        sides = ", ".join("?" if side is None else str(side) for side in self.shape)
        return f"{self.name} ({sides})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """All that is known of a model before it sees a picture.

    Args:
        inputs, outputs: In the graph's order.
        size: (height, width) of the input as it will be used.
        metadata: The file's own notes; Ultralytics writes ``names``, ``task``, ``head`` and
            ``end2end``, YOLOv5 ``names`` and ``stride``.
    """

    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    size: InputSize
    metadata: Mapping[str, str]

    def __str__(self) -> str:
        inputs = ", ".join(str(tensor) for tensor in self.inputs)
        outputs = ", ".join(str(tensor) for tensor in self.outputs)
        return f"inputs {inputs}; outputs {outputs}"


def names_in_metadata(metadata: Mapping[str, str]) -> tuple[str, ...] | None:
    """Class names from the ``names`` note of Ultralytics exports, or None without one.

    The note is a Python literal, ``{0: 'person', 1: 'bicycle'}`` or a list.

    Raises:
        UsageError: there is a note but it is no such literal.
    """
    text = metadata.get("names")
    if text is None:
        return None
    try:
        value = ast.literal_eval(text)
        if isinstance(value, dict):
            return tuple(str(value.get(i, "")) for i in range(max(value, default=-1) + 1))
        return tuple(str(name) for name in value)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError) as cause:
        raise UsageError(
            f"The model's own class names cannot be read: {text[:80]!r}",
            remedy="Declare the class names, in the order of the model's class numbers.",
        ) from cause


def layout_named(name: str) -> Layout:
    """The layout a user declares.

    Raises:
        UsageError: there is none of that name; the text lists them.
    """
    if name not in LAYOUTS:
        raise UsageError(
            f"There is no ONNX layout {name!r}", remedy=f"Choose one of: {', '.join(LAYOUTS)}."
        )
    return LAYOUTS[name]


def recognise(signature: Signature) -> Layout:
    """The one layout that the signature fits.

    Raises:
        UsageError: it fits none or several; the text has the shapes and the layouts.
    """
    task = signature.metadata.get("task", "detect")
    if task != "detect":
        raise UsageError(
            f"The ONNX model was exported for the task {task!r}, not for detection",
            remedy="Export a detection model (task 'detect').",
        )
    fitting = _by_output_names(signature) or _by_shape(signature)
    if len(fitting) == 1:
        return LAYOUTS[fitting[0]]
    if fitting:
        raise UsageError(
            f"The ONNX model may be of several layouts, {' or '.join(fitting)} ({signature})",
            remedy="Declare which one it is as the detector's layout.",
        )
    known = "; ".join(f"{row.name} [{row.models}]: {row.shapes}" for row in LAYOUTS.values())
    raise UsageError(
        f"The ONNX model is of no layout known here ({signature})",
        remedy=f"Export it as one of these or declare the nearest: {known}.",
    )


def class_count(layout: Layout, outputs: Sequence[Tensor]) -> int | None:
    """How many classes the shapes of the layout's outputs tell; None when they do not."""
    if layout.class_axis is None:
        return None
    which, axis, values_before = layout.class_axis
    shape = outputs[which].shape
    side = shape[axis] if axis < len(shape) else None
    return None if side is None else side - values_before


def decoded_outputs(layout: Layout, outputs: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """The outputs that the layout decodes, in its order: by name, else by position.

    Raises:
        UsageError: the model has fewer outputs than the layout needs.
    """
    by_name = {output.name: output for output in outputs}
    named = tuple(
        next((by_name[name] for name in names if name in by_name), None) for names in layout.outputs
    )
    found = tuple(output for output in named if output is not None)
    if len(found) == len(layout.outputs):
        return found
    if len(outputs) < len(layout.outputs):
        raise UsageError(
            f"Layout {layout.name!r} has {len(layout.outputs)} outputs, the ONNX model only "
            f"{', '.join(str(output) for output in outputs)}",
            remedy="Declare the layout it was exported with, or leave it out.",
        )
    return tuple(outputs[: len(layout.outputs)])


def _by_output_names(signature: Signature) -> list[str]:
    shapes = {output.name: output.shape for output in signature.outputs}
    if {"labels", "boxes", "scores"} <= shapes.keys() and len(signature.inputs) == 2:
        return ["rt-detr"] if len(shapes["boxes"]) == 3 else []
    if {"dets", "labels"} <= shapes.keys() and len(signature.inputs) == 1:
        three_axes = len(shapes["dets"]) == len(shapes["labels"]) == 3
        return ["rf-detr"] if three_axes and shapes["dets"][2] in (4, None) else []
    if {"logits", "pred_boxes"} <= shapes.keys() and len(signature.inputs) == 1:
        if len(shapes["logits"]) != 3:
            return []
        # The same names from Transformers; only the official class counts tell the families apart.
        by_classes = {80: ["rt-detr-logits"], 91: ["rf-detr"]}
        return by_classes.get(shapes["logits"][2] or 0, ["rt-detr-logits", "rf-detr"])
    return []


def _by_shape(signature: Signature) -> list[str]:
    shape = signature.outputs[0].shape
    # YOLOv5 exports of 2021 also give the heads, with five axes each.
    single = all(len(other.shape) == 5 for other in signature.outputs[1:])
    if len(shape) != 3 or not single or len(signature.inputs) != 1:
        return []
    rows, columns = shape[1:]
    counts = {cell_count(signature.size, strides) for strides in STRIDES}
    names = names_in_metadata(signature.metadata)
    fitting = []
    if _fits(rows, counts) and _holds(columns, 5, names) and "stride" not in signature.metadata:
        fitting.append("yolox")  # whose exporter writes no notes
    if _fits(rows, {3 * count for count in counts}) and _holds(columns, 5, names):
        fitting.append("yolov5")
    if _fits(columns, counts) and _holds(rows, 4, names):
        fitting.append("yolov8")
    few_rows = rows is None or rows <= MAX_QUERIES
    if columns == 6 and few_rows:
        if signature.metadata.get("head") == "RTDETRDecoder":
            return ["rt-detr-ultralytics-6"]
        if "head" in signature.metadata or signature.metadata.get("end2end") == "True":
            return ["yolo-end2end"]
        fitting.append("yolo-end2end")
    two_classes = columns == 6 and names is not None and len(names) == 2
    if few_rows and _holds(columns, 4, names) and (two_classes or not fitting):
        fitting.append("rt-detr-ultralytics")  # its number of queries tells nothing
    return fitting


def _fits(side: int | None, counts: set[int]) -> bool:
    return side is None or side in counts


def _holds(side: int | None, values_before: int, names: Sequence[str] | None) -> bool:
    if side is None:
        return True
    classes = side - values_before
    return classes >= 1 and (names is None or classes == len(names))
