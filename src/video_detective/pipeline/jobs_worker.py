"""The narration worker: sees to it that every event which is to be told is told, once.

A *pending* row of narrations is the request and the only truth. The worker that lives and comes
first in order of name keeps the queue in step with the rows: it adds jobs for pending ones and
forgets ended ones. Every worker runs jobs, and gives those of dead workers back. A job claims its
row, has the event told, and stores the outcome where the row is still pending under the same
request: whoever comes second, for whatever reason, changes nothing.
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
from typing import TypeVar

from video_detective.errors import ModelError, StorageError, VideoDetectiveError
from video_detective.geometry import NS_PER_S
from video_detective.pipeline.clock import now_ns
from video_detective.pipeline.jobs import JobQueue
from video_detective.pipeline.jobs_census import BEAT_NS, Census
from video_detective.storage.database import Database
from video_detective.storage.narration_rows import Claim, NarrationOutcome

T = TypeVar("T")
Tell = Callable[[Claim], Awaitable[NarrationOutcome]]
"""Has one event told.

Raises:
    ModelError: no usable answer came; a transient one is asked again later.
    VideoDetectiveError: it cannot be told.
"""

RETRY_AFTER_S = (5.0, 20.0, 60.0, 300.0)
"""Pauses before a job is tried again after a transient failure. The model client has already
tried several times within seconds; this is for a server that is being restarted."""
MAX_STARTS = 10
"""A job that was begun so often and never ended takes its worker down: it is given up."""
WINDOW = 200
"""So many pending rows have their jobs; the others follow as those end."""

_STORE_AGAIN_S = (0.5, 1.0, 2.0, 5.0, 10.0)
_log = logging.getLogger(__name__)


class NarrationWorker:
    """One process' share of the work; start as many as you like on one database.

    Args:
        database: Where the rows are.
        tell: Does the work of one job.
        concurrency: Most events told at a time by this process.
        retry_after_s: See ``RETRY_AFTER_S``.
    """

    def __init__(
        self,
        database: Database,
        tell: Tell,
        *,
        concurrency: int = 1,
        retry_after_s: Sequence[float] = RETRY_AFTER_S,
    ) -> None:
        # The oldest comes first: it knows best who lives.
        begun = f"{now_ns():019d}"
        self.name = f"{begun}-{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        self._database = database
        self._narrations = database.narrations
        self._tell = tell
        self._concurrency = concurrency
        self._retry_after_s = tuple(retry_after_s)
        self._running: set[asyncio.Task[None]] = set()

    async def run(
        self,
        stop: asyncio.Event,
        *,
        until_empty: bool = False,
        on_look: Callable[[int], None] = lambda pending: None,
        on_end: Callable[[NarrationOutcome], None] = lambda outcome: None,
    ) -> None:
        """Work until told to stop. What was begun and not ended is then left to others at once.

        Args:
            stop: Set it to stop.
            until_empty: Stop when nothing is pending any more, at whatever worker.
            on_look: Told how many rows are pending, every second or two.
            on_end: Told what came of each event that this process was the first to finish.

        Raises:
            ConflictError: this process runs another worker already.
            StorageError: the database cannot be used at the start. Later failures are waited out.
        """
        if until_empty and not await self._narrations.count_pending():
            return
        # Who has jobs and no beats is taken for dead.
        await self._narrations.beat(self.name)
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
                except StorageError as error:
                    _log.warning("narration waits for its database: %s", error)
                else:
                    on_look(waiting)
                    if until_empty and waiting == 0:
                        return
                with suppress(TimeoutError):
                    left_s = (next_ns - time.monotonic_ns()) / NS_PER_S
                    await asyncio.wait_for(stop.wait(), max(left_s, 0.0))
        finally:
            await queue.close()
            await asyncio.gather(*self._running, return_exceptions=True)
            with suppress(StorageError):  # then the others find out by themselves
                await self._narrations.forget([self.name])

    async def _look(self, queue: JobQueue, census: Census) -> int:
        beats = await self._narrations.beat(self.name)
        alive = census.alive(beats, time.monotonic_ns())
        # Everybody: the first in order may be the one that died.
        await queue.take_over(alive)
        await self._narrations.forget(set(beats) - alive)
        if self.name == min(alive):
            # Before reading what is pending: a job that ends in between is not added again.
            await queue.sweep()
            pending = await self._narrations.pending(WINDOW)
            await queue.add(
                {f"{row.event_id}@{row.requested_ns}": 2 if row.can_wait else 1 for row in pending}
            )
        return await self._narrations.count_pending()

    async def _run(self, on_end: Callable[[NarrationOutcome], None], job_id: str) -> None:
        if (task := asyncio.current_task()) is not None:
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        outcome = await self._do(*_read(job_id))
        if outcome is not None:
            on_end(outcome)

    async def _do(self, event_id: str, requested_ns: int) -> NarrationOutcome | None:
        """Have an event told; None when that is no longer wanted, or another did it."""
        claim = await _insist(lambda: self._narrations.claim(event_id, requested_ns, self.name))
        if claim is None:
            return None
        try:
            outcome = await self._told(claim)
            is_first = await _insist(
                lambda: self._narrations.finish(claim, outcome, finished_ns=now_ns())
            )
        except asyncio.CancelledError:
            with suppress(StorageError):
                await asyncio.shield(self._narrations.release(claim))
            raise
        return outcome if is_first else None

    async def _told(self, claim: Claim) -> NarrationOutcome:
        if claim.starts > MAX_STARTS:
            return _failed("crashes", f"It was begun {claim.starts - 1} times and never ended.")
        for pause_s in (*self._retry_after_s, None):
            try:
                return await self._tell(claim)
            except ModelError as error:
                if pause_s is None or not error.transient:
                    return _failed(error.reason, error.message, raw=error.raw)
            except StorageError as error:
                if pause_s is None:
                    return _failed("storage", error.message)
            except VideoDetectiveError as error:
                return _failed(error.code.lower(), error.message)
            except Exception as error:
                # One event that trips over a mistake of ours must not keep the others waiting.
                _log.exception("event %s could not be told", claim.event_id)
                return _failed("internal", f"{type(error).__name__}: {error}")
            await asyncio.sleep(pause_s)
        raise AssertionError("the last try returns")


def _failed(key: str, words: str, raw: str | None = None) -> NarrationOutcome:
    return NarrationOutcome(status="failed", reason=f"{key}: {words}", raw_text=raw or None)


def _read(job_id: str) -> tuple[str, int]:
    event_id, _, requested_ns = job_id.rpartition("@")
    return event_id, int(requested_ns)


async def _insist(work: Callable[[], Awaitable[T]]) -> T:
    """Do it, again and again while the database cannot be used."""
    pauses = iter(_STORE_AGAIN_S)
    while True:
        try:
            return await work()
        except StorageError as error:
            _log.warning("narration waits for its database: %s", error)
            await asyncio.sleep(next(pauses, _STORE_AGAIN_S[-1]))
