"""What a model must answer: the fields of prompts 1 and 2, with limits.

Limits on lengths are checked after the answer, not part of the schema that is sent: servers that
compile a schema to a grammar grow slow or refuse on long repetitions. An answer beyond them is
a model that ran away, and invalid.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

SHORT, LINE, PASSAGE = 60, 300, 1200
"""Characters of a name, of a line of a list, and of a text."""
MANY = 24
"""Entries of a list."""


def _at_most(limit: int) -> AfterValidator:
    def check(text: str) -> str:
        if len(text) > limit:
            raise ValueError(f"has {len(text)} characters, at most {limit} are allowed")
        return text.strip()

    return AfterValidator(check)


def _few(entries: list[object]) -> list[object]:
    if len(entries) > MANY:
        raise ValueError(f"has {len(entries)} entries, at most {MANY} are allowed")
    return entries


def _not_empty(text: str) -> str:
    if not text.strip(" .…。"):
        raise ValueError("must not be empty")
    return text


def _risk(value: object) -> object:
    """The level in the words of the schema; rules know a fourth, which the schema does not."""
    words = {"低": "low", "中": "medium", "高": "high", "嚴重": "high", "critical": "high"}
    key = value.strip().lower() if isinstance(value, str) else value
    return words.get(key, key) if isinstance(key, str) else key


Short = Annotated[str, _at_most(SHORT)]
Line = Annotated[str, _at_most(LINE)]
Passage = Annotated[str, _at_most(PASSAGE), AfterValidator(_not_empty)]
Few = AfterValidator(_few)


class _Reply(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Entity(_Reply):
    """A kind of thing in a frame."""

    type: Short
    count: Annotated[int, Field(ge=0, le=10_000)]
    notable: Line


class FrameReply(_Reply):
    """Prompt 1: one frame."""

    timestamp: Short
    camera_id: Short
    scene_summary: Passage
    entities: Annotated[list[Entity], Few]
    actions: Annotated[list[Line], Few]
    suspicious_score: Annotated[int, Field(ge=0, le=100)]
    suspicious_reasons: Annotated[list[Line], Few]
    unsure: Annotated[list[Line], Few]
    summary_zh: Passage


class ActorNote(_Reply):
    """What a model says of somebody who takes part."""

    track_id: Short
    type: Short
    notes: Line


class Observed(_Reply):
    """What a model saw at a time."""

    timestamp: Short
    what: Line


class EventJson(_Reply):
    """The record of prompt 2. Facts in it are compared with those of the rules, never believed."""

    event_type: Short
    start_time: Short
    end_time: Short
    actors: Annotated[list[ActorNote], Few]
    evidence: Annotated[list[Observed], Few]
    risk_level: Annotated[Literal["low", "medium", "high"], BeforeValidator(_risk)]
    search_keywords_zh: Annotated[list[Short], Few]


class EventReply(_Reply):
    """Prompt 2: an event over several frames, or from the facts alone."""

    timeline_bullets: Annotated[list[Line], Few]
    event_json: EventJson
    summary_zh: Passage
