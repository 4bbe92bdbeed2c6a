"""Sums over periods: whole quarters of an hour from their sums, the ends from the records."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    Table,
    case,
    func,
    literal,
    select,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.selectable import CompoundSelect

from video_detective.attributes import FIELDS, Attributes
from video_detective.storage.attributes.base import (
    BUCKET_NS,
    AttributeQuery,
    AttributeStatistics,
    AttributeSums,
    LocalClock,
)
from video_detective.storage.service_tables import ATTRIBUTE_BUCKETS, ATTRIBUTES, DEVICES

_LAST_NS = (1 << 63) - 1


def conditions(query: AttributeQuery, table: Table) -> list[ColumnElement[bool]]:
    """Of a table with ``camera_id``: in reach, with the plan.

    Of ``ATTRIBUTES`` also the period, and those that are shown.
    """
    theirs = select(DEVICES.c.camera_id).where(
        DEVICES.c.plan == "LEVEL_02", DEVICES.c.deleted_ns.is_(None)
    )
    if query.reach is not None:
        theirs = theirs.where(DEVICES.c.account_id == query.reach.account_id)
        if query.reach.cameras is not None:
            theirs = theirs.where(DEVICES.c.camera_id.in_(sorted(query.reach.cameras)))
    if query.camera_id is not None:
        theirs = theirs.where(DEVICES.c.camera_id == query.camera_id)
    camera: ColumnElement[str] = table.c.camera_id
    if table is ATTRIBUTE_BUCKETS and query.camera_id is None:
        # Not to be looked up camera by camera: the rows are wanted in the order of time.
        camera = camera + literal("")
    known: list[ColumnElement[bool]] = [camera.in_(theirs)]
    if query.camera_id is not None:
        known.append(table.c.camera_id == query.camera_id)
    if table is ATTRIBUTES:
        known.append(table.c.is_hidden.is_(False))
        if query.camera_id is None and query.reach is not None:
            known.append(table.c.account_id == query.reach.account_id)
        if query.since_ns is not None:
            known.append(table.c.captured_ns >= query.since_ns)
        if query.until_ns is not None:
            known.append(table.c.captured_ns < query.until_ns)
    return known


async def count(connection: AsyncConnection, query: AttributeQuery) -> int:
    """How many records."""
    parts = _parts(query, ()).subquery()
    found = await connection.scalar(select(func.sum(parts.c.records)))
    return int(found or 0)


async def statistics(
    connection: AsyncConnection, query: AttributeQuery, clock: LocalClock
) -> AttributeStatistics:
    """Sums over the period and its stretches, as of one moment."""
    parts = _parts(query, FIELDS).subquery()
    part, number = stretch_of(parts.c.at, clock)
    placed = select(part.label("part"), number.label("number"), parts).subquery()
    sums = [func.sum(placed.c[name]) for name in ("records", "total_persons", *FIELDS)]
    found = await connection.execute(
        select(placed.c.part, placed.c.number, *sums).group_by(placed.c.part, placed.c.number)
    )
    timeline: dict[int, list[Sum]] = {}
    whole: list[Sum] = [0, 0, *(None for _ in FIELDS)]
    for index, number, *values in found:
        # PostgreSQL gives sums of whole numbers as decimals.
        these = [None if value is None else int(value) for value in values]
        begin_ns = clock.begin_ns(index, number)
        earlier = timeline.get(begin_ns)
        timeline[begin_ns] = these if earlier is None else _added(earlier, these)
        whole = _added(whole, these)
    return AttributeStatistics(
        whole=_sums(whole),
        timeline={begin_ns: _sums(values) for begin_ns, values in sorted(timeline.items())},
    )


def stretch_of(
    at: ColumnElement[int], clock: LocalClock
) -> tuple[ColumnElement[int], ColumnElement[int]]:
    """Index of the offset that holds, and number of the stretch, of a column of times.

    ``clock.begin_ns`` tells when that stretch begins. PostgreSQL groups by them only where they
    are columns of a subquery.
    """
    part: ColumnElement[int] = _whole(0)
    offset = _whole(clock.offsets[0][1])
    later = list(enumerate(clock.offsets))[:0:-1]
    if later:
        part = case(*((at >= _whole(since), index) for index, (since, _) in later), else_=part)
        offset = case(
            *((at >= _whole(since), _whole(ahead)) for _, (since, ahead) in later), else_=offset
        )
    return part, (at + offset) // _whole(clock.stretch_ns)


Sum = int | None
"""Of nulls alone: None."""


def _added(first: list[Sum], second: list[Sum]) -> list[Sum]:
    return [
        a if b is None else b if a is None else a + b for a, b in zip(first, second, strict=True)
    ]


def _sums(values: list[Sum]) -> AttributeSums:
    records, persons, *counts = values
    return AttributeSums(
        records=records or 0,
        total_persons=persons or 0,
        attributes=Attributes(**dict(zip(FIELDS, counts, strict=True))),
    )


def _parts(query: AttributeQuery, fields: Sequence[str]) -> CompoundSelect[Any]:
    """Rows ``at, records, total_persons, fields…`` that make up the period."""
    since_ns = 0 if query.since_ns is None else query.since_ns
    until_ns = _LAST_NS if query.until_ns is None else query.until_ns
    first_ns = -(-since_ns // BUCKET_NS) * BUCKET_NS
    last_ns = max(until_ns // BUCKET_NS * BUCKET_NS, first_ns)
    bucket, record = ATTRIBUTE_BUCKETS.c, ATTRIBUTES.c
    # Grouped in the order of the key: that takes no sorting, and leaves few rows to cut by clocks.
    parts: list[Select[Any]] = [
        select(
            bucket.start_ns.label("at"),
            func.sum(bucket.records).label("records"),
            func.sum(bucket.total_persons).label("total_persons"),
            *(func.sum(bucket[name]).label(name) for name in fields),
        )
        .where(
            *conditions(query, ATTRIBUTE_BUCKETS),
            bucket.start_ns >= first_ns,
            bucket.start_ns < last_ns,
        )
        .group_by(bucket.start_ns)
    ]
    everything = AttributeQuery(reach=query.reach, camera_id=query.camera_id)
    for begin_ns, end_ns in ((since_ns, min(first_ns, until_ns)), (last_ns, until_ns)):
        parts.append(
            select(
                record.captured_ns.label("at"),
                _whole(1).label("records"),
                record.total_persons.label("total_persons"),
                *(record[name] for name in fields),
            ).where(
                *conditions(everything, ATTRIBUTES),
                record.captured_ns >= begin_ns,
                record.captured_ns < end_ns,
            )
        )
    return union_all(*parts)


def _whole(number: int) -> ColumnElement[int]:
    return literal(number, BigInteger)
