"""What every user of FFmpeg here shares: opening without side effects, pictures, time.

FFmpeg is given a Python file object and an empty list of protocols, so that a playlist or a
crafted container cannot make it open anything but the one file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from io import BufferedReader
from typing import cast

import av
import av.error
import cv2
import numpy as np
from av.buffer import Buffer
from av.container import InputContainer
from av.sidedata.sidedata import Type as SideDataType
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from video_detective.errors import UnsupportedSourceError
from video_detective.geometry import NS_PER_S, Image, Luma
from video_detective.media.base import Loss

MAX_SIDE = 16_384
MAX_PIXELS = 100_000_000
CODEC_OPTIONS = {"max_pixels": str(MAX_PIXELS), "threads": "1"}
"""FFmpeg itself refuses to allocate larger pictures, whatever the container's header said."""
NO_PROTOCOLS = {"protocol_whitelist": "none"}

DISCONTINUITY_NS = NS_PER_S
"""Timestamps that step back further than this start over; a smaller step is a late frame."""
LEAP_NS = 10 * NS_PER_S
"""A lone timestamp that leaps further ahead than this, and the next one is back, is damaged."""
LARGEST_GAP_NS = 24 * 3600 * NS_PER_S
"""Timestamps that leap further than this for good are broken, not a pause in the recording."""
MAX_READ_ERRORS = 64
"""Consecutive read errors after which the rest of a container is given up."""

_EIGHT_BIT_LUMA = frozenset({
    "yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p", "yuv411p", "yuvj411p",
    "yuv410p", "yuv440p", "yuvj440p", "yuva420p", "yuva422p", "yuva444p", "nv12", "nv21", "nv16",
    "nv24", "gray",
})  # fmt: skip
_QUARTER_TURNS: dict[int, int] = {
    1: cv2.ROTATE_90_COUNTERCLOCKWISE,
    2: cv2.ROTATE_180,
    3: cv2.ROTATE_90_CLOCKWISE,
}


def open_container(file: BufferedReader) -> InputContainer:
    """Open a container from an open file, allowed to read nothing else.

    Raises:
        av.error.FFmpegError: no demuxer takes it, or its header is unreadable.
    """
    return av.open(
        file, mode="r", options=NO_PROTOCOLS | CODEC_OPTIONS, metadata_errors="replace",
        buffer_size=1 << 18,
    )  # fmt: skip


def video_stream(container: InputContainer) -> VideoStream | None:
    """The first decodable video stream that is no cover picture, set to one thread; or None.

    One thread, because a stream has a process of its own, and because output then never depends on
    the machine.

    Raises:
        UnsupportedSourceError: absurd picture size.
    """
    for stream in container.streams.video:
        # PyAV leaves codec_context None where FFmpeg has no decoder; the stubs do not say so.
        if getattr(stream, "codec_context", None) is None:
            continue
        if stream.disposition & Disposition.attached_pic:
            continue
        require_sane_size(stream.width, stream.height)
        stream.codec_context.thread_count = 1
        stream.codec_context.thread_type = "NONE"
        stream.codec_context.options = dict(CODEC_OPTIONS)
        return stream
    return None


def require_sane_size(width: int, height: int) -> None:
    """Refuse pictures beyond ``MAX_SIDE`` or ``MAX_PIXELS``.

    Raises:
        UnsupportedSourceError: they are.
    """
    if width > MAX_SIDE or height > MAX_SIDE or width * height > MAX_PIXELS:
        raise UnsupportedSourceError(
            f"pictures of {width}x{height} pixels are beyond the limit",
            remedy=f"At most {MAX_SIDE} pixels a side and {MAX_PIXELS // 1_000_000} megapixels: "
            "scale the video down first.",
        )


class LossBook:
    """What was lost, one entry per reason with a running count (damage comes in thousands)."""

    def __init__(self) -> None:
        self._entries: dict[str, Loss] = {}

    def add(self, reason: str, *, pts_ns: int | None, detail: str, count: int = 1) -> None:
        """Count a loss; ``pts_ns`` and ``detail`` of the first one of a reason are kept.

        ``{count}`` in ``detail`` is replaced by the running count.
        """
        earlier = self._entries.get(reason)
        total = count + (earlier.count if earlier else 0)
        self._entries[reason] = Loss(
            reason=reason,
            pts_ns=earlier.pts_ns if earlier else pts_ns,
            count=total,
            detail=detail.format(count=total),
        )

    def entries(self) -> tuple[Loss, ...]:
        """Everything lost, in the order in which the reasons were first met."""
        return tuple(self._entries.values())

    def clear(self) -> None:
        """Forget everything."""
        self._entries.clear()


