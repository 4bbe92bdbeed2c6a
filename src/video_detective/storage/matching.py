"""Which documents a search takes: the statements that filter, in each database's own words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    Text,
    and_,
    case,
    cast,
    column,
    func,
    literal,
    literal_column,
    not_,
    or_,
    select,
    table,
)
from sqlalchemy.dialects.postgresql import TSQUERY

from video_detective.errors import UsageError
from video_detective.search.base import Group, IndexQuery
from video_detective.storage import fulltext
from video_detective.storage.documents import LONG_NS, MOMENT, moment_of
from video_detective.storage.fulltext import Way
from video_detective.storage.reading import storable_ns
from video_detective.storage.tables import EVENT_DOCUMENTS, INDEX_NAME

Kind = Literal["sqlite", "postgresql"]

MAX_GROUPS = 8
"""Of more groups only the weightiest are looked for, of equals the first: the number of ways to
have some of them is a binomial coefficient."""
_MAX_TOKENS = 500

_DOCUMENT = EVENT_DOCUMENTS.c
_FTS5 = table(INDEX_NAME, column("rowid", BigInteger), column(INDEX_NAME, Text))


@dataclass(frozen=True, slots=True)
class Sought:
    """A group as it is looked for.

    Args:
        group: What was asked for.
        ways: Those terms of it that a document can satisfy.
        query: Of the index: has it by its tokens; None when no document can have it.
    """

    group: Group
    ways: tuple[Way, ...]
    query: str | None

    @classmethod
    def of(cls, group: Group, syntax: fulltext.Syntax) -> Sought:
        """The group in the index's letters."""
        ways = tuple(way for term in group.terms if (way := fulltext.way(term)) is not None)
        return cls(group, ways, fulltext.has_any(syntax, ways) if ways else None)

    @property
    def needs_text(self) -> bool:
        """Whether tokens alone do not decide."""
        return any(way.text for way in self.ways)

    def words(self) -> Iterator[str]:
        """Whose occurrences in the text count; concepts (``type:loitering``) have none."""
        for way in self.ways:
            if way.text:
                yield way.text
            else:
                yield from (token for token, _ in way.tokens if ":" not in token)

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
        only_long: Of it only documents of events that held for long.
    """

    first: int | None
    last: int | None
    only_long: bool = False


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
            )

    def tiers(self) -> range:
        """Numbers of groups that documents may have, most first."""
        count = len(self.groups)
        if self._query.only_complete:
            return range(count, len(self._required) - 1, -1)
        least = -(-count // 2) if self._query.least is None else self._query.least
        return range(count, min(count, max(least, min(count, 1))) - 1, -1)

    def spans(self) -> tuple[Span, ...]:
        """Where documents of the period may be, newest first."""
        since_ns, until_ns = self._query.since_ns, self._query.until_ns
        last = None if until_ns is None else moment_of(storable_ns(until_ns)) + MOMENT - 1
        if since_ns is None:
            return (Span(None, last),)
        first = moment_of(storable_ns(since_ns - LONG_NS))
        return (Span(first, last), Span(None, first - 1, only_long=True))

    def documents(
        self, tier: int, span: Span, columns: Sequence[ColumnElement[Any]]
    ) -> Select[Any] | None:
        """Documents of a span that have as many groups as the tier says, and no other.

        Returns:
            A statement without order; None when there can be none.
        """
        index_query = self._index_query(tier, span)
        if index_query is None:
            return None
        conditions = [self._has(index_query), *self._residue(tier)]
        place = self.place
        if span.first is not None:
            conditions.append(place >= literal(span.first, BigInteger))
        if span.last is not None:
            conditions.append(place <= literal(span.last, BigInteger))
        since_ns, until_ns = self._query.since_ns, self._query.until_ns
        if until_ns is not None:
            conditions.append(_DOCUMENT.start_ns < storable_ns(until_ns))
        if since_ns is not None:
            last_ns = _DOCUMENT.end_ns
            conditions.append(or_(last_ns.is_(None), last_ns >= storable_ns(since_ns)))
        return self._from(select(*columns)).where(*conditions)

    def complete(self, span: Span) -> Select[Any] | None:
        """Ids of a span's documents that have every group but those that refine."""
        every = Matching(
            self._kind,
            replace(self._query, groups=tuple(sought.group for sought in self._required)),
        )
        return every.documents(len(every.groups), span, [self.place])

    def is_complete(self, parts: Sequence[float]) -> bool:
        """Whether a document with these parts, one for each group, has every one it needs."""
        return all(
            part or sought.group.refines for sought, part in zip(self.groups, parts, strict=True)
        )

    def having(self, sought: Sought, limit: int) -> Select[Any] | None:
        """Up to so many documents that have a group by its tokens, whatever else is asked."""
        if sought.query is None:
            return None
        return select(self.place).where(self._has(sought.query)).limit(limit)

    @property
    def place(self) -> ColumnElement[Any]:
        """The document id, in the form by which the index can take a range of it in order."""
        return _FTS5.c.rowid if self._kind == "sqlite" else _DOCUMENT.document_id

    def _from(self, statement: Select[Any]) -> Select[Any]:
        if self._kind == "postgresql":
            return statement.select_from(EVENT_DOCUMENTS)
        # The sign keeps SQLite from looking each document up in the index.
        of_index = _DOCUMENT.document_id == literal_column(f"+{INDEX_NAME}.rowid", BigInteger)
        return statement.select_from(_FTS5.join(EVENT_DOCUMENTS, of_index))

    def _has(self, index_query: str) -> ColumnElement[bool]:
        if self._kind == "sqlite":
            return _FTS5.c[INDEX_NAME].op("MATCH", is_comparison=True)(literal(index_query, Text))
        vector: ColumnElement[Any] = literal_column(f"{EVENT_DOCUMENTS.name}.{INDEX_NAME}")
        query = cast(literal(index_query, Text), TSQUERY)
        return vector.op("@@", is_comparison=True)(query)

    def _index_query(self, tier: int, span: Span) -> str | None:
        """What the index decides; where texts count, it lets too much through."""
        syntax = self._syntax
        possible = [sought.query for sought in self.groups if sought.query is not None]
        if len(possible) < tier:
            return None
        wanted = [fulltext.has_token(syntax, fulltext.LONG)] if span.only_long else []
        if self._query.cameras:
            tokens = [fulltext.camera_token(camera) for camera in self._query.cameras]
            has_camera = [fulltext.has_token(syntax, token) for token in tokens]
            wanted.append(fulltext.either(syntax, has_camera))
        if self._query.only_complete:
            if any(sought.query is None for sought in self._required):
                return None
            wanted += [sought.query for sought in self._required if sought.query is not None]
        if tier:
            wanted.append(fulltext.has_at_least(syntax, tier, possible))
        found = fulltext.both(syntax, wanted or [fulltext.has_token(syntax, fulltext.EVERY)])
        unwanted = [
            fulltext.has_any(syntax, ways)
            for sought in self._without
            if (ways := [way for way in sought.ways if not way.text])
        ]
        if not self._needs_text and tier < len(possible):
            unwanted.append(fulltext.has_at_least(syntax, tier + 1, possible))
        for query in unwanted:
            found = fulltext.but_not(syntax, found, query)
        return found

    @property
    def _needs_text(self) -> bool:
        return any(sought.needs_text for sought in self.groups)

    def _residue(self, tier: int) -> Iterator[ColumnElement[bool]]:
        """What the index cannot decide: texts in which words must stand together."""
        if self._needs_text:
            has = [self._satisfies(sought.ways) for sought in self.groups if sought.ways]
            if tier == len(self.groups):
                yield and_(*has)
            else:
                counted = [case((one, 1), else_=0) for one in has]
                yield sum(counted[1:], start=counted[0]) == tier
                if self._query.only_complete:
                    for sought in self._required:
                        yield self._satisfies(sought.ways)
        for sought in self._without:
            if with_text := [way for way in sought.ways if way.text]:
                yield not_(self._satisfies(with_text))

    def _satisfies(self, ways: Sequence[Way]) -> ColumnElement[bool]:
        position = func.instr if self._kind == "sqlite" else func.strpos
        tokens = literal(" ") + _DOCUMENT.tokens + literal(" ")
        return or_(
            *(
                and_(
                    *(position(tokens, needle) > 0 for needle in way.needles()),
                    *([position(_DOCUMENT.text, way.text) > 0] if way.text else []),
                )
                for way in ways
            )
        )
