"""Everything that searches look in, written anew while others search and write."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from video_detective.services.embedding import embed_pending, rebuild_index
from video_detective.services.workspace import Workspace

Progress = Callable[[str, int, int], None]
"""Called with what is being written, how much of it is done, and of how much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reindexed:
    """What was written; the index is up to date then.

    Args:
        documents: Search documents.
        vectors: Vectors made, where a model for embeddings is set.
        vectors_waiting: Those still to be made.
        failed: Why vectors wait, or Qdrant was not told; None when nothing failed.
    """

    documents: int
    vectors: int = 0
    vectors_waiting: int = 0
    failed: str | None = None


async def reindex(
    workspace: Workspace,
    *,
    everything: bool = False,
    progress: Progress = lambda what, done, total: None,
) -> Reindexed:
    """Write search documents that are missing or of another version, and vectors out of date.

    Args:
        workspace: Whose index it is.
        everything: Also write those that are up to date; names of cameras may have changed. A
            Qdrant server is told everything anew.
        progress: Called as it goes on.

    Raises:
        StorageError: the database cannot be used.
        UsageError: the environment lacks a server's key.
    """
    written = 0

    def documents(done: int, total: int) -> None:
        nonlocal written
        written = done
        progress("documents", done, total)

    await workspace.database.reindex(documents, everything=everything)
    embedded = await embed_pending(
        workspace, progress=lambda done, total: progress("vectors", done, total)
    )
    failed = embedded.failed or embedded.index_failed
    if everything and workspace.settings.embeddings is not None:
        rebuilt = await rebuild_index(workspace)
        failed = failed or rebuilt.index_failed
    return Reindexed(
        documents=written,
        vectors=embedded.done,
        vectors_waiting=embedded.waiting,
        failed=failed,
    )
