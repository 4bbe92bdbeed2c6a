"""Have alerts described by the model that the settings name for narration."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import cv2
import numpy as np

from video_detective.alerts.wording import message
from video_detective.errors import MissingError, ModelError
from video_detective.geometry import NS_PER_S, Image
from video_detective.insights.asking import AlertMaterial, Shown
from video_detective.insights.degradation import LONGEST, plan
from video_detective.insights.describe import Described, describe_alert
from video_detective.insights.explain import explain
from video_detective.narration.budget import Spent
from video_detective.narration.pictures import shrunk
from video_detective.narration.template import summary
from video_detective.pipeline.clock import now_ns
from video_detective.pipeline.jobs_desk import InsightDesk
from video_detective.services.insight_attributes import record_attributes, with_attributes
from video_detective.services.telling import Teller
from video_detective.services.workspace import Workspace
from video_detective.storage import FrameRow
from video_detective.storage.base import StoredEvent
from video_detective.storage.insights.base import InsightClaim, InsightOutcome
from video_detective.tracking.base import Track

_log = logging.getLogger(__name__)


class InsightTeller:
    """Describes alerts; shares model, budget and what is known of the model with the narration.

    Args:
        workspace: Where alerts, events and pictures are.
        teller: Tells events.
    """

    def __init__(self, workspace: Workspace, teller: Teller) -> None:
        self._workspace = workspace
        self._insights = workspace.database.insights
        self._teller = teller
        self._news_s = teller.settings.fresh_s

    def desk(self) -> InsightDesk:
        """Its share of a worker."""
        return InsightDesk(self._insights, self.describe, self.explain, news_s=self._news_s)

    def explain(self, claim: InsightClaim, error: ModelError) -> str:
        """Why it could not be described, for people."""
        settings = self._teller.settings
        return explain(
            error.reason,
            error.message,
            claim.language,
            server=settings.server,
            model=settings.model,
        )

    async def describe(self, claim: InsightClaim) -> InsightOutcome:
        """Describe one alert.

        Raises:
            ModelError: no usable answer; a transient one may come to something later.
            MissingError: its event is not there any more.
        """
        stored = await self._workspace.database.event(claim.event_id)
        if stored is None:
            raise MissingError(f"There is no event '{claim.event_id}'", remedy="It was removed.")
        abilities = await self._teller.examine()
        material = await self._gather(claim, stored)
        news_ns = round(self._news_s * NS_PER_S)
        was_news = claim.created_ns - claim.triggered_ns <= news_ns
        waiting = await self._insights.count_news(now_ns=now_ns(), news_ns=news_ns)
        planned = plan(
            pictures=len(material.frames),
            calls_left=await self._teller.calls_left(claim.camera_id),
            abilities=abilities,
            waiting=waiting if was_news else 0,
            is_critical=claim.severity == "critical",
            is_late=was_news and now_ns() - claim.created_ns > news_ns,
        )
        requested_ns = now_ns()
        calls = int(planned.level != "template")
        spending = Spent(time_ns=requested_ns, camera_id=claim.camera_id, calls=calls)
        with self._teller.spending(spending):
            described = await describe_alert(
                self._teller.client.complete, material, planned, self._teller.settings.model
            )
        _log.info("insight %s of alert %s: %s", claim.insight_id, claim.alert_id, described.level)
        outcome = _outcome(described, requested_ns)
        if described.level not in ("frames", "one_frame"):
            return outcome  # too much waits for the model already
        asked = await record_attributes(self._workspace, self._teller, claim)
        if asked is None:
            return outcome
        return replace(outcome, usage=with_attributes(outcome.usage, asked))

    async def _gather(self, claim: InsightClaim, stored: StoredEvent) -> AlertMaterial:
        places = await self._workspace.places()
        scene = places.scene(claim.camera_id)
        name = places.name(claim.camera_id)
        frames = []
        for snapshot in claim.snapshots:
            path = self._workspace.blobs.path(snapshot.original, ".jpg")
            picture = await asyncio.to_thread(cv2.imread, str(path), cv2.IMREAD_COLOR)
            if picture is None:  # gone or damaged: the others can be shown
                continue
            row = await self._workspace.database.frame(snapshot.frame_id)
            image: Image = np.asarray(picture, np.uint8)
            frames.append(
                Shown(
                    time_ns=snapshot.time_ns,
                    picture=shrunk(image, LONGEST),
                    tracks=() if row is None else _tracks(row),
                )
            )
        return AlertMaterial(
            event=stored.event,
            scene=scene,
            camera_name=name,
            language=claim.language,
            message=message(
                claim.metric_path,
                claim.operator,
                claim.threshold,
                claim.actual_value,
                language=claim.language,
            ),
            severity=claim.severity,
            triggered_ns=claim.triggered_ns,
            summary=summary(stored.event, scene, language=claim.language, camera_name=name),
            frames=tuple(frames),
        )


def _tracks(row: FrameRow) -> tuple[Track, ...]:
    """Who was tracked in a stored frame."""
    return tuple(_track(record) for record in row.detections)


def _track(record: Mapping[str, Any]) -> Track:
    box: Sequence[float] = record["bbox"]
    return Track(
        track_id=str(record["track_id"]),
        type=str(record["type"]),
        conf=float(record["conf"]),
        bbox=(box[0], box[1], box[2], box[3]),
    )


def _outcome(described: Described, requested_ns: int) -> InsightOutcome:
    is_model = described.level != "template"
    reason = described.reason
    if reason is not None and described.detail:
        reason = f"{reason}: {described.detail}"
    outcome = InsightOutcome(
        status="done",
        described_by="model" if is_model else "template",
        level=described.level,
        reason=reason,
        result=described.result,
        flags=described.flags,
        usage=described.usage,
        raw_text=described.raw_text,
    )
    if not described.usage["calls"]:
        return outcome
    return replace(
        outcome,
        requested_ns=requested_ns,
        input_tokens=described.input_tokens,
        output_tokens=described.output_tokens,
    )
