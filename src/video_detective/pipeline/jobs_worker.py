"""The worker: sees to it that everything which a model is to put into words is, once.

A *pending* row of a desk (narrations, insights) is the request and the only truth. The worker that
lives and comes first in order of name keeps the queue in step with the rows: it adds jobs for
pending ones and forgets ended ones. Every worker runs jobs, and gives those of dead workers back. A
job claims its row, has the work done, and stores the outcome where the row is still pending:
whoever comes second, for whatever reason, changes nothing.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

from video_detective.errors import ModelError, StorageError, VideoDetectiveError
from video_detective.geometry import NS_PER_S
from video_detective.pipeline.clock import now_ns
from video_detective.pipeline.jobs import JobQueue
from video_detective.pipeline.jobs_census import BEAT_NS, Census
from video_detective.pipeline.jobs_desk import Desk, NarrationDesk, Tell
from video_detective.pipeline.trace import traced
from video_detective.storage.database import Database

T = TypeVar("T")

RETRY_AFTER_S = (5.0, 20.0, 60.0, 300.0)
"""Pauses before a job is tried again after a transient failure. The model client has already
tried several times within seconds; this is for a server that is being restarted."""
MAX_STARTS = 10
"""A job that was begun so often and never ended takes its worker down: it is given up."""
WINDOW = 200
"""So many pending rows have their jobs; the others follow as those end."""

_STORE_AGAIN_S = (0.5, 1.0, 2.0, 5.0, 10.0)
_log = logging.getLogger(__name__)


class JobsWorker:
    """One process' share of the work; start as many as you like on one database.

    Args:
        database: Where the rows are.
        desks: What kinds of jobs it does.
        concurrency: Most jobs at a time in this process.
        retry_after_s: See ``RETRY_AFTER_S``.
    """

    def __init__(
        self,
        database: Database,
        desks: Sequence[Desk],
        *,
        concurrency: int = 1,
        retry_after_s: Sequence[float] = RETRY_AFTER_S,
    ) -> None:
        # The oldest comes first: it knows best who lives.
        begun = f"{now_ns():019d}"
        self.name = f"{begun}-{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        self._database = database
        self._workers = database.narrations
        # An id belongs to the desk with the longest prefix that fits.
        self._desks = sorted(desks, key=lambda desk: -len(desk.prefix))
        self._concurrency = concurrency
        self._retry_after_s = tuple(retry_after_s)
        self._running: set[asyncio.Task[None]] = set()
        self._put_off: set[str] = set()

    async def run(
        self,
        stop: asyncio.Event,
        *,
        until_empty: bool = False,
        on_look: Callable[[int], None] = lambda pending: None,
        on_end: Callable[[Any], None] = lambda outcome: None,
    ) -> None:
        """Work until told to stop. What was begun and not ended is then left to others at once.

        Args:
            stop: Set it to stop.
            until_empty: Stop when nothing is pending any more, at whatever worker, but for what
                has to wait for a server that is not there.
            on_look: Told how many rows are pending, every second or two.
            on_end: Told what came of each job that this process was the first to finish.

        Raises:
            ConflictError: this process runs another worker already.
            StorageError: the database cannot be used at the start. Later failures are waited out.
        """
        if until_empty and not await self._count_pending():
            return
        # Who has jobs and no beats is taken for dead.
        await self._workers.beat(self.name)
        queue = await JobQueue.open(
            await self._database.queue_place(),
            worker=self.name,
            concurrency=self._concurrency,
            run=partial(self._run, on_end),
        )
        census = Census()
        try:
            while not stop.is_set():
                next_ns = time.monotonic_ns() + BEAT_NS
                try:
                    waiting = await self._look(queue, census)
                    is_over = until_empty and await self._is_all_put_off(waiting)
                except StorageError as error:
                    _log.warning("jobs wait for their database: %s", error)
                else:
                    on_look(waiting)
                    if is_over:
                        return
                with suppress(TimeoutError):
                    left_s = (next_ns - time.monotonic_ns()) / NS_PER_S
                    await asyncio.wait_for(stop.wait(), max(left_s, 0.0))
        finally:
            await queue.close()
            await asyncio.gather(*self._running, return_exceptions=True)
            with suppress(StorageError):  # then the others find out by themselves
                await self._workers.forget([self.name])

    async def _look(self, queue: JobQueue, census: Census) -> int:
        beats = await self._workers.beat(self.name)
        alive = census.alive(beats, time.monotonic_ns())
        # Everybody: the first in order may be the one that died.
        await queue.take_over(alive)
        await self._workers.forget(set(beats) - alive)
        if self.name == min(alive):
            # Before reading what is pending: a job that ends in between is not added again.
            await queue.sweep()
            for desk in self._desks:
                await queue.add(await desk.pending(WINDOW))
        return await self._count_pending()

    async def _count_pending(self) -> int:
        return sum([await desk.count_pending() for desk in self._desks])

    async def _is_all_put_off(self, waiting: int) -> bool:
        """Whether what is pending is only what had to be put off here.

        By name: what was put off may have been done by another worker since.
        """
        if waiting > len(self._put_off):
            return False
        # A desk may give the oldest and the newest half: with room for all in each.
        pending = [await desk.pending(2 * waiting) for desk in self._desks] if waiting else []
        return self._put_off.issuperset(job_id for jobs in pending for job_id in jobs)

    async def _run(self, on_end: Callable[[Any], None], job_id: str) -> None:
        if (task := asyncio.current_task()) is not None:
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        desk = next((desk for desk in self._desks if job_id.startswith(desk.prefix)), None)
        if desk is None:  # who has such a desk adds it again
            return
        outcome = await self._do(desk, job_id)
        if outcome is not None:
            on_end(outcome)

    async def _do(self, desk: Desk, job_id: str) -> Any:
        """Do a job; None when that is no longer wanted, must wait, or another did it."""
        claim = await _insist(lambda: desk.claim(job_id, self.name))
        if claim is None:
            return None
        try:
            with traced(request=getattr(claim, "request_id", ""), job=job_id):
                outcome = await self._outcome(desk, claim)
            if outcome is None:
                self._put_off.add(job_id)
                await desk.release(claim)
                return None
            self._put_off.discard(job_id)
            is_first = await _insist(lambda: desk.finish(claim, outcome))
        except asyncio.CancelledError:
            with suppress(StorageError):
                await asyncio.shield(desk.release(claim))
            raise
        return outcome if is_first else None

    async def _outcome(self, desk: Desk, claim: Any) -> Any:
        if claim.starts > MAX_STARTS:
            words = f"It was begun {claim.starts - 1} times and never ended."
            return desk.failed(claim, _error("crashes", words))
        for tried, pause_s in enumerate((*self._retry_after_s, None)):
            try:
                return await desk.do(claim)
            except ModelError as error:
                if pause_s is None or not desk.is_worth_another_try(error, tried):
                    return desk.failed(claim, error)
            except StorageError as error:
                if pause_s is None:
                    return desk.failed(claim, _error("storage", error.message))
            except VideoDetectiveError as error:
                return desk.failed(claim, _error(error.code.lower(), error.message))
            except Exception as error:
                # One that trips over a mistake of ours must not keep the others waiting.
                _log.exception("event %s could not be told", claim.event_id)
                return desk.failed(claim, _error("internal", f"{type(error).__name__}: {error}"))
            await asyncio.sleep(pause_s)
        raise AssertionError("the last try returns")


class NarrationWorker(JobsWorker):
    """One that tells events and nothing else.

    Args:
        database: Where the rows are.
        tell: Does the work of one job.
        concurrency, retry_after_s: As of ``JobsWorker``.
    """

    def __init__(
        self,
        database: Database,
        tell: Tell,
        *,
        concurrency: int = 1,
        retry_after_s: Sequence[float] = RETRY_AFTER_S,
    ) -> None:
        super().__init__(
            database,
            [NarrationDesk(database.narrations, tell)],
            concurrency=concurrency,
            retry_after_s=retry_after_s,
        )


def _error(reason: str, words: str) -> ModelError:
    return ModelError(words, remedy="", reason=reason, transient=False)


async def _insist(work: Callable[[], Awaitable[T]]) -> T:
    """Do it, again and again while the database cannot be used."""
    pauses = iter(_STORE_AGAIN_S)
    while True:
        try:
            return await work()
        except StorageError as error:
            _log.warning("jobs wait for their database: %s", error)
            await asyncio.sleep(next(pauses, _STORE_AGAIN_S[-1]))
