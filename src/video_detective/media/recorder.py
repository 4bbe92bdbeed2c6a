"""A rolling recording of a live stream: its packets as they came, in short files."""

from __future__ import annotations

import contextlib
from itertools import pairwise
from pathlib import Path

import av
import av.error
from av.container import OutputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from video_detective.errors import StorageError
from video_detective.geometry import NS_PER_S
from video_detective.media.clips import Footage, Piece

SEGMENT_NS = 10 * NS_PER_S
"""Length aimed at; a segment begins at a key frame, and is the least that is deleted."""
_SUFFIX = ".mkv"
# Matroska survives a kill: what was flushed is readable, at most a second behind.
_MUXER_OPTIONS = {"cluster_time_limit": "1000", "flush_packets": "1"}


class Recorder:
    """Writes the packets of one live stream to a folder, not encoded again, and forgets old ones.

    A segment's file name is the UTC time of its first frame in ns: the folder is its own index,
    also after a crash.

    Args:
        folder: For this stream alone; made when absent.
        keep_ns: Segments that ended earlier than this before the newest are deleted.
        keep_bytes: The oldest are deleted while all together are larger; the one just finished and
            the one being written always stay.

    Raises:
        StorageError: the folder cannot be made.
    """

    def __init__(self, folder: Path, *, keep_ns: int, keep_bytes: int) -> None:
        self._folder = folder
        self._keep_ns = keep_ns
        self._keep_bytes = keep_bytes
        self._open: tuple[OutputContainer, VideoStream] | None = None
        self._start_ns = 0
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(
                f"folder {str(folder)!r} for recordings cannot be made ({error.strerror})",
                remedy="Check the data directory and its permissions.",
            ) from error

    def write(self, packet: Packet[VideoStream], time_ns: int) -> None:
        """Append a packet; packets before the first key frame are left out.

        Args:
            packet: With a presentation timestamp; its time base is changed, so decode it before.
            time_ns: UTC ns of its picture.

        Raises:
            OSError: the folder cannot be written (av.error.FFmpegError: not this kind of stream).
        """
        due = self._open is None or time_ns - self._start_ns >= SEGMENT_NS
        if packet.is_keyframe and due:
            self.cut()
            self._start_ns = time_ns
            self._forget()
            output = av.open(
                self._folder / f"{time_ns}{_SUFFIX}", "w", format="matroska",
                options=dict(_MUXER_OPTIONS),
            )  # fmt: skip
            self._open = (output, output.add_stream_from_template(packet.stream))
        if self._open is not None:
            output, stream = self._open
            packet.stream = stream
            output.mux_one(packet)

    def cut(self) -> None:
        """Finish the open segment: the stream ended, or its timestamps start over."""
        if self._open is None:
            return
        output, self._open = self._open[0], None
        # On a full disk the index of the segment is lost; what was flushed stays readable.
        with contextlib.suppress(av.error.FFmpegError):
            output.close()

    def footage(self) -> Footage:
        """Everything recorded and not yet forgotten, the segment being written included."""
        return Footage(tuple(
            Piece(path=path, start_ns=int(path.stem)) for path in self._segments()
        ))  # fmt: skip

    def _segments(self) -> list[Path]:
        files = [path for path in self._folder.glob(f"*{_SUFFIX}") if path.stem.isdecimal()]
        return sorted(files, key=lambda path: int(path.stem))

    def _forget(self) -> None:
        """Delete what is too old or too much; a segment ends where the next one begins."""
        segments = self._segments()
        total = sum(path.stat().st_size for path in segments)
        for path, following in pairwise(segments):
            if self._start_ns - int(following.stem) <= self._keep_ns and total <= self._keep_bytes:
                break
            total -= path.stat().st_size
            path.unlink(missing_ok=True)
