"""Line crossing: what counts as going over a tripwire."""

import pytest
from tests.rule_scenes import (
    FENCE,
    SIZE,
    after_start,
    events,
    film,
    ns,
    scene,
    track,
    whats,
)

from video_detective.rules import Observation, Tripwire
from video_detective.rules.parameters import LineCrossing

ANY = LineCrossing(id="cross", tripwire="fence", cooldown_s=0)


def steps(*feet, step_s=0.2, track_id="p1"):
    """One observation for each foot."""
    return [
        Observation(time_ns=ns(i * step_s), frame=i, size=SIZE, tracks=(track(track_id, foot),))
        for i, foot in enumerate(feet)
    ]


def directions(found):
    return [event.facts["direction"] for event in found]


def test_a_foot_that_goes_down_over_a_line_drawn_to_the_right_goes_left_to_right():
    # Standing at the left end and looking right, the upper half of the picture is the left hand.
    (event,) = events(scene(ANY), steps((0.5, 0.4), (0.5, 0.6)))
    assert event.type == "line_crossing"
    assert event.facts["direction"] == "left_to_right"
    assert event.facts["direction_name"] == "in"


def test_the_way_back_is_right_to_left():
    (event,) = events(scene(ANY), steps((0.5, 0.6), (0.5, 0.4)))
    assert event.facts["direction"] == "right_to_left"
    assert event.facts["direction_name"] == "out"


def test_a_line_drawn_the_other_way_turns_the_directions_round():
    turned = Tripwire(id="fence", name="Fence", points=FENCE.points[::-1])
    (event,) = events(scene(ANY, tripwires=(turned,)), steps((0.5, 0.4), (0.5, 0.6)))
    assert event.facts["direction"] == "right_to_left"


def test_the_event_is_the_instant_of_passing_the_line_with_both_observations_as_evidence():
    (event,) = events(scene(ANY), steps((0.5, 0.2), (0.5, 0.3), (0.5, 0.7), (0.5, 0.8)))
    assert event.start_ns == event.end_ns == ns(0.3)
    assert event.established_ns == ns(0.4)
    assert event.facts["crossed_at"] == "2026-03-02T12:00:00.300000Z"
    assert event.facts["point"] == pytest.approx([0.5, 0.5])
    assert whats(event) == ["before", "crossed"]
    assert [moment.frame for moment in event.moments] == [1, 2]
    assert event.moments[0].foot == pytest.approx((0.5, 0.3))
    assert event.frames == (1, 2)
    assert [actor.track_id for actor in event.actors] == ["p1"]
    assert (event.rule_id, event.tripwire, event.zone) == ("cross", "fence", None)


@pytest.mark.parametrize("x", [0.1, 0.19, 0.81, 0.95])
def test_passing_beside_the_segment_is_no_crossing_though_the_infinite_line_is_passed(x):
    assert events(scene(ANY), steps((x, 0.4), (x, 0.6), (x, 0.4))) == []


def test_a_way_round_the_end_of_the_line_is_no_crossing():
    assert events(scene(ANY), steps((0.3, 0.4), (0.1, 0.45), (0.1, 0.55), (0.3, 0.6))) == []


def test_only_the_watched_direction_counts():
    there_and_back = steps((0.5, 0.4), (0.5, 0.6), (0.5, 0.4))
    inward = LineCrossing(id="in", tripwire="fence", direction="left_to_right", cooldown_s=0)
    outward = LineCrossing(id="out", tripwire="fence", direction="right_to_left", cooldown_s=0)
    assert directions(events(scene(inward), there_and_back)) == ["left_to_right"]
    assert directions(events(scene(outward), there_and_back)) == ["right_to_left"]


def test_jitter_on_the_line_counts_once():
    feet = [(0.5, 0.4), *[(0.5, 0.5 + 0.008 * (-1) ** i) for i in range(21)], (0.5, 0.6)]
    assert directions(events(scene(ANY), steps(*feet))) == ["left_to_right"]


def test_standing_on_the_line_and_jittering_counts_nothing():
    feet = [(0.5, 0.5 + 0.008 * (-1) ** i) for i in range(40)]
    assert events(scene(ANY), steps(*feet)) == []


