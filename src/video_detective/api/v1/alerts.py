"""``/api/v1/alerts``: facts that somebody is to know of, each with its insight and its review."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal, cast
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Security
from fastapi.responses import Response
from pydantic import ConfigDict, Field, StringConstraints

from video_detective.api.envelope import PageQuery, Wire, answer, caller_of, page_of, responses
from video_detective.api.v1.insight_shapes import Operator, Severity
from video_detective.api.v1.insights import thumbnail
from video_detective.pipeline.clock import now_ns
from video_detective.services import insights
from video_detective.services.access import Caller
from video_detective.services.insights import InsightsAsked
from video_detective.services.media_links import MediaLinks, signed
from video_detective.services.times import utc_text
from video_detective.services.workspace import Places, Workspace
from video_detective.storage.insights.reviewing import Review as Reviewing
from video_detective.storage.insights.reviewing import ReviewState
from video_detective.storage.insights.statements import Detail, Listed

Reader = Annotated[Caller, Security(caller_of, scopes=["analytics:read"])]
Writer = Annotated[Caller, Security(caller_of, scopes=["analytics:write"])]
AlertId = Annotated[UUID, Path(alias="id", description="The alert's id")]
_Time = Annotated[str, StringConstraints(min_length=1, max_length=40)]
_Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
_Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
_REVIEW: dict[str, Any] = {
    "state": "dismissed",
    "reason": "false_alarm",
    "by": "guard",
    "at": "2026-02-25T10:35:00Z",
}
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
    "eventType": "metric",
    "riskLevel": "high",
    "placeName": "排隊區",
    "timezone": "Asia/Taipei",
    "vlmSummary": "排隊人數約 15 人，超過設定的 10 人。",
    "describedBy": "model",
    "thumbnailUrl": None,
    "review": _REVIEW,
}


class Review(Wire):
    """What people think of an alert.

    ``new``: nobody has looked; ``confirmed``: it is what it says; ``dismissed``: it is not, for
    ``reason``: text, or one of ``false_alarm``, ``authorised``, ``duplicate``. ``by`` is the name
    of the user or key that set it last, null where nobody did.
    """

    state: ReviewState
    reason: str | None
    by: str | None
    at: str | None


class Alert(Wire):
    """A fact that somebody is to know of: ``actualValue operator threshold`` holds.

    ``kind``: ``metric`` for measured numbers, ``event`` for what was seen to happen; of its event
    there are ``eventType``, ``riskLevel`` and ``placeName`` (zone or tripwire). ``vlmSummary``,
    ``describedBy`` and ``thumbnailUrl`` are its insight's. ``timezone`` is the device's.
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
    event_type: str | None
    risk_level: str | None
    place_name: str | None
    timezone: str
    vlm_summary: str | None
    described_by: Literal["model", "template"] | None
    thumbnail_url: str | None
    review: Review


class Counts(Wire):
    """How many alerts there are in each state of review."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"new": 3, "seen": 10, "confirmed": 4, "dismissed": 25}]}
    )

    new: int
    seen: int
    confirmed: int
    dismissed: int


class ReviewChange(Wire):
    """What to think of an alert. ``reason`` must be given where it is dismissed.

    ``onlyFrom``: it is set only where the present state is this one, so that nobody undoes
    unawares what somebody else has decided.
    """

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"state": "dismissed", "reason": "false_alarm"}]}
    )

    state: ReviewState
    reason: _Reason | None = Field(
        default=None,
        description="Text, or `false_alarm`, `authorised`, `duplicate`",
    )
    only_from: ReviewState | None = None


class ReviewsChange(ReviewChange):
    """What to think of many alerts, all or none."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"ids": [_EXAMPLE["id"]], "state": "confirmed", "onlyFrom": "new"}]
        }
    )

    ids: list[UUID] = Field(min_length=1, max_length=500)


