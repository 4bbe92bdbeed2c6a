"""What is sent to a model server and what comes back, whatever protocol it speaks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from pydantic import BaseModel

Kind = Literal["ollama", "openai", "lmstudio", "vllm", "llamacpp", "nim"]
"""Servers whose abilities are known; ``openai`` is any other that speaks its protocol."""

Structured = Literal["schema", "json", "no"]
"""How far a server binds an answer: to a JSON schema, to valid JSON, or not at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A model server.

    Args:
        name: What the configuration calls it.
        kind: Which protocol it speaks and what it is known to do.
        url: ``http`` or ``https`` address, without ``/v1`` or ``/api``.
        api_key: Sent as bearer token; "" for none. Never shown.
        concurrency: Requests at once.
        timeout_s: For one answer, all its tokens included.
    """

    name: str
    kind: Kind
    url: str
    api_key: str = field(default="", repr=False)
    concurrency: int = 1
    timeout_s: float = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A picture within a request: JPEG bytes."""

    jpeg: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One question to a model.

    Args:
        model: As the server names it.
        system: What the model is told it is.
        parts: Text and pictures in the order in which the model is to read them.
        answer: What the answer must be, as a pydantic model: its JSON schema goes to servers that
            can hold to one, and every answer is validated. None asks for plain text.
        max_tokens: Longest answer.
        temperature: 0 for the likeliest words.
    """

    model: str
    system: str
    parts: tuple[str | Image, ...]
    answer: type[BaseModel] | None = None
    max_tokens: int = 1200
    temperature: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """A model's answer.

    Args:
        text: As it came, without think-text and code fences.
        data: The answer as an instance of ``Request.answer``; None when that was None.
        model: Which model answered, as the server says.
        prompt_tokens, completion_tokens: As the server counts them; None when it does not say.
        wall_s: From request to last token, retries and repair included.
        attempts: Requests that were needed, repair included.
        tokens_per_s: How fast the answer was written, as the server says; None when it does not.
    """

    text: str
    data: BaseModel | None
    model: str
    prompt_tokens: int | None
    completion_tokens: int | None
    wall_s: float
    attempts: int
    tokens_per_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Abilities:
    """What a probe of a server and model showed. Everything not shown is ``no``.

    Args:
        structured: ``schema`` (answers hold to a schema), ``json`` (valid JSON only) or ``no``.
        images: It described a picture that only somebody who sees it can describe.
        several_images: It told apart two pictures of one request, in their order.
        context_tokens: Longest prompt and answer together; None when unknown.
        tokens_per_s: Of the answer; None when unknown.
        gpu_share: Share of the model in GPU memory, 0..1; None when the server does not say.
        embedding_size: Numbers in an embedding; None when the model gives none.
    """

    structured: Structured = "no"
    images: bool = False
    several_images: bool = False
    context_tokens: int | None = None
    tokens_per_s: float | None = None
    gpu_share: float | None = None
    embedding_size: int | None = None
