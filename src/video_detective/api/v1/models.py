"""``/api/v1/models`` and ``/api/v1/licences``: what models are used, and under which licences."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request, Security
from fastapi.responses import Response
from pydantic import ConfigDict

from video_detective.api.envelope import Wire, answer, caller_of, responses
from video_detective.detection.weights import catalogue, status
from video_detective.pipeline.clock import now_ns
from video_detective.services.access import Caller
from video_detective.services.licences import package_licences
from video_detective.services.model_servers import ModelServer, ModelServers, Trouble, UsedModel
from video_detective.services.times import utc_text
from video_detective.services.workspace import Workspace

Admin = Annotated[Caller, Security(caller_of, scopes=["admin"])]
_TIME = "2026-01-15T14:00:00.000Z"
_PROBLEM: dict[str, Any] = {
    "key": "context",
    "found": "Model 'qwen2.5vl:7b' has a context of 4096 tokens; 28696 are needed",
    "remedy": "Set OLLAMA_CONTEXT_LENGTH on the server",
}
_WEIGHTS: dict[str, Any] = {
    "name": "mobilenet-ssd",
    "what": "People, vehicles, dogs and cats; the default detector",
    "licence": "MIT",
    "source": "cam2text 0.1.1",
    "member": "cam2text/models/MobileNetSSD_deploy.caffemodel",
    "sha256": "52eed8be80522c152a17fb56740de705b79881bde1a167e0e747310523685fc7",
    "bytes": 23306119,
    "state": "ready",
}
_MODELS: dict[str, Any] = {
    "servers": [
        {
            "name": "local",
            "kind": "ollama",
            "address": "http://127.0.0.1:11434",
            "hasKey": False,
            "concurrency": 1,
            "timeoutSeconds": 120.0,
            "checkedAt": _TIME,
            "isReachable": True,
            "models": ["qwen2.5vl:7b"],
            "problem": None,
        }
    ],
    "uses": [
        {
            "use": "narration",
            "server": "local",
            "model": "qwen2.5vl:7b",
            "licence": "Apache License",
            "abilities": {
                "structured": "schema",
                "images": True,
                "severalImages": True,
                "contextTokens": 4096,
                "tokensPerSecond": 42.0,
                "gpuShare": 1.0,
                "embeddingSize": None,
            },
            "probedAt": _TIME,
            "problems": [_PROBLEM],
        }
    ],
    "weights": [_WEIGHTS],
}


class ModelProblem(Wire):
    """What is not as it should be, and what to do about it."""

    model_config = ConfigDict(json_schema_extra={"examples": [_PROBLEM]})

    key: str
    found: str
    remedy: str


class ModelServerState(Wire):
    """A configured model server; never its key nor more of its address than scheme, host, port."""

    name: str
    kind: str
    address: str
    has_key: bool
    concurrency: int
    timeout_seconds: float
    checked_at: str
    is_reachable: bool
    models: list[str]
    problem: ModelProblem | None


class ModelAbilities(Wire):
    """What a probe showed that a model can do."""

    structured: Literal["schema", "json", "no"]
    images: bool
    several_images: bool
    context_tokens: int | None
    tokens_per_second: float | None
    gpu_share: float | None
    embedding_size: int | None


class ModelUse(Wire):
    """A model and what it is used for. ``problems`` are of the probe at ``probedAt``."""

    use: Literal["narration", "answers", "embeddings"]
    server: str
    model: str
    licence: str | None
    abilities: ModelAbilities | None
    probed_at: str | None
    problems: list[ModelProblem]


class Weights(Wire):
    """Weights of a detector: where they come from, under which licence, whether they are here."""

    model_config = ConfigDict(json_schema_extra={"examples": [_WEIGHTS]})

    name: str
    what: str
    licence: str
    source: str
    member: str
    sha256: str
    bytes: int
    state: Literal["ready", "missing", "outdated", "damaged"]


class ModelsState(Wire):
    """Model servers, what their models are used for, and the weights of detectors."""

    model_config = ConfigDict(json_schema_extra={"examples": [_MODELS]})

    servers: list[ModelServerState]
    uses: list[ModelUse]
    weights: list[Weights]


class Package(Wire):
    """An installed package; ``licence`` is null where its metadata name none."""

    name: str
    version: str
    licence: str | None


class LicensedModel(Wire):
    """A model in use; ``licence`` is null where its server does not tell it."""

    use: Literal["narration", "answers", "embeddings"]
    server: str
    model: str
    licence: str | None


class Licences(Wire):
    """Licences of what runs here."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "weights": [_WEIGHTS],
                    "models": [
                        {
                            "use": "narration",
                            "server": "local",
                            "model": "qwen2.5vl:7b",
                            "licence": "Apache License",
                        }
                    ],
                    "packages": [{"name": "httpx", "version": "0.28.1", "licence": "BSD-3-Clause"}],
                }
            ]
        }
    )

    weights: list[Weights]
    models: list[LicensedModel]
    packages: list[Package]


