"""One analysis: a source read to its end, every stretch of it stored at once with its checkpoint.

The only place where frames, time and the database meet. An analysis that is killed at any moment
goes on from its last committed step and ends with the same events, ids and evidence as one that
was not.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from video_detective.geometry import NS_PER_S
from video_detective.media import Frame, Source
from video_detective.narration.template import event_texts
from video_detective.pipeline.camera import CameraGraph, Look
from video_detective.pipeline.checkpoint import Checkpoint
from video_detective.pipeline.evidence import NEAR_NS, EvidenceCutter, chosen_moments
from video_detective.rules import Event, Scene
from video_detective.storage import (
    FrameRow,
    PointRow,
    Run,
    RunCounts,
    RunKey,
    Step,
    StoredEvent,
    TrackRow,
    frame_id,
)
from video_detective.storage.database import Database

T = TypeVar("T")

STEP_S = 4.0
"""A step is stored after this much wall-clock time: what a kill can cost."""
TELL_S = 0.25
"""Progress is told this often at most."""
STEP_LOOKS = 300
"""And after this many looks, so that a step stays small."""
GAP_NS = 2 * NS_PER_S
"""Frames further apart than this have a hole in the recording between them."""
EVIDENCE_GROUP = 3
"""Recorded events wait for their evidence until there are this many, or the end: those that lie
near each other are then decoded once. More would only hold more pictures in memory."""
LIVE_EVIDENCE_DELAY_NS = 15 * NS_PER_S
"""Evidence of a live event is cut when the recorder has surely closed the piece that holds it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far an analysis is.

    Args:
        pts_ns: Video time handled.
        duration_ns: Of the whole source, None when unknown.
        decoded: Frames decoded.
        events: Events so far.
    """

    pts_ns: int
    duration_ns: int | None
    decoded: int
    events: int


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
    """

    key: RunKey
    source: Source
    scene: Scene
    camera_name: str
    graph: CameraGraph
    cutter: EvidenceCutter
    detector: str


