"""Rules about a place: abandoned things, crowds, metrics, speed, posts, the camera itself."""

import dataclasses

import pytest
from tests.rule_scenes import after_start, events, film, ns, scene, versions, whats

from video_detective.rules import RuleEngine
from video_detective.rules.parameters import (
    AbandonedObject,
    CameraTampered,
    Crowding,
    Metric,
    PostLeft,
    Speed,
    WrongWay,
)

BAG = AbandonedObject(id="bag", zone="yard", min_seconds=30, owner_distance=0.15)
LEFT_BEHIND = {
    "p1": [(0, 0.3, 0.5), (5, 0.5, 0.5), (8, 0.5, 0.5), (10, 0.9, 0.5), (12, 0.95, 0.5)],
    "o1": [(5, 0.51, 0.5), (60, 0.51, 0.5)],
}


def test_a_bag_alone_for_min_seconds_is_abandoned_and_its_owner_is_known():
    (event,) = events(scene(BAG), film(LEFT_BEHIND, until=70), finish=False)
    assert event.type == "abandoned_object"
    assert after_start(event.start_ns) == pytest.approx(8.6, abs=0.25)
    assert event.established_ns - event.start_ns == 30_000_000_000
    assert after_start(event.end_ns) == 60.0
    assert [(a.track_id, a.role) for a in event.actors] == [("o1", "subject"), ("p1", "owner")]
    assert event.facts["owner_track_id"] == "p1"
    assert event.facts["owner_left_at"] == "2026-03-02T12:00:08.600000Z"
    assert event.facts["object_type"] == "backpack"
    assert event.facts["ended"] == "removed"
    assert whats(event) == ["placed", "owner_left", "established", "last_seen"]


def test_a_bag_beside_its_owner_is_not_abandoned():
    ways = {"p1": [(0, 0.45, 0.5), (60, 0.45, 0.5)], "o1": [(0, 0.5, 0.5), (60, 0.5, 0.5)]}
    assert events(scene(BAG), film(ways, until=60)) == []


def test_time_alone_begins_anew_when_a_person_comes_near():
    ways = {
        "p2": [(19, 0.9, 0.5), (20, 0.5, 0.5), (21, 0.9, 0.5)],
        "o1": [(0, 0.51, 0.5), (60, 0.51, 0.5)],
    }
    (event,) = events(scene(BAG), film(ways, until=60))
    assert after_start(event.start_ns) == pytest.approx(20.4, abs=0.25)
    assert event.facts["owner_track_id"] is None


def test_a_bag_that_is_carried_is_not_abandoned():
    ways = {"o1": [(0, 0.25, 0.5), (60, 0.75, 0.5)]}
    assert events(scene(BAG), film(ways, until=60)) == []


def test_a_thing_that_changes_its_id_on_its_spot_goes_on():
    ways = {"o1": [(0, 0.5, 0.5), (20, 0.5, 0.5)], "o2": [(21, 0.502, 0.5), (50, 0.502, 0.5)]}
    (event,) = events(scene(BAG), film(ways, until=50))
    assert after_start(event.established_ns) == 30.0
    assert [actor.track_id for actor in event.actors] == ["o1", "o2"]


def test_a_thing_noticed_late_belongs_to_who_was_last_on_its_spot():
    ways = {
        "p1": [(0, 0.3, 0.5), (5, 0.5, 0.5), (7, 0.9, 0.5)],
        "p2": [(0, 0.9, 0.9), (20, 0.9, 0.9)],
        "o1": [(15, 0.5, 0.5), (60, 0.5, 0.5)],
    }
    (event,) = events(scene(BAG), film(ways, until=60))
    assert event.facts["owner_track_id"] == "p1"
    assert event.facts["owner_left_at"] == "2026-03-02T12:00:06.000000Z"


def test_a_box_that_jumps_for_a_moment_is_still_the_same_thing():
    still = [(0, 0.5, 0.5), (20, 0.5, 0.5)]
    jump = [(20.1, 0.5, 0.55), (21, 0.5, 0.55), (21.1, 0.5, 0.5), (50, 0.5, 0.5)]
    (event,) = events(scene(BAG), film({"o1": [*still, *jump]}, until=50))
    assert after_start(event.established_ns) == 30.0
    assert after_start(event.end_ns) == 50.0


