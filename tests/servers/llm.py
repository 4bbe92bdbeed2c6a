"""A model server of our own: both protocols over real sockets, and every kind of misbehaviour.

In a test::

    with LlmServer("429", "500", "ok", answer={"answer_zh": "…"}) as server:
        async with ModelClient(server.settings("ollama")) as client:
            await client.complete(request)
    assert [ask.text for ask in server.asks] == […]

Behaviours (`BEHAVIOURS` in llm_protocol) are taken one for each question, in order; the last one
repeats. Without an ``answer`` the server makes up JSON that fits the schema of the question, or
says "ok". An answer may be text, a dict, or a function of the question (`Ask`) that returns one.

As a process, for tests that kill things::

    python -m tests.servers.llm --port 0 --behave ok --mix 429=0.1,hang-up=0.1 --log FILE

prints its address as its first line, and writes one JSON line for each question to FILE.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import signal
import sys
import threading
from collections.abc import Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from tests.servers.llm_protocol import (
    BEHAVIOURS,
    ENGLISH,
    REFUSAL,
    REFUSAL_ZH,
    SIMPLIFIED,
    Ask,
    Model,
    chat_body,
    fitting,
    lookup,
    read_ask,
    vectors_body,
    with_texts,
)

from video_detective.llm.base import Kind, Server

Answer = str | dict[str, Any]


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
        self._faults: list[Exception] = []
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

    def wait_until(self, condition: Callable[[LlmServer], bool], timeout_s: float = 60.0) -> None:
        """Return when ``condition`` holds; in a coroutine: ``await asyncio.to_thread(…)``."""
        with self._changed:
            if not self._changed.wait_for(lambda: condition(self), timeout_s):
                raise AssertionError(f"did not happen within {timeout_s} s")

    def __enter__(self) -> LlmServer:
        self._thread.start()
        if not self._is_up.wait(60):
            raise AssertionError("the model server did not start")
        return self

    def __exit__(self, *_: object) -> None:
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._stopped.set)
        self._thread.join(10)
        if self._faults:  # an answer that a test made up failed: no client should have to tell
            raise self._faults[0]

    # The server

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._released, self._stopped = asyncio.Event(), asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        server = await asyncio.start_server(
            self._connected, "127.0.0.1", self.port, reuse_port=bool(self.port)
        )
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
        ahead: bytes | None = b""
        try:
            while ahead is not None:
                ahead = await self._exchange(reader, writer, ahead)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        except Exception as fault:
            self._faults.append(fault)
        finally:
            self._tasks.discard(task)
            writer.close()
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await writer.wait_closed()
            self._count(connections=-1)

    async def _exchange(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, ahead: bytes
    ) -> bytes | None:
        """Answer one request, of which ``ahead`` was read already.

        Returns:
            What was read of the next one; None when the connection is over.
        """
        head = (ahead + await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, path, _ = head[0].split(" ", 2)
        headers = {}
        for line in head[1:-2]:
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        data = await reader.readexactly(int(headers.get("content-length", 0)))
        if self._key and headers.get("authorization") != f"Bearer {self._key}":
            await _send(writer, 401, {"error": {"message": "invalid api key"}})
        elif method == "GET" or path == "/api/show":
            self.lookups.append(path)
            loaded = {ask.model for ask in self.asks}
            asked = json.loads(data or b"{}")
            await _send(writer, *lookup(path, asked, self._models, loaded))
        elif path in ("/api/chat", "/api/embed", "/v1/chat/completions", "/v1/embeddings"):
            ask = read_ask(path, json.loads(data), headers, self._next_behaviour())
            self._note(ask)
            return await self._watched(self._reply(ask, writer), reader)
        else:
            await _send(writer, 404, b"404 page not found", "text/plain")
        return b""

    async def _watched(
        self, reply: Coroutine[Any, Any, bool], reader: asyncio.StreamReader
    ) -> bytes | None:
        """Answer, and notice when the asker leaves before that."""
        answering, leaving = asyncio.ensure_future(reply), asyncio.ensure_future(reader.read(1))
        try:
            await asyncio.wait({answering, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if not answering.done():
                self._count(hang_ups=1)
                return None
            lives_on = answering.result()
        finally:
            for task in (answering, leaving):
                task.cancel()
            _, ahead = await asyncio.gather(answering, leaving, return_exceptions=True)
            self._count(in_flight=-1)
        if not lives_on or ahead == b"":
            return None
        return ahead if isinstance(ahead, bytes) else b""

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
            return await _send(writer, 200, vectors_body(ask, model))
        if not model.chats:
            return await _send(writer, 400, {"error": f'"{ask.model}" does not support chat'})
        text, finish = self._said(ask)
        body: Any = chat_body(ask, model, text, finish)
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
        if behaviour == "no-template" and "chat_template_kwargs" in ask.body:
            words = "chat_template is not supported for Mistral tokenizers."
            return await _send(writer, 400, {"error": {"message": words}})
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
            "no-images": (500, {"error": "image input is not supported"}, _JSON, {}),
            "bad-image": (400, {"error": "invalid image format"}, _JSON, {}),
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