@dataclass(slots=True)
class _Totals:
    """Counts that live on through interruptions (kept in the checkpoint)."""

    decoded: int = 0
    looked: int = 0
    sampled: int = 0
    tiles: int = 0
    last_pts_ns: int = 0
    last_time_ns: int | None = None
    period_ns: int = 0
    wall_s: float = 0.0
    events: int = 0
    drops: list[dict[str, Any]] = field(default_factory=list)

    def as_data(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(slots=True)
class _Batch:
    """What accumulates until the next step."""

    frames: list[FrameRow] = field(default_factory=list)
    points: list[PointRow] = field(default_factory=list)
    tracks: dict[str, TrackRow] = field(default_factory=dict)
    events: dict[str, Event] = field(default_factory=dict)
    coverage: list[tuple[int, int]] = field(default_factory=list)
    ended: bool = False


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
    totals = _Totals()
    if run.checkpoint is not None:
        extra = analysis.graph.restore(Checkpoint.decode(run.checkpoint))
        totals = _Totals(**extra)

    worker = _Worker(analysis, totals, stop, on_progress)
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
    worker: _Worker,
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


class _Worker:
    """Advances the camera's graph in a thread of its own, so that the event loop stays free.

    One thread for everything: memory freed in one thread is not reused by another's allocator, and
    a pool of them held twice as much.
    """

    def __init__(
        self,
        analysis: Analysis,
        totals: _Totals,
        stop: threading.Event,
        on_progress: Callable[[Progress], None],
    ) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="analysis")
        self._analysis = analysis
        self.totals = totals
        self.stop = stop
        self._zone = ZoneInfo(analysis.scene.timezone)
        self._event_ids: set[str] = set()
        self._tell = on_progress
        self._told = time.monotonic()

    async def run(self, call: Callable[..., T], *args: Any) -> T:
        """Call in the thread."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, call, *args)

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown()

    def advance(self, frames: Iterator[Frame]) -> _Batch:
        """Handle frames until a step is due, the source ends or a stop is asked for."""
        batch = _Batch()
        deadline = time.monotonic() + STEP_S
        looks = 0
        while looks < STEP_LOOKS and not self.stop.is_set():
            frame = next(frames, None)
            if frame is None:
                batch.ended = not self.stop.is_set()
                if self.totals.last_time_ns is not None:
                    last = self.totals.last_time_ns
                    batch.coverage.append((last, last + max(self.totals.period_ns, 1)))
                break
            self._cover(batch, frame)
            look = self._analysis.graph.step(frame)
            if look is None:
                continue
            looks += 1
            self._record(batch, look)
            now = time.monotonic()
            if now >= self._told + TELL_S:
                self.tell()
            if now >= deadline:
                break
        return batch

    def tell(self) -> None:
        """Report the progress."""
        self._told = time.monotonic()
        self._tell(
            Progress(
                pts_ns=self.totals.last_pts_ns,
                duration_ns=self._analysis.source.info.duration_ns,
                decoded=self.totals.decoded,
                events=self.totals.events,
            )
        )

    def _cover(self, batch: _Batch, frame: Frame) -> None:
        totals = self.totals
        totals.decoded = max(totals.decoded, frame.index + 1)
        totals.last_pts_ns = max(totals.last_pts_ns, frame.pts_ns)
        previous = totals.last_time_ns
        totals.last_time_ns = max(frame.time_ns, previous or frame.time_ns)
        if previous is None or frame.time_ns <= previous:
            return  # decoded again after an interruption
        if frame.time_ns - previous <= GAP_NS:
            totals.period_ns = frame.time_ns - previous
            if batch.coverage and batch.coverage[-1][1] == previous:
                batch.coverage[-1] = (batch.coverage[-1][0], frame.time_ns)
            else:
                batch.coverage.append((previous, frame.time_ns))
        else:
            batch.coverage.append((previous, previous + max(totals.period_ns, 1)))

    def _record(self, batch: _Batch, look: Look) -> None:
        totals, seen = self.totals, look.observation
        totals.looked += 1
        totals.sampled += look.sampled
        totals.tiles += look.tiles
        if look.sampled:
            for track in seen.tracks:
                batch.points.append(PointRow(time_ns=seen.time_ns, frame=seen.frame, track=track))
        for track in seen.tracks:
            earlier = batch.tracks.get(track.track_id)
            batch.tracks[track.track_id] = TrackRow(
                track_id=track.track_id,
                type=track.type,
                first_ns=earlier.first_ns if earlier else seen.time_ns,
                last_ns=seen.time_ns,
                best_conf=max(track.conf, earlier.best_conf if earlier else 0.0),
            )
        if look.idle and seen.tracks:
            camera_id = self._analysis.scene.camera_id
            batch.frames.append(
                FrameRow(
                    frame_id=frame_id(camera_id, seen.time_ns, seen.frame, self._zone),
                    camera_id=camera_id,
                    time_ns=seen.time_ns,
                    frame=seen.frame,
                    size=seen.size,
                    detections=[track.as_record() for track in seen.tracks],
                    view=seen.view,
                    cut=seen.cut,
                )
            )
        for event in look.events:
            self.note(batch, event)

    def note(self, batch: _Batch, event: Event) -> None:
        """Take up a new or changed event."""
        batch.events[event.event_id] = event
        self.totals.events += event.event_id not in self._event_ids
        self._event_ids.add(event.event_id)


async def _commit(
    analysis: Analysis, database: Database, run: Run, batch: _Batch, worker: _Worker
) -> None:
    totals = worker.totals
    checkpoint = analysis.graph.checkpoint(totals.as_data())
    await database.commit_step(
        run,
        Step(
            checkpoint=await worker.run(checkpoint.encode),
            frames=batch.frames,
            points=batch.points,
            tracks=list(batch.tracks.values()),
            events=[_with_words(analysis, event) for event in batch.events.values()],
            coverage=batch.coverage,
            progress={"decoded": totals.decoded, "video_s": totals.last_pts_ns / NS_PER_S},
        ),
    )


def _with_words(analysis: Analysis, event: Event) -> StoredEvent:
    words = event_texts(event, analysis.scene, camera_name=analysis.camera_name)
    return StoredEvent(
        event=event,
        summary_zh=words.summary_zh,
        summary_en=words.summary_en,
        keywords_zh=words.keywords_zh,
        search_text=words.search_text,
    )


async def _cut_evidence(
    analysis: Analysis,
    database: Database,
    run: Run,
    worker: _Worker,
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
        if event.end_ns is None or uncut.get(event.event_id) == event:
            continue
        if live and (worker.totals.last_time_ns or 0) < event.end_ns + LIVE_EVIDENCE_DELAY_NS:
            continue
        ready.append(event)
    if not everything and not live and len(ready) < EVIDENCE_GROUP:
        return
    for start in range(0, len(ready), EVIDENCE_GROUP):
        group = [
            (event, await _points_near_pictures(database, run, event))
            for event in ready[start : start + EVIDENCE_GROUP]
        ]
        cut = await worker.run(analysis.cutter.cut, group)
        for (event, _), (evidence, frames) in zip(group, cut, strict=True):
            if evidence:
                await database.add_evidence(event.event_id, evidence, frames)
            else:
                uncut[event.event_id] = event


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


def _report(analysis: Analysis, run: Run, totals: _Totals, counts: RunCounts) -> dict[str, Any]:
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
