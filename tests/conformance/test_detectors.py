"""What every detector promises, on real weights."""

from pathlib import Path

import numpy as np
import pytest

from video_detective.detection.base import CLASS_GROUPS, Detector
from video_detective.detection.detectors.registry import make_detector

THRESHOLD = 0.001
"""Low enough that noise gives detections to look at."""


@pytest.fixture(params=["mobilenet-ssd", "centerface"])
def detector(request, models_dir: Path) -> Detector:
    return make_detector(request.param, threshold=THRESHOLD, cache_dir=models_dir)


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(sum(shape)).integers(0, 256, shape, np.uint8)


def test_it_bears_the_name_it_is_made_by(detector: Detector, request) -> None:
    assert detector.name == request.node.callspec.params["detector"]


def test_its_classes_are_classes_of_the_program(detector: Detector) -> None:
    assert detector.classes
    assert detector.classes <= set(CLASS_GROUPS)


def test_no_images_give_no_answers(detector: Detector) -> None:
    assert detector.detect([]) == []


def test_images_of_any_size_are_answered_in_order_with_boxes_inside_them(
    detector: Detector,
) -> None:
    images = [noise(*size, 3) for size in [(240, 320), (1, 1), (700, 40), (33, 500)] * 3]
    found = detector.detect(images)
    assert len(found) == len(images)
    assert sum(len(detections) for detections in found) > 10
    for image, detections in zip(images, found, strict=True):
        height, width = image.shape[:2]
        assert detections.boxes.shape == (len(detections), 4)
        assert detections.boxes.dtype == np.float32
        assert detections.scores.dtype == np.float32
        assert (detections.boxes >= 0).all()
        assert (detections.boxes <= np.array([width, height] * 2)).all()
        assert (detections.boxes[:, 2:] >= detections.boxes[:, :2]).all()
        assert (np.diff(detections.scores) <= 0).all()
        assert ((detections.scores >= THRESHOLD) & (detections.scores <= 1)).all()
        assert set(detections.classes) <= detector.classes


def test_an_image_is_answered_alike_alone_and_among_others(detector: Detector) -> None:
    images = [noise(200 + 20 * i, 300, 3) for i in range(10)]
    together = detector.detect(images)
    assert sum(len(detections) for detections in together) > 10
    for image, among in zip(images, together, strict=True):
        (alone,) = detector.detect([image])
        assert alone.classes == among.classes
        assert np.allclose(alone.boxes, among.boxes, atol=0.05)
        assert np.allclose(alone.scores, among.scores, atol=1e-4)


def test_a_view_into_a_larger_picture_is_read_as_it_is(detector: Detector) -> None:
    picture = noise(400, 500, 3)
    view = picture[50:350, 100:420]
    (of_view,) = detector.detect([view])
    (of_copy,) = detector.detect([view.copy()])
    assert len(of_view) > 0
    assert of_view.as_records() == of_copy.as_records()


def test_images_are_not_changed(detector: Detector) -> None:
    image = noise(240, 320, 3)
    before = image.copy()
    detector.detect([image])
    assert np.array_equal(image, before)


def test_it_does_not_remember(detector: Detector) -> None:
    image = noise(240, 320, 3)
    (first,) = detector.detect([image])
    detector.detect([noise(100, 100, 3)])
    (again,) = detector.detect([image])
    assert len(first) > 0
    assert first.as_records() == again.as_records()
