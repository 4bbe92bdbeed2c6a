"""One HTTP exchange with a model server: bounded in time and size, retried, its failures told."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import dataclass

import httpx
import numpy as np

from video_detective.errors import UsageError
from video_detective.llm.address import key_problem, server_url_problem
from video_detective.llm.base import Server
from video_detective.llm.responses import FailedError, Responses
from video_detective.llm.wire import Json

MAX_BODY_BYTES = 8 * 2**20
_CONNECT_S = 10.0
_MOST_WORDS = 300
_TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504, 507, 529})
_CHECK_URL = "Check the server's url and kind in the settings"


@dataclass(frozen=True, slots=True, kw_only=True)
class Retries:
    """How often and after which pauses a failed request is sent again.

    The n-th pause is ``first_s`` · 2ⁿ⁻¹, at most ``longest_s``, less up to a half by chance: those
    who failed together must not come back together.

    Args:
        attempts: Requests in all.
        longest_wait_s: A server that asks for a longer pause (``Retry-After``) is not waited for.
    """

    attempts: int = 4
    first_s: float = 0.5
    longest_s: float = 8.0
    longest_wait_s: float = 60.0


def checked_server(server: Server) -> Server:
    """``server``, when its address and key can be used.

    Raises:
        UsageError: they cannot; the key and what stands before ``@`` are not repeated.
    """
    if (problem := server_url_problem(server.url)) is not None:
        raise UsageError(
            f"The address of model server {server.name!r} {problem}",
            remedy="Write it as http://HOST:PORT",
        )
    if (problem := key_problem(server.api_key)) is not None:
        raise UsageError(
            f"The key of model server {server.name!r} {problem}",
            remedy="Check the environment variable that api_key_env names",
        )
    return server


class Calls:
    """Exchanges JSON with one server. Belongs to one event loop.

    Redirects are not followed, proxies of the environment not used: pictures go to the server
    that was named and nowhere else.

    Args:
        server: Where to.
        retries: How patiently.
        chance: Shortens the pauses; by default unlike in any other process.

    Raises:
        UsageError: the server's address or key cannot be used.
    """

    def __init__(
        self,
        server: Server,
        *,
        retries: Retries | None = None,
        chance: np.random.Generator | None = None,
    ) -> None:
        self._server = checked_server(server)
        self._responses = Responses(server)
        self._retries = retries or Retries()
        self._chance = chance or np.random.default_rng()
        headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
        if server.api_key:
            headers["Authorization"] = f"Bearer {server.api_key}"
        self._http = httpx.AsyncClient(
            headers=headers,
            trust_env=False,
            follow_redirects=False,
            timeout=httpx.Timeout(server.timeout_s, connect=min(_CONNECT_S, server.timeout_s)),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=4),
        )

    async def close(self) -> None:
        """Close every connection."""
        await self._http.aclose()

    async def call(
        self, path: str, body: Json | None = None, *, until: float, model: str = ""
    ) -> tuple[Json, int]:
        """Send ``body`` (None: GET) and return the JSON object that comes back.

        Args:
            path: Below the server's address.
            body: To be sent as JSON.
            until: When all attempts together must be over, by the event loop's clock.
            model: Whom it is for, for messages.

        Returns:
            The object and the number of attempts.

        Raises:
            ModelError: no attempt succeeded, or another cannot help.
        """
        clock = asyncio.get_running_loop().time
        for attempt in itertools.count(1):
            try:
                async with asyncio.timeout_at(until):
                    return await self._attempt(path, body, model), attempt
            except TimeoutError as cause:
                raise self._responses.too_late() from cause
            except FailedError as failed:
                pause = max(self._pause_s(attempt), failed.after_s)
                is_last = (
                    not failed.retry
                    or attempt >= self._retries.attempts
                    or failed.after_s > self._retries.longest_wait_s
                    or clock() + pause >= until
                )
                if is_last:
                    raise failed.error from failed.__cause__
                await asyncio.sleep(pause)
        raise AssertionError("counting has no end")

    def _pause_s(self, attempt: int) -> float:
        longest: float = min(self._retries.first_s * 2 ** (attempt - 1), self._retries.longest_s)
        return longest * (1 - 0.5 * float(self._chance.random()))

    async def _attempt(self, path: str, body: Json | None, model: str) -> Json:
        url = self._server.url.rstrip("/") + path
        try:
            if body is None:
                request = self._http.build_request("GET", url)
            else:
                request = self._http.build_request("POST", url, json=body)
            response = await self._http.send(request, stream=True)
            try:
                data = await self._body(response)
            finally:
                await response.aclose()
        except (httpx.ConnectError, httpx.ConnectTimeout) as cause:
            raise self._responses.unreachable(cause) from cause
        except httpx.TimeoutException as cause:
            raise FailedError(self._responses.too_late(), retry=False) from cause
        except httpx.TransportError as cause:
            error = self._responses.error(
                "hung up before its answer was whole", "server", transient=True
            )
            raise FailedError(error, retry=True) from cause
        return self._responses.read(response, data, model)

    async def _body(self, response: httpx.Response) -> bytes:
        """The whole body as it is on the wire.

        Raises:
            FailedError: it is compressed, which was not asked for, or longer than MAX_BODY_BYTES.
        """
        if response.headers.get("content-encoding", "identity").lower() != "identity":
            error = self._responses.error("answers compressed, which it was asked not to", "server")
            raise FailedError(error, retry=False)
        data = bytearray()
        async for chunk in response.aiter_raw():
            data += chunk
            if len(data) > MAX_BODY_BYTES:
                error = self._responses.error(
                    f"answers with more than {MAX_BODY_BYTES} bytes", "server"
                )
                raise FailedError(error, retry=False)
        return bytes(data)
