"""Parts of the day and clock times, as they are named, and which hours of the day they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part of the day.

    Args:
        begin: First hour of the day that names it, 24 and more: of the next.
        end: Hour after the last.
        half: Which hours a clock time of 12 hours can be in it: before noon, after noon, or either.
        moment: The hour that is meant where a moment is (until noon); None: the part has none.
    """

    begin: int
    end: int
    half: Literal["am", "pm", "either"] = "pm"
    moment: int | None = None


SMALL_HOURS = Part(begin=0, end=6, half="am")
EARLY = Part(begin=5, end=8, half="am")
MORNING = Part(begin=6, end=12, half="am")
NOON = Part(begin=11, end=14, half="either", moment=12)
AFTERNOON = Part(begin=12, end=18)
DUSK = Part(begin=17, end=19)
EVENING = Part(begin=18, end=24)
NIGHT = Part(begin=18, end=30)
LATE = Part(begin=22, end=30)
MIDNIGHT = Part(begin=23, end=25, moment=24)
DAYTIME = Part(begin=6, end=18, half="either")
"""The table of docs/questions.md."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """A clock time as written.

    Args:
        hour: 0..24; 24 only as 24:00.
        minute: None: to the hour.
        second: None: to the minute.
        half: am or pm, where written.
        utc_offset_s: Of a time that says so (Z, +08:00), in seconds.
    """

    hour: int
    minute: int | None = None
    second: int | None = None
    half: Literal["am", "pm"] | None = None
    utc_offset_s: int | None = None

    @property
    def length_s(self) -> int:
        """How long the time named lasts: an hour, a minute or a second."""
        return 3600 if self.minute is None else 60 if self.second is None else 1

    @property
    def past_hour_s(self) -> int:
        """Seconds after the full hour."""
        return (self.minute or 0) * 60 + (self.second or 0)


def possible(clock: Clock) -> bool:
    """Whether a day has such a time.

    >>> possible(Clock(hour=25)), possible(Clock(hour=24)), possible(Clock(hour=24, minute=30))
    (False, True, False)
    """
    if (clock.minute or 0) > 59 or (clock.second or 0) > 59:
        return False
    return clock.hour <= 23 or (clock.hour == 24 and clock.past_hour_s == 0)


def hour_of_day(clock: Clock, part: Part | None) -> int:
    """The hour meant, 24 and more: of the next day.

    Args:
        clock: A possible one.
        part: Of the day, where one is named; decides between morning, evening and after midnight.

    >>> hour_of_day(Clock(hour=10), NIGHT), hour_of_day(Clock(hour=1), NIGHT)
    (22, 25)
    """
    half = clock.half or (part.half if part else None)
    hour = clock.hour
    if clock.half is not None and hour <= 12:
        hour = hour % 12 + (12 if clock.half == "pm" else 0)
        half = None
    if part is None:
        return hour
    if hour > 12 or half is None:
        hours = {hour, hour + 24}
    elif half == "am":
        # 12 in the morning is noon, 12 in the small hours midnight: both are tried.
        hours = {hour, hour % 12}
    elif half == "either":
        hours = {hour, hour % 12 + 12}
    else:
        hours = {hour % 12 + 12, hour % 12 + 24}
    return min(sorted(hours | {one + 24 for one in hours}), key=lambda one: _outside(one, part))


def _outside(hour: int, part: Part) -> int:
    """How many hours it lies outside the part; 0: in it or at its end."""
    return max(part.begin - hour, hour - part.end, 0) * 2 + (hour == part.end)


def within(one: Part, other: Part) -> Part | None:
    """What 昨晚凌晨 names: the shorter part where it lies in the longer one, after midnight too."""
    outer, inner = sorted((one, other), key=lambda part: part.begin - part.end)
    for days in (0, 24):
        begin = max(outer.begin, inner.begin + days)
        end = min(outer.end, inner.end + days)
        if begin < end:
            return Part(begin=begin, end=end, half=inner.half, moment=inner.moment)
    return None