def routes(workspace: Workspace) -> APIRouter:
    """The routes over an open workspace."""
    router = APIRouter(prefix="/api/v1", tags=["models"])
    known = ModelServers(workspace)

    @router.get("/models", responses=responses(ModelsState))
    async def get_models(request: Request, caller: Admin) -> Response:
        """Model servers and what they are used for; servers are asked at most twice a minute."""
        return answer(request, await _state())

    @router.post("/models/probe", responses=responses(ModelsState))
    async def probe_models(request: Request, caller: Admin) -> Response:
        """Ask each model in use some five small questions, to find out what it really can do.

        Takes a minute at most.
        """
        await known.probe(now_ns=now_ns())
        return answer(request, await _state())

    @router.get("/licences", responses=responses(Licences))
    async def get_licences(request: Request, caller: Admin) -> Response:
        """Licences of weights, of models in use, and of every installed package."""
        servers = await known.servers(now_ns=now_ns())
        packages = await asyncio.to_thread(package_licences)
        found = Licences(
            weights=await asyncio.to_thread(_weights),
            models=[
                LicensedModel(
                    use=use.use,
                    server=use.server,
                    model=use.model,
                    licence=_licence(use, servers),
                )
                for use in known.uses()
            ],
            packages=[
                Package(name=one.name, version=one.version, licence=one.licence or None)
                for one in packages
            ],
        )
        return answer(request, found)

    async def _state() -> ModelsState:
        servers = await known.servers(now_ns=now_ns())
        return ModelsState(
            servers=[_server(one) for one in servers],
            uses=[_use(one, servers) for one in known.uses()],
            weights=await asyncio.to_thread(_weights),
        )

    return router


def _server(server: ModelServer) -> ModelServerState:
    seen, settings = server.seen, server.settings
    return ModelServerState(
        name=server.name,
        kind=settings.kind,
        address=server.address,
        has_key=settings.api_key_env is not None,
        concurrency=settings.concurrency,
        timeout_seconds=settings.timeout_s,
        checked_at=utc_text(seen.time_ns),
        is_reachable=seen.trouble is None,
        models=list(seen.models),
        problem=None if seen.trouble is None else _problem(seen.trouble),
    )


def _use(used: UsedModel, servers: list[ModelServer]) -> ModelUse:
    abilities, probed = used.abilities, used.probed
    return ModelUse(
        use=used.use,
        server=used.server,
        model=used.model,
        licence=_licence(used, servers),
        abilities=None
        if abilities is None
        else ModelAbilities(
            structured=abilities.structured,
            images=abilities.images,
            several_images=abilities.several_images,
            context_tokens=abilities.context_tokens,
            tokens_per_second=abilities.tokens_per_s,
            gpu_share=abilities.gpu_share,
            embedding_size=abilities.embedding_size,
        ),
        probed_at=None if probed is None else utc_text(probed.time_ns),
        problems=[] if probed is None else [_problem(one) for one in probed.troubles],
    )


def _licence(used: UsedModel, servers: list[ModelServer]) -> str | None:
    of_server = next(one.seen.licences for one in servers if one.name == used.server)
    return dict(of_server).get(used.model)


def _problem(trouble: Trouble) -> ModelProblem:
    return ModelProblem(key=trouble.key, found=trouble.found, remedy=trouble.remedy)


def _weights() -> list[Weights]:
    return [
        Weights(
            name=model.name,
            what=model.what,
            licence=model.licence,
            source=f"{model.package} {model.version}",
            member=model.member,
            sha256=model.sha256,
            bytes=model.size,
            state=status(model).state,
        )
        for model in catalogue()
    ]
