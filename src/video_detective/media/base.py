"""Frames: what every source emits and everything downstream reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from video_detective.geometry import Image, Luma


class Frame:
    """One decoded picture with its place in time.

    Args:
        index: 0-based number of the frame in the source, in presentation order, counting every
            decoded frame whether sampled or not.
        pts_ns: Presentation time in ns since the source's first frame.
        time_ns: UTC time in ns: the source's wall-clock start plus ``pts_ns``.
        luma: (H, W) uint8 Y plane, upright (rotation applied), read-only view where possible.
        to_bgr: Makes the (H, W, 3) uint8 BGR picture; called at most once, on first use of ``bgr``.
    """

    __slots__ = ("_bgr", "_to_bgr", "index", "luma", "pts_ns", "time_ns")

    def __init__(
        self, *, index: int, pts_ns: int, time_ns: int, luma: Luma, to_bgr: Callable[[], Image]
    ) -> None:
        self.index = index
        self.pts_ns = pts_ns
        self.time_ns = time_ns
        self.luma = luma
        self._to_bgr: Callable[[], Image] | None = to_bgr
        self._bgr: Image | None = None

    @property
    def bgr(self) -> Image:
        """The picture, (H, W, 3) uint8 BGR; converted on first use: most frames need none."""
        if self._bgr is None:
            assert self._to_bgr is not None  # noqa: S101 - set together, cleared together
            self._bgr = self._to_bgr()
            self._to_bgr = None
        return self._bgr

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return self.luma.shape[1], self.luma.shape[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """A frame already handled: where to go on from.

    ``luma_crc`` (zlib.crc32 of the contiguous luma plane) tells whether a seek led to the same
    picture.
    """

    index: int
    pts_ns: int
    luma_crc: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """Something of the source that could not be used, said plainly.

    Args:
        reason: Stable key: ``damaged_packets``, ``truncated``, ``size_changed``, ``gap``,
            ``out_of_order``, ``reconnected``.
        pts_ns: Where, in ns since the first frame; None when unknown.
        count: How many packets, frames or seconds (see ``detail``).
        detail: One English line for people.
    """

    reason: str
    pts_ns: int | None
    count: int
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceInfo:
    """What is known of a source before it is decoded.

    Args:
        name: File name or address without its secret.
        width, height: Upright size in pixels.
        codec: FFmpeg's name, or ``images``.
        duration_ns: None when the container does not tell (live, damaged).
        frame_count: None when unknown.
        start_ns: UTC ns of the first frame.
        start_from: ``option``, ``container``, ``file_name``, ``file_time`` or ``clock``.
        fingerprint: Names the content: the same file has the same one wherever it lies; for a
            live source, its address without the secret.
        live: Whether the source runs in real time and can come back after a loss.
    """

    name: str
    width: int
    height: int
    codec: str
    duration_ns: int | None
    frame_count: int | None
    start_ns: int
    start_from: str
    fingerprint: str
    live: bool = False


class Source(Protocol):
    """A readable video.

    Implementations: ``file.VideoFile``, ``images.FramesFolder``, ``live.LiveStream``.
    """

    @property
    def info(self) -> SourceInfo:
        """What is known before decoding."""
        ...

    @property
    def losses(self) -> tuple[Loss, ...]:
        """What was lost so far, in the order met."""
        ...

    def frames(self, *, after: Position | None = None) -> Iterator[Frame]:
        """Every decodable frame in presentation order, ``pts_ns`` strictly increasing.

        Args:
            after: Skip to the frame that follows this one; numbering goes on from there. When a
                seek cannot be shown to land on the same picture, decoding starts over and skips.

        Raises:
            DecodeError: not one frame can be decoded.
        """
        ...
