"""Lists of insights: every condition in one statement, pages that are quick however deep.

Newest trigger first, of the same time the higher id. What was hidden is never listed, nor what is
out of reach. Up to ``EXACT_TO`` insights the total and every page are of the moment of the
question. Of more, the total and where numbered pages begin may be ``STALE_S`` old; what stands on
them is of now, and pages by cursor follow each other without gap or repetition.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Any, Literal
from uuid import UUID

import orjson
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection

from video_detective.errors import FieldError, Flaw
from video_detective.storage.insights import index, statements, tally
from video_detective.storage.insights.index import Words
from video_detective.storage.insights.prepared import Prepared
from video_detective.storage.insights.statements import (
    Detail,
    InsightFilter,
    Listed,
    Shape,
)
from video_detective.storage.insights.tally import SLICES, Tallies, Tally
from video_detective.storage.reach import Reach
from video_detective.storage.service_tables import INSIGHTS

Kind = Literal["sqlite", "postgresql"]
Open = Callable[[], AbstractAsyncContextManager[AsyncConnection]]

EXACT_TO = 1000
FRESH_S, STALE_S = 1.0, 2.0
_AT_ONCE = 2
_FEW = 2000
"""Insights with the words asked for are sorted up to here, else looked for in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InsightPage:
    """One page.

    Args:
        insights: In order.
        total: How many the filter has.
        next_cursor: Where the next page begins; None on the last one.
    """

    insights: tuple[Listed, ...]
    total: int
    next_cursor: str | None


