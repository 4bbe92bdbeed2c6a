"""A data directory opened for work: database, blobs, models, and who comes in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from zoneinfo import ZoneInfo

from video_detective.config import Camera
from video_detective.config.settings import Settings, load_settings
from video_detective.errors import MissingError
from video_detective.rules import Scene
from video_detective.services.identity import Identity
from video_detective.services.models import Models
from video_detective.storage import CameraRow
from video_detective.storage.blobs import BlobStore
from video_detective.storage.database import Database
from video_detective.storage.devices import DeviceInfo
from video_detective.storage.reach import Reach

DEFAULT_TIMEZONE = "Asia/Taipei"
_MOST_KNOWN = 200
"""So many callers' places are kept ready."""


class Places:
    """Scenes and time zones of cameras; one that is not known here has the default zone.

    Args:
        scenes: By camera id.
        names: What people call each camera, by id.
        aliases: What else they call it, by id.
        devices: Which device each camera id is, whose, and with which scene; also those of
            cameras of which nothing is known but events.
    """

    def __init__(
        self,
        scenes: Mapping[str, Scene],
        names: Mapping[str, str],
        aliases: Mapping[str, tuple[str, ...]],
        devices: Mapping[str, DeviceInfo],
    ) -> None:
        self.scenes = scenes
        self.names = names
        self.aliases = aliases
        self.devices = devices
        self._by_device = {info.device_id: info for info in devices.values()}
        self._zones = {key: ZoneInfo(scene.timezone) for key, scene in scenes.items()}

    def scene(self, camera_id: str) -> Scene:
        """What is known of a camera's zones and tripwires."""
        return self.scenes.get(camera_id) or Scene(camera_id=camera_id, timezone=DEFAULT_TIMEZONE)

    @classmethod
    def of(cls, rows: Sequence[CameraRow], devices: Mapping[str, DeviceInfo]) -> Places:
        """The places of stored cameras and devices."""
        cameras = {row.camera_id: Camera.model_validate(row.document) for row in rows}
        return cls(
            scenes={key: camera.scene(key) for key, camera in cameras.items()},
            names={row.camera_id: row.name or row.camera_id for row in rows},
            aliases={key: camera.aliases for key, camera in cameras.items()},
            devices=devices,
        )

    def name(self, camera_id: str) -> str:
        """What people call a camera; its id when it is not known here."""
        return self.names.get(camera_id, camera_id)

    def device(self, camera_id: str) -> DeviceInfo | None:
        """The device of a camera id; None when it is not known here."""
        return self.devices.get(camera_id)

    def device_by_id(self, device_id: str) -> DeviceInfo | None:
        """A device by its own id; None when it is not known here."""
        return self._by_device.get(device_id)

    def zone(self, camera_id: str = "") -> ZoneInfo:
        """A camera's time zone; for no camera, the first one's."""
        first = next(iter(self._zones.values()), ZoneInfo(DEFAULT_TIMEZONE))
        return self._zones.get(camera_id, first)


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """What every use case works on."""

    data_dir: Path
    database: Database
    blobs: BlobStore
    models: Models = field(default_factory=lambda: Models(Settings()))
    reach: Reach | None = None
    database_url: str | None = field(default=None, repr=False)
    identity: Identity = field(default_factory=Identity, repr=False)
    _known: dict[Reach | None, tuple[str, Places]] = field(default_factory=dict, repr=False)

    def within(self, reach: Reach | None) -> Workspace:
        """The same data directory as somebody sees it; None: everything, as the command line."""
        return replace(self, reach=reach)

    async def cameras(self) -> frozenset[str] | None:
        """Ids of the cameras that can be seen; None: every one, known here or not."""
        return await self.database.cameras_in(self.reach)

    async def sees(self, camera_id: str) -> bool:
        """Whether a camera can be seen."""
        cameras = await self.cameras()
        return cameras is None or camera_id in cameras

    @property
    def settings(self) -> Settings:
        """What the data directory's owner set."""
        return self.models.settings

    async def places(self) -> Places:
        """The known cameras' scenes and time zones, and their devices."""
        # Nearly every request asks: nothing but the stamp is read while nothing has changed. It is
        # read first, so that what changes in between is read again next time.
        stamp = await self.database.devices.stamp()
        known = self._known.get(self.reach)
        if known is None or known[0] != stamp:
            cameras = await self.cameras()
            rows = await self.database.cameras()
            devices = await self.database.devices.infos()
            if cameras is not None:
                rows = [row for row in rows if row.camera_id in cameras]
                devices = {key: info for key, info in devices.items() if key in cameras}
            while len(self._known) >= _MOST_KNOWN:
                self._known.pop(next(iter(self._known)))
            known = self._known[self.reach] = (stamp, Places.of(rows, devices))
        return known[1]

    async def secret(self, name: str) -> bytes:
        """A secret of this installation, kept in the database; made at first use.

        Args:
            name: What for.
        """
        return await self.identity.secret(self.database, name)


@asynccontextmanager
async def open_workspace(
    data_dir: Path, url: str | None = None, *, create: bool = True
) -> AsyncIterator[Workspace]:
    """Open a data directory.

    Args:
        data_dir: The folder.
        url: Of a database elsewhere; evidence lies in the folder all the same.
        create: Make it where it is not there.

    Raises:
        MissingError: it is not there, and is not to be made.
        StorageError: it cannot be used: read-only, full, of a newer version.
        InvalidRulesError: its settings file is wrong.
    """
    if not create and url is None and not data_dir.exists():
        raise MissingError(
            f"There is no data directory '{data_dir}'",
            remedy="Name the one of your analyses with --data-dir, or analyse a video first.",
        )
    models = Models(load_settings(data_dir), data_dir)
    database = await Database.open(data_dir, url)
    try:
        yield Workspace(
            data_dir=data_dir,
            database=database,
            blobs=BlobStore(data_dir / "blobs"),
            models=models,
            database_url=url,
        )
    finally:
        try:
            await models.close()
        finally:
            await database.close()
