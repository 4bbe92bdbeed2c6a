"""Between the types of ``base`` and rows of ``tables``, column by column."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import RowMapping

from video_detective.rules.base import Actor, Event, Moment
from video_detective.storage.base import (
    CameraRow,
    EvidenceRow,
    FrameRow,
    NarrationRow,
    PointRow,
    RunKey,
    RunRow,
    StoredEvent,
    TrackRow,
)
from video_detective.tracking.base import Track

RowValues = dict[str, Any]
"""Column names and values, as SQLAlchemy takes them."""


def camera_values(camera: CameraRow) -> RowValues:
    """The row of a camera."""
    return {
        "camera_id": camera.camera_id,
        "name": camera.name,
        "timezone": camera.timezone,
        "document": dict(camera.document),
    }


def camera_from(row: RowMapping) -> CameraRow:
    """The camera of a row."""
    return CameraRow(
        camera_id=row["camera_id"],
        name=row["name"],
        timezone=row["timezone"],
        document=row["document"],
    )


def run_from(row: RowMapping) -> RunRow:
    """The analysis of a row."""
    return RunRow(
        run_id=row["run_id"],
        key=RunKey(
            camera_id=row["camera_id"],
            fingerprint=row["fingerprint"],
            settings_hash=row["settings_hash"],
        ),
        done=row["done"],
        start_ns=row["start_ns"],
        info=row["info"],
        progress=row["progress"],
        report=row["report"],
        superseded_by=row["superseded_by"],
    )


def frame_values(frame: FrameRow, run_id: int | None) -> RowValues:
    """The row of a frame."""
    return {
        "frame_id": frame.frame_id,
        "camera_id": frame.camera_id,
        "run_id": run_id,
        "time_ns": frame.time_ns,
        "frame": frame.frame,
        "width": frame.size[0],
        "height": frame.size[1],
        "view": frame.view,
        "cut": frame.cut,
        "detections": list(frame.detections),
        "image_sha256": frame.image_sha256,
        "annotated_sha256": frame.annotated_sha256,
        "vlm_json": frame.vlm_json,
        "summary_zh": frame.summary_zh,
    }


def frame_from(row: RowMapping) -> FrameRow:
    """The frame of a row."""
    return FrameRow(
        frame_id=row["frame_id"],
        camera_id=row["camera_id"],
        time_ns=row["time_ns"],
        frame=row["frame"],
        size=(row["width"], row["height"]),
        detections=tuple(row["detections"]),
        view=row["view"],
        cut=row["cut"],
        image_sha256=row["image_sha256"],
        annotated_sha256=row["annotated_sha256"],
        vlm_json=row["vlm_json"],
        summary_zh=row["summary_zh"],
    )


def track_values(track: TrackRow, camera_id: str, run_id: int) -> RowValues:
    """The row of a track."""
    return {
        "camera_id": camera_id,
        "track_id": track.track_id,
        "run_id": run_id,
        "type": track.type,
        "first_ns": track.first_ns,
        "last_ns": track.last_ns,
        "best_conf": float(track.best_conf),
    }


def track_from(row: RowMapping) -> TrackRow:
    """The track of a row."""
    return TrackRow(
        track_id=row["track_id"],
        type=row["type"],
        first_ns=row["first_ns"],
        last_ns=row["last_ns"],
        best_conf=row["best_conf"],
    )


def point_values(point: PointRow, camera_id: str, run_id: int) -> RowValues:
    """The row of a track in one frame; numpy's floats become plain ones."""
    x1, y1, x2, y2 = point.track.bbox
    return {
        "camera_id": camera_id,
        "time_ns": point.time_ns,
        "track_id": point.track.track_id,
        "run_id": run_id,
        "frame": point.frame,
        "type": point.track.type,
        "conf": float(point.track.conf),
        "x1": float(x1),
        "y1": float(y1),
        "x2": float(x2),
        "y2": float(y2),
    }


def point_from(row: RowMapping) -> PointRow:
    """The track in one frame of a row."""
    return PointRow(
        time_ns=row["time_ns"],
        frame=row["frame"],
        track=Track(
            track_id=row["track_id"],
            type=row["type"],
            conf=row["conf"],
            bbox=(row["x1"], row["y1"], row["x2"], row["y2"]),
        ),
        run_id=row["run_id"],
    )


