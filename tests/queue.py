"""A queue of alerts in a service of tests."""

from __future__ import annotations

import time
from pathlib import Path

from tests.service import event, evidence, ns
from tests.videos import write_video

from video_detective.alerts.base import Alert, Severity
from video_detective.narration.template import event_texts
from video_detective.rules import Event
from video_detective.services.accounts import local_caller
from video_detective.services.insights import InsightsAsked, alert_page, review_alerts
from video_detective.services.workspace import Workspace
from video_detective.storage import RunKey, Step, StoredEvent
from video_detective.storage.insights.base import AlertContext, InsightOutcome


def alert_of(item: Event, severity: Severity) -> Alert:
    """The alert of an event."""
    return Alert(
        event_id=item.event_id,
        camera_id=item.camera_id,
        alert_rule="guard",
        kind="event",
        metric_path=f"zones.{item.zone}.{item.type}.dwell_s",
        operator="GTE",
        threshold=1.0,
        actual_value=6.0,
        severity=severity,
        message="Somebody was there: 6 >= 1",
        triggered_ns=item.established_ns,
    )


async def add_alerts(
    workspace: Workspace,
    folder: Path,
    *,
    first: int = 1,
    count: int = 1,
    pictures: bool = True,
    has_model: bool = False,
    camera: str = "cam01",
    at_s: float = 100.0,
) -> list[str]:
    """Alerts of one camera, ten minutes apart, the last ones critical.

    Args:
        workspace: Where; it is filled (``tests.service.fill``).
        folder: Where a clip may be made.
        first: Number of the first.
        count: How many.
        pictures: Whether there is evidence of them.
        has_model: A model is still to describe them.
        camera: Whose.
        at_s: When the first one was, in seconds from the footage's start.

    Returns:
        Ids of their events.
    """
    items = [
        event(
            f"evt_20260115_{camera}_9{number:03d}",
            "loitering" if number % 3 == 0 else "intrusion",
            at_s + 600 * number,
            6.0,
            risk_level="high",
        )
        for number in range(first, first + count)
    ]
    scene = (await workspace.places()).scene(camera)
    name = (await workspace.places()).name(camera)
    run = await workspace.database.begin_run(
        RunKey(camera_id=camera, fingerprint=f"alerts-{camera}-{first}", settings_hash="s"),
        {"name": "alerts"},
        ns(at_s),
    )
    stored = []
    for item in items:
        words = event_texts(item, scene, camera_name=name)
        stored.append(
            StoredEvent(
                event=item,
                summary_zh=words.summary_zh,
                summary_en=words.summary_en,
                keywords_zh=words.keywords_zh,
            )
        )
    severities: tuple[Severity, Severity] = ("warning", "critical")
    await workspace.database.commit_step(
        run,
        Step(
            checkpoint=b"1",
            events=stored,
            alerts=[alert_of(item, severities[n % 2]) for n, item in enumerate(items)],
            alerting=AlertContext(now_ns=ns(at_s), has_model=has_model),
        ),
    )
    if pictures:
        clip = write_video(folder / "alerts.mp4", frames=20, options={"movflags": "faststart"})
        for item in items:
            rows, frames = evidence(workspace, item, clip)
            await workspace.database.add_evidence(item.event_id, rows, frames)
    await workspace.database.finish_run(run, {})
    return [item.event_id for item in items]


async def describe(workspace: Workspace, summary: str, *, now_ns: int) -> None:
    """Let a model have described the newest insight that waits."""
    pending = await workspace.database.insights.pending(1, now_ns=now_ns)
    claim = await workspace.database.insights.claim(pending[0].insight_id, "tests")
    assert claim is not None
    await workspace.database.insights.finish(
        claim,
        InsightOutcome(
            status="done",
            described_by="model",
            level="frames",
            result={"summary": summary, "riskLevel": "high", "activities": []},
            usage={"model": "eyes"},
        ),
        finished_ns=now_ns,
    )


async def set_all_new(workspace: Workspace) -> None:
    """Let nobody have looked at any alert of the default account."""
    caller = await local_caller(workspace)
    asked = InsightsAsked(review_states=("seen", "confirmed", "dismissed"))
    found = await alert_page(
        workspace, caller, asked, limit=100, offset=0, cursor=None, now_ns=time.time_ns()
    )
    await review_alerts(
        workspace,
        caller,
        [row.alert_id for row, _ in found.alerts],
        state="new",
        reason=None,
        only_from=None,
        now_ns=time.time_ns(),
    )
