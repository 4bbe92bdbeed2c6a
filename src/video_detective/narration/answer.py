"""Prompt 3: a model words an answer over candidates that a search found.

The model sees numbered candidates (``E1``, ``E2`` …) and must cite them sentence by sentence.
Whether a citation holds is not for it to say: ``search.citations`` checks every sentence.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from video_detective.llm.base import Request
from video_detective.narration.catalogue import Language

PROMPT = "answer.v1"
MAX_CANDIDATES = 12
"""What a small context holds, and more than an answer of six sentences can use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An event that a model may cite.

    Args:
        key: What it is called in the prompt: ``E1``.
        event_id: Which event.
        record: What the model is told of it: camera, local times, type, summary, evidence.
    """

    key: str
    event_id: str
    record: dict[str, Any]


class WordedSentence(BaseModel):
    """A sentence and the candidates on which it rests."""

    model_config = ConfigDict(extra="ignore")

    text: str = Field(min_length=1, max_length=400)
    cites: list[Annotated[str, Field(max_length=80)]] = Field(max_length=MAX_CANDIDATES)


class WordedAnswer(BaseModel):
    """The model's whole answer."""

    model_config = ConfigDict(extra="ignore")

    sentences: list[WordedSentence] = Field(max_length=8)


def answer_request(
    question: str,
    candidates: Sequence[Candidate],
    *,
    model: str,
    language: Language,
    period: str,
    total: int,
) -> Request:
    """The request for an answer.

    Args:
        question: As the asker wrote it.
        candidates: At most ``MAX_CANDIDATES``, best first.
        model: Which model.
        language: Of the answer.
        period: The time asked for, in words.
        total: How many events match, candidates included.
    """
    resource = files("video_detective.narration").joinpath(f"prompts/{PROMPT}.{language}.txt")
    shown = [{"id": c.key, **c.record} for c in candidates]
    material = {"question": question, "period": period, "total": total, "candidates": shown}
    return Request(
        model=model,
        system=resource.read_text(encoding="utf-8"),
        parts=(json.dumps(material, ensure_ascii=False, indent=1),),
        answer=WordedAnswer,
        max_tokens=900,
    )
