"""Alerts as an analysis makes them, and channels that are told of them."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from video_detective.alerts.base import Alert, Severity
from video_detective.geometry import NS_PER_S
from video_detective.rules import Actor, Event
from video_detective.storage import (
    CameraRow,
    EvidenceRow,
    FrameRow,
    Run,
    RunKey,
    Step,
    StoredEvent,
)
from video_detective.storage.database import Database
from video_detective.storage.devices import DeviceRow
from video_detective.storage.ids import new_id
from video_detective.storage.insights.base import AlertContext, InsightOutcome
from video_detective.storage.notices.base import ChannelKind, ChannelRow, Filters
from video_detective.storage.reach import Reach

SAID = {
    "summary": "一名男子翻越圍籬進入後院。", "personCount": 1, "riskLevel": "high",
    "activities": ["翻越圍籬"], "suggestions": ["派人查看"], "environment": "夜間後院",
}  # fmt: skip
ANSWERED = InsightOutcome(status="done", described_by="model", level="frames", result=SAID)
GIVEN_UP = InsightOutcome(status="failed", reason="invalid: no JSON", error="請稍後再試。")


@dataclass
class Site:
    """A camera whose analysis raises alerts.

    Args:
        db: Where.
        camera_id: Which camera; it is made with its device.
        now_ns: The time; alerts are raised at it.
    """

    db: Database
    camera_id: str = "cam01"
    now_ns: int = field(default_factory=time.time_ns)
    _run: Run | None = None

    async def begin(self, name: str = "後門攝影機") -> Reach:
        """Make the camera; returns the reach of its account."""
        await self.db.save_camera(
            CameraRow(camera_id=self.camera_id, name=name, timezone="Asia/Taipei", document={})
        )
        await self.analyse("s")
        return Reach(account_id=(await self.db.accounts.default()).account_id)

    async def analyse(self, settings: str) -> None:
        """From here on alerts are those of an analysis of the same footage with these settings."""
        key = RunKey(camera_id=self.camera_id, fingerprint="live", settings_hash=settings)
        self._run = await self.db.begin_run(key, {}, self.now_ns)

    async def finish(self) -> None:
        """The analysis has come to its end."""
        assert self._run is not None
        await self.db.finish_run(self._run, {})

    async def device_id(self) -> str:
        [device] = [d for d in await self._devices() if d.camera_id == self.camera_id]
        return device.device_id

    async def _devices(self) -> Sequence[DeviceRow]:
        account = await self.db.accounts.default()
        page = await self.db.devices.devices(
            Reach(account_id=account.account_id), limit=100, offset=0, cursor=None
        )
        return page.devices

    async def raise_alert(
        self,
        n: int,
        *,
        at_s: float = 0.0,
        over: bool = False,
        severity: Severity = "critical",
        rule: str = "every-event",
        has_model: bool = False,
        request_id: str = "req-1",
        message: str = "Intrusion time reached threshold: 1.5 s >= 1 s",
    ) -> None:
        """Event and alert number ``n``, ``at_s`` seconds from ``now_ns``."""
        triggered_ns = self.now_ns + round(at_s * NS_PER_S)
        alert = Alert(
            event_id=self.event_id(n),
            camera_id=self.camera_id,
            alert_rule=rule,
            kind="event",
            metric_path="zones.yard.intrusion.dwell_s",
            operator="GTE",
            threshold=1.0,
            actual_value=1.5,
            severity=severity,
            message=message,
            triggered_ns=triggered_ns,
        )
        context = AlertContext(
            now_ns=self.now_ns, request_id=request_id, node_id="node-1", has_model=has_model
        )
        await self._commit(n, triggered_ns, over, [alert], context)

    async def end(self, n: int, *, at_s: float = 0.0) -> None:
        """Event number ``n`` is over."""
        start_ns = self.now_ns + round(at_s * NS_PER_S)
        await self._commit(n, start_ns, True, [], AlertContext(now_ns=self.now_ns))

    async def describe(self, outcome: InsightOutcome = ANSWERED) -> None:
        """The model answers (or not) for every alert that waits for it."""
        later_ns = self.now_ns + 3600 * NS_PER_S
        for pending in await self.db.insights.pending(100, now_ns=later_ns):
            claim = await self.db.insights.claim(pending.insight_id, "w")
            assert claim is not None
            assert await self.db.insights.finish(claim, outcome, finished_ns=self.now_ns)

    async def picture(self, n: int, *, also_before: bool = False) -> str:
        """A picture of now of event number ``n``; returns the name of its blob.

        Args:
            n: Which event.
            also_before: There is one of a second before, too.
        """
        moments = [("cd", self.now_ns)]
        if also_before:
            moments.insert(0, ("ef", self.now_ns - NS_PER_S))
        pieces, frames = [], []
        for drawn, time_ns in moments:
            frame = FrameRow(
                frame_id=f"{self.camera_id}_{n}_{drawn}", camera_id=self.camera_id,
                time_ns=time_ns, frame=n, size=(64, 48),
            )  # fmt: skip
            frames.append(frame)
            kinds: tuple[tuple[Literal["original", "annotated"], str], ...] = (
                ("original", "ab"), ("annotated", drawn),
            )  # fmt: skip
            pieces += [
                EvidenceRow(
                    kind=kind, what="entered", time_ns=time_ns, frame=n, frame_id=frame.frame_id,
                    sha256=sha256 * 32, media_type="image/jpeg", bytes=9, width=64, height=48,
                )
                for kind, sha256 in kinds
            ]  # fmt: skip
        await self.db.add_evidence(self.event_id(n), pieces, frames, now_ns=self.now_ns)
        return "cd" * 32

    def event_id(self, n: int) -> str:
        return f"evt_20261122_{self.camera_id}_{n:04d}"

    async def _commit(
        self, n: int, start_ns: int, over: bool, alerts: list[Alert], context: AlertContext
    ) -> None:
        assert self._run is not None
        event = Event(
            event_id=self.event_id(n),
            camera_id=self.camera_id,
            type="intrusion",
            risk_level="high",
            rule_id="yard",
            start_ns=start_ns,
            established_ns=start_ns,
            end_ns=start_ns + NS_PER_S if over else None,
            frames=(n, n),
            actors=(Actor(track_id="p1", type="person"),),
        )
        stored = StoredEvent(event=event, summary_zh="闖入。", summary_en="Intrusion.")
        await self.db.commit_step(
            self._run,
            Step(checkpoint=b"-", events=[stored], alerts=alerts, alerting=context),
        )


async def add_channel(
    db: Database,
    reach: Reach,
    kind: ChannelKind = "webhook",
    *,
    settings: Mapping[str, object] | None = None,
    filters: Filters | None = None,
    cooldown_s: float = 0.0,
    is_enabled: bool = True,
) -> str:
    """A channel's id."""
    now_ns = time.time_ns()
    channel_id = new_id(now_ns)
    await db.notices.add_channel(
        ChannelRow(
            channel_id=channel_id,
            account_id=reach.account_id,
            kind=kind,
            name=f"{kind} channel",
            settings=settings or {"url": "http://127.0.0.1:9/"},
            secret="whsec_test",
            filters=filters or Filters(),
            cooldown_s=cooldown_s,
            is_enabled=is_enabled,
            created_ns=now_ns,
            updated_ns=now_ns,
        )
    )
    return channel_id
