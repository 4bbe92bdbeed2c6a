"""How times are written in English, in lower case (see folding)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from video_detective.search.times import clocks, durations
from video_detective.search.times.clocks import Clock
from video_detective.search.times.days import (
    Month,
    NumberedDay,
    RelativeDay,
    Week,
    Weekday,
    Weekend,
    Year,
)
from video_detective.search.times.durations import DAY_S, HOUR_S, MINUTE_S, MONTH_S, WEEK_S, YEAR_S
from video_detective.search.times.tokens import (
    Impossible,
    Mark,
    Meaning,
    Meanings,
    Number,
    Pattern,
)
from video_detective.search.times.words.english_words import MONTHS, ORDINALS, PHRASES, WEEKDAYS
from video_detective.search.times.words.numerals import DIGITS, ONES, WORDS, number
from video_detective.search.times.words.numeric import clock, day_of

_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz")
_BEGINS = _LETTERS | frozenset(DIGITS)
_BEFORE, _BEHIND = r"(?<![a-z])", r"(?![a-z])"


def _any(words: Iterable[str]) -> str:
    """A regular expression for any of some words, the longest first."""
    return "(?:" + "|".join(sorted(words, key=len, reverse=True)) + ")"


_MONTH = rf"(?P<month>{_any(MONTHS)})\.?"
_ORDINAL = r"(?P<d>\d{1,2})(?:st|nd|rd|th)?"
_YEAR = r"(?:,? (?P<y>(?:19|2[01])\d\d)(?![\d:]))?"

_UNITS = {
    "second": 1, "sec": 1, "s": 1, "minute": MINUTE_S, "min": MINUTE_S, "m": MINUTE_S,
    "hour": HOUR_S, "hr": HOUR_S, "h": HOUR_S, "day": DAY_S, "d": DAY_S, "week": WEEK_S,
    "wk": WEEK_S, "month": MONTH_S, "year": YEAR_S, "yr": YEAR_S,
}  # fmt: skip
_COUNTS = {"a": 1, "an": 1, "the": 1, "a couple of": 2, "couple of": 2, "couple": 2, **WORDS}
_UNIT = rf"(?P<unit>{_any(_UNITS)})(?:s|')?(?:')?"
_COUNT = rf"(?:\d{{1,4}}|{_any(WORDS)})"
_OTHER_UNIT = rf"{_any(_UNITS)}s?"
_LENGTH = (
    rf"(?P<half>half an?|half)? ?(?P<n>\d{{1,4}}(?:\.\d)?|{_any(_COUNTS)})?(?P<and> and a half)?"
    rf"[ -]?{_UNIT}(?P<more> and a half)?{_BEHIND}"
)


def _duration(match: re.Match[str]) -> durations.Duration | None:
    unit_s = _UNITS[match["unit"]]
    written = match["n"]
    if match["half"]:
        if written:
            return None
        return durations.Duration(seconds=unit_s // 2, unit_s=unit_s)
    if written is None:
        # The last hour is one; "the last week" is named otherwise.
        count = 1.0
    elif written in _COUNTS:
        count = _COUNTS[written]
    else:
        count = float(written)
    if match["and"] or match["more"]:
        count += 0.5
    return durations.Duration(seconds=int(count * unit_s), unit_s=unit_s)


def _recent(match: re.Match[str]) -> Meanings | None:
    found = _duration(match)
    return None if found is None else durations.recent(found)


def _ago(match: re.Match[str]) -> Meanings | None:
    found = _duration(match)
    if found is None or not (match["n"] or match["half"]):
        return None
    return durations.ago(found)


def _month_day(match: re.Match[str]) -> Meanings | None:
    year = match["y"]
    return day_of(None if year is None else int(year), MONTHS[match["month"]], int(match["d"]))


def _day_range(match: re.Match[str]) -> Meanings | None:
    """Dec 24-26, 2024: the year stands behind both days."""
    month, year = MONTHS[match["month"]], int(match["y"])
    first = day_of(year, month, int(match["first"]))
    return (*first, Mark.TO, *day_of(year, month, int(match["last"])))


def _nights_ago(match: re.Match[str]) -> Meanings | None:
    nights = number(match["n"]) if match["n"] not in _COUNTS else _COUNTS[match["n"]]
    return None if not nights else (RelativeDay(days=-nights), clocks.NIGHT)


def _month(match: re.Match[str], year: int | None = None) -> Meanings:
    named = None if year is None else Year(number=year)
    return (Month(number=MONTHS[match["month"]], year=named),)


def _spelt_day(match: re.Match[str]) -> Meanings | None:
    return day_of(None, MONTHS[match["month"]], ORDINALS.index(match["d"]) + 1)


def _ordinal_day(match: re.Match[str]) -> Meanings | None:
    day = int(match["d"])
    return (NumberedDay(day=day),) if 1 <= day <= 31 else None


_WEEKS = {"last": -1, "this": 0, "next": 1, "this past": None, "past": None, "previous": -1}


def _weekday(match: re.Match[str]) -> Meanings | None:
    day, which = WEEKDAYS[match["day"]], match.groupdict().get("which")
    if which in ("last", "past", "this past", "previous"):
        return (Weekday(weekday=day, past=True),)
    return (Weekday(weekday=day, weeks=_WEEKS[which] if which else None),)


def _span(match: re.Match[str]) -> Meanings | None:
    which, unit = match["which"], match["unit"]
    if unit == "weekend":
        return (Weekend(weeks=_WEEKS[which]),)
    if which in ("past", "this past"):
        return durations.recent(durations.Duration(seconds=_UNITS[unit], unit_s=_UNITS[unit]))
    return (_stretch(unit, _WEEKS[which] or 0),)


def _stretch(unit: str, offset: int) -> Meaning:
    if unit == "week":
        return Week(weeks=offset)
    return Month(offset=offset) if unit == "month" else Year(offset=offset)


def _clock(match: re.Match[str]) -> Meanings | None:
    hour = number(match["h"])
    if hour is None or not (match["full"] or match["half"] or (match["m"] and match["h"] in WORDS)):
        return None
    minute = None if match["m"] is None else number(match["m"].removeprefix("oh "))
    return clock(hour, minute, half=match["half"])


_MOMENTS = {"noon": clocks.NOON, "midnight": clocks.NIGHT}
_FRACTIONS = {"half": 30, "a quarter": 15, "quarter": 15}


def _spoken(match: re.Match[str]) -> Meanings | None:
    """Half past ten, quarter to nine, ten minutes to midnight."""
    named = match["h"]
    part = _MOMENTS.get(named)
    hour = 12 if part else number(named)
    written = match["m"].removesuffix("s").removesuffix(" minute")
    minutes = _FRACTIONS.get(written) or number(written)
    if not hour or hour > 12 or not minutes or minutes > 59:
        return None
    if match["way"] in ("past", "after"):
        found = clock(hour, minutes, half=match["half"])
    elif match["half"] is None and part is None:
        found = clock(hour - 1, 60 - minutes)
    else:
        found = clock(hour - 1 or 12, 60 - minutes, half=match["half"])
    return found if part is None else (*found, part)


def _spoken_hour(match: re.Match[str]) -> Meanings | None:
    """Ten in the evening: in figures that may count something (camera 10 at night)."""
    hour = number(match["h"])
    return None if hour is None else clock(hour)


_NO_TIME = (
    r"(?!-(?:blue|black|clad|shift|proof|light|vision)| (?:vision|mode|shift|guard|club|blue|gown|"
    r"dress|stand|light|lamp|watchman)(?:s|es)?(?![a-z]))"
)


def _pattern(
    regex: str,
    meanings: Callable[[re.Match[str]], Meanings | None],
    *,
    weak: bool = False,
    starts: frozenset[str] = _BEGINS,
) -> Pattern:
    return Pattern(
        starts=starts,
        regex=re.compile(rf"{_BEFORE}(?<![\d.:])(?:{regex})"),
        meanings=meanings,
        weak=weak,
    )


_HALF = r"(?: ?(?P<half>[ap]m|[ap]\.m\.?)(?![a-z]))"
_HOUR_WORDS = _any([word for word, n in WORDS.items() if 1 <= n <= 24])
_HOUR = rf"(?P<h>\d{{1,2}}|{_HOUR_WORDS})"
_HOUR_OR_MOMENT = rf"(?P<h>\d{{1,2}}|{_HOUR_WORDS}|noon|midnight)"
_MINUTE_WORDS = rf"{_any([word for word, n in WORDS.items() if 10 <= n <= 59])}|oh {_any(ONES)}"
_FIRM_MONTHS = _any([name for name in MONTHS if name not in ("may", "march", "mar", "jan")])
_FIRM_DAYS = _any([name for name in WEEKDAYS if name.endswith("day")])
_WHICH = r"(?P<which>last|this past|this|past|next|previous)"
_NO_PLACE = "".join(
    f"(?<!{place} )"
    for place in ("camera", "gate", "door", "floor", "room", "zone", "bay", "dock", "level", "exit")
)
"""Camera two at night is no hour."""
_NEXT = (
    r"(?=[?.,!;)-]|$| (?:at|from|between|after|before|around|about|in|of (?:last|this|that)|until|"
    r"during|to|through|and|till)(?![a-z]))"
)

PATTERNS = (
    _pattern(
        rf"(?:(?:in|over|during|within) )?(?:the )?(?:last|past|previous|recent|preceding) "
        rf"(?!(?:week|month|year|weekend)s?(?![a-z])){_LENGTH}",
        _recent,
    ),
    _pattern(rf"within (?:the )?(?:(?:last|past|previous) )?{_LENGTH}(?! of)", _recent),
    _pattern(
        rf"(?:the )?(?:last|past|previous) (?:few|several) {_UNIT}{_BEHIND}"
        rf"|(?:a few|several|many|some|{_COUNT}(?:-| to | or ){_COUNT}) {_OTHER_UNIT} ago{_BEHIND}",
        lambda match: (Impossible(day=True),),
    ),
    _pattern(rf"(?P<n>\d{{1,2}}|{_any(_COUNTS)}) nights? ago{_BEHIND}", _nights_ago),
    _pattern(rf"{_LENGTH} (?:ago|earlier|back)(?: today)?{_BEHIND}", _ago),
    _pattern(
        rf"(?:(?:on )?(?:every|each) (?:{_any(WEEKDAYS)}|weekend|weekday|day|night|morning|"
        rf"afternoon|evening|week|month|year)s?|(?:on )?(?:{_FIRM_DAYS})s){_BEHIND}"
        rf"(?:(?: at)? (?:night|morning|afternoon|evening)s?{_BEHIND})?",
        lambda match: (Mark.HABIT,),
    ),
    _pattern(
        r"12 ?(?P<part>noon|midnight)(?![a-z])",
        lambda match: (
            Clock(hour=12),
            clocks.NOON if match["part"] == "noon" else clocks.MIDNIGHT,
        ),
    ),
    _pattern(
        # From Monday on: where "on" is not on the second camera.
        r"on(?=[?.!,;]|$| (?:did|was|were|is|are|has|have|who|which|what|how|any|there)(?![a-z]))",
        lambda match: (Mark.ONWARD,),
    ),
    _pattern(
        rf"{_WHICH} (?P<unit>weekend|week|month|year){_BEHIND}",
        _span,
    ),
    _pattern(
        rf"{_MONTH} (?P<first>\d{{1,2}})(?:st|nd|rd|th)?(?: ?- ?| to | through )"
        r"(?P<last>\d{1,2})(?:st|nd|rd|th)?,? (?P<y>(?:19|2[01])\d\d)(?![\d:])",
        _day_range,
    ),
    _pattern(rf"{_MONTH} (?:the )?{_ORDINAL}(?![\d:]| ?[ap]\.?m){_YEAR}", _month_day),
    _pattern(rf"(?:the )?{_ORDINAL}(?: of)? {_MONTH}{_BEHIND}{_YEAR}", _month_day),
    _pattern(rf"{_MONTH} (?:the )?(?P<d>{_any(ORDINALS)}){_BEHIND}", _spelt_day),
    _pattern(rf"(?:the )?(?P<d>{_any(ORDINALS)})(?: of)? {_MONTH}{_BEHIND}", _spelt_day),
    _pattern(
        rf"(?:(?:last|this) )?{_MONTH},?(?: of)? (?P<y>(?:19|2[01])\d\d)(?![\d:])",
        lambda match: _month(match, int(match["y"])),
    ),
    _pattern(rf"(?:(?:last|this) )?(?P<month>{_FIRM_MONTHS})\.?{_BEHIND}", _month),
    _pattern(rf"(?:last|this) (?P<month>march|may|mar|jan){_BEHIND}", _month),
    _pattern(rf"(?P<month>march|may|mar|jan){_BEHIND}", _month, weak=True),
    _pattern(
        r"(?<!end )(?<!ends )(?<!ending )in (?P<y>(?:19|20)\d\d)(?![\d:-])",
        lambda match: (Year(number=int(match["y"])),),
    ),
    _pattern(rf"(?:on )?the (?P<d>\d{{1,2}})(?:st|nd|rd|th){_NEXT}", _ordinal_day),
    _pattern(
        rf"(?:{_WHICH} )?(?P<day>{_FIRM_DAYS}){_BEHIND}",
        _weekday,
    ),
    _pattern(
        rf"{_WHICH} (?P<day>{_any(WEEKDAYS)})\.?{_BEHIND}",
        _weekday,
    ),
    _pattern(rf"(?P<day>{_any(WEEKDAYS)})\.?{_BEHIND}", _weekday, weak=True),
    _pattern(
        rf"(?P<m>half|a quarter|quarter|{_any(WORDS)}(?: minutes?)?|\d{{1,2}} minutes?|"
        rf"\d{{1,2}}(?= past)) (?P<way>past|after) {_HOUR_OR_MOMENT}{_BEHIND}"
        rf"(?: o'clock)?{_HALF}?",
        _spoken,
    ),
    _pattern(
        # Ten to nine is a range as well.
        rf"(?P<m>a quarter|quarter|(?:\d{{1,2}}|{_any(WORDS)}) minutes?|(?<=at )(?:five|ten)|"
        rf"twenty-five|twenty five|twenty) (?P<way>to|before|till|of) {_HOUR_OR_MOMENT}"
        rf"{_BEHIND}(?: o'clock)?{_HALF}?",
        _spoken,
    ),
    _pattern(
        rf"{_NO_PLACE}(?P<h>{_HOUR_WORDS})"
        rf"(?= (?:in the (?:early )?(?:morning|afternoon|evening)|at night){_BEHIND})",
        _spoken_hour,
    ),
    _pattern(
        rf"{_HOUR}(?:[ -](?P<m>{_MINUTE_WORDS}))?(?P<full> ?o'? ?clock)?{_BEHIND}{_HALF}?", _clock
    ),
    _pattern(rf"(?<!good ){_any(PHRASES)}{_BEHIND}{_NO_TIME}", lambda match: PHRASES[match[0]]),
    _pattern(
        rf"(?:\d{{1,2}}|{_any(list(WORDS)[1:25])})(?![\d.:/%]*\d)(?![a-z%])",
        lambda match: (Number(value=number(match[0]) or 0),),
    ),
)
"""The first that matches counts."""
