"""Reads the times out of a question, as docs/questions.md fixes them."""

from __future__ import annotations

import re
from zoneinfo import ZoneInfo

from video_detective.search.times import durations
from video_detective.search.times.base import Period, TimeReading
from video_detective.search.times.folding import fold
from video_detective.search.times.grammar import expressions_of
from video_detective.search.times.lexer import tokens_of
from video_detective.search.times.resolution import Asking, resolve

_SO_FAR = re.compile(
    r"(?:截至|截止到?|一?直?到)?(?:目前|現在)為止|(?:截至|一?直?到)(?:目前|現在)|迄今|至今"
    r"|\b(?:so far|(?:up to|until|till) now|to date)\b"
)
_NOW = re.compile(r"現在|目前|此刻|當下|這一刻|\b(?:right now|at the moment|currently|now)\b")


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
    if not spans:
        # Beside another time these words only say when the question is asked.
        if said := _SO_FAR.search(folded.text):
            period = Period(start_ns=None, end_ns=now_ns)
        elif said := _NOW.search(folded.text):
            period = Period(start_ns=now_ns - durations.JUST_NOW.ns, end_ns=now_ns)
        if said:
            spans.append(folded.span(*said.span()))
    rest = list(question)
    for start, end in spans:
        rest[start:end] = " " * (end - start)
    return TimeReading(
        period=period,
        spans=tuple(sorted(spans)),
        not_understood=tuple(question[start:end] for start, end in sorted(missed)),
        rest="".join(rest),
    )
