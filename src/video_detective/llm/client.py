"""A model server as the rest of the program sees it: ask, and get an answer that was checked."""

from __future__ import annotations

import asyncio
import json
import math
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from types import MappingProxyType
from typing import Literal, Self

import numpy as np

from video_detective.errors import ModelError
from video_detective.llm.answers import UnusableError, bare_text, usable_answer
from video_detective.llm.base import Abilities, Completion, Request, Server, Structured
from video_detective.llm.calls import Calls, Retries
from video_detective.llm.kinds import KINDS
from video_detective.llm.ollama import needed_context
from video_detective.llm.responses import RejectedError, Responses
from video_detective.llm.schema import schema_in_words, wire_schema
from video_detective.llm.wire import Ask, Json, MalformedError, Reply, Turn

EMBEDDING_BATCH = 32
"""Texts in one request for embeddings."""

_MOST_RAW = 20_000
_LESS: Mapping[Structured, Structured] = MappingProxyType({"schema": "json", "json": "no"})
_NO_SUCH_FORMAT = re.compile(
    r"response_format|json_schema|json_object|guided|grammar|format|schema"
)


class ModelClient:
    """Asks one model server. Belongs to one event loop; close it there.

    At most ``server.concurrency`` requests are under way; others wait their turn, and the time
    limit of each begins when its turn comes. Cancelling a call closes its connection, upon which
    the servers stop generating.

    Args:
        server: Whom to ask.
        retries: How patiently failures are met.
        chance: Shortens pauses between attempts; by default unlike in any other process.

    Raises:
        UsageError: the server's address or key cannot be used.

    Examples:
        ::

            async with ModelClient(server) as client:
                told = await client.complete(Request(model=…, system=…, parts=(…,), answer=Told))
                vectors = await client.embed("bge-m3", ["…", "…"])
    """

    def __init__(
        self,
        server: Server,
        *,
        retries: Retries | None = None,
        chance: np.random.Generator | None = None,
    ) -> None:
        self.server = server
        self.traits = KINDS[server.kind]
        self._extra = self.traits.extra
        self._calls = Calls(server, retries=retries, chance=chance)
        self._responses = Responses(server)
        self._slots = asyncio.Semaphore(server.concurrency)
        # Learnt of each model: the window it was loaded with, and how far it lets itself be bound.
        self._windows: dict[str, int] = {}
        self._refused: dict[str, set[Structured]] = {}

    async def close(self) -> None:
        """Close every connection."""
        await self._calls.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def complete(self, request: Request, *, abilities: Abilities | None = None) -> Completion:
        """Ask, check the answer, and let the model correct it once if it is not what was asked.

        Args:
            request: What to ask.
            abilities: What a probe of the server and model showed; None relies on what the
                documentation of the server's kind promises. When the server refuses to bind the
                answer as far as that, less is asked for, now and from now on.

        Raises:
            ModelError: no usable answer; ``raw`` is the last thing the model said.
        """
        async with self._turn() as until:
            return await self._converse(request, abilities, until)

    async def embed(
        self, model: str, texts: list[str], *, purpose: Literal["passage", "query"] = "passage"
    ) -> list[list[float]]:
        """Embeddings of texts, in their order, all of one size.

        Args:
            model: As the server names it.
            texts: None of them empty.
            purpose: What the texts are, for servers that embed questions otherwise than passages.

        Returns:
            A vector of finite numbers, not all of them 0, for each text.

        Raises:
            ModelError: the server gave none, or not such vectors.
        """
        vectors: list[list[float]] = []
        extra: Json = {"input_type": purpose} if self.traits.embeds_by_purpose else {}
        for start in range(0, len(texts), EMBEDDING_BATCH):
            batch = texts[start : start + EMBEDDING_BATCH]
            body = self.traits.wire.embed(model, batch, extra)
            async with self._turn() as until:
                data, _ = await self._calls.call(
                    self.traits.wire.embed_path, body, until=until, model=model
                )
            try:
                read = self.traits.wire.read_embed(data)
            except MalformedError as cause:
                raise self._unknown_shape(cause, data) from cause
            vectors += self._checked(read, len(batch), model)
        if len({len(vector) for vector in vectors}) > 1:
            raise self._invalid(f"gave embeddings of {model!r} of unequal sizes")
        return vectors

    async def exchange(self, ask: Ask) -> Reply:
        """One question and its reply, unchecked: for whoever examines the server itself.

        Raises:
            ModelError: the server gave no reply.
        """
        async with self._turn() as until:
            return (await self._exchange(ask, until))[0]

    async def look(self, path: str, body: Json | None = None) -> Json:
        """What the server says at an address of its own, such as its list of models.

        Raises:
            ModelError: it says nothing, or no JSON object.
        """
        async with self._turn() as until:
            return (await self._calls.call(path, body, until=until))[0]

    async def models(self) -> tuple[str, ...]:
        """Names of the models that the server has, as it lists them.

        Raises:
            ModelError: it gave no list.
        """
        data = await self.look(self.traits.wire.models_path)
        try:
            return self.traits.wire.read_models(data)
        except MalformedError as cause:
            raise self._unknown_shape(cause, data) from cause

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[float]:
        """One of the server's places; and when its time is up, by the event loop's clock."""
        async with self._slots:
            yield asyncio.get_running_loop().time() + self.server.timeout_s

    async def _converse(
        self, request: Request, abilities: Abilities | None, until: float
    ) -> Completion:
        clock = asyncio.get_running_loop().time
        started, attempts, replies = clock(), 0, list[Reply]()
        turns: tuple[Turn, ...] = (Turn(role="user", parts=request.parts),)
        while True:
            reply, tries = await self._bound(request, turns, abilities, until)
            attempts += tries
            replies.append(reply)
            try:
                text, data = usable_answer(reply, request.answer)
            except UnusableError as fault:
                if fault.reason == "refused" or len(replies) > 1:
                    raise self._no_answer(request.model, fault, reply) from fault
                turns = _with_correction(turns, reply, fault)
                continue
            return Completion(
                text=text,
                data=data,
                model=reply.model or request.model,
                prompt_tokens=_sum([reply.prompt_tokens for reply in replies]),
                completion_tokens=_sum([reply.completion_tokens for reply in replies]),
                wall_s=clock() - started,
                attempts=attempts,
                tokens_per_s=reply.tokens_per_s,
            )

    async def _bound(
        self,
        request: Request,
        turns: tuple[Turn, ...],
        abilities: Abilities | None,
        until: float,
    ) -> tuple[Reply, int]:
        """Exchange as strictly bound to the schema as the server takes it."""
        structured = abilities.structured if abilities else self.traits.structured
        longest = abilities.context_tokens if abilities else None
        known = self._refused.setdefault(request.model, set())
        refused: set[Structured] = set()
        while True:
            while structured in known | refused:
                structured = _LESS[structured]
            if request.answer is None:
                structured = "no"
            try:
                reply, tries = await self._exchange(
                    _ask(request, turns, structured), until, longest
                )
            except RejectedError as rejected:
                if structured == "no" or not _NO_SUCH_FORMAT.search(rejected.words.lower()):
                    raise
                refused.add(structured)
            else:
                # Only now is it certain that the format was the reason.
                known |= refused
                return reply, tries + len(refused)

    async def _exchange(
        self, ask: Ask, until: float, longest: int | None = None
    ) -> tuple[Reply, int]:
        wire = self.traits.wire
        if self.traits.chooses_context:
            ask = replace(ask, context_tokens=self._window(ask, longest))
        try:
            body = wire.chat(replace(ask, extra=self._extra))
            data, tries = await self._calls.call(wire.chat_path, body, until=until, model=ask.model)
        except RejectedError as rejected:
            # vLLM with a Mistral tokenizer takes no arguments for a chat template.
            if self._extra is None or "chat_template" not in rejected.words:
                raise
            self._extra = None
            reply, tries = await self._exchange(ask, until, longest)
            return reply, tries + 1
        try:
            return wire.read_chat(data), tries
        except MalformedError as cause:
            raise self._unknown_shape(cause, data) from cause

    def _window(self, ask: Ask, longest: int | None) -> int:
        """What the request needs, but no less than before: another size reloads the model."""
        window = max(needed_context(ask), self._windows.get(ask.model, 0))
        self._windows[ask.model] = window if longest is None else min(window, longest)
        return self._windows[ask.model]

    def _checked(self, read: list[list[float]], count: int, model: str) -> list[list[float]]:
        if len(read) != count:
            raise self._invalid(f"gave {len(read)} embeddings of {model!r} for {count} texts")
        for vector in read:
            if not all(map(math.isfinite, vector)) or not any(vector):
                raise self._invalid(f"gave an embedding of {model!r} that is empty or not finite")
        return read

    def _invalid(self, what: str) -> ModelError:
        remedy = "Check that the model is one for embeddings"
        return self._responses.error(what, "invalid", remedy=remedy)

    def _unknown_shape(self, cause: MalformedError, data: Json) -> ModelError:
        return self._responses.error(
            f"answers with {cause}",
            "server",
            remedy="Check the server's url and kind in the settings",
            words=self._responses.shown(json.dumps(data, ensure_ascii=False)),
        )

    def _no_answer(self, model: str, fault: UnusableError, reply: Reply) -> ModelError:
        what, remedy = {
            "invalid": ("did not give what was asked for", "Use a larger model"),
            "truncated": ("did not come to an end", "Ask for less, or use a larger model"),
            "empty": ("gave an empty answer", "Use another model"),
            "refused": ("declined to answer", "Use another model"),
        }[fault.reason]
        return ModelError(
            f"Model {model!r} on {self.server.name!r} {what} ({fault})",
            remedy=remedy,
            reason=fault.reason,
            transient=False,
            raw=(bare_text(reply.text) or reply.text)[:_MOST_RAW],
        )


