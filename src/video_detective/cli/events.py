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
from video_detective.pipeline.clock import now_ns
from video_detective.services.events import list_events
from video_detective.services.search import search
from video_detective.services.times import parse_time
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
    now: Annotated[
        str, typer.Option("--now", help="When the question is asked (RFC 3339); default: now.")
    ] = "",
    template: Annotated[
        bool, typer.Option("--template", help="Ask no model; answer from the facts.")
    ] = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    database: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Answer a question: what was understood, the answer, its events, what is missing."""

    async def work() -> dict[str, Any]:
        async with open_workspace(data_dir, database, create=False) as workspace:
            places = await workspace.places()
            asked_ns = parse_time(now, places.zone(camera), what="--now") if now else now_ns()
            return await search(
                workspace,
                question,
                now_ns=asked_ns,
                camera=camera,
                since=since,
                until=until,
                limit=limit,
                use_model=not template,
            )

    result = run(work())
    if as_json:
        print_json(result)
        return
    say(result["answer_zh"])
    if result["answer_by"] == "model":
        say(f"({result['answer_model']})", indent=2)
    read = result["interpretation"]
    understood = [chip["text"] for chip in read["chips"]]
    if understood:
        say(f"[{' | '.join(understood)}]", indent=2)
    for entry in result["timeline"]:
        mark = "~ " if entry["match"] == "partial" else ""
        _say_event(entry, entry["time_range"], mark + entry["description"])
    for line in result["missing_info"]:
        say(line, indent=2)


def _say_event(record: dict[str, Any], time_range: str, sentence: str) -> None:
    """Two lines, so that neither the id nor the sentence is squeezed in a narrow terminal."""
    name = f"{record['event_type']} {record['type']}"
    say(f"{record['event_id']}  {time_range}  {name}  {record['risk_level']}")
    if sentence:
        say(sentence, indent=4)
