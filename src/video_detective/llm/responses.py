"""What a model server's HTTP response means: JSON, or an error that says what to do."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import cast
from urllib.parse import urlsplit

import httpx

from video_detective.errors import ModelError
from video_detective.llm.base import Server
from video_detective.llm.kinds import KINDS
from video_detective.llm.wire import Json

_MOST_WORDS = 300
_MOST_READ = 4000
_TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504, 507, 529})
_OVERLOADED = frozenset({429, 503, 529})
_CHECK_URL = "Check the server's url and kind in the settings"
_CHECK_LOG = "Read its log"

# The servers' own words: Ollama, vLLM, llama.cpp, LM Studio, in this order where they differ.
_TOO_LONG = re.compile(
    r"(?:max(?:imum)?|exceed\w*|available|input) .{0,40}(?:context|model) (?:length|size|window)"
    r"|context (?:length|size|window) .{0,40}exceed|prompt (?:is )?too long|context overflow"
)
_NO_IMAGES = re.compile(
    r"(?:image|vision|multimodal)\b.{0,40}\bnot (?:supported|enabled|available)"
    r"|(?:not support|no|without|missing) (?:image|vision|multimodal)|is not a multimodal"
    r"|(?:single|one|at most \d+) image"
)


class RejectedError(ModelError):
    """The server understood the request and will never take it; its words, not a model's."""

    @property
    def words(self) -> str:
        """What the server said."""
        return self.raw


class FailedError(Exception):
    """An attempt's failure: what it means, whether another may help, and after which pause."""

    def __init__(self, error: ModelError, *, retry: bool, after_s: float | None = None) -> None:
        super().__init__(error.message)
        self.error = error
        self.retry = retry
        self.after_s = after_s or 0.0


class Responses:
    """Reads the responses of one server; no error of it holds the server's key or a picture.

    Args:
        server: Whose.
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self._title = f"Model server {server.name!r}"

    def read(self, response: httpx.Response, data: bytes, model: str) -> Json:
        """The JSON object in a response.

        Args:
            response: Its status and headers.
            data: Its whole body.
            model: Whom the request was for.

        Raises:
            FailedError: it is no success, or no JSON object.
        """
        status = response.status_code
        if 300 <= status < 400:
            target = urlsplit(response.headers.get("location", "")).netloc.rpartition("@")[2]
            what = f"redirects{' to ' if target else ''}{target} (HTTP {status})"
            remedy = "Redirects are not followed: set the server's url to where it really is"
            raise FailedError(self.error(what, "server", remedy=remedy), retry=False)
        if not response.is_success:
            words = self._words(data)
            rejection = self._rejection(status, words, model)
            if rejection is not None:
                raise FailedError(rejection, retry=False)
            pause_s = _retry_after_s(response.headers)
            raise FailedError(self._trouble(status, words), retry=True, after_s=pause_s)
        try:
            body = json.loads(data)
        except (ValueError, RecursionError) as cause:
            is_page = "html" in response.headers.get("content-type", "") or data[:1] == b"<"
            error = self.error(
                f"answers with {'a web page' if is_page else 'something that is no JSON'}",
                "server",
                transient=not is_page,
                remedy=_CHECK_URL,
                words=self._words(data),
            )
            raise FailedError(error, retry=not is_page) from cause
        if not isinstance(body, dict):
            error = self.error("answers with JSON that is no object", "server", remedy=_CHECK_URL)
            raise FailedError(error, retry=False)
        if body.get("error"):  # Ollama, once it generates, and some proxies fail with a 200
            raise FailedError(self._trouble(status, self._words(data)), retry=True)
        return cast("Json", body)

    def _rejection(self, status: int, words: str, model: str) -> RejectedError | None:
        """What a status and its words mean when the same request can never succeed."""
        traits, low = KINDS[self._server.kind], words.lower()
        if status in (401, 403):
            meaning = ("refuses the key", "refused", "Check the key that api_key_env names")
        elif status == 404 and "model" in low:
            remedy = traits.get_model.format(model=model)
            meaning = (f"has no model {model!r}", "no_model", remedy)
        elif status in (404, 405):
            meaning = ("does not know the address asked for", "server", _CHECK_URL)
        elif status == 413 or _TOO_LONG.search(low):
            remedy = f"{traits.widen_context}, or send less"
            meaning = ("cannot take so long a prompt", "truncated", remedy)
        elif _NO_IMAGES.search(low):
            remedy = "Use a model that takes pictures, or send fewer"
            meaning = ("does not take the pictures", "no_images", remedy)
        elif "more system memory" in low:  # Ollama: the model is larger than the machine
            meaning = ("cannot load the model", "server", "Use a smaller model")
        elif status not in _TRANSIENT:
            meaning = ("does not take the request", "server", _CHECK_LOG)
        else:
            return None
        what, reason, remedy = meaning
        message = f"{self._title} {what} (HTTP {status}{': ' if words else ''}{words})"
        return RejectedError(message, remedy=remedy, reason=reason, transient=False, raw=words)

    def _trouble(self, status: int, words: str) -> ModelError:
        said = f" (HTTP {status}{': ' if words else ''}{words})"
        if status not in _OVERLOADED:
            return self.error(f"fails{said}", "server", transient=True, words=words)
        return self.error(
            f"is overloaded{said}",
            "overloaded",
            transient=True,
            remedy="Try again later, or lower the server's concurrency",
            words=words,
        )

    def error(
        self,
        what: str,
        reason: str,
        *,
        transient: bool = False,
        remedy: str = _CHECK_LOG,
        words: str = "",
    ) -> ModelError:
        """An error about the server; ``words`` is what it said, from ``shown``."""
        return ModelError(
            f"{self._title} {what}", remedy=remedy, reason=reason, transient=transient, raw=words
        )

    def too_late(self) -> ModelError:
        """The error of a server that gave no whole answer in its time."""
        return self.error(
            f"gave no whole answer within {self._server.timeout_s:g} s",
            "timeout",
            transient=True,
            remedy="Raise its timeout_s, ask for less, or use a smaller model or a faster machine",
        )

    def unreachable(self, cause: httpx.TransportError) -> FailedError:
        """The failure of a connection that was never made."""
        address = urlsplit(self._server.url)
        error = self.error(
            f"cannot be reached at {address.scheme}://{address.netloc} ({str(cause) or 'silence'})",
            "unreachable",
            transient=True,
            remedy="Start it, or correct its url in the settings",
        )
        return FailedError(error, retry=True)

    def shown(self, text: str) -> str:
        """Text of a server as it may be shown: short, in one line, without key and pictures."""
        if self._server.api_key:
            text = text.replace(self._server.api_key, "***")
        text = re.sub(r"data:[\w/]*;base64,[\w+/=-]*|[\w+/=-]{80,}", "…", text[:_MOST_READ])
        text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
        return text if len(text) <= _MOST_WORDS else text[: _MOST_WORDS - 1] + "…"

    def _words(self, data: bytes) -> str:
        text = data.decode("utf-8", "replace")
        try:
            return self.shown(_message_in(json.loads(data)) or text)
        except (ValueError, RecursionError):
            pattern = r"(?is)<(script|style|head)\b.*?</\1>|<[^>]*>"
            return self.shown(re.sub(pattern, " ", text[:_MOST_READ]))


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
