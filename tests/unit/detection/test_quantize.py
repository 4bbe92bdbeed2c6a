"""Quantised graphs against integer arithmetic done by hand."""

import numpy as np
import onnx
import onnxruntime as ort
import pytest

from video_detective.detection.weights.onnx_graph import Graph, Node, Value, encode_model
from video_detective.detection.weights.quantize import activation_scale, quantize


def graph_of(weights: np.ndarray, bias: np.ndarray, *, relu: bool) -> Graph:
    nodes = [Node(op="Conv", inputs=("x", "w", "b"), outputs=("c" if relu else "y",))]
    if relu:
        nodes.append(Node(op="Relu", inputs=("c",), outputs=("y",)))
    return Graph(
        name="one",
        inputs=(Value(name="x", dtype="float32", shape=("N", 2, 4, 4)),),
        outputs=(Value(name="y", dtype="float32", shape=("N", 3, 4, 4)),),
        nodes=tuple(nodes),
        initializers={"w": weights.astype(np.float32), "b": bias.astype(np.float32)},
    )


def run(graph: Graph, x: np.ndarray) -> np.ndarray:
    model = encode_model(graph)
    onnx.checker.check_model(onnx.load_model_from_string(model), full_check=True)
    session = ort.InferenceSession(model, providers=["CPUExecutionProvider"])
    return session.run(None, {"x": x})[0]


@pytest.fixture
def weights() -> np.ndarray:
    # Channels of very different size: one common scale would lose the smaller ones.
    return np.random.default_rng(0).normal(size=(3, 2, 1, 1)) * np.array([1, 0.01, 20]).reshape(
        -1, 1, 1, 1
    )


@pytest.fixture
def x() -> np.ndarray:
    return np.random.default_rng(1).uniform(-1, 3, size=(2, 2, 4, 4)).astype(np.float32)


@pytest.mark.parametrize("relu", [True, False])
def test_a_quantised_convolution_is_the_integer_convolution(weights, x, relu) -> None:
    bias = np.array([0.5, 0.003, -4])
    low, high = (0.0, 80.0) if relu else (-80.0, 80.0)
    got = run(quantize(graph_of(weights, bias, relu=relu), {"x": (-1, 3), "y": (low, high)}), x)

    x_scale, x_zero = activation_scale(-1, 3)
    y_scale, y_zero = activation_scale(low, high)
    w32, b32 = weights.astype(np.float32), bias.astype(np.float32)
    w_scale = (np.abs(w32).max(axis=(1, 2, 3)) / 127).astype(np.float32)
    levels = np.clip(np.rint(x / x_scale) + int(x_zero), 0, 255) - int(x_zero)
    w_levels = np.rint(w32 / w_scale.reshape(-1, 1, 1, 1))
    b_levels = np.rint(b32 / (w_scale.astype(np.float64) * float(x_scale)))
    sums = np.einsum("oi,nihw->nohw", w_levels[:, :, 0, 0], levels) + b_levels.reshape(1, -1, 1, 1)
    real = sums * (w_scale * x_scale).reshape(1, -1, 1, 1)
    expected = (np.clip(np.rint(real / y_scale) + int(y_zero), 0, 255) - int(y_zero)) * y_scale
    # One step apart at most, where a sum falls on the border of two.
    assert np.abs(got - expected).max() <= y_scale * 1.001
    assert np.mean(np.abs(got - expected) < y_scale / 2) > 0.95


def test_the_result_is_near_the_full_precision_one(weights, x) -> None:
    graph = graph_of(weights, np.zeros(3), relu=True)
    exact = run(graph, x)
    ranges = {"x": (-1.0, 3.0), "y": (0.0, float(exact.max()))}
    got = run(quantize(graph, ranges), x)
    assert np.abs(got - exact).max() < 0.02 * exact.max()
    assert (got >= 0).all()


def test_a_channel_of_zero_weights_and_a_large_bias_keeps_its_bias(x) -> None:
    weights = np.zeros((3, 2, 1, 1))
    weights[1] = 1e-9
    graph = graph_of(weights, np.array([100, 100, 0]), relu=False)
    got = run(quantize(graph, {"x": (-1, 3), "y": (0, 255)}), x)
    assert np.allclose(got[:, 0], 100, atol=1)
    assert np.allclose(got[:, 1], 100, atol=1)
    assert np.allclose(got[:, 2], 0, atol=1)


def test_onnx_runtime_fuses_the_form_into_integer_convolutions(weights, x, tmp_path) -> None:
    graph = quantize(graph_of(weights, np.ones(3), relu=True), {"x": (-1, 3), "y": (0, 80)})
    options = ort.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "fused.onnx")
    options.log_severity_level = 3
    ort.InferenceSession(encode_model(graph), options, providers=["CPUExecutionProvider"])
    fused = {node.op_type for node in onnx.load(tmp_path / "fused.onnx").graph.node}
    assert "QLinearConv" in fused
    assert not fused & {"Conv", "FusedConv", "Relu"}


def test_full_precision_weights_are_left_out(weights) -> None:
    graph = quantize(graph_of(weights, np.ones(3), relu=True), {"x": (-1, 3), "y": (0, 80)})
    assert "w" not in graph.initializers
    assert graph.initializers["w.q"].dtype == np.int8


def test_a_missing_range_is_named(weights) -> None:
    with pytest.raises(KeyError, match="y"):
        quantize(graph_of(weights, np.ones(3), relu=True), {"x": (-1, 3)})


@pytest.mark.parametrize(("low", "high"), [(-1, 3), (0, 0), (2, 5), (-7, -3)])
def test_zero_is_always_one_of_the_levels(low, high) -> None:
    scale, zero = activation_scale(low, high)
    assert scale > 0
    assert 0 <= int(zero) <= 255
    assert (0 - int(zero)) * scale <= min(low, 0) + scale
    assert (255 - int(zero)) * scale >= max(high, 0) - scale
