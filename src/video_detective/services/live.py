"""Live analysis of devices: start, stop, how it goes; and the work of a camera's own process."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from video_detective.config import Camera
from video_detective.errors import ConflictError, StorageError, no_such
from video_detective.geometry import NS_PER_S
from video_detective.media.addresses import without_secret
from video_detective.pipeline.cameras import CameraSupervisor, Spawn
from video_detective.pipeline.children import Child
from video_detective.pipeline.clock import now_ns
from video_detective.pipeline.trace import traced
from video_detective.pipeline.worker import Progress
from video_detective.services.access import Caller
from video_detective.services.analysis import Request, analyze
from video_detective.services.devices import find_device
from video_detective.services.node import node_id
from video_detective.services.numbers import fresh_numbers
from video_detective.services.workspace import Workspace
from video_detective.storage.devices import DeviceRow
from video_detective.storage.work.base import LiveRow

AWAY_NS = 5 * NS_PER_S
"""A camera of which nothing came for so long is waited for."""
RATE_OVER_S = 5.0
"""The frame rate is that of the last so many seconds."""
TELL_S = 1.0
OWNER_DEAD_NS = 10 * NS_PER_S
"""An owner that gave no sign of life for so long is told as gone; others take over sooner."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class LivePage:
    """One page of devices' live analyses, and how many devices there are in all."""

    rows: Sequence[LiveRow]
    total: int
    next_cursor: str | None


async def start(workspace: Workspace, caller: Caller, device_id: str) -> LiveRow:
    """Have a device analysed live from now on; again is harmless.

    Raises:
        MissingError: there is no such device in reach.
        ConflictError: it has no source.
    """
    device = await find_device(workspace, caller, device_id)
    if not device.source:
        raise ConflictError(
            f"Device {device_id} has no source",
            remedy="Give it the address of its stream with PATCH /api/v1/devices/{id}.",
            reason="no_source",
        )
    return await _want(workspace, caller, device, wanted=True)


async def stop(workspace: Workspace, caller: Caller, device_id: str) -> LiveRow:
    """End a device's live analysis in order; again is harmless.

    Raises:
        MissingError: there is no such device in reach.
    """
    device = await find_device(workspace, caller, device_id)
    return await _want(workspace, caller, device, wanted=False)


async def _want(
    workspace: Workspace, caller: Caller, device: DeviceRow, *, wanted: bool
) -> LiveRow:
    now = now_ns()
    await workspace.database.work.live.want(
        device.camera_id,
        wanted=wanted,
        now_ns=now,
        request_id=caller.request_id,
        entry=caller.entry(
            f"analysis.{'start' if wanted else 'stop'}", device.device_id, time_ns=now
        ),
    )
    rows = await workspace.database.work.live.rows(caller.reach, camera_ids=[device.camera_id])
    if not rows:
        raise no_such("device", device.device_id, remedy="List the devices to see their ids.")
    return rows[0]


async def status(
    workspace: Workspace,
    caller: Caller,
    *,
    device_id: str | None,
    limit: int,
    offset: int,
    cursor: str | None,
) -> LivePage:
    """How the live analyses of the devices in reach are going, in order of device id.

    Args:
        workspace: Where.
        caller: Who asks.
        device_id: Only of this device.
        limit: Most rows.
        offset: So many are left out before.
        cursor: The last device id of the page before; then ``offset`` is not read.

    Raises:
        MissingError: there is no such device in reach.
    """
    live = workspace.database.work.live
    if device_id is not None:
        device = await find_device(workspace, caller, device_id)
        rows = await live.rows(caller.reach, camera_ids=[device.camera_id])
        return LivePage(rows=rows, total=len(rows), next_cursor=None)
    rows = await live.rows(
        caller.reach, after=cursor, limit=limit + 1, offset=0 if cursor else offset
    )
    return LivePage(
        rows=rows[:limit],
        total=await live.count(caller.reach),
        next_cursor=rows[limit - 1].device_id if len(rows) > limit else None,
    )


def spawner(workspace: Workspace) -> Spawn:
    """Starts commands of this program on the same data; the database's address is no argument."""
    environment = {"VIDEO_DETECTIVE_DATA": str(workspace.data_dir.resolve())}
    if workspace.database_url is not None:
        environment["VIDEO_DETECTIVE_DATABASE"] = workspace.database_url

    async def spawn(words: Sequence[str]) -> Child:
        return await Child.start(words, environment)

    return spawn


