"""Tiny ONNX detectors whose boxes are known: constants, or one pixel of their input."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper


def write_detector(
    path: Path,
    outputs: Mapping[str, NDArray[np.float32]],
    *,
    input_shape: Sequence[int | str] = ("batch", 3, 128, 128),
    input_name: str = "images",
    input_type: int = TensorProto.FLOAT,
    target_sizes: bool = False,
    metadata: Mapping[str, str] | None = None,
    pixel: tuple[str, int, tuple[int, int, int]] | None = None,
    output_shapes: Mapping[str, Sequence[int | str]] | None = None,
) -> Path:
    """An ONNX file that answers every picture with the same numbers.

    Args:
        path: Where to write it.
        outputs: For one picture, without the batch axis: given for each picture of the batch.
        target_sizes: Add the input ``orig_target_sizes``, whose (w, h, w, h) is multiplied with
            the output ``boxes``.
        pixel: (output, flat index, (channel, row, column)): that number is replaced by the value
            of a pixel of the input.
        output_shapes: Declared shapes, with names for free sides; the true ones by default.
    """
    nodes = [
        helper.make_node("Cast", [input_name], ["x"], to=TensorProto.FLOAT),
        helper.make_node("Constant", [], ["zero"], value=_tensor(np.zeros((), np.float32))),
        helper.make_node("Constant", [], ["all_axes"], value=_tensor(np.array([1, 2, 3]))),
        helper.make_node("Mul", ["x", "zero"], ["nothing"]),
        helper.make_node("ReduceSum", ["nothing", "all_axes"], ["blank"], keepdims=0),
    ]
    infos = []
    for name, value in outputs.items():
        values = value.astype(np.float32)
        axes = list(range(1, values.ndim + 1))
        nodes += [
            helper.make_node("Constant", [], [f"{name}_value"], value=_tensor(values[None])),
            helper.make_node("Constant", [], [f"{name}_axes"], value=_tensor(np.array(axes))),
            helper.make_node("Unsqueeze", ["blank", f"{name}_axes"], [f"{name}_blank"]),
            helper.make_node("Add", [f"{name}_value", f"{name}_blank"], [f"{name}_batch"]),
        ]
        last = f"{name}_batch"
        if pixel is not None and pixel[0] == name:
            nodes += _pixel_nodes(name, last, values.shape, pixel[1], pixel[2])
            last = f"{name}_seen"
        if target_sizes and name == "boxes":
            nodes += [
                helper.make_node("Cast", ["orig_target_sizes"], ["wh"], to=TensorProto.FLOAT),
                helper.make_node("Concat", ["wh", "wh"], ["whwh"], axis=1),
                helper.make_node("Constant", [], ["one"], value=_tensor(np.array([1]))),
                helper.make_node("Unsqueeze", ["whwh", "one"], ["scale"]),
                helper.make_node("Mul", [last, "scale"], ["scaled"]),
            ]
            last = "scaled"
        kind = TensorProto.INT64 if name == "labels" and target_sizes else TensorProto.FLOAT
        nodes.append(helper.make_node("Cast", [last], [name], to=kind))
        shape = (output_shapes or {}).get(name, (input_shape[0], *values.shape))
        infos.append(helper.make_tensor_value_info(name, kind, list(shape)))
    inputs = [helper.make_tensor_value_info(input_name, input_type, list(input_shape))]
    if target_sizes:
        sizes = helper.make_tensor_value_info(
            "orig_target_sizes", TensorProto.INT64, [input_shape[0], 2]
        )
        inputs.append(sizes)
    model = helper.make_model(
        helper.make_graph(nodes, "detector", inputs, infos),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=9,
    )
    helper.set_model_props(model, dict(metadata or {}))
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())
    return path


def _pixel_nodes(
    name: str, source: str, shape: tuple[int, ...], index: int, place: tuple[int, int, int]
) -> list[onnx.NodeProto]:
    hole = np.ones(shape, np.float32)
    hole.flat[index] = 0
    starts, ends = np.array(place), np.array(place) + 1
    axes = np.array([1, 2, 3])
    constants = {"keep": hole, "put": 1 - hole, "starts": starts, "ends": ends, "axes3": axes}
    made = [
        helper.make_node("Constant", [], [f"{name}_{key}"], value=_tensor(value))
        for key, value in constants.items()
    ]
    flat = np.array([-1, *([1] * len(shape))])
    return [
        *made,
        helper.make_node("Constant", [], [f"{name}_flat"], value=_tensor(flat)),
        helper.make_node(
            "Slice", ["x", f"{name}_starts", f"{name}_ends", f"{name}_axes3"], [f"{name}_point"]
        ),
        helper.make_node("Reshape", [f"{name}_point", f"{name}_flat"], [f"{name}_number"]),
        helper.make_node("Mul", [f"{name}_number", f"{name}_put"], [f"{name}_set"]),
        helper.make_node("Mul", [source, f"{name}_keep"], [f"{name}_rest"]),
        helper.make_node("Add", [f"{name}_rest", f"{name}_set"], [f"{name}_seen"]),
    ]


def _tensor(value: NDArray[np.generic]) -> onnx.TensorProto:
    return numpy_helper.from_array(np.ascontiguousarray(value))
