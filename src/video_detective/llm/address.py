"""Which addresses of servers may be called."""

from __future__ import annotations

from urllib.parse import urlsplit


def url_problem(url: str) -> str | None:
    """Why the address is none that may be called, or None when it is one. Never repeats secrets."""
    if not url.isprintable() or " " in url:
        return "must not hold spaces or control characters"
    try:
        parts = urlsplit(url)
        port_is_right = parts.port is None or parts.port > 0
    except ValueError:
        return "is no address; write http://127.0.0.1:11434"
    if parts.scheme not in {"http", "https"} or not parts.hostname or not port_is_right:
        return f"{parts.scheme or '(no scheme)'}: write an http:// or https:// address with a host"
    if "@" in parts.netloc:
        return "must not hold a user or password; put the key into api_key_env"
    if parts.query or parts.fragment:
        return "must end with the path"
    return None


def server_url_problem(url: str) -> str | None:
    """The same of a model server, whose protocol's part of the path is not written."""
    problem = url_problem(url)
    if problem is None and url.rstrip("/").endswith(("/v1", "/api")):
        return "must not end with /v1 or /api; leave that off"
    return problem


def key_problem(key: str) -> str | None:
    """Why the key can be in no header, or None when it can. Never repeats it."""
    if not key.isascii() or not key.isprintable() or " " in key:
        return "has characters that no key can have"
    return None
