"""Live analyses: which are wanted, who has them, how they are going.

Whoever takes a camera raises its epoch; what an earlier owner writes from then on is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Literal

from sqlalchemy import ColumnElement, RowMapping, Select, and_, case, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from video_detective.storage.accounts.audit import AuditEntry, append
from video_detective.storage.clock import CLOCK_MS, next_beat
from video_detective.storage.dialects import insert_into
from video_detective.storage.narration_rows import Beat
from video_detective.storage.reach import Reach, of_row
from video_detective.storage.service_tables import DEVICES, LIVE_STATUS
from video_detective.storage.tables import CAMERAS
from video_detective.storage.work.base import LiveReport, LiveRow, LiveTask

Kind = Literal["sqlite", "postgresql"]
Open = Callable[[], AbstractAsyncContextManager[AsyncConnection]]


class Live:
    """The live analyses of an open database. Every writing method is one transaction.

    Args:
        kind: Which database.
        reading, writing: Open a connection for it.
    """

    def __init__(self, kind: Kind, reading: Open, writing: Open) -> None:
        self._kind = kind
        self._reading = reading
        self._writing = writing

    async def want(
        self,
        camera_id: str,
        *,
        wanted: bool,
        now_ns: int,
        request_id: str,
        entry: AuditEntry | None,
    ) -> None:
        """Say that a device is to be analysed live, or no longer; again is harmless.

        Its owner, if it has one, ends it in order; without one it is stopped at once.

        Args:
            camera_id: Of a device.
            wanted: Whether it is to run.
            now_ns: When this is asked for.
            request_id: Of the request.
            entry: For the audit log.
        """
        device = update(DEVICES).where(DEVICES.c.camera_id == camera_id)
        first = insert_into(LIVE_STATUS, self._kind).values(
            camera_id=camera_id,
            epoch=0,
            state="starting" if wanted else "stopped",
            started_ns=now_ns,
            drops=[],
            request_id=request_id,
        )
        row = update(LIVE_STATUS).where(LIVE_STATUS.c.camera_id == camera_id)
        async with self._writing() as connection:
            changed = await connection.execute(
                device.where(DEVICES.c.wanted.is_not(wanted)).values(wanted=wanted)
            )
            await connection.execute(first.on_conflict_do_nothing(index_elements=["camera_id"]))
            if changed.rowcount:
                if wanted:
                    await connection.execute(row.values(request_id=request_id))
                state = "starting" if wanted else "stopped"
                nobodys = row.where(LIVE_STATUS.c.node_id.is_(None))
                await connection.execute(nobodys.values(state=state, error=None, started_ns=now_ns))
            if entry is not None and changed.rowcount:
                await append(connection, self._kind, entry)

    async def rows(
        self,
        reach: Reach | None = None,
        *,
        camera_ids: Sequence[str] | None = None,
        after: str | None = None,
        limit: int | None = None,
        offset: int = 0,
    ) -> list[LiveRow]:
        """Devices and how their live analyses are going, in order of device id.

        Args:
            reach: Whose.
            camera_ids: Only these.
            after: Only those behind this device id.
            limit: At most so many; None for all.
            offset: So many are left out before.
        """
        query = self._select(reach, camera_ids).order_by(DEVICES.c.device_id)
        if after is not None:
            query = query.where(DEVICES.c.device_id > after)
        async with self._reading() as connection:
            found = await connection.execute(query.limit(limit).offset(offset))
            return [live_from(row) for row in found.mappings()]

    async def count(self, reach: Reach | None = None) -> int:
        """How many devices there are."""
        async with self._reading() as connection:
            query = select(func.count()).select_from(self._select(reach, None).subquery())
            return await connection.scalar(query) or 0

    def _select(self, reach: Reach | None, camera_ids: Sequence[str] | None) -> Select[Any]:
        age = CLOCK_MS[self._kind] - LIVE_STATUS.c.beats
        own = [column for column in LIVE_STATUS.columns if column.name != "camera_id"]
        query = (
            select(
                DEVICES.c.camera_id, DEVICES.c.device_id, DEVICES.c.wanted, *own,
                age.label("age_ms"),
            )
            .outerjoin_from(DEVICES, LIVE_STATUS, LIVE_STATUS.c.camera_id == DEVICES.c.camera_id)
            .where(DEVICES.c.deleted_ns.is_(None))
        )  # fmt: skip
        if reach is not None:
            query = query.where(of_row(reach, DEVICES))
        if camera_ids is not None:
            query = query.where(DEVICES.c.camera_id.in_(list(camera_ids)))
        return query

    async def tasks(self) -> dict[str, LiveTask]:
        """What is wanted, by camera id, in order of it."""
        query = (
            select(DEVICES.c.camera_id, DEVICES.c.source, CAMERAS.c.document)
            .join_from(DEVICES, CAMERAS, CAMERAS.c.camera_id == DEVICES.c.camera_id)
            .where(DEVICES.c.wanted.is_(True), DEVICES.c.deleted_ns.is_(None))
            .order_by(DEVICES.c.camera_id)
        )
        async with self._reading() as connection:
            return {
                camera_id: LiveTask(camera_id=camera_id, source=source, document=document)
                for camera_id, source, document in await connection.execute(query)
            }

    async def owners(self) -> dict[str, tuple[int, Beat]]:
        """Who has a camera, as epoch and last sign of life by camera id."""
        age = CLOCK_MS[self._kind] - LIVE_STATUS.c.beats
        query = select(
            LIVE_STATUS.c.camera_id, LIVE_STATUS.c.epoch, LIVE_STATUS.c.beats, age
        ).where(LIVE_STATUS.c.node_id.is_not(None))
        async with self._reading() as connection:
            return {
                camera_id: (epoch, Beat(number=beats, age_ns=max(0, age_ms) * 1_000_000))
                for camera_id, epoch, beats, age_ms in await connection.execute(query)
            }

    async def claim(
        self, camera_id: str, node_id: str, *, seen: tuple[int, Beat] | None, now_ns: int
    ) -> int | None:
        """Take a camera that nobody has, or whose owner is dead.

        Args:
            camera_id: Which.
            node_id: Who.
            seen: The dead owner as it was seen; None: there was none.
            now_ns: When.

        Returns:
            The epoch of this taking; None when somebody else was faster, or the owner lives.
        """
        first = insert_into(LIVE_STATUS, self._kind).values(
            camera_id=camera_id, epoch=0, state="starting", drops=[], request_id=""
        )
        still: ColumnElement[bool] = LIVE_STATUS.c.node_id.is_(None)
        if seen is not None:
            still = and_(LIVE_STATUS.c.epoch == seen[0], LIVE_STATUS.c.beats == seen[1].number)
        take = (
            update(LIVE_STATUS)
            .where(LIVE_STATUS.c.camera_id == camera_id, still)
            .values(
                epoch=LIVE_STATUS.c.epoch + 1,
                node_id=node_id,
                state="starting",
                started_ns=now_ns,
                beats=next_beat(LIVE_STATUS.c.beats, self._kind),
                fps=None,
                lag_s=None,
                drops=[],
                error=None,
            )
            .returning(LIVE_STATUS.c.epoch)
        )
        async with self._writing() as connection:
            await connection.execute(first.on_conflict_do_nothing(index_elements=["camera_id"]))
            epoch: int | None = await connection.scalar(take)
        return epoch

    async def report(
        self, reports: Mapping[str, tuple[int, LiveReport]], *, now_ns: int
    ) -> set[str]:
        """Give a sign of life for own cameras, with how they are going.

        Args:
            reports: Epoch and report by camera id.
            now_ns: Kept as the beginning of a state that changes.

        Returns:
            Those that somebody else took over meanwhile: nothing of them was written.
        """
        lost = set()
        async with self._writing() as connection:
            for camera_id, (epoch, report) in sorted(reports.items()):
                own = (LIVE_STATUS.c.camera_id == camera_id, LIVE_STATUS.c.epoch == epoch)
                written = await connection.execute(
                    update(LIVE_STATUS)
                    .where(*own, LIVE_STATUS.c.node_id.is_not(None))
                    .values(
                        state=report.state,
                        started_ns=case(
                            (LIVE_STATUS.c.state == report.state, LIVE_STATUS.c.started_ns),
                            else_=now_ns,
                        ),
                        beats=next_beat(LIVE_STATUS.c.beats, self._kind),
                        fps=report.fps,
                        lag_s=report.lag_s,
                        last_frame_ns=func.coalesce(
                            report.last_frame_ns, LIVE_STATUS.c.last_frame_ns
                        ),
                        drops=[dict(drop) for drop in report.drops],
                        error=report.error,
                    )
                )
                if not written.rowcount:
                    lost.add(camera_id)
        return lost

    async def release(self, camera_id: str, epoch: int, *, state: str, now_ns: int) -> None:
        """Leave a camera to whoever comes, unless somebody has taken it over already."""
        leave = (
            update(LIVE_STATUS)
            .where(LIVE_STATUS.c.camera_id == camera_id, LIVE_STATUS.c.epoch == epoch)
            .values(node_id=None, state=state, started_ns=now_ns, fps=None, lag_s=None)
        )
        async with self._writing() as connection:
            await connection.execute(leave)

    async def is_owned(self, camera_id: str, epoch: int) -> bool:
        """Whether a taking still holds."""
        query = select(LIVE_STATUS.c.epoch).where(
            LIVE_STATUS.c.camera_id == camera_id, LIVE_STATUS.c.node_id.is_not(None)
        )
        async with self._reading() as connection:
            return await connection.scalar(query) == epoch


def live_from(row: RowMapping) -> LiveRow:
    """A row of ``rows``; of a device that was never started, a stopped one."""
    beat = None
    if row["beats"] is not None:
        beat = Beat(number=row["beats"], age_ns=max(0, row["age_ms"]) * 1_000_000)
    return LiveRow(
        camera_id=row["camera_id"],
        device_id=row["device_id"],
        is_wanted=row["wanted"],
        epoch=row["epoch"] or 0,
        node_id=row["node_id"],
        beat=beat,
        started_ns=row["started_ns"],
        report=LiveReport(
            state=row["state"] or "stopped",
            fps=row["fps"],
            lag_s=row["lag_s"],
            last_frame_ns=row["last_frame_ns"],
            drops=row["drops"] or (),
            error=row["error"],
        ),
        request_id=row["request_id"] or "",
    )
