"""The scripted scene: what it promises, and how findings are held against it."""

from dataclasses import replace

import pytest

from video_detective.geometry import NS_PER_S
from video_detective.rules import Actor, Event
from video_detective.services.scripted_scene.compare import compare
from video_detective.services.scripted_scene.expected import (
    ExpectedEvent,
    document,
    expected_events,
)
from video_detective.services.scripted_scene.script import SCRIPT, START_NS
from video_detective.services.scripted_scene.truth import observations

SCENE = document().camera("cam01").scene("cam01")
EXPECTED = expected_events(SCENE)


def at(seconds: float) -> int:
    return START_NS + round(seconds * NS_PER_S)


def found_for(wanted: ExpectedEvent, *, shift_s: float = 0.0) -> Event:
    """The event that a faultless analysis would make of an expectation, moved in time."""
    shift_ns = round(shift_s * NS_PER_S)
    facts: dict[str, object] = {}
    if wanted.direction is not None:
        facts["direction"] = wanted.direction
    if wanted.count is not None:
        facts["peak_value" if wanted.type == "metric" else "peak_count"] = wanted.count
    subject = (Actor(track_id="x01", type=wanted.track_class),) if wanted.track_class else ()
    return Event(
        event_id="evt_20260115_cam01_0001",
        camera_id="cam01",
        type=wanted.type,
        risk_level="medium",
        rule_id=wanted.rule_id,
        start_ns=wanted.start_ns + shift_ns,
        established_ns=wanted.start_ns + shift_ns,
        end_ns=wanted.end_ns + shift_ns,
        frames=(0, 1),
        zone=wanted.zone,
        tripwire=wanted.tripwire,
        actors=subject,
        facts=facts,
    )


def test_the_script_plays_every_kind_of_rule_of_its_camera_document() -> None:
    played = {event.rule_id for event in EXPECTED}
    assert played == {rule.id for rule in SCENE.rules}


def test_what_is_expected_is_what_the_script_tells() -> None:
    rows = [(e.type, e.direction, e.actors[0] if e.actors else None, e.count) for e in EXPECTED]
    assert rows == [
        ("line_crossing", "left_to_right", "to-the-right", None),
        ("line_crossing", "right_to_left", "to-the-left", None),
        ("loitering", None, "loiterer", None),
        ("intrusion", None, "intruder", None),
        ("line_crossing", "right_to_left", "bag-owner", None),
        ("abandoned_object", None, "bag", None),
        ("pacing", None, "pacer", None),
        ("metric", None, "bag-fetcher", 13),
        ("line_crossing", "right_to_left", "bag-fetcher", None),
        ("crowding", None, "crowd-1", 5),
        ("wrong_way", None, "wrong-way-car", None),
        ("line_crossing", "left_to_right", "crowd-4", None),
        ("camera_tampered", None, None, None),
    ]


def test_turning_back_on_the_line_is_no_crossing_but_walking_on_would_be() -> None:
    turner = SCRIPT.actor("turns-back")
    pose = turner.pose(34.5)
    assert pose is not None
    assert not pose.moving
    assert 533 <= pose.x <= 535  # the line passes here at x = 533.8

    walks_on = replace(turner, way=((27.0, 1000.0, 350.0), (42.0, -40.0, 350.0)))
    actors = tuple(walks_on if a is turner else a for a in SCRIPT.actors)
    crossings = [
        event.actors
        for event in expected_events(SCENE, replace(SCRIPT, actors=actors))
        if event.type == "line_crossing"
    ]
    assert ("turns-back",) in crossings


def test_the_yard_is_empty_at_first_and_while_the_lens_is_covered() -> None:
    start, end = SCRIPT.covered
    for seen in observations():
        t = (seen.time_ns - START_NS) / NS_PER_S
        if t < 4 or start - 1 <= t < end:
            assert seen.tracks == ()
        assert (seen.view == "dark") == (start <= t < end)


