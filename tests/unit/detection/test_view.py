"""What the view monitor says of made-up pictures, 5 a second."""

from __future__ import annotations

import cv2
import numpy as np

from video_detective.detection.scene.thumbnail import shrink
from video_detective.detection.scene.view import ViewMonitor


def watch(monitor, film, start_s, until_s):
    """The views from ``start_s`` to ``until_s``."""
    return [
        monitor.update(shrink(frame.luma), frame.time_ns)
        for frame in (film(i / 5) for i in range(round(start_s * 5), round(until_s * 5)))
    ]


def states(views):
    return [view.state for view in views]


def test_an_undisturbed_view_is_ok_throughout(camera):
    views = watch(ViewMonitor(), camera.film, 0, 30)
    assert set(states(views)) == {"ok"}
    assert not any(view.cut or view.moved for view in views)


def test_a_covered_lens_is_dark_while_it_is_covered_and_ok_at_once_after(camera):
    monitor = ViewMonitor()
    watch(monitor, camera.film, 0, 10)
    assert set(states(watch(monitor, camera.covered, 10, 15))) == {"dark"}
    after = watch(monitor, camera.film, 15, 20)
    assert set(states(after)) == {"ok"}
    assert not any(view.cut or view.moved for view in after)


def test_a_camera_that_starts_covered_is_dark(camera):
    assert set(states(watch(ViewMonitor(), camera.covered, 0, 3))) == {"dark"}


def test_a_view_out_of_focus_is_blurred_after_a_moment(camera):
    monitor = ViewMonitor()
    watch(monitor, camera.film, 0, 20)
    blurred = cv2.GaussianBlur(camera.place, (0, 0), 9)
    views = watch(monitor, lambda s: camera.film(s, place=blurred), 20, 30)
    assert states(views)[0] == "ok"
    assert set(states(views)[12:]) == {"blurred"}
    assert set(states(watch(monitor, camera.film, 30, 33))) == {"ok"}


def test_a_turned_camera_is_shifted_when_it_lasts_and_ok_when_turned_back(camera):
    monitor = ViewMonitor()
    watch(monitor, camera.film, 0, 20)
    turned = np.roll(camera.place, (12, 30), axis=(0, 1))
    views = watch(monitor, lambda s: camera.film(s, place=turned), 20, 30)
    assert states(views)[0] == "ok"
    assert set(states(views)[14:]) == {"shifted"}
    assert sum(view.moved for view in views) == 1
    back = watch(monitor, camera.film, 30, 35)
    assert set(states(back)) == {"ok"}
    assert sum(view.moved for view in back) == 1


def test_a_view_that_stays_shifted_becomes_a_new_shot(camera):
    monitor = ViewMonitor()
    watch(monitor, camera.film, 0, 10)
    turned = np.roll(camera.place, (12, 30), axis=(0, 1))
    views = watch(monitor, lambda s: camera.film(s, place=turned), 10, 90)
    assert sum(view.cut for view in views) == 1
    assert states(views)[-1] == "ok"


def test_a_hard_cut_is_seen_in_its_first_picture_and_only_there(camera, other_place):
    monitor = ViewMonitor()
    watch(monitor, camera.film, 0, 10)
    views = watch(monitor, lambda s: camera.film(s, place=other_place), 10, 20)
    assert [view.cut for view in views] == [True] + [False] * 49
    assert set(states(views)) == {"ok"}


def test_a_light_switched_on_is_no_cut(camera):
    monitor = ViewMonitor()
    watch(monitor, lambda s: camera.film(s, gain=0.45), 0, 10)
    views = watch(monitor, lambda s: camera.film(s, gain=1.2), 10, 20)
    assert set(states(views)) == {"ok"}
    assert not any(view.cut or view.moved for view in views)
    assert all(view.same_scene for view in views)


def test_someone_in_front_of_a_blank_wall_is_no_cut(camera):
    wall = np.full_like(camera.place, 120.0)
    wall += np.linspace(-30, 30, wall.shape[1], dtype=np.float32)
    monitor = ViewMonitor()
    watch(monitor, lambda s: camera.film(s, place=wall), 0, 10)
    someone = ((150, 60, 210, 260, 20.0),)
    views = watch(monitor, lambda s: camera.film(s, someone, place=wall), 10, 20)
    assert set(states(views)) == {"ok"}
    assert not any(view.cut for view in views)


def test_a_monitor_restored_in_the_middle_judges_the_same(camera):
    monitor = ViewMonitor()
    watch(monitor, camera.film, 0, 10)
    turned = np.roll(camera.place, (12, 30), axis=(0, 1))
    watch(monitor, lambda s: camera.film(s, place=turned), 10, 11)
    other = ViewMonitor()
    other.restore({name: array.copy() for name, array in monitor.state().items()})
    film = lambda s: camera.film(s, place=turned) if s < 20 else camera.film(s)  # noqa: E731
    assert watch(monitor, film, 11, 30) == watch(other, film, 11, 30)
    for name, array in monitor.state().items():
        np.testing.assert_array_equal(array, other.state()[name])


def test_a_lorry_that_passes_close_to_the_lens_is_no_shifted_view(camera, other_place):
    monitor = ViewMonitor()
    watch(monitor, camera.film, 0, 20)

    def lorry(second):
        picture = camera.place.copy()
        front = max(round(384 * (1 - (second - 20) / 2)), 0)
        picture[:, front:] = np.roll(other_place, -round(60 * second), axis=1)[:, front:]
        return camera.film(second, place=picture)

    views = watch(monitor, lorry, 20, 27)
    assert "shifted" not in states(views)
    assert not any(view.cut for view in views)
    assert not any(view.same_scene for view in views[15:])
    assert set(states(watch(monitor, camera.film, 27, 30))) == {"ok"}
