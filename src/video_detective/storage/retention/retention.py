"""Retention of an open database: what accounts want, and the deletion, step by step.

A step is one short transaction that holds its account's row: several nodes may take steps of the
same round, and a process that is killed leaves the round where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Any, Literal

from sqlalchemy import Row, delete, exists, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from video_detective.storage.accounts import audit
from video_detective.storage.accounts.audit import AuditEntry
from video_detective.storage.dialects import insert_into
from video_detective.storage.reach import Reach, reaches_event
from video_detective.storage.retention import media, records
from video_detective.storage.retention.base import Cutoffs, Deleted, RetentionRow, Round, Usage
from video_detective.storage.retention.choice import cameras_of, is_too_old
from video_detective.storage.retention.unused import unused
from video_detective.storage.service_tables import KEPT_EVENTS, MEDIA_DELETIONS, RETENTION
from video_detective.storage.tables import EVENTS, EVIDENCE

Kind = Literal["sqlite", "postgresql"]
Open = Callable[[], AbstractAsyncContextManager[AsyncConnection]]
Entry = Callable[[Round], AuditEntry]
"""Makes the audit entry of a round that has ended."""

EVENTS_A_STEP = 50
"""Events whose media are let go in one transaction."""


class Retention:
    """The retention of an open database. Every writing method is one transaction.

    Args:
        kind: Which database.
        reading, writing: Open a connection for it.
    """

    def __init__(self, kind: Kind, reading: Open, writing: Open) -> None:
        self._kind = kind
        self._reading = reading
        self._writing = writing
        self._places: dict[tuple[str, int], media.Candidate] = {}

    # --- what is wanted

    async def get(self, account_id: str) -> RetentionRow:
        """What an account wants; everything is kept where nothing was ever set."""
        query = select(RETENTION).where(RETENTION.c.account_id == account_id)
        async with self._reading() as connection:
            row = (await connection.execute(query)).first()
        return RetentionRow(account_id=account_id) if row is None else _row(row)

    async def change(
        self,
        account_id: str,
        values: Mapping[str, int | None],
        *,
        now_ns: int,
        entry: AuditEntry,
        ended: Entry,
    ) -> RetentionRow:
        """Change ``media_days`` or ``record_days``; a deletion under way ends where it is.

        Args:
            account_id: Whose.
            values: What to set.
            now_ns: When this is.
            entry: Tells the audit log.
            ended: Tells it of the deletion that this ends, if that deleted something.
        """
        new: dict[str, Any] = {**values, "updated_ns": now_ns, "due_ns": now_ns}
        statement = (
            insert_into(RETENTION, self._kind)
            .values(account_id=account_id, **new)
            .on_conflict_do_update(index_elements=["account_id"], set_=new)
            .returning(RETENTION)
        )
        async with self._writing() as connection:
            row = _row((await connection.execute(statement)).one())
            if row.round is not None:
                last = replace(row.round, ended_ns=now_ns)
                row = replace(row, round=None, last=last)
                await connection.execute(
                    update(RETENTION)
                    .where(RETENTION.c.account_id == account_id)
                    .values(round=None, last=last.as_json())
                )
                if not last.deleted.is_nothing:
                    await audit.append(connection, self._kind, ended(last))
            await audit.append(connection, self._kind, entry)
        return row

    async def hasten(self, account_id: str, *, now_ns: int) -> None:
        """Let the next deletion begin now."""
        async with self._writing() as connection:
            await connection.execute(
                update(RETENTION)
                .where(RETENTION.c.account_id == account_id, RETENTION.c.due_ns > now_ns)
                .values(due_ns=now_ns)
            )

    async def keep(
        self, reach: Reach, event_id: str, *, kept: bool, now_ns: int, entry: AuditEntry
    ) -> bool:
        """Keep an event however old it becomes, or no longer; again changes nothing.

        Returns:
            False when there is no such event in reach.
        """
        async with self._writing() as connection:
            # Who deletes it at this moment has done so, or sees that it is kept.
            if not await reaches_event(connection, reach, event_id, lock=True):
                return False
            if kept:
                changed = await connection.execute(
                    insert_into(KEPT_EVENTS, self._kind)
                    .values(event_id=event_id, kept_ns=now_ns)
                    .on_conflict_do_nothing()
                )
            else:
                changed = await connection.execute(
                    delete(KEPT_EVENTS).where(KEPT_EVENTS.c.event_id == event_id)
                )
            if changed.rowcount:
                await audit.append(connection, self._kind, entry)
        return True

    # --- what there is

    async def usage(self, account_id: str) -> Usage:
        """What an account has."""
        theirs = EVENTS.c.camera_id.in_(cameras_of(account_id))
        present = (
            select(
                EVIDENCE.c.sha256,
                func.max(EVIDENCE.c.bytes).label("bytes"),
                func.min(EVIDENCE.c.time_ns).label("time_ns"),
            )
            .join(EVENTS, EVENTS.c.event_id == EVIDENCE.c.event_id)
            .where(theirs, ~exists().where(MEDIA_DELETIONS.c.event_id == EVIDENCE.c.event_id))
            .group_by(EVIDENCE.c.sha256)
            .subquery()
        )
        total = func.coalesce(func.sum(present.c.bytes), 0)
        files = select(func.count(), total, func.min(present.c.time_ns)).select_from(present)
        events = select(func.count(), func.min(EVENTS.c.start_ns)).where(theirs)
        kept = select(func.count()).select_from(KEPT_EVENTS).join(EVENTS).where(theirs)
        async with self._reading() as connection:
            count, size, first_media_ns = (await connection.execute(files)).one()
            event_count, first_event_ns = (await connection.execute(events)).one()
            return Usage(
                files=count,
                bytes=int(size),
                first_media_ns=first_media_ns,
                events=event_count,
                first_event_ns=first_event_ns,
                kept=await connection.scalar(kept) or 0,
            )

    async def preview(self, account_id: str, cutoffs: Cutoffs) -> Deleted:
        """What a deletion would take now: events, and media of these and others."""
        theirs = EVENTS.c.camera_id.in_(cameras_of(account_id))
        going = Deleted()
        async with self._reading() as connection:
            if cutoffs.records_ns is not None:
                found = select(
                    func.count(), func.min(EVENTS.c.start_ns), func.max(EVENTS.c.start_ns)
                ).where(theirs, is_too_old(cutoffs.records_ns))
                count, first_ns, last_ns = (await connection.execute(found)).one()
                going += Deleted(events=count, first_ns=first_ns, last_ns=last_ns)
            befores = [one for one in (cutoffs.media_ns, cutoffs.records_ns) if one is not None]
            if befores:
                old = or_(*(is_too_old(before_ns) for before_ns in befores))
                files = (
                    select(
                        EVIDENCE.c.sha256,
                        func.max(EVIDENCE.c.bytes).label("bytes"),
                        func.min(EVENTS.c.start_ns).label("first_ns"),
                        func.max(EVENTS.c.start_ns).label("last_ns"),
                    )
                    .join(EVENTS, EVENTS.c.event_id == EVIDENCE.c.event_id)
                    .where(theirs, old, media.HAS_MEDIA)
                    .group_by(EVIDENCE.c.sha256)
                    .subquery()
                )
                size = func.coalesce(func.sum(files.c.bytes), 0)
                span = (func.min(files.c.first_ns), func.max(files.c.last_ns))
                found_files = select(func.count(), size, *span).select_from(files)
                count, total, first_ns, last_ns = (await connection.execute(found_files)).one()
                going += Deleted(files=count, bytes=int(total), first_ns=first_ns, last_ns=last_ns)
        return going

    async def unused(self, hashes: set[str]) -> set[str]:
        """Those of these files to which nothing of any account refers."""
        async with self._reading() as connection:
            return await unused(connection, hashes)

    # --- the deletion

    async def wanted(self) -> list[str]:
        """Accounts that do not keep everything, or once did not."""
        query = select(RETENTION.c.account_id).order_by(RETENTION.c.account_id)
        async with self._reading() as connection:
            return list((await connection.execute(query)).scalars())

    async def step(
        self, account_id: str, *, now_ns: int, every_ns: int, entry: Entry
    ) -> RetentionRow | None:
        """Take the next step of an account's deletion.

        Args:
            account_id: Whose.
            now_ns: When this is.
            every_ns: From the end of a round until the next is due.
            entry: Tells the audit log of a round that deleted something.

        Returns:
            How it stands then (``round`` is None: it has ended); None when none is due, or
            another process is taking a step.
        """
        going = await self.get(account_id)
        candidates: list[media.Candidate] = []
        if going.round is not None and going.round.cutoffs.media_ns is not None:
            # Looked for outside of the transaction: it may take long where much is kept.
            place = (account_id, going.round.started_ns)
            async with self._reading() as connection:
                candidates = await media.candidates(
                    connection,
                    account_id,
                    going.round.cutoffs.media_ns,
                    self._places.get(place),
                    EVENTS_A_STEP,
                )
            if candidates:
                self._places[place] = candidates[-1]
        locked = (
            select(RETENTION)
            .where(RETENTION.c.account_id == account_id)
            .with_for_update(skip_locked=True)
        )
        async with self._writing() as connection:
            found = (await connection.execute(locked)).first()
            if found is None:
                return None
            row = _row(found)
            if row.round is None:
                cutoffs = row.cutoffs(now_ns)
                if cutoffs.is_empty or row.due_ns > now_ns:
                    return None
                row = replace(row, round=Round(started_ns=now_ns, cutoffs=cutoffs))
            elif going.round is None or going.round.started_ns != row.round.started_ns:
                return row  # another began it meanwhile; the next step is in it
            else:
                row = await self._advance(connection, row, candidates, now_ns, every_ns, entry)
            await connection.execute(
                update(RETENTION)
                .where(RETENTION.c.account_id == account_id)
                .values(
                    due_ns=row.due_ns,
                    round=None if row.round is None else row.round.as_json(),
                    last=None if row.last is None else row.last.as_json(),
                )
            )
            if row.round is None and row.last is not None and not row.last.deleted.is_nothing:
                await audit.append(connection, self._kind, entry(row.last))
        if row.round is None:
            self._places.clear()
        return row

    async def _advance(
        self,
        connection: AsyncConnection,
        row: RetentionRow,
        candidates: list[media.Candidate],
        now_ns: int,
        every_ns: int,
        entry: Entry,
    ) -> RetentionRow:
        assert row.round is not None  # noqa: S101 - by the caller
        cutoffs = row.round.cutoffs
        if candidates and cutoffs.media_ns is not None:
            gone = await media.let_go(
                connection,
                self._kind,
                [one.event_id for one in candidates],
                before_ns=cutoffs.media_ns,
                now_ns=now_ns,
            )
            return replace(row, round=replace(row.round, deleted=row.round.deleted + gone))
        gone = await self._delete_some(connection, row.account_id, cutoffs)
        if not gone.is_nothing:
            return replace(row, round=replace(row.round, deleted=row.round.deleted + gone))
        ended = replace(row.round, ended_ns=now_ns)
        return replace(row, round=None, last=ended, due_ns=now_ns + every_ns)

    async def _delete_some(
        self, connection: AsyncConnection, account_id: str, cutoffs: Cutoffs
    ) -> Deleted:
        """The next stretch of events or rows; nothing when all is done."""
        cameras: list[str] = list(await connection.scalars(cameras_of(account_id)))
        for camera_id in sorted(cameras):
            if cutoffs.media_ns is not None:
                stray = await media.forget_stray_pictures(
                    connection, camera_id, cutoffs.media_ns, records.EVENTS_A_STEP
                )
                if stray:
                    return Deleted(files=stray)
            if cutoffs.records_ns is None:
                continue
            gone = await records.delete_events(
                connection, self._kind, camera_id, cutoffs.records_ns
            )
            if gone.is_nothing:
                gone = Deleted(
                    rows=await records.delete_rows(
                        connection, self._kind, camera_id, cutoffs.records_ns
                    )
                )
            if not gone.is_nothing:
                return gone
            await records.forget_coverage(connection, self._kind, camera_id, cutoffs.records_ns)
        return Deleted()


def _row(row: Row[Any]) -> RetentionRow:
    return RetentionRow(
        account_id=row.account_id,
        media_days=row.media_days,
        record_days=row.record_days,
        updated_ns=row.updated_ns,
        due_ns=row.due_ns,
        round=None if row.round is None else Round.from_json(row.round),
        last=None if row.last is None else Round.from_json(row.last),
    )
