"""Thirty days of events of fourteen cameras, with words and with what is known of each.

The facts are made up, but have the shape that the rules give them; the words are those that the
product makes of them (``narration.event_texts``) and, for six in ten, what a vision model would
have added (``telling``). A search is judged by ``Item.truth`` alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.resources import files
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import numpy as np

from benchmarks.sets.telling import VEHICLES, tell
from video_detective import config
from video_detective.geometry import NS_PER_S
from video_detective.narration.template import EventTexts, event_texts
from video_detective.rules import Actor, Event, Moment, Rule, Scene
from video_detective.rules.snapshot import plain
from video_detective.storage.base import CameraRow

Chosen = TypeVar("Chosen")

SEED = 20251217
LAST = datetime.fromisoformat("2025-12-17T15:25:00+08:00")
"""No event begins later; the questions are asked five minutes after it."""
DAYS = 30
INCIDENTS = (
    ("2025-12-16T22:00:00+08:00", "cam01", "pacing", 4),
    ("2025-12-16T23:10:00+08:00", "cam05", "intrusion", 4),
    ("2025-12-15T23:20:00+08:00", "cam06", "loitering", 4),
    ("2025-12-17T08:05:00+08:00", "cam06", "line_crossing", 3),
)
"""From when, camera, type, how many: what happens several times within the following hour."""
TOLD = 0.6
"""Share of the events about which a vision model wrote something."""

TYPE_WEIGHTS = {
    "line_crossing": 1.6,
    "intrusion": 1.2,
    "loitering": 1.3,
    "pacing": 1.2,
    "abandoned_object": 0.9,
    "crowding": 0.9,
    "metric": 0.8,
    "wrong_way": 0.8,
    "speed": 0.8,
    "post_left": 0.9,
    "camera_tampered": 0.5,
}
CLASS_WEIGHTS = {"car": 5.0, "motorcycle": 2.0, "truck": 1.5, "bicycle": 1.0, "bus": 0.6}
SHOWN = {
    "intrusion": ("entered", "left"),
    "loitering": ("entered", "left"),
    "line_crossing": ("before", "crossed"),
}
"""First and last moment, where they have names of their own."""
NIGHT_CAMERAS = ("cam01", "cam06", "cam12", "cam09")
"""Those that see more by night than by day."""
USUAL = {
    "cam01": ("look_around", "rummage", "smoke", "knock", "pry"),
    "cam02": ("wait", "call", "photo", "patrol"),
    "cam03": ("look_around", "call", "smoke", "wait"),
    "cam04": ("push_cart", "argue", "call", "wait"),
    "cam05": ("carry", "push_cart", "rummage", "climb"),
    "cam06": ("climb", "squat", "run", "hide"),
    "cam07": ("wait", "call", "carry", "photo"),
    "cam08": ("carry", "push_cart", "smoke", "sit"),
    "cam09": ("squat", "carry", "patrol", "photo"),
    "cam10": ("clean", "knock", "run", "call"),
    "cam11": ("wait", "run", "sit", "call"),
    "cam12": ("smoke", "sit", "look_around", "drink"),
    "cam13": ("carry", "clean", "argue", "call"),
    "cam14": ("look_around", "call", "hide", "run"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One event as the search gets it, and what is known of it.

    Args:
        event: The fact.
        stored: The words that the product makes from its facts.
        told: A vision model's words in Traditional Chinese; "" when none looked.
        truth: What the facts and ``told`` say, by stable keys; see ``truth_of()``.
    """

    event: Event
    stored: EventTexts
    told: str
    truth: Mapping[str, Any]

    @property
    def text(self) -> str:
        """All words that a search may look in."""
        words = (self.stored.summary_zh, self.stored.summary_en, *self.stored.keywords_zh)
        return " ".join((*words, self.told)).strip()


def corpus(seed: int = SEED, size: int = 6000) -> tuple[list[CameraRow], list[Item]]:
    """Cameras, and events in order of their start.

    Args:
        seed: The same seed and size give the same corpus.
        size: How many events, at least those of ``INCIDENTS``.
    """
    text = files("benchmarks.sets").joinpath("cameras.yaml").read_text(encoding="utf-8")
    document = config.parse(text, name="cameras.yaml")
    draw = np.random.default_rng(seed)
    scenes = {key: camera.scene(key) for key, camera in document.cameras.items()}
    rows = [
        CameraRow(
            camera_id=key,
            name=camera.name,
            timezone=camera.timezone,
            document=camera.model_dump(mode="json"),
        )
        for key, camera in document.cameras.items()
    ]
    weights = {
        key: [TYPE_WEIGHTS[rule.type] for rule in scene.rules] for key, scene in scenes.items()
    }
    starts: list[tuple[datetime, str, str]] = []
    for since, camera_id, kind, count in INCIDENTS:
        for _ in range(count):
            after = timedelta(seconds=int(draw.integers(0, 3500)))
            starts.append((datetime.fromisoformat(since) + after, camera_id, kind))
    for _ in range(size - len(starts)):
        camera_id = _one(draw, tuple(scenes))
        starts.append((_moment(draw, night=camera_id in NIGHT_CAMERAS), camera_id, ""))
    maker = _Maker(draw=draw)
    items = []
    for start, camera_id, kind in sorted(starts):
        scene = scenes[camera_id]
        shares = np.array(weights[camera_id])
        if kind:
            shares *= [rule.type == kind for rule in scene.rules]
        rule = scene.rules[int(draw.choice(len(shares), p=shares / shares.sum()))]
        event = maker.event(scene, rule, start)
        telling = tell(event, draw, USUAL[camera_id]) if draw.random() < TOLD else None
        stored = event_texts(event, scene, camera_name=document.camera(camera_id).name)
        known = {} if telling is None else telling.known
        told = "" if telling is None else telling.text()
        truth = truth_of(event, ZoneInfo(scene.timezone), known)
        items.append(Item(event=event, stored=stored, told=told, truth=truth))
    return rows, items


