"""What random kills do to insights: ``python -m benchmarks.insights [--postgresql]``.

Writers, each a process and a camera of its own, make 10,000 alerts step by step; workers, each a
process of its own, describe them by a made-up model. At random moments one of either is killed
(SIGKILL) and replaced; a writer that was killed goes on from its last committed step. Printed:

- alerts, insights: rows in the end; exactly one insight for each alert is wanted
- doubled: insights on which more than one outcome took effect, by triggers in the database
- unended: insights that nobody finished when nothing had moved for two minutes
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psycopg

from benchmarks.jobs import postgresql
from video_detective.alerts import DEFAULT_ALERT_RULE
from video_detective.alerts.policy import alerts_for
from video_detective.errors import ModelError
from video_detective.geometry import NS_PER_S
from video_detective.pipeline.clock import now_ns
from video_detective.pipeline.jobs_desk import InsightDesk
from video_detective.pipeline.jobs_worker import JobsWorker
from video_detective.rules import Event, Scene
from video_detective.storage import CameraRow, EvidenceRow, FrameRow, RunKey, Step, StoredEvent
from video_detective.storage.database import Database
from video_detective.storage.insights.base import AlertContext, InsightClaim, InsightOutcome

HANG_S = 120.0
STEP = 25
"""Alerts that a writer makes in one step."""
CONCURRENCY = 16

_SQLITE_NOTES = """
CREATE TABLE outcomes (insight_id TEXT);
CREATE TRIGGER note_outcome AFTER UPDATE OF vlm_status ON insights
WHEN new.vlm_status <> 'pending' BEGIN INSERT INTO outcomes VALUES (new.insight_id); END;
"""
_POSTGRESQL_NOTES = """
CREATE TABLE outcomes (insight_id TEXT);
CREATE FUNCTION note_outcome() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF new.vlm_status <> 'pending' THEN INSERT INTO outcomes VALUES (new.insight_id); END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER note_outcome AFTER UPDATE ON insights
FOR EACH ROW EXECUTE FUNCTION note_outcome();
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What a run gave.

    Args:
        wanted: Alerts that were to be made.
        alerts, insights: Rows in the end.
        alerts_with_one: Alerts with exactly one insight.
        outcomes, doubled, unended: See the module.
        kills: Processes killed.
        wall_s: From the first process' start to the last outcome.
    """

    wanted: int
    alerts: int
    insights: int
    alerts_with_one: int
    outcomes: int
    doubled: int
    unended: int
    kills: int
    wall_s: float


async def write(url: str, number: int, alerts: int) -> None:
    """Analyse a made-up camera: every event is an alert with a picture."""
    camera = f"cam{number:02d}"
    scene = Scene(camera_id=camera)
    async with await Database.open(Path(), url) as database:
        key = RunKey(camera_id=camera, fingerprint="film", settings_hash="-")
        run = await database.begin_run(key, {}, 0)
        if run.status == "done":
            return
        done = 0 if run.checkpoint is None else int(run.checkpoint)
        while done < alerts:
            numbers = range(done + 1, min(done + STEP, alerts) + 1)
            events = [_event(camera, one) for one in numbers]
            done += len(events)
            await database.commit_step(
                run,
                Step(
                    checkpoint=str(done).encode(),
                    events=[StoredEvent(event=event, summary_zh="有人。") for event in events],
                    alerts=[a for e in events for a in alerts_for(e, [DEFAULT_ALERT_RULE], scene)],
                    alerting=AlertContext(now_ns=now_ns(), has_model=True),
                ),
            )
            for stored in await database.events_without_evidence(run):
                await database.add_evidence(stored.event.event_id, *_picture(stored.event))
        for stored in await database.events_without_evidence(run):
            await database.add_evidence(stored.event.event_id, *_picture(stored.event))
        await database.finish_run(run, {})


def _event(camera: str, number: int) -> Event:
    start_ns = 1_800_000_000 * NS_PER_S + number * NS_PER_S
    return Event(
        event_id=f"evt_20270115_{camera}_{number:05d}",
        camera_id=camera,
        type="intrusion",
        risk_level="high",
        rule_id="yard",
        start_ns=start_ns,
        established_ns=start_ns,
        end_ns=start_ns + NS_PER_S,
        frames=(number, number),
    )


def _picture(event: Event) -> tuple[list[EvidenceRow], list[FrameRow]]:
    frame = FrameRow(
        frame_id=f"{event.event_id}_frame",
        camera_id=event.camera_id,
        time_ns=event.start_ns,
        frame=event.frames[0],
        size=(64, 48),
    )
    pieces = [
        EvidenceRow(
            kind=kind,
            what="entered",
            time_ns=event.start_ns,
            frame=event.frames[0],
            frame_id=frame.frame_id,
            sha256="ab" * 32,
            media_type="image/jpeg",
            bytes=9,
            width=64,
            height=48,
        )
        for kind in ("original", "annotated")
    ]
    return pieces, [frame]


async def work(url: str, seed: int) -> None:
    """Describe alerts by a made-up model until SIGTERM."""
    chance = np.random.default_rng(seed)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)

    async def describe(claim: InsightClaim) -> InsightOutcome:
        await asyncio.sleep(chance.uniform(0.0, 0.02))
        if chance.random() < 0.02:
            raise ModelError("Busy", remedy="-", reason="overloaded", transient=True)
        return InsightOutcome(
            status="done",
            described_by="model",
            level="frames",
            result={"summary": f"有人走過 {claim.event_id}。", "riskLevel": "low"},
        )

    def explain(claim: InsightClaim, error: ModelError) -> str:
        return error.message

    async with await Database.open(Path(), url) as database:
        desk = InsightDesk(database.insights, describe, explain, news_s=600.0)
        worker = JobsWorker(
            database, [desk], concurrency=CONCURRENCY, retry_after_s=(0.05, 0.05, 0.05, 0.05)
        )
        await worker.run(stop)


async def under_kills(
    url: str,
    *,
    alerts: int = 10_000,
    writers: int = 2,
    workers: int = 3,
    kills: int = 30,
    seed: int = 1,
    pause_s: tuple[float, float] = (2.0, 10.0),
) -> Figures:
    """Have alerts made and described while processes are killed at random moments.

    Args:
        url: Of an empty database.
        alerts: How many, of all writers together.
        writers, workers: How many processes at a time.
        kills: How often one of them is killed, while there is work.
        seed: Of the moments and victims.
        pause_s: Shortest and longest time between two kills.
    """
    rng = np.random.default_rng(seed)
    each = alerts // writers
    seeds = iter(range(seed * 1000, seed * 1000 + 1000))

    def start_writer(number: int) -> Callable[[], subprocess.Popen[bytes]]:
        command = _command("--writer", url, str(number), str(each))
        return lambda: subprocess.Popen(command, stdout=subprocess.DEVNULL)

    def start_worker() -> subprocess.Popen[bytes]:
        command = _command("--worker", url, str(next(seeds)))
        return subprocess.Popen(command, stdout=subprocess.DEVNULL)

    async with await Database.open(Path(), url) as database:
        for number in range(writers):
            camera = f"cam{number:02d}"
            row = CameraRow(camera_id=camera, name=camera, timezone="UTC", document={})
            await database.save_camera(row)
    _note(url)
    begun_s = time.monotonic()
    starts = [*(start_writer(number) for number in range(writers)), *[start_worker] * workers]
    processes = [start() for start in starts]
    killed = 0
    try:
        moved_s, last, at_kill = time.monotonic(), -1, 0
        next_kill_s = time.monotonic() + rng.uniform(*pause_s)
        while (ended := _count(url, "outcomes")) < each * writers and (
            time.monotonic() - moved_s < HANG_S
        ):
            await asyncio.sleep(0.1)
            done = ended + _count(url, "alerts")
            if done != last:
                moved_s, last = time.monotonic(), done
            for place, process in enumerate(processes):
                is_done = place < writers and process.poll() == 0
                if process.poll() is not None and not is_done:
                    processes[place] = starts[place]()
            # Between two kills something must come of it: a slow machine starts slowly.
            if killed < kills and time.monotonic() >= next_kill_s and done > at_kill:
                alive = [place for place, one in enumerate(processes) if one.poll() is None]
                place = alive[int(rng.integers(len(alive)))]
                processes[place].kill()
                processes[place].wait()
                processes[place] = starts[place]()
                killed, at_kill = killed + 1, done
                next_kill_s = time.monotonic() + rng.uniform(*pause_s)
        wall_s = time.monotonic() - begun_s
        for process in processes:
            process.send_signal(signal.SIGTERM)
        for process in processes:
            process.wait(60)
    finally:
        for process in processes:
            process.kill()
            process.wait()
    return Figures(
        wanted=each * writers,
        alerts=_count(url, "alerts"),
        insights=_count(url, "insights"),
        alerts_with_one=_number(
            url,
            "SELECT count(*) FROM alerts a WHERE"
            " (SELECT count(*) FROM insights i WHERE i.alert_id = a.alert_id) = 1",
        ),
        outcomes=_count(url, "outcomes"),
        doubled=_number(
            url,
            "SELECT count(*) FROM"
            " (SELECT insight_id FROM outcomes GROUP BY insight_id HAVING count(*) > 1) AS d",
        ),
        unended=_number(url, "SELECT count(*) FROM insights WHERE vlm_status = 'pending'"),
        kills=killed,
        wall_s=wall_s,
    )


def _command(*arguments: str) -> Sequence[str]:
    return [sys.executable, "-m", "benchmarks.insights", *arguments]


def _note(url: str) -> None:
    """Have the database itself note outcomes."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
            connection.executescript(_SQLITE_NOTES)
        return
    with psycopg.connect(url) as server:
        server.execute(_POSTGRESQL_NOTES)


