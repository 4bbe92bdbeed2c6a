"""Which documents a search takes, in each database's own words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import BigInteger, ColumnElement, Select, bindparam, func, literal, select

from video_detective.errors import UsageError
from video_detective.search.base import Group, IndexQuery
from video_detective.storage import fulltext
from video_detective.storage.documents import DAY_NS, LONG_NS, MOMENT, moment_of
from video_detective.storage.fulltext import Way
from video_detective.storage.reading import storable_ns
from video_detective.storage.statements import Columns, Shape, has, index, statement
from video_detective.storage.tables import EVENT_DOCUMENTS

Kind = Literal["sqlite", "postgresql"]

MAX_GROUPS = 8
"""Of more groups only the weightiest are looked for, of equals the first: the number of ways to
have some of them is a binomial coefficient."""
_MAX_TOKENS = 500


@dataclass(frozen=True, slots=True)
class Sought:
    """A group as it is looked for.

    Args:
        group: What was asked for.
        ways: Those terms of it that a document can satisfy.
        query: Of the index: has it by its tokens; None when no document can have it.
        words: Whose occurrences in a text count; concepts (``type:loitering``) have none.
    """

    group: Group
    ways: tuple[Way, ...]
    query: str | None
    words: tuple[str, ...]

    @classmethod
    def of(cls, group: Group, syntax: fulltext.Syntax) -> Sought:
        """The group in the index's letters."""
        ways = tuple(way for term in group.terms if (way := fulltext.way(term)) is not None)
        words: list[str] = []
        for way in ways:
            said = [token.removeprefix("=") for token, _ in way.tokens if ":" not in token]
            words += [way.text] if way.text else said
        return cls(group, ways, fulltext.has_any(syntax, ways) if ways else None, tuple(words))

    @property
    def needs_text(self) -> bool:
        """Whether tokens alone do not decide."""
        return any(way.text for way in self.ways)

    def is_in(self, tokens: str, text: str) -> bool:
        """Whether a document of these ``spaced`` tokens and this text has it."""
        return any(
            way.text in text and all(needle in tokens for needle in way.needles())
            for way in self.ways
        )


@dataclass(frozen=True, slots=True)
class Span:
    """A range of document ids, both ends included; None is open.

    Args:
        first, last: The range.
        mark: Of it only documents that have this token; "" for all.
    """

    first: int | None
    last: int | None
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Tiers:
    """Numbers of groups that documents have, both ends included."""

    least: int
    most: int


@dataclass(frozen=True, slots=True)
class Asked:
    """A statement with the values of its parameters."""

    statement: Select[Any]
    values: dict[str, Any]


