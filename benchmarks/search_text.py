"""How long it takes to make an index document of an event, and to read a question."""

from __future__ import annotations

import time
from dataclasses import replace
from statistics import median

from video_detective.geometry import NS_PER_S, Polygon
from video_detective.narration.template import event_texts
from video_detective.rules import Actor, Event, Scene, Tripwire, Zone
from video_detective.search.document import event_document

EVENTS = 20_000
_YARD = Polygon(((0.1, 0.1), (0.9, 0.1), (0.5, 0.9)))
_PLACES = ("後門", "大門", "停車場", "倉庫", "收銀台", "卸貨區", "圍籬", "電梯口")


def main() -> None:
    """Print microseconds an event on one core."""
    scenes = [
        Scene(
            camera_id=f"cam{index:02d}",
            timezone="Asia/Taipei",
            zones=(Zone(id="restricted", name=f"{place}禁入區", polygon=_YARD),),
            tripwires=(Tripwire(id="line", name=f"{place}線", points=((0, 0), (1, 1))),),
            rules=(),
        )
        for index, place in enumerate(_PLACES)
    ]
    kinds = ("intrusion", "loitering", "pacing", "line_crossing", "crowding", "abandoned_object")
    told = []
    for number in range(EVENTS):
        scene = scenes[number % len(scenes)]
        start = (1_765_000_000 + number * 37) * NS_PER_S
        event = Event(
            event_id=f"evt_20251216_{scene.camera_id}_{number:04d}",
            camera_id=scene.camera_id,
            type=kinds[number % len(kinds)],
            risk_level=("low", "medium", "high")[number % 3],
            rule_id="rule",
            start_ns=start,
            established_ns=start,
            end_ns=start + 35 * NS_PER_S,
            frames=(0, 100),
            zone="restricted",
            tripwire="line" if kinds[number % len(kinds)] == "line_crossing" else None,
            actors=(Actor(track_id=f"p{number}", type=("person", "car", "person")[number % 3]),),
            facts={"dwell_s": 20.0 + number % 300, "average_speed_px_s": number % 15},
        )
        words = event_texts(event, scene, camera_name=f"{_PLACES[number % len(scenes)]}攝影機")
        told.append((event, words))
    rounds = []
    for _ in range(5):
        begun = time.perf_counter()
        for event, words in told:
            event_document(
                event,
                summary_zh=words.summary_zh,
                summary_en=words.summary_en,
                keywords_zh=words.keywords_zh,
            )
        rounds.append((time.perf_counter() - begun) / EVENTS * 1e6)
    document = event_document(
        replace(told[0][0]),
        summary_zh=told[0][1].summary_zh,
        summary_en=told[0][1].summary_en,
        keywords_zh=told[0][1].keywords_zh,
    )
    print(f"event_document: {median(rounds):.1f} µs an event, {len(document.tokens)} tokens")


if __name__ == "__main__":
    main()
