"""``/api/v1/analysis``: live analysis of devices: start, stop, how it goes."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Security
from fastapi.responses import Response
from pydantic import ConfigDict, Field

from video_detective.api.envelope import PageQuery, Wire, answer, caller_of, page_of, responses
from video_detective.api.v1.paging import id_cursor
from video_detective.geometry import NS_PER_S
from video_detective.pipeline.clock import now_ns
from video_detective.services import live
from video_detective.services.access import Caller
from video_detective.services.times import utc_text
from video_detective.services.workspace import Workspace
from video_detective.storage.work.base import LiveRow

Reader = Annotated[Caller, Security(caller_of, scopes=["devices:read"])]
Writer = Annotated[Caller, Security(caller_of, scopes=["devices:write"])]

_DEVICE = "0199a2c4-5d10-7c3e-9f00-2b1a6c7d8e90"
_EXAMPLE: dict[str, Any] = {
    "deviceId": _DEVICE,
    "wanted": True,
    "state": "running",
    "since": "2026-01-15T14:00:02.125Z",
    "nodeId": "5f0c1a9e-7f5e-4e54-a9f3-d0f7f5a0c2b1",
    "fps": 24.9,
    "lagSeconds": 0.142,
    "lastFrameAt": "2026-01-15T14:05:00.040Z",
    "lastFrameAgeSeconds": 0.8,
    "drops": [
        {"reason": "reconnected", "count": 1, "detail": "connected again 1 time(s)"},
    ],
    "error": None,
    "requestId": "6d0ce12a",
}


class DeviceChoice(Wire):
    """Which device."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"deviceId": _DEVICE}]})

    device_id: UUID


class Drop(Wire):
    """Something of the source that could not be used, and why: a stable key, and words."""

    reason: str
    count: int
    detail: str


class LiveStatus(Wire):
    """How the live analysis of a device goes.

    ``state`` since ``since``: ``starting``, ``running``, ``waiting`` (for the camera, which is
    connected again by itself), ``stopped``, ``failed`` (see ``error``; it is tried again by
    itself). ``fps`` are frames read a second, lately; ``lagSeconds`` is how far behind the camera
    the last one was handled. ``nodeId`` has the camera; ``requestId`` began it.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    device_id: str
    wanted: bool
    state: Literal["starting", "running", "waiting", "stopped", "failed"]
    since: str | None
    node_id: str | None
    fps: float | None
    lag_seconds: float | None
    last_frame_at: str | None
    last_frame_age_seconds: float | None
    drops: list[Drop]
    error: str | None
    request_id: str | None


class StatusQuery(PageQuery):
    """Which devices."""

    device_id: UUID | None = Field(default=None, description="Only of this device")


def routes(workspace: Workspace) -> APIRouter:
    """The routes of live analysis over an open workspace."""
    router = APIRouter(prefix="/api/v1/analysis", tags=["analysis"])

    @router.post("/start", responses=responses(LiveStatus, 404, 409, 413, 415))
    async def start_analysis(request: Request, caller: Writer, body: DeviceChoice) -> Response:
        """Have a device analysed live from now on, by whichever node has room; again is harmless.

        A new version of its scene, or another source, is taken up by itself.
        """
        row = await live.start(workspace, caller, str(body.device_id))
        return answer(request, _wire(row, now_ns()))

    @router.post("/stop", responses=responses(LiveStatus, 404, 413, 415))
    async def stop_analysis(request: Request, caller: Writer, body: DeviceChoice) -> Response:
        """End a device's live analysis; its open events end in order. Again is harmless."""
        row = await live.stop(workspace, caller, str(body.device_id))
        return answer(request, _wire(row, now_ns()))

    @router.get("/status", responses=responses(list[LiveStatus], 404))
    async def analysis_status(
        request: Request, caller: Reader, query: Annotated[StatusQuery, Query()]
    ) -> Response:
        """How the live analysis of each device goes, in order of device id."""
        page = await live.status(
            workspace,
            caller,
            device_id=None if query.device_id is None else str(query.device_id),
            limit=query.limit,
            offset=query.offset,
            cursor=id_cursor(query.cursor),
        )
        now = now_ns()
        return answer(
            request,
            [_wire(row, now) for row in page.rows],
            pagination=page_of(page.total, query, page.next_cursor),
        )

    return router


def _wire(row: LiveRow, now: int) -> LiveStatus:
    report = row.report
    state, error = report.state, report.error
    if row.is_wanted and row.node_id is None:
        state, error = "starting", "No node has taken it up yet"
    elif row.node_id is not None and row.beat and row.beat.age_ns > live.OWNER_DEAD_NS:
        state, error = "stopped", None
        if row.is_wanted:
            state = "starting"
            error = f"Node {row.node_id} gives no sign of life; another one takes over"
    is_going = state in {"running", "waiting"}
    age_ns = None if report.last_frame_ns is None else max(now - report.last_frame_ns, 0)
    return LiveStatus(
        device_id=row.device_id,
        wanted=row.is_wanted,
        state=state,
        since=None if row.started_ns is None else utc_text(row.started_ns),
        node_id=row.node_id,
        fps=report.fps if is_going else None,
        lag_seconds=report.lag_s if is_going else None,
        last_frame_at=None if report.last_frame_ns is None else utc_text(report.last_frame_ns),
        last_frame_age_seconds=None if age_ns is None else round(age_ns / NS_PER_S, 3),
        drops=[
            Drop(reason=drop["reason"], count=drop["count"], detail=drop["detail"])
            for drop in report.drops
        ],
        error=error,
        request_id=row.request_id or None,
    )
