"""What a data directory's owner sets besides cameras: model servers, and what they are used for.

``settings.yaml`` in the data directory; without it nothing is sent to any model, and everything
works from the rules' facts.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from video_detective.config.base import Identifier
from video_detective.config.checks import Problem
from video_detective.config.notifications import (
    NotificationSettings,
    ServiceSettings,
    notification_problems,
    service_problems,
)
from video_detective.config.tree import Kind as DocumentKind
from video_detective.config.tree import Tree, read_text
from video_detective.errors import UsageError
from video_detective.llm.address import key_problem, server_url_problem, url_problem
from video_detective.llm.base import Kind, Server

FILE_NAME = "settings.yaml"
_KIND = DocumentKind(title="Settings file", holds="schema_version")

ModelName = Annotated[str, Field(min_length=1, max_length=200)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class ServerSettings(_Section):
    """A model server. ``api_key_env`` names the environment variable that holds its key."""

    kind: Kind
    url: str = Field(max_length=500)
    api_key_env: str | None = Field(default=None, pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,99}$")
    concurrency: int = Field(default=1, ge=1, le=64)
    timeout_s: float = Field(default=120.0, gt=0, le=3600)


class NarrationSettings(_Section):
    """Which model tells events, in which language, and how often it may be asked.

    ``calls_per_hour`` counts over all cameras; what is beyond it is told with fewer pictures or
    without a model, and says so. Alerts are described before events are told. ``fresh_s``: what
    happened longer ago is no news, and waits until there is time. ``tell_alerted``: also tell
    events with an alert, whose insight has words of the model already.
    """

    server: Identifier
    model: ModelName
    language: Literal["zh-TW", "en"] = "zh-TW"
    calls_per_hour: int = Field(default=240, ge=1, le=100_000)
    calls_per_hour_per_camera: int = Field(default=120, ge=1, le=100_000)
    fresh_s: float = Field(default=600.0, gt=0, le=86_400)
    tell_alerted: bool = False


class AnswerSettings(_Section):
    """Which model words answers; every sentence of it is checked against its citations.

    A model that has not answered after ``timeout_s`` is not waited for: the template answer stands.
    """

    server: Identifier
    model: ModelName
    timeout_s: float = Field(default=30.0, gt=0, le=600)


class QdrantSettings(_Section):
    """A Qdrant server as a derived index; the database stays the truth."""

    url: str = Field(max_length=500)
    collection: Identifier = "video-detective"
    api_key_env: str | None = Field(default=None, pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,99}$")


class EmbeddingSettings(_Section):
    """Which model gives embeddings; ``qdrant`` keeps them in a Qdrant server as well."""

    server: Identifier
    model: ModelName
    qdrant: QdrantSettings | None = None


class LimitSettings(_Section):
    """How many requests are let through a minute.

    A key's whole minute may come at once. ``per_user`` holds for people, whose page asks for many
    pictures; ``searches`` for the insights' search in words, of a key or a user; ``sign_ins`` for
    attempts to sign in from one address.
    """

    per_key: int = Field(default=600, ge=1, le=1_000_000)
    per_user: int = Field(default=6000, ge=1, le=1_000_000)
    searches: int = Field(default=30, ge=1, le=1_000_000)
    sign_ins: int = Field(default=20, ge=1, le=1_000_000)


class AnalysisSettings(_Section):
    """How much this node does at a time: live cameras, and uploaded files (a process each)."""

    cameras: int = Field(default=16, ge=0, le=1000)
    files: int = Field(default=1, ge=0, le=100)


class UploadSettings(_Section):
    """Which files are taken, and how long they are kept.

    ``max_hours`` is of video. A file is removed ``keep_hours`` after its analysis has ended, at
    once where it was cancelled or is no video, and when nothing came of it for so long before it
    was whole. ``keep_free_bytes`` of the disk are left free.
    """

    max_bytes: int = Field(default=4 << 30, ge=1, le=1 << 44)
    max_hours: float = Field(default=24.0, gt=0, le=10_000)
    keep_hours: float = Field(default=24.0, ge=0, le=10_000)
    keep_free_bytes: int = Field(default=1 << 30, ge=0, le=1 << 50)


class Settings(_Section):
    """A whole settings file; every part but the version may be left out."""

    schema_version: Literal[1] = 1
    servers: dict[Identifier, ServerSettings] = {}
    narration: NarrationSettings | None = None
    answers: AnswerSettings | None = None
    embeddings: EmbeddingSettings | None = None
    limits: LimitSettings = LimitSettings()
    analysis: AnalysisSettings = AnalysisSettings()
    uploads: UploadSettings = UploadSettings()
    notifications: NotificationSettings = NotificationSettings()
    service: ServiceSettings = ServiceSettings()

    def server(self, name: str, environment: Mapping[str, str] = os.environ) -> Server:
        """The named server, ready to be called; its key is read from the environment.

        Raises:
            UsageError: the environment lacks the key, or has one that cannot be sent.
        """
        settings = self.servers[name]
        return Server(
            name=name,
            kind=settings.kind,
            url=settings.url.rstrip("/"),
            api_key=_secret(settings.api_key_env, f"model server {name!r}", environment),
            concurrency=settings.concurrency,
            timeout_s=settings.timeout_s,
        )

    def secrets(self, environment: Mapping[str, str] = os.environ) -> list[str]:
        """The keys that are set, of every server: what no log may hold."""
        variables = [server.api_key_env for server in self.servers.values()]
        if self.embeddings is not None and self.embeddings.qdrant is not None:
            variables.append(self.embeddings.qdrant.api_key_env)
        keys = [environment[name] for name in variables if name and environment.get(name)]
        return keys + self.notifications.secrets(environment)


def qdrant_key(settings: QdrantSettings, environment: Mapping[str, str] = os.environ) -> str:
    """The key of a Qdrant server; "" for none.

    Raises:
        UsageError: the environment lacks it, or has one that cannot be sent.
    """
    return _secret(settings.api_key_env, "Qdrant", environment)


def load_settings(data_dir: Path) -> Settings:
    """The settings of a data directory; those of an absent file are all defaults.

    Raises:
        UsageError: the file cannot be read.
        InvalidRulesError: it is wrong, with every problem, line and field.
    """
    path = data_dir / FILE_NAME
    if not path.exists():
        return Settings()
    return parse_settings(read_text(path, _KIND), name=str(path))


def parse_settings(text: str, *, name: str = FILE_NAME) -> Settings:
    """Validate the text of a settings file.

    Raises:
        InvalidRulesError: with every problem, each as ``name:line: field: what is wrong``.
    """
    tree = Tree(text, name, _KIND)
    try:
        settings = TypeAdapter(Settings).validate_json(json.dumps(tree.data), strict=True)
    except ValidationError as cause:
        raise tree.complaint(tree.problems_of(cause.errors())) from cause
    if problems := list(_check(settings)):
        raise tree.complaint(problems)
    return settings


def _check(settings: Settings) -> Iterator[Problem]:
    for name, server in settings.servers.items():
        if (problem := server_url_problem(server.url)) is not None:
            yield ("servers", name, "url"), problem
    uses = {
        "narration": settings.narration,
        "answers": settings.answers,
        "embeddings": settings.embeddings,
    }
    for section, use in uses.items():
        if use is not None and use.server not in settings.servers:
            known = ", ".join(settings.servers) or "(none)"
            yield (section, "server"), f"there is no server {use.server!r}; use one of: {known}"
    qdrant = settings.embeddings and settings.embeddings.qdrant
    if qdrant and (problem := url_problem(qdrant.url)) is not None:
        yield ("embeddings", "qdrant", "url"), problem
    yield from notification_problems(settings.notifications)
    yield from service_problems(settings.service)


def _secret(variable: str | None, owner: str, environment: Mapping[str, str]) -> str:
    if variable is None:
        return ""
    if not environment.get(variable):
        raise UsageError(
            f"The environment variable {variable} with the key of {owner} is not set",
            remedy=f"Set {variable}, or remove api_key_env.",
        )
    if (problem := key_problem(environment[variable])) is not None:
        raise UsageError(
            f"The key of {owner} in the environment variable {variable} {problem}",
            remedy=f"Set {variable} to the key alone, without spaces or quotes around it.",
        )
    return environment[variable]
