"""``doctor``: whether this machine can do the work."""

from __future__ import annotations

import dataclasses

import typer

from video_detective.cli.console import (
    DEFAULT_DATA_DIR,
    OUTPUT,
    AsJson,
    DatabaseUrl,
    DataDir,
    print_json,
    run,
)
from video_detective.services.doctor import examine

_MARKS = {"ok": "[green]ok[/]     ", "warning": "[yellow]warning[/]", "problem": "[red]problem[/]"}


def doctor_command(
    data_dir: DataDir = DEFAULT_DATA_DIR, database: DatabaseUrl = None, as_json: AsJson = False
) -> None:
    """Check this machine, its weights and its data; says what to do about each problem."""
    checks = run(examine(data_dir, database))
    if as_json:
        print_json([dataclasses.asdict(check) for check in checks])
    else:
        for check in checks:
            OUTPUT.print(f"{_MARKS[check.state]} ", end="")
            OUTPUT.print(f"{check.name}: {check.found}", markup=False, soft_wrap=True)
            if check.remedy:
                OUTPUT.print(f"         {check.remedy}", markup=False, soft_wrap=True)
    if any(check.state == "problem" for check in checks):
        raise typer.Exit(1)
