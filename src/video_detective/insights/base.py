"""What a model is asked to say of an alert, and what is kept of its answer."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from video_detective.rules.parameters import RiskLevel

SUMMARY, ENVIRONMENT, LINE = 500, 50, 120
"""Most characters of the summary, of the environment, and of an activity or suggestion."""
ACTIVITIES, SUGGESTIONS = 5, 3
"""Most entries."""

Level = Literal["frames", "one_frame", "small_frame", "template"]
LEVELS: tuple[Level, ...] = ("frames", "one_frame", "small_frame", "template")
"""From best to least: one to three pictures, one, one of half the size, no model."""

_RISKS = {
    "低": "low", "中": "medium", "高": "high", "嚴重": "critical", "極高": "critical",
    "严重": "critical", "moderate": "medium", "severe": "critical",
}  # fmt: skip


def _at_most(limit: int) -> AfterValidator:
    def check(text: str) -> str:
        if len(text.strip()) > limit:
            raise ValueError(f"has {len(text)} characters, at most {limit} are allowed")
        return text.strip()

    return AfterValidator(check)


def _few(limit: int) -> AfterValidator:
    def check(entries: list[str]) -> list[str]:
        if len(entries) > limit:
            raise ValueError(f"has {len(entries)} entries, at most {limit} are allowed")
        return [entry for entry in dict.fromkeys(entries) if entry]

    return AfterValidator(check)


def _not_empty(text: str) -> str:
    if not text.strip(" .…。"):
        raise ValueError("must not be empty")
    return text


def _risk(value: object) -> object:
    """The level in the words of the schema."""
    key = value.strip().lower() if isinstance(value, str) else value
    return _RISKS.get(key, key) if isinstance(key, str) else key


Line = Annotated[str, _at_most(LINE)]


class InsightReply(BaseModel):
    """``vlmStructuredResult``: the fields and bounds of the specification.

    Lengths are checked after the answer and are no part of the schema that is sent: servers that
    compile a schema to a grammar grow slow or refuse on long repetitions.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    summary: Annotated[str, _at_most(SUMMARY), AfterValidator(_not_empty)]
    personCount: Annotated[int, Field(ge=0, le=10_000)]
    riskLevel: Annotated[RiskLevel, BeforeValidator(_risk)]
    activities: Annotated[list[Line], _few(ACTIVITIES)]
    suggestions: Annotated[list[Line], _few(SUGGESTIONS)]
    environment: Annotated[str, _at_most(ENVIRONMENT)]
