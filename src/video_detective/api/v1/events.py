"""``/api/v1/events``: what happened, with facts, pictures and clips."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from functools import partial
from typing import IO, Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Security
from fastapi.responses import Response, StreamingResponse
from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_camel
from starlette.types import Receive, Scope, Send

from video_detective.api.envelope import PageQuery, Wire, answer, caller_of, page_of, responses
from video_detective.narration.catalogue import Language
from video_detective.pipeline.clip_times import clip_times
from video_detective.pipeline.clock import now_ns
from video_detective.services import event_pages
from video_detective.services.access import Caller
from video_detective.services.evidence_package import package
from video_detective.services.media_links import MediaLinks, signed
from video_detective.services.records import event_record
from video_detective.services.retention import keep_event
from video_detective.services.times import utc_text
from video_detective.services.workspace import Places, Workspace
from video_detective.storage import EvidenceRow, StoredEvent

Reader = Annotated[Caller, Security(caller_of, scopes=["analytics:read"])]
Writer = Annotated[Caller, Security(caller_of, scopes=["analytics:write"])]
EventId = Annotated[str, Path(alias="id", max_length=200, description="The event's id")]
Risk = Literal["low", "medium", "high", "critical"]
EventType = Literal[
    "line_crossing", "intrusion", "loitering", "pacing", "abandoned_object", "crowding", "metric",
    "wrong_way", "speed", "post_left", "camera_tampered",
]  # fmt: skip
_CHUNK = 1 << 16
_SUFFIXES = {"image/jpeg": ".jpg", "video/mp4": ".mp4"}
_EXAMPLE: dict[str, Any] = {
    "eventId": "evt_20260115_cam-3f9a1b2c4d5e_0001",
    "deviceId": "0199a2c4-5d10-7c3e-9f00-2b1a6c7d8e90",
    "sceneId": "0199a2c4-5d11-7000-8000-000000000001",
    "cameraId": "cam-3f9a1b2c4d5e",
    "startTime": "2026-01-15T14:00:10Z",
    "endTime": "2026-01-15T14:00:16Z",
    "establishedTime": "2026-01-15T14:00:11Z",
    "timezone": "Asia/Taipei",
    "eventType": "闖入禁區",
    "type": "intrusion",
    "typeEn": "Intrusion",
    "riskLevel": "high",
    "ruleId": "yard",
    "zone": "back_door",
    "zoneName": "後門禁入區",
    "tripwire": None,
    "tripwireName": None,
    "actors": [{"trackId": "p06", "type": "person", "notes": ""}],
    "evidence": [],
    "searchKeywordsZh": ["闖入", "後門"],
    "summaryZh": "一人進入後門禁入區，停留 6 秒。",
    "summaryEn": "A person entered the back door zone and stayed for 6 s.",
    "summaryBy": "template",
    "narration": None,
    "frameLinks": [],
    "clipLink": None,
    "clipSpans": [],
    "isKept": False,
    "mediaDeletedAt": None,
    "facts": {"dwell_s": 6.0},
    "parameters": {"id": "yard", "enter_s": 1.0},
    "measures": [
        {
            "ruleId": "yard",
            "key": "dwell_s",
            "name": "停留時間",
            "nameEn": "Stay",
            "value": 6.0,
            "unit": "s",
            "text": "6 秒",
            "textEn": "6 s",
            "limit": {
                "key": "enter_s",
                "value": 1.0,
                "comparison": "at_least",
                "text": "至少 1 秒",
                "textEn": "at least 1 s",
            },
        }
    ],
    "media": [],
}


class Actor(Wire):
    """Who took part."""

    track_id: str
    type: str
    notes: str


class Evidence(Wire):
    """A moment of the event, with its picture where one is kept."""

    timestamp: str
    what: str
    what_en: str
    key: str
    track_ids: list[str]
    frame_id: str | None
    frame_link: str | None


class MediaFile(Wire):
    """A kept file, its hash and a link that opens it for some minutes; null: it was deleted."""

    kind: Literal["original", "annotated", "clip"]
    timestamp: str
    media_type: str
    sha256: str
    bytes: int
    width: int
    height: int
    link: str | None


class Narration(Wire):
    """What a model wrote of an event; the facts do not depend on it."""

    status: Literal["pending", "done", "failed"]
    text: str
    language: str
    model: str | None
    level: str | None
    reason: str | None
    flags: list[str]
    result: dict[str, Any] | None


class ClipSpan(Wire):
    """A stretch that a clip shows. It shows them one after the other, from its time 0 on."""

    start_time: str
    end_time: str


class Limit(Wire):
    """What a rule asks of a measure: to be ``comparison`` ``value``, its parameter ``key``."""

    key: str
    value: float
    comparison: Literal["at_least", "at_most", "over", "under", "equal"]
    text: str
    text_en: str


class Measure(Wire):
    """A fact with its unit and what the rule asks of it, as data and in words.

    Pixels are those of a picture 720 high; ``time`` is RFC 3339 in UTC; ``share`` is 0..1 of the
    picture.
    """

    rule_id: str
    key: str
    name: str
    name_en: str
    value: float | str | list[float] | list[str]
    unit: Literal["s", "px", "px_s", "deg", "count", "time", "name", "share"]
    text: str
    text_en: str
    limit: Limit | None


class Event(Wire):
    """An event with facts, evidence and hashes. ``facts`` and ``parameters`` are the rule's own.

    ``frameLinks`` and ``clipLink`` are signed: whoever has one sees that file for some minutes.
    ``isKept``: retention never deletes it. ``mediaDeletedAt``: when retention deleted its pictures
    and clip; their hashes stay.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    event_id: str
    device_id: str | None
    scene_id: str | None
    camera_id: str
    start_time: str
    end_time: str | None
    established_time: str
    timezone: str
    event_type: str
    type: str
    type_en: str
    risk_level: Risk
    rule_id: str
    zone: str | None
    zone_name: str | None
    tripwire: str | None
    tripwire_name: str | None
    actors: list[Actor]
    evidence: list[Evidence]
    search_keywords_zh: list[str]
    summary_zh: str
    summary_en: str
    summary_by: str
    narration: Narration | None
    frame_links: list[str]
    clip_link: str | None
    clip_spans: list[ClipSpan]
    is_kept: bool
    media_deleted_at: str | None
    facts: dict[str, Any]
    parameters: dict[str, Any]
    measures: list[Measure]
    media: list[MediaFile]


