"""The statements of searches, built once for each shape of what is asked."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Select,
    Text,
    and_,
    bindparam,
    cast,
    column,
    exists,
    func,
    literal,
    literal_column,
    or_,
    select,
    table,
    text,
    union_all,
)
from sqlalchemy.dialects.postgresql import TSQUERY

from video_detective.storage import fulltext
from video_detective.storage.tables import EVENT_DOCUMENTS, INDEX_NAME

Kind = Literal["sqlite", "postgresql"]

_DOCUMENT = EVENT_DOCUMENTS.c
_FTS5 = table(INDEX_NAME, column("rowid", BigInteger), column(INDEX_NAME, Text))


@dataclass(frozen=True, slots=True)
class Columns:
    """What is read of documents beside what they are.

    Args:
        tokens: Their tokens.
        text: Their texts.
    """

    tokens: bool
    text: bool


@dataclass(frozen=True, slots=True)
class Shape:
    """What distinguishes the statements that are built, but for the words asked.

    Args:
        kind: Which database.
        columns: What is read of the documents; None to count them.
        bounds: Which of ``first``, ``last``, ``since``, ``until`` are given, and to count also of
            ``within``, ``before``.
        number: Of the span; ends the names of its parameters.
    """

    kind: Kind
    columns: Columns | None
    bounds: frozenset[str]
    number: int


def index(kind: Kind) -> FromClause:
    """Where ``has`` looks."""
    return _FTS5 if kind == "sqlite" else EVENT_DOCUMENTS


def has(kind: Kind, parameter: str) -> ColumnElement[bool]:
    """Whether the index has what the parameter asks for."""
    query = bindparam(parameter, type_=Text)
    if kind == "sqlite":
        return _FTS5.c[INDEX_NAME].op("MATCH", is_comparison=True)(query)
    vector: ColumnElement[Any] = literal_column(f"{EVENT_DOCUMENTS.name}.{INDEX_NAME}")
    return vector.op("@@", is_comparison=True)(cast(query, TSQUERY))


def _counted(shape: Shape) -> Select[Any]:
    """One span's documents on SQLite; only those at the ends of the period are looked at."""
    number, place = shape.number, _FTS5.c.rowid

    def given(name: str) -> ColumnElement[Any]:
        return bindparam(f"{name}_{number}", type_=BigInteger)

    conditions = [has(shape.kind, f"has_{number}")]
    conditions += [place >= given("first")] if "first" in shape.bounds else []
    conditions += [place <= given("last")] if "last" in shape.bounds else []
    certain, looked_at = [], [_DOCUMENT.document_id == place]
    if "since" in shape.bounds:
        certain.append(place >= given("within"))
        looked_at.append(or_(_DOCUMENT.end_ns.is_(None), _DOCUMENT.end_ns >= given("since")))
    if "until" in shape.bounds:
        certain.append(place <= given("before"))
        looked_at.append(_DOCUMENT.start_ns < given("until"))
    if certain:
        # In this order: SQLite evaluates the second only where the first is false.
        conditions.append(or_(and_(*certain), exists().where(*looked_at)))
    return select(literal(1).label("one")).select_from(_FTS5).where(*conditions)


def _newest(shape: Shape) -> Select[Any]:
    """One span's documents."""
    kind, number = shape.kind, shape.number
    # The document id in the form by which the index can take a range of it, in order.
    place: ColumnElement[Any] = _FTS5.c.rowid if kind == "sqlite" else _DOCUMENT.document_id

    def given(name: str) -> ColumnElement[Any]:
        return bindparam(f"{name}_{number}", type_=BigInteger)

    conditions = [has(kind, f"has_{number}")]
    conditions += [place >= given("first")] if "first" in shape.bounds else []
    conditions += [place <= given("last")] if "last" in shape.bounds else []
    conditions += [_DOCUMENT.start_ns < given("until")] if "until" in shape.bounds else []
    if "since" in shape.bounds:
        still = or_(_DOCUMENT.end_ns.is_(None), _DOCUMENT.end_ns >= given("since"))
        conditions.append(still)
    statement = select(literal(1).label("one"))
    if shape.columns is not None:
        position = func.instr if kind == "sqlite" else func.strpos
        # Its sign comes before all letters: this looks at the first few tokens.
        framed = position(_DOCUMENT.tokens, f"{fulltext.FRAMES} ") > 0
        statement = select(
            _DOCUMENT.document_id,
            _DOCUMENT.event_id,
            _DOCUMENT.start_ns,
            framed.label("framed"),
            (_DOCUMENT.tokens if shape.columns.tokens else literal("")).label("tokens"),
            (_DOCUMENT.text if shape.columns.text else literal("")).label("text"),
        ).order_by(place.desc())
    if kind == "postgresql":
        return statement.select_from(EVENT_DOCUMENTS).where(*conditions)
    # The sign keeps SQLite from looking each document up in the index.
    of_index = _DOCUMENT.document_id == literal_column(f"+{INDEX_NAME}.rowid", BigInteger)
    return statement.select_from(_FTS5.join(EVENT_DOCUMENTS, of_index)).where(*conditions)


@lru_cache(maxsize=256)
def statement(shapes: tuple[Shape, ...], residue: tuple[str, ...]) -> Select[Any]:
    """The spans' documents: rows, or how many. Kept, as building it costs more than running it."""
    most = bindparam("most", type_=BigInteger)
    is_counted = shapes[0].columns is None and shapes[0].kind == "sqlite" and not residue
    made = map(_counted if is_counted else _newest, shapes)
    found = [one.where(*map(text, residue)).limit(most) for one in made]
    spans = [statement.subquery() for statement in found]
    if shapes[0].columns is None:
        counts = [select(func.count()).select_from(span).scalar_subquery() for span in spans]
        return select(sum(counts[1:], start=counts[0]))
    return select(union_all(*(select(span) for span in spans)).subquery())
