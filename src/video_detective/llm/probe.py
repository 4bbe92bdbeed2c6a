"""What a server and model really do, found out by asking; for set-up and for ``doctor``."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from pydantic import BaseModel

from video_detective.errors import ModelError
from video_detective.llm.answers import UnusableError, usable_answer
from video_detective.llm.base import Abilities, Request, Structured
from video_detective.llm.client import ModelClient
from video_detective.llm.eye_chart import Sign, draw_signs
from video_detective.llm.ollama import IMAGE_TOKENS
from video_detective.llm.responses import RejectedError
from video_detective.llm.schema import schema_in_words, wire_schema
from video_detective.llm.wire import Ask, Json, Reply, Turn, whole_number

MOST_PICTURES = 12
"""In one request to a model that tells an event."""

CONTEXT_FOR_TEXT = 8192
CONTEXT_FOR_IMAGES = MOST_PICTURES * IMAGE_TOKENS + 4096
_ANSWER_TOKENS = 1200
_LOOK_S = 15.0
"""For a list of models; who takes longer is not up."""

_CONTEXT_KEYS = (
    "loaded_context_length",
    "n_ctx",
    "max_model_len",
    "context_length",
    "context_window",
    "max_context_length",
)
"""What servers call the window, in the order of what is in force before what is possible."""

_HOPELESS = frozenset({"unreachable", "timeout", "overloaded", "refused", "no_model"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something that is not as it should be.

    Args:
        key: ``server``, ``key``, ``model``, ``answers``, ``schema``, ``images``,
            ``several_images``, ``context``, ``gpu``, ``speed`` or ``embeddings``.
        found: What was found, without a full stop.
        remedy: What to do about it, as an imperative.
    """

    key: str
    found: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a probe showed; ``problems`` in the order of the examination."""

    abilities: Abilities
    problems: tuple[Problem, ...]


class _Label(BaseModel):
    colour: Literal["red", "green", "blue"]
    number: int


class _Seen(BaseModel):
    digit: int
    colour: Literal["red", "green", "blue", "black"]


class _SeenTwo(BaseModel):
    first: _Seen
    second: _Seen


_LABEL = "The label on the box is green, and the number on it is 4711. What does the label show?"
_COUNT = "Write the numbers from 1 to 60 in words, with commas between them, and nothing else."
_SIGN = "The picture shows one large digit. Which digit is it, and which colour has it?"
_SIGNS = "Each picture shows one large digit. Which digit and which colour has each of the two?"


async def probe(
    client: ModelClient, model: str, *, images: bool, embeddings: bool = False, seed: int = 0
) -> Finding:
    """Examine a model on a server: some five small questions.

    Ends after at most a dozen times the server's time limit, and after one when it is silent;
    never raises a ``ModelError``.

    Args:
        client: For the server; made without abilities.
        model: As the server names it.
        images: Pictures are to be sent: it must see them.
        embeddings: It is to give embeddings, and nothing else is examined.
        seed: Of what the pictures show.
    """
    examination = _Examination(client, model, np.random.default_rng(seed))
    try:
        await examination.find_model()
        await examination.read_context(
            CONTEXT_FOR_IMAGES if images else 512 if embeddings else CONTEXT_FOR_TEXT
        )
        if embeddings:
            await examination.try_embedding()
        elif await examination.try_answers():
            if images:
                await examination.try_eyes()
            await examination.measure_speed()
            await examination.read_gpu_share()
    except ModelError as error:
        examination.note(_key(error), error.message, error.remedy)
    return Finding(abilities=examination.abilities, problems=tuple(examination.problems))


def _key(error: ModelError) -> str:
    return {"no_model": "model", "refused": "key"}.get(error.reason, "server")


@dataclass(slots=True)
class _Examination:
    """One probe under way: what it has shown so far."""

    client: ModelClient
    model: str
    chance: np.random.Generator
    abilities: Abilities = field(default_factory=Abilities)
    problems: list[Problem] = field(default_factory=list)

    def note(self, key: str, found: str, remedy: str) -> None:
        self.problems.append(Problem(key=key, found=found, remedy=remedy))

    async def find_model(self) -> None:
        """Raise ModelError when server or model is not there; a server without a list passes."""
        server, traits = self.client.server, self.client.traits
        try:
            async with asyncio.timeout(min(_LOOK_S, server.timeout_s)):
                names = await self.client.models()
        except TimeoutError as cause:
            raise ModelError(
                f"Model server {server.name!r} does not say which models it has",
                remedy="Start it, or correct its url in the settings",
                reason="timeout",
                transient=True,
            ) from cause
        except ModelError as error:
            if error.reason != "server" or error.transient or "HTTP 404" not in error.message:
                raise
            return
        if traits.takes_any_name or any(_is_same(name, self.model) for name in names):
            return
        known = ", ".join(sorted(names)[:8]) or "none"
        raise ModelError(
            f"Model server {server.name!r} has no model {self.model!r} (it has: {known})",
            remedy=traits.get_model.format(model=self.model),
            reason="no_model",
            transient=False,
        )

    async def read_context(self, wanted: int) -> None:
        path = self.client.traits.context_path
        body = {"model": self.model} if path == "/api/show" else None
        data = await self._look(path, body) if path else None
        size = _context_in(data, self.model) if data else None
        self.abilities = replace(self.abilities, context_tokens=size)
        if size is not None and size < wanted:
            found = f"Model {self.model!r} has a context of {size} tokens; {wanted} are needed"
            self.note("context", found, self.client.traits.widen_context)

    async def read_gpu_share(self) -> None:
        path = self.client.traits.loaded_path
        data = await self._look(path) if path else None
        for row in _rows(data or {}, "models"):
            size, on_gpu = whole_number(row.get("size")), whole_number(row.get("size_vram"))
            if _is_same(str(row.get("name")), self.model) and size and on_gpu is not None:
                share = min(1.0, on_gpu / size)
                self.abilities = replace(self.abilities, gpu_share=share)
                if share < 1:
                    self.note(
                        "gpu",
                        f"Only {share:.0%} of model {self.model!r} is in GPU memory",
                        "Free GPU memory, or use a smaller model or a smaller quantisation",
                    )

    async def try_embedding(self) -> None:
        texts = ["\u5f8c\u9580\u6709\u4eba\u5f98\u5f8a", "a red car at the gate"]
        try:
            vectors = await self.client.embed(self.model, texts)
        except ModelError as error:
            self._unless_hopeless(error)
            self.note("embeddings", error.message, error.remedy)
            return
        self.abilities = replace(self.abilities, embedding_size=len(vectors[0]))
        if vectors[0] == vectors[1]:
            found = f"Model {self.model!r} gives different texts the same embedding"
            self.note("embeddings", found, "Use another model for embeddings")

    async def try_answers(self) -> bool:
        """Find out how far answers can be bound; whether there are answers at all."""
        last: Exception | None = None
        for structured in ("schema", "json", "no"):
            try:
                label = await self._label(structured)
            except UnusableError as error:
                last = error
                continue
            except ModelError as error:
                self._unless_hopeless(error)
                last = error
                continue
            self.abilities = replace(self.abilities, structured=structured)
            if label != _Label(colour="green", number=4711):
                found = f"Model {self.model!r} cannot copy a word and a number from its question"
                self.note("answers", found, "Use a larger model")
            elif structured == "no":
                found = f"Server {self.client.server.name!r} does not bind answers to JSON"
                remedy = "Answers are checked all the same; a newer server would give fewer wrong"
                self.note("schema", found, remedy)
            return True
        if isinstance(last, ModelError):
            self.note("answers", last.message, last.remedy)
        else:
            found = f"Model {self.model!r} does not give JSON when asked to ({last})"
            self.note("answers", found, "Use a larger model")
        return False

    async def _label(self, structured: Structured) -> BaseModel | None:
        """What it reads from the label; only the schema says how it is to answer, if that binds."""
        schema = wire_schema(_Label)
        words = (_LABEL,) if structured == "schema" else (_LABEL, schema_in_words(schema))
        reply = await self._ask(*words, schema=schema, structured=structured)
        text, data = usable_answer(reply, _Label)
        if structured != "no" and not (
            text[0] == "{" and text[-1] == "}" and "```" not in reply.text
        ):
            raise UnusableError("invalid", "there is text around the JSON object")
        return data

    async def try_eyes(self) -> None:
        signs = draw_signs(2, self.chance)
        numbered = [part for sign in signs for part in (sign.image, "")][:-1]
        request = Request(
            model=self.model,
            system="",
            parts=(*(part for part in numbered if part), _SIGNS),
            answer=_SeenTwo,
            max_tokens=300,
        )
        if await self._sees(request, *signs):
            self.abilities = replace(self.abilities, images=True, several_images=True)
            return
        for sign in signs:
            alone = replace(request, parts=(sign.image, _SIGN), answer=_Seen)
            if not await self._sees(alone, sign):
                found = f"Model {self.model!r} does not see what a picture shows"
                self.note("images", found, "Use a model with vision, and a server that serves it")
                return
        self.abilities = replace(self.abilities, images=True)
        found = f"Model {self.model!r} sees one picture at a time, but not two"
        self.note("several_images", found, "Events are told from one picture; others see several")

    async def _sees(self, request: Request, *signs: Sign) -> bool:
        try:
            seen = (await self.client.complete(request)).data
        except ModelError as error:
            self._unless_hopeless(error)
            return False
        told = [seen.first, seen.second] if isinstance(seen, _SeenTwo) else [seen]
        return [(one.digit, one.colour) for one in told if isinstance(one, _Seen)] == [
            (sign.digit, sign.colour) for sign in signs
        ]

    async def measure_speed(self) -> None:
        clock = asyncio.get_running_loop().time
        started = clock()
        reply = await self._ask(_COUNT, max_tokens=400)
        wall_s = max(clock() - started, 1e-6)
        speed = reply.tokens_per_s
        if speed is None and reply.completion_tokens:
            speed = reply.completion_tokens / wall_s
        self.abilities = replace(self.abilities, tokens_per_s=speed)
        limit_s = self.client.server.timeout_s
        if speed is not None and _ANSWER_TOKENS / speed > limit_s:
            self.note(
                "speed",
                f"Model {self.model!r} writes {speed:.1f} tokens a second: an answer may take "
                f"{_ANSWER_TOKENS / speed:.0f} s, and the limit is {limit_s:g} s",
                "Raise the server's timeout_s, or use a smaller model or a faster machine",
            )

    async def _ask(
        self,
        *parts: str,
        schema: Json | None = None,
        structured: Structured = "no",
        max_tokens: int = 200,
    ) -> Reply:
        turn = Turn(role="user", parts=parts)
        return await self.client.exchange(
            Ask(
                model=self.model,
                system="",
                turns=(turn,),
                schema=schema,
                structured=structured,
                max_tokens=max_tokens,
            )
        )

    async def _look(self, path: str, body: Json | None = None) -> Json | None:
        """What the server says of itself; None when it does not, which is no problem."""
        try:
            return await self.client.look(path, body)
        except ModelError as error:
            self._unless_hopeless(error)
            return None

    def _unless_hopeless(self, error: ModelError) -> None:
        """Go on after ``error`` unless every further question would end like this one."""
        is_models_own = error.reason == "refused" and not isinstance(error, RejectedError)
        if error.reason in _HOPELESS and not is_models_own:
            raise error


def _is_same(name: str, model: str) -> bool:
    """Whether a listed name is the model asked for; Ollama adds a tag."""
    return name == model or name == f"{model}:latest"


def _rows(data: Json, key: str) -> Iterator[Json]:
    rows = data.get(key)
    yield from (row for row in rows if isinstance(row, dict)) if isinstance(rows, list) else ()


def _context_in(data: Json, model: str) -> int | None:
    """The window of a model in what a server says of itself."""
    places: list[Json] = [row for row in _rows(data, "data") if _is_same(str(row.get("id")), model)]
    for key in ("default_generation_settings", "model_info"):
        part = data.get(key)
        if isinstance(part, dict):
            places.append(part)
    for place in places:
        named = {str(key).rpartition(".")[2]: value for key, value in place.items()}
        for key in _CONTEXT_KEYS:
            size = whole_number(named.get(key))
            if size:
                return size
    return None