def test_the_owner_who_comes_back_is_told_and_the_event_ends_when_the_thing_is_taken():
    ways = {
        "p1": [*LEFT_BEHIND["p1"], (40, 0.95, 0.5), (45, 0.5, 0.5), (46, 0.5, 0.5)],
        "o1": [(5, 0.51, 0.5), (46, 0.51, 0.5), (48, 0.75, 0.5), (50, 0.95, 0.5)],
    }
    (event,) = events(scene(BAG), film(ways, until=70))
    assert "returned" in whats(event)
    assert after_start(event.end_ns) == pytest.approx(46.0, abs=0.41)
    assert event.facts["ended"] == "removed"


def people(count, until, *, since=0, spread=0.05):
    return {
        f"p{i}": [(since, 0.3 + spread * i, 0.5), (until, 0.3 + spread * i, 0.5)]
        for i in range(1, count + 1)
    }


CROWD = Crowding(id="crowd", zone="yard", min_people=5, min_seconds=3)


def test_enough_people_for_long_enough_are_a_crowd_with_its_peak():
    ways = people(5, 20) | {"p9": [(8, 0.25, 0.5), (10, 0.25, 0.5)]}
    (event,) = events(scene(CROWD), film(ways, until=25))
    assert event.type == "crowding"
    assert [after_start(t) for t in (event.start_ns, event.established_ns, event.end_ns)] == [
        0.0,
        3.0,
        20.0,
    ]
    assert event.facts["peak_count"] == 6
    peak = next(moment for moment in event.moments if moment.what == "peak")
    assert after_start(peak.time_ns) == 8.0
    assert {(a.track_id, a.role) for a in event.actors} == {
        (f"p{i}", "member") for i in (1, 2, 3, 4, 5, 9)
    }


def test_too_few_people_or_too_short_a_time_are_no_crowd():
    assert events(scene(CROWD), film(people(4, 20), until=20)) == []
    assert events(scene(CROWD), film(people(5, 2.8), until=20)) == []
    outside = {key: [(t, x, 0.9) for t, x, _ in way] for key, way in people(8, 20).items()}
    assert events(scene(CROWD), film(outside, until=20)) == []


def test_a_crowd_flickers_without_ending():
    gaps = {"p3": [(1.0, 1.4), (5.0, 6.8), (10.0, 11.8)]}
    (event,) = events(scene(CROWD), film(people(5, 20), until=25, hidden=gaps))
    assert after_start(event.established_ns) == 3.0
    assert after_start(event.end_ns) == 20.0


def test_a_radius_counts_those_around_one_person_and_not_a_chain():
    close = Crowding(id="crowd", radius=0.2, min_people=5, min_seconds=1)
    # In frame heights neighbours are 0.0889 and 0.178 apart.
    assert len(events(scene(close), film(people(5, 9), until=9))) == 1
    assert events(scene(close), film(people(5, 9, spread=0.1), until=9)) == []


QUEUE = Metric(id="queue", metric="zones.yard.count", operator="GT", threshold=3, for_seconds=5)


def test_a_metric_over_its_threshold_says_so_in_the_words_of_an_alert():
    (event,) = events(scene(QUEUE), film(people(5, 20), until=25))
    assert event.type == "metric"
    expected = {
        "metricPath": "zones.yard.count",
        "operator": "GT",
        "threshold": 3,
        "actualValue": 5,
        "message": "Number present exceeded threshold: 5 > 3",
    }
    assert {key: event.facts[key] for key in expected} == expected
    assert after_start(event.established_ns) == 5.0
    assert after_start(event.end_ns) == 20.0
    assert event.zone == "yard"


@pytest.mark.parametrize(
    ("operator", "count", "holds"),
    [("GT", 3, False), ("GTE", 3, True), ("LT", 3, False), ("LTE", 3, True), ("EQ", 3, True),
     ("EQ", 4, False), ("LT", 2, True), ("GT", 4, True)],
)  # fmt: skip
def test_operators_compare_as_they_are_called(operator, count, holds):
    rule = dataclasses.replace(QUEUE, operator=operator)
    assert bool(events(scene(rule), film(people(count, 10), until=10))) is holds