def event_values(stored: StoredEvent, run_id: int | None) -> RowValues:
    """The row of an event."""
    event = stored.event
    return {
        "event_id": event.event_id,
        "camera_id": event.camera_id,
        "run_id": run_id,
        "type": event.type,
        "risk_level": event.risk_level,
        "rule_id": event.rule_id,
        "zone": event.zone,
        "tripwire": event.tripwire,
        "start_ns": event.start_ns,
        "established_ns": event.established_ns,
        "end_ns": event.end_ns,
        "first_frame": event.frames[0],
        "last_frame": event.frames[1],
        "actors": [
            {"track_id": actor.track_id, "type": actor.type, "role": actor.role}
            for actor in event.actors
        ],
        "moments": [_moment_values(moment) for moment in event.moments],
        "facts": dict(event.facts),
        "parameters": dict(event.parameters),
        "summary_zh": stored.summary_zh,
        "summary_en": stored.summary_en,
        "keywords_zh": list(stored.keywords_zh),
    }


def event_from(
    row: RowMapping, evidence: Iterable[EvidenceRow], narration: NarrationRow | None
) -> StoredEvent:
    """The event of a row, with its evidence and narration."""
    return StoredEvent(
        event=Event(
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
            frames=(row["first_frame"], row["last_frame"]),
            actors=tuple(Actor(**actor) for actor in row["actors"]),
            moments=tuple(_moment_from(moment) for moment in row["moments"]),
            facts=row["facts"],
            parameters=row["parameters"],
        ),
        summary_zh=row["summary_zh"],
        summary_en=row["summary_en"],
        keywords_zh=tuple(row["keywords_zh"]),
        run_id=row["run_id"],
        evidence=tuple(evidence),
        narration=narration,
    )


def narration_values(narration: NarrationRow) -> RowValues:
    """The row of a narration."""
    return {
        "event_id": narration.event_id,
        "status": narration.status,
        "requested_ns": narration.requested_ns,
        "finished_ns": narration.finished_ns,
        "language": narration.language,
        "level": narration.level,
        "reason": narration.reason,
        "model": narration.model,
        "prompts": dict(narration.prompts),
        "text": narration.text,
        "result": narration.result,
        "flags": list(narration.flags),
        "raw_text": narration.raw_text,
        "usage": dict(narration.usage),
        "attempts": narration.starts,
        "worker": narration.worker,
    }


def narration_from(row: RowMapping) -> NarrationRow:
    """The narration of a row."""
    values = {**row, "flags": tuple(row["flags"])}
    return NarrationRow(starts=values.pop("attempts"), **values)


def _moment_values(moment: Moment) -> RowValues:
    return {
        "time_ns": moment.time_ns,
        "frame": moment.frame,
        "what": moment.what,
        "track_ids": list(moment.track_ids),
        "foot": None if moment.foot is None else [float(v) for v in moment.foot],
    }


def _moment_from(values: RowValues) -> Moment:
    foot = values["foot"]
    return Moment(
        time_ns=values["time_ns"],
        frame=values["frame"],
        what=values["what"],
        track_ids=tuple(values["track_ids"]),
        foot=None if foot is None else (foot[0], foot[1]),
    )


def evidence_values(evidence: EvidenceRow, event_id: str) -> RowValues:
    """The row of a piece of evidence."""
    return {
        "event_id": event_id,
        "kind": evidence.kind,
        "time_ns": evidence.time_ns,
        "what": evidence.what,
        "frame": evidence.frame,
        "frame_id": evidence.frame_id,
        "sha256": evidence.sha256,
        "media_type": evidence.media_type,
        "bytes": evidence.bytes,
        "width": evidence.width,
        "height": evidence.height,
    }


def evidence_from(row: RowMapping) -> EvidenceRow:
    """The piece of evidence of a row."""
    return EvidenceRow(
        kind=row["kind"],
        what=row["what"],
        time_ns=row["time_ns"],
        frame=row["frame"],
        sha256=row["sha256"],
        media_type=row["media_type"],
        bytes=row["bytes"],
        width=row["width"],
        height=row["height"],
        frame_id=row["frame_id"],
    )
