"""Prompts, filled: what is sent to a model to have an event told.

Prompt files are data: sections begin with a line ``[name]``, places are ``$name``. A file's name
has its version; a change of meaning is a new file, and what was told by which is on record.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import pairwise
from string import Template
from typing import Literal

from pydantic import BaseModel

from video_detective.geometry import NS_PER_S
from video_detective.llm.base import Image, Request
from video_detective.narration.catalogue import Language, class_name, event_name, fill
from video_detective.narration.keyframes import AROUND_NS
from video_detective.narration.material import (
    Material,
    clock,
    moment_lines,
    timestamp,
    tracker_notes,
)
from video_detective.narration.pictures import KeyFrame
from video_detective.narration.replies import EventReply, FrameReply
from video_detective.narration.template import summary

PromptName = Literal["frame", "event", "text", "repair"]
VERSIONS: Mapping[PromptName, int] = {"frame": 1, "event": 1, "text": 1, "repair": 1}

FRAME_TOKENS, EVENT_TOKENS = 1200, 2400
"""Longest answers. Every field at its usual length takes half of it in Chinese, at one to one and
a half tokens a character."""
_MOST_RETOLD = 8000
"""Characters of an answer that goes back to be rewritten."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """A prompt file.

    Args:
        name: With version and language, for the record: ``event.v1.zh-TW``.
        sections: Text by section name.
    """

    name: str
    sections: Mapping[str, str]

    def fill(self, section: str, **values: object) -> str:
        """A section with its places filled; what is filled in is never filled again."""
        return Template(self.sections[section]).substitute(values)

    @property
    def instructions(self) -> str:
        """All that the program says to the model, places empty: nothing of it is an answer."""
        return "\n".join(self.sections.values())


@cache
def prompt(name: PromptName, language: Language) -> Prompt:
    """The current version of a prompt."""
    full = f"{name}.v{VERSIONS[name]}.{language}"
    resource = files("video_detective.narration").joinpath(f"prompts/{full}.txt")
    return Prompt(name=full, sections=sections_of(resource.read_text(encoding="utf-8")))


def sections_of(text: str) -> dict[str, str]:
    """The sections of a prompt file, by name."""
    sections: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in text.splitlines():
        if line.startswith("[") and line.endswith("]"):
            lines = sections.setdefault(line[1:-1], [])
        else:
            lines.append(line)
    return {key: "\n".join(text).strip() for key, text in sections.items()}


def event_request(material: Material, frames: Sequence[KeyFrame], model: str) -> Request:
    """Prompt 2: the event over several frames.

    Args:
        material: Facts and samples.
        frames: At least two of its key frames, in order of time.
        model: As the server names it.
    """
    asked = prompt("event", material.language)
    parts: list[str | Image] = [asked.fill("facts", **_facts(material))]
    after = [None, *pairwise(frames)]
    for number, (frame, pair) in enumerate(zip(frames, after, strict=True), start=1):
        if pair is not None:
            parts.append(_between(asked, material, number, pair))
        parts += [
            asked.fill("frame", number=number, count=len(frames), **_frame(material, frame)),
            Image(jpeg=frame.jpeg),
        ]
    parts.append(asked.fill("task", count=len(frames)))
    return _request(asked, parts, EventReply, model, EVENT_TOKENS)


def frame_request(material: Material, frame: KeyFrame, model: str) -> Request:
    """Prompt 1: one frame.

    Args:
        material: Facts.
        frame: One of its key frames.
        model: As the server names it.
    """
    asked = prompt("frame", material.language)
    shown = [_line(line) for line in moment_lines(material, frame.candidate.moments)]
    about = asked.fill(
        "frame",
        camera_id=material.event.camera_id,
        moments="；".join(shown) if material.language == "zh-TW" else "; ".join(shown),
        **_frame(material, frame),
    )
    parts: list[str | Image] = [
        asked.fill("facts", **_facts(material)),
        about,
        Image(jpeg=frame.jpeg),
        asked.fill("task"),
    ]
    return _request(asked, parts, FrameReply, model, FRAME_TOKENS)


def text_request(material: Material, model: str) -> Request:
    """Prompt 2 without pictures: the facts and what the tracker saw over the whole event."""
    asked = prompt("text", material.language)
    event = material.event
    last = material.span_ns[1] if event.end_ns is None else event.end_ns
    first, last = event.start_ns - AROUND_NS, last + AROUND_NS
    notes = asked.fill(
        "between",
        clock=clock(first, material.scene),
        until=clock(last, material.scene),
        notes=_list(tracker_notes(material, first, last)),
    )
    parts = [asked.fill("facts", **_facts(material)), notes, asked.fill("task")]
    return _request(asked, parts, EventReply, model, EVENT_TOKENS)


def repair_request(
    said: BaseModel, problems: Sequence[str], language: Language, *, model: str
) -> Request:
    """Ask for the same answer in better words; the pictures need not be seen again.

    Args:
        said: The answer as it was.
        problems: What is wrong with its words, for the model to read.
        language: In which it should be.
        model: As the server names it.
    """
    asked = prompt("repair", language)
    listed = "\n".join(asked.fill("problem", problem=problem) for problem in problems)
    answer = json.dumps(said.model_dump(), ensure_ascii=False)[:_MOST_RETOLD]
    parts = [asked.fill("task", problems=listed, answer=answer)]
    return _request(asked, parts, type(said), model, EVENT_TOKENS)


def _request(
    asked: Prompt,
    parts: Sequence[str | Image],
    answer: type[BaseModel],
    model: str,
    max_tokens: int,
) -> Request:
    return Request(
        model=model,
        system=asked.sections["system"],
        parts=tuple(parts),
        answer=answer,
        max_tokens=max_tokens,
    )


def _facts(material: Material) -> dict[str, str]:
    event, scene, language = material.event, material.scene, material.language
    ongoing = fill(language, "tracker", "open")
    return {
        "camera": _line(material.camera_name),
        "camera_id": event.camera_id,
        "event_type": event_name(event.type, language),
        "start": timestamp(event.start_ns, scene),
        "end": ongoing if event.end_ns is None else timestamp(event.end_ns, scene),
        "risk": event.risk_level,
        "actors": _actors(material),
        "summary": _line(
            summary(event, scene, language=language, camera_name=material.camera_name)
        ),
        "moments": _list(moment_lines(material, event.moments)),
    }


def _actors(material: Material) -> str:
    named = [
        f"{actor.track_id} ({actor.type}: {class_name(actor.type, material.language)})"
        for actor in material.event.actors
    ]
    return _line(", ".join(named)) or "-"


def _frame(material: Material, frame: KeyFrame) -> dict[str, str | int]:
    records = [track.as_record() for track in frame.tracks]
    return {
        "timestamp": timestamp(frame.time_ns, material.scene),
        "clock": clock(frame.time_ns, material.scene, tenths=True),
        "detections": json.dumps(records, ensure_ascii=False),
        "width": frame.size[0],
        "height": frame.size[1],
    }


def _between(
    asked: Prompt, material: Material, number: int, pair: tuple[KeyFrame, KeyFrame]
) -> str:
    since, until = pair[0].time_ns, pair[1].time_ns
    return asked.fill(
        "between",
        first=number - 1,
        second=number,
        seconds=f"{(until - since) / NS_PER_S:.1f}",
        notes=_list(tracker_notes(material, since, until)),
    )


def _list(lines: Sequence[str]) -> str:
    return "\n".join(f"- {_line(line)}" for line in lines) or "-"


def _line(text: str) -> str:
    """Names and imported words must not look like further facts or frames."""
    return " ".join(text.split())
