"""Whose rows may be read or written: the one place where the account filter is written."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Table, and_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from video_detective.storage.service_tables import DEVICES
from video_detective.storage.tables import EVENTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What a caller can reach.

    Args:
        account_id: The caller's account.
        cameras: Camera ids to which the caller is limited; None: all of the account.
    """

    account_id: str
    cameras: frozenset[str] | None = None


def of_camera(reach: Reach | None, column: ColumnElement[str]) -> ColumnElement[bool] | None:
    """The condition that a camera id is in reach; None where everything is (the command line).

    Removed devices are in nobody's reach.

    Args:
        reach: Whose.
        column: A column of camera ids.
    """
    if reach is None:
        return None
    theirs = select(DEVICES.c.camera_id).where(
        DEVICES.c.account_id == reach.account_id, DEVICES.c.deleted_ns.is_(None)
    )
    if reach.cameras is not None:
        theirs = theirs.where(DEVICES.c.camera_id.in_(sorted(reach.cameras)))
    return column.in_(theirs)


async def reaches_event(
    connection: AsyncConnection, reach: Reach | None, event_id: str, *, lock: bool = False
) -> bool:
    """Whether an event is in reach. It takes as long for a foreign one as for none.

    With ``lock`` nobody else changes or deletes it until the end of the transaction.
    """
    query = select(EVENTS.c.event_id).where(EVENTS.c.event_id == event_id)
    camera = of_camera(reach, EVENTS.c.camera_id)
    if camera is not None:
        query = query.where(camera)
    if lock:
        query = query.with_for_update(of=EVENTS, key_share=True)
    return await connection.scalar(query) is not None


def of_row(reach: Reach, table: Table) -> ColumnElement[bool]:
    """The condition that a row with ``account_id`` (and, where it has one, ``camera_id``) is in
    reach.
    """  # noqa: D205 - one sentence
    own = table.c.account_id == reach.account_id
    if "camera_id" not in table.c:
        return own
    camera = of_camera(reach, table.c.camera_id)
    return own if camera is None else and_(own, camera)
