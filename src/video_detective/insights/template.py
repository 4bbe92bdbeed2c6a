"""An insight without a model: what the facts say, in the same fields."""

from __future__ import annotations

from typing import Any

from video_detective.insights.base import SUMMARY
from video_detective.narration.catalogue import Language, event_name
from video_detective.rules.base import Event


def template_result(event: Event, summary: str, language: Language) -> dict[str, Any]:
    """``vlmStructuredResult`` from facts alone; nothing that only a picture shows is in it.

    Args:
        event: As it stands.
        summary: The sentence made from its facts, in ``language``.
        language: Of the account.
    """
    types = [str(part["type"]) for part in event.facts.get("parts", ())]
    kinds = dict.fromkeys((event.type, *types))
    return {
        "summary": summary[:SUMMARY],
        "personCount": people(event),
        "riskLevel": event.risk_level,
        "activities": [event_name(kind, language) for kind in kinds][:5],
        "suggestions": [],
        "environment": "",
    }


def people(event: Event) -> int:
    """Persons that the event is about, as far as it tells."""
    tracked = len({actor.track_id for actor in event.actors if actor.type == "person"})
    peak = event.facts.get("peak_count")
    return max(tracked, int(peak)) if isinstance(peak, int) else tracked
