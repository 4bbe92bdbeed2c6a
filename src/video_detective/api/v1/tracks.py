"""``/api/v1/tracks``: what moved before a device, and where."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Security
from fastapi.responses import Response
from pydantic import ConfigDict, Field

from video_detective.api.envelope import PageQuery, Wire, answer, caller_of, page_of, responses
from video_detective.services import event_pages
from video_detective.services.access import Caller
from video_detective.services.times import utc_text
from video_detective.services.workspace import Workspace
from video_detective.storage import PointRow, TrackRow

Reader = Annotated[Caller, Security(caller_of, scopes=["analytics:read"])]
_DEVICE = "0199a2c4-5d10-7c3e-9f00-2b1a6c7d8e90"
_EXAMPLE: dict[str, Any] = {
    "trackId": "p06",
    "deviceId": _DEVICE,
    "type": "person",
    "firstSeen": "2026-01-15T14:00:10Z",
    "lastSeen": "2026-01-15T14:00:16Z",
    "bestConfidence": 0.91,
    "points": [
        {
            "time": "2026-01-15T14:00:10Z",
            "frame": 100,
            "confidence": 0.91,
            "bbox": [410.0, 220.5, 466.0, 380.0],
        }
    ],
}


class Point(Wire):
    """Where a track was: ``bbox`` is x1, y1, x2, y2 in pixels of the picture, origin top left."""

    time: str
    frame: int
    confidence: float
    bbox: tuple[float, float, float, float]


class Track(Wire):
    """One tracked object. ``points`` are its boxes in the range, null where not asked for."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    track_id: str
    device_id: str
    type: str
    first_seen: str
    last_seen: str
    best_confidence: float
    points: list[Point] | None


class TracksQuery(PageQuery):
    """Which tracks: those seen in [startDate, endDate), at most 24 h (1 h with ``points``)."""

    device_id: UUID = Field(examples=[_DEVICE])
    start_date: str = Field(min_length=1, max_length=40, examples=["2026-01-15T14:00:00Z"])
    end_date: str = Field(min_length=1, max_length=40, examples=["2026-01-15T15:00:00Z"])
    points: bool = Field(default=False, description="Also where they were")


def routes(workspace: Workspace) -> APIRouter:
    """The routes of tracks over an open workspace."""
    router = APIRouter(prefix="/api/v1/tracks", tags=["events"])
    declared = responses(list[Track], 404)
    declared[200] |= {
        "headers": {
            "X-Points-Cut": {
                "description": f"`true` where there are more than {event_pages.MOST_POINTS} boxes; "
                "the last ones are left out",
                "schema": {"type": "string", "enum": ["true", "false"]},
            }
        }
    }

    @router.get("", responses=declared)
    async def list_tracks(
        request: Request, caller: Reader, query: Annotated[TracksQuery, Query()]
    ) -> Response:
        """Tracks of a device in order of their first time."""
        device_id = str(query.device_id)
        page = await event_pages.list_tracks(
            workspace,
            caller,
            device_id=device_id,
            start=query.start_date,
            end=query.end_date,
            with_points=query.points,
            limit=query.limit,
            offset=query.offset,
            cursor=query.cursor,
        )
        return answer(
            request,
            [
                _wire(
                    track, device_id, None if page.points is None else page.points[track.track_id]
                )
                for track in page.tracks
            ],
            pagination=page_of(page.total, query, page.next_cursor),
            timezone=page.timezone,
            headers={"X-Points-Cut": "true" if page.is_cut else "false"},
        )

    return router


def _wire(track: TrackRow, device_id: str, points: Any) -> dict[str, Any]:
    # Not by the model: twenty thousand boxes take longer to validate than to find.
    return {
        "trackId": track.track_id,
        "deviceId": device_id,
        "type": track.type,
        "firstSeen": utc_text(track.first_ns),
        "lastSeen": utc_text(track.last_ns),
        "bestConfidence": round(track.best_conf, 3),
        "points": None if points is None else [_point(point) for point in points],
    }


def _point(point: PointRow) -> dict[str, Any]:
    record = point.track.as_record()
    return {
        "time": utc_text(point.time_ns),
        "frame": point.frame,
        "confidence": record["conf"],
        "bbox": record["bbox"],
    }
