"""The wire format, and graphs written with it, against the reference implementation."""

import numpy as np
import onnx
import onnx.numpy_helper
import onnxruntime as ort
import pytest
from hypothesis import given
from hypothesis import strategies as st

from video_detective.detection.weights.onnx_graph import (
    Graph,
    Node,
    Value,
    encode_model,
    with_interface,
)
from video_detective.detection.weights.protobuf import (
    WireError,
    read_fields,
    read_integers,
    read_varint,
    write_bytes,
    write_float,
    write_integer,
    write_varint,
)


def tiny_graph() -> Graph:
    rng = np.random.default_rng(1)
    return Graph(
        name="tiny",
        inputs=(Value(name="x", dtype="float32", shape=("N", 2, 5, 5)),),
        outputs=(Value(name="y", dtype="float32", shape=("N", 3, 5, 5)),),
        nodes=(
            Node(
                op="Conv",
                inputs=("x", "w", "b"),
                outputs=("c",),
                attributes={"kernel_shape": (3, 3), "pads": (1,) * 4, "group": 1},
            ),
            Node(op="LeakyRelu", inputs=("c",), outputs=("y",), attributes={"alpha": 0.25}),
        ),
        initializers={
            "w": rng.normal(size=(3, 2, 3, 3)).astype(np.float32),
            "b": np.array([1, -2, 0.5], np.float32),
        },
    )


def run(model: bytes, **inputs: np.ndarray) -> np.ndarray:
    session = ort.InferenceSession(model, providers=["CPUExecutionProvider"])
    return session.run(None, inputs)[0]


@given(st.integers(0, 2**64 - 1))
def test_every_64_bit_number_comes_back(value) -> None:
    encoded = write_varint(value)
    assert read_varint(memoryview(encoded), 0) == (value, len(encoded))


def test_negative_numbers_are_written_as_twos_complement() -> None:
    assert read_varint(memoryview(write_varint(-1)), 0)[0] == 2**64 - 1


def test_fields_come_back_in_order() -> None:
    message = write_integer(1, 300) + write_bytes(100, "名") + write_float(3, 0.5)
    fields = [
        (number, value if isinstance(value, int) else bytes(value))
        for number, _, value in read_fields(memoryview(message))
    ]
    assert fields == [(1, 300), (100, "名".encode()), (3, b"\x00\x00\x00\x3f")]


def test_packed_and_single_integers_read_alike() -> None:
    assert read_integers(memoryview(b"\x01\x96\x01")) == [1, 150]
    assert read_integers(7) == [7]


@pytest.mark.parametrize(
    "damaged",
    [b"\x0a\x05ab", b"\x08\x80", b"\x0b", b"\x0d\x00", b"\x08" + b"\xff" * 11],
    ids=["short text", "short number", "group", "short float", "endless number"],
)
def test_damaged_bytes_are_refused(damaged) -> None:
    with pytest.raises(WireError):
        list(read_fields(memoryview(damaged)))


def test_a_written_graph_passes_the_reference_checker_and_reads_back() -> None:
    graph = tiny_graph()
    model = onnx.load_model_from_string(encode_model(graph))
    onnx.checker.check_model(model, full_check=True)
    weights = onnx.numpy_helper.to_array(model.graph.initializer[0])
    assert np.array_equal(weights, graph.initializers["w"])
    assert [node.op_type for node in model.graph.node] == ["Conv", "LeakyRelu"]
    assert list(model.graph.node[0].attribute[1].ints) == [1, 1, 1, 1]
    assert model.graph.node[1].attribute[0].f == 0.25
    assert model.graph.input[0].type.tensor_type.shape.dim[0].dim_param == "N"


def test_a_written_graph_computes() -> None:
    out = run(encode_model(tiny_graph()), x=np.zeros((2, 2, 5, 5), np.float32))
    assert out.shape == (2, 3, 5, 5)
    assert out[0, :, 2, 2].tolist() == [1, -0.5, 0.5]


def test_equal_graphs_give_equal_bytes() -> None:
    assert encode_model(tiny_graph()) == encode_model(tiny_graph())


def test_a_new_interface_frees_the_sizes_and_keeps_the_numbers() -> None:
    before = encode_model(tiny_graph())
    after = with_interface(
        before,
        inputs=(Value(name="x", dtype="float32", shape=("N", 2, "H", "W")),),
        outputs=(Value(name="y", dtype="float32", shape=("N", 3, "H", "W")),),
    )
    onnx.checker.check_model(onnx.load_model_from_string(after), full_check=True)
    x = np.random.default_rng(2).normal(size=(1, 2, 5, 5)).astype(np.float32)
    assert np.array_equal(run(before, x=x), run(after, x=x))
    assert run(after, x=np.zeros((1, 2, 8, 6), np.float32)).shape == (1, 3, 8, 6)


def test_bytes_without_a_graph_get_no_interface() -> None:
    with pytest.raises(WireError):
        with_interface(write_integer(1, 8), inputs=(), outputs=())
