import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
import pytest
from tests.videos import (
    patched_matrix,
    picture,
    truncated,
    with_flipped_bytes,
    write_sound,
    write_video,
)

from video_detective.errors import DecodeError, MissingError, UnsupportedSourceError
from video_detective.media.base import Frame, Loss, Position
from video_detective.media.file import VideoFile, luma_crc

MS = 1_000_000


def opened(path: Path, *, start_ns: int | None = None) -> VideoFile:
    return VideoFile(path, timezone="Asia/Taipei", start_ns=start_ns)


def times_ms(source: VideoFile) -> list[float]:
    return [frame.pts_ns / MS for frame in source.frames()]


def loss(source: VideoFile, reason: str) -> Loss | None:
    return next((loss for loss in source.losses if loss.reason == reason), None)


def seen(frame: Frame) -> tuple[int, int, int, int]:
    return frame.index, frame.pts_ns, frame.time_ns, luma_crc(frame.luma)


def assert_resumes_anywhere(source: VideoFile, step: int = 1) -> None:
    """A decode taken up after any frame gives exactly what the uninterrupted one gave."""
    whole = [seen(frame) for frame in source.frames()]
    for i in range(0, len(whole), step):
        index, pts_ns, _, crc = whole[i]
        after = Position(index=index, pts_ns=pts_ns, luma_crc=crc)
        assert [seen(frame) for frame in source.frames(after=after)] == whole[i + 1 :], i


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.mp4", {"b_frames": 3}),
        ("a.mkv", {"b_frames": 2}),
        ("a.ts", {"b_frames": 2}),
        ("b_frames.avi", {"b_frames": 3}),
        ("mpeg4.avi", {"codec": "mpeg4"}),
        ("mjpeg.avi", {"codec": "mjpeg", "pix_fmt": "yuvj420p"}),
        ("raw.h264", {"container": "h264", "b_frames": 2}),
        ("a.webm", {"codec": "libvpx-vp9", "frames": 20}),
        ("ten_bit.mkv", {"pix_fmt": "yuv420p10le"}),
        ("full_chroma.mp4", {"pix_fmt": "yuv444p"}),
        ("rgb.mkv", {"codec": "ffv1", "pix_fmt": "bgr0"}),
        ("gray16.mkv", {"codec": "ffv1", "pix_fmt": "gray16le"}),
        ("odd.mkv", {"codec": "ffv1", "width": 161, "height": 119}),
        ("fragmented.mp4", {"options": {"movflags": "frag_keyframe+empty_moov"}}),
    ],
)
def test_every_frame_of_any_container_comes_in_order_and_in_time(
    tmp_path: Path, name: str, options: dict[str, object]
) -> None:
    source = opened(write_video(tmp_path / name, **options))  # type: ignore[arg-type]
    frames = list(source.frames())
    count = options.get("frames", 50)
    assert [frame.index for frame in frames] == list(range(len(frames)))
    assert [frame.pts_ns for frame in frames] == [i * 100 * MS for i in range(int(str(count)))]
    assert source.losses == ()
    width, height = source.info.width, source.info.height
    for number in (0, 13, len(frames) - 1):
        frame = frames[number]
        expected = picture(number, width, height).astype(int)
        assert frame.luma.shape == (height, width)
        assert frame.luma.dtype == np.uint8
        assert not frame.luma.flags.writeable
        assert frame.bgr.shape == (height, width, 3)
        grey = cv2.cvtColor(frame.bgr, cv2.COLOR_BGR2GRAY).astype(int)
        wanted = cv2.cvtColor(picture(number, width, height), cv2.COLOR_BGR2GRAY).astype(int)
        assert np.abs(grey - wanted).mean() < 12
        if options.get("pix_fmt") != "gray16le":
            assert np.abs(frame.bgr.astype(int) - expected).mean() < 14
    assert_resumes_anywhere(source, step=7)


