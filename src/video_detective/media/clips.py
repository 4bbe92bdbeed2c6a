"""Evidence cut out of footage again: exact pictures and a short clip that browsers play."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from itertools import zip_longest
from pathlib import Path

import av
import av.error
import cv2
import numpy as np
from av.container import OutputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from video_detective.errors import VideoDetectiveError
from video_detective.geometry import NS_PER_S, Image
from video_detective.media.base import Frame, Position
from video_detective.media.decoding import LossBook
from video_detective.media.images import FramesFolder
from video_detective.media.reading import Recording
from video_detective.media.sampling import Sampler
from video_detective.media.spans import clip_spans

MAX_CLIP_WIDTH = 1280
MAX_CLIP_FPS = 15.0
_JOIN_NS = 10 * NS_PER_S
"""Wanted moments closer than this are decoded through; further apart, a seek is cheaper."""
_TOLERANCE_NS = 20_000_000
"""A stored stream copy rounds times (Matroska to 1 ms), hence the nearest frame within 20 ms."""
_TICKS = 90_000
"""Time base of clips, the customary one of video; divides every usual frame rate."""

# x264's look-ahead reads past pictures whose sides are no multiples of 16, so that with it the
# same pictures gave different bytes (x264 core 165, seen with 270 and 264 lines).
_X264_PARAMS = "rc-lookahead=0:mbtree=0:scenecut=0:bframes=0:weightp=0:keyint=30"
_ENCODERS: tuple[tuple[str, dict[str, str]], ...] = (
    ("libx264", {"preset": "ultrafast", "crf": "24", "x264-params": _X264_PARAMS}),
    ("libopenh264", {"g": "30"}),
    (
        "libvpx-vp9",
        {"crf": "34", "b": "0", "deadline": "realtime", "cpu-used": "8", "g": "30"},
    ),
)
"""In order of preference; all play in an MP4 in Chromium and, but for VP9, everywhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One recorded file of a stretch of time: a whole source, or a segment of a live one.

    Args:
        path: The file, or a whole folder of pictures.
        start_ns: UTC ns of its first frame.
    """

    path: Path
    start_ns: int


@dataclass(frozen=True, slots=True)
class Footage:
    """Recorded pieces of one camera, in order of time."""

    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """A short film of an event.

    Args:
        data: An MP4 file, the same bytes for the same footage and times; its time 0 is the first
            frame.
        spans: What it shows, as (from, to) in UTC ns of first and last frame; two when the event
            was too long and its middle is left out.
        size: (width, height) in pixels.
    """

    data: bytes
    spans: tuple[tuple[int, int], ...]
    size: tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Extract:
    """What ``extract`` found.

    Args:
        pictures: (H, W, 3) BGR by the time asked for; a time without a frame is absent.
        clips: In the order asked for; None where no frame lies in it.
    """

    pictures: dict[int, Image]
    clips: tuple[Clip | None, ...]


def extract(
    footage: Footage, *, frames: Sequence[int] = (), clips: Sequence[tuple[int, int]] = ()
) -> Extract:
    """Cut pictures and clips out of footage, decoding no stretch of it twice.

    Args:
        footage: Where the moments lie; pieces that are gone or damaged are passed over.
        frames: ``time_ns`` of the frames wanted (as ``Frame.time_ns`` gave them), in any order.
        clips: (from, to) of each clip in UTC ns, both inclusive; they may overlap.

    Returns:
        The picture nearest to each time, at most 20 ms away, and the clips: at most 1280 pixels
        wide, 15 frames a second and 60 s long (see ``HEAD_NS``).

    Raises:
        UsageError: a clip ends before it begins.
    """
    parts = [clip_spans(*clip) for clip in clips]
    wanted = sorted(set(frames))
    pictures: dict[int, tuple[int, Image]] = {}
    with ExitStack() as stack:
        writers = [stack.enter_context(_ClipWriter(spans)) for spans in parts]
        together = [span for spans in parts for span in spans]
        for piece, piece_spans in _reading_plan(footage, wanted, together):
            for time_ns, to_bgr in _read(piece, piece_spans):
                near = [t for t in wanted if abs(t - time_ns) <= _TOLERANCE_NS]
                takers = [writer for writer in writers if writer.takes(time_ns)]
                if not near and not takers:
                    continue
                image = to_bgr()
                for t in near:
                    if t not in pictures or abs(t - time_ns) < abs(t - pictures[t][0]):
                        pictures[t] = (time_ns, image)
                scaled = _ScaledOnce(image)
                for writer in takers:
                    writer.add(time_ns, scaled)
        films = tuple(writer.finish() for writer in writers)
    return Extract(pictures={t: pictures[t][1] for t in sorted(pictures)}, clips=films)


def _reading_plan(
    footage: Footage, frames: Sequence[int], spans: Sequence[tuple[int, int]]
) -> Iterator[tuple[Piece, list[tuple[int, int]]]]:
    """Each piece with the stretches to read of it, in order of time."""
    moments = sorted([(t - _TOLERANCE_NS, t + _TOLERANCE_NS) for t in frames] + list(spans))
    merged: list[tuple[int, int]] = []
    for start, end in moments:
        if merged and start - merged[-1][1] <= _JOIN_NS:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    pieces = sorted(footage.pieces, key=lambda piece: piece.start_ns)
    for piece, following in zip_longest(pieces, pieces[1:]):
        until = following.start_ns if following is not None else None
        inside = [
            (start, end)
            for start, end in merged
            if end >= piece.start_ns and (until is None or start <= until)
        ]
        if inside:
            yield piece, inside


def _read(
    piece: Piece, spans: Sequence[tuple[int, int]]
) -> Iterator[tuple[int, Callable[[], Image]]]:
    """Time and BGR maker of each frame of a piece that lies in one of the spans."""
    try:
        pictures_from = _folder(piece.path) if piece.path.is_dir() else _file(piece.path)
    except VideoDetectiveError:
        return
    last_ns: int | None = None
    for start, end in spans:
        for pts_ns, to_bgr in pictures_from(start - piece.start_ns):
            time_ns = piece.start_ns + pts_ns
            if time_ns > end:
                break
            if time_ns >= start and (last_ns is None or time_ns > last_ns):
                last_ns = time_ns
                yield time_ns, to_bgr


_Pictures = Iterator[tuple[int, Callable[[], Image]]]
"""Time since the piece's first frame in ns, and BGR maker."""


