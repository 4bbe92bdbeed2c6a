"""OpenAI's chat and embeddings protocol, as local servers speak it.

Source: platform.openai.com/docs/api-reference/chat, and the servers' own pages (``kinds.py``).
"""

from __future__ import annotations

import base64

from video_detective.llm.base import Image
from video_detective.llm.wire import Ask, Json, MalformedError, Reply, Turn, Wire, whole_number
from video_detective.llm.wire import vectors as read_vectors


def _message(turn: Turn) -> Json:
    if all(isinstance(part, str) for part in turn.parts):
        # Servers and chat templates without eyes take text only as a string.
        return {"role": turn.role, "content": "\n".join(map(str, turn.parts))}
    content: list[Json] = []
    for part in turn.parts:
        if isinstance(part, Image):
            url = "data:image/jpeg;base64," + base64.b64encode(part.jpeg).decode()
            content.append({"type": "image_url", "image_url": {"url": url}})
        else:
            content.append({"type": "text", "text": part})
    return {"role": turn.role, "content": content}


def _chat(ask: Ask) -> Json:
    system = [{"role": "system", "content": ask.system}] if ask.system else []
    body: dict[str, object] = {
        "model": ask.model,
        "messages": [*system, *map(_message, ask.turns)],
        "stream": False,
        "max_tokens": ask.max_tokens,
        "temperature": ask.temperature,
        **(ask.extra or {}),
    }
    if ask.schema is not None and ask.structured == "schema":
        named = {"name": "answer", "schema": ask.schema}
        body["response_format"] = {"type": "json_schema", "json_schema": named}
    elif ask.schema is not None and ask.structured == "json":
        body["response_format"] = {"type": "json_object"}
    return body


def _read_chat(body: Json) -> Reply:
    choices = body.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        raise MalformedError("no choices")
    message, finish = choices[0].get("message"), choices[0].get("finish_reason")
    if not isinstance(message, dict):
        raise MalformedError("a choice without message")
    refusal = message.get("refusal")
    if not isinstance(refusal, str) or not refusal:
        refusal = "content filter" if finish == "content_filter" else None
    usage = body.get("usage")
    usage = usage if isinstance(usage, dict) else {}
    return Reply(
        text=_text(message.get("content")),
        is_cut=finish == "length",
        refusal=refusal,
        model=str(body.get("model", "")),
        prompt_tokens=whole_number(usage.get("prompt_tokens")),
        completion_tokens=whole_number(usage.get("completion_tokens")),
        tokens_per_s=_speed(body),
    )


def _text(content: object) -> str:
    """The content of a message: a string, nothing, or a list of parts."""
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if isinstance(content, list) and all(isinstance(part, dict) for part in content):
        return "".join(str(part.get("text", "")) for part in content)
    raise MalformedError("content that is no text")


def _speed(body: Json) -> float | None:
    """llama.cpp's ``timings``; LM Studio's own interface calls it ``stats``."""
    for place, name in (("timings", "predicted_per_second"), ("stats", "tokens_per_second")):
        numbers = body.get(place)
        value = numbers.get(name) if isinstance(numbers, dict) else None
        if isinstance(value, int | float) and 0 < value < 1e6:
            return float(value)
    return None


def _embed(model: str, texts: list[str], extra: Json) -> Json:
    return {"model": model, "input": texts, "encoding_format": "float", **extra}


def _read_embed(body: Json) -> list[list[float]]:
    rows = body.get("data")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise MalformedError("no data")
    # Not every server sends them in order.
    places = [row.get("index", number) for number, row in enumerate(rows)]
    if sorted(map(str, places)) != sorted(map(str, range(len(rows)))):
        raise MalformedError("embeddings whose numbers are not 0 to n-1")
    ordered = sorted(zip(map(int, places), rows, strict=True), key=lambda pair: pair[0])
    return read_vectors([row.get("embedding") for _, row in ordered])


def _read_models(body: Json) -> tuple[str, ...]:
    rows = body.get("data")
    if not isinstance(rows, list):
        raise MalformedError("no list of models")
    return tuple(str(row["id"]) for row in rows if isinstance(row, dict) and "id" in row)


OPENAI = Wire(
    chat_path="/v1/chat/completions",
    chat=_chat,
    read_chat=_read_chat,
    embed_path="/v1/embeddings",
    embed=_embed,
    read_embed=_read_embed,
    models_path="/v1/models",
    read_models=_read_models,
)
