from datetime import UTC, datetime
from pathlib import Path

import cv2
import pytest
from tests.videos import picture

from video_detective.errors import DecodeError, MissingError, UnsupportedSourceError, UsageError
from video_detective.media.base import Position
from video_detective.media.file import luma_crc
from video_detective.media.images import FramesFolder

MS = 1_000_000
EVENING_NS = int(datetime(2025, 12, 16, 14, 5, 1, tzinfo=UTC).timestamp()) * 10**9


def write(folder: Path, *names: str, width: int = 160, height: int = 120) -> Path:
    folder.mkdir(exist_ok=True)
    for number, name in enumerate(names):
        assert cv2.imwrite(str(folder / name), picture(number, width, height))
    return folder


def opened(folder: Path, **options: float) -> FramesFolder:
    return FramesFolder(folder, timezone="Asia/Taipei", **options)  # type: ignore[arg-type]


def times_ms(source: FramesFolder) -> list[float]:
    return [frame.pts_ns / MS for frame in source.frames()]


def test_numbered_pictures_come_in_natural_order_at_the_given_rate(tmp_path: Path) -> None:
    folder = write(tmp_path / "f", "f9.png", "f10.png", "f11.jpg", "f12.webp", "f14.bmp")
    frames = list(opened(folder, fps=10).frames())
    assert [frame.pts_ns // MS for frame in frames] == [0, 100, 200, 300, 500]
    assert [frame.index for frame in frames] == [0, 1, 2, 3, 4]
    assert (frames[0].bgr == picture(0)).all()
    assert frames[0].luma.shape == (120, 160)


def test_names_with_date_and_time_are_the_times(tmp_path: Path) -> None:
    folder = write(
        tmp_path / "f", "cam01_20251216_220501_000000.png", "cam01_20251216_220501_000001.png",
        "cam01_20251216_220502_000002.png", "cam01_20251216_220507_000003.png",
    )  # fmt: skip
    source = opened(folder)
    assert times_ms(source) == [0, 500, 1000, 6000]
    assert (source.info.start_ns, source.info.start_from) == (EVENING_NS, "file_name")


def test_seconds_since_1970_in_names_are_the_times(tmp_path: Path) -> None:
    source = opened(write(tmp_path / "f", "1765893901.250.png", "1765893901.750.png"))
    assert times_ms(source) == [0, 500]
    assert source.info.start_ns == EVENING_NS + 250 * MS


def test_names_without_numbers_count_one_by_one(tmp_path: Path) -> None:
    assert times_ms(opened(write(tmp_path / "f", "a.png", "b.png", "c.png"), fps=2)) == [
        0, 500, 1000,
    ]  # fmt: skip


def test_unreadable_pictures_are_left_out_and_counted(tmp_path: Path) -> None:
    folder = write(tmp_path / "f", "1.png", "2.png", "3.png", "4.png")
    (folder / "1.png").write_bytes(b"")
    (folder / "3.png").write_bytes(b"no picture")
    source = opened(folder, fps=10)
    assert times_ms(source) == [0, 200]
    (loss,) = source.losses
    assert (loss.reason, loss.count) == ("damaged_packets", 2)


def test_pictures_of_another_size_are_scaled_to_the_first(tmp_path: Path) -> None:
    folder = write(tmp_path / "f", "1.png", "2.png")
    assert cv2.imwrite(str(folder / "3.png"), picture(0, 320, 200))
    source = opened(folder)
    assert {(frame.size, frame.bgr.shape) for frame in source.frames()} == {
        ((160, 120), (120, 160, 3))
    }
    assert [(loss.reason, loss.count) for loss in source.losses] == [("size_changed", 1)]


def test_a_folder_resumes_behind_any_picture(tmp_path: Path) -> None:
    folder = write(tmp_path / "f", *(f"{i}.png" for i in range(6)))
    (folder / "2.png").write_bytes(b"no picture")
    source = opened(folder)
    whole = [(f.index, f.pts_ns, luma_crc(f.luma)) for f in source.frames()]
    for i, (index, pts_ns, crc) in enumerate(whole):
        after = Position(index=index, pts_ns=pts_ns, luma_crc=crc)
        rest = [(f.index, f.pts_ns, luma_crc(f.luma)) for f in source.frames(after=after)]
        assert rest == whole[i + 1 :]


def test_a_folder_without_pictures_is_refused_as_wrong_use(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(UnsupportedSourceError, match="no pictures"):
        opened(tmp_path)


def test_a_folder_of_broken_pictures_is_a_decode_error(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"x")
    with pytest.raises(DecodeError, match="none of the 1 pictures"):
        opened(tmp_path)


def test_a_missing_folder_and_an_impossible_rate_are_named(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="nowhere"):
        opened(tmp_path / "nowhere")
    with pytest.raises(UsageError, match="0 frames a second"):
        opened(tmp_path, fps=0)
