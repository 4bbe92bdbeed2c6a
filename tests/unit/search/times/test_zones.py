"""Local times where clocks are changed, and zones far from UTC."""

from zoneinfo import ZoneInfo

import pytest
from tests.unit.search.times.readings import instant_ns, reading

from video_detective.search.times import Period

NEW_YORK = ZoneInfo("America/New_York")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")
LONDON = ZoneInfo("Europe/London")
MINUTE_NS = 60_000_000_000


def meant(question: str, now: str, zone: ZoneInfo) -> Period | None:
    return reading(question, now=now, zone=zone).period


def test_a_minute_that_does_not_exist_is_moved_forward_by_the_gap() -> None:
    # 2026-03-08, 2:00 to 3:00 is missing.
    start_ns = instant_ns("2026-03-08 03:30", NEW_YORK)
    assert meant("2:30 am today", "2026-03-08 15:00", NEW_YORK) == Period(
        start_ns=start_ns, end_ns=start_ns + MINUTE_NS
    )


def test_an_hour_that_does_not_exist_is_the_hour_after_the_gap() -> None:
    start_ns = instant_ns("2026-03-08 03:00", NEW_YORK)
    assert meant("今天 2 點", "2026-03-08 15:00", NEW_YORK) == Period(
        start_ns=start_ns, end_ns=start_ns + 60 * MINUTE_NS
    )


def test_a_range_begins_at_the_first_and_ends_at_the_second_of_two_equal_times() -> None:
    # 2026-11-01, 1:00 to 2:00 comes twice.
    assert meant("今天 1:15 到 1:45", "2026-11-01 15:00", NEW_YORK) == Period(
        start_ns=instant_ns("2026-11-01 01:15", NEW_YORK, fold=0),
        end_ns=instant_ns("2026-11-01 01:45", NEW_YORK, fold=1),
    )


def test_an_hour_that_comes_twice_is_both() -> None:
    period = meant("今天 1 點", "2026-11-01 15:00", NEW_YORK)
    assert period is not None
    assert period.start_ns == instant_ns("2026-11-01 01:00", NEW_YORK, fold=0)
    assert period.end_ns == instant_ns("2026-11-01 02:00", NEW_YORK)


def test_a_gap_of_half_an_hour_moves_by_half_an_hour() -> None:
    # Lord Howe, 2026-10-04: 2:00 to 2:30 is missing.
    start_ns = instant_ns("2026-10-04 02:45", LORD_HOWE)
    assert meant("今天 2:15", "2026-10-04 15:00", LORD_HOWE) == Period(
        start_ns=start_ns, end_ns=start_ns + MINUTE_NS
    )


@pytest.mark.parametrize(
    ("now", "hours"), [("2026-03-29 15:00", 23), ("2026-10-25 15:00", 25), ("2026-06-01 15:00", 24)]
)
def test_a_day_is_as_long_as_the_zone_makes_it(now: str, hours: int) -> None:
    period = meant("今天", now, LONDON)
    assert period is not None
    assert period.start_ns is not None
    assert period.end_ns == period.start_ns + hours * 60 * MINUTE_NS


def test_hours_counted_from_now_are_elapsed_hours() -> None:
    now_ns = instant_ns("2026-03-29 03:30", LONDON)
    assert meant("最近 3 小時", "2026-03-29 03:30", LONDON) == Period(
        start_ns=now_ns - 180 * MINUTE_NS, end_ns=now_ns
    )


@pytest.mark.parametrize(
    "question",
    ["2025-12-16T22:00:00Z", "2025-12-17T06:00:00+08:00", "2025-12-16 22:00:00Z",
     "2025-12-16T14:00:00-0800", "2025-12-16 22:00:00 +00:00"],
)  # fmt: skip
def test_a_time_that_names_its_offset_is_that_instant_in_every_zone(question: str) -> None:
    start_ns = instant_ns("2025-12-16 22:00", ZoneInfo("UTC"))
    for zone in (NEW_YORK, LONDON, ZoneInfo("Asia/Taipei")):
        assert meant(question, "2025-12-20 10:00", zone) == Period(
            start_ns=start_ns, end_ns=start_ns + 1_000_000_000
        )


def test_a_time_with_a_space_before_a_minus_is_a_range_and_no_offset() -> None:
    assert meant("2025-12-16 22:00-23:00", "2025-12-20 10:00", LONDON) == Period(
        start_ns=instant_ns("2025-12-16 22:00", LONDON),
        end_ns=instant_ns("2025-12-16 23:00", LONDON),
    )
