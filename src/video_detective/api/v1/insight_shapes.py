"""What insights look like: the fields of the interface, with examples."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, Field

from video_detective.api.envelope import Wire

Severity = Literal["warning", "critical"]
Risk = Literal["low", "medium", "high", "critical"]
Operator = Literal["GT", "LT", "GTE", "LTE", "EQ"]
_SUMMARY = "畫面中可見 15 人在排隊等候，隊伍較長。"
_LINK = (
    "https://vd.example/media/0199a2c4-5d0f-7000-8000-000000000001/"
    "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08.jpg"
    "?expires=1772016000&for=key%3A0199&signature=5f2b"
)
_LISTED: dict[str, Any] = {
    "id": "0199a2c4-5d13-7000-8000-000000000001",
    "alertId": "0199a2c4-5d12-7000-8000-000000000001",
    "deviceId": "0199a2c4-5d10-7c3e-9f00-2b1a6c7d8e90",
    "deviceName": "入口攝影機",
    "sceneId": "0199a2c4-5d11-7000-8000-000000000001",
    "sceneName": "主入口排隊區",
    "severity": "critical",
    "triggeredAt": "2026-02-25T10:30:00Z",
    "message": "Queue length exceeded threshold: 15 > 10",
    "vlmStatus": "completed",
    "vlmSummary": _SUMMARY,
    "vlmStructuredResult": {
        "summary": _SUMMARY,
        "personCount": 15,
        "riskLevel": "high",
        "activities": ["排隊等候"],
        "suggestions": ["增派服務人員"],
        "environment": "室內大廳",
    },
    "thumbnailUrl": _LINK,
    "snapshotCount": 3,
    "attributesSummary": {"totalPersons": 15, "genderDistribution": {"female": 8, "male": 7}},
    "hasAttributes": True,
    "hasVlmSummary": True,
    "createdAt": "2026-02-25T10:30:01Z",
    "eventId": "evt_20260225_cam-3f9a1b2c4d5e_0001",
    "describedBy": "model",
    "level": "frames",
    "reason": None,
    "flags": [],
}
_DETAIL: dict[str, Any] = {
    **_LISTED,
    "metricPath": "zones.queue.count",
    "operator": "GT",
    "threshold": 10.0,
    "actualValue": 15.0,
    "computeNodeId": "5d5a7f0e-1c53-4f0e-9a5c-3a1d0a6a6f10",
    "snapshotUrls": [_LINK],
    "vlmRequestedAt": "2026-02-25T10:30:01Z",
    "vlmCompletedAt": "2026-02-25T10:30:04Z",
    "vlmError": None,
    "vlmTokensUsed": 1020,
    "vlmInputTokensUsed": 900,
    "vlmOutputTokensUsed": 120,
    "requestId": "7c9e6679-7425-4f2a-944b-e07fc1f90ae7",
}
_SUMMED: dict[str, Any] = {
    "insightId": _LISTED["id"],
    **{
        name: _LISTED[name]
        for name in ("triggeredAt", "severity", "vlmSummary", "thumbnailUrl", "deviceId",
                     "deviceName", "sceneId", "sceneName")
    },
}  # fmt: skip


class StructuredResult(Wire):
    """What was said of an alert: summary at most 500 characters, environment 50, 5 activities,
    3 suggestions.
    """  # noqa: D205 - one sentence

    summary: str
    person_count: int
    risk_level: Risk
    activities: list[str]
    suggestions: list[str]
    environment: str


class GenderDistribution(Wire):
    """Persons by gender; null where nothing could determine it."""

    female: int | None
    male: int | None


class AttributesSummary(Wire):
    """Of the attributes nearest to the trigger."""

    total_persons: int
    gender_distribution: GenderDistribution


class Insight(Wire):
    """An alert as it is described.

    ``thumbnailUrl`` is signed: whoever has it sees that picture for some minutes. ``describedBy``:
    ``model``, or ``template`` where no model answered; ``reason`` then says why, ``level`` what was
    really looked at. ``flags``: what a reader must know of the words.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [_LISTED]})

    id: str
    alert_id: str
    device_id: str | None
    device_name: str
    scene_id: str | None
    scene_name: str | None
    severity: Severity
    triggered_at: str
    message: str
    vlm_status: Literal["pending", "completed", "failed"]
    vlm_summary: str | None
    vlm_structured_result: StructuredResult | None
    thumbnail_url: str | None
    snapshot_count: int
    attributes_summary: AttributesSummary | None
    has_attributes: bool
    has_vlm_summary: bool
    created_at: str
    event_id: str
    described_by: Literal["model", "template"] | None
    level: str | None
    reason: str | None
    flags: list[str]


class InsightDetail(Insight):
    """An insight with what raised the alert, its pictures, and what the model needed."""

    model_config = ConfigDict(json_schema_extra={"examples": [_DETAIL]})

    metric_path: str
    operator: Operator
    threshold: float
    actual_value: float
    compute_node_id: str | None
    snapshot_urls: list[str]
    vlm_requested_at: str | None
    vlm_completed_at: str | None
    vlm_error: str | None
    vlm_tokens_used: int | None
    vlm_input_tokens_used: int | None
    vlm_output_tokens_used: int | None
    request_id: str


class VlmSummary(Wire):
    """The words about an alert."""

    model_config = ConfigDict(json_schema_extra={"examples": [_SUMMED]})

    insight_id: str
    triggered_at: str
    severity: Severity
    vlm_summary: str
    thumbnail_url: str | None
    device_id: str | None
    device_name: str
    scene_id: str | None
    scene_name: str | None


class Snapshot(Wire):
    """A picture; ``url`` is signed and good for some minutes."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"index": 0, "url": _LINK}]})

    index: int
    url: str


class Understood(Wire):
    """What a question was understood as; what it does not say is not there."""

    risk_level: Risk | None = None
    severity: Severity | None = None
    activity_keywords: list[str] = Field(default=[])
    device_ids: list[str] = Field(default=[])
    scene_ids: list[str] = Field(default=[])
    start_date: str | None = None
    end_date: str | None = None
    event_types: list[str] = Field(default=[])
    classes: list[str] = Field(default=[])
    colours: list[str] = Field(default=[])
    zones: list[str] = Field(default=[])
    not_understood: list[str] = Field(default=[])


class TokensUsed(Wire):
    """Tokens of a model; 0 where none was asked."""

    input_tokens: int
    output_tokens: int
    total_tokens: int


class SearchAnswer(Wire):
    """Insights that answer a question, best first; ``total`` is how many there are in all."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "data": [_LISTED],
                    "total": 1,
                    "interpretation": {
                        "riskLevel": "high",
                        "activityKeywords": ["徘徊"],
                        "startDate": "2026-02-24T16:00:00Z",
                        "endDate": "2026-02-25T16:00:00Z",
                    },
                    "tokensUsed": {"inputTokens": 0, "outputTokens": 0, "totalTokens": 0},
                }
            ]
        }
    )

    data: list[Insight]
    total: int
    interpretation: Understood
    tokens_used: TokensUsed