def _file(path: Path) -> Callable[[int], _Pictures]:
    recording = Recording(path)

    def pictures_from(pts_ns: int) -> _Pictures:
        for picture in recording.pictures(LossBook(), from_ns=pts_ns):
            yield picture.pts_ns, picture.to_bgr

    return pictures_from


def _folder(path: Path) -> Callable[[int], _Pictures]:
    folder = FramesFolder(path, timezone="UTC")

    def pictures_from(pts_ns: int) -> _Pictures:
        before = Position(index=0, pts_ns=pts_ns - 1, luma_crc=0)
        for frame in folder.frames(after=before):
            yield frame.pts_ns, _maker(frame)

    return pictures_from


def _maker(frame: Frame) -> Callable[[], Image]:
    return lambda: frame.bgr


class _ScaledOnce:
    """A picture as planes of luma and chroma, made once for all clips that show it.

    OpenCV converts: FFmpeg's own conversion was not the same to the last bit from run to run.
    """

    def __init__(self, image: Image) -> None:
        self._image = image
        self._planes: dict[tuple[int, int], Image] = {}

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the picture as it was."""
        return self._image.shape[1], self._image.shape[0]

    def planes(self, size: tuple[int, int]) -> Image:
        """(3 H / 2, W) uint8 planes (I420) at an even (width, height)."""
        if size not in self._planes:
            image = self._image
            if self.size != size:
                image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
            self._planes[size] = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2YUV_I420), np.uint8)
        return self._planes[size]


class _ClipWriter:
    """Encodes the frames of the spans; a file on disk, because the index is moved to the front."""

    def __init__(self, spans: Sequence[tuple[int, int]]) -> None:
        self._spans = spans
        self._samplers = [Sampler(fps=MAX_CLIP_FPS, idle_fps=MAX_CLIP_FPS) for _ in spans]
        self._seen: list[tuple[int, int] | None] = [None] * len(spans)
        self._folder = tempfile.TemporaryDirectory(prefix="video-detective-clip-")
        self._path = Path(self._folder.name) / "clip.mp4"
        self._output: tuple[OutputContainer, VideoStream] | None = None
        self._first_ns: int | None = None
        self._last_tick = -1

    def __enter__(self) -> _ClipWriter:
        return self

    def __exit__(self, *_: object) -> None:
        if self._output is not None:
            self._output[0].close()
        self._folder.cleanup()

    def takes(self, time_ns: int) -> bool:
        """Whether the frame is one of the clip; advances the clip's sampling."""
        number = self._span_of(time_ns)
        if number is None:
            return False
        return self._samplers[number].due(time_ns - self._spans[number][0]).active

    def add(self, time_ns: int, picture: _ScaledOnce) -> None:
        """Encode a frame that ``takes`` accepted."""
        number = self._span_of(time_ns)
        assert number is not None  # noqa: S101 - takes() said so
        seen = self._seen[number]
        self._seen[number] = (seen[0] if seen else time_ns, time_ns)
        elapsed_ns = time_ns - self._spans[number][0]
        elapsed_ns += sum(end - start for start, end in self._spans[:number])
        if self._first_ns is None:
            self._first_ns = elapsed_ns
        # Players differ in what they do before a first frame that is late: the clip begins with it.
        elapsed_ns -= self._first_ns
        if self._output is None:
            self._output = _open_output(self._path, *picture.size)
        container, stream = self._output
        frame = VideoFrame.from_ndarray(picture.planes((stream.width, stream.height)), "yuv420p")
        tick = max(round(elapsed_ns * _TICKS / NS_PER_S), self._last_tick + 1)
        self._last_tick = tick
        frame.pts, frame.time_base = tick, Fraction(1, _TICKS)
        container.mux(stream.encode(frame))

    def finish(self) -> Clip | None:
        """The clip, or None when no frame was added."""
        if self._output is None:
            return None
        container, stream = self._output
        container.mux(stream.encode(None))
        container.close()
        self._output = None
        spans = tuple(span for span in self._seen if span is not None)
        return Clip(data=self._path.read_bytes(), spans=spans, size=(stream.width, stream.height))

    def _span_of(self, time_ns: int) -> int | None:
        for i, (start, end) in enumerate(self._spans):
            if start <= time_ns <= end:
                return i
        return None


def _open_output(path: Path, width: int, height: int) -> tuple[OutputContainer, VideoStream]:
    """An MP4 for pictures of that size, scaled to fit and to even sides, without any date."""
    scale = min(1.0, MAX_CLIP_WIDTH / width)
    even = [max(2, round(side * scale / 2) * 2) for side in (width, height)]
    name, options = next(entry for entry in _ENCODERS if entry[0] in av.codecs_available)
    container = av.open(
        path, mode="w", format="mp4", options={"movflags": "+faststart", "fflags": "+bitexact"}
    )
    stream = container.add_stream(name, rate=round(MAX_CLIP_FPS), options=dict(options))
    assert isinstance(stream, VideoStream)  # noqa: S101 - all encoders listed are of video
    stream.width, stream.height = even
    stream.pix_fmt = "yuv420p"
    stream.codec_context.time_base = Fraction(1, _TICKS)
    stream.codec_context.thread_count = 1
    stream.codec_context.flags |= av.codec.context.Flags.bitexact
    return container, stream
