"""Static 8-bit quantisation of a convolutional graph, in ONNX's QDQ form.

Weights become signed bytes, symmetric, with a scale for each output channel; activations unsigned
bytes with a scale for each tensor; biases 32-bit integers in the product of both scales, which is
the form that ONNX Runtime fuses into one integer convolution. Everything else stays float.

Source: Jacob et al., "Quantization and Training of Neural Networks for Efficient
Integer-Arithmetic-Only Inference" (CVPR 2018); Krishnamoorthi, "Quantizing deep convolutional
networks for efficient inference: A whitepaper" (2018), section 2.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from video_detective.detection.weights.onnx_graph import Graph, Node, Tensor

_WEIGHT_LEVELS = 127
_ACTIVATION_LEVELS = 255
_BIAS_LIMIT = float(1 << 30)
"""Half of what 32 bits hold: the other half is for the sum of products."""

Range = tuple[float, float]


def quantize(graph: Graph, ranges: Mapping[str, Range]) -> Graph:
    """The graph with every convolution in 8 bits.

    Args:
        graph: Convolutions must have a bias, and weights and bias as initialisers. A convolution's
            input is either in ``ranges`` or comes out of a ``DequantizeLinear`` already.
        ranges: Lowest and highest value of each convolution's result (after its ``Relu`` if one
            follows), and of any other tensor that a convolution reads.

    Returns:
        The same inputs, outputs and tensor names; equal arguments give an equal graph.

    Raises:
        KeyError: a needed range is missing.
    """
    rewriter = _Rewriter(graph, ranges)
    for node in graph.nodes:
        if node.op == "Conv":
            rewriter.convolution(node)
        elif node.outputs[0] not in rewriter.done:
            rewriter.nodes.append(node)
    used = {name for node in rewriter.nodes for name in node.inputs}
    return Graph(
        name=graph.name,
        inputs=graph.inputs,
        outputs=graph.outputs,
        nodes=tuple(rewriter.nodes),
        initializers={name: array for name, array in rewriter.initializers.items() if name in used},
    )


def activation_scale(low: float, high: float) -> tuple[np.float32, np.uint8]:
    """Scale and zero point of unsigned bytes that span ``low``..``high``; 0 is one of the bytes."""
    low, high = min(low, 0.0), max(high, 0.0)
    scale = np.float32((high - low) / _ACTIVATION_LEVELS) or np.float32(1)
    zero = np.clip(np.rint(-low / float(scale)), 0, _ACTIVATION_LEVELS)
    return scale, np.uint8(zero)


class _Rewriter:
    """The new graph so far."""

    def __init__(self, graph: Graph, ranges: Mapping[str, Range]) -> None:
        self._ranges = ranges
        self._weights = graph.initializers
        self._readers = Counter(name for node in graph.nodes for name in node.inputs)
        self._readers.update(value.name for value in graph.outputs)
        self._relu_of = {
            node.inputs[0]: node.outputs[0] for node in graph.nodes if node.op == "Relu"
        }
        # The scale of each tensor that is already the image of bytes.
        self._scales: dict[str, np.float32] = {
            node.outputs[0]: np.float32(graph.initializers[node.inputs[1]])
            for node in graph.nodes
            if node.op == "DequantizeLinear"
        }
        self.nodes: list[Node] = []
        self.initializers: dict[str, Tensor] = dict(graph.initializers)
        self.done: set[str] = set()
        """Outputs of the nodes that a convolution took in."""

    def convolution(self, node: Node) -> None:
        source, weights_name, bias_name = node.inputs
        if source not in self._scales:
            self._through_bytes(source, f"{source}.f", rename=False)
            source = f"{source}.f"
        weights, scale = self._quantized_weights(
            weights_name, self._weights[bias_name].astype(np.float64), self._scales[source]
        )
        bias_scale = (scale.astype(np.float64) * float(self._scales[source])).astype(np.float32)
        bias = np.rint(self._weights[bias_name] / bias_scale.astype(np.float64)).astype(np.int32)
        output = node.outputs[0]
        if output in self._relu_of and self._readers[output] == 1:
            # Bytes whose zero point is 0 cut off what is negative: they are the Relu.
            output = self._relu_of[output]
            self.done.add(output)
        self._constant(weights_name, weights, scale)
        self._constant(bias_name, bias, bias_scale)
        self.nodes.append(
            Node(
                op="Conv",
                inputs=(source, f"{weights_name}.f", f"{bias_name}.f"),
                outputs=(f"{output}.sum",),
                attributes=node.attributes,
            )
        )
        self._through_bytes(f"{output}.sum", output, rename=True)

    def _through_bytes(self, source: str, result: str, *, rename: bool) -> None:
        """``result`` is ``source`` rounded to bytes; its range is listed under the graph's name."""
        listed = result if rename else source
        scale, zero = activation_scale(*self._ranges[listed])
        self.initializers[f"{listed}.scale"] = np.array(scale)
        self.initializers[f"{listed}.zero"] = np.array(zero)
        code = (f"{listed}.scale", f"{listed}.zero")
        self.nodes.append(
            Node(op="QuantizeLinear", inputs=(source, *code), outputs=(f"{listed}.q",))
        )
        self.nodes.append(
            Node(op="DequantizeLinear", inputs=(f"{listed}.q", *code), outputs=(result,))
        )
        self._scales[result] = scale

    def _constant(self, name: str, values: Tensor, scale: NDArray[np.float32]) -> None:
        self.initializers[f"{name}.q"] = values
        self.initializers[f"{name}.scale"] = scale
        self.initializers[f"{name}.zero"] = np.zeros(len(values), values.dtype)
        self.nodes.append(
            Node(
                op="DequantizeLinear",
                inputs=(f"{name}.q", f"{name}.scale", f"{name}.zero"),
                outputs=(f"{name}.f",),
                attributes={"axis": 0},
            )
        )

    def _quantized_weights(
        self, name: str, bias: NDArray[np.float64], input_scale: np.float32
    ) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
        weights = self._weights[name].astype(np.float64)
        largest = np.abs(weights).reshape(len(weights), -1).max(axis=1)
        # A channel of tiny weights and a large bias would need a bias beyond 32 bits.
        scale = np.maximum(
            largest / _WEIGHT_LEVELS, np.abs(bias) / (float(input_scale) * _BIAS_LIMIT)
        )
        scale[scale == 0] = 1
        scale = scale.astype(np.float32)
        steps = np.rint(weights / scale.astype(np.float64).reshape(-1, 1, 1, 1))
        return np.clip(steps, -_WEIGHT_LEVELS, _WEIGHT_LEVELS).astype(np.int8), scale
