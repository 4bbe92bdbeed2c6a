"""Faces in exports."""

import numpy as np

from video_detective.detection.base import Detections
from video_detective.detection.detectors.faces import blur_faces


def faces(*boxes: tuple[float, float, float, float], name: str = "face") -> Detections:
    return Detections(
        boxes=np.array(boxes, np.float32).reshape(-1, 4),
        scores=np.ones(len(boxes), np.float32),
        classes=(name,) * len(boxes),
    )


def picture() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (120, 160, 3), np.uint8)


def test_at_most_six_colours_a_side_remain_of_a_face() -> None:
    blurred = blur_faces(picture(), faces((40, 30, 88, 90)))
    inside = blurred[30:90, 40:88].reshape(-1, 3)
    assert len(np.unique(inside, axis=0)) <= 36


def test_the_margin_around_the_box_is_covered_too() -> None:
    image = picture()
    blurred = blur_faces(image, faces((40, 30, 80, 70)))
    changed = (blurred != image).any(axis=2)
    assert changed[25:75, 35:85].mean() > 0.99
    assert not changed[:24].any()
    assert not changed[:, 87:].any()


def test_the_given_picture_is_not_changed() -> None:
    image = picture()
    before = image.copy()
    blur_faces(image, faces((40, 30, 80, 70)))
    assert np.array_equal(image, before)


def test_nothing_but_faces_is_blurred() -> None:
    image = picture()
    assert np.array_equal(blur_faces(image, faces((40, 30, 80, 70), name="person")), image)
    assert np.array_equal(blur_faces(image, Detections.none()), image)


def test_faces_at_and_beyond_the_border_are_blurred_as_far_as_they_show() -> None:
    image = picture()
    blurred = blur_faces(
        image, faces((-30, -30, 20, 20), (150, 110, 400, 300), (500, 500, 600, 600))
    )
    assert (blurred[:20, :20] != image[:20, :20]).any(axis=2).mean() > 0.95
    assert (blurred[110:, 150:] != image[110:, 150:]).any(axis=2).mean() > 0.9
    assert np.array_equal(blurred[60:90, 60:100], image[60:90, 60:100])


def test_a_face_of_one_pixel_is_no_trouble() -> None:
    assert blur_faces(picture(), faces((5, 5, 6, 6))).shape == (120, 160, 3)
