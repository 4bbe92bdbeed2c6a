"""Uploaded files: received piece by piece, kept under the id of their job, analysed in turn.

A file lies in ``<data dir>/uploads`` under its job's id; what its owner calls it is words in the
database. It belongs to the node that received it.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from video_detective.errors import ConflictError, TooLargeError, UsageError, no_such
from video_detective.pipeline.clock import now_ns
from video_detective.services.access import Caller
from video_detective.services.devices import find_device
from video_detective.services.node import node_id
from video_detective.services.times import field_time, utc_text
from video_detective.services.upload_disk import explained, require_room
from video_detective.services.workspace import Workspace
from video_detective.storage.ids import new_id
from video_detective.storage.work.base import JobEnd, JobRow

FOLDER = "uploads"
FLUSH_BYTES = 16 << 20
"""What is safely on disk is noted after so many bytes, and when a connection ends."""
GATHER_BYTES = 1 << 20
"""Bytes written at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """A file that is going to be sent.

    Args:
        device_id: Whose view it shows.
        file_name: What its owner calls it.
        size_bytes: How long it is.
        sha256: Of all its bytes, in hex; None: it is not checked.
        start_time: Wall-clock time of its first frame, RFC 3339; in the device's zone without
            offset. None: as the container or the name says.
    """

    device_id: str
    file_name: str
    size_bytes: int
    sha256: str | None = None
    start_time: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPage:
    """One page of jobs, newest first, and how many there are in all."""

    jobs: list[JobRow]
    total: int
    next_cursor: str | None


def file_of(workspace: Workspace, job_id: str) -> Path:
    """Where a job's file lies."""
    return workspace.data_dir / FOLDER / job_id


async def announce(workspace: Workspace, caller: Caller, file: Announcement) -> JobRow:
    """Make the job of a file; its bytes follow.

    Raises:
        MissingError: there is no such device in reach.
        TooLargeError: the file is larger than is taken.
        FieldError: its start time is no time.
        StorageError: the disk has no room for it.
    """
    device = await find_device(workspace, caller, file.device_id)
    limits = workspace.settings.uploads
    if file.size_bytes > limits.max_bytes:
        raise TooLargeError(
            f"The file of {file.size_bytes} bytes is larger than is taken ({limits.max_bytes})",
            remedy="Cut it into shorter files, or raise uploads.max_bytes in settings.yaml.",
            reason="file_too_large",
            size_bytes=file.size_bytes,
            max_bytes=limits.max_bytes,
        )
    start_time = None
    if file.start_time is not None:
        zone = (await workspace.places()).zone(device.camera_id)
        # As it is meant now: the device may have another zone when the analysis begins.
        start_time = utc_text(field_time(file.start_time, zone, "startTime"))
    node = node_id(workspace)
    coming = await workspace.database.work.jobs.announced_bytes(node)
    require_room(
        workspace.data_dir / FOLDER,
        file.size_bytes,
        reserved_bytes=coming + limits.keep_free_bytes,
    )
    now = now_ns()
    job = JobRow(
        job_id=new_id(now),
        account_id=caller.account_id,
        camera_id=device.camera_id,
        device_id=device.device_id,
        file_name=file.file_name,
        size_bytes=file.size_bytes,
        sha256=None if file.sha256 is None else file.sha256.lower(),
        start_time=start_time,
        node_id=node,
        request_id=caller.request_id,
        created_by=caller.name,
        created_ns=now,
    )
    details = {"device_id": device.device_id, "size_bytes": file.size_bytes}
    entry = caller.entry("job.create", job.job_id, time_ns=now, details=details)
    await workspace.database.work.jobs.add(job, entry)
    return job


async def find_job(workspace: Workspace, caller: Caller, job_id: str) -> JobRow:
    """The job of that id.

    Raises:
        MissingError: there is none in reach.
    """
    job = await workspace.database.work.jobs.get(job_id, caller.reach)
    if job is None:
        raise no_such("job", job_id, remedy="List them with GET /api/v1/analysis/jobs.")
    return job


