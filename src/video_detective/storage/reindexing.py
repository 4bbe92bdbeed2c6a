"""Writing search documents anew, in short transactions, while others write and search.

It goes through the events in order of time. Documents are made outside of the transaction that
stores them; in the meantime somebody may have changed an event. But whoever changes an event
writes its document, of this version: those are left as they are. Of many events the documents are
made by a second process (``preparing``), while this one stores those made before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    and_,
    func,
    literal,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from video_detective.storage import documents
from video_detective.storage.dialects import KEY_TEXT, upsert_into
from video_detective.storage.documents import Built
from video_detective.storage.reading import chunks
from video_detective.storage.sources import sources_of
from video_detective.storage.tables import EVENT_DOCUMENTS, EVENTS, META, RUNS

Kind = Literal["sqlite", "postgresql"]
Place = tuple[int, str]
"""Start and id of an event: how far it is."""

BATCH = 4000
"""Events of a transaction: others wait a quarter of a second for it."""
_JOINED_PAGES = 2000
"""Of the index in one transaction: a fifth of a second."""
AHEAD = 2
"""Batches that are made while one is stored."""
MANY = 5000
"""Of more events a second process makes the documents; starting one takes as long."""

_MARK_KEY = "search_index"
"""Its value in ``meta`` is the version of which all documents are; "stale" after a migration."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Events in order of time.

    Args:
        after: The last one before them; None for the first events of all.
        last: The last of them.
    """

    after: Place | None
    last: Place


class Prepare(Protocol):
    """Makes the documents of those events of a stretch that lack theirs."""

    async def __call__(self, stretch: Stretch) -> list[Built]:
        """See the class."""


async def is_stale(connection: AsyncConnection) -> bool:
    """Whether some events may lack their document, or have one of another version.

    So it is where events were there before documents were, and after an upgrade that makes
    documents otherwise: a search would find nothing and not say why.
    """
    return await connection.scalar(select(META.c.value).where(META.c.key == _MARK_KEY)) != str(
        documents.VERSION
    )


async def set_complete(connection: AsyncConnection, kind: Kind) -> None:
    """Note that every event has its document of this version."""
    await connection.execute(
        upsert_into(META, kind), {"key": _MARK_KEY, "value": str(documents.VERSION)}
    )


async def forget_versions(connection: AsyncConnection) -> None:
    """Let every document count as one of another version; they are found all the same."""
    await connection.execute(update(EVENT_DOCUMENTS).values(version=0))


async def count_lacking(connection: AsyncConnection) -> int:
    """How many documents are to be written."""
    lacking = _lacking(select(EVENTS.c.event_id)).subquery()
    return await connection.scalar(select(func.count()).select_from(lacking)) or 0


async def join_pieces(connection: AsyncConnection, kind: Kind, *, first: bool) -> bool:
    """Join some of the pieces of SQLite's index, which halves the time of searches.

    Args:
        connection: Inside a writing transaction.
        kind: Which database; PostgreSQL sees to it itself.
        first: Begin with all pieces there are; otherwise go on.

    Returns:
        Whether there is more to join: https://www.sqlite.org/fts5.html#the_merge_command
    """
    if kind == "postgresql":
        return False
    pages = -_JOINED_PAGES if first else _JOINED_PAGES
    changes = select(func.total_changes())
    before = (await connection.execute(changes)).scalar_one()
    await connection.exec_driver_sql(
        "INSERT INTO event_index (event_index, rank) VALUES ('merge', ?)", (pages,)
    )
    after = (await connection.execute(changes)).scalar_one()
    return bool(after - before >= 2)


async def next_stretch(connection: AsyncConnection, after: Place | None) -> Stretch | None:
    """The next ``BATCH`` events, or as many as there are; None when there are no more."""
    following = select(EVENTS.c.start_ns, EVENTS.c.event_id).order_by(*_PLACE).limit(BATCH)
    if after is not None:
        following = following.where(_is_behind(after))
    of_batch = following.subquery()
    last = select(of_batch).order_by(of_batch.c.start_ns.desc(), of_batch.c.event_id.desc())
    found = (await connection.execute(last.limit(1))).one_or_none()
    return None if found is None else Stretch(after, (found[0], found[1]))


def prepare(connection: Connection, stretch: Stretch) -> list[Built]:
    """Make the documents of those events of a stretch that lack theirs."""
    return [*map(documents.build, sources_of(connection, _is_of(stretch), _LACKS))]


async def store(
    connection: AsyncConnection, kind: Kind, stretch: Stretch, built: Sequence[Built]
) -> None:
    """Write documents of a stretch, but for those of events that have one of this version or are
    gone.
    """  # noqa: D205 - one sentence
    for chunk in chunks(sorted(one.event_id for one in built)):
        await documents.lock_events(connection, kind, chunk)
    columns = EVENTS.c.event_id, EVENT_DOCUMENTS.c.document_id
    lacking = await connection.execute(_lacking(select(*columns)).where(_is_of(stretch)))
    wanted = dict(map(tuple, lacking))
    outdated = [event_id for event_id, document_id in wanted.items() if document_id is not None]
    for chunk in chunks(outdated):
        await documents.drop_documents(connection, EVENT_DOCUMENTS.c.event_id.in_(chunk))
    await documents.write_documents(
        connection, kind, [one for one in built if one.event_id in wanted]
    )


_PLACE = EVENTS.c.start_ns, EVENTS.c.event_id
_LACKS = or_(EVENT_DOCUMENTS.c.version.is_(None), EVENT_DOCUMENTS.c.version != documents.VERSION)


def _is_behind(place: Place) -> ColumnElement[bool]:
    return tuple_(*_PLACE) > _literal(place)


def _is_of(stretch: Stretch) -> ColumnElement[bool]:
    until = tuple_(*_PLACE) <= _literal(stretch.last)
    return until if stretch.after is None else and_(_is_behind(stretch.after), until)


def _literal(place: Place) -> ColumnElement[Any]:
    return tuple_(literal(place[0], BigInteger), literal(place[1], KEY_TEXT))


def _lacking(query: Select[Any]) -> Select[Any]:
    """Only events that are shown and have no document of this version."""
    return (
        query.select_from(EVENTS)
        .outerjoin(EVENT_DOCUMENTS, EVENT_DOCUMENTS.c.event_id == EVENTS.c.event_id)
        .outerjoin(RUNS, RUNS.c.run_id == EVENTS.c.run_id)
        .where(RUNS.c.superseded_by.is_(None), _LACKS)
    )
