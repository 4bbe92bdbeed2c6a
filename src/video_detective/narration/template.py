"""Words for events without a model: sentences, search terms and names, from the facts alone.

The same event gives the same words. That they were made by template is for the record that holds
them to say, not for the sentence.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from video_detective.detection.base import CLASS_GROUPS
from video_detective.narration.catalogue import (
    LANGUAGES,
    Language,
    catalogue,
    class_name,
    event_name,
    fill,
    risk_name,
)
from video_detective.narration.teller import Teller
from video_detective.rules import Event, Moment, Scene

__all__ = [
    "EventTexts",
    "class_name",
    "event_name",
    "event_synonyms",
    "event_texts",
    "keywords_zh",
    "moment_text",
    "risk_name",
    "summary",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventTexts:
    """An event's words.

    Args:
        summary_zh, summary_en: One sentence each.
        keywords_zh: Terms under which people look for it, without doubles.
    """

    summary_zh: str
    summary_en: str
    keywords_zh: tuple[str, ...]


def event_texts(event: Event, scene: Scene, *, camera_name: str) -> EventTexts:
    """All words of an event.

    Args:
        event: The event as it stands; ask again when it changes.
        scene: The camera's zones, tripwires and time zone.
        camera_name: What people call the camera.
    """
    chinese = summary(event, scene, language="zh-TW", camera_name=camera_name)
    english = summary(event, scene, language="en", camera_name=camera_name)
    return EventTexts(
        summary_zh=chinese,
        summary_en=english,
        keywords_zh=tuple(keywords_zh(event, scene, camera_name)),
    )


def event_synonyms() -> tuple[tuple[str, str], ...]:
    """What events are called in every language, with the type that is meant by it."""
    pairs: list[tuple[str, str]] = []
    for language in LANGUAGES:
        for event_type, entry in catalogue(language)["events"].items():
            pairs += [(word, event_type) for word in (entry["name"], *entry["synonyms"])]
    return tuple(dict.fromkeys(pairs))


def moment_text(
    moment: Moment, event: Event, language: Language = "zh-TW", *, scene: Scene | None = None
) -> str:
    """What a moment of evidence shows.

    Args:
        moment: One of the event's moments; a ``what`` that is no key stands for itself (imported
            events bring sentences).
        event: The event it belongs to.
        language: Which.
        scene: Names the zone and the tripwire; without it they are "the zone" and "the line".
    """
    if moment.what not in catalogue(language)["moments"]:
        return moment.what
    teller = Teller(event, scene, language)
    # "before" is before the line where there is one, else before whatever the track went on to do.
    onwards = moment.what == "before" and event.tripwire is None
    told = fill(
        language,
        "moments",
        "moving" if onwards else moment.what,
        actor=teller.actor(moment.track_ids[:1]),
        track=next(iter(moment.track_ids), ""),
        zone=teller.zone(),
        tripwire=teller.tripwire(),
        event=event_name(_established_type(moment, event), language),
    )
    return told.strip()


def _established_type(moment: Moment, event: Event) -> str:
    """Which part of a merged event was established at that moment."""
    at_once = [
        str(part["type"])
        for part in event.facts.get("parts", ())
        if part.get("established_ns") == moment.time_ns
    ]
    return event.type if event.type in at_once or not at_once else at_once[0]


def summary(event: Event, scene: Scene, *, language: Language, camera_name: str) -> str:
    """One sentence with local time, who, where, what and for how long.

    Facts that are missing are left out of it; an open event says so.

    Args:
        event: The event as it stands.
        scene: Names its zones and tripwires; its time zone is that of the sentence.
        language: Which.
        camera_name: What people call the camera.
    """
    teller = Teller(event, scene, language, camera_name=camera_name)
    said = [*teller.story(), *teller.further()]
    comma: str = catalogue(language)["words"]["comma"]
    return f"{teller.clock(event.start_ns)} {comma.join(said)}"


def keywords_zh(event: Event, scene: Scene, camera_name: str) -> list[str]:
    """Terms under which people look for the event, in Traditional Chinese, without doubles.

    Its type with synonyms, those of its parts, the names of zone, tripwire, direction and camera,
    what took part, and whether somebody came in or left.
    """
    words = catalogue("zh-TW")
    teller = Teller(event, scene, "zh-TW", camera_name=camera_name)
    terms: list[str] = []
    for event_type in (event.type, *teller.part_types()):
        entry = words["events"].get(event_type, {"name": event_type, "synonyms": []})
        terms += [entry["name"], *entry["synonyms"]]
    terms += [teller.zone().strip()] if event.zone else []
    terms += [teller.tripwire().strip()] if event.tripwire else []
    terms += [str(event.facts.get("direction_name") or ""), camera_name]
    for kind in _kinds(event):
        terms += [class_name(kind), class_name(CLASS_GROUPS.get(kind, kind))]
        terms += words["keywords"]["person"] if kind == "person" else []
    shown = {moment.what for moment in event.moments}
    terms += [words["keywords"][key] for key in ("entered", "left") if key in shown]
    return [term for term in dict.fromkeys(terms) if term]


def _kinds(event: Event) -> Iterable[str]:
    return dict.fromkeys(actor.type for actor in event.actors)
