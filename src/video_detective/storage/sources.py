"""What search documents are made from, as it is stored."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import (
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

from video_detective.storage.service_tables import INSIGHTS
from video_detective.storage.tables import (
    CAMERAS,
    EVENT_DOCUMENTS,
    EVENTS,
    EVIDENCE,
    FRAMES,
    NARRATIONS,
    RUNS,
)


class StoredActor(NamedTuple):
    """Of an ``Actor``."""

    track_id: str
    type: str


class StoredFacts(NamedTuple):
    """Of an ``Event``; a tuple, as making one takes a tenth of the time."""

    event_id: str
    camera_id: str
    type: str
    risk_level: str
    rule_id: str
    zone: str | None
    tripwire: str | None
    start_ns: int
    end_ns: int | None
    actors: tuple[StoredActor, ...]
    facts: Mapping[str, Any]
    """At most the parts."""


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
        event: What is read of the event.
        imported: Found elsewhere: without an end it is taken for an instant.
        summary_zh, summary_en, keywords_zh: Its words.
        told: Models' words about it: of its narration, and of its alerts' insights.
        names: Of its camera, zone and tripwire; of imported ones what their evidence shows, too,
            which is free text there.
        frames: In order of id.
    """

    event: StoredFacts
    imported: bool
    summary_zh: str
    summary_en: str
    keywords_zh: tuple[str, ...]
    told: str
    names: tuple[str, ...]
    frames: tuple[DescribedFrame, ...]


_SOURCES = (
    select(
        EVENTS.c.event_id,
        EVENTS.c.camera_id,
        EVENTS.c.type,
        EVENTS.c.risk_level,
        EVENTS.c.rule_id,
        EVENTS.c.zone,
        EVENTS.c.tripwire,
        EVENTS.c.start_ns,
        EVENTS.c.end_ns,
        # As they are written: parsing all JSON takes longer than making the documents.
        *(cast(column, Text) for column in (EVENTS.c.actors, EVENTS.c.facts, EVENTS.c.keywords_zh)),
        EVENTS.c.run_id,
        EVENTS.c.summary_zh,
        EVENTS.c.summary_en,
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
    said = (
        select(INSIGHTS.c.event_id, INSIGHTS.c.vlm_summary)
        .join(EVENTS, EVENTS.c.event_id == INSIGHTS.c.event_id)
        .where(of, INSIGHTS.c.described_by == "model")
        .order_by(INSIGHTS.c.number)
    )
    insights: dict[str, list[str]] = {}
    for event_id, words in connection.execute(said):
        insights.setdefault(event_id, []).append(words or "")
    cameras = select(CAMERAS).where(CAMERAS.c.camera_id.in_({row.camera_id for row in rows}))
    known = {camera["camera_id"]: camera for camera in connection.execute(cameras).mappings()}
    names: dict[tuple[str | None, ...], tuple[str, ...]] = {}
    sources: list[Source] = []
    for row in rows:
        *known_facts, actors, facts, keywords, run_id, zh, en, moments, told = row
        event_id, camera_id, _, _, _, *place, _, _ = known_facts
        where = (camera_id, *place)
        if where not in names:
            names[where] = _names(known.get(camera_id), *place)
        shows = [str(moment["what"]) for moment in moments] if run_id is None else []
        actors = tuple([StoredActor(a["track_id"], a["type"]) for a in json.loads(actors)])
        facts = json.loads(facts) if '"parts"' in facts else {}
        sources.append(
            Source(
                event=StoredFacts._make((*known_facts, actors, facts)),
                imported=run_id is None,
                summary_zh=zh,
                summary_en=en,
                keywords_zh=_keywords(keywords),
                # Of two alerts of an event a model may well say the very same.
                told="\n".join(_each_once(told or "", *insights.get(event_id, ()))),
                names=_each_once(*names[where], *shows) if shows else names[where],
                frames=tuple(frames[event_id].values()) if event_id in frames else (),
            )
        )
    return sources


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
