"""Have events told by a model: on request, at leisure, or as they happen."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

from video_detective.config.settings import FILE_NAME, NarrationSettings
from video_detective.errors import ModelError, StorageError, UsageError
from video_detective.pipeline.clock import now_ns
from video_detective.pipeline.jobs_desk import NarrationDesk
from video_detective.pipeline.jobs_worker import RETRY_AFTER_S, JobsWorker
from video_detective.services.insight_worker import InsightTeller
from video_detective.services.telling import Teller
from video_detective.services.workspace import Workspace
from video_detective.storage.insights.base import InsightOutcome
from video_detective.storage.narration_rows import NarrationOutcome, NarrationRequest

LOOK_AGAIN_S = 30.0
"""Until a service looks again for a model server that was not there."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a run of narration is: events ended by this process, and events still pending."""

    ended: int
    pending: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NarrationReport:
    """What a run of narration did.

    Args:
        requested: Events that were asked for by this run.
        told: Told as wished, by this process.
        degraded, failed: Told with less, or not told; by key of the reason.
        pending: Still to be told, by whoever.
    """

    requested: int
    told: int
    degraded: Mapping[str, int]
    failed: Mapping[str, int]
    pending: int

    def as_json(self) -> dict[str, Any]:
        """For ``narrate --json``."""
        return asdict(self)


async def narrate(
    workspace: Workspace,
    *,
    stop: asyncio.Event,
    backfill: bool = False,
    limit: int | None = None,
    watch: bool = False,
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> NarrationReport:
    """Tell pending events until none is left (or for ever), beside other workers if there are any.

    Args:
        workspace: With a model set for narration.
        stop: Set it to stop; what was begun and not ended is then left to others.
        backfill: First ask for events that have no narration or a failed one, the newest first, and
            for alerts that no model has described; an event with an alert has the words of that.
        limit: Ask for at most so many; None for all.
        watch: Go on when none is left.
        on_progress: Called every second or two.

    Raises:
        UsageError: no model is set, its key is missing, or ``limit`` goes without ``backfill``.
        ModelError: the server cannot be reached or has no such model; events go on waiting.
        ConflictError: this process tells events already.
        StorageError: the database cannot be used.
    """
    settings = _settings(workspace)
    if limit is not None and not backfill:
        raise UsageError("A limit was given, but nothing is asked for", remedy="Add --backfill.")
    teller = Teller(workspace, settings)
    narrations, insights = workspace.database.narrations, workspace.database.insights
    requested = 0
    if backfill:
        asked = NarrationRequest(
            language=settings.language, requested_ns=now_ns(), alerted=settings.tell_alerted
        )
        requested = await narrations.request(asked, limit)
        requested += await insights.ask_again(now_ns=now_ns(), limit=limit)
    if watch or await _count_pending(workspace):
        await _examine(teller, stop)
    told, degraded, failed = Counter[None](), Counter[str](), Counter[str]()

    def ended(outcome: NarrationOutcome | InsightOutcome) -> None:
        key = (outcome.reason or "").partition(":")[0]
        if outcome.status == "failed":
            failed[key] += 1
        elif outcome.reason is None:
            told[None] += 1
        else:
            degraded[key] += 1

    def looked(pending: int) -> None:
        done = told.total() + degraded.total() + failed.total()
        on_progress(Progress(ended=done, pending=pending))

    worker = _worker(workspace, teller)
    await worker.run(stop, until_empty=not watch, on_look=looked, on_end=ended)
    return NarrationReport(
        requested=requested,
        told=told.total(),
        degraded=dict(sorted(degraded.items())),
        failed=dict(sorted(failed.items())),
        pending=await _count_pending(workspace),
    )


async def keep_narrating(
    workspace: Workspace, stop: asyncio.Event, *, look_again_s: float = LOOK_AGAIN_S
) -> None:
    """Tell events as they are asked for, until ``stop``; nothing where no model is set.

    For a service: start it as a task, set ``stop`` and await the task before the database closes.
    While the model server cannot be reached at first, or the queue not be used, events wait.

    Args:
        workspace: Whose events.
        stop: Set it to stop.
        look_again_s: Pause until the next look for what was not there.

    Raises:
        UsageError: the model server's key is missing.
        ConflictError: as ``narrate``.
    """
    if workspace.settings.narration is None:
        return
    teller = Teller(workspace, workspace.settings.narration)
    while not stop.is_set():
        try:
            await _examine(teller, stop)
            await _worker(workspace, teller).run(stop)
        except (ModelError, StorageError) as error:
            _log.warning("events wait to be told: %s", error)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), look_again_s)


async def _examine(teller: Teller, stop: asyncio.Event) -> None:
    """Examine the model; give up as soon as ``stop`` is set: a silent server takes minutes."""
    examining, stopped = asyncio.ensure_future(teller.examine()), asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({examining, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if examining.done():
            examining.result()
    finally:
        for task in (examining, stopped):
            task.cancel()
        await asyncio.gather(examining, stopped, return_exceptions=True)


async def _count_pending(workspace: Workspace) -> int:
    """Events and alerts that a model could be asked about now."""
    insights = await workspace.database.insights.count_pending(now_ns=now_ns())
    return await workspace.database.narrations.count_pending() + insights


def _settings(workspace: Workspace) -> NarrationSettings:
    settings = workspace.settings.narration
    if settings is None:
        raise UsageError(
            "No model is set to tell events",
            remedy=f"Name a server and a model under 'servers' and 'narration' in"
            f" '{workspace.data_dir / FILE_NAME}'; without one, events keep the words of their"
            " facts.",
        )
    return settings


def _worker(workspace: Workspace, teller: Teller) -> JobsWorker:
    """One that does as much at a time as the server takes: alerts, and events."""
    insights = InsightTeller(workspace, teller)
    return JobsWorker(
        workspace.database,
        [insights.desk(), NarrationDesk(workspace.database.narrations, teller.tell)],
        concurrency=teller.client.server.concurrency,
        retry_after_s=RETRY_AFTER_S,
    )
