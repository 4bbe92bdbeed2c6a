"""Which events are alerts, and that what an alert shows is so."""

from dataclasses import replace

import pytest
from tests.golden.films import SCENES, expected_events
from tests.rule_scenes import ns, scene, versions, wander

from video_detective.alerts.base import DEFAULT_ALERT_RULE, AlertRule
from video_detective.alerts.policy import HOLDS, alerts_for, measure
from video_detective.alerts.wording import QUANTITIES, message
from video_detective.rules import EVENT_TYPES, Actor, Event, RuleEngine, Schedule
from video_detective.rules.metric import TRIPWIRE_METRICS, ZONE_METRICS
from video_detective.rules.parameters import (
    AbandonedObject,
    CameraTampered,
    Crowding,
    Intrusion,
    LineCrossing,
    Loitering,
    Metric,
    Pacing,
    PostLeft,
    Speed,
    WrongWay,
)

WATCHED = scene()
RULES = (
    LineCrossing(id="cross", tripwire="fence", classes=("person", "car")),
    Intrusion(id="yard", zone="yard", enter_s=0.7),
    Intrusion(id="frames", zone="all", enter_frames=1),
    Loitering(id="loiter", zone="yard", min_seconds={"person": 3.5}, max_speed_px_s=80),
    Pacing(id="pace", zone="yard", window_s=30),
    AbandonedObject(id="bag", zone="all", min_seconds=3, max_shift=0.1),
    Crowding(id="crowd", radius=0.5, min_people=3, min_seconds=1),
    Metric(id="count", metric="zones.yard.count", threshold=1, for_seconds=1),
    Metric(id="few", metric="zones.yard.count", threshold=2, operator="LT", for_seconds=1),
    Metric(id="two", metric="zones.yard.count", threshold=2, operator="EQ", for_seconds=0.2),
    Metric(id="dwell", metric="zones.yard.mean_dwell_s", threshold=2.0004, for_seconds=1),
    Metric(id="passes", metric="tripwires.fence.left_to_right", threshold=0, for_seconds=1),
    WrongWay(id="way", zone="all", allowed=(1.0, 0.0), classes=("person", "car")),
    Speed(id="fast", zone="all", limit_px_s=60, classes=("person", "car")),
    PostLeft(id="post", zone="yard", min_seconds=2),
    CameraTampered(id="tamper"),
)


def event(**changes: object) -> Event:
    known = Event(
        event_id="evt_20260302_cam01_0001",
        camera_id="cam01",
        type="loitering",
        risk_level="medium",
        rule_id="loiter",
        start_ns=ns(0),
        established_ns=ns(20),
        end_ns=None,
        frames=(0, 100),
        zone="yard",
        actors=(Actor(track_id="p1", type="person"),),
        facts={"dwell_s": 20.2},
        parameters={"min_seconds": {"person": 20}},
    )
    return replace(known, **changes)  # type: ignore[arg-type]


QUEUE = event(
    type="metric",
    rule_id="queue",
    facts={"metricPath": "zones.hall.queue_length", "operator": "GT", "threshold": 10,
           "actualValue": 15},
    parameters={"threshold": 10},
)  # fmt: skip


def merged() -> Event:
    parts = [
        {"type": "intrusion", "rule_id": "yard", "risk_level": "high", "start_ns": ns(0),
         "established_ns": ns(1), "end_ns": None, "facts": {"dwell_s": 21.0},
         "parameters": {"enter_s": 1.0}},
        {"type": "loitering", "rule_id": "loiter", "risk_level": "medium", "start_ns": ns(0),
         "established_ns": ns(20), "end_ns": None, "facts": {"dwell_s": 20.0},
         "parameters": {"min_seconds": 20.0}},
    ]  # fmt: skip
    return event(
        type="intrusion",
        risk_level="high",
        rule_id="yard",
        established_ns=ns(1),
        facts={"dwell_s": 21.0, "parts": parts},
        parameters={"enter_s": 1.0},
    )


def holds(one: Event) -> bool:
    shown = measure(one)
    return HOLDS[shown.operator](shown.actual_value, shown.threshold)


# --- what an alert shows


@pytest.mark.parametrize("name", SCENES)
def test_what_an_alert_of_a_recording_shows_is_so_in_every_version(name: str) -> None:
    for one in expected_events(name):
        fields = {key: one[key] for key in Event.__slots__ if key in one}
        known = Event(**{**fields, "actors": tuple(Actor(**actor) for actor in one["actors"])})
        assert holds(known)
        assert not measure(known).metric_path.endswith(".events")
        (alert,) = alerts_for(known, [DEFAULT_ALERT_RULE], SCENES[name])
        assert alert.triggered_ns == known.established_ns
        assert alert.severity == ("critical" if known.risk_level in ("high", "critical")
                                  else "warning")  # fmt: skip


