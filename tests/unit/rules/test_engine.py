"""The engine: ids, cooldown, merging, hours, cuts, state."""

import dataclasses
import json
from datetime import UTC, datetime

import pytest
from tests.rule_scenes import after_start, events, film, ns, scene, versions

from video_detective.errors import ConflictError, InvalidRulesError
from video_detective.rules import RuleEngine, Schedule
from video_detective.rules.parameters import Crowding, Intrusion, LineCrossing, Loitering, Metric
from video_detective.rules.schedule import watches

YARD_RULE = Intrusion(id="yard", zone="yard")
LOITER = Loitering(id="loiter", zone="yard", min_seconds=5)
STAY = {"p1": [(0, 0.5, 0.5), (10, 0.5, 0.5)]}


def visits(*starts, length=3.0, track_id="p1"):
    """Visits to the yard of ``length`` seconds, outside in between."""
    way = []
    for start in starts:
        way += [(start - 0.05, 0.1, 0.5), (start, 0.5, 0.5), (start + length, 0.5, 0.5)]
        way += [(start + length + 0.05, 0.1, 0.5)]
    return {track_id: [*way, (starts[-1] + length + 5, 0.1, 0.5)]}


def test_event_ids_number_the_events_of_a_local_day_from_the_first_unused_number():
    taipei = scene(YARD_RULE, timezone="Asia/Taipei", camera_id="gate")
    engine = RuleEngine(taipei, next_numbers={"20260302": 7})
    ways = {f"p{i}": [(i, 0.5, 0.5), (i + 3, 0.5, 0.5)] for i in range(3)}
    ids = {event.event_id for event in versions(engine, film(ways, until=6))}
    assert ids == {f"evt_20260302_gate_{n:04d}" for n in (7, 8, 9)}


def test_the_date_of_an_id_is_the_local_one_of_the_start():
    kiritimati = scene(YARD_RULE, timezone="Pacific/Kiritimati")  # 14 hours ahead
    (event,) = events(kiritimati, film(STAY, until=10))
    assert event.event_id == "evt_20260303_cam01_0001"


def test_cooldown_fires_once_per_rule_zone_and_track_and_counts_the_rest():
    rule = dataclasses.replace(YARD_RULE, cooldown_s=60, merge_gap_s=0, exit_s=0)
    engine = RuleEngine(scene(rule))
    way = visits(1, 11, 21, 71)["p1"]
    other = {"p2": [(t, x, 0.6) for t, x, _ in visits(12)["p1"]]}
    seen = {e.event_id: e for e in versions(engine, film({"p1": way} | other, until=80))}
    assert [after_start(event.start_ns) for event in seen.values()] == [1.0, 12.0, 71.0]
    assert seen["evt_20260302_cam01_0001"].facts["suppressed"] == 2
    assert dict(engine.throttled) == {"yard": 2}


def test_what_outlasts_the_cooldown_becomes_an_event_after_all_with_its_true_start():
    rule = dataclasses.replace(YARD_RULE, cooldown_s=20, merge_gap_s=0)
    ways = {"p1": [*visits(1)["p1"][:-1], (9.95, 0.1, 0.5), (10, 0.5, 0.5), (60, 0.5, 0.5)]}
    engine = RuleEngine(scene(rule))
    found = versions(engine, film(ways, until=60))
    second = [event for event in found if event.event_id.endswith("0002")]
    assert after_start(second[0].start_ns) == 10.0
    assert dict(engine.throttled) == {}


def test_intrusion_and_loitering_of_one_track_are_one_event_of_the_gravest_type():
    seen = versions(RuleEngine(scene(LOITER, YARD_RULE)), film(STAY, until=15))
    assert {event.event_id for event in seen} == {"evt_20260302_cam01_0001"}
    assert [event.type for event in seen] == ["intrusion", "intrusion", "intrusion"]
    assert [part["type"] for part in seen[-1].facts["parts"]] == ["intrusion", "loitering"]
    assert seen[-1].facts["parts"][1]["facts"]["dwell_s"] == 10.0
    assert seen[-1].risk_level == "high"
    assert seen[-1].rule_id == "yard"
    assert seen[-1].parameters["id"] == "yard"


def test_a_higher_risk_level_outranks_the_order_of_types():
    grave = dataclasses.replace(LOITER, severity="critical")
    seen = versions(RuleEngine(scene(YARD_RULE, grave)), film(STAY, until=15))
    assert [(event.type, event.risk_level) for event in seen] == [
        ("intrusion", "high"),
        ("loitering", "critical"),
        ("loitering", "critical"),
    ]


