"""Who may come in: the holder of the data directory's token, from an allowed host name.

A browser gets a session cookie from the printed link (``/?token=…``); programs send
``Authorization: Bearer``. Nothing but ``/healthz`` answers without it.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import re
import uuid
from collections.abc import Callable
from datetime import UTC, datetime

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from video_detective.api.failures import failure

LOG = logging.getLogger(__name__)
OPEN_PATHS = frozenset({"/healthz"})
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'; "
        "object-src 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""On every answer; one that needs another value sets its own."""
_REQUEST_ID = re.compile(r"[A-Za-z0-9_.-]{1,64}")

RefusalPage = Callable[[Request], Response]
"""What a person without a session sees instead of the page."""


def session_value(token: str) -> str:
    """What the cookie holds: derived from the token, so that the cookie does not give it away."""
    return hmac.new(token.encode(), b"web session", hashlib.sha256).hexdigest()


def cookie_name(token: str) -> str:
    """The session cookie's name.

    Browsers do not tell the ports of a host apart: two services on one machine need two names.
    """
    return f"vd_session_{hmac.new(token.encode(), b'cookie', hashlib.sha256).hexdigest()[:8]}"


class Guard:
    """Outermost layer: request id, host name, token, headers, and the last resort for errors.

    Args:
        app: What is guarded.
        token: Secret that every caller must show.
        hosts: Host names under which the service may be called, without port; checked so that a
            page elsewhere cannot rebind its own name to this machine.
        refusal_page: For people who open ``/`` without a session; None gives the error envelope.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        token: str,
        hosts: tuple[str, ...],
        refusal_page: RefusalPage | None = None,
    ) -> None:
        self._app = app
        self._token = token
        self._hosts = frozenset(host.lower() for host in hosts)
        self._cookie = cookie_name(token)
        self._session = session_value(token)
        self._refusal_page = refusal_page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        offered = request.headers.get("X-Request-Id", "")
        identity = offered if _REQUEST_ID.fullmatch(offered) else str(uuid.uuid4())
        request.state.request_id = identity
        request.state.received_at = datetime.now(UTC)
        started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                headers["X-Request-Id"] = identity
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            elif scope["method"] == "HEAD":
                message = {**message, "body": b""}
            await send(message)

        answer = self._answer(request)
        try:
            if answer is not None:
                await answer(scope, receive, send_with_headers)
            else:
                # Whatever can be fetched can be asked about.
                method = "GET" if scope["method"] == "HEAD" else scope["method"]
                await self._app({**scope, "method": method}, receive, send_with_headers)
        except asyncio.CancelledError:
            # Only a service that ends cuts an answer off. Passed on, it would be logged as a fault.
            if not started:
                ending = failure(request, 503, "INTERNAL", "The service is ending; try again later")
                await ending(scope, receive, send_with_headers)
        except Exception:  # the boundary: whatever it was, the caller gets an answer
            LOG.exception("request %s failed", identity)
            if started:
                raise
            wrong = failure(request, 500, "INTERNAL", "Something went wrong on the server")
            await wrong(scope, receive, send_with_headers)

    def _answer(self, request: Request) -> Response | None:
        """What is answered here; None lets the request in."""
        if _host_of(request) not in self._hosts:
            return failure(
                request,
                400,
                "VALIDATION_ERROR",
                "This service is not called by that host name. Allow it with --allow-host.",
            )
        path = request.url.path
        if path in OPEN_PATHS:
            return None
        is_start = request.method in {"GET", "HEAD"} and path == "/"
        offered = request.query_params.get("token") if is_start else None
        if offered is not None and _same(offered, self._token):
            return self._welcome(request)
        scheme, _, credential = request.headers.get("Authorization", "").partition(" ")
        is_bearer = scheme.lower() == "bearer" and _same(credential.strip(), self._token)
        has_session = _same(request.cookies.get(self._cookie, ""), self._session)
        if offered is None and (is_bearer or has_session):
            return None
        if is_start and self._refusal_page and "text/html" in request.headers.get("Accept", ""):
            return self._refusal_page(request)
        answer = failure(
            request,
            401,
            "UNAUTHORIZED",
            "Open the link that 'video-detective serve' printed, or send the token as "
            "'Authorization: Bearer'",
        )
        answer.headers["WWW-Authenticate"] = "Bearer"
        return answer

    def _welcome(self, request: Request) -> Response:
        """The token leaves the address and stays as a cookie."""
        response = RedirectResponse("/", status_code=303)
        response.set_cookie(
            self._cookie,
            self._session,
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
        )
        return response


def _host_of(request: Request) -> str:
    """The host name asked for, without port; ``[::1]`` keeps its brackets."""
    host = request.headers.get("Host", "").lower()
    name, _, port = host.rpartition(":")
    return name if name and port.isdigit() else host


def _same(a: str, b: str) -> bool:
    return hmac.compare_digest(a.encode(), b.encode())