class EventUpdate(Wire):
    """What is not given stays as it is."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"isKept": True}]})

    is_kept: bool | None = None


class EventsQuery(PageQuery):
    """Which events: those that held at some time in [startDate, endDate)."""

    device_id: UUID | None = None
    type: EventType | None = None
    risk_level: Risk | None = None
    start_date: str | None = Field(default=None, min_length=1, max_length=40)
    end_date: str | None = Field(default=None, min_length=1, max_length=40)


class ExportQuery(Wire):
    """How an event is exported."""

    lang: Language = Field(default="zh-TW", description="Of the page to read")


def routes(workspace: Workspace) -> APIRouter:
    """The routes of events over an open workspace."""
    router = APIRouter(prefix="/api/v1/events", tags=["events"])

    @router.get("", responses=responses(list[Event], 404))
    async def list_events(
        request: Request, caller: Reader, query: Annotated[EventsQuery, Query()]
    ) -> Response:
        """Events, the newest first."""
        wanted = event_pages.EventFilter(
            device_id=None if query.device_id is None else str(query.device_id),
            types=() if query.type is None else (query.type,),
            risk_levels=() if query.risk_level is None else (query.risk_level,),
            start=query.start_date,
            end=query.end_date,
        )
        found = await event_pages.list_events(
            workspace,
            caller,
            wanted,
            limit=query.limit,
            offset=query.offset,
            cursor=query.cursor,
        )
        places, links = await _around(request, caller)
        return answer(
            request,
            [wire(stored, places, links) for stored in found.page.events],
            pagination=page_of(found.page.total, query, found.page.next_cursor),
            timezone=found.timezone if query.start_date or query.end_date else None,
        )

    @router.get("/{id}", responses=responses(Event, 404))
    async def get_event(request: Request, caller: Reader, event_id: EventId) -> Response:
        """One event; also one whose footage was analysed again since."""
        stored = await event_pages.find(workspace, caller, event_id)
        return answer(request, wire(stored, *await _around(request, caller)))

    packed = responses(Event, 404, 503)
    packed[200] = {
        "description": "A ZIP: `event.json`, `event.html`, `frames/`, `clip.mp4`, `manifest.json` "
        "and `SHA256SUMS`, as `sha256sum -c` reads it",
        "content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}},
        "headers": {"Content-Disposition": {"schema": {"type": "string"}}},
    }

    @router.get("/{id}/export", response_class=StreamingResponse, responses=packed)
    async def export_event(
        caller: Reader, event_id: EventId, query: Annotated[ExportQuery, Query()]
    ) -> Response:
        """An event's evidence as one file: record, page to read, pictures, clip, hashes.

        The same event gives the same bytes. That it was exported is in the audit log.
        """
        stored = await event_pages.find(workspace, caller, event_id)
        with ExitStack() as held:
            file = held.enter_context(
                await package(workspace.within(caller.reach), stored, query.lang)
            )
            details = {"lang": query.lang}
            entry = caller.entry("evidence.export", event_id, time_ns=now_ns(), details=details)
            await workspace.database.accounts.log([entry])
            held.pop_all()
        return _Package(file, f"evidence-{event_id}.zip")

    @router.patch("/{id}", responses=responses(Event, 404, 413, 415))
    async def update_event(
        request: Request, caller: Writer, event_id: EventId, body: EventUpdate
    ) -> Response:
        """Keep an event with its pictures however old it becomes, or no longer."""
        if body.is_kept is not None:
            await keep_event(workspace, caller, event_id, kept=body.is_kept, now_ns=now_ns())
        stored = await event_pages.find(workspace, caller, event_id)
        return answer(request, wire(stored, *await _around(request, caller)))

    async def _around(request: Request, caller: Caller) -> tuple[Places, MediaLinks]:
        places = await workspace.within(caller.reach).places()
        links = await signed(workspace, caller, str(request.base_url), now_ns=now_ns())
        return places, links

    return router


class _Package(StreamingResponse):
    """Closes its file in the end, also where nobody waits for it any more."""

    def __init__(self, file: IO[bytes], name: str) -> None:
        super().__init__(
            iter(partial(file.read, _CHUNK), b""),
            media_type="application/zip",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )
        self._file = file

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._file:
            await super().__call__(scope, receive, send)


def wire(stored: StoredEvent, places: Places, links: MediaLinks) -> dict[str, Any]:
    """An event as it is shown: its record in the interface's names and times."""
    event = stored.event
    record = event_record(stored, places.scene(event.camera_id))
    device = places.device(event.camera_id)
    pictures = {
        row.frame_id: _link(row, links) for row in stored.evidence if row.kind == "annotated"
    }
    clip = next((row for row in stored.evidence if row.kind == "clip"), None)
    opaque = {name: record.pop(name) for name in ("facts", "parameters")}
    del record["media_deleted_time"]
    shown: dict[str, Any] = _camel(record)
    shown |= opaque
    shown |= {
        "deviceId": None if device is None else device.device_id,
        "sceneId": None if device is None else device.scene_id,
        "startTime": utc_text(event.start_ns),
        "endTime": None if event.end_ns is None else utc_text(event.end_ns),
        "establishedTime": utc_text(event.established_ns),
        "frameLinks": [link for frame_id, link in pictures.items() if frame_id],
        "clipLink": None if clip is None else _link(clip, links),
        "mediaDeletedAt": None
        if stored.media_deleted_ns is None
        else utc_text(stored.media_deleted_ns),
    }
    for moment, told in zip(event.moments, shown["evidence"], strict=True):
        told["timestamp"] = utc_text(moment.time_ns)
        if told["frameLink"] is not None:
            row = next(
                row for row in stored.evidence
                if row.frame_id == told["frameId"] and row.kind != "clip"
            )  # fmt: skip
            told["frameLink"] = _link(row, links)
    if clip is not None:
        shown["clipSpans"] = [
            {"startTime": utc_text(start), "endTime": utc_text(end)}
            for start, end in clip_times(event, clip.time_ns)
        ]
    known = [(row, _link(row, links)) for row in stored.evidence]
    gone = [(row, None) for row in stored.deleted_evidence]
    for (row, link), told in zip([*known, *gone], shown["media"], strict=True):
        told |= {"timestamp": utc_text(row.time_ns), "link": link}
    if stored.narration is not None:
        result = stored.narration.result
        shown["narration"]["result"] = None if result is None else dict(result)
    return shown


def _link(row: EvidenceRow, links: MediaLinks) -> str:
    return links.link(row.sha256, _SUFFIXES[row.media_type])


def _camel(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {to_camel(key): _camel(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_camel(item) for item in value]
    return value
