import io
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from tests.videos import picture, truncated, write_video

from video_detective.errors import UsageError
from video_detective.media.clips import Footage, Piece, extract
from video_detective.media.file import VideoFile
from video_detective.media.images import FramesFolder

START = 1_765_893_901 * 10**9
S = 10**9


def footage(*paths: Path, starts: tuple[int, ...] = (START,)) -> Footage:
    return Footage(
        tuple(Piece(path=path, start_ns=ns) for path, ns in zip(paths, starts, strict=True))
    )


def film(data: bytes) -> tuple[str, int, int, list[float]]:
    with av.open(io.BytesIO(data), "r") as container:
        stream = container.streams.video[0]
        times = [float(frame.time) for frame in container.decode(stream)]
        return stream.codec_context.name, stream.width, stream.height, times


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts", "a.avi"])
def test_pictures_are_exactly_those_that_were_analysed(tmp_path: Path, name: str) -> None:
    path = write_video(tmp_path / name, frames=300, b_frames=2)
    source = VideoFile(path, timezone="UTC", start_ns=START)
    wanted = {f.time_ns: f.bgr for f in source.frames() if f.index in (0, 7, 150, 151, 299)}
    found = extract(footage(path), frames=list(wanted)[::-1]).pictures
    assert list(found) == list(wanted)
    assert all(np.array_equal(found[time], wanted[time]) for time in wanted)


def test_a_clip_is_h264_that_browsers_play_and_has_no_date(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mkv", frames=100, width=161, height=123, codec="ffv1")
    clip = extract(footage(path), clips=[(START + 2 * S, START + 6 * S)]).clips[0]
    assert clip is not None
    assert clip.spans == ((START + 2 * S, START + 6 * S),)
    codec, width, height, times = film(clip.data)
    assert codec == "h264"
    assert width % 2 == height % 2 == 0
    assert times == pytest.approx([i / 10 for i in range(41)], abs=1e-3)
    assert clip.data.index(b"moov") < clip.data.index(b"mdat")
    with av.open(io.BytesIO(clip.data)) as container:
        assert "creation_time" not in container.metadata
        assert container.streams.video[0].pix_fmt == "yuv420p"


def test_a_clip_from_before_the_footage_begins_with_its_first_frame(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", frames=30)
    clip = extract(footage(path), clips=[(START - 2 * S, START + S)]).clips[0]
    assert clip is not None
    assert clip.spans[0][0] == START
    assert film(clip.data)[3] == pytest.approx([i / 10 for i in range(11)], abs=1e-3)


@pytest.mark.parametrize(("width", "height"), [(160, 120), (480, 270), (162, 90)])
def test_the_same_footage_gives_the_same_bytes(tmp_path: Path, width: int, height: int) -> None:
    path = write_video(tmp_path / "a.mp4", width=width, height=height)
    clips = set()
    for _ in range(6):
        clip = extract(footage(path), clips=[(START, START + 5 * S)]).clips[0]
        assert clip is not None
        clips.add(clip.data)
        np.random.default_rng(len(clips)).bytes(3_000_000)  # stir the allocator
    assert len(clips) == 1


def test_a_wide_and_fast_source_is_bounded(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", frames=30, width=1920, height=1080, rate=30,
                       options={}, codec="mpeg4")  # fmt: skip
    clip = extract(footage(path), clips=[(START, START + S)]).clips[0]
    assert clip is not None
    _, width, height, times = film(clip.data)
    assert (width, height) == (1280, 720)
    assert 14 <= len(times) <= 16


def test_a_long_event_keeps_its_beginning_and_end(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", frames=200, rate=2)
    clip = extract(footage(path), clips=[(START, START + 99 * S)]).clips[0]
    assert clip is not None
    assert clip.spans == ((START, START + 40 * S), (START + 79 * S, START + 99 * S))
    assert film(clip.data)[3][-1] == pytest.approx(60, abs=0.6)


def test_footage_of_several_pieces_is_cut_across_their_border(tmp_path: Path) -> None:
    first = write_video(tmp_path / "1.mkv", frames=50)
    second = write_video(tmp_path / "2.mkv", frames=50, first=50)
    both = footage(second, first, starts=(START + 5 * S, START))
    found = extract(both, frames=[START + 49 * S // 10, START + 5 * S],
                    clips=[(START + 4 * S, START + 6 * S)])  # fmt: skip
    assert list(found.pictures) == [START + 49 * S // 10, START + 5 * S]
    assert found.clips[0] is not None
    assert len(film(found.clips[0].data)[3]) == 21


def test_evidence_is_cut_out_of_a_folder_of_pictures_too(tmp_path: Path) -> None:
    for number in range(20):
        cv2.imwrite(str(tmp_path / f"{number}.png"), picture(number))
    source = FramesFolder(tmp_path, timezone="UTC", start_ns=START)
    times = [frame.time_ns for frame in source.frames()]
    found = extract(footage(tmp_path), frames=[times[12]], clips=[(times[3], times[9])])
    assert np.array_equal(found.pictures[times[12]], picture(12))
    assert found.clips[0] is not None
    assert found.clips[0].spans == ((times[3], times[9]),)
    assert found.clips[0].size == (160, 120)


def test_what_is_no_longer_there_is_absent_and_no_error(tmp_path: Path) -> None:
    path = truncated(write_video(tmp_path / "a.mkv", frames=100), 0.5)
    found = extract(
        footage(tmp_path / "gone.mkv", path, starts=(START - 60 * S, START)),
        frames=[START - 50 * S, START + S, START + 9 * S],
        clips=[(START + 20 * S, START + 30 * S)],
    )
    assert list(found.pictures) == [START + S]
    assert found.clips[0] is None


def test_clips_that_overlap_are_the_same_as_cut_one_by_one(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", frames=300)
    wanted = [(START + 2 * S, START + 6 * S), (START + 4 * S, START + 9 * S)]
    together = extract(footage(path), clips=wanted).clips
    assert list(together) == [extract(footage(path), clips=[one]).clips[0] for one in wanted]
    assert None not in together


def test_a_clip_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(UsageError, match="ends before it begins"):
        extract(Footage(()), clips=[(2, 1)])


def test_nothing_wanted_gives_nothing() -> None:
    found = extract(Footage(()))
    assert (found.pictures, found.clips) == ({}, ())
