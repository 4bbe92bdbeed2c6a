"""Questions about devices. Functions take an open connection and change nothing."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, RowMapping, Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from video_detective.errors import no_such
from video_detective.storage.devices import scenes
from video_detective.storage.devices.base import DeviceInfo, DeviceRow
from video_detective.storage.reach import Reach, of_row
from video_detective.storage.service_tables import DEVICES, SCENES
from video_detective.storage.tables import CAMERAS, EVENTS, EVIDENCE

WITH_SCENE = DEVICES.outerjoin(
    SCENES, (SCENES.c.camera_id == DEVICES.c.camera_id) & SCENES.c.deleted_ns.is_(None)
)
_SCENE = (
    SCENES.c.scene_id.label("scene_id"),
    SCENES.c.name.label("scene_name"),
    SCENES.c.version.label("scene_version"),
)


def devices() -> Select[Any]:
    """Whole devices, for ``device_of``."""
    joined = WITH_SCENE.outerjoin(CAMERAS, CAMERAS.c.camera_id == DEVICES.c.camera_id)
    camera = (CAMERAS.c.name.label("name"), CAMERAS.c.timezone, CAMERAS.c.document)
    return select(DEVICES, *_SCENE, *camera).select_from(joined)


def seen(reach: Reach | None) -> list[ColumnElement[bool]]:
    """The conditions that a device is there for somebody."""
    there = DEVICES.c.deleted_ns.is_(None)
    return [there] if reach is None else [there, of_row(reach, DEVICES)]


def device_of(row: RowMapping) -> DeviceRow:
    """The device of a row."""
    document = row["document"] or {}
    return DeviceRow(
        device_id=row["device_id"],
        account_id=row["account_id"],
        camera_id=row["camera_id"],
        name=row["name"] or row["camera_id"],
        aliases=tuple(document.get("aliases") or ()),
        timezone=row["timezone"] or "Asia/Taipei",
        plan=row["plan"],
        tags=tuple(row["tags"]),
        source=row["source"],
        wanted=row["wanted"],
        created_ns=row["created_ns"],
        updated_ns=row["updated_ns"],
        scene_id=row["scene_id"],
        scene_version=row["scene_version"] or 0,
    )


async def one_device(
    connection: AsyncConnection, reach: Reach | None, which: ColumnElement[bool]
) -> DeviceRow | None:
    """The device that meets a condition; None when there is none in reach."""
    found = await connection.execute(devices().where(*seen(reach), which))
    row = found.mappings().first()
    return None if row is None else device_of(row)


async def locked(connection: AsyncConnection, reach: Reach | None, device_id: str) -> DeviceRow:
    """The device, which nobody else changes until the end of this transaction.

    Raises:
        MissingError: there is none in reach.
    """
    lock = select(DEVICES.c.device_id).where(*seen(reach), DEVICES.c.device_id == device_id)
    await connection.execute(lock.with_for_update())
    device = await one_device(connection, reach, DEVICES.c.device_id == device_id)
    if device is None:
        raise no_such("device", device_id, remedy="List the devices to see their ids")
    return device


async def device_of_scene(
    connection: AsyncConnection, reach: Reach | None, scene_id: str
) -> DeviceRow:
    """The locked device of a scene.

    Raises:
        MissingError: there is no such scene in reach.
    """
    device_id = await connection.scalar(
        select(DEVICES.c.device_id)
        .select_from(WITH_SCENE)
        .where(*seen(reach), SCENES.c.scene_id == scene_id)
    )
    if device_id is None:
        raise scenes.no_such_scene(scene_id)
    return await locked(connection, reach, str(device_id))


async def infos(connection: AsyncConnection) -> dict[str, DeviceInfo]:
    """Every device that is not removed, by camera id and in order of it."""
    query = (
        select(DEVICES, *_SCENE)
        .select_from(WITH_SCENE)
        .where(DEVICES.c.deleted_ns.is_(None))
        .order_by(DEVICES.c.camera_id)
    )
    return {
        row["camera_id"]: DeviceInfo(
            device_id=row["device_id"],
            account_id=row["account_id"],
            camera_id=row["camera_id"],
            plan=row["plan"],
            scene_id=row["scene_id"],
            scene_name=row["scene_name"] or "",
            scene_version=row["scene_version"] or 0,
        )
        for row in (await connection.execute(query)).mappings()
    }


async def newest_picture(connection: AsyncConnection, camera_id: str) -> tuple[str, int] | None:
    """SHA-256 and time of the picture without drawings in the evidence of the latest event.

    Of events that show a covered or turned camera only where there are no others.
    """
    query = (
        select(EVIDENCE.c.sha256, EVIDENCE.c.time_ns)
        .join(EVENTS, EVENTS.c.event_id == EVIDENCE.c.event_id)
        .where(EVENTS.c.camera_id == camera_id, EVIDENCE.c.kind == "original")
        .order_by(EVENTS.c.start_ns.desc(), EVIDENCE.c.time_ns.desc())
        .limit(1)
    )
    for choice in (query.where(EVENTS.c.type != "camera_tampered"), query):
        row = (await connection.execute(choice)).first()
        if row is not None:
            return row.sha256, row.time_ns
    return None
