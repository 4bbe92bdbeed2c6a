"""Measures the activation ranges of MobileNet-SSD on real footage, for its 8-bit form.

Run: python benchmarks/calibrate.py CAFFEMODEL VIDEO... > \
    src/video_detective/detection/weights/mobilenet_ssd_ranges.json

Every 25th frame of each video's first 300, as a square crop that wanders over the picture. Only
numbers come out: installing needs no pictures. Raise the model's ``revision`` in the catalogue
when they change.
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

EVERY, LAST = 25, 300


def crops(video: Path) -> Iterator[np.ndarray]:
    """(1, 300, 300, 3) uint8 BGR."""
    with av.open(str(video)) as container:
        for index, frame in enumerate(container.decode(video=0)):
            if index > LAST:
                return
            if index % EVERY:
                continue
            image = frame.to_ndarray(format="bgr24")
            side = min(image.shape[:2])
            x = (index * 7) % (image.shape[1] - side + 1)
            yield cv2.resize(image[:side, x : x + side], (SIZE, SIZE))[None]


def activations(graph: Graph) -> list[str]:
    """Each convolution's result, after its Relu where one follows."""
    relu_of = {node.inputs[0]: node.outputs[0] for node in graph.nodes if node.op == "Relu"}
    results = [node.outputs[0] for node in graph.nodes if node.op == "Conv"]
    return [relu_of.get(name, name) for name in results]


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
    ranges = dict.fromkeys(names, (0.0, 0.0))
    pictures = 0
    for video in arguments.videos:
        for crop in crops(video):
            pictures += 1
            for name, values in zip(names, session.run(names, {"image": crop}), strict=True):
                low, high = ranges[name]
                ranges[name] = (min(low, float(values.min())), max(high, float(values.max())))
    document = {
        "what": "lowest and highest activation of each convolution, for 8-bit quantisation",
        "made_by": "benchmarks/calibrate.py",
        "videos": [video.name for video in arguments.videos],
        "pictures": pictures,
        "ranges": {name: [round(v, 4) for v in pair] for name, pair in ranges.items()},
    }
    json.dump(document, sys.stdout, indent=1)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
