"""Files for the user: there whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

from video_detective.errors import StorageError, UsageError


def require_folder(path: Path) -> None:
    """See early that a file can go where the user wants it.

    Raises:
        UsageError: its folder does not exist, or the path is a folder itself.
    """
    if path.is_dir():
        raise UsageError(f"'{path}' is a folder", remedy="Name a file in it.")
    if not path.parent.is_dir():
        raise UsageError(
            f"There is no folder '{path.parent}' for '{path.name}'",
            remedy="Make the folder, or name a file in one that exists.",
        )


def write_whole(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Write a file beside its place and then move it there.

    Args:
        path: The file; one that is there is replaced.
        write: Writes the content; it may seek.

    Raises:
        UsageError: see ``require_folder``.
        StorageError: the disk is full or the folder cannot be written.
    """
    require_folder(path)
    try:
        with tempfile.NamedTemporaryFile(
            dir=path.parent, prefix=f".{path.name[:64]}-", delete=False
        ) as file:
            try:
                write(file)
                file.flush()
                os.fchmod(file.fileno(), 0o666 & ~_umask())
                os.replace(file.name, path)
            except BaseException:
                os.unlink(file.name)
                raise
    except OSError as cause:
        raise StorageError(
            f"'{path}' cannot be written ({cause.strerror})",
            remedy="Name a file in a writable folder with enough room.",
        ) from cause


def _umask() -> int:
    """What this user withholds from others; it can only be read by setting it."""
    umask = os.umask(0o077)
    os.umask(umask)
    return umask
