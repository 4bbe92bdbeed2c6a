"""A server process over a data directory, for benchmarks that ask it."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import socket
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from video_detective.api.app import create_app
from video_detective.cli.serving import keep_what_is_there
from video_detective.services.workspace import Workspace, open_workspace

Prepare = Callable[[FastAPI, Workspace], Awaitable[str]]
"""Adds routes of the benchmark's own; returns what lets its clients in. A function of a module."""

# Everybody is limited; a benchmark asks for more than anybody.
_LIMITS = dict.fromkeys(("per_key", "per_user", "searches"), 1_000_000)


@contextmanager
def served(folder: Path, prepare: Prepare) -> Iterator[tuple[int, str]]:
    """Port of a running server over a data directory, and what ``prepare`` returned."""
    settings = {"schema_version": 1, "limits": _LIMITS}
    (folder / "settings.yaml").write_text(json.dumps(settings))
    ready = folder / "benchmark-secret"
    ready.unlink(missing_ok=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = multiprocessing.get_context("spawn").Process(
        target=_serve, args=(folder, port, ready, prepare), daemon=True
    )
    server.start()
    try:
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                if not server.is_alive():
                    raise RuntimeError("the server ended") from None
                time.sleep(0.1)
        yield port, ready.read_text()
    finally:
        server.terminate()
        server.join(10)


def _serve(folder: Path, port: int, ready: Path, prepare: Prepare) -> None:
    async def run() -> None:
        async with open_workspace(folder) as workspace:
            app = create_app(workspace)
            ready.write_text(await prepare(app, workspace))
            keep_what_is_there()
            settings = uvicorn.Config(app, port=port, log_level="warning", access_log=False)
            await uvicorn.Server(settings).serve()

    asyncio.run(run())