def truth_of(event: Event, zone: ZoneInfo, known: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """What a question may ask of an event, by stable keys.

    ``type``; ``types`` (with those of the parts); ``camera``; ``places`` (``cam01``,
    ``cam01/back_door``); ``classes`` of the actors; ``risk``; ``start_ns``, ``end_ns``;
    ``duration_s``; ``night`` (begins between 18:00 and 06:00 local); ``people`` (most at once);
    ``direction`` (its name over the tripwire); ``kinds`` of a camera's trouble; and the lists of
    ``telling.Telling.known``, empty where nothing was told.
    """
    end_ns = event.start_ns if event.end_ns is None else event.end_ns
    hour = datetime.fromtimestamp(event.start_ns // NS_PER_S, zone).hour
    parts = [str(part["type"]) for part in event.facts.get("parts", ())]
    where = [f"{event.camera_id}/{key}" for key in (event.zone, event.tripwire) if key]
    truth: dict[str, Any] = {
        "type": event.type,
        "types": list(dict.fromkeys([event.type, *parts])),
        "camera": event.camera_id,
        "places": [event.camera_id, *where],
        "classes": list(dict.fromkeys(actor.type for actor in event.actors)),
        "risk": event.risk_level,
        "start_ns": event.start_ns,
        "end_ns": end_ns,
        "duration_s": (end_ns - event.start_ns) // NS_PER_S,
        "night": hour >= 18 or hour < 6,
        "people": int(
            event.facts.get("peak_count")
            or sum(actor.type == "person" and actor.role != "owner" for actor in event.actors)
        ),
        "direction": str(event.facts.get("direction_name", "")),
        "kinds": list(event.facts.get("kinds", ())),
    }
    told = ("persons", "upper_colours", "lower_colours", "objects", "vehicles", "behaviours")
    return truth | {key: list(known.get(key, ())) for key in (*told, "left", "absent", "towards")}


def _one(draw: np.random.Generator, choices: Sequence[Chosen]) -> Chosen:
    return choices[int(draw.integers(len(choices)))]


def _moment(draw: np.random.Generator, *, night: bool) -> datetime:
    """A second of the thirty days; most in the last ones, as people ask about those."""
    while True:
        back = draw.integers(0, draw.choice((2, 8, DAYS), p=(0.25, 0.4, 0.35)))
        if draw.random() < (0.75 if night else 0.3):
            hour = (18 + draw.integers(0, 12)) % 24
        else:
            hour = draw.integers(6, 18)
        day = LAST.replace(hour=0, minute=0) - timedelta(days=int(back))
        start = day + timedelta(hours=int(hour), seconds=int(draw.integers(0, 3600)))
        if start <= LAST:
            return start


class _Maker:
    """Makes events; numbers them and their tracks by camera."""

    def __init__(self, *, draw: np.random.Generator) -> None:
        self._draw = draw
        self._numbers: dict[str, int] = {}
        self._facts: Mapping[str, Callable[[float], dict[str, Any]]] = {
            "intrusion": self._stay,
            "loitering": self._slow_stay,
            "pacing": self._pacing,
            "crowding": lambda s: {"peak_count": self._int(5, 15), "min_people": 5, **_lasting(s)},
            "wrong_way": lambda s: {"angle_deg": float(self._int(110, 180)), **_lasting(s)},
            "speed": lambda s: {
                "peak_speed_px_s": float(self._int(310, 700)), "limit_px_s": 300.0, **_lasting(s)
            },
            "post_left": lambda s: {"absent_s": s, "min_people": 1, "ended": "returned"},
            "camera_tampered": lambda s: {
                "kinds": [_one(self._draw, ("dark", "blurred", "shifted"))], **_lasting(s)
            },
        }  # fmt: skip

    def event(self, scene: Scene, rule: Rule, start: datetime) -> Event:
        """One event of a rule."""
        start_ns = int(start.timestamp()) * NS_PER_S
        seconds = 0 if rule.type == "line_crossing" else self._seconds(rule.type)
        end_ns = start_ns + seconds * NS_PER_S
        actors = self._actors(scene.camera_id, rule)
        zone, wire = getattr(rule, "zone", None), getattr(rule, "tripwire", None)
        if rule.type == "metric":
            zone = rule.metric.split(".")[1]
        parameters = plain(rule)
        facts: dict[str, Any]
        if rule.type == "line_crossing":
            names = next(w for w in scene.tripwires if w.id == wire)
            way = _one(self._draw, ("left_to_right", "right_to_left"))
            facts = {"direction": way, "direction_name": getattr(names, way)}
        elif rule.type == "metric":
            value = int(rule.threshold) + self._int(1, 12)
            facts = {"metricPath": rule.metric, "operator": "GT", "threshold": rule.threshold,
                     "actualValue": value, **_lasting(seconds)}  # fmt: skip
        elif rule.type == "abandoned_object":
            facts = {"object_type": actors[0].type, "alone_s": float(seconds), "ended": "removed"}
        else:
            facts = self._facts[rule.type](float(seconds))
        if rule.type in ("intrusion", "pacing") and self._draw.random() < 0.2:
            other = "loitering" if rule.type == "intrusion" else "intrusion"
            if any(r.type == other for r in scene.rules):
                facts["parts"] = [
                    {"type": kind, "established_ns": start_ns} for kind in (rule.type, other)
                ]
        ids = tuple(actor.track_id for actor in actors[:1])
        shown = SHOWN.get(rule.type, ("established", "ended"))
        day = f"evt_{start:%Y%m%d}_{scene.camera_id}"
        return Event(
            event_id=f"{day}_{self._next(day):04d}",
            camera_id=scene.camera_id,
            type=rule.type,
            risk_level=rule.severity,
            rule_id=rule.id,
            start_ns=start_ns,
            established_ns=min(end_ns, start_ns + 2 * NS_PER_S),
            end_ns=end_ns,
            frames=(0, 5 * seconds + 1),
            zone=zone,
            tripwire=wire,
            actors=actors,
            moments=(
                Moment(time_ns=start_ns, frame=0, what=shown[0], track_ids=ids),
                Moment(time_ns=end_ns, frame=5 * seconds + 1, what=shown[1], track_ids=ids),
            ),
            facts=facts,
            parameters=parameters,
        )

    def _actors(self, camera_id: str, rule: Rule) -> tuple[Actor, ...]:
        if rule.type in ("camera_tampered", "post_left"):
            return ()
        if rule.type == "abandoned_object":
            thing = _one(self._draw, ("backpack", "handbag", "suitcase", "object", "object"))
            owner = (Actor(track_id=self._track(camera_id, "p"), type="person", role="owner"),)
            return (
                Actor(track_id=self._track(camera_id, "o"), type=thing),
                *(owner if self._draw.random() < 0.6 else ()),
            )
        if rule.type in ("crowding", "metric"):
            kind = rule.classes[0]
            return tuple(
                Actor(track_id=self._track(camera_id, kind[0]), type=kind, role="member")
                for _ in range(self._int(3, 6))
            )
        kinds = rule.classes
        if kinds[0] == "person" and self._draw.random() < 0.55:
            kinds = ("person",)
        shares = np.array([CLASS_WEIGHTS.get(kind, 1.0) for kind in kinds])
        kind = kinds[int(self._draw.choice(len(kinds), p=shares / shares.sum()))]
        letter = "v" if kind in VEHICLES else kind[0]
        return (Actor(track_id=self._track(camera_id, letter), type=kind),)

    def _seconds(self, kind: str) -> int:
        low, high = {"speed": (1, 8), "wrong_way": (3, 20), "loitering": (20, 900),
                     "abandoned_object": (30, 1800), "post_left": (60, 1500),
                     "metric": (5, 400)}.get(kind, (5, 180))  # fmt: skip
        return int(np.exp(self._draw.uniform(np.log(low), np.log(high))))

    def _stay(self, seconds: float) -> dict[str, Any]:
        return {"dwell_s": seconds, "ended": _one(self._draw, ("left", "vanished"))}

    def _slow_stay(self, seconds: float) -> dict[str, Any]:
        return {**self._stay(seconds), "average_speed_px_s": float(self._int(2, 15))}

    def _pacing(self, seconds: float) -> dict[str, Any]:
        way = _one(self._draw, ("visits", "turns"))
        return {**self._stay(seconds), "crossings": self._int(3, 9), "way": way}

    def _int(self, low: int, high: int) -> int:
        """A whole number from ``low`` to ``high``, both possible."""
        return int(self._draw.integers(low, high + 1))

    def _next(self, key: str) -> int:
        self._numbers[key] = self._numbers.get(key, 0) + 1
        return self._numbers[key]

    def _track(self, camera_id: str, letter: str) -> str:
        return f"{letter}{self._next(f'{camera_id}/{letter}'):02d}"


def _lasting(seconds: float) -> dict[str, Any]:
    return {"duration_s": seconds, "ended": "ended"}
