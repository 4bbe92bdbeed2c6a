"""The runner of uploaded files: a process for each queued job of this node, few at a time."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from video_detective.errors import StorageError
from video_detective.geometry import NS_PER_S
from video_detective.pipeline.children import Child
from video_detective.pipeline.clock import now_ns
from video_detective.pipeline.jobs_census import BEAT_NS, Census
from video_detective.storage.work.base import JobEnd, JobRow
from video_detective.storage.work.jobs import Jobs

PAUSES_S = (1.0, 5.0, 20.0, 60.0)
"""Before a process that crashed or lost its database is started again; then the job has failed."""
SILENT_S = 120.0
"""A process that says nothing for so long hangs, and is started anew."""
_PASSING = frozenset({"CONFLICT", "STORAGE_UNAVAILABLE", "CRASHED"})
"""Failures after which the same job may succeed."""
_log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class _Running:
    """A job that this process has taken."""

    job: JobRow
    epoch: int
    progress: Mapping[str, Any]
    leave: asyncio.Event = field(default_factory=asyncio.Event)
    is_cancelled: bool = False
    is_lost: bool = False
    task: asyncio.Task[None] | None = None


class FileRunner:
    """One service's share of the jobs whose files lie on its node.

    Args:
        jobs: Where the rows are.
        node_id: Which node this is.
        spawn: Starts the process of a job.
        most: At most so many at a time.
        on_end: Told of each job that ended here: what becomes of its file.
    """

    def __init__(
        self,
        jobs: Jobs,
        node_id: str,
        spawn: Callable[[Sequence[str]], Awaitable[Child]],
        *,
        most: int,
        on_end: Callable[[JobRow, JobEnd], Awaitable[None]],
    ) -> None:
        self._jobs = jobs
        self._node_id = node_id
        self._spawn = spawn
        self._most = most
        self._on_end = on_end
        self._own: dict[str, _Running] = {}
        self._census = Census()

    async def run(self, stop: asyncio.Event) -> None:
        """Run jobs until told to stop; those that are not done then go on when it starts again."""
        try:
            while not stop.is_set():
                next_ns = time.monotonic_ns() + BEAT_NS
                try:
                    await self._look()
                except StorageError as error:
                    _log.warning("uploaded files wait for the database: %s", error)
                left_s = max((next_ns - time.monotonic_ns()) / NS_PER_S, 0.0)
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), left_s)
        finally:
            running = list(self._own.values())
            for one in running:
                one.leave.set()
            await asyncio.gather(*(one.task for one in running if one.task is not None))

    async def _look(self) -> None:
        reports = {key: (one.epoch, one.progress) for key, one in self._own.items()}
        if reports:
            for job_id, what in (await self._jobs.progress(reports)).items():
                one = self._own.get(job_id)
                if one is not None:
                    one.is_lost = what == "lost"
                    one.is_cancelled = what == "cancelled"
                    one.leave.set()
        waiting = await self._jobs.claimable(self._node_id)
        beats = {f"{j.job_id}@{j.epoch}": j.beat for j in waiting if j.beat and not self._has(j)}
        alive = self._census.alive(beats, time.monotonic_ns())
        for job in waiting:
            if len(self._own) >= self._most:
                return
            if self._has(job) or f"{job.job_id}@{job.epoch}" in alive:
                continue
            epoch = await self._jobs.claim(job, now_ns=now_ns())
            if epoch is not None:
                one = _Running(job=job, epoch=epoch, progress=job.progress)
                one.is_cancelled = job.is_cancel_requested
                self._own[job.job_id] = one
                one.task = asyncio.create_task(self._run(one))

    def _has(self, job: JobRow) -> bool:
        return job.job_id in self._own

    async def _run(self, one: _Running) -> None:
        try:
            end = await self._outcome(one)
            if one.is_lost:
                return
            if end is None:
                await self._jobs.give_back(one.job.job_id, one.epoch)
            elif await self._jobs.end(one.job.job_id, one.epoch, end):
                await self._on_end(one.job, end)
        except StorageError as error:
            # Its row still says that it runs: whoever sees its heart stop takes it over.
            _log.error("the end of job %s is not noted: %s", one.job.job_id, error)
        finally:
            del self._own[one.job.job_id]

    async def _outcome(self, one: _Running) -> JobEnd | None:
        """How a job ended; None when it is left to whoever comes."""
        for pause_s in (*PAUSES_S, None):
            said = {} if one.is_cancelled else await self._live_once(one)
            if one.is_lost:
                return None
            if one.is_cancelled:
                return JobEnd(status="cancelled", ended_ns=now_ns())
            if "report" in said:
                return JobEnd(status="done", ended_ns=now_ns(), report=said["report"])
            error = said.get("error")
            if one.leave.is_set() and (error is None or error["code"] in _PASSING):
                return None
            if error is None:
                error = {
                    "code": "CRASHED",
                    "message": "The process of the analysis ended without a word. Upload the file"
                    " again, or report it with the service's log.",
                }
            if pause_s is None or error["code"] not in _PASSING:
                return JobEnd(
                    status="failed",
                    ended_ns=now_ns(),
                    error_code=error["code"],
                    error=error["message"],
                )
            _log.warning("job %s is begun again in %g s", one.job.job_id, pause_s)
            with suppress(TimeoutError):
                await asyncio.wait_for(one.leave.wait(), pause_s)
        raise AssertionError("the last try returns")

    async def _live_once(self, one: _Running) -> Mapping[str, Any]:
        """One process from its start to its end: its last words, {} where it had none."""
        job_id = one.job.job_id
        try:
            child = await self._spawn(("work", "file", job_id, "--epoch", str(one.epoch)))
        except OSError as error:
            _log.error("no process can be started for job %s: %s", job_id, error)
            return {}
        died = asyncio.create_task(child.wait())
        leaves = asyncio.create_task(one.leave.wait())
        try:
            while not died.done() and not leaves.done():
                await asyncio.wait({died, leaves}, timeout=0.5, return_when=asyncio.FIRST_COMPLETED)
                if child.latest is not None:
                    one.progress = child.latest["progress"]
                if time.monotonic() - child.heard_s > SILENT_S:
                    _log.error("the process of job %s hangs", job_id)
                    break
        finally:
            leaves.cancel()
            await child.stop()
            await asyncio.wait({died})
        return child.end or {}
