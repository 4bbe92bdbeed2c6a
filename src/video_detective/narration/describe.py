"""Have an event told by a model: ask, check, ask for better words once, do less where need be."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from video_detective.errors import ModelError
from video_detective.llm.base import Completion, Request
from video_detective.llm.responses import RejectedError
from video_detective.narration.asking import (
    PromptName,
    event_request,
    frame_request,
    prompt,
    repair_request,
    text_request,
)
from video_detective.narration.budget import FEW_FRAMES, LEVELS, Level, Plan
from video_detective.narration.claims import (
    Checked,
    checked_event,
    checked_frame,
    reworded,
    words_of,
)
from video_detective.narration.keyframes import choose
from video_detective.narration.language import Finding, check, corrected, problems
from video_detective.narration.material import Material, clock
from video_detective.narration.pictures import KeyFrame
from video_detective.narration.replies import EventReply, FrameReply
from video_detective.narration.template import summary

R = TypeVar("R", bound=BaseModel)
Ask = Callable[[Request], Awaitable[Completion]]
"""Puts a question to a model server: ``llm.client.ModelClient.complete``."""

_WORTHLESS = ("echo", "loop")
"""Words that say nothing of the event, however they are spelt."""
_OF_PICTURES = ("image", "vision", "multimodal", "mmproj")
"""Words of servers that take no pictures, or not so many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An event told.

    Args:
        text: For people: the model's words, checked; at level ``template`` the template's.
        result: The checked answer as plain JSON: ``timeline_bullets``, ``event_json`` and
            ``summary_zh`` of prompt 2, ``frames`` as below, ``differences`` between what the model
            claimed and the facts. None at level ``template``.
        frames: Answers to prompt 1 by frame id, for ``vlm_json`` and, of each, ``summary_zh``.
        flags: Stable keys, each once: ``language``, ``unknown_track``, ``time_outside``, ``order``,
            ``{field}_differs``, ``frames_undescribed``.
        level: What was done.
        reason: Why not more: a ``PlanReason`` or a ``ModelError.reason``; None at the best.
        detail: The same in words, of every step down; "" where the plan was followed.
        raw_text: What the model said where it was not good enough; None otherwise.
        prompts: Names of the prompts used, with version and language.
        model: Who answered, as the server says; None at level ``template``.
        usage: ``calls``, ``attempts``, ``prompt_tokens``, ``completion_tokens`` (None when the
            server does not count) and ``wall_s``, of everything that was asked.
        failed: A model was asked, and nothing it said can be used.
    """

    text: str
    result: Mapping[str, Any] | None
    frames: Mapping[str, Mapping[str, Any]]
    flags: tuple[str, ...]
    level: Level
    reason: str | None
    detail: str
    raw_text: str | None
    prompts: tuple[str, ...]
    model: str | None
    usage: Mapping[str, int | float | None]
    failed: bool


async def describe_event(ask: Ask, material: Material, plan: Plan, model: str) -> Told:
    """Tell an event as planned, or with less where the server or the model cannot do that.

    Args:
        ask: Puts a question to the model server.
        material: What is known and seen.
        plan: See ``budget.plan``.
        model: As the server names it.

    Returns:
        Something in every case but those of ``Raises``; at worst the template's sentence.

    Raises:
        ModelError: it may succeed later (``transient``), or was cancelled.
    """
    telling = _Telling(ask, material, model)
    level, reason = plan.level, None if plan.reason is None else str(plan.reason)
    details: list[str] = []
    while level != "template":
        try:
            told = await telling.at(level, plan)
        except ModelError as error:
            if error.transient or error.reason == "cancelled":
                raise
            if not isinstance(error, RejectedError):  # then it is the server's words
                telling.keep_raw(error.raw)
            level, reason = _less(level, error, pictures=len(material.frames))
            details.append(f"{reason}: {error.message}")
        else:
            return telling.told(told, level, reason, details)
    return telling.template(reason, details)


def _less(level: Level, error: ModelError, *, pictures: int) -> tuple[Level, str]:
    """What to do after a failure that will not pass, and why."""
    if isinstance(error, RejectedError):
        words = error.raw.lower()
        if error.reason in ("refused", "no_model"):
            return "template", error.reason
        if level != "text" and any(word in words for word in _OF_PICTURES):
            return "text", "no_images"
        reason = "context" if error.reason == "truncated" else error.reason
        if level == "frames" and pictures <= FEW_FRAMES:
            return "frame", reason
        return LEVELS[LEVELS.index(level) + 1], reason
    if error.reason == "refused":
        # The model will not speak of the pictures; the facts are harmless.
        return ("template" if level == "text" else "text"), error.reason
    # The client had it corrected once already. Prompt 1 asks for less; after that it is enough.
    return ("frame" if level in ("frames", "few_frames") else "template"), error.reason


@dataclass(frozen=True, slots=True, kw_only=True)
class _Words:
    """A usable answer: the JSON of prompt 2 or the joined words of prompt 1."""

    text: str
    result: Mapping[str, Any]
    frames: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer(Generic[R]):
    """What a model said, as it came, and what is wrong with its language."""

    reply: R
    raw: str
    findings: tuple[Finding, ...]


class _Telling:
    """One event being told: what was asked, found and spent so far."""

    def __init__(self, ask: Ask, material: Material, model: str) -> None:
        self._ask = ask
        self._material = material
        self._model = model
        self._answered_by: str | None = None
        self._raw: str | None = None
        self._flags: list[str] = []
        self._prompts: list[str] = []
        self._calls = 0
        self._completions: list[Completion] = []

    def keep_raw(self, raw: str) -> None:
        """Keep what was said and not good enough; the last counts."""
        self._raw = raw or self._raw

    async def at(self, level: Level, plan: Plan) -> _Words:
        """Tell the event at a level other than ``template``."""
        self._flags = []  # what was found in an answer that came to nothing is no longer true
        if level == "frame":
            return await self._frames_alone(max(plan.described, 1))
        if level == "text" or not self._material.frames:
            request = text_request(self._material, self._model)
            checked = await self._event(request, "text")
            return _Words(text=checked.summary, result=checked.result)
        most = FEW_FRAMES if level == "few_frames" else plan.frames
        shown = self._chosen(most)
        request = event_request(self._material, shown, self._model)
        checked = await self._event(request, "event")
        beside = plan.described if level == plan.level else 0
        frames = await self._frames_beside(beside)
        return _Words(text=checked.summary, result=checked.result, frames=frames)

    def told(self, words: _Words, level: Level, reason: str | None, details: Sequence[str]) -> Told:
        return self._as_told(
            text=words.text,
            result={**words.result, "frames": words.frames},
            frames=words.frames,
            level=level,
            reason=reason,
            detail="; ".join(details),
        )

    def template(self, reason: str | None, details: Sequence[str]) -> Told:
        """The template's sentence."""
        material = self._material
        sentence = summary(
            material.event,
            material.scene,
            language=material.language,
            camera_name=material.camera_name,
        )
        self._answered_by = None
        self._flags = []
        return self._as_told(
            text=sentence,
            result=None,
            frames={},
            level="template",
            reason=reason,
            detail="; ".join(details),
        )

    def _as_told(
        self,
        *,
        text: str,
        result: Mapping[str, Any] | None,
        frames: Mapping[str, Mapping[str, Any]],
        level: Level,
        reason: str | None,
        detail: str,
    ) -> Told:
        return Told(
            text=text,
            result=result,
            frames=frames,
            flags=tuple(dict.fromkeys(self._flags)),
            level=level,
            reason=reason,
            detail=detail,
            raw_text=self._raw,
            prompts=tuple(dict.fromkeys(self._prompts)),
            model=self._answered_by,
            usage=self._usage(),
            failed=level == "template" and self._calls > 0,
        )

    def _usage(self) -> dict[str, int | float | None]:
        counted = self._completions
        return {
            "calls": self._calls,
            "attempts": sum(one.attempts for one in counted) + self._calls - len(counted),
            "prompt_tokens": _sum([one.prompt_tokens for one in counted]),
            "completion_tokens": _sum([one.completion_tokens for one in counted]),
            "wall_s": round(sum(one.wall_s for one in counted), 3),
        }

    def _chosen(self, most: int) -> tuple[KeyFrame, ...]:
        """Key frames, at most so many, in order of time."""
        frames = {frame.time_ns: frame for frame in self._material.frames}
        chosen = choose((f.candidate for f in self._material.frames), most=most, least=most)
        return tuple(frames[one.time_ns] for one in chosen)

    async def _frames_alone(self, count: int) -> _Words:
        """Prompt 1 on the best frames, one after another."""
        if not self._material.frames:
            raise ModelError(
                "there is no picture to describe",
                remedy="Tell the event without pictures",
                reason="pictures",
                transient=False,
            )
        shown = self._chosen(count)
        answers = {frame.frame_id: await self._frame(frame) for frame in shown}
        said = [answers[frame.frame_id].summary for frame in shown]
        text = said[0]
        if len(said) > 1:
            times = [clock(frame.time_ns, self._material.scene) for frame in shown]
            text = "\n".join(f"{time} {one}" for time, one in zip(times, said, strict=True))
        frames = {frame_id: checked.result for frame_id, checked in answers.items()}
        return _Words(text=text, result={"summary_zh": text}, frames=frames)

    async def _frames_beside(self, count: int) -> dict[str, Mapping[str, Any]]:
        """Prompt 1 on the best frames; what fails is left out: the event is told already."""
        described: dict[str, Mapping[str, Any]] = {}
        raw = self._raw
        for frame in self._chosen(count) if count > 0 else ():
            try:
                described[frame.frame_id] = (await self._frame(frame)).result
            except ModelError as error:
                if error.reason == "cancelled":
                    raise
                self._flags.append("frames_undescribed")
                self._raw = raw
                break
        return described

    async def _event(self, request: Request, name: PromptName) -> Checked:
        answer = await self._answer(request, EventReply, name)
        is_seen = name == "event"
        checked = checked_event(answer.reply, self._material, is_seen=is_seen)
        return self._kept(checked, answer)

    async def _frame(self, frame: KeyFrame) -> Checked:
        request = frame_request(self._material, frame, self._model)
        answer = await self._answer(request, FrameReply, "frame")
        return self._kept(checked_frame(answer.reply, self._material, frame), answer)

    async def _answer(self, request: Request, kind: type[R], name: PromptName) -> _Answer[R]:
        """Ask; where the words are wrong, ask once for the same in better ones."""
        material = self._material
        instructions = self._prompt(name)
        first = await self._put(request, kind, instructions)
        if not first.findings:
            return first
        listed = problems(first.findings, material.language)
        again = repair_request(first.reply, listed, material.language, model=self._model)
        instructions += self._prompt("repair")
        try:
            second = await self._put(again, kind, instructions)
        except ModelError as error:
            if error.reason == "cancelled":
                raise
            return first
        return second if _badness(second.findings) < _badness(first.findings) else first

    async def _put(self, request: Request, kind: type[R], instructions: str) -> _Answer[R]:
        """One question, its answer and what is wrong with the answer's language."""
        self._calls += 1
        completion = await self._ask(request)
        self._completions.append(completion)
        self._answered_by = completion.model
        reply = completion.data
        if not isinstance(reply, kind):
            raise _unusable("did not give what was asked for", completion.text)
        findings = check(
            words_of(reply.model_dump()),
            self._material.language,
            names=self._material.names,
            instructions=instructions,
        )
        return _Answer(reply=reply, raw=completion.text, findings=findings)

    def _kept(self, checked: Checked, answer: _Answer[Any]) -> Checked:
        """A checked answer with its words put right as far as tables can.

        Raises:
            ModelError: nothing is left of it, or it says nothing.
        """
        if any(finding.kind in _WORTHLESS for finding in answer.findings):
            raise _unusable("repeats the prompt or itself", answer.raw)
        if not checked.summary:
            raise _unusable("said nothing that holds against the facts", answer.raw)
        if answer.findings:
            self._flags.append("language")
            self.keep_raw(answer.raw)
        self._flags += checked.flags
        return Checked(
            summary=self._corrected(checked.summary),
            result=reworded(checked.result, self._corrected),
            flags=checked.flags,
        )

    def _corrected(self, text: str) -> str:
        return corrected(text, self._material.language, names=self._material.names)

    def _prompt(self, name: PromptName) -> str:
        """Note that a prompt is used, and give its instructions."""
        asked = prompt(name, self._material.language)
        self._prompts.append(asked.name)
        return asked.instructions


def _badness(findings: Sequence[Finding]) -> tuple[bool, bool, int]:
    """How far words are from being shown: saying nothing, in another language, badly spelt."""
    kinds = {finding.kind for finding in findings}
    return not kinds.isdisjoint(_WORTHLESS), "script" in kinds, len(findings)


def _unusable(what: str, raw: str) -> ModelError:
    return ModelError(
        f"the model {what}",
        remedy="Use a larger model",
        reason="invalid",
        transient=False,
        raw=raw,
    )


def _sum(counts: Sequence[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None
