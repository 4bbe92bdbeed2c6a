"""The scene document's JSON Schema, from which programs make forms."""

from __future__ import annotations

from typing import Any, get_args

from video_detective.config.base import IDENTIFIER, SceneDocument
from video_detective.config.checks import METRICS, MOST_NUMBER, least_of
from video_detective.config.reading import DAYS
from video_detective.detection.base import CLASS_GROUPS
from video_detective.rules import EVENT_TYPES, Rule

_HOURS = r"^\d{1,2}:\d{2}-\d{1,2}:\d{2}$"
_REFERENCES = {"zone": "zones", "tripwire": "tripwires"}
_SCHEDULE: dict[str, Any] = {
    "title": "Schedule",
    "description": "Local wall-clock hours on days of the week. Hours that end before they begin "
    "run over midnight; without days it is every day, without hours the whole day.",
    "anyOf": [
        {"type": "string", "pattern": _HOURS},
        {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "days": {"type": "array", "items": {"type": "string", "enum": list(DAYS)}},
                "hours": {"type": "string", "pattern": _HOURS},
                "timezone": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None},
            },
        },
    ],
}


def scene_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of what ``parse_scene`` takes, schedules as people write them.

    Besides the standard's words, ``x-refers`` names the part of the document (``zones``,
    ``tripwires``, ``rules``) of which a value is an id, and ``x-paths`` the forms of a metric, in
    which ``*`` stands for an id. What depends on several fields, such as that an outline does not
    cross itself, is checked by ``parse_scene`` alone.
    """
    schema = SceneDocument.model_json_schema()
    parts = schema["$defs"]
    parts["Schedule"] = _SCHEDULE
    for kind in get_args(Rule):
        properties = parts[kind.__name__]["properties"]
        properties["id"]["pattern"] = IDENTIFIER
        properties["classes"]["items"]["enum"] = list(CLASS_GROUPS)
        for name, field in properties.items():
            _bound(name, field)
            if name in _REFERENCES:
                field["x-refers"] = _REFERENCES[name]
        if "metric" in properties:
            properties["metric"]["x-paths"] = list(METRICS)
    alert = parts["AlertRule"]["properties"]
    alert["id"]["pattern"] = IDENTIFIER
    alert["rules"]["items"]["x-refers"] = "rules"
    alert["types"]["items"]["enum"] = list(EVENT_TYPES)
    for name, field in alert.items():
        _bound(name, field)
    classes = parts["DetectionSettings"]["properties"]["classes"]
    classes["items"]["enum"] = list(CLASS_GROUPS)
    return schema


def _bound(name: str, field: dict[str, Any]) -> None:
    """Gives every number of a field its bounds, also those of choices and of tables."""
    for form in (field, *field.get("anyOf", ()), field.get("additionalProperties")):
        if not isinstance(form, dict):
            continue
        if form is not field and "additionalProperties" in form:
            _bound(name, form)
        if form.get("type") in {"number", "integer"}:
            form |= {"minimum": least_of(name), "maximum": MOST_NUMBER}
