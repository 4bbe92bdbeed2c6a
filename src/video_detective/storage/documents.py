"""The documents that are searched: written in the transaction of what they are made from.

An event that can be found has exactly one document; it holds the event's own words, a model's
words about it, and the words of its described frames, so that one look at the index finds an event
by any of them together. Events of superseded analyses have none. Of events with described frames
the parts are kept too, which tell whose words were found.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple
from zlib import crc32

from sqlalchemy import ColumnElement, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from video_detective.errors import StorageError
from video_detective.geometry import NS_PER_S
from video_detective.search.document import event_document, frame_document
from video_detective.storage import fulltext
from video_detective.storage.dialects import storable_text
from video_detective.storage.reading import chunks
from video_detective.storage.sources import IS_DESCRIBED, Source, read_sources
from video_detective.storage.tables import (
    DOCUMENT_PARTS,
    EVENT_DOCUMENTS,
    EVENTS,
    EVIDENCE,
    FRAMES,
)

Kind = Literal["sqlite", "postgresql"]

LONG_NS = 3600 * NS_PER_S
"""Events that held longer are looked for apart when a period is asked for."""
DAY_NS = 24 * LONG_NS
"""And those that held longer than this apart from those."""

VERSION = 3
"""Of what documents are made of and how; raise it when either changes. ``Database.reindex`` writes
anew those of another version."""

MOMENT = 1 << 16
"""Document ids of the same moment, an eighth of a second. Both are chosen so that ids of events
that follow each other are near each other, which SQLite's index holds in fewer bytes."""
_MOMENT_BITS = 27
"""Of a time in ns: those that are the same moment's."""
_MOST_ATTEMPTS = 2000


class Part(NamedTuple):
    """A row of ``DOCUMENT_PARTS``."""

    event_id: str
    frame_id: str
    tokens: str
    text: str


class Built(NamedTuple):
    """A row of ``EVENT_DOCUMENTS`` without its id, and its parts; a tuple, as they are many."""

    event_id: str
    start_ns: int
    end_ns: int | None
    tokens: str
    text: str
    parts: tuple[Part, ...]


def moment_of(time_ns: int) -> int:
    """The smallest document id of events that begin then; a multiple of ``MOMENT``."""
    return (time_ns >> _MOMENT_BITS) * MOMENT


def _document_id(built: Built, attempt: int) -> int:
    if attempt > _MOST_ATTEMPTS:
        raise StorageError(
            f"Some {MOMENT} events begin at the very same time as '{built.event_id}'",
            remedy="Look whether what brings events knows their times",
        )
    mark = crc32(built.event_id.encode(errors="surrogatepass")) + attempt
    return moment_of(built.start_ns) + mark % MOMENT


async def index_events(connection: AsyncConnection, kind: Kind, event_ids: Iterable[str]) -> None:
    """Write the documents of events anew, from everything that is known of them now.

    Call it in the transaction that changes an event, its narration, or its frames. Events that are
    gone or superseded lose theirs.

    Args:
        connection: Inside a writing transaction.
        kind: Which database.
        event_ids: Which events; unknown ones are left out.
    """
    for chunk in chunks(sorted(set(event_ids))):
        await lock_events(connection, kind, chunk)
        sources = await read_sources(connection, chunk)
        await drop_documents(connection, EVENT_DOCUMENTS.c.event_id.in_(chunk))
        await write_documents(connection, kind, [build(source) for source in sources])


async def index_frames(connection: AsyncConnection, kind: Kind, frame_ids: Iterable[str]) -> None:
    """Write anew the documents of events that show one of these frames, where it is described."""
    for chunk in chunks(sorted(set(frame_ids))):
        shown = (
            select(EVIDENCE.c.event_id)
            .join(FRAMES, FRAMES.c.frame_id == EVIDENCE.c.frame_id)
            .where(EVIDENCE.c.frame_id.in_(chunk), IS_DESCRIBED)
        )
        await index_events(connection, kind, (await connection.execute(shown)).scalars().all())


async def index_run(connection: AsyncConnection, kind: Kind, run_id: int) -> None:
    """Write the documents of an analysis that is shown again."""
    found = select(EVENTS.c.event_id).where(EVENTS.c.run_id == run_id)
    await index_events(connection, kind, (await connection.execute(found)).scalars().all())


async def drop_runs(connection: AsyncConnection, run_ids: Sequence[int]) -> None:
    """Let the events of superseded analyses no longer be found."""
    events = select(EVENTS.c.event_id).where(EVENTS.c.run_id.in_(run_ids))
    await drop_documents(connection, EVENT_DOCUMENTS.c.event_id.in_(events))


async def drop_events(connection: AsyncConnection, event_ids: Sequence[str]) -> None:
    """Let events that are about to be deleted no longer be found."""
    await drop_documents(connection, EVENT_DOCUMENTS.c.event_id.in_(event_ids))


