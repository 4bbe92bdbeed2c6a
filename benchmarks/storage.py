"""Rows a second by how many go into one step (one transaction), as a ratio to one row a step.

Run: python benchmarks/storage.py [--url postgresql://…] [--seconds 2]

Every step also writes its checkpoint and, with ``synchronous=FULL``, waits for the disk: that is
why rows are written in batches. Compare ratios; the figures themselves depend on the machine.
"""

import argparse
import asyncio
import itertools
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from video_detective.storage import PointRow, Run, RunKey, Step
from video_detective.storage.database import Database
from video_detective.tracking import Track

BATCHES = (1, 10, 100, 1000)
CHECKPOINT = bytes(50_000)


async def rows_per_second(
    db: Database, run: Run, times: Iterator[int], batch: int, seconds: float
) -> float:
    """Track points a second in steps of ``batch`` rows."""
    track = Track(track_id="p12", type="person", conf=0.9, bbox=(100.5, 200.25, 130.0, 290.75))
    written, begun = 0, time.perf_counter()
    while time.perf_counter() - begun < seconds:
        points = [
            PointRow(time_ns=now, frame=now, track=track) for now in itertools.islice(times, batch)
        ]
        await db.commit_step(run, Step(checkpoint=CHECKPOINT, points=points))
        written += batch
    return written / (time.perf_counter() - begun)


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", help="database to write to (default: a new SQLite file)")
    parser.add_argument("--seconds", type=float, default=2.0, help="for each batch size")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        async with await Database.open(Path(folder), options.url) as db:
            key = RunKey(camera_id="benchmark", fingerprint=folder, settings_hash="-")
            run = await db.begin_run(key, {}, 0)
            times = itertools.count(time.time_ns())
            await rows_per_second(db, run, times, 1, 0.2)  # warm up
            single = 0.0
            for batch in BATCHES:
                rate = await rows_per_second(db, run, times, batch, options.seconds)
                single = single or rate
                print(f"{batch:5} rows a step: {rate:9,.0f} rows/s  {rate / single:6.1f} x")


if __name__ == "__main__":
    asyncio.run(main())
