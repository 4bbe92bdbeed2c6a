"""Eyes without weights, on made-up sequences of 5 pictures a second."""

from __future__ import annotations

import numpy as np
import pytest

from video_detective.detection.motion import MotionEyes
from video_detective.geometry import iou


def eyes():
    return MotionEyes(classes=frozenset({"person", "car", "object"}))


def look(subject, film, start_s, until_s):
    return [
        subject.look(film(i / 5), idle_sample=i % 5 == 0)
        for i in range(round(start_s * 5), round(until_s * 5))
    ]


def named(perception, name):
    keep = np.array([c == name for c in perception.detections.classes], np.bool_)
    return perception.detections.where(keep).boxes


def test_an_empty_place_has_nothing_in_it(camera):
    seen = look(eyes(), camera.film, 0, 20)
    assert not any(len(p.detections) or p.moving or p.tiles for p in seen)


def test_someone_standing_for_35_seconds_is_one_person_with_one_box_within_two_pixels(camera):
    someone = (200, 100, 220, 150, 10.0)
    subject = eyes()
    look(subject, camera.film, 0, 10)
    for seen in look(subject, lambda s: camera.film(s, (someone,)), 10, 45)[1:]:
        assert seen.detections.classes == ("person",)
        assert np.abs(seen.detections.boxes[0] - someone[:4]).max() <= 2
        assert seen.moving


def test_eleven_people_apart_are_eleven_persons(camera):
    people = [
        (20 + 32 * i, 120 + 10 * (i % 3), 38 + 32 * i, 170 + 10 * (i % 3), 10.0) for i in range(11)
    ]
    subject = eyes()
    look(subject, camera.film, 0, 10)
    for seen in look(subject, lambda s: camera.film(s, people), 10, 15)[1:]:
        assert seen.detections.classes == ("person",) * 11
        best = iou(np.array([p[:4] for p in people], np.float32), seen.detections.boxes)
        assert best.max(axis=1).min() > 0.7


def test_a_wide_blob_is_a_car(camera):
    subject = eyes()
    look(subject, camera.film, 0, 10)

    def film(second):
        x = round(20 + 40 * (second - 10))
        return camera.film(second, ((x, 200, x + 70, 232, 10.0),))

    for seen in look(subject, film, 10.4, 15):
        assert seen.detections.classes == ("car",)


def test_a_bag_left_by_someone_becomes_an_object_soon_after_they_part(camera):
    bag = (150, 160, 174, 176, 240.0)

    def film(second):
        x = round(148 + (20 * (second - 14) if second > 14 else 0))
        person = (x, 126, x + 20, 176, 10.0)
        return camera.film(second, (person,) if second < 12 else (person, bag))

    subject = eyes()
    look(subject, camera.film, 0, 10)
    seen = look(subject, film, 10, 24)
    reported = [named(p, "object") for p in seen[35:]]
    assert all(len(boxes) == 1 for boxes in reported)
    assert np.abs(reported[0][0] - bag[:4]).max() <= 2
    assert len({tuple(boxes[0]) for boxes in reported}) == 1
    assert all(len(named(p, "person")) == 1 for p in seen[35:])


def test_a_covered_lens_shows_nothing_and_the_scene_is_known_after(camera):
    someone = (200, 100, 220, 150, 10.0)
    subject = eyes()
    look(subject, camera.film, 0, 10)
    look(subject, lambda s: camera.film(s, (someone,)), 10, 15)
    dark = look(subject, camera.covered, 15, 19)
    assert {p.view for p in dark} == {"dark"}
    assert not any(len(p.detections) for p in dark)
    after = look(subject, lambda s: camera.film(s, (someone,)), 19, 25)
    assert {p.detections.classes for p in after} == {("person",)}


def test_only_wanted_classes_are_reported(camera):
    subject = MotionEyes(classes=frozenset({"car"}))
    look(subject, camera.film, 0, 10)
    someone = ((200, 100, 220, 150, 10.0),)
    seen = look(subject, lambda s: camera.film(s, someone), 10, 12)
    assert not any(len(p.detections) for p in seen)
    assert all(p.moving for p in seen)


@pytest.mark.parametrize("stop_s", [4, 13.2])
def test_restored_eyes_go_on_bit_for_bit(camera, stop_s):
    def film(second):
        x = round(20 + 20 * (second - 10))
        things = ((x, 100, x + 20, 150, 10.0),) if second >= 10 else ()
        return camera.film(
            second, (*things, (250, 200, 274, 216, 240.0)) if second > 12 else things
        )

    subject = eyes()
    look(subject, film, 0, stop_s)
    other = eyes()
    other.restore({name: array.copy() for name, array in subject.state().items()})
    for a, b in zip(look(subject, film, stop_s, 20), look(other, film, stop_s, 20), strict=True):
        np.testing.assert_array_equal(a.detections.boxes, b.detections.boxes)
        np.testing.assert_array_equal(a.detections.scores, b.detections.scores)
        assert (a.moving, a.view, a.cut) == (b.moving, b.view, b.cut)