async def lock_events(connection: AsyncConnection, kind: Kind, event_ids: Sequence[str]) -> None:
    """Let others who write these events' documents wait until this transaction ends.

    They then read what it wrote. On SQLite there is one writer anyway.
    """
    if kind == "postgresql":
        locked = select(EVENTS.c.event_id).where(EVENTS.c.event_id.in_(event_ids))
        locked = locked.order_by(EVENTS.c.event_id).with_for_update(key_share=True)
        await connection.execute(locked)


async def drop_documents(connection: AsyncConnection, condition: ColumnElement[bool]) -> None:
    """Delete documents and their parts.

    In order of document id: SQLite's index begins a new piece with each step backwards.
    """
    columns = EVENT_DOCUMENTS.c.document_id, EVENT_DOCUMENTS.c.event_id
    found = await connection.execute(select(*columns).where(condition))
    dropped = sorted((int(document_id), str(event_id)) for document_id, event_id in found)
    for first in range(0, len(dropped), 900):
        ids, event_ids = zip(*dropped[first : first + 900], strict=True)
        one_of = EVENT_DOCUMENTS.c.document_id.in_(ids)
        await connection.execute(delete(EVENT_DOCUMENTS).where(one_of))
        parts = delete(DOCUMENT_PARTS).where(DOCUMENT_PARTS.c.event_id.in_(event_ids))
        await connection.execute(parts)


async def write_documents(connection: AsyncConnection, kind: Kind, built: Sequence[Built]) -> None:
    """Insert the documents of events that have none."""
    left, attempt = list(built), 0
    while left:
        # In this order SQLite's index takes them all in one piece.
        rows = sorted((_document_id(one, attempt), *one[:5], VERSION) for one in left)
        written = await connection.exec_driver_sql(_INSERT_DOCUMENT[kind], rows)
        there = {one.event_id for one in left}
        if written.rowcount != len(rows):
            # Two of the same moment met at one number: the later one tries the next.
            there = set()
            for chunk in chunks([one.event_id for one in left]):
                own = EVENT_DOCUMENTS.c.event_id
                found = await connection.execute(select(own).where(own.in_(chunk)))
                there.update(found.scalars())
        left = [one for one in left if one.event_id not in there]
        if kind == "sqlite" and there:
            # Not by a trigger, which would take three times as long.
            tokens = [(row[0], row[4]) for row in rows if row[1] in there]
            await connection.exec_driver_sql(_INSERT_TOKENS, tokens)
        attempt += 1
    if parts := [part._asdict() for one in built for part in one.parts]:
        await connection.execute(insert(DOCUMENT_PARTS), parts)


_INSERT_DOCUMENT = {
    "sqlite": "INSERT INTO event_documents"
    " (document_id, event_id, start_ns, end_ns, tokens, text, version)"
    " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (document_id) DO NOTHING",
    "postgresql": "INSERT INTO event_documents"
    " (document_id, event_id, start_ns, end_ns, tokens, text, version)"
    " VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT (document_id) DO NOTHING",
}
"""In the drivers' words: SQLAlchemy would take as long over the values as SQLite over the rows."""
_INSERT_TOKENS = "INSERT INTO event_index (rowid, tokens) VALUES (?, ?)"


def build(source: Source) -> Built:
    """The document of an event."""
    event = source.event
    own = event_document(
        event,
        summary_zh=source.summary_zh,
        summary_en=source.summary_en,
        keywords_zh=source.keywords_zh,
        told=source.told,
        names=source.names,
    )
    frames = {
        frame.frame_id: frame_document(
            camera_id=event.camera_id, classes=frame.classes, words=frame.words
        )
        for frame in source.frames
    }
    end_ns = event.start_ns if source.imported and event.end_ns is None else event.end_ns
    marks = [fulltext.EVERY, fulltext.camera_token(event.camera_id)]
    if frames:
        marks.insert(0, fulltext.FRAMES)
    if end_ns is None or end_ns - event.start_ns > LONG_NS:
        marks.append(fulltext.LONG)
    if end_ns is None or end_ns - event.start_ns > DAY_NS:
        marks.append(fulltext.DAYS)
    others = [token for part in frames.values() for token in (*part.usual, *part.own)]
    # No phrase goes from one part into the next.
    text = "\n".join([own.text, *(part.text for part in frames.values())])
    return Built(
        event_id=event.event_id,
        start_ns=event.start_ns,
        end_ns=end_ns,
        tokens=fulltext.joined(marks, own.usual, [*own.own, *others]),
        text=storable_text(text),
        parts=tuple(
            Part(
                event_id=event.event_id,
                frame_id=frame_id,
                tokens=fulltext.joined((), part.usual, part.own),
                text=part.text,
            )
            for frame_id, part in ({"": own} | frames if frames else {}).items()
        ),
    )
