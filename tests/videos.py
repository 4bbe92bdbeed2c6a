"""Small videos made for tests, whole and damaged."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray


def picture(number: int, width: int = 160, height: int = 120) -> NDArray[np.uint8]:
    """A (H, W, 3) picture of texture and a moving block, another one for each number."""
    rows = np.arange(height, dtype=np.uint16)[:, None]
    columns = np.arange(width, dtype=np.uint16)[None, :]
    grey = ((rows * 3 + columns * 2 + number * 5) % 200 + 20).astype(np.uint8)
    image = np.repeat(grey[:, :, None], 3, axis=2)
    left = (number * 7) % (width - 24)
    image[20:60, left : left + 24] = (40, 200, 250)
    return image


def write_video(
    path: Path,
    *,
    frames: int = 50,
    width: int = 160,
    height: int = 120,
    rate: int = 10,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    keyframe_every: int = 10,
    b_frames: int = 0,
    pts_ms: Sequence[int] | None = None,
    metadata: dict[str, str] | None = None,
    container: str | None = None,
    options: dict[str, str] | None = None,
    rotation: int = 0,
    first: int = 0,
) -> Path:
    """Write ``picture(first)`` … as a video; ``pts_ms`` gives each frame's time (variable rate)."""
    with av.open(path, "w", format=container, options=options or {}) as output:
        stream = output.add_stream(codec, rate=rate)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = width, height, pix_fmt
        stream.codec_context.thread_count = 1
        stream.codec_context.gop_size = keyframe_every
        stream.codec_context.max_b_frames = b_frames
        if pts_ms is not None:
            stream.codec_context.time_base = Fraction(1, 1000)
        if rotation:
            stream.set_display_rotation(rotation)
        output.metadata.update(metadata or {})
        for number in range(frames):
            frame = av.VideoFrame.from_ndarray(picture(first + number, width, height), "bgr24")
            frame = frame.reformat(format=pix_fmt)
            frame.pts = number if pts_ms is None else pts_ms[number]
            frame.time_base = Fraction(1, rate) if pts_ms is None else Fraction(1, 1000)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


def write_sound(path: Path) -> Path:
    """A second of a tone, without video."""
    with av.open(path, "w") as output:
        stream = output.add_stream("aac", rate=48_000)
        for block in range(40):
            wave = np.sin(np.arange(1024, dtype=np.float32) * 0.05)[None, :]
            frame = av.AudioFrame.from_ndarray(wave, format="fltp", layout="mono")
            frame.sample_rate, frame.pts = 48_000, block * 1024
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


def truncated(path: Path, share: float) -> Path:
    """The file cut off behind a share of its bytes, in place."""
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


def with_flipped_bytes(path: Path, *, start: float, count: int, every: int = 97) -> Path:
    """The file with ``count`` bytes inverted from a share of it on, in place."""
    data = bytearray(path.read_bytes())
    for i in range(count):
        data[int(len(data) * start) + i * every] ^= 0xFF
    path.write_bytes(data)
    return path


def patched_matrix(path: Path, matrix: tuple[int, int, int, int]) -> Path:
    """An MP4 whose video track's display matrix is (a, b, c, d), in units of 1, in place."""
    data = bytearray(path.read_bytes())
    identity = struct.pack(">9i", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
    at = data.index(identity, data.index(b"tkhd"))
    a, b, c, d = (value << 16 for value in matrix)
    data[at : at + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(data)
    return path
