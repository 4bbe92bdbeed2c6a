"""Logs of a running service or worker: one JSON object a line, without secrets.

``time`` (RFC 3339 UTC, milliseconds), ``level``, ``logger``, ``message``; ``requestId``, ``jobId``
and ``node`` where there is one; ``error`` with the trace of an exception; and what a line adds.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from typing import Any, TextIO

from video_detective.pipeline.trace import job_id, request_id

HIDDEN = "[redacted]"
ACCESS = "video_detective.access"
"""The logger of one line for each request."""

_SHORTEST = 6
"""Shorter known secrets are not looked for: they would blot out half of every line."""
_NAMES = (
    r"(?:[\w-]*(?:password|passwd|pwd|secret|token|signature|credential|api[_-]?key|access[_-]?key)"
    r"|sig|key|pass)"
)
_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    # user:password@ of an address; the password may hold slashes and at signs.
    (re.compile(r"([A-Za-z][A-Za-z0-9+.-]*://[^\s:/@'\"]*:)[^\s'\"<>]*@"), rf"\1{HIDDEN}@"),
    (re.compile(r"([A-Za-z][A-Za-z0-9+.-]*://)[^\s/?#'\"<>]*@"), rf"\1{HIDDEN}@"),
    # Our own keys keep the part by which they are looked up.
    (re.compile(r"(vd_live_[A-Za-z0-9]{8})[A-Za-z0-9_-]+"), rf"\1{HIDDEN}"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{6,}"), rf"\1 {HIDDEN}"),
    (re.compile(rf"(?i)([?&;]{_NAMES}=)[^&#\s'\"]+"), rf"\1{HIDDEN}"),
    (
        re.compile(
            rf"(?i)((?<![\w-]){_NAMES}['\"]?\s*[:=]\s*)(\"[^\"]*\"|'[^']*'|[^\s,;&'\"}}\])]+)"
        ),
        rf"\1{HIDDEN}",
    ),
    (re.compile(r"\b((?:sk|pk|rk|whsec|ghp|xox[a-z])[-_])[A-Za-z0-9_-]{12,}"), rf"\1{HIDDEN}"),
    # What secrets.token_urlsafe(32) gives; hashes and ids are of one case.
    (
        re.compile(
            r"(?<![\w-])(?=[\w-]*[a-z])(?=[\w-]*[A-Z])(?=[\w-]*\d)[A-Za-z0-9_-]{40,}(?![\w-])"
        ),
        HIDDEN,
    ),
)


def redacted(text: str, secrets: Collection[str] = ()) -> str:
    """The text without anything that looks like a credential, or is one of ``secrets``.

    A last line of defence: whoever logs does not hand over secrets to begin with.
    """
    for secret in secrets:
        if len(secret) >= _SHORTEST:
            text = text.replace(secret, HIDDEN)
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text


class JsonLines(logging.Formatter):
    """One JSON object a line.

    Args:
        node: Id of this machine; "" for none.
        secrets: Known ones, never written.
    """

    def __init__(self, *, node: str = "", secrets: Iterable[str] = ()) -> None:
        super().__init__()
        self._node = node
        # The longer first: one secret may begin with another.
        self._secrets = sorted({secret for secret in secrets if secret}, key=len, reverse=True)

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line: dict[str, Any] = {
            "time": time[:-6] + "Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": self._clean(record.getMessage()),
            "requestId": getattr(record, "request_id", "") or request_id(),
            "jobId": getattr(record, "job_id", "") or job_id(),
            "node": self._node,
        }
        line = {key: value for key, value in line.items() if value or key == "message"}
        fields = getattr(record, "fields", None)
        if isinstance(fields, dict):
            line |= {
                key: self._clean(value) if isinstance(value, str) else value
                for key, value in fields.items()
            }
        if record.exc_info:
            line["error"] = self._clean(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=True, default=str)

    def _clean(self, text: str) -> str:
        return redacted(text, self._secrets) if len(text) >= _SHORTEST else text


def log_as_json(
    *, node: str = "", secrets: Iterable[str] = (), stream: TextIO | None = None
) -> None:
    """Let this process log JSON lines only, its own from INFO on (all of them with ``--debug``).

    Args:
        node: Id of this machine; "" for none.
        secrets: Known ones, never written.
        stream: Standard error when None.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines(node=node, secrets=secrets))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    ours = logging.getLogger("video_detective")
    if ours.level != logging.DEBUG:
        ours.setLevel(logging.INFO)