class Matching:
    """A search, made into statements.

    Args:
        kind: Which database.
        query: What is asked.

    Raises:
        UsageError: there are too many words.
    """

    def __init__(self, kind: Kind, query: IndexQuery) -> None:
        self._kind: Kind = kind
        self._syntax = fulltext.SYNTAX[kind]
        self._query = query
        weightiest = sorted(
            range(len(query.groups)),
            key=lambda i: (query.groups[i].refines, -query.groups[i].weight, i),
        )
        kept = sorted(weightiest[:MAX_GROUPS])
        self.groups = tuple(Sought.of(query.groups[i], self._syntax) for i in kept)
        self._required = tuple(sought for sought in self.groups if not sought.group.refines)
        self._without = tuple(Sought.of(group, self._syntax) for group in query.without)
        used = sum(len(way.tokens) for s in (*self.groups, *self._without) for way in s.ways)
        if used > _MAX_TOKENS:
            raise UsageError(
                f"The search has {used} parts of words",
                remedy=f"Ask with fewer or shorter words, of at most {_MAX_TOKENS} parts",
                reason="question_too_long",
                parts=used,
                most=_MAX_TOKENS,
            )

    @property
    def tiers(self) -> Tiers:
        """Numbers of groups that documents may have."""
        count = len(self.groups)
        if self._query.only_complete:
            return Tiers(len(self._required), count)
        least = -(-count // 2) if self._query.least is None else self._query.least
        return Tiers(min(count, max(least, 1)), count)

    def spans(self) -> tuple[Span, ...]:
        """Where documents of the period may be, newest first."""
        since_ns, until_ns = self._query.since_ns, self._query.until_ns
        last = None if until_ns is None else moment_of(storable_ns(until_ns)) + MOMENT - 1
        if since_ns is None:
            return (Span(None, last),)
        first = moment_of(storable_ns(since_ns - LONG_NS))
        earlier = moment_of(storable_ns(since_ns - DAY_NS))
        return (
            Span(first, last),
            Span(earlier, first - 1, mark=fulltext.LONG),
            Span(None, earlier - 1, mark=fulltext.DAYS),
        )

    def is_complete(self, parts: Sequence[float]) -> bool:
        """Whether a document with these parts, one for each group, has every one it needs."""
        return all(
            part or sought.group.refines for sought, part in zip(self.groups, parts, strict=True)
        )

    def newest(
        self, tiers: Tiers, spans: Sequence[Span], limit: int, *, tokens: bool, text: bool
    ) -> Asked | None:
        """The newest documents of each span that have as many groups as the tiers say.

        Args:
            tiers: Fewest and most groups.
            spans: At least one.
            limit: At most so many of each span.
            tokens: Read their tokens, too.
            text: Read their texts, too.

        Returns:
            A statement whose rows are document id, event id, start, whether there are words of
            frames, tokens and text (each "" unless wanted), in no order; None when there can be
            no document.
        """
        columns = Columns(tokens=tokens, text=text)
        return self._asked(self._wanted(tiers), tiers, spans, limit, columns)

    def complete(self, limit: int) -> Asked | None:
        """How many documents have every group that they need, up to ``limit`` of each span."""
        if any(sought.query is None for sought in self._required):
            return None
        wanted = [sought.query for sought in self._required if sought.query is not None]
        return self._asked(wanted, None, self.spans(), limit, None)

    def rare(self, limit: int) -> Asked:
        """How many documents have each group by its tokens, up to ``limit``, in one row.

        Of a group that no document can have, ``limit``.
        """
        counts: list[ColumnElement[Any]] = []
        values: dict[str, Any] = {"most": limit}
        for number, sought in enumerate(self.groups):
            if sought.query is None:
                counts.append(literal(limit))
                continue
            values[f"has_{number}"] = sought.query
            some = select(literal(1)).select_from(index(self._kind))
            some = some.where(has(self._kind, f"has_{number}")).limit(
                bindparam("most", type_=BigInteger)
            )
            counts.append(select(func.count()).select_from(some.subquery()).scalar_subquery())
        return Asked(select(*counts), values)

    def _asked(
        self,
        wanted: Sequence[str] | None,
        tiers: Tiers | None,
        spans: Sequence[Span],
        limit: int,
        columns: Columns | None,
    ) -> Asked | None:
        if wanted is None:
            return None
        query = self._query
        residue = self._residue(tiers)
        values: dict[str, Any] = residue.values | {"most": limit}
        shapes: list[Shape] = []
        for number, span in enumerate(spans):
            bounds = {
                "first": span.first,
                "last": span.last,
                "since": None if query.since_ns is None else storable_ns(query.since_ns),
                "until": None if query.until_ns is None else storable_ns(query.until_ns),
            }
            if columns is None:
                bounds |= _certain(bounds["since"], bounds["until"])
            given = {name: value for name, value in bounds.items() if value is not None}
            values |= {f"{name}_{number}": value for name, value in given.items()}
            values[f"has_{number}"] = self._index_query(wanted, tiers, mark=span.mark)
            shapes.append(Shape(self._kind, columns, frozenset(given), number))
        return Asked(statement(tuple(shapes), tuple(residue.conditions)), values)

    def _wanted(self, tiers: Tiers) -> list[str] | None:
        """What documents of these tiers have; None when there can be none."""
        counted = self._counted()
        wanted: list[str] = []
        least = tiers.least
        if self._query.only_complete:
            if any(sought.query is None for sought in self._required):
                return None
            wanted += [sought.query for sought in self._required if sought.query is not None]
            least -= len(self._required)
        if len(counted) < least:
            return None
        if least > 0:
            wanted.append(fulltext.has_at_least(self._syntax, least, counted))
        return wanted

    def _counted(self) -> list[str]:
        """The groups that a document may have or lack, as far as the index knows them."""
        needed = self._required if self._query.only_complete else ()
        return [s.query for s in self.groups if s.query is not None and s not in needed]

    def _index_query(self, wanted: Sequence[str], tiers: Tiers | None, *, mark: str) -> str:
        """What the index decides; where texts count, it lets too much through."""
        syntax = self._syntax
        needed = [fulltext.has_token(syntax, mark)] if mark else []
        if self._query.cameras:
            tokens = [fulltext.camera_token(camera) for camera in self._query.cameras]
            has_camera = [fulltext.has_token(syntax, token) for token in tokens]
            needed.append(fulltext.either(syntax, has_camera))
        needed += wanted
        found = fulltext.both(syntax, needed or [fulltext.has_token(syntax, fulltext.EVERY)])
        unwanted = [
            fulltext.has_any(syntax, ways)
            for sought in self._without
            if (ways := [way for way in sought.ways if not way.text])
        ]
        if tiers is not None and not self.needs_text:
            counted = self._counted()
            sure = len(self._required) if self._query.only_complete else 0
            if tiers.most - sure < len(counted):
                unwanted.append(fulltext.has_at_least(syntax, tiers.most - sure + 1, counted))
        for query in unwanted:
            found = fulltext.but_not(syntax, found, query)
        return found

    @property
    def needs_text(self) -> bool:
        """Whether the tokens of groups alone do not decide."""
        return any(sought.needs_text for sought in self.groups)

    def _residue(self, tiers: Tiers | None) -> _Residue:
        """What the index cannot decide: texts in which words must stand together."""
        residue = _Residue("instr" if self._kind == "sqlite" else "strpos")
        if self.needs_text:
            if tiers is None or self._query.only_complete:
                for sought in self._required:
                    residue.conditions.append(residue.satisfies(sought.ways))
            if tiers is not None:
                has = [residue.satisfies(sought.ways) for sought in self.groups if sought.ways]
                count = " + ".join(f"CASE WHEN {one} THEN 1 ELSE 0 END" for one in has)
                bounds = f"{residue.name(tiers.least)} AND {residue.name(tiers.most)}"
                residue.conditions.append(f"{count} BETWEEN {bounds}")
        for sought in self._without:
            if with_text := [way for way in sought.ways if way.text]:
                residue.conditions.append(f"NOT {residue.satisfies(with_text)}")
        return residue


class _Residue:
    """Conditions on the columns of documents as SQL, and the values of its parameters.

    Args:
        position: The database's function for the place of one text in another.
    """

    def __init__(self, position: str) -> None:
        self._position = position
        self.conditions: list[str] = []
        self.values: dict[str, Any] = {}

    def name(self, value: str | int) -> str:
        """A parameter of this value, as it stands in SQL."""
        name = f"residue_{len(self.values)}"
        self.values[name] = value
        return f":{name}"

    def satisfies(self, ways: Sequence[Way]) -> str:
        """Whether a document satisfies any of the ways."""
        document = EVENT_DOCUMENTS.name
        any_way: list[str] = []
        for way in ways:
            within = [(f"' ' || {document}.tokens || ' '", needle) for needle in way.needles()]
            within += [(f"{document}.text", way.text)] if way.text else []
            every = [f"{self._position}({text}, {self.name(one)}) > 0" for text, one in within]
            any_way.append(" AND ".join(every))
        return f"({' OR '.join(any_way)})"


def _certain(since_ns: int | None, until_ns: int | None) -> dict[str, int | None]:
    """Between which document ids, both included, events are in the period whatever their end."""
    return {
        "within": None if since_ns is None else moment_of(since_ns) + MOMENT,
        "before": None if until_ns is None else moment_of(until_ns) - 1,
    }
