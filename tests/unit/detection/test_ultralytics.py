"""The Ultralytics detector, without the package: at its seam, and where the package is absent."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray

from video_detective.detection.detectors.ultralytics import UltralyticsDetector
from video_detective.errors import MissingError, UsageError


class Array:
    """An array that answers like a tensor."""

    def __init__(self, values: ArrayLike) -> None:
        self.values = np.array(values, np.float32)

    def cpu(self) -> "Array":
        return self

    def numpy(self) -> NDArray[np.float32]:
        return self.values


class OneBoxModel:
    """Finds in every picture what it was made with, and remembers what it was asked."""

    def __init__(self, names: Mapping[int, str], rows: Sequence[Sequence[float]]) -> None:
        self.names = names
        self.rows = np.array(rows, np.float32).reshape(-1, 6)
        self.asked: dict[str, object] = {}

    def predict(self, source: list[NDArray[np.uint8]], **options: object) -> list[SimpleNamespace]:
        assert source, "an empty list would make Ultralytics look at its own sample pictures"
        self.asked = options
        boxes = SimpleNamespace(
            xyxy=Array(self.rows[:, :4]), conf=Array(self.rows[:, 4]), cls=Array(self.rows[:, 5])
        )
        return [SimpleNamespace(boxes=boxes) for _ in source]


NAMES = {0: "person", 1: "bicycle", 5: "bus"}
PICTURE: NDArray[np.uint8] = np.zeros((90, 160, 3), np.uint8)


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "yolo26n.pt"
    path.touch()
    return path


def test_boxes_come_sorted_inside_the_picture_and_by_our_class_names(weights: Path) -> None:
    rows = [(0, 0, 10, 10, 0.5, 1), (-5, 20, 300, 95, 0.9, 5), (1, 2, 3, 4, 0.7, 3)]
    model = OneBoxModel(NAMES, rows)
    detector = UltralyticsDetector(weights, threshold=0.3, load=lambda path, device: model)
    first, second = detector.detect([PICTURE, PICTURE])
    assert first.classes == second.classes == ("bus", "bicycle")
    assert first.boxes.tolist() == [[0, 20, 160, 90], [0, 0, 10, 10]]
    assert model.asked["conf"] == 0.3


def test_only_wanted_classes_come_out(weights: Path) -> None:
    model = OneBoxModel(NAMES, [(0, 0, 9, 9, 0.5, 1)])
    detector = UltralyticsDetector(weights, classes=["person"], load=lambda path, device: model)
    assert detector.classes == {"person"}
    assert len(detector.detect([PICTURE])[0]) == 0


def test_no_pictures_and_nothing_found_are_answered(weights: Path) -> None:
    model = OneBoxModel(NAMES, [])
    detector = UltralyticsDetector(weights, load=lambda path, device: model)
    assert detector.detect([]) == []
    assert detector.detect([PICTURE])[0].boxes.shape == (0, 4)


def test_a_model_without_any_wanted_class_is_told(weights: Path) -> None:
    model = OneBoxModel({0: "zebra"}, [])
    with pytest.raises(UsageError, match="it knows zebra"):
        UltralyticsDetector(weights, load=lambda path, device: model)


def test_the_missing_package_is_told_with_its_licence_and_how_to_install_it(
    weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ultralytics", None)  # as Python marks what cannot be imported
    with pytest.raises(UsageError) as told:
        UltralyticsDetector(weights)
    assert "AGPL-3.0" in str(told.value)
    assert "pip install 'video-detective[ultralytics]'" in str(told.value)


def test_missing_weights_are_told_and_never_fetched(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match=r"yolo26x\.pt"):
        UltralyticsDetector(tmp_path / "yolo26x.pt")