def test_people_who_stand_never_touch_one_another_in_the_picture() -> None:
    for seen in observations():
        people = [t for t in seen.tracks if t.type == "person"]
        for i, a in enumerate(people):
            for b in people[i + 1 :]:
                apart_x = max(a.bbox[0] - b.bbox[2], b.bbox[0] - a.bbox[2])
                apart_y = max(a.bbox[1] - b.bbox[3], b.bbox[1] - a.bbox[3])
                assert max(apart_x, apart_y) >= 4, (seen.frame, a, b)


def test_a_faultless_result_is_ok_in_every_row() -> None:
    rows = compare(EXPECTED, [found_for(e) for e in reversed(EXPECTED)])
    assert len(rows) == len(EXPECTED)
    assert all(row.is_ok for row in rows)


def test_nothing_expected_and_nothing_found_gives_no_rows() -> None:
    assert compare([], []) == []


@pytest.mark.parametrize("left_out", range(len(EXPECTED)))
def test_an_event_not_found_is_missing(left_out: int) -> None:
    found = [found_for(e) for i, e in enumerate(EXPECTED) if i != left_out]
    rows = compare(EXPECTED, found)
    assert [row.expected for row in rows if row.status == "missing"] == [EXPECTED[left_out]]
    assert sum(row.is_ok for row in rows) == len(EXPECTED) - 1


def test_an_event_that_the_script_does_not_have_is_extra() -> None:
    extra = found_for(EXPECTED[0], shift_s=40.0)
    rows = compare(EXPECTED, [*(found_for(e) for e in EXPECTED), extra])
    assert [row.found for row in rows if row.status == "extra"] == [extra]


def test_a_second_event_at_the_same_time_is_extra() -> None:
    rows = compare(EXPECTED[:1], [found_for(EXPECTED[0]), found_for(EXPECTED[0], shift_s=0.2)])
    assert [row.status for row in rows] == ["ok", "extra"]


@pytest.mark.parametrize(
    ("shift_s", "status"), [(0.5, "ok"), (-0.5, "ok"), (0.6, "off"), (-0.6, "off")]
)
def test_half_a_second_is_tolerated_and_six_tenths_are_not(shift_s: float, status: str) -> None:
    for wanted in EXPECTED:
        (row,) = compare([wanted], [found_for(wanted, shift_s=shift_s)])
        assert row.status == status
        assert row.start_shift_s == pytest.approx(shift_s)


def test_an_end_that_comes_late_is_told_apart_from_the_start() -> None:
    wanted = next(e for e in EXPECTED if e.type == "intrusion")
    (row,) = compare([wanted], [replace(found_for(wanted), end_ns=wanted.end_ns + 700_000_000)])
    assert row.status == "off"
    assert row.detail == "end off by +0.7 s"


def test_an_event_that_never_ends_is_off() -> None:
    wanted = next(e for e in EXPECTED if e.type == "intrusion")
    (row,) = compare([wanted], [replace(found_for(wanted), end_ns=None)])
    assert row.status == "off"
    assert row.end_shift_s is None


def test_a_crossing_the_other_way_is_missing_and_extra() -> None:
    wanted = next(e for e in EXPECTED if e.direction == "left_to_right")
    other = found_for(replace(wanted, direction="right_to_left"))
    assert sorted(row.status for row in compare([wanted], [other])) == ["extra", "missing"]


def test_a_wrong_class_or_count_is_wrong() -> None:
    crowd = next(e for e in EXPECTED if e.type == "crowding")
    (row,) = compare([crowd], [found_for(replace(crowd, count=4))])
    assert (row.status, row.detail) == ("wrong", "counted 4 instead of 5")
    thief = next(e for e in EXPECTED if e.type == "intrusion")
    (row,) = compare([thief], [found_for(replace(thief, track_class="car"))])
    assert (row.status, row.detail) == ("wrong", "car instead of person")
