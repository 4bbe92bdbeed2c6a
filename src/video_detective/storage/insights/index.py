"""Which insights have what is asked for: by the words about them, and by the facts of their event.

The words are in ``insight_index``; what the rules established, and where, in the search document
of the event. Both databases only filter, so that they find the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    Table,
    TableClause,
    Text,
    and_,
    cast,
    column,
    false,
    func,
    literal,
    literal_column,
    not_,
    or_,
    select,
    table,
)
from sqlalchemy.dialects.postgresql import TSQUERY

from video_detective.search.base import Group
from video_detective.storage import fulltext
from video_detective.storage.fulltext import Way
from video_detective.storage.matching import MAX_GROUPS, Sought
from video_detective.storage.service_tables import INSIGHT_INDEX, INSIGHTS
from video_detective.storage.tables import EVENT_DOCUMENTS, INDEX_NAME

Kind = Literal["sqlite", "postgresql"]


@dataclass(frozen=True, slots=True)
class Words:
    """What is looked for in words.

    Args:
        groups: All that do not refine must be there; those that refine matter to the order only.
        without: None of these may be there.
    """

    groups: tuple[Group, ...] = ()
    without: tuple[Group, ...] = ()

    @property
    def required(self) -> tuple[Group, ...]:
        """What must be there."""
        return tuple(group for group in self.groups if not group.refines)[:MAX_GROUPS]

    @property
    def refining(self) -> tuple[Group, ...]:
        """What lets an insight come before others."""
        return tuple(group for group in self.groups if group.refines)[:MAX_GROUPS]


@dataclass(frozen=True, slots=True)
class Side:
    """A full-text index and the table under it.

    Args:
        name: Of the index: a table of SQLite's, a column of PostgreSQL's.
        rows: The table.
        number: Its column that is the index's rowid.
        fts5: The index as a table of SQLite.
    """

    name: str
    rows: Table
    number: ColumnElement[int]
    fts5: TableClause

    @classmethod
    def of(cls, name: str, rows: Table, number: ColumnElement[int]) -> Side:
        """The index of this name."""
        fts5 = table(name, column("rowid", BigInteger), column(name, Text))
        return cls(name, rows, number, fts5)


WORDS = Side.of(INSIGHT_INDEX, INSIGHTS, INSIGHTS.c.number)
"""What was said of an insight."""
FACTS = Side.of(INDEX_NAME, EVENT_DOCUMENTS, EVENT_DOCUMENTS.c.document_id)
"""What is known of its event, a model's words about that included."""


def matching_query(kind: Kind, words: Words) -> str | None:
    """The index's query that everything which is looked for meets; None when nothing can.

    Where texts count it lets too much through.
    """
    syntax = fulltext.SYNTAX[kind]
    sought = [Sought.of(group, syntax) for group in words.required]
    queries = [one.query for one in sought if one.query is not None]
    if len(queries) < len(sought):
        return None
    found = fulltext.both(syntax, queries or [fulltext.has_token(syntax, fulltext.EVERY)])
    for group in words.without:
        unwanted = Sought.of(group, syntax)
        if unwanted.query is not None and not unwanted.needs_text:
            found = fulltext.but_not(syntax, found, unwanted.query)
    return found


def said(kind: Kind, words: Words) -> ColumnElement[bool]:
    """The condition that the words about an insight are what is looked for."""
    query = matching_query(kind, words)
    if query is None:
        return false()
    syntax = fulltext.SYNTAX[kind]
    conditions = [_has(kind, WORDS, query)]
    for group in words.required:
        sought = Sought.of(group, syntax)
        if sought.needs_text:
            conditions.append(_stands_in(kind, WORDS, sought.ways))
    for group in words.without:
        unwanted = Sought.of(group, syntax)
        if unwanted.query is not None and unwanted.needs_text:
            conditions.append(not_(_stands_in(kind, WORDS, unwanted.ways)))
    return and_(*conditions)


def count_said(words: Words, most: int) -> Select[Any] | None:
    """How many insights SQLite's index has for the words, up to ``most``; None for none."""
    query = matching_query("sqlite", words)
    if query is None:
        return None
    some = select(literal(1).label("one")).select_from(WORDS.fts5).where(_matches(WORDS, query))
    return select(func.count()).select_from(some.limit(most).subquery())


def has_group(kind: Kind, group: Group) -> ColumnElement[bool]:
    """The condition that an insight or its event has a group.

    The statement must have ``EVENT_DOCUMENTS`` beside ``INSIGHTS`` (an outer join).
    """
    sought = Sought.of(group, fulltext.SYNTAX[kind])
    if sought.query is None:
        return false()
    sides: list[ColumnElement[bool]] = []
    for side in (FACTS, WORDS):
        has = _has(kind, side, sought.query)
        text = [_stands_in(kind, side, sought.ways)] if sought.needs_text else []
        # Of an event without a document: no.
        sides.append(func.coalesce(and_(has, *text), false()))
    return or_(*sides)


def _has(kind: Kind, side: Side, query: str) -> ColumnElement[bool]:
    if kind == "postgresql":
        name = f"{side.rows.name}.{side.name}"
        vector: ColumnElement[Any] = literal_column(name)
        return vector.op("@@", is_comparison=True)(cast(literal(query), TSQUERY))
    # Not one by one (EXISTS): to look into lists of numbers costs as much as to read them.
    rowid = side.fts5.c.rowid
    return side.number.in_(select(rowid).select_from(side.fts5).where(_matches(side, query)))


def _matches(side: Side, query: str) -> ColumnElement[bool]:
    return side.fts5.c[side.name].op("MATCH", is_comparison=True)(literal(query))


def _stands_in(kind: Kind, side: Side, ways: tuple[Way, ...]) -> ColumnElement[bool]:
    """Whether tokens and text of a row satisfy any of the ways."""
    position = func.instr if kind == "sqlite" else func.strpos
    tokens = literal(" ").concat(side.rows.c.tokens).concat(" ")
    any_way: list[ColumnElement[bool]] = []
    for way in ways:
        every = [position(tokens, needle) > 0 for needle in way.needles()]
        every += [position(side.rows.c.text, way.text) > 0] if way.text else []
        any_way.append(and_(*every))
    return or_(*any_way)
