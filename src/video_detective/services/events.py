"""Events and their media, as every front end asks for them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from video_detective.errors import GoneError, MissingError, UsageError, no_such
from video_detective.rules import EVENT_TYPES
from video_detective.services.records import event_record
from video_detective.services.times import parse_time, rfc3339
from video_detective.services.workspace import Workspace
from video_detective.storage import EventQuery, EvidenceRow, StoredEvent

_NAME = r"[A-Za-z0-9_-]{1,160}"
_PICTURE = re.compile(rf"(?:(?P<event>{_NAME})/)?(?P<frame>{_NAME}?)(?P<boxes>_boxes)?\.jpg")
_TYPES = {".jpg": "image/jpeg", ".mp4": "video/mp4"}
_CLIP = re.compile(rf"(?P<event>{_NAME})\.mp4")


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """A stored file and what it is."""

    path: Path
    media_type: str


async def camera_list(workspace: Workspace) -> list[dict[str, Any]]:
    """Cameras with name, time zone, zones and tripwires (by id and name)."""
    seen = await workspace.cameras()
    return [
        {
            "camera_id": row.camera_id,
            "name": row.name,
            "timezone": row.timezone,
            "zones": {
                key: zone.get("name") or key for key, zone in row.document.get("zones", {}).items()
            },
            "tripwires": {
                key: wire.get("name") or key
                for key, wire in row.document.get("tripwires", {}).items()
            },
        }
        for row in await workspace.database.cameras()
        if seen is None or row.camera_id in seen
    ]


async def stored_event(workspace: Workspace, event_id: str) -> StoredEvent:
    """The event of that id.

    Raises:
        MissingError: there is none.
    """
    # PostgreSQL takes no NUL in a text.
    known = "\0" not in event_id
    stored = await workspace.database.event(event_id, workspace.reach) if known else None
    if stored is None:
        raise no_such("event", event_id, remedy="List them with 'video-detective events'.")
    return stored


async def find_event(workspace: Workspace, event_id: str) -> dict[str, Any]:
    """The event's record.

    Raises:
        MissingError: there is none.
    """
    stored = await stored_event(workspace, event_id)
    places = await workspace.places()
    return event_record(stored, places.scene(stored.event.camera_id))


async def find_media(workspace: Workspace, name: str) -> Media:
    """The picture or clip that an address under ``/frames/`` names.

    ``<frame_id>.jpg`` is a stored frame; ``<event_id>/<frame_id>.jpg`` and ``…_boxes.jpg`` are an
    event's evidence; ``<event_id>.mp4`` is its clip.

    Raises:
        MissingError: the name is none of ours, or nothing is stored under it.
        GoneError: retention deleted it.
    """
    sha256, suffix = await _content_of(workspace, name)
    if sha256 is not None:
        path = workspace.blobs.path(sha256, suffix)
        if path.is_file():
            return Media(path=path, media_type=_TYPES[suffix])
    raise MissingError(
        f"There is no picture or clip {name[:200]!r}",
        remedy="Take addresses from an event's frame_links and clip_link.",
    )


async def _content_of(workspace: Workspace, name: str) -> tuple[str | None, str]:
    if (clip := _CLIP.fullmatch(name)) is not None:
        rows = await _evidence(workspace, clip["event"])
        return next((row.sha256 for row in rows if row.kind == "clip"), None), ".mp4"
    picture = _PICTURE.fullmatch(name)
    if picture is None:
        return None, ".jpg"
    if picture["event"] is None:
        frame = await workspace.database.frame(picture["frame"])
        if frame is None or picture["boxes"] or not await workspace.sees(frame.camera_id):
            return None, ".jpg"
        return frame.image_sha256, ".jpg"
    kind = "annotated" if picture["boxes"] else "original"
    rows = await _evidence(workspace, picture["event"])
    found = (r.sha256 for r in rows if r.kind == kind and r.frame_id == picture["frame"])
    return next(found, None), ".jpg"


async def _evidence(workspace: Workspace, event_id: str) -> tuple[EvidenceRow, ...]:
    stored = await workspace.database.event(event_id, workspace.reach)
    if stored is not None and stored.media_deleted_ns is not None:
        scene = (await workspace.places()).scene(stored.event.camera_id)
        day = rfc3339(stored.media_deleted_ns, ZoneInfo(scene.timezone))[:10]
        raise GoneError(
            f"Pictures and clip of event {event_id!r} were deleted by retention on {day}",
            remedy="Events that are kept, or have a confirmed alert, keep theirs.",
            reason="pictures_deleted",
            day=str(day),
        )
    return () if stored is None else stored.evidence


async def list_events(
    workspace: Workspace,
    *,
    camera: str = "",
    types: tuple[str, ...] = (),
    since: str = "",
    until: str = "",
) -> list[dict[str, Any]]:
    """Every matching event's record, oldest first.

    Raises:
        MissingError: there is no such camera.
        UsageError: an event type or a time is unknown.
    """
    places = await workspace.places()
    asked = places.zone(camera)
    if camera and camera not in places.scenes:
        raise MissingError(
            f"There is no camera {camera!r}",
            remedy=f"Use one of: {', '.join(places.scenes) or '(none yet)'}.",
            reason="not_found",
            what="device",
            id=camera,
        )
    for name in types:
        if name not in EVENT_TYPES:
            raise UsageError(
                f"There is no event type {name!r}", remedy=f"Use one of: {', '.join(EVENT_TYPES)}."
            )
    records: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        page = await workspace.database.events(
            EventQuery(
                camera=camera or None,
                types=types,
                since_ns=parse_time(since, asked, what="--from") if since else None,
                until_ns=parse_time(until, asked, what="--to") if until else None,
                limit=1000,
                cursor=cursor,
                order="oldest",
                reach=workspace.reach,
            )
        )
        records += [
            event_record(stored, places.scene(stored.event.camera_id)) for stored in page.events
        ]
        cursor = page.next_cursor
        if cursor is None:
            return records
