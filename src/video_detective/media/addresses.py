"""Addresses of streams: which are allowed, and how they are shown without their secrets."""

from __future__ import annotations

import re

LIVE_SCHEMES = ("rtsp", "rtsps", "http", "https")

_SCHEME = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]+)(?P<options>,[^:]*)?:")
"""At least two characters, because ``C:`` is a drive."""
_SECRET = re.compile(
    r"(?i)(?<![a-z])(?P<key>user(?:name)?|usr|login|pass(?:word|wd)?|pwd|token|(?:api)?_?key|auth"
    r"|secret|sig(?:nature)?)=[^&/?#;\s]*"
)
"""Cameras that take their password in the path or the query."""
_HOST = re.compile(r"(?:\[[^\]]*\]|[^:@/?#]*)(?::\d*)?")


def scheme_of(text: str) -> str | None:
    """The scheme that a text begins with, in lower case; None for a plain path.

    >>> scheme_of("RTSP://camera/1"), scheme_of("C:/clips/a.mp4"), scheme_of("concat:a|b")
    ('rtsp', None, 'concat')
    """
    match = _SCHEME.match(text)
    return match["scheme"].lower() if match else None


def without_secret(address: str) -> str:
    """An address as it may be shown: no user, no password, no token.

    A password may hold unescaped ``/``, ``?``, ``#`` or ``@``: whenever the part up to the first
    slash is not plainly a host and port, everything up to the last ``@`` is taken for secret.

    >>> without_secret("rtsp://admin:a@b/c@10.0.0.9:554/ch1?token=x&channel=2")
    'rtsp://10.0.0.9:554/ch1?token=***&channel=2'
    """
    scheme, separator, rest = address.partition("://")
    if not separator:
        return _SECRET.sub(r"\g<key>=***", address)
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if not _HOST.fullmatch(authority):
        rest = rest.rpartition("@")[2] if "@" in rest else "***"
    return f"{scheme}{separator}" + _SECRET.sub(r"\g<key>=***", rest)
