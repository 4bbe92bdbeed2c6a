"""Time to find the events nearest to a question among many, by their vectors.

Run: python benchmarks/vectors.py [--events 100000] [--size 1024] [--url postgresql://…]

Events begin evenly over 30 days, at ten cameras in turn. The vectors are random around a thousand
themes. Without ``--url`` a new SQLite file is searched, exactly; on PostgreSQL with pgvector, what
the index finds is compared with what is nearest ("recall", of ten).
"""

import argparse
import asyncio
import resource
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from video_detective.geometry import NS_PER_S
from video_detective.rules import Event
from video_detective.search.base import IndexQuery
from video_detective.storage import StoredEvent
from video_detective.storage.database import Database
from video_detective.storage.vectors_rows import NewVector

MODEL = "benchmark"
CAMERAS = 10
DAY_NS = 24 * 3600 * NS_PER_S
DAYS = 30
BATCH = 900
LIMIT = 50


def events(count: int) -> Iterator[StoredEvent]:
    for n in range(count):
        start_ns = n * DAYS * DAY_NS // count
        yield StoredEvent(
            event=Event(
                event_id=f"evt_{n:08d}",
                camera_id=f"cam{n % CAMERAS:02d}",
                type="intrusion",
                risk_level="high",
                rule_id="yard",
                start_ns=start_ns,
                established_ns=start_ns,
                end_ns=start_ns + 30 * NS_PER_S,
                frames=(n, n),
            ),
            summary_zh=f"第 {n} 件事：一名行人進入後院，停留約 30 秒。",
            keywords_zh=("闖入", "後院", "行人"),
        )


class Vectors:
    """Random ones around themes."""

    def __init__(self, size: int) -> None:
        self._chance = np.random.default_rng(1)
        self._themes = self._chance.normal(size=(1000, size)).astype(np.float32)

    def next(self) -> list[float]:
        theme = self._themes[self._chance.integers(len(self._themes))]
        noise = self._chance.normal(size=theme.shape).astype(np.float32)
        return [float(x) for x in theme + noise]


async def fill(db: Database, count: int, vectors: Vectors) -> None:
    stored = list(events(count))
    begun = time.perf_counter()
    for first in range(0, count, 5000):
        await db.import_events(stored[first : first + 5000])
    print(f"events:  {count / (time.perf_counter() - begun):8,.0f} a second")
    begun = time.perf_counter()
    await db.vectors.use(MODEL)
    print(f"queue:   {time.perf_counter() - begun:8.2f} s for all of them")
    spent = 0.0
    while True:
        begun = time.perf_counter()
        due = await db.vectors.due(BATCH)
        spent += time.perf_counter() - begun
        if not due:
            break
        new = [
            NewVector(event_id=entry.event_id, text_sha256=entry.text_sha256, vector=vectors.next())
            for entry in due
        ]
        begun = time.perf_counter()
        await db.vectors.store(MODEL, new)
        spent += time.perf_counter() - begun
    print(f"vectors: {count / spent:8,.0f} a second (what a model takes for them apart)")


async def search(db: Database, vectors: Vectors, rounds: int) -> None:
    since_ns = 20 * DAY_NS
    cases = {
        "all": IndexQuery(),
        "one camera of ten": IndexQuery(cameras=("cam03",)),
        "one day of thirty": IndexQuery(since_ns=since_ns, until_ns=since_ns + DAY_NS),
        "camera and day": IndexQuery(
            cameras=("cam03",), since_ns=since_ns, until_ns=since_ns + DAY_NS
        ),
    }
    for name, query in cases.items():
        taken, right = [], 0
        for _ in range(rounds):
            question = vectors.next()
            begun = time.perf_counter()
            near = await db.vectors.nearest(question, MODEL, query, LIMIT)
            taken.append(1000 * (time.perf_counter() - begun))
            exact = await db.vectors.nearest(question, MODEL, query, 10, exact_up_to=1 << 40)
            right += len({found.event_id for found in near} & {found.event_id for found in exact})
        p50, worst = np.percentile(taken, 50), max(taken)
        recall = right / (10 * rounds)
        print(f"{name:18} p50 {p50:7.1f} ms   worst {worst:7.1f} ms   recall {recall:.3f}")


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--size", type=int, default=1024, help="numbers in a vector")
    parser.add_argument("--rounds", type=int, default=15, help="questions for each case")
    parser.add_argument("--url", help="database to fill (default: a new SQLite file)")
    options = parser.parse_args()
    vectors = Vectors(options.size)
    with tempfile.TemporaryDirectory() as folder:
        async with await Database.open(Path(folder), options.url) as db:
            await fill(db, options.events, vectors)
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            await search(db, vectors, options.rounds)
            after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            print(f"memory: searching added {(after - before) / 1024:.0f} MiB to the peak")


if __name__ == "__main__":
    asyncio.run(main())
