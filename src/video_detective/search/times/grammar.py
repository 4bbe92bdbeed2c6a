"""Puts tokens together into expressions: a day, a part of it, a clock time, a range of them.

An expression has one side, or two with 到 between them. Within a side day, part and clock come in
any order (晚上 10 點昨天, 10 pm last night).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from video_detective.search.times import clocks
from video_detective.search.times.clocks import Clock, Part, within
from video_detective.search.times.days import (
    Day,
    Month,
    NumberedDay,
    RelativeDay,
    Week,
    Weekend,
    Year,
    combined,
)
from video_detective.search.times.tokens import (
    Impossible,
    Mark,
    Meaning,
    Minute,
    Moment,
    Number,
    Recent,
    Token,
)


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


_OPENINGS = {
    Mark.SINCE: Mark.SINCE,
    Mark.ONWARD: Mark.ONWARD,
    Mark.AFTER: Mark.AFTER,
    Mark.AFTERWARDS: Mark.AFTER,
    Mark.BEFORE: Mark.BEFORE,
    Mark.EARLIER: Mark.BEFORE,
    Mark.UNTIL: Mark.UNTIL,
    Mark.UNTIL_THEN: Mark.UNTIL,
}
_SUFFIXES = {Mark.ONWARD, Mark.AFTERWARDS, Mark.EARLIER, Mark.UNTIL_THEN}
_QUALIFIED = {
    (Mark.EARLY, clocks.MORNING): clocks.EARLY,
    (Mark.LATE, clocks.NIGHT): clocks.LATE,
}
_SILENT = {Mark.FILLER, Mark.IN, Mark.AT, Mark.EARLY, Mark.LATE}
_LEADS_NUMBER = {
    Mark.AT, Mark.FROM, Mark.BETWEEN, Mark.AROUND, Mark.AFTER, Mark.BEFORE, Mark.SINCE, Mark.UNTIL,
}  # fmt: skip


def expressions_of(tokens: Sequence[Token], text: str) -> list[Expression]:
    """Every expression of a question, in order.

    Args:
        tokens: Of the folded text.
        text: The folded text.
    """
    found: list[Expression] = []
    for run in _runs(tokens):
        position = 0
        while position < len(run):
            reader = _Reader(run, position, text)
            position = max(reader.read(), position + 1)
            expression = reader.expression()
            if expression is not None:
                found.append(expression)
    return _joined(found)


def _runs(tokens: Sequence[Token]) -> list[list[Token]]:
    """Tokens with nothing between them."""
    runs: list[list[Token]] = []
    for token in tokens:
        if runs and runs[-1][-1].end == token.start:
            runs[-1].append(token)
        else:
            runs.append([token])
    return runs


def _silent(token: Token) -> bool:
    return all(isinstance(one, Mark) and one in _SILENT for one in token.meanings)


class _Reader:
    """Reads one expression from a run of tokens, as far as its words fit together."""

    def __init__(self, run: Sequence[Token], begin: int, text: str) -> None:
        self._run, self._begin, self._text = run, begin, text
        self._sides = [Side()]
        self._opening: Mark | None = None
        self._from: Token | None = None
        self._between = any(Mark.BETWEEN in token.meanings for token in run[begin:])
        self._qualifier: Mark | None = None
        self._until_now = self._habit = self._strong = self._void = False
        self._impossible: list[tuple[int, int]] = []
        self._start: int | None = None
        self._end = 0

    def read(self) -> int:
        """Reads on until a token does not fit; returns its position in the run."""
        for position in range(self._begin, len(self._run)):
            token = self._run[position]
            before = list(self._sides)
            if not all(self._takes(meaning, position) for meaning in token.meanings):
                self._sides = before
                return position
            if _silent(token):
                continue
            if self._start is None:
                self._start = token.start
            if any(self._closes(meaning) for meaning in token.meanings):
                self._end = token.end
        return len(self._run)

    def expression(self) -> Expression | None:
        """What was read; None when it names no time."""
        first, *rest = self._sides
        named = self._strong and not first.empty
        if self._start is None or not (named or self._habit or self._impossible):
            return None
        last = rest[0] if rest and not rest[0].empty else None
        opening = self._opening
        if (
            last is None
            and opening is None
            and self._from
            and self._text[self._end : self._end + 1] != "的"
        ):
            opening = Mark.ONWARD
        return Expression(
            spans=((self._start, self._end),),
            first=first,
            last=last,
            opening=opening,
            until_now=self._until_now,
            habit=self._habit,
            impossible=tuple(self._impossible),
            void=self._void or first.empty,
        )

    @staticmethod
    def _closes(meaning: Meaning) -> bool:
        """Whether an expression may end with it."""
        if not isinstance(meaning, Mark):
            return True
        return meaning in _SUFFIXES or meaning in {
            Mark.NOW, Mark.UNTIL_NOW, Mark.AROUND, Mark.WHOLE, Mark.HABIT,
        }  # fmt: skip

    def _takes(self, meaning: Meaning, position: int) -> bool:
        """Puts a meaning where it belongs; False when it does not fit."""
        token = self._run[position]
        match meaning:
            case Mark():
                return self._takes_mark(meaning, token)
            case Impossible():
                self._impossible.append((token.start, token.end))
                self._void = self._void or meaning.day
                return True
            case Number():
                return self._takes_number(meaning.value, position)
            case Minute():
                clock = self._sides[0].clock
                if len(self._sides) != 2 or not self._sides[1].empty or clock is None:
                    return False
                new = replace(clock, minute=meaning.value)
                fits = clock.minute is not None and clocks.possible(new)
                return fits and self._takes_time(new)
            case _:
                if token.weak and not self._vouched(position):
                    return self._takes_time(meaning)
                self._strong = True
                return self._takes_time(meaning)

    def _takes_mark(self, mark: Mark, token: Token) -> bool:
        side, closed = self._sides[-1], len(self._sides) == 2
        if mark in _SILENT:
            if mark in (Mark.EARLY, Mark.LATE):
                self._qualifier = mark
            return True
        if mark is Mark.AROUND:
            self._sides[-1] = replace(side, around=True)
        elif mark is Mark.HABIT:
            self._habit = True
        elif mark is Mark.UNTIL_NOW:
            self._until_now = True
        elif mark is Mark.FROM:
            if side.clock is not None:
                return False
            self._from = token
        elif mark is Mark.NOW:
            if not closed or not side.empty:
                return False
            self._sides[-1] = Side(now=True)
        elif mark is Mark.TO or (mark is Mark.AND and self._between):
            return self._begins_last()
        elif mark is Mark.AND:
            return False
        elif mark is Mark.UNTIL and not side.empty:
            return self._begins_last()
        elif mark in _OPENINGS:
            return self._takes_opening(mark)
        return True

    def _begins_last(self) -> bool:
        if self._sides[-1].empty:
            return True
        if len(self._sides) == 2:
            return False
        self._sides = [*self._sides, Side()]
        return True

    def _takes_opening(self, mark: Mark) -> bool:
        side = self._sides[-1]
        if mark in _SUFFIXES:
            if side.empty:
                return False
            if self._opening is None:
                self._opening = _OPENINGS[mark]
            return True
        if self._opening is not None or side.clock is not None or len(self._sides) == 2:
            return False
        self._opening = _OPENINGS[mark]
        return True

    def _takes_time(self, meaning: Meaning) -> bool:
        side = self._sides[-1]
        if side.moment or side.recent or side.now:
            return False
        new: Side | None = None
        match meaning:
            case Clock():
                if side.clock is None and not side.broad:
                    new = replace(side, clock=meaning)
            case Part():
                part = (
                    _QUALIFIED.get((self._qualifier, meaning), meaning)
                    if self._qualifier
                    else meaning
                )
                both = part if side.part is None else within(side.part, part)
                if both is not None and not side.broad:
                    new = replace(side, part=both, trailing=side.trailing or side.clock is not None)
            case Moment():
                new = replace(side, moment=meaning) if side.empty else None
            case Recent():
                if side.empty or (
                    side.day == RelativeDay(days=0) and not side.part and not side.clock
                ):
                    new = replace(side, day=None, recent=meaning)
            case Mark() | Number() | Minute() | Impossible():
                return False
            case _:
                day = meaning if side.day is None else combined(side.day, meaning)
                if day is not None:
                    new = replace(side, day=day, trailing=side.clock is not None)
                    if new.broad and (side.clock or side.part):
                        new = None
        if new is None:
            return False
        self._sides[-1] = new
        return True

    def _takes_number(self, value: int, position: int) -> bool:
        """Makes a bare number the clock time or the day that its neighbours ask for."""
        following = [token for token in self._run[position + 1 :] if not _silent(token)]
        to = bool(following) and bool(
            {Mark.TO, Mark.UNTIL, Mark.AND if self._between else Mark.TO}
            & set(following[0].meanings)
        )
        other = following[1].meanings if to and len(following) > 1 else ()
        ends = self._ends(position)
        first = self._sides[0]
        named = next((one for one in other if isinstance(one, NumberedDay)), None)
        led = bool(_LEADS_NUMBER & self._marks_before(position))
        as_clock = Clock(hour=value) if value <= 24 else None
        if any(isinstance(one, Clock) for one in other) and named is None:
            pass
        elif named is not None and value <= 31:
            self._strong = True
            return self._takes_time(replace(named, day=value))
        elif len(self._sides) == 2 and self._sides[1].empty and ends:
            if isinstance(first.day, NumberedDay) and not first.clock and not first.part:
                return value <= 31 and self._takes_time(NumberedDay(day=value))
            if first.clock is None:
                return False
        elif led and any(isinstance(one, Number) for one in other):
            if not self._ends(self._run.index(following[1])):
                return False
        elif not (led and ends and not to):
            return False
        self._strong = True
        return as_clock is not None and self._takes_time(as_clock)

    def _marks_before(self, position: int) -> set[Mark]:
        """The word right before a token."""
        for token in reversed(self._run[:position]):
            if self._text[token.start : token.end] not in (" ", ","):
                return {one for one in token.meanings if isinstance(one, Mark)}
        return set()

    def _vouched(self, position: int) -> bool:
        """Whether the word before a doubtful one makes it a time: on Sun, in May."""
        return bool(self._marks_before(position) - {Mark.FILLER})

    def _ends(self, position: int) -> bool:
        """Whether a number ends its phrase: it counts nothing that follows."""
        rest = self._text[self._run[position].end :].lstrip(" ")
        if not rest or rest[0] in "?.,!;:)。、":
            return True
        return any(
            not all(one in (Mark.FILLER,) or isinstance(one, Number) for one in token.meanings)
            or self._text[token.start] not in " ,"
            for token in self._run[position + 1 : position + 3]
        )


def _joined(expressions: Sequence[Expression]) -> list[Expression]:
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
