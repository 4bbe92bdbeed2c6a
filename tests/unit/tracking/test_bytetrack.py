"""What ByteTrack does beyond what every tracker promises."""

import json

import numpy as np
import pytest

from video_detective.detection import Detections
from video_detective.tracking import Track
from video_detective.tracking.bytetrack import ByteTracker

STEP_NS = 200_000_000
Seen = tuple[str, float, tuple[float, float, float, float]]


def detections(*seen: Seen) -> Detections:
    return Detections(
        boxes=np.array([box for _, _, box in seen], np.float32).reshape(-1, 4),
        scores=np.array([score for _, score, _ in seen], np.float32),
        classes=tuple(name for name, _, _ in seen),
    )


def person(x: float, *, y: float = 200, score: float = 0.9) -> Seen:
    return "person", score, (x, y, x + 40, y + 100)


def follow(
    tracker: ByteTracker, *frames: list[Seen], step_ns: int = STEP_NS
) -> list[tuple[Track, ...]]:
    return [tracker.update(detections(*seen), n * step_ns) for n, seen in enumerate(frames)]


def ids(frames: list[tuple[Track, ...]]) -> list[list[str]]:
    return [[track.track_id for track in tracks] for tracks in frames]


def test_a_weak_detection_continues_a_track() -> None:
    frames = [[person(100 + 10 * n, score=0.2 if n in (4, 5, 7) else 0.9)] for n in range(9)]
    assert ids(follow(ByteTracker(), *frames)) == [["p01"]] * 9


def test_weak_and_middling_detections_never_begin_a_track() -> None:
    for score in (0.1, 0.3, 0.5):
        assert ids(follow(ByteTracker(), *[[person(100, score=score)]] * 8)) == [[]] * 8


def test_a_weak_detection_does_not_bring_back_what_was_lost() -> None:
    frames = [[person(100)]] * 3 + [[]] * 4 + [[person(100, score=0.3)]] * 2 + [[person(100)]]
    assert ids(follow(ByteTracker(), *frames))[7:] == [[], [], ["p01"]]


def test_a_track_has_its_id_from_its_second_sure_detection_on() -> None:
    frames = [[person(100 + 10 * n, score=0.7)] for n in range(3)]
    assert ids(follow(ByteTracker(), *frames)) == [[], ["p01"], ["p01"]]


def test_a_certain_detection_has_its_id_at_once() -> None:
    assert ids(follow(ByteTracker(), [person(100, score=0.95)])) == [["p01"]]


def test_a_weak_detection_does_not_confirm() -> None:
    frames = [[person(100, score=0.7)], [person(101, score=0.3)], [person(102, score=0.7)]]
    assert ids(follow(ByteTracker(), *frames)) == [[], [], ["p01"]]


def test_a_false_alarm_takes_no_number() -> None:
    frames = [[person(100, score=0.7)], [], [], [], [person(500, score=0.7)], [person(500)]]
    assert ids(follow(ByteTracker(), *frames))[-1] == ["p01"]


def test_tracks_are_confirmed_at_one_frame_a_second() -> None:
    frames = [[person(100 + 15 * n, score=0.7)] for n in range(4)]
    found = ids(follow(ByteTracker(), *frames, step_ns=1_000_000_000))
    assert found == [[], ["p01"], ["p01"], ["p01"]]


def test_a_car_taken_for_a_bus_now_and_then_stays_a_car_with_one_id() -> None:
    names = ["car", "car", "bus", "car", "truck", "bus", "car", "car"]
    frames: list[list[Seen]] = [
        [(name, 0.9, (10.0 * n, 100, 10.0 * n + 160, 190))] for n, name in enumerate(names)
    ]
    tracks = [track for tracks in follow(ByteTracker(), *frames) for track in tracks]
    assert {(track.track_id, track.type) for track in tracks} == {("v01", "car")}
    assert len(tracks) == len(names)


def test_a_class_seen_more_surely_wins() -> None:
    box = (100.0, 100.0, 260.0, 190.0)
    frames: list[list[Seen]] = [[("truck", 0.6, box)], [("car", 0.55, box)], [("car", 0.95, box)]]
    last = follow(ByteTracker(), *frames)[-1]
    assert [track.type for track in last] == ["car"]


def test_the_foot_point_is_the_detections_own() -> None:
    rng = np.random.default_rng(2)
    frames = [[person(100 + 12 * n + rng.normal(0, 3))] for n in range(20)]
    for seen, tracks in zip(frames, follow(ByteTracker(), *frames), strict=True):
        x1, _, x2, y2 = np.array(seen[0][2], np.float32).tolist()
        assert [track.foot for track in tracks] == [((x1 + x2) / 2, y2)]


def test_one_who_walks_behind_a_post_comes_out_with_the_same_id() -> None:
    # 0.8 s unseen while walking at 1 height a second: the last box and the new one do not touch.
    frames = [[] if 8 <= n < 12 else [person(100 + 20 * n)] for n in range(20)]
    found = ids(follow(ByteTracker(), *frames))
    assert found[7] == found[12] == found[19] == ["p01"]


def test_two_who_cross_at_different_depths_keep_their_ids() -> None:
    frames = []
    for n in range(24):
        near, far = person(80 + 12 * n, y=230), person(380 - 12 * n, y=205, score=0.9)
        # In the middle the nearer one hides the other.
        frames.append([near] if abs(80 + 24 * n - 380) < 50 else [near, far])
    tracks = follow(ByteTracker(), *frames)
    feet = [{track.track_id: track.foot[1] for track in found} for found in (tracks[2], tracks[-1])]
    assert feet[0] == feet[1]
    assert len(feet[0]) == 2


def test_half_a_person_behind_a_counter_is_the_whole_person_later() -> None:
    def half(x: float) -> Seen:
        return "person", 0.6, (x, 200, x + 40, 250)

    frames = [[half(100 + 8 * n) if n in (6, 7) else person(100 + 8 * n)] for n in range(14)]
    assert ids(follow(ByteTracker(), *frames))[-1] == ["p01"]


@pytest.mark.parametrize("fps", [3.3, 5.0, 10.0, 25.0])
def test_a_car_that_comes_near_keeps_its_id_while_it_grows(fps: float) -> None:
    found = set()
    tracker = ByteTracker()
    for n in range(int(4 * fps)):
        height = 40 * np.exp(0.5 * n / fps)
        box = (400 - height, 200 - height / 2, 400 + height, 200 + height / 2)
        tracks = tracker.update(detections(("car", 0.9, box)), round(n / fps * 1e9))
        found |= {track.track_id for track in tracks}
    assert found == {"v01"}


@pytest.mark.parametrize("fps", [3.3, 5.0, 10.0, 25.0])
def test_one_who_paces_to_and_fro_keeps_the_id(fps: float) -> None:
    found = set()
    tracker = ByteTracker()
    for n in range(int(12 * fps)):
        phase = n / fps % 4
        tracks = tracker.update(
            detections(person(200 + 80 * min(phase, 4 - phase))), round(n / fps * 1e9)
        )
        found |= {track.track_id for track in tracks}
    assert found == {"p01"}


def test_the_state_is_plain_json_with_the_next_numbers() -> None:
    tracker = ByteTracker(next_numbers={"p": 5})
    follow(tracker, *[[person(100), person(300, score=0.7)]] * 2)
    state = json.loads(json.dumps(tracker.state(), allow_nan=False))
    assert state == tracker.state()
    assert state["next_numbers"] == {"p": 7, "v": 1, "a": 1, "o": 1, "f": 1}
