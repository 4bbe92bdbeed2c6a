"""Vectors of events and questions, when the settings name a model for embeddings.

Whoever changes events need not care: the database knows which vectors are out of date.
``embed_pending`` makes them, whenever it is called: after an analysis, in ``reindex``, and again
and again while serving. Search asks ``nearest``, and gets nothing where nothing is configured.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from video_detective.config.settings import EmbeddingSettings, qdrant_key
from video_detective.errors import ModelError, VectorServerError
from video_detective.search.base import IndexQuery
from video_detective.search.fusion import Near
from video_detective.services.workspace import Workspace
from video_detective.storage.vectors_rows import DueText, NewVector

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from video_detective.llm.client import ModelClient
    from video_detective.storage.qdrant import Qdrant

BATCH = 64
"""Events in one transaction: what a killed worker does again."""
QUESTION_S = 5.0
"""How long a search waits for the vector of its question."""
_TOLD_AT_ONCE = 100
_UNTOLD = 2000
"""With more changes that Qdrant has not been told of, it is not asked."""
_SHORTEST = 200
"""Characters of a text to which it is cut when the model takes no longer ones."""

Progress = Callable[[int, int], None]
"""Called with how many are done, and of how many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedded:
    """What a round of embedding did.

    Args:
        done: Events whose vectors hold now.
        waiting: Events whose vectors are still to be made.
        failed: Why it ended before all was done; None when nothing failed.
        untold: Changes that Qdrant has not been told of; 0 when it is not used.
        index_failed: Why; None when nothing failed.
    """

    done: int = 0
    waiting: int = 0
    failed: str | None = None
    untold: int = 0
    index_failed: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Nearest:
    """The events nearest to a question.

    Args:
        events: Most similar first; none where no model is configured.
        failed: Why there are none, or why the database stood in for Qdrant; None when nothing
            failed.
    """

    events: Sequence[Near] = ()
    failed: str | None = None


async def embed_pending(
    workspace: Workspace, *, limit: int | None = None, progress: Progress | None = None
) -> Embedded:
    """Make the vectors that are out of date, the newest events first, and tell Qdrant of them.

    It may be ended at any moment; what was done stays done. When the model's server fails, the
    events wait for the next round.

    Args:
        workspace: Its settings say which model; without one nothing is done.
        limit: At most so many events; None for all that wait.
        progress: Called after each batch.

    Raises:
        UsageError: the environment lacks a server's key.
        StorageError: the database cannot be used.
    """
    settings = workspace.settings.embeddings
    if settings is None:
        return Embedded()
    vectors = workspace.database.vectors
    await vectors.use(settings.model, qdrant=settings.qdrant is not None)
    waiting = await vectors.count_due()
    total = waiting if limit is None else min(waiting, limit)
    done, failed = 0, None
    refused: set[str] = set()
    while limit is None or done < limit:
        some = BATCH if limit is None else min(BATCH, limit - done)
        due = [
            entry
            for entry in await vectors.due(some + len(refused))
            if entry.event_id not in refused
        ]
        try:
            stored, error = await _embed(workspace, settings, due, refused)
        except ModelError as stopped:
            failed = str(stopped)
            break
        failed = failed or error
        if not stored:  # nothing is due, or all of it is changing just now
            break
        done += stored
        if progress is not None:
            progress(done, max(done, total))
    untold, index_failed = await _tell(workspace, settings, None)
    return Embedded(
        done=done,
        waiting=await vectors.count_due(),
        failed=failed,
        untold=untold,
        index_failed=index_failed,
    )


async def nearest(
    workspace: Workspace, question: str, query: IndexQuery, limit: int = 200
) -> Nearest:
    """The events whose texts are most like a question, under its conditions; never fails.

    Args:
        workspace: Its settings say which model; without one there are none.
        question: In the asker's words; without times and places it finds more.
        query: Cameras, period and ``without`` are read.
        limit: At most so many.

    Raises:
        UsageError: the environment lacks a server's key.
        StorageError: the database cannot be used.
    """
    settings = workspace.settings.embeddings
    if settings is None or not question.strip():
        return Nearest()
    client = workspace.models.client(settings.server)
    try:
        async with asyncio.timeout(QUESTION_S):
            (vector,) = await client.embed(settings.model, [question.strip()], purpose="query")
    except ModelError as error:
        return Nearest(failed=str(error))
    except TimeoutError:
        reason = f"Model {settings.model!r} gave no embedding within {QUESTION_S:g} s"
        return Nearest(failed=reason)
    vectors = workspace.database.vectors
    failed = None
    if settings.qdrant is not None:
        try:
            if (found := await _by_qdrant(workspace, settings, vector, query, limit)) is not None:
                return Nearest(events=found)
        except VectorServerError as error:
            failed = str(error)
    events = await vectors.nearest(vector, settings.model, query, limit)
    return Nearest(events=events, failed=failed)


