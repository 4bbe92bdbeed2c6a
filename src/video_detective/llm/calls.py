"""One HTTP exchange with a model server: bounded in time and size, retried, its failures told."""

from __future__ import annotations

import asyncio
import itertools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Self, cast
from urllib.parse import urlsplit

import httpx
import numpy as np

from video_detective.errors import ModelError, UsageError
from video_detective.llm.base import Server
from video_detective.llm.kinds import KINDS
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


class RejectedError(ModelError):
    """The server understood the request and does not take it; ``words`` is what it said."""

    def __init__(
        self, message: str, *, remedy: str, reason: str, transient: bool, words: str
    ) -> None:
        super().__init__(message, remedy=remedy, reason=reason, transient=transient, raw=words)
        self.words = words


class _FailedError(Exception):
    """An attempt's failure: what it means, whether another may help, and after which pause."""

    def __init__(self, error: ModelError, *, retry: bool, after_s: float | None = None) -> None:
        super().__init__(error.message)
        self.error = error
        self.retry = retry
        self.after_s = after_s or 0.0


def checked_server(server: Server) -> Server:
    """``server``, when its address and key can be used.

    Raises:
        UsageError: they cannot; the key and what stands before ``@`` are not repeated.
    """
    try:
        address = urlsplit(server.url)
        host, has_user = address.hostname, "@" in address.netloc
        _ = address.port
    except ValueError as cause:
        raise UsageError(
            f"Model server {server.name!r} has no valid address",
            remedy="Write it as http://HOST:PORT",
        ) from cause
    if has_user:
        raise UsageError(
            f"The address of model server {server.name!r} has a user or password in it",
            remedy="Leave it out, and give the key by api_key_env",
        )
    if address.scheme not in ("http", "https") or not host or address.query or address.fragment:
        raise UsageError(
            f"Model server {server.name!r} has the address {server.url!r}",
            remedy="Write it as http://HOST:PORT or https://HOST:PORT",
        )
    if address.path.rstrip("/").endswith(("/v1", "/api")):
        raise UsageError(
            f"Model server {server.name!r} has the address {server.url!r}",
            remedy="Leave /v1 or /api off its end",
        )
    if not re.fullmatch(r"[!-~]*", server.api_key):
        raise UsageError(
            f"The key of model server {server.name!r} has characters that no key can have",
            remedy="Check the environment variable that api_key_env names",
        )
    return server


