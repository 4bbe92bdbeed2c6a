"""Expressions: what the words of one range of time name, before it is put on the calendar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from video_detective.search.times.clocks import Clock, Part, within
from video_detective.search.times.days import Day, Month, Week, Weekend, Year
from video_detective.search.times.tokens import Mark, Moment, Recent


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """What one side of an expression names; what it does not name is None.

    Args:
        trailing: The day or part stands after the clock time, and so speaks of both sides.
        now: It is the moment of asking.
        around: 左右.
    """

    day: Day | None = None
    part: Part | None = None
    clock: Clock | None = None
    moment: Moment | None = None
    recent: Recent | None = None
    now: bool = False
    around: bool = False
    trailing: bool = False

    @property
    def empty(self) -> bool:
        """Whether it names nothing."""
        named = (self.day, self.part, self.clock, self.moment, self.recent)
        return not self.now and all(one is None for one in named)

    @property
    def broad(self) -> bool:
        """Whether its day is many, so that no clock time and no part of the day fits it."""
        return isinstance(self.day, Week | Weekend | Month | Year)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """Words that name one range of time.

    Args:
        spans: Where, in the folded text, in order.
        first: The only side, or the beginning.
        last: The end of a range.
        opening: SINCE, ONWARD, AFTER, BEFORE or UNTIL, wherever it stands.
        until_now: 迄今.
        habit: It names a habit, and no range.
        impossible: Spans of words in it that cannot be a time.
        void: A day in it cannot be: it names no range.
    """

    spans: tuple[tuple[int, int], ...]
    first: Side
    last: Side | None = None
    opening: Mark | None = None
    until_now: bool = False
    habit: bool = False
    impossible: tuple[tuple[int, int], ...] = ()
    void: bool = False


def joined(expressions: Sequence[Expression]) -> list[Expression]:
    """Neighbouring expressions that name one range in two places: 昨天後門 10 點有人嗎."""
    found: list[Expression] = []
    for expression in expressions:
        both = _both(found[-1], expression) if found else None
        if both is None:
            found.append(expression)
        else:
            found[-1] = both
    return found


def _both(one: Expression, other: Expression) -> Expression | None:
    if any(each.habit or each.void for each in (one, other)):
        return None
    for frame, detail in ((one, other), (other, one)):
        side = frame.first
        if (
            frame.last or frame.opening or frame.until_now or frame.impossible
            or side.clock or side.moment or side.recent or side.broad or side.around
        ):  # fmt: skip
            continue
        inner = detail.first
        if inner.day or inner.moment or inner.recent or not (inner.clock or inner.part):
            continue
        if side.day is None and (inner.part or not side.part):
            continue
        part = inner.part or side.part
        if inner.part and side.part:
            part = within(side.part, inner.part)
            if part is None:
                continue
        last = detail.last
        if last and last.day is None and detail is one:
            last = replace(last, trailing=True)
        return replace(
            detail,
            spans=tuple(sorted(one.spans + other.spans)),
            first=replace(inner, day=side.day, part=part),
            last=last,
        )
    return None