class Timeline:
    """Places frames in time: strictly increasing ns since the first frame of the source.

    Missing timestamps are derived from the frame rate, late and repeated ones are dropped, and
    where timestamps start over (joined recordings) or leap by days, the frame follows the one
    before by one frame period.

    Args:
        frame_ns: Nominal frame period, > 0.
        losses: Told of every frame dropped or moved.
        origin_ns: The first frame's own timestamp in ns, when known before it is placed.
    """

    def __init__(self, *, frame_ns: int, losses: LossBook, origin_ns: int | None = None) -> None:
        self._frame_ns = frame_ns
        self._losses = losses
        self._origin_ns = origin_ns
        self._last_ns: int | None = None

    def place(self, stamp_ns: int | None, ahead_ns: int | None = None) -> int | None:
        """Time of the next frame.

        Args:
            stamp_ns: The frame's own timestamp in ns of the container's clock, or None.
            ahead_ns: That of the frame behind it, when known: it unmasks a lone damaged timestamp.

        Returns:
            ns since the first frame, or None when the frame comes too late and is to be dropped.
        """
        following = 0 if self._last_ns is None else self._last_ns + self._frame_ns
        if stamp_ns is None:
            self._last_ns = following
            return following
        if self._origin_ns is None:
            self._origin_ns = stamp_ns - following
        placed = stamp_ns - self._origin_ns
        if self._last_ns is not None:
            step = placed - self._last_ns
            if step <= 0 or step > LEAP_NS:
                placed_or_late = self._doubtful(stamp_ns, step, following, ahead_ns)
                if placed_or_late is None:
                    return None
                placed = placed_or_late
        self._last_ns = placed
        return placed

    def _doubtful(
        self, stamp_ns: int, step: int, following: int, ahead_ns: int | None
    ) -> int | None:
        """Time of a frame whose timestamp steps back or leaps; None for one that comes late."""
        far = step <= -DISCONTINUITY_NS or step > LEAP_NS
        if far and ahead_ns is not None and 0 < ahead_ns - stamp_ns + step <= LEAP_NS:
            placed: int | None = following  # alone: the next frame goes on where we are
        elif step <= -DISCONTINUITY_NS or step > LARGEST_GAP_NS:
            self._origin_ns = stamp_ns - following
            placed = following
        elif step > 0:
            return following - self._frame_ns + step  # a pause in the recording
        else:
            placed = None
        self._losses.add(
            "out_of_order", pts_ns=following,
            detail="{count} frame(s) late, repeated or with a timestamp out of line",
        )  # fmt: skip
        return placed


class Pictures:
    """Turns decoded frames into upright luma planes and BGR pictures of one size.

    The first frame fixes the size; later ones of another size are scaled to it.

    Args:
        losses: Told of frames that had to be scaled.
    """

    def __init__(self, losses: LossBook, *, size: tuple[int, int] | None = None) -> None:
        self._losses = losses
        self._size = size
        self._reformatter = VideoReformatter()
        self._matrices: dict[float, tuple[int, bool]] = {}

    def convert(self, frame: VideoFrame, *, pts_ns: int) -> tuple[Luma, Callable[[], Image]]:
        """Make one frame's luma plane, and a function that makes its BGR picture.

        Returns:
            Luma, (H, W) uint8, read-only, a view of the decoder's buffer where the format allows
            (it keeps the frame alive); and the maker of the (H, W, 3) uint8 BGR picture.
        """
        matrix = self._matrix(frame)
        if frame.format.name in _EIGHT_BIT_LUMA:
            luma = upright(_first_plane(frame), matrix)
        elif frame.format.is_rgb:
            bgr = upright(self._bgr(frame), matrix)
            luma = np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY), np.uint8)
        else:
            eight_bit = self._reformatter.reformat(frame, format="yuv420p", threads=1)
            luma = upright(_first_plane(eight_bit), matrix)
        size = (luma.shape[1], luma.shape[0])
        if self._size is None:
            self._size = size
        wanted = self._size
        if size != wanted:
            self._losses.add(
                "size_changed", pts_ns=pts_ns,
                detail=f"{{count}} frame(s) of another size scaled to {wanted[0]}x{wanted[1]}",
            )  # fmt: skip
            luma = _scaled(luma, wanted)
        luma.flags.writeable = False

        def to_bgr() -> Image:
            return _scaled(upright(self._bgr(frame), matrix), wanted)

        return luma, to_bgr

    def _matrix(self, frame: VideoFrame) -> tuple[int, bool]:
        """The frame's display matrix, read once for each rotation that occurs.

        PyAV 18's ``frame.side_data`` ties the frame into a reference cycle, and hundreds of decoded
        frames then wait in memory for the garbage collector; ``rotation`` does not.
        """
        rotation = float(frame.rotation)
        if rotation not in self._matrices:
            self._matrices[rotation] = display_matrix(frame)
        return self._matrices[rotation]

    def _bgr(self, frame: VideoFrame) -> Image:
        picture = self._reformatter.reformat(frame, format="bgr24", threads=1)
        rows = np.frombuffer(memoryview(picture.planes[0]), np.uint8).reshape(picture.height, -1)
        pixels = rows[:, : picture.width * 3].reshape(picture.height, picture.width, 3)
        return np.ascontiguousarray(pixels)


