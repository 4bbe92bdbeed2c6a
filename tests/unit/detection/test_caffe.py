"""Reading Caffe models."""

import numpy as np
import pytest

from video_detective.detection.weights.caffe import Convolution, read_layers
from video_detective.detection.weights.mobilenet_ssd_graph import build_graph, prior_boxes
from video_detective.detection.weights.protobuf import (
    WireError,
    write_bytes,
    write_integer,
    write_varint,
)


def blob(values: np.ndarray, *, legacy: bool = False) -> bytes:
    data = write_bytes(5, values.astype("<f4").tobytes())
    if legacy:
        shape = (1,) * (4 - values.ndim) + values.shape
        return b"".join(write_integer(i + 1, n) for i, n in enumerate(shape)) + data
    packed = b"".join(write_varint(n) for n in values.shape)
    return write_bytes(7, write_bytes(1, packed)) + data


def layer(name: str, kind: str, *blobs: bytes, convolution: bytes | None = None) -> bytes:
    message = write_bytes(1, name) + write_bytes(2, kind)
    message += b"".join(write_bytes(7, item) for item in blobs)
    if convolution is not None:
        message += write_bytes(106, convolution)
    return write_bytes(100, message)


def test_layers_come_with_weights_and_geometry() -> None:
    weights = np.arange(36, dtype=np.float32).reshape(2, 2, 3, 3)
    geometry = write_integer(3, 1) + write_integer(6, 2) + write_integer(5, 2)
    layers = read_layers(
        layer("conv0", "Convolution", blob(weights), blob(np.ones(2)), convolution=geometry)
        + layer("conv0/relu", "ReLU")
    )
    assert list(layers) == ["conv0", "conv0/relu"]
    assert np.array_equal(layers["conv0"].blobs[0], weights)
    assert layers["conv0"].convolution == Convolution(pad=1, stride=2, group=2)
    assert layers["conv0/relu"].convolution is None


def test_the_old_four_number_shape_is_read() -> None:
    values = np.arange(6, dtype=np.float32).reshape(2, 3)
    (found,) = read_layers(layer("fc", "InnerProduct", blob(values, legacy=True)))["fc"].blobs
    assert found.shape == (1, 1, 2, 3)
    assert np.array_equal(found[0, 0], values)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not a model at all",
        layer("x", "Convolution", write_bytes(7, write_bytes(1, b"\x09")) + write_bytes(5, b"")),
        write_integer(100, 5),
    ],
    ids=["empty", "text", "shape without values", "number for a layer"],
)
def test_what_is_no_caffe_model_is_refused(content) -> None:
    with pytest.raises(WireError):
        read_layers(content)


def test_another_caffe_network_is_not_taken_for_mobilenet_ssd() -> None:
    other = read_layers(layer("conv1", "Convolution", blob(np.ones((4, 3, 3, 3))), convolution=b""))
    with pytest.raises(WireError):
        build_graph(other, byte_input=False)


def test_there_is_a_prior_for_every_row_of_the_output() -> None:
    priors = prior_boxes()
    assert priors.shape == (1917, 4)
    assert (priors > 0).all()
    # First cell of the finest map: its centre, and the 60-pixel square.
    assert np.allclose(priors[0], [0.5 / 19, 0.5 / 19, 0.2, 0.2])
