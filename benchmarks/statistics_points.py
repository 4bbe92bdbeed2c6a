"""Statistics of a million track points: heat map, visits, people.

Run: ``python -m benchmarks.statistics_points [--points N]``

One camera and 30 days on SQLite. Each figure is CPU time as a ratio to that of reading the same
boxes once (``SELECT sum(y2)`` over them), and how late the event loop was at most meanwhile (run it
on a machine that does nothing else).
"""

from __future__ import annotations

import argparse
import asyncio
import sqlite3
import statistics as stats
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import numpy as np

from video_detective.geometry import NS_PER_S
from video_detective.services import presence
from video_detective.services.accounts import local_caller
from video_detective.services.presence import Presences
from video_detective.services.statistics import Asked, people
from video_detective.services.workspace import open_workspace
from video_detective.storage import CameraRow, LookRow, RunKey, Step

POINTS, DAYS, RUNS = 1_000_000, 30, 3
BEGUN = 1_772_323_200 * NS_PER_S
"""2026-03-01T00:00:00Z."""
DOCUMENT = {
    "zones": {
        "door": {"name": "Door", "points": [[0.0, 0.3], [0.3, 0.3], [0.3, 1.0], [0.0, 1.0]]},
        "queue": {"name": "Queue", "points": [[0.5, 0.5], [0.9, 0.4], [1.0, 0.9], [0.6, 1.0]]},
    }
}
LENGTH = 100
"""Boxes a track, five a second."""


def _tracks(points: int) -> Iterator[tuple[str, int, np.ndarray, np.ndarray]]:
    """Id, first time, and ways through the picture (pixels of 1280 × 720)."""
    rng = np.random.default_rng(1)
    count = points // LENGTH
    starts = np.sort(rng.integers(0, DAYS * 86_400 - 60, count))
    for number in range(count):
        steps = rng.normal(0, 6, (LENGTH, 2)).cumsum(axis=0)
        ways = np.clip(rng.uniform((40, 200), (1240, 700)) + steps, (20, 60), (1260, 720))
        yield f"p{number:07}", BEGUN + int(starts[number]) * NS_PER_S, ways[:, 0], ways[:, 1]


def _fill(path: Path, points: int) -> None:
    tracks, rows = [], []
    for name, first_ns, xs, ys in _tracks(points):
        times = [first_ns + n * NS_PER_S // 5 for n in range(LENGTH)]
        tracks.append(("cam01", name, 1, "person", times[0], times[-1], 0.9))
        rows += [
            ("cam01", at, name, 1, n, "person", 0.8, x - 20, y - 60, x + 20, y)
            for n, (at, x, y) in enumerate(zip(times, xs.tolist(), ys.tolist(), strict=True))
        ]
    rows.sort()
    with sqlite3.connect(path) as connection:
        connection.executemany(f"INSERT INTO tracks VALUES ({', '.join('?' * 7)})", tracks)
        connection.executemany(f"INSERT INTO track_points VALUES ({', '.join('?' * 11)})", rows)
    connection.close()


async def _late(work: Awaitable[object]) -> tuple[float, float]:
    """CPU seconds that it took, and how late the event loop was at most."""
    latest = 0.0

    async def tick() -> None:
        nonlocal latest
        while True:
            due = time.perf_counter() + 0.005
            await asyncio.sleep(0.005)
            latest = max(latest, time.perf_counter() - due)

    ticking = asyncio.create_task(tick())
    await asyncio.sleep(0.02)
    latest, started = 0.0, time.process_time()
    await work
    took = time.process_time() - started
    ticking.cancel()
    return took, latest


async def measure(folder: Path, points: int) -> None:
    """Fill and ask."""
    async with open_workspace(folder) as workspace:
        database = workspace.database
        await database.save_camera(
            CameraRow(camera_id="cam01", name="Gate", timezone="Asia/Taipei", document=DOCUMENT)
        )
        run = await database.begin_run(
            RunKey(camera_id="cam01", fingerprint="film", settings_hash="s"), {}, BEGUN
        )
        looks = [LookRow(time_ns=BEGUN + n * NS_PER_S, frame=n, size=(1280, 720)) for n in (0, 1)]
        end_ns = BEGUN + DAYS * 86_400 * NS_PER_S
        await database.commit_step(
            run, Step(checkpoint=b"1", looks=looks, coverage=[(BEGUN, end_ns)])
        )
        last = [LookRow(time_ns=end_ns - NS_PER_S, frame=9, size=(1280, 720))]
        await database.commit_step(run, Step(checkpoint=b"1", looks=last))
        await database.finish_run(run, {})
        file = folder / "video-detective.db"
        await asyncio.to_thread(_fill, file, points)
        caller = await local_caller(workspace)
        device = (await database.devices.infos())["cam01"].device_id
        asked = Asked(
            device_id=device,
            start="2026-03-01T00:00:00Z",
            end="2026-03-31T00:00:00Z",
            group="hour",
        )
        presences = Presences(workspace)
        limit = presence.MOST_POINTS

        async def sampled() -> None:
            presence.MOST_POINTS = points // 4
            try:
                found = await presences.heat_map(caller, asked, "person")
                assert found.share < 0.5
            finally:
                presence.MOST_POINTS = limit

        def scan() -> None:
            with sqlite3.connect(file) as connection:
                connection.execute(
                    "SELECT sum(y2) FROM track_points WHERE camera_id = 'cam01' AND time_ns >= ?",
                    (BEGUN,),
                ).fetchone()
            connection.close()

        works: dict[str, Callable[[], Awaitable[object]]] = {
            "reading every box once": lambda: asyncio.to_thread(scan),
            "heat map, 64 x 36": lambda: presences.heat_map(caller, asked, "person"),
            "heat map of every fourth slice": sampled,
            "visits to two zones": lambda: presences.dwell(caller, asked, "person"),
            "people by hour": lambda: people(workspace, caller, asked),
        }
        whole = 0.0
        print(f"{points:,} boxes of {points // LENGTH:,} tracks in {DAYS} days, SQLite")
        for name, work in works.items():
            figures = [await _late(work()) for _ in range(RUNS)]
            took = stats.median(took for took, _ in figures)
            late = stats.median(late for _, late in figures)
            whole = whole or took
            print(
                f"{name:<34} {took / whole:6.1f} x  {took:6.2f} s  loop late {late * 1000:4.0f} ms"
            )


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=POINTS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="statistics-") as name:
        asyncio.run(measure(Path(name), options.points))


if __name__ == "__main__":
    main()
