"""The supervisor of live cameras: one process each, on whatever node has it.

Every service looks once a second at what is wanted and at who has it. It takes cameras that nobody
has, or whose owner gave no sign of life for some seconds, up to its share of them; ends what is no
longer wanted; begins anew what was changed or died. The rows of the database are the only truth:
who finds that a camera was taken over lets go of it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

from video_detective.errors import StorageError
from video_detective.geometry import NS_PER_S
from video_detective.pipeline.camera_keeper import CameraKeeper
from video_detective.pipeline.children import Child
from video_detective.pipeline.clock import now_ns
from video_detective.pipeline.jobs_census import BEAT_NS, Census
from video_detective.storage.narration_rows import Beat
from video_detective.storage.work.base import LiveTask, NodeRow
from video_detective.storage.work.repository import Work

Spawn = Callable[[Sequence[str]], Awaitable[Child]]
"""Starts a command of this program on the same data."""

NODE_DEAD_NS = 15 * NS_PER_S
"""A node that gave no sign of life for so long has no share of the cameras."""
AT_ONCE = 4
"""Cameras taken at one look: starting one costs seconds of computing time."""
PATIENCE = 3
"""Looks after which a camera that nobody took is taken beyond one's share."""
_log = logging.getLogger(__name__)


class CameraSupervisor:
    """One service's share of the live cameras.

    Args:
        work: Where the rows are.
        node_id: Which node this is.
        spawn: Starts the process of a camera.
        most: At most so many cameras at a time.
    """

    def __init__(self, work: Work, node_id: str, spawn: Spawn, *, most: int) -> None:
        self._work = work
        self._live = work.live
        self._node_id = node_id
        self._spawn = spawn
        self._most = most
        self._own: dict[str, CameraKeeper] = {}
        self._lost: set[CameraKeeper] = set()
        self._census = Census()
        self._looks_without_owner: dict[str, int] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Keep cameras until told to stop; then end their processes in order and let them go."""
        try:
            while not stop.is_set():
                next_ns = time.monotonic_ns() + BEAT_NS
                try:
                    await self._look()
                except StorageError as error:
                    _log.warning("live cameras wait for the database: %s", error)
                left_s = max((next_ns - time.monotonic_ns()) / NS_PER_S, 0.0)
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), left_s)
        finally:
            await asyncio.gather(
                *(
                    keeper.ending or self._let_go(keeper, "starting")
                    for keeper in list(self._own.values())
                ),
                *(keeper.ended() for keeper in self._lost),
            )

    async def _look(self) -> None:
        reports = {key: (keeper.epoch, keeper.report()) for key, keeper in self._own.items()}
        if reports:
            for camera_id in await self._live.report(reports, now_ns=now_ns()):
                keeper = self._own.pop(camera_id, None)
                if keeper is None:  # it was let go in order while this was being written
                    continue
                _log.warning("camera %s was taken over by another node", camera_id)
                keeper.leave()
                self._lost.add(keeper)
        self._lost = {keeper for keeper in self._lost if not keeper.has_ended}
        tasks = await self._live.tasks()
        for camera_id, keeper in list(self._own.items()):
            if keeper.is_leaving:
                continue
            if camera_id in tasks:
                keeper.change(tasks[camera_id])
            else:
                # Not waited for: the others' signs of life must go on.
                keeper.ending = asyncio.create_task(self._let_go(keeper, "stopped"))
        await self._take(tasks)

    async def _take(self, tasks: dict[str, LiveTask]) -> None:
        owners = await self._live.owners()
        beats = {f"{key}@{epoch}": beat for key, (epoch, beat) in owners.items()}
        alive = self._census.alive(beats, time.monotonic_ns())
        free: dict[str, tuple[int, Beat] | None] = {}
        for camera_id in tasks:
            owner = owners.get(camera_id)
            if camera_id in self._own or (owner and f"{camera_id}@{owner[0]}" in alive):
                continue
            free[camera_id] = owner
        self._looks_without_owner = {key: self._looks_without_owner.get(key, 0) + 1 for key in free}
        if not free:
            return
        share = _share(len(tasks), await self._work.nodes())
        taken = 0
        for camera_id, owner in free.items():
            has_time = self._looks_without_owner[camera_id] <= PATIENCE
            if taken >= AT_ONCE or len(self._own) >= self._most:
                return
            if len(self._own) >= share and has_time:
                continue
            epoch = await self._live.claim(camera_id, self._node_id, seen=owner, now_ns=now_ns())
            if epoch is not None:
                taken += 1
                self._own[camera_id] = CameraKeeper(tasks[camera_id], epoch, self._spawn)

    async def _let_go(self, keeper: CameraKeeper, state: str) -> None:
        """End a camera's process and leave the camera to whoever comes."""
        keeper.leave()
        await keeper.ended()
        camera_id = keeper.camera_id
        with suppress(StorageError):  # then the others find out by themselves
            await self._live.release(camera_id, keeper.epoch, state=state, now_ns=now_ns())
        if self._own.get(camera_id) is keeper:
            del self._own[camera_id]


def _share(cameras: int, nodes: Sequence[NodeRow]) -> int:
    """How many cameras fall to each living node, rounded up."""
    living = sum(node.age_ns < NODE_DEAD_NS for node in nodes)
    return -(-cameras // max(living, 1))
