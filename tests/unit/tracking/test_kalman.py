"""The motion model: time is in seconds, noise in box heights."""

import numpy as np

from video_detective.tracking import kalman


def boxes(*rows: tuple[float, float, float, float]) -> np.ndarray:
    return np.array(rows, np.float32)


def seconds(*values: float) -> np.ndarray:
    return np.array(values, np.float64)


def test_boxes_survive_the_round_trip() -> None:
    given = boxes((10, 20, 50, 120), (300.5, 80, 420, 130.25))
    np.testing.assert_allclose(kalman.begun(given).boxes(), given, rtol=1e-6)


def test_one_long_step_equals_many_short_ones() -> None:
    start = kalman.corrected(
        kalman.predicted(kalman.begun(boxes((0, 0, 40, 100))), seconds(0.2)),
        boxes((20, 5, 60, 105)),
        np.array([0.9], np.float32),
    )
    # Noise follows the height: take the case in which it does not change.
    start.speed[:, 3] = 0.0
    once, often = kalman.predicted(start, seconds(0.6)), start
    for _ in range(6):
        often = kalman.predicted(often, seconds(0.1))
    np.testing.assert_allclose(once.place, often.place)
    np.testing.assert_allclose(once.covariance, often.covariance)


def test_speed_is_learnt_from_uneven_times() -> None:
    rng = np.random.default_rng(0)
    motion, elapsed = kalman.begun(boxes((0, 0, 40, 100))), 0.0
    for step in rng.uniform(0.05, 0.5, 40):
        elapsed += step
        x = 60 * elapsed
        motion = kalman.corrected(
            kalman.predicted(motion, seconds(step)),
            boxes((x, 0, x + 40, 100)),
            np.array([0.9], np.float32),
        )
    np.testing.assert_allclose(motion.speed[0], [60, 0, 0, 0], atol=0.5)


def test_the_same_scene_at_twice_the_resolution_moves_twice_as_far() -> None:
    def play(scale: float) -> kalman.Motion:
        motion = kalman.begun(boxes((0, 0, 40, 100)) * np.float32(scale))
        for x in (12, 20, 35):
            motion = kalman.corrected(
                kalman.predicted(motion, seconds(0.2)),
                boxes((x, 3, x + 40, 101)) * np.float32(scale),
                np.array([0.7], np.float32),
            )
        return motion

    np.testing.assert_allclose(play(2).place, 2 * play(1).place, rtol=1e-6)
    np.testing.assert_allclose(play(2).speed, 2 * play(1).speed, rtol=1e-6)


def test_a_weak_detection_moves_the_box_less() -> None:
    expected = kalman.predicted(kalman.begun(boxes((0, 0, 40, 100))), seconds(0.05))
    seen = boxes((10, 0, 50, 100))
    sure, weak = (
        kalman.corrected(expected, seen, np.array([score], np.float32)).place[0, 0]
        for score in (0.95, 0.2)
    )
    assert 20 < weak < sure < 30


def test_a_box_never_shrinks_to_nothing() -> None:
    motion = kalman.begun(boxes((0, 0, 40, 100)))
    motion.speed[:, 2:] = -500
    assert (kalman.predicted(motion, seconds(3.0)).place[:, 2:] > 0).all()