class ReviewedAlert(Wire):
    """What became of an alert: its review now and before. ``changed``: they are not the same."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": _EXAMPLE["id"],
                    "changed": True,
                    "review": _REVIEW,
                    "former": {"state": "new", "reason": None, "by": None, "at": None},
                }
            ]
        }
    )

    id: str
    changed: bool
    review: Review
    former: Review


class AlertsMeant(Wire):
    """Which alerts: those triggered in [startDate, endDate)."""

    q: _Words | None = Field(default=None, description="Words about it, with their synonyms")
    device_id: UUID | None = None
    scene_id: UUID | None = None
    severity: Severity | None = None
    start_date: _Time | None = Field(
        default=None,
        description="ISO 8601; without offset in the device's zone, else the account's",
    )
    end_date: _Time | None = Field(default=None, description="Likewise; exclusive")


class AlertsQuery(PageQuery, AlertsMeant):
    """Which page of which alerts."""

    review_state: list[ReviewState] = Field(
        default=[], max_length=4, description="Only in this state; several: in any of them"
    )


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
            InsightsAsked(**_asked(query), review_states=tuple(sorted(set(query.review_state)))),
            limit=query.limit,
            offset=query.offset,
            cursor=query.cursor,
            now_ns=now_ns(),
        )
        told = await tell(request, caller)
        return answer(
            request,
            [told(*pair) for pair in found.alerts],
            pagination=page_of(found.page.total, query, found.page.next_cursor),
            timezone=found.timezone,
        )

    @router.get("/counts", responses=responses(Counts, 404))
    async def count_alerts(
        request: Request, caller: Reader, query: Annotated[AlertsMeant, Query()]
    ) -> Response:
        """How many alerts there are in each state of review."""
        asked = InsightsAsked(**_asked(query))
        counts, timezone = await insights.alert_counts(workspace, caller, asked, now_ns=now_ns())
        return answer(request, Counts(**counts), timezone=timezone)

    @router.post("/reviews", responses=responses(list[ReviewedAlert], 404, 413, 415))
    async def review_alerts(request: Request, caller: Writer, body: ReviewsChange) -> Response:
        """Set the review of up to 500 alerts, all or none; former states set again undo it."""
        done = await insights.review_alerts(
            workspace,
            caller,
            {str(one) for one in body.ids},
            state=body.state,
            reason=body.reason,
            only_from=body.only_from,
            now_ns=now_ns(),
        )
        return answer(
            request,
            [
                {
                    "id": one.alert_id,
                    "changed": one.is_changed,
                    "review": _review(one.review),
                    "former": _review(one.former),
                }
                for one in done
            ],
        )

    @router.get("/{id}", responses=responses(Alert, 404))
    async def get_alert(request: Request, caller: Reader, alert_id: AlertId) -> Response:
        """One alert."""
        found = await insights.find_alert(workspace, caller, str(alert_id))
        return answer(request, (await tell(request, caller))(*found))

    @router.patch("/{id}", responses=responses(Alert, 404, 413, 415))
    async def review_alert(
        request: Request, caller: Writer, alert_id: AlertId, body: ReviewChange
    ) -> Response:
        """Set the review of an alert. The answer has what holds then."""
        await insights.review_alerts(
            workspace,
            caller,
            [str(alert_id)],
            state=body.state,
            reason=body.reason,
            only_from=body.only_from,
            now_ns=now_ns(),
        )
        found = await insights.find_alert(workspace, caller, str(alert_id))
        return answer(request, (await tell(request, caller))(*found))

    async def tell(request: Request, caller: Caller) -> Callable[[Listed, Detail], dict[str, Any]]:
        links = await signed(workspace, caller, str(request.base_url), now_ns=now_ns())
        places = await workspace.within(caller.reach).places()
        return lambda row, detail: _wire(row, detail, links, places)

    return router


def _asked(query: AlertsMeant) -> dict[str, Any]:
    return {
        "q": query.q,
        "device_id": None if query.device_id is None else str(query.device_id),
        "scene_id": None if query.scene_id is None else str(query.scene_id),
        "severity": query.severity,
        "start": query.start_date,
        "end": query.end_date,
    }


def _review(review: Reviewing) -> dict[str, Any]:
    return {
        "state": review.state,
        "reason": review.reason,
        "by": review.by,
        "at": None if review.at_ns is None else utc_text(review.at_ns),
    }


def _wire(row: Listed, detail: Detail, links: MediaLinks, places: Places) -> dict[str, Any]:
    scene = places.scene(row.camera_id)
    named = {zone.id: zone.name for zone in scene.zones}
    named |= {tripwire.id: tripwire.name for tripwire in scene.tripwires}
    place = detail.zone or detail.tripwire
    held = Reviewing(
        state=cast(ReviewState, detail.review_state),
        reason=detail.review_reason,
        by=detail.reviewed_by,
        at_ns=detail.reviewed_ns,
    )
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
        "eventType": detail.event_type,
        "riskLevel": detail.event_risk,
        "placeName": None if place is None else named.get(place, place),
        "timezone": scene.timezone,
        "vlmSummary": row.vlm_summary,
        "describedBy": row.described_by,
        "thumbnailUrl": thumbnail(row, links),
        "review": _review(held),
    }
