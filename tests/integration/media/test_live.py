import time
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from tests.servers.mjpeg import HttpCamera
from tests.servers.rtsp import Behaviour, RtspServer
from tests.videos import picture, write_video

from video_detective.errors import SourceLostError, StorageError, UnsupportedSourceError
from video_detective.media.base import Frame, Position
from video_detective.media.clips import extract
from video_detective.media.live import LiveStream
from video_detective.media.recorder import Recorder

MS = 1_000_000
S = 10**9


class Patience:
    """Waits hardly at all, and remembers how long it was asked to."""

    def __init__(self) -> None:
        self.asked: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.asked.append(seconds)
        assert len(self.asked) < 50
        time.sleep(0.005)


def opened(address: str, **options: object) -> LiveStream:
    defaults: dict[str, object] = {
        "clock": time.time_ns, "wait": Patience(), "open_timeout_s": 10, "read_timeout_s": 10,
    }  # fmt: skip
    return LiveStream(address, **(defaults | options))  # type: ignore[arg-type]


def take(stream: LiveStream, count: int, after: Position | None = None) -> list[Frame]:
    """That many frames, then stop."""
    frames: list[Frame] = []
    for frame in stream.frames(after=after):
        frames.append(frame)
        assert frame.bgr.size
        if len(frames) == count:
            stream.stop()
    return frames


def steps_ms(frames: list[Frame]) -> set[float]:
    times = [frame.time_ns for frame in frames]
    return {(b - a) / MS for a, b in pairwise(times)}


def looks_like(frame: Frame, number: int) -> bool:
    return bool(np.abs(frame.bgr.astype(int) - picture(number)).mean() < 8)


def test_a_camera_is_followed_by_its_own_clock_from_the_wall_clock_on() -> None:
    with RtspServer(speed=4) as server:
        stream = opened(server.address, clock=lambda: 10**18)
        frames = take(stream, 40)
    assert [frame.index for frame in frames] == list(range(40))
    assert frames[0].time_ns == stream.info.start_ns == 10**18
    assert steps_ms(frames) == {40}
    assert looks_like(frames[0], 0)
    assert looks_like(frames[39], 39)
    assert (stream.info.live, stream.info.start_from, stream.losses) == (True, "clock", ())
    assert (stream.info.width, stream.info.height) == (160, 120)


def test_a_dropped_connection_is_taken_up_again_and_the_gap_is_kept() -> None:
    with RtspServer(Behaviour(drop_after=30), Behaviour(first=50), speed=4) as server:
        stream = opened(server.address)
        frames = take(stream, 50)
        assert server.connections == 2
    assert [frame.index for frame in frames] == list(range(50))
    assert looks_like(frames[29], 29)
    assert looks_like(frames[30], 50)
    assert all(step > 0 for step in steps_ms(frames))
    assert {loss.reason for loss in stream.losses} == {"gap", "reconnected"}
    assert stream.gaps == ((frames[29].time_ns, frames[30].time_ns),)


def test_waits_between_attempts_grow_to_half_a_minute_and_start_over() -> None:
    refused = [Behaviour(refuse=True)] * 7
    patience = Patience()
    with RtspServer(
        Behaviour(drop_after=20), *refused, Behaviour(drop_after=20), Behaviour(), speed=4
    ) as server:
        take(opened(server.address, wait=patience), 50)
    assert patience.asked == [1, 2, 4, 8, 16, 30, 30, 30, 1]


def test_a_camera_that_falls_silent_is_given_up_after_the_time_out() -> None:
    with RtspServer(Behaviour(stall_after=30), Behaviour(), speed=4) as server:
        stream = opened(server.address, read_timeout_s=0.5)
        begun = time.monotonic()
        frames = take(stream, 40)
        assert time.monotonic() - begun < 8
    assert len(frames) == 40
    assert len(stream.gaps) == 1


@pytest.mark.parametrize("jump_s", [1000, -1, -20_000])
def test_a_leap_of_the_cameras_clock_does_not_move_ours(jump_s: int) -> None:
    with RtspServer(Behaviour(jump_after=30, jump_s=jump_s), speed=4) as server:
        stream = opened(server.address)
        frames = take(stream, 60)
    assert len(frames) == 60
    assert max(steps_ms(frames)) < 1000
    assert min(steps_ms(frames)) > 0
    assert [loss.reason for loss in stream.losses] == ["out_of_order"]


@pytest.mark.parametrize("auth", ["basic", "digest"])
def test_a_password_opens_the_camera_and_a_wrong_one_is_told_without_it(auth: str) -> None:
    with RtspServer(auth=auth, speed=4) as server:
        right = server.address.replace("//", "//admin:s3cret@")
        stream = opened(right)
        assert len(take(stream, 5)) == 5
        wrong = server.address.replace("//", "//admin:wr0ng@")
        with pytest.raises(SourceLostError, match="password refused") as raised:
            opened(wrong)
    for text in (stream.info.name, stream.info.fingerprint, repr(stream), str(stream.losses)):
        assert "s3cret" not in text
    assert "wr0ng" not in repr(raised.value) + str(raised.value)
    assert raised.value.__cause__ is None


