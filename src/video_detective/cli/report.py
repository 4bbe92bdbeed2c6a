"""``report``: what happened between two times."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from video_detective.cli.console import (
    DEFAULT_DATA_DIR,
    AsJson,
    CameraOption,
    DatabaseUrl,
    DataDir,
    print_json,
    run,
    say,
)
from video_detective.services.output import require_folder, write_whole
from video_detective.services.report import Report, make_report
from video_detective.services.workspace import open_workspace


def report_command(
    since: Annotated[str, typer.Option("--from", help="Begin of the period (RFC 3339).")],
    until: Annotated[str, typer.Option("--to", help="End of the period (RFC 3339).")],
    camera: CameraOption = "",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="HTML file to write.")
    ] = None,
    language: Annotated[str, typer.Option("--lang", help="zh-TW or en.")] = "zh-TW",
    data_dir: DataDir = DEFAULT_DATA_DIR,
    database: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Report what happened between two times, as one HTML file."""
    path = output or Path("report.html")
    if output is not None or not as_json:
        require_folder(path)

    async def work() -> Report:
        async with open_workspace(data_dir, database, create=False) as workspace:
            return await make_report(
                workspace,
                since=since,
                until=until,
                camera=camera,
                language=language,
                now_ns=time.time_ns(),
            )

    report = run(work())
    if as_json and output is None:
        print_json(report.figures)
        return
    write_whole(path, lambda file: file.write(report.html.encode()))
    if as_json:
        print_json(report.figures)
    else:
        total = report.figures["total"]
        say(f"Wrote {path}: {total} event{'s' * (total != 1)}")
