"""Have one event told by the model that the settings name, within the hour's budget."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from video_detective.config.settings import NarrationSettings
from video_detective.errors import MissingError, ModelError
from video_detective.geometry import NS_PER_S
from video_detective.llm.base import Abilities
from video_detective.narration.budget import Budget, Plan, Spent, calls_left, plan
from video_detective.narration.describe import Told, describe_event
from video_detective.pipeline.clock import now_ns
from video_detective.services.narration_material import gather
from video_detective.services.workspace import Workspace
from video_detective.storage.narration_rows import (
    CAN_WAIT_NS,
    Claim,
    FrameWords,
    NarrationOutcome,
)

HOUR_NS = 3600 * NS_PER_S
_HOPELESS = {"server": "unreachable", "key": "refused", "model": "no_model"}
"""Why nothing at all can be asked, by key of what a probe found."""


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
        self._insights = workspace.database.insights
        self.settings = settings
        self.client = workspace.models.client(settings.server)
        self._budget = Budget(
            per_hour=settings.calls_per_hour,
            per_hour_per_camera=settings.calls_per_hour_per_camera,
        )
        self._abilities: Abilities | None = None
        self._examining = asyncio.Lock()
        self._planned: list[Spent] = []

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
        with self.spending(Spent(time_ns=now_ns(), camera_id=camera, calls=planned.calls)):
            told = await describe_event(
                self.client.complete, material, planned, self.settings.model
            )
        return _outcome(told)

    @contextmanager
    def spending(self, spent: Spent) -> Iterator[None]:
        """Count calls that are being made."""
        self._planned.append(spent)
        try:
            yield
        finally:
            self._planned.remove(spent)

    async def calls_left(self, camera: str) -> int:
        """How many calls of the hour's budget are left; events and alerts share it."""
        now = now_ns()
        spent = [
            *await self._narrations.spent(now - HOUR_NS),
            *await self._insights.spent(now - HOUR_NS),
            *self._planned,
        ]
        return calls_left(self._budget, spent, camera_id=camera, now_ns=now)

    async def _plan(
        self, camera: str, pictures: int, abilities: Abilities, is_urgent: bool
    ) -> Plan:
        return plan(
            pictures=pictures,
            calls_left=await self.calls_left(camera),
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

        finding = await probe(self.client, self.settings.model, images=True)
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
