"""Hours in which a rule watches: local wall-clock time, over midnight, through clock changes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from video_detective.rules.parameters import Schedule

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def utc(time_ns: int) -> datetime:
    """``time_ns`` as an aware UTC time, to the microsecond (floor)."""
    return _EPOCH + timedelta(microseconds=time_ns // 1000)


def rfc3339(time_ns: int) -> str:
    """``time_ns`` in RFC 3339 with microseconds and ``Z``.

    >>> rfc3339(1_500_000_000)
    '1970-01-01T00:00:01.500000Z'
    """
    return utc(time_ns).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def local_date(time_ns: int, timezone: str) -> str:
    """``YYYYMMDD`` of the wall clock in ``timezone``."""
    return utc(time_ns).astimezone(ZoneInfo(timezone)).strftime("%Y%m%d")


def is_timezone(name: str) -> bool:
    """Whether ``name`` is a time zone of the IANA data."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


def watches(schedules: Sequence[Schedule], time_ns: int, timezone: str) -> bool:
    """Whether any of ``schedules`` covers ``time_ns``; without schedules, always.

    Hours mean what a clock on the wall shows: in the night when clocks are put back, an hour that
    comes twice is watched twice; one that is skipped does not come.

    Args:
        schedules: Periods; a period belongs to the day on which it begins.
        time_ns: UTC ns.
        timezone: IANA name for periods that name none.
    """
    return not schedules or any(_covers(s, time_ns, timezone) for s in schedules)


def _covers(schedule: Schedule, time_ns: int, timezone: str) -> bool:
    local = utc(time_ns).astimezone(ZoneInfo(schedule.timezone or timezone))
    minute = local.hour * 60 + local.minute
    days = schedule.days or DAYS
    today, yesterday = DAYS[local.weekday()] in days, DAYS[local.weekday() - 1] in days
    if schedule.start_minute < schedule.end_minute:
        return today and schedule.start_minute <= minute < schedule.end_minute
    return (today and minute >= schedule.start_minute) or (
        yesterday and minute < schedule.end_minute
    )
