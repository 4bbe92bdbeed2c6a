"""How tokens stand in the full-text index of either database."""

from __future__ import annotations

import re
from collections.abc import Iterable

from video_detective.storage.dialects import storable_text

EVERY = "=all"
"""Every document has it: what a search without words begins from."""
LONG = "=long"
"""Held for longer than ``documents.LONG_NS``, or still goes on."""

MAX_TOKEN_LENGTH = 120
"""Characters; a longer token is cut, in documents and in questions alike."""
MAX_TOKENS_LENGTH = 200_000
"""Characters of all tokens of a document: PostgreSQL holds at most 1 MB of them."""

_OTHER = re.compile(r"[^a-z0-9:_.@\u0080-\U0010ffff-]")


def index_token(token: str) -> str:
    """The token in the letters that both indexes keep whole; others become ``%`` and their code.

    No text gives a token with ``=``, so those that begin with it are this program's own; none has
    a space, a quote or a sign that means something in a query.

    >>> index_token("C:Red 'x'")
    '%43:%52ed%20%27x%27'
    """
    safe = _OTHER.sub(lambda match: f"%{ord(match[0]):02x}", storable_text(token))
    return safe[:MAX_TOKEN_LENGTH]


def camera_token(camera_id: str) -> str:
    """What every document of a camera has."""
    return f"=cam:{index_token(camera_id)}"


def joined(tokens: Iterable[str]) -> str:
    """Tokens as a document keeps them: each once, in order, as many as fit."""
    kept: list[str] = []
    length = 0
    for token in sorted(set(tokens)):
        length += len(token) + 1
        if length > MAX_TOKENS_LENGTH:
            break
        kept.append(token)
    return " ".join(kept)
