"""What notifications say: an alert and its insight, in the interface's field names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from video_detective.alerts.notification import EVENT_KINDS, NotificationKind
from video_detective.services.times import utc_text
from video_detective.storage.notices.base import AlertFacts

SENSITIVE = ("thumbnailUrl", "snapshotUrls")
"""Links that open pictures: sent, but not kept."""


def body_of(
    kind: NotificationKind, facts: AlertFacts, *, delivery_id: str, created_ns: int, request_id: str
) -> dict[str, Any]:
    """The body of a notification, without links.

    Args:
        kind: What it tells.
        facts: As they are now.
        delivery_id: Of the delivery; constant over retries.
        created_ns: When it was made.
        request_id: Of what began it.
    """
    return {
        "id": delivery_id,
        "kind": EVENT_KINDS[kind],
        "createdAt": utc_text(created_ns),
        "requestId": request_id,
        "accountId": facts.account_id,
        "alert": _alert(facts),
        "insight": None if facts.insight is None else _insight(facts.insight),
    }


def with_links(
    body: Mapping[str, Any], urls: Sequence[str] | None, *, of_trigger: int = 0
) -> dict[str, Any]:
    """The body with links to the insight's pictures, in their order; with null for no links.

    ``of_trigger`` is the place of the one that is shown small.
    """
    insight = body.get("insight")
    if insight is None:
        return dict(body)
    links = {
        "thumbnailUrl": urls[of_trigger] if urls else None,
        "snapshotUrls": None if urls is None else list(urls),
    }
    return {**body, "insight": {**insight, **links}}


def without_links(body: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept of a body."""
    insight = body.get("insight")
    if insight is None:
        return dict(body)
    kept = {name: value for name, value in insight.items() if name not in SENSITIVE}
    return {**body, "insight": kept}


def sample_body(
    *, delivery_id: str, now_ns: int, account_id: str, request_id: str
) -> dict[str, Any]:
    """The body of a test: of the same shape as an alert's, about nothing that happened."""
    nothing = "00000000-0000-0000-0000-000000000000"
    return {
        "id": delivery_id,
        "kind": EVENT_KINDS["test"],
        "createdAt": utc_text(now_ns),
        "requestId": request_id,
        "accountId": account_id,
        "alert": {
            "id": nothing,
            "deviceId": nothing,
            "deviceName": "Test",
            "sceneId": None,
            "sceneName": None,
            "eventId": "test",
            "eventType": "intrusion",
            "alertRule": "test",
            "kind": "event",
            "metricPath": "zones.test.intrusion.dwell_s",
            "operator": "GTE",
            "threshold": 1.0,
            "actualValue": 1.0,
            "severity": "warning",
            "message": "Test notification of Video Detective",
            "triggeredAt": utc_text(now_ns),
            "endedAt": None,
        },
        "insight": None,
    }


def _alert(facts: AlertFacts) -> dict[str, Any]:
    alert = facts.alert
    return {
        "id": alert["alert_id"],
        "deviceId": facts.device_id,
        "deviceName": facts.device_name,
        "sceneId": alert["scene_id"],
        "sceneName": facts.scene_name or None,
        "eventId": alert["event_id"],
        "eventType": facts.event_type,
        "alertRule": alert["alert_rule"],
        "kind": alert["kind"],
        "metricPath": alert["metric_path"],
        "operator": alert["operator"],
        "threshold": alert["threshold"],
        "actualValue": alert["actual_value"],
        "severity": alert["severity"],
        "message": alert["message"],
        "triggeredAt": utc_text(alert["triggered_ns"]),
        "endedAt": None if facts.ended_ns is None else utc_text(facts.ended_ns),
    }


def _insight(insight: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": insight["insight_id"],
        "vlmStatus": insight["vlm_status"],
        "vlmSummary": insight["vlm_summary"],
        "vlmStructuredResult": insight["vlm_result"],
        "vlmError": insight["vlm_error"],
        "riskLevel": insight["risk_level"],
        "describedBy": insight["described_by"],
        "hasVlmSummary": bool(insight["vlm_summary"]),
        "hasAttributes": bool(insight["has_attributes"]),
        "attributesSummary": insight["attributes_summary"],
        "snapshotCount": len(insight["snapshots"]),
    }
