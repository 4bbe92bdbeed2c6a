"""``events``, ``search``: what was found."""

from __future__ import annotations

from typing import Annotated, Any

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
from video_detective.services.events import list_events
from video_detective.services.search import search
from video_detective.services.workspace import open_workspace

Since = Annotated[str, typer.Option("--from", help="Begin of the period (RFC 3339).")]
Until = Annotated[str, typer.Option("--to", help="End of the period (RFC 3339), exclusive.")]


def events_command(
    camera: CameraOption = "",
    kind: Annotated[
        list[str] | None, typer.Option("--type", help="Only this type (may be given repeatedly).")
    ] = None,
    since: Since = "",
    until: Until = "",
    data_dir: DataDir = DEFAULT_DATA_DIR,
    database: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """List events, oldest first: id, local time, type, risk, and a sentence on each."""

    async def work() -> list[dict[str, Any]]:
        async with open_workspace(data_dir, database, create=False) as workspace:
            return await list_events(
                workspace, camera=camera, types=tuple(kind or ()), since=since, until=until
            )

    records = run(work())
    if as_json:
        print_json(records)
        return
    for record in records:
        start = record["start_time"][:19].replace("T", " ")
        _say_event(record, start, record["summary_zh"])
    say(f"{len(records)} events")


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
        async with open_workspace(data_dir, database, create=False) as workspace:
            return await search(
                workspace, question, camera=camera, since=since, until=until, limit=limit
            )

    result = run(work())
    if as_json:
        print_json(result)
        return
    say(result["answer_zh"])
    for entry in result["timeline"]:
        _say_event(entry, entry["time_range"], entry["description"])
    for line in result["missing_info"]:
        say(line, indent=2)


def _say_event(record: dict[str, Any], time_range: str, sentence: str) -> None:
    """Two lines, so that neither the id nor the sentence is squeezed in a narrow terminal."""
    name = f"{record['event_type']} {record['type']}"
    say(f"{record['event_id']}  {time_range}  {name}  {record['risk_level']}")
    if sentence:
        say(sentence, indent=4)
