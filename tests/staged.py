"""Analyses whose eyes and tracker are scripted: everything else is as in every analysis."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from video_detective.config import Camera
from video_detective.detection.base import Detections, Perception
from video_detective.media.base import Frame, Loss, Position, SourceInfo
from video_detective.media.clips import Footage
from video_detective.media.sampling import Sampler
from video_detective.pipeline.analysis import Analysis, run_analysis
from video_detective.pipeline.camera import CameraGraph
from video_detective.pipeline.evidence import EvidenceCutter
from video_detective.rules import Observation
from video_detective.services.workspace import Workspace
from video_detective.storage import CameraRow, RunKey
from video_detective.tracking.base import Track
from video_detective.tracking.numbering import id_order


class _Film:
    """A source whose frames have times and a size, and nothing on them."""

    def __init__(
        self, observations: Sequence[Observation], name: str, stop: threading.Event, last: int
    ) -> None:
        self._observations = observations
        self._stop, self._last = stop, last
        width, height = observations[0].size
        self.info = SourceInfo(
            name=name,
            width=width,
            height=height,
            codec="none",
            duration_ns=None,
            frame_count=None,
            start_ns=observations[0].time_ns,
            start_from="option",
            fingerprint=name,
        )
        self.losses: tuple[Loss, ...] = ()

    def frames(self, *, after: Position | None = None) -> Iterator[Frame]:
        width, height = self._observations[0].size
        luma = np.zeros((height, width), np.uint8)
        for seen in self._observations:
            if after is None or seen.frame > after.index:
                if seen.frame >= self._last:
                    self._stop.set()
                yield Frame(
                    index=seen.frame,
                    pts_ns=seen.time_ns - self.info.start_ns,
                    time_ns=seen.time_ns,
                    luma=luma,
                    to_bgr=lambda: np.zeros((height, width, 3), np.uint8),
                )


class _Script:
    """Eyes and tracker in one: it says what was written.

    Something moves only while there are persons, as with real eyes.
    """

    def __init__(self, observations: Sequence[Observation]) -> None:
        self._by_time = {seen.time_ns: seen for seen in observations}

    def look(self, frame: Frame, *, idle_sample: bool) -> Perception:
        seen = self._by_time[frame.time_ns]
        return Perception(
            detections=Detections.none(),
            moving=any(track.type == "person" for track in seen.tracks),
            view=seen.view,
            cut=seen.cut,
        )

    def update(self, detections: Detections, time_ns: int) -> tuple[Track, ...]:
        tracks = self._by_time[time_ns].tracks
        return tuple(sorted(tracks, key=lambda track: id_order(track.track_id)))

    def state(self) -> dict[str, Any]:
        return {"next_numbers": {}}

    def restore(self, state: Mapping[str, Any]) -> None:
        pass


class _Eyes(_Script):
    def state(self) -> dict[str, NDArray[Any]]:
        return {}


async def analyse(
    workspace: Workspace,
    camera_id: str,
    camera: Camera,
    observations: Sequence[Observation],
    *,
    name: str = "film",
    settings: str = "",
    stop_at: int | None = None,
) -> None:
    """Analyse what was seen from its beginning to its end under a camera's document.

    Args:
        workspace: Where to.
        camera_id, camera: The camera; its document is stored.
        observations: What is seen, in order of time, as often as its sampling says.
        name: Of the film; the same name is the same footage.
        settings: Another text is another analysis of the same footage.
        stop_at: Frame at which it is interrupted; the same call without it goes on from there.
    """
    await workspace.database.save_camera(
        CameraRow(
            camera_id=camera_id,
            name=camera.name or camera_id,
            timezone=camera.timezone,
            document=camera.model_dump(mode="json"),
        )
    )
    scene = camera.scene(camera_id)
    stop = threading.Event()
    film = _Film(observations, name, stop, sys.maxsize if stop_at is None else stop_at)
    numbers = await workspace.database.next_numbers(camera_id)
    analysis = Analysis(
        key=RunKey(camera_id=camera_id, fingerprint=name, settings_hash=settings or "s"),
        source=film,
        scene=scene,
        camera_name=camera.name or camera_id,
        graph=CameraGraph(
            scene=scene,
            sampler=Sampler(fps=camera.sampling.fps, idle_fps=camera.sampling.idle_fps),
            eyes=_Eyes(observations),
            make_tracker=lambda _: _Script(observations),
            track_numbers=numbers.tracks,
            event_numbers=numbers.events,
        ),
        cutter=EvidenceCutter(footage=lambda: Footage(()), scene=scene, blobs=workspace.blobs),
        detector="script",
    )
    report = await run_analysis(analysis, workspace.database, stop=stop)
    assert report["status"] == ("done" if stop_at is None else "interrupted")
