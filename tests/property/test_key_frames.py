"""Laws of the choice of key frames."""

import random
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from video_detective.geometry import NS_PER_S
from video_detective.narration.keyframes import SPACING_NS, Candidate, choose
from video_detective.rules import Moment

WHATS = ("before", "crossed", "entered", "established", "peak", "left", "last_seen")
MOMENTS = st.builds(
    lambda second, what: Moment(time_ns=second * NS_PER_S, frame=second, what=what),
    st.integers(0, 60),
    st.sampled_from(WHATS),
)
POOLS = st.lists(
    st.builds(
        lambda tenths, sharp, sizes, moments: Candidate(
            time_ns=tenths * NS_PER_S // 10,
            frame=tenths,
            sharpness=sharp,
            sizes=sizes,
            moments=tuple(moments),
        ),
        st.integers(0, 600),
        st.floats(0, 5000),
        st.dictionaries(st.sampled_from(["p1", "p2", "v3"]), st.floats(0, 1)),
        st.lists(MOMENTS, max_size=2),
    ),
    max_size=40,
    unique_by=lambda one: (one.time_ns, one.sharpness, one.frame),
)


@given(POOLS, st.integers(1, 12), st.integers(1, 5))
def test_frames_are_never_shown_in_reverse_nor_twice(
    pool: list[Candidate], most: int, least: int
) -> None:
    chosen = choose(pool, most=most, least=least)
    times = [one.time_ns for one in chosen]
    assert all(earlier < later for earlier, later in pairwise(times))
    assert len(chosen) <= most
    assert all(one in pool for one in chosen)
    assert len(chosen) >= min(least, most, len({one.time_ns for one in pool}))


@given(POOLS, st.integers(1, 12), st.randoms(use_true_random=False))
def test_the_order_of_the_candidates_decides_nothing(
    pool: list[Candidate], most: int, chance: random.Random
) -> None:
    shuffled = list(pool)
    chance.shuffle(shuffled)
    assert choose(shuffled, most=most, least=5) == choose(pool, most=most, least=5)


@given(POOLS, st.integers(1, 12))
def test_a_track_is_shown_once_within_the_spacing_but_for_moments(
    pool: list[Candidate], most: int
) -> None:
    for one, other in pairwise(choose(pool, most=most)):
        if one.moments or other.moments or other.time_ns - one.time_ns >= SPACING_NS:
            continue
        assert one.sizes
        assert other.sizes
        assert one.sizes.keys().isdisjoint(other.sizes)