def test_a_return_within_merge_gap_s_goes_on_with_the_same_event():
    (event,) = events(scene(YARD_RULE), film(visits(1, 8), until=20))
    assert [after_start(t) for t in (event.start_ns, event.end_ns)] == [1.0, 11.0]
    assert event.facts["visits"] == 2
    assert event.facts["dwell_s"] == 6.0
    later = events(scene(YARD_RULE), film(visits(1, 16), until=30))
    assert [after_start(event.start_ns) for event in later] == [1.0, 16.0]


def test_a_return_within_the_gap_joins_its_event_however_late_it_is_established():
    hurry = [(19 + i, 0.3 + 0.3 * (i % 2), 0.5) for i in range(40)]
    ways = {"p1": [*visits(1, length=15)["p1"][:-1], (18.9, 0.1, 0.5), *hurry, (90, 0.6, 0.5)]}
    (event,) = events(scene(LOITER), film(ways, until=90))
    assert [after_start(t) for t in (event.start_ns, event.end_ns)] == [1.0, 90.0]
    assert event.facts["visits"] == 2


def test_the_most_generous_merge_gap_of_the_rules_concerned_decides():
    strict = dataclasses.replace(YARD_RULE, merge_gap_s=0)
    short = dataclasses.replace(LOITER, min_seconds=2, merge_gap_s=10)
    (event,) = events(scene(strict, short), film(visits(1, 9), until=20))
    assert [after_start(t) for t in (event.start_ns, event.end_ns)] == [1.0, 12.0]


def test_tracks_and_zones_are_not_merged_with_each_other():
    everywhere = Intrusion(id="all", zone="all")
    ways = STAY | {"p2": [(0, 0.6, 0.5), (10, 0.6, 0.5)]}
    assert len(events(scene(YARD_RULE, everywhere), film(ways, until=12))) == 4


def test_a_rule_sees_nothing_outside_its_hours_and_what_is_open_ends_with_them():
    hours = Schedule(start_minute=12 * 60, end_minute=12 * 60 + 1)  # 12:00 to 12:01
    rule = dataclasses.replace(YARD_RULE, schedule=(hours,))
    ways = {"p1": [(-10, 0.5, 0.5), (100, 0.5, 0.5)]}
    (event,) = events(scene(rule), film(ways, since=-10, until=100), finish=False)
    assert [after_start(t) for t in (event.start_ns, event.end_ns)] == [0.0, 59.8]
    assert event.facts["ended"] == "hours"


def utc_ns(year: int, month: int, day: int, hour: int, minute: int = 0) -> int:
    when = datetime(year, month, day, hour, minute, tzinfo=UTC)
    return int(when.timestamp()) * 1_000_000_000


NIGHT = Schedule(days=("fri",), start_minute=22 * 60, end_minute=6 * 60)


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ((2026, 3, 6, 13, 59), False),  # Friday 21:59 in Taipei
        ((2026, 3, 6, 14, 0), True),
        ((2026, 3, 6, 21, 59), True),  # Saturday 05:59
        ((2026, 3, 6, 22, 0), False),
        ((2026, 3, 5, 20, 0), False),  # Friday 04:00 belongs to Thursday's night
        ((2026, 3, 7, 15, 0), False),  # Saturday 23:00
    ],
)
def test_hours_over_midnight_belong_to_the_day_on_which_they_begin(when, expected):
    assert watches((NIGHT,), utc_ns(*when), "Asia/Taipei") is expected


def test_hours_are_those_of_the_clock_on_the_wall_when_clocks_change():
    early = Schedule(start_minute=2 * 60, end_minute=3 * 60, timezone="Europe/Berlin")
    # 29 March 2026: 02:00 does not come. 25 October 2026: it comes twice.
    spring = [utc_ns(2026, 3, 29, 0, 30), utc_ns(2026, 3, 29, 1, 30)]
    autumn = [utc_ns(2026, 10, 25, 0, 30), utc_ns(2026, 10, 25, 1, 30)]
    assert [watches((early,), t, "UTC") for t in spring] == [False, False]
    assert [watches((early,), t, "UTC") for t in autumn] == [True, True]


