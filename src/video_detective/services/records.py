"""Events as the interfaces give them: the shapes of the specification's sources.

``event_type`` is the name that the source uses (越線, 闖入 …); ``type`` is the stable key.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any
from zoneinfo import ZoneInfo

from video_detective.narration.measures import Measure, asked, fact_name, measured, measures
from video_detective.narration.template import event_name, moment_text
from video_detective.pipeline.clip_times import clip_times
from video_detective.rules import Moment, Scene, Tripwire, Zone
from video_detective.services.times import rfc3339, time_range
from video_detective.services.workspace import Places
from video_detective.storage import EvidenceRow, NarrationRow, StoredEvent


def picture_link(event_id: str, frame_id: str, *, annotated: bool = True) -> str:
    """Address of a picture in an event's evidence; drawings show that event's rule."""
    return f"/frames/{event_id}/{frame_id}{'_boxes' if annotated else ''}.jpg"


def frame_links(stored: StoredEvent) -> list[str]:
    """Addresses of the event's annotated pictures in order of time."""
    return [
        picture_link(stored.event.event_id, row.frame_id)
        for row in stored.evidence
        if row.kind == "annotated" and row.frame_id
    ]


def clip_link(stored: StoredEvent) -> str | None:
    """Address of the event's clip, if there is one."""
    has_clip = any(row.kind == "clip" for row in stored.evidence)
    return f"/frames/{stored.event.event_id}.mp4" if has_clip else None


def event_record(stored: StoredEvent, scene: Scene) -> dict[str, Any]:
    """The ``event_record`` of the specification; times in the camera's zone with offset."""
    event, zone = stored.event, ZoneInfo(scene.timezone)
    return {
        "event_id": event.event_id,
        "camera_id": event.camera_id,
        "start_time": rfc3339(event.start_ns, zone),
        "end_time": None if event.end_ns is None else rfc3339(event.end_ns, zone),
        "timezone": scene.timezone,
        "event_type": event_name(event.type, "zh-TW"),
        "type": event.type,
        "type_en": event_name(event.type, "en"),
        "actors": [
            {"track_id": actor.track_id, "type": actor.type, "notes": actor.role}
            for actor in event.actors
        ],
        "evidence": [_evidence(moment, stored, scene) for moment in event.moments],
        "risk_level": event.risk_level,
        "search_keywords_zh": list(stored.keywords_zh),
        "summary_zh": stored.summary_zh,
        "summary_en": stored.summary_en,
        "summary_by": "template",
        "narration": narration_record(stored.narration),
        "frame_links": frame_links(stored),
        "clip_link": clip_link(stored),
        "clip_spans": _clip_spans(stored, zone),
        "rule_id": event.rule_id,
        "zone": event.zone,
        "zone_name": _name(event.zone, scene.zones),
        "tripwire": event.tripwire,
        "tripwire_name": _name(event.tripwire, scene.tripwires),
        "established_time": rfc3339(event.established_ns, zone),
        "facts": dict(event.facts),
        "parameters": dict(event.parameters),
        "measures": [_measure(measure, zone) for measure in measures(event)],
        "media": [_media(row, zone) for row in (*stored.evidence, *stored.deleted_evidence)],
        "is_kept": stored.is_kept,
        "media_deleted_time": None
        if stored.media_deleted_ns is None
        else rfc3339(stored.media_deleted_ns, zone),
    }


def narration_record(narration: NarrationRow | None) -> dict[str, Any] | None:
    """What a model wrote of an event, or that it is asked to; None when it never was."""
    if narration is None:
        return None
    return {
        "status": narration.status,
        "text": narration.text,
        "language": narration.language,
        "model": narration.model,
        "level": narration.level,
        "reason": narration.reason,
        "flags": list(narration.flags),
        "result": None if narration.result is None else dict(narration.result),
    }


def _clip_spans(stored: StoredEvent, zone: ZoneInfo) -> list[dict[str, str]]:
    clip = next((row for row in stored.evidence if row.kind == "clip"), None)
    spans = () if clip is None else clip_times(stored.event, clip.time_ns)
    return [
        {"start_time": rfc3339(start, zone), "end_time": rfc3339(end, zone)} for start, end in spans
    ]


def _measure(measure: Measure, zone: ZoneInfo) -> dict[str, Any]:
    limit = measure.limit
    return {
        "rule_id": measure.rule_id,
        "key": measure.key,
        "name": fact_name(measure.key, "zh-TW"),
        "name_en": fact_name(measure.key, "en"),
        "value": measure.value,
        "unit": measure.unit,
        "text": measured(measure, "zh-TW", zone),
        "text_en": measured(measure, "en", zone),
        "limit": limit
        and {
            **asdict(limit),
            "text": asked(measure, "zh-TW", zone),
            "text_en": asked(measure, "en", zone),
        },
    }


def _name(key: str | None, places: Iterable[Zone | Tripwire]) -> str | None:
    return next((place.name for place in places if place.id == key), key)


def _evidence(moment: Moment, stored: StoredEvent, scene: Scene) -> dict[str, Any]:
    zone = ZoneInfo(scene.timezone)
    frame_id = next(
        (r.frame_id for r in stored.evidence if r.frame_id and r.time_ns == moment.time_ns), None
    )
    return {
        "timestamp": rfc3339(moment.time_ns, zone),
        "what": moment_text(moment, stored.event, "zh-TW", scene=scene),
        "what_en": moment_text(moment, stored.event, "en", scene=scene),
        "key": moment.what,
        "track_ids": list(moment.track_ids),
        "frame_id": frame_id,
        "frame_link": picture_link(stored.event.event_id, frame_id) if frame_id else None,
    }


def _media(row: EvidenceRow, zone: ZoneInfo) -> dict[str, Any]:
    return {
        "kind": row.kind,
        "timestamp": rfc3339(row.time_ns, zone),
        "media_type": row.media_type,
        "sha256": row.sha256,
        "bytes": row.bytes,
        "width": row.width,
        "height": row.height,
    }


def timeline_entry(stored: StoredEvent, scene: Scene) -> dict[str, Any]:
    """One entry of the search answer's ``timeline``."""
    event, zone = stored.event, ZoneInfo(scene.timezone)
    return {
        "event_id": event.event_id,
        "camera_id": event.camera_id,
        "time_range": time_range(event.start_ns, event.end_ns, zone),
        "start_time": rfc3339(event.start_ns, zone),
        "end_time": None if event.end_ns is None else rfc3339(event.end_ns, zone),
        "event_type": event_name(event.type, "zh-TW"),
        "type": event.type,
        "type_en": event_name(event.type, "en"),
        "risk_level": event.risk_level,
        "description": stored.summary_zh,
        "description_en": stored.summary_en,
        "evidence": [
            f"{rfc3339(m.time_ns, zone)[11:19]} {moment_text(m, event, 'zh-TW', scene=scene)}"
            for m in event.moments
        ][:3],
        "frame_links": frame_links(stored),
        "narration": narration_record(stored.narration),
    }


def coverage_records(
    spans: Mapping[str, list[tuple[int, int]]], places: Places
) -> list[dict[str, str]]:
    """Recorded spans by camera as RFC 3339."""
    return [
        {
            "camera_id": camera,
            "start_time": rfc3339(start, places.zone(camera)),
            "end_time": rfc3339(end, places.zone(camera)),
        }
        for camera, rows in spans.items()
        for start, end in rows
    ]
