"""Uploaded files and their analyses.

``epoch`` counts takings: of the upload by the connection that sends, then of the analysis by the
process that runs it. What an earlier one writes after a later one began is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Literal

from sqlalchemy import ColumnElement, RowMapping, Select, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from video_detective.storage.accounts.audit import AuditEntry, append
from video_detective.storage.clock import CLOCK_MS, next_beat
from video_detective.storage.narration_rows import Beat
from video_detective.storage.reach import Reach, of_row
from video_detective.storage.service_tables import ANALYSIS_JOBS, DEVICES
from video_detective.storage.work.base import ENDED, JobEnd, JobRow

Kind = Literal["sqlite", "postgresql"]
Open = Callable[[], AbstractAsyncContextManager[AsyncConnection]]
_JOBS = ANALYSIS_JOBS.c


class Jobs:
    """The jobs of an open database. Every writing method is one transaction.

    Args:
        kind: Which database.
        reading, writing: Open a connection for it.
    """

    def __init__(self, kind: Kind, reading: Open, writing: Open) -> None:
        self._kind = kind
        self._reading = reading
        self._writing = writing

    async def add(self, job: JobRow, entry: AuditEntry | None) -> None:
        """Store a new job."""
        values = {
            "job_id": job.job_id,
            "account_id": job.account_id,
            "camera_id": job.camera_id,
            "status": job.status,
            "file_name": job.file_name,
            "size_bytes": job.size_bytes,
            "received_bytes": job.received_bytes,
            "sha256": job.sha256,
            "start_time": job.start_time,
            "progress": dict(job.progress),
            "cancel_requested": False,
            "epoch": job.epoch,
            "node_id": job.node_id,
            "request_id": job.request_id,
            "created_by": job.created_by,
            "created_ns": job.created_ns,
        }
        async with self._writing() as connection:
            await connection.execute(ANALYSIS_JOBS.insert().values(values))
            if entry is not None:
                await append(connection, self._kind, entry)

    async def get(self, job_id: str, reach: Reach | None = None) -> JobRow | None:
        """A job that is in reach."""
        async with self._reading() as connection:
            found = await connection.execute(self._select(reach).where(_JOBS.job_id == job_id))
            row = found.mappings().first()
        return None if row is None else job_from(row)

    async def page(
        self,
        reach: Reach | None,
        *,
        camera_id: str | None = None,
        status: str | None = None,
        before: str | None = None,
        limit: int,
        offset: int = 0,
    ) -> list[JobRow]:
        """Jobs, the newest first.

        Args:
            reach: Whose.
            camera_id: Only of this camera.
            status: Only of this one.
            before: Only those older than this job id.
            limit: At most so many.
            offset: So many are left out before.
        """
        query = self._select(reach, camera_id, status)
        if before is not None:
            query = query.where(_JOBS.job_id < before)
        query = query.order_by(_JOBS.job_id.desc()).limit(limit).offset(offset)
        async with self._reading() as connection:
            return [job_from(row) for row in (await connection.execute(query)).mappings()]

    async def count(
        self, reach: Reach | None, *, camera_id: str | None = None, status: str | None = None
    ) -> int:
        """How many jobs ``page`` has in all."""
        query = select(func.count()).select_from(self._select(reach, camera_id, status).subquery())
        async with self._reading() as connection:
            return await connection.scalar(query) or 0

    def _select(
        self, reach: Reach | None, camera_id: str | None = None, status: str | None = None
    ) -> Select[Any]:
        age = CLOCK_MS[self._kind] - _JOBS.beats
        query = select(ANALYSIS_JOBS, DEVICES.c.device_id, age.label("age_ms")).join_from(
            ANALYSIS_JOBS, DEVICES, DEVICES.c.camera_id == _JOBS.camera_id
        )
        if reach is not None:
            query = query.where(of_row(reach, ANALYSIS_JOBS))
        if camera_id is not None:
            query = query.where(_JOBS.camera_id == camera_id)
        if status is not None:
            query = query.where(_JOBS.status == status)
        return query

    async def announced_bytes(self, node_id: str) -> int:
        """What is still to come of the uploads that a node has begun to receive."""
        query = select(func.sum(_JOBS.size_bytes - _JOBS.received_bytes)).where(
            _JOBS.status == "uploading", _JOBS.node_id == node_id
        )
        async with self._reading() as connection:
            return int(await connection.scalar(query) or 0)

    # --- receiving

    async def uploading(self, node_id: str) -> list[JobRow]:
        """The uploads that a node has begun to receive, or is to; the oldest first."""
        query = self._select(None).where(_JOBS.status == "uploading", _JOBS.node_id == node_id)
        async with self._reading() as connection:
            found = await connection.execute(query.order_by(_JOBS.job_id))
            return [job_from(row) for row in found.mappings()]

    async def begin_receiving(self, job_id: str, offset: int) -> int | None:
        """Take an upload for a connection; an earlier connection's writes are refused from now on.

        Returns:
            The epoch; None when the upload does not stand at ``offset``, or is none any more.
        """
        return await self._change(
            job_id,
            _JOBS.status == "uploading",
            _JOBS.received_bytes == offset,
            epoch=_JOBS.epoch + 1,
        )

    async def received(self, job_id: str, epoch: int, received_bytes: int) -> bool:
        """Note how much is safely on disk; False when another connection has taken over."""
        own = (_JOBS.status == "uploading", _JOBS.epoch == epoch)
        return await self._change(job_id, *own, received_bytes=received_bytes) is not None

    async def queue(self, job_id: str, epoch: int) -> bool:
        """Let a whole file be analysed; False when another connection has taken over."""
        own = (_JOBS.status == "uploading", _JOBS.epoch == epoch)
        return await self._change(job_id, *own, status="queued") is not None

    # --- analysing

    async def claimable(self, node_id: str) -> list[JobRow]:
        """A node's jobs that wait for a process, or whose process may have died; oldest first.

        Those behind another of the same device are left out: one analysis of a camera's files runs
        at a time.
        """
        query = (
            self._select(None)
            .where(_JOBS.node_id == node_id, _JOBS.status.in_(("queued", "running")))
            .order_by(_JOBS.status.desc(), _JOBS.job_id)
        )
        first: dict[str, JobRow] = {}
        async with self._reading() as connection:
            for row in (await connection.execute(query)).mappings():
                first.setdefault(row["camera_id"], job_from(row))
        return sorted(first.values(), key=lambda job: job.job_id)

    async def claim(self, job: JobRow, *, now_ns: int) -> int | None:
        """Take a queued job, or one whose process is dead, as it was seen.

        Returns:
            The epoch of this taking; None when somebody else was faster.
        """
        beats = _JOBS.beats.is_(None) if job.beat is None else _JOBS.beats == job.beat.number
        return await self._change(
            job.job_id,
            _JOBS.status == job.status,
            _JOBS.epoch == job.epoch,
            beats,
            _none_runs_beside(job),
            status="running",
            epoch=_JOBS.epoch + 1,
            beats=next_beat(_JOBS.beats, self._kind),
            started_ns=func.coalesce(_JOBS.started_ns, now_ns),
        )

    async def progress(
        self, reports: Mapping[str, tuple[int, Mapping[str, Any]]]
    ) -> dict[str, Literal["lost", "cancelled"]]:
        """Give a sign of life for own jobs, with how far they are.

        Args:
            reports: Epoch and progress by job id.

        Returns:
            Those that somebody else took over (nothing of them was written), and those that are to
            end.
        """
        told: dict[str, Literal["lost", "cancelled"]] = {}
        async with self._writing() as connection:
            for job_id, (epoch, progress) in sorted(reports.items()):
                wish = await connection.execute(
                    update(ANALYSIS_JOBS)
                    .where(_JOBS.job_id == job_id, _JOBS.epoch == epoch, _JOBS.status == "running")
                    .values(beats=next_beat(_JOBS.beats, self._kind), progress=dict(progress))
                    .returning(_JOBS.cancel_requested)
                )
                row = wish.first()
                if row is None:
                    told[job_id] = "lost"
                elif row.cancel_requested:
                    told[job_id] = "cancelled"
        return told

    async def give_back(self, job_id: str, epoch: int) -> None:
        """Leave a running job to whoever comes."""
        own = (_JOBS.epoch == epoch, _JOBS.status == "running")
        await self._change(job_id, *own, status="queued", beats=None)

    async def end(self, job_id: str, epoch: int | None, end: JobEnd) -> bool:
        """Note how a job ended, once.

        Args:
            job_id: Which.
            epoch: Of the taking; None: whoever has it.
            end: How.

        Returns:
            False when it had ended before, or somebody else has taken it.
        """
        own: list[ColumnElement[bool]] = [_JOBS.status.not_in(ENDED)]
        if epoch is not None:
            own.append(_JOBS.epoch == epoch)
        return (
            await self._change(
                job_id,
                *own,
                status=end.status,
                ended_ns=end.ended_ns,
                report=None if end.report is None else dict(end.report),
                error_code=end.error_code,
                error=end.error,
                beats=None,
            )
            is not None
        )

    async def cancel(
        self, job_id: str, *, now_ns: int, entry: AuditEntry | None
    ) -> Literal["cancelled", "asked", "ended"]:
        """End a job: at once where nobody works on it, else its process is asked to.

        Returns:
            ``ended``: it had ended before; nothing was changed.
        """
        async with self._writing() as connection:
            ended, asked = await cancel_jobs(connection, _JOBS.job_id == job_id, now_ns=now_ns)
            if not ended and not asked:
                return "ended"
            if entry is not None:
                await append(connection, self._kind, entry)
        return "cancelled" if ended else "asked"

    async def of_files(self, job_ids: Collection[str]) -> dict[str, JobRow]:
        """Those of these jobs that there are, by id."""
        query = self._select(None).where(_JOBS.job_id.in_(list(job_ids)))
        async with self._reading() as connection:
            found = (await connection.execute(query)).mappings()
            return {row["job_id"]: job_from(row) for row in found}

    async def _change(
        self, job_id: str, *where: ColumnElement[bool], **values: object
    ) -> int | None:
        """Change a job that meets the conditions; gives back its epoch, None when it does not."""
        statement = update(ANALYSIS_JOBS).where(_JOBS.job_id == job_id, *where)
        async with self._writing() as connection:
            changed = statement.values(**values).returning(_JOBS.epoch)
            epoch: int | None = await connection.scalar(changed)
        return epoch


async def cancel_jobs(
    connection: AsyncConnection, which: ColumnElement[bool], *, now_ns: int
) -> tuple[int, int]:
    """End jobs, inside a writing transaction; their files are left to whoever has them.

    Returns:
        How many ended at once, and how many have a process that is asked to end.
    """
    # One that is given back at this moment is waited for: it would be neither waiting nor running.
    open_ones = select(_JOBS.job_id).where(which, _JOBS.status.not_in(ENDED))
    await connection.execute(open_ones.order_by(_JOBS.job_id).with_for_update())
    waiting = (which, _JOBS.status.in_(("uploading", "queued")))
    ended = await connection.execute(
        update(ANALYSIS_JOBS)
        .where(*waiting)
        .values(status="cancelled", ended_ns=now_ns, cancel_requested=True, epoch=_JOBS.epoch + 1)
    )
    asked = await connection.execute(
        update(ANALYSIS_JOBS).where(which, _JOBS.status == "running").values(cancel_requested=True)
    )
    return ended.rowcount, asked.rowcount


def _none_runs_beside(job: JobRow) -> ColumnElement[bool]:
    other = ANALYSIS_JOBS.alias()
    beside = select(other.c.job_id).where(
        other.c.camera_id == job.camera_id, other.c.status == "running",
        other.c.job_id != job.job_id,
    )  # fmt: skip
    return ~beside.exists()


def job_from(row: RowMapping) -> JobRow:
    """A row of ``ANALYSIS_JOBS`` with ``device_id`` and ``age_ms``."""
    beat = None
    if row["beats"] is not None:
        beat = Beat(number=row["beats"], age_ns=max(0, row["age_ms"]) * 1_000_000)
    return JobRow(
        job_id=row["job_id"],
        account_id=row["account_id"],
        camera_id=row["camera_id"],
        device_id=row["device_id"],
        status=row["status"],
        file_name=row["file_name"],
        size_bytes=row["size_bytes"],
        received_bytes=row["received_bytes"],
        sha256=row["sha256"],
        start_time=row["start_time"],
        progress=row["progress"],
        report=row["report"],
        error_code=row["error_code"],
        error=row["error"],
        is_cancel_requested=row["cancel_requested"],
        epoch=row["epoch"],
        node_id=row["node_id"],
        beat=beat,
        request_id=row["request_id"],
        created_by=row["created_by"],
        created_ns=row["created_ns"],
        started_ns=row["started_ns"],
        ended_ns=row["ended_ns"],
    )
