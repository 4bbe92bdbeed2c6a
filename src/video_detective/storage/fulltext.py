"""How tokens stand in the full-text index of either database."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import Literal

from video_detective.search.base import Term
from video_detective.storage.dialects import storable_text

EVERY = "=all"
"""Every document has it: what a search without words begins from."""
LONG = "=long"
"""Held for longer than ``documents.LONG_NS``, or still goes on."""
DAYS = "=days"
"""Held for longer than ``documents.DAY_NS``, or still goes on."""

MAX_TOKEN_LENGTH = 120
"""Characters; of a longer token the beginning and a digest are held."""
_KEPT_LENGTH = 100
MAX_TOKENS_LENGTH = 200_000
"""Characters of all tokens of a document: PostgreSQL holds at most 1 MB of them."""

_OTHER = re.compile(r"[^a-z0-9:_.@\u0080-\U0010ffff-]")
_PLAIN = re.compile(rf"[a-z0-9:_.@-]{{1,{MAX_TOKEN_LENGTH}}}")
"""A token that is held as it is."""


def index_token(token: str) -> str:
    """The token in the letters that both indexes keep whole; others become ``%`` and their code.

    No text gives a token with ``=``, so those that begin with it are this program's own; none has
    a space, a quote or a sign that means something in a query.

    >>> index_token("C:Red 'x'")
    '%43:%52ed%20%27x%27'
    """
    safe = _safe(token)
    if len(safe) <= MAX_TOKEN_LENGTH:
        return safe
    digest = hashlib.blake2b(safe.encode(), digest_size=8).hexdigest()
    return f"{safe[:_KEPT_LENGTH]}%{digest}"


def _safe(token: str) -> str:
    return _OTHER.sub(lambda match: f"%{ord(match[0]):02x}", storable_text(token))


@lru_cache(maxsize=1 << 16)
def held_for(token: str) -> tuple[str, ...]:
    """What the index holds for a token of a document.

    Of a Chinese one also its first character, so that a single character need not be looked for
    through every token that begins with it; of a single character only that.
    """
    held = index_token(token)
    if held.isascii() or held[0].isascii():
        return (held,) if held else ()
    return (f"={held}",) if len(held) == 1 else (held, f"={held[0]}")


@lru_cache(maxsize=1024)
def camera_token(camera_id: str) -> str:
    """What every document of a camera has."""
    return f"=cam:{index_token(camera_id)}"


FRAMES = "=frames"
"""Has parts (``DOCUMENT_PARTS``): words of frames."""


def joined(marks: Iterable[str], usual: frozenset[str], own: Iterable[str]) -> str:
    """Tokens of a document as it is stored: each once, as many as fit.

    Args:
        marks: This program's own; they come first, so that they are there in any case.
        usual: What is remembered, see ``Document.usual``.
        own: Other tokens.
    """
    known, text = _usual(usual)
    others: set[str] = set()
    for token in own:
        # Ids and numbers, mostly of this document alone.
        others.update((token,) if _PLAIN.fullmatch(token) else held_for(token))
    others -= known
    text = " ".join([*marks, *([text] if text else []), *sorted(others)])
    # Cut behind a whole token.
    return text if len(text) <= MAX_TOKENS_LENGTH else text[:MAX_TOKENS_LENGTH].rpartition(" ")[0]


@lru_cache(maxsize=4096)
def _usual(tokens: frozenset[str]) -> tuple[frozenset[str], str]:
    known = frozenset(chain.from_iterable(map(held_for, tokens)))
    return known, " ".join(sorted(known))


@dataclass(frozen=True, slots=True)
class Syntax:
    """How one of the two databases writes a query of its index.

    Args:
        both, either, but_not: Between two operands.
        quote: Around a token; no token has it inside.
        prefix: After a quoted token that is a beginning.
    """

    both: str
    either: str
    but_not: str
    quote: str
    prefix: str


SYNTAX: Mapping[Literal["sqlite", "postgresql"], Syntax] = {
    "sqlite": Syntax(" AND ", " OR ", " NOT ", '"', " *"),
    "postgresql": Syntax(" & ", " | ", " & !", "'", ":*"),
}
"""https://www.sqlite.org/fts5.html#full_text_query_syntax; PostgreSQL documentation, 8.11.2."""


@dataclass(frozen=True, slots=True)
class Way:
    """A term as the index and the documents' text take it: all of it must hold.

    Args:
        tokens: In the index's letters, and whether each is only a beginning.
        text: Must occur in the document's text; "" for nothing.
    """

    tokens: tuple[tuple[str, bool], ...]
    text: str

    def needles(self) -> Iterator[str]:
        """What occurs in ``spaced`` tokens of a document that has the tokens."""
        for token, is_beginning in self.tokens:
            yield f" {token}" if is_beginning else f" {token} "


def way(term: Term) -> Way | None:
    """The term; None when no document can satisfy it, because it asks for nothing."""
    tokens: list[tuple[str, bool]] = []
    for token in term.tokens:
        wanted = index_token(token.removesuffix("*"))
        if len(wanted) == 1 and not wanted.isascii():
            # Alone or the beginning of another: see ``held_for``.
            tokens.append((f"={wanted}", False))
        else:
            is_beginning = token.endswith("*")
            wanted = _safe(token[:-1])[:_KEPT_LENGTH] if is_beginning else wanted
            tokens.append((wanted, is_beginning))
    if not tokens or any(not token for token, _ in tokens):
        return None
    return Way(tuple(tokens), storable_text(term.text))


def spaced(tokens: str) -> str:
    """A document's tokens, each between spaces."""
    return f" {tokens} "


def has_token(syntax: Syntax, token: str, *, is_beginning: bool = False) -> str:
    """The query for one token, which must come from this module."""
    return f"{syntax.quote}{token}{syntax.quote}{syntax.prefix if is_beginning else ''}"


def has_any(syntax: Syntax, ways: Sequence[Way]) -> str:
    """The query for documents whose tokens satisfy any of the ways, of which there is one."""
    return either(
        syntax,
        [
            both(syntax, [has_token(syntax, token, is_beginning=b) for token, b in way.tokens])
            for way in ways
        ],
    )


def has_at_least(syntax: Syntax, count: int, queries: Sequence[str]) -> str:
    """The query for documents that match at least ``count`` (1 or more) of the queries."""
    if count == len(queries):
        return both(syntax, queries)
    if count == 1:
        return either(syntax, queries)
    first, rest = queries[0], queries[1:]
    with_first = both(syntax, [first, has_at_least(syntax, count - 1, rest)])
    return either(syntax, [with_first, has_at_least(syntax, count, rest)])


def both(syntax: Syntax, queries: Sequence[str]) -> str:
    """The query for documents that match all of the queries."""
    return queries[0] if len(queries) == 1 else f"({syntax.both.join(queries)})"


def either(syntax: Syntax, queries: Sequence[str]) -> str:
    """The query for documents that match any of the queries."""
    return queries[0] if len(queries) == 1 else f"({syntax.either.join(queries)})"


def but_not(syntax: Syntax, query: str, unwanted: str) -> str:
    """The query for documents that match one query and not the other."""
    return f"({query}{syntax.but_not}{unwanted})"
