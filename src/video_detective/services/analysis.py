"""Analyse a source: puts media, eyes, tracker, rules and storage together."""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import json
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import cv2

from video_detective.alerts import DEFAULT_ALERT_RULE
from video_detective.attributes.observer import AttributeObserver
from video_detective.attributes.onnx import PersonModel
from video_detective.config import Camera
from video_detective.detection import Eyes
from video_detective.detection.detectors.registry import DETECTORS, make_detector
from video_detective.detection.gate import GatedEyes
from video_detective.detection.motion import MotionEyes
from video_detective.errors import UsageError
from video_detective.geometry import NS_PER_S
from video_detective.media import Frame, Loss, Position, Source, SourceInfo
from video_detective.media.clips import Footage, Piece
from video_detective.media.live import LiveStream
from video_detective.media.open import is_live, open_source
from video_detective.media.recorder import Recorder
from video_detective.media.sampling import Sampler
from video_detective.pipeline.analysis import Analysis, run_analysis
from video_detective.pipeline.camera import CameraGraph
from video_detective.pipeline.clock import now_ns
from video_detective.pipeline.evidence import EvidenceCutter
from video_detective.pipeline.worker import Progress
from video_detective.services.node import node_id
from video_detective.services.output import write_whole
from video_detective.services.times import parse_time
from video_detective.services.workspace import Workspace
from video_detective.storage import CameraRow, NextNumbers, RunKey
from video_detective.storage.devices import Plan
from video_detective.storage.narration_rows import NarrationRequest
from video_detective.tracking import Tracker
from video_detective.tracking.bytetrack import ByteTracker

REVISION = 2
"""Raise when the same input gives other results than before: analyses are then made anew, and a
checkpoint of the earlier program is never continued."""