def _ask(request: Request, turns: tuple[Turn, ...], structured: Structured) -> Ask:
    schema = wire_schema(request.answer) if request.answer else None
    if schema is not None and structured != "schema":
        parts = (*turns[0].parts, schema_in_words(schema))
        turns = (replace(turns[0], parts=parts), *turns[1:])
    return Ask(
        model=request.model,
        system=request.system,
        turns=turns,
        schema=schema,
        structured=structured,
        max_tokens=request.max_tokens,
        temperature=request.temperature,
    )


def _with_correction(
    turns: tuple[Turn, ...], reply: Reply, fault: UnusableError
) -> tuple[Turn, ...]:
    """The conversation, with the model's answer and what is wrong with it."""
    wrong = "\n".join(f"- {problem}" for problem in fault.problems)
    said = bare_text(reply.text)[:_MOST_RAW]
    if not said:  # servers refuse an empty turn, and templates two turns of one side
        words = f"Your last answer could not be used:\n{wrong}\nAnswer directly, without thinking."
        return (*turns[:-1], replace(turns[-1], parts=(*turns[-1].parts, words)))
    shorter = " Be much shorter." if fault.reason == "truncated" else ""
    words = f"Your answer could not be used:\n{wrong}\nAnswer again, whole and corrected.{shorter}"
    return (
        *turns,
        Turn(role="assistant", parts=(said,)),
        Turn(role="user", parts=(words,)),
    )


def _sum(counts: list[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None
