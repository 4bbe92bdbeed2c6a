"""Questions and answers of the test model server in both protocols' own shapes."""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

BEHAVIOURS: Mapping[str, str] = {
    "ok": "answers",
    "wait": "answers when release() is called",
    "429": "too many requests",
    "429-after": "too many requests, come back after retry_after (seconds or a date)",
    "500": "internal error",
    "502-html": "a proxy's error page",
    "503": "loading the model",
    "html": "a web page with status 200",
    "no-reply": "accepts the connection and never says a word",
    "slow-headers": "begins its answer, a byte of header every 50 ms",
    "slow-body": "sends the body a byte every 50 ms",
    "hang-up": "closes the connection before its answer",
    "hang-up-mid-body": "closes the connection in the middle of its answer",
    "reset": "resets the connection in the middle of its answer",
    "length-too-long": "says a longer Content-Length than it sends, and keeps the connection",
    "length-too-short": "says a shorter Content-Length than it sends",
    "not-http": "speaks no HTTP",
    "not-json": "status 200 and a body that is no JSON",
    "json-list": "status 200 and a JSON list",
    "other-json": "status 200 and a JSON object of another protocol",
    "error-in-200": "an error with status 200",
    "invalid-utf8": "bytes that are no UTF-8 within the answer",
    "huge": "a body that does not end",
    "gzip": "a compressed body",
    "redirect": "sends the client elsewhere",
    "bad-key": "refuses the key, and repeats it",
    "no-model": "does not have the model",
    "no-format": "refuses a request that binds the answer to a format",
    "no-template": "refuses arguments for the chat template",
    "no-images": "takes no pictures",
    "bad-image": "says that the picture is of no format it knows",
    "too-long": "cannot take so long a prompt",
    "echo": "refuses the request and sends it back, pictures and all",
    "truncated": "the answer's JSON breaks off, because max_tokens was reached",
    "truncated-unsaid": "the answer's JSON breaks off, with finish reason stop",
    "wrong-schema": "JSON of another shape",
    "wrong-values": "JSON of the right shape with a number where text belongs",
    "prose": "a sentence instead of JSON",
    "empty": "an empty answer",
    "think": "think-text before the answer",
    "think-unclosed": "think-text that never ends",
    "think-only-end": "think-text whose beginning is missing",
    "fences": "the answer within a code fence",
    "chatter": "sentences before and after the answer",
    "language": "the answer's texts in English, whatever was asked",
    "simplified": "the answer's texts in simplified Chinese",
    "refusal": "declines in a sentence",
    "refusal-zh": "declines in a Chinese sentence",
    "refusal-field": "declines by the protocol's own field",
    "nul": "NUL and half characters within the answer's texts",
    "few-vectors": "one embedding too few",
    "uneven-vectors": "embeddings of unequal sizes",
    "nan-vectors": "embeddings that are no numbers",
    "zero-vectors": "embeddings of zeros",
    "shuffled-vectors": "embeddings in another order, numbered",
}

ENGLISH = "A person walks through the picture and leaves."
SIMPLIFIED = "\u4e00\u4e2a\u4eba\u5728\u540e\u95e8\u5f98\u5f8a\uff0c\u7136\u540e\u79bb\u5f00\u3002"
REFUSAL = "I'm sorry, but I can't help with identifying people."
REFUSAL_ZH = "\u62b1\u6b49\uff0c\u6211\u7121\u6cd5\u5354\u52a9\u9019\u500b\u8acb\u6c42\u3002"


@dataclass(frozen=True, kw_only=True)
class Ask:
    """A question as it reached the server.

    Args:
        wire: Which protocol.
        path: Where to.
        model, system: As asked.
        text: All text of the user's turns, in order.
        images: JPEG bytes, in order.
        schema: JSON schema that the answer is to fit, wherever it stood; None for plain text.
        structured: How the answer is to be bound: ``schema``, ``json`` or ``no``.
        turns: How many turns the conversation has (3: a correction is asked for).
        texts: What is to be embedded.
        body: The whole request.
        headers: Names in lower case.
        behaviour: What was done with it.
    """

    wire: Literal["ollama", "openai"]
    path: str
    model: str
    system: str
    text: str
    images: tuple[bytes, ...]
    schema: dict[str, Any] | None
    structured: str
    turns: int
    texts: tuple[str, ...]
    body: dict[str, Any]
    headers: dict[str, str] = field(repr=False)
    behaviour: str


@dataclass(frozen=True, kw_only=True)
class Model:
    """A model that the server has."""

    name: str
    context: int = 131_072
    chats: bool = True
    sees: bool = True
    embedding: int = 0
    on_gpu: float = 1.0
    tokens_per_s: float = 50.0


