"""Writing search documents anew, in short transactions, while others write and search.

It goes through the events in order of time. Documents are made outside of the transaction that
stores them; in the meantime somebody may have changed an event. But whoever changes an event
writes its document, of this version: those are left as they are. Of many events the documents are
made by a second process, while this one stores those made before.
"""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from sqlalchemy import BigInteger, Select, delete, func, literal, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from video_detective.storage import documents
from video_detective.storage.dialects import KEY_TEXT, Address
from video_detective.storage.documents import Built
from video_detective.storage.reading import chunks
from video_detective.storage.tables import EVENT_DOCUMENTS, EVENTS, META, RUNS

Kind = Literal["sqlite", "postgresql"]
Place = tuple[int, str]
"""Start and id of an event: how far it is."""

BATCH = 2000
MANY = 5000
"""Of more events a second process makes the documents; starting one takes as long."""

_MARK = META.c.key == "search_index"
_LOCK_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class Prepared:
    """Documents that are to be stored.

    Args:
        built: In order of time.
        place: Of the last one.
    """

    built: tuple[Built, ...]
    place: Place


class Prepare(Protocol):
    """Makes the documents of the next events after a place; None when there are no more."""

    async def __call__(self, after: Place | None) -> Prepared | None:
        """See the class."""


async def is_stale(connection: AsyncConnection) -> bool:
    """Whether events were there before documents were, and not all of them have one yet."""
    return await connection.scalar(select(META.c.value).where(_MARK)) == "stale"


async def set_complete(connection: AsyncConnection) -> None:
    """Note that every event has its document."""
    await connection.execute(delete(META).where(_MARK))


async def forget_versions(connection: AsyncConnection) -> None:
    """Let every document count as one of another version; they are found all the same."""
    await connection.execute(update(EVENT_DOCUMENTS).values(version=0))


async def count_lacking(connection: AsyncConnection) -> int:
    """How many documents are to be written."""
    lacking = _lacking(select(EVENTS.c.event_id)).subquery()
    return await connection.scalar(select(func.count()).select_from(lacking)) or 0


async def prepare(connection: AsyncConnection, after: Place | None) -> Prepared | None:
    """Make the documents of the next events that lack theirs."""
    query = _lacking(select(EVENTS.c.start_ns, EVENTS.c.event_id))
    if after is not None:
        last = tuple_(literal(after[0], BigInteger), literal(after[1], KEY_TEXT))
        query = query.where(tuple_(EVENTS.c.start_ns, EVENTS.c.event_id) > last)
    query = query.order_by(EVENTS.c.start_ns, EVENTS.c.event_id).limit(BATCH)
    found = (await connection.execute(query)).all()
    if not found:
        return None
    built: list[Built] = []
    for chunk in chunks([event_id for _, event_id in found]):
        built += map(documents.build, await documents.read_sources(connection, chunk))
    start_ns, event_id = found[-1]
    return Prepared(tuple(built), (start_ns, event_id))


async def store(connection: AsyncConnection, kind: Kind, built: Sequence[Built]) -> None:
    """Write documents, but for those of events that have one of this version or are gone."""
    made = {str(one.document["event_id"]): one for one in built}
    event_ids = sorted(made)
    for chunk in chunks(event_ids):
        await documents.lock_events(connection, kind, chunk)
    wanted: list[str] = []
    for chunk in chunks(event_ids):
        lacking = _lacking(select(EVENTS.c.event_id)).where(EVENTS.c.event_id.in_(chunk))
        wanted += (await connection.execute(lacking)).scalars()
    for chunk in chunks(wanted):
        await documents.drop_documents(connection, EVENT_DOCUMENTS.c.event_id.in_(chunk))
    await documents.write_documents(connection, kind, [made[event_id] for event_id in wanted])


def _lacking(query: Select[Any]) -> Select[Any]:
    """Only events that are shown and have no document of this version."""
    return (
        query.select_from(EVENTS)
        .outerjoin(EVENT_DOCUMENTS, EVENT_DOCUMENTS.c.event_id == EVENTS.c.event_id)
        .outerjoin(RUNS, RUNS.c.run_id == EVENTS.c.run_id)
        .where(
            RUNS.c.superseded_by.is_(None),
            or_(
                EVENT_DOCUMENTS.c.version.is_(None),
                EVENT_DOCUMENTS.c.version != documents.VERSION,
            ),
        )
    )


@asynccontextmanager
async def second_process(address: Address) -> AsyncIterator[Prepare]:
    """Prepare in a process of its own, with connections of its own."""
    # A forked one would have this one's threads and connections half.
    pool = ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))

    async def elsewhere(after: Place | None) -> Prepared | None:
        return await asyncio.get_running_loop().run_in_executor(pool, _prepare, address, after)

    try:
        yield elsewhere
    finally:
        # It may be at work still, when this one was ended before its time.
        await asyncio.to_thread(pool.shutdown, cancel_futures=True)


def _prepare(address: Address, after: Place | None) -> Prepared | None:
    async def read() -> Prepared | None:
        engine = address.async_engine(_LOCK_TIMEOUT_S)
        try:
            async with engine.connect() as connection:
                return await prepare(connection, after)
        finally:
            await engine.dispose()

    return asyncio.run(read())