def test_a_luma_plane_stays_valid_after_the_decoder_went_on(tmp_path: Path) -> None:
    source = opened(write_video(tmp_path / "a.mp4"))
    kept = [(frame.luma, frame.luma.copy()) for frame in source.frames()]
    assert all(np.array_equal(view, copy) for view, copy in kept)


def test_variable_frame_rate_follows_the_timestamps(tmp_path: Path) -> None:
    times = [0, 40, 500, 510, 2000, 9000]
    for name in ("v.mkv", "v.mp4"):
        source = opened(write_video(tmp_path / name, frames=6, pts_ms=times))
        assert times_ms(source) == times
        assert_resumes_anywhere(source)


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        ((0, 1, -1, 0), lambda p: np.rot90(p, -1)),
        ((0, -1, 1, 0), lambda p: np.rot90(p, 1)),
        ((-1, 0, 0, -1), lambda p: np.rot90(p, 2)),
        ((-1, 0, 0, 1), lambda p: p[:, ::-1]),
        ((1, 0, 0, -1), lambda p: p[::-1]),
    ],
    ids=["clockwise", "counter-clockwise", "upside-down", "mirrored", "flipped"],
)
def test_a_rotated_or_mirrored_recording_comes_upright(
    tmp_path: Path, matrix: tuple[int, int, int, int], expected: object
) -> None:
    plain = next(opened(write_video(tmp_path / "plain.mp4", frames=1)).frames())
    turned_file = patched_matrix(write_video(tmp_path / "turned.mp4", frames=1), matrix)
    source = opened(turned_file)
    turned = next(source.frames())
    assert np.array_equal(turned.luma, expected(plain.luma))  # type: ignore[operator]
    assert np.array_equal(turned.bgr, expected(plain.bgr))  # type: ignore[operator]
    assert (source.info.width, source.info.height) == turned.size


def test_a_change_of_size_is_scaled_to_the_first_size_and_said(tmp_path: Path) -> None:
    small = write_video(tmp_path / "small.ts")
    large = write_video(tmp_path / "large.ts", width=320, height=240, first=50)
    joined = tmp_path / "joined.ts"
    joined.write_bytes(small.read_bytes() + large.read_bytes())
    source = opened(joined)
    frames = list(source.frames())
    assert len(frames) == 100
    assert {frame.size for frame in frames} == {(160, 120)}
    assert {frame.bgr.shape for frame in frames} == {(120, 160, 3)}
    changed = loss(source, "size_changed")
    assert changed is not None
    assert (changed.pts_ns, changed.count) == (5000 * MS, 50)


def test_timestamps_that_start_over_are_joined_on(tmp_path: Path) -> None:
    one = write_video(tmp_path / "one.ts")
    joined = tmp_path / "joined.ts"
    joined.write_bytes(one.read_bytes() * 2)
    source = opened(joined)
    assert times_ms(source) == [i * 100 for i in range(100)]
    assert loss(source, "out_of_order") is not None
    assert_resumes_anywhere(source, step=30)


@pytest.mark.parametrize("name", ["a.mkv", "a.ts", "a.avi", "fast.mp4"])
def test_a_cut_off_file_gives_what_is_there(tmp_path: Path, name: str) -> None:
    options = {"movflags": "+faststart"} if name.endswith("mp4") else {}
    path = write_video(
        tmp_path / name, frames=200, codec="mpeg4" if "avi" in name else "libx264", options=options
    )
    source = opened(truncated(path, 0.6))
    times = times_ms(source)
    assert 90 < len(times) < 130
    assert times == sorted(set(times))
    if name in ("a.mkv", "fast.mp4"):
        cut = loss(source, "truncated")
        assert cut is not None
        assert 6 <= cut.count <= 11
    assert_resumes_anywhere(source, step=40)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts", "a.avi"])
