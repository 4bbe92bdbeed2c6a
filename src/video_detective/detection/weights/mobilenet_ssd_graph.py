"""The MobileNet-SSD network (300×300, VOC's 20 classes) as an ONNX graph.

Source: Howard et al., "MobileNets" (2017); Liu et al., "SSD: Single Shot MultiBox Detector"
(ECCV 2016); the layout of chuanqi305/MobileNet-SSD, whose trained Caffe weights this reads.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from video_detective.detection.weights.caffe import Layer
from video_detective.detection.weights.onnx_graph import Attribute, Graph, Node, Tensor, Value
from video_detective.detection.weights.protobuf import WireError

SIZE = 300
"""Side of the square input in pixels."""
PRIORS = 1917
"""Prior boxes over the six feature maps."""
CLASSES = 21
"""Background and VOC's 20 classes."""

_HEADS = ("conv11", "conv13", "conv14_2", "conv15_2", "conv16_2", "conv17_2")
_MEAN, _SCALE = 127.5, 0.007843
"""The training's pixel normalisation: (value - 127.5) * 0.007843, about -1..1."""
_ZERO_POINT = 128
"""Byte that stands for a pixel of 0 after centring, in the quantised input."""
_BATCH_NORM_EPSILON = 1e-5
"""Caffe's default, which the network's definition keeps."""


def build_graph(layers: Mapping[str, Layer], *, byte_input: bool) -> Graph:
    """The network from its trained layers, batch normalisation folded into the convolutions.

    Input ``image`` is (N, 300, 300, 3) uint8 BGR. Outputs are ``loc`` (N, 1917, 4) float32, the
    offsets from the prior boxes, and ``conf`` (N, 1917, 21) float32, probabilities per class.

    Args:
        layers: From ``caffe.read_layers``.
        byte_input: Hand the bytes to the first convolution as already quantised numbers instead
            of casting them: the form to quantise.

    Raises:
        WireError: a layer of the network is missing or has another shape.
    """
    parts = _Parts(layers)
    parts.add("Transpose", "image", "planes", perm=(0, 3, 1, 2))
    if byte_input:
        # 127.5 is no byte. The half step is made good in the first bias, which is exact away from
        # the zero-padded border and half a grey level off on it.
        parts.initializers["pixels.scale"] = np.array(1, np.float32)
        parts.initializers["pixels.zero"] = np.array(_ZERO_POINT, np.uint8)
        parts.add("DequantizeLinear", ("planes", "pixels.scale", "pixels.zero"), "pixels")
    else:
        parts.initializers["mean"] = np.array(_MEAN, np.float32)
        parts.add("Cast", "planes", "levels", to=1)
        parts.add("Sub", ("levels", "mean"), "pixels")
    trunk = [
        layer.name
        for layer in layers.values()
        if layer.type == "Convolution" and "_mbox_" not in layer.name
    ]
    if not trunk or trunk[-1] != _HEADS[-1]:
        raise WireError("its layers are not those of MobileNet-SSD")
    previous = "pixels"
    for name in trunk:
        weights, bias = parts.folded(name)
        if previous == "pixels":
            weights = weights * _SCALE
            if byte_input:
                # fsum is exact: the same bytes on every machine, whatever its vector width.
                sums = [math.fsum(kernel) for kernel in weights.reshape(len(weights), -1).tolist()]
                bias = bias + (_ZERO_POINT - _MEAN) * np.array(sums)
        parts.convolve(name, weights, bias, previous, f"{name}.c")
        parts.add("Relu", f"{name}.c", name)
        previous = name
    for kind, width, output in (("loc", 4, "loc"), ("conf", CLASSES, "logits")):
        parts.initializers[f"{kind}.shape"] = np.array([0, -1, width], np.int64)
        rows = []
        for source in _HEADS:
            head = f"{source}_mbox_{kind}"
            parts.convolve(head, *parts.folded(head), source, head)
            parts.add("Transpose", head, f"{head}.t", perm=(0, 2, 3, 1))
            parts.add("Reshape", (f"{head}.t", f"{kind}.shape"), f"{head}.r")
            rows.append(f"{head}.r")
        parts.add("Concat", tuple(rows), output, axis=1)
    parts.add("Softmax", "logits", "conf", axis=2)
    return Graph(
        name="mobilenet_ssd",
        inputs=(Value(name="image", dtype="uint8", shape=("N", SIZE, SIZE, 3)),),
        outputs=(
            Value(name="loc", dtype="float32", shape=("N", PRIORS, 4)),
            Value(name="conf", dtype="float32", shape=("N", PRIORS, CLASSES)),
        ),
        nodes=tuple(parts.nodes),
        initializers=parts.initializers,
    )


