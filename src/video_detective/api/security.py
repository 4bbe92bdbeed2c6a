"""Who may come in: the holder of a key or a session, from an allowed host name.

Programs send an API key as ``Authorization: Bearer``; browsers have a session cookie from signing
in. Nothing answers without one of them but ``OPEN``, and signed links, which say themselves what
they open.
"""

from __future__ import annotations

import asyncio
import logging
import re
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote, urlsplit

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from video_detective.api.failures import failed, failure
from video_detective.errors import VideoDetectiveError
from video_detective.narration.catalogue import LANGUAGES
from video_detective.pipeline.clock import now_ns
from video_detective.services.access import Caller
from video_detective.services.callers import Callers, with_request
from video_detective.services.workspace import Workspace

LOG = logging.getLogger(__name__)
SIGN_IN_PAGE = "/sign-in"
SESSION = "/api/v1/session"
SET_UP = f"{SESSION}/set-up"
_PAGES = frozenset({SIGN_IN_PAGE, "/set-up", "/signed-out"})
OPEN = frozenset(
    {("GET", "/healthz"), ("GET", "/readyz"), ("POST", SESSION), ("POST", SET_UP)}
    | {("GET", page) for page in _PAGES}
    | {("GET", f"/static/{name}") for name in ("style.css", "door.css", "icon.svg", "sign-in.js")}
    # Why a name or password is not taken is told in words before anybody has signed in.
    | {("GET", f"/static/{name}") for name in ("problems.js", "bytes.js")}
    | {("GET", f"/static/texts/{language}/problems.json") for language in LANGUAGES}
)
"""What answers without a key or session: whether the service lives, and how to come in."""
MEDIA = "/media/"
"""What begins so answers to signed links."""
_POLICY = (
    "default-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'; "
    "object-src 'none'"
)
_FIRST_STEPS = "/welcome"
"""Shows a picture of a chosen video before it is sent: ``blob:`` is that file to the browser."""
HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""On every answer; one that needs another value sets its own."""
_REQUEST_ID = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


async def cookie_name(workspace: Workspace) -> str:
    """The session cookie's name.

    Browsers do not tell the ports of a host apart: two services on one machine need two names.
    """
    return f"vd_session_{(await workspace.secret('cookie')).hex()[:8]}"


def set_session(request: Request, response: Response, name: str, token: str) -> None:
    """Give the browser its session; it forgets it when it is closed."""
    response.set_cookie(
        name, token, httponly=True, samesite="strict", secure=request.url.scheme == "https"
    )


def set_up_link(base: str, token: str) -> str:
    """A one-time link. Its secret is in the fragment, which no server or proxy sees or logs."""
    return f"{base.rstrip('/')}/set-up#{token}"


@dataclass(frozen=True, slots=True)
class _Shown:
    """What a caller came in with."""

    caller: Caller
    text: str


class Guard:
    """Request id, host name, key or session, headers, and the last resort for errors.

    Gives each request ``state.caller`` (None where nobody need be known) and, to those who came
    with a session, ``state.session``: its token. ``state.look_again`` finds the caller anew, for
    answers that last; ``state.is_head`` says that only the headers are wanted.

    Args:
        app: What is guarded.
        workspace: Where keys and sessions are.
        hosts: Host names under which the service may be called, without port; checked so that a
            page elsewhere cannot rebind its own name to this machine.
    """

    def __init__(self, app: ASGIApp, *, workspace: Workspace, hosts: tuple[str, ...]) -> None:
        self._app = app
        self._workspace = workspace
        self._callers = Callers(workspace.database)
        self._hosts = frozenset(host.lower() for host in hosts)

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
        request.state.caller = None
        request.state.session = None
        request.state.is_head = scope["method"] == "HEAD"
        started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                headers["X-Request-Id"] = identity
                if request.url.path == _FIRST_STEPS:
                    headers["Content-Security-Policy"] = f"{_POLICY}; media-src 'self' blob:"
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            elif scope["method"] == "HEAD":
                message = {**message, "body": b""}
            await send(message)

        async def look_again() -> Caller | None:
            found = await self._shown(request)
            return None if found is None else with_request(found.caller, identity)

        request.state.look_again = look_again
        received_ns = now_ns()
        try:
            shown = await self._come_in(request)
            if isinstance(shown, Response):
                await shown(scope, receive, send_with_headers)
                return
            # Whatever can be fetched can be asked about.
            method = "GET" if scope["method"] == "HEAD" else scope["method"]
            await self._app({**scope, "method": method}, receive, send_with_headers)
            if method not in _SAFE:
                self._callers.forget()
            if shown is not None:
                # An answer that lasts is no use of what it was asked for with.
                await self._callers.note_use(shown.caller, shown.text, received_ns)
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

    async def _come_in(self, request: Request) -> _Shown | Response | None:
        """Who comes in; an answer where nobody may, None where nobody need be known."""
        if _host_of(request) not in self._hosts:
            return failure(
                request,
                400,
                "VALIDATION_ERROR",
                "This service is not called by that host name. Allow it with --allow-host.",
            )
        path = request.url.path
        method = "GET" if request.method == "HEAD" else request.method
        is_open = (method, path) in OPEN or (method == "GET" and path.startswith(MEDIA))
        if is_open and path not in _PAGES:
            if method not in _SAFE and _is_from_elsewhere(request, unless_told=False):
                return _elsewhere(request)
            return None
        try:
            shown = await self._shown(request)
        except VideoDetectiveError as error:
            return failed(request, error)
        if shown is None:
            return None if is_open else _refusal(request)
        request.state.caller = with_request(shown.caller, request.state.request_id)
        if shown.caller.kind == "user":
            if method not in _SAFE and _is_from_elsewhere(request, unless_told=True):
                return _elsewhere(request)
            request.state.session = shown.text
        return shown

    async def _shown(self, request: Request) -> _Shown | None:
        authorization = request.headers.get("Authorization")
        if authorization is not None:
            scheme, _, text = authorization.partition(" ")
            text = text.strip()
            is_bearer = scheme.lower() == "bearer"
            caller = await self._callers.by_key(text, now_ns()) if is_bearer else None
        else:
            if not request.cookies:
                return None
            text = request.cookies.get(await cookie_name(self._workspace), "")
            caller = await self._callers.by_session(text, now_ns()) if text else None
        return None if caller is None else _Shown(caller, text)


def _refusal(request: Request) -> Response:
    path = request.url.path
    is_page = request.method in {"GET", "HEAD"} and not path.startswith(("/api/", "/static/"))
    if is_page and "text/html" in request.headers.get("Accept", ""):
        wanted = f"{path}?{request.url.query}" if request.url.query else path
        goal = "" if wanted == "/" else f"?next={quote(wanted, safe='')}"
        return RedirectResponse(f"{SIGN_IN_PAGE}{goal}", status_code=303)
    answer = failure(
        request,
        401,
        "UNAUTHORIZED",
        f"Send an API key as 'Authorization: Bearer vd_live_…', or sign in at {SIGN_IN_PAGE}",
    )
    answer.headers["WWW-Authenticate"] = "Bearer"
    return answer


def _elsewhere(request: Request) -> Response:
    return failure(
        request,
        403,
        "FORBIDDEN",
        "A session changes something only from this service's own pages. "
        "Use an API key from programs.",
    )


def _is_from_elsewhere(request: Request, *, unless_told: bool) -> bool:
    """Whether another site's page sent the request; ``unless_told`` when no browser says.

    Browsers tell the site to services on this machine or behind TLS, and the origin to all. Source:
    OWASP, Cross-Site Request Forgery Prevention Cheat Sheet.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site != "same-origin"
    origin = request.headers.get("Origin")
    if origin is not None:
        return urlsplit(origin).netloc.lower() != request.headers.get("Host", "").lower()
    return unless_told


def _host_of(request: Request) -> str:
    """The host name asked for, without port; ``[::1]`` keeps its brackets."""
    host = request.headers.get("Host", "").lower()
    name, _, port = host.rpartition(":")
    return name if name and port.isdigit() else host