def test_turning_back_on_the_line_counts_nothing():
    for turn in (0.495, 0.5, 0.505):
        assert events(scene(ANY), steps((0.5, 0.4), (0.5, turn), (0.5, 0.4))) == []


def test_a_slow_crossing_counts_when_it_is_beyond_the_line_by_the_hysteresis():
    feet = [(0.5, 0.48 + 0.002 * i) for i in range(21)]
    (event,) = events(scene(ANY), steps(*feet))
    assert after_start(event.start_ns) == pytest.approx(2.0)
    assert event.established_ns >= ns(3.0)


def test_observations_too_far_apart_give_no_crossing():
    assert events(scene(ANY), steps((0.5, 0.4), (0.5, 0.6), step_s=2.1)) == []
    assert len(events(scene(ANY), steps((0.5, 0.4), (0.5, 0.6), step_s=2.0))) == 1


def test_a_crossing_begun_before_a_gap_is_settled_after_it_on_the_far_side():
    observations = [*steps((0.5, 0.4), (0.5, 0.505))]
    late = Observation(time_ns=ns(5), frame=9, size=SIZE, tracks=(track("p1", (0.5, 0.7)),))
    (event,) = events(scene(ANY), [*observations, late])
    assert event.end_ns is not None
    assert event.end_ns < ns(0.2)


BENT = Tripwire(id="fence", name="Bent", points=((0.2, 0.5), (0.5, 0.5), (0.5, 0.2)))
STRAIGHT = Tripwire(id="fence", name="Straight", points=((0.2, 0.5), (0.5, 0.5), (0.8, 0.5)))


@pytest.mark.parametrize("wire", [BENT, STRAIGHT])
@pytest.mark.parametrize("middle", [[], [(0.5, 0.5)], [(0.49, 0.49), (0.5, 0.5), (0.51, 0.51)]])
def test_a_way_exactly_through_a_joint_counts_once(wire, middle):
    found = events(scene(ANY, tripwires=(wire,)), steps((0.4, 0.4), *middle, (0.6, 0.6)))
    assert directions(found) == ["left_to_right"]


def test_touching_a_corner_from_outside_counts_nothing():
    corner = Tripwire(id="fence", name="Corner", points=((0.3, 0.7), (0.5, 0.5), (0.7, 0.7)))
    assert events(scene(ANY, tripwires=(corner,)), steps((0.3, 0.5), (0.7, 0.5))) == []
    assert events(scene(ANY, tripwires=(corner,)), steps((0.3, 0.4), (0.5, 0.5), (0.7, 0.4))) == []


def test_one_step_over_both_arms_of_a_bent_line_is_two_crossings():
    arms = Tripwire(id="fence", name="U", points=((0.3, 0.2), (0.3, 0.8), (0.7, 0.8), (0.7, 0.2)))
    found = events(scene(ANY, tripwires=(arms,)), steps((0.1, 0.5), (0.9, 0.5)))
    assert directions(found) == ["right_to_left", "left_to_right"]


def test_cooldown_is_per_track_and_what_it_suppresses_is_counted():
    rule = LineCrossing(id="cross", tripwire="fence", cooldown_s=10)
    ways = {
        "p1": [(0, 0.4, 0.4), (2, 0.4, 0.6), (4, 0.4, 0.4), (6, 0.4, 0.6), (14, 0.4, 0.4)],
        "p2": [(0, 0.6, 0.4), (3, 0.6, 0.6)],
    }
    found = events(scene(rule), film(ways, until=14))
    assert [event.actors[0].track_id for event in found] == ["p1", "p2"]
    assert found[0].facts["suppressed"] == 3
    assert "suppressed" not in found[1].facts


def test_classes_that_are_not_watched_are_not_seen():
    assert events(scene(ANY), steps((0.5, 0.4), (0.5, 0.6), track_id="v1")) == []


def test_a_track_unseen_for_long_is_a_new_one():
    observations = [
        *steps((0.5, 0.4)),
        *[Observation(time_ns=ns(t), frame=t, size=SIZE, tracks=()) for t in range(1, 90)],
        Observation(time_ns=ns(90), frame=90, size=SIZE, tracks=(track("p1", (0.5, 0.6)),)),
    ]
    assert events(scene(ANY), observations) == []
