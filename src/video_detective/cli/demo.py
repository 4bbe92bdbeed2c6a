"""``demo``: the main job, then the page that shows it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from video_detective.cli.analysis import analyze_sources
from video_detective.cli.console import DEFAULT_DATA_DIR, DatabaseUrl, DataDir
from video_detective.cli.selftest import selftest_command
from video_detective.cli.serving import Host, Port, serve_command
from video_detective.errors import UsageError


def demo_command(
    video: Annotated[
        list[str] | None, typer.Option(help="Your own video instead of the scripted scene.")
    ] = None,
    rules: Annotated[Path | None, typer.Option(help="Camera document for --video.")] = None,
    camera: Annotated[str | None, typer.Option(help="Camera id for --video.")] = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    host: Host = "127.0.0.1",
    port: Port = 8377,
    serve: Annotated[bool, typer.Option(help="Serve the result afterwards.")] = True,
    database: DatabaseUrl = None,
) -> None:
    """Run the main job and serve the result."""
    if video:
        if rules is None and camera is None:
            camera = "cam01"
        analyze_sources(video, camera, rules, data_dir, database)
    else:
        if rules is not None:
            raise UsageError("--rules goes with --video", remedy="Name your video with --video.")
        selftest_command(data_dir)
    if serve:
        serve_command(data_dir, host, port, database=database)
