"""One recorded video on disk, opened and read from any place on: for analysis and for evidence."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import av.error
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from video_detective.errors import DecodeError, MissingError, UnsupportedSourceError
from video_detective.geometry import NS_PER_S, Image, Luma
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A decoded picture: ``pts_ns`` since the recording's first frame, luma, and its BGR maker."""

    pts_ns: int
    luma: Luma
    to_bgr: Callable[[], Image]


class Recording:
    """A video file that holds at least one decodable frame.

    Attributes:
        path: The file.
        size: Upright (width, height) of the first frame; all pictures are given in it.
        codec: FFmpeg's name.
        duration_ns: As the container declares it, or None.
        frame_count: As the container declares it, or None.
        metadata: The container's tags.

    Raises:
        MissingError: there is no such file.
        UnsupportedSourceError: empty, unreadable, or not a video.
        DecodeError: a video of which not one frame can be decoded.
    """

    def __init__(self, path: Path) -> None:
        _require_regular_file(path)
        self.path = path
        with ExitStack() as stack:
            container, stream = self._open(stack)
            entries = len(stream.index_entries)
            # A cut-off AVI has lost the index at its end, and FFmpeg's makeshift one is too short.
            self._seekable = entries > 0 and not (
                container.format.name == "avi" and entries < stream.frames
            )
            first = next(decoded_frames(container, stream, LossBook()), None)
            if first is None:
                raise _undecodable(path, "no frame can be decoded")
            luma, _ = Pictures(LossBook()).convert(first, pts_ns=0)
            self.size = (luma.shape[1], luma.shape[0])
            self._origin_ns = stamp_ns(first, stream)
            self.codec = stream.codec_context.name
            self.duration_ns = _declared_duration_ns(container, stream)
            self.frame_count = stream.frames or None
            self.metadata = dict(container.metadata)

    @property
    def is_seekable(self) -> bool:
        """Whether the container has an index to seek by, and timestamps to check a seek with."""
        return self._seekable and self._origin_ns is not None

    def pictures(self, losses: LossBook, *, from_ns: int | None = None) -> Iterator[Picture]:
        """Every decodable picture in presentation order, times strictly increasing.

        Args:
            losses: Told what could not be used.
            from_ns: Begin at a key frame before this time, where the recording can seek;
                otherwise, and when the seek fails, at the beginning.
        """
        with ExitStack() as stack:
            container, stream = self._open(stack)
            if (
                from_ns is not None
                and self.is_seekable
                and not self._seek(container, stream, from_ns)
            ):
                container, stream = self._open(stack)
            yield from self._placed(container, stream, losses)

    def _seek(self, container: InputContainer, stream: VideoStream, target_ns: int) -> bool:
        base = stream.time_base
        if base is None or self._origin_ns is None:
            return False
        stamp = self._origin_ns + max(target_ns - _SEEK_MARGIN_NS, 0)
        try:
            container.seek(stamp * base.denominator // (base.numerator * NS_PER_S), stream=stream)
        except av.error.FFmpegError:
            return False
        return True

    def _placed(
        self, container: InputContainer, stream: VideoStream, losses: LossBook
    ) -> Iterator[Picture]:
        pictures = Pictures(losses, size=self.size)
        frame_ns = frame_period_ns(stream)
        timeline = Timeline(frame_ns=frame_ns, losses=losses, origin_ns=self._origin_ns)
        end_ns = 0
        for decoded, ahead in _with_next(decoded_frames(container, stream, losses)):
            ahead_ns = stamp_ns(ahead, stream) if ahead is not None else None
            pts_ns = timeline.place(stamp_ns(decoded, stream), ahead_ns)
            if pts_ns is None:
                continue
            luma, to_bgr = pictures.convert(decoded, pts_ns=pts_ns)
            yield Picture(pts_ns=pts_ns, luma=luma, to_bgr=to_bgr)
            end_ns = pts_ns + frame_ns
        missing_ns = (self.duration_ns or 0) - end_ns
        if missing_ns > _SHORTFALL_NS + frame_ns:
            losses.add(
                "truncated", pts_ns=end_ns, count=round(missing_ns / NS_PER_S),
                detail="the last {count} second(s) that the file declares are not there",
            )  # fmt: skip

    def _open(self, stack: ExitStack) -> tuple[InputContainer, VideoStream]:
        try:
            file = stack.enter_context(self.path.open("rb"))
        except OSError as error:
            raise UnsupportedSourceError(
                f"{self.path.name!r} cannot be read ({error.strerror})",
                remedy="Check the file's permissions.",
            ) from error
        try:
            container = stack.enter_context(open_container(file))
        except av.error.FFmpegError as error:
            raise _unopenable(self.path) from error
        name = container.format.name
        if name == "tty" or name == "image2" or name.endswith("_pipe"):
            raise UnsupportedSourceError(
                f"{self.path.name!r} is a text or a single picture, not a video",
                remedy="Give a video file, or a folder of numbered pictures.",
            )
        stream = video_stream(container)
        if stream is None:
            kinds = sorted({stream.type for stream in container.streams})
            raise UnsupportedSourceError(
                f"{self.path.name!r} has no video that can be decoded "
                f"(streams: {', '.join(kinds) or 'none'})",
                remedy="Give a file with a video stream.",
            )
        return container, stream


def _with_next(frames: Iterator[VideoFrame]) -> Iterator[tuple[VideoFrame, VideoFrame | None]]:
    current = next(frames, None)
    while current is not None:
        ahead = next(frames, None)
        yield current, ahead
        current = ahead


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


def _unopenable(path: Path) -> DecodeError | UnsupportedSourceError:
    with path.open("rb") as file:
        head = file.read(16)
    for offset, magic, kind in _CONTAINER_MAGIC:
        if head[offset : offset + len(magic)] == magic:
            return _undecodable(path, f"its {kind} header or index is damaged or missing")
    return UnsupportedSourceError(
        f"{path.name!r} is not a video that can be read",
        remedy="Give a video file (MP4, AVI, MKV, MOV, TS, FLV, GIF ...); playlists are not read.",
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
