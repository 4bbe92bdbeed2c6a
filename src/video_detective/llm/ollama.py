"""Ollama's own protocol.

Source: github.com/ollama/ollama, ``docs/api.md`` and ``api/types.go``.
"""

from __future__ import annotations

import base64

from video_detective.llm.base import Image
from video_detective.llm.wire import Ask, Json, MalformedError, Reply, Turn, Wire, whole_number
from video_detective.llm.wire import vectors as read_vectors

KEEP_ALIVE = "30m"
"""How long a model stays loaded. The server's own 5 minutes would load a large model anew for
every quiet quarter of an hour."""

_SMALLEST_CONTEXT = 8192
IMAGE_TOKENS = 1700
"""Of one picture: Llama 3.2 Vision takes 1,601 a tile, Qwen-VL about 1,200 for 1280×720."""


def needed_context(ask: Ask) -> int:
    """Window for a request: a generous estimate of prompt and answer, rounded up to 2ⁿ tokens.

    The server's default of some thousand tokens cuts the beginning off a longer prompt without a
    word, and another size than the last one makes it load the model anew: hence few, coarse sizes.
    """
    texts = [ask.system, *(p for t in ask.turns for p in t.parts if isinstance(p, str))]
    pictures = sum(isinstance(part, Image) for turn in ask.turns for part in turn.parts)
    # Chinese: 3 bytes and at most 1.5 tokens a character; English: 4 characters a token.
    prompt = sum(len(text.encode()) for text in texts) // 2 + pictures * IMAGE_TOKENS
    size = _SMALLEST_CONTEXT
    while size < prompt + ask.max_tokens:
        size *= 2
    return size


def _message(turn: Turn) -> Json:
    """One text with a list of pictures beside it, so that the text says where each belongs."""
    words: list[str] = []
    pictures: list[str] = []
    for part in turn.parts:
        if isinstance(part, Image):
            pictures.append(base64.b64encode(part.jpeg).decode())
            words.append(f"[image {len(pictures)}]")
        else:
            words.append(part)
    message: dict[str, object] = {"role": turn.role, "content": "\n".join(words)}
    if pictures:
        message["images"] = pictures
    return message


def _chat(ask: Ask) -> Json:
    system = [{"role": "system", "content": ask.system}] if ask.system else []
    options: dict[str, object] = {"temperature": ask.temperature, "num_predict": ask.max_tokens}
    if ask.context_tokens is not None:
        options["num_ctx"] = ask.context_tokens
    body: dict[str, object] = {
        "model": ask.model,
        "messages": [*system, *map(_message, ask.turns)],
        "stream": False,
        "think": False,
        "truncate": False,  # a prompt that does not fit is an error, not a shorter prompt
        "keep_alive": KEEP_ALIVE,
        "options": options,
    }
    if ask.schema is not None and ask.structured != "no":
        body["format"] = ask.schema if ask.structured == "schema" else "json"
    return body


def _read_chat(body: Json) -> Reply:
    message = body.get("message")
    if not isinstance(message, dict) or not isinstance(message.get("content"), str):
        raise MalformedError("no message with content")
    count, nanoseconds = whole_number(body.get("eval_count")), body.get("eval_duration")
    speed = None
    if count and isinstance(nanoseconds, int) and nanoseconds > 0:
        speed = count / (nanoseconds / 1e9)
    return Reply(
        text=message["content"],
        is_cut=body.get("done_reason") == "length",
        refusal=None,
        model=str(body.get("model", "")),
        prompt_tokens=whole_number(body.get("prompt_eval_count")),
        completion_tokens=count,
        tokens_per_s=speed,
    )


def _embed(model: str, texts: list[str], extra: Json) -> Json:
    return {"model": model, "input": texts, "keep_alive": KEEP_ALIVE, **extra}


def _read_embed(body: Json) -> list[list[float]]:
    rows = body.get("embeddings")
    if not isinstance(rows, list):
        raise MalformedError("no embeddings")
    return read_vectors(rows)


def _read_models(body: Json) -> tuple[str, ...]:
    rows = body.get("models")
    if not isinstance(rows, list):
        raise MalformedError("no list of models")
    return tuple(str(row["name"]) for row in rows if isinstance(row, dict) and "name" in row)


OLLAMA = Wire(
    chat_path="/api/chat",
    chat=_chat,
    read_chat=_read_chat,
    embed_path="/api/embed",
    embed=_embed,
    read_embed=_read_embed,
    models_path="/api/tags",
    read_models=_read_models,
)
