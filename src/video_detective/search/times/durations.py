"""Lengths of time, and what 3 小時前 and 最近 3 小時 make of them."""

from __future__ import annotations

from dataclasses import dataclass

from video_detective.search.times.days import FIRST_YEAR, LAST_YEAR, RelativeDay
from video_detective.search.times.tokens import Impossible, Meanings, Moment, Recent

NS_PER_S = 1_000_000_000
MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86_400
WEEK_S, MONTH_S, YEAR_S = 7 * DAY_S, 30 * DAY_S, 365 * DAY_S
JUST_NOW = Recent(ns=10 * MINUTE_S * NS_PER_S)
RECENTLY = Recent(ns=WEEK_S * NS_PER_S)
AROUND_NS = 15 * MINUTE_S * NS_PER_S
_LONGEST_S = (LAST_YEAR - FIRST_YEAR) * YEAR_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Duration:
    """A length of time.

    Args:
        seconds: At least 0.
        unit_s: The smallest unit that it was counted in.
    """

    seconds: int
    unit_s: int


def recent(duration: Duration) -> Meanings:
    """最近 3 小時."""
    if not 0 < duration.seconds <= _LONGEST_S:
        return (Impossible(day=False),)
    return (Recent(ns=duration.seconds * NS_PER_S),)


def ago(duration: Duration) -> Meanings:
    """3 小時前, 3 天前."""
    if duration.seconds > _LONGEST_S:
        return (Impossible(day=False),)
    days, rest_s = divmod(duration.seconds, DAY_S)
    if duration.unit_s > DAY_S or (duration.unit_s == DAY_S and rest_s == 0):
        return (RelativeDay(days=-days),)
    around_ns = AROUND_NS if duration.unit_s >= HOUR_S else MINUTE_S * NS_PER_S
    return (Moment(ago_ns=duration.seconds * NS_PER_S, around_ns=around_ns),)
