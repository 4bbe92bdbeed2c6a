"""``Database.devices``: devices and scenes, read and changed within somebody's reach."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, Literal

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from video_detective.storage.accounts.audit import AuditEntry, append
from video_detective.storage.devices import keeping, reading, scenes
from video_detective.storage.devices.base import (
    DeviceChange,
    DeviceInfo,
    DevicePage,
    DeviceRow,
    ScenePage,
    SceneRow,
    SceneVersion,
    VersionPage,
)
from video_detective.storage.dialects import upsert_into
from video_detective.storage.reach import Reach
from video_detective.storage.service_tables import ANALYSIS_JOBS, DEVICES, SCENES
from video_detective.storage.tables import CAMERAS, META
from video_detective.storage.work.jobs import cancel_jobs

Kind = Literal["sqlite", "postgresql"]
Connect = Callable[[], AbstractAsyncContextManager[AsyncConnection]]


class Devices:
    """Devices and scenes of an open database.

    Whatever is not in reach (another account's, another camera's, removed) is as if it were not
    there. A reach of None is the command line's, which reaches everything that is not removed.

    Args:
        kind: Which database.
        reading, writing: Open a connection; the second one commits at the end of its block.
    """

    def __init__(self, kind: Kind, reading: Connect, writing: Connect) -> None:
        self._kind: Kind = kind
        self._reading = reading
        self._writing = writing

    async def stamp(self) -> str:
        """Another value after every change of cameras, devices and scenes, by any process."""
        async with self._reading() as connection:
            found = await connection.scalar(select(META.c.value).where(META.c.key == keeping.STAMP))
        return found or ""

    # --- devices

    async def infos(self) -> dict[str, DeviceInfo]:
        """Every device that is not removed, by camera id and in order of it."""
        async with self._reading() as connection:
            return await reading.infos(connection)

    async def devices(
        self,
        reach: Reach | None,
        *,
        limit: int = 100,
        offset: int = 0,
        cursor: str | None = None,
    ) -> DevicePage:
        """One page of devices, in order of creation.

        Args:
            reach: Whose.
            limit: At most so many.
            offset: After so many of the first.
            cursor: ``next_cursor`` of the page before; then ``offset`` is not read.
        """
        seen = reading.seen(reach)
        query = reading.devices().where(*seen).order_by(DEVICES.c.device_id).limit(limit + 1)
        query = (
            query.offset(offset) if cursor is None else query.where(DEVICES.c.device_id > cursor)
        )
        async with self._reading() as connection:
            found = (await connection.execute(query)).mappings().all()
            total = await connection.scalar(select(func.count()).select_from(DEVICES).where(*seen))
        rows = [reading.device_of(row) for row in found[:limit]]
        return DevicePage(
            devices=rows,
            total=total or 0,
            next_cursor=rows[-1].device_id if len(found) > limit else None,
        )

    async def device(self, reach: Reach | None, device_id: str) -> DeviceRow | None:
        """One device; None when there is none in reach."""
        async with self._reading() as connection:
            return await reading.one_device(connection, reach, DEVICES.c.device_id == device_id)

    async def of_camera(self, reach: Reach | None, camera_id: str) -> DeviceRow | None:
        """The device of a camera id; None when there is none in reach."""
        async with self._reading() as connection:
            return await reading.one_device(connection, reach, DEVICES.c.camera_id == camera_id)

    async def newest_picture(self, camera_id: str) -> tuple[str, int] | None:
        """SHA-256 and time of a JPEG of the camera's latest event; None when there is none.

        Of events that show a covered or turned camera only where there are no others.
        """
        async with self._reading() as connection:
            return await reading.newest_picture(connection, camera_id)

    async def create(self, device: DeviceRow, entry: AuditEntry | None) -> None:
        """Make a device and the camera it is. Its scene is made apart from it.

        Raises:
            ConflictError: its camera id is in use.
        """
        async with self._writing() as connection:
            await connection.execute(
                DEVICES.insert().values(
                    {
                        **keeping.device_values(
                            device.account_id, device.camera_id, device.created_ns
                        ),
                        "device_id": device.device_id,
                        "plan": device.plan,
                        "tags": list(device.tags),
                        "source": device.source,
                        "wanted": device.wanted,
                    }
                )
            )
            await connection.execute(
                upsert_into(CAMERAS, self._kind),
                {
                    "camera_id": device.camera_id,
                    "name": device.name,
                    "timezone": device.timezone,
                    "document": keeping.empty_camera(device.name, device.aliases, device.timezone),
                },
            )
            await self._changed(connection, device.created_ns, entry)

    async def change(
        self,
        reach: Reach | None,
        device_id: str,
        change: DeviceChange,
        *,
        now_ns: int,
        entry: AuditEntry | None,
    ) -> DeviceRow:
        """Change some of a device.

        Returns:
            The device as it is now.

        Raises:
            MissingError: there is none in reach.
        """
        async with self._writing() as connection:
            found = await reading.locked(connection, reach, device_id)
            values: dict[str, Any] = {"updated_ns": now_ns}
            if change.plan is not None:
                values["plan"] = change.plan
            if change.tags is not None:
                values["tags"] = list(change.tags)
            if change.source is not None:
                values["source"] = change.source
            await connection.execute(
                update(DEVICES).where(DEVICES.c.device_id == device_id).values(values)
            )
            name = found.name if change.name is None else change.name
            aliases = found.aliases if change.aliases is None else change.aliases
            timezone = found.timezone if change.timezone is None else change.timezone
            if (name, aliases, timezone) != (found.name, found.aliases, found.timezone):
                document = await connection.scalar(
                    select(CAMERAS.c.document).where(CAMERAS.c.camera_id == found.camera_id)
                )
                named = keeping.empty_camera(name, aliases, timezone)
                kept = keeping.scene_part(document or named)
                of_device = {key: named[key] for key in keeping.OF_DEVICE}
                await connection.execute(
                    upsert_into(CAMERAS, self._kind),
                    {
                        "camera_id": found.camera_id,
                        "name": name,
                        "timezone": timezone,
                        "document": {**kept, **of_device},
                    },
                )
            await self._changed(connection, now_ns, entry)
            changed = await reading.one_device(connection, reach, DEVICES.c.device_id == device_id)
        return changed or found

    async def remove(
        self, reach: Reach | None, device_id: str, *, now_ns: int, entry: AuditEntry | None
    ) -> None:
        """Hide a device and all it has, end its live analysis and jobs, and forget its address.

        Raises:
            MissingError: there is none in reach.
        """
        async with self._writing() as connection:
            device = await reading.locked(connection, reach, device_id)
            await connection.execute(
                update(DEVICES)
                .where(DEVICES.c.device_id == device_id)
                .values(deleted_ns=now_ns, updated_ns=now_ns, wanted=False, source="")
            )
            theirs = ANALYSIS_JOBS.c.camera_id == device.camera_id
            await cancel_jobs(connection, theirs, now_ns=now_ns)
            await self._changed(connection, now_ns, entry)

    # --- scenes

    async def scenes(
        self,
        reach: Reach | None,
        *,
        device_id: str | None = None,
        limit: int = 100,
        offset: int = 0,
        cursor: str | None = None,
    ) -> ScenePage:
        """One page of scenes (of a device), in order of creation; see ``devices``."""
        async with self._reading() as connection:
            return await scenes.page(connection, reach, device_id, limit, offset, cursor)

    async def scene(self, reach: Reach | None, scene_id: str) -> SceneRow | None:
        """One scene at its version in force; None when there is none in reach."""
        async with self._reading() as connection:
            return await scenes.one(connection, reach, SCENES.c.scene_id == scene_id)

    async def scene_of_camera(self, reach: Reach | None, camera_id: str) -> SceneRow | None:
        """The scene of a camera id; None when there is none in reach."""
        async with self._reading() as connection:
            return await scenes.one(connection, reach, SCENES.c.camera_id == camera_id)

    async def versions(
        self,
        reach: Reach | None,
        scene_id: str,
        *,
        limit: int = 100,
        offset: int = 0,
        before: int | None = None,
    ) -> VersionPage:
        """One page of a scene's versions, newest first; empty when there is none in reach.

        With ``before`` it begins below that version, and ``offset`` is not read.
        """
        async with self._reading() as connection:
            return await scenes.versions(connection, reach, scene_id, limit, offset, before)

    async def version(
        self, reach: Reach | None, scene_id: str, version: int
    ) -> SceneVersion | None:
        """One version of a scene; None when there is none in reach."""
        async with self._reading() as connection:
            return await scenes.version(connection, reach, scene_id, version)

    async def create_scene(
        self,
        reach: Reach | None,
        device_id: str,
        *,
        name: str,
        document: dict[str, Any],
        author: str,
        note: str = "",
        now_ns: int,
        entry: Callable[[str], AuditEntry | None],
    ) -> SceneRow:
        """Give a device a scene. After a removed one it goes on from that one's versions.

        Args:
            reach: Whose device.
            device_id: Which device.
            name: What people call the scene.
            document: A validated ``config.SceneDocument``, plain JSON.
            author: Who makes it.
            note: Why, in their words.
            now_ns: When.
            entry: Gives the audit entry of the scene's id.

        Raises:
            MissingError: there is no such device in reach.
            ConflictError: it has a scene.
        """
        async with self._writing() as connection:
            device = await reading.locked(connection, reach, device_id)
            made = await scenes.create(
                connection, self._kind, device, name, document, author, note, now_ns
            )
            await self._changed(connection, now_ns, entry(made.scene_id))
            return made

    async def change_scene(
        self,
        reach: Reach | None,
        scene_id: str,
        *,
        name: str | None = None,
        document: dict[str, Any] | None = None,
        base_version: int | None = None,
        author: str,
        note: str = "",
        now_ns: int,
        entry: AuditEntry | None,
    ) -> SceneRow:
        """Rename a scene or give it a new document, which is a new version where it differs.

        Args:
            reach: Whose scene.
            scene_id: Which.
            name: As in ``create_scene``; None leaves it.
            document: Likewise.
            base_version: The version that the change was made from; None for any.
            author: Who makes it.
            note: Why, in their words.
            now_ns: When.
            entry: For the audit log.

        Raises:
            MissingError: there is none in reach.
            ConflictError: ``base_version`` is no longer the version in force.
        """
        async with self._writing() as connection:
            device = await reading.device_of_scene(connection, reach, scene_id)
            changed = await scenes.change(
                connection,
                self._kind,
                device,
                scene_id,
                name,
                document,
                base_version,
                author,
                note,
                now_ns,
            )
            await self._changed(connection, now_ns, entry)
            return changed

    async def remove_scene(
        self,
        reach: Reach | None,
        scene_id: str,
        *,
        author: str,
        now_ns: int,
        entry: AuditEntry | None,
    ) -> None:
        """Take a device's scene away: from now on nothing is watched for.

        Raises:
            MissingError: there is none in reach.
        """
        async with self._writing() as connection:
            device = await reading.device_of_scene(connection, reach, scene_id)
            await scenes.remove(connection, self._kind, device, scene_id, author, now_ns)
            await self._changed(connection, now_ns, entry)

    async def _changed(
        self, connection: AsyncConnection, now_ns: int, entry: AuditEntry | None
    ) -> None:
        await keeping.touch(connection, self._kind, now_ns)
        if entry is not None:
            await append(connection, self._kind, entry)
