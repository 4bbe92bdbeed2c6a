"""Days, weeks, months and years as they are named, and which calendar days they are."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass, replace
from datetime import date, timedelta

FIRST_YEAR, LAST_YEAR = 1900, 2200
"""Years outside are no years of footage: days in them cannot be."""

Dates = tuple[date, date]
"""First day, and the day after the last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RelativeDay:
    """So many days from today: yesterday is -1."""

    days: int

    def dates(self, today: date, since: date | None = None) -> Dates | None:
        """See the module's ``dates_of``."""
        limit = 366 * (LAST_YEAR - FIRST_YEAR)
        return _stretch(today + timedelta(days=self.days), 1) if abs(self.days) < limit else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Year:
    """A year by number, or so many from this one: last year is ``offset=-1``."""

    number: int | None = None
    offset: int = 0

    def value(self, today: date) -> int:
        """The year's number."""
        return today.year + self.offset if self.number is None else self.number

    def dates(self, today: date, since: date | None = None) -> Dates | None:
        """See the module's ``dates_of``."""
        year = self.value(today)
        if not FIRST_YEAR <= year < LAST_YEAR:
            return None
        return date(year, 1, 1), date(year + 1, 1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """A month by number, perhaps of a year, or so many from this one: last month is ``offset=-1``.

    Exactly one of ``number`` and ``offset`` is given.
    """

    number: int | None = None
    offset: int | None = None
    year: Year | None = None

    def dates(self, today: date, since: date | None = None) -> Dates | None:
        """See the module's ``dates_of``."""
        if self.offset is not None:
            first = _month(today, self.offset)
        elif self.number is None or not 1 <= self.number <= 12:
            return None
        elif self.year is not None:
            first = _day(self.year.value(today), self.number, 1)
        else:
            this = date(today.year, self.number, 1)
            if since is not None:
                first = _day(since.year + (self.number < since.month), self.number, 1)
            else:
                first = this if this <= today else _day(today.year - 1, self.number, 1)
        if first is None:
            return None
        return _stretch(first, monthrange(first.year, first.month)[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberedDay:
    """A day by its number in a month: of a month by number or ``months`` from this one, or of any.

    Args:
        day: Number as written, possible or not.
        month: Number as written; None: not named.
        months: -1 is last month; None: not named.
        year: None: not named.
    """

    day: int
    month: int | None = None
    months: int | None = None
    year: Year | None = None

    def dates(self, today: date, since: date | None = None) -> Dates | None:
        """See the module's ``dates_of``."""
        if self.months is not None:
            first = _month(today, self.months)
            found = first and _day(first.year, first.month, self.day)
        elif self.month is None:
            found = self._of_any_month(today, since)
        elif self.year is not None:
            found = _day(self.year.value(today), self.month, self.day)
        else:
            found = self._of_any_year(self.month, today, since)
        return None if found is None else _stretch(found, 1)

    def _of_any_month(self, today: date, since: date | None) -> date | None:
        step = -1 if since is None else 1
        for months in range(12):
            first = _month(since or today, step * months)
            found = first and _day(first.year, first.month, self.day)
            if found and (found <= today if since is None else found >= since):
                return found
        return None

    def _of_any_year(self, month: int, today: date, since: date | None) -> date | None:
        # Nine years hold a 29 February, also around 1900 and 2100.
        step = -1 if since is None else 1
        for years in range(9):
            found = _day((since or today).year + step * years, month, self.day)
            if found and (found <= today if since is None else found >= since):
                return found
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Weekday:
    """A day of the week, Monday is 0.

    Args:
        weekday: 0..6.
        weeks: Of which week: -1 is last week; None: the latest that has begun.
        past: Without ``weeks``: the latest before today.
    """

    weekday: int
    weeks: int | None = None
    past: bool = False

    def dates(self, today: date, since: date | None = None) -> Dates | None:
        """See the module's ``dates_of``."""
        if self.weeks is not None:
            days = 7 * self.weeks + self.weekday - today.weekday()
            return _stretch(today + timedelta(days=days), 1)
        if since is not None:
            return _stretch(since + timedelta(days=(self.weekday - since.weekday()) % 7), 1)
        back = (today.weekday() - self.weekday) % 7
        return _stretch(today - timedelta(days=back or (7 if self.past else 0)), 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Week:
    """Monday to Monday; last week is -1."""

    weeks: int

    def dates(self, today: date, since: date | None = None) -> Dates | None:
        """See the module's ``dates_of``."""
        return _stretch(today + timedelta(days=7 * self.weeks - today.weekday()), 7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Weekend:
    """Saturday and Sunday of a week; None: the latest that has begun."""

    weeks: int | None = None

    def dates(self, today: date, since: date | None = None) -> Dates | None:
        """See the module's ``dates_of``."""
        saturday = Weekday(weekday=5, weeks=self.weeks).dates(today, since)
        return None if saturday is None else _stretch(saturday[0], 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class NextDay:
    """The day after the one on which a range began: 隔天. By itself it is none."""

    def dates(self, today: date, since: date | None = None) -> Dates | None:
        """See the module's ``dates_of``."""
        return None if since is None else _stretch(since + timedelta(days=1), 1)


Day = RelativeDay | NextDay | NumberedDay | Weekday | Week | Weekend | Month | Year


def dates_of(day: Day, *, today: date, since: date | None = None) -> Dates | None:
    """Which calendar days are meant.

    Args:
        day: As named.
        today: In the zone of the question.
        since: The first day of the range that this day ends: what its name leaves open is then
            the first that does not lie before, instead of the latest that has begun.

    Returns:
        None when there is no such day.

    >>> dates_of(Weekday(weekday=2, weeks=-1), today=date(2025, 12, 17))
    (datetime.date(2025, 12, 10), datetime.date(2025, 12, 11))
    """
    return day.dates(today, since)


def combined(one: Day, other: Day) -> Day | None:
    """Two names of one day as one: 去年 and 12/16, last week and Wednesday; None: they are two."""
    for broad, narrow in ((one, other), (other, one)):
        match broad, narrow:
            case Year(), Month(number=int(), year=None):
                return replace(narrow, year=broad)
            case Year(), NumberedDay(month=int(), year=None):
                return replace(narrow, year=broad)
            case Month(number=number, offset=offset, year=year), NumberedDay(
                month=None, months=None
            ):
                return replace(narrow, month=number, months=offset, year=year)
            case Week(weeks=weeks), Weekday(weeks=None):
                return replace(narrow, weeks=weeks, past=False)
            case Week(weeks=weeks), Weekend(weeks=None):
                return replace(narrow, weeks=weeks)
            case NumberedDay() | RelativeDay(), Weekday(weeks=None):
                return broad
            case RelativeDay() | Weekday(), NumberedDay(month=int()):
                # 昨天（12/16）: the date says more.
                return narrow
            case _:
                pass
    return None


def _stretch(first: date, days: int) -> Dates | None:
    if not FIRST_YEAR <= first.year < LAST_YEAR:
        return None
    return first, first + timedelta(days=days)


def _day(year: int, month: int, day: int) -> date | None:
    if not (FIRST_YEAR <= year < LAST_YEAR and 1 <= month <= 12):
        return None
    return date(year, month, day) if 1 <= day <= monthrange(year, month)[1] else None


def _month(today: date, offset: int) -> date | None:
    year, month = divmod(today.year * 12 + today.month - 1 + offset, 12)
    return _day(year, month + 1, 1)
