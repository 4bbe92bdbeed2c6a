"""Scenes and their versions. Functions take a connection; changes want the device's row locked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from sqlalchemy import ColumnElement, RowMapping, Select, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from video_detective.config.base import SceneDocument
from video_detective.errors import ConflictError, MissingError, no_such
from video_detective.storage.devices import keeping
from video_detective.storage.devices.base import (
    DeviceRow,
    ScenePage,
    SceneRow,
    SceneVersion,
    VersionPage,
)
from video_detective.storage.dialects import upsert_into
from video_detective.storage.reach import Reach, of_row
from video_detective.storage.service_tables import DEVICES, SCENE_VERSIONS, SCENES
from video_detective.storage.tables import CAMERAS

Kind = Literal["sqlite", "postgresql"]


def no_such_scene(scene_id: str) -> MissingError:
    """The error for a scene that is not there or not in reach."""
    return no_such("scene", scene_id, remedy="List the scenes to see their ids")


async def page(
    connection: AsyncConnection,
    reach: Reach | None,
    device_id: str | None,
    limit: int,
    offset: int,
    cursor: str | None,
) -> ScenePage:
    """See ``Devices.scenes``."""
    seen = _seen(reach)
    if device_id is not None:
        seen.append(DEVICES.c.device_id == device_id)
    query = _scenes().where(*seen).order_by(SCENES.c.scene_id).limit(limit + 1)
    query = query.offset(offset) if cursor is None else query.where(SCENES.c.scene_id > cursor)
    found = (await connection.execute(query)).mappings().all()
    total = await connection.scalar(select(func.count()).select_from(_WITH_DEVICE).where(*seen))
    rows = [_scene(row) for row in found[:limit]]
    return ScenePage(
        scenes=rows,
        total=total or 0,
        next_cursor=rows[-1].scene_id if len(found) > limit else None,
    )


async def one(
    connection: AsyncConnection, reach: Reach | None, which: ColumnElement[bool]
) -> SceneRow | None:
    """One scene at its version in force; None when there is none in reach."""
    found = await connection.execute(_scenes().where(*_seen(reach), which))
    row = found.mappings().first()
    return None if row is None else _scene(row)


async def versions(
    connection: AsyncConnection,
    reach: Reach | None,
    scene_id: str,
    limit: int,
    offset: int,
    before: int | None,
) -> VersionPage:
    """See ``Devices.versions``."""
    wanted = [*_seen(reach), SCENES.c.scene_id == scene_id]
    joined = _WITH_DEVICE.join(SCENE_VERSIONS, SCENE_VERSIONS.c.scene_id == SCENES.c.scene_id)
    query = select(SCENE_VERSIONS).select_from(joined).where(*wanted)
    query = query.order_by(SCENE_VERSIONS.c.version.desc()).limit(limit + 1)
    if before is None:
        query = query.offset(offset)
    else:
        query = query.where(SCENE_VERSIONS.c.version < before)
    found = (await connection.execute(query)).mappings().all()
    total = await connection.scalar(select(func.count()).select_from(joined).where(*wanted))
    rows = [_version(row) for row in found[:limit]]
    return VersionPage(
        versions=rows,
        total=total or 0,
        next_cursor=str(rows[-1].version) if len(found) > limit else None,
    )


async def version(
    connection: AsyncConnection, reach: Reach | None, scene_id: str, number: int
) -> SceneVersion | None:
    """One version of a scene; None when there is none in reach."""
    if not 1 <= number < 1 << 31:
        return None
    joined = _WITH_DEVICE.join(SCENE_VERSIONS, SCENE_VERSIONS.c.scene_id == SCENES.c.scene_id)
    query = (
        select(SCENE_VERSIONS)
        .select_from(joined)
        .where(*_seen(reach), SCENES.c.scene_id == scene_id, SCENE_VERSIONS.c.version == number)
    )
    row = (await connection.execute(query)).mappings().first()
    return None if row is None else _version(row)


async def create(
    connection: AsyncConnection,
    kind: Kind,
    device: DeviceRow,
    name: str,
    document: Mapping[str, Any],
    author: str,
    note: str,
    now_ns: int,
) -> SceneRow:
    """See ``Devices.create_scene``."""
    if device.scene_id is not None:
        raise ConflictError(
            f"Device '{device.device_id}' has the scene '{device.scene_id}'",
            remedy="Change that scene: a device has one, in versions",
            reason="device_has_scene",
        )
    scene_id = await keeping.keep_scene(
        connection,
        kind,
        device.camera_id,
        name=name,
        document=document,
        author=author,
        note=note,
        now_ns=now_ns,
    )
    await connection.execute(update(SCENES).where(SCENES.c.scene_id == scene_id).values(name=name))
    await _tell_camera(connection, kind, device, document)
    made = await one(connection, None, SCENES.c.scene_id == scene_id)
    if made is None:
        raise no_such_scene(scene_id)
    return made


async def change(
    connection: AsyncConnection,
    kind: Kind,
    device: DeviceRow,
    scene_id: str,
    name: str | None,
    document: Mapping[str, Any] | None,
    base_version: int | None,
    author: str,
    note: str,
    now_ns: int,
) -> SceneRow:
    """See ``Devices.change_scene``."""
    current = await one(connection, None, SCENES.c.scene_id == scene_id)
    if current is None:
        raise no_such_scene(scene_id)
    if base_version is not None and base_version != current.version:
        raise ConflictError(
            f"Scene '{scene_id}' is at version {current.version}, not {base_version}",
            remedy="Read it again, make your change to that, and send it with its version",
            reason="version_conflict",
            version=current.version,
            base_version=base_version,
        )
    if name is not None and name != current.name:
        await connection.execute(
            update(SCENES).where(SCENES.c.scene_id == scene_id).values(name=name, updated_ns=now_ns)
        )
    if document is not None:
        await keeping.keep_scene(
            connection,
            kind,
            device.camera_id,
            name=current.name,
            document=document,
            author=author,
            note=note,
            now_ns=now_ns,
        )
        await _tell_camera(connection, kind, device, document)
    changed = await one(connection, None, SCENES.c.scene_id == scene_id)
    return changed or current


async def remove(
    connection: AsyncConnection,
    kind: Kind,
    device: DeviceRow,
    scene_id: str,
    author: str,
    now_ns: int,
) -> None:
    """See ``Devices.remove_scene``."""
    empty = SceneDocument().model_dump(mode="json")
    await keeping.keep_scene(
        connection,
        kind,
        device.camera_id,
        name="",
        document=empty,
        author=author,
        note="",
        now_ns=now_ns,
    )
    await _tell_camera(connection, kind, device, empty)
    await connection.execute(
        update(SCENES)
        .where(SCENES.c.scene_id == scene_id)
        .values(deleted_ns=now_ns, updated_ns=now_ns)
    )


async def _tell_camera(
    connection: AsyncConnection, kind: Kind, device: DeviceRow, document: Mapping[str, Any]
) -> None:
    """The camera's document, which everything that analyses reads, has this scene now."""
    named = keeping.empty_camera(device.name, device.aliases, device.timezone)
    await connection.execute(
        upsert_into(CAMERAS, kind),
        {
            "camera_id": device.camera_id,
            "name": device.name,
            "timezone": device.timezone,
            "document": {**named, **document},
        },
    )


