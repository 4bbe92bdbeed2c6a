"""Tiny ONNX models in the layout of pedestrian attributes: what they say is known."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

PA_100K = (
    "Female", "AgeOver60", "Age18-60", "AgeLess18", "Front", "Side", "Back", "Hat", "Glasses",
    "HandBag", "ShoulderBag", "Backpack", "HoldObjectsInFront", "ShortSleeve", "LongSleeve",
    "UpperStride", "UpperLogo", "UpperPlaid", "UpperSplice", "LowerStripe", "LowerPattern",
    "LongCoat", "Trousers", "Shorts", "Skirt&Dress", "boots",
)  # fmt: skip
"""In the order of the data set's ``annotation.mat``."""
PP_HUMAN = (*PA_100K[7:9], *PA_100K[13:26], *PA_100K[9:13], *PA_100K[1:4], "Female", *PA_100K[4:7])


def write_attribute_model(
    path: Path,
    always: Collection[str] = (),
    *,
    if_red: Collection[str] = (),
    order: Collection[str] = PA_100K,
    logits: bool = False,
    batch: int | str = "batch",
    size: tuple[int | str, int | str] = (256, 192),
    outputs: int | None = None,
) -> Path:
    """A model that finds some attributes in every crop, and others in crops that are rather red.

    Args:
        path: Where to write it.
        always: Labels that every crop has.
        if_red: Labels of crops whose mean red (normalised) is above their mean green.
        order: Of the outputs.
        logits: Whether the last sigmoid is left out.
        batch: First side of input and output; a name for any.
        size: Height and width.
        outputs: How many scores to give; 26 as it should be by default.
    """
    names = list(order)
    bias = np.array([4.0 if name in always else -4.0 for name in names], np.float32)
    weights = np.zeros((3, len(names)), np.float32)
    for index, name in enumerate(names):
        if name in if_red:
            weights[0, index], weights[1, index], bias[index] = 8, -8, -0.5
    count = len(names) if outputs is None else outputs
    weights, bias = np.resize(weights, (3, count)), np.resize(bias, count)
    nodes = [
        helper.make_node("GlobalAveragePool", ["x"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["means"], axis=1),
        helper.make_node("Gemm", ["means", "weights", "bias"], ["logits"]),
        helper.make_node("Identity" if logits else "Sigmoid", ["logits"], ["scores"]),
    ]
    graph = helper.make_graph(
        nodes,
        "attributes",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [batch, 3, *size])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, [batch, count])],
        [numpy_helper.from_array(weights, "weights"), numpy_helper.from_array(bias, "bias")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())
    return path
