"""What every detector promises, whichever it is."""

from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from tests.onnx_graphs import write_detector

from video_detective.detection import CLASS_GROUPS, Detections, Detector
from video_detective.detection.onnx_models import OnnxDetector
from video_detective.detection.registry import DETECTORS, make_detector
from video_detective.detection.ultralytics import UltralyticsDetector
from video_detective.errors import UsageError, WeightsError

Picture = NDArray[np.uint8]
LOW = 0.02
"""A threshold low enough that even a picture without objects gives some boxes."""


def _installed(name: str) -> Callable[[Path], Detector]:
    def make(folder: Path) -> Detector:
        try:
            return make_detector(name, threshold=LOW)
        except WeightsError as missing:
            pytest.skip(f"the weights of {name} are not installed: {missing}")

    return make


def _onnx(folder: Path) -> Detector:
    """Rows of the kinds a real export has: sure, weak, unwanted, outside and empty ones."""
    rows = np.zeros((300, 6), np.float32)
    rows[0] = (10, 40, 60, 90, 0.3, 2)
    rows[1] = (20, 40, 60, 90, 0.9, 0)
    rows[2] = (-50, -50, 200, 200, 0.5, 7)
    rows[3] = (40, 40, 40, 90, 0.8, 0)
    rows[4] = (20, 40, 60, 90, 0.7, 22)
    return OnnxDetector(write_detector(folder / "user.onnx", {"output0": rows}), threshold=LOW)


class _Tensor(np.ndarray):
    def cpu(self) -> "_Tensor":
        return self

    def numpy(self) -> NDArray[np.float32]:
        return np.asarray(self)


class _BrightModel:
    """Stands for the Ultralytics package: a box whose score is the picture's brightness."""

    names = {0: "person", 1: "zebra", 2: "car"}  # noqa: RUF012 - as the package has it

    def predict(self, source: list[Picture], **options: object) -> list[SimpleNamespace]:
        return [self._result(picture) for picture in source]

    def _result(self, picture: Picture) -> SimpleNamespace:
        shade = float(picture.mean()) / 255
        rows = np.array(
            [[5, 5, 30, 30, 0.1, 2], [-9, 2, 9999, 30, shade, 0], [1, 1, 9, 9, 0.5, 1]], np.float32
        )
        boxes = SimpleNamespace(
            xyxy=rows[:, :4].view(_Tensor),
            conf=rows[:, 4].view(_Tensor),
            cls=rows[:, 5].view(_Tensor),
        )
        return SimpleNamespace(boxes=boxes)


def _ultralytics(folder: Path) -> Detector:
    weights = folder / "user.pt"
    weights.touch()
    return UltralyticsDetector(weights, threshold=LOW, load=lambda path, device: _BrightModel())


USERS_OWN = {"onnx": _onnx, "ultralytics": _ultralytics}
MAKERS = {name: USERS_OWN.get(name) or _installed(name) for name in DETECTORS}


@pytest.fixture(params=sorted(MAKERS))
def detector(request: pytest.FixtureRequest, tmp_path: Path) -> Detector:
    return MAKERS[request.param](tmp_path)


