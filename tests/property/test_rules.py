"""Laws that hold for every film and every rule."""

import dataclasses
import json
from collections import defaultdict
from itertools import pairwise

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from tests.rule_scenes import (
    PEOPLE,
    SIZE,
    T0,
    events,
    film,
    ns,
    scene,
    track,
    versions,
    wander,
)

from video_detective.geometry import NS_PER_S, Polygon
from video_detective.rules import EVENT_TYPES, Event, Observation, RuleEngine, Tripwire, Zone
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
from video_detective.tracking.base import Track

MOVING = ("person", "car")
RULES = (
    LineCrossing(id="cross", tripwire="fence", classes=MOVING),
    Intrusion(id="yard", zone="yard", classes=MOVING),
    Loitering(id="loiter", zone="yard", min_seconds=4, max_speed_px_s=80),
    Pacing(id="pace", zone="yard", window_s=30),
    Pacing(id="fence-pace", zone="all", tripwire="fence", window_s=30),
    AbandonedObject(id="bag", zone="all", min_seconds=3, max_shift=0.1),
    Crowding(id="crowd", radius=0.5, min_people=3, min_seconds=1),
    Metric(id="count", metric="zones.yard.count", threshold=1, for_seconds=1),
    Metric(id="queue", metric="zones.all.queue_length", threshold=1, for_seconds=1),
    Metric(id="dwell", metric="zones.yard.max_dwell_s", threshold=3, for_seconds=1),
    Metric(id="passes", metric="tripwires.fence.left_to_right", threshold=0, for_seconds=1),
    WrongWay(id="way", zone="all", allowed=(1.0, 0.0)),
    Speed(id="fast", zone="all", limit_px_s=60),
    PostLeft(id="post", zone="yard", min_seconds=2),
    CameraTampered(id="tamper"),
)
IDS = ("p1", "o1", "v1", "p2", "o2", "v2", "p3", "p4")
SEEDS = st.integers(0, 2**32)
LAW = settings(max_examples=25, deadline=None)


def history(watched, observations):
    """Every version of every event, and what is left at the end."""
    engine = RuleEngine(watched)
    return [*versions(engine, observations), *engine.finish()]