_WITH_DEVICE = SCENES.join(DEVICES, DEVICES.c.camera_id == SCENES.c.camera_id)


def _scenes() -> Select[Any]:
    now = _WITH_DEVICE.join(
        SCENE_VERSIONS,
        (SCENE_VERSIONS.c.scene_id == SCENES.c.scene_id)
        & (SCENE_VERSIONS.c.version == SCENES.c.version),
    )
    version = (SCENE_VERSIONS.c.document, SCENE_VERSIONS.c.author, SCENE_VERSIONS.c.note)
    return select(SCENES, DEVICES.c.device_id, *version).select_from(now)


def _seen(reach: Reach | None) -> list[ColumnElement[bool]]:
    there: list[ColumnElement[bool]] = [
        SCENES.c.deleted_ns.is_(None),
        DEVICES.c.deleted_ns.is_(None),
    ]
    return there if reach is None else [*there, of_row(reach, DEVICES), of_row(reach, SCENES)]


def _scene(row: RowMapping) -> SceneRow:
    return SceneRow(
        scene_id=row["scene_id"],
        device_id=row["device_id"],
        camera_id=row["camera_id"],
        name=row["name"],
        version=row["version"],
        document=row["document"],
        created_ns=row["created_ns"],
        updated_ns=row["updated_ns"],
        author=row["author"],
        note=row["note"],
    )


def _version(row: RowMapping) -> SceneVersion:
    return SceneVersion(
        scene_id=row["scene_id"],
        version=row["version"],
        document=row["document"],
        created_ns=row["created_ns"],
        author=row["author"],
        note=row["note"],
    )
