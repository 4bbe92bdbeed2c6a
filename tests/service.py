"""A data directory full of events, and the real service over it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, TypeVar
from zoneinfo import ZoneInfo

from tests.api import make_key, make_user, quick, signed_in
from tests.serving import in_thread, listening
from tests.videos import picture, write_video

from video_detective import config
from video_detective.geometry import NS_PER_S
from video_detective.media.pictures import encode_jpeg
from video_detective.narration.template import event_texts
from video_detective.rules import Actor, Event, Moment
from video_detective.services.workspace import Workspace, open_workspace
from video_detective.storage import CameraRow, EvidenceRow, FrameRow, RunKey, Step, StoredEvent
from video_detective.storage.base import frame_id

T = TypeVar("T")
Kind = Literal["original", "annotated", "clip"]
DOCUMENT = """
schema_version: 1
cameras:
  cam01:
    name: 後門攝影機
    timezone: Asia/Taipei
    zones:
      back_door: {name: 後門禁入區, points: [[0.1, 0.4], [0.6, 0.4], [0.6, 0.9], [0.1, 0.9]]}
    tripwires:
      fence: {name: 圍籬線, points: [[0.2, 0.6], [0.8, 0.6]]}
    rules:
      - {id: yard, type: intrusion, zone: back_door}
  cam02:
    name: 停車場
    timezone: Asia/Taipei
    zones:
      lot: {name: 車位, points: [[0.1, 0.4], [0.6, 0.4], [0.6, 0.9], [0.1, 0.9]]}
    rules:
      - {id: lot, type: loitering, zone: lot}
