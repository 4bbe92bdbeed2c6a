"""From what an expression names to instants."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from video_detective.search.times.base import Period
from video_detective.search.times.clocks import MIDNIGHT, NIGHT, Clock, hour_of_day
from video_detective.search.times.days import (
    Dates,
    NextDay,
    NumberedDay,
    RelativeDay,
    Year,
    dates_of,
)
from video_detective.search.times.durations import AROUND_NS, NS_PER_S
from video_detective.search.times.expressions import Expression, Side
from video_detective.search.times.tokens import Mark

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = timedelta(days=1)
_HALF_DAY = timedelta(hours=12)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """When and where a question is asked."""

    now_ns: int
    zone: ZoneInfo

    @property
    def today(self) -> date:
        """The day of the zone."""
        return self.wall(self.now_ns).date()

    def wall(self, instant_ns: int) -> datetime:
        """Local date and time of an instant, without a zone."""
        moment = _EPOCH + timedelta(microseconds=instant_ns // 1000)
        return moment.astimezone(self.zone).replace(tzinfo=None)

    def begin_ns(self, wall: datetime) -> int:
        """A local time as a beginning: the first of two, moved by the gap where it is missing.

        ``fold=0`` does both: it means the first of two, and the offset before a gap.
        """
        return _ns(wall.replace(tzinfo=self.zone, fold=0))

    def end_ns(self, wall: datetime) -> int:
        """A local time as an end: the second of two."""
        first, second = (wall.replace(tzinfo=self.zone, fold=fold) for fold in (0, 1))
        return max(_ns(first), _ns(second)) if _offset(first) > _offset(second) else _ns(first)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Placed:
    """One side on the calendar.

    Args:
        begin, end: Local; as far as the words reach (a clock time to the hour: the hour).
        dates: The day or days it belongs to; those that name it (昨晚 1 點: yesterday).
    """

    begin: datetime
    end: datetime
    dates: Dates


def resolve(expression: Expression, asking: Asking) -> Period | None:
    """The range that an expression names; None when it cannot be."""
    if expression.habit or expression.void:
        return None
    first = expression.first
    if expression.last is not None and not expression.last.now:
        bounds = _range(first, expression.last, asking)
    elif expression.last is not None or expression.until_now:
        bounds = _since(first, asking)
    elif expression.opening is not None:
        bounds = _open(first, expression.opening, asking)
    else:
        bounds = _closed(first, asking)
    if bounds is None:
        return None
    start_ns, end_ns = bounds
    if start_ns is not None and end_ns is not None and end_ns <= start_ns:
        return None
    return Period(start_ns=start_ns, end_ns=end_ns)


_Bounds = tuple[int | None, int | None]


def _closed(side: Side, asking: Asking) -> _Bounds | None:
    if side.recent is not None:
        return asking.now_ns - side.recent.ns, asking.now_ns
    if side.moment is not None:
        moment_ns = asking.now_ns - side.moment.ago_ns
        return moment_ns - side.moment.around_ns, moment_ns + side.moment.around_ns
    if side.around:
        side = _as_moment(side)
    if side.clock is not None and side.clock.utc_offset_s is not None:
        start_ns = _explicit_ns(side, asking)
        if start_ns is None:
            return None
        return start_ns, start_ns + side.clock.length_s * NS_PER_S
    placed = _place(side, asking)
    if placed is None:
        return None
    start_ns = asking.begin_ns(placed.begin)
    if side.around and side.clock is not None:
        return start_ns - AROUND_NS, asking.end_ns(placed.begin) + AROUND_NS
    end_ns = asking.end_ns(placed.end)
    if end_ns <= start_ns:
        # The hour named is missing: its beginning was moved past its end.
        end_ns = start_ns + int((placed.end - placed.begin).total_seconds()) * NS_PER_S
    return start_ns, end_ns


def _since(side: Side, asking: Asking) -> _Bounds | None:
    start_ns = _start_ns(side, asking)
    if start_ns is None:
        return None
    return start_ns, asking.now_ns if start_ns < asking.now_ns else None


def _open(side: Side, opening: Mark, asking: Asking) -> _Bounds | None:
    if side.recent is not None:
        return _closed(side, asking)
    if opening is Mark.SINCE:
        return _since(side, asking)
    if side.moment is not None:
        moment_ns = asking.now_ns - side.moment.ago_ns
        return (
            (None, moment_ns)
            if opening in (Mark.BEFORE, Mark.UNTIL)
            else (moment_ns, asking.now_ns)
        )
    side = _as_moment(side)
    placed = _place(side, asking)
    if placed is None:
        return None
    if opening in (Mark.BEFORE, Mark.UNTIL):
        return _before(side, placed, opening, asking)
    return _after(side, placed, opening, asking)


def _before(side: Side, placed: _Placed, opening: Mark, asking: Asking) -> _Bounds:
    until = placed.end if opening is Mark.UNTIL and side.clock is None else placed.begin
    if side.clock is None and side.part is None:
        return None, asking.end_ns(until)
    midnight = datetime.combine(placed.dates[0], time())
    begin = midnight
    if side.clock is not None and side.part is not None:
        begin = midnight + timedelta(hours=side.part.begin)
    if begin >= until:
        begin = midnight
    start_ns, end_ns = asking.begin_ns(begin), asking.end_ns(until)
    return (start_ns if start_ns < end_ns else None), end_ns


def _after(side: Side, placed: _Placed, opening: Mark, asking: Asking) -> _Bounds:
    day_end = datetime.combine(placed.dates[1], time())
    since, until = placed.begin, None
    if side.clock is None and opening is Mark.AFTER:
        since = placed.end
    if side.clock is not None and side.part is not None:
        until = day_end - _DAY + timedelta(hours=side.part.end)
    elif side.day is not None and (side.clock is not None or (side.part and opening is Mark.AFTER)):
        until = day_end
    if until is not None and until <= since:
        until = day_end if day_end > since else None
    start_ns = asking.begin_ns(since)
    if until is not None:
        return start_ns, asking.end_ns(until)
    return start_ns, asking.now_ns if start_ns < asking.now_ns else None


def _range(first: Side, last: Side, asking: Asking) -> _Bounds | None:
    first, last, shared = _inherited(_dated(first, last, asking), last)
    if last.moment is not None:
        start_ns = _start_ns(first, asking)
        return None if start_ns is None else (start_ns, asking.now_ns - last.moment.ago_ns)
    if last.recent is not None:
        return None
    if first.recent is not None:
        return None
    begin = _range_begin(first, last, asking)
    if begin is None:
        return None
    start, on = begin
    ends = _range_end(last, start, on, asking, shared=shared)
    if ends is None:
        return None
    if (
        last.trailing
        and first.day == RelativeDay(days=0)
        and ends.date() > start.date()
        and asking.begin_ns(start) > asking.now_ns
    ):
        # 10 pm to 2 am today: the night that ended today.
        start, ends = start - _DAY, ends - _DAY
    start_ns = _start_ns(first, asking) if first.moment else asking.begin_ns(start)
    if first.clock is not None and first.clock.utc_offset_s is not None:
        start_ns = _explicit_ns(first, asking)
    if last.clock is not None and last.clock.utc_offset_s is not None:
        return start_ns, _explicit_ns(last, asking)
    return start_ns, asking.end_ns(ends)


def _dated(first: Side, last: Side, asking: Asking) -> Side:
    """The beginning in the month and the year of the end, or right before, where it names none."""
    begin, end = first.day, last.day
    if not isinstance(begin, NumberedDay) or not isinstance(end, NumberedDay):
        return first
    if begin.year or end.month is None or begin.months is not None:
        return first
    month, year = begin.month, None if end.year is None else end.year.value(asking.today)
    if month is None:
        month = end.month if begin.day <= end.day else (end.month - 2) % 12 + 1
    if year is not None:
        year -= (month, begin.day) > (end.month, end.day)
    return replace(
        first,
        day=replace(begin, month=month, year=None if year is None else Year(number=year)),
    )


def _range_begin(first: Side, last: Side, asking: Asking) -> tuple[datetime, date] | None:
    """Local beginning, and the day that an end without a day belongs to."""
    if first.moment is not None:
        wall = asking.wall(asking.now_ns - first.moment.ago_ns)
        return wall, wall.date()
    if first.day is None and last.day is not None:
        # 22:00 到今天 2:00: the last 22:00 before that end.
        dates = dates_of(last.day, today=asking.today)
        if dates is None:
            return None
        end, before = _on(last, dates), _on(first, dates)
        if before.begin >= (end.end if last.clock is None else end.begin):
            return before.begin - _DAY, before.dates[0] - _DAY
        return before.begin, before.dates[0]
    placed = _place(first, asking)
    return None if placed is None else (placed.begin, placed.dates[1] - _DAY)


def _range_end(
    last: Side, start: datetime, on: date, asking: Asking, *, shared: bool
) -> datetime | None:
    """Local end of a range from ``start``, which belongs to the day ``on``."""
    if last.day is None:
        placed: _Placed | None = _on(last, (on, on + _DAY))
    else:
        since = on if isinstance(last.day, NextDay) else start.date()
        dates = dates_of(last.day, today=asking.today, since=since)
        placed = None if dates is None else _on(last, dates)
    if placed is None:
        return None
    end = placed.end if last.clock is None else placed.begin
    if end > start:
        return end
    if last.day is not None and placed.dates[0] != on:
        return None
    if last.clock is not None and shared and last.clock.hour <= 12 and end + _HALF_DAY > start:
        return end + _HALF_DAY
    return end + _DAY if end + _DAY > start else None


def _inherited(first: Side, last: Side) -> tuple[Side, Side, bool]:
    """Both sides with what each has from the other, and whether the end took am, pm or the part."""
    if first.clock is not None or last.clock is not None:
        first, last = _as_moment(first), _as_moment(last)
    if last.trailing:
        if first.day is None:
            first = replace(first, day=last.day)
            last = replace(last, day=None)
        if first.part is None and first.clock is not None and first.clock.half is None:
            first = replace(first, part=last.part)
    if last.clock is None:
        return first, last, False
    if last.part is None and last.clock.half is None and (last.day is None or last.trailing):
        half = first.clock.half if first.clock is not None else None
        if first.part is not None:
            return first, replace(last, part=first.part), True
        if half is not None and last.clock.hour <= 12:
            return first, replace(last, clock=replace(last.clock, half=half)), True
    if (
        last.clock.half is not None
        and first.clock is not None
        and first.clock.half is None
        and first.part is None
        and 1 <= first.clock.hour <= 12
    ):
        first = replace(first, clock=_nearest_half(first.clock, last.clock))
    return first, last, False


def _nearest_half(clock: Clock, end: Clock) -> Clock:
    """9 to 5 pm begins in the morning, 2 to 4 pm in the afternoon: the shorter range is meant."""
    halves = (replace(clock, half="am"), replace(clock, half="pm"))
    end_s = hour_of_day(end, None) * 3600 + end.past_hour_s

    def length_s(one: Clock) -> int:
        return (end_s - hour_of_day(one, None) * 3600 - one.past_hour_s - 1) % 86_400

    return min(halves, key=length_s)


def _as_moment(side: Side) -> Side:
    """Noon and midnight as the moments that they are as well."""
    if side.clock is not None or side.part is None or side.part.moment is None:
        return side
    part = NIGHT if side.part.moment == MIDNIGHT.moment else None
    return replace(side, clock=Clock(hour=12, minute=0), part=part)


def _start_ns(side: Side, asking: Asking) -> int | None:
    """When a side begins."""
    if side.now:
        return asking.now_ns
    if side.moment is not None:
        return asking.now_ns - side.moment.ago_ns
    if side.recent is not None:
        return asking.now_ns - side.recent.ns
    if side.clock is not None and side.clock.utc_offset_s is not None:
        return _explicit_ns(side, asking)
    placed = _place(side, asking)
    return None if placed is None else asking.begin_ns(placed.begin)


def _explicit_ns(side: Side, asking: Asking) -> int | None:
    """When a clock time with an offset is."""
    dates = None if side.day is None else dates_of(side.day, today=asking.today)
    if side.clock is None or dates is None:
        return None
    seconds = side.clock.hour * 3600 + side.clock.past_hour_s - (side.clock.utc_offset_s or 0)
    return _ns(datetime.combine(dates[0], time(), tzinfo=UTC)) + seconds * NS_PER_S


def _place(side: Side, asking: Asking) -> _Placed | None:
    """Puts a side on its day; without one on today, or yesterday when it is still to come."""
    if side.day is not None:
        dates = dates_of(side.day, today=asking.today)
        return None if dates is None else _on(side, dates)
    today = asking.today
    placed = _on(side, (today, today + _DAY))
    if asking.begin_ns(placed.begin) > asking.now_ns:
        return _on(side, (today - _DAY, today))
    return placed


def _on(side: Side, dates: Dates) -> _Placed:
    """Puts a day, part or clock time on the calendar."""
    midnight = datetime.combine(dates[0], time())
    if side.clock is not None:
        hour = hour_of_day(side.clock, side.part)
        begin = midnight + timedelta(hours=hour, seconds=side.clock.past_hour_s)
        return _Placed(begin=begin, end=begin + timedelta(seconds=side.clock.length_s), dates=dates)
    if side.part is not None:
        begin, end = (midnight + timedelta(hours=h) for h in (side.part.begin, side.part.end))
        return _Placed(begin=begin, end=end, dates=dates)
    return _Placed(begin=midnight, end=datetime.combine(dates[1], time()), dates=dates)


def _ns(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1) * 1000


def _offset(moment: datetime) -> timedelta:
    return moment.utcoffset() or timedelta()
