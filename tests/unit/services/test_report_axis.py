"""The time axis of reports: stretches without holes on the local clock, wherever clocks change."""

from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from video_detective.geometry import NS_PER_S
from video_detective.services.report_axis import (
    MAX_PIECES,
    MAX_TICKS,
    TimeAxis,
    gaps,
    time_axis,
)
from video_detective.services.times import local_time, parse_time

HOUR_NS = 3600 * NS_PER_S
PERIODS = {
    "minute": ("2026-03-29T01:50:30", "2026-03-29T03:10:00"),
    "minutes": ("2026-10-25T01:31", "2026-10-25T03:02"),
    "hours": ("2026-03-28T05:30", "2026-03-30T17:00"),
    "days": ("2026-10-01T12:00", "2026-11-30"),
    "weeks": ("2025-12-31", "2026-12-31"),
    "months": ("2020-02-29", "2026-03-01"),
    "years": ("2008-06-01", "2026-03-01"),
}
ZONES = (
    "Asia/Taipei",
    "Europe/Berlin",
    "America/Havana",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "Asia/Kathmandu",
)


def axis(since: str, until: str, zone: str) -> TimeAxis:
    place = ZoneInfo(zone)
    return time_axis(
        parse_time(since, place, what="since"), parse_time(until, place, what="until"), place
    )


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("unit", PERIODS)
def test_stretches_cover_every_period_without_holes(unit: str, zone: str) -> None:
    made = axis(*PERIODS[unit], zone)

    starts = [stretch.start_ns for stretch in made.stretches]
    assert starts[0] <= made.since_ns < made.stretches[0].end_ns
    assert made.stretches[-1].start_ns < made.until_ns <= made.stretches[-1].end_ns
    assert all(one.end_ns == two.start_ns for one, two in pairwise(made.stretches))
    assert starts == sorted(set(starts))
    assert len(starts) <= 125
    assert len(made.pieces) <= max(MAX_PIECES, len(starts))
    assert 1 <= sum(bool(stretch.tick) for stretch in made.stretches) <= MAX_TICKS
    # Whatever is counted together falls into one stretch wholly.
    counted = {made.counted_ns(number) for number in range(20_000)}
    assert counted >= set(starts)
    for number in (0, len(starts) // 2, len(starts) - 1):
        assert made.stretch_at(starts[number]) == number
        assert made.stretch_at(made.stretches[number].end_ns - 1) == number


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("unit", ["days", "weeks", "months", "years"])
def test_days_and_more_begin_when_the_local_date_does(unit: str, zone: str) -> None:
    place = ZoneInfo(zone)
    for stretch in axis(*PERIODS[unit], zone).stretches:
        begin, before = (local_time(stretch.start_ns - back, place) for back in (0, 1000))
        assert begin.date() > before.date()
        assert unit != "weeks" or begin.weekday() == 0
        assert unit not in {"months", "years"} or begin.day == 1


@pytest.mark.parametrize(
    ("since", "until", "zone", "hours"),
    [
        ("2026-03-29", "2026-03-30", "Europe/Berlin", 23),
        ("2026-10-25", "2026-10-26", "Europe/Berlin", 25),
        ("2026-03-08", "2026-03-09", "America/Havana", 23),
        ("2026-11-01", "2026-11-02", "America/Havana", 25),
        ("2026-07-01", "2026-07-02", "Asia/Taipei", 24),
    ],
)
def test_a_day_has_as_many_hours_as_the_clocks_gave_it(
    since: str, until: str, zone: str, hours: int
) -> None:
    made = axis(since, until, zone)
    assert len(made.stretches) == hours
    assert {stretch.end_ns - stretch.start_ns for stretch in made.stretches} == {HOUR_NS}


def test_the_offsets_of_a_period_are_told_with_the_moment_of_the_change() -> None:
    made = axis("2026-03-01", "2026-12-01", "Europe/Berlin")
    place = ZoneInfo("Europe/Berlin")
    assert [(local_time(at, place).isoformat(), offset) for at, offset in made.offsets] == [
        ("2026-03-01T00:00:00+01:00", "+01:00"),
        ("2026-03-29T03:00:00+02:00", "+02:00"),
        ("2026-10-25T02:00:00+01:00", "+01:00"),
    ]


def test_a_time_lies_where_it_should_and_never_outside() -> None:
    made = axis("2026-07-01T10:00", "2026-07-01T12:00", "Asia/Taipei")
    length = made.until_ns - made.since_ns
    assert [made.share(made.since_ns + length * n // 4) for n in (-1, 0, 1, 4, 5)] == [
        0.0, 0.0, 0.25, 1.0, 1.0,
    ]  # fmt: skip


def test_gaps_are_what_the_spans_leave_open() -> None:
    assert gaps([], 0, 10) == [(0, 10)]
    assert gaps([(0, 10)], 0, 10) == []
    assert gaps([(2, 4), (4, 5), (9, 10)], 0, 10) == [(0, 2), (5, 9)]
    assert gaps([], 5, 5) == []
