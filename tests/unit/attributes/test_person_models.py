"""Attribute models: order, layout, and what is no such model."""

from pathlib import Path

import numpy as np
import pytest
from tests.attribute_models import PP_HUMAN, write_attribute_model

from video_detective.attributes import Attributes
from video_detective.attributes.onnx import PersonModel
from video_detective.errors import WeightsError

PICTURE = np.full((240, 320, 3), 90, np.uint8)
PICTURE[40:200, 40:100] = (20, 20, 220)
RED, GREY, SMALL = (40.0, 40.0, 100.0, 200.0), (200.0, 40.0, 260.0, 200.0), (5.0, 5.0, 12.0, 25.0)


def test_persons_are_judged_one_by_one_and_counted(tmp_path: Path) -> None:
    model = PersonModel(
        write_attribute_model(
            tmp_path / "m.onnx", {"Age18-60", "Back", "Trousers"}, if_red={"Female", "Skirt&Dress"}
        )
    )

    found = model.count(PICTURE, [RED, GREY, GREY])

    assert (found.female, found.male) == (1, 2)
    assert (found.age_less18, found.age18_to60, found.age_over60) == (0, 3, 0)
    assert (found.front, found.side, found.back) == (0, 0, 3)
    assert (found.trousers, found.skirt_dress, found.hat) == (3, 1, 0)
    assert found.upper_red is None


@pytest.mark.parametrize("logits", [True, False])
@pytest.mark.parametrize("batch", ["batch", 1, 4])
def test_logits_and_fixed_batches_say_the_same(
    tmp_path: Path, logits: bool, batch: int | str
) -> None:
    model = PersonModel(
        write_attribute_model(tmp_path / "m.onnx", {"Hat"}, logits=logits, batch=batch)
    )

    assert model.count(PICTURE, [RED] * 5 + [GREY]).hat == 6


def test_the_order_of_pp_human_is_understood_when_it_is_said(tmp_path: Path) -> None:
    path = write_attribute_model(
        tmp_path / "m.onnx", {"Female", "AgeLess18", "Front", "boots"}, order=PP_HUMAN
    )

    found = PersonModel(path, labels="pphuman").count(PICTURE, [GREY])

    assert (found.female, found.age_less18, found.front, found.boots) == (1, 1, 1, 1)
    assert (found.hat, found.long_coat, found.backpack) == (0, 0, 0)


def test_a_model_with_free_sides_gets_256_by_192(tmp_path: Path) -> None:
    path = write_attribute_model(tmp_path / "m.onnx", {"Hat"}, size=("height", "width"))

    assert PersonModel(path).count(PICTURE, [RED]).hat == 1


def test_persons_too_small_to_judge_count_to_nothing(tmp_path: Path) -> None:
    model = PersonModel(write_attribute_model(tmp_path / "m.onnx", {"Hat"}))

    assert model.count(PICTURE, [SMALL]) == Attributes()
    assert model.count(PICTURE, []) == Attributes()
    assert (model.count(PICTURE, [SMALL, RED]).hat, model.count(PICTURE, [SMALL, RED]).male) == (
        1,
        1,
    )


@pytest.mark.parametrize("outputs", [25, 40])
def test_a_model_of_other_outputs_is_refused_with_the_shape_found(
    tmp_path: Path, outputs: int
) -> None:
    path = write_attribute_model(tmp_path / "m.onnx", outputs=outputs)

    with pytest.raises(WeightsError, match=rf"{outputs}\).*26"):
        PersonModel(path)


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "m.onnx").write_bytes(b"no model")

    with pytest.raises(WeightsError, match=r"m\.onnx"):
        PersonModel(tmp_path / "m.onnx")
