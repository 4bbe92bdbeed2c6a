from pathlib import Path

import cv2
import pytest
from tests.videos import picture, write_video

from video_detective.errors import MissingError, SourceLostError, UnsupportedSourceError
from video_detective.media.base import Source
from video_detective.media.open import is_live, open_source


def opened(text: str) -> Source:
    return open_source(text, timezone="Asia/Taipei", clock=lambda: 10**18)


def test_a_path_is_a_file_or_a_folder_of_pictures(tmp_path: Path) -> None:
    video = write_video(tmp_path / "a.mp4")
    folder = tmp_path / "frames"
    folder.mkdir()
    cv2.imwrite(str(folder / "1.png"), picture(0))
    assert opened(str(video)).info.codec == "h264"
    assert opened(str(folder)).info.codec == "images"


def test_a_file_whose_name_looks_like_a_scheme_is_still_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_video(tmp_path / "a.mp4").rename(tmp_path / "cam:1.mp4")
    assert opened("cam:1.mp4").info.name == "cam:1.mp4"


@pytest.mark.parametrize(
    "text",
    ["file:///etc/passwd", "ftp://host/a.mp4", "concat:a.mp4|b.mp4", "data:video/mp4;base64,AAAA",
     "subfile,,start,0,end,9,,:/etc/passwd", "pipe:0", "rtmp://u:s3cret@host/x", "udp://@239.0.0.1"],
)  # fmt: skip
def test_other_schemes_are_refused_and_the_allowed_ones_named(text: str) -> None:
    with pytest.raises(UnsupportedSourceError, match="rtsp, rtsps, http, https") as raised:
        opened(text)
    assert raised.value.exit_status == 2
    assert "s3cret" not in str(raised.value)


def test_a_missing_path_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match=r"nowhere\.mp4"):
        opened(str(tmp_path / "nowhere.mp4"))


@pytest.mark.parametrize("text", ["", "  "])
def test_an_empty_source_is_not_the_present_folder(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cv2.imwrite(str(tmp_path / "1.png"), picture(0))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MissingError, match="source '' is empty"):
        opened(text)


def test_the_present_folder_is_called_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "yard"
    folder.mkdir()
    cv2.imwrite(str(folder / "1.png"), picture(0))
    monkeypatch.chdir(folder)
    assert opened(".").info.name == "yard"


@pytest.mark.parametrize("text", ["a\0b.mp4", "x" * 5000])
def test_an_impossible_path_is_refused_without_a_traceback(text: str) -> None:
    with pytest.raises((UnsupportedSourceError, MissingError)):
        opened(text)


def test_an_unreachable_stream_is_told_without_its_password() -> None:
    with pytest.raises(SourceLostError, match=r"rtsp://127\.0\.0\.1:1/ch1 cannot") as raised:
        opened("rtsp://admin:s3cret@127.0.0.1:1/ch1")
    assert "s3cret" not in repr(raised.value)


def test_streams_and_devices_are_live_and_files_are_not() -> None:
    assert is_live("RTSP://camera/1")
    assert is_live("https://camera/live")
    assert not is_live("/footage/video1.mp4")
    assert not is_live("/dev/null")
