"""Search of the documents: the same hits in the same order on either database.

Documents are taken by how many groups they have (*tiers*, most first), and within a tier in
*blocks* of about ``BLOCK``, newest first. Within a block they are ranked by the weights of their
groups, then by BM25, then newest first. So the order does not depend on how many hits are asked
for, and only as many documents are looked at as the answer needs. Only filtering is left to the
database; everything that decides the order is computed here.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from sqlalchemy import RowMapping, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from video_detective.errors import UsageError
from video_detective.search.base import Hit, Hits, IndexQuery
from video_detective.storage import fulltext
from video_detective.storage.documents import moment_of
from video_detective.storage.matching import Matching, Sought
from video_detective.storage.reading import chunks
from video_detective.storage.tables import DOCUMENT_PARTS, EVENT_DOCUMENTS

Kind = Literal["sqlite", "postgresql"]

COUNTED_TO = 10_000
BLOCK = 200

_MAX_LIMIT = 1000
_K1, _B = 1.2, 0.75
"""Of BM25: Robertson and Zaragoza, The Probabilistic Relevance Framework (2009), section 3.2."""
_USUAL_LENGTH = 200
"""Characters of a usual document; the mean of all would change with every event."""
_RARE = 2000
"""For BM25 documents are counted up to here: a group that more of them have tells nothing."""


@dataclass(frozen=True, slots=True)
class _Found:
    """A document that matches.

    Args:
        document_id, event_id, start_ns: Which.
        parts: Of each group: BM25 without the group's rarity, 0 where the document lacks it.
        weight: Of all groups that it has.
    """

    document_id: int
    event_id: str
    start_ns: int
    parts: tuple[float, ...]
    weight: float


async def search(connection: AsyncConnection, kind: Kind, query: IndexQuery) -> Hits:
    """One page of hits.

    Args:
        connection: Any; of one transaction, so that all its questions are answered alike.
        kind: Which database.
        query: What is asked.

    Raises:
        UsageError: limit, offset or the number of words cannot be meant.
    """
    if not 1 <= query.limit <= _MAX_LIMIT or query.offset < 0:
        raise UsageError(
            f"A page of {query.limit} hits after {query.offset} cannot be made",
            remedy=f"Ask for 1 to {_MAX_LIMIT}, after 0 or more",
        )
    matching = Matching(kind, query)
    wanted = query.offset + query.limit
    blocks: list[list[_Found]] = []
    found = 0
    for tier in matching.tiers():
        tier_blocks = _Blocks(connection, matching, tier)
        while found < wanted and (block := await tier_blocks.next()):
            blocks.append(block)
            found += len(block)
        if found >= wanted:
            break
    complete = await _count_complete(connection, matching)
    rarity = await _rarities(connection, matching, blocks)
    ranked = [pair for block in blocks for pair in _ranked(block, rarity)]
    page = ranked[query.offset : wanted]
    frames = await _frames(connection, matching, [found for _, found in page])
    return Hits(
        hits=[
            Hit(
                event_id=found.event_id,
                matched=tuple(sought.group.key for sought in _had(matching, found)),
                complete=matching.is_complete(found.parts),
                score=score,
                start_ns=found.start_ns,
                frame_id=frames.get(found.event_id),
            )
            for score, found in page
        ],
        complete=min(complete, COUNTED_TO),
        counted_to=COUNTED_TO,
    )


class _Blocks:
    """A tier's documents in blocks of whole moments, so that both databases cut alike."""

    def __init__(self, connection: AsyncConnection, matching: Matching, tier: int) -> None:
        self._connection = connection
        self._matching = matching
        self._is_partial = tier < len(matching.groups)
        self._has_words = any(any(sought.words()) for sought in matching.groups)
        document = EVENT_DOCUMENTS.c
        columns = [document.document_id, document.event_id, document.start_ns]
        columns += [document.tokens] if self._is_partial else []
        columns += [document.text] if self._is_partial or self._has_words else []
        self._tier = tier
        self._columns = columns
        self._spans = list(matching.spans())
        self._read: list[_Found] = []

    @property
    def is_exhausted(self) -> bool:
        """Whether there is no further block."""
        return not self._spans and not self._read

    async def next(self) -> list[_Found]:
        """The next block, newest first; empty when there is none."""
        end = self._end_of_block()
        while end is None and self._spans:
            await self._read_on()
            end = self._end_of_block()
        block = self._read[:end]
        self._read = [] if end is None else self._read[end:]
        return block

    def _end_of_block(self) -> int | None:
        for index in range(BLOCK, len(self._read)):
            before, after = self._read[index - 1], self._read[index]
            if moment_of(before.document_id) != moment_of(after.document_id):
                return index
        return None

    async def _read_on(self) -> None:
        span = self._spans[0]
        statement = self._matching.documents(self._tier, span, self._columns)
        if statement is None:
            self._spans.clear()
            return
        newest = statement.order_by(self._matching.place.desc()).limit(BLOCK + 1)
        rows = (await self._connection.execute(newest)).mappings().all()
        self._read += [self._found(row) for row in rows]
        if len(rows) <= BLOCK:
            del self._spans[0]
        else:
            self._spans[0] = replace(span, last=rows[-1]["document_id"] - 1)

    def _found(self, row: RowMapping) -> _Found:
        groups = self._matching.groups
        text = row.get("text", "")
        if self._is_partial:
            tokens = fulltext.spaced(row["tokens"])
            has = [sought.is_in(tokens, text) for sought in groups]
        else:
            has = [True] * len(groups)
        return _Found(
            document_id=row["document_id"],
            event_id=row["event_id"],
            start_ns=row["start_ns"],
            parts=tuple(
                _part(sought, text) if had else 0.0 for sought, had in zip(groups, has, strict=True)
            ),
            weight=sum(sought.group.weight for sought, had in zip(groups, has, strict=True) if had),
        )


