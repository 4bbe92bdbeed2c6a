"""``Database.live``: what changed since a place in the log of changes, without a gap.

On PostgreSQL a number is given before its transaction commits, so that a lower one may be seen
later than a higher one. Hence places are of transactions: only those are read that come before
every transaction which still runs, and so what was read once is never added to.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Literal, NamedTuple, Self

from sqlalchemy import BigInteger, ColumnElement, Text, cast, func, literal, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from video_detective.storage.live_tables import LIVE_CHANGES
from video_detective.storage.service_tables import DEVICES

Open = Callable[[], AbstractAsyncContextManager[AsyncConnection]]
ChangeKind = Literal["alert", "insight", "review", "job", "device"]
_L = LIVE_CHANGES.c
_PLACE = tuple_(_L.transaction_id, _L.number)
_RUNNING: ColumnElement[int] = cast(
    cast(func.pg_snapshot_xmin(func.pg_current_snapshot()), Text), BigInteger
)
"""The first transaction that still runs, as of the statement."""


class Place(NamedTuple):
    """A place in the log: behind this change."""

    transaction_id: int
    number: int

    @property
    def text(self) -> str:
        """As callers keep it."""
        return f"{self.transaction_id}-{self.number}"

    @classmethod
    def read(cls, text: str) -> Self | None:
        """A place that a caller kept; None when it is none."""
        parts = text.split("-")
        if len(parts) != 2 or not all(p.isascii() and p.isdigit() and len(p) < 19 for p in parts):
            return None
        return cls(int(parts[0]), int(parts[1]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing that changed.

    Args:
        place: Where it stands in the log.
        kind: What it is.
        account_id, camera_id, device_id: Whose and of what.
        target_id: Of the alert (of ``alert``, ``insight`` and ``review``), job or camera.
        insight_id: Of ``alert`` and ``insight``.
        state: Severity of a new alert, ``vlm_status`` of an insight (``hidden`` when it is no
            longer listed), of a review, status of a job, state of a device's live analysis.
    """

    place: Place
    kind: ChangeKind
    account_id: str
    camera_id: str
    device_id: str
    target_id: str
    insight_id: str | None
    state: str


class Changes:
    """The log of changes of an open database.

    Args:
        kind: Which database.
        reading: Opens a connection for it.
    """

    def __init__(self, kind: Literal["sqlite", "postgresql"], reading: Open) -> None:
        self._kind = kind
        self._reading = reading

    async def now(self) -> Place:
        """The place behind all that is there."""
        last = func.coalesce(func.max(_L.number), 0)
        running = literal(1) if self._kind == "sqlite" else _RUNNING
        async with self._reading() as connection:
            first_running, number = (await connection.execute(select(running, last))).one()
        return Place(first_running - 1, number)

    async def reaches(self, place: Place) -> bool:
        """Whether the log still has all that came behind a place (and the place is of this log)."""
        now = await self.now()
        if place.transaction_id > now.transaction_id or place.number > now.number:
            return False
        async with self._reading() as connection:
            first = await connection.scalar(select(func.min(_L.number)))
        return place.number + 1 >= (first or 0)

    async def after(self, place: Place, *, limit: int = 1000) -> tuple[list[Change], Place]:
        """What changed behind a place, in order, and where to go on.

        Changes of devices that were removed are left out.

        Args:
            place: Behind which.
            limit: At most so many are read.
        """
        query = (
            select(LIVE_CHANGES, DEVICES.c.account_id, DEVICES.c.device_id, DEVICES.c.deleted_ns)
            .outerjoin(DEVICES, DEVICES.c.camera_id == _L.camera_id)
            .where(tuple_(literal(place.transaction_id), literal(place.number)) < _PLACE)
            .order_by(_L.transaction_id, _L.number)
            .limit(limit)
        )
        if self._kind == "postgresql":
            query = query.where(_L.transaction_id < _RUNNING)
        async with self._reading() as connection:
            rows = (await connection.execute(query)).mappings().all()
        if not rows:
            return [], place
        changes = [
            Change(
                place=Place(row["transaction_id"], row["number"]),
                kind=row["kind"],
                account_id=row["account_id"],
                camera_id=row["camera_id"],
                device_id=row["device_id"],
                target_id=row["target_id"],
                insight_id=row["insight_id"],
                state=row["state"],
            )
            for row in rows
            if row["device_id"] is not None and row["deleted_ns"] is None
        ]
        return changes, Place(rows[-1]["transaction_id"], rows[-1]["number"])
