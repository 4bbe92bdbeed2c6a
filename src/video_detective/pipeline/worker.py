"""Works a source off, batch after batch, in a thread of its own."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from video_detective.alerts import Alert, AlertRule
from video_detective.alerts.policy import alerts_for
from video_detective.attributes import AttributeRecord
from video_detective.geometry import NS_PER_S
from video_detective.media import Frame
from video_detective.pipeline.camera import CameraGraph, Look
from video_detective.rules import Event, Scene
from video_detective.storage import FrameRow, LookRow, PointRow, TrackRow, frame_id

T = TypeVar("T")

STEP_S = 4.0
"""A batch ends after this much wall-clock time: what a kill can cost."""
STEP_LOOKS = 300
"""And after this many looks, so that a step stays small."""
TELL_S = 0.25
"""Progress is told this often at most."""
GAP_NS = 2 * NS_PER_S
"""Frames further apart than this have a hole in the recording between them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far an analysis is.

    Args:
        pts_ns: Video time handled.
        duration_ns: Of the whole source, None when unknown.
        decoded: Frames decoded.
        events: Events so far.
        time_ns: UTC of the last frame handled; None before the first.
        drops: What was lost so far, as in the report.
    """

    pts_ns: int
    duration_ns: int | None
    decoded: int
    events: int
    time_ns: int | None = None
    drops: tuple[Mapping[str, Any], ...] = ()


@dataclass(slots=True)
class Totals:
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
        """As plain JSON; ``Totals(**data)`` is the way back."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(slots=True)
class Batch:
    """What accumulates until the next step."""

    frames: list[FrameRow] = field(default_factory=list)
    points: list[PointRow] = field(default_factory=list)
    looks: list[LookRow] = field(default_factory=list)
    tracks: dict[str, TrackRow] = field(default_factory=dict)
    events: dict[str, Event] = field(default_factory=dict)
    alerts: list[Alert] = field(default_factory=list)
    coverage: list[tuple[int, int]] = field(default_factory=list)
    seen: list[tuple[int, int]] = field(default_factory=list)
    records: list[AttributeRecord] = field(default_factory=list)
    ended: bool = False


class Worker:
    """Advances the camera's graph in a thread of its own, so that the event loop stays free.

    One thread for everything: memory freed in one thread is not reused by another's allocator, and
    a pool of them held twice as much.

    Args:
        graph: The camera's state machine.
        totals: Counted up as frames pass.
        scene: Names the camera and its time zone.
        duration_ns: Of the whole source, None when unknown.
        stop: Ends a batch after the frame in hand.
        on_progress: Told now and then, from the thread.
        alert_rules: Which events are alerts.
    """

    def __init__(
        self,
        graph: CameraGraph,
        totals: Totals,
        *,
        scene: Scene,
        duration_ns: int | None,
        stop: threading.Event,
        on_progress: Callable[[Progress], None],
        alert_rules: Sequence[AlertRule] = (),
    ) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="analysis")
        self._graph = graph
        self._camera_id = scene.camera_id
        self._scene = scene
        self._alert_rules = alert_rules
        self._duration_ns = duration_ns
        self.totals = totals
        self.stop = stop
        self._zone = ZoneInfo(scene.timezone)
        self._event_ids: set[str] = set()
        self.shown: set[str] = set()
        self._seen_ns: int | None = None
        self._tell = on_progress
        self._told = time.monotonic()

    async def run(self, call: Callable[..., T], *args: Any) -> T:
        """Call in the thread."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, call, *args)

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown()

    def advance(self, frames: Iterator[Frame]) -> Batch:
        """Handle frames until a step is due, the source ends or a stop is asked for."""
        batch = Batch()
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
            look = self._graph.step(frame)
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
                duration_ns=self._duration_ns,
                decoded=self.totals.decoded,
                events=self.totals.events,
                time_ns=self.totals.last_time_ns,
                drops=tuple(self.totals.drops),
            )
        )

    def _cover(self, batch: Batch, frame: Frame) -> None:
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

    def _record(self, batch: Batch, look: Look) -> None:
        totals, seen = self.totals, look.observation
        totals.looked += 1
        totals.sampled += look.sampled
        totals.tiles += look.tiles
        self._see(batch, seen.time_ns)
        if look.record is not None:
            batch.records.append(look.record)
        batch.looks.append(
            LookRow(
                time_ns=seen.time_ns,
                frame=seen.frame,
                size=seen.size,
                view=seen.view,
                cut=seen.cut,
                tracks=None if look.sampled else seen.tracks,
            )
        )
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
            camera_id = self._camera_id
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

    def _see(self, batch: Batch, time_ns: int) -> None:
        """Note between which moments everything was looked at, both included."""
        last_ns, self._seen_ns = self._seen_ns, time_ns
        first_ns = time_ns
        if last_ns is not None and last_ns < time_ns <= last_ns + GAP_NS:
            first_ns = last_ns + 1
        if batch.seen and batch.seen[-1][1] + 1 == first_ns:
            first_ns = batch.seen.pop()[0]
        batch.seen.append((first_ns, time_ns))

    def note(self, batch: Batch, event: Event) -> None:
        """Take up a new or changed event."""
        batch.events[event.event_id] = event
        # Of every version: what an alert shows is how things stood when it was established, and
        # must not depend on where a step ends. Those that are there already change nothing.
        batch.alerts += alerts_for(event, self._alert_rules, self._scene)
        self.totals.events += event.event_id not in self._event_ids
        self._event_ids.add(event.event_id)
