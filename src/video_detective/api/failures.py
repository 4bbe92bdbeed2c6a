"""Every error in one envelope, whatever raised it."""

from __future__ import annotations

import logging
import re
import uuid
from datetime import UTC, datetime
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from video_detective.errors import MissingError, StorageError, UsageError, VideoDetectiveError

LOG = logging.getLogger(__name__)

_REQUEST_ID = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_STATUS: tuple[tuple[type[VideoDetectiveError], int], ...] = (
    (MissingError, 404),
    (UsageError, 400),
    (StorageError, 503),
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


def request_id(request: Request) -> str:
    """The caller's ``X-Request-Id`` where it is a sane token, else one made for this request."""
    known: str | None = getattr(request.state, "request_id", None)
    if known is None:
        offered = request.headers.get("X-Request-Id", "")
        known = offered if _REQUEST_ID.fullmatch(offered) else str(uuid.uuid4())
        request.state.request_id = known
    return known


def failure(
    request: Request, status: int, code: str, message: str, details: Any = None
) -> JSONResponse:
    """An error answer in the envelope of the specification."""
    error: dict[str, Any] = {"code": code}
    if details is not None:
        error["details"] = details
    identity = request_id(request)
    return JSONResponse(
        {
            "success": False,
            "statusCode": status,
            "message": message,
            "error": error,
            "meta": {
                "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds")[:-6] + "Z",
                "requestId": identity,
            },
        },
        status_code=status,
        headers={"X-Request-Id": identity},
    )


def handle_failures(app: FastAPI) -> None:
    """Answer every exception of ``app`` in the envelope."""

    @app.exception_handler(VideoDetectiveError)
    async def ours(request: Request, error: VideoDetectiveError) -> JSONResponse:
        status = next((s for kind, s in _STATUS if isinstance(error, kind)), 500)
        return failure(request, status, error.code, str(error))

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        details = [
            {"field": str(item["loc"][-1]), "problem": str(item["msg"])} for item in error.errors()
        ]
        names = ", ".join(f"{d['field']}: {d['problem']}" for d in details)
        return failure(request, 400, "VALIDATION_ERROR", names, details)

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> JSONResponse:
        code = _CODES.get(error.status_code, "INTERNAL")
        return failure(request, error.status_code, code, str(error.detail))

    @app.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> JSONResponse:
        LOG.error("request %s failed", request_id(request), exc_info=error)
        return failure(request, 500, "INTERNAL", "Something went wrong on the server")
