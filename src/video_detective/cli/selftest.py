"""``selftest``: expected against found."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from video_detective.cli.console import (
    OUTPUT,
    AsJson,
    print_json,
    progress_bar,
    run,
    say,
    stop_on_signal,
)
from video_detective.services.selftest import Result, run_selftest


def selftest_command(
    data_dir: Annotated[
        Path | None, typer.Option(help="Keep clip and results here instead of a temporary folder.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Render a scene whose events are known, analyse it, and compare expected with found."""
    result = _selftest(data_dir, quiet=as_json)
    if as_json:
        print_json(result.as_record())
    else:
        _show(result)
    if not result.passed:
        raise typer.Exit(1)


def _selftest(data_dir: Path | None, *, quiet: bool) -> Result:
    with stop_on_signal() as stop, progress_bar("selftest", shown=not quiet) as show:
        return run(run_selftest(data_dir, stop=stop, on_progress=show))


def _show(result: Result) -> None:
    table = Table("", "event", "expected", "found", "start", "end", box=None, pad_edge=False)
    for row in result.rows():
        style = None if row.status == "ok" else "bold red"
        table.add_row(
            row.status, row.type, row.expected, row.found, row.start_shift, row.end_shift,
            style=style,
        )  # fmt: skip
    OUTPUT.print(table)
    for row in result.rows():
        if row.detail:
            say(f"{row.type} at {row.expected or row.found}: {row.detail}", style="bold red")
    say(result.verdict(), style="green" if result.passed else "bold red")
