"""Every error in one envelope, whatever raised it."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import Request

from video_detective.errors import (
    ConflictError,
    FieldError,
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
    413: "PAYLOAD_TOO_LARGE",
    429: "RATE_LIMITED",
}


class Problem(BaseModel):
    """One field that cannot be meant."""

    field: str
    problem: str


class ErrorBody(BaseModel):
    """``code`` is stable; ``details`` names fields where there are any to name."""

    code: str
    details: list[Problem] | None = None


class Meta(BaseModel):
    """When the request came (RFC 3339, UTC), and its ``X-Request-Id``."""

    timestamp: str
    requestId: str


class Failure(BaseModel):
    """What every error looks like."""

    success: bool = False
    statusCode: int
    message: str
    error: ErrorBody
    meta: Meta


def failure(
    request: Request,
    status: int,
    code: str,
    message: str,
    details: list[Problem] | None = None,
) -> JSONResponse:
    """An error answer. The request has been given its id by the guard."""
    body = Failure(
        statusCode=status,
        message=message,
        error=ErrorBody(code=code, details=details),
        meta=Meta(
            timestamp=request.state.received_at.isoformat(timespec="milliseconds")[:-6] + "Z",
            requestId=request.state.request_id,
        ),
    )
    return JSONResponse(body.model_dump(exclude_none=True), status_code=status)


def failed(request: Request, error: VideoDetectiveError) -> JSONResponse:
    """The answer to an expected exception."""
    status = next((s for kind, s in _STATUS if isinstance(error, kind)), 500)
    details = None
    if isinstance(error, FieldError):
        details = [Problem(field=field, problem=what) for field, what in error.problems]
    return failure(request, status, error.code, str(error), details)


def handle_failures(app: FastAPI) -> None:
    """Answer every expected exception of ``app`` in the envelope; the guard has the rest."""

    @app.exception_handler(VideoDetectiveError)
    async def ours(request: Request, error: VideoDetectiveError) -> JSONResponse:
        return failed(request, error)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        details = [
            Problem(field=str(item["loc"][-1]), problem=str(item["msg"])) for item in error.errors()
        ]
        names = ", ".join(f"{item.field}: {item.problem}" for item in details)
        return failure(request, 400, "VALIDATION_ERROR", names, details)

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> JSONResponse:
        code = _CODES.get(error.status_code, "INTERNAL")
        answer = failure(request, error.status_code, code, str(error.detail))
        answer.headers.update(error.headers or {})
        return answer
