"""``reindex``: write the search index anew."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated

import typer

from video_detective.cli.console import (
    DEFAULT_DATA_DIR,
    AsJson,
    DatabaseUrl,
    DataDir,
    print_json,
    progress_bar,
    run,
    say,
)
from video_detective.errors import StorageError
from video_detective.services.reindexing import Reindexed, reindex
from video_detective.services.workspace import open_workspace


def reindex_command(
    everything: Annotated[
        bool,
        typer.Option("--everything", help="Also what is up to date: names may have changed."),
    ] = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    database: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Write what searches look in anew; others may search and analyse meanwhile.

    What was interrupted goes on next time. Where a model for embeddings is set, vectors that are
    out of date are made too.
    """
    done = run(_reindex(data_dir, database, everything=everything, quiet=as_json))
    if as_json:
        print_json(dataclasses.asdict(done))
    else:
        say(f"{done.documents} search documents written; the index is up to date")
        if done.vectors or done.vectors_waiting:
            say(f"{done.vectors} vectors made, {done.vectors_waiting} wait")
    if done.failed is not None:
        raise StorageError(
            f"Not everything could be done: {done.failed}", remedy="Run the same command to go on."
        )


async def _reindex(
    data_dir: Path, database: str | None, *, everything: bool, quiet: bool
) -> Reindexed:
    async with open_workspace(data_dir, database, create=False) as workspace:
        with progress_bar("Index", shown=not quiet) as show:

            def tell(what: str, done: int, total: int) -> None:
                show(done / total if total else 1.0, f"{what} {done}/{total}")

            return await reindex(workspace, everything=everything, progress=tell)