async def keep_cameras(workspace: Workspace, stop: asyncio.Event) -> None:
    """Analyse this node's share of the wanted cameras until told to stop."""
    most = workspace.settings.analysis.cameras
    if most:
        supervisor = CameraSupervisor(
            workspace.database.work, node_id(workspace), spawner(workspace), most=most
        )
        await supervisor.run(stop)


# --- in the camera's own process


async def watch_camera(
    workspace: Workspace,
    camera_id: str,
    epoch: int,
    *,
    stop: threading.Event,
    tell: Callable[[dict[str, Any]], None],
) -> dict[str, Any] | None:
    """Analyse a camera until told to stop, or until another node has taken it over.

    Args:
        workspace: Where.
        camera_id: Which.
        epoch: Of the taking for which this process was started.
        stop: Ends it in order; also set here.
        tell: Told how it is going, once a second.

    Returns:
        The report; None when it is not wanted any more.

    Raises:
        UsageError, WeightsError, SourceLostError, StorageError, ConflictError: see ``analyze``.
    """
    live = workspace.database.work.live
    task = (await live.tasks()).get(camera_id)
    if task is None or not await live.is_owned(camera_id, epoch):
        return None
    (row,) = await live.rows(camera_ids=[camera_id])
    meter = Meter(name=without_secret(task.source))
    request = Request(
        source=task.source,
        camera_id=camera_id,
        camera=Camera.model_validate(task.document),
        is_described=False,
        numbers=await fresh_numbers(workspace, camera_id),
        request_id=row.request_id,
    )
    with traced(request=row.request_id):
        _log.info("the live analysis of camera %s begins (taking %d)", camera_id, epoch)
        telling = asyncio.create_task(_tell(workspace, camera_id, epoch, meter, stop, tell))
        try:
            return await analyze(workspace, request, stop=stop, on_progress=meter.note)
        finally:
            telling.cancel()
            _log.info("the live analysis of camera %s ends", camera_id)


async def _tell(
    workspace: Workspace,
    camera_id: str,
    epoch: int,
    meter: Meter,
    stop: threading.Event,
    tell: Callable[[dict[str, Any]], None],
) -> None:
    """Say how it goes, and look whether the camera is still ours: the parent may hang."""
    while True:
        tell(meter.state())
        with suppress(StorageError):  # the parent waits for the database; so do we
            if not await workspace.database.work.live.is_owned(camera_id, epoch):
                stop.set()
        await asyncio.sleep(TELL_S)


class Meter:
    """How a live analysis goes, from its progress.

    Args:
        name: Of the source, without its secret.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._counts: deque[tuple[float, int]] = deque()
        self._latest: Progress | None = None
        self._lag_s: float | None = None

    def note(self, progress: Progress) -> None:
        """Take up a report; from any thread."""
        now_s = time.monotonic()
        with self._lock:
            if progress.time_ns is not None and (
                self._latest is None or progress.time_ns != self._latest.time_ns
            ):
                self._lag_s = max((now_ns() - progress.time_ns) / NS_PER_S, 0.0)
            self._latest = progress
            self._counts.append((now_s, progress.decoded))

    def state(self) -> dict[str, Any]:
        """What is told the parent: the fields of ``LiveReport``."""
        now_s = time.monotonic()
        with self._lock:
            while len(self._counts) > 1 and self._counts[0][0] < now_s - RATE_OVER_S:
                self._counts.popleft()
            latest, lag_s = self._latest, self._lag_s
            fps = None
            if len(self._counts) > 1:
                (since_s, since), (_, until) = self._counts[0], self._counts[-1]
                fps = round((until - since) / max(now_s - since_s, 0.001), 2)
        time_ns = None if latest is None else latest.time_ns
        error = None
        state = "starting" if time_ns is None else "running"
        if time_ns is not None and (age_ns := now_ns() - time_ns) > AWAY_NS + (lag_s or 0) * 1e9:
            state, fps = "waiting", 0.0
            error = (
                f"No picture from {self._name} for {age_ns // NS_PER_S} s."
                " Check the camera and its network; it is connected again by itself."
            )
        return {
            "state": state,
            "fps": fps,
            "lag_s": None if lag_s is None else round(lag_s, 3),
            "last_frame_ns": time_ns,
            "drops": [] if latest is None else list(latest.drops),
            "error": error,
        }