def with_trouble(observations, seed):
    """Some views are not well, and one frame is a cut."""
    return [
        dataclasses.replace(
            o,
            view="dark" if (seed >> (i // 8 % 24)) & 1 else "ok",
            cut=i == seed % 97,
        )
        for i, o in enumerate(observations)
    ]


def test_the_films_of_these_laws_make_events_of_every_type():
    found = set()
    for seed in range(40):
        for event in history(scene(*RULES), with_trouble(wander(seed, IDS), seed * 7919)):
            found |= {event.type, *(part["type"] for part in event.facts.get("parts", ()))}
    assert found == set(EVENT_TYPES)


@LAW
@given(SEEDS, st.sampled_from([0.25, 0.5, 2, 4]))
def test_stream_resolution_changes_nothing(seed, factor):
    observations = wander(seed, IDS)
    scaled = [
        dataclasses.replace(
            o,
            size=(int(SIZE[0] * factor), int(SIZE[1] * factor)),
            tracks=tuple(
                dataclasses.replace(t, bbox=tuple(v * factor for v in t.bbox)) for t in o.tracks
            ),
        )
        for o in observations
    ]
    assert history(scene(*RULES), scaled) == history(scene(*RULES), observations)


def shifted(observations, dx, dy):
    """The same film, all feet moved; in 1/1024 of the frame so that nothing is rounded."""
    moved = []
    for o in observations:
        tracks = []
        for t in o.tracks:
            x, y = (round(v / n * 1024) / 1024 for v, n in zip(t.foot, (1024, 512), strict=True))
            x, y = (x + dx) * 1024, (y + dy) * 512
            tracks.append(dataclasses.replace(t, bbox=(x - 16, y - 64, x + 16, y)))
        moved.append(dataclasses.replace(o, size=(1024, 512), tracks=tuple(tracks)))
    return moved


@LAW
@given(SEEDS, st.integers(-64, 64), st.integers(-64, 64))
def test_moving_feet_zones_and_lines_together_changes_nothing(seed, dx, dy):
    def world(x, y):
        corners = ((0.25, 0.25), (0.75, 0.25), (0.75, 0.75), (0.25, 0.75))
        yard = Polygon(tuple((a + x, b + y) for a, b in corners))
        line = tuple((a + x, b + y) for a, b in ((0.25, 0.5), (0.625, 0.5), (0.75, 0.375)))
        return scene(
            Intrusion(id="yard", zone="z"),
            Loitering(id="loiter", zone="z", min_seconds=4, max_speed_px_s=80),
            LineCrossing(id="cross", tripwire="t"),
            Pacing(id="pace", zone="z", window_s=30),
            zones=(Zone(id="z", name="z", polygon=yard),),
            tripwires=(Tripwire(id="t", name="t", points=line),),
        )

    observations = wander(seed)
    step = (dx / 1024, dy / 1024)
    here = events(world(0, 0), shifted(observations, 0, 0))
    there = events(world(*step), shifted(observations, *step))
    assert [(e.event_id, e.type, e.start_ns, e.established_ns, e.end_ns) for e in there] == [
        (e.event_id, e.type, e.start_ns, e.established_ns, e.end_ns) for e in here
    ]


def refined(observations):
    """Between two observations one more, with the tracks of both halfway."""
    fine = []
    for o, after in pairwise(observations):
        next_tracks = {t.track_id: t for t in after.tracks}
        halfway = tuple(
            dataclasses.replace(
                t,
                bbox=tuple(
                    (a + b) / 2 for a, b in zip(t.bbox, next_tracks[t.track_id].bbox, strict=True)
                ),
            )
            for t in o.tracks
            if t.track_id in next_tracks
        )
        middle_ns = (o.time_ns + after.time_ns) // 2
        fine += [o, dataclasses.replace(o, time_ns=middle_ns, tracks=halfway)]
    return [*fine, observations[-1]]


def steady(seed):
    """A film without flicker, so that observations halfway say nothing new."""
    every = wander(seed)
    ids = {t.track_id for o in every for t in o.tracks}
    return [o for o in every if {t.track_id for t in o.tracks} == ids]


@LAW
@given(SEEDS)
def test_a_finer_time_step_changes_no_line_crossing(seed):
    observations = steady(seed)
    assume(len(observations) > 1)
    rule = LineCrossing(id="cross", tripwire="fence", cooldown_s=0, max_gap_s=60)
    bent = Tripwire(id="fence", name="", points=((0.2, 0.3), (0.5, 0.6), (0.6, 0.3), (0.8, 0.7)))
    coarse = events(scene(rule, tripwires=(bent,)), observations)
    fine = events(scene(rule, tripwires=(bent,)), refined(refined(observations)))

    def essence(found):
        return sorted((e.actors[0].track_id, e.start_ns, e.facts["direction"]) for e in found)

    assert len(coarse) == len(fine)
    for one, other in zip(essence(coarse), essence(fine), strict=True):
        assert (one[0], one[2]) == (other[0], other[2])
        assert abs(one[1] - other[1]) <= 10


@LAW
@given(st.integers(0, 40), st.integers(60, 100), st.sampled_from([2, 4, 5, 10, 20]))
def test_a_finer_time_step_moves_a_stay_by_less_than_a_step(arrive, leave, fps):
    way = {"p1": [(0, 0.1, 0.5), (arrive / 10 + 0.5, 0.1, 0.5), (arrive / 10 + 0.6, 0.5, 0.5),
                  (leave / 5, 0.5, 0.5), (leave / 5 + 0.1, 0.1, 0.5), (30, 0.1, 0.5)]}  # fmt: skip
    watched = scene(
        Intrusion(id="yard", zone="yard", merge_gap_s=0),
        Loitering(id="loiter", zone="yard", min_seconds=6, merge_gap_s=0),
    )
    coarse = events(watched, film(way, until=30, fps=fps))
    fine = events(watched, film(way, until=30, fps=fps * 4))
    assert len(coarse) == len(fine) == 1
    for one, other in zip(coarse, fine, strict=True):
        assert abs(one.start_ns - other.start_ns) <= NS_PER_S / fps
        assert abs(one.established_ns - other.established_ns) <= 2 * NS_PER_S / fps
        assert abs(ended_ns(one) - ended_ns(other)) <= NS_PER_S / fps
        assert [p["type"] for p in one.facts["parts"]] == [p["type"] for p in other.facts["parts"]]


@LAW
@given(st.lists(st.integers(1, 5_000), max_size=80))
def test_an_empty_scene_has_no_events(steps_ms):
    observations, time_ns = [], T0
    for i, step in enumerate(steps_ms):
        time_ns += step * 1_000_000
        observations.append(Observation(time_ns=time_ns, frame=i, size=SIZE, tracks=()))
    assert history(scene(*RULES), observations) == []


@LAW
@given(st.lists(st.floats(-0.0099, 0.0099), max_size=60), st.sampled_from([-1, 1]))
def test_jitter_on_the_line_counts_once_or_not_at_all(jitter, side):
    rule = LineCrossing(id="cross", tripwire="fence", cooldown_s=0)
    feet = [0.4, *[0.5 + j for j in jitter], 0.5 + side / 10]
    observations = [
        Observation(time_ns=ns(i / 5), frame=i, size=SIZE, tracks=(track("p1", (0.5, y)),))
        for i, y in enumerate(feet)
    ]
    assert len(events(scene(rule), observations)) == (side + 1) // 2


GRID = st.tuples(st.integers(0, 8), st.integers(0, 8))


@settings(max_examples=200, deadline=None)
@given(
    st.lists(GRID, min_size=2, max_size=30),
    st.lists(st.integers(2, 6), min_size=1, max_size=5),
)
def test_passes_balance_with_the_sides_also_with_feet_and_joints_exactly_on_the_line(way, heights):
    # A line from beyond the left edge to beyond the right edge has two sides; feet are on a coarse
    # grid on which its joints lie too.
    last = len(heights)
    joints = [(8 * i / last - 0.0, y) for i, y in enumerate([heights[0], *heights])]
    corners = [(-4.0, float(heights[0])), *joints, (12.0, float(heights[-1]))]
    points = tuple((x / 8, y / 8) for x, y in corners)
    rule = LineCrossing(id="cross", tripwire="fence", cooldown_s=0, hysteresis=1e-9)
    ends = [(0.5, -0.5), *[(x / 8, y / 8) for x, y in way], (0.5, 1.5 if len(way) % 2 else -0.5)]
    observations = [
        Observation(
            time_ns=ns(i / 5),
            frame=i,
            size=(1024, 1024),
            tracks=(track("p1", foot, size=(1024, 1024)),),
        )
        for i, foot in enumerate(ends)
    ]
    found = events(
        scene(rule, tripwires=(Tripwire(id="fence", name="", points=points),)), observations
    )
    found.sort(key=lambda e: (e.start_ns, e.event_id))
    balance = [1 if e.facts["direction"] == "left_to_right" else -1 for e in found]
    assert sum(balance) == len(way) % 2


@LAW
@given(SEEDS, st.lists(st.integers(0, 159), max_size=20))
def test_a_frame_repeated_or_out_of_order_changes_nothing(seed, positions):
    observations = with_trouble(wander(seed, IDS), seed)
    muddled = list(observations)
    for position in positions:
        # Something older, in another place, turns up again later; or the same frame twice.
        late = observations[position % len(observations)]
        other = dataclasses.replace(late, tracks=late.tracks[:1], cut=True, view="dark")
        after = next(i for i, o in enumerate(muddled) if o.time_ns == late.time_ns)
        muddled.insert(after + 1 + position % 3 if after + 3 < len(muddled) else after + 1, other)
    assert history(scene(*RULES), muddled) == history(scene(*RULES), observations)


@LAW
@given(SEEDS, SEEDS)
def test_two_cameras_do_not_know_of_each_other(seed, other_seed):
    films = {"cam01": wander(seed, IDS), "cam02": wander(other_seed, IDS)}
    engines = {key: RuleEngine(scene(*RULES, camera_id=key)) for key in films}
    together: dict[str, list[Event]] = defaultdict(list)
    order = sorted((o.time_ns, key, o) for key, found in films.items() for o in found)
    for _, key, observation in order:
        together[key] += engines[key].update(observation)
    for key, observations in films.items():
        alone = versions(RuleEngine(scene(*RULES, camera_id=key)), observations)
        assert together[key] == alone


@LAW
@given(SEEDS, st.integers(0, 160))
def test_an_engine_restored_from_its_state_goes_on_identically(seed, position):
    observations = with_trouble(wander(seed, IDS), seed)
    first = RuleEngine(scene(*RULES))
    versions(first, observations[:position])
    state = json.loads(json.dumps(first.state(), allow_nan=False))
    second = RuleEngine(scene(*RULES))
    second.restore(state)
    assert second.state() == first.state()
    assert versions(second, observations[position:]) == versions(first, observations[position:])
    assert second.finish() == first.finish()
    assert second.throttled == first.throttled
    assert second.state() == first.state()


def test_a_restored_engine_gives_no_event_number_that_was_used_meanwhile():
    observations = wander(3, IDS)
    first = RuleEngine(scene(*RULES))
    position = next(n for n, seen in enumerate(observations) if first.update(seen)) + 1
    second = RuleEngine(scene(*RULES), next_numbers={"20260302": 500})
    second.restore(json.loads(json.dumps(first.state())))
    known = {event.event_id for event in versions(first, observations[position:])}
    later = {event.event_id for event in versions(second, observations[position:])}
    assert len(later) == len(known)
    assert all(int(event_id[-4:]) >= 500 for event_id in later if event_id not in known)
    assert any(event_id not in known for event_id in later)


@settings(max_examples=8, deadline=None)
@given(SEEDS)
def test_restoring_at_every_frame_changes_nothing(seed):
    observations = with_trouble(wander(seed, IDS)[:40], seed)
    engine = RuleEngine(scene(*RULES))
    found: list[Event] = []
    for observation in observations:
        state = engine.state()
        engine = RuleEngine(scene(*RULES))
        engine.restore(state)
        found += engine.update(observation)
    assert found == versions(RuleEngine(scene(*RULES)), observations)


@LAW
@given(SEEDS, st.integers(1, 500))
def test_every_event_is_well_formed(seed, first_number):
    engine = RuleEngine(scene(*RULES), next_numbers={"20260302": first_number})
    observations = with_trouble(wander(seed, IDS), seed)
    seen, opened = {}, []
    for observation in observations:
        for event in engine.update(observation):
            if event.event_id not in seen:
                opened.append(event.event_id)
            seen[event.event_id] = event
    seen |= {event.event_id: event for event in engine.finish()}
    numbers = range(first_number, first_number + len(opened))
    assert opened == [f"evt_20260302_cam01_{number:04d}" for number in numbers]
    times = {o.time_ns: o.frame for o in observations}
    for event in seen.values():
        assert event.start_ns <= ended_ns(event)
        assert event.start_ns <= event.established_ns
        assert event.frames[0] <= event.frames[1]
        assert event.type in EVENT_TYPES
        assert json.loads(json.dumps([event.facts, event.parameters])) == [
            event.facts,
            event.parameters,
        ]
        moments = [moment.time_ns for moment in event.moments]
        assert moments == sorted(moments)
        assert all(times[moment.time_ns] == moment.frame for moment in event.moments)
        assert len({(a.track_id, a.role) for a in event.actors}) == len(event.actors)


@LAW
@given(SEEDS, st.sampled_from([0, 2, 5, 20]))
def test_cooldown_loses_nothing_from_the_count(seed, cooldown_s):
    rule = LineCrossing(id="cross", tripwire="fence", cooldown_s=cooldown_s)
    free = dataclasses.replace(rule, cooldown_s=0)
    observations = wander(seed)
    engine = RuleEngine(scene(rule))
    seen = {event.event_id: event for event in versions(engine, observations)}
    every = events(scene(free), observations)
    suppressed = sum(event.facts.get("suppressed", 0) for event in seen.values())
    assert len(seen) + suppressed == len(every)
    assert engine.throttled.get("cross", 0) == suppressed
    by_track = defaultdict(list)
    for event in seen.values():
        by_track[event.actors[0].track_id].append(event.established_ns)
    for fired in by_track.values():
        assert all(b - a >= cooldown_s * NS_PER_S for a, b in pairwise(sorted(fired)))


def ended_ns(event: Event) -> int:
    assert event.end_ns is not None
    return event.end_ns


def founded_ns(event: Event) -> int:
    """Start of the part that was established first."""
    parts = event.facts.get("parts")
    if not parts:
        return event.start_ns
    return min(parts, key=lambda part: part["established_ns"])["start_ns"]


@LAW
@given(SEEDS, st.sampled_from([0, 1, 5]))
@example(4754, 5)
def test_an_event_begins_further_than_the_gap_from_the_one_before(seed, gap_s):
    """By the finding that founded it; a slower rule's may join later and reach further back."""
    rules = (
        Intrusion(id="yard", zone="yard", merge_gap_s=gap_s, cooldown_s=0),
        Loitering(
            id="loiter", zone="yard", merge_gap_s=gap_s, cooldown_s=0, min_seconds=3,
            max_speed_px_s=80,
        ),
    )  # fmt: skip
    observations = wander(seed)
    together = defaultdict(list)
    for event in events(scene(*rules), observations):
        together[event.actors[0].track_id].append(event)
    apart = events(scene(*[dataclasses.replace(r, merge_gap_s=0) for r in rules]), observations)
    for track_id, found in together.items():
        found.sort(key=lambda event: event.start_ns)
        for one, other in pairwise(found):
            assert founded_ns(other) - ended_ns(one) > gap_s * NS_PER_S
        own = [event for event in apart if event.actors[0].track_id == track_id]
        assert {found[0].start_ns} == {min(event.start_ns for event in own)}
        assert {found[-1].end_ns} == {max(map(ended_ns, own))}


@LAW
@given(SEEDS, st.floats(0, 400), st.floats(0, 400))
def test_the_foot_alone_decides_however_large_the_box(seed, half_width, height):
    observations = wander(seed, PEOPLE)

    def boxed(t: Track) -> Track:
        x, y = t.foot
        # Powers of two so that the middle of the box is the same number.
        half = 2.0 ** round(half_width / 40)
        x = round(x * 64) / 64
        return dataclasses.replace(t, bbox=(x - half, y - height, x + half, y))

    def small(t: Track) -> Track:
        x, y = t.foot
        x = round(x * 64) / 64
        return dataclasses.replace(t, bbox=(x - 1, y - 1, x + 1, y))

    large = [dataclasses.replace(o, tracks=tuple(map(boxed, o.tracks))) for o in observations]
    little = [dataclasses.replace(o, tracks=tuple(map(small, o.tracks))) for o in observations]
    assert history(scene(*RULES), large) == history(scene(*RULES), little)
