"""What is asked to be told of events, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from video_detective.geometry import NS_PER_S

Language = Literal["zh-TW", "en"]

CAN_WAIT_NS = 3600 * NS_PER_S
"""Of an event that ended longer before it was asked for, words are no news: others come first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NarrationRequest:
    """That events are to be told.

    Args:
        language: In which language.
        requested_ns: When it was asked for.
        alerted: Also those with an alert, which a model describes already.
    """

    language: Language
    requested_ns: int
    alerted: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingNarration:
    """One request that nobody has finished.

    Args:
        event_id, requested_ns: Which.
        can_wait: The event was long over when it was asked for (``CAN_WAIT_NS``).
    """

    event_id: str
    requested_ns: int
    can_wait: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A request that a worker has begun on.

    Args:
        event_id, requested_ns: Which.
        worker: Who.
        language: To tell it in.
        starts: How often it was begun, this time included.
    """

    event_id: str
    requested_ns: int
    worker: str
    language: Language
    starts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameWords:
    """What a model said of a frame: the source's ``vlm_json`` and ``summary_zh``."""

    frame_id: str
    vlm_json: Mapping[str, Any]
    summary_zh: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NarrationOutcome:
    """What came of a request.

    Args:
        status: ``done``, or ``failed`` when the event has no words of a model now.
        level: What was really done: ``frames`` (several pictures over time), ``frame``, ``text``
            (no picture), ``template`` (no model); None when nothing was.
        reason: Why it failed, or is less than it might be: a stable key, a colon, and words.
            None when all went as wished.
        model: Which model, as its server says.
        prompts: Version by name of each prompt used.
        text: The words for people; they join the event's search document.
        result: The validated answer.
        flags: What a reader must know of the words, such as ``language``.
        raw_text: What an unusable answer said.
        usage: Tokens, seconds, attempts.
        frames: Words on single frames.
    """

    status: Literal["done", "failed"]
    level: str | None = None
    reason: str | None = None
    model: str | None = None
    prompts: Mapping[str, Any] = field(default_factory=dict)
    text: str = ""
    result: Mapping[str, Any] | None = None
    flags: Sequence[str] = ()
    raw_text: str | None = None
    usage: Mapping[str, Any] = field(default_factory=dict)
    frames: Sequence[FrameWords] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """The last sign of life of a worker.

    Args:
        number: Larger with every beat.
        age_ns: How long ago it was, by the database's clock, which may have been set.
    """

    number: int
    age_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NarrationCounts:
    """How the requests stand. ``degraded`` and ``failed`` are counted by key of their reason.

    Args:
        waiting: Pending, and nobody works on it.
        running: Pending, and a worker has begun.
        done: Told as wished.
        degraded: Told with less than was wished.
        failed: Not told.
    """

    waiting: int
    running: int
    done: int
    degraded: Mapping[str, int]
    failed: Mapping[str, int]