def test_damage_in_the_middle_costs_frames_and_is_counted(tmp_path: Path, name: str) -> None:
    path = write_video(tmp_path / name, codec="mpeg4" if "avi" in name else "libx264")
    source = opened(with_flipped_bytes(path, start=0.3, count=60, every=53))
    times = times_ms(source)
    assert len(times) >= 30
    assert times == sorted(set(times))
    assert times[-1] <= 5000
    damage = loss(source, "damaged_packets")
    assert damage is not None
    assert damage.count > 0


@pytest.mark.parametrize("seed", range(8))
def test_arbitrary_damage_gives_frames_or_one_of_our_errors(tmp_path: Path, seed: int) -> None:
    generator = np.random.default_rng(seed)
    kinds = [("a.mp4", "libx264"), ("a.mkv", "libx264"), ("a.ts", "libx264"), ("a.avi", "mpeg4")]
    for name, codec in kinds:
        whole = write_video(tmp_path / name, frames=20, codec=codec).read_bytes()
        for attempt in range(6):
            data = bytearray(whole)
            reach = 600 if attempt % 2 else len(data)  # the header, or anywhere
            for at in generator.integers(0, reach, size=12):
                data[at] = generator.integers(256)
            path = tmp_path / f"damaged {attempt} {name}"
            path.write_bytes(data)
            try:
                source = opened(path)
            except (DecodeError, UnsupportedSourceError):
                continue
            times = times_ms(source)
            assert times == sorted(set(times))


def test_an_mp4_whose_index_was_never_written_says_so(tmp_path: Path) -> None:
    path = truncated(write_video(tmp_path / "crash.mp4"), 0.5)
    with pytest.raises(DecodeError, match=r"'crash\.mp4'.*index is damaged or missing"):
        opened(path)


def test_a_video_without_a_decodable_frame_is_a_decode_error(tmp_path: Path) -> None:
    path = write_video(tmp_path / "dead.mkv", codec="mjpeg", pix_fmt="yuvj420p", frames=5)
    data = path.read_bytes()
    first = data.index(b"\xff\xd8\xff")
    path.write_bytes(data[:first] + bytes(len(data) - first))
    with pytest.raises(DecodeError, match="no frame can be decoded"):
        opened(path)


def _text(folder: Path) -> Path:
    path = folder / "notes.txt"
    path.write_text("not a video\n" * 100)
    return path


def _posing_text(folder: Path) -> Path:
    path = folder / "fake.mp4"
    path.write_text("not a video\n" * 100)
    return path


def _empty(folder: Path) -> Path:
    path = folder / "empty.mp4"
    path.touch()
    return path


def _photo(folder: Path) -> Path:
    path = folder / "photo.jpg"
    cv2.imwrite(str(path), picture(0))
    return path


def _subtitles(folder: Path) -> Path:
    path = folder / "s.srt"
    path.write_text("1\n00:00:01,000 --> 00:00:02,000\nhello\n")
    return path


def _pipe(folder: Path) -> Path:
    os.mkfifo(folder / "pipe.mp4")
    return folder / "pipe.mp4"


@pytest.mark.parametrize(
    "make",
    [_text, _posing_text, _empty, _photo, _subtitles, _pipe, lambda folder: folder,
     lambda folder: write_sound(folder / "sound.mp4")],
    ids=["text", "text named mp4", "empty", "photo", "subtitles", "pipe", "folder", "sound"],
)  # fmt: skip
def test_what_is_no_video_is_refused_as_wrong_use(tmp_path: Path, make: object) -> None:
    with pytest.raises(UnsupportedSourceError) as raised:
        opened(make(tmp_path))  # type: ignore[operator]
    assert raised.value.exit_status == 2
    assert "\n" not in str(raised.value)


@contextmanager
def as_ordinary_user() -> Iterator[None]:
    """Root reads every file; for a while, be somebody who does not."""
    was_root = os.geteuid() == 0
    if was_root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if was_root:
            os.seteuid(0)


