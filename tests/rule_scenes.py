"""Scenes and films for rule tests: tracks on scripted ways, in relative coordinates."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise

import numpy as np

from video_detective.geometry import NS_PER_S, Point, Polygon
from video_detective.rules import Event, Observation, Rule, RuleEngine, Scene, Tripwire, Zone
from video_detective.tracking.base import Track

SIZE = (1280, 720)
T0 = int(datetime(2026, 3, 2, 12, 0, tzinfo=UTC).timestamp()) * NS_PER_S
"""A Monday noon, UTC."""
TYPES = {"p": "person", "v": "car", "o": "backpack"}
PEOPLE = tuple(f"p{n}" for n in range(8))
Way = Sequence[tuple[float, float, float]]
"""(seconds, x, y) corners of a way; straight and even between them."""

YARD = Zone(
    id="yard", name="Yard", polygon=Polygon(((0.2, 0.2), (0.8, 0.2), (0.8, 0.8), (0.2, 0.8)))
)
EVERYWHERE = Zone(
    id="all", name="All", polygon=Polygon(((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)))
)
FENCE = Tripwire(
    id="fence",
    name="Fence",
    points=((0.2, 0.5), (0.8, 0.5)),
    left_to_right="in",
    right_to_left="out",
)


def scene(
    *rules: Rule,
    zones: tuple[Zone, ...] = (YARD, EVERYWHERE),
    tripwires: tuple[Tripwire, ...] = (FENCE,),
    timezone: str = "UTC",
    camera_id: str = "cam01",
) -> Scene:
    """A camera with the usual zones and the given rules."""
    return Scene(
        camera_id=camera_id, timezone=timezone, zones=zones, tripwires=tripwires, rules=rules
    )


def ns(seconds: float) -> int:
    """Seconds after T0 as UTC ns."""
    return T0 + round(seconds * NS_PER_S)


def track(
    track_id: str, foot: Point, *, size: tuple[int, int] = SIZE, type: str | None = None
) -> Track:
    """A track standing on a relative foot point."""
    x, y = foot[0] * size[0], foot[1] * size[1]
    half, height = size[0] / 64, size[1] / 8
    return Track(
        track_id=track_id,
        type=type or TYPES[track_id[0]],
        conf=0.9,
        bbox=(x - half, y - height, x + half, y),
    )


def at(way: Way, seconds: float) -> Point | None:
    """Where a way is at a time; None before it begins and after it ends."""
    if not way[0][0] - 1e-9 <= seconds <= way[-1][0] + 1e-9:
        return None
    for (t1, x1, y1), (t2, x2, y2) in pairwise(way):
        if seconds <= t2:
            share = min(max((seconds - t1) / (t2 - t1), 0.0), 1.0) if t2 > t1 else 1.0
            return x1 + (x2 - x1) * share, y1 + (y2 - y1) * share
    return way[-1][1:]


def film(
    ways: Mapping[str, Way],
    *,
    until: float,
    fps: float = 5,
    since: float = 0.0,
    size: tuple[int, int] = SIZE,
    hidden: Mapping[str, Sequence[tuple[float, float]]] | None = None,
    view: str = "ok",
) -> list[Observation]:
    """Observations at ``fps`` of tracks on their ways; ``hidden`` are [from, to) seconds unseen."""
    observations = []
    for frame in range(round((until - since) * fps) + 1):
        seconds = since + frame / fps
        tracks = []
        for track_id, way in ways.items():
            foot = at(way, seconds)
            gaps = (hidden or {}).get(track_id, ())
            if foot is not None and not any(a <= seconds < b for a, b in gaps):
                tracks.append(track(track_id, foot, size=size))
        observations.append(
            Observation(
                time_ns=ns(seconds),
                frame=round(seconds * fps),
                size=size,
                tracks=tuple(tracks),
                view=view,
            )
        )
    return observations


def wander(seed: int, ids: Sequence[str] = PEOPLE) -> list[Observation]:
    """Tracks that wander, stand, jitter, flicker and vanish, at an uneven rate.

    Args:
        seed: Same seed, same film.
        ids: Tracks that may take part; at least one does.
    """
    rng = np.random.default_rng(seed)
    count = int(rng.integers(1, len(ids) + 1))
    place = rng.uniform(0.1, 0.9, (count, 2))
    drift = rng.normal(0, 0.02, (count, 2))
    fps = rng.choice([2.0, 5.0, 10.0])
    observations, time_ns = [], T0
    for frame in range(rng.integers(20, 160)):
        time_ns += round(rng.choice([1, 1, 1, 1.07, 2, 3.3]) / fps * NS_PER_S)
        turn = rng.random(count) < 0.08
        drift[turn] = rng.normal(0, rng.choice([0.0, 0.005, 0.03]), (int(turn.sum()), 2))
        place = place + drift
        drift[(place < 0.02) | (place > 0.98)] *= -1
        seen = rng.random(count) > 0.1
        feet = (place + rng.normal(0, 0.004, place.shape)).tolist()
        tracks = [track(ids[i], (x, y)) for i, (x, y) in enumerate(feet) if seen[i]]
        observations.append(
            Observation(time_ns=time_ns, frame=frame, size=SIZE, tracks=tuple(tracks))
        )
    return observations


def versions(engine: RuleEngine, observations: Iterable[Observation]) -> list[Event]:
    """Every version of every event, in order of appearance."""
    return [event for observation in observations for event in engine.update(observation)]


def events(
    watched: Scene, observations: Iterable[Observation], *, finish: bool = True
) -> list[Event]:
    """The last version of each event, by id."""
    engine = RuleEngine(watched)
    seen = {event.event_id: event for event in versions(engine, observations)}
    if finish:
        seen |= {event.event_id: event for event in engine.finish()}
    return [seen[key] for key in sorted(seen)]


def whats(event: Event) -> list[str]:
    """The keys of an event's moments, in order."""
    return [moment.what for moment in event.moments]


def after_start(time_ns: int | None) -> float | None:
    """UTC ns as seconds after T0."""
    return None if time_ns is None else (time_ns - T0) / NS_PER_S