@pytest.mark.parametrize("seed", range(12))
def test_what_an_alert_shows_is_so_whatever_happens(seed: int) -> None:
    watched = scene(*RULES)
    tracks = ("p1", "o1", "v1", "p2", "p3", "p4", "p5")
    found = versions(RuleEngine(watched), wander(seed, tracks))
    assert found
    for one in found:
        assert holds(one), (one.type, one.facts, one.parameters)
        shown = measure(one)
        if one.rule_id != "frames":
            assert not shown.metric_path.endswith(".events"), (one.type, one.facts)
        for part in one.facts.get("parts", ()):
            for alert in alerts_for(one, [AlertRule(id="a", rules=(part["rule_id"],))], watched):
                assert HOLDS[alert.operator](alert.actual_value, alert.threshold)


def test_a_metric_shows_its_own_path_and_the_words_of_its_event() -> None:
    (alert,) = alerts_for(QUEUE, [DEFAULT_ALERT_RULE], WATCHED)

    assert (alert.kind, alert.metric_path, alert.operator) == (
        "metric", "zones.hall.queue_length", "GT"
    )  # fmt: skip
    assert (alert.threshold, alert.actual_value) == (10.0, 15.0)
    assert alert.message == "Queue length exceeded threshold: 15 > 10"


def test_other_events_show_the_fact_that_their_rule_bounds() -> None:
    shown = measure(event())

    assert shown.metric_path == "zones.yard.loitering.dwell_s"
    assert (shown.actual_value, shown.operator, shown.threshold) == (20.2, "GTE", 20.0)
    assert shown.message == "Loitering time reached threshold: 20.2 s >= 20 s"


@pytest.mark.parametrize("kind", [*EVENT_TYPES, "something_of_elsewhere"])
def test_an_event_without_facts_happened_once(kind: str) -> None:
    shown = measure(event(type=kind, facts={}, parameters={}))

    assert (shown.actual_value, shown.threshold) == (1.0, 1.0)


def test_every_metric_and_type_has_words_in_both_languages() -> None:
    types = {key.split(".")[0] for key in QUANTITIES if "." in key}
    assert types == set(EVENT_TYPES) - {"metric"}
    assert {*ZONE_METRICS, *TRIPWIRE_METRICS} <= set(QUANTITIES)
    for key, name in {**ZONE_METRICS, **TRIPWIRE_METRICS}.items():
        assert QUANTITIES[key].en == name
    said = message("zones.crowding.count", "GTE", 2.5, 3, language="zh-TW")
    assert said == "在場數量達到門檻\uff1a3 \u2267 2.5"


# --- which events


def test_a_rule_takes_its_rules_types_and_risks_only() -> None:
    def taken(**conditions: object) -> bool:
        rule = AlertRule(id="a", **conditions)  # type: ignore[arg-type]
        return bool(alerts_for(event(), [rule], WATCHED))

    assert taken()
    assert taken(rules=("loiter",), types=("loitering", "pacing"), min_risk="medium")
    assert not taken(rules=("yard",))
    assert not taken(types=("intrusion",))
    assert not taken(min_risk="high")


def test_a_part_of_a_merged_event_is_enough_and_is_what_is_shown() -> None:
    rules = [AlertRule(id="any"), AlertRule(id="stay", types=("loitering",))]
    first, second = alerts_for(merged(), rules, WATCHED)

    assert first.metric_path == "zones.yard.intrusion.dwell_s"
    assert (first.triggered_ns, first.severity) == (ns(1), "critical")
    assert second.metric_path == "zones.yard.loitering.dwell_s"
    assert (second.triggered_ns, second.severity) == (ns(20), "warning")
    grave = AlertRule(id="grave", types=("loitering",), min_risk="high")
    assert not alerts_for(merged(), [grave], WATCHED)


def test_a_higher_bar_takes_what_reaches_it_and_shows_it() -> None:
    higher = AlertRule(id="long", threshold=30)
    assert not alerts_for(event(), [higher], WATCHED)
    (alert,) = alerts_for(event(facts={"dwell_s": 31.0}), [higher], WATCHED)
    assert (alert.actual_value, alert.threshold) == (31.0, 30.0)
    assert not alerts_for(QUEUE, [AlertRule(id="full", threshold=15)], WATCHED)
    assert alerts_for(QUEUE, [AlertRule(id="full", threshold=14.5)], WATCHED)


def test_an_alert_rule_sleeps_outside_its_hours() -> None:
    # It was established 20 s after noon on a Monday.
    noon = AlertRule(id="noon", schedule=(Schedule(days=("mon",), start_minute=720,
                                                   end_minute=721),))  # fmt: skip
    night = AlertRule(id="night", schedule=(Schedule(start_minute=1320, end_minute=360),))
    assert [a.alert_rule for a in alerts_for(event(), [night, noon], WATCHED)] == ["noon"]


def test_severity_and_cooldown_are_the_rules() -> None:
    rule = AlertRule(id="a", severity="critical", cooldown_s=1.5)
    (alert,) = alerts_for(event(), [rule], WATCHED)
    assert (alert.severity, alert.cooldown_ns) == ("critical", 1_500_000_000)
