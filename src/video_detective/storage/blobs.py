"""Pictures and clips, named by the SHA-256 of their content."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Iterable
from functools import partial
from io import BufferedReader
from pathlib import Path

from video_detective.errors import MissingError
from video_detective.storage.failures import disk_error

_SHA256 = re.compile(r"[0-9a-f]{64}")
_BYTE = re.compile(r"[0-9a-f]{2}")
_SUFFIX = re.compile(r"\.[a-z0-9]{1,8}")
_CHUNK = 1 << 20


class BlobStore:
    """A folder of immutable files ``ab/cdef….jpg`` (first byte, then the rest of the digest).

    A file appears under its name complete and on the disk, or not at all; storing the same content
    again only makes it young again, so that nobody removes what is about to be referred to. Every
    method blocks on the disk: call it in a thread from async code.

    Args:
        root: The folder; it is made when something is first stored.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, data: bytes, suffix: str) -> str:
        """Store bytes.

        Args:
            data: The content.
            suffix: File type with its dot: ``.jpg``.

        Returns:
            The SHA-256, 64 lower-case hex digits.

        Raises:
            MissingError: the suffix is none.
            StorageError: the disk is full or cannot be written.
        """
        sha256 = hashlib.sha256(data).hexdigest()
        try:
            if not _renewed(self.path(sha256, suffix), len(data)):
                self._store([data], suffix)
        except OSError as error:
            raise disk_error(str(self._root), error) from error
        return sha256

    def put_file(self, source: Path, suffix: str) -> str:
        """Store a copy of a file (a clip); as ``put``."""
        try:
            with source.open("rb") as content:
                return self._store(iter(partial(content.read, _CHUNK), b""), suffix)
        except OSError as error:
            raise disk_error(str(self._root), error) from error

    def path(self, sha256: str, suffix: str) -> Path:
        """Where a blob is or would be; always inside the root.

        Raises:
            MissingError: no blob can have this name (malformed digest or suffix).
        """
        if not _SHA256.fullmatch(sha256) or not _SUFFIX.fullmatch(suffix):
            raise _missing(sha256, suffix)
        return self._root / sha256[:2] / f"{sha256[2:]}{suffix}"

    def open(self, sha256: str, suffix: str) -> BufferedReader:
        """The blob for reading; the caller closes it.

        Raises:
            MissingError: there is none of this name.
            StorageError: it cannot be read.
        """
        path = self.path(sha256, suffix)
        try:
            return path.open("rb")
        except FileNotFoundError as error:
            raise _missing(sha256, suffix) from error
        except OSError as error:
            raise disk_error(str(self._root), error) from error

    def verify(self, sha256: str, suffix: str) -> bool:
        """Whether the blob's content still is what its name says; raises as ``open``."""
        with self.open(sha256, suffix) as content:
            return hashlib.file_digest(content, "sha256").hexdigest() == sha256

    def folders(self) -> list[str]:
        """Names of the folders that files lie in, in order: the first bytes of their digests."""
        if not self._root.is_dir():
            return []
        return sorted(path.name for path in self._root.iterdir() if _BYTE.fullmatch(path.name))

    def files(self, folder: str) -> dict[str, list[Path]]:
        """The files of one of ``folders``, by SHA-256."""
        found: dict[str, list[Path]] = {}
        try:
            for path in (self._root / folder).iterdir():
                sha256 = folder + path.name.partition(".")[0]
                if _SHA256.fullmatch(sha256) and _SUFFIX.fullmatch(path.suffix):
                    found.setdefault(sha256, []).append(path)
        except OSError as error:
            raise disk_error(str(self._root), error) from error
        return found

    def remove(self, path: Path, *, before_ns: int) -> int:
        """Remove one of ``files``, unless it was stored again since ``before_ns``.

        Returns:
            Its bytes; 0 when it stays, or was gone.

        Raises:
            StorageError: the disk does not let it go.
        """
        # Out of the way first: whoever stores it now finds nothing, and writes it anew.
        aside = path.with_name(f".gone-{path.name}")
        try:
            path.replace(aside)
            found = aside.stat()
            if found.st_mtime_ns >= before_ns:
                aside.replace(path)
                return 0
            aside.unlink()
        except FileNotFoundError:
            return 0
        except OSError as error:
            raise disk_error(str(self._root), error) from error
        return found.st_size

    def mend(self, *, before_ns: int) -> None:
        """Remove what a killed ``put`` left half done before a moment, undo a killed ``remove``."""
        try:
            for draft in self._root.glob(".new-*"):
                if draft.stat().st_mtime_ns < before_ns:
                    draft.unlink()
            for aside in self._root.glob("??/.gone-*"):
                aside.replace(aside.with_name(aside.name.removeprefix(".gone-")))
        except FileNotFoundError:
            return  # another is at it
        except OSError as error:
            raise disk_error(str(self._root), error) from error

    def _store(self, chunks: Iterable[bytes], suffix: str) -> str:
        """Write a new file beside the others, digest it on the way, then give it its name."""
        self._root.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=".new-", dir=self._root)
        temporary = Path(name)
        try:
            digest = hashlib.sha256()
            with os.fdopen(descriptor, "wb") as stream:
                for chunk in chunks:
                    digest.update(chunk)
                    stream.write(chunk)
                size = stream.tell()
                stream.flush()
                os.fsync(stream.fileno())
            target = self.path(digest.hexdigest(), suffix)
            if not _renewed(target, size):
                target.parent.mkdir(exist_ok=True)
                temporary.replace(target)
                _sync_folder(target.parent)
        finally:
            temporary.unlink(missing_ok=True)
        return digest.hexdigest()


def _renewed(path: Path, size: int) -> bool:
    """Whether a file of that length is there; from now on it is young."""
    try:
        if path.stat().st_size != size:
            return False
        os.utime(path)
    except FileNotFoundError:
        return False
    return True


def _sync_folder(folder: Path) -> None:
    """Put the new name on the disk too (Windows cannot, and needs not)."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _missing(sha256: str, suffix: str) -> MissingError:
    return MissingError(
        f"There is no stored file '{sha256[:80]}{suffix[:20]}'",
        remedy="Take the name from an event's evidence",
    )
