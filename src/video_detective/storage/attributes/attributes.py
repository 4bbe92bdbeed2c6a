"""``Database.attributes``: records of what persons looked like, and sums of them."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Literal

from sqlalchemy import ColumnElement, RowMapping, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from video_detective.attributes import FIELDS, AttributeRecord, Attributes
from video_detective.errors import UsageError
from video_detective.storage.attributes import statistics, writing
from video_detective.storage.attributes.base import (
    NEAR_NS,
    AttributePage,
    AttributeQuery,
    AttributeRow,
    AttributeStatistics,
    LocalClock,
)
from video_detective.storage.reach import Reach, of_row
from video_detective.storage.service_tables import ATTRIBUTES, INSIGHTS

Kind = Literal["sqlite", "postgresql"]
Connect = Callable[[], AbstractAsyncContextManager[AsyncConnection]]


class AttributeRecords:
    """Attributes in an open database; they are written by ``Database.commit_step``.

    Args:
        kind: Which database.
        reading, writing: Open a connection; the second one commits at the end of its block.
    """

    def __init__(self, kind: Kind, reading: Connect, writing: Connect) -> None:
        self._kind: Kind = kind
        self._reading = reading
        self._writing = writing

    async def page(
        self, query: AttributeQuery, *, limit: int, offset: int = 0, cursor: str | None = None
    ) -> AttributePage:
        """One page of records, newest first.

        Args:
            query: Which.
            limit: At most so many.
            offset: After so many of the first.
            cursor: ``next_cursor`` of the page before; then ``offset`` is not read.

        Raises:
            UsageError: the cursor is none.
        """
        record = ATTRIBUTES.c
        keys = select(record.attribute_id).where(*statistics.conditions(query, ATTRIBUTES))
        if cursor is None:
            keys = keys.offset(offset)
        else:
            captured_ns, attribute_id = _place(cursor)
            keys = keys.where(
                record.captured_ns <= captured_ns,
                or_(record.captured_ns < captured_ns, record.attribute_id < attribute_id),
            )
        newest = (record.captured_ns.desc(), record.attribute_id.desc())
        keys = keys.order_by(*newest).limit(limit + 1)
        found = select(ATTRIBUTES).where(record.attribute_id.in_(keys)).order_by(*newest)
        async with self._reading() as connection:
            rows = [_row(row) for row in (await connection.execute(found)).mappings()]
            total = await statistics.count(connection, query)
        more = len(rows) > limit
        rows = rows[:limit]
        return AttributePage(
            rows=rows, total=total, next_cursor=_cursor(rows[-1]) if more else None
        )

    async def record(self, reach: Reach | None, attribute_id: str) -> AttributeRow | None:
        """One record; None when there is none in reach."""
        known: list[ColumnElement[bool]] = [
            ATTRIBUTES.c.attribute_id == attribute_id,
            ATTRIBUTES.c.is_hidden.is_(False),
        ]
        if reach is not None:
            known.append(of_row(reach, ATTRIBUTES))
        async with self._reading() as connection:
            found = (await connection.execute(select(ATTRIBUTES).where(*known))).mappings().first()
        return None if found is None else _row(found)

    async def near(self, camera_id: str, time_ns: int, *, limit: int = 50) -> list[AttributeRow]:
        """A camera's records from 30 s before to 30 s after a moment, in order of time.

        Of more than ``limit`` the nearest.
        """
        record = ATTRIBUTES.c
        nearest = (
            select(ATTRIBUTES)
            .where(
                and_(
                    record.camera_id == camera_id,
                    record.captured_ns >= time_ns - NEAR_NS,
                    record.captured_ns <= time_ns + NEAR_NS,
                    record.is_hidden.is_(False),
                )
            )
            .order_by(func.abs(record.captured_ns - time_ns), record.captured_ns)
            .limit(limit)
        )
        async with self._reading() as connection:
            rows = [_row(row) for row in (await connection.execute(nearest)).mappings()]
        return sorted(rows, key=lambda row: row.captured_ns)

    async def of_insight(self, reach: Reach | None, insight_id: str) -> tuple[str, int] | None:
        """Camera and time of an insight; None when there is none in reach."""
        known: list[ColumnElement[bool]] = [
            INSIGHTS.c.insight_id == insight_id,
            INSIGHTS.c.is_hidden.is_(False),
        ]
        if reach is not None:
            known.append(of_row(reach, INSIGHTS))
        async with self._reading() as connection:
            found = await connection.execute(
                select(INSIGHTS.c.camera_id, INSIGHTS.c.triggered_ns).where(*known)
            )
            row = found.first()
        return None if row is None else (row.camera_id, row.triggered_ns)

    async def statistics(self, query: AttributeQuery, clock: LocalClock) -> AttributeStatistics:
        """Sums over the query's period (which has both ends), and over its hours or days."""
        async with self._reading() as connection:
            return await statistics.statistics(connection, query, clock)

    async def add(
        self, event_id: str, record: AttributeRecord, *, node_id: str | None, stored_ns: int
    ) -> None:
        """Add what a model said later of one moment of an event.

        Where its analysis has a record of that moment, only what is not known there is added, and
        nothing when it counts other persons.
        """
        async with self._writing() as connection:
            await writing.add(
                connection, self._kind, event_id, record, node_id=node_id, stored_ns=stored_ns
            )


def _row(row: RowMapping) -> AttributeRow:
    return AttributeRow(
        attributes=Attributes(**{name: row[name] for name in FIELDS}),
        **{name: row[name] for name in AttributeRow.__slots__ if name != "attributes"},
    )


def _cursor(row: AttributeRow) -> str:
    return base64.urlsafe_b64encode(f"{row.captured_ns} {row.attribute_id}".encode()).decode()


def _place(cursor: str) -> tuple[int, str]:
    try:
        captured, attribute_id = base64.urlsafe_b64decode(cursor).decode("ascii").split(" ")
        captured_ns = int(captured)
        if not 0 <= captured_ns < 1 << 63:
            raise ValueError(captured)
        return captured_ns, attribute_id
    except (ValueError, binascii.Error) as cause:
        raise UsageError(
            "cursor is not one of this list",
            remedy="Take nextCursor of the page before, or leave it out.",
        ) from cause
