"""An event that a model is to tell: an intruder at the back door, seen at 5 frames a second."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import numpy as np

from video_detective.geometry import NS_PER_S, Image, Polygon
from video_detective.narration.catalogue import Language
from video_detective.narration.keyframes import Sample, choose, nominate
from video_detective.narration.material import Material
from video_detective.narration.pictures import candidates, key_frame
from video_detective.rules import Actor, Event, Moment, Scene, Tripwire, Zone
from video_detective.tracking.base import Track

SIZE = (640, 360)
START_NS = int(datetime.fromisoformat("2025-12-16T22:05:00+08:00").timestamp()) * NS_PER_S
SCENE = Scene(
    camera_id="cam01",
    timezone="Asia/Taipei",
    zones=(
        Zone(
            id="back",
            name="後門禁入區",
            polygon=Polygon(((0.4, 0.1), (0.9, 0.1), (0.9, 1.0), (0.4, 1.0))),
        ),
    ),
    tripwires=(Tripwire(id="fence", name="圍籬線", points=((0.2, 0.6), (0.8, 0.6))),),
)
CAMERA = "後門攝影機"


def ns(seconds: float) -> int:
    """Seconds after the event's start as UTC ns."""
    return START_NS + round(seconds * NS_PER_S)


def person(track_id: str, x: float, y: float = 0.8, height: float = 0.4) -> Track:
    """A person whose foot point is at relative (x, y)."""
    width, tall = SIZE
    left, bottom = x * width - 15, y * tall
    return Track(
        track_id=track_id,
        type="person",
        conf=0.92,
        bbox=(left, bottom - height * tall, left + 30, bottom),
    )


def intrusion(seconds: float | None = 30.0, **changes: Any) -> Event:
    """p12 enters at 0 s, which is established after 1 s, and leaves at ``seconds`` (None: not)."""
    moments = [
        Moment(time_ns=ns(0), frame=50, what="entered", track_ids=("p12",)),
        Moment(time_ns=ns(1), frame=55, what="established", track_ids=("p12",)),
    ]
    if seconds is not None:
        frame = 50 + round(seconds * 5)
        last = Moment(time_ns=ns(seconds), frame=frame, what="left", track_ids=("p12",))
        moments.append(last)
    event = Event(
        event_id="evt_20251216_cam01_0007",
        camera_id="cam01",
        type="intrusion",
        risk_level="high",
        rule_id="yard",
        start_ns=ns(0),
        established_ns=ns(1),
        end_ns=None if seconds is None else ns(seconds),
        frames=(50, 50 + round((seconds or 0) * 5)),
        zone="back",
        actors=(Actor(track_id="p12", type="person"),),
        moments=tuple(moments),
        facts={"dwell_s": seconds or 1.0, "ended": "left"},
    )
    return replace(event, **changes)


def samples(seconds: float = 30.0) -> tuple[Sample, ...]:
    """p12 walks from left to right; p13 passes by between 10 and 15 s."""
    rows = []
    for step in range(-10, round(seconds * 5) + 11):
        at = step / 5
        share = min(max(at / seconds, 0.0), 1.0)
        tracks = [person("p12", 0.3 + 0.5 * share)]
        if 10 <= at <= 15:
            tracks.append(person("p13", 0.9 - 0.05 * (at - 10), y=0.5, height=0.2))
        rows.append(Sample(time_ns=ns(at), frame=50 + step, tracks=tuple(tracks)))
    return tuple(rows)


def picture(time_ns: int) -> Image:
    """A picture with detail, another at every time."""
    rng = np.random.default_rng(time_ns % 2**32)
    coarse = rng.integers(0, 255, (36, 64, 3), dtype=np.uint8)
    return np.asarray(coarse.repeat(10, axis=0).repeat(10, axis=1), dtype=np.uint8)


def material(
    *,
    language: Language = "zh-TW",
    event: Event | None = None,
    seen: Sequence[Sample] | None = None,
    pictures: Mapping[int, Image] | None = None,
    most: int = 12,
) -> Material:
    """Everything for telling the event; ``most`` key frames (0: no picture could be cut out)."""
    event = event or intrusion()
    seen = samples() if seen is None else seen
    wanted = {sample.time_ns: sample for sample in nominate(event, seen)}
    shown = {t: picture(t) for t in wanted} if pictures is None else pictures
    found = candidates(event, tuple(wanted.values()), shown)
    chosen = choose(found, most=most, least=min(5, most)) if most else ()
    frames = tuple(
        key_frame(f"cam01_{one.frame:06d}", one, wanted[one.time_ns], shown[one.time_ns])
        for one in chosen
    )
    return Material(
        event=event,
        scene=SCENE,
        camera_name=CAMERA,
        language=language,
        size=SIZE,
        samples=tuple(seen),
        frames=frames,
    )


def event_answer(**changes: Any) -> dict[str, Any]:
    """A good answer to prompt 2."""
    record = {
        "event_type": "闖入",
        "start_time": "2025-12-16T22:05:00.000+08:00",
        "end_time": "2025-12-16T22:05:30.000+08:00",
        "actors": [{"track_id": "p12", "type": "person", "notes": "穿深色外套，背著背包"}],
        "evidence": [
            {"timestamp": "2025-12-16T22:05:00.000+08:00", "what": "人物走進後門禁入區"},
            {"timestamp": "2025-12-16T22:05:30.000+08:00", "what": "人物往右側離開"},
        ],
        "risk_level": "high",
        "search_keywords_zh": ["後門", "深色外套", "背包"],
    }
    answer = {
        "timeline_bullets": ["22:05:00 人物 p12 走進後門禁入區", "22:05:30 人物 p12 往右側離開"],
        "event_json": record,
        "summary_zh": "22:05:00 一名穿深色外套的人物 p12 走進後門禁入區。他往右側走過，之後離開。",
    }
    record.update({key: changes.pop(key) for key in list(changes) if key in record})
    return {**answer, **changes}


def frame_answer(**changes: Any) -> dict[str, Any]:
    """A good answer to prompt 1, but for the timestamp, which is that of the first moment."""
    return {
        "timestamp": "2025-12-16T22:05:00.000+08:00",
        "camera_id": "cam01",
        "scene_summary": "後門外的空地，一名人物正走進禁入區。",
        "entities": [{"type": "person", "count": 1, "notable": "穿深色外套"}],
        "actions": ["往門口走去"],
        "suspicious_score": 70,
        "suspicious_reasons": ["深夜進入禁入區"],
        "unsure": ["看不清楚臉部"],
        "summary_zh": "一名穿深色外套的人物走進後門禁入區。",
        **changes,
    }
