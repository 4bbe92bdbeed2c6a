"""The OpenAPI document: FastAPI's, made true and complete.

FastAPI does not know of the session cookie, of our 400 in place of its 422, nor of the headers that
every answer has.
"""

from __future__ import annotations

import re
from typing import Any

from fastapi import FastAPI
from fastapi._compat import get_definitions, get_flat_models_from_fields, get_model_name_map
from fastapi.openapi.utils import get_fields_from_routes

from video_detective.api.limits import SIGN_IN_PATHS

ABOUT = """\
Devices, scenes, analyses, events, alerts, insights, attributes, notifications and search of Video
Detective.

**Envelope.** Every success of `/api/v1` is `{success: true, statusCode, data, meta}`; every error,
of an unknown address (404) or method (405) too, is `{success: false, statusCode, message, error:
{code, details?}, meta}`. `code` is stable: VALIDATION_ERROR, UNAUTHORIZED, FORBIDDEN, NOT_FOUND,
METHOD_NOT_ALLOWED, CONFLICT, GONE, PAYLOAD_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE, RATE_LIMITED,
UPSTREAM_UNAVAILABLE, INTERNAL.

**Request ids.** `X-Request-Id` is kept where it is a sane token, made otherwise, and found again in
the answer, in `meta.requestId` and in every log line up to the worker's.

**Times** are RFC 3339 in UTC with `Z`; ranges are `[start, end)`. A time without offset in a query
is read in the device's zone, else the account's, and `meta.timezone` says which.

**Limits.** `RateLimit-Limit`, `RateLimit-Remaining`, `RateLimit-Reset` (seconds) say what is left;
429 comes with `Retry-After`.
"""
TAGS = {
    "session": "Signing in and out: the session cookie of people.",
    "accounts": "Accounts (tenants). Nothing of one account can be seen from another.",
    "users": "People and their roles.",
    "keys": "API keys: scoped, limited to devices, expiring, revocable; shown once.",
    "audit": "Who did what: append-only, chained by hash.",
    "devices": "Cameras.",
    "scenes": "Zones, tripwires, rules and alert rules of a device, in versions.",
    "analysis": "Live analysis and uploaded files.",
    "nodes": "Machines that work.",
    "events": "What happened.",
    "tracks": "What was seen moving.",
    "alerts": "Events and metrics that somebody is to know of.",
    "insights": "Alerts as a model describes them.",
    "live": "What changes, as it changes.",
    "attributes": "Counts of 26 attributes of persons (plan LEVEL_02).",
    "statistics": "What was counted, by local hours and days, and where it was.",
    "retention": "How long what happened is kept.",
    "models": "Model servers, the queue before them, and weights of detectors.",
    "notifications": "Channels (webhooks, e-mail, MQTT) and what became of each delivery.",
    "search": "Questions in words over everything that happened.",
    "service": "The service itself.",
}
_VERSION = "/api/v1/"
_SESSION = "session"
_PARENT = "analysis"
_OPEN = re.compile(r"^/(healthz|readyz)$")
_HEADERS: dict[str, dict[str, Any]] = {
    "X-Request-Id": {
        "description": "Id of this request, as in `meta.requestId`",
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9_.-]{1,64}$"},
    },
    "RateLimit-Limit": {
        "description": "Requests that are let through a window",
        "schema": {"type": "integer", "minimum": 1},
    },
    "RateLimit-Remaining": {
        "description": "Requests that are left of it",
        "schema": {"type": "integer", "minimum": 0},
    },
    "RateLimit-Reset": {
        "description": "Seconds until the next window",
        "schema": {"type": "integer", "minimum": 0},
    },
    "Retry-After": {
        "description": "Seconds after which to try again",
        "schema": {"type": "integer", "minimum": 1},
    },
}


def describe(app: FastAPI) -> None:
    """Let the application give the completed document."""
    made = app.openapi

    def complete() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = made()
            _restore_examples(app, document["components"]["schemas"])
            app.openapi_schema = _completed(document)
        return app.openapi_schema

    app.openapi = complete  # type: ignore[method-assign]  # FastAPI's documented way


def _restore_examples(app: FastAPI, schemas: dict[str, Any]) -> None:
    """FastAPI takes every null out of its document, also those that an example is about."""
    fields = get_fields_from_routes(app.routes)
    names = get_model_name_map(get_flat_models_from_fields(fields, known_models=set()))
    _, definitions = get_definitions(fields=fields, model_name_map=names)
    for name, definition in definitions.items():
        if "examples" in definition and name in schemas:
            schemas[name]["examples"] = definition["examples"]


def _completed(document: dict[str, Any]) -> dict[str, Any]:
    document["info"]["description"] = ABOUT
    components = document.setdefault("components", {})
    components["headers"] = _HEADERS
    schemes = components.setdefault("securitySchemes", {})
    schemes[_SESSION] = {
        "type": "apiKey",
        "in": "cookie",
        "name": "vd_session",
        "description": "The session of somebody who signed in. The cookie's name ends in letters "
        "of this installation's own.",
    }
    used = set()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            _complete_operation(path, method, operation)
            used.update(operation["tags"])
    document["tags"] = [
        {"name": name, "description": about} for name, about in TAGS.items() if name in used
    ]
    for unused in ("HTTPValidationError", "ValidationError"):
        components.get("schemas", {}).pop(unused, None)
    return document


def _complete_operation(path: str, method: str, operation: dict[str, Any]) -> None:
    operation["tags"] = operation.get("tags") or [_tag_of(path)]
    operation["operationId"] = _name_of(path, method, operation["operationId"])
    first = operation.get("description", "").partition("\n\n")[0].replace("\n", " ")
    operation["summary"] = (first or operation["operationId"]).rstrip(".")
    for requirement in list(operation.get("security", ())):
        if "apiKey" in requirement:
            operation["security"].append({_SESSION: requirement["apiKey"]})
    responses = operation["responses"]
    if _refers_to(responses.get("422"), "HTTPValidationError"):
        del responses["422"]  # ours are 400
    is_limited = bool(operation.get("security")) or path in SIGN_IN_PATHS
    for status, response in responses.items():
        names = ["X-Request-Id"]
        if is_limited and path.startswith(_VERSION):
            names += ["RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"]
        if status == "429":
            names.append("Retry-After")
        headers = response.setdefault("headers", {})
        headers |= {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _tag_of(path: str) -> str:
    """The resource: the first part of the address that is one."""
    if not path.startswith(_VERSION):
        if _OPEN.match(path):
            return "service"
        return "events" if path.startswith(("/api/event/", "/frames/")) else "search"
    parts = path.removeprefix(_VERSION).split("/")
    if parts[0] == _PARENT and len(parts) > 1 and parts[1] in {"insights", "attributes"}:
        return "attributes" if "attributes" in parts else "insights"
    return parts[0] if parts[0] in TAGS else "service"


def _name_of(path: str, method: str, made: str) -> str:
    """``listDevices`` of the function ``list_devices``; FastAPI adds the address to its name."""
    name = made.removesuffix(re.sub(r"\W", "_", path) + f"_{method}")
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)


def _refers_to(response: dict[str, Any] | None, schema: str) -> bool:
    content = (response or {}).get("content", {}).get("application/json", {})
    return bool(content.get("schema", {}).get("$ref", "").endswith(f"/{schema}"))
