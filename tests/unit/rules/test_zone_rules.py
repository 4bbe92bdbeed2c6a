"""Intrusion, loitering and pacing: what tracks do in a zone."""

import pytest
from tests.rule_scenes import (
    SIZE,
    after_start,
    events,
    film,
    ns,
    scene,
    track,
    versions,
    whats,
)

from video_detective.rules import Observation, RuleEngine
from video_detective.rules.parameters import Intrusion, Loitering, Pacing

YARD_RULE = Intrusion(id="yard", zone="yard", enter_s=1.0, exit_s=1.0)
IN_AND_OUT = {"p1": [(0, 0.1, 0.5), (10, 0.9, 0.5)]}
"""Crosses the yard from 1.25 s to 8.75 s."""


def spans(found):
    return [(after_start(event.start_ns), after_start(event.end_ns)) for event in found]


def test_intrusion_spans_the_first_to_the_last_observation_inside():
    (event,) = events(scene(YARD_RULE), film(IN_AND_OUT, until=12))
    assert event.type == "intrusion"
    assert spans([event]) == [(1.4, 8.6)]
    assert after_start(event.established_ns) == 2.4
    assert event.frames == (7, 43)
    assert event.facts == {"dwell_s": 7.2, "ended": "left"}
    assert whats(event) == ["entered", "established", "left"]
    assert event.risk_level == "high"
    assert event.zone == "yard"


def test_an_intrusion_is_open_from_when_it_is_established_until_it_ends():
    seen = versions(RuleEngine(scene(YARD_RULE)), film(IN_AND_OUT, until=12))
    assert [after_start(event.end_ns) for event in seen] == [None, 8.6]
    assert len({event.event_id for event in seen}) == 1


def test_a_visit_shorter_than_enter_s_is_no_intrusion():
    ways = {"p1": [(0, 0.1, 0.5), (1, 0.15, 0.5), (1.1, 0.3, 0.5), (1.8, 0.3, 0.5), (2, 0.1, 0.5)]}
    assert events(scene(YARD_RULE), film(ways, until=4)) == []


def test_one_observation_outside_breaks_the_row_before_it_is_established():
    feet = [0.3, 0.3, 0.3, 0.1, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3]
    observations = [
        Observation(time_ns=ns(i / 5), frame=i, size=SIZE, tracks=(track("p1", (x, 0.5)),))
        for i, x in enumerate(feet)
    ]
    (event,) = events(scene(YARD_RULE), observations)
    assert after_start(event.start_ns) == 0.8


def test_a_track_that_flickers_is_not_left():
    gaps = {"p1": [(2.0, 2.8), (4.0, 4.6), (5.0, 5.8)]}
    (event,) = events(scene(YARD_RULE), film(IN_AND_OUT, until=12, hidden=gaps))
    assert spans([event]) == [(1.4, 8.6)]


def test_a_short_step_outside_does_not_end_an_intrusion():
    ways = {
        "p1": [(0, 0.3, 0.5), (3, 0.3, 0.5), (3.01, 0.1, 0.5), (3.8, 0.1, 0.5), (3.81, 0.3, 0.5),
               (8, 0.3, 0.5)],
    }  # fmt: skip
    (event,) = events(scene(YARD_RULE), film(ways, until=8))
    assert spans([event]) == [(0.0, 8.0)]


def test_a_track_that_disappears_inside_has_left_at_its_last_observation_inside():
    ways = {"p1": [(0, 0.5, 0.5), (5, 0.5, 0.5)]}
    (event,) = events(scene(YARD_RULE), film(ways, until=8), finish=False)
    assert spans([event]) == [(0.0, 5.0)]
    assert event.facts["ended"] == "vanished"
    assert whats(event)[-1] == "last_seen"


def test_entering_and_leaving_can_be_counted_in_frames():
    rule = Intrusion(id="yard", zone="yard", enter_frames=5, exit_frames=5)
    (event,) = events(scene(rule), film(IN_AND_OUT, until=12))
    assert after_start(event.established_ns) == 2.2
    assert spans([event]) == [(1.4, 8.6)]
    brief = {"p1": [(0, 0.1, 0.5), (0.2, 0.1, 0.5), (0.4, 0.5, 0.5), (1.0, 0.5, 0.5),
                    (1.2, 0.1, 0.5), (2, 0.1, 0.5)]}  # fmt: skip
    assert events(scene(rule), film(brief, until=3)) == []


def test_the_end_of_the_source_ends_an_intrusion_at_its_last_observation():
    (event,) = events(scene(YARD_RULE), film(IN_AND_OUT, until=5))
    assert spans([event]) == [(1.4, 5.0)]
    assert event.facts["ended"] == "source_end"


