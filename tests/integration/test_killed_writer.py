"""Kill -9 at any moment loses nothing that was committed and leaves nothing half-written."""

import importlib.util
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from video_detective.search.base import IndexQuery
from video_detective.storage import EventQuery
from video_detective.storage.database import Database

SCRIPT = Path(__file__).with_name("step_writer.py")
KILLS = 12


@pytest.fixture(scope="module")
def writer() -> ModuleType:
    spec = importlib.util.spec_from_file_location("step_writer", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(params=["sqlite", "postgresql"])
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], str]:
    if request.param == "sqlite":
        return lambda name: f"sqlite:///{tmp_path}/{name}.db"
    create: Callable[[], str] = request.getfixturevalue("new_postgres_database")
    return lambda _name: create()


async def found(db: Database) -> dict[str, int]:
    """Events that a search finds, and when they began."""
    hits: dict[str, int] = {}
    while page := (await db.search(IndexQuery(limit=1000, offset=len(hits)))).hits:
        hits |= {hit.event_id: hit.start_ns for hit in page}
    return hits


async def contents(db: Database, camera: str) -> dict[str, Any]:
    everything = (camera, 0, 2**62)
    return {
        "events": (await db.events(EventQuery(limit=1000, order="oldest"))).events,
        "found": await found(db),
        "frames": await db.frames(*everything),
        "points": await db.track_points(*everything),
        "tracks": await db.tracks(*everything),
        "coverage": await db.coverage(*everything),
        "numbers": await db.next_numbers(camera),
        "progress": [row.progress for row in await db.runs()],
    }


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL (POSIX)")
async def test_a_writer_killed_at_random_moments_ends_where_an_uninterrupted_one_does(
    new_url: Callable[[str], str], writer: ModuleType
) -> None:
    url = new_url("killed")
    delays = np.random.default_rng(7)
    async with await Database.open(Path(), url) as db:
        with subprocess.Popen(
            [sys.executable, str(SCRIPT), url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as lives:
            assert lives.stdin is not None
            assert lives.stdout is not None
            done = 0
            for _ in range(KILLS):
                print(10**9, file=lives.stdin, flush=True)
                child = int(lives.stdout.readline())
                time.sleep(delays.uniform(0.0, 0.1))
                os.kill(child, signal.SIGKILL)
                assert int(lives.stdout.readline()) == signal.SIGKILL, "it ended before the kill"

                before, done = done, int((await db.begin_run(writer.KEY, {}, 0)).checkpoint or 0)
                assert done > before
                await assert_exactly(db, writer, done)

            print(done + 20, file=lives.stdin, flush=True)
            lives.stdout.readline()
            assert int(lives.stdout.readline()) == 0
            lives.stdin.close()
        survived = await contents(db, writer.CAMERA)

    async with await Database.open(Path(), new_url("whole")) as whole:
        run = await whole.begin_run(writer.KEY, {}, 0)
        for number in range(1, done + 21):
            await whole.commit_step(run, writer.step(number))
        assert survived == await contents(whole, writer.CAMERA)


async def assert_exactly(db: Database, writer: ModuleType, done: int) -> None:
    """The database holds steps 1..done wholly, and nothing of the next."""
    stored = await contents(db, writer.CAMERA)
    steps = [writer.step(number) for number in range(1, done + 1)]
    assert stored["found"] == {
        told.event.event_id: told.event.start_ns for step in steps for told in step.events
    }
    assert stored["frames"] == [frame for step in steps for frame in step.frames]
    assert [(p.time_ns, p.track) for p in stored["points"]] == [
        (p.time_ns, p.track) for step in steps for p in step.points
    ]
    latest = {event.event.event_id: event.event for step in steps for event in step.events}
    assert [stored.event for stored in stored["events"]] == list(latest.values())
    assert stored["coverage"] == ([(0, done * writer.FRAMES_PER_STEP)] if done else [])
    assert stored["progress"] == [{"step": done} if done else {}]