def test_nothing_is_concluded_from_a_dark_view():
    rule = dataclasses.replace(QUEUE, operator="LT", threshold=1)
    manned, dark = film(people(2, 3), until=5), film({}, since=5.2, until=20, view="dark")
    empty = film({}, since=20.2, until=26)
    (event,) = events(scene(rule), [*manned, *dark, *empty])
    assert after_start(event.start_ns) == 20.2


def test_a_queue_is_made_of_those_who_stand():
    rule = Metric(id="q", metric="zones.yard.queue_length", threshold=2, for_seconds=2)
    walkers = {f"p{i}": [(0, 0.2, 0.3 + i / 20), (10, 0.8, 0.3 + i / 20)] for i in range(6, 9)}
    assert events(scene(rule), film(walkers, until=10)) == []
    (event,) = events(scene(rule), film(walkers | people(3, 10), until=10))
    assert event.facts["actualValue"] == 3
    assert event.facts["message"] == "Queue length exceeded threshold: 3 > 2"


def test_dwell_metrics_are_seconds():
    longest = Metric(id="m", metric="zones.yard.max_dwell_s", threshold=10, for_seconds=0)
    mean = Metric(id="m", metric="zones.yard.mean_dwell_s", threshold=10, for_seconds=0)
    ways = {"p1": [(0, 0.5, 0.5), (30, 0.5, 0.5)], "p2": [(5, 0.6, 0.5), (30, 0.6, 0.5)]}
    assert after_start(events(scene(longest), film(ways, until=30))[0].start_ns) == 10.2
    assert after_start(events(scene(mean), film(ways, until=30))[0].start_ns) == 12.6


def test_crossings_are_counted_by_direction_and_local_day():
    rule = Metric(id="m", metric="tripwires.fence.left_to_right", threshold=1, for_seconds=0)
    way = [(2 * i, 0.5, 0.4 + 0.2 * (i % 2)) for i in range(6)]
    (event,) = events(scene(rule), film({"p1": way}, until=10))
    assert event.tripwire == "fence"
    assert after_start(event.established_ns) == pytest.approx(5.2, abs=0.21)
    assert event.facts["peak_value"] == 3
    # The same film around local midnight (UTC+12): one crossing before, two after.
    engine = RuleEngine(scene(dataclasses.replace(rule, threshold=2), timezone="Etc/GMT-12"))
    early = film({"p1": way}, until=10)
    early = [dataclasses.replace(o, time_ns=o.time_ns - 3_000_000_000) for o in early]
    assert versions(engine, early) == []


ONE_WAY = WrongWay(id="way", zone="yard", allowed=(1.0, 0.0), min_distance=0.2)


def test_driving_against_the_allowed_direction_is_told():
    (event,) = events(scene(ONE_WAY), film({"v1": [(0, 0.9, 0.5), (8, 0.1, 0.5)]}, until=10))
    assert event.type == "wrong_way"
    assert event.facts["angle_deg"] == 180.0
    assert after_start(event.start_ns) == pytest.approx(1.0, abs=0.21)
    assert after_start(event.end_ns) == pytest.approx(7.0, abs=0.21)
    assert event.facts["average_speed_px_s"] == pytest.approx(128, abs=0.2)


@pytest.mark.parametrize(
    "way",
    [
        [(0, 0.1, 0.5), (8, 0.9, 0.5)],
        [(0, 0.5, 0.1), (8, 0.5, 0.9)],
        [(0, 0.5, 0.5), (1, 0.45, 0.5), (2, 0.5, 0.5), (3, 0.45, 0.5)],
        [(0, 0.9, 0.1), (8, 0.1, 0.1)],
    ],
    ids=["allowed", "across", "shuffling", "outside"],
)
def test_other_movements_are_not_the_wrong_way(way):
    assert events(scene(ONE_WAY), film({"v1": way}, until=9)) == []


def test_who_turns_round_ends_the_wrong_way():
    way = [(0, 0.7, 0.5), (4, 0.3, 0.5), (8, 0.7, 0.5)]
    (event,) = events(scene(ONE_WAY), film({"v1": way}, until=8))
    assert event.facts["ended"] == "turned"
    ended_s = after_start(event.end_ns)
    assert ended_s is not None
    assert 4.0 <= ended_s < 6.0


