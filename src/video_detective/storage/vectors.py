"""Embeddings of events: which are to be made, those that were, and the nearest to a question's.

A vector holds only while its event has a document, and that document is not in the queue of those
written since (``tables.VECTOR_QUEUE``). Triggers fill that queue in the transaction that writes the
document. So a text that changed, an event that was superseded or deleted, is never found by an old
vector, whoever changed it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Literal

from sqlalchemy import delete, func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from video_detective.search.base import IndexQuery
from video_detective.search.fusion import Near
from video_detective.storage import vectors_pgvector, vectors_rows, vectors_search
from video_detective.storage.documents import lock_events
from video_detective.storage.rows import RowValues
from video_detective.storage.tables import EVENT_DOCUMENTS, VECTOR_OUTBOX, VECTOR_QUEUE, VECTORS
from video_detective.storage.vectors_outbox import Outbox
from video_detective.storage.vectors_rows import DueText, InUse, NewVector

Kind = Literal["sqlite", "postgresql"]
Open = Callable[[], AbstractAsyncContextManager[AsyncConnection]]

EXACT_UP_TO = 10_000
"""Events; PostgreSQL compares these many with the question in about the time of its index."""


class Vectors:
    """The vectors of an open database. Every writing method is one transaction.

    Args:
        kind: Which database.
        reading, writing: Open a connection for it.

    Attributes:
        outbox: What a derived index has to be told.
    """

    def __init__(self, kind: Kind, reading: Open, writing: Open) -> None:
        self._kind = kind
        self._reading = reading
        self._writing = writing
        self.outbox = Outbox(reading, writing)

    async def use(self, model: str, *, qdrant: bool = False) -> None:
        """Let the vectors be those of a model, from now on; again is harmless and quick.

        With another model than before, or for the first time, every event is due.

        Args:
            model: As its server names it.
            qdrant: Keep account of what Qdrant has to be told; from no to yes: of everything.
        """
        async with self._reading() as connection:
            before = await vectors_rows.in_use(connection)
        if (before.model, before.qdrant) == (model, qdrant):
            return
        async with self._writing() as connection:
            if self._kind == "postgresql":
                # Whoever is writing documents now does not see yet that there is a queue.
                await connection.execute(text("LOCK TABLE event_documents IN EXCLUSIVE MODE"))
            before = await vectors_rows.in_use(connection)
            size = before.size if before.model == model else None
            use = InUse(model=model, size=size, qdrant=qdrant)
            await vectors_rows.set_in_use(connection, self._kind, use)
            if before.model != model:
                await vectors_rows.queue_everything(connection, self._kind)
            if qdrant != before.qdrant:
                await connection.execute(delete(VECTOR_OUTBOX))
            if qdrant and not before.qdrant:
                await vectors_rows.fill_outbox(connection)

    async def size(self) -> int | None:
        """Numbers in a vector of the model in use; None before the first was stored."""
        async with self._reading() as connection:
            return (await vectors_rows.in_use(connection)).size

    async def count_due(self) -> int:
        """How many events have no vector that holds; 0 before a model is in use."""
        async with self._reading() as connection:
            query = select(func.count()).select_from(VECTOR_QUEUE)
            return await connection.scalar(query) or 0

    async def due(self, limit: int) -> list[DueText]:
        """The newest events that have no vector that holds, at most ``limit``."""
        newest = (
            select(EVENT_DOCUMENTS.c.event_id)
            .join(VECTOR_QUEUE, VECTOR_QUEUE.c.document_id == EVENT_DOCUMENTS.c.document_id)
            .order_by(VECTOR_QUEUE.c.document_id.desc())
            .limit(limit)
        )
        async with self._reading() as connection:
            event_ids = list((await connection.execute(newest)).scalars())
            texts = await vectors_rows.texts_of(connection, event_ids)
            use = await vectors_rows.in_use(connection)
            known = await vectors_rows.known_shas(connection, event_ids, use)
        shas = {event_id: vectors_rows.text_sha256(words) for event_id, words in texts.items()}
        return [
            DueText(
                event_id=event_id,
                text=texts[event_id],
                text_sha256=shas[event_id],
                is_known=known.get(event_id) == shas[event_id],
            )
            for event_id in event_ids
            if event_id in texts
        ]

    async def confirm(self, due: Collection[DueText]) -> int:
        """Let the vectors of at most 900 unchanged texts hold again.

        Returns:
            How many do; of the others, text or vector has changed since, and they stay due.
        """
        shas = {entry.event_id: entry.text_sha256 for entry in due}
        async with self._writing() as connection:
            rows = await self._due_rows(connection, shas)
            use = await vectors_rows.in_use(connection)
            known = await vectors_rows.known_shas(connection, list(rows), use)
            rows = {key: row for key, row in rows.items() if known.get(key) == shas[key]}
            await vectors_rows.clear_places(connection, rows)
            for event_id, row in rows.items():
                same = VECTORS.c.event_id == event_id
                await connection.execute(update(VECTORS).where(same).values(row))
            await vectors_rows.take_from_queue(connection, rows.values())
            return len(rows)

    async def store(self, model: str, vectors: Sequence[NewVector]) -> int:
        """Store the vectors of texts; their events can be found by them when this returns.

        When their size is not that of the vectors before, all other events are due again.

        Args:
            model: The one that made them. When another has come into use since, nothing is stored.
            vectors: All of one size; at most 900.

        Returns:
            How many were stored; the texts of the others have changed since, and they stay due.
        """
        if not vectors:
            return 0
        size = len(vectors[0].vector)
        made = {vector.event_id: vector for vector in vectors}
        async with self._writing() as connection:
            use = await vectors_rows.in_use(connection)
            if use.model != model:
                return 0
            if use.size != size:
                await vectors_rows.set_in_use(connection, self._kind, replace(use, size=size))
                if use.size is not None:
                    await vectors_rows.queue_everything(connection, self._kind)
            rows = await self._due_rows(
                connection, {key: vector.text_sha256 for key, vector in made.items()}
            )
            for key, row in rows.items():
                row |= {
                    "model": model,
                    "size": size,
                    "text_sha256": made[key].text_sha256,
                    "vector": vectors_rows.unit(made[key].vector)
                    .astype(vectors_rows.DTYPE)
                    .tobytes(),
                }
            await self._replace(connection, rows, model, size)
            await vectors_rows.take_from_queue(connection, rows.values())
            return len(rows)

    async def nearest(
        self,
        vector: Sequence[float],
        model: str,
        query: IndexQuery,
        limit: int,
        *,
        among: Collection[str] | None = None,
        exact_up_to: int = EXACT_UP_TO,
    ) -> list[Near]:
        """The events whose texts are most like a question.

        Exact, but for PostgreSQL with pgvector when more events than ``exact_up_to`` may meet the
        conditions: there its HNSW index answers.

        Args:
            vector: The question's, of any length but 0.
            model: The one that made it; only vectors of the same model and size are looked at.
            query: Cameras, period and ``without`` are read, the rest is not.
            limit: At most so many.
            among: Only these events; None for all.
            exact_up_to: Events.

        Returns:
            Most similar first, of equals the newest; without any floor: the nearest may be far.
        """
        search = vectors_search.Search(
            kind=self._kind,
            unit=vectors_rows.unit(vector),
            model=model,
            query=query,
            limit=limit,
        )
        async with self._reading() as connection:
            if (
                self._kind == "postgresql"
                and among is None
                and await vectors_pgvector.is_prepared(connection, len(vector))
            ):
                return await vectors_pgvector.nearest(connection, search, exact_up_to)
            return await vectors_search.nearest(connection, search, among)

    async def _due_rows(
        self, connection: AsyncConnection, shas: dict[str, str]
    ) -> dict[str, RowValues]:
        """Rows for those events that are due and still have these texts, by event id."""
        event_ids = sorted(shas)
        await lock_events(connection, self._kind, event_ids)
        texts = await vectors_rows.texts_of(connection, event_ids)
        same = [
            key
            for key in event_ids
            if key in texts and vectors_rows.text_sha256(texts[key]) == shas[key]
        ]
        return await vectors_rows.queued_rows(connection, same)

    async def _replace(
        self, connection: AsyncConnection, rows: dict[str, RowValues], model: str, size: int
    ) -> None:
        if not rows:
            return
        await vectors_rows.clear_places(connection, rows)
        await connection.execute(delete(VECTORS).where(VECTORS.c.event_id.in_(rows)))
        values = sorted(rows.values(), key=lambda row: int(row["document_id"]))
        if self._kind == "postgresql" and await vectors_pgvector.prepare(connection, model, size):
            await vectors_pgvector.insert(connection, values)
        else:
            await connection.execute(insert(VECTORS), values)
