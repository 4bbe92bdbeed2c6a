"""What every tracker promises, whichever it is."""

import json
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from video_detective.detection import Detections
from video_detective.tracking import Track, Tracker
from video_detective.tracking.bytetrack import ByteTracker
from video_detective.tracking.iou import IouTracker

STEP_NS = 200_000_000
START_NS = 1_780_000_000_000_000_000
Box = tuple[float, float, float, float]
Seen = tuple[str, float, Box]
MakeTracker = Callable[..., Tracker]


@pytest.fixture(params=[ByteTracker, IouTracker])
def make_tracker(request: pytest.FixtureRequest) -> MakeTracker:
    return request.param


def detections(*seen: Seen) -> Detections:
    """Detections of (class, score, xyxy), in the order given."""
    return Detections(
        boxes=np.array([box for _, _, box in seen], np.float32).reshape(-1, 4),
        scores=np.array([score for _, score, _ in seen], np.float32),
        classes=tuple(name for name, _, _ in seen),
    )


def walker(n: int, *, x: float = 100, y: float = 200, step: float = 12, score: float = 0.9) -> Seen:
    """Someone 40 px wide and 100 px high at their ``n``-th step to the right."""
    left = x + n * step
    return "person", score, (left, y, left + 40, y + 100)


def car(n: int, *, x: float = 60, y: float = 220, name: str = "car", score: float = 0.9) -> Seen:
    left = x + n * 12
    return name, score, (left, y, left + 160, y + 90)


def follow(
    tracker: Tracker, frames: Sequence[Sequence[Seen]], *, start_ns: int = START_NS
) -> list[tuple[Track, ...]]:
    return [
        tracker.update(detections(*seen), start_ns + n * STEP_NS) for n, seen in enumerate(frames)
    ]


def ids(frames: Sequence[tuple[Track, ...]]) -> set[str]:
    return {track.track_id for tracks in frames for track in tracks}


