"""The documents that are searched: written in the transaction of what they are made from.

An event that can be found has exactly one document; it holds the event's own words, a model's
words about it, and the words of its described frames, so that one look at the index finds an event
by any of them together. Events of superseded analyses have none. Of events with described frames
the parts are kept too, which tell whose words were found.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import Literal

from sqlalchemy import ColumnElement, RowMapping, case, delete, insert, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from video_detective.geometry import NS_PER_S
from video_detective.rules.base import Actor, Event
from video_detective.search.document import event_document, frame_document
from video_detective.storage import fulltext
from video_detective.storage.dialects import Insert, insert_into
from video_detective.storage.reading import chunks
from video_detective.storage.rows import RowValues
from video_detective.storage.tables import (
    CAMERAS,
    DOCUMENT_PARTS,
    EVENT_DOCUMENTS,
    EVENTS,
    EVIDENCE,
    FRAMES,
    NARRATIONS,
    RUNS,
)

Kind = Literal["sqlite", "postgresql"]

LONG_NS = 3600 * NS_PER_S
"""Events that held longer are looked for apart when a period is asked for."""

VERSION = 1
"""Of what documents are made of and how; raise it when either changes. ``Database.reindex`` writes
anew those of another version."""

MOMENT = 1 << 20
"""Document ids of the same moment: events that begin within the same 2^20 ns (a millisecond)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribedFrame:
    """A frame of an event's evidence that somebody described.

    Args:
        frame_id: Which frame.
        classes: Of what was detected in it.
        words: What is said about it.
    """

    frame_id: str
    classes: tuple[str, ...]
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What an event's document is made from.

    Args:
        event: The event, without its moments and parameters.
        imported: Found elsewhere: without an end it is taken for an instant.
        summary_zh, summary_en, keywords_zh: Its words.
        told: A model's words about it.
        names: Of its camera, zone and tripwire; of imported ones what their evidence shows, too,
            which is free text there.
        frames: In order of id.
    """

    event: Event
    imported: bool
    summary_zh: str
    summary_en: str
    keywords_zh: tuple[str, ...]
    told: str
    names: tuple[str, ...]
    frames: tuple[DescribedFrame, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """The rows of a document: ``document`` lacks its id; ``parts`` of ``DOCUMENT_PARTS``."""

    document: RowValues
    parts: tuple[RowValues, ...]


def moment_of(time_ns: int) -> int:
    """The smallest document id of events that begin then; also of any id of its moment."""
    return time_ns - time_ns % MOMENT


def _document_id(document: RowValues, attempt: int) -> int:
    event_id = str(document["event_id"]).encode(errors="surrogatepass")
    mark = int.from_bytes(hashlib.blake2b(event_id, digest_size=4).digest(), "big") + attempt
    return moment_of(document["start_ns"]) + mark % MOMENT


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
            .where(EVIDENCE.c.frame_id.in_(chunk), _IS_DESCRIBED)
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
    left = [document.document for document in built]
    attempt = 0
    while left:
        values = [row | {"document_id": _document_id(row, attempt)} for row in left]
        # In this order SQLite's index takes them all in one piece.
        values.sort(key=lambda row: row["document_id"])
        written = await connection.execute(_insert_document(kind), values)
        if written.rowcount == len(values):
            break
        # Two of the same millisecond met at one number: the later one tries the next.
        there: set[str] = set()
        for chunk in chunks([row["event_id"] for row in left]):
            own = EVENT_DOCUMENTS.c.event_id
            there.update((await connection.execute(select(own).where(own.in_(chunk)))).scalars())
        left = [row for row in left if row["event_id"] not in there]
        attempt += 1
    parts = [part for document in built for part in document.parts]
    if parts:
        await connection.execute(insert(DOCUMENT_PARTS), parts)


@cache
def _insert_document(kind: Kind) -> Insert:
    return insert_into(EVENT_DOCUMENTS, kind).on_conflict_do_nothing(index_elements=["document_id"])


_SOURCES = (
    select(
        *(
            column
            for column in EVENTS.columns
            if column.name not in {"moments", "parameters", "first_frame", "last_frame"}
        ),
        # Of others they hold keys, not words.
        case((EVENTS.c.run_id.is_(None), EVENTS.c.moments)).label("moments"),
        NARRATIONS.c.text.label("told"),
    )
    .select_from(EVENTS)
    .outerjoin(NARRATIONS, NARRATIONS.c.event_id == EVENTS.c.event_id)
    .outerjoin(RUNS, RUNS.c.run_id == EVENTS.c.run_id)
    .where(RUNS.c.superseded_by.is_(None))
)
_IS_DESCRIBED = or_(FRAMES.c.summary_zh != "", FRAMES.c.vlm_json.is_not(None))


async def read_sources(connection: AsyncConnection, event_ids: Sequence[str]) -> list[Source]:
    """What the documents of these events are to be made from; superseded events are left out.

    Args:
        connection: Any.
        event_ids: Of as many as ``chunks`` gives at once.
    """
    found = await connection.execute(_SOURCES.where(EVENTS.c.event_id.in_(event_ids)))
    events = found.mappings().all()
    shown = (
        select(EVIDENCE.c.event_id, FRAMES)
        .join(FRAMES, FRAMES.c.frame_id == EVIDENCE.c.frame_id)
        .where(EVIDENCE.c.event_id.in_(event_ids), _IS_DESCRIBED)
        .order_by(FRAMES.c.frame_id)
    )
    frames: dict[str, dict[str, DescribedFrame]] = {}
    for row in (await connection.execute(shown)).mappings():
        frames.setdefault(row["event_id"], {})[row["frame_id"]] = _described(row)
    cameras = select(CAMERAS).where(CAMERAS.c.camera_id.in_({row["camera_id"] for row in events}))
    known = {row["camera_id"]: row for row in (await connection.execute(cameras)).mappings()}
    return [
        Source(
            event=_event(row),
            imported=row["run_id"] is None,
            summary_zh=row["summary_zh"],
            summary_en=row["summary_en"],
            keywords_zh=tuple(row["keywords_zh"]),
            told=row["told"] or "",
            names=_names(row, known.get(row["camera_id"])),
            frames=tuple(frames.get(row["event_id"], {}).values()),
        )
        for row in events
    ]


def _event(row: RowMapping) -> Event:
    return Event(
        event_id=row["event_id"],
        camera_id=row["camera_id"],
        type=row["type"],
        risk_level=row["risk_level"],
        rule_id=row["rule_id"],
        zone=row["zone"],
        tripwire=row["tripwire"],
        start_ns=row["start_ns"],
        established_ns=row["established_ns"],
        end_ns=row["end_ns"],
        frames=(0, 0),
        actors=tuple(Actor(**actor) for actor in row["actors"]),
        facts=row["facts"],
    )


def _names(event: RowMapping, camera: RowMapping | None) -> tuple[str, ...]:
    names: list[str] = []
    if camera is not None:
        names.append(str(camera["name"]))
        for places, key in (("zones", event["zone"]), ("tripwires", event["tripwire"])):
            place = camera["document"].get(places, {}).get(key)
            names += [str(place.get("name") or "")] if isinstance(place, Mapping) else []
    if event["run_id"] is None:
        names += [str(moment["what"]) for moment in event["moments"]]
    return tuple(dict.fromkeys(name for name in names if name))


_SAID = ("scene_summary", "entities", "actions", "suspicious_reasons", "summary_zh")
"""Fields of a model's answer about a frame; not ``unsure``: that is what it did not see."""


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _strings(inner)
    elif isinstance(value, Sequence):
        for inner in value:
            yield from _strings(inner)


