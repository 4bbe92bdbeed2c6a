"""A data directory opened for work: database, blobs and the access token of its service."""

from __future__ import annotations

import os
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from video_detective.config import Camera
from video_detective.errors import MissingError, StorageError
from video_detective.rules import Scene
from video_detective.storage.blobs import BlobStore
from video_detective.storage.database import Database

DEFAULT_TIMEZONE = "Asia/Taipei"


class Places:
    """Scenes and time zones of cameras; one that is not known here has the default zone.

    Args:
        scenes: By camera id.
    """

    def __init__(self, scenes: Mapping[str, Scene]) -> None:
        self.scenes = scenes
        self._zones = {key: ZoneInfo(scene.timezone) for key, scene in scenes.items()}

    def scene(self, camera_id: str) -> Scene:
        """What is known of a camera's zones and tripwires."""
        return self.scenes.get(camera_id) or Scene(camera_id=camera_id, timezone=DEFAULT_TIMEZONE)

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

    async def places(self) -> Places:
        """The known cameras' scenes and time zones."""
        rows = await self.database.cameras()
        return Places(
            {
                row.camera_id: Camera.model_validate(row.document).scene(row.camera_id)
                for row in rows
            }
        )

    def access_token(self) -> str:
        """The secret that opens this directory's service; made at first use, for its owner only.

        Raises:
            StorageError: the file cannot be written or read.
        """
        path = self.data_dir / "access-token"
        try:
            if not path.exists():
                descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(descriptor, "w") as file:
                    file.write(secrets.token_urlsafe(32))
            return path.read_text().strip()
        except FileExistsError:
            return path.read_text().strip()
        except OSError as cause:
            raise StorageError(
                f"The access token '{path}' cannot be used ({cause.strerror})",
                remedy="Make the data directory writable for this user.",
            ) from cause


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
    """
    if not create and url is None and not data_dir.exists():
        raise MissingError(
            f"There is no data directory '{data_dir}'",
            remedy="Name the one of your analyses with --data-dir, or analyse a video first.",
        )
    database = await Database.open(data_dir, url)
    try:
        yield Workspace(data_dir=data_dir, database=database, blobs=BlobStore(data_dir / "blobs"))
    finally:
        await database.close()
