"""What the words of a question mean one by one, before they are put together."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from video_detective.search.times.clocks import Clock, Part
from video_detective.search.times.days import Day


class Mark(Enum):
    """Words that only say how times belong together."""

    FILLER = auto()
    """Says nothing: 的, of the, a comma."""
    IN = auto()
    """Says nothing but that a time follows: on, in."""
    AT = auto()
    """Makes a bare number after it a clock time: at."""
    TO = auto()
    AND = auto()
    """Stands for TO after BETWEEN, parts two ranges otherwise."""
    BETWEEN = auto()
    FROM = auto()
    """Says nothing without an end: footage from yesterday."""
    FROM_ON = auto()
    """Means ONWARD without an end: 從昨天."""
    SINCE = auto()
    """Before what it speaks of: since, 自."""
    ONWARD = auto()
    """After what it speaks of: 起, 開始, onwards."""
    AFTER = auto()
    """Before what it speaks of: after."""
    AFTERWARDS = auto()
    """After what it speaks of: 以後."""
    BEFORE = auto()
    """Before what it speaks of: before."""
    EARLIER = auto()
    """After what it speaks of: 以前."""
    UNTIL = auto()
    """Before what it speaks of: until, 截至; between two times it is TO."""
    UNTIL_THEN = auto()
    """After what it speaks of: 為止."""
    NOW = auto()
    UNTIL_NOW = auto()
    """迄今."""
    AROUND = auto()
    WHOLE = auto()
    """整天: changes nothing."""
    EARLY = auto()
    LATE = auto()
    HABIT = auto()
    """每天: a time that the search cannot be narrowed to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A moment so many nanoseconds before now, give or take ``around_ns``."""

    ago_ns: int
    around_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Recent:
    """From so many nanoseconds before now until now."""

    ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A bare number: no time unless its neighbours make it one."""

    value: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Minute:
    """A minute without its hour: the end of 10 點 15 分到 30 分."""

    value: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Impossible:
    """Words in the form of a time that name none: 25 點, 幾分鐘前; of a ``day`` 2 月 30 日."""

    day: bool


Meaning = Mark | Day | Part | Clock | Moment | Recent | Number | Minute | Impossible
Meanings = tuple[Meaning, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """Words that mean something, at ``[start, end)`` of the folded text.

    Args:
        meanings: One, or several said in one word (昨晚: a day and a part of it); never none.
        start: First character.
        end: After the last.
        weak: Has other meanings too (may, sun): counts only beside other words about time.
    """

    meanings: Meanings
    start: int
    end: int
    weak: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """A way of writing a time.

    Args:
        starts: Every character that a match may begin with.
        regex: Matched at a position of the folded text.
        meanings: Of a match; None when it means nothing after all.
        weak: See Token.
    """

    starts: frozenset[str]
    regex: re.Pattern[str]
    meanings: Callable[[re.Match[str]], Meanings | None]
    weak: bool = False
