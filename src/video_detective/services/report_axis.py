"""The time axis of a report: stretches that suit the period, on the wall clock of one zone."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from typing import Literal
from zoneinfo import ZoneInfo

from video_detective.geometry import NS_PER_S
from video_detective.services.times import local_time
from video_detective.storage.counting import Clock

Unit = Literal["minute", "minutes", "hours", "days", "weeks", "months", "years"]
HOUR_NS = 3600 * NS_PER_S
DAY_NS = 24 * HOUR_NS
MINUTE_NS = 60 * NS_PER_S
MAX_TICKS = 12
MAX_PIECES = 144
"""Two or three pixels each on a telephone; ten minutes each of a day."""
_UNITS: tuple[tuple[int, Unit], ...] = (
    (HOUR_NS // 2, "minute"),
    (3 * HOUR_NS, "minutes"),
    (72 * HOUR_NS, "hours"),
    (92 * DAY_NS, "days"),
    (2 * 366 * DAY_NS, "weeks"),
    (10 * 366 * DAY_NS, "months"),
)
"""Longest period of each unit: at most some 120 bars, which are still told apart on paper."""
_LABELS: dict[Unit, str] = {
    "minute": "%H:%M", "minutes": "%H:%M", "hours": "%H:%M", "days": "%m-%d",
    "weeks": "%m-%d", "months": "%Y-%m", "years": "%Y",
}  # fmt: skip
_CLOCK_MINUTES: dict[Unit, int] = {"minute": 1, "minutes": 5, "hours": 60}
"""Length of the stretches that go on evenly when the clocks change."""
_COUNTING_NS: dict[Unit, int] = {
    "minute": 5 * NS_PER_S, "minutes": MINUTE_NS, "hours": 5 * MINUTE_NS,
}  # fmt: skip
"""Fine enough to show when events began beside what was recorded. Longer units count local days."""
_MICROSECOND = timedelta(microseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """One bar's time; the first and the last may reach beyond the period.

    Args:
        start_ns, end_ns: Begin and end, exclusive.
        label: Short local begin.
        tick: What stands under the axis here; empty for most.
    """

    start_ns: int
    end_ns: int
    label: str
    tick: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeAxis:
    """A period, cut into stretches of local time without holes.

    Args:
        since_ns, until_ns: The period.
        zone: Whose clock it is.
        unit: What a stretch is: a minute, five ``minutes``, an hour, a local day, week …
        stretches: In order; together they cover the period.
        offsets: Offsets from UTC that hold in the period: since when, and ``+08:00``.
    """

    since_ns: int
    until_ns: int
    zone: ZoneInfo
    unit: Unit
    stretches: Sequence[Stretch]
    offsets: Sequence[tuple[int, str]]

    @property
    def clock(self) -> Clock:
        """How to count: every stretch holds whole ones of its stretches."""
        first_ns = self.stretches[0].start_ns
        if self.unit in _COUNTING_NS:
            return Clock(origin_ns=first_ns, stretch_ns=_COUNTING_NS[self.unit])
        offsets = ((at_ns, local_time(at_ns, self.zone).utcoffset()) for at_ns, _ in self.offsets)
        midnight = datetime.combine(local_time(first_ns, self.zone).date(), time(), UTC)
        return Clock(
            origin_ns=_ns(midnight),
            stretch_ns=DAY_NS,
            shifts=[
                (at_ns, (shift or timedelta()) // _MICROSECOND * 1000) for at_ns, shift in offsets
            ],
        )

    def counted_ns(self, number: int) -> int:
        """Begin of a stretch of ``clock``: of a local day, or of some minutes."""
        first_ns = self.stretches[0].start_ns
        if self.unit in _COUNTING_NS:
            return first_ns + number * _COUNTING_NS[self.unit]
        day = local_time(first_ns, self.zone).date() + timedelta(days=number)
        return _ns(datetime.combine(day, time(), self.zone))

    def stretch_at(self, time_ns: int) -> int:
        """Number of the stretch that holds a time of the period."""
        return bisect_right(self.stretches, time_ns, key=lambda stretch: stretch.start_ns) - 1

    def share(self, time_ns: int) -> float:
        """Where a time lies, 0 at the beginning and 1 at the end of the period, cut to that."""
        share = (time_ns - self.since_ns) / (self.until_ns - self.since_ns)
        return min(max(share, 0.0), 1.0)

    @property
    def pieces(self) -> Sequence[tuple[int, int]]:
        """The stretches cut finer where they are evenly long: ``MAX_PIECES`` at most then."""
        if self.unit not in _COUNTING_NS:
            return [(stretch.start_ns, stretch.end_ns) for stretch in self.stretches]
        first_ns, last_ns = self.stretches[0].start_ns, self.stretches[-1].end_ns
        counted_ns = _COUNTING_NS[self.unit]
        length_ns = counted_ns * -(-(last_ns - first_ns) // (counted_ns * MAX_PIECES))
        return [
            (start_ns, min(start_ns + length_ns, last_ns))
            for start_ns in range(first_ns, last_ns, length_ns)
        ]

    def told(self, time_ns: int, *, seconds: bool = True, offset: bool = True) -> str:
        """``2026-01-15 22:04:11`` in the zone.

        Args:
            time_ns: When.
            seconds: With seconds.
            offset: With the offset from UTC where the period has more than one.
        """
        moment = local_time(time_ns, self.zone)
        told = moment.strftime("%Y-%m-%d %H:%M:%S" if seconds else "%Y-%m-%d %H:%M")
        has_offset = offset and len(self.offsets) > 1
        return f"{told} {moment.isoformat()[-6:]}" if has_offset else told


def time_axis(since_ns: int, until_ns: int, zone: ZoneInfo) -> TimeAxis:
    """The axis of a period: stretches begin on round local times, also when clocks change.

    Args:
        since_ns: Begin.
        until_ns: End, after it.
        zone: Whose clock it is.
    """
    length_ns = until_ns - since_ns
    unit: Unit = next((unit for longest, unit in _UNITS if length_ns <= longest), "years")
    moment = _floor(local_time(since_ns, zone), unit)
    begins = [moment]
    while _ns(moment) < until_ns:
        moment = _next(moment, unit)
        begins.append(moment)
    local = [begin.astimezone(zone) for begin in begins]
    ticks = _ticks(local[:-1], unit)
    return TimeAxis(
        since_ns=since_ns,
        until_ns=until_ns,
        zone=zone,
        unit=unit,
        offsets=_offsets(since_ns, until_ns, zone),
        stretches=tuple(
            Stretch(
                start_ns=_ns(begin),
                end_ns=_ns(end),
                label=begin.strftime(_LABELS[unit]),
                tick=ticks.get(number, ""),
            )
            for number, (begin, end) in enumerate(pairwise(local))
        ),
    )


def _floor(moment: datetime, unit: Unit) -> datetime:
    """The begin of the stretch; small units in UTC, so that hours go on when clocks change."""
    moment = moment.replace(second=0, microsecond=0)
    if unit == "minute":
        return moment.astimezone(UTC)
    if unit == "minutes":
        return moment.replace(minute=moment.minute // 5 * 5).astimezone(UTC)
    moment = moment.replace(minute=0)
    if unit == "hours":
        return moment.astimezone(UTC)
    moment = moment.replace(hour=0, fold=0)
    if unit == "weeks":
        return moment - timedelta(days=moment.weekday())
    if unit == "months":
        return moment.replace(day=1)
    return moment.replace(month=1, day=1) if unit == "years" else moment


def _next(moment: datetime, unit: Unit) -> datetime:
    """The next stretch's begin; days and more are stepped on the wall clock."""
    if unit == "years":
        return moment.replace(year=moment.year + 1)
    if unit == "months":
        return (moment + timedelta(days=31)).replace(day=1)
    steps = {
        "minute": timedelta(minutes=1), "minutes": timedelta(minutes=5),
        "hours": timedelta(hours=1), "days": timedelta(days=1), "weeks": timedelta(days=7),
    }  # fmt: skip
    return moment + steps[unit]


