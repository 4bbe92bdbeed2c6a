"""An ONNX graph as plain values, and its encoding; numpy is all it needs.

Source: field numbers of ``onnx.proto`` (onnx/onnx); IR version 8, operator set 13.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from video_detective.detection.weights.protobuf import (
    WireError,
    read_fields,
    write_bytes,
    write_float,
    write_integer,
)

Attribute: TypeAlias = int | float | str | tuple[int, ...]
Tensor: TypeAlias = (
    NDArray[np.float32] | NDArray[np.int64] | NDArray[np.int32] | NDArray[np.int8]
    | NDArray[np.uint8]
)  # fmt: skip

OPSET = 13
_IR_VERSION = 8
_DATA_TYPES = {"float32": 1, "uint8": 2, "int8": 3, "int32": 6, "int64": 7}
"""TensorProto.DataType of the element types used."""
_MODEL_GRAPH = 7
_GRAPH_NAME, _GRAPH_NODE, _GRAPH_INITIALIZER, _GRAPH_INPUT, _GRAPH_OUTPUT = 2, 1, 5, 11, 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One operator of the standard domain; its name is its first output's."""

    op: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Attribute] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """An input or output of a graph.

    Args:
        name: Its tensor.
        dtype: numpy's name of the element type.
        shape: Fixed sizes, and names for free ones.
    """

    name: str
    dtype: str
    shape: tuple[int | str, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Graph:
    """A graph whose nodes are in an order in which they can be computed."""

    name: str
    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]
    nodes: tuple[Node, ...]
    initializers: Mapping[str, Tensor]


def encode_model(graph: Graph) -> bytes:
    """The graph as an ONNX file; equal graphs give equal bytes."""
    initializers = graph.initializers.items()
    encoded = b"".join(
        [
            *(write_bytes(_GRAPH_NODE, _node(node)) for node in graph.nodes),
            write_bytes(_GRAPH_NAME, graph.name),
            *(write_bytes(_GRAPH_INITIALIZER, _tensor(*named)) for named in initializers),
            *(write_bytes(_GRAPH_INPUT, _value(value)) for value in graph.inputs),
            *(write_bytes(_GRAPH_OUTPUT, _value(value)) for value in graph.outputs),
        ]
    )
    return b"".join(
        [
            write_integer(1, _IR_VERSION),
            write_bytes(2, "video-detective"),
            write_bytes(_MODEL_GRAPH, encoded),
            write_bytes(8, write_integer(2, OPSET)),
        ]
    )


def with_interface(model: bytes, inputs: tuple[Value, ...], outputs: tuple[Value, ...]) -> bytes:
    """An encoded model with its declared inputs and outputs replaced.

    Exporters of old declared fixed sizes, and listed every weight as an input that a caller may
    override, which keeps run times from folding it. The nodes and weights stay byte for byte.

    Args:
        model: An ONNX file.
        inputs: The new declarations; the names must be old ones.
        outputs: Likewise.

    Raises:
        WireError: the bytes are no ONNX model.
    """
    out = []
    graphs = 0
    for number, wire_type, content in read_fields(memoryview(model)):
        if number == _MODEL_GRAPH and not isinstance(content, int):
            graphs += 1
            kept = [
                _copy(inner, kind, value)
                for inner, kind, value in read_fields(content)
                if inner not in (_GRAPH_INPUT, _GRAPH_OUTPUT)
            ]
            kept += [write_bytes(_GRAPH_INPUT, _value(value)) for value in inputs]
            kept += [write_bytes(_GRAPH_OUTPUT, _value(value)) for value in outputs]
            out.append(write_bytes(number, b"".join(kept)))
        else:
            out.append(_copy(number, wire_type, content))
    if graphs != 1:
        raise WireError("no graph in it")
    return b"".join(out)


def _copy(number: int, wire_type: int, value: int | memoryview) -> bytes:
    if isinstance(value, int):
        return write_integer(number, value)
    if wire_type == 2:
        return write_bytes(number, value)
    raise WireError(f"field {number} has wire type {wire_type}, which no ONNX model has here")


def _node(node: Node) -> bytes:
    return b"".join(
        [
            *(write_bytes(1, name) for name in node.inputs),
            *(write_bytes(2, name) for name in node.outputs),
            write_bytes(3, node.outputs[0]),
            write_bytes(4, node.op),
            *(write_bytes(5, _attribute(*item)) for item in node.attributes.items()),
        ]
    )


def _attribute(name: str, value: Attribute) -> bytes:
    """AttributeProto; its type field (20) is 1 float, 2 integer, 3 text, 7 integers."""
    if isinstance(value, float):
        content, kind = write_float(2, value), 1
    elif isinstance(value, int):
        content, kind = write_integer(3, value), 2
    elif isinstance(value, str):
        content, kind = write_bytes(4, value), 3
    else:
        content, kind = b"".join(write_integer(8, item) for item in value), 7
    return write_bytes(1, name) + content + write_integer(20, kind)


def _tensor(name: str, array: Tensor) -> bytes:
    little_endian = np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<"), copy=False)
    return b"".join(
        [
            *(write_integer(1, size) for size in array.shape),
            write_integer(2, _DATA_TYPES[array.dtype.name]),
            write_bytes(8, name),
            write_bytes(9, little_endian.tobytes()),
        ]
    )


def _value(value: Value) -> bytes:
    shape = b"".join(
        write_bytes(1, write_bytes(2, size) if isinstance(size, str) else write_integer(1, size))
        for size in value.shape
    )
    tensor_type = write_integer(1, _DATA_TYPES[value.dtype]) + write_bytes(2, shape)
    return write_bytes(1, value.name) + write_bytes(2, write_bytes(1, tensor_type))
