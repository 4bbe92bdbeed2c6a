"""Measures the activation ranges of MobileNet-SSD on real footage, for its 8-bit form.

Run: python benchmarks/calibrate.py CAFFEMODEL VIDEO... > ranges.json
and put the result at src/video_detective/detection/weights/mobilenet_ssd_ranges.json.

From every 25th of each video's first 300 frames, a square crop of the full height and one of half
of it, which wander over the picture. A range is the one that makes the squared error of rounding
least: on PETS09-S2L1 in tiles, people's AP .912 and F1 .929, against .896 and .911 for the plain
lowest and highest value and .911 and .922 for full precision. Only numbers come out: installing
needs no pictures. Raise the model's ``revision`` in the catalogue when they change.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import av
import cv2
import numpy as np
import onnxruntime as ort

from video_detective.detection.weights.caffe import read_layers
from video_detective.detection.weights.mobilenet_ssd_graph import SIZE, build_graph
from video_detective.detection.weights.onnx_graph import Graph, Value, encode_model
from video_detective.detection.weights.quantize import activation_scale

EVERY, LAST = 25, 300
BINS = 2048
SHARES = np.linspace(0.3, 1, 36)
"""Shares of the full range that are tried."""


def crops(videos: list[Path]) -> Iterator[np.ndarray]:
    """(1, 300, 300, 3) uint8 BGR."""
    for video in videos:
        with av.open(str(video)) as container:
            for index, frame in enumerate(container.decode(video=0)):
                if index > LAST:
                    break
                if index % EVERY:
                    continue
                image = frame.to_ndarray(format="bgr24")
                height, width = image.shape[:2]
                full = min(height, width)
                for side, right, down in ((full, 7, 0), (full // 2, 11, 5)):
                    x, y = index * right % (width - side + 1), index * down % (height - side + 1)
                    yield cv2.resize(image[y : y + side, x : x + side], (SIZE, SIZE))[None]


def activations(graph: Graph) -> list[str]:
    """Each convolution's result, after its Relu where one follows."""
    relu_of = {node.inputs[0]: node.outputs[0] for node in graph.nodes if node.op == "Relu"}
    results = [node.outputs[0] for node in graph.nodes if node.op == "Conv"]
    return [relu_of.get(name, name) for name in results]


def best_range(counts: np.ndarray, edges: np.ndarray) -> tuple[float, float]:
    """The range whose 8-bit levels are nearest to the values of a histogram, by squared error."""
    middles = (edges[1:] + edges[:-1]) / 2

    def error(share: float) -> float:
        scale, zero = activation_scale(edges[0] * share, edges[-1] * share)
        levels = np.clip(np.rint(middles / scale) + int(zero), 0, 255) - int(zero)
        return float((counts * (levels * scale - middles) ** 2).sum())

    share = min(SHARES, key=error)
    return edges[0] * share, edges[-1] * share


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("caffemodel", type=Path)
    parser.add_argument("videos", type=Path, nargs="+")
    arguments = parser.parse_args()
    graph = build_graph(read_layers(arguments.caffemodel.read_bytes()), byte_input=False)
    names = activations(graph)
    watched = tuple(Value(name=n, dtype="float32", shape=("N", "C", "h", "w")) for n in names)
    session = ort.InferenceSession(
        encode_model(replace(graph, outputs=watched)), providers=["CPUExecutionProvider"]
    )
    pictures = list(crops(arguments.videos))
    limits = dict.fromkeys(names, (0.0, 0.0))
    for picture in pictures:
        for name, values in zip(names, session.run(names, {"image": picture}), strict=True):
            low, high = limits[name]
            limits[name] = (min(low, float(values.min())), max(high, float(values.max())))
    edges = {name: np.linspace(*limits[name], BINS + 1) for name in names}
    counts = {name: np.zeros(BINS) for name in names}
    for picture in pictures:
        for name, values in zip(names, session.run(names, {"image": picture}), strict=True):
            counts[name] += np.histogram(values, edges[name])[0]
    ranges = {name: best_range(counts[name], edges[name]) for name in names}
    document = {
        "what": "range of each convolution's activations, for 8-bit quantisation",
        "made_by": "benchmarks/calibrate.py",
        "videos": [video.name for video in arguments.videos],
        "pictures": len(pictures),
        "ranges": {name: [round(float(v), 4) for v in pair] for name, pair in ranges.items()},
    }
    json.dump(document, sys.stdout, indent=1)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