FAST = Speed(id="fast", zone="yard", limit_px_s=300, min_seconds=0.6)


def test_faster_than_the_limit_for_long_enough_is_speeding():
    (event,) = events(scene(FAST), film({"v1": [(0, 0.0, 0.5), (3.2, 1.0, 0.5)]}, until=5))
    assert event.type == "speed"
    assert event.facts["peak_speed_px_s"] == pytest.approx(400, abs=0.2)
    assert event.facts["limit_px_s"] == 300
    assert [after_start(t) for t in (event.start_ns, event.end_ns)] == [0.8, 2.4]


def test_at_the_limit_or_for_a_moment_is_not_speeding():
    steady = {"v1": [(0, 0.0, 0.5), (4.4, 1.0, 0.5)]}
    assert events(scene(FAST), film(steady, until=5)) == []
    dash = {"v1": [(0, 0.3, 0.5), (2, 0.3, 0.5), (2.4, 0.45, 0.5), (6, 0.45, 0.5)]}
    assert events(scene(FAST), film(dash, until=6)) == []


def test_no_speed_is_known_over_a_gap_in_which_nothing_was_seen():
    rule = dataclasses.replace(FAST, min_seconds=0)
    ways = {"v1": [(0, 0.25, 0.5), (2, 0.25, 0.5), (3, 0.78, 0.5), (8, 0.78, 0.5)]}
    assert len(events(scene(rule), film(ways, until=8))) == 1
    # Unseen meanwhile, it may have taken the whole 2.2 s: 308 px/s, had it gone straight.
    assert events(scene(rule), film(ways, until=8, hidden={"v1": [(2.1, 4.2)]})) == []


POST = PostLeft(id="post", zone="yard", min_seconds=60)
GUARD = {"p1": [(10, 0.5, 0.5), (30, 0.5, 0.5), (31, 0.9, 0.5)]}


def test_a_post_that_was_manned_and_is_not_for_min_seconds_was_left():
    ways = GUARD | {"p2": [(120, 0.9, 0.5), (121, 0.5, 0.5), (140, 0.5, 0.5)]}
    (event,) = events(scene(POST), film(ways, until=140), finish=False)
    assert event.type == "post_left"
    assert after_start(event.start_ns) == 30.8
    assert event.established_ns - event.start_ns == 60_000_000_000
    assert after_start(event.end_ns) == 120.2
    assert event.facts["ended"] == "returned"
    assert whats(event) == ["last_seen", "left", "established", "returned"]
    assert [actor.track_id for actor in event.actors] == ["p1"]


def test_a_post_never_manned_was_not_left():
    assert events(scene(POST), film({}, until=200)) == []


def test_a_covered_camera_does_not_show_an_empty_post():
    manned = film(GUARD, until=30)
    covered = film({}, since=30.2, until=200, view="dark")
    assert events(scene(POST), manned + covered) == []


TAMPER = CameraTampered(id="tamper")


def test_a_view_that_stays_dark_is_tampering_and_a_moment_of_dark_is_not():
    before = film({}, until=5)
    dark = film({}, since=5.2, until=10, view="dark")
    shifted = film({}, since=10.2, until=12, view="shifted")
    after = film({}, since=12.2, until=20)
    (event,) = events(scene(TAMPER), before + dark + shifted + after, finish=False)
    assert event.type == "camera_tampered"
    assert [after_start(t) for t in (event.start_ns, event.end_ns)] == [5.2, 12.0]
    assert event.facts["kinds"] == ["dark", "shifted"]
    assert whats(event) == ["covered", "established", "ended"]
    assert events(scene(TAMPER), before + film({}, since=5.2, until=6.8, view="dark")) == []


def test_covering_a_camera_is_tampering_although_it_is_also_a_cut():
    dark = film({}, since=5.2, until=10, view="dark")
    cut = [dataclasses.replace(o, cut=o.time_ns in (ns(5.2), ns(6.2))) for o in dark]
    (event,) = events(scene(TAMPER), film({}, until=5) + cut)
    assert after_start(event.start_ns) == 5.2
