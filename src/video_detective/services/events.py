"""Events and their media, as every front end asks for them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from video_detective.errors import MissingError, UsageError
from video_detective.rules import EVENT_TYPES
from video_detective.services.records import event_record
from video_detective.services.times import parse_time
from video_detective.services.workspace import DEFAULT_TIMEZONE, Workspace
from video_detective.storage import EventQuery, StoredEvent

_MEDIA = re.compile(r"(?P<id>[A-Za-z0-9_-]{1,160}?)(?P<boxes>_boxes)?\.(?P<suffix>jpg|mp4)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """A stored file and what it is."""

    path: Path
    media_type: str


async def camera_list(workspace: Workspace) -> list[dict[str, Any]]:
    """Cameras with name, time zone, zones and tripwires (by id and name)."""
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
    ]


async def stored_event(workspace: Workspace, event_id: str) -> StoredEvent:
    """The event of that id.

    Raises:
        MissingError: there is none.
    """
    stored = await workspace.database.event(event_id)
    if stored is None:
        raise MissingError(
            f"There is no event {event_id!r}", remedy="List them with 'video-detective events'."
        )
    return stored


async def find_event(workspace: Workspace, event_id: str) -> dict[str, Any]:
    """The event's record.

    Raises:
        MissingError: there is none.
    """
    stored = await stored_event(workspace, event_id)
    zones = await workspace.timezones()
    return event_record(stored, zones.get(stored.event.camera_id, ZoneInfo(DEFAULT_TIMEZONE)))


async def find_media(workspace: Workspace, name: str) -> Media:
    """The picture or clip that an address under ``/frames/`` names.

    Raises:
        MissingError: the name is none of ours, or nothing is stored under it.
    """
    missing = MissingError(
        f"There is no picture or clip {name[:200]!r}",
        remedy="Take addresses from an event's frame_links and clip_link.",
    )
    match = _MEDIA.fullmatch(name.rpartition("/")[2])
    if match is None:
        raise missing
    sha256: str | None = None
    if match["suffix"] == "mp4":
        stored = await workspace.database.event(match["id"])
        rows = stored.evidence if stored else ()
        sha256 = next((row.sha256 for row in rows if row.kind == "clip"), None)
    else:
        frame = await workspace.database.frame(match["id"])
        if frame is not None:
            sha256 = frame.annotated_sha256 if match["boxes"] else frame.image_sha256
    if sha256 is None:
        raise missing
    path = workspace.blobs.path(sha256, f".{match['suffix']}")
    if not path.is_file():
        raise missing
    return Media(path=path, media_type="video/mp4" if match["suffix"] == "mp4" else "image/jpeg")


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
    zones = await workspace.timezones()
    asked = zones.get(camera, ZoneInfo(DEFAULT_TIMEZONE))
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
            )
        )
        records += [
            event_record(stored, zones.get(stored.event.camera_id, asked)) for stored in page.events
        ]
        cursor = page.next_cursor
        if cursor is None:
            return records
