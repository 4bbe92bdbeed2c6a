"""``narrate``: have events told by a model."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Mapping
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
from video_detective.errors import ConflictError
from video_detective.services.narration import NarrationReport, Progress, narrate
from video_detective.services.workspace import open_workspace


def narrate_command(
    backfill: Annotated[
        bool,
        typer.Option("--backfill", help="Also ask for events that were never told, or in vain."),
    ] = False,
    limit: Annotated[
        int | None, typer.Option(min=1, help="With --backfill: at most so many, the newest first.")
    ] = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Go on as events are asked for, until Ctrl-C.")
    ] = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    database: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Have events told by the model of the settings file. What is interrupted goes on next time."""
    report, is_stopped = run(
        _narrate(data_dir, database, backfill=backfill, limit=limit, watch=watch, quiet=as_json)
    )
    if as_json:
        print_json(report.as_json())
    else:
        _tell(report)
    if is_stopped and report.pending and not watch:
        raise ConflictError(
            f"Narration was interrupted; {report.pending} events wait",
            remedy="Run the same command to go on.",
        )


async def _narrate(
    data_dir: Path,
    database: str | None,
    *,
    backfill: bool,
    limit: int | None,
    watch: bool,
    quiet: bool,
) -> tuple[NarrationReport, bool]:
    stop = asyncio.Event()

    def ask_to_stop() -> None:
        if stop.is_set():
            os._exit(130)
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ask_to_stop)
    async with open_workspace(data_dir, database, create=False) as workspace:
        with progress_bar("Narration", shown=not quiet) as show:

            def tell(progress: Progress) -> None:
                known = progress.ended + progress.pending
                show(progress.ended / known if known else None, f"{progress.pending} wait")

            report = await narrate(
                workspace,
                stop=stop,
                backfill=backfill,
                limit=limit,
                watch=watch,
                on_progress=tell,
            )
    return report, stop.is_set()


def _tell(report: NarrationReport) -> None:
    say(f"Told {report.told} events")
    _tell_reasons("told with less", report.degraded)
    _tell_reasons("not told", report.failed)
    if report.pending:
        say(f"still waiting: {report.pending}", indent=2)


def _tell_reasons(what: str, reasons: Mapping[str, int]) -> None:
    if reasons:
        listed = ", ".join(f"{count} {key}" for key, count in reasons.items())
        say(f"{what}: {listed}", indent=2, style="yellow")
