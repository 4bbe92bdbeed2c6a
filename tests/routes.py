"""The route table as its OpenAPI document tells it, and requests made from it.

Tests walk this, so that a new route is covered by itself.
"""

from __future__ import annotations

import copy
import re
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, cast

import httpx

from video_detective.api.app import create_app
from video_detective.services.workspace import Workspace
from video_detective.storage.blobs import BlobStore
from video_detective.storage.database import Database

METHODS = ("get", "post", "put", "patch", "delete")
OPEN = frozenset(
    {
        ("get", "/healthz"),
        ("get", "/readyz"),
        ("post", "/api/v1/session"),
        ("post", "/api/v1/session/set-up"),
    }
)
"""What needs neither key nor session; signed links besides (``is_signed``)."""

PATH_IDS = {
    "devices": "device", "scenes": "scene", "insights": "insight", "attributes": "attribute",
    "alerts": "alert", "events": "event", "jobs": "job", "files": "job", "channels": "channel",
    "deliveries": "delivery", "keys": "key", "users": "user", "accounts": "account",
    "event": "event", "frames": "picture", "nodes": "node",
}  # fmt: skip
"""What a parameter is the id of, by the part of the address before it."""
FIELD_IDS = {
    "deviceId": "device", "deviceIds": "device", "devices": "device", "sceneId": "scene",
    "alertId": "alert", "insightId": "insight", "eventId": "event", "channelId": "channel",
    "jobId": "job", "camera": "camera", "cameraId": "camera", "userId": "user", "keyId": "key",
    "actorId": "user", "targetId": "device", "accountId": "account", "ids": "alert",
}  # fmt: skip
"""What a query parameter or a field of a body is the id of."""
ENDLESS = "/api/v1/live"
"""Answers without end, and so to nobody who waits for all of it; its own tests are elsewhere."""
SHARED = frozenset({"node", "n", "index", "version"})
"""Parameters that name nothing of an account's own: machines, and numbers within an object."""
NO_IDS = frozenset(
    {
        "page", "limit", "cursor", "q", "from", "to", "lang", "answer", "severity", "vlmStatus",
        "startDate", "endDate", "hasVlmSummary", "hasAttributes", "groupBy", "status", "kind",
        "plan", "tag", "type", "riskLevel", "minRisk", "role", "action", "actorKind", "targetKind",
        "state", "rule", "alertRule", "zone", "requestId", "trackId", "tell", "told",
        "expires", "signature", "sig", "size", "width", "download", "includePoints", "points",
        "class", "order", "sort", "reviewState", "mediaDays", "recordDays", "resolution",
    }
)  # fmt: skip
"""Query parameters that name nothing that somebody else could have."""


