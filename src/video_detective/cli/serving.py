"""``serve``, ``demo``, ``selftest``: the product shown at work."""

from __future__ import annotations

import ipaddress
import socket
from pathlib import Path
from typing import Annotated

import typer
import uvicorn
from rich.table import Table

from video_detective.api.app import LOOPBACK_HOSTS, create_app
from video_detective.cli.analysis import analyze_sources
from video_detective.cli.console import (
    DEFAULT_DATA_DIR,
    OUTPUT,
    AsJson,
    DatabaseUrl,
    DataDir,
    print_json,
    progress_bar,
    run,
    stop_on_signal,
)
from video_detective.errors import ConflictError, UsageError
from video_detective.services.selftest import Result, run_selftest
from video_detective.services.workspace import open_workspace
from video_detective.web.page import add_pages

Host = Annotated[
    str, typer.Option(help="Address to listen on; anything but loopback opens it to the network.")
]
Port = Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("serve")(serve_command)
    app.command("selftest")(selftest_command)
    app.command("demo")(demo_command)


def serve_command(
    data_dir: DataDir = DEFAULT_DATA_DIR,
    host: Host = "127.0.0.1",
    port: Port = 8377,
    allow_host: Annotated[
        list[str] | None, typer.Option(help="A further host name under which it is called.")
    ] = None,
    database: DatabaseUrl = None,
) -> None:
    """Serve the page and the REST interface."""
    run(_serve(data_dir, database, host, port, tuple(allow_host or ())))


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
        interrupted = analyze_sources(video, camera, rules, data_dir, database)
        if interrupted:
            raise typer.Exit(1)
    else:
        if rules is not None:
            raise UsageError("--rules goes with --video", remedy="Name your video with --video.")
        result = _selftest(data_dir, quiet=False)
        _show(result)
        if not result.passed:
            raise typer.Exit(1)
    if serve:
        run(_serve(data_dir, database, host, port, ()))


def _selftest(data_dir: Path | None, *, quiet: bool) -> Result:
    with stop_on_signal() as stop, progress_bar("selftest", shown=not quiet) as show:
        return run(run_selftest(data_dir, stop=stop, on_progress=show))


def _show(result: Result) -> None:
    table = Table(
        "", "event", "rule", "expected", "found", "off by", "detail", box=None, pad_edge=False
    )
    for row in result.rows():
        table.add_row(*row, style=None if row[0] == "ok" else "bold red")
    OUTPUT.print(table)
    OUTPUT.print(result.verdict(), style="green" if result.passed else "bold red")


async def _serve(
    data_dir: Path, database: str | None, host: str, port: int, names: tuple[str, ...]
) -> None:
    hosts = (*LOOPBACK_HOSTS, *names, *(() if host in {"0.0.0.0", "::"} else (host,)))  # noqa: S104
    listener = _listen(host, port)
    async with open_workspace(data_dir, database) as workspace:
        token = workspace.access_token()
        app = create_app(workspace, token=token, hosts=hosts)
        add_pages(app)
        shown = f"[{host}]" if ":" in host else host
        OUTPUT.print(
            f"Video Detective is at http://{shown}:{listener.getsockname()[1]}/?token={token}\n"
            "Whoever has this link sees everything. Ctrl-C ends it.",
            markup=False,
            soft_wrap=True,
        )
        if not _is_loopback(host):
            OUTPUT.print(
                "It listens on the network without TLS: put a reverse proxy with TLS before it.",
                style="yellow",
            )
        server = uvicorn.Server(
            uvicorn.Config(app, log_level="warning", access_log=False, server_header=False)
        )
        await server.serve(sockets=[listener])


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError as cause:
        raise ConflictError(
            f"Cannot listen on {host} port {port} ({cause.strerror})",
            remedy="Choose another with --port (0 takes a free one) or --host.",
        ) from cause
    return listener


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