def test_a_camera_that_is_not_there_is_an_error_at_the_start() -> None:
    with pytest.raises(SourceLostError, match=r"127\.0\.0\.1:1/x cannot be reached"):
        opened("rtsp://admin:s3cret@127.0.0.1:1/x")


def test_a_restart_goes_on_numbering_and_never_goes_back_in_time() -> None:
    start_ns = 10**18
    with RtspServer(speed=4) as server:
        stream = opened(server.address, start_ns=start_ns, clock=lambda: start_ns + S)
        after = Position(index=99, pts_ns=5 * S, luma_crc=0)
        frames = take(stream, 5, after)
    assert [frame.index for frame in frames] == [100, 101, 102, 103, 104]
    assert frames[0].pts_ns > 5 * S
    assert all(frame.time_ns == start_ns + frame.pts_ns for frame in frames)


def test_a_connection_left_unread_for_long_is_made_anew() -> None:
    """Else every frame would be dated late by the time that the detector took to load."""
    now = [10**18]
    with RtspServer(Behaviour(first=0), Behaviour(first=50), speed=4) as server:
        stream = opened(server.address, clock=lambda: now[0])
        now[0] += 60 * S
        frames = take(stream, 5)
        assert server.connections == 2
    assert frames[0].time_ns == now[0]
    assert looks_like(frames[0], 50)
    assert stream.gaps == ()


def test_evidence_is_cut_out_of_what_was_recorded(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "rec", keep_ns=3600 * S, keep_bytes=10**9)
    with RtspServer(Behaviour(drop_after=60), Behaviour(first=60), speed=4) as server:
        frames = take(opened(server.address, recorder=recorder), 100)
    found = extract(
        recorder.footage(),
        frames=[frame.time_ns for frame in frames],
        clips=[(frames[10].time_ns, frames[80].time_ns)],
    )
    assert [frame.time_ns for frame in frames] == list(found.pictures)
    assert all(np.array_equal(found.pictures[frame.time_ns], frame.bgr) for frame in frames)
    assert found.clips[0] is not None


def test_what_is_still_being_recorded_can_be_cut_already(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "rec", keep_ns=3600 * S, keep_bytes=10**9)
    with RtspServer(speed=8) as server:
        stream = opened(server.address, recorder=recorder)
        frames = []
        for frame in stream.frames():
            frames.append(frame)
            if len(frames) == 90:
                found = extract(recorder.footage(), frames=[frames[20].time_ns])
                stream.stop()
    assert np.array_equal(found.pictures[frames[20].time_ns], frames[20].bgr)


def test_old_recordings_are_deleted_by_age_and_by_size(tmp_path: Path) -> None:
    by_age = Recorder(tmp_path / "age", keep_ns=15 * S, keep_bytes=10**9)
    by_size = Recorder(tmp_path / "size", keep_ns=3600 * S, keep_bytes=1)
    for recorder in (by_age, by_size):
        with RtspServer(rate=2, speed=100, count=100) as server:
            take(opened(server.address, recorder=recorder), 100)
    starts = [piece.start_ns for piece in by_age.footage().pieces]
    assert 2 <= len(starts) <= 3
    assert len(by_size.footage().pieces) == 2, "the one being written and the one before"


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(StorageError, match="taken"):
        Recorder(tmp_path / "taken" / "rec", keep_ns=S, keep_bytes=1)


def test_a_motion_jpeg_camera_is_timed_by_arrival_and_taken_up_again(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "rec", keep_ns=3600 * S, keep_bytes=10**9)
    with HttpCamera(pictures=20, pause_s=0.02) as camera:
        stream = opened(camera.address(), recorder=recorder)
        begun = time.time_ns()
        frames = take(stream, 30)
        took_ns = time.time_ns() - begun
    assert len(frames) == 30
    assert frames[-1].time_ns - frames[0].time_ns <= took_ns + S
    assert looks_like(frames[0], 0)
    assert len(stream.gaps) == 1
    assert recorder.footage().pieces


def test_a_recording_served_over_http_ends_with_its_end(tmp_path: Path) -> None:
    write_video(tmp_path / "a.mp4", options={"movflags": "+faststart"})
    with HttpCamera(folder=tmp_path) as camera:
        stream = opened(camera.address("a.mp4"))
        frames = list(stream.frames())
    assert len(frames) == 50
    assert steps_ms(frames) == {100}
    assert stream.losses == ()


def test_a_playlist_on_the_network_cannot_open_local_files(tmp_path: Path) -> None:
    secret = write_video(tmp_path / "secret.ts", frames=10)
    (tmp_path / "list.m3u8").write_text(
        f"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:1,\nfile://{secret}\n#EXT-X-ENDLIST\n"
    )
    with (
        HttpCamera(folder=tmp_path) as camera,
        pytest.raises((SourceLostError, UnsupportedSourceError)),
    ):
        opened(camera.address("list.m3u8"))


def test_an_address_that_answers_without_video_is_refused(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("<html>hello</html>" * 100)
    assert cv2.imwrite(str(tmp_path / "unused.png"), picture(0))
    with HttpCamera(folder=tmp_path) as camera, pytest.raises(SourceLostError):
        opened(camera.address("page.html"))
