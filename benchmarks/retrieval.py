"""How well questions find what they ask for: interpretation and index together, on SQLite.

Run: python -m benchmarks.retrieval [--details] [--tuning-only]

The corpus and the questions are those of ``benchmarks/sets``. Of the untouched half only the mean
is printed, so that nobody can tune on it; the tuning half is told by kind and question.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sqlite3
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from benchmarks.retrieval_metrics import Question, Scores, evaluate, read_questions, recall
from benchmarks.sets.corpus import Item, corpus
from video_detective.search.names import CameraNames, PlaceName
from video_detective.search.question import interpret
from video_detective.search.tokens import fold
from video_detective.storage import CameraRow, StoredEvent
from video_detective.storage.database import Database
from video_detective.storage.dialects import FILE_NAME

SETS = Path(__file__).parent / "sets"
ZONE = ZoneInfo("Asia/Taipei")
LIMIT = 1000


def names_of(row: CameraRow) -> CameraNames:
    """What a camera and its places are called."""
    document = row.document
    return CameraNames(
        camera_id=row.camera_id,
        name=row.name,
        aliases=tuple(document["aliases"]),
        zones=tuple(
            PlaceName(id=key, name=zone["name"]) for key, zone in document["zones"].items()
        ),
        tripwires=tuple(
            PlaceName(id=key, name=wire["name"], ways=tuple(wire["directions"].values()))
            for key, wire in document["tripwires"].items()
        ),
    )


def write_told(path: Path, items: Sequence[Item]) -> None:
    """Keep a model's words as done narrations."""
    with sqlite3.connect(path) as connection:
        connection.executemany(
            "INSERT INTO narrations (event_id, status, requested_ns, language, prompts, text,"
            " flags, usage, attempts) VALUES (?, 'done', 0, 'zh-TW', '{}', ?, '[]', '{}', 1)",
            [(item.event.event_id, item.told) for item in items if item.told],
        )


async def answers(
    database: Database, cameras: Sequence[CameraNames], questions: Sequence[Question], limit: int
) -> tuple[dict[str, list[str]], list[float]]:
    """Event ids by question id, best first, and the milliseconds that reading each took."""
    found: dict[str, list[str]] = {}
    took: list[float] = []
    for question in questions:
        begun = time.perf_counter()
        read = interpret(question.q, now_ns=question.now_ns, cameras=cameras, zone=ZONE)
        took.append((time.perf_counter() - begun) * 1000)
        hits = await database.search(read.query(limit=limit))
        found[question.id] = [hit.event_id for hit in hits.hits]
    return found, took


async def every_event(
    database: Database, cameras: Sequence[CameraNames], word: str, now_ns: int
) -> set[str]:
    """All events that a word alone finds."""
    query = interpret(word, now_ns=now_ns, cameras=cameras, zone=ZONE)
    found: set[str] = set()
    for offset in range(0, 10_000, LIMIT):
        hits = await database.search(query.query(limit=LIMIT, offset=offset))
        found.update(hit.event_id for hit in hits.hits)
        if len(hits.hits) < LIMIT:
            break
    return found


async def words_recalled(
    database: Database, cameras: Sequence[CameraNames], items: Sequence[Item], now_ns: int
) -> dict[str, float]:
    """For each two-character word the share found of the events whose text has it."""
    words = json.loads((SETS / "two_character_words.json").read_text(encoding="utf-8"))
    texts = {item.event.event_id: fold(item.text) for item in items}
    shares = {}
    for word in words:
        wanted = [key for key, text in texts.items() if fold(word) in text]
        shares[word] = recall(wanted, await every_event(database, cameras, word, now_ns))
    return shares


def told(name: str, scores: Scores) -> str:
    """One line of the table."""
    false = f"{len(scores.false_hits)} of the questions about nothing found something"
    return f"{name:10} nDCG@10 {scores.ndcg:.3f}  recall {scores.recall:.3f}  {false}"


def details(questions: Sequence[Question], scores: Scores) -> None:
    """Print the tuning half by kind, language and question, the worst first."""
    for name, parts in (("kind", scores.by_kind), ("language", scores.by_lang)):
        for key, value in sorted(parts.items(), key=lambda pair: pair[1]):
            print(f"  {name} {key:14} {value:.3f}")
    asked = {question.id: question.q for question in questions}
    for key, value in sorted(scores.by_question.items(), key=lambda pair: pair[1]):
        if value < 0.95:
            print(f"  {value:.3f} {key} {asked[key]}")
    for key in scores.false_hits:
        print(f"  found something: {key} {asked[key]}")


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--details", action="store_true", help="of the tuning half")
    parser.add_argument("--tuning-only", action="store_true", help="leave out the untouched half")
    options = parser.parse_args()
    rows, items = corpus()
    cameras = tuple(names_of(row) for row in rows)
    with tempfile.TemporaryDirectory() as folder:
        async with await Database.open(Path(folder)) as database:
            for row in rows:
                await database.save_camera(row)
            stored = [
                StoredEvent(
                    event=item.event,
                    summary_zh=item.stored.summary_zh,
                    summary_en=item.stored.summary_en,
                    keywords_zh=item.stored.keywords_zh,
                )
                for item in items
            ]
            await database.import_events(stored)
            write_told(Path(folder) / FILE_NAME, items)
            await database.reindex(everything=True)
            halves = ("tuning",) if options.tuning_only else ("tuning", "untouched")
            for half in halves:
                questions = read_questions(SETS / f"retrieval_{half}.json")
                found, took = await answers(database, cameras, questions, LIMIT)

                def answered(question: Question, found: dict[str, list[str]] = found) -> list[str]:
                    return found[question.id]

                scores = evaluate(answered, questions, items)
                print(told(half, scores), f" reading p50 {np.percentile(took, 50):.2f} ms")
                if half == "tuning" and options.details:
                    details(questions, scores)
            shares = await words_recalled(database, cameras, items, questions[0].now_ns)
            missed = {word: round(share, 3) for word, share in shares.items() if share < 1}
            mean = sum(shares.values()) / len(shares)
            print(f"two-character words: recall {mean:.4f} of {len(shares)}, missed {missed}")


if __name__ == "__main__":
    asyncio.run(main())
