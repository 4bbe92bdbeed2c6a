"""Pictures of now: one frame of a device's live stream, or the newest that is stored."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from video_detective.errors import (
    DecodeError,
    MissingError,
    SourceLostError,
    UnsupportedSourceError,
    UpstreamError,
    UsageError,
    VideoDetectiveError,
)
from video_detective.geometry import NS_PER_S
from video_detective.media.addresses import without_secret
from video_detective.media.file import VideoFile
from video_detective.media.live import LiveStream
from video_detective.media.pictures import encode_jpeg
from video_detective.pipeline.clock import now_ns as clock
from video_detective.services.access import Caller
from video_detective.services.devices import check_source, find_device, shown_source
from video_detective.services.files import file_of
from video_detective.services.times import parse_time
from video_detective.services.workspace import Workspace
from video_detective.storage.devices import DeviceRow

CONNECT_S, READ_S = 3.0, 3.0
"""A camera that does not answer for so long is not waited for: somebody looks at a page."""
WAIT_S = 6.0
"""For everything together."""
FRESH_NS = 5 * NS_PER_S
"""A picture, or that there was none, holds for so long: many who look are one connection."""
AT_ONCE = 4
"""Cameras asked at the same time; further ones wait, and get what is stored when it takes long."""
_MOST_KEPT = 64
_FILES_TRIED = 5
_EARLY_FRAME = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A JPEG, when it was taken, and where from."""

    jpeg: bytes
    time_ns: int
    origin: Literal["live", "stored"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tried:
    """What asking the camera gave at a moment."""

    at_ns: int
    snapshot: Snapshot | None
    problem: VideoDetectiveError | None = None


class Snapshots:
    """Takes pictures of live streams, one connection per device at a time.

    Args:
        workspace: Where devices and stored pictures are.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="snapshot")
        self._tried: dict[tuple[str, str], _Tried] = {}
        self._asking: dict[tuple[str, str], asyncio.Task[_Tried]] = {}

    async def take(self, caller: Caller, device_id: str, *, now_ns: int) -> Snapshot:
        """What a device shows now; else the newest stored picture of it. The view is audited.

        Raises:
            MissingError: there is no such device in reach, or no picture of it.
            UpstreamError: its camera cannot be reached, and no picture is stored.
        """
        device = await find_device(self._workspace, caller, device_id)
        problem: VideoDetectiveError | None = None
        snapshot: Snapshot | None = None
        if device.source:
            tried = await self._live(device, now_ns)
            snapshot, problem = tried.snapshot, tried.problem
        if snapshot is None:
            snapshot = await self._stored(device)
        if snapshot is None and problem is not None:
            raise UpstreamError(
                f"No picture of device '{device_id}': {problem.message}",
                remedy=problem.remedy,
                reason=problem.reason,
                **problem.context,
            )
        if snapshot is None:
            raise MissingError(
                f"There is no picture of device '{device_id}' yet",
                remedy="Give it the address of its stream, or analyse a video of it.",
                reason="no_picture_yet",
            )
        entry = caller.entry(
            "evidence.view",
            device_id,
            time_ns=now_ns,
            details={"what": "snapshot", "origin": snapshot.origin},
        )
        await self._workspace.identity.views.note(self._workspace.database, entry)
        return snapshot

    async def attempt(
        self, caller: Caller, source: str, *, device_id: str | None, now_ns: int
    ) -> Snapshot:
        """What an address shows that no device has yet. The attempt is audited.

        Args:
            caller: Who asks.
            source: Address of a live stream.
            device_id: Whose address it is to be: the shown one of its present address stands for
                that address with its secrets.
            now_ns: UTC now.

        Raises:
            MissingError: there is no such device in reach.
            FieldError: the address cannot be meant.
            UpstreamError: no picture comes from there.
        """
        check_source(source)
        if device_id is not None:
            device = await find_device(self._workspace, caller, device_id)
            if source == shown_source(device):
                source = device.source
        entry = caller.entry(
            "device.try",
            device_id or "",
            time_ns=now_ns,
            details={"source": without_secret(source)},
        )
        await self._workspace.database.accounts.log([entry])
        tried = await self._ask(source)
        if tried.problem is not None:
            raise UpstreamError(
                f"No picture came: {tried.problem.message}",
                remedy=tried.problem.remedy,
                reason=tried.problem.reason,
                **tried.problem.context,
            )
        assert tried.snapshot is not None  # noqa: S101 - one of them is set
        return tried.snapshot

    async def _live(self, device: DeviceRow, now_ns: int) -> _Tried:
        key = (device.device_id, device.source)
        kept = self._tried.get(key)
        if kept is not None and 0 <= now_ns - kept.at_ns < FRESH_NS:
            return kept
        asking = self._asking.get(key)
        if asking is None:
            asking = asyncio.create_task(self._ask(device.source))
            self._asking[key] = asking
            asking.add_done_callback(lambda _: self._asking.pop(key, None))
        # Others wait for the same picture: who hangs up does not end it.
        tried = await asyncio.shield(asking)
        while len(self._tried) >= _MOST_KEPT:
            self._tried.pop(next(iter(self._tried)))
        self._tried[key] = tried
        return tried

    async def _ask(self, source: str) -> _Tried:
        at_ns = clock()
        asked = asyncio.get_running_loop().run_in_executor(self._threads, _one_frame, source)
        try:
            snapshot = await asyncio.wait_for(asyncio.shield(asked), WAIT_S)
        except (SourceLostError, UnsupportedSourceError, DecodeError) as problem:
            return _Tried(at_ns=at_ns, snapshot=None, problem=problem)
        except TimeoutError:
            # The thread ends by its own limits; nobody waits for it.
            asked.add_done_callback(lambda done: done.cancelled() or done.exception())
            late = SourceLostError(
                "The camera sent no picture in time",
                remedy="Try again in a moment.",
                reason="camera_slow",
            )
            return _Tried(at_ns=at_ns, snapshot=None, problem=late)
        return _Tried(at_ns=at_ns, snapshot=snapshot)

    async def _stored(self, device: DeviceRow) -> Snapshot | None:
        newest = await self._workspace.database.devices.newest_picture(device.camera_id)
        if newest is None:
            return await self._uploaded(device)
        sha256, time_ns = newest
        path = self._workspace.blobs.path(sha256, ".jpg")
        try:
            jpeg = await asyncio.to_thread(path.read_bytes)
        except OSError:
            return None  # retention or another machine's disk has it
        return Snapshot(jpeg=jpeg, time_ns=time_ns, origin="stored")

    async def _uploaded(self, device: DeviceRow) -> Snapshot | None:
        """Out of the newest uploaded video that still lies here: one without events has no other
        picture, and zones are drawn before there are events.
        """  # noqa: D205 - one sentence
        jobs = await self._workspace.database.work.jobs.page(
            None, camera_id=device.camera_id, limit=_FILES_TRIED
        )
        for job in jobs:
            path = file_of(self._workspace, job.job_id)
            if job.status == "uploading" or not path.is_file():
                continue
            with suppress(UsageError, DecodeError, OSError):
                return await asyncio.get_running_loop().run_in_executor(
                    self._threads, _early_frame, path, device.timezone, job.start_time
                )
        return None


def _early_frame(path: Path, timezone: str, start: str | None) -> Snapshot | None:
    """A frame some way into a video: the first ones are often black.

    Args:
        path: The video.
        timezone: IANA name, of the camera.
        start: Time of its first frame; None: as the video says.

    Raises:
        UsageError, DecodeError: it is no video.
    """
    frame = None
    start_ns = None if start is None else parse_time(start, ZoneInfo(timezone), what="startTime")
    frames = VideoFile(path, timezone=timezone, start_ns=start_ns).frames()
    try:
        for frame in frames:
            if frame.index >= _EARLY_FRAME:
                break
        if frame is None:
            return None
        return Snapshot(jpeg=encode_jpeg(frame.bgr), time_ns=frame.time_ns, origin="stored")
    finally:
        if isinstance(frames, Generator):
            frames.close()


def _one_frame(source: str) -> Snapshot:
    """The stream's next frame.

    Raises:
        SourceLostError: it cannot be reached, or ends without a frame.
        UnsupportedSourceError: it sends nothing that can be decoded.
    """
    stream = LiveStream(
        source,
        clock=clock,
        open_timeout_s=CONNECT_S,
        read_timeout_s=READ_S,
        wait=lambda _: stream.stop(),  # no second connection
    )
    frames = stream.frames()
    try:
        frame = next(frames, None)
        if frame is None:
            raise SourceLostError(
                f"{stream.info.name} sent no picture",
                remedy="Check that the camera is on.",
                reason="camera_silent",
            )
        return Snapshot(jpeg=encode_jpeg(frame.bgr), time_ns=frame.time_ns, origin="live")
    finally:
        stream.stop()
        if isinstance(frames, Generator):
            frames.close()  # hangs up now, not when it is collected