class Calls:
    """Exchanges JSON with one server. Belongs to one event loop.

    Redirects are not followed, proxies of the environment not used: pictures go to the server
    that was named and nowhere else.

    Args:
        server: Where to.
        transport: Instead of the network, for tests at the seam.
        retries: How patiently.
        chance: Shortens the pauses; by default unlike in any other process.

    Raises:
        UsageError: the server's address or key cannot be used.
    """

    def __init__(
        self,
        server: Server,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        retries: Retries | None = None,
        chance: np.random.Generator | None = None,
    ) -> None:
        self._server = checked_server(server)
        self._retries = retries or Retries()
        self._chance = chance or np.random.default_rng()
        headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
        if server.api_key:
            headers["Authorization"] = f"Bearer {server.api_key}"
        self._http = httpx.AsyncClient(
            headers=headers,
            transport=transport,
            trust_env=False,
            follow_redirects=False,
            timeout=httpx.Timeout(server.timeout_s, connect=min(_CONNECT_S, server.timeout_s)),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=4),
        )

    async def close(self) -> None:
        """Close every connection."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

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
                raise self._too_late() from cause
            except _FailedError as failed:
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
            raise self._unreachable(cause) from cause
        except httpx.TimeoutException as cause:
            raise _FailedError(self._too_late(), retry=False) from cause
        except httpx.TransportError as cause:
            error = self._error("hung up before its answer was whole", "server", transient=True)
            raise _FailedError(error, retry=True) from cause
        return self._judge(response, data, model)

    async def _body(self, response: httpx.Response) -> bytes:
        """The whole body as it is on the wire.

        Raises:
            _FailedError: it is compressed, which was not asked for, or longer than MAX_BODY_BYTES.
        """
        if response.headers.get("content-encoding", "identity").lower() != "identity":
            error = self._error("answers compressed, which it was asked not to", "server")
            raise _FailedError(error, retry=False)
        data = bytearray()
        async for chunk in response.aiter_raw():
            data += chunk
            if len(data) > MAX_BODY_BYTES:
                error = self._error(f"answers with more than {MAX_BODY_BYTES} bytes", "server")
                raise _FailedError(error, retry=False)
        return bytes(data)

    def _judge(self, response: httpx.Response, data: bytes, model: str) -> Json:
        if response.is_redirect or 300 <= response.status_code < 400:
            target = urlsplit(response.headers.get("location", "")).netloc.rpartition("@")[2]
            towards = f" to {target}" if target else ""
            error = self._error(
                f"redirects{towards} (HTTP {response.status_code}), which is not followed",
                "server",
                remedy="Set the server's url to where it really is",
            )
            raise _FailedError(error, retry=False)
        if not response.is_success:
            raise self._refused(response, data, model)
        try:
            body = json.loads(data)
        except (ValueError, RecursionError) as cause:
            is_page = "html" in response.headers.get("content-type", "") or data[:1] == b"<"
            what = "a web page" if is_page else "something that is no JSON"
            error = self._error(
                f"answers with {what} (HTTP {response.status_code})",
                "server",
                transient=not is_page,
                remedy=_CHECK_URL,
                words=self._words(data),
            )
            raise _FailedError(error, retry=not is_page) from cause
        if not isinstance(body, dict):
            error = self._error("answers with JSON that is no object", "server", remedy=_CHECK_URL)
            raise _FailedError(error, retry=False)
        if body.get("error"):  # Ollama and some proxies fail with a 200
            words = self._words(data)
            error = self._error(
                f"fails: {words}", "server", transient=True, remedy="Read its log", words=words
            )
            raise _FailedError(error, retry=True)
        return cast("Json", body)

    def _refused(self, response: httpx.Response, data: bytes, model: str) -> _FailedError:
        status, words, title = response.status_code, self._words(data), self._title
        low = words.lower()
        after_s = _retry_after_s(response.headers)

        def rejected(what: str, reason: str, remedy: str) -> _FailedError:
            said = f": {words}" if words else ""
            error = RejectedError(
                f"{title} {what} (HTTP {status}){said}",
                remedy=remedy,
                reason=reason,
                transient=False,
                words=words,
            )
            return _FailedError(error, retry=False)

        if status in (401, 403):
            return rejected("refuses the key", "refused", "Check the key that api_key_env names")
        if status == 404 and ("model" in low or "does not exist" in low):
            get_model = KINDS[self._server.kind].get_model.format(model=model)
            return rejected(f"has no model {model!r}", "no_model", get_model)
        if status in (404, 405):
            return rejected("does not know the address asked", "server", _CHECK_URL)
        if status == 413 or (
            "context" in low and re.search(r"exceed|length|too (?:long|large)", low)
        ):
            return rejected(
                "cannot take so long a prompt",
                "truncated",
                KINDS[self._server.kind].widen_context + ", or send less",
            )
        if "more system memory" in low:  # Ollama: the model does not fit the machine
            return rejected("cannot load the model", "server", "Choose a smaller model")
        if status not in _TRANSIENT and status < 500:
            return rejected("does not take the request", "server", "Read its log")
        said = f": {words}" if words else ""
        if status in (429, 503, 529):
            error = self._error(
                f"is overloaded (HTTP {status}){said}",
                "overloaded",
                transient=True,
                remedy="Try again later, or lower the server's concurrency",
                words=words,
            )
        else:
            error = self._error(
                f"fails with HTTP {status}{said}",
                "server",
                transient=True,
                remedy="Read its log",
                words=words,
            )
        return _FailedError(error, retry=status in _TRANSIENT, after_s=after_s)

    @property
    def _title(self) -> str:
        return f"Model server {self._server.name!r}"

    def _error(
        self,
        what: str,
        reason: str,
        *,
        transient: bool = False,
        remedy: str = "Read its log",
        words: str = "",
    ) -> ModelError:
        return ModelError(
            f"{self._title} {what}", remedy=remedy, reason=reason, transient=transient, raw=words
        )

    def _too_late(self) -> ModelError:
        return self._error(
            f"gave no whole answer within {self._server.timeout_s:g} s",
            "timeout",
            transient=True,
            remedy="Raise its timeout_s, ask for less, or use a smaller model or a faster machine",
        )

    def _unreachable(self, cause: httpx.TransportError) -> _FailedError:
        address = urlsplit(self._server.url)
        error = self._error(
            f"cannot be reached at {address.scheme}://{address.netloc} ({str(cause) or 'silence'})",
            "unreachable",
            transient=True,
            remedy="Start it, or correct its url in the settings",
        )
        return _FailedError(error, retry=True)

    def _words(self, data: bytes) -> str:
        """What a server says in a body, short, without key and without pictures sent back."""
        text = data[:20_000].decode("utf-8", "replace")
        try:
            text = _message_in(json.loads(data)) or text
        except (ValueError, RecursionError):
            text = re.sub(r"(?is)<(script|style|head)\b.*?</\1>|<[^>]*>", " ", text)
        if self._server.api_key:
            text = text.replace(self._server.api_key, "***")
        text = re.sub(r"[A-Za-z0-9+/=_-]{80,}", "…", text)
        text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
        return text if len(text) <= _MOST_WORDS else text[: _MOST_WORDS - 1] + "…"


def _message_in(body: object) -> str:
    """The words of an error: ``{"error": "…"}``, ``{"error": {"message": "…"}}`` and the like."""
    for _ in range(4):
        if isinstance(body, str):
            return body
        if isinstance(body, list) and body:
            body = body[0]
        elif isinstance(body, dict):
            body = next((body[k] for k in ("error", "message", "detail", "msg") if k in body), None)
        else:
            return ""
    return ""


def _retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds that a server asks to be left alone; a date counts from the answer's own ``Date``.

    Source: RFC 9110, 10.2.3.
    """
    value = headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", value):
        return float(value)
    try:
        until, now = parsedate_to_datetime(value), parsedate_to_datetime(headers.get("date", ""))
        return max(0.0, (until - now).total_seconds())
    except (TypeError, ValueError):
        return None
