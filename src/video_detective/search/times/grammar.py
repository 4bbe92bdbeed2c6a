"""Puts tokens together into expressions: a day, a part of it, a clock time, a range of them.

An expression has one side, or two with 到 between them. Within a side day, part and clock come in
any order (晚上 10 點昨天, 10 pm last night).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from video_detective.search.times import clocks
from video_detective.search.times.clocks import Clock, Part, within
from video_detective.search.times.days import (
    NumberedDay,
    RelativeDay,
    combined,
)
from video_detective.search.times.expressions import Expression, Side, joined
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
_REACH = 12
"""How many tokens away a word may still say what another one means."""
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
    return joined(found)


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
        self._from_on = False
        self._between = any(Mark.BETWEEN in token.meanings for token in run[begin : begin + _REACH])
        self._qualifier: tuple[Mark, int] | None = None
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
        followed_by = self._text[self._end : self._end + 1]
        if self._from_on and last is None and opening is None and followed_by != "的":
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
                self._qualifier = (mark, token.start)
            return True
        if mark is Mark.AROUND:
            self._sides[-1] = replace(side, around=True)
        elif mark is Mark.HABIT:
            self._habit = True
        elif mark is Mark.UNTIL_NOW:
            self._until_now = True
        elif mark in (Mark.FROM, Mark.FROM_ON):
            if side.clock is not None:
                return False
            self._from_on = mark is Mark.FROM_ON
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
        if isinstance(meaning, Part) and self._qualifier is not None:
            mark, start = self._qualifier
            if (mark, meaning) in _QUALIFIED:
                meaning = _QUALIFIED[mark, meaning]
                self._start = start if self._start is None else min(start, self._start)
        new = _added(self._sides[-1], meaning)
        if new is None:
            return False
        self._sides[-1] = new
        return True

    def _takes_number(self, value: int, position: int) -> bool:
        meant = self._number_as(value, position)
        self._strong = self._strong or meant is not None
        return meant is not None and self._takes_time(meant)

    def _number_as(self, value: int, position: int) -> NumberedDay | Clock | None:
        """The day or clock time that its neighbours make of a bare number."""
        clock = Clock(hour=value) if value <= 24 else None
        leads = _LEADS_NUMBER & self._marks_before(position)
        end = self._end_of_range(position)
        if end is not None:
            # 10 到 11 點, Dec 1-3, between 10 and 11: the end says what the number is.
            meanings = self._run[end].meanings
            days = [one for one in meanings if isinstance(one, NumberedDay)]
            if days and len(meanings) == 1:
                return replace(days[0], day=value) if value <= 31 else None
            if not days and any(isinstance(one, Clock) for one in meanings):
                return clock
            counted = any(isinstance(one, Number) for one in meanings)
            return clock if leads and counted and self._ends(end) else None
        if not self._ends(position):
            return None
        first = self._sides[0]
        if len(self._sides) == 2 and self._sides[1].empty:
            if isinstance(first.day, NumberedDay) and not first.clock and not first.part:
                return NumberedDay(day=value) if value <= 31 else None
            return clock if first.clock or first.part else None
        return clock if leads - {Mark.BETWEEN} else None

    def _end_of_range(self, position: int) -> int | None:
        """Where the end stands of a range that begins with the token here; None: it begins none."""
        following = [
            place
            for place in range(position + 1, min(position + _REACH, len(self._run)))
            if not _silent(self._run[place])
        ]
        joints = {Mark.TO, Mark.UNTIL, Mark.AND} if self._between else {Mark.TO, Mark.UNTIL}
        if len(following) < 2 or not joints & set(self._run[following[0]].meanings):
            return None
        return following[1]

    def _marks_before(self, position: int) -> set[Mark]:
        """The word right before a token."""
        for token in reversed(self._run[max(0, position - _REACH) : position]):
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
        following = [
            token
            for token in self._run[position + 1 : position + 3]
            if self._text[token.start] != " "
        ]
        return bool(following) and not isinstance(following[0].meanings[0], Number)


def _added(side: Side, meaning: Meaning) -> Side | None:
    """The side with one more thing named; None when that does not fit."""
    if side.moment or side.recent or side.now:
        return None
    match meaning:
        case Mark() | Number() | Minute() | Impossible():
            return None
        case Clock():
            return None if side.clock or side.broad else replace(side, clock=meaning)
        case Part():
            part = meaning if side.part is None else within(side.part, meaning)
            if part is None or side.broad:
                return None
            return replace(side, part=part, trailing=side.trailing or side.clock is not None)
        case Moment():
            return replace(side, moment=meaning) if side.empty else None
        case Recent():
            today = replace(side, day=None) if side.day == RelativeDay(days=0) else side
            return replace(today, recent=meaning) if today.empty else None
        case _:
            day = meaning if side.day is None else combined(side.day, meaning)
            new = replace(side, day=day, trailing=side.clock is not None)
            return None if day is None or (new.broad and (side.clock or side.part)) else new
