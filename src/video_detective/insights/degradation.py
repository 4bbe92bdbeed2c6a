"""How thoroughly an alert is described, and in which order less is done.

Three pictures; one; one of half the size; then only critical alerts; at last the template's words.
What is done and why it is not more is on record with every insight (docs/narration.md).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from video_detective.errors import ModelError
from video_detective.insights.base import LEVELS, Level
from video_detective.llm.base import Abilities
from video_detective.llm.responses import RejectedError
from video_detective.narration.budget import PICTURE_TOKENS

PlanReason = Literal["budget", "no_images", "pictures", "one_image", "context", "deadline", "queue"]
"""Why less is done; the gravest limit decides, and of equal ones the first:

- ``budget``: the calls of this hour are used up.
- ``no_images``: the model does not see pictures.
- ``pictures``: none could be cut out.
- ``one_image``: the model sees only one at a time.
- ``context``: more pictures do not fit into the model's context.
- ``deadline``: it waited so long that it is no news, and news are waiting.
- ``queue``: too many wait.
"""
MOST_FRAMES = 3
LONGEST, SMALL = 1024, 512
"""Pixels of the longer side of a picture, and of a small one, which costs a quarter."""

QUEUE: tuple[tuple[int, Level], ...] = (
    (600, "template"),
    (20, "small_frame"),
    (6, "one_frame"),
)
"""From so many waiting alerts on at most this level. A 7B model on one GPU takes about 5 s for
three pictures, 3 s for one, 2 s for a small one."""
ONLY_CRITICAL = 60
"""From so many on, warnings are left to the template."""
LATE = 6
"""So many waiting news let one that is no news any more go to the template."""
PROMPT_TOKENS, ANSWER_TOKENS = 1300, 700
"""Of instructions and facts; of a usual answer."""

_OF_PICTURES = ("image", "vision", "multimodal", "mmproj")
"""Words of servers that take no pictures, or not so many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be done for one alert.

    Args:
        level: How it is described.
        reason: Why it is not more: a ``PlanReason``; None at the best level.
    """

    level: Level
    reason: str | None = None

    @property
    def frames(self) -> int:
        """Most pictures."""
        return {"frames": MOST_FRAMES, "template": 0}.get(self.level, 1)

    @property
    def longest(self) -> int:
        """Of a picture's sides, pixels."""
        return SMALL if self.level == "small_frame" else LONGEST


def plan(
    *,
    pictures: int,
    calls_left: int,
    abilities: Abilities | None = None,
    waiting: int = 0,
    is_critical: bool = True,
    is_late: bool = False,
) -> Plan:
    """The best that may be done.

    Args:
        pictures: Snapshots that can be shown.
        calls_left: Of the hour's budget.
        abilities: What a probe showed; None takes it that the model can do everything.
        waiting: Alerts that wait behind this one and are news; 0 for footage of the past, which is
            described at leisure.
        is_critical: Its severity.
        is_late: It was news and has waited too long.
    """
    level: Level = "frames"
    reason: str | None = None
    limits = _limits(pictures, calls_left, abilities, waiting, is_critical, is_late)
    for at_most, why in limits:
        if LEVELS.index(at_most) > LEVELS.index(level):
            level, reason = at_most, why
    return Plan(level=level, reason=reason)


def _limits(
    pictures: int,
    calls_left: int,
    abilities: Abilities | None,
    waiting: int,
    is_critical: bool,
    is_late: bool,
) -> Iterator[tuple[Level, PlanReason]]:
    """The best level that each circumstance allows, in the order of ``PlanReason``."""
    if calls_left < 1:
        yield "template", "budget"
    if abilities is not None and not abilities.images:
        yield "template", "no_images"
    if pictures < 1:
        yield "template", "pictures"
    if abilities is not None and not abilities.several_images and pictures > 1:
        yield "one_frame", "one_image"
    if abilities is not None and abilities.context_tokens is not None:
        room = abilities.context_tokens - PROMPT_TOKENS - ANSWER_TOKENS
        if room < PICTURE_TOKENS // 4:
            yield "template", "context"
        elif room < PICTURE_TOKENS:
            yield "small_frame", "context"
        elif room < min(pictures, MOST_FRAMES) * PICTURE_TOKENS:
            yield "one_frame", "context"
    if is_late and waiting >= LATE:
        yield "template", "deadline"
    if waiting >= ONLY_CRITICAL and not is_critical:
        yield "template", "queue"
    for many, at_most in QUEUE:
        if waiting >= many and not (at_most == "one_frame" and pictures == 1):
            yield at_most, "queue"
            break


def less(current: Plan, error: ModelError, *, pictures: int) -> Plan | None:
    """What to do after a server refused what was planned; None where less is no help."""
    if not isinstance(error, RejectedError) or error.reason in ("refused", "no_model"):
        return None
    words = error.raw.lower()
    is_of_pictures = error.reason == "no_images" or any(word in words for word in _OF_PICTURES)
    is_several = current.level == "frames" and pictures > 1
    if is_of_pictures and error.reason != "truncated":
        if is_several:
            return Plan(level="one_frame", reason="one_image")
        return Plan(level="template", reason="no_images")
    reason = "context" if error.reason == "truncated" else error.reason
    step = 2 if current.level == "frames" and not is_several else 1
    return Plan(level=LEVELS[LEVELS.index(current.level) + step], reason=reason)