def _described(row: RowMapping) -> DescribedFrame:
    answer = row["vlm_json"] or {}
    said = [row["summary_zh"], *(word for key in _SAID for word in _strings(answer.get(key)))]
    return DescribedFrame(
        frame_id=row["frame_id"],
        classes=tuple(dict.fromkeys(str(seen["type"]) for seen in row["detections"])),
        words=tuple(dict.fromkeys(word for word in said if word)),
    )


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
    tokens = {fulltext.EVERY, fulltext.camera_token(event.camera_id)}
    for part in (own, *frames.values()):
        tokens.update(*map(fulltext.held_for, part.tokens))
    if frames:
        tokens.add(fulltext.FRAMES)
    if end_ns is None or end_ns - event.start_ns > LONG_NS:
        tokens.add(fulltext.LONG)
    return Built(
        document={
            "event_id": event.event_id,
            "start_ns": event.start_ns,
            "end_ns": end_ns,
            "version": VERSION,
            "tokens": fulltext.joined(tokens),
            # No phrase goes from one part into the next.
            "text": "\n".join(part.text for part in (own, *frames.values())),
        },
        parts=tuple(
            {
                "event_id": event.event_id,
                "frame_id": frame_id,
                "tokens": fulltext.joined(chain.from_iterable(map(fulltext.held_for, part.tokens))),
                "text": part.text,
            }
            for frame_id, part in ({"": own} | frames if frames else {}).items()
        ),
    )
