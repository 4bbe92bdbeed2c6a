"""The background model on made-up sequences, 5 pictures a second unless said otherwise."""

from __future__ import annotations

import numpy as np
import pytest

from video_detective.detection.scene.background import Background, Foreground
from video_detective.detection.scene.thumbnail import shrink
from video_detective.geometry import Boxes, iou


def run(camera, until_s, things=lambda second: (), *, fps=5, start_s=0.0, model=None, **film):
    """(model, foreground of every look)."""
    model = model or Background()
    seen: list[Foreground] = []
    for i in range(round(start_s * fps), round(until_s * fps)):
        frame = camera.film(i / fps, things(i / fps), **film)
        seen.append(model.update(shrink(frame.luma), frame.time_ns))
    return model, seen


def best_overlap(boxes: Boxes, expected: tuple[int, int, int, int]) -> float:
    if len(boxes) == 0:
        return 0.0
    return float(iou(np.array([expected], np.float32), boxes).max())


def walker(second: float):
    x = 40 + int(20 * (second - 10))
    return ((x, 100, x + 18, 150, 20.0),) if second >= 10 else ()


def test_sensor_noise_alone_is_no_motion(camera):
    _, seen = run(camera, 30)
    assert all(len(foreground.boxes) == 0 for foreground in seen)
    assert max(foreground.fraction for foreground in seen) == 0


def test_a_moving_block_is_found_where_it_is(camera):
    _, seen = run(camera, 15, walker)
    foreground = seen[12 * 5]
    assert best_overlap(foreground.boxes[foreground.moving], (80, 100, 98, 150)) > 0.6


def test_someone_who_stands_still_for_a_minute_stays_foreground_but_does_not_move(camera):
    standing = (200, 100, 218, 150)

    def things(second):
        x = min(200, 40 + int(40 * (second - 10)))
        return ((x, 100, x + 18, 150, 20.0),) if second >= 10 else ()

    _, seen = run(camera, 80, things)
    for foreground in seen[16 * 5 :]:
        assert best_overlap(foreground.boxes, standing) > 0.6
        assert not foreground.moving.any()


def test_a_bag_of_low_contrast_left_for_two_minutes_stays_foreground(camera):
    camera.place[150:190, 150:200] = 100
    _, seen = run(camera, 135, lambda s: ((160, 160, 184, 178, 125.0),) if s >= 8 else ())
    assert best_overlap(seen[-1].boxes, (160, 160, 184, 178)) > 0.6


@pytest.mark.parametrize("gain", [0.8, 1.25])
def test_exposure_that_drifts_raises_no_foreground(camera, gain):
    model = Background()
    for i in range(200):
        second = i / 5
        share = np.clip((second - 15) / 5, 0, 1)
        frame = camera.film(second, gain=1 + (gain - 1) * float(share))
        foreground = model.update(shrink(frame.luma), frame.time_ns)
        assert foreground.mask.mean() / 255 < 0.01


def test_a_brighter_picture_still_shows_who_stands_in_it(camera):
    person = (200, 100, 218, 150, 20.0)
    model, _ = run(camera, 20, lambda s: (person,) if s >= 12 else ())
    _, seen = run(camera, 30, lambda s: (person,), start_s=20, model=model, gain=1.15)
    assert best_overlap(seen[-1].boxes, person[:4]) > 0.6
    assert len(seen[-1].boxes) == 1


def test_leaves_that_keep_flickering_fade_from_the_foreground(camera):
    def leaves(second):
        return ((60, 40, 110, 80, 30.0),) if round(second * 5) % 2 else ()

    _, seen = run(camera, 60, leaves)
    assert seen[11].mask.any()
    assert sum(len(foreground.boxes) for foreground in seen[-50:]) <= 2


def test_what_is_learned_depends_on_time_not_on_the_number_of_looks(camera):
    slow, _ = run(camera, 40, walker, fps=5)
    fast, _ = run(camera, 40, walker, fps=10)
    assert np.median(np.abs(slow.mean - fast.mean)) < 0.5
    assert np.percentile(np.abs(slow.mean - fast.mean), 99.9) < 6


def test_a_repeated_or_earlier_time_teaches_nothing(camera):
    model, _ = run(camera, 10)
    before = model.state()
    frame = camera.film(9.8, ((0, 0, 384, 200, 250.0),))
    model.update(shrink(frame.luma), frame.time_ns)
    frame = camera.film(3.0, ((0, 0, 384, 200, 250.0),))
    model.update(shrink(frame.luma), frame.time_ns)
    np.testing.assert_array_equal(model.state()["variance"], before["variance"])
    np.testing.assert_array_equal(model.state()["last_ns"], before["last_ns"])


def test_a_model_restored_in_another_process_goes_on_bit_for_bit(camera):
    model, _ = run(camera, 14, walker)
    stored = {name: array.copy() for name, array in model.state().items()}
    other = Background()
    other.restore(stored)
    _, expected = run(camera, 20, walker, start_s=14, model=model)
    _, actual = run(camera, 20, walker, start_s=14, model=other)
    for a, b in zip(expected, actual, strict=True):
        np.testing.assert_array_equal(a.mask, b.mask)
        np.testing.assert_array_equal(a.still_s, b.still_s)
        np.testing.assert_array_equal(a.boxes, b.boxes)
        np.testing.assert_array_equal(a.moving, b.moving)
    for name, array in model.state().items():
        np.testing.assert_array_equal(array, other.state()[name])


def test_a_stored_state_is_not_changed_by_later_looks(camera):
    model, _ = run(camera, 5)
    stored = model.state()
    copies = {name: array.copy() for name, array in stored.items()}
    run(camera, 8, lambda s: ((0, 0, 100, 100, 255.0),), start_s=5, model=model)
    for name, array in stored.items():
        np.testing.assert_array_equal(array, copies[name])


def test_a_gap_between_two_looks_does_not_count_as_standing_still(camera):
    model, _ = run(camera, 10)
    hand = ((0, 0, 384, 90, 12.0),)
    for second in (10.0, 10.2, 15.2):
        frame = camera.film(second, hand)
        foreground = model.update(shrink(frame.luma), frame.time_ns)
    assert foreground.still_s.max() <= 1
