"""Detectors by name."""

import re
from pathlib import Path

import pytest

from video_detective.detection.detectors.registry import make_detector
from video_detective.errors import UsageError, WeightsError


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"name": "yolo9000"}, r"'yolo9000'.*mobilenet-ssd, centerface"),
        ({"name": "mobilenet-ssd", "classes": ["persons"]}, r"'persons'.*person, bicycle"),
        ({"name": "mobilenet-ssd", "classes": ["truck"]}, r"cannot find truck.*car, cat"),
        ({"name": "mobilenet-ssd", "classes": []}, "cannot find nothing"),
        ({"name": "centerface", "classes": ["person"]}, r"cannot find person.*face"),
        ({"name": "mobilenet-ssd", "threshold": 40}, "40.*0 to 1"),
    ],
)
def test_a_configuration_that_cannot_work_is_answered_with_what_would(arguments, said) -> None:
    with pytest.raises(UsageError) as caught:
        make_detector(**arguments)
    assert re.search(said, str(caught.value))


def test_absent_weights_say_how_to_install_them(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="video-detective models install"):
        make_detector("mobilenet-ssd", cache_dir=tmp_path)


def test_a_model_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="mine.onnx".replace(".", r"\.")):
        make_detector("mobilenet-ssd", model_path=tmp_path / "mine.onnx")


def test_a_model_file_that_is_no_model_is_named(tmp_path: Path) -> None:
    (tmp_path / "mine.onnx").write_bytes(b"no model")
    with pytest.raises(WeightsError, match=r"mine\.onnx") as caught:
        make_detector("mobilenet-ssd", model_path=tmp_path / "mine.onnx")
    assert "\n" not in str(caught.value)
