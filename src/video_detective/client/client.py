"""The client: every route, and what takes several of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from video_detective.client.base import UNSET, Unset
from video_detective.client.models import Job
from video_detective.client.operations import Operations

PIECE_BYTES = 8 << 20


class Client(Operations):
    """A connection to a service; one method for each route, named like its operation.

    Lists come as a ``Page`` (``list_…``) or item by item (``each_…``).
    """

    def upload_file(
        self,
        path: Path,
        device_id: str,
        *,
        start_time: str | Unset | None = UNSET,
        piece_bytes: int = PIECE_BYTES,
    ) -> Job:
        """Announce a video file, send it piece by piece, and return its job.

        Args:
            path: The file.
            device_id: Whose footage it is.
            start_time: Wall-clock time of its first frame.
            piece_bytes: Size of a piece.
        """
        job = self.announce_file(
            device_id=device_id,
            file_name=path.name,
            size_bytes=path.stat().st_size,
            start_time=start_time,
        )
        with path.open("rb") as file:
            for offset, piece in _pieces(file, piece_bytes):
                job = self.send_file(job.id, piece, upload_offset=offset)
        return job


def _pieces(file: BinaryIO, size: int) -> Iterator[tuple[int, bytes]]:
    while True:
        offset = file.tell()
        piece = file.read(size)
        if not piece:
            return
        yield offset, piece
