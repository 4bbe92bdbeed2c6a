"""``/api/v1/alerts``: facts that somebody is to know of, each with its insight."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Security
from fastapi.responses import Response
from pydantic import ConfigDict, Field, StringConstraints

from video_detective.api.envelope import PageQuery, Wire, answer, caller_of, page_of, responses
from video_detective.api.v1.insight_shapes import Operator, Severity
from video_detective.pipeline.clock import now_ns
from video_detective.services import insights
from video_detective.services.access import Caller
from video_detective.services.insights import InsightsAsked
from video_detective.services.times import utc_text
from video_detective.services.workspace import Workspace
from video_detective.storage.insights.statements import Detail, Listed

Reader = Annotated[Caller, Security(caller_of, scopes=["analytics:read"])]
AlertId = Annotated[UUID, Path(alias="id", description="The alert's id")]
_Time = Annotated[str, StringConstraints(min_length=1, max_length=40)]
_EXAMPLE: dict[str, Any] = {
    "id": "0199a2c4-5d12-7000-8000-000000000001",
    "insightId": "0199a2c4-5d13-7000-8000-000000000001",
    "eventId": "evt_20260225_cam-3f9a1b2c4d5e_0001",
    "deviceId": "0199a2c4-5d10-7c3e-9f00-2b1a6c7d8e90",
    "deviceName": "入口攝影機",
    "sceneId": "0199a2c4-5d11-7000-8000-000000000001",
    "sceneName": "主入口排隊區",
    "severity": "critical",
    "kind": "metric",
    "alertRule": "every-event",
    "metricPath": "zones.queue.count",
    "operator": "GT",
    "threshold": 10.0,
    "actualValue": 15.0,
    "message": "Queue length exceeded threshold: 15 > 10",
    "triggeredAt": "2026-02-25T10:30:00Z",
    "createdAt": "2026-02-25T10:30:01Z",
    "vlmStatus": "completed",
    "requestId": "7c9e6679-7425-4f2a-944b-e07fc1f90ae7",
}


class Alert(Wire):
    """A fact that somebody is to know of: ``actualValue operator threshold`` holds.

    ``kind``: ``metric`` for measured numbers, ``event`` for what was seen to happen.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    id: str
    insight_id: str
    event_id: str
    device_id: str | None
    device_name: str
    scene_id: str | None
    scene_name: str | None
    severity: Severity
    kind: Literal["event", "metric"]
    alert_rule: str
    metric_path: str
    operator: Operator
    threshold: float
    actual_value: float
    message: str
    triggered_at: str
    created_at: str
    vlm_status: Literal["pending", "completed", "failed"]
    request_id: str


class AlertsQuery(PageQuery):
    """Which alerts: those triggered in [startDate, endDate)."""

    device_id: UUID | None = None
    scene_id: UUID | None = None
    severity: Severity | None = None
    start_date: _Time | None = Field(
        default=None,
        description="ISO 8601; without offset in the device's zone, else the account's",
    )
    end_date: _Time | None = Field(default=None, description="Likewise; exclusive")


def routes(workspace: Workspace) -> APIRouter:
    """The routes of alerts over an open workspace."""
    router = APIRouter(prefix="/api/v1/alerts", tags=["alerts"])

    @router.get("", responses=responses(list[Alert], 404))
    async def list_alerts(
        request: Request, caller: Reader, query: Annotated[AlertsQuery, Query()]
    ) -> Response:
        """Alerts, the newest first. Those of footage that was analysed again are not listed."""
        found = await insights.alert_page(
            workspace,
            caller,
            InsightsAsked(
                device_id=None if query.device_id is None else str(query.device_id),
                scene_id=None if query.scene_id is None else str(query.scene_id),
                severity=query.severity,
                start=query.start_date,
                end=query.end_date,
            ),
            limit=query.limit,
            offset=(query.page - 1) * query.limit,
            cursor=query.cursor,
            now_ns=now_ns(),
        )
        return answer(
            request,
            [_wire(*pair) for pair in found.alerts],
            pagination=page_of(found.page.total, query, found.page.next_cursor),
            timezone=found.timezone,
        )

    @router.get("/{id}", responses=responses(Alert, 404))
    async def get_alert(request: Request, caller: Reader, alert_id: AlertId) -> Response:
        """One alert."""
        return answer(request, _wire(*await insights.find_alert(workspace, caller, str(alert_id))))

    return router


def _wire(row: Listed, detail: Detail) -> dict[str, Any]:
    return {
        "id": row.alert_id,
        "insightId": row.insight_id,
        "eventId": row.event_id,
        "deviceId": row.device_id,
        "deviceName": row.device_name or row.camera_id,
        "sceneId": row.scene_id,
        "sceneName": row.scene_name,
        "severity": row.severity,
        "kind": detail.kind,
        "alertRule": detail.alert_rule,
        "metricPath": detail.metric_path,
        "operator": detail.operator,
        "threshold": detail.threshold,
        "actualValue": detail.actual_value,
        "message": row.message,
        "triggeredAt": utc_text(row.triggered_ns),
        "createdAt": utc_text(row.created_ns),
        "vlmStatus": row.vlm_status,
        "requestId": detail.request_id,
    }
