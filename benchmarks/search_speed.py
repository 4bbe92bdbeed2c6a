"""Speed of the search index on SQLite: building it, and questions to it.

Run: python benchmarks/search_speed.py [--events 1000000] [--folder DIR]

The events are those of ``sets.corpus``, told again at other times with other track ids: 14 cameras
over 180 days. About one in seven has a model's words, some last for hours, some still go on. They
are written as rows without documents, and ``Database.reindex`` builds the index; the last ones are
imported, which indexes them at once. Then questions are asked one after the other: with a camera
and a period of an hour to two weeks, and with neither. A question is some of: types, people and
vehicles, colours, places, words, single characters, with synonyms, sometimes without something.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import sqlite3
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.sets.corpus import Item, corpus
from video_detective.geometry import NS_PER_S
from video_detective.rules import Event
from video_detective.search.base import Group, IndexQuery, Term
from video_detective.search.tokens import word_term
from video_detective.storage import RunKey, StoredEvent
from video_detective.storage.database import Database
from video_detective.storage.dialects import FILE_NAME
from video_detective.storage.rows import event_values

SEED = 20261121
TEMPLATES = 6000
DAYS = 180
DAY_NS = 86_400 * NS_PER_S
IMPORTED = 10_000
FILTERED, UNFILTERED = 1500, 500

CONCEPTS = (
    "type:loitering", "type:intrusion", "type:line_crossing", "type:pacing",
    "type:abandoned_object", "type:crowding", "type:speed", "class:person", "class:person",
    "class:vehicle", "class:car", "class:bag", "class:object", "risk:high", "risk:low",
    "risk:critical", "colour:red", "colour:white", "colour:black", "colour:yellow", "clothes:red",
    "upper:blue", "wear:hat", "wear:helmet", "act:enter", "act:leave", "act:carry", "act:run",
    "place:back_door", "place:parking", "place:fence", "place:warehouse", "who:man", "who:woman",
)  # fmt: skip
WORDS = (
    ("後門",), ("進入",), ("人物",), ("person",), ("徘徊", "踱步", "來回走動"), ("紅色", "紅"),
    ("門",), ("車",), ("箱子", "紙箱"), ("雨傘",), ("停車格",), ("座椅下方",), ("滅火器",),
    ("可疑人物",), ("有人",), ("p12",), ("背包", "後背包", "書包"), ("咖啡色",), ("翻牆",),
)  # fmt: skip


def told_again(item: Item, copy: int) -> tuple[StoredEvent, str]:
    """The event at another time, and a model's words about it."""
    shift_ns = (
        -(copy % (DAYS // 30)) * 30 * DAY_NS - (copy // (DAYS // 30)) * 1_237 * NS_PER_S // 100
    )
    event, words = item.event, item.stored
    summary_zh, summary_en = words.summary_zh, words.summary_en
    actors = []
    for actor in event.actors:
        track_id = f"{actor.track_id[0]}{int(actor.track_id[1:]) + 31 * copy}"
        summary_zh = summary_zh.replace(actor.track_id, track_id)
        summary_en = summary_en.replace(actor.track_id, track_id)
        actors.append(replace(actor, track_id=track_id))
    start_ns = event.start_ns + shift_ns
    lasts_ns = (event.end_ns or event.start_ns) - event.start_ns
    if copy % 50 == 7:
        lasts_ns *= 20
    moved: Event = replace(
        event,
        event_id=f"{event.event_id}{copy:03d}",
        start_ns=start_ns,
        established_ns=event.established_ns + shift_ns,
        end_ns=start_ns + lasts_ns,
        actors=tuple(actors),
        moments=tuple(replace(m, time_ns=m.time_ns + shift_ns) for m in event.moments),
    )
    stored = StoredEvent(
        event=moved,
        summary_zh=summary_zh,
        summary_en=summary_en,
        keywords_zh=words.keywords_zh,
    )
    return stored, item.told if copy % 4 == 0 else ""


def events(items: Sequence[Item], count: int) -> Iterator[tuple[StoredEvent, str]]:
    """So many events, copy after copy."""
    for n in range(count):
        yield told_again(items[n % len(items)], n // len(items))


def write_rows(path: Path, run_id: int, found: Iterator[tuple[StoredEvent, str]]) -> int:
    """Events and narrations, without documents, as an older database has them."""
    written = 0
    with sqlite3.connect(path) as connection:
        while batch := [pair for _, pair in zip(range(5000), found, strict=False)]:
            rows = [event_values(stored, run_id) for stored, _ in batch]
            for row in rows:
                for key in ("actors", "moments", "facts", "parameters", "keywords_zh"):
                    row[key] = _json(row[key])
            names = list(rows[0])
            connection.executemany(
                f"INSERT INTO events ({', '.join(names)}) VALUES ({', '.join(['?'] * len(names))})",
                [tuple(row.values()) for row in rows],
            )
            connection.executemany(
                "INSERT INTO narrations (event_id, status, requested_ns, language, prompts, text,"
                " flags, usage, attempts) VALUES (?, 'done', 0, 'zh-TW', '{}', ?, '[]', '{}', 1)",
                [(stored.event.event_id, told) for stored, told in batch if told],
            )
            connection.commit()
            written += len(batch)
    return written


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def question(draw: np.random.Generator, items: Sequence[Item], *, filtered: bool) -> IndexQuery:
    """What somebody might ask."""

    def group() -> Group:
        if draw.random() < 0.55:
            token = CONCEPTS[int(draw.integers(len(CONCEPTS)))]
            return Group(key=token, terms=(Term(tokens=(token,)),))
        words = WORDS[int(draw.integers(len(WORDS)))]
        return Group(key=f"word:{words[0]}", terms=tuple(map(word_term, words)))

    count = int(draw.choice([0, 1, 2, 3, 4], p=[0.05, 0.3, 0.35, 0.2, 0.1]))
    groups = {made.key: made for made in (group() for _ in range(count))}
    without = (group(),) if draw.random() < 0.08 else ()
    if not filtered:
        return IndexQuery(groups=tuple(groups.values()), without=without)
    event = items[int(draw.integers(len(items)))].event
    hours = float(np.exp(draw.uniform(0, np.log(24 * 14))))
    since_ns = event.start_ns - int(draw.integers(0, DAYS - 15)) * DAY_NS
    return IndexQuery(
        groups=tuple(groups.values()),
        without=without,
        cameras=(event.camera_id,),
        since_ns=since_ns,
        until_ns=since_ns + int(hours * 3600) * NS_PER_S,
    )


async def ask(db: Database, questions: Sequence[IndexQuery]) -> str:
    """Milliseconds that questions took, by the clock and of processor time."""
    took: list[tuple[float, float]] = []
    answered = 0
    for query in questions:
        begun = time.perf_counter(), time.process_time()
        hits = await db.search(query)
        took.append((time.perf_counter() - begun[0], time.process_time() - begun[1]))
        answered += bool(hits.hits)
    wall, cpu = np.percentile(np.array(took) * 1000, [50, 90, 99], axis=0).T
    return (
        f"p50 {wall[0]:5.1f} ms  p90 {wall[1]:5.1f}  p99 {wall[2]:5.1f}"
        f"   CPU p50 {cpu[0]:5.1f}  p90 {cpu[1]:5.1f}  p99 {cpu[2]:5.1f}"
        f"   ({answered} of {len(questions)} with hits)"
    )


@contextmanager
def measured(name: str, events: int) -> Iterator[None]:
    """Print how fast events were dealt with, and the processor time of all processes."""
    begun = time.perf_counter(), _cpu_s()
    yield
    wall_s, cpu_s = time.perf_counter() - begun[0], _cpu_s() - begun[1]
    print(
        f"{name:24} {events / wall_s:9,.0f} events/s   CPU {cpu_s / events * 1e6:5.0f} us an event",
        flush=True,
    )


def _cpu_s() -> float:
    uses = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(use.ru_utime + use.ru_stime for use in uses)


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, help="where to keep the database, and find it again")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        cameras, items = corpus(size=TEMPLATES)
        is_new = not (folder / FILE_NAME).exists()
        async with await Database.open(folder) as db:
            if is_new:
                for camera in cameras:
                    await db.save_camera(camera)
                found = events(items, options.events)
                rest = options.events - min(IMPORTED, options.events // 2)
                key = RunKey(camera_id="all", fingerprint="-", settings_hash="-")
                run = await db.begin_run(key, {}, 0)
                first = (next(found) for _ in range(rest))
                written = write_rows(folder / FILE_NAME, run.run_id, first)
                with measured("index build", written):
                    await db.reindex()
                last = [stored for stored, _ in found]
                with measured("bulk import, indexed", len(last)):
                    for n in range(0, len(last), 1000):
                        await db.import_events(last[n : n + 1000])
                size = (folder / FILE_NAME).stat().st_size
                print(f"{'database':24} {size / options.events:9,.0f} bytes an event")
        async with await Database.open(folder) as db:
            draw = np.random.default_rng(SEED)
            for name, count in (("camera and period", FILTERED), ("neither", UNFILTERED)):
                filtered = name != "neither"
                asked = [question(draw, items, filtered=filtered) for _ in range(count)]
                await ask(db, asked[:20])
                print(f"{name:18}", await ask(db, asked), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
