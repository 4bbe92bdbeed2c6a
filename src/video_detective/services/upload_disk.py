"""The disk that uploads are kept on: what it has room for, and what it refuses."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from video_detective.errors import StorageError


def require_room(folder: Path, size_bytes: int, *, reserved_bytes: int) -> None:
    """Refuse a file for which the disk has no room.

    Args:
        folder: Where uploads are kept; made if it is not there.
        size_bytes: Of the file.
        reserved_bytes: That are to stay free, or belong to files that are still coming.

    Raises:
        StorageError: there is no room, or the folder cannot be used.
    """
    with explained(folder):
        folder.mkdir(mode=0o700, exist_ok=True)
        free = shutil.disk_usage(folder).free - reserved_bytes
    if size_bytes > free:
        raise StorageError(
            f"The disk has room for {max(free, 0)} bytes more, not for {size_bytes}",
            remedy="Free some of the data directory's disk, or send a smaller file.",
            reason="no_room",
            free_bytes=max(free, 0),
            size_bytes=size_bytes,
        )


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Tell what the disk refuses of a file or folder that is used inside the block.

    Raises:
        StorageError: it cannot be written or read.
    """
    try:
        yield
    except OSError as cause:
        raise StorageError(
            f"The upload cannot be kept in '{path.parent}' ({cause.strerror})",
            remedy="Make room on that disk and the folder writable, then send the rest.",
            reason="upload_not_kept",
            folder=str(path.parent),
        ) from cause