KEEP_RECORDING_NS = 600 * NS_PER_S
"""How far back the evidence of a live camera's events can reach."""
KEEP_RECORDING_BYTES = 2 << 30
STOP_POLL_S = 0.2
DETECTOR_NAMES = ("motion", *DETECTORS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to analyse.

    Args:
        source: File, folder of frames, or stream URL.
        camera_id, camera: Whose view it is, and its document.
        start: Wall-clock time of the first frame as RFC 3339, in the camera's zone without offset.
        is_described: False when nobody gave a document: a camera that is known stays as it is.
        numbers: First numbers of its tracks and events; None: those that nobody has used.
        request_id: Of the request that began it; "" for none.
    """

    source: str
    camera_id: str
    camera: Camera
    start: str | None = None
    is_described: bool = True
    numbers: NextNumbers | None = None
    request_id: str = ""


async def analyze(
    workspace: Workspace,
    request: Request,
    *,
    stop: threading.Event,
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> dict[str, Any]:
    """Analyse one source to its end (or until ``stop``), storing events and evidence.

    Returns:
        The report of ``pipeline.analysis.run_analysis``.

    Raises:
        UsageError: source, start time or detector cannot be meant.
        WeightsError: the detector's weights are not installed.
        DecodeError, StorageError, ConflictError: see ``run_analysis``.
    """
    cv2.setNumThreads(1)  # one process a camera: several threads each only get in their way
    camera, camera_id = request.camera, request.camera_id
    known = {row.camera_id: row for row in await workspace.database.cameras()}.get(camera_id)
    if known is not None and not request.is_described:
        kept = {"name": known.document.get("name", ""), "timezone": known.timezone}
        camera = camera.model_copy(update=kept)
    zone = ZoneInfo(camera.timezone)
    start_ns = None if request.start is None else parse_time(request.start, zone, what="--start")
    recorder = None
    if is_live(request.source):
        recorder = Recorder(
            workspace.data_dir / "recordings" / camera_id,
            keep_ns=KEEP_RECORDING_NS,
            keep_bytes=KEEP_RECORDING_BYTES,
        )
    source = open_source(
        request.source,
        timezone=camera.timezone,
        clock=now_ns,
        start_ns=start_ns,
        recorder=recorder,
    )

    def footage() -> Footage:
        if recorder is not None:
            return recorder.footage()
        return Footage((Piece(path=Path(request.source), start_ns=source.info.start_ns),))

    # What is wrong with the models is told before anything is stored.
    make_eyes(camera)
    device = (await workspace.places()).device(camera_id)
    plan: Plan = "LEVEL_01" if device is None else device.plan
    make_observer(camera, plan)
    if known is None or request.is_described:
        await workspace.database.save_camera(
            CameraRow(
                camera_id=camera_id,
                name=camera.name or camera_id,
                timezone=camera.timezone,
                document=camera.model_dump(mode="json"),
            )
        )

    async def assemble(source: Source) -> Analysis:
        numbers = request.numbers or await workspace.database.next_numbers(camera_id)
        scene = camera.scene(camera_id)
        return Analysis(
            key=_run_key(camera_id, camera, source.info, plan),
            source=source,
            scene=scene,
            camera_name=camera.name or camera_id,
            graph=CameraGraph(
                scene=scene,
                sampler=Sampler(fps=camera.sampling.fps, idle_fps=camera.sampling.idle_fps),
                eyes=make_eyes(camera),
                make_tracker=lambda next_numbers: _tracker(camera, next_numbers),
                track_numbers=numbers.tracks,
                event_numbers=numbers.events,
                observer=make_observer(camera, plan),
            ),
            cutter=EvidenceCutter(footage=footage, scene=scene, blobs=workspace.blobs),
            detector=camera.detection.detector,
            narrate=lambda: _narration_request(workspace),
            alert_rules=(DEFAULT_ALERT_RULE,) if camera.alerts is None else camera.alerts,
            request_id=request.request_id,
            node_id=node_id(workspace),
            has_model=workspace.settings.narration is not None,
        )

    if source.info.live:
        for row in await workspace.database.runs(camera_id):
            killed = dataclasses.replace(source.info, start_ns=row.start_ns)
            if not row.done and row.key == _run_key(camera_id, camera, killed, plan):
                ended = await assemble(_Ended(killed))
                await run_analysis(ended, workspace.database, stop=threading.Event())
    analysis = await assemble(source)
    async with _stopped_by(stop, source):
        return await run_analysis(analysis, workspace.database, stop=stop, on_progress=on_progress)


def _narration_request(workspace: Workspace) -> NarrationRequest | None:
    """To have an event told by the model that is set for it, if one is."""
    narration = workspace.settings.narration
    if narration is None:
        return None
    return NarrationRequest(
        language=narration.language, requested_ns=now_ns(), alerted=narration.tell_alerted
    )


class _Ended:
    """The source of a live analysis that was killed: nothing more comes of it.

    To analyse it to its end closes the events that were open and cuts their evidence.
    """

    def __init__(self, info: SourceInfo) -> None:
        self.info = info
        self.losses: tuple[Loss, ...] = ()

    def frames(self, *, after: Position | None = None) -> Iterator[Frame]:
        """None."""
        return iter(())


def _run_key(camera_id: str, camera: Camera, info: SourceInfo, plan: Plan) -> RunKey:
    return RunKey(
        camera_id=camera_id,
        fingerprint=_content_of(info),
        settings_hash=_settings_hash(camera, info.start_ns, plan),
    )


@asynccontextmanager
async def _stopped_by(stop: threading.Event, source: Source) -> AsyncIterator[None]:
    """Passes a stop on to a live source, which may wait for minutes for its camera to come back."""

    async def watch(stream: LiveStream) -> None:
        while not stop.is_set():
            await asyncio.sleep(STOP_POLL_S)
        stream.stop()

    if not isinstance(source, LiveStream):
        yield
        return
    watching = asyncio.create_task(watch(source))
    try:
        yield
    finally:
        watching.cancel()


def make_eyes(camera: Camera) -> Eyes:
    """The camera's perception by its document.

    Raises:
        UsageError: unknown detector, or one that needs a model file and has none.
        WeightsError: the weights are not installed or damaged.
    """
    settings = camera.detection
    classes = frozenset(settings.classes)
    if settings.detector == "motion":
        return MotionEyes(classes=classes)
    if settings.detector not in DETECTORS:
        raise UsageError(
            f"There is no detector {settings.detector!r}",
            remedy=f"Use one of: {', '.join(DETECTOR_NAMES)}.",
        )
    detector = make_detector(
        settings.detector,
        classes=classes - {"object"},
        model_path=None if settings.model is None else Path(settings.model),
        layout=settings.layout,
        class_names=settings.class_names,
        device=settings.device,
    )
    if settings.threshold is None:
        return GatedEyes(detector, classes=classes)
    return GatedEyes(detector, classes=classes, score=settings.threshold)


def make_observer(camera: Camera, plan: Plan) -> AttributeObserver | None:
    """What records what persons look like, by the camera's document; None where its plan has none.

    Raises:
        WeightsError: the model's file is absent or is none of attributes.
    """
    settings = camera.attributes
    if not _has_attributes(camera, plan):
        return None
    model = None
    if settings.model is not None:
        model = PersonModel(Path(settings.model), labels=settings.labels)
    return AttributeObserver(every_s=settings.every_s, model=model)


def _has_attributes(camera: Camera, plan: Plan) -> bool:
    return plan == "LEVEL_02" and camera.attributes.every_s > 0


def _tracker(camera: Camera, next_numbers: Mapping[str, int]) -> Tracker:
    threshold = camera.detection.threshold
    if threshold is None:
        return ByteTracker(next_numbers=next_numbers)
    return ByteTracker(
        next_numbers=next_numbers,
        sure_score=threshold,
        weak_score=min(0.15, threshold / 2),
        start_score=threshold,
    )


def _content_of(info: SourceInfo) -> str:
    """What is analysed: of a live source, whose fingerprint is its address, what it shows now."""
    return f"{info.fingerprint}#{info.start_ns}" if info.live else info.fingerprint


def _settings_hash(camera: Camera, start_ns: int, plan: Plan) -> str:
    # With attributes it is another analysis; without them the hash is what it always was.
    more = [plan] if _has_attributes(camera, plan) else []
    text = json.dumps([REVISION, camera.settings_hash(), start_ns, *more])
    return hashlib.sha256(text.encode()).hexdigest()


async def write_tracks(workspace: Workspace, report: Mapping[str, Any], path: Path) -> None:
    """Write an analysis' tracks as MOTChallenge rows.

    ``frame,id,x,y,w,h,conf,-1,-1,-1`` for every track of every sampled frame; frames are numbered
    from 1 as in the source, ids are numbers from 1 in order of appearance.

    Raises:
        StorageError: the file cannot be written.
    """
    start_ns = report["start_ns"]
    end_ns = start_ns + round((report["video_seconds"] + 1) * NS_PER_S)
    points = await workspace.database.track_points(
        report["camera_id"], start_ns, end_ns, run_id=report["run_id"]
    )
    numbers: dict[str, int] = {}
    rows = []
    for point in sorted(points, key=lambda point: (point.frame, point.track.track_id)):
        number = numbers.setdefault(point.track.track_id, len(numbers) + 1)
        x1, y1, x2, y2 = point.track.bbox
        rows.append(
            f"{point.frame + 1},{number},{x1:.2f},{y1:.2f},{x2 - x1:.2f},{y2 - y1:.2f},"
            f"{point.track.conf:.4f},-1,-1,-1\n"
        )
    write_whole(path, lambda file: file.write("".join(rows).encode()))
