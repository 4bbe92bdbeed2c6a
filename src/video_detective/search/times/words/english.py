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
from video_detective.search.times.words.numerals import DIGITS, WORDS, listed, number
from video_detective.search.times.words.numeric import clock, day_of

_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz")
_BEGINS = _LETTERS | frozenset(DIGITS)
_BEFORE, _BEHIND = r"(?<![a-z])", r"(?![a-z])"

_MONTHS = {
    name: month
    for month, names in enumerate(
        listed(
            "january jan|february feb|march mar|april apr|may|june jun|july jul|august aug|"
            "september sept sep|october oct|november nov|december dec",
            sep="|",
        ),
        1,
    )
    for name in names.split()
}
_WEEKDAYS = {
    name: day
    for day, names in enumerate(
        listed(
            "monday mon|tuesday tues tue|wednesday weds wed|thursday thurs thur thu|"
            "friday fri|saturday sat|sunday sun",
            sep="|",
        )
    )
    for name in names.split()
}


def _any(words: Iterable[str]) -> str:
    """A regular expression for any of some words, the longest first."""
    return "(?:" + "|".join(sorted(words, key=len, reverse=True)) + ")"


_MONTH = rf"(?P<month>{_any(_MONTHS)})\.?"
_ORDINAL = r"(?P<d>\d{1,2})(?:st|nd|rd|th)?"
_YEAR = r"(?:,? (?P<y>(?:19|2[01])\d\d)(?![\d:]))?"

_ORDINALS = listed(
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth "
    "fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth twenty-first "
    "twenty-second twenty-third twenty-fourth twenty-fifth twenty-sixth twenty-seventh "
    "twenty-eighth twenty-ninth thirtieth thirty-first"
)

_UNITS = {
    "second": 1, "sec": 1, "s": 1, "minute": MINUTE_S, "min": MINUTE_S, "m": MINUTE_S,
    "hour": HOUR_S, "hr": HOUR_S, "h": HOUR_S, "day": DAY_S, "d": DAY_S, "week": WEEK_S,
    "wk": WEEK_S, "month": MONTH_S, "year": YEAR_S, "yr": YEAR_S,
}  # fmt: skip
_COUNTS = {"a": 1, "an": 1, "the": 1, "a couple of": 2, "couple of": 2, "couple": 2, **WORDS}
_UNIT = rf"(?P<unit>{_any(_UNITS)})(?:s|')?(?:')?"
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
    return day_of(None if year is None else int(year), _MONTHS[match["month"]], int(match["d"]))


def _month(match: re.Match[str], year: int | None = None) -> Meanings:
    named = None if year is None else Year(number=year)
    return (Month(number=_MONTHS[match["month"]], year=named),)


def _spelt_day(match: re.Match[str]) -> Meanings | None:
    return day_of(None, _MONTHS[match["month"]], _ORDINALS.index(match["d"]) + 1)


def _ordinal_day(match: re.Match[str]) -> Meanings | None:
    day = int(match["d"])
    return (NumberedDay(day=day),) if 1 <= day <= 31 else None


_WEEKS = {"last": -1, "this": 0, "next": 1, "this past": None, "past": None, "previous": -1}


def _weekday(match: re.Match[str]) -> Meanings | None:
    day, which = _WEEKDAYS[match["day"]], match["which"]
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
    minute = None if match["m"] is None else number(match["m"])
    return clock(hour, minute, half=match["half"])


_FRACTIONS = {"half": 30, "a quarter": 15, "quarter": 15}


def _spoken(match: re.Match[str]) -> Meanings | None:
    """Half past ten, quarter to nine."""
    hour = number(match["h"])
    minutes = _FRACTIONS.get(match["m"]) or number(match["m"])
    if not hour or hour > 12 or not minutes or minutes > 59:
        return None
    if match["way"] in ("past", "after"):
        return clock(hour, minutes, half=match["half"])
    if match["half"] is None:
        return clock(hour - 1, 60 - minutes)
    return clock(hour - 1 or 12, 60 - minutes, half=match["half"])


