"""Eyes with a detector that sees dark boxes: what is searched, when, and what is reported."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from video_detective.detection.base import Detections
from video_detective.detection.gate import GatedEyes
from video_detective.detection.tiles import make_grid
from video_detective.geometry import iou

CLASSES = frozenset({"person", "car", "object"})
EVERYWHERE = len(make_grid(384, 288))
PARKED = (300, 200, 360, 230, 15.0)
STANDING = (200, 100, 216, 145, 5.0)


class DarkBoxes:
    """Finds filled boxes of grey level 5 (persons) and 15 (cars) by looking."""

    name = "dark-boxes"
    classes = frozenset({"person", "car"})

    def __init__(self):
        self.searched = 0

    def detect(self, images):
        self.searched += len(images)
        return [self._find(image) for image in images]

    def _find(self, image):
        rows, classes = [], []
        for name, low, high in (("person", 0, 10), ("car", 11, 20)):
            mask = cv2.medianBlur(cv2.inRange(image[:, :, 0], low, high), 3)
            contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
            for contour in contours:
                x, y, w, h = cv2.boundingRect(contour)
                if w * h >= 200:
                    rows.append([x, y, x + w, y + h])
                    classes.append(name)
        return Detections(
            boxes=np.array(rows, np.float32).reshape(-1, 4),
            scores=np.full(len(rows), 0.8, np.float32),
            classes=tuple(classes),
        )


class Blind:
    """Never finds anything."""

    name = "blind"
    classes = frozenset({"person"})

    def detect(self, images):
        return [Detections.none() for _ in images]


def eyes(detector=None):
    return GatedEyes(detector or DarkBoxes(), classes=CLASSES)


def look(subject, film, start_s, until_s):
    return [
        subject.look(film(i / 5), idle_sample=i % 5 == 0)
        for i in range(round(start_s * 5), round(until_s * 5))
    ]


def of_class(perception, name):
    keep = np.array([c == name for c in perception.detections.classes], np.bool_)
    return perception.detections.where(keep)


def walker(second):
    x = 20 + round(24 * (second - 10))
    return ((x, 100, x + 16, 145, 5.0),)


def same(a, b):
    np.testing.assert_array_equal(a.detections.boxes, b.detections.boxes)
    np.testing.assert_array_equal(a.detections.scores, b.detections.scores)
    np.testing.assert_array_equal(a.motion, b.motion)
    assert a.detections.classes == b.detections.classes
    assert (a.moving, a.view, a.cut, a.tiles) == (b.moving, b.view, b.cut, b.tiles)


def test_the_first_picture_is_searched_everywhere(camera):
    seen = eyes().look(camera.film(0, (PARKED,)), idle_sample=True)
    assert seen.tiles == EVERYWHERE
    assert of_class(seen, "car").boxes.tolist() == [list(PARKED[:4])]


def test_an_empty_place_costs_one_tile_a_second(camera):
    subject = eyes()
    seen = look(subject, camera.film, 0, 20)[5:]
    assert [p.tiles for p in seen] == ([0] * 5 + [2] + [0] * 4) * 9 + [0] * 5
    assert not any(p.moving for p in seen[15:])
    assert all(len(p.detections) == 0 for p in seen)


def test_idle_tiles_come_to_every_part_of_the_picture(camera):
    class SlowStarter(DarkBoxes):
        def detect(self, images):
            found = super().detect(images)
            return found if self.searched > EVERYWHERE else [Detections.none() for _ in images]

    subject = eyes(SlowStarter())
    seen = look(subject, lambda s: camera.film(s, (PARKED,)), 0, EVERYWHERE + 1)
    assert len(seen[0].detections) == 0
    assert len(of_class(seen[-1], "car")) == 1


def test_someone_who_walks_is_seen_in_every_look(camera):
    subject = eyes()
    look(subject, camera.film, 0, 10)
    for i in range(50, 100):
        seen = subject.look(camera.film(i / 5, walker(i / 5)), idle_sample=i % 5 == 0)
        found = of_class(seen, "person")
        assert len(found) == 1
        assert iou(found.boxes, np.array([walker(i / 5)[0][:4]], np.float32))[0, 0] > 0.8
        assert seen.moving
        assert seen.tiles <= 4


def test_a_parked_car_is_reported_in_every_look_at_little_cost_and_does_not_wake_the_camera(camera):
    subject = eyes()
    seen = look(subject, lambda s: camera.film(s, (PARKED,)), 0, 40)
    assert all(len(of_class(p, "car")) == 1 for p in seen)
    assert len({tuple(map(tuple, of_class(p, "car").boxes)) for p in seen[5:]}) == 1
    assert not any(p.moving for p in seen[15:])
    rechecks = sum(p.tiles for p in seen[100:]) - 20
    assert rechecks <= 3


def test_someone_standing_keeps_the_camera_active_and_the_same_box(camera):
    subject = eyes()
    look(subject, camera.film, 0, 10)
    film = lambda s: camera.film(s, (STANDING,))  # noqa: E731
    seen = look(subject, film, 10, 50)
    assert all(len(of_class(p, "person")) == 1 for p in seen)
    assert all(p.moving for p in seen)
    assert len({tuple(map(tuple, of_class(p, "person").boxes)) for p in seen[10:]}) == 1
    assert sum(p.tiles for p in seen[25:]) / len(seen[25:]) < 0.6
    assert not any(len(of_class(p, "object")) for p in seen)


def test_the_camera_stays_active_for_two_seconds_after_someone_left(camera):
    subject = eyes()
    look(subject, camera.film, 0, 10)
    look(subject, lambda s: camera.film(s, walker(s)), 10, 14)
    seen = look(subject, camera.film, 14, 24)
    assert all(p.moving for p in seen[:9])
    assert not any(p.moving for p in seen[30:])
    assert not any(len(p.detections) for p in seen[15:])


def test_something_left_becomes_an_object_with_a_steady_box(camera):
    bag = (120, 180, 144, 198, 240.0)
    subject = eyes(Blind())
    look(subject, camera.film, 0, 10)
    seen = look(subject, lambda s: camera.film(s, (bag,)), 10, 60)
    reported = [of_class(p, "object") for p in seen[40:]]
    assert all(len(found) == 1 for found in reported)
    assert len({tuple(found.boxes[0]) for found in reported}) == 1
    assert np.abs(reported[0].boxes[0] - bag[:4]).max() <= 2
    assert not any(len(of_class(p, "object")) for p in seen[:15])
    taken = look(subject, camera.film, 60, 65)
    assert not any(len(of_class(p, "object")) for p in taken[8:])


def test_the_place_that_something_left_is_no_object(camera):
    subject = eyes(Blind())
    thing = (120, 180, 144, 198, 240.0)
    look(subject, lambda s: camera.film(s, (thing,)), 0, 10)
    seen = look(subject, camera.film, 10, 40)
    assert not any(len(of_class(p, "object")) for p in seen)
    assert not any(p.moving for p in seen[-50:])


def test_a_covered_lens_reports_dark_and_nothing_else_and_the_scene_is_known_after(camera):
    subject = eyes()
    film = lambda s: camera.film(s, (PARKED,))  # noqa: E731
    look(subject, film, 0, 15)
    dark = look(subject, camera.covered, 15, 20)
    assert {p.view for p in dark} == {"dark"}
    assert not any(len(p.detections) or p.tiles or len(p.motion) for p in dark)
    after = look(subject, film, 20, 30)
    assert {p.view for p in after} == {"ok"}
    assert not any(p.cut or len(p.motion) for p in after)
    assert all(len(of_class(p, "car")) == 1 for p in after)


def test_a_cut_is_searched_everywhere_and_forgets_the_old_scene(camera, other_place):
    subject = eyes()
    look(subject, lambda s: camera.film(s, (PARKED,)), 0, 10)
    after = look(subject, lambda s: camera.film(s, place=other_place), 10, 15)
    assert after[0].cut
    assert after[0].tiles == EVERYWHERE
    assert not any(p.cut for p in after[1:])
    assert not any(len(p.detections) or len(p.motion) for p in after)


def test_a_light_switched_on_is_no_motion_for_long(camera):
    subject = eyes()
    look(subject, lambda s: camera.film(s, gain=0.5), 0, 10)
    after = look(subject, lambda s: camera.film(s, gain=1.15), 10, 20)
    assert not any(p.cut for p in after)
    assert {p.view for p in after} == {"ok"}
    assert not any(len(p.motion) for p in after[2:])


def test_another_picture_size_starts_a_new_shot(camera):
    subject = eyes()
    look(subject, camera.film, 0, 5)
    larger = type(camera)(width=480, height=320)
    seen = subject.look(larger.film(5), idle_sample=True)
    assert seen.cut
    assert len(seen.detections) == 0


@pytest.mark.parametrize("stop_s", [3, 12.4, 18])
def test_eyes_restored_in_the_middle_go_on_bit_for_bit(camera, stop_s):
    def film(second):
        things = [PARKED]
        if second >= 10:
            things += walker(second)
        if second >= 13:
            things.append((120, 200, 144, 218, 240.0))
        return camera.film(second, things)

    subject = eyes()
    look(subject, film, 0, stop_s)
    other = eyes()
    other.restore({name: array.copy() for name, array in subject.state().items()})
    for a, b in zip(look(subject, film, stop_s, 24), look(other, film, stop_s, 24), strict=True):
        same(a, b)
    for name, array in subject.state().items():
        np.testing.assert_array_equal(array, other.state()[name])


def test_two_cameras_know_nothing_of_each_other(camera, other_place):
    alone, subject, neighbour = eyes(), eyes(), eyes()
    for i in range(100):
        second = i / 5
        things = walker(second) if second >= 10 else ()
        expected = alone.look(camera.film(second, things), idle_sample=i % 5 == 0)
        actual = subject.look(camera.film(second, things), idle_sample=i % 5 == 0)
        neighbour.look(camera.film(second, (STANDING,), place=other_place), idle_sample=True)
        same(expected, actual)
