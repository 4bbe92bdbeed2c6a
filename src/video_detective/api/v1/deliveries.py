"""``/api/v1/deliveries``: what became of notifications."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Path, Query, Request, Security
from fastapi.responses import Response
from pydantic import ConfigDict, Field

from video_detective.api.envelope import PageQuery, Wire, answer, caller_of, page_of, responses
from video_detective.api.v1.paging import id_cursor
from video_detective.pipeline.clock import now_ns
from video_detective.services import deliveries
from video_detective.services.access import Caller
from video_detective.services.times import field_time, utc_text
from video_detective.services.workspace import Workspace
from video_detective.storage.notices.base import DeliveryQuery, DeliveryRow

Reader = Annotated[Caller, Security(caller_of, scopes=["analytics:read"])]
Admin = Annotated[Caller, Security(caller_of, scopes=["admin"])]
DeliveryId = Annotated[UUID, Path(alias="id", description="The delivery's id")]

Kind = Literal["new", "update", "end"]
Status = Literal["waiting", "done", "failed", "skipped"]
_EXAMPLE: dict[str, Any] = {
    "id": "0199a2c4-5d10-7c3e-9f00-2b1a6c7d8e93",
    "channelId": "0199a2c4-5d10-7c3e-9f00-2b1a6c7d8e91",
    "alertId": "0199a2c4-5d10-7c3e-9f00-2b1a6c7d8e94",
    "deviceId": "0199a2c4-5d10-7c3e-9f00-2b1a6c7d8e90",
    "kind": "new",
    "status": "done",
    "attempts": 1,
    "answer": "HTTP 204",
    "nextAttemptAt": None,
    "requestId": "req-7",
    "createdAt": "2026-01-15T14:00:00.000Z",
    "endedAt": "2026-01-15T14:00:00.120Z",
}


class Delivery(Wire):
    """One notification of one channel.

    Its id is the same in every attempt and replay. ``status`` ``waiting`` is also that of one that
    is to be attempted again, at ``nextAttemptAt``; ``skipped`` was told to nobody, and ``answer``
    says why.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    id: str
    channel_id: str
    alert_id: str
    device_id: str
    kind: Kind
    status: Status
    attempts: int
    answer: str | None
    next_attempt_at: str | None
    request_id: str
    created_at: str
    ended_at: str | None


class DeliveryDetail(Delivery):
    """With what was told: the body of the webhook without links; null before the first attempt."""

    model_config = ConfigDict(json_schema_extra={"examples": [{**_EXAMPLE, "payload": None}]})

    payload: dict[str, Any] | None


class DeliveriesQuery(PageQuery):
    """Which deliveries. The range is that of ``createdAt``, its end exclusive."""

    channel_id: UUID | None = None
    alert_id: UUID | None = None
    device_id: UUID | None = None
    kind: Kind | None = None
    status: Status | None = None
    start_date: str | None = Field(default=None, min_length=1, max_length=40)
    end_date: str | None = Field(default=None, min_length=1, max_length=40)


class Replay(Wire):
    """Which deliveries to repeat: those of a range of ``createdAt`` that have ended."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "startDate": "2026-01-15T14:00:00Z",
                    "endDate": "2026-01-15T15:00:00Z",
                    "status": "failed",
                }
            ]
        }
    )

    start_date: str = Field(min_length=1, max_length=40)
    end_date: str = Field(min_length=1, max_length=40)
    channel_id: UUID | None = None
    kind: Kind | None = None
    status: Literal["done", "failed", "skipped"] | None = None


class Replayed(Wire):
    """How many deliveries are told again."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"count": 12}]})

    count: int


def routes(workspace: Workspace) -> APIRouter:
    """The routes over an open workspace."""
    router = APIRouter(prefix="/api/v1/deliveries", tags=["notifications"])

    @router.get("", responses=responses(list[Delivery]))
    async def list_deliveries(
        request: Request, caller: Reader, query: Annotated[DeliveriesQuery, Query()]
    ) -> Response:
        """Deliveries, newest first."""
        before = id_cursor(query.cursor)
        wanted = DeliveryQuery(
            channel_id=_text(query.channel_id),
            alert_id=_text(query.alert_id),
            device_id=_text(query.device_id),
            kind=query.kind,
            status=query.status,
            since_ns=_moment("startDate", query.start_date, caller),
            until_ns=_moment("endDate", query.end_date, caller),
            limit=query.limit + 1,
            offset=0 if before else query.offset,
            before=before,
        )
        found, total = await deliveries.delivery_page(workspace, caller, wanted)
        rows = found[: query.limit]
        following = rows[-1].delivery_id if len(found) > query.limit else None
        return answer(
            request,
            [Delivery(**_values(row)) for row in rows],
            pagination=page_of(total, query, following),
            timezone=caller.timezone if query.start_date or query.end_date else None,
        )

    @router.post("/replay", responses=responses(Replayed, 404, 413, 415))
    async def replay_deliveries(request: Request, caller: Admin, body: Replay) -> Response:
        """Have every ended delivery of a range told again."""
        wanted = DeliveryQuery(
            channel_id=_text(body.channel_id),
            kind=body.kind,
            status=body.status,
            since_ns=_moment("startDate", body.start_date, caller),
            until_ns=_moment("endDate", body.end_date, caller),
        )
        count = await deliveries.replay_range(workspace, caller, wanted, now_ns=now_ns())
        return answer(request, Replayed(count=count))

    @router.get("/{id}", responses=responses(DeliveryDetail, 404))
    async def get_delivery(request: Request, caller: Reader, delivery_id: DeliveryId) -> Response:
        """One delivery with what it told."""
        row = await deliveries.find_delivery(workspace, caller, str(delivery_id))
        payload = dict(row.payload) or None
        return answer(request, DeliveryDetail(**_values(row), payload=payload))

    @router.post("/{id}/replay", responses=responses(Delivery, 404, 409))
    async def replay_delivery(request: Request, caller: Admin, delivery_id: DeliveryId) -> Response:
        """Have a delivery that has ended told again, under the same id."""
        row = await deliveries.replay_delivery(workspace, caller, str(delivery_id), now_ns=now_ns())
        return answer(request, Delivery(**_values(row)))

    return router


def _values(row: DeliveryRow) -> dict[str, Any]:
    return {
        "id": row.delivery_id,
        "channel_id": row.channel_id,
        "alert_id": row.alert_id,
        "device_id": row.device_id,
        "kind": row.kind,
        "status": row.status,
        "attempts": row.attempts,
        "answer": row.answer,
        "next_attempt_at": utc_text(row.due_ns) if row.status == "waiting" else None,
        "request_id": row.request_id,
        "created_at": utc_text(row.created_ns),
        "ended_at": None if row.ended_ns is None else utc_text(row.ended_ns),
    }


def _moment(field: str, text: str | None, caller: Caller) -> int | None:
    return None if text is None else field_time(text, ZoneInfo(caller.timezone), field)


def _text(identity: UUID | None) -> str | None:
    return None if identity is None else str(identity)
