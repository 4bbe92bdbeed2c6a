"""How long it takes to make an index document of an event, and to read a question.

Run: python -m benchmarks.search_text

Of the processor's time, so that other programs on the machine count little.
"""

from __future__ import annotations

import time
from statistics import median

import numpy as np

from benchmarks.retrieval import SETS, ZONE, names_of
from benchmarks.retrieval_metrics import read_questions
from benchmarks.sets.corpus import corpus
from video_detective.geometry import NS_PER_S, Polygon
from video_detective.narration.template import event_texts
from video_detective.rules import Actor, Event, Scene, Tripwire, Zone
from video_detective.search.document import event_document
from video_detective.search.question import interpret

EVENTS = 20_000
_YARD = Polygon(((0.1, 0.1), (0.9, 0.1), (0.5, 0.9)))
_PLACES = ("後門", "大門", "停車場", "倉庫", "收銀台", "卸貨區", "圍籬", "電梯口")


def main() -> None:
    """Print microseconds an event and milliseconds a question, on one core."""
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
    names = {
        f"cam{index:02d}": (f"{place}攝影機", f"{place}禁入區")
        for index, place in enumerate(_PLACES)
    }
    rounds = []
    for _ in range(5):
        begun = time.process_time()
        for event, words in told:
            event_document(
                event,
                summary_zh=words.summary_zh,
                summary_en=words.summary_en,
                keywords_zh=words.keywords_zh,
                names=names[event.camera_id],
            )
        rounds.append((time.process_time() - begun) / EVENTS * 1e6)
    print(f"event_document: {median(rounds):.1f} µs an event")
    rows, _ = corpus(size=100)
    cameras = tuple(names_of(row) for row in rows)
    questions = read_questions(SETS / "retrieval_tuning.json")
    reading = []
    for _ in range(5):
        for question in questions:
            begun = time.process_time()
            interpret(question.q, now_ns=question.now_ns, cameras=cameras, zone=ZONE)
            reading.append((time.process_time() - begun) * 1000)
    p50, p99 = np.percentile(reading, [50, 99])
    print(f"interpret: p50 {p50:.2f} ms, p99 {p99:.2f} ms")


if __name__ == "__main__":
    main()