def _ticks(begins: Sequence[datetime], unit: Unit) -> dict[int, str]:
    """Labels under the axis by number of the stretch, at round times, some ``MAX_TICKS``."""
    if unit in _CLOCK_MINUTES:
        for every in (1, 2, 3, 5, 6, 12, 24):
            chosen = [n for n, begin in enumerate(begins) if _nth(begin, unit) % every == 0]
            if len(chosen) <= MAX_TICKS:
                break
        return {
            n: begins[n].strftime("%m-%d" if _is_midnight(begins[n]) else "%H:%M") for n in chosen
        }
    every = -(-len(begins) // MAX_TICKS)
    return {n: begin.strftime(_LABELS[unit]) for n, begin in enumerate(begins) if n % every == 0}


def _nth(begin: datetime, unit: Unit) -> int:
    """Which stretch of its day it is."""
    return (begin.hour * 60 + begin.minute) // _CLOCK_MINUTES[unit]


def _is_midnight(begin: datetime) -> bool:
    return begin.hour == begin.minute == 0


def _offsets(since_ns: int, until_ns: int, zone: ZoneInfo) -> tuple[tuple[int, str], ...]:
    found = [(since_ns, _offset(since_ns, zone))]
    at_ns = since_ns
    while at_ns < until_ns - 1:
        # Even Morocco, whose clocks go back for Ramadan, leaves a month between two changes.
        next_ns = min(at_ns + 7 * DAY_NS, until_ns - 1)
        if _offset(next_ns, zone) != found[-1][1]:
            found.append(_change(at_ns, next_ns, zone))
        at_ns = next_ns
    return tuple(found)


def _change(before_ns: int, after_ns: int, zone: ZoneInfo) -> tuple[int, str]:
    """When the offset changes between two times that have different ones."""
    earlier, later = _offset(before_ns, zone), _offset(after_ns, zone)
    while after_ns - before_ns > 1000:  # local_time knows microseconds
        middle = (before_ns + after_ns) // 2
        if _offset(middle, zone) == earlier:
            before_ns = middle
        else:
            after_ns = middle
    return after_ns // 1000 * 1000, later


def _offset(time_ns: int, zone: ZoneInfo) -> str:
    return local_time(time_ns, zone).isoformat()[-6:]


def _ns(moment: datetime) -> int:
    return (moment.astimezone(UTC) - _EPOCH) // _MICROSECOND * 1000


def gaps(spans: Sequence[tuple[int, int]], since_ns: int, until_ns: int) -> list[tuple[int, int]]:
    """What spans leave open of a period.

    Args:
        spans: Disjoint, in order, within the period.
        since_ns: Begin of the period.
        until_ns: Its end, exclusive; not before the last span's.
    """
    edges = [since_ns, *(edge for span in spans for edge in span), until_ns]
    return [(start, end) for start, end in zip(edges[::2], edges[1::2], strict=True) if start < end]
