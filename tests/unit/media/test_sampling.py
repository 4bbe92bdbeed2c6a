import pytest

from video_detective.errors import UsageError
from video_detective.media.sampling import Due, Sampler

MS = 1_000_000


def active(sampler: Sampler, times_ms: list[float]) -> list[float]:
    return [t for t in times_ms if sampler.due(round(t * MS)).active]


def test_a_25_fps_video_gives_every_fifth_frame_at_5_fps() -> None:
    times = [i * 40.0 for i in range(50)]
    assert active(Sampler(fps=5), times) == times[::5]


def test_idle_frames_are_a_part_of_the_active_ones_once_a_second() -> None:
    sampler = Sampler(fps=5, idle_fps=1)
    due = {i * 100: sampler.due(i * 100 * MS) for i in range(31)}
    assert [t for t, d in due.items() if d.idle] == [0, 1000, 2000, 3000]
    assert all(d.active for d in due.values() if d.idle)
    assert due[100] == Due(active=False, idle=False)


def test_a_source_slower_than_the_rate_gives_all_its_frames() -> None:
    times = [0.0, 333.0, 667.0, 1000.0, 1400.0, 9000.0, 9333.0]
    assert active(Sampler(fps=5), times) == times


def test_times_rounded_by_the_container_lose_no_frame() -> None:
    times = [float(round(i * 1000 / 15)) for i in range(150)]
    assert active(Sampler(fps=15, idle_fps=1), times) == times


def test_after_a_pause_the_missed_moments_are_not_made_up_for() -> None:
    sampler = Sampler(fps=5)
    assert active(sampler, [0.0, 5000.0, 5040.0, 5080.0, 5200.0]) == [0.0, 5000.0, 5200.0]


def test_a_repeated_or_earlier_time_is_never_due() -> None:
    sampler = Sampler(fps=5)
    assert sampler.due(1000 * MS).active
    assert not sampler.due(1000 * MS).active
    assert not sampler.due(400 * MS).active


def test_a_rate_may_be_a_fraction() -> None:
    times = [i * 100.0 for i in range(100)]
    assert active(Sampler(fps=0.5, idle_fps=0.1), times) == [0.0, 2000.0, 4000.0, 6000.0, 8000.0]


@pytest.mark.parametrize(("fps", "idle"), [(0, 0), (-1, 1), (5, 6), (5, 0), (float("nan"), 1)])
def test_impossible_rates_are_refused_with_a_remedy(fps: float, idle: float) -> None:
    with pytest.raises(UsageError, match="idle_fps <= fps"):
        Sampler(fps=fps, idle_fps=idle)


def test_two_samplers_do_not_know_of_each_other() -> None:
    first, second = Sampler(fps=5), Sampler(fps=5)
    first.due(10_000 * MS)
    assert second.due(0) == Due(active=True, idle=True)
