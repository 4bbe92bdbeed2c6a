"""A worker is dead when its beats stand still, whatever anybody's clock says."""

from video_detective.geometry import NS_PER_S
from video_detective.pipeline.jobs_census import BEAT_NS, Census


def test_a_worker_whose_beats_grow_lives() -> None:
    census = Census()
    for look in range(20):
        assert census.alive({"a": look, "b": look}, look * BEAT_NS) == {"a", "b"}


def test_a_worker_that_stands_still_is_dead_after_five_seconds() -> None:
    census = Census()
    alive = [census.alive({"a": look, "b": 7}, look * NS_PER_S) for look in range(8)]

    assert alive[:5] == [{"a", "b"}] * 5
    assert alive[5:] == [{"a"}] * 3


def test_a_worker_that_beats_again_lives_again() -> None:
    census = Census()
    for look in range(10):
        census.alive({"b": 7}, look * NS_PER_S)

    assert census.alive({"b": 8}, 10 * NS_PER_S) == {"b"}


def test_a_worker_that_left_is_not_alive() -> None:
    census = Census()
    census.alive({"a": 1, "b": 1}, 0)

    assert census.alive({"a": 2}, NS_PER_S) == {"a"}


def test_nobody_dies_while_the_one_who_looks_was_held_up_itself() -> None:
    census = Census()
    census.alive({"a": 1, "b": 1}, 0)

    assert census.alive({"a": 2, "b": 1}, 3600 * NS_PER_S) == {"a", "b"}


def test_two_censuses_know_nothing_of_each_other() -> None:
    first, second = Census(), Census()
    for look in range(10):
        first.alive({"b": 7}, look * NS_PER_S)

    assert second.alive({"b": 7}, 10 * NS_PER_S) == {"b"}
    assert first.alive({}, 11 * NS_PER_S) == set()
