"""The supervisor of live cameras, over a real database and processes that only wait."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from tests.working import save_camera

from video_detective.pipeline.cameras import CameraSupervisor
from video_detective.pipeline.children import Child
from video_detective.pipeline.clock import now_ns
from video_detective.services.workspace import open_workspace
from video_detective.storage.work.base import LiveReport
from video_detective.storage.work.live import Live
from video_detective.storage.work.repository import Work

LIMIT_S = 60.0


class WaitingChild:
    """A process that ends when it is told to, and not before it may."""

    def __init__(self, may_end: asyncio.Event) -> None:
        self.latest: Mapping[str, Any] | None = None
        self.end: Mapping[str, Any] | None = None
        self.heard_s = time.monotonic()
        self._may_end = may_end
        self._ended = asyncio.Event()

    async def wait(self) -> int:
        await self._ended.wait()
        return 0

    async def stop(self) -> None:
        await self._may_end.wait()
        self._ended.set()


class HeldLive:
    """The rows of live analyses, whose reports can be held up, as by a busy database."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self.passes = asyncio.Event()
        self.passes.set()
        self.is_held = asyncio.Event()
        self.released = asyncio.Event()
        self.looks = asyncio.Condition()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._live, name)

    async def report(
        self, reports: Mapping[str, tuple[int, LiveReport]], *, now_ns: int
    ) -> set[str]:
        if not self.passes.is_set():
            self.is_held.set()
            await self.passes.wait()
        return await self._live.report(reports, now_ns=now_ns)

    async def release(self, camera_id: str, epoch: int, *, state: str, now_ns: int) -> None:
        await self._live.release(camera_id, epoch, state=state, now_ns=now_ns)
        self.released.set()

    async def owners(self) -> Any:
        async with self.looks:
            self.looks.notify_all()
        return await self._live.owners()


class HeldWork:
    def __init__(self, work: Work) -> None:
        self.live = HeldLive(work.live)
        self.nodes = work.nodes


async def test_a_camera_that_is_let_go_while_it_is_reported_ends_no_other(tmp_path: Path) -> None:
    may_end = asyncio.Event()

    async def spawn(_: Sequence[str]) -> Child:
        return cast(Child, WaitingChild(may_end))

    async with open_workspace(tmp_path) as workspace, asyncio.timeout(LIMIT_S):
        await save_camera(workspace)
        work = HeldWork(workspace.database.work)

        async def want(*, wanted: bool) -> None:
            await work.live.want("door", wanted=wanted, now_ns=now_ns(), request_id="", entry=None)

        async def look_after() -> None:
            async with work.live.looks:
                await work.live.looks.wait()

        async def state() -> str:
            (row,) = await work.live.rows()
            return str(row.report.state)

        stop = asyncio.Event()
        supervisor = CameraSupervisor(cast(Work, work), "a-node", spawn, most=4)
        await want(wanted=True)
        running = asyncio.create_task(supervisor.run(stop))
        while "door" not in await work.live.owners():
            await look_after()
        await want(wanted=False)
        await look_after()  # now its process is being ended
        work.live.passes.clear()
        await work.live.is_held.wait()
        may_end.set()
        await work.live.released.wait()
        await asyncio.sleep(0)
        work.live.passes.set()

        await want(wanted=True)
        await asyncio.wait(
            {running, asyncio.create_task(look_after())}, return_when="FIRST_COMPLETED"
        )

        assert not running.done(), running.exception()
        assert await state() == "starting"
        stop.set()
        await running
