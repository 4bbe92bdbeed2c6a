"""What search documents are made from, as it is stored."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    JSON,
    ColumnElement,
    Connection,
    RowMapping,
    Text,
    case,
    cast,
    or_,
    select,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from video_detective.rules.base import Actor, Event
from video_detective.storage.tables import (
    CAMERAS,
    EVENT_DOCUMENTS,
    EVENTS,
    EVIDENCE,
    FRAMES,
    NARRATIONS,
    RUNS,
)


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
        event: The event, without moments and parameters, and of its facts at most the parts.
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


def _as_text(column: ColumnElement[Any]) -> ColumnElement[str]:
    """JSON as it is written: parsing all of it takes longer than making the document."""
    return cast(column, Text).label(column.name)


_SOURCES = (
    select(
        *(
            _as_text(column) if isinstance(column.type, JSON) else column
            for column in EVENTS.columns
            if column.name not in {"moments", "parameters", "first_frame", "last_frame"}
        ),
        # Of others they hold keys, not words.
        case((EVENTS.c.run_id.is_(None), EVENTS.c.moments)).label("moments"),
        NARRATIONS.c.text.label("told"),
    )
    .select_from(EVENTS)
    .outerjoin(EVENT_DOCUMENTS, EVENT_DOCUMENTS.c.event_id == EVENTS.c.event_id)
    .outerjoin(NARRATIONS, NARRATIONS.c.event_id == EVENTS.c.event_id)
    .outerjoin(RUNS, RUNS.c.run_id == EVENTS.c.run_id)
    .where(RUNS.c.superseded_by.is_(None))
)
IS_DESCRIBED = or_(FRAMES.c.summary_zh != "", FRAMES.c.vlm_json.is_not(None))
"""Of a frame: somebody has said something about it."""


async def read_sources(connection: AsyncConnection, event_ids: Sequence[str]) -> list[Source]:
    """What the documents of these events are to be made from; superseded events are left out.

    Args:
        connection: Any.
        event_ids: Of as many as ``chunks`` gives at once.
    """
    return await connection.run_sync(sources_of, EVENTS.c.event_id.in_(event_ids))


def sources_of(
    connection: Connection, of: ColumnElement[bool], having: ColumnElement[bool] | None = None
) -> list[Source]:
    """As ``read_sources``, of the events of a condition, in order of time.

    Args:
        connection: Any.
        of: On ``EVENTS`` alone.
        having: On their documents, too, if they have any.
    """
    wanted = _SOURCES.where(of) if having is None else _SOURCES.where(of, having)
    rows = connection.execute(wanted.order_by(EVENTS.c.start_ns, EVENTS.c.event_id)).all()
    if not rows:
        return []
    shown = (
        select(EVIDENCE.c.event_id, FRAMES)
        .select_from(EVENTS)
        .join(EVIDENCE, EVIDENCE.c.event_id == EVENTS.c.event_id)
        .join(FRAMES, FRAMES.c.frame_id == EVIDENCE.c.frame_id)
        .where(of, IS_DESCRIBED)
        .order_by(FRAMES.c.frame_id)
    )
    frames: dict[str, dict[str, DescribedFrame]] = {}
    for frame in connection.execute(shown).mappings():
        frames.setdefault(frame["event_id"], {})[frame["frame_id"]] = _described(frame)
    cameras = select(CAMERAS).where(CAMERAS.c.camera_id.in_({row.camera_id for row in rows}))
    known = {camera["camera_id"]: camera for camera in connection.execute(cameras).mappings()}
    names: dict[tuple[str, str | None, str | None], tuple[str, ...]] = {}
    sources: list[Source] = []
    for row in rows:
        place = (row.camera_id, row.zone, row.tripwire)
        if place not in names:
            names[place] = _names(known.get(row.camera_id), row.zone, row.tripwire)
        is_imported = row.run_id is None
        shows = [str(moment["what"]) for moment in row.moments] if is_imported else []
        sources.append(
            Source(
                event=_event(row),
                imported=is_imported,
                summary_zh=row.summary_zh,
                summary_en=row.summary_en,
                keywords_zh=_keywords(row.keywords_zh),
                told=row.told or "",
                names=_each_once(*names[place], *shows) if shows else names[place],
                frames=tuple(frames.get(row.event_id, {}).values()),
            )
        )
    return sources


def _event(row: Any) -> Event:
    return Event(
        event_id=row.event_id,
        camera_id=row.camera_id,
        type=row.type,
        risk_level=row.risk_level,
        rule_id=row.rule_id,
        zone=row.zone,
        tripwire=row.tripwire,
        start_ns=row.start_ns,
        established_ns=row.established_ns,
        end_ns=row.end_ns,
        frames=(0, 0),
        actors=tuple([Actor(**actor) for actor in json.loads(row.actors)]),
        facts=json.loads(row.facts) if '"parts"' in row.facts else {},
    )


@lru_cache(maxsize=4096)
def _keywords(document: str) -> tuple[str, ...]:
    return tuple(json.loads(document))


def _each_once(*words: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word for word in words if word))


def _names(camera: RowMapping | None, zone: str | None, tripwire: str | None) -> tuple[str, ...]:
    if camera is None:
        return ()
    names = [str(camera["name"])]
    for places, key in (("zones", zone), ("tripwires", tripwire)):
        place = camera["document"].get(places, {}).get(key)
        names += [str(place.get("name") or "")] if isinstance(place, Mapping) else []
    return _each_once(*names)


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
