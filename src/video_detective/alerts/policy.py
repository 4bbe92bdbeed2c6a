"""Which events are alerts, and the number that an alert shows. Pure."""

from __future__ import annotations

import operator as compare
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from video_detective.alerts.base import Alert, AlertRule, Operator, Severity
from video_detective.alerts.wording import message
from video_detective.geometry import NS_PER_S
from video_detective.rules.base import RISK_LEVELS, Event
from video_detective.rules.parameters import Scene
from video_detective.rules.schedule import watches

HOLDS: Mapping[Operator, Callable[[float, float], bool]] = {
    "GT": compare.gt,
    "GTE": compare.ge,
    "LT": compare.lt,
    "LTE": compare.le,
    "EQ": compare.eq,
}
"""What each operator means: ``HOLDS[operator](actual, threshold)``."""

_MEASURED: Mapping[str, tuple[str, str, str]] = {
    "intrusion": ("dwell_s", "enter_s", "dwell_s"),
    "loitering": ("dwell_s", "min_seconds", "dwell_s"),
    "pacing": ("crossings", "min_crossings", "crossings"),
    "abandoned_object": ("alone_s", "min_seconds", "alone_s"),
    "crowding": ("peak_count", "min_people", "count"),
    "wrong_way": ("angle_deg", "tolerance_deg", "angle_deg"),
    "post_left": ("absent_s", "min_seconds", "absent_s"),
    "camera_tampered": ("duration_s", "min_seconds", "duration_s"),
}
"""Of each type: the fact, the parameter that it reached, and the last part of the path."""
_DEFAULT_SECONDS = 20.0
"""``min_seconds`` of a class that a table of classes does not name."""
_DECIMALS = {"angle_deg": 1}
"""To how many decimals facts are rounded, where it is not three: thresholds are rounded alike, so
that what was reached stays reached."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """The number of an event: ``actual_value operator threshold`` holds.

    Args:
        metric_path, operator, threshold, actual_value: As of ``Alert``.
        message: One line in English.
    """

    metric_path: str
    operator: Operator
    threshold: float
    actual_value: float

    @property
    def message(self) -> str:
        """One line in English."""
        return message(
            self.metric_path, self.operator, self.threshold, self.actual_value, language="en"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Aspect:
    """What one rule found in an event: the whole event, or a part of a merged one."""

    type: str
    rule_id: str
    risk_level: str
    established_ns: int
    facts: Mapping[str, Any]
    parameters: Mapping[str, Any]


def alerts_for(event: Event, rules: Sequence[AlertRule], scene: Scene) -> tuple[Alert, ...]:
    """The alerts that an event makes as it stands; at most one for each alert rule.

    Of a merged event a part is enough: an alert rule for loitering takes an intrusion whose track
    also loitered. What the alert shows is then that part's, the gravest of several.

    Args:
        event: Any version of it, since it was established.
        rules: In their order.
        scene: Gives the time zone of schedules.
    """
    made = (_alert(event, rule, scene) for rule in rules)
    return tuple(alert for alert in made if alert is not None)


def measure(event: Event) -> Measure:
    """The event's number, from its facts and the parameters of its rule."""
    return _measure(event, next(_aspects(event)))


def severity_of(risk_level: str) -> Severity:
    """How grave an alert is whose rule does not say."""
    return "critical" if risk_level in ("high", "critical") else "warning"


def _alert(event: Event, rule: AlertRule, scene: Scene) -> Alert | None:
    taken = [
        (aspect, shown)
        for aspect in _aspects(event)
        if (shown := _taken(event, aspect, rule)) is not None
    ]
    if not taken:
        return None
    aspect, shown = taken[0]
    triggered_ns = min(one.established_ns for one, _ in taken)
    if not watches(rule.schedule, triggered_ns, scene.timezone):
        return None
    return Alert(
        event_id=event.event_id,
        camera_id=event.camera_id,
        alert_rule=rule.id,
        kind="metric" if aspect.type == "metric" else "event",
        metric_path=shown.metric_path,
        operator=shown.operator,
        threshold=shown.threshold,
        actual_value=shown.actual_value,
        severity=rule.severity or severity_of(aspect.risk_level),
        message=shown.message,
        triggered_ns=triggered_ns,
        cooldown_ns=round(rule.cooldown_s * NS_PER_S),
    )


