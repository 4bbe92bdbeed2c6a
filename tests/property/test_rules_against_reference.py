"""The engine, frame by frame, finds exactly what the definitions say of the complete film."""

from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.property import reference
from tests.rule_scenes import T0, events, scene, wander

from video_detective.geometry import NS_PER_S, Polygon
from video_detective.rules import Observation, Tripwire, Zone
from video_detective.rules.parameters import (
    REFERENCE_HEIGHT,
    Crowding,
    Intrusion,
    LineCrossing,
    Loitering,
    Metric,
)
from video_detective.tracking.base import Track

SQUARE = Polygon(((0.31, 0.29), (0.71, 0.29), (0.71, 0.73), (0.31, 0.73)))
TRIANGLE = Polygon(((0.101, 0.903), (0.503, 0.202), (0.897, 0.951)))
ELL = Polygon(((0.05, 0.3), (0.9, 0.3), (0.9, 0.5), (0.4, 0.5), (0.4, 0.95), (0.05, 0.95)))
POLYGONS = [SQUARE, TRIANGLE, ELL]
LINES = [
    ((0.5037, 0.0), (0.4981, 1.0)),
    ((0.1013, 0.4029), (0.9021, 0.6113)),
    ((0.2011, 0.3017), (0.4523, 0.5519), (0.6031, 0.3541), (0.8537, 0.7043)),
]


def pets(folder: Path, *, interpolated: bool) -> list[Observation]:
    """The ground truth of 40 s of pedestrians as observations, at 2 or at 10 frames a second."""
    feet: dict[int, dict[int, np.ndarray]] = defaultdict(dict)
    for row in (folder / "pets" / "gt_first_half.txt").read_text().splitlines():
        frame, number, *box = (float(value) for value in row.split(","))
        feet[int(number)][int(frame)] = np.array(box)
    per_frame: dict[int, list[Track]] = defaultdict(list)
    for number, boxes in sorted(feet.items()):
        frames = sorted(boxes)
        for frame, after in zip(frames, [*frames[1:], frames[-1]], strict=True):
            steps = 5 if interpolated and after == frame + 5 else 1
            for step in range(steps):
                share = step / 5
                between = boxes[frame] * (1 - share) + boxes[after] * share
                x, y, w, h = (float(value) for value in between)
                per_frame[frame + step].append(
                    Track(track_id=f"p{number}", type="person", conf=1, bbox=(x, y, x + w, y + h))
                )
    return [
        Observation(
            time_ns=T0 + (frame - 1) * 100_000_000,
            frame=frame - 1,
            size=(768, 576),
            tracks=tuple(per_frame[frame]),
        )
        for frame in sorted(per_frame)
    ]


FREE: dict[str, Any] = {"cooldown_s": 0, "merge_gap_s": 0}


def check_crossings(observations, line):
    rule = LineCrossing(id="r", tripwire="t", **FREE)
    wire = Tripwire(id="t", name="t", points=line)
    found = [
        reference.Crossing(e.actors[0].track_id, e.facts["direction"], e.start_ns, e.frames)
        for e in events(scene(rule, tripwires=(wire,)), observations)
    ]
    expected = reference.crossings(
        observations, line, hysteresis=rule.hysteresis, max_gap_ns=round(rule.max_gap_s * NS_PER_S)
    )
    assert sorted(found, key=lambda one: (one.track_id, one.time_ns)) == expected
    return len(expected)


def spans_by_track(rule, polygon, observations):
    zone = Zone(id="z", name="z", polygon=polygon)
    found = defaultdict(list)
    for e in events(scene(rule, zones=(zone,)), observations):
        found[e.actors[0].track_id].append((e.start_ns, e.established_ns, e.end_ns))
    return {key: sorted(spans) for key, spans in found.items()}


def check_intrusions(observations, polygon):
    rule = Intrusion(id="r", zone="z", enter_s=0.7, exit_s=1.1, **FREE)
    expected = reference.intrusions(
        observations, polygon, enter_ns=700_000_000, exit_ns=1_100_000_000
    )
    assert spans_by_track(rule, polygon, observations) == expected
    return sum(map(len, expected.values()))


