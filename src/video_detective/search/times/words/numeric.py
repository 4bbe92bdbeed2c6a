"""Dates and clock times in figures, as every language here writes them."""

from __future__ import annotations

import re
from datetime import date

from video_detective.search.times.clocks import Clock, possible
from video_detective.search.times.days import FIRST_YEAR, LAST_YEAR, Month, NumberedDay, Year
from video_detective.search.times.tokens import Impossible, Mark, Meanings, Pattern
from video_detective.search.times.words.numerals import DIGITS

_FIGURES = frozenset(DIGITS)
_ROC = 1911
"""The year before year 1 of the Republic."""

_NOTE = r"(?:\(?(?:週|星期|禮拜)[一二三四五六日天]\)?|\([一二三四五六日天]\))?"
"""A weekday that stands beside a date says nothing new."""


def day_of(year: int | None, month: int, day: int) -> Meanings:
    """A date in figures; a day that no year has cannot be."""
    if year is not None and not FIRST_YEAR <= year < LAST_YEAR:
        return (Impossible(day=True),)
    try:
        date(2000 if year is None else year, month, day)
    except ValueError:
        return (Impossible(day=True),)
    return (NumberedDay(day=day, month=month, year=None if year is None else Year(number=year)),)


def clock(
    hour: int,
    minute: int | None = None,
    second: int | None = None,
    half: str | None = None,
    utc_offset_s: int | None = None,
) -> Meanings:
    """A clock time; ``half`` begins with a or p."""
    found = Clock(
        hour=hour,
        minute=minute,
        second=second,
        half=None if half is None else "am" if half[0] == "a" else "pm",
        utc_offset_s=utc_offset_s,
    )
    if half is not None and not 1 <= hour <= 12 and not (half[0] == "p" and hour <= 23):
        return (Impossible(day=False),) if hour else (found,)
    return (found,) if possible(found) else (Impossible(day=False),)


def year_of(written: int, *, republic: bool) -> int | None:
    """The year AD; None when so short a number is no year by itself.

    >>> year_of(114, republic=False), year_of(99, republic=True), year_of(99, republic=False)
    (2025, 2010, None)
    """
    if republic or 100 <= written <= 199:
        return written + _ROC
    return written if written >= 1000 else None


def _optional(text: str | None) -> int | None:
    return None if text is None else int(text)


def _iso(match: re.Match[str]) -> Meanings | None:
    year, month, day, hour, minute = (int(match[name]) for name in "yodhm")
    offset = match["z"]
    offset_s = None
    if offset is not None:
        sign = -1 if offset[0] == "-" else 1
        figures = offset[1:].replace(":", "")
        offset_s = 0 if offset == "z" else sign * (int(figures[:2]) * 60 + int(figures[2:])) * 60
        if abs(offset_s) > 14 * 3600:
            return (Impossible(day=False),)
    return day_of(year, month, day) + clock(
        hour, minute, _optional(match["s"]), utc_offset_s=offset_s
    )


def _date(match: re.Match[str]) -> Meanings | None:
    year = year_of(int(match["y"]), republic=match["era"] is not None)
    return None if year is None else day_of(year, int(match["m"]), int(match["d"]))


def _day_month_year(match: re.Match[str]) -> Meanings | None:
    """16/12/2025, 12/16/2025; 5/3/2025 may be either and is none."""
    one, other, year = int(match["one"]), int(match["other"]), int(match["y"])
    if one != other and max(one, other) <= 12:
        return (Impossible(day=True),)
    return day_of(year, min(one, other), max(one, other))


def _month_day(match: re.Match[str]) -> Meanings | None:
    month, day = int(match["m"]), int(match["d"])
    if month > 12 or day > 31 or month == 0 or day == 0:
        return None  # 24/7, 16/9: no date, and nobody would take it for one
    return day_of(None, month, day)


def _time(match: re.Match[str]) -> Meanings | None:
    return clock(int(match["h"]), int(match["m"]), _optional(match["s"]), match["half"])