def test_an_unreadable_file_is_refused_as_wrong_use() -> None:
    with tempfile.TemporaryDirectory() as name:  # tmp_path lies in a folder of one user alone
        folder = Path(name)
        folder.chmod(0o755)
        path = write_video(folder / "a.mp4", frames=1)
        path.chmod(0)
        with as_ordinary_user(), pytest.raises(UnsupportedSourceError, match="permissions"):
            opened(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match=r"nowhere\.mp4"):
        opened(tmp_path / "nowhere.mp4")


@pytest.mark.parametrize(
    "playlist",
    ["#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:5,\n{target}\n#EXT-X-ENDLIST\n",
     "ffconcat version 1.0\nfile '{target}'\n"],
    ids=["m3u8", "concat"],
)  # fmt: skip
@pytest.mark.parametrize("suffix", [".m3u8", ".ffconcat", ".mp4"])
def test_a_playlist_cannot_open_other_files(tmp_path: Path, playlist: str, suffix: str) -> None:
    target = write_video(tmp_path / "secret.ts", frames=10)
    for reference in (target.name, str(target), f"file:{target}"):
        path = tmp_path / f"list{suffix}"
        path.write_text(playlist.format(target=reference))
        with pytest.raises(UnsupportedSourceError):
            opened(path)


def test_absurd_dimensions_are_refused(tmp_path: Path) -> None:
    wide = write_video(tmp_path / "wide.avi", frames=1, width=17_000, height=16, codec="mjpeg",
                       pix_fmt="yuvj420p")  # fmt: skip
    with pytest.raises(UnsupportedSourceError, match="17000x16"):
        opened(wide)


def test_the_start_is_the_callers_then_the_containers_then_the_names_then_the_files(
    tmp_path: Path,
) -> None:
    tagged = write_video(
        tmp_path / "cam01_20251216_220501.mp4", metadata={"creation_time": "2024-01-02T03:04:05Z"}
    )
    named = write_video(tmp_path / "cam02_20251216_220501.mp4")
    plain = write_video(tmp_path / "plain.mp4")
    os.utime(plain, ns=(10**18, 10**18))
    wanted = int(datetime(2025, 12, 16, 14, 5, 1, tzinfo=UTC).timestamp()) * 10**9
    created = int(datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC).timestamp()) * 10**9
    infos = [opened(tagged, start_ns=7).info, opened(tagged).info, opened(named).info,
             opened(plain).info]  # fmt: skip
    assert [(info.start_ns, info.start_from) for info in infos] == [
        (7, "option"), (created, "container"), (wanted, "file_name"),
        (10**18 - 5 * 10**9, "file_time"),
    ]  # fmt: skip
    assert [frame.time_ns for frame in opened(named).frames()][:2] == [wanted, wanted + 100 * MS]


def test_a_fingerprint_names_the_content_wherever_it_lies(tmp_path: Path) -> None:
    first = write_video(tmp_path / "a.mp4")
    copy = tmp_path / "copy of a.mp4"
    copy.write_bytes(first.read_bytes())
    other = write_video(tmp_path / "b.mp4", first=1)
    assert opened(first).info.fingerprint == opened(copy).info.fingerprint
    assert opened(first).info.fingerprint != opened(other).info.fingerprint


def test_a_position_of_another_picture_is_not_trusted(tmp_path: Path) -> None:
    """When the seek lands on another picture, the decode starts over and skips by number."""
    source = opened(write_video(tmp_path / "a.mp4"))
    whole = [seen(frame) for frame in source.frames()]
    after = Position(index=20, pts_ns=2000 * MS, luma_crc=12345)
    assert [seen(frame) for frame in source.frames(after=after)] == whole[21:]


def test_two_readers_of_one_file_do_not_disturb_each_other(tmp_path: Path) -> None:
    source = opened(write_video(tmp_path / "a.mp4"))
    pairs = list(zip(source.frames(), source.frames(), strict=True))
    assert len(pairs) == 50
    assert all(seen(one) == seen(two) for one, two in pairs)