async def list_jobs(
    workspace: Workspace,
    caller: Caller,
    *,
    device_id: str | None,
    status: str | None,
    limit: int,
    offset: int,
    cursor: str | None,
) -> JobPage:
    """Jobs in reach, the newest first.

    Args:
        workspace: Where.
        caller: Who asks.
        device_id: Only of this device.
        status: Only of this one.
        limit: Most rows.
        offset: So many are left out before.
        cursor: The last job id of the page before; then ``offset`` is not read.

    Raises:
        MissingError: there is no such device in reach.
    """
    camera_id = None
    if device_id is not None:
        camera_id = (await find_device(workspace, caller, device_id)).camera_id
    jobs = workspace.database.work.jobs
    found = await jobs.page(
        caller.reach,
        camera_id=camera_id,
        status=status,
        before=cursor,
        limit=limit + 1,
        offset=0 if cursor else offset,
    )
    return JobPage(
        jobs=found[:limit],
        total=await jobs.count(caller.reach, camera_id=camera_id, status=status),
        next_cursor=found[limit - 1].job_id if len(found) > limit else None,
    )


async def receive(
    workspace: Workspace,
    caller: Caller,
    job_id: str,
    *,
    offset: int,
    length: int | None,
    content: AsyncIterator[bytes],
) -> JobRow:
    """Take a piece of a file, from where it stands on; when it is whole, queue its analysis.

    A connection that breaks leaves what came. A later connection wins over an earlier one that
    still hangs.

    Args:
        workspace: Where.
        caller: Who sends.
        job_id: Of which job.
        offset: Where the piece belongs: as many bytes as have been received.
        length: Of the piece, where it is known beforehand.
        content: Its bytes.

    Raises:
        MissingError: there is no such job in reach.
        ConflictError: the job takes no bytes any more, another node has the file, or it stands at
            another offset (``context["offset"]``).
        TooLargeError: there is more than was announced; nothing of this piece's rest is kept.
        UsageError: the file is whole and has another SHA-256; its job has failed.
        StorageError: the disk is full.
    """
    job = await find_job(workspace, caller, job_id)
    _require_receiving(workspace, job)
    if job.received_bytes != offset:
        raise _elsewhere(job)
    if length is not None and offset + length > job.size_bytes:
        raise _too_long(job)
    jobs = workspace.database.work.jobs
    epoch = await jobs.begin_receiving(job_id, offset)
    if epoch is None:
        raise _elsewhere(await find_job(workspace, caller, job_id))
    path = file_of(workspace, job_id)
    with explained(path):
        path.parent.mkdir(mode=0o700, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "wb", buffering=0) as file:
        received = await _Piece(workspace, job, epoch, file).take(offset, content)
    if received == job.size_bytes:
        await complete(workspace, job, epoch)
    return await find_job(workspace, caller, job_id)


class _Piece:
    """What one connection sends of a file."""

    def __init__(self, workspace: Workspace, job: JobRow, epoch: int, file: BinaryIO) -> None:
        self._workspace = workspace
        self._job = job
        self._epoch = epoch
        self._file = file

    async def take(self, offset: int, content: AsyncIterator[bytes]) -> int:
        """Write the piece; gives back where the file stands then."""
        written = noted = offset
        gathered = bytearray()
        try:
            async for chunk in content:
                if written + len(gathered) + len(chunk) > self._job.size_bytes:
                    raise _too_long(self._job)
                gathered += chunk
                if len(gathered) >= GATHER_BYTES:
                    written = await self._write(written, gathered)
                if written - noted >= FLUSH_BYTES:
                    noted = await self._note(written)
        finally:
            # Also when the connection broke: it need not be sent again.
            written = await self._write(written, gathered)
            if written != noted or written == self._job.size_bytes:
                await self._note(written)
        return written

    async def _write(self, at: int, gathered: bytearray) -> int:
        if not gathered:
            return at
        content = bytes(gathered)
        with explained(file_of(self._workspace, self._job.job_id)):
            await asyncio.to_thread(_write_at, self._file, at, content)
        gathered.clear()
        return at + len(content)

    async def _note(self, written: int) -> int:
        """Note what is on disk, once it is."""
        with explained(file_of(self._workspace, self._job.job_id)):
            await asyncio.to_thread(os.fsync, self._file.fileno())
        jobs = self._workspace.database.work.jobs
        if not await jobs.received(self._job.job_id, self._epoch, written):
            raise ConflictError(
                f"Another connection sends the file of job {self._job.job_id}, or it was cancelled",
                remedy="Ask where it stands with HEAD, and go on from there.",
            )
        return written


