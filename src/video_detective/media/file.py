"""Video files: any container and codec that FFmpeg decodes, damaged ones included."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from zoneinfo import ZoneInfo

import av.error
import numpy as np
from av.container import InputContainer
from av.video.stream import VideoStream

from video_detective.errors import DecodeError, MissingError, UnsupportedSourceError
from video_detective.geometry import NS_PER_S, Luma
from video_detective.media import start
from video_detective.media.base import Frame, Loss, Position, SourceInfo
from video_detective.media.decoding import (
    LossBook,
    Pictures,
    Timeline,
    decoded_frames,
    frame_period_ns,
    open_container,
    stamp_ns,
    ticks_to_ns,
    video_stream,
)

WHOLE_FILE_BYTES = 64 << 20
"""Up to this size the fingerprint is of every byte; above, of ``_SAMPLE_BYTES`` in three places."""
_SAMPLE_BYTES = 4 << 20
_SEEK_MARGIN_NS = NS_PER_S
"""A seek goes at least this far before its target, so that the decoder's reordering has settled."""
_SHORTFALL_NS = NS_PER_S
"""A file that ends this long before its declared duration was cut off."""

_CONTAINER_MAGIC: tuple[tuple[int, bytes, str], ...] = (
    (4, b"ftyp", "MP4"), (4, b"mdat", "MP4"), (4, b"moov", "MP4"), (4, b"wide", "MP4"),
    (8, b"AVI ", "AVI"), (0, b"\x1a\x45\xdf\xa3", "Matroska"), (0, b"FLV", "FLV"),
    (0, b"GIF8", "GIF"), (0, b"\x30\x26\xb2\x75", "ASF"), (0, b"\x00\x00\x01\xba", "MPEG"),
)  # fmt: skip
"""Offset, bytes, name: what a file with no readable header was meant to be."""


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
    """

    def __init__(self, path: Path, *, timezone: str, start_ns: int | None = None) -> None:
        self._path = path
        self._losses = LossBook()
        zone = start.zone_of(timezone)
        _require_regular_file(path)
        with ExitStack() as stack:
            container, stream = self._open(stack)
            self._indexed = len(stream.index_entries) > 0
            duration_ns = _declared_duration_ns(container, stream)
            first = next(decoded_frames(container, stream, LossBook()), None)
            if first is None:
                raise _undecodable(path, "no frame can be decoded")
            luma, _ = Pictures(LossBook()).convert(first, pts_ns=0)
            self._size = (luma.shape[1], luma.shape[0])
            self._origin_ns = stamp_ns(first, stream)
            start_from = "option"
            if start_ns is None:
                start_ns, start_from = _start(path, container, zone, duration_ns)
            self._info = SourceInfo(
                name=path.name,
                width=self._size[0],
                height=self._size[1],
                codec=stream.codec_context.name,
                duration_ns=duration_ns,
                frame_count=stream.frames or None,
                start_ns=start_ns,
                start_from=start_from,
                fingerprint=fingerprint(path),
            )
        self._declared_ns = duration_ns

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
        if after is None:
            yield from self._decode()
            return
        with ExitStack() as stack:
            rest = self._sought(stack, after) if self._indexed else None
            if rest is not None:
                yield from rest
                return
        self._losses.clear()
        for frame in self._decode():
            if frame.index > after.index:
                yield frame

    def _decode(self) -> Iterator[Frame]:
        with ExitStack() as stack:
            container, stream = self._open(stack)
            yield from self._placed(container, stream, first_index=0)

    def _sought(self, stack: ExitStack, after: Position) -> Iterator[Frame] | None:
        """The frames behind a position by seeking, or None when the seek cannot be trusted."""
        container, stream = self._open(stack)
        base = stream.time_base
        if base is None or self._origin_ns is None:
            return None
        target_ns = self._origin_ns + after.pts_ns - _SEEK_MARGIN_NS
        try:
            container.seek(
                max(target_ns, self._origin_ns) * base.denominator // (base.numerator * NS_PER_S),
                stream=stream,
            )
        except av.error.FFmpegError:
            return None
        # Numbers are relative to the frame looked for until it is found.
        frames = self._placed(container, stream, first_index=0)
        for frame in frames:
            if frame.pts_ns < after.pts_ns:
                continue
            if frame.pts_ns != after.pts_ns or luma_crc(frame.luma) != after.luma_crc:
                return None
            self._losses.clear()  # met before the position, hence already reported
            return _renumbered(frames, first_index=after.index + 1)
        return None

    def _placed(
        self, container: InputContainer, stream: VideoStream, *, first_index: int
    ) -> Iterator[Frame]:
        pictures = Pictures(self._losses, size=self._size)
        frame_ns = frame_period_ns(stream)
        timeline = Timeline(frame_ns=frame_ns, losses=self._losses, origin_ns=self._origin_ns)
        index, end_ns = first_index, 0
        for decoded in decoded_frames(container, stream, self._losses):
            pts_ns = timeline.place(stamp_ns(decoded, stream))
            if pts_ns is None:
                continue
            luma, to_bgr = pictures.convert(decoded, pts_ns=pts_ns)
            yield Frame(
                index=index, pts_ns=pts_ns, time_ns=self._info.start_ns + pts_ns,
                luma=luma, to_bgr=to_bgr,
            )  # fmt: skip
            index, end_ns = index + 1, pts_ns + frame_ns
        missing_ns = (self._declared_ns or 0) - end_ns
        if missing_ns > _SHORTFALL_NS + frame_ns:
            self._losses.add(
                "truncated", pts_ns=end_ns, count=round(missing_ns / NS_PER_S),
                detail="the last {count} seconds that the file declares are not there",
            )  # fmt: skip

    def _open(self, stack: ExitStack) -> tuple[InputContainer, VideoStream]:
        try:
            file = stack.enter_context(self._path.open("rb"))
        except OSError as error:
            raise UnsupportedSourceError(
                f"{self._path.name!r} cannot be read ({error.strerror})",
                remedy="Check the file's permissions.",
            ) from error
        try:
            container = stack.enter_context(open_container(file))
        except (av.error.FFmpegError, UnicodeDecodeError) as error:
            raise _unopenable(self._path, error) from error
        name = container.format.name
        if name == "tty" or name == "image2" or name.endswith("_pipe"):
            raise UnsupportedSourceError(
                f"{self._path.name!r} is a text or a single picture, not a video",
                remedy="Give a video file, or a folder of numbered pictures.",
            )
        stream = video_stream(container)
        if stream is None:
            kinds = sorted({stream.type for stream in container.streams})
            raise UnsupportedSourceError(
                f"{self._path.name!r} has no video that can be decoded "
                f"(streams: {', '.join(kinds) or 'none'})",
                remedy="Give a file with a video stream.",
            )
        return container, stream


def _renumbered(frames: Iterator[Frame], *, first_index: int) -> Iterator[Frame]:
    for index, frame in enumerate(frames, start=first_index):
        frame.index = index
        yield frame


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


def _require_regular_file(path: Path) -> None:
    if not path.exists():
        raise MissingError(f"there is no file {str(path)!r}", remedy="Check the path.")
    if not path.is_file():
        raise UnsupportedSourceError(
            f"{str(path)!r} is not a regular file",
            remedy="Give a video file, a folder of pictures, or a stream's address.",
        )
    if path.stat().st_size == 0:
        raise UnsupportedSourceError(
            f"{path.name!r} is empty", remedy="Check that the copy or recording was completed."
        )


def _unopenable(path: Path, error: Exception) -> DecodeError | UnsupportedSourceError:
    with path.open("rb") as file:
        head = file.read(16)
    for offset, magic, kind in _CONTAINER_MAGIC:
        if head[offset : offset + len(magic)] == magic:
            return _undecodable(path, f"its {kind} header or index is damaged or missing")
    return UnsupportedSourceError(
        f"{path.name!r} is not a video that can be read",
        remedy="Give a video file (MP4, AVI, MKV, MOV, TS, FLV, GIF ...); playlists are not read.",
        cause=str(error),
    )


def _undecodable(path: Path, why: str) -> DecodeError:
    return DecodeError(
        f"{path.name!r} cannot be decoded: {why}",
        remedy="Copy it from the recorder again; a recording that was never finished can be "
        "rebuilt with the recorder's own repair tool.",
    )


def _declared_duration_ns(container: InputContainer, stream: VideoStream) -> int | None:
    if stream.duration is not None and stream.duration > 0 and stream.time_base is not None:
        return ticks_to_ns(stream.duration, stream.time_base)
    if container.duration is not None and container.duration > 0:
        return container.duration * 1000  # AV_TIME_BASE is microseconds
    return None


def _start(
    path: Path, container: InputContainer, zone: ZoneInfo, duration_ns: int | None
) -> tuple[int, str]:
    """UTC ns of the first frame and where it is from: container, then file name, then file date."""
    created_ns = start.start_in_metadata(container.metadata, zone)
    if created_ns is not None:
        return created_ns, "container"
    named_ns = start.start_in_name(path.stem, zone)
    if named_ns is not None:
        return named_ns, "file_name"
    return path.stat().st_mtime_ns - (duration_ns or 0), "file_time"
