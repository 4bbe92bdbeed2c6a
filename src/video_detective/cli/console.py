"""What commands share: where output goes, and how an error ends a command."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

ERRORS = Console(stderr=True, highlight=False)
OUTPUT = Console(highlight=False)

DataDir = Annotated[
    Path,
    typer.Option(
        "--data-dir", envvar="VIDEO_DETECTIVE_DATA", help="Folder of the database and evidence."
    ),
]
DatabaseUrl = Annotated[
    str | None,
    typer.Option(
        "--database",
        envvar="VIDEO_DETECTIVE_DATABASE",
        help="postgresql:// URL instead of SQLite in the data folder.",
        show_envvar=False,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
DEFAULT_DATA_DIR = Path("video-detective-data")

CameraOption = Annotated[str, typer.Option("--camera", help="Only this camera.")]

T = TypeVar("T")
_STEERING = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""What steers a terminal, or turns the direction in which the words around it are read."""


def print_json(document: object) -> None:
    """One JSON document on standard output."""
    sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=2) + "\n")


def shown(text: str) -> str:
    """Text of whatever origin (names, imported records, servers) as a terminal may be given it."""
    return _STEERING.sub("\ufffd", text)


def say(text: str, *, indent: int = 0, style: str | None = None) -> None:
    """Text for people: wrapped and indented on a terminal, one line each elsewhere."""
    text = shown(text)
    if OUTPUT.is_terminal:
        OUTPUT.print(Padding(Text(text, style=style or ""), (0, 0, 0, indent)))
    else:
        OUTPUT.print(" " * indent + text, style=style, markup=False, soft_wrap=True)


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a command's asynchronous part."""
    return asyncio.run(work)


@contextmanager
def stop_on_signal() -> Iterator[threading.Event]:
    """An event that Ctrl-C or SIGTERM sets; a second Ctrl-C ends the process at once."""
    stop = threading.Event()

    def ask(signum: int, frame: object) -> None:
        if stop.is_set():
            os._exit(130)
        stop.set()

    earlier = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)


@contextmanager
def progress_bar(description: str, *, shown: bool) -> Iterator[Callable[[float | None, str], None]]:
    """A progress bar on a terminal; gives a function of (share 0..1 or None, note)."""
    if not shown or not ERRORS.is_terminal:
        yield lambda share, note: None
        return
    from rich.progress import (  # nothing else needs it, and it is slow to load
        BarColumn,
        Progress,
        SpinnerColumn,
        TaskProgressColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=ERRORS, transient=True) as progress:
        task = progress.add_task(description, total=None, note="")

        def update(share: float | None, note: str) -> None:
            progress.update(
                task, total=None if share is None else 1.0, completed=share or 0.0, note=note
            )

        yield update
