"""Outermost layer: every request has an id, which its log lines bear, and one line of its own."""

from __future__ import annotations

import logging
import re
import time
import uuid

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from video_detective.pipeline.trace import traced
from video_detective.services.logs import ACCESS

SANE_ID = re.compile(r"[A-Za-z0-9_.-]{1,64}")
"""What a caller's ``X-Request-Id`` must be to be kept."""
_LOG = logging.getLogger(ACCESS)
_HEADER = b"x-request-id"
_SILENT = frozenset({"/healthz", "/readyz"})
"""Asked every few seconds by whatever watches over the service."""


class Traced:
    """Gives a request its id and logs one line about it: no query string, for that holds secrets.

    Args:
        app: Finds the id in ``X-Request-Id``.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        identity = Headers(scope=scope).get("X-Request-Id", "")
        if not SANE_ID.fullmatch(identity):
            identity = str(uuid.uuid4())
        others = [(name, value) for name, value in scope["headers"] if name != _HEADER]
        scope = {**scope, "headers": [*others, (_HEADER, identity.encode())]}
        scope.setdefault("state", {})
        status = 0
        begun = time.perf_counter()

        async def send_and_look(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        with traced(request=identity):
            try:
                await self._app(scope, receive, send_and_look)
            finally:
                if scope["path"] not in _SILENT and _LOG.isEnabledFor(logging.INFO):
                    _log(scope, status, time.perf_counter() - begun)


def _log(scope: Scope, status: int, took_s: float) -> None:
    caller = scope["state"].get("caller")
    fields = {
        "method": scope["method"],
        "path": scope["path"][:300],
        "status": status,
        "ms": round(took_s * 1000, 1),
        "client": scope["client"][0] if scope.get("client") else "",
        "caller": f"{caller.kind} {caller.id}" if caller is not None else "",
    }
    _LOG.info("request", extra={"fields": {k: v for k, v in fields.items() if v != ""}})
