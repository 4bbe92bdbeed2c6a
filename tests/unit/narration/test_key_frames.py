"""Which frames a model is shown, and how pictures are measured and made small."""

from itertools import pairwise

import cv2
import numpy as np
import pytest
from tests.told_scenes import START_NS, intrusion, ns, person, picture, samples

from video_detective.geometry import NS_PER_S, Image
from video_detective.narration.keyframes import (
    MOST_NOMINATED,
    Candidate,
    Sample,
    choose,
    nominate,
)
from video_detective.narration.pictures import (
    LONGEST_SIDE,
    candidate,
    candidates,
    key_frame,
    sharpness,
)
from video_detective.rules import Moment


def seen(
    seconds: float,
    *,
    sharp: float = 100.0,
    size: float = 0.05,
    tracks: tuple[str, ...] = ("p12",),
    moments: tuple[Moment, ...] = (),
) -> Candidate:
    return Candidate(
        time_ns=ns(seconds),
        frame=round(seconds * 10),
        sharpness=sharp,
        sizes=dict.fromkeys(tracks, size),
        moments=moments,
    )


def moment(seconds: float, what: str) -> Moment:
    return Moment(time_ns=ns(seconds), frame=round(seconds * 10), what=what, track_ids=("p12",))


def at(chosen: tuple[Candidate, ...]) -> list[float]:
    return [(one.time_ns - START_NS) / NS_PER_S for one in chosen]


def test_moments_of_the_rule_come_before_sharper_frames() -> None:
    pool = [seen(s, sharp=900, size=0.2) for s in (0, 5, 10, 15, 20)]
    pool += [seen(7, sharp=30, size=0.01, moments=(moment(7, "crossed"),))]
    assert 7.0 in at(choose(pool, most=1))


def test_a_crossing_is_preferred_to_when_a_track_was_last_seen() -> None:
    pool = [
        seen(3, moments=(moment(3, "last_seen"),)),
        seen(9, moments=(moment(9, "crossed"),)),
    ]
    assert at(choose(pool, most=1)) == [9.0]


def test_a_blurred_moment_is_shown_by_the_sharp_frame_beside_it() -> None:
    crossing = moment(5, "crossed")
    pool = [
        seen(4.8, sharp=200, moments=(crossing,)),
        seen(5, sharp=5, moments=(crossing,)),
        seen(5.4, sharp=150, moments=(crossing,)),
    ]
    assert at(choose(pool, most=1)) == [4.8]


def test_a_moment_that_is_sharp_enough_is_shown_itself_and_once() -> None:
    crossing = moment(5, "crossed")
    pool = [seen(s, sharp=95 + s, moments=(crossing,)) for s in (4.8, 5.0, 5.2)]
    assert at(choose(pool, most=3)) == [5.0]


def test_of_frames_alike_the_larger_and_the_sharper_are_shown() -> None:
    assert at(choose([seen(1, size=0.02), seen(1.5, size=0.2)], most=1)) == [1.5]
    assert at(choose([seen(1, sharp=10), seen(1.5, sharp=500)], most=1)) == [1.5]


def test_frames_are_spread_over_the_event() -> None:
    pool = [seen(s / 5, sharp=100 + s % 7) for s in range(301)]
    times = at(choose(pool, most=12, least=5))
    assert len(times) == 12
    assert max(b - a for a, b in pairwise(times)) < 2 * 60 / 11


def test_a_short_event_is_shown_in_five_frames_although_they_are_close() -> None:
    pool = [seen(s / 5) for s in range(11)]
    assert len(choose(pool, most=12)) < 5
    assert len(choose(pool, most=12, least=5)) >= 5


def test_no_candidates_are_no_frames() -> None:
    assert choose([], most=12, least=5) == ()


def test_frames_worth_decoding_include_every_moment_in_order() -> None:
    event = intrusion()
    found = nominate(event, samples()[::-1])
    times = [sample.time_ns for sample in found]
    assert times == sorted(set(times))
    assert {moment.time_ns for moment in event.moments} <= set(times)
    assert len(found) <= MOST_NOMINATED
    assert max(b - a for a, b in pairwise(times)) < 4 * NS_PER_S