def test_membership_depends_on_the_foot_and_not_on_the_box():
    beside = track("p1", (0.15, 0.5))
    wide = beside.bbox[0] - 200, beside.bbox[1], beside.bbox[2] + 200, beside.bbox[3]
    below = track("p2", (0.5, 1.1))  # the box reaches into the picture, the foot is beneath it
    observations = [
        Observation(
            time_ns=ns(i / 5),
            frame=i,
            size=SIZE,
            tracks=(type(beside)(track_id="p1", type="person", conf=0.9, bbox=wide), below),
        )
        for i in range(20)
    ]
    everywhere = Intrusion(id="all", zone="all")
    assert events(scene(YARD_RULE), observations) == []
    assert [e.actors[0].track_id for e in events(scene(everywhere), observations)] == ["p1"]


def test_a_zone_drawn_to_the_edge_holds_feet_that_the_detector_clipped_to_it():
    ways = {"p1": [(0, 0.5, 1.0), (3, 0.5, 1.0)]}
    found = events(scene(Intrusion(id="all", zone="all")), film(ways, until=3))
    assert spans(found) == [(0.0, 3.0)]


LOITER = Loitering(id="loiter", zone="yard", min_seconds=20, max_speed_px_s=15)


def test_standing_in_the_zone_for_min_seconds_is_loitering():
    ways = {"p1": [(0, 0.5, 0.5), (30, 0.5, 0.5), (31, 0.5, 0.1), (40, 0.5, 0.1)]}
    (event,) = events(scene(LOITER), film(ways, until=40))
    assert event.type == "loitering"
    assert after_start(event.established_ns) == 20.0
    assert spans([event]) == [(0.0, 30.6)]
    assert event.facts["dwell_s"] == 30.6
    assert event.facts["window_speed_px_s"] == 0.0
    assert event.facts["average_speed_px_s"] <= 15


def test_leaving_just_before_min_seconds_is_no_loitering():
    ways = {"p1": [(0, 0.5, 0.5), (19.8, 0.5, 0.5)]}
    assert events(scene(LOITER), film(ways, until=25)) == []


@pytest.mark.parametrize(("speed_px_s", "count"), [(14, 1), (16, 0)])
def test_speed_is_in_pixels_of_the_reference_picture(speed_px_s, count):
    step = 25 * speed_px_s / 1280
    ways = {"p1": [(0, 0.3, 0.5), (25, 0.3 + step, 0.5)]}
    for size in ((1280, 720), (640, 360), (3840, 2160)):
        found = events(scene(LOITER), film(ways, until=25, size=size))
        assert len(found) == count
        assert all(e.facts["average_speed_px_s"] == speed_px_s for e in found)


def test_a_relative_speed_limit_replaces_the_one_in_pixels():
    rule = Loitering(id="loiter", zone="yard", max_speed_px_s=1, max_speed=14.5 / 720)
    ways = {"p1": [(0, 0.3, 0.5), (25, 0.3 + 25 * 14 / 1280, 0.5)]}
    assert len(events(scene(rule), film(ways, until=25))) == 1


@pytest.mark.parametrize("fps", [2, 5, 10, 25])
def test_jitter_of_boxes_is_not_walking_at_any_frame_rate(fps):
    observations = []
    for i in range(round(25 * fps) + 1):
        wobble = (((i * 7919) % 13) - 6) / 6 * 0.004
        foot = (0.5 + wobble, 0.5 - wobble)
        observations.append(
            Observation(time_ns=ns(i / fps), frame=i, size=SIZE, tracks=(track("p1", foot),))
        )
    (event,) = events(scene(LOITER), observations)
    assert after_start(event.established_ns) == 20.0


def test_who_hurries_in_and_then_stands_loiters_min_seconds_after_coming_to_rest():
    ways = {"p1": [(0, 0.25, 0.5), (5, 0.75, 0.5), (40, 0.75, 0.5)]}  # 128 px/s, then still
    (event,) = events(scene(LOITER), film(ways, until=40))
    # The window may hold 300 px of the hurry: the last 2.3 s of it, on the one-second grid 2.
    assert after_start(event.established_ns) == 23.0
    assert after_start(event.start_ns) == 0.0


def test_min_seconds_can_differ_by_class():
    rule = Loitering(
        id="loiter", zone="yard", classes=("person", "car"), min_seconds={"person": 5, "car": 10}
    )
    ways = {"p1": [(0, 0.4, 0.5), (12, 0.4, 0.5)], "v1": [(0, 0.6, 0.5), (12, 0.6, 0.5)]}
    found = events(scene(rule), film(ways, until=12))
    assert {e.actors[0].track_id: after_start(e.established_ns) for e in found} == {
        "p1": 5.0,
        "v1": 10.0,
    }


