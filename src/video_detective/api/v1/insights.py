"""``/api/v1/analysis/insights``: alerts as they are described, in lists and by questions."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

import orjson
from fastapi import APIRouter, Path, Query, Request, Security
from fastapi.responses import Response
from pydantic import BeforeValidator, ConfigDict, Field, StringConstraints

from video_detective.api.envelope import PageQuery, Wire, answer, caller_of, page_of, responses
from video_detective.api.v1.insight_shapes import (
    Insight,
    InsightDetail,
    SearchAnswer,
    Snapshot,
    VlmSummary,
)
from video_detective.pipeline.clock import now_ns
from video_detective.services import insights
from video_detective.services.access import Caller
from video_detective.services.insight_search import InsightSearch
from video_detective.services.insights import InsightsAsked
from video_detective.services.media_links import MediaLinks, signed
from video_detective.services.times import utc_text
from video_detective.services.workspace import Workspace
from video_detective.storage.insights.statements import Detail, Listed

Reader = Annotated[Caller, Security(caller_of, scopes=["analytics:read"])]
InsightId = Annotated[UUID, Path(alias="id", description="The insight's id")]
_Time = Annotated[str, StringConstraints(min_length=1, max_length=40)]
_Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
_Question = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]


def _flag(value: object) -> object:
    """Exactly true or false: what else pydantic takes for one is a slip."""
    if isinstance(value, str) and value.lower() in {"true", "false"}:
        return value.lower() == "true"
    if isinstance(value, bool):
        return value
    raise ValueError("Input should be true or false")


_Flag = Annotated[bool, BeforeValidator(_flag)]


class SummariesQuery(PageQuery):
    """Which summaries: of insights triggered in [startDate, endDate)."""

    q: _Words | None = Field(default=None, description="Words about it, with their synonyms")
    device_id: UUID | None = None
    scene_id: UUID | None = None
    start_date: _Time | None = Field(
        default=None,
        description="ISO 8601; without offset in the device's zone, else the account's",
    )
    end_date: _Time | None = Field(default=None, description="Likewise; exclusive")


class InsightsQuery(SummariesQuery):
    """Which insights: those triggered in [startDate, endDate)."""

    severity: Literal["warning", "critical"] | None = None
    vlm_status: Literal["pending", "completed", "failed"] | None = None
    has_vlm_summary: _Flag | None = Field(default=None, description="With a summary, or without")
    has_attributes: _Flag | None = Field(default=None, description="With attributes, or without")


class SearchBody(Wire):
    """A question in Chinese or English, and how many insights may answer it."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"query": "昨天入口有人徘徊的高風險事件", "limit": 10}]}
    )

    query: _Question
    limit: int = Field(default=20, ge=1, le=100)


def routes(workspace: Workspace) -> APIRouter:
    """The routes of insights over an open workspace; those of attributes are ``attributes``'."""
    router = APIRouter(prefix="/api/v1/analysis/insights", tags=["insights"])
    search = InsightSearch(workspace)

    async def links_for(request: Request, caller: Caller) -> MediaLinks:
        return await signed(workspace, caller, str(request.base_url), now_ns=now_ns())

    @router.get("", responses=responses(list[Insight], 404))
    async def list_insights(
        request: Request, caller: Reader, query: Annotated[InsightsQuery, Query()]
    ) -> Response:
        """Insights, the newest trigger first."""
        asked = InsightsAsked(
            **_asked(query),
            severity=query.severity,
            vlm_status=query.vlm_status,
            has_summary=query.has_vlm_summary,
            has_attributes=query.has_attributes,
        )
        found = await _page(caller, query, asked)
        links = await links_for(request, caller)
        return answer(
            request,
            [listed(row, links) for row in found.page.insights],
            pagination=page_of(found.page.total, query, found.page.next_cursor),
            timezone=found.timezone,
        )

    @router.get("/vlm-summaries", responses=responses(list[VlmSummary], 404))
    async def list_vlm_summaries(
        request: Request, caller: Reader, query: Annotated[SummariesQuery, Query()]
    ) -> Response:
        """Summaries of insights that have one, the newest trigger first."""
        found = await _page(caller, query, InsightsAsked(**_asked(query), has_summary=True))
        links = await links_for(request, caller)
        return answer(
            request,
            [_summary(row, links) for row in found.page.insights],
            pagination=page_of(found.page.total, query, found.page.next_cursor),
            timezone=found.timezone,
        )

    @router.post("/search", responses=responses(SearchAnswer, 413, 415))
    async def search_insights(request: Request, caller: Reader, body: SearchBody) -> Response:
        """The insights that answer a question, best first.

        An answer may be some seconds old where another process has changed something meanwhile.
        """
        found = await search.search(caller, body.query, limit=body.limit, now_ns=now_ns())
        links = await links_for(request, caller)
        return answer(
            request,
            {
                "data": [listed(row, links) for row in found.page.insights],
                "total": found.page.total,
                "interpretation": found.interpretation,
                # Rules read the question: no model was asked.
                "tokensUsed": {"inputTokens": 0, "outputTokens": 0, "totalTokens": 0},
            },
            timezone=found.timezone,
        )

    @router.get("/{id}", responses=responses(InsightDetail, 404))
    async def get_insight(request: Request, caller: Reader, insight_id: InsightId) -> Response:
        """One insight with all there is to it."""
        row, detail = await insights.find_insight(workspace, caller, str(insight_id))
        return answer(request, detailed(row, detail, await links_for(request, caller)))

    @router.get("/{id}/snapshots", responses=responses(list[Snapshot], 404))
    async def list_snapshots(request: Request, caller: Reader, insight_id: InsightId) -> Response:
        """The pictures of an insight, in order of time."""
        row, _ = await insights.find_insight(workspace, caller, str(insight_id))
        links = await links_for(request, caller)
        return answer(
            request,
            [
                {"index": index, "url": links.link(picture["sha256"])}
                for index, picture in enumerate(_pictures(row))
            ],
        )

    async def _page(
        caller: Caller, query: PageQuery, asked: InsightsAsked
    ) -> insights.FoundInsights:
        return await insights.insight_page(
            workspace,
            caller,
            asked,
            limit=query.limit,
            offset=query.offset,
            cursor=query.cursor,
            now_ns=now_ns(),
        )

    return router


