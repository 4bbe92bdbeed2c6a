"""``events``, ``import``, ``search``, ``export``, ``report``: what was found, in and out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from video_detective.cli.console import (
    DEFAULT_DATA_DIR,
    OUTPUT,
    AsJson,
    DatabaseUrl,
    DataDir,
    print_json,
    run,
)
from video_detective.errors import StorageError
from video_detective.services.events import list_events
from video_detective.services.exchange import export_event, import_events
from video_detective.services.report import make_report
from video_detective.services.search import search
from video_detective.services.workspace import open_workspace

Since = Annotated[str, typer.Option("--from", help="Begin of the period (RFC 3339).")]
Until = Annotated[str, typer.Option("--to", help="End of the period (RFC 3339).")]
CameraOption = Annotated[str, typer.Option("--camera", help="Only this camera.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("events")(events_command)
    app.command("import")(import_command)
    app.command("search")(search_command)
    app.command("export")(export_command)
    app.command("report")(report_command)


def events_command(
    camera: CameraOption = "",
    kind: Annotated[list[str] | None, typer.Option("--type", help="Only this type.")] = None,
    since: Since = "",
    until: Until = "",
    data_dir: DataDir = DEFAULT_DATA_DIR,
    database: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """List events, oldest first."""

    async def work() -> list[dict[str, Any]]:
        async with open_workspace(data_dir, database) as workspace:
            return await list_events(
                workspace, camera=camera, types=tuple(kind or ()), since=since, until=until
            )

    records = run(work())
    if as_json:
        print_json(records)
        return
    table = Table("event", "time", "type", "risk", "rule", "what", box=None, pad_edge=False)
    for record in records:
        table.add_row(
            record["event_id"],
            record["start_time"][:19].replace("T", " "),
            f"{record['event_type']} {record['type']}",
            record["risk_level"],
            record["rule_id"],
            record["summary_zh"],
        )
    OUTPUT.print(table)
    OUTPUT.print(f"{len(records)} events")


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
        OUTPUT.print(", ".join(f"{count} {name}" for name, count in counts.items()))


def search_command(
    question: Annotated[str, typer.Argument(help="Keywords or a sentence.")],
    camera: CameraOption = "",
    since: Since = "",
    until: Until = "",
    limit: Annotated[int, typer.Option(min=1, max=500)] = 20,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    database: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Find events by keywords, camera and time."""

    async def work() -> dict[str, Any]:
        async with open_workspace(data_dir, database) as workspace:
            return await search(
                workspace, question, camera=camera, since=since, until=until, limit=limit
            )

    result = run(work())
    if as_json:
        print_json(result)
        return
    OUTPUT.print(result["answer_zh"], markup=False)
    for entry in result["timeline"]:
        OUTPUT.print(
            f"  {entry['time_range']}  {entry['camera_id']}  {entry['event_type']}  "
            f"{entry['description']}  [{entry['event_id']}]",
            markup=False,
        )
    for line in result["missing_info"]:
        OUTPUT.print(f"  {line}", markup=False)


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
        async with open_workspace(data_dir, database) as workspace:
            return await export_event(
                workspace, event, output or Path(f"{event}.zip"), blur_faces=blur_faces
            )

    OUTPUT.print(f"Wrote {run(work())}", markup=False)


def report_command(
    since: Annotated[str, typer.Option("--from", help="Begin of the period (RFC 3339).")],
    until: Annotated[str, typer.Option("--to", help="End of the period (RFC 3339).")],
    camera: CameraOption = "",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="HTML file to write.")
    ] = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    database: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Report what happened between two times, as one HTML file."""

    async def work() -> tuple[str, dict[str, Any]]:
        async with open_workspace(data_dir, database) as workspace:
            return await make_report(workspace, since=since, until=until, camera=camera)

    html, figures = run(work())
    if as_json and output is None:
        print_json(figures)
        return
    path = output or Path("report.html")
    try:
        path.write_text(html, encoding="utf-8")
    except OSError as cause:
        raise StorageError(
            f"The report cannot be written to '{path}' ({cause.strerror})",
            remedy="Name a file in a writable folder with --output.",
        ) from cause
    if as_json:
        print_json(figures)
    else:
        OUTPUT.print(f"Wrote {path}: {figures['total']} events", markup=False)
