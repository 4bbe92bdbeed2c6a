"""ONNX Runtime sessions, set up alike for every model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime as ort

from video_detective.detection.weights.onnx_graph import Graph, Node, Value, encode_model
from video_detective.errors import WeightsError

_ERRORS_ONLY = 3


def open_session(model: Path) -> ort.InferenceSession:
    """A model ready to run on one core.

    One thread a session, and no spinning: cameras run as processes side by side, and two or more
    threads each collapsed under that load when measured.

    Raises:
        WeightsError: the file is absent or no model that ONNX Runtime can run.
    """
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ONLY
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if _byte_products_overflow():
        # Re-codes signed weights as unsigned ones, whose kernels are exact everywhere; slower.
        options.add_session_config_entry("session.x64quantprecision", "1")
    if not model.is_file():
        raise WeightsError(
            f"Model file {str(model)!r} is not there",
            remedy="Give the path of an .onnx file, or run `video-detective models install`",
        )
    try:
        return ort.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's own exceptions share no base class but this one
        raise WeightsError(
            f"Model file {str(model)!r} cannot be run: {str(error).splitlines()[0]}",
            remedy="Check it with `video-detective models verify`, or export it again as ONNX",
        ) from error


def _byte_products_overflow() -> bool:
    """Whether this processor's kernels saturate sums of byte products.

    x86 processors without VNNI (before about 2020) add pairs of products of unsigned and signed
    bytes in 16 bits, and 8-bit models lose precision there without a word. One multiplication of
    the largest values tells, whatever the processor is called.

    Source: ONNX Runtime's documentation, "Quantize ONNX models", on U8S8 saturation.
    """
    side = 64
    probe = Graph(
        name="probe",
        inputs=(Value(name="a", dtype="uint8", shape=(side, side)),),
        outputs=(Value(name="y", dtype="int32", shape=(side, side)),),
        nodes=(Node(op="MatMulInteger", inputs=("a", "b"), outputs=("y",)),),
        initializers={"b": np.full((side, side), 127, np.int8)},
    )
    session = ort.InferenceSession(encode_model(probe), providers=["CPUExecutionProvider"])
    (sums,) = session.run(None, {"a": np.full((side, side), 255, np.uint8)})
    return bool((sums != 255 * 127 * side).any())
