"""How many requests a key, a user or an address may make; what is over it is answered 429.

Windows of one minute that begin with their first request: a minute's requests may come at once.
Every answer that is counted says what is left (``RateLimit-Limit``, ``-Remaining``, ``-Reset`` in
seconds and ``-Policy``; IETF draft-ietf-httpapi-ratelimit-headers-06). In memory on SQLite; on
PostgreSQL all processes count together.
"""

from __future__ import annotations

import ipaddress
import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.aio.strategies import FixedWindowRateLimiter
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from video_detective.api.failures import failure
from video_detective.config.settings import LimitSettings
from video_detective.errors import StorageError
from video_detective.services.access import Caller
from video_detective.services.workspace import Workspace
from video_detective.storage.notices.rates import WindowsInMemory

SEARCH_PATH = "/api/v1/analysis/insights/search"
SIGN_IN_PATHS = frozenset({"/api/v1/session", "/api/v1/session/set-up"})
"""Where a POST is an attempt to sign in, by password or by link."""
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What is left of a limit after a request.

    Args:
        limit: Requests a window.
        window_s: Its length.
        remaining: Requests that will still be let through; 0 and below: this one was too many.
        reset_s: Until the window ends, rounded up.
        is_over: The request is one too many.
    """

    limit: int
    window_s: int
    remaining: int
    reset_s: int
    is_over: bool

    @property
    def headers(self) -> dict[str, str]:
        """Of the answer."""
        told = {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(self.reset_s),
            "RateLimit-Policy": f"{self.limit};w={self.window_s}",
        }
        return told | ({"Retry-After": str(self.reset_s)} if self.is_over else {})


class Limits:
    """Counts requests.

    Args:
        storage: Makes the place where; called once, at the first request that counts.
        settings: How many.
    """

    def __init__(self, storage: Callable[[], WindowsInMemory], settings: LimitSettings) -> None:
        self._storage = storage
        self._per_key = RateLimitItemPerMinute(settings.per_key)
        self._per_user = RateLimitItemPerMinute(settings.per_user)
        self._searches = RateLimitItemPerMinute(settings.searches)
        self._sign_ins = RateLimitItemPerMinute(settings.sign_ins)

    @cached_property
    def _limiter(self) -> FixedWindowRateLimiter:
        return FixedWindowRateLimiter(self._storage())

    async def check(self, request: Request) -> Left | None:
        """Count a request; None where nothing limits it.

        Args:
            request: ``state.caller`` is who was let in, where somebody was.
        """
        is_post = request.method == "POST"
        caller: Caller | None = getattr(request.state, "caller", None)
        if is_post and request.url.path in SIGN_IN_PATHS:
            return await self._count(self._sign_ins, "address", _address_of(request))
        if caller is None:
            return None
        item = self._per_key if caller.kind == "key" else self._per_user
        left = await self._count(item, caller.kind, caller.id)
        if left is not None and not left.is_over and is_post and request.url.path == SEARCH_PATH:
            return await self._count(self._searches, "search", caller.kind, caller.id)
        return left

    async def _count(self, item: RateLimitItem, *whose: str) -> Left | None:
        try:
            is_let_through = await self._limiter.hit(item, *whose)
            stats = await self._limiter.get_window_stats(item, *whose)
        except StorageError as error:
            # What cannot count does not refuse: the request itself meets the database next.
            _LOG.warning("requests are not counted: %s", error)
            return None
        return Left(
            limit=item.amount,
            window_s=item.get_expiry(),
            remaining=max(0, stats.remaining),
            reset_s=max(1, math.ceil(stats.reset_time - time.time())),
            is_over=not is_let_through,
        )


class RateLimited:
    """Layer within the guard: counts each request, and answers 429 to what is too many.

    Args:
        app: What is limited.
        workspace: Whose settings say how many, and where the counts are.
    """

    def __init__(self, app: ASGIApp, *, workspace: Workspace) -> None:
        self._app = app
        self._limits = Limits(
            lambda: workspace.database.windows(time.time), workspace.settings.limits
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        left = await self._limits.check(request)
        if left is None:
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in left.headers.items():
                    headers[name] = value
            await send(message)

        if left.is_over:
            refusal = failure(
                request,
                429,
                "RATE_LIMITED",
                f"{left.limit} requests in {left.window_s} s are let through. "
                f"Try again in {left.reset_s} s.",
            )
            await refusal(scope, receive, send_with_headers)
        else:
            await self._app(scope, receive, send_with_headers)


def _address_of(request: Request) -> str:
    """The caller's address; of IPv6 the network of 64 bits, which is one household's."""
    host = request.client.host if request.client else ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host or "?"
    if address.version == 4:
        return host
    return str(ipaddress.ip_network((address, 64), strict=False))
