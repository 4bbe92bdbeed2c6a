"""Who may come in: the holder of the data directory's token, from an allowed host name.

A browser gets a session cookie from the printed link (``/?token=…``); programs send
``Authorization: Bearer``. Nothing but ``/healthz`` answers without it.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Awaitable, Callable

from fastapi import FastAPI, Request, Response
from fastapi.responses import RedirectResponse
from starlette.middleware.trustedhost import TrustedHostMiddleware

from video_detective.api.failures import failure

COOKIE = "vd_session"
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
"""On every answer; a route that may be cached sets its own ``Cache-Control``."""


def session_value(token: str) -> str:
    """What the cookie holds: derived from the token, so that the cookie does not give it away."""
    return hmac.new(token.encode(), b"web session", hashlib.sha256).hexdigest()


def guard(app: FastAPI, *, token: str, hosts: tuple[str, ...]) -> None:
    """Put every route of ``app`` behind the token and the allowed host names."""
    expected = session_value(token)

    @app.middleware("http")
    async def require_token(
        request: Request, call_next: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        response = await _answer(request, call_next, token, expected)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    # Host names are checked so that a page elsewhere cannot rebind its name to this machine.
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(hosts), www_redirect=False)


async def _answer(
    request: Request,
    call_next: Callable[[Request], Awaitable[Response]],
    token: str,
    expected: str,
) -> Response:
    if request.url.path in OPEN_PATHS:
        return await call_next(request)
    offered = request.query_params.get("token")
    if request.method == "GET" and request.url.path == "/" and offered is not None:
        if _same(offered, token):
            response: Response = RedirectResponse("/", status_code=303)
            response.set_cookie(
                COOKIE,
                expected,
                httponly=True,
                samesite="strict",
                secure=request.url.scheme == "https",
            )
            return response
        return failure(request, 401, "UNAUTHORIZED", "The link's token is not valid any more")
    scheme, _, credential = request.headers.get("Authorization", "").partition(" ")
    allowed = (scheme.lower() == "bearer" and _same(credential, token)) or _same(
        request.cookies.get(COOKIE, ""), expected
    )
    if not allowed:
        return failure(
            request,
            401,
            "UNAUTHORIZED",
            "Open the link that 'video-detective serve' printed, or send the token as "
            "'Authorization: Bearer'",
        )
    return await call_next(request)


def _same(a: str, b: str) -> bool:
    return hmac.compare_digest(a.encode(), b.encode())
