"""What keeps devices and scenes in step with cameras, in the transaction of what changes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from video_detective.config.base import Camera, SceneDocument
from video_detective.errors import StorageError
from video_detective.storage.base import CameraRow
from video_detective.storage.clock import CLOCK_MS
from video_detective.storage.dialects import insert_into, upsert_into
from video_detective.storage.ids import new_id
from video_detective.storage.service_tables import ACCOUNTS, DEVICES, SCENE_VERSIONS, SCENES
from video_detective.storage.tables import META

Kind = Literal["sqlite", "postgresql"]

STAMP = "places"
"""Key in ``META``: another value after every change of cameras, devices and scenes."""
OF_DEVICE = ("name", "aliases", "timezone")
"""Keys of a camera's document that are the device's and not the scene's."""
COMMAND_LINE = "command line"

_UNSET: Mapping[str, Any] = SceneDocument().model_dump(mode="json")


async def clock_ns(connection: AsyncConnection, kind: Kind) -> int:
    """The database's clock, UTC."""
    return int(await connection.scalar(select(CLOCK_MS[kind])) or 0) * 1_000_000


async def touch(connection: AsyncConnection, kind: Kind, now_ns: int) -> None:
    """Say that cameras, devices or scenes have changed: what is kept in memory of them is old."""
    # A fresh id rather than a count: a database restored from a backup never repeats one.
    await connection.execute(upsert_into(META, kind), {"key": STAMP, "value": new_id(now_ns)})


def scene_part(document: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a camera's document that its scene keeps."""
    return {key: value for key, value in document.items() if key not in OF_DEVICE}


def is_same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two scene documents say the same; one that lacks a field has its default."""
    return {**_UNSET, **one} == {**_UNSET, **other}


async def know_cameras(connection: AsyncConnection, kind: Kind, camera_ids: Iterable[str]) -> None:
    """Make devices of the default account for camera ids that no account has yet."""
    wanted = sorted(set(camera_ids))
    if not wanted:
        return
    lacking: list[str] = []
    for start in range(0, len(wanted), 500):
        chunk = wanted[start : start + 500]
        found = await connection.scalars(
            select(DEVICES.c.camera_id).where(DEVICES.c.camera_id.in_(chunk))
        )
        known = set(found)
        lacking += [camera_id for camera_id in chunk if camera_id not in known]
    if not lacking:
        return
    now_ns = await clock_ns(connection, kind)
    account_id = await default_account(connection)
    statement = insert_into(DEVICES, kind).on_conflict_do_nothing(index_elements=["camera_id"])
    await connection.execute(
        statement, [device_values(account_id, camera_id, now_ns) for camera_id in lacking]
    )
    await touch(connection, kind, now_ns)


async def default_account(connection: AsyncConnection) -> str:
    """Id of the account to which everything belongs that nobody signed in for.

    Raises:
        StorageError: there is none.
    """
    found = await connection.scalar(
        select(ACCOUNTS.c.account_id).where(ACCOUNTS.c.is_default).limit(1)
    )
    if found is None:
        raise StorageError(
            "The database has no default account",
            remedy="Restore it from a backup: every database is made with one.",
        )
    return str(found)


def device_values(account_id: str, camera_id: str, now_ns: int) -> dict[str, Any]:
    """The row of a new device that nothing more is known of."""
    return {
        "device_id": new_id(now_ns),
        "account_id": account_id,
        "camera_id": camera_id,
        "plan": "LEVEL_01",
        "tags": [],
        "source": "",
        "wanted": False,
        "created_ns": now_ns,
        "updated_ns": now_ns,
        "deleted_ns": None,
    }


async def follow_camera(connection: AsyncConnection, kind: Kind, camera: CameraRow) -> None:
    """A camera was configured: it has a device, and its scene is that of the document.

    A removed device of the default account comes back, as somebody works with it again; one that
    another account removed stays removed.
    """
    await know_cameras(connection, kind, [camera.camera_id])
    now_ns = await clock_ns(connection, kind)
    default = await default_account(connection)
    await connection.execute(
        update(DEVICES)
        .where(
            DEVICES.c.camera_id == camera.camera_id,
            DEVICES.c.account_id == default,
            DEVICES.c.deleted_ns.is_not(None),
        )
        .values(deleted_ns=None, updated_ns=now_ns)
    )
    await keep_scene(
        connection,
        kind,
        camera.camera_id,
        name=camera.name,
        document=scene_part(camera.document),
        author=COMMAND_LINE,
        now_ns=now_ns,
    )
    await touch(connection, kind, now_ns)


async def keep_scene(
    connection: AsyncConnection,
    kind: Kind,
    camera_id: str,
    *,
    name: str,
    document: Mapping[str, Any],
    author: str,
    now_ns: int,
    note: str = "",
) -> str:
    """Give a camera this scene document: its first version, a new one, or none when it is as it
    was. A removed scene comes back.

    Returns:
        The scene's id.
    """  # noqa: D205 - one sentence
    # The device's row stands for its scene, which may not be there yet: two writers on PostgreSQL
    # queue here instead of both making version 1.
    account_id = await connection.scalar(
        select(DEVICES.c.account_id).where(DEVICES.c.camera_id == camera_id).with_for_update()
    )
    found = await connection.execute(select(SCENES).where(SCENES.c.camera_id == camera_id))
    scene = found.mappings().first()
    if scene is None:
        scene_id, version = new_id(now_ns), 1
        await connection.execute(
            SCENES.insert().values(
                scene_id=scene_id,
                account_id=account_id,
                camera_id=camera_id,
                name=name,
                version=version,
                created_ns=now_ns,
                updated_ns=now_ns,
                deleted_ns=None,
            )
        )
    else:
        scene_id = str(scene["scene_id"])
        current = await connection.scalar(
            select(SCENE_VERSIONS.c.document).where(
                SCENE_VERSIONS.c.scene_id == scene_id,
                SCENE_VERSIONS.c.version == scene["version"],
            )
        )
        if is_same(current or {}, document) and scene["deleted_ns"] is None:
            return scene_id
        version = scene["version"] + 1
        await connection.execute(
            update(SCENES)
            .where(SCENES.c.scene_id == scene_id)
            .values(version=version, updated_ns=now_ns, deleted_ns=None)
        )
    await connection.execute(
        SCENE_VERSIONS.insert().values(
            scene_id=scene_id,
            version=version,
            document=dict(document),
            created_ns=now_ns,
            author=author,
            note=note,
        )
    )
    return scene_id


def empty_camera(name: str, aliases: tuple[str, ...], timezone: str) -> dict[str, Any]:
    """The document of a camera of which nothing but its names is known."""
    camera = Camera(name=name, aliases=aliases, timezone=timezone)
    return camera.model_dump(mode="json")
