"""``/api/v1/retention``: how long what happened is kept."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Security
from fastapi.responses import Response
from pydantic import ConfigDict, Field

from video_detective.api.envelope import Wire, answer, caller_of, responses
from video_detective.pipeline.clock import now_ns
from video_detective.services import retention
from video_detective.services.access import Caller
from video_detective.services.times import utc_text
from video_detective.services.workspace import Workspace
from video_detective.storage.retention import Deleted, RetentionRow, Round

Admin = Annotated[Caller, Security(caller_of, scopes=["admin"])]
Days = Annotated[int, Field(ge=1, le=36_500)]
_TIME = "2026-01-15T14:00:00.000Z"
_DELETED: dict[str, Any] = {
    "events": 412,
    "files": 1630,
    "bytes": 734003200,
    "rows": 90210,
    "firstEventAt": "2025-10-01T02:11:08.000Z",
    "lastEventAt": "2025-10-16T23:40:51.000Z",
}
_ROUND: dict[str, Any] = {
    "startedAt": _TIME,
    "endedAt": _TIME,
    "mediaBefore": None,
    "recordsBefore": "2025-10-17T14:00:00.000Z",
    "deleted": _DELETED,
}
_EXAMPLE: dict[str, Any] = {
    "mediaDays": 30,
    "recordDays": 90,
    "updatedAt": _TIME,
    "usage": {
        "files": 5120,
        "bytes": 2147483648,
        "firstMediaAt": "2025-12-16T22:05:01.000Z",
        "events": 1280,
        "firstEventAt": "2025-10-17T22:05:01.000Z",
        "keptEvents": 3,
        "freeBytes": 107374182400,
        "totalBytes": 536870912000,
    },
    "nextRoundAt": "2026-01-15T20:00:00.000Z",
    "round": None,
    "lastRound": _ROUND,
}


class Amount(Wire):
    """What was deleted or would be. ``rows``: tracks, points, frames, looks, attributes."""

    model_config = ConfigDict(json_schema_extra={"examples": [_DELETED]})

    events: int
    files: int
    bytes: int
    rows: int
    first_event_at: str | None
    last_event_at: str | None


class DeletionRound(Wire):
    """One deletion of all that is too old, in many short steps."""

    model_config = ConfigDict(json_schema_extra={"examples": [_ROUND]})

    started_at: str
    ended_at: str | None
    media_before: str | None
    records_before: str | None
    deleted: Amount


class UsedSpace(Wire):
    """What the account has, and the room on the disk with the pictures."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE["usage"]]})

    files: int
    bytes: int
    first_media_at: str | None
    events: int
    first_event_at: str | None
    kept_events: int
    free_bytes: int
    total_bytes: int


class RetentionSettings(Wire):
    """How long pictures and clips, and events, are kept: days, null for ever."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    media_days: int | None
    record_days: int | None
    updated_at: str | None
    usage: UsedSpace
    next_round_at: str | None
    round: DeletionRound | None
    last_round: DeletionRound | None


class RetentionUpdate(Wire):
    """What is not given stays as it is; null keeps for ever."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"mediaDays": 30}]})

    media_days: Days | None = None
    record_days: Days | None = None


class RetentionPreview(Wire):
    """What a deletion with these days would take now."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "mediaBefore": "2025-12-16T14:00:00.000Z",
                    "recordsBefore": None,
                    "deleted": _DELETED | {"events": 0, "rows": 0},
                }
            ]
        }
    )

    media_before: str | None
    records_before: str | None
    deleted: Amount


class RetentionQuery(Wire):
    """With which days; without one that kind is kept for ever."""

    media_days: Days | None = None
    record_days: Days | None = None


def routes(workspace: Workspace) -> APIRouter:
    """The routes over an open workspace."""
    router = APIRouter(prefix="/api/v1/retention", tags=["retention"])

    @router.get("", responses=responses(RetentionSettings))
    async def get_retention(request: Request, caller: Admin) -> Response:
        """How long one's account keeps what it has, how much that is, and what was deleted last."""
        return answer(request, await _shown(caller))

    @router.patch("", responses=responses(RetentionSettings, 413, 415))
    async def update_retention(request: Request, caller: Admin, body: RetentionUpdate) -> Response:
        """Change for how many days things are kept. The deletion begins within a minute.

        Events that are kept (`isKept`) and those with a confirmed alert stay. An event is as old
        as its end, or as its analysis where that is younger.
        """
        changes = {name: getattr(body, name) for name in sorted(body.model_fields_set)}
        await retention.change_retention(workspace, caller, changes, now_ns=now_ns())
        return answer(request, await _shown(caller))

    @router.get("/preview", responses=responses(RetentionPreview))
    async def preview_retention(
        request: Request, caller: Admin, query: Annotated[RetentionQuery, Query()]
    ) -> Response:
        """What would be deleted now if so many days were kept; nothing is."""
        cutoffs, going = await retention.preview(
            workspace,
            caller,
            media_days=query.media_days,
            record_days=query.record_days,
            now_ns=now_ns(),
        )
        shown = RetentionPreview(
            media_before=_time(cutoffs.media_ns),
            records_before=_time(cutoffs.records_ns),
            deleted=_amount(going),
        )
        return answer(request, shown)

    async def _shown(caller: Caller) -> RetentionSettings:
        found = await retention.standing(workspace, caller)
        row, usage = found.row, found.usage
        return RetentionSettings(
            media_days=row.media_days,
            record_days=row.record_days,
            updated_at=_time(row.updated_ns),
            usage=UsedSpace(
                files=usage.files,
                bytes=usage.bytes,
                first_media_at=_time(usage.first_media_ns),
                events=usage.events,
                first_event_at=_time(usage.first_event_ns),
                kept_events=usage.kept,
                free_bytes=found.free_bytes,
                total_bytes=found.total_bytes,
            ),
            next_round_at=_next(row),
            round=_round(row.round),
            last_round=_round(row.last),
        )

    return router


def _next(row: RetentionRow) -> str | None:
    keeps_all = row.media_days is None and row.record_days is None
    return None if keeps_all or row.round is not None else utc_text(row.due_ns)


def _round(made: Round | None) -> DeletionRound | None:
    if made is None:
        return None
    return DeletionRound(
        started_at=utc_text(made.started_ns),
        ended_at=_time(made.ended_ns),
        media_before=_time(made.cutoffs.media_ns),
        records_before=_time(made.cutoffs.records_ns),
        deleted=_amount(made.deleted),
    )


def _amount(deleted: Deleted) -> Amount:
    return Amount(
        events=deleted.events,
        files=deleted.files,
        bytes=deleted.bytes,
        rows=deleted.rows,
        first_event_at=_time(deleted.first_ns),
        last_event_at=_time(deleted.last_ns),
    )


def _time(time_ns: int | None) -> str | None:
    return None if time_ns is None else utc_text(time_ns)
