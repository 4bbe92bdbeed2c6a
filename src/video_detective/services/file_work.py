"""The analysis of uploaded files: run, swept, and the work of a file's own process."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any
from zoneinfo import ZoneInfo

from video_detective.config import Camera
from video_detective.errors import MissingError, StorageError, TooLargeError, VideoDetectiveError
from video_detective.geometry import NS_PER_S
from video_detective.media.file import VideoFile
from video_detective.media.start import start_in_name
from video_detective.pipeline.clock import now_ns
from video_detective.pipeline.file_runner import FileRunner
from video_detective.pipeline.trace import traced
from video_detective.pipeline.worker import Progress
from video_detective.services.analysis import Request, analyze
from video_detective.services.files import FOLDER, complete, file_of, remove_file
from video_detective.services.live import spawner
from video_detective.services.node import node_id
from video_detective.services.numbers import fresh_numbers
from video_detective.services.times import parse_time, rfc3339
from video_detective.services.workspace import Workspace
from video_detective.storage import NextNumbers
from video_detective.storage.work.base import ENDED, JobEnd, JobRow

SWEEP_S = 60.0
"""Between two looks for files that are to be removed."""
COMPLETE_S = 300.0
"""A whole file that nobody has queued for so long is nobody's: the largest is checked sooner."""
TELL_S = 0.5
USELESS = frozenset({"UNSUPPORTED_SOURCE", "DECODE_FAILED", "PAYLOAD_TOO_LARGE"})
"""What is wrong with the file itself: it is removed at once."""
_log = logging.getLogger(__name__)


async def keep_analysing_files(workspace: Workspace, stop: asyncio.Event) -> None:
    """Analyse this node's uploaded files, and remove them in time, until told to stop."""

    async def on_end(job: JobRow, end: JobEnd) -> None:
        if end.status == "cancelled" or end.error_code in USELESS:
            remove_file(workspace, job.job_id)

    runner = FileRunner(
        workspace.database.work.jobs,
        node_id(workspace),
        spawner(workspace),
        most=workspace.settings.analysis.files,
        on_end=on_end,
    )
    sweeping = asyncio.create_task(_sweep_on(workspace, stop))
    try:
        await runner.run(stop)
    finally:
        await sweeping


async def _sweep_on(workspace: Workspace, stop: asyncio.Event) -> None:
    while not stop.is_set():
        try:
            await sweep(workspace, now_ns=now_ns())
        except (StorageError, OSError) as error:
            _log.warning("old uploads are not removed: %s", error)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), SWEEP_S)


async def sweep(workspace: Workspace, *, now_ns: int) -> None:
    """Remove the files that nobody needs any more, and take up those that nobody completed.

    Removed are those of jobs that ended ``uploads.keep_hours`` ago, those of which nothing came for
    so long, and those that are no job's.

    Args:
        workspace: Where.
        now_ns: UTC now.
    """
    folder = workspace.data_dir / FOLDER
    jobs = workspace.database.work.jobs
    receiving = await jobs.uploading(node_id(workspace))
    changed: dict[str, int] = {}
    if folder.is_dir():
        changed = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    before_ns = now_ns - round(workspace.settings.uploads.keep_hours * 3600 * NS_PER_S)
    known: dict[str, JobRow] = {}
    names = sorted(changed)
    for start in range(0, len(names), 500):
        known |= await jobs.of_files(names[start : start + 500])
    for name in names:
        job = known.get(name)
        is_old = job is not None and job.status in ENDED and (job.ended_ns or 0) < before_ns
        # Cancelled ones with their device: who took it away has not looked into this folder.
        if job is None or job.status == "cancelled" or is_old:
            remove_file(workspace, name)
    for job in receiving:
        # There is no file before the first byte.
        await _sweep_upload(
            workspace, job, changed.get(job.job_id, job.created_ns), now_ns, before_ns
        )


async def _sweep_upload(
    workspace: Workspace, job: JobRow, changed_ns: int, now_ns: int, before_ns: int
) -> None:
    """See to an upload that came to a stop: nothing came since ``before_ns``, or all has come."""
    if changed_ns < before_ns:
        end = JobEnd(
            status="failed",
            ended_ns=now_ns,
            error_code="UPLOAD_ABANDONED",
            error="Nothing more of the file came. Announce it again, and send it anew.",
        )
        if await workspace.database.work.jobs.end(job.job_id, job.epoch, end):
            remove_file(workspace, job.job_id)
    elif job.received_bytes == job.size_bytes and changed_ns < now_ns - COMPLETE_S * NS_PER_S:
        _log.info("upload %s is whole, and its service ended before it was checked", job.job_id)
        try:
            await complete(workspace, job, job.epoch)
        except VideoDetectiveError as error:
            _log.warning("upload %s cannot be analysed: %s", job.job_id, error)


# --- in the file's own process


