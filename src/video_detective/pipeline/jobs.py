"""A durable queue of jobs over DBOS: what was added runs, whatever happens to the processes.

DBOS keeps jobs in a database of its own, hands each to one worker, and runs it at least once. Two
things are added here. Jobs of a worker that died wait, with DBOS alone, for a worker of the same
name: ``take_over`` gives them back. And the record of an ended job is only kept until ``sweep``:
whether a job is still wanted is known elsewhere (``storage``), so that the queue's database can be
lost at any time. That a job's *effect* happens once is not promised here; whoever stores it guards
the row.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import TYPE_CHECKING, Self, TypeVar

from video_detective.errors import ConflictError, StorageError
from video_detective.storage.failures import explained
from video_detective.storage.queue_place import QueuePlace

if TYPE_CHECKING:
    from dbos import DBOSClient

T = TypeVar("T")

_APPLICATION = "video-detective"
# Pinned: DBOS would otherwise derive it from the code, and a new release would not run the jobs
# that the old one left. A job is an id whose meaning does not change.
_VERSION = "1"
_QUEUE = "narration"
_WORKFLOW = "tell"
_POLL_S = 0.2
_PAGE = 1000
_ENDED = ("SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")


class JobQueue:
    """This process' end of the queue; the library allows one in a process at a time.

    Args:
        client: For adding and looking.
        place: For people: where the queue's database is.
    """

    def __init__(self, client: DBOSClient, place: str) -> None:
        self._client = client
        self._place = place

    @classmethod
    async def open(
        cls,
        place: QueuePlace,
        *,
        worker: str,
        concurrency: int,
        run: Callable[[str], Awaitable[None]],
    ) -> Self:
        """Make the queue's tables where they are missing, and begin to run jobs.

        Args:
            place: Where the queue's database is.
            worker: Name of this process, never used before.
            concurrency: Most jobs at a time in this process.
            run: Does a job, in the running event loop. It is cancelled when the queue is closed,
                and must otherwise end without an error.

        Raises:
            ConflictError: another queue is open in this process.
            StorageError: the database cannot be used.
        """
        loop = asyncio.get_running_loop()

        async def in_our_loop(job_id: str) -> None:
            async def job() -> None:
                await run(job_id)

            await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(job(), loop))

        # In a thread: there DBOS finds no event loop, and runs its own tasks in one of its own.
        client = await asyncio.to_thread(_launch, place, worker, concurrency, in_our_loop)
        return cls(client, place.name)

    async def close(self) -> None:
        """Stop taking jobs and cancel those that run; they stay this worker's until taken over."""
        await asyncio.to_thread(_shut_down, self._client)

    async def add(self, jobs: Mapping[str, int]) -> None:
        """Add the jobs that are not there yet, in this order; one that ended is, until ``sweep``.

        Args:
            jobs: Priority by id; 1 runs before 2.

        Raises:
            StorageError: the database cannot be used; so raise all methods.
        """

        def work() -> None:
            known = self._client.list_workflows(
                workflow_ids=list(jobs), load_input=False, load_output=False
            )
            there = {job.workflow_id for job in known}
            for job_id in (job_id for job_id in jobs if job_id not in there):
                self._client.enqueue(
                    {
                        "workflow_name": _WORKFLOW,
                        "queue_name": _QUEUE,
                        "workflow_id": job_id,
                        "app_version": _VERSION,
                        "priority": jobs[job_id],
                    },
                    job_id,
                )

        if jobs:
            await self._in_thread(work)

    async def take_over(self, alive: Collection[str]) -> int:
        """Give the jobs of every worker that is not alive back to the queue.

        A worker that was only thought dead goes on with its job; somebody else does it as well.

        Returns:
            How many.
        """

        def work() -> int:
            running = self._client.list_workflows(
                status="PENDING", name=_WORKFLOW, limit=_PAGE, load_input=False, load_output=False
            )
            orphans = [job.workflow_id for job in running if job.executor_id not in alive]
            if orphans:
                self._client.resume_workflows(orphans, queue_name=_QUEUE)
            return len(orphans)

        return await self._in_thread(work)

    async def sweep(self) -> None:
        """Forget jobs that ended, so that they can be added again where they are still wanted."""

        def work() -> None:
            ended = self._client.list_workflows(
                status=list(_ENDED), name=_WORKFLOW, limit=_PAGE, load_input=False,
                load_output=False,
            )  # fmt: skip
            if ended:
                self._client.delete_workflows([job.workflow_id for job in ended])

        await self._in_thread(work)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        from dbos import error

        try:
            with explained(self._place):
                return await asyncio.to_thread(work)
        except error.DBOSException as cause:
            raise StorageError(
                f"The job queue in {self._place} cannot be used ({cause})",
                remedy="Try again",
                reason="storage_unusable",
            ) from cause


def _launch(
    place: QueuePlace, worker: str, concurrency: int, run: Callable[[str], Awaitable[None]]
) -> DBOSClient:
    # What fails here shows in our own methods; DBOS would print it among a command's output.
    quiet = logging.getLogger("dbos")
    if not quiet.handlers:
        quiet.addHandler(logging.NullHandler())
        quiet.propagate = False
    # Loading DBOS takes half a second, which commands without jobs need not cost.
    from dbos import DBOS, DBOSClient

    DBOS(
        config={
            "name": _APPLICATION,
            "system_database_url": place.url,
            "application_version": _VERSION,
            "executor_id": worker,
            "log_level": "CRITICAL",
            "use_listen_notify": False,
            "sys_db_pool_size": concurrency + 4,
            "scheduler_polling_interval_sec": 3600.0,
        }
    )
    if DBOS.executor_id != worker:
        raise ConflictError(
            "This process works on another queue already",
            remedy="Work on one data directory in a process at a time",
        )
    try:
        with explained(place.name):
            # Attempts are counted by whoever claims the row: taking over resets this counter.
            DBOS.workflow(name=_WORKFLOW, max_recovery_attempts=None)(run)
            DBOS.listen_queues([_QUEUE])
            DBOS.launch()
            DBOS.register_queue(
                _QUEUE,
                worker_concurrency=concurrency,
                polling_interval_sec=_POLL_S,
                on_conflict="always_update",
            )
            return DBOSClient(
                system_database_url=place.url,
                application_name=_APPLICATION,
                # A lost database is to be told, not waited for.
                retry_connection_errors=False,
                lazy=True,
            )
    except BaseException:
        DBOS.destroy(destroy_registry=True)
        raise


def _shut_down(client: DBOSClient) -> None:
    from dbos import DBOS

    client.destroy()
    # A second between the last look for jobs and the end of those that run: DBOS would otherwise
    # now and then start one on an event loop that has ended, and Python complain about it.
    DBOS.destroy(destroy_registry=True, workflow_completion_timeout_sec=1)
