"""Workers tell every event that is to be told, once, whatever happens to them."""

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from benchmarks.jobs import Figures, fill, under_kills, worker_command

from video_detective.errors import ConflictError, MissingError, ModelError, StorageError
from video_detective.pipeline.jobs_worker import MAX_STARTS, JobsWorker, NarrationWorker
from video_detective.storage import NarrationRow
from video_detective.storage.database import Database
from video_detective.storage.narration_rows import Claim, NarrationOutcome

JOBS = 80
LATEST_TAKEOVER_S = 10.0


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/video-detective.db"
    create: Callable[[], str] = request.getfixturevalue("new_postgres_database")
    return create()


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[Database]:
    async with await Database.open(tmp_path) as database:
        yield database


async def tell(claim: Claim) -> NarrationOutcome:
    return NarrationOutcome(status="done", level="text", text=f"told {claim.event_id}")


async def row(db: Database, number: int = 1) -> NarrationRow:
    stored = await db.event(f"evt_20261121_cam01_{number:04d}")
    assert stored is not None
    assert stored.narration is not None
    return stored.narration


async def work(
    db: Database, tell: Callable[[Claim], Awaitable[NarrationOutcome]], concurrency: int = 4
) -> None:
    worker = NarrationWorker(db, tell, concurrency=concurrency, retry_after_s=(0.01, 0.01))
    await worker.run(asyncio.Event(), until_empty=True)


class TwoJobs:
    """A desk whose first job has to wait, and is done by another worker meanwhile."""

    prefix = "two:"

    def __init__(self) -> None:
        self.waiting = {"two:1": 1, "two:2": 2}
        self.looks = 0
        self.has_looked_again = asyncio.Event()

    def look(self, pending: int) -> None:
        self.looks += "two:1" not in self.waiting
        if self.looks == 2:
            self.has_looked_again.set()

    async def pending(self, limit: int) -> dict[str, int]:
        return dict(list(self.waiting.items())[:limit])

    async def count_pending(self) -> int:
        return len(self.waiting)

    async def claim(self, job_id: str, worker: str) -> Claim:
        return Claim(event_id=job_id, requested_ns=1, worker=worker, language="zh-TW", starts=1)

    async def do(self, claim: Claim) -> str:
        if claim.event_id == "two:1":
            raise ModelError("gone", remedy="", reason="unreachable", transient=False)
        await self.has_looked_again.wait()
        return "told"

    def is_worth_another_try(self, error: ModelError, tried: int) -> bool:
        return False

    def failed(self, claim: Claim, error: ModelError) -> None:
        return None

    async def finish(self, claim: Claim, outcome: str) -> bool:
        return self.waiting.pop(claim.event_id, None) is not None

    async def release(self, claim: Claim) -> None:
        self.waiting.pop(claim.event_id, None)


async def test_a_job_put_off_that_another_did_does_not_count_for_one_that_is_begun(
    db: Database,
) -> None:
    desk = TwoJobs()

    await JobsWorker(db, [desk]).run(asyncio.Event(), until_empty=True, on_look=desk.look)

    assert desk.has_looked_again.is_set()
    assert desk.waiting == {}


# --- kills


async def test_random_kills_lose_nothing_double_nothing_and_delay_no_job_for_long(
    url: str,
) -> None:
    figures = await under_kills(url, jobs=JOBS, kills=2, seed=3, pause_s=(1.0, 2.0))

    assert isinstance(figures, Figures)
    assert figures.kills == 2
    assert (figures.lost, figures.doubled, figures.hung, figures.failed) == (0, 0, 0, {})
    assert figures.takeovers_s, "no kill met a job: the test showed nothing"
    assert figures.takeovers_s[-1] <= LATEST_TAKEOVER_S


async def test_a_worker_told_to_end_leaves_its_job_to_others_at_once(
    db: Database, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path}/video-detective.db"
    await fill(db, 1)
    begun, stop = asyncio.Event(), asyncio.Event()

    async def never_ends(claim: Claim) -> NarrationOutcome:
        begun.set()
        await asyncio.Event().wait()
        raise AssertionError

    worker = NarrationWorker(db, never_ends)
    running = asyncio.create_task(worker.run(stop))
    await asyncio.wait_for(begun.wait(), 60)
    script = worker_command(url, 1)
    with subprocess.Popen(script) as other:
        while len(await db.narrations.beat("onlooker")) < 3:  # until the other beats
            await asyncio.sleep(0.05)
        await db.narrations.forget(["onlooker"])
        stop.set()
        await asyncio.wait_for(running, 60)
        # Nobody need wait until it is taken for dead.
        assert worker.name not in await db.narrations.beat("onlooker")
        await db.narrations.forget(["onlooker"])
        stopped_s = time.monotonic()
        async with asyncio.timeout(60):
            while await db.narrations.count_pending():
                await asyncio.sleep(0.05)
        # The longest made-up job takes 3 s, and the other looks every second and a half.
        assert time.monotonic() - stopped_s < 6
        assert other.wait(60) == 0
    assert (await row(db)).starts == 1


