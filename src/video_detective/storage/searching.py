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

from sqlalchemy import RowMapping, select
from sqlalchemy.ext.asyncio import AsyncConnection

from video_detective.errors import UsageError
from video_detective.search.base import Hit, Hits, IndexQuery
from video_detective.storage import fulltext
from video_detective.storage.documents import MOMENT
from video_detective.storage.matching import Matching, Sought, Tiers
from video_detective.storage.reading import chunks
from video_detective.storage.tables import DOCUMENT_PARTS

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
        framed: Some of its words may be those of frames.
        parts: Of each group: BM25 without the group's rarity, 0 where the document lacks it.
        weight: Of all groups that it has.
    """

    document_id: int
    event_id: str
    start_ns: int
    framed: bool
    parts: tuple[float, ...]
    weight: float

    @property
    def tier(self) -> int:
        """How many groups it has."""
        return sum(map(bool, self.parts))


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
    blocks, is_all = await _best(connection, matching, wanted, few=query.since_ns is not None)
    if is_all:
        complete = sum(matching.is_complete(found.parts) for block in blocks for found in block)
    else:
        complete = await _count_complete(connection, matching)
    rarity = await _rarities(connection, matching, blocks)
    ranked = [pair for block in blocks for pair in _ranked(block, rarity)]
    page = ranked[query.offset : wanted]
    frames = await _frames(connection, matching, [found for _, found in page if found.framed])
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


async def _best(
    connection: AsyncConnection, matching: Matching, wanted: int, *, few: bool
) -> tuple[list[list[_Found]], bool]:
    """The first blocks, of at least so many documents, and whether there are no others.

    Args:
        connection: Any.
        matching: What is asked.
        wanted: How many documents.
        few: There may well be no more than a block of all tiers together.
    """
    least, most = matching.tiers.least, matching.tiers.most
    blocks: list[list[_Found]] = []
    count = 0
    for tier in range(most, least - 1, -1):
        if tier > least and tier == (most if few else most - 1):
            # All tiers that are left at once; if they are more than a block, one by one after all.
            rest = _Blocks(connection, matching, Tiers(least, tier))
            block = await rest.next()
            if rest.is_exhausted:
                blocks += (
                    [found for found in block if found.tier == one]
                    for one in range(tier, least - 1, -1)
                )
                return blocks, True
        one = _Blocks(connection, matching, Tiers(tier, tier))
        while count < wanted and (block := await one.next()):
            blocks.append(block)
            count += len(block)
        if count >= wanted:
            return blocks, tier == least and one.is_exhausted
    return blocks, True


class _Blocks:
    """Documents of some tiers in blocks of whole moments, so that both databases cut alike."""

    def __init__(self, connection: AsyncConnection, matching: Matching, tiers: Tiers) -> None:
        self._connection = connection
        self._matching = matching
        self._tiers = tiers
        self._is_partial = tiers.least < len(matching.groups)
        has_words = any(sought.words for sought in matching.groups)
        self._needs_text = has_words or (self._is_partial and matching.needs_text)
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
            if before.document_id // MOMENT != after.document_id // MOMENT:
                return index
        return None

    async def _read_on(self) -> None:
        """Read all spans that are left, each up to a block; forget those that gave all."""
        asked = self._matching.newest(
            self._tiers,
            self._spans,
            BLOCK + 1,
            tokens=self._is_partial,
            text=self._needs_text,
        )
        if asked is None:
            self._spans.clear()
            return
        rows = (await self._connection.execute(asked.statement, asked.values)).all()
        found = [self._found(*row) for row in rows]
        found.sort(key=lambda one: -one.document_id)
        while self._spans:
            span = self._spans.pop(0)
            own = [one for one in found if span.first is None or one.document_id >= span.first]
            self._read += own
            found = found[len(own) :]
            if len(own) > BLOCK:
                self._spans.insert(0, replace(span, last=own[-1].document_id - 1))
                break

    def _found(
        self, document_id: int, event_id: str, start_ns: int, framed: bool, tokens: str, text: str
    ) -> _Found:
        groups = self._matching.groups
        if self._is_partial:
            tokens = fulltext.spaced(tokens)
            has = [sought.is_in(tokens, text) for sought in groups]
        else:
            has = [True] * len(groups)
        return _Found(
            document_id=document_id,
            event_id=event_id,
            start_ns=start_ns,
            framed=framed,
            parts=tuple(
                _part(sought, text) if had else 0.0 for sought, had in zip(groups, has, strict=True)
            ),
            weight=sum(sought.group.weight for sought, had in zip(groups, has, strict=True) if had),
        )


def _part(sought: Sought, text: str) -> float:
    """BM25 of a group in a document that has it, but for the group's rarity."""
    if not sought.words:
        return 1.0
    often = max(1, *map(text.count, sought.words))
    return often * (_K1 + 1) / (often + _K1 * (1 - _B + _B * len(text) / _USUAL_LENGTH))


async def _rarities(
    connection: AsyncConnection, matching: Matching, blocks: Sequence[Sequence[_Found]]
) -> list[float]:
    """What each group counts in BM25 (its idf); 1 for all where the order is the same anyway."""
    if not any(_depends_on_rarity(block) for block in blocks):
        return [1.0] * len(matching.groups)
    asked = matching.rare(_RARE)
    counts = (await connection.execute(asked.statement, asked.values)).one()
    return [math.log(1 + (_RARE - count + 0.5) / (count + 0.5)) for count in counts]


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
    """How many documents have every group that they need, ``COUNTED_TO`` or more if so many."""
    asked = matching.complete(COUNTED_TO)
    if asked is None:
        return 0
    return await connection.scalar(asked.statement, asked.values) or 0


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
