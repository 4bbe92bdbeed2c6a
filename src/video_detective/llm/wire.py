"""One exchange with a model, in words that both protocols share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from video_detective.llm.base import Image, Structured

Json = Mapping[str, object]
"""A JSON object."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What one side says: text and pictures in reading order."""

    role: Literal["user", "assistant"]
    parts: tuple[str | Image, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What is to be put on the wire.

    Args:
        model: As the server names it.
        system: What the model is told it is; "" leaves that out.
        turns: Beginning with the user's; never empty.
        schema: JSON schema of the answer, without references; None asks for plain text.
        structured: How the server is asked to bind the answer to ``schema``.
        max_tokens: Longest answer.
        temperature: 0 for the likeliest words.
        context_tokens: Window to open, where the protocol lets the asker choose; None otherwise.
        extra: Further fields of the body that this kind of server takes.
    """

    model: str
    system: str
    turns: tuple[Turn, ...]
    schema: Json | None = None
    structured: Structured = "no"
    max_tokens: int = 1200
    temperature: float = 0.0
    context_tokens: int | None = None
    extra: Json | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What came back.

    Args:
        text: The answer as it came, without fields that hold think-text.
        is_cut: It ends because ``max_tokens`` or the window was used up.
        refusal: Why the server or model declined, in its words; None when it did not say so.
        model: Which model answered.
        prompt_tokens, completion_tokens, tokens_per_s: None when the server does not say.
    """

    text: str
    is_cut: bool
    refusal: str | None
    model: str
    prompt_tokens: int | None
    completion_tokens: int | None
    tokens_per_s: float | None = None


class MalformedError(ValueError):
    """JSON of a shape that the protocol does not know; the text says what was expected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """A protocol as data.

    Args:
        chat_path, embed_path, models_path: Below the server's address.
        chat: Body of a chat request.
        read_chat: The reply within a body; raises MalformedError.
        embed: Body that asks for the embeddings of texts; with further fields.
        read_embed: Vectors in the order of the texts; raises MalformedError.
        read_models: Names of the models that the server has; raises MalformedError.
    """

    chat_path: str
    chat: Callable[[Ask], Json]
    read_chat: Callable[[Json], Reply]
    embed_path: str
    embed: Callable[[str, list[str], Json], Json]
    read_embed: Callable[[Json], list[list[float]]]
    models_path: str
    read_models: Callable[[Json], tuple[str, ...]]


def whole_number(value: object) -> int | None:
    """``value`` when it is a count; None for anything else."""
    is_count = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return value if is_count else None  # type: ignore[return-value]


def vectors(rows: list[object]) -> list[list[float]]:
    """Rows of numbers as lists of floats.

    Raises:
        MalformedError: a row is no list of numbers.
    """
    read: list[list[float]] = []
    for row in rows:
        if not isinstance(row, list) or not all(type(number) in (int, float) for number in row):
            raise MalformedError("an embedding that is no list of numbers")
        read.append([float(number) for number in row])
    return read