@dataclass(frozen=True, kw_only=True)
class Operation:
    """A route with one of its methods."""

    method: str
    path: str
    spec: Mapping[str, Any]
    document: Mapping[str, Any] = field(repr=False)

    def __str__(self) -> str:
        return f"{self.method.upper()} {self.path}"

    @property
    def scopes(self) -> list[str]:
        return [
            scope for entry in self.spec.get("security", ()) for scope in entry.get("apiKey", ())
        ]

    @property
    def is_signed(self) -> bool:
        return self.path.startswith("/media/")

    @property
    def parameters(self) -> list[dict[str, Any]]:
        return [p for p in self.spec.get("parameters", ()) if p["in"] in {"path", "query"}]

    @property
    def path_names(self) -> list[str]:
        return re.findall(r"{(\w+)}", self.path)

    @property
    def body_type(self) -> str | None:
        return next(iter(self.spec.get("requestBody", {}).get("content", {})), None)

    @property
    def statuses(self) -> set[str]:
        return set(self.spec["responses"])

    def kind_of(self, name: str) -> str:
        """What a path parameter is the id of.

        Raises:
            AssertionError: nobody said; add a rule to ``PATH_IDS`` or ``SHARED``.
        """
        before = self.path.partition(f"/{{{name}")[0].rpartition("/")[2]
        kind = PATH_IDS.get(before)
        if name in SHARED or kind is None:
            assert name in SHARED, (
                f"{self}: whose is {name!r} after {before!r}? Say so in {__file__}"
            )
            return name
        return kind

    def id_parameters(self) -> Iterator[tuple[str, str, str]]:
        """(where, name, kind) of everything that is the id of something of an account's own."""
        for name in self.path_names:
            if (kind := self.kind_of(name)) not in SHARED:
                yield "path", name, kind
        for parameter in self.parameters:
            name = parameter["name"]
            if parameter["in"] != "query":
                continue
            if name in FIELD_IDS:
                yield "query", name, FIELD_IDS[name]
            else:
                assert name in NO_IDS, f"{self}: whose is {name!r}? Say so in {__file__}"
        if self.body_type == "application/json":
            for name in _id_fields(self.example()):
                yield "body", name, FIELD_IDS[name]

    def schema(self) -> dict[str, Any]:
        """Of its JSON body, resolved one level."""
        content = self.spec["requestBody"]["content"]["application/json"]
        return self.resolved(content["schema"])

    def resolved(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        """The schema that a reference means."""
        while "$ref" in schema:
            schema = self.document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        return dict(schema)

    def example(self) -> Any:
        """The first example of its JSON body; {} where there is none."""
        content = self.spec["requestBody"]["content"]["application/json"]
        examples = list(content.get("examples", {}).values())
        if examples:
            return copy.deepcopy(examples[0]["value"])
        found = self.resolved(content["schema"]).get("examples") or content.get("example") or [{}]
        return copy.deepcopy(found[0] if isinstance(found, list) else found)

    def request(self, ids: Mapping[str, str], **instead: tuple[str, str, Any]) -> httpx.Request:
        """A request that is well meant, about these ids.

        Args:
            ids: By kind.
            instead: ``(where, name, value)`` replaces one of them.
        """
        replaced = {(where, name): value for where, name, value in instead.values()}
        path = self.path
        for name in self.path_names:
            kind = self.kind_of(name)
            value = replaced.get(("path", name), ids.get(kind, "1"))
            path = re.sub(rf"{{{name}(:path)?}}", str(value), path)
        query: dict[str, Any] = {}
        for parameter in self.parameters:
            name = parameter["name"]
            if ("query", name) in replaced:
                query[name] = replaced["query", name]
            elif parameter["in"] == "query" and parameter.get("required"):
                query[name] = ids.get(FIELD_IDS.get(name, ""), "") or _REQUIRED.get(name, "1")
        headers = {
            parameter["name"]: "0"
            for parameter in self.spec.get("parameters", ())
            if parameter["in"] == "header" and parameter.get("required")
        }
        content: dict[str, Any] = {}
        if self.body_type == "application/json":
            body = self.example()
            for name in _id_fields(body):
                value = replaced.get(("body", name), ids.get(FIELD_IDS[name], "1"))
                _set(body, name, value)
            content["json"] = body
        elif self.body_type is not None:
            content["content"] = b"0123456789"
            headers["Content-Type"] = self.body_type
        address = f"http://localhost{path}"
        method = self.method.upper()
        return httpx.Request(method, address, params=query or None, headers=headers, **content)


_REQUIRED = {
    "from": "2026-01-15T00:00:00Z",
    "to": "2026-01-16T00:00:00Z",
    "startDate": "2026-01-15T00:00:00Z",
    "endDate": "2026-01-16T00:00:00Z",
}


def _id_fields(body: Any) -> list[str]:
    """Names of fields that hold ids, at whatever depth of an example."""
    found: list[str] = []
    if isinstance(body, dict):
        for name, value in body.items():
            if name in FIELD_IDS and value is not None and not isinstance(value, dict):
                found.append(name)
            else:
                found += _id_fields(value)
    elif isinstance(body, list):
        for value in body:
            found += _id_fields(value)
    return list(dict.fromkeys(found))


def _set(body: Any, name: str, value: Any) -> None:
    if isinstance(body, dict):
        for key, present in body.items():
            if key == name and present is not None and not isinstance(present, dict):
                body[key] = [value] if isinstance(present, list) else value
            else:
                _set(present, name, value)
    elif isinstance(body, list):
        for item in body:
            _set(item, name, value)


@cache
def document() -> dict[str, Any]:
    """The OpenAPI document of the application; no database is needed for it."""
    folder = Path(tempfile.gettempdir())
    workspace = Workspace(
        data_dir=folder, database=cast(Database, None), blobs=BlobStore(folder / "blobs")
    )
    return create_app(workspace).openapi()


def operations(told: Mapping[str, Any] | None = None, *, endless: bool = False) -> list[Operation]:
    """Every route with every method; that which never ends only when asked for."""
    told = told or document()
    return [
        Operation(method=method, path=path, spec=spec, document=told)
        for path, methods in told["paths"].items()
        for method, spec in methods.items()
        if method in METHODS and (endless or path != ENDLESS)
    ]


def absent_like(identity: str) -> str:
    """An id of the same form, of nothing."""
    random = uuid.uuid4().hex
    if re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", identity):
        return f"{identity[:14]}7{random[:3]}-a{random[3:6]}-{random[6:18]}"
    return re.sub(r"cam-[0-9a-f]{12}", f"cam-{random[:12]}", identity)
