"""An event that goes on is an alert at once, with pictures long before its end."""

import dataclasses
import threading
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np

from video_detective.alerts import DEFAULT_ALERT_RULE
from video_detective.config import Camera
from video_detective.detection.motion import MotionEyes
from video_detective.geometry import NS_PER_S
from video_detective.media import Frame, Loss, Position
from video_detective.media.clips import Footage, Piece
from video_detective.media.open import open_source
from video_detective.media.sampling import Sampler
from video_detective.pipeline.analysis import Analysis, run_analysis
from video_detective.pipeline.camera import CameraGraph
from video_detective.pipeline.clock import now_ns
from video_detective.pipeline.evidence import EvidenceCutter
from video_detective.pipeline.worker import Progress
from video_detective.storage import CameraRow, RunKey
from video_detective.storage.blobs import BlobStore
from video_detective.storage.database import Database
from video_detective.tracking.bytetrack import ByteTracker

CAMERA = Camera.model_validate(
    {
        "timezone": "UTC",
        "zones": {"all": {"name": "全區", "points": [[0, 0], [1, 0], [1, 1], [0, 1]]}},
        "rules": [
            {
                "id": "few",
                "type": "metric",
                "metric": "zones.all.count",
                "operator": "LT",
                "threshold": 99,
                "for_seconds": 5,
            }
        ],
    }
)


def write(path: Path, *, frames: int) -> None:
    """A still place in which now and then somebody passes."""
    ground = np.random.default_rng(1).integers(90, 130, (120, 160, 3)).astype(np.uint8)
    with av.open(path, "w") as output:
        stream = output.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        for number in range(frames):
            image = ground.copy()
            left = number * 3 % 220
            image[45:95, left : left + 18] = (20, 20, 200)
            output.mux(stream.encode(av.VideoFrame.from_ndarray(image, "bgr24")))
        output.mux(stream.encode(None))


class Live:
    """A film that passes for a live camera."""

    def __init__(self, path: Path) -> None:
        self._film = open_source(str(path), timezone="UTC", clock=now_ns, start_ns=NS_PER_S)
        self.info = dataclasses.replace(self._film.info, live=True, duration_ns=None)
        self.losses: tuple[Loss, ...] = ()

    def frames(self, *, after: Position | None = None) -> Iterator[Frame]:
        yield from self._film.frames(after=after)


async def test_an_open_event_is_an_alert_with_pictures_of_its_beginning(tmp_path: Path) -> None:
    film = tmp_path / "long.mp4"
    write(film, frames=700)
    source, scene = Live(film), CAMERA.scene("cam01")
    blobs = BlobStore(tmp_path / "blobs")
    async with await Database.open(tmp_path) as database:
        await database.save_camera(
            CameraRow(camera_id="cam01", name="cam01", timezone="UTC",
                      document=CAMERA.model_dump(mode="json"))
        )  # fmt: skip
        analysis = Analysis(
            key=RunKey(camera_id="cam01", fingerprint="live", settings_hash="-"),
            source=source,
            scene=scene,
            camera_name="cam01",
            graph=CameraGraph(
                scene=scene,
                sampler=Sampler(fps=10.0, idle_fps=10.0),
                eyes=MotionEyes(classes=frozenset({"person"})),
                make_tracker=lambda numbers: ByteTracker(next_numbers=numbers),
                track_numbers={},
                event_numbers={},
            ),
            cutter=EvidenceCutter(
                footage=lambda: Footage((Piece(path=film, start_ns=source.info.start_ns),)),
                scene=scene,
                blobs=blobs,
            ),
            detector="motion",
            alert_rules=(DEFAULT_ALERT_RULE,),
            request_id="req-1",
            node_id="node-1",
            has_model=True,
        )
        seen: list[Progress] = []
        await run_analysis(analysis, database, stop=threading.Event(), on_progress=seen.append)
        (waiting,) = await database.insights.pending(10, now_ns=now_ns())
        claim = await database.insights.claim(waiting.insight_id, "w")
        stored = await database.event(claim.event_id) if claim else None
    assert claim is not None
    assert stored is not None
    assert stored.event.end_ns is not None
    established_ns = stored.event.established_ns
    assert stored.event.end_ns - established_ns > 20 * NS_PER_S
    assert (claim.triggered_ns, claim.request_id) == (established_ns, "req-1")
    assert claim.message == "Number present fell below threshold: 0 < 99"
    # Had it waited for the evidence, the last picture would be of the end.
    assert 2 <= len(claim.snapshots) <= 3
    assert claim.snapshots[-1].time_ns - established_ns <= 3 * NS_PER_S
    for snapshot in claim.snapshots:
        assert blobs.path(snapshot.sha256, ".jpg").exists()
        assert blobs.path(snapshot.original, ".jpg").exists()