def busy_street(frames: int = 40, seed: int = 5) -> list[list[Seen]]:
    """People and cars that come, go, jitter, are missed and score low now and then."""
    rng = np.random.default_rng(seed)
    scene = []
    for n in range(frames):
        seen = [
            (name, float(score), box)
            for name, score, box in (
                walker(n, score=rng.uniform(0.2, 1)),
                walker(-n, x=520, y=215, score=rng.uniform(0.2, 1)),
                walker(n // 2, x=300, y=400, score=rng.uniform(0.5, 1)),
                car(n, name="bus" if rng.random() < 0.2 else "car", score=rng.uniform(0.3, 1)),
                ("dog", 0.9, (50.0 + 9 * n, 320.0, 90.0 + 9 * n, 350.0)),
            )
            if rng.random() > 0.15
        ]
        scene.append([(name, score, shaken(box, rng)) for name, score, box in seen])
    return scene


def shaken(box: Box, rng: np.random.Generator) -> Box:
    x1, y1, x2, y2 = (float(v) for v in np.array(box) + rng.normal(0, 1.5, 4))
    return x1, y1, x2, y2


def test_nothing_seen_gives_no_tracks(make_tracker: MakeTracker) -> None:
    tracker = make_tracker()
    for n in range(3):
        assert tracker.update(Detections.none(), START_NS + n * STEP_NS) == ()
    assert ids(follow(tracker, [[walker(n)] for n in range(3)], start_ns=START_NS + STEP_NS * 4))


def test_a_walker_keeps_one_id_and_the_box_it_was_seen_in(make_tracker: MakeTracker) -> None:
    frames = follow(make_tracker(), [[walker(n)] for n in range(10)])
    assert ids(frames) == {"p01"}
    (last,) = frames[-1]
    assert last.type == "person"
    assert last.conf == pytest.approx(0.9)
    assert last.bbox == pytest.approx(walker(9)[2])
    assert last.foot == pytest.approx((100 + 9 * 12 + 20, 300))


def test_only_what_is_in_the_frame_is_output(make_tracker: MakeTracker) -> None:
    tracker = make_tracker()
    follow(tracker, [[walker(n), walker(n, y=400)] for n in range(4)])
    assert len(tracker.update(detections(walker(4)), START_NS + 4 * STEP_NS)) == 1
    assert tracker.update(Detections.none(), START_NS + 5 * STEP_NS) == ()


def test_a_short_occlusion_keeps_the_id(make_tracker: MakeTracker) -> None:
    scene = [[] if n in (5, 6, 7) else [walker(n, step=6)] for n in range(14)]
    frames = follow(make_tracker(), scene)
    assert ids(frames) == {"p01"}
    assert frames[8]
    assert not frames[6]


def test_someone_who_comes_back_late_is_someone_else(make_tracker: MakeTracker) -> None:
    tracker = make_tracker(max_lost_s=1.0)
    follow(tracker, [[walker(0)]] * 5)
    later = follow(tracker, [[walker(0)]] * 5, start_ns=START_NS + 4 * STEP_NS + 1_100_000_000)
    assert ids(later) == {"p02"}


def test_the_memory_of_lost_objects_is_in_seconds_not_in_frames(make_tracker: MakeTracker) -> None:
    for between in (0, 1, 30):
        tracker = make_tracker(max_lost_s=2.0)
        follow(tracker, [[walker(0)]] * 5)
        gone_ns = START_NS + 4 * STEP_NS
        for n in range(1, between + 1):
            tracker.update(Detections.none(), gone_ns + n * 1_500_000_000 // (between + 1))
        back = follow(tracker, [[walker(0)]] * 3, start_ns=gone_ns + 1_500_000_000)
        assert ids(back) == {"p01"}


def test_uneven_frame_times_keep_the_id(make_tracker: MakeTracker) -> None:
    rng = np.random.default_rng(3)
    tracker, seconds, seen = make_tracker(), 0.0, set()
    for _ in range(40):
        seconds += rng.uniform(0.03, 0.4)
        tracks = tracker.update(
            detections(walker(0, x=100 + 55 * seconds)), START_NS + round(seconds * 1e9)
        )
        seen |= ids([tracks])
    assert seen == {"p01"}


def test_a_person_in_front_of_a_car_or_on_a_bicycle_is_apart_from_it(
    make_tracker: MakeTracker,
) -> None:
    def rider(n: int) -> list[Seen]:
        left = 100.0 + n * 14
        return [
            ("person", 0.9, (left, 200, left + 60, 300)),
            ("bicycle", 0.8, (left, 210, left + 62, 305)),
        ]

    for scene in (
        [rider(n) for n in range(10)],
        [[walker(0, x=120), car(n, x=20)] for n in range(10)],
    ):
        # One of the two is missed at times: the other must not take its place.
        scene[4], scene[6] = scene[4][:1], scene[6][1:]
        frames = follow(make_tracker(), scene)
        assert ids(frames) == {"p01", "v01"}
        for tracks in frames:
            for track in tracks:
                assert (track.track_id[0] == "p") == (track.type == "person")


def test_two_who_pass_each_other_far_apart_keep_their_ids(make_tracker: MakeTracker) -> None:
    scene = [[walker(n, y=200), walker(-n, x=350, y=300)] for n in range(20)]
    frames = follow(make_tracker(), scene)
    assert ids(frames) == {"p01", "p02"}
    for tracks in frames[1:]:
        feet = {track.track_id: track.foot[1] for track in tracks}
        assert sorted(feet.values()) == [300, 400]
        assert feet == {track.track_id: track.foot[1] for track in frames[-1]}


def test_ids_go_on_from_the_first_unused_numbers(make_tracker: MakeTracker) -> None:
    tracker = make_tracker(next_numbers={"p": 12, "v": 3, "o": 7})
    scene = [
        [walker(n), car(n), ("suitcase", 0.9, (500, 300, 540, 340)), ("cat", 0.9, (9, 9, 50, 40))]
        for n in range(4)
    ]
    assert ids(follow(tracker, scene)) == {"p12", "v03", "o07", "a01"}
    unused = tracker.state()["next_numbers"]
    assert (unused["p"], unused["v"], unused["o"], unused["a"]) == (13, 4, 8, 2)
    after_a_cut = make_tracker(next_numbers=unused)
    again = follow(after_a_cut, scene, start_ns=START_NS + 10 * STEP_NS)
    assert ids(again) == {"p13", "v04", "o08", "a02"}


def test_an_id_is_never_given_twice(make_tracker: MakeTracker) -> None:
    tracker = make_tracker()
    everyone: list[str] = []
    for generation in range(120):
        start_ns = START_NS + generation * 100 * STEP_NS
        new = ids(
            follow(tracker, [[walker(n), walker(n, y=400)] for n in range(3)], start_ns=start_ns)
        )
        assert len(new) == 2
        everyone += sorted(new)
        if generation % 10 == 0:
            restored = make_tracker()
            restored.restore(json.loads(json.dumps(tracker.state())))
            tracker = restored
    assert len(set(everyone)) == len(everyone)
    assert "p07" in everyone
    assert "p240" in everyone


def test_tracks_come_in_order_of_their_numbers(make_tracker: MakeTracker) -> None:
    tracker = make_tracker(next_numbers={"p": 98})
    people = [walker(0, x=10 + 60 * k) for k in range(4)]
    tracks = follow(tracker, [[*people, car(0, y=500)]] * 3)[-1]
    assert [track.track_id for track in tracks] == ["p98", "p99", "p100", "p101", "v01"]


def test_two_cameras_do_not_know_of_each_other(make_tracker: MakeTracker) -> None:
    alone = follow(make_tracker(), busy_street())
    one, other = make_tracker(), make_tracker()
    together = []
    for n, (seen, elsewhere) in enumerate(zip(busy_street(), busy_street(seed=6), strict=True)):
        together.append(one.update(detections(*seen), START_NS + n * STEP_NS))
        other.update(detections(*elsewhere), START_NS + n * STEP_NS // 2)
    assert together == alone


def test_the_same_input_gives_the_same_tracks(make_tracker: MakeTracker) -> None:
    first = follow(make_tracker(), busy_street())
    assert follow(make_tracker(), busy_street()) == first
    assert len(ids(first)) >= 5


def test_the_order_of_detections_does_not_matter(make_tracker: MakeTracker) -> None:
    rng = np.random.default_rng(1)
    scene = busy_street()
    shuffled = [[seen[k] for k in rng.permutation(len(seen))] for seen in scene]
    assert shuffled != scene
    assert follow(make_tracker(), shuffled) == follow(make_tracker(), scene)


def test_the_order_of_equally_sure_detections_does_not_matter(make_tracker: MakeTracker) -> None:
    crowd = [[walker(n, x=70 * k, y=90 * (k % 3)) for k in range(8)] for n in range(4)]
    backwards = [seen[::-1] for seen in crowd]
    assert follow(make_tracker(), backwards) == follow(make_tracker(), crowd)


@pytest.mark.parametrize("stop", [1, 2, 7, 20, 39])
def test_a_restored_tracker_goes_on_exactly(make_tracker: MakeTracker, stop: int) -> None:
    scene = busy_street()
    whole = follow(make_tracker(), scene)
    before = make_tracker()
    first = follow(before, scene[:stop])
    after = make_tracker()
    after.restore(json.loads(json.dumps(before.state())))
    assert after.state() == before.state()
    rest = follow(after, scene[stop:], start_ns=START_NS + stop * STEP_NS)
    assert first + rest == whole


def test_a_saved_state_does_not_change_while_the_tracker_goes_on(make_tracker: MakeTracker) -> None:
    tracker = make_tracker()
    follow(tracker, busy_street(10))
    saved = tracker.state()
    text = json.dumps(saved)
    follow(tracker, busy_street(10), start_ns=START_NS + 10 * STEP_NS)
    assert json.dumps(saved) == text
    tracker.restore(saved)
    follow(tracker, busy_street(10), start_ns=START_NS + 10 * STEP_NS)
    assert json.dumps(saved) == text


def test_a_restored_tracker_gives_no_number_that_was_used_meanwhile(
    make_tracker: MakeTracker,
) -> None:
    interrupted = make_tracker()
    follow(interrupted, [[walker(n)] for n in range(5)])
    resumed = make_tracker(next_numbers={"p": 7, "v": 1})
    resumed.restore(json.loads(json.dumps(interrupted.state())))
    later = START_NS + 5 * STEP_NS
    tracks = follow(
        resumed, [[walker(5 + n), walker(n, x=600, y=20)] for n in range(4)], start_ns=later
    )
    assert ids(tracks) == {"p01", "p07"}


def test_repeated_and_earlier_frames_change_nothing(make_tracker: MakeTracker) -> None:
    scene = busy_street()
    undisturbed = follow(make_tracker(), scene)
    tracker, disturbed = make_tracker(), []
    for n, seen in enumerate(scene):
        now_ns = START_NS + n * STEP_NS
        disturbed.append(tracker.update(detections(*seen), now_ns))
        before = tracker.state()
        assert tracker.update(detections(*seen, walker(0, y=500)), now_ns) == ()
        assert tracker.update(detections(walker(0, y=600)), now_ns - STEP_NS // 2) == ()
        assert tracker.state() == before
    assert disturbed == undisturbed


def test_a_hundred_objects_have_a_hundred_ids(make_tracker: MakeTracker) -> None:
    crowd = [
        [walker(n, x=60 * column, y=120 * row, step=8) for row in range(10) for column in range(10)]
        for n in range(6)
    ]
    frames = follow(make_tracker(), crowd)
    assert [len(tracks) for tracks in frames] == [100] * 6
    assert ids(frames) == {f"p{n:02d}" for n in range(1, 101)}


def test_a_box_without_area_is_no_reason_to_fail(make_tracker: MakeTracker) -> None:
    tracker = make_tracker()
    point: Seen = ("person", 0.9, (50, 50, 50, 50))
    frames = follow(tracker, [[point, walker(n)] for n in range(4)])
    assert walker(3)[2] in [track.bbox for track in frames[-1]]
    json.dumps(tracker.state(), allow_nan=False)
