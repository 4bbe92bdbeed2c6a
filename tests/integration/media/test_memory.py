"""Decoding holds a few frames, not hundreds, also where the garbage collector never runs."""

import gc
import os
from pathlib import Path

from tests.videos import write_video

from video_detective.media.file import VideoFile

FRAMES, WIDTH, HEIGHT = 300, 640, 480


def resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def test_frames_are_freed_as_they_are_passed(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", frames=FRAMES, width=WIDTH, height=HEIGHT)
    frames = VideoFile(path, timezone="UTC", start_ns=0).frames()
    gc.disable()
    try:
        for _ in range(20):
            next(frames)
        before = resident_bytes()
        rest = sum(1 for _ in frames)
        grown = resident_bytes() - before
    finally:
        gc.enable()
    assert rest == FRAMES - 20
    assert grown < rest * WIDTH * HEIGHT * 1.5 / 4