def _count(url: str, table: str) -> int:
    return _number(url, f"SELECT count(*) FROM {table}")


def _number(url: str, query: str) -> int:
    rows: list[tuple[Any, ...]]
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"), timeout=30)) as connection:
            rows = connection.execute(query).fetchall()
    else:
        with psycopg.connect(url) as server:
            rows = server.execute(query.encode()).fetchall()
    return int(rows[0][0])


def main() -> None:
    """Print the figures, or be a writer or a worker."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--alerts", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--postgresql", action="store_true", help="on a server of its own")
    parser.add_argument("--worker", nargs=2, metavar=("URL", "SEED"), help=argparse.SUPPRESS)
    parser.add_argument("--writer", nargs=3, metavar=("URL", "N", "ALERTS"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        asyncio.run(work(options.worker[0], int(options.worker[1])))
        return
    if options.writer:
        url, number, alerts = options.writer
        asyncio.run(write(url, int(number), int(alerts)))
        return
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = f"sqlite:///{folder}/video-detective.db"
        if options.postgresql:
            url = stack.enter_context(postgresql(folder))
        figures = asyncio.run(
            under_kills(url, alerts=options.alerts, kills=options.kills, seed=options.seed)
        )
    print(f"alerts {figures.alerts} of {figures.wanted}, insights {figures.insights},"
          f" with exactly one: {figures.alerts_with_one}")  # fmt: skip
    print(f"outcomes {figures.outcomes}, doubled {figures.doubled}, unended {figures.unended}")
    print(f"kills {figures.kills}, {figures.wall_s:.0f} s")


if __name__ == "__main__":
    main()
