"""What is promised of nodes, live analyses and jobs, on SQLite and on PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import update
from tests.locks import until_waiting

from video_detective.config import Camera
from video_detective.storage import CameraRow, RunKey, Step, TrackRow
from video_detective.storage.accounts.audit import AuditEntry
from video_detective.storage.database import Database
from video_detective.storage.ids import new_id
from video_detective.storage.reach import Reach
from video_detective.storage.service_tables import ANALYSIS_JOBS
from video_detective.storage.work.base import JobEnd, JobRow, LiveReport, NodeRow

NODE = "5f0c1a9e-7f5e-4e54-a9f3-d0f7f5a0c2b1"
OTHER = "5f0c1a9e-7f5e-4e54-a9f3-d0f7f5a0c2b2"
NOBODY = Reach(account_id="00000000-0000-0000-0000-000000000000")


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/store/video-detective.db"
    create: Callable[[], str] = request.getfixturevalue("new_postgres_database")
    return create()


@pytest.fixture
async def db(url: str, tmp_path: Path) -> AsyncIterator[Database]:
    async with await Database.open(tmp_path, url) as database:
        for camera_id in ("cam01", "cam02"):
            document = Camera(name=camera_id).model_dump(mode="json")
            await database.save_camera(
                CameraRow(
                    camera_id=camera_id, name=camera_id, timezone="Asia/Taipei", document=document
                )
            )
        yield database


async def reach_of(db: Database, *cameras: str) -> Reach:
    info = (await db.devices.infos())["cam01"]
    return Reach(account_id=info.account_id, cameras=frozenset(cameras) or None)


async def entry(db: Database, action: str) -> AuditEntry:
    return AuditEntry(
        account_id=(await reach_of(db)).account_id,
        time_ns=1,
        actor_kind="system",
        actor_id="tests",
        actor_name="tests",
        action=action,
        target_kind="analysis",
        target_id="x",
    )


async def want(db: Database, camera_id: str = "cam01", *, wanted: bool = True) -> None:
    await db.work.live.want(
        camera_id,
        wanted=wanted,
        now_ns=10,
        request_id="req-1",
        entry=await entry(db, "analysis.start" if wanted else "analysis.stop"),
    )


async def a_job(db: Database, camera_id: str = "cam01", **more: object) -> JobRow:
    job = JobRow(
        job_id=new_id(10**18),
        account_id=(await reach_of(db)).account_id,
        camera_id=camera_id,
        file_name="後門.mp4",
        size_bytes=100,
        node_id=NODE,
        request_id="req-1",
        created_by="tests",
        created_ns=10**18,
    )
    job = replace(job, **more)  # type: ignore[arg-type]
    await db.work.jobs.add(job, None)
    return job


async def a_queued_job(db: Database, camera_id: str = "cam01") -> JobRow:
    job = await a_job(db, camera_id)
    epoch = await db.work.jobs.begin_receiving(job.job_id, 0)
    assert epoch is not None
    assert await db.work.jobs.queue(job.job_id, epoch)
    return job


# --- nodes


async def test_a_node_is_known_from_its_first_sign_of_life(db: Database) -> None:
    node = NodeRow(node_id=NODE, name="nvr", version="1", started_ns=5, info={"cpus": 2})
    await db.work.beat(replace(node, version="0"))
    await db.work.beat(node)

    (found,) = await db.work.nodes()

    assert replace(found, age_ns=0) == node
    assert 0 <= found.age_ns < 30 * 10**9


# --- live analyses


async def test_a_wanted_device_is_listed_and_noted_once(db: Database) -> None:
    await want(db)
    await want(db)

    row, other = await db.work.live.rows(await reach_of(db))

    assert (row.camera_id, row.is_wanted, row.report.state) == ("cam01", True, "starting")
    assert (row.request_id, row.node_id, row.epoch) == ("req-1", None, 0)
    assert (other.is_wanted, other.report.state) == (False, "stopped")
    assert list(await db.work.live.tasks()) == ["cam01"]
    assert (await db.accounts.verify_audit((await reach_of(db)).account_id)).rows == 1


async def test_what_nobody_has_stops_at_once(db: Database) -> None:
    await want(db)
    await want(db, wanted=False)

    (row,) = await db.work.live.rows(camera_ids=["cam01"])

    assert (row.is_wanted, row.report.state) == (False, "stopped")
    assert await db.work.live.tasks() == {}


async def test_only_one_of_two_takes_a_camera_and_a_dead_owner_is_followed(db: Database) -> None:
    live = db.work.live
    await want(db)
    epochs = await asyncio.gather(
        *(live.claim("cam01", node, seen=None, now_ns=20) for node in (NODE, OTHER))
    )
    assert sorted(epochs, key=str) == [1, None]

    seen = (await live.owners())["cam01"]
    assert await live.report({"cam01": (1, LiveReport(state="running", fps=5.0))}, now_ns=30) == (
        set()
    )
    beaten = (await live.owners())["cam01"]
    # It gave a sign of life since it was looked at first.
    assert await live.claim("cam01", OTHER, seen=seen, now_ns=40) is None

    assert await live.claim("cam01", OTHER, seen=beaten, now_ns=40) == 2


async def test_what_an_earlier_owner_writes_is_refused(db: Database) -> None:
    live = db.work.live
    await want(db)
    assert await live.claim("cam01", NODE, seen=None, now_ns=20) == 1
    seen = (await live.owners())["cam01"]
    assert await live.claim("cam01", OTHER, seen=seen, now_ns=30) == 2
    report = LiveReport(state="running", fps=9.0, last_frame_ns=25)

    assert await live.report({"cam01": (1, report)}, now_ns=40) == {"cam01"}
    await live.release("cam01", 1, state="stopped", now_ns=40)

    (row,) = await live.rows(camera_ids=["cam01"])
    assert (row.node_id, row.epoch, row.report.state, row.report.fps) == (
        OTHER,
        2,
        "starting",
        None,
    )
    assert await live.is_owned("cam01", 2)
    assert not await live.is_owned("cam01", 1)


async def test_a_report_tells_since_when_its_state_holds(db: Database) -> None:
    live = db.work.live
    await want(db)
    assert await live.claim("cam01", NODE, seen=None, now_ns=20) == 1
    drops = [{"reason": "gap", "count": 2, "detail": "nothing was seen for 2 second(s)"}]
    running = LiveReport(state="running", fps=4.5, lag_s=0.5, last_frame_ns=29, drops=drops)
    for now_ns in (30, 40):
        await live.report({"cam01": (1, running)}, now_ns=now_ns)

    (row,) = await live.rows(camera_ids=["cam01"])
    assert (row.report, row.started_ns) == (running, 30)
    assert row.beat is not None

    away = LiveReport(state="waiting", error="No picture")
    await live.report({"cam01": (1, away)}, now_ns=50)
    (row,) = await live.rows(camera_ids=["cam01"])
    assert (row.report.state, row.report.error, row.started_ns) == ("waiting", "No picture", 50)
    assert row.report.last_frame_ns == 29


async def test_a_camera_that_was_let_go_is_free_at_once(db: Database) -> None:
    live = db.work.live
    await want(db)
    assert await live.claim("cam01", NODE, seen=None, now_ns=20) == 1
    await live.release("cam01", 1, state="starting", now_ns=30)

    assert await live.owners() == {}
    assert await live.claim("cam01", OTHER, seen=None, now_ns=40) == 2


async def test_live_analyses_of_others_are_not_there(db: Database) -> None:
    await want(db)

    assert await db.work.live.rows(NOBODY) == []
    assert await db.work.live.count(NOBODY) == 0
    limited = await reach_of(db, "cam02")
    assert [row.camera_id for row in await db.work.live.rows(limited)] == ["cam02"]


async def test_devices_come_in_pages(db: Database) -> None:
    live = db.work.live
    everything = await live.rows()
    first = await live.rows(limit=1)

    assert [*first, *await live.rows(after=first[0].device_id)] == everything
    assert await live.rows(limit=1, offset=1) == everything[1:]
    assert await live.count() == 2


# --- jobs


async def test_a_job_is_found_by_its_owner_only(db: Database) -> None:
    job = await a_job(db, sha256="ab" * 32, start_time="2026-01-15T22:00:00")

    found = await db.work.jobs.get(job.job_id, await reach_of(db))

    assert found is not None
    assert replace(found, device_id="") == job
    assert await db.work.jobs.get(job.job_id, NOBODY) is None
    assert await db.work.jobs.get(job.job_id, await reach_of(db, "cam02")) is None
    assert await db.work.jobs.page(NOBODY, limit=10) == []


async def test_jobs_come_newest_first_in_pages_and_by_status(db: Database) -> None:
    jobs = [await a_job(db, job_id=new_id(10**18 + n * 10**9)) for n in range(3)]
    ids = [job.job_id for job in reversed(jobs)]
    reach = await reach_of(db)

    page = await db.work.jobs.page(reach, limit=2)
    rest = await db.work.jobs.page(reach, limit=2, before=page[-1].job_id)

    assert [job.job_id for job in (*page, *rest)] == ids
    assert await db.work.jobs.count(reach) == 3
    assert await db.work.jobs.count(reach, status="done") == 0
    assert await db.work.jobs.count(reach, camera_id="cam02") == 0


async def test_a_later_connection_takes_an_upload_from_an_earlier_one(db: Database) -> None:
    jobs = db.work.jobs
    job = await a_job(db)
    first = await jobs.begin_receiving(job.job_id, 0)
    assert first is not None
    assert await jobs.received(job.job_id, first, 40)
    assert await jobs.begin_receiving(job.job_id, 0) is None  # it stands at 40
    second = await jobs.begin_receiving(job.job_id, 40)
    assert second is not None

    assert not await jobs.received(job.job_id, first, 60)
    assert not await jobs.queue(job.job_id, first)
    assert await jobs.announced_bytes(NODE) == 60
    assert await jobs.received(job.job_id, second, 100)
    assert await jobs.queue(job.job_id, second)
    assert await jobs.begin_receiving(job.job_id, 100) is None


async def test_one_job_of_a_device_runs_at_a_time_on_the_node_that_has_its_file(
    db: Database,
) -> None:
    jobs = db.work.jobs
    first, second = await a_queued_job(db), await a_queued_job(db)
    elsewhere = await a_queued_job(db, "cam02")

    assert await jobs.claimable(OTHER) == []
    oldest = min(first.job_id, second.job_id)
    assert {job.job_id for job in await jobs.claimable(NODE)} == {oldest, elsewhere.job_id}
    (seen,) = [job for job in await jobs.claimable(NODE) if job.camera_id == "cam01"]
    assert await jobs.claim(seen, now_ns=20) == 2
    assert await jobs.claim(seen, now_ns=20) is None
    (still,) = [job for job in await jobs.claimable(NODE) if job.camera_id == "cam01"]
    assert (still.job_id, still.status) == (oldest, "running")


async def test_what_an_earlier_process_of_a_job_writes_is_refused(db: Database) -> None:
    jobs = db.work.jobs
    job = await a_queued_job(db)
    (seen,) = await jobs.claimable(NODE)
    assert await jobs.claim(seen, now_ns=20) == 2
    assert await jobs.progress({job.job_id: (2, {"percent": 5})}) == {}
    (dead,) = await jobs.claimable(NODE)
    assert dead.progress == {"percent": 5}
    assert await jobs.claim(dead, now_ns=30) == 3

    assert await jobs.progress({job.job_id: (2, {"percent": 9})}) == {job.job_id: "lost"}
    assert not await jobs.end(job.job_id, 2, JobEnd(status="done", ended_ns=40))
    assert await jobs.end(job.job_id, 3, JobEnd(status="done", ended_ns=50, report={"a": 1}))
    assert not await jobs.end(job.job_id, 3, JobEnd(status="failed", ended_ns=60))

    ended = await jobs.get(job.job_id)
    assert ended is not None
    assert (ended.status, ended.report, ended.ended_ns) == ("done", {"a": 1}, 50)
    assert ended.started_ns == 20
    assert ended.progress == {"percent": 5}


async def test_a_job_that_waits_is_cancelled_at_once_and_one_that_runs_is_asked(
    db: Database,
) -> None:
    jobs = db.work.jobs
    waits = await a_job(db)
    assert await jobs.cancel(waits.job_id, now_ns=5, entry=None) == "cancelled"
    assert await jobs.cancel(waits.job_id, now_ns=6, entry=None) == "ended"
    runs = await a_queued_job(db)
    (seen,) = await jobs.claimable(NODE)
    epoch = await jobs.claim(seen, now_ns=20)
    assert epoch is not None

    assert await jobs.cancel(runs.job_id, now_ns=7, entry=None) == "asked"

    assert await jobs.progress({runs.job_id: (epoch, {})}) == {runs.job_id: "cancelled"}


async def test_a_job_that_is_given_back_at_that_moment_is_cancelled_all_the_same(
    tmp_path: Path, new_postgres_database: Callable[[], str]
) -> None:
    async with await Database.open(tmp_path, new_postgres_database()) as db:
        document = Camera(name="cam01").model_dump(mode="json")
        await db.save_camera(
            CameraRow(camera_id="cam01", name="cam01", timezone="Asia/Taipei", document=document)
        )
        job = await a_job(db, status="queued")
        assert await db.work.jobs.claim(job, now_ns=1) is not None
        async with db._writing() as connection:
            given_back = update(ANALYSIS_JOBS).where(ANALYSIS_JOBS.c.job_id == job.job_id)
            await connection.execute(given_back.values(status="queued", beats=None))
            cancelling = asyncio.create_task(db.work.jobs.cancel(job.job_id, now_ns=5, entry=None))
            await until_waiting(db, 1)

        assert await cancelling == "cancelled"


async def test_a_job_that_was_given_back_is_taken_by_the_next(db: Database) -> None:
    jobs = db.work.jobs
    job = await a_queued_job(db)
    (seen,) = await jobs.claimable(NODE)
    epoch = await jobs.claim(seen, now_ns=20)
    assert epoch is not None
    await jobs.give_back(job.job_id, epoch)

    (again,) = await jobs.claimable(NODE)

    assert (again.status, again.beat) == ("queued", None)
    assert await jobs.claim(again, now_ns=30) == epoch + 1


# --- tracks


async def test_tracks_come_in_pages_without_those_of_superseded_analyses(db: Database) -> None:
    for settings, first in (("old", 1), ("new", 10)):
        key = RunKey(camera_id="cam01", fingerprint="film", settings_hash=settings)
        run = await db.begin_run(key, {}, 0)
        tracks = [
            TrackRow(
                track_id=f"p{first + n:02d}",
                type="person",
                first_ns=100 + n,
                last_ns=200 + n,
                best_conf=0.5,
            )
            for n in range(3)
        ]
        await db.commit_step(run, Step(checkpoint=b"1", tracks=tracks))
        await db.finish_run(run, {})

    page, total = await db.work.tracks.page("cam01", 0, 1000, limit=2)
    rest, _ = await db.work.tracks.page(
        "cam01", 0, 1000, limit=2, after=(page[-1].first_ns, page[-1].track_id)
    )

    assert [track.track_id for track in (*page, *rest)] == ["p10", "p11", "p12"]
    assert total == 3
    assert (await db.work.tracks.page("cam01", 203, 1000, limit=2)) == ([], 0)
    assert (await db.work.tracks.page("cam01", 0, 1000, limit=2, offset=2))[0] == rest


async def test_the_jobs_of_a_removed_device_end(db: Database) -> None:
    waiting, running = await a_job(db, status="queued"), await a_job(db, status="queued")
    other = await a_job(db, "cam02", status="queued")
    assert await db.work.jobs.claim(running, now_ns=5) == 1
    device = (await db.devices.infos())["cam01"].device_id

    await db.devices.remove(None, device, now_ns=7, entry=None)

    ended, asked, left = [await db.work.jobs.get(job.job_id) for job in (waiting, running, other)]
    assert ended is not None
    assert asked is not None
    assert left is not None
    assert (ended.status, ended.ended_ns) == ("cancelled", 7)
    assert (asked.status, asked.is_cancel_requested) == ("running", True)
    assert (left.status, left.is_cancel_requested) == ("queued", False)