class InsightLists:
    """The reading side of ``Database.insights``: lists, and one insight by its id.

    Args:
        kind: Which database.
        reading: Opens a connection.
        exact_to, fresh_s, stale_s, slices: As the constants; others for tests.
    """

    def __init__(
        self,
        kind: Kind,
        reading: Open,
        *,
        exact_to: int = EXACT_TO,
        fresh_s: float = FRESH_S,
        stale_s: float = STALE_S,
        slices: int = SLICES,
    ) -> None:
        self._kind: Kind = kind
        self._reading = reading
        self._exact_to = exact_to
        self._slices = slices
        self._tallies = Tallies(fresh_s=fresh_s, stale_s=stale_s)
        # More at once are not faster on SQLite, and those beyond the pool would each be opened.
        self._turn: AbstractAsyncContextManager[object] = (
            asyncio.Semaphore(_AT_ONCE) if kind == "sqlite" else nullcontext()
        )

    def counted(
        self, *, exact_to: int, fresh_s: float, stale_s: float, slices: int
    ) -> InsightLists:
        """The same lists, counted otherwise: few insights can then be asked for as if many."""
        return InsightLists(
            self._kind,
            self._reading,
            exact_to=exact_to,
            fresh_s=fresh_s,
            stale_s=stale_s,
            slices=slices,
        )

    async def page(
        self,
        reach: Reach,
        wanted: InsightFilter,
        *,
        limit: int,
        offset: int = 0,
        cursor: str | None = None,
    ) -> InsightPage:
        """One page of the insights that meet every condition.

        Args:
            reach: Whose.
            wanted: Which.
            limit: At most so many.
            offset: How many to leave out.
            cursor: ``next_cursor`` of the page before, of the same filter; wins over ``offset``.

        Raises:
            FieldError: the cursor is of no list.
        """
        values: dict[str, Any] = {**wanted.values(), "limit": limit + 1, "offset": offset}
        if cursor is not None:
            values |= {**_key(cursor), "offset": 0}
        start: Literal["first", "key"] = "first" if cursor is None else "key"
        key = (reach, wanted)
        shape = await self._shape(reach, wanted)
        is_many = self._tallies.knows(key) or (
            wanted.words is not None and self._kind == "sqlite" and not shape.few
        )
        if not is_many:
            ask = statements.page(shape, start, self._exact_to + 1)
            rows = await self._rows(ask, values)
            total = rows[0][0]
            found = [row for row in rows if row[1] is not None]
            if total <= self._exact_to:
                return _page(found, limit, total)
        counted = await self._tallies.get(key, lambda: self._count(shape, wanted))
        if counted.total <= self._exact_to:
            self._tallies.forget(key)
        if is_many or (cursor is None and offset + limit > self._exact_to):
            found = await self._read(shape, counted, values, start)
        return _page(found, limit, counted.total)

    async def search(
        self, reach: Reach, wanted: InsightFilter, asked: Words, *, limit: int
    ) -> InsightPage:
        """The best insights that have everything asked for, by words or by their event's facts.

        Args:
            reach: Whose.
            wanted: Conditions on them.
            asked: What is looked for. Those with more of what refines come first, then the newest.
            limit: At most so many.
        """
        ask = statements.ranked(Shape.of(self._kind, reach, wanted), asked)
        rows = await self._rows(ask, {**wanted.values(), "limit": limit})
        return _page(rows, limit, rows[0][0] if rows else 0)

    async def review_counts(self, reach: Reach, wanted: InsightFilter) -> dict[str, int]:
        """How many insights meet every condition, by the state of their alert's review."""
        shape = await self._shape(reach, wanted)
        rows = await self._rows(statements.review_counts(shape), wanted.values())
        return dict(rows)

    async def insight(self, reach: Reach, insight_id: str) -> tuple[Listed, Detail] | None:
        """One insight by its id; None when none is listed."""
        return await self._one(statements.one(self._kind, reach, "insight_id"), insight_id)

    async def of_alert(self, reach: Reach, alert_id: str) -> tuple[Listed, Detail] | None:
        """The insight of an alert; None when none is listed."""
        return await self._one(statements.one(self._kind, reach, "alert_id"), alert_id)

    async def details(self, reach: Reach, insight_ids: Sequence[str]) -> dict[str, Detail]:
        """What these insights have beyond their list; those that are not there are left out."""
        ask = statements.details(reach, insight_ids)
        async with self._reading() as connection:
            rows = (await connection.execute(ask)).all()
        return {row[0]: Detail._make(row[1:]) for row in rows}

    async def _one(self, ask: Prepared, key: str) -> tuple[Listed, Detail] | None:
        rows = await self._rows(ask, {"id": key})
        if not rows:
            return None
        width = len(Listed._fields)
        return Listed._make(rows[0][:width]), Detail._make(rows[0][width:])

    async def _read(
        self, shape: Shape, counted: Tally, values: dict[str, Any], start: Literal["first", "key"]
    ) -> list[Any]:
        if start == "key":
            return await self._rows(statements.page(shape, "key", None), values)
        place = counted.place(values["offset"])
        if place is None:
            return []
        values["offset"] = place.offset
        if place.before_ns is None:
            return await self._rows(statements.page(shape, "first", None), values)
        values["before_ns"] = place.before_ns
        return await self._rows(statements.page(shape, "time", None), values)

    async def _shape(self, reach: Reach, wanted: InsightFilter) -> Shape:
        shape = Shape.of(self._kind, reach, wanted)
        if wanted.words is None or self._kind != "sqlite":
            return shape
        return replace(shape, few=await self._count_said(wanted) < _FEW)

    async def _count_said(self, wanted: InsightFilter) -> int:
        assert wanted.words is not None  # noqa: S101 - said by the caller
        ask = index.count_said(wanted.words, _FEW)
        if ask is None:
            return 0
        async with self._reading() as connection:
            return await connection.scalar(ask) or 0

    async def _count(self, shape: Shape, wanted: InsightFilter) -> Tally:
        """Count between times at which insights were triggered, evenly chosen by number."""
        made_s = asyncio.get_running_loop().time()
        async with self._reading() as connection:
            ends = await connection.execute(
                select(func.min(INSIGHTS.c.number), func.max(INSIGHTS.c.number))
            )
            first, last = ends.one()
            numbers = (
                [] if first is None
                else [first + (last - first) * n // self._slices for n in range(self._slices)]
            )  # fmt: skip
            times = await connection.execute(
                select(INSIGHTS.c.triggered_ns).where(INSIGHTS.c.number.in_(numbers))
            )
            cut = tally.spans(times.scalars().all())
            ask = statements.counts(replace(shape, few=False))
            values = {**wanted.values(), "bounds": orjson.dumps(cut).decode()}
            counts = (await connection.execute(ask.statement, values)).scalars().all()
        took_s = asyncio.get_running_loop().time() - made_s
        return tally.tally(cut, counts, made_s=made_s, took_s=took_s)

    async def _rows(self, ask: Prepared, values: Mapping[str, Any]) -> list[Any]:
        async with self._turn, self._reading() as connection:
            if self._kind == "postgresql":
                return list((await connection.execute(ask.statement, values)).all())
            # A statement alone is a transaction of its own. Straight to the driver: one turn of
            # its thread instead of four, and nothing is built twice.
            raw = await connection.get_raw_connection()
            driver: Any = raw.driver_connection
            try:
                rows = list(await driver.execute_fetchall(ask.sql, ask.values(values)))
            except sqlite3.Error as error:
                # As it is when it comes through SQLAlchemy, for whoever explains it.
                raise OperationalError(ask.sql, None, error) from error
            if ask.is_list:
                found: list[Any] = orjson.loads(rows[0][0])
                return found
            return rows


def _page(rows: list[Any], limit: int, total: int) -> InsightPage:
    insights = tuple(Listed._make(row[1:]) for row in rows[:limit])
    more = len(rows) > limit
    return InsightPage(
        insights=insights,
        total=max(total, len(insights)),
        next_cursor=_cursor(insights[-1]) if more else None,
    )


def _cursor(last: Listed) -> str:
    text = f"{last.triggered_ns}.{last.insight_id}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _key(cursor: str) -> dict[str, Any]:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        text = base64.b64decode(padded, altchars=b"-_", validate=True).decode("ascii")
        time_ns, _, insight_id = text.partition(".")
        key_ns, key_id = int(time_ns), str(UUID(insight_id))
        if not 0 <= key_ns < tally.LAST_NS or f"{key_ns}.{key_id}" != text:
            raise ValueError("not as it was given out")
    except (ValueError, binascii.Error) as cause:
        flaw = Flaw("it is of no page; take nextCursor of the page before", reason="cursor_unknown")
        raise FieldError([("cursor", flaw)]) from cause
    return {"key_ns": key_ns, "key_id": key_id}
