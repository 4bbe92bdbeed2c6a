"""Events that other systems recorded, taken in."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from video_detective.config import Camera
from video_detective.config.base import IDENTIFIER
from video_detective.errors import UsageError
from video_detective.narration.template import event_name
from video_detective.rules import EVENT_TYPES, RISK_LEVELS, Actor, Event, Moment
from video_detective.services.times import parse_time
from video_detective.services.workspace import Workspace
from video_detective.storage import CameraRow, StoredEvent

MAX_IMPORT_BYTES = 256 << 20
_EVENT_ID = r"^[A-Za-z0-9_-]{1,160}$"


class _Actor(BaseModel):
    track_id: str = Field(max_length=64)
    type: str = Field(default="", max_length=64)
    notes: str = Field(default="", max_length=2000)


class _Evidence(BaseModel):
    timestamp: str = Field(max_length=64)
    what: str = Field(default="", max_length=2000)
    frame_id: str | None = Field(default=None, max_length=200)


class _Record(BaseModel):
    """An event_record as other systems write it; unknown fields are kept with the facts."""

    model_config = ConfigDict(extra="allow")

    event_id: str = Field(pattern=_EVENT_ID)
    camera_id: str = Field(pattern=IDENTIFIER)
    start_time: str = Field(max_length=64)
    end_time: str | None = Field(default=None, max_length=64)
    event_type: str = Field(max_length=64)
    type: str | None = None
    actors: list[_Actor] = Field(default=[], max_length=1000)
    evidence: list[_Evidence] = Field(default=[], max_length=1000)
    risk_level: str = "medium"
    search_keywords_zh: list[Annotated[str, Field(max_length=200)]] = []
    keywords_zh: list[Annotated[str, Field(max_length=200)]] = []
    summary_zh: str = Field(default="", max_length=10_000)
    summary_en: str = Field(default="", max_length=10_000)
    rule_id: str = Field(default="imported", max_length=64)
    zone: str | None = Field(default=None, max_length=64)
    tripwire: str | None = Field(default=None, max_length=64)


_RECORDS = TypeAdapter(list[_Record])


async def import_events(workspace: Workspace, path: Path, *, timezone: str) -> dict[str, int]:
    """Import a JSON array of event records; nothing is imported when one of them is wrong.

    Args:
        workspace: Where to.
        path: The file.
        timezone: Zone of times without offset, for cameras that are not known here.

    Returns:
        How many were ``new``, ``replaced``, ``unchanged`` and ``kept`` (found by an analysis here,
        which an import never overwrites).

    Raises:
        UsageError: the file, a record or the zone is wrong; the record and field are named.
    """
    places = await workspace.places()
    try:
        fallback = ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError) as cause:
        raise UsageError(
            f"{timezone!r} is no time zone", remedy="Use an IANA name such as Asia/Taipei."
        ) from cause
    records = _read(path)
    events = [
        _stored(
            record,
            places.zone(record.camera_id) if record.camera_id in places.scenes else fallback,
            f"record {index + 1} of '{path}'",
        )
        for index, record in enumerate(records)
    ]
    # A camera that is only known from elsewhere can be chosen and has a time zone from now on.
    for camera_id in sorted({record.camera_id for record in records} - set(places.scenes)):
        document = Camera(timezone=timezone).model_dump(mode="json")
        await workspace.database.save_camera(
            CameraRow(camera_id=camera_id, name=camera_id, timezone=timezone, document=document)
        )
    counts = await workspace.database.import_events(events)
    return {
        "new": counts.new,
        "replaced": counts.replaced,
        "unchanged": counts.unchanged,
        "kept": counts.kept,
    }


def _read(path: Path) -> list[_Record]:
    try:
        if path.stat().st_size > MAX_IMPORT_BYTES:
            raise UsageError(
                f"'{path}' is larger than {MAX_IMPORT_BYTES >> 20} MiB", remedy="Split the file."
            )
        content = path.read_bytes()
    except OSError as cause:
        raise UsageError(
            f"'{path}' cannot be read ({cause.strerror})", remedy="Name a readable JSON file."
        ) from cause
    try:
        return _RECORDS.validate_json(content)
    except ValidationError as cause:
        first = cause.errors()[0]
        if not first["loc"]:
            raise UsageError(
                f"'{path}' is no array of event records: {first['msg']}",
                remedy="Name a JSON file like the one that 'video-detective events --json' prints.",
            ) from cause
        index, *fields = first["loc"]
        field = ".".join(str(part) for part in fields) or "the record"
        raise UsageError(
            f"record {int(index) + 1} of '{path}': {field}: {first['msg']}",
            remedy="Correct the record; nothing was imported.",
        ) from cause


def _stored(record: _Record, zone: ZoneInfo, where: str) -> StoredEvent:
    kind = _event_type(record, where)
    if record.risk_level not in RISK_LEVELS:
        raise UsageError(
            f"{where}: risk_level {record.risk_level!r} is unknown",
            remedy=f"Use one of: {', '.join(RISK_LEVELS)}.",
        )
    start_ns = parse_time(record.start_time, zone, what=f"{where}: start_time")
    end_ns = None
    if record.end_time is not None:
        end_ns = parse_time(record.end_time, zone, what=f"{where}: end_time")
        if end_ns < start_ns:
            raise UsageError(
                f"{where}: end_time {record.end_time!r} lies before start_time",
                remedy="Correct the record.",
            )
    keywords = tuple(dict.fromkeys([*record.search_keywords_zh, *record.keywords_zh]))
    facts: dict[str, Any] = {"imported": True}
    if record.model_extra:
        facts["record"] = record.model_extra
    event = Event(
        event_id=record.event_id,
        camera_id=record.camera_id,
        type=kind,
        risk_level=record.risk_level,
        rule_id=record.rule_id,
        start_ns=start_ns,
        established_ns=start_ns,
        end_ns=end_ns,
        frames=(0, 0),
        zone=record.zone,
        tripwire=record.tripwire,
        actors=tuple(
            Actor(track_id=a.track_id, type=a.type, role=a.notes or "subject")
            for a in record.actors
        ),
        moments=tuple(
            Moment(
                time_ns=parse_time(e.timestamp, zone, what=f"{where}: evidence timestamp"),
                frame=0,
                what=e.what,
            )
            for e in record.evidence
        ),
        facts=facts,
    )
    return StoredEvent(
        event=event,
        summary_zh=record.summary_zh,
        summary_en=record.summary_en,
        keywords_zh=keywords,
    )


def _event_type(record: _Record, where: str) -> str:
    names = {key: key for key in EVENT_TYPES}
    for language in ("zh-TW", "en"):
        names |= {event_name(key, language).casefold(): key for key in EVENT_TYPES}
    for written in (record.type, record.event_type):
        if written is not None and written.casefold() in names:
            return names[written.casefold()]
    raise UsageError(
        f"{where}: event_type {record.event_type!r} is unknown",
        remedy=f"Use one of: {', '.join(event_name(key, 'zh-TW') for key in EVENT_TYPES)}.",
    )
