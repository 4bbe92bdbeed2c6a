"""Video files: any container and codec that FFmpeg decodes, damaged ones included."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from video_detective.geometry import Luma
from video_detective.media.base import Frame, Loss, Position, SourceInfo
from video_detective.media.decoding import LossBook
from video_detective.media.reading import Picture, Recording
from video_detective.media.start import start_in_metadata, start_in_name, zone_of

WHOLE_FILE_BYTES = 64 << 20
"""Up to this size the fingerprint is of every byte; above, of ``_SAMPLE_BYTES`` in three places."""
_SAMPLE_BYTES = 4 << 20


def luma_crc(luma: Luma) -> int:
    """``zlib.crc32`` of a luma plane as contiguous bytes: the picture check of ``Position``."""
    return zlib.crc32(np.ascontiguousarray(luma).data)


class VideoFile:
    """A video file as a ``Source``.

    Args:
        path: The file.
        timezone: IANA zone of the camera, for dates in file names.
        start_ns: UTC ns of the first frame, when the caller knows better than the file.

    Raises:
        MissingError: there is no such file.
        UnsupportedSourceError: empty, unreadable, or not a video.
        DecodeError: a video of which not one frame can be decoded.
        UsageError: no such time zone.
    """

    def __init__(self, path: Path, *, timezone: str, start_ns: int | None = None) -> None:
        self._losses = LossBook()
        self._recording = recording = Recording(path)
        start_from = "option"
        if start_ns is None:
            start_ns, start_from = _start(recording, timezone)
        self._info = SourceInfo(
            name=path.name,
            width=recording.size[0],
            height=recording.size[1],
            codec=recording.codec,
            duration_ns=recording.duration_ns,
            frame_count=recording.frame_count,
            start_ns=start_ns,
            start_from=start_from,
            fingerprint=fingerprint(path),
        )

    @property
    def info(self) -> SourceInfo:
        """What is known before decoding."""
        return self._info

    @property
    def losses(self) -> tuple[Loss, ...]:
        """What the latest ``frames()`` lost so far, one entry per reason."""
        return self._losses.entries()

    def frames(self, *, after: Position | None = None) -> Iterator[Frame]:
        """Every decodable frame in presentation order; see ``Source.frames``."""
        self._losses.clear()
        if after is not None:
            rest = self._sought(after)
            if rest is not None:
                yield from self._numbered(rest, first_index=after.index + 1)
                return
            self._losses.clear()
        for frame in self._numbered(self._recording.pictures(self._losses), first_index=0):
            if after is None or frame.index > after.index:
                yield frame

    def _sought(self, after: Position) -> Iterator[Picture] | None:
        """The pictures behind a position by seeking, or None when the seek cannot be trusted."""
        if not self._recording.is_seekable:
            return None
        pictures = self._recording.pictures(self._losses, from_ns=after.pts_ns)
        for picture in pictures:
            if picture.pts_ns >= after.pts_ns:
                if picture.pts_ns == after.pts_ns and luma_crc(picture.luma) == after.luma_crc:
                    self._losses.clear()  # met before the position, hence already reported
                    return pictures
                break
        return None

    def _numbered(self, pictures: Iterator[Picture], *, first_index: int) -> Iterator[Frame]:
        for index, picture in enumerate(pictures, start=first_index):
            yield Frame(
                index=index,
                pts_ns=picture.pts_ns,
                time_ns=self._info.start_ns + picture.pts_ns,
                luma=picture.luma,
                to_bgr=picture.to_bgr,
            )


def fingerprint(path: Path) -> str:
    """Names a file's content: ``sha256:<hex>``, or ``sha256-sampled:<hex>`` above 64 MiB.

    The sampled one covers the size and 4 MiB at the head, in the middle and at the tail, where
    recorders write the index: reading terabytes to tell archives apart would take hours.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        if size <= WHOLE_FILE_BYTES:
            return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
        digest = hashlib.sha256(str(size).encode())
        for offset in (0, (size - _SAMPLE_BYTES) // 2, size - _SAMPLE_BYTES):
            file.seek(offset)
            digest.update(file.read(_SAMPLE_BYTES))
        return f"sha256-sampled:{digest.hexdigest()}"


def _start(recording: Recording, timezone: str) -> tuple[int, str]:
    """UTC ns of the first frame and where it is from: container, then file name, then file date."""
    zone = zone_of(timezone)
    created_ns = start_in_metadata(recording.metadata, zone)
    if created_ns is not None:
        return created_ns, "container"
    named_ns = start_in_name(recording.path.stem, zone)
    if named_ns is not None:
        return named_ns, "file_name"
    return recording.path.stat().st_mtime_ns - (recording.duration_ns or 0), "file_time"
