"""Have an alert described by a model: ask, check, ask for better words once, do less if need be."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from video_detective.errors import ModelError
from video_detective.insights.asking import AlertMaterial, chosen, insight_prompt, insight_request
from video_detective.insights.base import InsightReply, Level
from video_detective.insights.checking import checked
from video_detective.insights.degradation import Plan, less
from video_detective.insights.template import template_result
from video_detective.llm.base import Completion, Request
from video_detective.narration.asking import prompt, repair_request
from video_detective.narration.language import Finding, check, problems

Ask = Callable[[Request], Awaitable[Completion]]
"""Puts a question to a model server: ``llm.client.ModelClient.complete``."""
_WORTHLESS = ("echo", "loop")
"""Words that say nothing of the alert, however they are spelt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """An alert described.

    Args:
        result: ``vlmStructuredResult``: the model's, checked, or at level ``template`` the facts'.
        level: What was done.
        reason: Why not more; None at the best.
        detail: The same in words, of every step down; "" where the plan was followed.
        flags: ``language`` and those of ``checking``.
        raw_text: What the model said where it was not good enough; None otherwise.
        input_tokens, output_tokens: None when the server does not count, or was not asked.
        usage: Calls, attempts, seconds, prompts, model, differences from the facts.
    """

    result: Mapping[str, Any]
    level: Level
    reason: str | None
    detail: str
    flags: tuple[str, ...]
    raw_text: str | None
    input_tokens: int | None
    output_tokens: int | None
    usage: Mapping[str, Any]


async def describe_alert(ask: Ask, material: AlertMaterial, plan: Plan, model: str) -> Described:
    """Describe an alert as planned, or with less where the server cannot do that.

    Args:
        ask: Puts a question to the model server.
        material: What is known and seen.
        plan: See ``degradation.plan``.
        model: As the server names it.

    Raises:
        ModelError: there is no usable answer; one that is transient may come later.
    """
    telling = _Describing(ask, material, model)
    details: list[str] = []
    while plan.level != "template":
        try:
            return await telling.at(plan, details)
        except ModelError as error:
            lesser = less(plan, error, pictures=len(material.frames))
            if lesser is None:
                raise
            plan = lesser
            details.append(error.message)
    return telling.template(plan, details)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """What a model said, as it came, and what is wrong with its language."""

    reply: InsightReply
    raw: str
    findings: tuple[Finding, ...]


class _Describing:
    """One alert being described: what was asked and spent so far."""

    def __init__(self, ask: Ask, material: AlertMaterial, model: str) -> None:
        self._ask = ask
        self._material = material
        self._model = model
        self._calls = 0
        self._completions: list[Completion] = []
        self._prompts: list[str] = []

    async def at(self, plan: Plan, details: Sequence[str]) -> Described:
        """Describe it at a level other than ``template``."""
        material = self._material
        shown = chosen(material.frames, plan.frames, material.triggered_ns)
        request = insight_request(material, shown, plan.longest, self._model)
        answer = await self._answer(request)
        if any(finding.kind in _WORTHLESS for finding in answer.findings):
            raise ModelError(
                "the model repeats the prompt or itself",
                remedy="Use a larger model",
                reason="invalid",
                transient=False,
                raw=answer.raw,
            )
        found = checked(answer.reply, material, shown)
        flags = ("language", *found.flags) if answer.findings else found.flags
        return Described(
            result=found.result,
            level=plan.level,
            reason=plan.reason,
            detail="; ".join(details),
            flags=flags,
            raw_text=answer.raw if answer.findings else None,
            input_tokens=_sum([one.prompt_tokens for one in self._completions]),
            output_tokens=_sum([one.completion_tokens for one in self._completions]),
            usage=self._usage(found.differences),
        )

    def template(self, plan: Plan, details: Sequence[str]) -> Described:
        """What the facts say."""
        material = self._material
        return Described(
            result=template_result(material.event, material.summary, material.language),
            level="template",
            reason=plan.reason,
            detail="; ".join(details),
            flags=(),
            raw_text=None,
            input_tokens=None,
            output_tokens=None,
            usage=self._usage(()),
        )

    async def _answer(self, request: Request) -> _Answer:
        """Ask; where the words are wrong, ask once for the same in better ones."""
        language = self._material.language
        first = await self._put(request, self._instructions("insight"))
        if not first.findings:
            return first
        listed = problems(first.findings, language)
        again = repair_request(first.reply, listed, language, model=self._model)
        instructions = self._instructions("insight") + self._instructions("repair")
        try:
            second = await self._put(again, instructions)
        except ModelError as error:
            if error.reason == "cancelled":
                raise
            return first
        return second if _badness(second.findings) < _badness(first.findings) else first

    async def _put(self, request: Request, instructions: str) -> _Answer:
        """One question, its answer and what is wrong with the answer's language."""
        self._calls += 1
        completion = await self._ask(request)
        self._completions.append(completion)
        reply = completion.data
        if not isinstance(reply, InsightReply):
            raise ModelError(
                "the model did not give what was asked for",
                remedy="Use a larger model",
                reason="invalid",
                transient=False,
                raw=completion.text,
            )
        said = [reply.summary, *reply.activities, *reply.suggestions, reply.environment]
        findings = check(
            said, self._material.language, names=self._material.names, instructions=instructions
        )
        return _Answer(reply=reply, raw=completion.text, findings=findings)

    def _instructions(self, name: str) -> str:
        """Note that a prompt is used, and give its text."""
        language = self._material.language
        asked = prompt("repair", language) if name == "repair" else insight_prompt(language)
        self._prompts.append(asked.name)
        return asked.instructions

    def _usage(self, differences: Sequence[Mapping[str, str]]) -> dict[str, Any]:
        counted = self._completions
        return {
            "calls": self._calls,
            "attempts": sum(one.attempts for one in counted) + self._calls - len(counted),
            "wall_s": round(sum(one.wall_s for one in counted), 3),
            "prompts": list(dict.fromkeys(self._prompts)),
            "model": counted[-1].model if counted else None,
            "differences": list(differences),
        }


def _badness(findings: Sequence[Finding]) -> tuple[bool, bool, int]:
    """How far words are from being shown: saying nothing, in another language, badly spelt."""
    kinds = {finding.kind for finding in findings}
    return not kinds.isdisjoint(_WORTHLESS), "script" in kinds, len(findings)


def _sum(counts: Sequence[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known and len(known) == len(counts) else None
