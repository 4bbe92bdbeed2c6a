"""Every error in one envelope, whatever raised it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.routing import compile_path

from video_detective.config.tree import field_name, flaw_of
from video_detective.errors import (
    ConflictError,
    FieldError,
    Flaw,
    ForbiddenError,
    GoneError,
    MissingError,
    RateLimitedError,
    StorageError,
    TooLargeError,
    UnauthorizedError,
    UpstreamError,
    UsageError,
    VideoDetectiveError,
)

_STATUS: tuple[tuple[type[VideoDetectiveError], int], ...] = (
    (GoneError, 410),
    (MissingError, 404),
    (TooLargeError, 413),
    (ForbiddenError, 403),
    (UnauthorizedError, 401),
    (RateLimitedError, 429),
    (UsageError, 400),
    (ConflictError, 409),
    (StorageError, 503),
    (UpstreamError, 503),
)
_CODES = {
    400: "VALIDATION_ERROR",
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    409: "CONFLICT",
    413: "PAYLOAD_TOO_LARGE",
    415: "UNSUPPORTED_MEDIA_TYPE",
    429: "RATE_LIMITED",
    503: "UPSTREAM_UNAVAILABLE",
}
_LONGEST = 500
"""Characters of a message or name: callers' own values come back in them."""
_MOST = 50
"""Problems that are told."""


class Problem(BaseModel):
    """One field that cannot be meant; ``reason`` and ``values`` as those of an error."""

    field: str
    problem: str
    reason: str | None = None
    values: dict[str, Any] | None = None


class ErrorBody(BaseModel):
    """``code`` is stable; ``details`` names fields where there are any to name.

    ``reason`` is a stable key of what was wrong, finer than ``code``, and ``values`` the data that
    its words name: for programs that tell people in their own language.
    """

    code: str
    reason: str | None = None
    values: dict[str, Any] | None = None
    details: list[Problem] | None = None


class FailureMeta(BaseModel):
    """When the request came (RFC 3339, UTC), and its ``X-Request-Id``."""

    timestamp: str
    requestId: str


class Failure(BaseModel):
    """What every error looks like."""

    success: bool = False
    statusCode: int
    message: str
    error: ErrorBody
    meta: FailureMeta


def failure(
    request: Request,
    status: int,
    code: str,
    message: str,
    details: Sequence[tuple[str, str]] = (),
    *,
    reason: str = "",
    values: Mapping[str, object] | None = None,
) -> JSONResponse:
    """An error answer. The request has been given its id by the guard.

    Args:
        request: What failed.
        status: Of the answer.
        code: Stable.
        message: English, whole.
        details: (field, what is wrong) of each field, as ``FieldError`` has them.
        reason: Stable key of what was wrong, finer than the code; "" for none.
        values: What the reason's words name.
    """
    body = Failure(
        statusCode=status,
        message=_sendable(message),
        error=ErrorBody(
            code=code,
            **_worded(reason, values),
            details=[_problem(*item) for item in details[:_MOST]] or None,
        ),
        meta=FailureMeta(
            timestamp=request.state.received_at.isoformat(timespec="milliseconds")[:-6] + "Z",
            requestId=request.state.request_id,
        ),
    )
    return JSONResponse(body.model_dump(exclude_none=True), status_code=status)


def _field_of(item: Mapping[str, Any]) -> str:
    """``recipients[2]`` of a body; a parameter's name; ``body`` of a body as a whole."""
    place: Sequence[str | int] = item["loc"]
    # Of a text that is no JSON the place is a character's.
    is_whole = len(place) == 1 or item["type"] == "json_invalid"
    return "body" if is_whole else field_name(tuple(place[1:]))


def _problem(field: str, what: str) -> Problem:
    worded = _worded(what.reason, what.values) if isinstance(what, Flaw) else {}
    return Problem(field=_sendable(field), problem=_sendable(what), **worded)


def _worded(reason: str, values: Mapping[str, object] | None) -> dict[str, Any]:
    """The fields of an answer that pages word; none where there is no reason, or no value."""
    plain = {name: _plain(value) for name, value in (values or {}).items()}
    return {"reason": reason or None, "values": (reason and plain) or None}


def _plain(value: object) -> object:
    """What JSON can hold of a value, of a length that people read."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value[:_MOST]]
    return _sendable(str(value))


def _sendable(text: str) -> str:
    """Text that UTF-8 can hold, of a length that people read."""
    if len(text) > _LONGEST:
        text = text[: _LONGEST - 1] + "…"
    return text.encode("utf-8", "replace").decode()


def failed(request: Request, error: VideoDetectiveError) -> JSONResponse:
    """The answer to an expected exception."""
    status = next((s for kind, s in _STATUS if isinstance(error, kind)), 500)
    details = error.problems if isinstance(error, FieldError) else ()
    answer = failure(
        request, status, error.code, str(error), details, reason=error.reason, values=error.context
    )
    if isinstance(error, RateLimitedError):
        answer.headers["Retry-After"] = str(error.retry_after_s)
    return answer


def handle_failures(app: FastAPI) -> None:
    """Answer every expected exception of ``app`` in the envelope; the guard has the rest."""

    @app.exception_handler(VideoDetectiveError)
    async def ours(request: Request, error: VideoDetectiveError) -> JSONResponse:
        return failed(request, error)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        if any(item["loc"][0] == "path" for item in error.errors()):
            # ``/users/invitations`` is no ``/users/{id}``, whose methods it has not.
            methods = _paths_of(request).get(request.url.path, {request.method.lower(): None})
            if request.method.lower() not in methods:
                return await http(request, HTTPException(405))
        details = [(_field_of(item), flaw_of(item, str(item["msg"]))) for item in error.errors()]
        names = ", ".join(f"{field}: {problem}" for field, problem in details)
        return failure(request, 400, "VALIDATION_ERROR", names, details)

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> JSONResponse:
        code = _CODES.get(error.status_code, "INTERNAL")
        # FastAPI says 400 itself only of bodies that are too deep, or in no encoding.
        is_body = error.status_code == 400
        details = [("body", str(error.detail))] if is_body else ()
        answer = failure(request, error.status_code, code, str(error.detail), details)
        answer.headers.update(error.headers or {})
        if error.status_code == 405 and (methods := _methods_of(request)):
            answer.headers["Allow"] = ", ".join(methods)
        return answer


def _methods_of(request: Request) -> list[str]:
    """Every method of an address. Starlette knows only those of the first route that it meets."""
    paths = _paths_of(request)
    if (own := paths.get(request.url.path)) is not None:
        return sorted(map(str.upper, own))
    return sorted(
        method.upper()
        for template, operations in paths.items()
        if compile_path(template)[0].match(request.url.path)
        for method in operations
    )


def _paths_of(request: Request) -> dict[str, dict[str, object]]:
    """Addresses, or templates of such, and what each has by method."""
    paths: dict[str, dict[str, object]] = request.app.openapi()["paths"]
    return paths
