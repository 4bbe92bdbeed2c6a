"""How thoroughly an event is told: what may be spent, and in which order less is done.

From best to least: prompt 2 over five to twelve frames; over three; prompt 1 on single frames;
the facts in the model's words, without pictures; the template's sentence, without a model. What
is done and why it is not more is on record with every event (docs/narration.md).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from video_detective.geometry import NS_PER_S
from video_detective.llm.base import Abilities

Level = Literal["frames", "few_frames", "frame", "text", "template"]
LEVELS: tuple[Level, ...] = ("frames", "few_frames", "frame", "text", "template")
"""From best to least."""

PlanReason = Literal[
    "no_model", "unreachable", "deadline", "budget", "no_images", "one_image", "pictures",
    "context", "queue",
]  # fmt: skip
"""Why less is done, in the order in which one of several is named:

- ``no_model``: none is configured, or the server does not have it.
- ``unreachable``: the server could not be reached, after all retries.
- ``deadline``: there is no time left for more.
- ``budget``: the calls of this hour are used up.
- ``no_images``: the model does not see pictures.
- ``one_image``: it sees only one at a time.
- ``pictures``: fewer pictures could be cut out.
- ``context``: more pictures do not fit into the model's context.
- ``queue``: too many events wait.
"""

MOST_FRAMES, FEW_FRAMES = 12, 3
LEAST_FRAMES = 5
"""Below this an event over time is told from ``FEW_FRAMES``, unless it has no more pictures."""

QUEUE: tuple[tuple[int, Level], ...] = (
    (1000, "template"),
    (200, "text"),
    (60, "frame"),
    (20, "few_frames"),
)
"""From so many waiting events on at most this level. A 7B model on one GPU takes about 15 s for
twelve pictures, 5 s for three, 2 s for none: at each step the queue is worked off in some five
to ten minutes."""

PROMPT_TOKENS, PICTURE_TOKENS, ANSWER_TOKENS = 2000, 2050, 1500
"""Of instructions and facts; of a picture with its detections and notes (Llama 3.2 Vision takes
1,601 a tile); of a usual answer."""
_HOUR_NS = 3600 * NS_PER_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Calls to a model within any hour: of all cameras together, and of one camera."""

    per_hour: int
    per_hour_per_camera: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """Calls that were made for one camera at about one time (UTC ns)."""

    time_ns: int
    camera_id: str
    calls: int = 1


def calls_left(budget: Budget, spent: Iterable[Spent], *, camera_id: str, now_ns: int) -> int:
    """How many calls a camera may spend now, by a sliding window of one hour; 0 or more.

    Args:
        budget: The limits.
        spent: Calls of all cameras, at least those of the last hour, in any order.
        camera_id: Who asks.
        now_ns: UTC ns. What lies more than an hour ahead of it (a clock was set back) counts no
            more than what lies an hour behind.
    """
    recent = [one for one in spent if abs(now_ns - one.time_ns) < _HOUR_NS]
    used = sum(one.calls for one in recent)
    by_camera = sum(one.calls for one in recent if one.camera_id == camera_id)
    return max(0, min(budget.per_hour - used, budget.per_hour_per_camera - by_camera))


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be done for one event.

    Args:
        level: How it is told.
        frames: Pictures for prompt 2, at most; 0 where it is not asked, or without pictures.
        described: Frames that are described one by one by prompt 1.
        reason: Why it is not more; None at the best level.
    """

    level: Level
    frames: int
    described: int
    reason: PlanReason | None

    @property
    def calls(self) -> int:
        """Requests that it takes, repairs apart."""
        told = self.level in ("frames", "few_frames", "text")
        return int(told) + self.described


def plan(
    *,
    pictures: int,
    calls_left: int,
    abilities: Abilities | None = None,
    waiting: int = 0,
    has_model: bool = True,
    is_reachable: bool = True,
    seconds_left: float | None = None,
    described: int = 1,
) -> Plan:
    """The best that may be done.

    Args:
        pictures: Key frames that could be cut out.
        calls_left: ``Allowance.calls``.
        abilities: What a probe showed; None takes it that the model can do everything, and what
            it refuses is then done with less.
        waiting: Events that wait behind this one; 0 for old events told at leisure.
        has_model: One is configured.
        is_reachable: False after retries came to nothing.
        seconds_left: Until the words are of no use any more; None: they always are.
        described: Frames wanted one by one besides prompt 2, 0 to 3.
    """
    limits = list(
        _limits(pictures, calls_left, abilities, waiting, has_model, is_reachable, seconds_left)
    )
    level: Level = "frames"
    reason: PlanReason | None = None
    for least, why in limits:
        if LEVELS.index(least) > LEVELS.index(level):
            level, reason = least, why
    if level in ("text", "template"):
        return Plan(level=level, frames=0, described=0, reason=reason)
    if level == "frame":
        single = max(1, min(described, calls_left, pictures))
        return Plan(level=level, frames=0, described=single, reason=reason)
    most = MOST_FRAMES if level == "frames" else FEW_FRAMES
    fit = _fitting(abilities)
    frames = min(pictures, most, most if fit is None else fit)
    # In haste nothing is looked at twice.
    beside = min(described, calls_left - 1, pictures) if level == "frames" else 0
    return Plan(level=level, frames=frames, described=beside, reason=reason)


def _limits(
    pictures: int,
    calls_left: int,
    abilities: Abilities | None,
    waiting: int,
    has_model: bool,
    is_reachable: bool,
    seconds_left: float | None,
) -> Iterable[tuple[Level, PlanReason]]:
    """The best level that each circumstance allows, in the order of ``PlanReason``."""
    if not has_model:
        yield "template", "no_model"
    if not is_reachable:
        yield "template", "unreachable"
    if seconds_left is not None:
        yield _in_time(seconds_left, abilities), "deadline"
    if calls_left < 1:
        yield "template", "budget"
    if abilities is not None:
        if not abilities.images:
            yield "text", "no_images"
        elif not abilities.several_images:
            yield "frame", "one_image"
    if pictures < 2:
        yield ("frame" if pictures else "text"), "pictures"
    fit = _fitting(abilities)
    if fit is not None and fit < min(LEAST_FRAMES, pictures):
        few: Level = "few_frames" if fit >= 2 else "frame" if fit else "text"
        yield ("template" if fit < 0 else few), "context"
    for many, at_most in QUEUE:
        if waiting >= many:
            yield at_most, "queue"
            break


def _fitting(abilities: Abilities | None) -> int | None:
    """Pictures that fit into the context; -1 when not even a text does, None when unknown."""
    if abilities is None or abilities.context_tokens is None:
        return None
    room = abilities.context_tokens - PROMPT_TOKENS - ANSWER_TOKENS
    return -1 if room < 0 else room // PICTURE_TOKENS


def _in_time(seconds_left: float, abilities: Abilities | None) -> Level:
    """A usual answer must be written in time; reading pictures is not counted."""
    speed = None if abilities is None else abilities.tokens_per_s
    needed_s = ANSWER_TOKENS / speed if speed else 0.0
    return "frames" if seconds_left > needed_s else "template"