@pytest.mark.parametrize(
    ("start", "end", "expected"), [(0, 1440, True), (0, 0, True), (720, 720, True), (0, 720, False)]
)
def test_whole_days_and_edges_of_hours(start, end, expected):
    noon = ns(0)
    assert watches((Schedule(start_minute=start, end_minute=end),), noon, "UTC") is expected
    assert watches((), noon, "UTC")


def test_a_cut_ends_what_is_open_and_forgets_tracks():
    observations = [dataclasses.replace(o, cut=o.time_ns == ns(5)) for o in film(STAY, until=10)]
    rule = dataclasses.replace(YARD_RULE, merge_gap_s=0, cooldown_s=0)
    first, second = events(scene(rule), observations)
    assert [after_start(t) for t in (first.start_ns, first.end_ns)] == [0.0, 4.8]
    assert first.facts["ended"] == "cut"
    assert [after_start(t) for t in (second.start_ns, second.end_ns)] == [5.0, 10.0]


def test_a_long_interruption_ends_what_is_open_at_its_last_observation():
    crowd = Crowding(id="crowd", zone="yard", min_people=1, min_seconds=1, cooldown_s=0)
    way = {"p1": [(0, 0.5, 0.5), (100, 0.5, 0.5)]}
    found = events(scene(crowd), film(way, until=10) + film(way, since=60, until=70))
    assert [(after_start(e.start_ns), after_start(e.end_ns)) for e in found] == [
        (0.0, 10.0),
        (60.0, 70.0),
    ]
    assert found[0].facts["ended"] == "interrupted"


def test_the_parameters_of_the_moment_are_in_the_event_as_plain_json():
    (event,) = events(scene(YARD_RULE), film(STAY, until=10))
    parameters = json.loads(json.dumps(event.parameters))
    assert parameters == event.parameters
    assert parameters["type"] == "intrusion"
    assert parameters["enter_s"] == 1.0
    assert parameters["zone_points"] == [[0.2, 0.2], [0.8, 0.2], [0.8, 0.8], [0.2, 0.8]]


@pytest.mark.parametrize(
    "rule",
    [
        Intrusion(id="r", zone="nowhere"),
        LineCrossing(id="r", tripwire="nowhere"),
        Metric(id="r", metric="zones.yard.colour", threshold=1),
        Metric(id="r", metric="zones.nowhere.count", threshold=1),
    ],
)
def test_a_rule_that_does_not_fit_its_scene_is_refused_by_name(rule):
    with pytest.raises(InvalidRulesError) as raised:
        RuleEngine(scene(rule))
    assert "'r'" in raised.value.problems[0]
    assert raised.value.problems[0] in str(raised.value)


def test_two_rules_with_one_id_are_refused():
    with pytest.raises(InvalidRulesError, match="two rules have the id 'yard'"):
        RuleEngine(scene(YARD_RULE, YARD_RULE))


def test_an_unknown_time_zone_is_refused_by_name():
    rule = dataclasses.replace(YARD_RULE, schedule=(Schedule(timezone="Asia/Taipeh"),))
    with pytest.raises(InvalidRulesError, match="Asia/Taipeh"):
        RuleEngine(scene(rule))
    with pytest.raises(InvalidRulesError, match="etc/passwd"):
        RuleEngine(scene(YARD_RULE, timezone="../etc/passwd"))


def test_the_state_of_other_rules_is_refused():
    state = RuleEngine(scene(YARD_RULE)).state()
    with pytest.raises(ConflictError, match="loiter"):
        RuleEngine(scene(LOITER)).restore(state)


def test_finishing_before_the_first_observation_gives_nothing():
    assert RuleEngine(scene(YARD_RULE)).finish() == ()


def test_what_engines_remember_is_bounded():
    rules = (
        YARD_RULE,
        LOITER,
        LineCrossing(id="cross", tripwire="fence"),
        Metric(id="q", metric="zones.yard.queue_length", threshold=3),
    )
    engine = RuleEngine(scene(*rules))
    sizes = []
    for minute in range(8):
        ways = {
            f"p{minute * 30 + i}": [
                (60 * minute + 2 * i, 0.5, 0.3),
                (60 * minute + 2 * i + 2, 0.5, 0.7),
            ]
            for i in range(30)
        }
        for observation in film(ways, since=60 * minute, until=60 * minute + 59.8, fps=2):
            engine.update(observation)
        sizes.append(len(json.dumps(engine.state())))
    assert max(sizes[2:]) < sizes[1] * 1.1
