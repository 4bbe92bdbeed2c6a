"""Recorded tracks, the scenes they are watched with, and the events that come out.

The tracks are files: they stay what they are however the scripts that once made them change. The
events are files too, so that a change of behaviour is a diff that someone reads.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from tests.rule_scenes import FENCE, YARD, Way, film, ns

from video_detective.rules import Observation, RuleEngine, Scene, Schedule
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
    Rule,
    Speed,
    WrongWay,
)
from video_detective.rules.snapshot import plain
from video_detective.tracking.base import Track

FOLDER = Path(__file__).parent / "recordings"


def _camera(camera_id: str, *rules: Rule) -> Scene:
    return Scene(
        camera_id=camera_id,
        timezone="Asia/Taipei",
        zones=(YARD,),
        tripwires=(FENCE,),
        rules=rules,
    )


SCENES: Mapping[str, Scene] = {
    # Someone comes over the fence in the evening, stands about, paces and goes again.
    "back_door": _camera(
        "cam01",
        LineCrossing(id="fence-cross", tripwire="fence"),
        Intrusion(
            id="yard",
            zone="yard",
            severity="critical",
            schedule=(Schedule(start_minute=20 * 60, end_minute=6 * 60),),
        ),
        Loitering(id="loiter", zone="yard", min_seconds={"person": 20}),
        Pacing(id="pacing", zone="yard", min_leg=0.1),
    ),
    # People gather, one leaves a bag behind.
    "square": _camera(
        "cam02",
        AbandonedObject(id="bag", zone="yard"),
        Crowding(id="crowd", zone="yard", min_people=4),
        Metric(id="queue", metric="zones.yard.queue_length", threshold=3),
    ),
    # Two cars go with the traffic, one of them too fast, and one against it.
    "street": _camera(
        "cam03",
        LineCrossing(id="stop-line", tripwire="fence", classes=("car",)),
        WrongWay(id="one-way", zone="yard", allowed=(0.0, 1.0)),
        Speed(id="fast", zone="yard"),
    ),
    # The guard leaves, then the camera is covered.
    "gate": _camera(
        "cam04",
        PostLeft(id="post", zone="yard", min_seconds=20),
        CameraTampered(id="covered"),
    ),
}


def read_tracks(name: str) -> list[Observation]:
    """The recorded observations of a scene."""
    recording = json.loads((FOLDER / f"{name}.tracks.json").read_text())
    return [
        Observation(
            time_ns=row["time_ns"],
            frame=row["frame"],
            size=tuple(recording["size"]),
            view=row.get("view", "ok"),
            cut=row.get("cut", False),
            tracks=tuple(
                Track(track_id=track_id, type=kind, conf=conf, bbox=tuple(box))
                for track_id, kind, conf, *box in row["tracks"]
            ),
        )
        for row in recording["observations"]
    ]


def events_of(name: str) -> list[dict[str, Any]]:
    """What the rules make of a recording: each event as it stood last, with its versions."""
    engine = RuleEngine(SCENES[name])
    seen: dict[str, dict[str, Any]] = {}
    batches = [engine.update(observation) for observation in read_tracks(name)]
    for event in [event for batch in [*batches, engine.finish()] for event in batch]:
        count = seen.get(event.event_id, {"versions": 0})["versions"]
        seen[event.event_id] = {**plain(event), "versions": count + 1}
    return [seen[key] for key in sorted(seen)]


def expected_events(name: str) -> Any:
    """The events on file."""
    return json.loads((FOLDER / f"{name}.events.json").read_text(encoding="utf-8"))


def write_events(name: str) -> None:
    """Put what the rules make of a recording now on file."""
    text = json.dumps(events_of(name), indent=1, ensure_ascii=False)
    (FOLDER / f"{name}.events.json").write_text(text + "\n", encoding="utf-8")


def record(name: str) -> None:
    """Write a recording that is not there yet: a scripted film with jitter and misses."""
    rng = np.random.default_rng(len(name))
    rows = []
    for observation in _script(name):
        tracks = []
        for track in observation.tracks:
            box = [round(float(v), 1) for v in np.array(track.bbox) + rng.normal(0, 1.5, 4)]
            if rng.random() > 0.04:
                tracks.append([track.track_id, track.type, round(rng.uniform(0.6, 0.95), 2), *box])
        row: dict[str, Any] = {"time_ns": observation.time_ns, "frame": observation.frame}
        if observation.view != "ok":
            row["view"] = observation.view
        if observation.cut:
            row["cut"] = True
        rows.append(json.dumps({**row, "tracks": tracks}))
    body = ",\n  ".join(rows)
    text = f'{{"size": [1280, 720], "observations": [\n  {body}\n]}}\n'
    (FOLDER / f"{name}.tracks.json").write_text(text)


def _script(name: str) -> list[Observation]:
    ways: dict[str, Way]
    if name == "back_door":
        ways = {
            "p1": [(1, 0.5, 0.1), (8, 0.5, 0.6), (34, 0.52, 0.61), (39, 0.3, 0.6), (44, 0.5, 0.6),
                   (49, 0.3, 0.6), (54, 0.5, 0.6), (62, 0.5, 0.05)],
            "v1": [(5, 0.0, 0.9), (15, 1.0, 0.9)],
        }  # fmt: skip
        return film(ways, until=66, fps=4)
    if name == "square":
        ways = {
            f"p{i}": [(2 * i, 0.1, 0.3 + i / 10), (2 * i + 6, 0.3 + i / 20, 0.3 + i / 20),
                      (30 + i, 0.3 + i / 20, 0.3 + i / 20), (36 + i, 0.95, 0.5)]
            for i in range(1, 6)
        }  # fmt: skip
        return film(ways | {"o1": [(12, 0.36, 0.36), (80, 0.36, 0.36)]}, until=84, fps=3)
    if name == "street":
        ways = {
            "v1": [(0, 0.4, 0.0), (12, 0.4, 1.0)],
            "v2": [(3, 0.45, 0.0), (5, 0.45, 1.0)],
            "v3": [(8, 0.6, 1.0), (18, 0.6, 0.0)],
        }
        return film(ways, until=20, fps=5)
    guard: dict[str, Way] = {"p1": [(0, 0.5, 0.5), (15, 0.5, 0.5), (17, 0.95, 0.5)]}
    return [
        replace(o, view="dark" if o.time_ns >= ns(50) else "ok", cut=o.time_ns == ns(50))
        for o in film(guard, until=60, fps=2)
    ]