def _asked(query: SummariesQuery) -> dict[str, Any]:
    return {
        "q": query.q,
        "device_id": None if query.device_id is None else str(query.device_id),
        "scene_id": None if query.scene_id is None else str(query.scene_id),
        "start": query.start_date,
        "end": query.end_date,
    }


def listed(row: Listed, links: MediaLinks) -> dict[str, Any]:
    """An insight as it is listed. Lists are asked for often: stored JSON goes out as it is."""
    pictures = _pictures(row)
    return {
        "id": row.insight_id,
        "alertId": row.alert_id,
        "deviceId": row.device_id,
        "deviceName": row.device_name or row.camera_id,
        "sceneId": row.scene_id,
        "sceneName": row.scene_name,
        "severity": row.severity,
        "triggeredAt": utc_text(row.triggered_ns),
        "message": row.message,
        "vlmStatus": row.vlm_status,
        "vlmSummary": row.vlm_summary,
        "vlmStructuredResult": _json(row.vlm_result),
        "thumbnailUrl": thumbnail(row, links, pictures),
        "snapshotCount": len(pictures),
        "attributesSummary": _json(row.attributes_summary),
        "hasAttributes": bool(row.has_attributes),
        "hasVlmSummary": row.vlm_summary is not None,
        "createdAt": utc_text(row.created_ns),
        "eventId": row.event_id,
        "describedBy": row.described_by,
        "level": row.level,
        "reason": row.reason,
        "flags": _json(row.flags),
    }


def detailed(row: Listed, detail: Detail, links: MediaLinks) -> dict[str, Any]:
    """An insight with all there is to it."""
    tokens = [n for n in (detail.input_tokens, detail.output_tokens) if n is not None]
    return {
        **listed(row, links),
        "metricPath": detail.metric_path,
        "operator": detail.operator,
        "threshold": detail.threshold,
        "actualValue": detail.actual_value,
        "computeNodeId": detail.node_id,
        "snapshotUrls": [links.link(picture["sha256"]) for picture in _pictures(row)],
        "vlmRequestedAt": _time_text(detail.vlm_requested_ns),
        "vlmCompletedAt": _time_text(detail.vlm_completed_ns),
        "vlmError": detail.vlm_error,
        "vlmTokensUsed": sum(tokens) if tokens else None,
        "vlmInputTokensUsed": detail.input_tokens,
        "vlmOutputTokensUsed": detail.output_tokens,
        "requestId": detail.request_id,
    }


def _summary(row: Listed, links: MediaLinks) -> dict[str, Any]:
    return {
        "insightId": row.insight_id,
        "triggeredAt": utc_text(row.triggered_ns),
        "severity": row.severity,
        "vlmSummary": row.vlm_summary,
        "thumbnailUrl": thumbnail(row, links),
        "deviceId": row.device_id,
        "deviceName": row.device_name or row.camera_id,
        "sceneId": row.scene_id,
        "sceneName": row.scene_name,
    }


def _pictures(row: Listed) -> list[dict[str, Any]]:
    """Without those that retention deleted."""
    pictures = [] if row.snapshots == "[]" else orjson.loads(row.snapshots)
    return [one for one in pictures if "deletedNs" not in one]


def thumbnail(
    row: Listed, links: MediaLinks, pictures: list[dict[str, Any]] | None = None
) -> str | None:
    """The picture of the moment of the trigger; ``pictures`` where they were read already."""
    pictures = _pictures(row) if pictures is None else pictures
    if not pictures:
        return None
    at_ns = row.triggered_ns
    return links.link(min(pictures, key=lambda one: abs(one["timeNs"] - at_ns))["sha256"])


def _json(text: str | None) -> orjson.Fragment | None:
    return None if text is None else orjson.Fragment(text)


def _time_text(time_ns: int | None) -> str | None:
    return None if time_ns is None else utc_text(time_ns)