"""
START_NS = int(datetime.fromisoformat("2026-01-15T22:00:00+08:00").timestamp()) * NS_PER_S
INTRUSION, PACING, PARKED = (
    "evt_20260115_cam01_0001",
    "evt_20260115_cam01_0002",
    "evt_20260115_cam02_0001",
)


def ns(seconds: float) -> int:
    return START_NS + round(seconds * NS_PER_S)


def event(event_id: str, type_: str, at_s: float, lasts_s: float, **more: Any) -> Event:
    camera = event_id.split("_")[2]
    return Event(
        event_id=event_id,
        camera_id=camera,
        type=type_,
        risk_level=str(more.pop("risk_level", "medium")),
        rule_id=str(more.pop("rule_id", "yard")),
        start_ns=ns(at_s),
        established_ns=ns(at_s + min(1.0, lasts_s)),
        end_ns=ns(at_s + lasts_s),
        frames=(int(at_s * 10), int((at_s + lasts_s) * 10)),
        zone="back_door" if camera == "cam01" else "lot",
        actors=(Actor(track_id="p06", type="person"),),
        moments=(
            Moment(time_ns=ns(at_s), frame=int(at_s * 10), what="entered", track_ids=("p06",)),
            Moment(
                time_ns=ns(at_s + lasts_s),
                frame=int((at_s + lasts_s) * 10),
                what="left",
                track_ids=("p06",),
            ),
        ),
        facts=more.pop("facts", {"dwell_s": lasts_s}),
        parameters={"id": "yard", "enter_s": 1.0},
    )


EVENTS = (
    event(INTRUSION, "intrusion", 10, 6, risk_level="critical"),
    event(PACING, "pacing", 40, 20, facts={"crossings": 4, "duration_s": 20.0}),
    event(PARKED, "loitering", 70, 25, rule_id="lot", risk_level="low"),
)


async def fill(workspace: Workspace, folder: Path, *, extra: int = 0) -> None:
    """Two cameras, 100 s watched of each but for a gap, three events with evidence.

    Args:
        workspace: What is filled.
        folder: Where the clip may be made.
        extra: Further events of cam01, a minute apart, without evidence.
    """
    document = config.parse(DOCUMENT, name="rules.yaml")
    clip = write_video(folder / "clip.mp4", frames=40, options={"movflags": "faststart"})
    further = [
        event(f"evt_20260116_cam01_{n:04d}", "intrusion", 3600 + 60 * n, 5, risk_level="high")
        for n in range(extra)
    ]
    for camera_id in ("cam01", "cam02"):
        camera = document.camera(camera_id)
        scene = camera.scene(camera_id)
        await workspace.database.save_camera(
            CameraRow(
                camera_id=camera_id,
                name=camera.name or camera_id,
                timezone=camera.timezone,
                document=camera.model_dump(mode="json"),
            )
        )
        own = [e for e in (*EVENTS, *further) if e.camera_id == camera_id]
        stored = []
        for item in own:
            words = event_texts(item, scene, camera_name=camera.name or camera_id)
            stored.append(
                StoredEvent(
                    event=item,
                    summary_zh=words.summary_zh,
                    summary_en=words.summary_en,
                    keywords_zh=words.keywords_zh,
                )
            )
        key = RunKey(camera_id=camera_id, fingerprint="film", settings_hash="s")
        run = await workspace.database.begin_run(key, {"name": "film.mp4"}, START_NS)
        spans = ((ns(0), ns(30)), (ns(38), ns(100)))
        await workspace.database.commit_step(
            run, Step(checkpoint=b"1", events=stored, coverage=spans)
        )
        for item in own:
            if item in EVENTS:
                rows, frames = evidence(workspace, item, clip)
                await workspace.database.add_evidence(item.event_id, rows, frames)
        await workspace.database.finish_run(run, {})


def evidence(
    workspace: Workspace, item: Event, clip: Path
) -> tuple[list[EvidenceRow], list[FrameRow]]:
    """Pictures of both moments, plain and drawn on, and a clip."""
    rows = [_row(workspace, "clip", item.moments[0], clip.read_bytes(), None)]
    frames = []
    for number, moment in enumerate(item.moments):
        name = frame_id(item.camera_id, moment.time_ns, moment.frame, ZoneInfo("Asia/Taipei"))
        frames.append(
            FrameRow(
                frame_id=name,
                camera_id=item.camera_id,
                time_ns=moment.time_ns,
                frame=moment.frame,
                size=(160, 120),
            )
        )
        kinds: tuple[Kind, ...] = ("original", "annotated")
        for shift, kind in enumerate(kinds):
            content = encode_jpeg(picture(number * 9 + shift * 4))
            rows.append(_row(workspace, kind, moment, content, name))
    return rows, frames


def _row(
    workspace: Workspace, kind: Kind, moment: Moment, content: bytes, name: str | None
) -> EvidenceRow:
    is_clip = kind == "clip"
    return EvidenceRow(
        kind=kind,
        what=moment.what,
        time_ns=moment.time_ns,
        frame=moment.frame,
        sha256=workspace.blobs.put(content, ".mp4" if is_clip else ".jpg"),
        media_type="video/mp4" if is_clip else "image/jpeg",
        bytes=len(content),
        width=160,
        height=120,
        frame_id=name,
    )


@dataclass(frozen=True, kw_only=True)
class Service:
    """A running service."""

    address: str
    token: str
    """The text of an API key that may do everything."""
    cookie: tuple[str, str]
    """Name and value of the cookie of an admin's session."""
    stop: threading.Event
    workspace: Workspace
    loop: asyncio.AbstractEventLoop

    def do(self, work: Callable[[Workspace], Coroutine[Any, Any, T]]) -> T:
        """Do something with the service's workspace, as ``tests.api`` offers; waits for it.

        For example ``service.do(lambda w: make_key(w, "analytics:read"))``.
        """
        return asyncio.run_coroutine_threadsafe(work(self.workspace), self.loop).result(60)


@contextmanager
def running(
    data_dir: Path, url: str | None = None, *, extra: int | None = 0, port: int = 0
) -> Iterator[Service]:
    """The service over a data directory, filled first unless ``extra`` is None."""
    stop = threading.Event()

    @asynccontextmanager
    async def open_service() -> AsyncIterator[Service]:
        async with open_workspace(data_dir, url) as opened:
            workspace = quick(opened)
            if extra is not None:
                await fill(workspace, data_dir, extra=extra)
            token = await make_key(workspace)
            if (
                await workspace.database.accounts.users.by_name(
                    (await workspace.database.accounts.default()).account_id, "admin"
                )
                is None
            ):
                await make_user(workspace, "admin")
            ((cookie, session),) = (await signed_in(workspace, "admin")).items()
            async with listening(workspace, port=port) as address:
                yield Service(
                    address=address,
                    token=token,
                    cookie=(cookie, session),
                    stop=stop,
                    workspace=workspace,
                    loop=asyncio.get_running_loop(),
                )

    with in_thread(open_service, stop=stop) as service:
        yield service