def test_occlusion_shorter_than_exit_s_does_not_begin_the_stay_anew():
    ways = {"p1": [(0, 0.5, 0.5), (25, 0.5, 0.5)]}
    gaps = {"p1": [(5, 5.8), (15, 15.8)]}
    (event,) = events(scene(LOITER), film(ways, until=25, hidden=gaps))
    assert after_start(event.established_ns) == 20.0


PACE = Pacing(id="pace", zone="yard", min_crossings=3, window_s=120, min_leg=0.1)
TO_AND_FRO = {"p1": [(0, 0.3, 0.5), (5, 0.5, 0.5), (10, 0.3, 0.5), (15, 0.5, 0.5), (20, 0.3, 0.5)]}


def test_to_and_fro_over_its_own_way_is_pacing():
    (event,) = events(scene(PACE), film(TO_AND_FRO, until=22))
    assert event.type == "pacing"
    assert event.facts["crossings"] == 4
    assert event.facts["way"] == "legs"
    assert whats(event).count("turned") == 3
    assert after_start(event.established_ns) == pytest.approx(11.4, abs=0.25)


def test_a_straight_walk_and_a_walk_there_and_back_are_no_pacing():
    assert events(scene(PACE), film({"p1": [(0, 0.3, 0.5), (9, 0.7, 0.5)]}, until=9)) == []
    back = {"p1": [(0, 0.3, 0.5), (5, 0.7, 0.5), (10, 0.3, 0.5)]}
    assert events(scene(PACE), film(back, until=10)) == []


def test_legs_shorter_than_min_leg_are_standing():
    short = {"p1": [(2 * i, 0.4 + 0.05 * (i % 2), 0.5) for i in range(12)]}  # 0.089 heights
    assert events(scene(PACE), film(short, until=22)) == []
    longer = {"p1": [(2 * i, 0.4 + 0.06 * (i % 2), 0.5) for i in range(12)]}  # 0.107 heights
    assert len(events(scene(PACE), film(longer, until=22))) == 1


def test_passes_outside_the_window_do_not_count():
    slow = Pacing(id="pace", zone="yard", min_crossings=3, window_s=8, min_leg=0.1)
    assert events(scene(slow), film(TO_AND_FRO, until=22)) == []


def test_pacing_over_a_named_tripwire_counts_its_crossings():
    rule = Pacing(id="pace", zone="yard", tripwire="fence", min_crossings=3)
    ways = {"p1": [(0, 0.5, 0.45), (2, 0.5, 0.55), (4, 0.5, 0.45), (6, 0.5, 0.55), (9, 0.5, 0.55)]}
    (event,) = events(scene(rule), film(ways, until=9))
    assert (event.facts["crossings"], event.facts["way"]) == (3, "tripwire")
    beside = {"p1": [(t, 0.9, y) for t, _, y in ways["p1"]]}
    assert events(scene(rule), film(beside, until=9)) == []


def test_entering_and_leaving_often_is_pacing():
    way = [(0, 0.1, 0.5)]
    for visit in range(3):
        start = visit * 10
        way += [(start + 1, 0.1, 0.5), (start + 2, 0.25, 0.5), (start + 5, 0.25, 0.5),
                (start + 6, 0.1, 0.5), (start + 9, 0.1, 0.5)]  # fmt: skip
    rule = Pacing(id="pace", zone="yard", min_crossings=4, min_leg=0.5)
    found = events(scene(rule), film({"p1": way}, until=30))
    assert [event.facts["way"] for event in found] == ["visits"]
    assert found[0].facts["crossings"] == 6  # it goes on after the fourth, as one event
    assert after_start(found[0].established_ns) == pytest.approx(15.4, abs=0.25)


def test_disappearing_and_appearing_inside_is_no_entering():
    ways = {"p1": [(0, 0.1, 0.5), (1, 0.5, 0.5), (60, 0.5, 0.5)]}
    gaps = {"p1": [(10 * i, 10 * i + 3) for i in range(1, 6)]}
    rule = Pacing(id="pace", zone="yard", min_crossings=3, min_leg=0.6)
    assert events(scene(rule), film(ways, until=60, hidden=gaps)) == []


def test_jitter_on_the_edge_of_the_zone_is_no_entering_and_leaving():
    feet = [0.2 + 0.01 * (-1) ** i for i in range(60)]
    observations = [
        Observation(time_ns=ns(i / 5), frame=i, size=SIZE, tracks=(track("p1", (x, 0.5)),))
        for i, x in enumerate(feet)
    ]
    assert events(scene(PACE), observations) == []
