"""Which events become alerts (the alert rules of a scene), and what an alert says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from video_detective.rules.parameters import RiskLevel, Schedule

Severity = Literal["warning", "critical"]
Operator = Literal["GT", "LT", "GTE", "LTE", "EQ"]
SEVERITIES: tuple[Severity, ...] = ("warning", "critical")


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRule:
    """Which events of a scene are alerts: those that meet every condition.

    Args:
        id: Unique within the scene.
        rules: Ids of the rules whose events it takes; empty: of every rule.
        types: Event types that it takes; empty: every type.
        min_risk: The least risk level.
        severity: Of its alerts; None: critical for events of high and critical risk, else warning.
        threshold: A further bar for the event's measured number (the one that ``Alert`` shows), by
            the same operator; None: the rule's own.
        cooldown_s: After one of its alerts, none for so long (time of the events).
        schedule: When it alerts; empty: always.
    """

    __pydantic_config__: ClassVar[Mapping[str, Any]] = {"extra": "forbid"}

    id: str
    rules: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    min_risk: RiskLevel = "low"
    severity: Severity | None = None
    threshold: float | None = None
    cooldown_s: float = 0.0
    schedule: tuple[Schedule, ...] = ()


DEFAULT_ALERT_RULE = AlertRule(id="every-event")
"""That of a scene without ``alerts``: every event is an alert."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """A fact to be told at once. The same (event, alert rule) is the same alert.

    Args:
        event_id, camera_id: What it is about.
        alert_rule: Id of the ``AlertRule``.
        kind: ``metric`` for events of metric rules, else ``event``.
        metric_path: Which number: a metric rule's own path, else such as
            ``zones.<id>.loitering.dwell_s`` or ``tripwires.<id>.line_crossing.count``.
        operator, threshold, actual_value: ``actual_value operator threshold`` holds.
        severity: How grave.
        message: One line in English, such as
            ``Queue length exceeded threshold: 15 > 10``.
        triggered_ns: When the event was established.
        cooldown_ns: See ``AlertRule.cooldown_s``.
    """

    event_id: str
    camera_id: str
    alert_rule: str
    kind: Literal["event", "metric"]
    metric_path: str
    operator: Operator
    threshold: float
    actual_value: float
    severity: Severity
    message: str
    triggered_ns: int
    cooldown_ns: int = 0
