"""``work``: what ``serve`` has its own processes do. Not for people."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from video_detective.cli.console import DEFAULT_DATA_DIR, DatabaseUrl, DataDir, run, stop_on_signal
from video_detective.errors import VideoDetectiveError
from video_detective.pipeline.children import Parent
from video_detective.services.file_work import work_on_file
from video_detective.services.live import watch_camera
from video_detective.services.logs import log_as_json
from video_detective.services.node import node_id
from video_detective.services.workspace import Workspace, open_workspace

app = typer.Typer(name="work", help="Work of the service's own processes.")
Epoch = Annotated[int, typer.Option(help="Of the taking for which the process was started.")]
Work = Callable[[Workspace, threading.Event, Callable[..., None]], Awaitable[dict[str, Any] | None]]
_log = logging.getLogger(__name__)


@app.command()
def camera(
    camera_id: Annotated[str, typer.Argument(help="Which camera.")],
    epoch: Epoch,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    database: DatabaseUrl = None,
) -> None:
    """Analyse a live camera."""

    async def work(
        workspace: Workspace, stop: threading.Event, tell: Callable[..., None]
    ) -> dict[str, Any] | None:
        return await watch_camera(
            workspace, camera_id, epoch, stop=stop, tell=lambda state: tell("progress", **state)
        )

    _work(data_dir, database, work)


@app.command()
def file(
    job_id: Annotated[str, typer.Argument(help="Which job.")],
    epoch: Epoch,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    database: DatabaseUrl = None,
) -> None:
    """Analyse an uploaded file."""

    async def work(
        workspace: Workspace, stop: threading.Event, tell: Callable[..., None]
    ) -> dict[str, Any] | None:
        return await work_on_file(
            workspace, job_id, epoch, stop=stop, tell=lambda state: tell("progress", progress=state)
        )

    _work(data_dir, database, work)


def _work(data_dir: Path, database: str | None, work: Work) -> None:
    """Do it, and say in one line what came of it."""
    with stop_on_signal() as stop:
        parent = Parent(stop)
        run(_tell(data_dir, database, work, stop, parent))


async def _tell(
    data_dir: Path, database: str | None, work: Work, stop: threading.Event, parent: Parent
) -> None:
    try:
        async with open_workspace(data_dir, database) as workspace:
            log_as_json(node=node_id(workspace), secrets=workspace.settings.secrets())
            report = await work(workspace, stop, parent.tell)
        parent.tell("end", **({} if report is None else {"report": report}))
    except VideoDetectiveError as error:
        parent.tell("end", error={"code": error.code, "message": str(error)})
    except asyncio.CancelledError:
        raise
    except Exception as error:
        # The boundary of the process: its parent is told, and the trace is in the log.
        _log.exception("the work failed")
        said = {"code": "CRASHED", "message": f"Internal error: {type(error).__name__}."}
        parent.tell("end", error=said)
