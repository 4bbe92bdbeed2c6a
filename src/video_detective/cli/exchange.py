"""``import``, ``export``: event records in, evidence packages out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from video_detective.cli.console import (
    DEFAULT_DATA_DIR,
    AsJson,
    DatabaseUrl,
    DataDir,
    print_json,
    run,
    say,
)
from video_detective.services.evidence_package import export_event
from video_detective.services.exchange import import_events
from video_detective.services.workspace import open_workspace


def import_command(
    file: Annotated[Path, typer.Argument(help="JSON file: an array of event records.")],
    timezone: Annotated[
        str, typer.Option(help="Zone of times without offset, for cameras not known here.")
    ] = "Asia/Taipei",
    data_dir: DataDir = DEFAULT_DATA_DIR,
    database: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Import event records; doing it again changes nothing."""

    async def work() -> dict[str, int]:
        async with open_workspace(data_dir, database) as workspace:
            return await import_events(workspace, file, timezone=timezone)

    counts = run(work())
    if as_json:
        print_json(counts)
    else:
        say(", ".join(f"{count} {name}" for name, count in counts.items()))


def export_command(
    event: Annotated[str, typer.Argument(metavar="EVENT", help="Event id.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="ZIP file to write.")
    ] = None,
    blur_faces: Annotated[
        bool, typer.Option("--blur-faces", help="Hide faces in the pictures; leaves out the clip.")
    ] = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    database: DatabaseUrl = None,
) -> None:
    """Write an event's evidence package: record, pictures, clip, hashes and how to verify them."""

    async def work() -> Path:
        async with open_workspace(data_dir, database, create=False) as workspace:
            return await export_event(
                workspace, event, output or Path(f"{event}.zip"), hide_faces=blur_faces
            )

    say(f"Wrote {run(work())}")
