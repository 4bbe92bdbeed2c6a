"""The real clips: msmpeg4 in AVI, H.264 in MP4, GIF."""

from pathlib import Path

import pytest

from video_detective.media.base import Position
from video_detective.media.file import VideoFile, luma_crc

pytestmark = pytest.mark.media


@pytest.mark.parametrize(
    ("name", "count", "size", "last_ms"),
    [
        ("pets/vtest.avi", 795, (768, 576), 79_400),
        ("car-detection.mp4", 377, (768, 432), 30_080),
        ("worker-zone-detection.gif", 71, (480, 270), 4_670),
    ],
)
def test_real_footage_resumes_exactly_where_it_was_killed(
    media_dir: Path, name: str, count: int, size: tuple[int, int], last_ms: int
) -> None:
    source = VideoFile(media_dir / name, timezone="Asia/Taipei")
    whole = [(f.index, f.pts_ns, luma_crc(f.luma)) for f in source.frames()]
    assert len(whole) == count
    assert (source.info.width, source.info.height) == size
    assert whole[-1][1] == last_ms * 1_000_000
    assert source.losses == ()
    for i in (17, count // 2, count * 4 // 5, count - 1):
        index, pts_ns, crc = whole[i]
        after = Position(index=index, pts_ns=pts_ns, luma_crc=crc)
        assert [(f.index, f.pts_ns, luma_crc(f.luma)) for f in source.frames(after=after)] == (
            whole[i + 1 :]
        )