async def rebuild_index(workspace: Workspace, progress: Progress | None = None) -> Embedded:
    """Tell Qdrant of every vector anew; others may search and write meanwhile.

    Args:
        workspace: Its settings say which server; without one nothing is done.
        progress: Called after each batch.

    Raises:
        UsageError: the environment lacks the server's key.
        StorageError: the database cannot be used.
    """
    settings = workspace.settings.embeddings
    if settings is None or settings.qdrant is None:
        return Embedded()
    await workspace.database.vectors.use(settings.model, qdrant=True)
    await workspace.database.vectors.outbox.refill()
    untold, failed = await _tell(workspace, settings, progress)
    waiting = await workspace.database.vectors.count_due()
    return Embedded(waiting=waiting, untold=untold, index_failed=failed)


async def _embed(
    workspace: Workspace, settings: EmbeddingSettings, due: list[DueText], refused: set[str]
) -> tuple[int, str | None]:
    """See to events; those whose texts the model gives no vector for are added to ``refused``.

    Returns:
        How many have vectors that hold now, and why not all.

    Raises:
        ModelError: the server gives no vectors, whatever the text.
    """
    vectors = workspace.database.vectors
    known = [entry for entry in due if entry.is_known]
    done = await vectors.confirm(known) if known else 0
    new = [entry for entry in due if not entry.is_known]
    if not new:
        return done, None
    client = workspace.models.client(settings.server)
    reason = None
    try:
        made = list(zip(new, await _vectors(client, settings.model, new), strict=True))
    except ModelError as error:
        if error.reason != "invalid" or len(new) == 1:
            raise
        # Some models give no numbers for some texts: the others must not wait for these.
        made, reason = await _one_by_one(client, settings.model, new), str(error)
        if not made:
            raise
        refused.update({entry.event_id for entry in new} - {entry.event_id for entry, _ in made})
    stored = [
        NewVector(event_id=entry.event_id, text_sha256=entry.text_sha256, vector=vector)
        for entry, vector in made
    ]
    return done + await vectors.store(settings.model, stored), reason


async def _one_by_one(
    client: ModelClient, model: str, due: list[DueText]
) -> list[tuple[DueText, list[float]]]:
    made = []
    for entry in due:
        try:
            (vector,) = await _vectors(client, model, [entry])
        except ModelError as error:
            if error.reason != "invalid":
                raise
        else:
            made.append((entry, vector))
    return made


async def _vectors(client: ModelClient, model: str, due: list[DueText]) -> list[list[float]]:
    """Vectors of texts, or of their beginnings where the model takes no longer ones.

    A text begins with what happened and where.
    """
    longest = max(len(entry.text) for entry in due)
    while True:
        try:
            return await client.embed(model, [entry.text[:longest] for entry in due])
        except ModelError as error:
            if error.reason != "truncated" or longest <= _SHORTEST:
                raise
            longest = max(_SHORTEST, longest // 2)


async def _by_qdrant(
    workspace: Workspace,
    settings: EmbeddingSettings,
    vector: list[float],
    query: IndexQuery,
    limit: int,
) -> list[Near] | None:
    """What Qdrant finds and what it has not been told of, compared by the database.

    Returns:
        None when it lags behind, or too much of what it found is no longer so.
    """
    vectors = workspace.database.vectors
    # Asked first: what Qdrant is told of after this, it has when it is asked.
    untold = await vectors.outbox.untold(_UNTOLD)
    if untold is None:
        return None
    wanted = 2 * limit + 50
    async with _qdrant(settings) as qdrant:
        found = await qdrant.candidates(vector, settings.model, query, wanted)
    near = await vectors.nearest(vector, settings.model, query, limit, among={*found, *untold})
    return near if len(near) == limit or len(found) < wanted else None


async def _tell(
    workspace: Workspace, settings: EmbeddingSettings, progress: Progress | None
) -> tuple[int, str | None]:
    """Tell Qdrant what it does not know yet.

    Returns:
        How many changes it still does not know, and why.
    """
    vectors = workspace.database.vectors
    size = await vectors.size()
    if settings.qdrant is None or size is None:
        return 0, None
    try:
        async with _qdrant(settings) as qdrant:
            if not await qdrant.has(size):
                # Before it is made: whoever is killed between leaves none that only looks whole.
                await vectors.outbox.refill()
            await qdrant.prepare(size)
            total, told = await vectors.outbox.count(), 0
            while entries := await vectors.outbox.entries(_TOLD_AT_ONCE):
                await qdrant.tell(size, entries)
                await vectors.outbox.sent(entries)
                told += sum(len(entry.numbers) for entry in entries)
                if progress is not None:
                    progress(told, max(told, total))
    except VectorServerError as error:
        return await vectors.outbox.count(), str(error)
    return 0, None


@asynccontextmanager
async def _qdrant(settings: EmbeddingSettings) -> AsyncIterator[Qdrant]:
    # Most commands ask no server; the HTTP client takes a tenth of a second to load.
    from video_detective.storage.qdrant import Qdrant

    assert settings.qdrant is not None  # noqa: S101 - its callers looked
    place = settings.qdrant
    async with Qdrant(place.url, place.collection, qdrant_key(place)) as qdrant:
        yield qdrant