@pytest.fixture(scope="module")
def pictures() -> list[Picture]:
    """Three of different sizes with shapes on them, from dark to bright."""
    made = []
    for i, (width, height) in enumerate(((320, 240), (240, 320), (500, 130))):
        picture = np.full((height, width, 3), 40 + 70 * i, np.uint8)
        cv2.rectangle(
            picture, (width // 3, height // 4), (width // 2, height - 9), (30, 60, 90), -1
        )
        cv2.circle(picture, (width // 2, height // 4), height // 8, (200, 180, 160), -1)
        made.append(picture)
    return made


def same(a: Sequence[Detections], b: Sequence[Detections]) -> bool:
    return len(a) == len(b) and all(
        x.classes == y.classes
        and np.array_equal(x.boxes, y.boxes)
        and np.array_equal(x.scores, y.scores)
        for x, y in zip(a, b, strict=True)
    )


def test_no_pictures_give_no_results(detector: Detector) -> None:
    assert detector.detect([]) == []


def test_every_picture_gets_one_answer_of_the_promised_shape(
    detector: Detector, pictures: list[Picture]
) -> None:
    found = detector.detect(pictures)
    assert len(found) == len(pictures)
    for one in found:
        assert one.boxes.shape == (len(one), 4)
        assert one.scores.shape == (len(one),)
        assert one.boxes.dtype == one.scores.dtype == np.float32


def test_the_suite_sees_boxes(detector: Detector, pictures: list[Picture]) -> None:
    if detector.name == "centerface":
        pytest.skip("shapes on a plain ground are no faces")
    assert sum(len(one) for one in detector.detect(pictures)) > 0


def test_a_batch_answers_like_its_pictures_alone_in_their_order(
    detector: Detector, pictures: list[Picture]
) -> None:
    together = detector.detect(pictures)
    alone = [detector.detect([picture])[0] for picture in pictures]
    for one, other in zip(together, alone, strict=True):
        assert one.classes == other.classes
        # Batched kernels may add in another order.
        np.testing.assert_allclose(one.boxes, other.boxes, atol=0.1)
        np.testing.assert_allclose(one.scores, other.scores, atol=1e-3)


def test_scores_are_shares_in_falling_order(detector: Detector, pictures: list[Picture]) -> None:
    for one in detector.detect(pictures):
        assert (np.diff(one.scores) <= 0).all()
        assert ((one.scores >= LOW) & (one.scores <= 1)).all()


def test_boxes_lie_inside_their_picture_and_are_not_empty(
    detector: Detector, pictures: list[Picture]
) -> None:
    for one, picture in zip(detector.detect(pictures), pictures, strict=True):
        height, width = picture.shape[:2]
        assert (one.boxes >= 0).all()
        assert (one.boxes[:, [0, 2]] <= width).all()
        assert (one.boxes[:, [1, 3]] <= height).all()
        assert (one.boxes[:, 2:] > one.boxes[:, :2]).all()


def test_only_announced_classes_come_out(detector: Detector, pictures: list[Picture]) -> None:
    assert detector.classes
    assert detector.classes <= CLASS_GROUPS.keys()
    for one in detector.detect(pictures):
        assert detector.classes.issuperset(one.classes)


def test_the_same_pictures_give_the_same_boxes(detector: Detector, pictures: list[Picture]) -> None:
    assert same(detector.detect(pictures), detector.detect(pictures))


def test_pictures_are_left_as_they_were(detector: Detector, pictures: list[Picture]) -> None:
    before = [picture.copy() for picture in pictures]
    detector.detect(pictures)
    assert all(np.array_equal(a, b) for a, b in zip(before, pictures, strict=True))


def test_pictures_may_be_views_that_cannot_be_written(
    detector: Detector, pictures: list[Picture]
) -> None:
    picture = pictures[0].copy()
    picture.flags.writeable = False
    region = picture[10:150, 20:220]
    assert same(detector.detect([region]), detector.detect([region.copy()]))


def test_the_smallest_picture_is_no_error(detector: Detector) -> None:
    (found,) = detector.detect([np.zeros((1, 1, 3), np.uint8)])
    assert ((found.boxes >= 0) & (found.boxes <= 1)).all()


# The registry


def test_an_unknown_detector_is_told_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match=r"no detector 'yolo'.*mobilenet-ssd.*onnx"):
        make_detector("yolo")


@pytest.mark.parametrize("name", sorted(USERS_OWN))
def test_a_users_detector_without_a_model_is_told(name: str) -> None:
    with pytest.raises(UsageError, match="brings no model of its own"):
        make_detector(name)


def test_a_users_model_is_made_by_name(tmp_path: Path) -> None:
    rows = {"out": np.array([[20, 40, 60, 90, 0.9, 1]], np.float32)}
    path = write_detector(tmp_path / "user.onnx", rows)
    detector = make_detector(
        "onnx", model_path=path, layout="yolo-end2end", class_names=["", "dog"], classes=["dog"]
    )
    assert detector.detect([np.zeros((128, 128, 3), np.uint8)])[0].classes == ("dog",)
