"""Times of day and dates in a model's sentences, held against the time of an event."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from video_detective.geometry import NS_PER_S
from video_detective.narration.material import local
from video_detective.rules import Scene

_FULL = re.compile(
    r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?P<second>:\d{2}(?P<part>\.\d{1,9})?)?"
    r"(?:Z|[+-]\d{2}:\d{2})?"
)
_CLOCK = re.compile(
    r"(?P<day_part>下午|晚上|傍晚|晚間|中午|午後)?\s*(?<![\d:+])(?P<hour>[01]?\d|2[0-3])"
    r"(?::(?P<minute>[0-5]\d)(?::(?P<second>[0-5]\d)(?:\.\d{1,9})?)?"
    r"|\s*[點時]\s*(?P<minute_zh>[0-5]?\d)\s*分(?:\s*(?P<second_zh>[0-5]?\d)\s*秒)?)"
    r"(?![\d:])\s*(?P<half>[ap]\.?m\b)?",
    re.IGNORECASE,
)
_DAY = re.compile(
    r"(?<!\d)(\d{4})[-/年]\s*(\d{1,2})[-/月]\s*(\d{1,2})|(?<!\d)(\d{1,2})\s*月\s*(\d{1,2})\s*日"
)
_MOST_DAYS = 31

Span = tuple[int, int]
"""[from, to) in UTC ns: the second or minute that a written time names."""


class EventTimes:
    """The time that may be spoken of.

    Args:
        scene: Its time zone is that of times without one.
        first_ns, last_ns: From and to, both inclusive.
    """

    def __init__(self, scene: Scene, first_ns: int, last_ns: int) -> None:
        self._zone = ZoneInfo(scene.timezone)
        self._first_ns, self._last_ns = first_ns, last_ns
        first, last = (local(t, scene).date() for t in (first_ns, last_ns))
        days = [first + timedelta(days=n) for n in range(min((last - first).days, _MOST_DAYS))]
        self._days: tuple[date, ...] = (*days, last)

    def first_in(self, text: str) -> tuple[Span, ...]:
        """What the first time in a text may mean, the likeliest first; () without a time."""
        found = next(_each_time(unicodedata.normalize("NFKC", text)), None)
        return () if found is None else self._meanings(found)

    def holds(self, span: Span) -> bool:
        """Whether a time lies within, at least in part."""
        return span[0] <= self._last_ns and span[1] > self._first_ns

    def is_kept_by(self, text: str) -> bool:
        """Whether every time and every date in a text is the event's."""
        plain = unicodedata.normalize("NFKC", text)
        if not all(any(map(self.holds, self._meanings(found))) for found in _each_time(plain)):
            return False
        return all(
            any(
                (not year or int(year) == one.year)
                and (int(month or short_month), int(day or short_day)) == (one.month, one.day)
                for one in self._days
            )
            for year, month, day, short_month, short_day in _DAY.findall(plain)
        )

    def _meanings(self, found: re.Match[str]) -> tuple[Span, ...]:
        spans = self._full_time(found) if found.re is _FULL else self._clock_time(found)
        return tuple(sorted(spans, key=lambda span: not self.holds(span)))

    def _full_time(self, found: re.Match[str]) -> Iterator[Span]:
        try:
            moment = datetime.fromisoformat(found[0])
        except ValueError:
            return
        length = 1 if found["part"] else NS_PER_S if found["second"] else 60 * NS_PER_S
        start = _ns(moment if moment.tzinfo else moment.replace(tzinfo=self._zone))
        yield start, start + length

    def _clock_time(self, found: re.Match[str]) -> Iterator[Span]:
        minute = int(found["minute"] or found["minute_zh"])
        second = found["second"] or found["second_zh"]
        hour = int(found["hour"])
        half = (found["half"] or "").lower()[:1]
        if hour == 12 and half == "a":
            hour = 0
        elif hour < 12 and (half == "p" or found["day_part"]):
            hour += 12
        length = NS_PER_S if second else 60 * NS_PER_S
        for day in self._days:
            for fold in (0, 1):  # when clocks go back, an hour comes twice
                at = time(hour, minute, int(second or 0), tzinfo=self._zone, fold=fold)
                start = _ns(datetime.combine(day, at))
                yield start, start + length


def _each_time(text: str) -> Iterator[re.Match[str]]:
    """Full times (with a date), then times of day."""
    rest = text
    for match in _FULL.finditer(text):
        yield match
        rest = rest.replace(match[0], " " * len(match[0]))
    yield from _CLOCK.finditer(rest)


def _ns(moment: datetime) -> int:
    return round(moment.timestamp() * 1000) * (NS_PER_S // 1000)
