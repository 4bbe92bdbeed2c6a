"""Signatures of webhooks: HMAC-SHA256 over the time and the body, as sent."""

from __future__ import annotations

import hashlib
import hmac
import secrets

HEADER = "X-VD-Signature"


def new_secret() -> str:
    """A secret of 256 bits."""
    return f"whsec_{secrets.token_urlsafe(32)}"


def sign(secret: str, body: bytes, timestamp_s: int) -> str:
    """The value of the header: ``t=<seconds since 1970>,v1=<hex>``.

    The time is signed too, so that an old request that somebody recorded can be told from a new
    one.

    >>> sign("s", b"{}", 1)
    't=1,v1=b253639bcd705ed1cda3073f66104f16988bd40272584dea7d0d345ae93e61cc'
    """
    signed = f"{timestamp_s}.".encode() + body
    digest = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    return f"t={timestamp_s},v1={digest}"
