"""What a model is told and shown of an alert. Prompts are files, as in ``narration.asking``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from video_detective.geometry import Image as Picture
from video_detective.insights.base import InsightReply
from video_detective.llm.base import Image, Request
from video_detective.media.pictures import encode_jpeg
from video_detective.narration.asking import Prompt, sections_of
from video_detective.narration.catalogue import Language, class_name, event_name
from video_detective.narration.material import clock
from video_detective.narration.pictures import shrunk
from video_detective.rules import Event, Scene
from video_detective.tracking.base import Track

VERSION = 1
"""Of the prompt; what was described by which is on record."""
ANSWER_TOKENS = 1200
"""Longest answer: every field at its bound, at one to one and a half tokens a character."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A snapshot.

    Args:
        time_ns: When.
        picture: (H, W, 3) uint8 BGR.
        tracks: Who was tracked in it.
    """

    time_ns: int
    picture: Picture
    tracks: tuple[Track, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertMaterial:
    """Everything that describing an alert needs.

    Args:
        event: As it stands.
        scene: The camera's zones, tripwires and time zone.
        camera_name: What people call the camera.
        language: Of the account.
        message, severity: Of the alert; the message in ``language``.
        triggered_ns: When.
        summary: The sentence made from the event's facts, in ``language``.
        frames: Snapshots in order of time.
    """

    event: Event
    scene: Scene
    camera_name: str
    language: Language
    message: str
    severity: str
    triggered_ns: int
    summary: str
    frames: tuple[Shown, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Names that may stand in a text in whatever script: of camera, zones and tripwires."""
        words = [self.camera_name, self.event.camera_id, self.event.rule_id]
        words += [name for zone in self.scene.zones for name in (zone.name, zone.id)]
        for wire in self.scene.tripwires:
            words += [wire.name, wire.id, wire.left_to_right, wire.right_to_left]
        return tuple(dict.fromkeys(word for word in words if word))

    @property
    def tracks(self) -> frozenset[str]:
        """Ids of everybody whom the model is told of."""
        seen = {actor.track_id for actor in self.event.actors}
        return frozenset(seen.union(t.track_id for frame in self.frames for t in frame.tracks))


@cache
def insight_prompt(language: Language) -> Prompt:
    """The current version of the prompt."""
    name = f"insight.v{VERSION}.{language}"
    resource = files("video_detective.insights").joinpath(f"prompts/{name}.txt")
    return Prompt(name=name, sections=sections_of(resource.read_text(encoding="utf-8")))


def chosen(frames: Sequence[Shown], most: int, triggered_ns: int) -> tuple[Shown, ...]:
    """At most so many snapshots in order of time; of one, that nearest to the trigger."""
    if len(frames) <= most:
        return tuple(frames)
    nearest = sorted(frames, key=lambda frame: abs(frame.time_ns - triggered_ns))[:most]
    return tuple(sorted(nearest, key=lambda frame: frame.time_ns))


def insight_request(
    material: AlertMaterial, frames: Sequence[Shown], longest: int, model: str
) -> Request:
    """Ask about one to three pictures.

    Args:
        material: Facts.
        frames: Which to show, in order of time.
        longest: Of a picture's sides, pixels.
        model: As the server names it.
    """
    asked, language, event = insight_prompt(material.language), material.language, material.event
    parts: list[str | Image] = [
        asked.fill(
            "facts",
            camera=_line(material.camera_name),
            message=_line(material.message),
            severity=material.severity,
            event_type=event_name(event.type, language),
            risk=event.risk_level,
            triggered=clock(material.triggered_ns, material.scene),
            actors=_named([(one.track_id, one.type) for one in event.actors], language),
            summary=_line(material.summary),
        )
    ]
    for number, frame in enumerate(frames, start=1):
        about = asked.fill(
            "frame",
            number=number,
            count=len(frames),
            clock=clock(frame.time_ns, material.scene, tenths=True),
            place=_place(frame.time_ns, material.triggered_ns, language),
            tracked=_named([(t.track_id, t.type) for t in frame.tracks], language),
        )
        picture = shrunk(frame.picture, longest)
        parts += [about, Image(jpeg=encode_jpeg(picture))]
    parts.append(asked.fill("task", count=len(frames)))
    return Request(
        model=model,
        system=asked.sections["system"],
        parts=tuple(parts),
        answer=InsightReply,
        max_tokens=ANSWER_TOKENS,
    )


_PLACES: dict[Language, tuple[str, str, str]] = {
    "zh-TW": ("觸發前", "觸發時", "觸發後"),
    "en": ("before the trigger", "at the trigger", "after the trigger"),
}
_SAME_NS = 500_000_000


def _place(time_ns: int, triggered_ns: int, language: Language) -> str:
    before, at, after = _PLACES[language]
    if abs(time_ns - triggered_ns) <= _SAME_NS:
        return at
    return before if time_ns < triggered_ns else after


def _named(tracks: Sequence[tuple[str, str]], language: Language) -> str:
    words = [f"{key} ({kind}: {class_name(kind, language)})" for key, kind in tracks]
    return _line(", ".join(dict.fromkeys(words))) or "-"


def _line(text: str) -> str:
    """Names must not look like further facts or pictures."""
    return " ".join(text.split())