def check_loiterings(observations, polygon, *, seconds, speed_px_s):
    rule = Loitering(
        id="r", zone="z", min_seconds=seconds, max_speed_px_s=speed_px_s, exit_s=1.1, **FREE
    )
    expected = reference.loiterings(
        observations,
        polygon,
        min_ns=round(seconds * NS_PER_S),
        limit=speed_px_s / REFERENCE_HEIGHT,
        exit_ns=1_100_000_000,
    )
    assert spans_by_track(rule, polygon, observations) == expected
    return sum(map(len, expected.values()))


def check_crowds(observations, polygon, least):
    rule = Crowding(id="r", zone="z", min_people=least, min_seconds=2, exit_s=1.1, **FREE)
    zone = Zone(id="z", name="z", polygon=polygon)
    found = [
        ((e.start_ns, e.established_ns, e.end_ns), e.facts["peak_count"])
        for e in events(scene(rule, zones=(zone,)), observations)
    ]
    expected = reference.crowds(
        observations, polygon, least=least, min_ns=2 * NS_PER_S, exit_ns=1_100_000_000
    )
    assert found == expected
    return len(expected)


def check_counts(observations, polygon):
    """Every count, by one instant metric for each possible number."""
    present = reference.counts(observations, polygon)
    rules = tuple(
        Metric(
            id=f"m{n}", metric="zones.z.count", operator="EQ", threshold=n, for_seconds=0,
            exit_s=0, **FREE,
        )
        for n in range(max(present) + 1)
    )  # fmt: skip
    zone = Zone(id="z", name="z", polygon=polygon)
    found = events(scene(*rules, zones=(zone,)), observations)
    for observation, count in zip(observations, present, strict=True):
        values = [
            e.facts["actualValue"] for e in found if e.start_ns <= observation.time_ns <= e.end_ns
        ]
        assert values == [count]
    return len(found)


@pytest.mark.media
@pytest.mark.parametrize("interpolated", [False, True], ids=["2 fps", "10 fps"])
class TestPedestrians:
    """Real ways of 40 s, ground truth of PETS09-S2L1."""

    def test_line_crossings(self, media_dir, interpolated):
        observations = pets(media_dir, interpolated=interpolated)
        assert sum(check_crossings(observations, line) for line in LINES) > 15

    def test_intrusions(self, media_dir, interpolated):
        observations = pets(media_dir, interpolated=interpolated)
        assert sum(check_intrusions(observations, polygon) for polygon in POLYGONS) > 15

    def test_loitering_dwell(self, media_dir, interpolated):
        observations = pets(media_dir, interpolated=interpolated)
        found = [
            check_loiterings(observations, polygon, seconds=seconds, speed_px_s=speed)
            for polygon in POLYGONS
            for seconds in (3, 5.5, 10)
            for speed in (30, 80)
        ]
        assert sum(found) > 5

    def test_crowding(self, media_dir, interpolated):
        observations = pets(media_dir, interpolated=interpolated)
        found = [check_crowds(observations, p, least) for p in POLYGONS for least in (2, 3, 4)]
        assert sum(found) > 5

    def test_counts(self, media_dir, interpolated):
        observations = pets(media_dir, interpolated=interpolated)
        assert sum(check_counts(observations, polygon) for polygon in POLYGONS) > 20


@given(st.integers(0, 2**32))
@settings(max_examples=60, deadline=None)
def test_random_ways_cross_lines_as_defined(seed):
    observations = wander(seed)
    for line in LINES:
        check_crossings(observations, line)


@given(st.integers(0, 2**32), st.sampled_from(POLYGONS))
@settings(max_examples=60, deadline=None)
def test_random_ways_intrude_and_loiter_as_defined(seed, polygon):
    observations = wander(seed)
    check_intrusions(observations, polygon)
    check_loiterings(observations, polygon, seconds=2.5, speed_px_s=60)
    check_loiterings(observations, polygon, seconds=6, speed_px_s=40)


@given(st.integers(0, 2**32), st.sampled_from(POLYGONS))
@settings(max_examples=60, deadline=None)
def test_random_crowds_are_counted_as_defined(seed, polygon):
    observations = wander(seed)
    check_counts(observations, polygon)
    for least in (1, 2, 4):
        check_crowds(observations, polygon, least)
