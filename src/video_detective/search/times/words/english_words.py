"""English words for days, parts of the day and relations of times, in lower case."""

from __future__ import annotations

from video_detective.search.times import clocks, durations
from video_detective.search.times.days import Month, NextDay, RelativeDay, Week, Weekend
from video_detective.search.times.tokens import Mark, Meanings
from video_detective.search.times.words.numerals import listed

MONTHS = {
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
WEEKDAYS = {
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
ORDINALS = listed(
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth "
    "fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth twenty-first "
    "twenty-second twenty-third twenty-fourth twenty-fifth twenty-sixth twenty-seventh "
    "twenty-eighth twenty-ninth thirtieth thirty-first"
)
"""In the order of the days of a month."""

PHRASES: dict[str, Meanings] = {
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
    **dict.fromkeys(listed("the next day|the following day|next day", sep="|"), (NextDay(),)),
    **{
        f"the next {word}": (NextDay(), part)
        for word, part in {"morning": clocks.MORNING, "evening": clocks.EVENING}.items()
    },
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
            Mark.AT: "at",
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
"""What means the same wherever it stands."""