def read_ask(path: str, body: dict[str, Any], headers: dict[str, str], behaviour: str) -> Ask:
    messages = body.get("messages", [])
    texts, images = [], []
    for message in messages:
        if message["role"] != "user":
            continue
        images += [base64.b64decode(picture) for picture in message.get("images", ())]
        parts: Any = message["content"]
        if isinstance(parts, str):
            parts = [{"type": "text", "text": parts}]
        for part in parts:
            if part["type"] == "text":
                texts.append(part["text"])
            else:
                images.append(base64.b64decode(part["image_url"]["url"].partition(",")[2]))
    asked = body.get("format") or body.get("response_format", {}).get("type", "no")
    structured = "schema" if isinstance(asked, dict) or asked == "json_schema" else asked
    schema = asked if isinstance(asked, dict) else None
    if asked == "json_schema":
        schema = body["response_format"]["json_schema"]["schema"]
    for text in texts:  # a server that cannot bind answers is told the schema in words
        if schema is None and "JSON schema" in text:
            with contextlib.suppress(ValueError):
                schema = json.loads(text[text.index("{") :])
    given = body.get("input", [])
    return Ask(
        wire="ollama" if path.startswith("/api") else "openai",
        path=path,
        model=body["model"],
        system="\n".join(m["content"] for m in messages if m["role"] == "system"),
        text="\n".join(texts),
        images=tuple(images),
        schema=schema,
        structured="json" if structured in ("json", "json_object") else structured,
        turns=sum(message["role"] != "system" for message in messages),
        texts=tuple([given] if isinstance(given, str) else given),
        body=body,
        headers=headers,
        behaviour=behaviour,
    )


def chat_body(ask: Ask, model: Model, text: str, finish: str) -> dict[str, Any]:
    count = max(1, len(text) // 3)
    prompt = max(1, len(ask.text) // 3)
    if ask.wire == "ollama":
        return {
            "model": ask.model,
            "message": {"role": "assistant", "content": text, "thinking": "Hm."},
            "done": True,
            "done_reason": finish,
            "prompt_eval_count": prompt,
            "eval_count": count,
            "eval_duration": int(count / model.tokens_per_s * 1e9),
        }
    message: dict[str, Any] = {"role": "assistant", "content": text, "reasoning_content": "Hm."}
    if ask.behaviour == "refusal-field":
        message |= {"content": None, "refusal": REFUSAL}
    return {
        "model": ask.model,
        "choices": [{"index": 0, "message": message, "finish_reason": finish}],
        "usage": {"prompt_tokens": prompt, "completion_tokens": count},
    }


def lookup(
    path: str, body: dict[str, Any], rows: Sequence[Model], loaded: set[str]
) -> tuple[int, Any]:
    """What a server of models ``rows`` says of itself at ``path``: status and body."""
    if path == "/api/tags":
        return 200, {"models": [{"name": row.name, "model": row.name} for row in rows]}
    if path == "/api/ps":
        size = 10_000_000_000
        return 200, {
            "models": [
                {"name": row.name, "size": size, "size_vram": int(size * row.on_gpu)}
                for row in rows
                if row.name in loaded
            ]
        }
    if path == "/api/show":
        row = next((row for row in rows if row.name == body.get("model")), None)
        if row is None:
            return 404, {"error": f"model '{body.get('model')}' not found"}
        abilities = ["completion"] * row.chats + ["vision"] * row.sees
        info = {"general.architecture": "test", "test.context_length": row.context}
        return 200, {
            "capabilities": abilities + ["embedding"] * bool(row.embedding),
            "model_info": info,
        }
    if path == "/v1/models":
        return 200, {
            "object": "list",
            "data": [{"id": row.name, "max_model_len": row.context} for row in rows],
        }
    if path == "/api/v0/models":
        return 200, {
            "data": [
                {"id": row.name, "loaded_context_length": row.context, "state": "loaded"}
                for row in rows
            ]
        }
    if path == "/props" and rows:
        return 200, {"default_generation_settings": {"n_ctx": rows[0].context}}
    return 404, {"error": "no such page"}


def vector(text: str, size: int) -> list[float]:
    """The embedding that the server gives of a text: the same for the same text."""
    seed = [len(text), *text.encode()]
    return [float(number) for number in np.random.default_rng(seed).normal(size=size)]


def vectors_body(ask: Ask, model: Model) -> dict[str, Any]:
    rows = [vector(text, model.embedding) for text in ask.texts]
    if ask.behaviour == "few-vectors":
        rows = rows[:-1]
    elif ask.behaviour == "uneven-vectors":
        rows[-1] = rows[-1][:-1]
    elif ask.behaviour == "nan-vectors":
        rows[-1][0] = float("nan")
    elif ask.behaviour == "zero-vectors":
        rows[-1] = [0.0] * len(rows[-1])
    if ask.wire == "ollama":
        return {"model": ask.model, "embeddings": rows, "prompt_eval_count": 3}
    data = [{"index": number, "embedding": row} for number, row in enumerate(rows)]
    return {"model": ask.model, "data": data[::-1] if ask.behaviour == "shuffled-vectors" else data}


def fitting(schema: Mapping[str, Any]) -> Any:
    """A value that fits a JSON schema without references."""
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    for several in ("anyOf", "oneOf", "allOf"):
        if several in schema:
            return fitting(schema[several][0])
    kind = schema.get("type", "object")
    if kind == "object":
        return {name: fitting(part) for name, part in schema.get("properties", {}).items()}
    if kind == "array":
        return [fitting(schema.get("items", {}))] * max(1, schema.get("minItems", 1))
    if kind in ("integer", "number"):
        return schema.get("minimum", schema.get("exclusiveMinimum", 0) + 1)
    if kind == "string":
        return ("text " * (1 + schema.get("minLength", 0) // 5))[: schema.get("maxLength", 4)]
    return {"boolean": True, "null": None}[kind]


def with_texts(value: Any, text: str) -> Any:
    """``value`` with every text in it replaced."""
    if isinstance(value, dict):
        return {key: with_texts(item, text) for key, item in value.items()}
    if isinstance(value, list):
        return [with_texts(item, text) for item in value]
    return text if isinstance(value, str) else value