def _aspects(event: Event) -> Iterator[_Aspect]:
    """The event, then the other parts of a merged one, in falling gravity."""
    parts = [
        _Aspect(**{key: part[key] for key in _Aspect.__slots__})
        for part in event.facts.get("parts", ())
    ]
    own = [part for part in parts if part.rule_id == event.rule_id]
    yield _Aspect(
        type=event.type,
        rule_id=event.rule_id,
        risk_level=event.risk_level,
        # A merged event was established by whichever part came first.
        established_ns=own[0].established_ns if own else event.established_ns,
        facts=event.facts,
        parameters=event.parameters,
    )
    others = [part for part in parts if part.rule_id != event.rule_id]
    yield from sorted(others, key=lambda part: -_grade(part.risk_level))


def _grade(risk_level: str) -> int:
    return RISK_LEVELS.index(risk_level) if risk_level in RISK_LEVELS else 0


def _taken(event: Event, aspect: _Aspect, rule: AlertRule) -> Measure | None:
    """What the alert shows of this aspect; None when the rule does not take it."""
    if rule.rules and aspect.rule_id not in rule.rules:
        return None
    if rule.types and aspect.type not in rule.types:
        return None
    if _grade(aspect.risk_level) < _grade(rule.min_risk):
        return None
    shown = _measure(event, aspect)
    if rule.threshold is None:
        return shown
    if not HOLDS[shown.operator](shown.actual_value, rule.threshold):
        return None
    return Measure(
        metric_path=shown.metric_path,
        operator=shown.operator,
        threshold=rule.threshold,
        actual_value=shown.actual_value,
    )


def _measure(event: Event, aspect: _Aspect) -> Measure:
    if (found := _measured(event, aspect)) is not None:
        return found
    # It happened, once: what can be said of every event.
    return Measure(
        metric_path=f"{_place(event, aspect)}.{aspect.type}.events",
        operator="GTE",
        threshold=1.0,
        actual_value=1.0,
    )


def _measured(event: Event, aspect: _Aspect) -> Measure | None:
    """None where the facts do not have it, or do not bear it out."""
    facts, parameters = aspect.facts, aspect.parameters
    sign: Operator = "GTE"
    actual: Any
    threshold: Any
    if aspect.type == "metric":
        path = facts.get("metricPath")
        sign = cast("Operator", facts.get("operator"))
        # As the rule has it, not rounded for people.
        actual = facts.get("actualValue")
        threshold = parameters.get("threshold", facts.get("threshold"))
    elif aspect.type == "line_crossing":
        path = f"{_place(event, aspect)}.line_crossing.count"
        actual = threshold = 1
    elif aspect.type == "speed":
        # Both are rounded: "faster than" may look like "as fast as".
        path = f"{_place(event, aspect)}.speed.peak_speed_px_s"
        actual, threshold = facts.get("peak_speed_px_s"), facts.get("limit_px_s")
    elif aspect.type in _MEASURED:
        fact, parameter, name = _MEASURED[aspect.type]
        path = f"{_place(event, aspect)}.{aspect.type}.{name}"
        actual, threshold = facts.get(fact), _threshold(event, aspect, parameter)
    else:
        return None
    if not isinstance(actual, int | float) or not isinstance(threshold, int | float):
        return None
    if not path or sign not in HOLDS or not HOLDS[sign](actual, threshold):
        return None
    return Measure(
        metric_path=str(path),
        operator=sign,
        threshold=float(threshold),
        actual_value=float(actual),
    )


def _threshold(event: Event, aspect: _Aspect, parameter: str) -> float | None:
    if aspect.type == "intrusion" and aspect.parameters.get("enter_frames") is not None:
        return None  # it is frames that were counted, not seconds
    value = aspect.parameters.get(parameter)
    if isinstance(value, Mapping):  # by class
        kinds = [actor.type for actor in event.actors if actor.type in value]
        value = value[kinds[0]] if kinds else _DEFAULT_SECONDS
    if not isinstance(value, int | float):
        return None
    return round(float(value), _DECIMALS.get(_MEASURED[aspect.type][2], 3))


def _place(event: Event, aspect: _Aspect) -> str:
    """Where, as the beginning of a path: a zone, a tripwire, or the whole camera."""
    if event.zone is not None:
        return f"zones.{event.zone}"
    if event.tripwire is not None:
        return f"tripwires.{event.tripwire}"
    return "camera"
