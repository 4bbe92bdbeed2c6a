"""Writing search documents anew, in short transactions, while others write and search.

It goes through the events in order of time. What is written meanwhile is right in any case: every
writer writes the documents of what it changes, of this version.
"""

from __future__ import annotations

from typing import Literal

from sqlalchemy import BigInteger, delete, func, literal, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from video_detective.storage import documents
from video_detective.storage.dialects import KEY_TEXT
from video_detective.storage.tables import EVENT_DOCUMENTS, EVENTS, META, RUNS

Kind = Literal["sqlite", "postgresql"]
Place = tuple[int, str]
"""Start and id of an event: how far it is."""

BATCH = 500
_MARK = META.c.key == "search_index"


async def is_stale(connection: AsyncConnection) -> bool:
    """Whether events were there before documents were, and not all of them have one yet."""
    return await connection.scalar(select(META.c.value).where(_MARK)) == "stale"


async def set_complete(connection: AsyncConnection) -> None:
    """Note that every event has its document."""
    await connection.execute(delete(META).where(_MARK))


async def count_events(connection: AsyncConnection) -> int:
    """How many events there are, superseded ones included."""
    return await connection.scalar(select(func.count()).select_from(EVENTS)) or 0


async def next_batch(
    connection: AsyncConnection, after: Place | None, *, everything: bool
) -> list[Place]:
    """The events after a place whose documents are to be written.

    Args:
        connection: Any.
        after: Where the last batch ended.
        everything: Also those whose documents are of this version.
    """
    place = tuple_(EVENTS.c.start_ns, EVENTS.c.event_id)
    query = select(EVENTS.c.start_ns, EVENTS.c.event_id)
    if not everything:
        query = (
            query.outerjoin(EVENT_DOCUMENTS, EVENT_DOCUMENTS.c.event_id == EVENTS.c.event_id)
            .outerjoin(RUNS, RUNS.c.run_id == EVENTS.c.run_id)
            .where(
                RUNS.c.superseded_by.is_(None),
                or_(
                    EVENT_DOCUMENTS.c.version.is_(None),
                    EVENT_DOCUMENTS.c.version != documents.VERSION,
                ),
            )
        )
    if after is not None:
        last = tuple_(literal(after[0], BigInteger), literal(after[1], KEY_TEXT))
        query = query.where(place > last)
    query = query.order_by(EVENTS.c.start_ns, EVENTS.c.event_id).limit(BATCH)
    return [(start_ns, event_id) for start_ns, event_id in await connection.execute(query)]
