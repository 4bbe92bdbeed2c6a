"""This machine as a node: its id, and its signs of life while the service runs."""

from __future__ import annotations

import asyncio
import logging
import os
import platform
import socket
import uuid
from contextlib import suppress
from pathlib import Path

import video_detective
from video_detective.errors import StorageError
from video_detective.geometry import NS_PER_S
from video_detective.pipeline.clock import now_ns
from video_detective.services.workspace import Workspace
from video_detective.storage.work.base import NodeRow

FILE_NAME = "node-id"
BEAT_S = 5.0
"""Between two signs of life of a node."""
SILENT_NS = 15 * NS_PER_S
"""A node that gave none for so long is taken for gone."""
_log = logging.getLogger(__name__)


def node_id(workspace: Workspace) -> str:
    """The id of this data directory's node: a UUID, made at first use and kept.

    Files that were uploaded lie in the data directory: whoever opens it is the same node.

    Raises:
        StorageError: the file cannot be made or read, or holds no UUID.
    """
    path = workspace.data_dir / FILE_NAME
    try:
        if not path.exists():
            _make(path)
        return str(uuid.UUID(path.read_text("ascii").strip()))
    except OSError as cause:
        raise StorageError(
            f"The node's id '{path}' cannot be used ({cause.strerror})",
            remedy="Make the data directory writable for this user.",
        ) from cause
    except ValueError as cause:
        raise StorageError(
            f"'{path}' holds no UUID",
            remedy="Delete it: another id is made; uploads that are under way are then lost.",
        ) from cause


def _make(path: Path) -> None:
    """There whole or not at all: another process may make and read it at the same time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    made = uuid.uuid4()
    draft = path.with_name(f".{FILE_NAME}-{made.hex}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(f"{made}\n")
        with suppress(FileExistsError):  # then the other's counts
            os.link(draft, path)
    finally:
        draft.unlink()


async def keep_beating(workspace: Workspace, stop: asyncio.Event) -> None:
    """Give this node's signs of life until told to stop.

    A database that cannot be used for a while is waited out.
    """
    row = NodeRow(
        node_id=node_id(workspace),
        name=socket.gethostname(),
        version=video_detective.__version__,
        started_ns=now_ns(),
        info={"cpus": os.cpu_count() or 1, "system": platform.platform(terse=True)},
    )
    while not stop.is_set():
        try:
            await workspace.database.work.beat(row)
        except StorageError as error:
            _log.warning("node %s gives no sign of life: %s", row.node_id, error)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), BEAT_S)
