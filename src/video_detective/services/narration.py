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
from video_detective.errors import MissingError, ModelError, UsageError
from video_detective.geometry import NS_PER_S
from video_detective.llm.base import Abilities
from video_detective.narration.budget import Budget, Plan, Spent, calls_left, plan
from video_detective.narration.describe import Told, describe_event
from video_detective.pipeline.clock import now_ns
from video_detective.pipeline.jobs_worker import RETRY_AFTER_S, NarrationWorker
from video_detective.services.narration_material import gather
from video_detective.services.workspace import Workspace
from video_detective.storage.narration_rows import (
    CAN_WAIT_NS,
    Claim,
    FrameWords,
    NarrationOutcome,
    NarrationRequest,
)

HOUR_NS = 3600 * NS_PER_S
LOOK_AGAIN_S = 30.0
"""Until a service looks again for a model server that was not there."""
_HOPELESS = {"server": "unreachable", "key": "refused", "model": "no_model"}
"""Why nothing at all can be asked, by key of what a probe found."""
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
        backfill: First ask for events that have no narration or a failed one, the newest first.
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
    narrations = workspace.database.narrations
    requested = 0
    if backfill:
        asked = NarrationRequest(language=settings.language, requested_ns=now_ns())
        requested = await narrations.request(asked, limit)
    if watch or await narrations.count_pending():
        await _examine(teller, stop)
    told, degraded, failed = Counter[None](), Counter[str](), Counter[str]()

    def ended(outcome: NarrationOutcome) -> None:
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

    await teller.worker().run(stop, until_empty=not watch, on_look=looked, on_end=ended)
    return NarrationReport(
        requested=requested,
        told=told.total(),
        degraded=dict(sorted(degraded.items())),
        failed=dict(sorted(failed.items())),
        pending=await narrations.count_pending(),
    )


async def keep_narrating(
    workspace: Workspace, stop: asyncio.Event, *, look_again_s: float = LOOK_AGAIN_S
) -> None:
    """Tell events as they are asked for, until ``stop``; nothing where no model is set.

    For a service: start it as a task, set ``stop`` and await the task before the database closes.
    While the model server cannot be reached at first, events wait for it.

    Args:
        workspace: Whose events.
        stop: Set it to stop.
        look_again_s: Pause until the next look for a server that was not there.

    Raises:
        UsageError: the model server's key is missing.
        ConflictError, StorageError: as ``narrate``, at the start only.
    """
    if workspace.settings.narration is None:
        return
    teller = Teller(workspace, workspace.settings.narration)
    while not stop.is_set():
        try:
            await _examine(teller, stop)
        except ModelError as error:
            _log.warning("events wait for their model: %s", error)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), look_again_s)
        else:
            await teller.worker().run(stop)


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


class Teller:
    """Tells events by the model that the settings name.

    Args:
        workspace: Where events, evidence and model servers are.
        settings: Which model, and how often it may be asked.

    Raises:
        UsageError: the server's key is missing.
    """

    def __init__(self, workspace: Workspace, settings: NarrationSettings) -> None:
        self._workspace = workspace
        self._narrations = workspace.database.narrations
        self._settings = settings
        self._client = workspace.models.client(settings.server)
        self._budget = Budget(
            per_hour=settings.calls_per_hour,
            per_hour_per_camera=settings.calls_per_hour_per_camera,
        )
        self._abilities: Abilities | None = None
        self._examining = asyncio.Lock()
        self._planned: list[Spent] = []

    def worker(self) -> NarrationWorker:
        """A worker that tells as many events at a time as the server takes."""
        return NarrationWorker(
            self._workspace.database,
            self.tell,
            concurrency=self._client.server.concurrency,
            retry_after_s=RETRY_AFTER_S,
        )

    async def tell(self, claim: Claim) -> NarrationOutcome:
        """Tell one event.

        Raises:
            ModelError: no usable answer; a transient one may come to something later.
            MissingError: there is no such event any more.
        """
        stored = await self._workspace.database.event(claim.event_id)
        if stored is None:
            raise MissingError(f"There is no event '{claim.event_id}'", remedy="It was removed.")
        abilities = await self.examine()
        material = await gather(self._workspace, stored, claim.language)
        camera, end_ns = stored.event.camera_id, stored.event.end_ns or stored.event.start_ns
        is_urgent = claim.requested_ns - end_ns <= CAN_WAIT_NS
        planned = await self._plan(camera, len(material.frames), abilities, is_urgent)
        spending = Spent(time_ns=now_ns(), camera_id=camera, calls=planned.calls)
        self._planned.append(spending)
        try:
            told = await describe_event(
                self._client.complete, material, planned, self._settings.model
            )
        finally:
            self._planned.remove(spending)
        return _outcome(told)

    async def _plan(
        self, camera: str, pictures: int, abilities: Abilities, is_urgent: bool
    ) -> Plan:
        now = now_ns()
        left = calls_left(
            self._budget,
            [*await self._narrations.spent(now - HOUR_NS), *self._planned],
            camera_id=camera,
            now_ns=now,
        )
        return plan(
            pictures=pictures,
            calls_left=left,
            abilities=abilities,
            waiting=await self._narrations.count_urgent() if is_urgent else 0,
        )

    async def examine(self) -> Abilities:
        """Find out what the model can do; once, before the first event.

        Raises:
            ModelError: nothing, because the server cannot be reached or has no such model.
        """
        async with self._examining:
            if self._abilities is None:
                self._abilities = await self._examine()
            return self._abilities

    async def _examine(self) -> Abilities:
        from video_detective.llm.probe import probe

        finding = await probe(self._client, self._settings.model, images=True)
        for problem in finding.problems:
            if (reason := _HOPELESS.get(problem.key)) is not None:
                raise ModelError(
                    problem.found,
                    remedy=problem.remedy,
                    reason=reason,
                    transient=reason == "unreachable",
                )
        return finding.abilities


def _outcome(told: Told) -> NarrationOutcome:
    is_model = told.level != "template"
    reason = told.reason
    if reason is not None and told.detail:
        reason = f"{reason}: {told.detail.removeprefix(f'{reason}: ')}"
    return NarrationOutcome(
        status="failed" if told.failed else "done",
        level=told.level,
        reason=reason,
        model=told.model,
        prompts={name.partition(".")[0]: name for name in told.prompts},
        # The template's sentence is the event's own already.
        text=told.text if is_model else "",
        result=told.result,
        flags=told.flags,
        raw_text=told.raw_text,
        usage=told.usage,
        frames=[
            FrameWords(
                frame_id=frame_id, vlm_json=words, summary_zh=str(words.get("summary_zh", ""))
            )
            for frame_id, words in told.frames.items()
        ],
    )