_HALF = r"(?P<half>[ap](?:m|\.m\.?))(?![a-z])"
PATTERNS = (
    Pattern(
        starts=_FIGURES,
        regex=re.compile(
            r"(?P<y>\d{4})-(?P<o>\d\d)-(?P<d>\d\d)t(?P<h>\d\d):?(?P<m>\d\d)"
            r"(?::?(?P<s>\d\d)(?:[.,]\d{1,9})?)?(?P<z>z|[+-]\d\d:?\d\d)?(?![\d:])"
        ),
        meanings=_iso,
    ),
    Pattern(
        starts=_FIGURES,
        # With a space for the T, -23:00 is the end of a range and no offset.
        regex=re.compile(
            r"(?P<y>\d{4})-(?P<o>\d\d)-(?P<d>\d\d) (?P<h>\d\d):(?P<m>\d\d)"
            r"(?::(?P<s>\d\d)(?:\.\d{1,9})?)? ?(?P<z>z(?![a-z])|\+\d\d:\d\d)(?![\d:])"
        ),
        meanings=_iso,
    ),
    Pattern(
        starts=_FIGURES | {"民"},
        regex=re.compile(
            r"(?:(?P<era>民國)|(?<![\d.]))(?P<y>\d{1,4})(?P<s>[-/.])(?P<m>\d{1,2})(?P=s)"
            rf"(?P<d>\d{{1,2}})(?!\d|[./]\d)日?{_NOTE}"
        ),
        meanings=_date,
    ),
    Pattern(
        starts=_FIGURES,
        regex=re.compile(
            r"(?<![\d./])(?P<one>\d{1,2})(?P<s>[/.])(?P<other>\d{1,2})(?P=s)"
            r"(?P<y>(?:19|2[01])\d\d)(?![\d./])"
        ),
        meanings=_day_month_year,
    ),
    Pattern(
        starts=_FIGURES,
        regex=re.compile(
            r"(?<![\w./-])(?P<y>(?:19|20)\d\d)[-/](?P<m>0?[1-9]|1[0-2])(?![\w/-]|\.\d)"
        ),
        meanings=lambda match: (Month(number=int(match["m"]), year=Year(number=int(match["y"]))),),
    ),
    Pattern(
        starts=_FIGURES,
        # 1/2 的車位 is half of them.
        regex=re.compile(
            r"(?<![\d./])(?!(?:1/(?:[2-9]|10)|2/3|3/4|[2-4]/5)(?:的| of ))"
            rf"(?P<m>\d{{1,2}})/(?P<d>\d{{1,2}})(?![\d/%])日?{_NOTE}"
        ),
        meanings=_month_day,
    ),
    Pattern(
        starts=_FIGURES | {"a", "p"},
        regex=re.compile(
            r"(?<![\d.:])(?:(?P<half>[ap]m|[ap]\.m\.) ?)(?P<h>\d{1,2})"
            r"(?::(?P<m>[0-5]\d)(?::(?P<s>[0-5]\d))?)?(?![\d:.]*\d)(?![點時])"
        ),
        meanings=lambda match: clock(
            int(match["h"]), _optional(match["m"]), _optional(match["s"]), match["half"]
        ),
    ),
    Pattern(
        starts=_FIGURES,
        regex=re.compile(
            r"(?<![\d.:])(?P<h>\d{1,2}):(?P<m>\d\d)(?::(?P<s>\d\d)(?:\.\d{1,9})?)?"
            rf"(?![\d:])(?!的?比例)(?: ?{_HALF})?(?: ?(?:hours|hrs|h)(?![a-z]))?"
        ),
        meanings=_time,
    ),
    Pattern(
        starts=_FIGURES,
        regex=re.compile(
            r"(?<![\d.:])(?P<h>[01]\d|2[0-4])(?P<m>[0-5]\d) ?(?:hours|hrs)(?! of)(?![a-z])"
        ),
        meanings=lambda match: clock(int(match["h"]), int(match["m"])),
    ),
    Pattern(
        starts=frozenset("/"),
        # An interval as in ISO 8601.
        regex=re.compile(r"(?<=[\dz])/(?=\d{4}-\d\d-\d\dt)"),
        meanings=lambda match: (Mark.TO,),
    ),
    Pattern(
        starts=_FIGURES,
        regex=re.compile(rf"(?<![\d.:])(?P<h>\d{{1,2}})(?:\.(?P<m>[0-5]\d))? ?{_HALF}"),
        meanings=lambda match: clock(int(match["h"]), _optional(match["m"]), half=match["half"]),
    ),
)
