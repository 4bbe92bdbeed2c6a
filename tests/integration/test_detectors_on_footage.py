"""The default detectors on real footage."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from video_detective.detection.base import Detections, Detector
from video_detective.detection.detectors.faces import blur_faces
from video_detective.detection.detectors.mobilenet_ssd import MobileNetSsd
from video_detective.detection.detectors.registry import make_detector
from video_detective.detection.weights import find
from video_detective.geometry import iou

pytestmark = pytest.mark.media


def pictures(video: Path, numbers: set[int]) -> Iterator[tuple[int, np.ndarray]]:
    """The frames of the given 1-based numbers, BGR."""
    with av.open(str(video)) as container:
        for number, frame in enumerate(container.decode(video=0), 1):
            if number in numbers:
                yield number, frame.to_ndarray(format="bgr24")
            if number >= max(numbers):
                return


def precise(models_dir: Path, **options: Any) -> Detector:
    path = find("mobilenet-ssd", "mobilenet_ssd.onnx", models_dir)
    return make_detector("mobilenet-ssd", model_path=path, **options)


def test_people_around_the_ground_truth_are_found_where_they_are(media_dir, models_dir) -> None:
    """A square of 256 pixels around each person: what the tiles of the pipeline look like."""
    truth = np.loadtxt(media_dir / "pets" / "gt_first_half.txt", delimiter=",")
    detector = make_detector(
        "mobilenet-ssd", classes=["person"], threshold=0.3, cache_dir=models_dir
    )
    hits = people = 0
    for number, picture in pictures(media_dir / "pets" / "vtest.avi", {1, 101, 201, 301}):
        for x, y, w, h in truth[truth[:, 0] == number][:, 2:6]:
            if h < 59:
                continue
            left = int(np.clip(x + w / 2 - 128, 0, 768 - 256))
            top = int(np.clip(y + h / 2 - 128, 0, 576 - 256))
            (found,) = detector.detect([picture[top : top + 256, left : left + 256]])
            box = np.array([[x - left, y - top, x - left + w, y - top + h]], np.float32)
            people += 1
            hits += bool((iou(found.boxes, box) >= 0.5).any())
    assert people >= 15
    assert hits / people >= 0.85


def test_eight_bits_find_what_full_precision_finds(media_dir, models_dir) -> None:
    regions = [
        picture[y : y + 256, x : x + 256]
        for _, picture in pictures(media_dir / "pets" / "vtest.avi", {50, 250})
        for x in (0, 256, 512)
        for y in (60, 190)
    ]
    exact = precise(models_dir, threshold=0.6).detect(regions)
    fast = make_detector("mobilenet-ssd", threshold=0.3, cache_dir=models_dir).detect(regions)
    matched = [
        (iou(box[None], b.boxes) > 0.6).any()
        for a, b in zip(exact, fast, strict=True)
        for box in a.boxes
    ]
    assert len(matched) >= 8
    assert np.mean(matched) >= 0.9


def test_only_the_wanted_classes_come_out(media_dir, models_dir) -> None:
    ((_, picture),) = pictures(media_dir / "car-detection.mp4", {80})
    everything = make_detector("mobilenet-ssd", threshold=0.3, cache_dir=models_dir)
    cars = make_detector("mobilenet-ssd", classes=["car"], threshold=0.3, cache_dir=models_dir)
    dogs = make_detector("mobilenet-ssd", classes=["dog"], threshold=0.3, cache_dir=models_dir)
    assert "car" in everything.detect([picture])[0].classes
    assert set(cars.detect([picture])[0].classes) == {"car"}
    assert dogs.detect([picture])[0].classes == ()


def test_faces_are_found_and_once_blurred_no_longer(media_dir, models_dir) -> None:
    detector = make_detector("centerface", threshold=0.5, cache_dir=models_dir)
    video = media_dir / "face-demographics-walking-and-pause.gif"
    for _, picture in pictures(video, {1, 41}):
        (faces,) = detector.detect([picture])
        assert faces.classes == ("face",) * 3
        people = _people(picture, models_dir)
        foreheads = (faces.boxes[:, :2] + faces.boxes[:, 2:]) / 2
        for x, y in foreheads:
            assert ((people[:, :2] <= (x, y)) & (people[:, 2:] >= (x, y))).all(axis=1).any()
        (left,) = detector.detect([blur_faces(picture, faces)])
        assert left.classes == ()


def _people(picture: np.ndarray, models_dir: Path) -> np.ndarray:
    found: Detections = MobileNetSsd(
        find("mobilenet-ssd", "mobilenet_ssd_int8.onnx", models_dir),
        threshold=0.3,
        classes=["person"],
    ).detect([picture])[0]
    return found.boxes


def test_a_camera_that_asks_for_faces_gets_them_beside_its_people(media_dir, models_dir) -> None:
    video = media_dir / "face-demographics-walking-and-pause.gif"
    detector = make_detector("mobilenet-ssd", classes=("person", "face"), threshold=0.4)
    assert detector.classes == {"person", "face"}
    with av.open(video) as container:
        picture = next(container.decode(video=0)).to_ndarray(format="bgr24")
    alone = make_detector("centerface").detect([picture])[0]
    people = make_detector("mobilenet-ssd", classes=("person",), threshold=0.4).detect([picture])[0]
    (both,) = detector.detect([picture])
    assert both.classes.count("face") == len(alone) > 0
    assert both.classes.count("person") == len(people) > 0
    assert list(both.scores) == sorted(both.scores, reverse=True)
    assert detector.detect([]) == []
