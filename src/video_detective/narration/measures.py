"""What a rule measured beside what it asked for, with units: facts as people compare them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from video_detective.narration.catalogue import (
    Language,
    catalogue,
    class_name,
    fill,
    spoken_duration,
)
from video_detective.rules import Event
from video_detective.rules.parameters import REFERENCE_HEIGHT

Unit = Literal["s", "px", "px_s", "deg", "count", "time", "name", "share"]
Comparison = Literal["at_least", "at_most", "over", "under", "equal"]

_LIMITS: Mapping[tuple[str, str], tuple[str, Comparison]] = {
    ("intrusion", "dwell_s"): ("enter_s", "at_least"),
    ("loitering", "dwell_s"): ("min_seconds", "at_least"),
    ("loitering", "window_speed_px_s"): ("max_speed_px_s", "at_most"),
    ("pacing", "crossings"): ("min_crossings", "at_least"),
    ("abandoned_object", "alone_s"): ("min_seconds", "at_least"),
    ("crowding", "peak_count"): ("min_people", "at_least"),
    ("crowding", "duration_s"): ("min_seconds", "at_least"),
    ("metric", "actualValue"): ("threshold", "over"),
    ("metric", "duration_s"): ("for_seconds", "at_least"),
    ("wrong_way", "angle_deg"): ("tolerance_deg", "over"),
    ("wrong_way", "distance_px"): ("min_distance", "at_least"),
    ("speed", "peak_speed_px_s"): ("limit_px_s", "over"),
    ("speed", "duration_s"): ("min_seconds", "at_least"),
    ("post_left", "absent_s"): ("min_seconds", "at_least"),
    ("camera_tampered", "duration_s"): ("min_seconds", "at_least"),
}
"""What of a rule's parameters a fact has to reach, by type of event and fact."""
_OF_OPERATOR: Mapping[str, Comparison] = {
    "GT": "over", "GTE": "at_least", "LT": "under", "LTE": "at_most", "EQ": "equal",
}  # fmt: skip
_HEIGHTS = {"max_speed_px_s": "max_speed", "limit_px_s": "limit"}
"""Limits in pixels, and the parameter in frame heights that stands for them where it is given."""
_UNTOLD = frozenset(
    {"ended", "way", "message", "direction", "parts", "operator", "threshold", "min_people",
     "limit_px_s", "metricPath", "imported", "record"}
)  # fmt: skip
"""Facts that the sentence tells already, that are a limit, or that are of use only as data."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """What the rule asks for.

    Args:
        key: The rule's parameter.
        value: In the unit of what it limits.
        comparison: What the measure has to be, of ``value``.
    """

    key: str
    value: float
    comparison: Comparison


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A fact of an event.

    Args:
        rule_id: Whose; a merged event has those of several rules.
        key: The fact.
        value: A number; RFC 3339 in UTC where the unit is ``time``; a name or list of names.
        unit: Seconds, pixels and pixels a second of a picture 720 high, degrees, ``count``,
            ``time``, ``name``, ``share`` (0..1 of the picture).
        limit: What the rule asks of it.
    """

    rule_id: str
    key: str
    value: Any
    unit: Unit
    limit: Limit | None = None


def measures(event: Event) -> list[Measure]:
    """The facts of an event, its own rule's first, each with what the rule asked for.

    Facts that are unknown (None) are left out; an imported event may have none.
    """
    found = list(
        _measures(event.type, event.rule_id, event.facts, event.parameters, _kind_of(event))
    )
    for part in event.facts.get("parts", ()):
        if part["rule_id"] != event.rule_id:
            found += _measures(
                part["type"], part["rule_id"], part["facts"], part["parameters"], _kind_of(event)
            )
    return found


def fact_name(key: str, language: Language) -> str:
    """What people call a fact; its key where nobody named it."""
    return str(catalogue(language)["facts"].get(key, key))


def measured(measure: Measure, language: Language, zone: ZoneInfo) -> str:
    """The value with its unit, as people write it; times on the clock of ``zone``."""
    return _said(measure.value, measure.unit, measure.key, language, zone)


def asked(measure: Measure, language: Language, zone: ZoneInfo) -> str:
    """What the rule asks of it, such as "at least 20 s"; "" where it asks nothing."""
    if measure.limit is None:
        return ""
    value = _said(measure.limit.value, measure.unit, measure.key, language, zone)
    return fill(language, "comparisons", measure.limit.comparison, value=value)


def _said(value: Any, unit: Unit, key: str, language: Language, zone: ZoneInfo) -> str:
    if isinstance(value, list):
        comma = str(catalogue(language)["words"]["list"])
        return comma.join(_said(item, unit, key, language, zone) for item in value)
    match unit:
        case "time":
            return f"{datetime.fromisoformat(str(value)).astimezone(zone):%Y-%m-%d %H:%M:%S}"
        case "name" if key == "kinds":
            return str(catalogue(language)["views"].get(value, value))
        case "name":
            return class_name(str(value), language)
        case "s" if value >= 60:
            return spoken_duration(value, language)
        case "count":
            return f"{float(value):.10g}"
        case "share":
            return f"{round(float(value), 2):g}"
        case _:
            return fill(language, "amounts", unit, value=f"{round(float(value), 1):g}")


def _kind_of(event: Event) -> str:
    return next((actor.type for actor in event.actors), "person")


def _measures(
    type_: str, rule_id: str, facts: Mapping[str, Any], parameters: Mapping[str, Any], kind: str
) -> Iterator[Measure]:
    for key, value in facts.items():
        if key in _UNTOLD or value is None or value == "" or isinstance(value, Mapping):
            continue
        yield Measure(
            rule_id=rule_id,
            key=key,
            value=value,
            unit=_unit(key, facts),
            limit=_limit(type_, key, facts, parameters, kind),
        )


def _limit(
    type_: str, key: str, facts: Mapping[str, Any], parameters: Mapping[str, Any], kind: str
) -> Limit | None:
    name, comparison = _LIMITS.get((type_, key), ("", "at_least"))
    value = parameters.get(name)
    heights = parameters.get(_HEIGHTS.get(name, ""))
    if name == "min_distance":
        heights = value
    if heights is not None:
        value = round(heights * REFERENCE_HEIGHT, 1)
    if isinstance(value, Mapping):  # one for each class
        value = value.get(kind)
    if not isinstance(value, int | float):
        return None
    if type_ == "metric" and name == "threshold":
        comparison = _OF_OPERATOR.get(str(facts.get("operator")), comparison)
    return Limit(key=name, value=value, comparison=comparison)


def _unit(key: str, facts: Mapping[str, Any]) -> Unit:
    if key in {"actualValue", "peak_value"}:
        return "s" if str(facts.get("metricPath", "")).endswith("_s") else "count"
    if key == "point":
        return "share"
    endings: tuple[tuple[str, Unit], ...] = (
        ("_px_s", "px_s"), ("_px", "px"), ("_s", "s"), ("_deg", "deg"), ("_at", "time"),
    )  # fmt: skip
    for ending, unit in endings:
        if key.endswith(ending):
            return unit
    return "count" if isinstance(facts[key], int | float) else "name"
