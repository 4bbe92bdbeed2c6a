"""The forms in which published detectors are exported to ONNX, as data rows.

A layout says how a picture becomes the model's input and how its outputs become boxes. Boxes are
decoded to pixels of the model's *input*, so that one inverse of the resize serves every family.

Sources (each read at its repository or documentation):
    rf-detr: RF-DETR, ``src/rfdetr/export/main.py`` and the page "ONNX Inference": input
        ``input``; outputs ``dets`` (normalised cxcywh) and ``labels`` (logits, sigmoid); plain
        resize without antialiasing, RGB, 0..1, ImageNet mean and deviation; no suppression.
    rt-detr: RT-DETR (lyuwenyu) and D-FINE (Peterande), ``tools/deployment/export_onnx.py``,
        ``tools/inference/onnx_inf.py`` and ``postprocessor.py``: inputs ``images`` and
        ``orig_target_sizes`` (width, height); outputs ``labels``, ``boxes`` (xyxy in the size
        given), ``scores``; resize by PIL (antialiased), RGB, 0..1, no mean.
    rt-detr-logits: the same networks from Hugging Face Transformers: ``pixel_values`` to
        ``logits`` and ``pred_boxes``; ``preprocessor_config.json`` has ``do_normalize: false``.
    rt-detr-ultralytics: Ultralytics, ``examples/RTDETR-ONNXRuntime-Python``: ``output0``
        (1, 300, 4 + classes), normalised cxcywh and scores; plain resize, RGB, 0..1.
    rt-detr-ultralytics-6: the same since Ultralytics 8.4 (``RTDETRDecoder.postprocess``):
        (1, 300, 6), normalised cxcywh, score, class. The file's note ``head`` says so; the shape
        alone is that of yolo-end2end.
    yolox: YOLOX (Megvii), ``demo/ONNXRuntime``, ``yolox/utils/demo_utils.py`` and
        ``data_augment.preproc``: letterbox to the top left on grey 114, BGR 0..255; raw offsets
        and log sizes on the grids of strides 8, 16 and 32; suppression at .45.
    yolov5: YOLOv5, ``export.py``: (1, 25200, 85) at 640: cxcywh in pixels, objectness, classes.
    yolov8: Ultralytics (also YOLO11 and YOLOv5u), ``examples/YOLOv8-ONNXRuntime``: (1, 84, 8400).
        YOLO26 and YOLOv10 too, unless exported end to end.
    yolo-end2end: Ultralytics guide "End-to-end detection": YOLO26 and YOLOv10 exported without
        suppression to come (``nms=False``), and any export with ``nms=True``: (1, 300, 6) with
        xyxy in input pixels, score, class.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from video_detective.detection.detectors.labels import COCO_80, COCO_91
from video_detective.errors import UsageError

FloatArray = NDArray[np.float32]
InputSize = tuple[int, int]
"""(height, width) of the model's input, in pixels."""

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
MAX_LOG_SIDE = 20.0
"""A raw YOLOX side is the logarithm of strides: e^20 strides is no picture, but decoded pixels."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Candidates:
    """Everything a model says of one picture, unfiltered.

    Args:
        boxes: (N, 4) float32 xyxy in pixels of the model's input.
        scores: (N,) float32.
        indices: (N,) class numbers.
    """

    boxes: FloatArray
    scores: FloatArray
    indices: NDArray[np.intp]


Decode = Callable[[Sequence[FloatArray], InputSize], Candidates]
"""From one picture's outputs (batch axis removed, in the layout's order) and the input's size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """One form of export.

    Args:
        name: What a user declares.
        models: Whose exports look so, for people.
        shapes: Its outputs, for people.
        outputs: For each output to be decoded the names it may bear, in the exporter's order.
        decode: Turns the outputs into boxes.
        fit: ``stretch`` to the input's size, or keep the aspect ratio on grey 114 with the
            picture in the middle (``centre``) or in the corner (``top_left``).
        rgb: Whether channels are in RGB order (else BGR).
        scale: Factor on 0..255 values.
        mean, std: Subtracted and divided by after scaling, in the model's channel order.
        antialias: Whether the exporter's resize averages when it shrinks.
        suppress_iou: IoU of non-maximum suppression; None when the model needs none.
        target_sizes: Whether a second input takes the size (width, height) to scale boxes to.
        class_axis: (output, axis, values before the classes) that tell the number of classes;
            None when no shape does.
        default_names: Class names by number of classes (None: not known), used when the file has
            none.
        background_last: Whether the last class number may be an unnamed background.
    """

    name: str
    models: str
    shapes: str
    outputs: tuple[tuple[str, ...], ...]
    decode: Decode
    fit: Literal["stretch", "centre", "top_left"]
    rgb: bool = True
    scale: float = 1 / 255
    mean: tuple[float, float, float] | None = None
    std: tuple[float, float, float] | None = None
    antialias: bool = False
    suppress_iou: float | None = None
    target_sizes: bool = False
    class_axis: tuple[int, int, int] | None = None
    default_names: Mapping[int | None, tuple[str, ...]]
    background_last: bool = False


def _corners(centres: FloatArray, sides: FloatArray) -> FloatArray:
    return np.concatenate([centres - sides / 2, centres + sides / 2], axis=1)


def _best(boxes: FloatArray, class_scores: FloatArray) -> Candidates:
    indices = class_scores.argmax(axis=1)
    scores = np.take_along_axis(class_scores, indices[:, None], axis=1)[:, 0]
    return Candidates(boxes=boxes, scores=scores, indices=indices)


def _pixels(size: InputSize) -> FloatArray:
    return np.array([size[1], size[0]], np.float32)


def _expect(fits: bool, layout: str, outputs: Sequence[FloatArray]) -> None:
    if not fits:
        shapes = ", ".join(str(tuple(output.shape)) for output in outputs)
        raise UsageError(
            f"The model's outputs {shapes} (without the batch) are not of layout {layout!r}",
            remedy="Declare the layout it was exported with, or leave it out.",
            layout=layout,
        )


def _decode_queries(outputs: Sequence[FloatArray], size: InputSize) -> Candidates:
    boxes, logits = outputs
    _expect(boxes.shape == (len(logits), 4) and logits.ndim == 2, "rf-detr", outputs)
    with np.errstate(over="ignore"):  # exp of a very negative logit: its sigmoid is 0 all the same
        scores = np.reciprocal(1 + np.exp(-logits), dtype=np.float32)
    pixels = _pixels(size)
    return _best(_corners(boxes[:, :2] * pixels, boxes[:, 2:] * pixels), scores)


def _decode_labelled(outputs: Sequence[FloatArray], size: InputSize) -> Candidates:
    labels, boxes, scores = outputs
    _expect(boxes.shape == (len(labels), 4) and scores.shape == labels.shape, "rt-detr", outputs)
    return Candidates(boxes=boxes, scores=scores, indices=labels.astype(np.intp))


def _decode_probabilities(outputs: Sequence[FloatArray], size: InputSize) -> Candidates:
    (rows,) = outputs
    _expect(rows.ndim == 2 and rows.shape[1] > 4, "rt-detr-ultralytics", outputs)
    pixels = _pixels(size)
    return _best(_corners(rows[:, :2] * pixels, rows[:, 2:4] * pixels), rows[:, 4:])


def _decode_yolox(outputs: Sequence[FloatArray], size: InputSize) -> Candidates:
    (rows,) = outputs
    strides = next((s for s in STRIDES if cell_count(size, s) == len(rows)), None)
    _expect(rows.ndim == 2 and rows.shape[1] > 5 and strides is not None, "yolox", outputs)
    if len(rows) and float(rows[:, 2:4].max()) > MAX_LOG_SIDE:
        raise UsageError(
            "The YOLOX model's boxes are decoded already (exported with --decode_in_inference)",
            remedy="Declare the layout 'yolox-decoded'.",
        )
    cells, steps = [], []
    for stride in strides or ():
        height, width = size[0] // stride, size[1] // stride
        y, x = np.mgrid[:height, :width]
        cells.append(np.stack([x.ravel(), y.ravel()], axis=1))
        steps.append(np.full((height * width, 1), stride))
    step = np.concatenate(steps).astype(np.float32)
    centres = (rows[:, :2] + np.concatenate(cells).astype(np.float32)) * step
    return _best(_corners(centres, np.exp(rows[:, 2:4]) * step), rows[:, 4:5] * rows[:, 5:])


def _decode_objectness(outputs: Sequence[FloatArray], size: InputSize) -> Candidates:
    (rows,) = outputs
    _expect(rows.ndim == 2 and rows.shape[1] > 5, "yolov5", outputs)
    return _best(_corners(rows[:, :2], rows[:, 2:4]), rows[:, 4:5] * rows[:, 5:])


def _decode_channels_first(outputs: Sequence[FloatArray], size: InputSize) -> Candidates:
    (columns,) = outputs
    _expect(columns.ndim == 2 and columns.shape[0] > 4, "yolov8", outputs)
    rows = columns.T
    return _best(_corners(rows[:, :2], rows[:, 2:4]), rows[:, 4:])


def _decode_six(outputs: Sequence[FloatArray], size: InputSize) -> Candidates:
    (rows,) = outputs
    _expect(rows.ndim == 2 and rows.shape[1] == 6, "rt-detr-ultralytics-6", outputs)
    pixels = _pixels(size)
    return Candidates(
        boxes=_corners(rows[:, :2] * pixels, rows[:, 2:4] * pixels),
        scores=rows[:, 4],
        indices=rows[:, 5].astype(np.intp),
    )


def _decode_final(outputs: Sequence[FloatArray], size: InputSize) -> Candidates:
    (rows,) = outputs
    _expect(rows.ndim == 2 and rows.shape[1] == 6, "yolo-end2end", outputs)
    return Candidates(boxes=rows[:, :4], scores=rows[:, 4], indices=rows[:, 5].astype(np.intp))


STRIDES = ((8, 16, 32), (8, 16, 32, 64), (4, 8, 16, 32))
"""Strides of the heads of usual, P6 and P2 models."""


def cell_count(size: InputSize, strides: Sequence[int]) -> int:
    """How many grid cells the heads of these strides have on an input of this size.

    >>> cell_count((640, 640), (8, 16, 32))
    8400
    """
    return sum((size[0] // stride) * (size[1] // stride) for stride in strides)


_ONE = (("output0", "output"),)
_COCO_BY_80: Mapping[int | None, tuple[str, ...]] = {None: COCO_80, 80: COCO_80}

LAYOUTS: Mapping[str, Layout] = {
    layout.name: layout
    for layout in (
        Layout(
            name="rf-detr",
            models="RF-DETR",
            shapes="dets (1, N, 4) and labels (1, N, classes)",
            outputs=(("dets", "pred_boxes"), ("labels", "logits", "pred_logits")),
            decode=_decode_queries,
            fit="stretch",
            mean=IMAGENET_MEAN,
            std=IMAGENET_STD,
            class_axis=(1, 2, 0),
            default_names={91: COCO_91},
            background_last=True,
        ),
        Layout(
            name="rt-detr",
            models="RT-DETR, RT-DETRv2, D-FINE, DEIM",
            shapes="labels (1, N), boxes (1, N, 4) and scores (1, N)",
            outputs=(("labels",), ("boxes",), ("scores",)),
            decode=_decode_labelled,
            fit="stretch",
            antialias=True,
            target_sizes=True,
            default_names=_COCO_BY_80,
        ),
        Layout(
            name="rt-detr-logits",
            models="RT-DETR and D-FINE from Transformers",
            shapes="logits (1, N, classes) and pred_boxes (1, N, 4)",
            outputs=(("pred_boxes",), ("logits", "pred_logits")),
            decode=_decode_queries,
            fit="stretch",
            antialias=True,
            class_axis=(1, 2, 0),
            default_names={80: COCO_80},
        ),
        Layout(
            name="rt-detr-ultralytics",
            models="RT-DETR from Ultralytics",
            shapes="(1, 300, 4 + classes)",
            outputs=_ONE,
            decode=_decode_probabilities,
            fit="stretch",
            class_axis=(0, 2, 4),
            default_names={80: COCO_80},
        ),
        Layout(
            name="rt-detr-ultralytics-6",
            models="RT-DETR from Ultralytics 8.4 or later",
            shapes="(1, 300, 6), cxcywh",
            outputs=_ONE,
            decode=_decode_six,
            fit="stretch",
            default_names=_COCO_BY_80,
        ),
        Layout(
            name="yolox",
            models="YOLOX",
            shapes="(1, cells, 5 + classes), raw",
            outputs=_ONE,
            decode=_decode_yolox,
            fit="top_left",
            rgb=False,
            scale=1.0,
            suppress_iou=0.45,
            class_axis=(0, 2, 5),
            default_names={80: COCO_80},
        ),
        Layout(
            name="yolox-decoded",
            models="YOLOX with --decode_in_inference",
            shapes="(1, cells, 5 + classes), pixels",
            outputs=_ONE,
            decode=_decode_objectness,
            fit="top_left",
            rgb=False,
            scale=1.0,
            suppress_iou=0.45,
            class_axis=(0, 2, 5),
            default_names={80: COCO_80},
        ),
        Layout(
            name="yolov5",
            models="YOLOv5, YOLOv7",
            shapes="(1, 3 x cells, 5 + classes)",
            outputs=_ONE,
            decode=_decode_objectness,
            fit="centre",
            suppress_iou=0.45,
            class_axis=(0, 2, 5),
            default_names={80: COCO_80},
        ),
        Layout(
            name="yolov8",
            models="YOLOv8, YOLO11, YOLOv5u, YOLO26 without end2end",
            shapes="(1, 4 + classes, cells)",
            outputs=_ONE,
            decode=_decode_channels_first,
            fit="centre",
            suppress_iou=0.7,
            class_axis=(0, 1, 4),
            default_names={80: COCO_80},
        ),
        Layout(
            name="yolo-end2end",
            models="YOLO26 and YOLOv10 end to end, Ultralytics with nms=True",
            shapes="(1, N, 6), xyxy",
            outputs=_ONE,
            decode=_decode_final,
            fit="centre",
            default_names=_COCO_BY_80,
        ),
    )
}
"""Every layout by name."""
