"""One ranking out of two: of events found by their words, and by what their texts mean.

Source: Cormack, Clarke, Büttcher, Reciprocal Rank Fusion outperforms Condorcet and individual Rank
Learning Methods (SIGIR 2009); ``K`` is theirs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from video_detective.search.base import Hit

K = 60
"""How much the first ranks count above the later ones; smaller is more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Near:
    """An event whose text is like a question.

    Args:
        event_id: Which event.
        similarity: Cosine of the angle between their vectors, -1..1.
        start_ns: Of the event.
    """

    event_id: str
    similarity: float
    start_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An event that may answer a question.

    Args:
        event_id: Which event.
        start_ns: Of the event.
        hit: How its words match; None when it was found by its vector only.
        similarity: Of its vector; None when that is not among the nearest.
    """

    event_id: str
    start_ns: int
    hit: Hit | None
    similarity: float | None

    @property
    def is_complete(self) -> bool:
        """Its words say everything that is asked for."""
        return self.hit is not None and self.hit.complete


def fuse(hits: Sequence[Hit], near: Sequence[Near]) -> list[Candidate]:
    """Events found by words and by vectors, each once.

    Those whose words match completely come first, whatever the vectors say: a vector cannot tell
    red from blue or the front gate from the back door. Vectors change the order among them, and
    among the rest, where they add what no word found. What stands there is like the question, but
    nothing says that it is an answer: "was there …?" is answered from ``is_complete`` alone.

    A question without words (a camera, a period) has hits that match nothing in particular: they
    stay as they are, and vectors add none. There is no need to ask for vectors then.

    Ask for as many of either as all pages together are to have (such as 200), fuse, and cut the
    page out of the result. The conditions (cameras, period, without) must be the same for both::

        hits = (await database.search(query)).hits
        near = await nearest(workspace, question, query)  # services.embedding; none when not set
        candidates = fuse(hits, near.events)

    Args:
        hits: Best first, each event once.
        near: Most similar first, each event once.

    Returns:
        By falling sum of ``1 / (K + rank)`` in the two rankings, complete ones before others. Of
        equals, those found by words come first, in their order, then the newest. Without ``near``,
        the hits in their order.
    """
    complete = [hit for hit in hits if hit.complete]
    others = [hit for hit in hits if not hit.complete]
    if complete and not any(hit.matched for hit in complete):
        return [_candidate(hit.event_id, hit.start_ns, hit, None) for hit in hits]
    are_complete = {hit.event_id for hit in complete}
    return [
        *_fused(complete, [found for found in near if found.event_id in are_complete]),
        *_fused(others, [found for found in near if found.event_id not in are_complete]),
    ]


def _fused(hits: Sequence[Hit], near: Sequence[Near]) -> list[Candidate]:
    by_words = {hit.event_id: (rank, hit) for rank, hit in enumerate(hits, 1)}
    by_vector = {found.event_id: (rank, found) for rank, found in enumerate(near, 1)}
    ranked = []
    for event_id in dict.fromkeys([*by_words, *by_vector]):
        words_rank, hit = by_words.get(event_id, (None, None))
        vector_rank, found = by_vector.get(event_id, (None, None))
        score = sum(1 / (K + rank) for rank in (words_rank, vector_rank) if rank is not None)
        start_ns = hit.start_ns if hit is not None else found.start_ns if found is not None else 0
        similarity = None if found is None else found.similarity
        place = (-score, words_rank is None, words_rank or 0, -start_ns, event_id)
        ranked.append((place, _candidate(event_id, start_ns, hit, similarity)))
    return [candidate for _, candidate in sorted(ranked, key=lambda pair: pair[0])]


def _candidate(
    event_id: str, start_ns: int, hit: Hit | None, similarity: float | None
) -> Candidate:
    return Candidate(event_id=event_id, start_ns=start_ns, hit=hit, similarity=similarity)
