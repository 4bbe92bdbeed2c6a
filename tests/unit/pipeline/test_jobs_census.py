"""A worker is dead when its beats stand still; no clock of anybody else decides it alone."""

from video_detective.geometry import NS_PER_S
from video_detective.pipeline.jobs_census import BEAT_NS, Census
from video_detective.storage.narration_rows import Beat


def beats(age_ns: int = 0, **numbers: int) -> dict[str, Beat]:
    return {name: Beat(number=number, age_ns=age_ns) for name, number in numbers.items()}


def test_a_worker_whose_beats_grow_lives() -> None:
    census = Census()
    for look in range(20):
        assert census.alive(beats(a=look, b=look), look * BEAT_NS) == {"a", "b"}


def test_a_worker_that_stands_still_is_dead_after_four_seconds() -> None:
    census = Census()
    alive = [census.alive(beats(a=look, b=7), look * NS_PER_S) for look in range(8)]

    assert alive[:4] == [{"a", "b"}] * 4
    assert alive[4:] == [{"a"}] * 4


def test_a_worker_that_was_silent_for_long_is_dead_at_the_second_look() -> None:
    census = Census()

    assert census.alive(beats(b=7, age_ns=60 * NS_PER_S), 0) == {"b"}
    assert census.alive(beats(b=7, age_ns=62 * NS_PER_S), BEAT_NS) == set()


def test_a_clock_that_was_set_kills_nobody_who_beats() -> None:
    census = Census()
    for look in range(5):
        day = 86_400 * NS_PER_S
        assert census.alive(beats(a=look, age_ns=day), look * BEAT_NS) == {"a"}


def test_a_worker_that_beats_again_lives_again() -> None:
    census = Census()
    for look in range(10):
        census.alive(beats(b=7), look * NS_PER_S)

    assert census.alive(beats(b=8), 10 * NS_PER_S) == {"b"}


def test_a_worker_that_left_is_not_alive() -> None:
    census = Census()
    census.alive(beats(a=1, b=1), 0)

    assert census.alive(beats(a=2), NS_PER_S) == {"a"}


def test_nobody_dies_while_the_one_who_looks_was_held_up_itself() -> None:
    census = Census()
    census.alive(beats(a=1, b=1), 0)

    assert census.alive(beats(a=2, b=1), 3600 * NS_PER_S) == {"a", "b"}


def test_two_censuses_know_nothing_of_each_other() -> None:
    first, second = Census(), Census()
    for look in range(10):
        first.alive(beats(b=7), look * NS_PER_S)

    assert second.alive(beats(b=7), 10 * NS_PER_S) == {"b"}
    assert first.alive({}, 11 * NS_PER_S) == set()