def test_an_event_without_tracks_is_shown_at_its_moments() -> None:
    event = intrusion(seconds=10)
    assert [sample.time_ns for sample in nominate(event, ())] == [ns(0), ns(1), ns(10)]


def test_frames_far_from_the_event_are_not_decoded() -> None:
    far = Sample(time_ns=ns(500), frame=2500, tracks=(person("p12", 0.5),))
    assert far not in nominate(intrusion(), (*samples(), far))


def test_a_crowd_of_moments_is_thinned_evenly() -> None:
    moments = tuple(moment(s, "entered") for s in range(200))
    event = intrusion(seconds=199, moments=moments)
    found = nominate(event, (), most=12)
    assert len(found) == 12
    assert (found[0].time_ns, found[-1].time_ns) == (ns(0), ns(199))


def test_a_frame_before_the_line_does_not_stand_for_the_one_behind_it() -> None:
    moments = (moment(5, "before"), moment(5.2, "crossed"))
    event = intrusion(moments=moments)
    shown = [
        candidate(event, Sample(time_ns=ns(s), frame=0), picture(1)).moments
        for s in (5.0, 5.2, 5.4, 6.0)
    ]
    assert shown == [(moments[0],), (moments[1],), (moments[1],), ()]


def test_only_frames_whose_picture_was_found_are_measured() -> None:
    event = intrusion()
    found = nominate(event, samples())
    some = {sample.time_ns: picture(sample.time_ns) for sample in found[::2]}
    assert [one.time_ns for one in candidates(event, found, some)] == sorted(some)


def detailed(height: int = 400, width: int = 600) -> Image:
    rng = np.random.default_rng(7)
    return rng.integers(0, 255, (height, width, 3), dtype=np.uint8)


def test_a_blurred_picture_is_less_sharp() -> None:
    image = picture(1)
    blurred = np.asarray(cv2.GaussianBlur(image, (0, 0), 3), dtype=np.uint8)
    assert sharpness(blurred) < sharpness(image) / 5
    assert sharpness(np.full((90, 160, 3), 80, np.uint8)) == 0


def test_sharpness_is_that_of_the_boxes() -> None:
    image = np.full((400, 600, 3), 80, np.uint8)
    image[100:300, 300:500] = detailed(200, 200)
    assert sharpness(image, [(300, 100, 500, 300)]) > 5 * sharpness(image)
    assert sharpness(image, [(0, 0, 200, 80)]) == 0


@pytest.mark.parametrize("box", [(-50, -50, -10, -10), (700, 500, 800, 600), (10, 10, 12, 12)])
def test_boxes_outside_or_too_small_do_not_hide_the_picture(
    box: tuple[float, float, float, float],
) -> None:
    image = detailed()
    assert sharpness(image, [box]) == sharpness(image)


def test_sizes_are_shares_of_the_picture_of_the_tracks_that_take_part() -> None:
    sample = Sample(time_ns=ns(3), frame=1, tracks=(person("p12", 0.5), person("p13", 0.2)))
    found = candidate(intrusion(), sample, np.zeros((360, 640, 3), np.uint8))
    assert found.sizes == {"p12": pytest.approx(30 * 144 / (640 * 360))}


def test_a_large_picture_goes_out_small_with_its_boxes() -> None:
    sample = Sample(time_ns=ns(3), frame=1, tracks=(person("p12", 0.5),))
    image = np.zeros((2160, 3840, 3), np.uint8)
    found = candidate(intrusion(), sample, image)
    frame = key_frame("f1", found, sample, image)
    decoded = cv2.imdecode(np.frombuffer(frame.jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert decoded is not None
    assert frame.size == (decoded.shape[1], decoded.shape[0]) == (LONGEST_SIDE, 576)
    scale = LONGEST_SIDE / 3840
    assert frame.tracks[0].bbox == pytest.approx([v * scale for v in sample.tracks[0].bbox])
    assert frame.tracks[0].track_id == "p12"


def test_a_small_picture_goes_out_as_it_is() -> None:
    sample = Sample(time_ns=ns(3), frame=1, tracks=(person("p12", 0.5),))
    frame = key_frame("f1", candidate(intrusion(), sample, picture(1)), sample, picture(1))
    assert frame.size == (640, 360)
    assert frame.tracks == sample.tracks
