"""A model server of our own: both protocols over real sockets, and every kind of misbehaviour.

In a test::

    with LlmServer("429", "500", "ok", answer={"answer_zh": "…"}) as server:
        async with ModelClient(server.settings("ollama")) as client:
            await client.complete(request)
    assert [ask.text for ask in server.asks] == […]

Behaviours (`BEHAVIOURS`) are taken one for each question, in order; the last one repeats. Without
an ``answer`` the server makes up JSON that fits the schema of the question, or says "ok". An answer
may be text, a dict, or a function of the question (`Ask`) that returns one of them.

As a process, for tests that kill things::

    python -m tests.servers.llm --port 0 --behave ok --mix 429=0.1,hang-up=0.1 --log FILE

prints its address as its first line, and writes one JSON line for each question to FILE.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import contextlib
import json
import signal
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from video_detective.llm.base import Kind, Server

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


Answer = str | dict[str, Any]


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


class LlmServer:
    """Serves on a free port of 127.0.0.1 from a thread of its own.

    Args:
        behaviours: One for each question (chat or embeddings), in order; the last one repeats.
        answer: What it answers; None makes up what fits.
        models: What it has; whatever else is asked for is "not found". Empty: takes any name.
        mix: Chances of further behaviours, drawn before the order of ``behaviours`` is looked at.
        seed: Of those draws.
        retry_after: Header of ``429-after``.
        delay_s: Before each answer.
        key: If not "", every request must bear it.
        binds: ``schema``: answers hold to a schema; ``json``: valid JSON; ``no``: to nothing.
        log: File that gets a line for each question.
        port: 0 for any free one.

    Attributes:
        asks: Questions so far.
        lookups: Paths of everything else that was asked for.
        in_flight, peak: Questions being answered now, and the most at once so far.
        hang_ups: Questions whose asker closed the connection before the answer.
        connections: Connections open now.
    """

    def __init__(
        self,
        *behaviours: str,
        answer: Answer | Callable[[Ask], Answer] | None = None,
        models: Sequence[Model] = (),
        mix: Mapping[str, float] | None = None,
        seed: int = 0,
        retry_after: str = "1",
        delay_s: float = 0.0,
        key: str = "",
        binds: Literal["schema", "json", "no"] = "schema",
        log: Path | None = None,
        port: int = 0,
    ) -> None:
        unknown = {*behaviours, *(mix or {})} - set(BEHAVIOURS)
        if unknown:
            raise ValueError(f"no such behaviour: {sorted(unknown)}")
        self._behaviours = behaviours or ("ok",)
        self._answer = answer
        self._models = tuple(models)
        self._mix = dict(mix or {})
        self._chance = np.random.default_rng(seed)
        self._retry_after = retry_after
        self._delay_s = delay_s
        self._key = key
        self._binds = binds
        self._log = log
        self.port = port
        self.asks: list[Ask] = []
        self.lookups: list[str] = []
        self.in_flight = self.peak = self.hang_ups = self.connections = 0
        self._changed = threading.Condition()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._is_up = threading.Event()

    # What tests use

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def settings(
        self,
        kind: Kind = "ollama",
        *,
        concurrency: int = 1,
        timeout_s: float = 10.0,
        api_key: str = "",
    ) -> Server:
        """How the program is told of this server."""
        return Server(
            name="test",
            kind=kind,
            url=self.url,
            api_key=api_key or self._key,
            concurrency=concurrency,
            timeout_s=timeout_s,
        )

    def behave(self, *behaviours: str) -> None:
        """Behave otherwise from the next question on; the last one repeats."""
        self._behaviours = ("",) * len(self.asks) + behaviours

    def release(self) -> None:
        """Answer what waits, and whatever comes."""
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._released.set)

    def wait_until(self, condition: Callable[[LlmServer], bool], timeout_s: float = 10.0) -> None:
        """Return when ``condition`` holds; in a coroutine: ``await asyncio.to_thread(…)``."""
        with self._changed:
            if not self._changed.wait_for(lambda: condition(self), timeout_s):
                raise AssertionError(f"did not happen within {timeout_s} s")

    def __enter__(self) -> LlmServer:
        self._thread.start()
        if not self._is_up.wait(10):
            raise AssertionError("the model server did not start")
        return self

    def __exit__(self, *_: object) -> None:
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._stopped.set)
        self._thread.join(10)

    # The server

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._released, self._stopped = asyncio.Event(), asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        server = await asyncio.start_server(self._connected, "127.0.0.1", self.port)
        self.port = server.sockets[0].getsockname()[1]
        self._is_up.set()
        await self._stopped.wait()
        server.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _count(self, *, in_flight: int = 0, hang_ups: int = 0, connections: int = 0) -> None:
        with self._changed:
            self.in_flight += in_flight
            self.peak = max(self.peak, self.in_flight)
            self.hang_ups += hang_ups
            self.connections += connections
            self._changed.notify_all()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._count(connections=1)
        try:
            while await self._exchange(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            writer.close()
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await writer.wait_closed()
            self._count(connections=-1)

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; whether the connection lives on."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, path, _ = head[0].split(" ", 2)
        headers = {}
        for line in head[1:-2]:
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        data = await reader.readexactly(int(headers.get("content-length", 0)))
        if self._key and headers.get("authorization") != f"Bearer {self._key}":
            return await _send(writer, 401, {"error": {"message": "invalid api key"}})
        if method == "GET" or path == "/api/show":
            self.lookups.append(path)
            return await _send(writer, *self._lookup(path, json.loads(data or b"{}")))
        if path not in ("/api/chat", "/api/embed", "/v1/chat/completions", "/v1/embeddings"):
            return await _send(writer, 404, b"404 page not found", "text/plain")
        ask = _read(path, json.loads(data), headers, self._next_behaviour())
        self._note(ask)
        answering = asyncio.ensure_future(self._reply(ask, writer))
        leaving = asyncio.ensure_future(reader.read(1))
        try:
            await asyncio.wait({answering, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if answering.done():
                return answering.result()
            self._count(hang_ups=1)
            return False
        finally:
            for task in (answering, leaving):
                task.cancel()
            await asyncio.gather(answering, leaving, return_exceptions=True)
            self._count(in_flight=-1)

    def _next_behaviour(self) -> str:
        draw = float(self._chance.random())
        for name, chance in self._mix.items():
            draw -= chance
            if draw < 0:
                return name
        return self._behaviours[min(len(self.asks), len(self._behaviours) - 1)]

    def _note(self, ask: Ask) -> None:
        self.asks.append(ask)
        self._count(in_flight=1)
        if self._log is not None:
            line = {
                "path": ask.path,
                "model": ask.model,
                "behaviour": ask.behaviour,
                "text": ask.text,
                "images": len(ask.images),
                "turns": ask.turns,
            }
            with self._log.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line, ensure_ascii=False) + "\n")

    def _lookup(self, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        rows = self._models
        if path == "/api/tags":
            return 200, {"models": [{"name": row.name, "model": row.name} for row in rows]}
        if path == "/api/ps":
            size = 10_000_000_000
            return 200, {
                "models": [
                    {"name": row.name, "size": size, "size_vram": int(size * row.on_gpu)}
                    for row in rows
                    if any(ask.model == row.name for ask in self.asks)
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

    async def _reply(self, ask: Ask, writer: asyncio.StreamWriter) -> bool:
        await asyncio.sleep(self._delay_s)
        if ask.behaviour == "wait":
            await self._released.wait()
        model = next((row for row in self._models if row.name == ask.model), None)
        if self._models and model is None:
            return await _no_model(ask, writer)
        model = model or Model(name=ask.model, embedding=8)
        misbehaved = await self._misbehave(ask, writer)
        if misbehaved is not None:
            return misbehaved
        if ask.texts or "embed" in ask.path:
            if not model.embedding:
                error = {"error": "this model does not support embeddings"}
                return await _send(writer, 400, error)
            return await _send(writer, 200, _vectors(ask, model))
        if not model.chats:
            return await _send(writer, 400, {"error": f'"{ask.model}" does not support chat'})
        text, finish = self._said(ask)
        body: Any = _chat_body(ask, model, text, finish)
        if ask.behaviour == "other-json":
            body = {"status": "fine", "version": 3}
        data = json.dumps(body, ensure_ascii=ask.behaviour == "nul").encode()
        if ask.behaviour == "invalid-utf8":
            data = data.replace(text[:1].encode() or b" ", b"\xff\xfe", 1)
        return await self._deliver(ask.behaviour, data, writer)

    async def _misbehave(self, ask: Ask, writer: asyncio.StreamWriter) -> bool | None:
        """Whatever is no answer at all; None when there is to be one."""
        behaviour = ask.behaviour
        if behaviour in ("hang-up", "no-reply"):
            if behaviour == "no-reply":
                await asyncio.Event().wait()
            return False
        if behaviour == "not-http":
            writer.write(b"220 mail.example.com ESMTP\r\n")
            await writer.drain()
            return False
        if behaviour == "huge":
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{")
            while True:
                writer.write(b" " * 65536)
                await writer.drain()
        if behaviour == "no-model":
            return await _no_model(ask, writer)
        if behaviour == "no-format" and ask.structured != "no":
            words = f"'response_format.type' {ask.structured!r} is not supported"
            return await _send(writer, 400, {"error": words})
        if behaviour == "echo":
            error = {"error": {"message": "bad request: " + json.dumps(ask.body)}}
            return await _send(writer, 422, error)
        if behaviour == "bad-key":
            words = "invalid api key " + ask.headers.get("authorization", "")
            return await _send(writer, 401, {"error": {"message": words}})
        page = "<html><head><title>Oops</title></head><body><h1>Bad Gateway</h1></body></html>"
        answers: dict[str, tuple[int, Any, str, dict[str, str]]] = {
            "429": (429, {"error": "too many requests"}, _JSON, {}),
            "429-after": (429, {"error": "slow down"}, _JSON, {"Retry-After": self._retry_after}),
            "500": (500, {"error": "runner crashed"}, _JSON, {}),
            "503": (503, {"error": {"message": "Loading model"}}, _JSON, {}),
            "502-html": (502, page.encode(), "text/html", {}),
            "html": (200, page.encode(), "text/html", {}),
            "not-json": (200, b"all is well", "text/plain", {}),
            "json-list": (200, [1, 2, 3], _JSON, {}),
            "error-in-200": (200, {"error": "unexpected EOF"}, _JSON, {}),
            "redirect": (307, b"", _JSON, {"Location": "http://elsewhere.example/v1"}),
            "gzip": (200, b"\x1f\x8b", _JSON, {"Content-Encoding": "gzip"}),
            "too-long": (
                400,
                {"error": {"message": "This model's maximum context length is 512 tokens"}},
                _JSON,
                {},
            ),
        }
        if behaviour in answers:
            status, body, kind, headers = answers[behaviour]
            return await _send(writer, status, body, kind, headers)
        return None

    def _said(self, ask: Ask) -> tuple[str, str]:
        """What the model says, and why it stopped."""
        value = self._answer(ask) if callable(self._answer) else self._answer
        is_bound = ask.structured == "schema" and self._binds == "schema"
        if value is None:
            fits = ask.schema is not None and (is_bound or "schema" in ask.text)
            value = fitting(ask.schema) if fits and ask.schema is not None else "ok"
        if ask.behaviour == "language":
            value = with_texts(value, ENGLISH)
        elif ask.behaviour == "simplified":
            value = with_texts(value, SIMPLIFIED)
        elif ask.behaviour == "nul":
            value = with_texts(value, "a\x00b\ud800c")
        elif ask.behaviour == "wrong-values":
            value = {key: [[]] for key in value} if isinstance(value, dict) else value
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        said = {
            "truncated": (text[: len(text) * 2 // 3], "length"),
            "truncated-unsaid": (text[: len(text) * 2 // 3], "stop"),
            "wrong-schema": ('{"verdict": "fine"}', "stop"),
            "prose": ("A man walks by. All is quiet.", "stop"),
            "empty": ("", "stop"),
            "think": (f'<think>Hm, {{"a": 1}}? No.</think>\n\n{text}', "stop"),
            "think-unclosed": (f"<think>Let me see. {text} Or rather", "length"),
            "think-only-end": (f"Let me see.\n</think>\n{text}", "stop"),
            "fences": (f"```json\n{text}\n```", "stop"),
            "chatter": (f"Sure! Here {{it}} is:\n\n{text}\n\nAnything else?", "stop"),
            "refusal": (REFUSAL, "stop"),
            "refusal-zh": (REFUSAL_ZH, "stop"),
        }
        return said.get(ask.behaviour, (text, "stop"))

    async def _deliver(self, behaviour: str, data: bytes, writer: asyncio.StreamWriter) -> bool:
        length = len(data)
        if behaviour == "length-too-long":
            length += 100
        elif behaviour == "length-too-short":
            length //= 2
        head = f"HTTP/1.1 200 OK\r\nContent-Type: {_JSON}\r\nContent-Length: {length}\r\n\r\n"
        slow = {"slow-headers": head.encode(), "slow-body": data}.get(behaviour)
        if behaviour != "slow-headers":
            writer.write(head.encode())
        for place in range(len(slow or b"")):
            writer.write((slow or b"")[place : place + 1])
            await writer.drain()
            await asyncio.sleep(0.05)
        if behaviour in ("hang-up-mid-body", "reset"):
            writer.write(data[: len(data) // 2])
            await writer.drain()
            if behaviour == "reset":
                writer.transport.abort()
            return False
        if behaviour != "slow-body":
            writer.write(data)
        await writer.drain()
        if behaviour == "length-too-long":
            await asyncio.Event().wait()
        return behaviour != "length-too-short"


_JSON = "application/json"
_REASONS = {200: "OK", 307: "Temporary Redirect", 400: "Bad Request", 401: "Unauthorized"}


async def _send(
    writer: asyncio.StreamWriter,
    status: int,
    body: Any,
    kind: str = _JSON,
    headers: Mapping[str, str] | None = None,
) -> bool:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} {_REASONS.get(status, 'Error')}", f"Content-Type: {kind}"]
    lines += [f"Content-Length: {len(data)}", "Date: Mon, 01 Dec 2025 00:00:00 GMT"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + data)
    await writer.drain()
    return True


async def _no_model(ask: Ask, writer: asyncio.StreamWriter) -> bool:
    words = f"model '{ask.model}' not found"
    error = words if ask.wire == "ollama" else {"message": words, "code": "model_not_found"}
    return await _send(writer, 404, {"error": error})


def _read(path: str, body: dict[str, Any], headers: dict[str, str], behaviour: str) -> Ask:
    messages = body.get("messages", [])
    texts, images = [], []
    for message in messages:
        if message["role"] != "user":
            continue
        images += [base64.b64decode(picture) for picture in message.get("images", ())]
        parts = message["content"]
        for part in [{"type": "text", "text": parts}] if isinstance(parts, str) else parts:
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


def _chat_body(ask: Ask, model: Model, text: str, finish: str) -> dict[str, Any]:
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


def vector(text: str, size: int) -> list[float]:
    """The embedding that the server gives of a text: the same for the same text."""
    seed = [len(text), *text.encode()]
    return [float(number) for number in np.random.default_rng(seed).normal(size=size)]


def _vectors(ask: Ask, model: Model) -> dict[str, Any]:
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


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until SIGTERM or the end of standard input's owner."""
    parser = argparse.ArgumentParser(prog="python -m tests.servers.llm", description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--behave", default="ok", help="behaviours in order, with commas")
    parser.add_argument("--mix", default="", help="chances, as 429=0.1,hang-up=0.05")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--delay", type=float, default=0.0, help="seconds before each answer")
    parser.add_argument("--answer", type=Path, help="file with the answer")
    parser.add_argument("--model", action="append", default=[], help="a model it has; repeatable")
    parser.add_argument("--embedding", type=int, default=0, help="size of its embeddings")
    parser.add_argument("--log", type=Path)
    given = parser.parse_args(arguments)
    mix = dict(pair.split("=") for pair in given.mix.split(",") if pair)
    server = LlmServer(
        *given.behave.split(","),
        answer=given.answer.read_text("utf-8") if given.answer else None,
        models=[Model(name=name, embedding=given.embedding) for name in given.model],
        mix={name: float(chance) for name, chance in mix.items()},
        seed=given.seed,
        delay_s=given.delay,
        log=given.log,
        port=given.port,
    )
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    signal.signal(signal.SIGINT, lambda *_: stop.set())
    with server:
        print(server.url, flush=True)
        stop.wait()
    sys.exit(0)


if __name__ == "__main__":
    main()