async def test_a_worker_that_a_signal_ends_leaves_nothing_behind(url: str, tmp_path: Path) -> None:
    async with await Database.open(tmp_path, url) as db:
        await fill(db, 500)
        script = worker_command(url, 1)
        with subprocess.Popen(script, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as worker:
            while await db.narrations.count_pending() > 490:
                await asyncio.sleep(0.05)
            worker.send_signal(signal.SIGTERM)
            said, _ = worker.communicate(timeout=60)

        assert worker.returncode == 0
        assert said == b""
        counts = await db.narrations.counts()
        assert counts.waiting > 0
        assert counts.running == 0
        assert set(await db.narrations.beat("onlooker")) == {"onlooker"}


# --- what cannot be told


async def test_a_server_that_comes_back_is_asked_again(db: Database) -> None:
    await fill(db, 1)
    asked = 0

    async def tell_later(claim: Claim) -> NarrationOutcome:
        nonlocal asked
        asked += 1
        if asked < 3:
            raise ModelError("Down", remedy="Wait.", reason="unreachable", transient=True)
        return await tell(claim)

    await work(db, tell_later)

    assert asked == 3
    assert (await row(db)).status == "done"


@pytest.mark.parametrize(("transient", "times"), [(True, 3), (False, 1)])
async def test_what_no_model_can_tell_is_stored_as_failed_with_what_it_said(
    db: Database, transient: bool, times: int
) -> None:
    await fill(db, 1)
    asked = 0

    async def fail(claim: Claim) -> NarrationOutcome:
        nonlocal asked
        asked += 1
        raise ModelError(
            "No JSON", remedy="-", reason="invalid", transient=transient, raw="I cannot"
        )

    await work(db, fail)

    failed = await row(db)
    assert asked == times
    assert (failed.status, failed.reason, failed.raw_text) == (
        "failed", "invalid: No JSON", "I cannot"
    )  # fmt: skip
    assert failed.text == ""
    assert (await db.narrations.counts()).failed == {"invalid": 1}


async def test_one_event_that_trips_the_program_does_not_hold_up_the_others(db: Database) -> None:
    await fill(db, 3)
    errors = {
        "evt_20261121_cam01_0001": ZeroDivisionError("oh"),
        "evt_20261121_cam01_0002": MissingError("The blob is gone", remedy="-"),
    }

    async def trip(claim: Claim) -> NarrationOutcome:
        if claim.event_id in errors:
            raise errors[claim.event_id]
        return await tell(claim)

    await work(db, trip)

    assert (await row(db, 1)).reason == "internal: ZeroDivisionError: oh"
    assert (await row(db, 2)).reason == "not_found: The blob is gone"
    assert (await row(db, 3)).status == "done"


async def test_an_event_that_brings_down_its_worker_again_and_again_is_given_up(
    db: Database,
) -> None:
    await fill(db, 2)
    for _ in range(MAX_STARTS):
        await db.narrations.claim("evt_20261121_cam01_0001", 1, "one that died")

    await work(db, tell)

    assert (await row(db, 1)).reason == f"crashes: It was begun {MAX_STARTS} times and never ended."
    assert (await row(db, 2)).status == "done"


# --- the queue


def test_the_queue_library_is_only_loaded_when_a_worker_starts() -> None:
    script = "import sys, video_detective.cli.narrate; sys.exit('dbos' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], timeout=60).returncode == 0


async def test_a_worker_that_watches_tells_what_is_asked_for_later(db: Database) -> None:
    stop, seen = asyncio.Event(), asyncio.Event()
    running = asyncio.create_task(
        NarrationWorker(db, tell).run(stop, on_look=lambda waiting: seen.set())
    )
    await asyncio.wait_for(seen.wait(), 60)

    await fill(db, 2)
    while await db.narrations.count_pending():
        await asyncio.sleep(0.05)
    stop.set()
    await asyncio.wait_for(running, 60)

    assert (await db.narrations.counts()).done == 2


async def test_no_more_events_are_told_at_a_time_than_allowed(db: Database) -> None:
    await fill(db, 12)
    now = most = 0

    async def count(claim: Claim) -> NarrationOutcome:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.05)
        now -= 1
        return await tell(claim)

    await work(db, count, concurrency=3)

    assert most == 3


async def test_the_queue_file_can_be_lost(db: Database, tmp_path: Path) -> None:
    await fill(db, 2)
    begun, stop = asyncio.Event(), asyncio.Event()

    async def never_ends(claim: Claim) -> NarrationOutcome:
        begun.set()
        await asyncio.Event().wait()
        raise AssertionError

    running = asyncio.create_task(NarrationWorker(db, never_ends).run(stop))
    await asyncio.wait_for(begun.wait(), 60)
    stop.set()
    await running
    files = list(tmp_path.glob("video-detective.jobs.db*"))
    assert files
    for file in files:
        file.unlink()

    await work(db, tell)

    assert (await db.narrations.counts()).done == 2


async def test_a_second_worker_in_one_process_is_refused(db: Database) -> None:
    stop, seen = asyncio.Event(), asyncio.Event()
    running = asyncio.create_task(
        NarrationWorker(db, tell).run(stop, on_look=lambda waiting: seen.set())
    )
    await asyncio.wait_for(seen.wait(), 60)

    with pytest.raises(ConflictError, match="works on another queue"):
        await NarrationWorker(db, tell).run(asyncio.Event())

    await fill(db, 1)
    while await db.narrations.count_pending():
        await asyncio.sleep(0.05)
    stop.set()
    await running


async def test_a_queue_that_cannot_be_made_is_told_at_once(db: Database, tmp_path: Path) -> None:
    (tmp_path / "video-detective.jobs.db").write_text("this is no database, and it is long " * 99)

    with pytest.raises(StorageError, match=r"video-detective\.jobs\.db"):
        await NarrationWorker(db, tell).run(asyncio.Event())