async def work_on_file(
    workspace: Workspace,
    job_id: str,
    epoch: int,
    *,
    stop: threading.Event,
    tell: Callable[[dict[str, Any]], None],
) -> dict[str, Any] | None:
    """Analyse an uploaded file, from where an earlier process of the same job left it.

    Args:
        workspace: Where.
        job_id: Of which job.
        epoch: Of the taking for which this process was started.
        stop: Leaves it, to be gone on with later.
        tell: Told how far it is.

    Returns:
        The report; None when it was left, or is not this process' any more.

    Raises:
        UsageError, WeightsError, DecodeError, StorageError, ConflictError: see ``analyze``.
        TooLargeError: it lasts longer than is taken.
    """
    job = await workspace.database.work.jobs.get(job_id)
    if job is None or job.epoch != epoch or job.status != "running":
        return None
    meter = Meter(job)
    tell(meter.state())
    with traced(request=job.request_id, job=job_id):
        _log.info("the analysis of an uploaded file begins (taking %d)", epoch)
        try:
            report = await _analyze(workspace, job, meter, stop, tell)
        except VideoDetectiveError as error:
            # The file is called by its owner's name, not by that under which it lies here.
            error.message = error.message.replace(job_id, job.file_name)
            _log.warning("the analysis of an uploaded file failed: %s", error)
            raise
        _log.info("the analysis of an uploaded file %s", "is left" if report is None else "ends")
        return report


async def _analyze(
    workspace: Workspace,
    job: JobRow,
    meter: Meter,
    stop: threading.Event,
    tell: Callable[[dict[str, Any]], None],
) -> dict[str, Any] | None:
    rows = {row.camera_id: row for row in await workspace.database.cameras()}
    if job.camera_id not in rows:
        raise MissingError("The device has no camera document", remedy="Give it a scene.")
    camera = Camera.model_validate(rows[job.camera_id].document)
    zone = ZoneInfo(camera.timezone)
    path = file_of(workspace, job.job_id)
    info = VideoFile(path, timezone=camera.timezone).info
    limit_ns = round(workspace.settings.uploads.max_hours * 3600 * NS_PER_S)
    if (info.duration_ns or 0) > limit_ns:
        raise _too_long(info.duration_ns or 0, limit_ns)
    start = job.start_time
    if start is None and info.start_from == "file_time":
        named_ns = start_in_name(job.file_name, zone)
        start = None if named_ns is None else rfc3339(named_ns, zone)
    start_ns = info.start_ns if start is None else parse_time(start, zone, what="startTime")
    numbers = _read_numbers(job.progress.get("numbers"))
    if numbers is None:
        numbers = await fresh_numbers(
            workspace,
            job.camera_id,
            since_ns=start_ns,
            days=2 + (info.duration_ns or limit_ns) // (86_400 * NS_PER_S),
            beside_live=True,
        )
    meter.numbers = {"tracks": dict(numbers.tracks), "events": dict(numbers.events)}
    is_too_long = False

    def note(progress: Progress) -> None:
        nonlocal is_too_long
        meter.note(progress)
        if progress.pts_ns > limit_ns:
            is_too_long = True
            stop.set()

    async def keep_telling() -> None:
        while True:
            tell(meter.state())
            await asyncio.sleep(TELL_S)

    telling = asyncio.create_task(keep_telling())
    try:
        report = await analyze(
            workspace,
            Request(
                source=str(path),
                camera_id=job.camera_id,
                camera=camera,
                start=start,
                is_described=False,
                numbers=numbers,
                request_id=job.request_id,
            ),
            stop=stop,
            on_progress=note,
        )
    finally:
        telling.cancel()
    if is_too_long:
        raise _too_long(limit_ns, limit_ns)
    if report["status"] == "interrupted":
        return None
    is_named = start is not None and job.start_time is None
    return {**report, "start_from": "file_name"} if is_named else report


def _too_long(duration_ns: int, limit_ns: int) -> TooLargeError:
    hour = 3600 * NS_PER_S
    return TooLargeError(
        f"The video lasts {duration_ns / hour:.1f} h, longer than is taken ({limit_ns / hour:g} h)",
        remedy="Cut it into shorter files, or raise uploads.max_hours in settings.yaml.",
    )


def _read_numbers(kept: Mapping[str, Any] | None) -> NextNumbers | None:
    return None if kept is None else NextNumbers(tracks=kept["tracks"], events=kept["events"])


class Meter:
    """How far an analysis of a file is.

    Attributes:
        numbers: With which it began: whoever goes on with it begins with the same.

    Args:
        job: With the progress of an earlier process.
    """

    def __init__(self, job: JobRow) -> None:
        self.numbers: Mapping[str, Any] | None = job.progress.get("numbers")
        self._told = {key: value for key, value in job.progress.items() if key != "numbers"}
        self._lock = threading.Lock()
        self._first: tuple[float, int] | None = None

    def note(self, progress: Progress) -> None:
        """Take up a report; from any thread."""
        now_s = time.monotonic()
        done_s = progress.pts_ns / NS_PER_S
        with self._lock:
            # The rate is this process' own: it goes on where another one was.
            if self._first is None:
                self._first = (now_s, progress.pts_ns)
            since_s, since_ns = self._first
            passed_s = now_s - since_s
            rate = (progress.pts_ns - since_ns) / NS_PER_S / passed_s if passed_s > 0.2 else None
            whole_s = None if progress.duration_ns is None else progress.duration_ns / NS_PER_S
            left_s = None if whole_s is None else max(whole_s - done_s, 0.0)
            self._told = {
                "percent": round(min(100 * done_s / whole_s, 99.9), 1) if whole_s else None,
                "frames": progress.decoded,
                "video_s": round(done_s, 3),
                "rate": None if rate is None else round(rate, 2),
                "left_s": None if left_s is None or not rate else round(left_s / rate, 1),
                "events": progress.events,
            }

    def state(self) -> dict[str, Any]:
        """What is kept of it: plain JSON."""
        with self._lock:
            state = dict(self._told)
        return state if self.numbers is None else {**state, "numbers": self.numbers}
