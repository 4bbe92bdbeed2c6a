from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from video_detective.media.sampling import Sampler

STEPS = st.lists(st.integers(min_value=1, max_value=3 * 10**9), min_size=1, max_size=200)
RATES = st.sampled_from([0.2, 1.0, 3.3, 5.0, 7.5, 12.5, 15.0, 29.97, 30.0])


def times(steps: list[int]) -> list[int]:
    total, out = 0, []
    for step in steps:
        out.append(total)
        total += step
    return out


def grid_point(pts_ns: int, fps: float) -> int:
    rate = Fraction(fps).limit_denominator(1000)
    early = min(Fraction(1, 20), rate / 100)
    return int(Fraction(pts_ns, 10**9) * rate + early)


@given(STEPS, RATES)
def test_no_grid_point_is_sampled_twice_and_none_that_a_frame_reaches_is_missed(
    steps: list[int], fps: float
) -> None:
    sampler = Sampler(fps=fps, idle_fps=min(fps, 1.0))
    sampled = [t for t in times(steps) if sampler.due(t).active]
    points = [grid_point(t, fps) for t in sampled]
    assert len(set(points)) == len(points)
    assert set(points) == {grid_point(t, fps) for t in times(steps)}


@given(st.integers(min_value=5_000_000, max_value=400_000_000), RATES)
def test_the_rate_is_kept_in_the_long_run(period_ns: int, fps: float) -> None:
    sampler = Sampler(fps=fps, idle_fps=min(fps, 1.0))
    length_ns = 20 * 10**9
    moments = range(0, length_ns, period_ns)
    sampled = sum(sampler.due(t).active for t in moments)
    # A frame for each grid point, or every frame of a source that is slower than the grid.
    expected = min(length_ns / 10**9 * fps, len(moments))
    assert abs(sampled - expected) <= 1


@given(STEPS, RATES, st.integers(min_value=0, max_value=200))
def test_a_restored_sampler_goes_on_as_if_never_interrupted(
    steps: list[int], fps: float, cut: int
) -> None:
    whole = Sampler(fps=fps, idle_fps=min(fps, 1.0))
    expected = [whole.due(t) for t in times(steps)]
    first = Sampler(fps=fps, idle_fps=min(fps, 1.0))
    answers = [first.due(t) for t in times(steps)[:cut]]
    second = Sampler(fps=fps, idle_fps=min(fps, 1.0))
    second.restore(first.state())
    answers += [second.due(t) for t in times(steps)[cut:]]
    assert answers == expected


@given(STEPS, RATES)
def test_idle_is_never_due_alone(steps: list[int], fps: float) -> None:
    sampler = Sampler(fps=fps, idle_fps=min(fps, 1.0))
    assert all(due.active or not due.idle for due in map(sampler.due, times(steps)))