def prior_boxes() -> NDArray[np.float32]:
    """(1917, 4) float32: centre x, centre y, width, height of every prior, relative to the image.

    Source: SSD section 2.2; the sizes are those of the network's definition (one prior of the
    smallest scale is left out there, hence 3 rather than 6 on the first map).
    """
    maps: tuple[tuple[int, float, float | None, tuple[int, ...]], ...] = (
        (19, 60, None, (2,)),
        (10, 105, 150, (2, 3)),
        (5, 150, 195, (2, 3)),
        (3, 195, 240, (2, 3)),
        (2, 240, 285, (2, 3)),
        (1, 285, 300, (2, 3)),
    )
    priors: list[tuple[float, float, float, float]] = []
    for cells, smallest, largest, ratios in maps:
        sides: list[tuple[float, float]] = [(smallest, smallest)]
        if largest is not None:
            between = (smallest * largest) ** 0.5
            sides.append((between, between))
        for ratio in ratios:
            root = ratio**0.5
            sides += [(smallest * root, smallest / root), (smallest / root, smallest * root)]
        priors += [
            ((x + 0.5) / cells, (y + 0.5) / cells, width / SIZE, height / SIZE)
            for y in range(cells)
            for x in range(cells)
            for width, height in sides
        ]
    return np.array(priors, np.float32)


class _Parts:
    """Nodes and weights gathered so far."""

    def __init__(self, layers: Mapping[str, Layer]) -> None:
        self._layers = layers
        self.nodes: list[Node] = []
        self.initializers: dict[str, Tensor] = {}

    def add(
        self, op: str, inputs: str | tuple[str, ...], output: str, **attributes: Attribute
    ) -> None:
        names = (inputs,) if isinstance(inputs, str) else inputs
        self.nodes.append(Node(op=op, inputs=names, outputs=(output,), attributes=attributes))

    def folded(self, name: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Weights and bias of a convolution with what follows it (normalisation, scale) in them."""
        layer = self._layers.get(name)
        if layer is None or not layer.blobs or layer.convolution is None:
            raise WireError(f"layer {name} of MobileNet-SSD is not in it")
        blobs = [blob.astype(np.float64) for blob in layer.blobs]
        weights = blobs[0]
        bias = blobs[1].reshape(-1) if len(blobs) > 1 else np.zeros(len(weights))
        norm, scale = self._layers.get(f"{name}/bn"), self._layers.get(f"{name}/scale")
        if norm is not None and scale is not None:
            mean, variance, factor = (blob.reshape(-1).astype(np.float64) for blob in norm.blobs)
            gamma, beta = (blob.reshape(-1).astype(np.float64) for blob in scale.blobs)
            # Caffe stores running sums and the factor that turns them into averages.
            share = 0.0 if factor[0] == 0 else 1 / factor[0]
            gain = gamma / np.sqrt(variance * share + _BATCH_NORM_EPSILON)
            bias = (bias - mean * share) * gain + beta
            weights = weights * gain.reshape(-1, 1, 1, 1)
        return weights, bias

    def convolve(
        self,
        name: str,
        weights: NDArray[np.float64],
        bias: NDArray[np.float64],
        source: str,
        output: str,
    ) -> None:
        geometry = self._layers[name].convolution
        assert geometry is not None  # noqa: S101 - folded() refused it otherwise
        self.initializers[f"{name}.w"] = weights.astype(np.float32)
        self.initializers[f"{name}.b"] = bias.astype(np.float32)
        self.add(
            "Conv",
            (source, f"{name}.w", f"{name}.b"),
            output,
            kernel_shape=weights.shape[2:],
            strides=(geometry.stride,) * 2,
            pads=(geometry.pad,) * 4,
            group=geometry.group,
        )
