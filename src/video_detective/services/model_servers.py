"""The model servers of an installation as administrators see them: what for, and whether they work.

What a server says of itself is asked for when somebody looks, and kept for half a minute. What it
can really do is found out by a probe, which asks a model some five questions: on demand only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from video_detective.config.settings import ServerSettings
from video_detective.errors import ModelError, VideoDetectiveError
from video_detective.geometry import NS_PER_S
from video_detective.llm.base import Abilities
from video_detective.services.workspace import Workspace

Use = Literal["narration", "answers", "embeddings"]
FRESH_NS = 30 * NS_PER_S
LOOK_S = 5.0
"""For one server to say which models it has."""
PROBE_S = 60.0
"""For all probes together; a model on a CPU may need longer for its first answer."""
_SHOW = "/api/show"
_SILENT = frozenset({"unreachable", "timeout", "overloaded"})
_LONGEST_LICENCE = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Something that is not as it should be: a stable key, what was found, what to do."""

    key: str
    found: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a server says of itself.

    Args:
        time_ns: When it was asked.
        models: What it has, in order of name; empty where it lists none.
        licences: By model in use, where it says so.
        trouble: Why it could not be asked; None when it answered.
    """

    time_ns: int
    models: tuple[str, ...] = ()
    licences: tuple[tuple[str, str], ...] = ()
    trouble: Trouble | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed:
    """What a probe showed, and when."""

    time_ns: int
    abilities: Abilities
    troubles: tuple[Trouble, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class UsedModel:
    """A model and what it is used for.

    Args:
        use, server, model: What for, where, and which.
        abilities: As the last probe showed them, also one of another process; None before any.
        probed: The last probe of this process.
    """

    use: Use
    server: str
    model: str
    abilities: Abilities | None
    probed: Probed | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelServer:
    """A configured server; ``address`` is scheme, host and port alone."""

    name: str
    settings: ServerSettings
    address: str
    seen: Seen


class ModelServers:
    """Looks at the servers of the settings, and probes them.

    Args:
        workspace: Whose settings.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._models = workspace.models
        self._seen: dict[str, Seen] = {}
        self._looking: dict[str, asyncio.Task[Seen]] = {}
        self._probed: dict[Use, Probed] = {}
        self._probing = asyncio.Lock()

    async def servers(self, *, now_ns: int) -> list[ModelServer]:
        """Every configured server in the order of the settings."""
        settings = self._models.settings.servers
        seen = await asyncio.gather(*(self._look_at(name, now_ns) for name in settings))
        return [
            ModelServer(name=name, settings=one, address=_address(one.url), seen=found)
            for (name, one), found in zip(settings.items(), seen, strict=True)
        ]

    def uses(self) -> list[UsedModel]:
        """Every model in use."""
        return [
            UsedModel(
                use=use,
                server=server,
                model=model,
                abilities=self._models.abilities(server, model),
                probed=self._probed.get(use),
            )
            for use, server, model in self._wanted()
        ]

    async def probe(self, *, now_ns: int) -> None:
        """Find out what each model in use really does; those who ask meanwhile wait for it."""
        if self._probing.locked():
            async with self._probing:
                return
        async with self._probing:
            self._seen.clear()
            wanted = list(self._wanted())
            names = {server for _, server, _ in wanted}
            await asyncio.gather(*(self._look_at(name, now_ns) for name in names))
            found = await asyncio.gather(*(self._probe(*one, now_ns) for one in wanted))
            self._probed = {use: one for (use, _, _), one in zip(wanted, found, strict=True)}

    def _wanted(self) -> Iterator[tuple[Use, str, str]]:
        settings = self._models.settings
        if settings.narration is not None:
            yield "narration", settings.narration.server, settings.narration.model
        if settings.answers is not None:
            yield "answers", settings.answers.server, settings.answers.model
        if settings.embeddings is not None:
            yield "embeddings", settings.embeddings.server, settings.embeddings.model

    async def _look_at(self, name: str, now_ns: int) -> Seen:
        kept = self._seen.get(name)
        if kept is not None and 0 <= now_ns - kept.time_ns < FRESH_NS:
            return kept
        looking = self._looking.get(name)
        if looking is None:
            looking = asyncio.create_task(self._look(name, now_ns))
            self._looking[name] = looking
            looking.add_done_callback(lambda _: self._looking.pop(name, None))
        # Who hangs up does not end it for the others.
        seen = await asyncio.shield(looking)
        self._seen[name] = seen
        return seen

    async def _look(self, name: str, now_ns: int) -> Seen:
        try:
            async with asyncio.timeout(LOOK_S):
                client = self._models.client(name)
                models = await client.models()
                licences = {}
                for _, server, model in self._wanted():
                    if server == name and client.traits.context_path == _SHOW:
                        with suppress(ModelError):
                            licences[model] = _licence(await client.look(_SHOW, {"model": model}))
        except TimeoutError:
            return Seen(
                time_ns=now_ns,
                trouble=Trouble(
                    key="timeout",
                    found=f"Model server {name!r} did not answer within {LOOK_S:g} s",
                    remedy="Look whether it runs, and whether it is busy",
                ),
            )
        except VideoDetectiveError as error:
            key = error.reason if isinstance(error, ModelError) else "settings"
            trouble = Trouble(key=key, found=error.message, remedy=error.remedy)
            return Seen(time_ns=now_ns, trouble=trouble)
        named = tuple((model, licence) for model, licence in licences.items() if licence)
        return Seen(time_ns=now_ns, models=tuple(sorted(models)), licences=named)

    async def _probe(self, use: Use, server: str, model: str, now_ns: int) -> Probed:
        silent = self._seen[server].trouble
        if silent is not None and silent.key in _SILENT:
            # The probe would ask again and again for the same answer.
            return Probed(time_ns=now_ns, abilities=Abilities(), troubles=(silent,))
        try:
            async with asyncio.timeout(PROBE_S):
                finding = await self._models.probe(
                    server, model, images=use == "narration", embeddings=use == "embeddings"
                )
        except TimeoutError:
            slow = Trouble(
                key="timeout",
                found=f"Model {model!r} did not answer all questions within {PROBE_S:g} s",
                remedy="Try again once it is loaded, or use a smaller model",
            )
            return Probed(time_ns=now_ns, abilities=Abilities(), troubles=(slow,))
        except VideoDetectiveError as error:
            wrong = Trouble(key="settings", found=error.message, remedy=error.remedy)
            return Probed(time_ns=now_ns, abilities=Abilities(), troubles=(wrong,))
        return Probed(
            time_ns=now_ns,
            abilities=finding.abilities,
            troubles=tuple(
                Trouble(key=one.key, found=one.found, remedy=one.remedy) for one in finding.problems
            ),
        )


def _address(url: str) -> str:
    """Scheme, host and port: whatever else an address has may be a secret."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}{f':{parts.port}' if parts.port else ''}"


def _licence(shown: Mapping[str, object]) -> str:
    """The first line of what an Ollama server says of a model's licence; "" for nothing."""
    text = shown.get("license")
    lines = text.splitlines() if isinstance(text, str) else []
    return next((" ".join(line.split()) for line in lines if line.strip()), "")[:_LONGEST_LICENCE]
