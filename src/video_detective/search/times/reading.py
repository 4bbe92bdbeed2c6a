"""Reads the times out of a question, as docs/questions.md fixes them."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from video_detective.search.times.base import Period, TimeReading
from video_detective.search.times.folding import fold
from video_detective.search.times.grammar import expressions_of
from video_detective.search.times.lexer import tokens_of
from video_detective.search.times.resolution import Asking, resolve


def read_times(question: str, *, now_ns: int, zone: ZoneInfo) -> TimeReading:
    """What a question says about time; never fails.

    Args:
        question: In Chinese, traditional or simplified, or English, or both.
        now_ns: When it is asked: nanoseconds UTC, between the years 1970 and 2199.
        zone: Of the camera asked for.

    >>> reading = read_times("昨晚有人嗎", now_ns=0, zone=ZoneInfo("UTC"))
    >>> reading.period.start_ns // 3_600_000_000_000, reading.rest
    (-6, '  有人嗎')
    """
    folded = fold(question)
    asking = Asking(now_ns=now_ns, zone=zone)
    period: Period | None = None
    spans: list[tuple[int, int]] = []
    missed: list[tuple[int, int]] = []
    for expression in expressions_of(tokens_of(folded.text), folded.text):
        spans.extend(folded.span(*span) for span in expression.spans)
        found = resolve(expression, asking) if period is None else None
        if found is not None:
            period = found
            missed.extend(folded.span(*span) for span in expression.impossible)
        else:
            missed.extend(folded.span(*span) for span in expression.spans)
    rest = list(question)
    for start, end in spans:
        rest[start:end] = " " * (end - start)
    return TimeReading(
        period=period,
        spans=tuple(sorted(spans)),
        not_understood=tuple(question[start:end] for start, end in sorted(missed)),
        rest="".join(rest),
    )
