"""Folders of pictures: one file a frame, timed by the file names."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import cv2
import numpy as np

from video_detective.errors import (
    DecodeError,
    MissingError,
    UnsupportedSourceError,
    UsageError,
    VideoDetectiveError,
)
from video_detective.geometry import NS_PER_S, Image, Luma
from video_detective.media.base import Frame, Loss, Position, SourceInfo
from video_detective.media.decoding import LossBook, require_sane_size
from video_detective.media.start import start_in_name, zone_of

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp"})
DEFAULT_FPS = 5.0
"""Rate of numbered pictures when none is given: the default sampling rate, so that each counts."""

_NUMBER = re.compile(r"\d+")
_EPOCH = re.compile(r"(?<!\d)(1[4-9]\d{8})[._]?(\d{3})?(?!\d)")
"""Seconds or milliseconds since 1970, years 2014 to 2033."""


class FramesFolder:
    """A folder of pictures as a ``Source``, in the natural order of their names (9 before 10).

    When every name has a date and time (or seconds since 1970), those are the times; pictures of
    one second are spread evenly over it. Else the last number in each name is its frame number,
    and the rate makes the time; names without rising numbers count one by one.

    Args:
        path: The folder; files in it that are no pictures, and folders below, are left out.
        timezone: IANA zone of the camera, for dates in names.
        start_ns: UTC ns of the first picture, when the caller knows better.
        fps: Frames a second of numbered pictures.

    Raises:
        MissingError: there is no such folder.
        UnsupportedSourceError: no picture in it, or it cannot be listed.
        DecodeError: none of the pictures can be decoded.
        UsageError: ``fps`` is not positive, or no such time zone.
    """

    def __init__(
        self, path: Path, *, timezone: str, start_ns: int | None = None, fps: float = DEFAULT_FPS
    ) -> None:
        if not 0 < fps <= 1000:
            raise UsageError(f"{fps:g} frames a second is impossible", remedy="Use 0 < fps <= 1000")
        self._losses = LossBook()
        files = _pictures_in(path)
        stamps = _stamps([file.stem for file in files], zone_of(timezone))
        if stamps is not None:
            order = sorted(range(len(files)), key=lambda i: stamps[i])
            files = [files[i] for i in order]
            times = _spread([stamps[i] for i in order])
            start_from, first_ns = "file_name", times[0]
        else:
            times = _numbered_times([file.stem for file in files], fps)
            start_from, first_ns = "file_time", files[0].stat().st_mtime_ns
        # Times count from the first picture that can be decoded, as those of a video do.
        first, picture = self._first_decodable(path, files)
        self._frames = [
            (file, time - times[first]) for file, time in zip(files, times, strict=True)
        ]
        if start_ns is not None:
            start_from = "option"
        elif stamps is not None:
            start_ns = times[first]
        else:
            start_ns = first_ns
        self._info = SourceInfo(
            name=path.resolve().name,
            width=picture.shape[1],
            height=picture.shape[0],
            codec="images",
            duration_ns=times[-1] - times[first],
            frame_count=len(files),
            start_ns=start_ns,
            start_from=start_from,
            fingerprint=_fingerprint(files),
        )

    @property
    def info(self) -> SourceInfo:
        """What is known before decoding; ``frame_count`` includes unreadable pictures."""
        return self._info

    @property
    def losses(self) -> tuple[Loss, ...]:
        """What the latest ``frames()`` lost so far, one entry per reason."""
        return self._losses.entries()

    def frames(self, *, after: Position | None = None) -> Iterator[Frame]:
        """Every readable picture; see ``Source.frames``. Places follow from names, not content."""
        self._losses.clear()
        index = 0 if after is None else after.index + 1
        size = (self._info.width, self._info.height)
        for file, pts_ns in self._frames:
            if after is not None and pts_ns <= after.pts_ns:
                continue
            picture = _decoded(file)
            if picture is None:
                self._losses.add(
                    "damaged_packets", pts_ns=max(pts_ns, 0),
                    detail=f"{{count}} unreadable picture(s), the first {file.name!r}",
                )  # fmt: skip
                continue
            if (picture.shape[1], picture.shape[0]) != size:
                self._losses.add(
                    "size_changed", pts_ns=pts_ns,
                    detail=f"{{count}} picture(s) of another size scaled to {size[0]}x{size[1]}",
                )  # fmt: skip
                picture = np.asarray(cv2.resize(picture, size), np.uint8)
            yield Frame(
                index=index,
                pts_ns=pts_ns,
                time_ns=self._info.start_ns + pts_ns,
                luma=_luma(picture),
                to_bgr=_giving(picture),
            )
            index += 1

    @staticmethod
    def _first_decodable(folder: Path, files: Sequence[Path]) -> tuple[int, Image]:
        for i, file in enumerate(files):
            picture = _decoded(file)
            if picture is not None:
                return i, picture
        raise DecodeError(
            f"none of the {len(files)} pictures in {folder.name!r} can be decoded",
            remedy="Check that the copy was completed.",
        )


def _pictures_in(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise MissingError(f"there is no folder {str(folder)!r}", remedy="Check the path.")
    try:
        files = [
            file for file in folder.iterdir() if file.suffix.lower() in SUFFIXES and file.is_file()
        ]
    except OSError as error:
        raise UnsupportedSourceError(
            f"folder {folder.name!r} cannot be listed ({error.strerror})",
            remedy="Check the folder's permissions.",
        ) from error
    if not files:
        raise UnsupportedSourceError(
            f"folder {folder.name!r} has no pictures",
            remedy=f"Pictures end in {', '.join(sorted(SUFFIXES))}; give videos one by one.",
        )
    return sorted(files, key=lambda file: natural_key(file.name))


def natural_key(name: str) -> tuple[tuple[int, int, str], ...]:
    """Sort key by which numbers in names count as numbers: ``f9`` before ``f10``.

    >>> sorted(["f10", "f9"], key=natural_key)
    ['f9', 'f10']
    """
    parts = re.split(r"(\d+)", name.casefold())
    key = tuple((1, int(part), "") if i % 2 else (0, 0, part) for i, part in enumerate(parts))
    return (*key, (2, 0, name))


def _stamps(names: Sequence[str], zone: ZoneInfo) -> list[int] | None:
    """UTC ns in each name, or None when one has none."""
    stamps = []
    for name in names:
        stamp = start_in_name(name, zone)
        epoch = _EPOCH.search(name)
        if stamp is None and epoch:
            stamp = (int(epoch[1]) * 1000 + int(epoch[2] or 0)) * 1_000_000
        if stamp is None:
            return None
        stamps.append(stamp)
    return stamps


def _spread(stamps: Sequence[int]) -> list[int]:
    """Sorted times made strictly increasing: equal ones are spread evenly up to the next.

    They fill a second at most, because a name without milliseconds means that second.
    """
    counts = Counter(stamps)
    distinct = sorted(counts)
    times: list[int] = []
    for stamp, following in zip(distinct, [*distinct[1:], distinct[-1] + NS_PER_S], strict=True):
        room = min(following - stamp, NS_PER_S)
        times.extend(stamp + i * room // counts[stamp] for i in range(counts[stamp]))
    return times


def _numbered_times(names: Sequence[str], fps: float) -> list[int]:
    numbers = [int(found[-1]) if (found := _NUMBER.findall(name)) else -1 for name in names]
    if any(b <= a for a, b in pairwise(numbers)) or numbers[0] < 0:
        numbers = list(range(len(names)))
    return [round((number - numbers[0]) * NS_PER_S / fps) for number in numbers]


def _decoded(file: Path) -> Image | None:
    """The picture, upright by its EXIF tag; None when it cannot be read."""
    try:
        data = np.frombuffer(file.read_bytes(), np.uint8)
        picture = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
        if picture is None:
            return None
        require_sane_size(picture.shape[1], picture.shape[0])
    except (OSError, cv2.error, VideoDetectiveError):
        return None
    return np.asarray(picture, np.uint8)


def _giving(picture: Image) -> Callable[[], Image]:
    return lambda: picture


def _luma(picture: Image) -> Luma:
    luma = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.uint8)
    luma.flags.writeable = False
    return luma


def _fingerprint(files: Sequence[Path]) -> str:
    """Over the names and sizes of all pictures, and the first, middle and last one's bytes."""
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.name}\0{file.stat().st_size}\n".encode("utf-8", "surrogateescape"))
    for file in (files[0], files[len(files) // 2], files[-1]):
        digest.update(file.read_bytes())
    return f"sha256-images:{digest.hexdigest()}"
