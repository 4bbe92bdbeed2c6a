"""Reads the layers of a Caffe model (``.caffemodel``), without Caffe.

Source: field numbers of ``caffe.proto`` (BVLC/caffe, src/caffe/proto/caffe.proto).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from video_detective.detection.weights.protobuf import (
    WireError,
    read_fields,
    read_integers,
)

_NET_LAYER = 100
_LAYER_NAME, _LAYER_TYPE, _LAYER_BLOBS, _LAYER_CONVOLUTION = 1, 2, 7, 106
_BLOB_DATA, _BLOB_SHAPE, _BLOB_LEGACY_SHAPE = 5, 7, (1, 2, 3, 4)
_CONV_PAD, _CONV_GROUP, _CONV_STRIDE = 3, 5, 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Convolution:
    """A convolution's geometry; square kernels, as every layer of the SSD family has."""

    pad: int = 0
    stride: int = 1
    group: int = 1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Layer:
    """One trained layer.

    Args:
        name, type: As in the network's definition.
        blobs: Trained arrays in Caffe's order (convolution: weights (out, in/group, kh, kw), bias).
        convolution: None for any other type of layer.
    """

    name: str
    type: str
    blobs: tuple[NDArray[np.float32], ...]
    convolution: Convolution | None


def read_layers(model: bytes) -> dict[str, Layer]:
    """Every layer of a model by name, in the order of the file.

    Raises:
        WireError: the bytes are no Caffe model.
    """
    layers = [
        _layer(_message(value))
        for number, _, value in read_fields(memoryview(model))
        if number == _NET_LAYER
    ]
    if not layers:
        raise WireError("no layer in it")
    return {layer.name: layer for layer in layers}


def _layer(message: memoryview) -> Layer:
    name = kind = ""
    blobs: list[NDArray[np.float32]] = []
    convolution = None
    for number, _, value in read_fields(message):
        if number == _LAYER_NAME:
            name = bytes(_message(value)).decode()
        elif number == _LAYER_TYPE:
            kind = bytes(_message(value)).decode()
        elif number == _LAYER_BLOBS:
            blobs.append(_blob(_message(value)))
        elif number == _LAYER_CONVOLUTION:
            convolution = _convolution(_message(value))
    return Layer(name=name, type=kind, blobs=tuple(blobs), convolution=convolution)


def _blob(message: memoryview) -> NDArray[np.float32]:
    shape: list[int] = []
    legacy: dict[int, int] = {}
    data: list[NDArray[np.float32]] = []
    for number, _, value in read_fields(message):
        if number == _BLOB_SHAPE:
            for inner, _, dims in read_fields(_message(value)):
                if inner == 1:
                    shape += read_integers(dims)
        elif number == _BLOB_DATA:
            data.append(np.frombuffer(_message(value), "<f4"))
        elif number in _BLOB_LEGACY_SHAPE and isinstance(value, int):
            legacy[number] = value
    if not shape:
        shape = [legacy.get(number, 1) for number in _BLOB_LEGACY_SHAPE]
    values = np.concatenate(data) if data else np.zeros(0, np.float32)
    if values.size != np.prod(shape, dtype=np.int64):
        raise WireError(f"an array of shape {shape} has {values.size} values")
    return values.reshape(shape)


def _convolution(message: memoryview) -> Convolution:
    found = {_CONV_PAD: 0, _CONV_STRIDE: 1, _CONV_GROUP: 1}
    for number, _, value in read_fields(message):
        if number in found:
            found[number] = read_integers(value)[0]
    return Convolution(pad=found[_CONV_PAD], stride=found[_CONV_STRIDE], group=found[_CONV_GROUP])


def _message(value: int | memoryview) -> memoryview:
    if isinstance(value, int):
        raise WireError("a number where a message belongs")
    return value