def _first_plane(frame: VideoFrame) -> Luma:
    plane = frame.planes[0]
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, -1)
    if plane.line_size < 0:  # stored bottom-up: the buffer begins with the last line
        rows = rows[::-1]
    return rows[:, : plane.width]


def _scaled(picture: Luma, size: tuple[int, int]) -> Luma:
    if (picture.shape[1], picture.shape[0]) == size:
        return picture
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR), np.uint8)


def display_matrix(frame: VideoFrame) -> tuple[int, bool]:
    """How to turn a frame upright.

    Returns:
        Quarter turns counter-clockwise (0..3), to be applied after the flip; and whether to
        mirror left-right first. Other angles count as the nearest quarter.

    Source: ISO/IEC 14496-12, 8.3.2.3; libavutil/display.h.
    """
    # The stubs call it a TypedDict; it is a mapping of every type of side data.
    side_data = cast("Mapping[SideDataType, Buffer]", frame.side_data)
    if SideDataType.DISPLAYMATRIX not in side_data:
        return 0, False
    data = np.frombuffer(memoryview(side_data[SideDataType.DISPLAYMATRIX]), np.int32)[:9]
    a, b, c, d = (int(v) for v in (data[0], data[1], data[3], data[4]))
    mirrored = a * d - b * c < 0
    if mirrored:
        a, b = -a, -b
    if abs(a) >= abs(b):
        return (0 if a > 0 else 2), mirrored
    return (3 if b > 0 else 1), mirrored


def upright(picture: Image, matrix: tuple[int, bool]) -> Image:
    """A picture turned by ``display_matrix``; the same array when there is nothing to do."""
    turns, mirrored = matrix
    if mirrored:
        picture = np.asarray(cv2.flip(picture, 1), np.uint8)
    if turns:
        picture = np.asarray(cv2.rotate(picture, _QUARTER_TURNS[turns]), np.uint8)
    return picture


def stamp_ns(frame: VideoFrame, stream: VideoStream) -> int | None:
    """A frame's own timestamp in ns of the container's clock, to the nearest; None without one.

    AVI has no presentation timestamps, and those that FFmpeg makes up are in decoding order; after
    the decoder's reordering the decoding timestamp is the presentation time.
    """
    base = frame.time_base or stream.time_base
    ticks = frame.dts if stream.container.format.name == "avi" else frame.pts
    if ticks is None or base is None:
        return None
    return ticks_to_ns(ticks, base)


def ticks_to_ns(ticks: int, base: Fraction) -> int:
    """Ticks of a time base in ns, to the nearest."""
    return (2 * ticks * base.numerator * NS_PER_S + base.denominator) // (2 * base.denominator)


def frame_period_ns(stream: VideoStream) -> int:
    """Nominal frame period in ns; 40 ms (25 fps) where the container tells nothing sensible."""
    rate = stream.guessed_rate or stream.average_rate
    if not rate or not Fraction(1, 3600) <= rate <= 1000:
        return NS_PER_S // 25
    return round(NS_PER_S / rate)


def decoded_frames(
    container: InputContainer, stream: VideoStream, losses: LossBook
) -> Iterator[VideoFrame]:
    """Every frame FFmpeg can make of the rest of a stream, going on past damage.

    Args:
        container: Where ``stream`` belongs.
        stream: From ``video_stream``.
        losses: Told of packets that cannot be decoded, damaged pictures, and a broken end.
    """
    read_errors = 0
    last_ns: int | None = None
    damage = "{count} packet(s) or picture(s) damaged"
    while True:
        try:
            for packet in container.demux(stream):
                read_errors = 0
                try:
                    frames = packet.decode()
                except av.error.EOFError:
                    frames = []
                except av.error.FFmpegError:
                    losses.add("damaged_packets", pts_ns=last_ns, detail=damage)
                    continue
                for frame in frames:
                    last_ns = stamp_ns(frame, stream)
                    if frame.is_corrupt:
                        losses.add("damaged_packets", pts_ns=last_ns, detail=damage)
                    yield frame
            return
        except av.error.FFmpegError as error:
            # PyAV ends its generator with the error; FFmpeg itself can often read on behind it.
            read_errors += 1
            losses.add("damaged_packets", pts_ns=last_ns, detail=damage)
            if read_errors >= MAX_READ_ERRORS:
                losses.add(
                    "truncated", pts_ns=last_ns,
                    detail=f"unreadable from here on ({error.strerror})",
                )  # fmt: skip
                yield from _flushed(stream)
                return


def _flushed(stream: VideoStream) -> list[VideoFrame]:
    try:
        return stream.decode(None)
    except av.error.FFmpegError:
        return []
