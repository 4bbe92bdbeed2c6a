"""What is searched (documents), what is looked for (groups of terms), and what is found (hits).

A document's *tokens* are what the index holds: pairs of neighbouring Chinese characters, Latin
words, and concepts (``c:red``: whatever word said it). Its *text* is the folded text that a term's
own words must occur in: tokens alone would take 「門口停」 for a place where both 門口 and 口停
occur apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What the index keeps of an event or a frame.

    Args:
        usual: Tokens, without spaces. Of documents that are made alike the very same object, so
            that what becomes of it can be remembered.
        own: The other tokens.
        text: Folded (``tokens.fold``): what ``Term.text`` is looked for in.
    """

    usual: frozenset[str]
    own: frozenset[str]
    text: str

    @property
    def tokens(self) -> tuple[str, ...]:
        """All tokens, each once, sorted."""
        return tuple(sorted(self.usual | self.own))


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One way to satisfy a group.

    Args:
        tokens: All must be among the document's; one that ends in ``*`` is a beginning. At least
            one.
        text: Folded text that must occur in the document's, where tokens alone do not decide; "".
    """

    tokens: tuple[str, ...]
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """One thing that is asked for, in any of several words: a document has it or has it not.

    Args:
        key: Stable name for people and tests: ``type:loitering``, ``colour:red``, ``word:雨傘``.
        terms: Any of them satisfies the group.
        weight: How much the group counts among partial matches, 1 by default.
        refines: It narrows another group of the question (the very type among its kin): those that
            have it come first, and those that lack it answer the question all the same.
    """

    key: str
    terms: tuple[Term, ...]
    weight: float = 1.0
    refines: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexQuery:
    """A search of the index.

    Args:
        groups: What is looked for. Documents that have all come first, then those that lack one,
            and so on; none: every document, newest first.
        without: A document that has any of these is no match, whatever else it has.
        cameras: Only of these; empty means every camera.
        since_ns, until_ns: Only what held at some time in ``[since_ns, until_ns)``; None is open.
        only_complete: Only documents that have every group but those that refine; ``least`` then
            counts for nothing.
        least: How many groups a match must have; None means at least half of them, rounded up.
        limit: 1..1000 hits.
        offset: How many of the first hits to leave out.
    """

    groups: tuple[Group, ...] = ()
    without: tuple[Group, ...] = ()
    cameras: tuple[str, ...] = ()
    since_ns: int | None = None
    until_ns: int | None = None
    only_complete: bool = False
    least: int | None = None
    limit: int = 50
    offset: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A match, best first: more groups, then the better score, then the newer, then the id.

    Args:
        event_id: Which event.
        matched: Keys of the groups it has.
        complete: It has all of them, but for those that refine.
        score: BM25 of the matched words within their group, comparable within one answer only.
        start_ns: Of the event.
        frame_id: The frame whose words matched, when it was found by a frame; None otherwise.
    """

    event_id: str
    matched: tuple[str, ...]
    complete: bool
    score: float
    start_ns: int
    frame_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hits:
    """One page of hits.

    Args:
        hits: Best first.
        complete: How many events have every group but those that refine, up to ``counted_to``.
        counted_to: Where counting stopped (10,000): ``complete`` then means "at least".
    """

    hits: Sequence[Hit]
    complete: int
    counted_to: int