def _write_at(file: BinaryIO, at: int, content: bytes) -> None:
    file.seek(at)
    view = memoryview(content)
    while view:
        view = view[file.write(view) :]


async def complete(workspace: Workspace, job: JobRow, epoch: int) -> None:
    """Check a whole file, and queue its analysis.

    ``epoch`` is that of the connection that sent its end.

    Raises:
        UsageError: it has another SHA-256; its job has failed.
        StorageError: it cannot be read.
    """
    path = file_of(workspace, job.job_id)
    jobs = workspace.database.work.jobs
    if job.sha256 is not None:
        with explained(path):
            found = await asyncio.to_thread(_sha256, path, job.size_bytes)
        if found != job.sha256:
            words = f"The file's SHA-256 is {found}, not {job.sha256}"
            remedy = "Something changed on the way: announce the file again and send it anew."
            end = JobEnd(
                status="failed",
                ended_ns=now_ns(),
                error_code="CHECKSUM_MISMATCH",
                error=f"{words}. {remedy}",
            )
            if await jobs.end(job.job_id, epoch, end):
                remove_file(workspace, job.job_id)
            raise UsageError(words, remedy=remedy, reason="checksum_wrong")
    await jobs.queue(job.job_id, epoch)


def _sha256(path: Path, size_bytes: int) -> str:
    """Of what belongs to the file: an earlier process may have written beyond what it noted."""
    os.truncate(path, size_bytes)
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _require_receiving(workspace: Workspace, job: JobRow) -> None:
    if job.status != "uploading":
        raise ConflictError(
            f"Job {job.job_id} is {job.status} and takes no bytes",
            remedy="Announce the file again with POST /api/v1/analysis/files.",
            offset=job.received_bytes,
        )
    if job.node_id != node_id(workspace):
        raise ConflictError(
            f"The file of job {job.job_id} is being received by node {job.node_id}, not by this",
            remedy="Send it to that node.",
            offset=job.received_bytes,
        )


def _elsewhere(job: JobRow) -> ConflictError:
    return ConflictError(
        f"The file of job {job.job_id} stands at {job.received_bytes}",
        remedy="Go on from there.",
        offset=job.received_bytes,
    )


def _too_long(job: JobRow) -> TooLargeError:
    return TooLargeError(
        f"There are more bytes than the {job.size_bytes} that were announced",
        remedy="Announce the file again with its true size.",
        reason="file_changed",
        size_bytes=job.size_bytes,
    )


async def cancel(workspace: Workspace, caller: Caller, job_id: str) -> JobRow:
    """End a job: at once where nobody works on it yet, else within seconds. What was found stays.

    Raises:
        MissingError: there is no such job in reach.
        ConflictError: it is done or has failed.
    """
    job = await find_job(workspace, caller, job_id)
    now = now_ns()
    entry = caller.entry("job.cancel", job_id, time_ns=now)
    outcome = await workspace.database.work.jobs.cancel(job_id, now_ns=now, entry=entry)
    if outcome == "cancelled" and job.node_id == node_id(workspace):
        remove_file(workspace, job_id)
    job = await find_job(workspace, caller, job_id)
    if outcome == "ended" and job.status != "cancelled":
        raise ConflictError(
            f"Job {job_id} is {job.status}",
            remedy="There is nothing to cancel.",
            reason="job_ended",
            status=job.status,
        )
    return job


def remove_file(workspace: Workspace, job_id: str) -> None:
    """Remove a job's file, if it is there."""
    with suppress(OSError):  # the sweep tries again
        file_of(workspace, job_id).unlink()
