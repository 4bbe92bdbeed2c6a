"""What a derived index of vectors has to be told; triggers note it as it happens.

It is noted in the transaction that did it. Nothing is lost when whoever tells it is killed: entries
stay until ``sent``, and say how an event is now, so that telling one twice is harmless.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from video_detective.storage import vectors_rows
from video_detective.storage.tables import EVENT_DOCUMENTS, VECTOR_OUTBOX, VECTORS
from video_detective.storage.vectors_search import holds

Open = Callable[[], AbstractAsyncContextManager[AsyncConnection]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A vector that holds, and what a search filters by.

    Args:
        vector: Of unit length.
        model: That made it.
        camera_id, start_ns, end_ns: Of the event; end None while it goes on.
    """

    vector: NDArray[np.float32] = field(repr=False)
    model: str
    camera_id: str
    start_ns: int
    end_ns: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxEntry:
    """An event whose vector may have changed since the index was told of it last.

    Args:
        numbers: Of the rows that say so.
        event_id: Which event.
        point: What the index is to have; None: nothing.
    """

    numbers: tuple[int, ...]
    event_id: str
    point: Point | None


class Outbox:
    """The outbox of an open database; filled while ``Vectors.use`` asks for it.

    Args:
        reading, writing: Open a connection for it.
    """

    def __init__(self, reading: Open, writing: Open) -> None:
        self._reading = reading
        self._writing = writing

    async def entries(self, limit: int) -> list[OutboxEntry]:
        """The oldest entries, as the events are at this moment.

        Args:
            limit: At most so many rows of the outbox, 1..900.
        """
        oldest = select(VECTOR_OUTBOX).order_by(VECTOR_OUTBOX.c.number).limit(limit)
        async with self._reading() as connection:
            numbers: dict[str, list[int]] = {}
            for row in await connection.execute(oldest):
                numbers.setdefault(row.event_id, []).append(row.number)
            points = await _points(connection, list(numbers))
        return [
            OutboxEntry(numbers=tuple(rows), event_id=event_id, point=points.get(event_id))
            for event_id, rows in numbers.items()
        ]

    async def sent(self, entries: Collection[OutboxEntry]) -> None:
        """Note that the index has what these entries say; later changes remain to be told."""
        numbers = [number for entry in entries for number in entry.numbers]
        async with self._writing() as connection:
            one_of = VECTOR_OUTBOX.c.number.in_(numbers)
            await connection.execute(delete(VECTOR_OUTBOX).where(one_of))

    async def count(self) -> int:
        """How many rows it has."""
        async with self._reading() as connection:
            query = select(func.count()).select_from(VECTOR_OUTBOX)
            return await connection.scalar(query) or 0

    async def untold(self, limit: int) -> list[str] | None:
        """The events that the index may have otherwise than they are.

        Returns:
            None when there are more than ``limit`` rows: then the index lags behind.
        """
        query = select(VECTOR_OUTBOX.c.event_id).limit(limit + 1)
        async with self._reading() as connection:
            found = list((await connection.execute(query)).scalars())
        return None if len(found) > limit else list(dict.fromkeys(found))

    async def refill(self) -> None:
        """Let the index be told of every event anew."""
        async with self._writing() as connection:
            await connection.execute(delete(VECTOR_OUTBOX))
            await vectors_rows.fill_outbox(connection)


async def _points(connection: AsyncConnection, event_ids: list[str]) -> dict[str, Point]:
    use = await vectors_rows.in_use(connection)
    query = select(
        VECTORS.c.event_id,
        VECTORS.c.vector,
        VECTORS.c.model,
        VECTORS.c.camera_id,
        EVENT_DOCUMENTS.c.start_ns,
        EVENT_DOCUMENTS.c.end_ns,
    ).where(
        *holds(),
        VECTORS.c.event_id.in_(event_ids),
        VECTORS.c.model == use.model,
        VECTORS.c.size == use.size,
    )
    return {
        row.event_id: Point(
            vector=np.frombuffer(row.vector, vectors_rows.DTYPE).astype(np.float32),
            model=row.model,
            camera_id=row.camera_id,
            start_ns=row.start_ns,
            end_ns=row.end_ns,
        )
        for row in await connection.execute(query)
    }