def _part(sought: Sought, text: str) -> float:
    """BM25 of a group in a document that has it, but for the group's rarity."""
    counts = [text.count(word) for word in sought.words()]
    if not counts:
        return 1.0
    often = max(1, *counts)
    return often * (_K1 + 1) / (often + _K1 * (1 - _B + _B * len(text) / _USUAL_LENGTH))


async def _rarities(
    connection: AsyncConnection, matching: Matching, blocks: Sequence[Sequence[_Found]]
) -> list[float]:
    """What each group counts in BM25 (its idf); 1 for all where the order is the same anyway."""
    rarities = [1.0] * len(matching.groups)
    if not any(_depends_on_rarity(block) for block in blocks):
        return rarities
    for index, sought in enumerate(matching.groups):
        having = matching.having(sought, _RARE)
        if having is not None:
            counted = select(func.count()).select_from(having.subquery())
            count = await connection.scalar(counted) or 0
            rarities[index] = math.log(1 + (_RARE - count + 0.5) / (count + 0.5))
    return rarities


def _depends_on_rarity(block: Sequence[_Found]) -> bool:
    """Whether documents of the same weight differ in more than one group."""
    by_weight: dict[float, list[set[float]]] = {}
    for found in block:
        seen = by_weight.setdefault(found.weight, [set() for _ in found.parts])
        for values, part in zip(seen, found.parts, strict=True):
            values.add(part)
    return any(sum(len(values) > 1 for values in seen) > 1 for seen in by_weight.values())


def _ranked(block: Sequence[_Found], rarity: Sequence[float]) -> list[tuple[float, _Found]]:
    scored = [(sum(map(operator.mul, found.parts, rarity)), found) for found in block]
    return sorted(
        scored,
        key=lambda pair: (-pair[1].weight, -pair[0], -pair[1].start_ns, pair[1].event_id),
    )


async def _count_complete(connection: AsyncConnection, matching: Matching) -> int:
    """How many documents have every group that they need, up to ``COUNTED_TO``."""
    count = 0
    for span in matching.spans():
        found = matching.complete(span)
        if found is not None and count < COUNTED_TO:
            some = found.limit(COUNTED_TO - count).subquery()
            count += await connection.scalar(select(func.count()).select_from(some)) or 0
    return count


def _had(matching: Matching, found: _Found) -> list[Sought]:
    return [sought for sought, part in zip(matching.groups, found.parts, strict=True) if part]


async def _frames(
    connection: AsyncConnection, matching: Matching, page: Sequence[_Found]
) -> dict[str, str]:
    """Of events that have some of their groups from frames only: the frame with most of those."""
    by_event: dict[str, list[RowMapping]] = {}
    for chunk in chunks([found.event_id for found in page] if matching.groups else []):
        query = select(DOCUMENT_PARTS).where(DOCUMENT_PARTS.c.event_id.in_(chunk))
        rows = await connection.execute(query.order_by(DOCUMENT_PARTS.c.frame_id))
        for row in rows.mappings():
            by_event.setdefault(row["event_id"], []).append(row)
    frames: dict[str, str] = {}
    for found in page:
        parts = by_event.get(found.event_id)
        if parts is None:
            continue
        # In order of frame id: the event's own words, whose id is empty, come first.
        own, *shown = parts
        lacking = [sought for sought in _had(matching, found) if not _is_in_part(sought, own)]
        best = max(shown, key=lambda part: sum(_is_in_part(sought, part) for sought in lacking))
        if any(_is_in_part(sought, best) for sought in lacking):
            frames[found.event_id] = best["frame_id"]
    return frames


def _is_in_part(sought: Sought, part: RowMapping) -> bool:
    return sought.is_in(fulltext.spaced(part["tokens"]), part["text"])