_PHRASES: dict[str, Meanings] = {
    **{
        word: (part,)
        for part, words in {
            clocks.EARLY: "early morning|early in the morning|early hours of the morning|dawn",
            clocks.MORNING: "morning",
            clocks.NOON: "noon|midday|mid-day|lunchtime|lunch time|noontime",
            clocks.AFTERNOON: "afternoon",
            clocks.DUSK: "dusk",
            clocks.EVENING: "evening",
            clocks.NIGHT: "night|overnight|nighttime|night-time|all night|nightfall",
            clocks.LATE: "late night|late at night|dead of night|middle of the night",
            clocks.MIDNIGHT: "midnight",
            clocks.DAYTIME: "daytime|day time",
        }.items()
        for word in words.split("|")
    },
    **{
        word: (RelativeDay(days=days),)
        for days, words in {
            0: "today|earlier today|later today",
            -1: "yesterday",
            -2: "the day before yesterday|day before yesterday",
            1: "tomorrow",
            2: "the day after tomorrow|day after tomorrow",
        }.items()
        for word in words.split("|")
    },
    **{
        f"{day} {word}": (RelativeDay(days=days), part)
        for day, days in {"this": 0, "last": -1, "yesterday": -1}.items()
        for word, part in {
            "morning": clocks.MORNING,
            "afternoon": clocks.AFTERNOON,
            "evening": clocks.EVENING,
            "night": clocks.NIGHT,
        }.items()
    },
    "tonight": (RelativeDay(days=0), clocks.NIGHT),
    "early last night": (RelativeDay(days=-1), clocks.NIGHT),
    "late last night": (RelativeDay(days=-1), clocks.LATE),
    "the night before last": (RelativeDay(days=-2), clocks.NIGHT),
    "the week before last": (Week(weeks=-2),),
    "week before last": (Week(weeks=-2),),
    "the month before last": (Month(offset=-2),),
    "the weekend": (Weekend(),),
    "weekend": (Weekend(),),
    "just now": (durations.JUST_NOW,),
    "a moment ago": (durations.JUST_NOW,),
    "moments ago": (durations.JUST_NOW,),
    "recently": (durations.RECENTLY,),
    "lately": (durations.RECENTLY,),
    **{
        word: (mark,)
        for mark, words in {
            Mark.FILLER: "of|the|that|'s|s'",
            Mark.IN: "on|in|during|over",
            Mark.AT: "at|by",
            Mark.TO: "to|through|thru",
            Mark.UNTIL: "until|till|til|up to|up until|right until",
            Mark.AND: "and",
            Mark.BETWEEN: "between|in between",
            Mark.FROM: "from|starting|starting from|beginning",
            Mark.SINCE: "since|ever since",
            Mark.ONWARD: "onward|onwards|and later|or later|and after",
            Mark.AFTER: "after|later than|past",
            Mark.BEFORE: "before|earlier than|prior to|ahead of",
            Mark.NOW: "now|the present|right now",
            Mark.UNTIL_NOW: "until now|till now|up to now|to date|so far",
            Mark.AROUND: "around|about|approximately|roughly|approx|circa|or so|at around|at about",
            Mark.WHOLE: "all day|all day long|the whole|the entire|whole|entire|all of",
            Mark.EARLY: "early",
            Mark.LATE: "late",
            Mark.HABIT: "daily|nightly|weekdays|weekends|on weekdays|on weekends",
        }.items()
        for word in words.split("|")
    },
}
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
_HOUR = rf"(?P<h>\d{{1,2}}|{_any(list(WORDS)[1:13])})"

_MINUTE_WORDS = _any([word for word, n in WORDS.items() if 10 <= n <= 59])
_FIRM_MONTHS = _any([name for name in _MONTHS if name not in ("may", "march", "mar", "jan")])
_FIRM_DAYS = _any([name for name in _WEEKDAYS if name.endswith("day")])
_WHICH = r"(?P<which>last|this past|this|past|next|previous)"
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
        rf"|(?:a few|several|many|some) {_OTHER_UNIT} ago{_BEHIND}",
        lambda match: (Impossible(day=True),),
    ),
    _pattern(rf"{_LENGTH} (?:ago|earlier|back)(?: today)?{_BEHIND}", _ago),
    _pattern(
        rf"(?:(?:on )?(?:every|each) (?:{_any(_WEEKDAYS)}|weekend|weekday|day|night|morning|"
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
    _pattern(r"on(?=[?.!,;]|$)", lambda match: (Mark.ONWARD,)),
    _pattern(
        rf"{_WHICH} (?P<unit>weekend|week|month|year){_BEHIND}",
        _span,
    ),
    _pattern(rf"{_MONTH} (?:the )?{_ORDINAL}(?![\d:]| ?[ap]\.?m){_YEAR}", _month_day),
    _pattern(rf"(?:the )?{_ORDINAL}(?: of)? {_MONTH}{_BEHIND}{_YEAR}", _month_day),
    _pattern(rf"{_MONTH} (?:the )?(?P<d>{_any(_ORDINALS)}){_BEHIND}", _spelt_day),
    _pattern(rf"(?:the )?(?P<d>{_any(_ORDINALS)})(?: of)? {_MONTH}{_BEHIND}", _spelt_day),
    _pattern(
        rf"(?:(?:last|this) )?{_MONTH},? (?P<y>(?:19|2[01])\d\d)(?![\d:])",
        lambda match: _month(match, int(match["y"])),
    ),
    _pattern(rf"(?:(?:last|this) )?(?P<month>{_FIRM_MONTHS})\.?{_BEHIND}", _month),
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
        rf"{_WHICH} (?P<day>{_any(_WEEKDAYS)})\.?{_BEHIND}",
        _weekday,
    ),
    _pattern(rf"(?P<which>(?!))?(?P<day>{_any(_WEEKDAYS)})\.?{_BEHIND}", _weekday, weak=True),
    _pattern(
        rf"(?P<m>half|a quarter|quarter|(?:\d{{1,2}}|{_any(WORDS)})(?: minutes?)?) ?"
        rf"(?P<way>past|after) {_HOUR}{_BEHIND}(?: o'clock)?{_HALF}?",
        _spoken,
    ),
    _pattern(
        rf"(?P<m>a quarter|quarter|(?:\d{{1,2}}|{_any(WORDS)}) minutes?|(?<=at )(?:five|ten)|"
        rf"twenty-five|twenty five|twenty) (?P<way>to|before|till|of) {_HOUR}{_BEHIND}"
        rf"(?: o'clock)?{_HALF}?",
        _spoken,
    ),
    _pattern(
        rf"{_HOUR}(?:[ -](?P<m>{_MINUTE_WORDS}))?(?P<full> ?o'? ?clock)?{_BEHIND}{_HALF}?", _clock
    ),
    _pattern(rf"(?<!good ){_any(_PHRASES)}{_BEHIND}{_NO_TIME}", lambda match: _PHRASES[match[0]]),
    _pattern(
        rf"(?:\d{{1,2}}|{_any(list(WORDS)[1:25])})(?![\d.:/%]*\d)(?![a-z%])",
        lambda match: (Number(value=number(match[0]) or 0),),
    ),
)
"""The first that matches counts."""
