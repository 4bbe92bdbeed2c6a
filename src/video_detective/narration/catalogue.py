"""What people read: words and sentence patterns by language, kept as data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Literal

Language = Literal["zh-TW", "en"]
LANGUAGES: tuple[Language, ...] = ("zh-TW", "en")


@cache
def catalogue(language: Language) -> Mapping[str, Mapping[str, Any]]:
    """Sections by name, each with its entries; every language has the same keys.

    Args:
        language: One of ``LANGUAGES``.
    """
    resource = files("video_detective.narration").joinpath(f"catalogues/{language}.json")
    sections: Mapping[str, Mapping[str, Any]] = json.loads(resource.read_text(encoding="utf-8"))
    return sections


def fill(language: Language, section: str, key: str, **values: object) -> str:
    """The pattern ``key`` of a section with its places filled."""
    pattern: str = catalogue(language)[section][key]
    return pattern.format(**values)


def event_name(event_type: str, language: Language = "zh-TW") -> str:
    """What an event type is called; a type that is none of ``EVENT_TYPES`` stands for itself."""
    entry = catalogue(language)["events"].get(event_type)
    return event_type if entry is None else str(entry["name"])


def class_name(kind: str, language: Language = "zh-TW") -> str:
    """What a class or class group is called; an unknown one stands for itself."""
    words = catalogue(language)
    return str(words["classes"].get(kind) or words["groups"].get(kind) or kind)


def risk_name(level: str, language: Language = "zh-TW") -> str:
    """What a risk level is called."""
    return str(catalogue(language)["risks"].get(level, level))


def spoken_duration(seconds: float, language: Language) -> str:
    """How long, as people say it: two units at most.

    >>> spoken_duration(125, "zh-TW"), spoken_duration(3790, "en"), spoken_duration(0.2, "en")
    ('2 分 5 秒', '1 h 3 min', 'under 1 second')
    """
    if seconds < 0.5:
        return fill(language, "units", "under_second")
    whole = round(seconds)
    if whole < 60:
        return fill(language, "units", "seconds", s=whole)
    if whole < 3600:
        minutes, rest = divmod(whole, 60)
        key = "minutes_seconds" if rest else "minutes"
        return fill(language, "units", key, m=minutes, s=rest)
    hours, minutes = divmod(whole // 60, 60)
    return fill(language, "units", "hours_minutes" if minutes else "hours", h=hours, m=minutes)
