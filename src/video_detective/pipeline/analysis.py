"""One analysis: a source read to its end, every stretch of it stored at once with its checkpoint.

The only place where frames and the database meet. An analysis that is killed at any moment goes on
from its last committed step and ends with the same events, ids and evidence as one that was not.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from video_detective.alerts import AlertRule
from video_detective.geometry import NS_PER_S
from video_detective.media import Source
from video_detective.narration.template import event_texts
from video_detective.pipeline.camera import CameraGraph
from video_detective.pipeline.checkpoint import Checkpoint
from video_detective.pipeline.clock import now_ns
from video_detective.pipeline.evidence import NEAR_NS, EvidenceCutter, chosen_moments
from video_detective.pipeline.worker import Batch, Progress, Totals, Worker
from video_detective.rules import Event, Moment, Scene
from video_detective.storage import PointRow, Run, RunCounts, RunKey, Step, StoredEvent
from video_detective.storage.attributes.base import AttributeStretch
from video_detective.storage.database import Database
from video_detective.storage.insights.base import AlertContext
from video_detective.storage.narration_rows import NarrationRequest

EVIDENCE_GROUP = 3
"""Recorded events wait for their evidence until there are this many, or the end: those that lie
near each other are then decoded once. More would only hold more pictures in memory."""
EVIDENCE_PIXELS = 6_000_000
"""Of one frame times the events cut at once: large pictures fill the memory with fewer events."""
OPEN_PICTURE_NS = 3 * NS_PER_S
"""An event that goes on is shown as it was up to this long after it was established."""
LIVE_EVIDENCE_DELAY_NS = 15 * NS_PER_S
"""Evidence of a live event is cut when the recorder has surely closed the piece that holds it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """What one analysis is made of.

    Args:
        key: Names it; the same key again continues or is already done.
        source: Where frames come from.
        scene: What the rules know.
        camera_name: For the words on events.
        graph: The camera's state machine, fresh.
        cutter: Cuts evidence out of the source's footage.
        detector: Name, for the report.
        narrate: Gives a request to tell an event with its evidence; None asks for nothing.
        alert_rules: Which of its events are alerts.
        request_id: Of the request that began it; "" for none.
        node_id: Which machine analyses; None when it has no id.
        has_model: A model is set to describe alerts.
    """

    key: RunKey
    source: Source
    scene: Scene
    camera_name: str
    graph: CameraGraph
    cutter: EvidenceCutter
    detector: str
    narrate: Callable[[], NarrationRequest | None] = lambda: None
    alert_rules: Sequence[AlertRule] = ()
    request_id: str = ""
    node_id: str | None = None
    has_model: bool = False


