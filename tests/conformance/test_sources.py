"""What every source promises, whatever it reads."""

import itertools
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from tests.videos import picture, write_video

from video_detective.media.base import Frame, Position, Source
from video_detective.media.file import VideoFile, luma_crc
from video_detective.media.images import FramesFolder

START = 1_765_893_901 * 10**9
Make = Callable[[Path], Source]


def _file(folder: Path) -> Source:
    path = folder / "a.mp4"
    if not path.exists():
        write_video(path, frames=30, b_frames=2)
    return VideoFile(path, timezone="Asia/Taipei", start_ns=START)


def _unindexed(folder: Path) -> Source:
    path = folder / "a.ts"
    if not path.exists():
        write_video(path, frames=30)
    return VideoFile(path, timezone="Asia/Taipei", start_ns=START)


def _folder(folder: Path) -> Source:
    frames = folder / "frames"
    if not frames.exists():
        frames.mkdir()
        for number in range(30):
            cv2.imwrite(str(frames / f"{number}.png"), picture(number))
    return FramesFolder(frames, timezone="Asia/Taipei", start_ns=START)


@pytest.fixture(params=[_file, _unindexed, _folder], ids=["file", "unindexed file", "folder"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Source]:
    return lambda: request.param(tmp_path)


def seen(frame: Frame) -> tuple[int, int, int, int]:
    return frame.index, frame.pts_ns, frame.time_ns, luma_crc(frame.luma)


def test_frames_are_numbered_from_zero_with_strictly_increasing_times(
    make: Callable[[], Source],
) -> None:
    source = make()
    frames = list(source.frames())
    assert [frame.index for frame in frames] == list(range(30))
    assert frames[0].pts_ns == 0
    assert all(b.pts_ns > a.pts_ns for a, b in itertools.pairwise(frames))
    assert all(frame.time_ns == source.info.start_ns + frame.pts_ns for frame in frames)


def test_pictures_have_the_promised_form(make: Callable[[], Source]) -> None:
    source = make()
    for frame in source.frames():
        assert frame.size == (source.info.width, source.info.height)
        assert (frame.luma.dtype, frame.bgr.dtype) == (np.uint8, np.uint8)
        assert frame.luma.shape == frame.bgr.shape[:2]
        assert frame.bgr.shape[2] == 3
        assert frame.bgr is frame.bgr
        with pytest.raises(ValueError, match="read-only"):
            frame.luma[0, 0] = 0


def test_another_process_goes_on_as_if_never_interrupted(make: Callable[[], Source]) -> None:
    whole = [seen(frame) for frame in make().frames()]
    for i in (0, 1, 9, 10, 11, 28, 29):
        index, pts_ns, _, crc = whole[i]
        after = Position(index=index, pts_ns=pts_ns, luma_crc=crc)
        assert [seen(frame) for frame in make().frames(after=after)] == whole[i + 1 :]


def test_a_source_can_be_read_again_and_two_do_not_disturb_each_other(
    make: Callable[[], Source],
) -> None:
    source = make()
    first = [seen(frame) for frame in source.frames()]
    both = [(seen(a), seen(b)) for a, b in zip(source.frames(), make().frames(), strict=True)]
    assert [a for a, _ in both] == [b for _, b in both] == first


def test_an_abandoned_reading_does_no_harm(make: Callable[[], Source]) -> None:
    source = make()
    frames = source.frames()
    first = next(frames)
    kept = first.luma.copy()
    del frames
    assert len(list(source.frames())) == 30
    assert np.array_equal(first.luma, kept)
    assert first.bgr.shape == (120, 160, 3)


def test_the_fingerprint_is_that_of_the_content(make: Callable[[], Source]) -> None:
    assert make().info.fingerprint == make().info.fingerprint
    assert make().info.fingerprint.startswith("sha256")
