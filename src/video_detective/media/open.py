"""From what a person wrote to a source: a file, a folder of pictures, a stream, a device."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from video_detective.errors import MissingError, UnsupportedSourceError, VideoDetectiveError
from video_detective.media.addresses import LIVE_SCHEMES, scheme_of, without_secret
from video_detective.media.base import Source
from video_detective.media.file import VideoFile
from video_detective.media.images import DEFAULT_FPS, FramesFolder
from video_detective.media.live import LiveStream
from video_detective.media.recorder import Recorder


def is_live(text: str) -> bool:
    """Whether a source text means a stream or a device rather than recorded footage."""
    return scheme_of(text) in LIVE_SCHEMES or _is_device(text)


def open_source(
    text: str,
    *,
    timezone: str,
    clock: Callable[[], int],
    start_ns: int | None = None,
    fps: float = DEFAULT_FPS,
    recorder: Recorder | None = None,
) -> Source:
    """Open whatever a source text means.

    Args:
        text: Path of a video file or of a folder of pictures, address of a stream (``rtsp``,
            ``rtsps``, ``http``, ``https``), or path of a video device (``/dev/video0``).
        timezone: IANA zone of the camera.
        clock: Gives UTC ns; read for live sources only.
        start_ns: UTC ns of the first frame, overriding what the source says.
        fps: Rate of folders of numbered pictures.
        recorder: Keeps a live source's packets for evidence.

    Raises:
        MissingError: no such file or folder, or an empty text.
        UnsupportedSourceError: another scheme, or nothing that can be read as video.
        DecodeError: video of which not one frame can be decoded.
        SourceLostError: a stream that cannot be reached.
    """
    if not text.strip():
        raise MissingError("the source '' is empty", remedy="Name a video file, folder or stream.")
    if is_live(text):
        return LiveStream(text, clock=clock, recorder=recorder, start_ns=start_ns)
    path = Path(text)
    try:
        if path.is_dir():
            return FramesFolder(path, timezone=timezone, start_ns=start_ns, fps=fps)
        if scheme_of(text) is None or path.exists():
            return VideoFile(path, timezone=timezone, start_ns=start_ns)
    except (OSError, ValueError) as error:
        raise _unusable(text, error) from error
    raise UnsupportedSourceError(
        f"{scheme_of(text)!r} is no kind of source that is read ({without_secret(text)!r})",
        remedy=f"Give a path, or an address that begins with {', '.join(LIVE_SCHEMES)}.",
    )


def _unusable(text: str, error: OSError | ValueError) -> VideoDetectiveError:
    if isinstance(error, FileNotFoundError):
        return MissingError(f"there is no file {text!r}", remedy="Check the path.")
    return UnsupportedSourceError(
        f"{text!r} cannot be read ({getattr(error, 'strerror', None) or error})",
        remedy="Check the path and its permissions.",
    )


def _is_device(text: str) -> bool:
    path = Path(text)
    try:
        return path.name.startswith("video") and path.is_char_device()
    except (OSError, ValueError):
        return False