async def run_analysis(
    analysis: Analysis,
    database: Database,
    *,
    stop: threading.Event,
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> dict[str, Any]:
    """Analyse the source to its end, or until ``stop`` is set, and store what it gives.

    Args:
        analysis: What to analyse, and with what.
        database: Where to.
        stop: Ends it after the frame in hand; what was found is stored.
        on_progress: Told now and then, also from another thread.

    Returns:
        The report: ``status`` (``done``, ``already_done``, ``interrupted``), frames decoded and
        sampled, seconds of video and of wall clock, tracks, events by type, drops with reasons.

    Raises:
        DecodeError: not one frame can be decoded.
        StorageError, ConflictError: the step could not be stored; what was stored stays valid.
    """
    source = analysis.source
    info = source.info
    run = await database.begin_run(
        analysis.key,
        info={"source": info.name, "detector": analysis.detector, "start_from": info.start_from},
        start_ns=info.start_ns,
    )
    if run.status == "done":
        return {**(run.report or {}), "status": "already_done"}
    totals = Totals()
    if run.checkpoint is not None:
        extra = analysis.graph.restore(Checkpoint.decode(run.checkpoint))
        totals = Totals(**extra)

    worker = Worker(
        analysis.graph,
        totals,
        scene=analysis.scene,
        duration_ns=info.duration_ns,
        stop=stop,
        on_progress=on_progress,
        alert_rules=analysis.alert_rules,
    )
    try:
        ended = await _work_off(analysis, database, run, worker)
    finally:
        worker.close()
    report = _report(analysis, run, totals, await database.run_counts(run))
    if not ended:
        return {**report, "status": "interrupted"}
    await database.finish_run(run, report)
    return report


async def _work_off(
    analysis: Analysis,
    database: Database,
    run: Run,
    worker: Worker,
) -> bool:
    """Step after step; gives back whether the source ended (rather than somebody stopped it)."""
    info, totals, stop = analysis.source.info, worker.totals, worker.stop
    earlier_drops = totals.drops
    uncut: dict[str, Event] = {}
    frames = analysis.source.frames(after=analysis.graph.position)
    ended = False
    started = time.monotonic() - totals.wall_s
    while not ended and (info.live or not stop.is_set()):
        batch = await worker.run(worker.advance, frames)
        # Nothing of a live source is left to go on with later: to stop it is its end.
        ended = batch.ended or (info.live and stop.is_set())
        if ended:
            if isinstance(frames, Generator):
                await worker.run(frames.close)  # the recorder of a live source ends its file
            for event in analysis.graph.finish():
                worker.note(batch, event)
        totals.drops = _drops(analysis, earlier_drops)
        totals.wall_s = time.monotonic() - started
        await _commit(analysis, database, run, batch, worker)
        if ended or not stop.is_set():
            await _cut_evidence(analysis, database, run, worker, uncut, everything=ended)
        worker.tell()
    totals.drops = _drops(analysis, earlier_drops)
    totals.wall_s = time.monotonic() - started
    return ended


async def _commit(
    analysis: Analysis, database: Database, run: Run, batch: Batch, worker: Worker
) -> None:
    totals = worker.totals
    checkpoint = analysis.graph.checkpoint(totals.as_data())
    await database.commit_step(
        run,
        Step(
            checkpoint=await worker.run(checkpoint.encode),
            frames=batch.frames,
            points=batch.points,
            looks=batch.looks,
            tracks=list(batch.tracks.values()),
            events=[_with_words(analysis, event) for event in batch.events.values()],
            coverage=batch.coverage,
            progress={"decoded": totals.decoded, "video_s": totals.last_pts_ns / NS_PER_S},
            attributes=_attributes(analysis, batch),
            alerts=batch.alerts,
            alerting=AlertContext(
                now_ns=now_ns(),
                request_id=analysis.request_id,
                node_id=analysis.node_id,
                has_model=analysis.has_model,
            ),
        ),
    )


def _attributes(analysis: Analysis, batch: Batch) -> AttributeStretch | None:
    if not analysis.graph.observes:
        return None
    return AttributeStretch(
        spans=batch.seen, records=batch.records, node_id=analysis.node_id, stored_ns=now_ns()
    )


def _with_words(analysis: Analysis, event: Event) -> StoredEvent:
    words = event_texts(event, analysis.scene, camera_name=analysis.camera_name)
    return StoredEvent(
        event=event,
        summary_zh=words.summary_zh,
        summary_en=words.summary_en,
        keywords_zh=words.keywords_zh,
    )


async def _cut_evidence(
    analysis: Analysis,
    database: Database,
    run: Run,
    worker: Worker,
    uncut: dict[str, Event],
    *,
    everything: bool,
) -> None:
    """Cut evidence for the closed events that have none yet.

    ``uncut`` remembers those whose footage gives nothing, so that they are not tried every time.
    """
    live = analysis.source.info.live and not everything
    ready: list[Event] = []
    for stored in await database.events_without_evidence(run):
        event = stored.event
        if event.end_ns is None and live:
            await _show_open(analysis, database, run, worker, event)
        if event.end_ns is None or uncut.get(event.event_id) == event:
            continue
        if live and (worker.totals.last_time_ns or 0) < event.end_ns + LIVE_EVIDENCE_DELAY_NS:
            continue
        ready.append(event)
    if not everything and not live and len(ready) < EVIDENCE_GROUP:
        return
    width, height = analysis.source.info.width, analysis.source.info.height
    at_once = max(1, min(EVIDENCE_GROUP, EVIDENCE_PIXELS // (width * height)))
    for start in range(0, len(ready), at_once):
        group = [
            (event, await _points_near_pictures(database, run, event))
            for event in ready[start : start + at_once]
        ]
        cut = await worker.run(analysis.cutter.cut, group)
        for (event, _), (evidence, frames) in zip(group, cut, strict=True):
            if evidence:
                await database.add_evidence(
                    event.event_id, evidence, frames, narrate=analysis.narrate(), now_ns=now_ns()
                )
            else:
                uncut[event.event_id] = event


async def _show_open(
    analysis: Analysis, database: Database, run: Run, worker: Worker, event: Event
) -> None:
    """Give the alerts of an event that goes on pictures: nobody knows how long it will."""
    after_ns = event.established_ns + OPEN_PICTURE_NS
    due_ns = after_ns + LIVE_EVIDENCE_DELAY_NS
    is_due = (worker.totals.last_time_ns or 0) >= due_ns
    if not analysis.alert_rules or event.event_id in worker.shown or not is_due:
        return
    worker.shown.add(event.event_id)
    seen = await database.track_points(
        event.camera_id, event.established_ns, after_ns + 1, run_id=run.run_id
    )
    later = max(seen, key=lambda point: point.time_ns, default=None)
    if later is not None and later.time_ns > event.established_ns:
        what = Moment(time_ns=later.time_ns, frame=later.frame, what="peak")
        event = replace(event, moments=(*event.moments, what))
    points = await _points_near_pictures(database, run, event)
    evidence, frames = await worker.run(analysis.cutter.pictures, event, points)
    if evidence:
        await database.show_open(event.event_id, evidence, frames, now_ns=now_ns())


async def _points_near_pictures(database: Database, run: Run, event: Event) -> list[PointRow]:
    """The tracks to draw; not those of the whole event, which may have lasted for days."""
    points: dict[tuple[int, str], PointRow] = {}
    for moment in chosen_moments(event):
        since_ns, until_ns = moment.time_ns - NEAR_NS, moment.time_ns + 1
        for point in await database.track_points(
            event.camera_id, since_ns, until_ns, run_id=run.run_id
        ):
            points[point.time_ns, point.track.track_id] = point
    return list(points.values())


def _report(analysis: Analysis, run: Run, totals: Totals, counts: RunCounts) -> dict[str, Any]:
    info = analysis.source.info
    video_s = (totals.last_pts_ns + totals.period_ns) / NS_PER_S
    return {
        "status": "done",
        "run_id": run.run_id,
        "camera_id": analysis.scene.camera_id,
        "source": info.name,
        "detector": analysis.detector,
        "start_ns": info.start_ns,
        "start_from": info.start_from,
        "frames": {
            "decoded": totals.decoded,
            "looked_at": totals.looked,
            "sampled": totals.sampled,
            "detector_regions": totals.tiles,
        },
        "video_seconds": round(video_s, 3),
        "wall_seconds": round(totals.wall_s, 3),
        "tracks": dict(counts.tracks),
        "events": dict(counts.events),
        "throttled": dict(sorted(analysis.graph.throttled.items())),
        "drops": totals.drops,
    }


def _drops(analysis: Analysis, earlier: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """What was lost, before an interruption and since; what both met is told once."""
    losses = [*analysis.source.losses, *analysis.cutter.losses]
    drops = [
        {
            "reason": loss.reason,
            "count": loss.count,
            "at_s": None if loss.pts_ns is None else round(loss.pts_ns / NS_PER_S, 3),
            "detail": loss.detail,
        }
        for loss in losses
    ]
    return [*earlier, *(drop for drop in drops if drop not in earlier)]
