"""``/api/v1/queue``: what waits, what a model may still be asked, and what fell short."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request, Security
from fastapi.responses import Response
from pydantic import ConfigDict

from video_detective.api.envelope import Wire, answer, caller_of, responses
from video_detective.pipeline.clock import now_ns
from video_detective.services.access import Caller
from video_detective.services.queue import HourBudget, queue_state
from video_detective.services.times import utc_text
from video_detective.services.workspace import Workspace
from video_detective.storage.backlog import Shortfall, Waiting

Reader = Annotated[Caller, Security(caller_of, scopes=["analytics:read"])]
_EXAMPLE: dict[str, Any] = {
    "waiting": [
        {
            "kind": "insights",
            "waiting": 3,
            "running": 1,
            "oldestAt": "2026-01-15T13:59:20.000Z",
            "oldestSeconds": 40.0,
        }
    ],
    "budget": {
        "perHour": 240,
        "perHourPerCamera": 120,
        "used": 31,
        "left": 209,
        "cameras": [
            {
                "cameraId": "cam-3f9a1b2c4d5e",
                "deviceId": "0199a2c4-5d10-7c3e-9f00-2b1a6c7d8e90",
                "name": "後門攝影機",
                "used": 31,
                "left": 89,
            }
        ],
    },
    "since": "2026-01-14T14:00:00.000Z",
    "shortfalls": [
        {
            "kind": "insights",
            "reason": "queue",
            "isFailed": False,
            "count": 12,
            "examples": [
                {
                    "eventId": "evt_20260115_cam-3f9a1b2c4d5e_0001",
                    "insightId": "0199a2c4-5d11-7000-8000-000000000002",
                    "time": "2026-01-15T13:20:11.000Z",
                    "detail": "",
                }
            ],
        }
    ],
}


class QueueLength(Wire):
    """How much waits: ``waiting`` has nobody begun, ``running`` somebody has."""

    kind: Literal["insights", "narrations", "embeddings", "deliveries"]
    waiting: int
    running: int
    oldest_at: str | None
    oldest_seconds: float | None


class DeviceBudget(Wire):
    """Calls of the last hour about a camera, and how many are left to it."""

    camera_id: str
    device_id: str | None
    name: str
    used: int
    left: int


class CallBudget(Wire):
    """Calls of a model within any hour: over all cameras of the installation, and by camera."""

    per_hour: int
    per_hour_per_camera: int
    used: int
    left: int
    cameras: list[DeviceBudget]


class ShortfallExample(Wire):
    """Something that was done with less than was wished, or not at all."""

    event_id: str
    insight_id: str | None
    time: str
    detail: str


class ShortfallCount(Wire):
    """What fell short for one reason; ``isFailed``: without any words of a model."""

    kind: Literal["insights", "narrations", "embeddings", "deliveries"]
    reason: str
    is_failed: bool
    count: int
    examples: list[ShortfallExample]


class Queue(Wire):
    """What waits, the budget (null: no model tells events), and what fell short since a day ago."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    waiting: list[QueueLength]
    budget: CallBudget | None
    since: str
    shortfalls: list[ShortfallCount]


def routes(workspace: Workspace) -> APIRouter:
    """The route over an open workspace."""
    router = APIRouter(prefix="/api/v1/queue", tags=["models"])

    @router.get("", responses=responses(Queue))
    async def get_queue(request: Request, caller: Reader) -> Response:
        """What waits for models and receivers, the hour's budget, and what fell short and why."""
        now = now_ns()
        state = await queue_state(workspace, caller, now_ns=now)
        shown = Queue(
            waiting=[_length(one, now) for one in state.waiting],
            budget=None if state.budget is None else _budget(state.budget),
            since=utc_text(state.since_ns),
            shortfalls=[_shortfall(one) for one in state.shortfalls],
        )
        return answer(request, shown)

    return router


def _length(waiting: Waiting, now: int) -> QueueLength:
    oldest_ns = waiting.oldest_ns
    return QueueLength(
        kind=waiting.kind,
        waiting=waiting.waiting,
        running=waiting.running,
        oldest_at=None if oldest_ns is None else utc_text(oldest_ns),
        oldest_seconds=None if oldest_ns is None else round(max(0, now - oldest_ns) / 1e9, 1),
    )


def _budget(budget: HourBudget) -> CallBudget:
    return CallBudget(
        per_hour=budget.per_hour,
        per_hour_per_camera=budget.per_hour_per_camera,
        used=budget.used,
        left=budget.left,
        cameras=[
            DeviceBudget(
                camera_id=one.camera_id,
                device_id=one.device_id,
                name=one.name,
                used=one.used,
                left=one.left,
            )
            for one in budget.cameras
        ],
    )


def _shortfall(found: Shortfall) -> ShortfallCount:
    return ShortfallCount(
        kind=found.kind,
        reason=found.reason,
        is_failed=found.is_failed,
        count=found.count,
        examples=[
            ShortfallExample(
                event_id=one.event_id,
                insight_id=one.insight_id,
                time=utc_text(one.time_ns),
                detail=one.detail,
            )
            for one in found.examples
        ],
    )
