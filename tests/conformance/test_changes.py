"""The log of changes tells all that changed, once and in order, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import insert, update
from tests.insight_rows import Account

from video_detective.storage.changes import Place
from video_detective.storage.database import Database
from video_detective.storage.ids import new_id
from video_detective.storage.live_tables import LIVE_CHANGES
from video_detective.storage.service_tables import ANALYSIS_JOBS, INSIGHTS, LIVE_STATUS


@dataclass
class World:
    db: Database
    account: Account


@pytest.fixture(params=["sqlite", "postgresql"])
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    url: str | None = None
    if request.param == "postgresql":
        create: Callable[[], str] = request.getfixturevalue("new_postgres_database")
        url = create()
    async with await Database.open(tmp_path, url) as db:
        account = Account.make(tmp_path, url, cameras=1)
        yield World(db, account)
        account.engine.dispose()


async def told(db: Database, place: Place) -> tuple[list[tuple[str, str]], Place]:
    changes, place = await db.live.after(place)
    return [(change.kind, change.state) for change in changes], place


async def test_what_changes_is_told_once_and_what_does_not_is_not(world: World) -> None:
    db, account = world.db, world.account
    start = await db.live.now()
    assert await told(db, start) == ([], start)
    camera = account.cameras[0]["camera_id"]
    ids = account.add(
        {"camera": 0, "time_s": 1, "status": "pending", "severity": "critical"},
        {"camera": 0, "time_s": 2, "hidden": True},
    )
    job = {
        "job_id": new_id(1), "account_id": account.account_id, "camera_id": camera,
        "status": "queued", "file_name": "a.mp4", "size_bytes": 1, "received_bytes": 1,
        "progress": {}, "cancel_requested": False, "epoch": 0, "request_id": "", "created_by": "",
        "created_ns": 1,
    }  # fmt: skip
    status = {"camera_id": camera, "epoch": 1, "state": "running", "drops": [], "request_id": ""}
    with account.engine.begin() as connection:
        described = update(INSIGHTS).where(INSIGHTS.c.insight_id == ids[0])
        connection.execute(described.values(vlm_status="completed"))
        connection.execute(described.values(vlm_status="completed", attempts=1))
        connection.execute(insert(ANALYSIS_JOBS).values(job))
        connection.execute(update(ANALYSIS_JOBS).values(progress={"frames": 5}))
        connection.execute(update(ANALYSIS_JOBS).values(progress={"frames": 5}, beats=7))
        connection.execute(insert(LIVE_STATUS).values(status))
        connection.execute(update(LIVE_STATUS).values(beats=3, state="running"))
        connection.execute(update(LIVE_STATUS).values(state="waiting"))
    found, place = await told(db, start)
    assert found == [
        ("alert", "critical"), ("insight", "completed"), ("job", "queued"), ("job", "queued"),
        ("device", "running"), ("device", "waiting"),
    ]  # fmt: skip
    assert await told(db, place) == ([], place)
    changes, _ = await db.live.after(start, limit=2)
    rest, end = await told(db, changes[-1].place)
    assert (rest, end) == (found[2:], place)
    assert {(one.account_id, one.device_id) for one in changes} == {
        (account.account_id, account.cameras[0]["device_id"])
    }
    assert Place.read(place.text) == place
    assert [Place.read(text) for text in ("", "1", "a-b", "1-2-3", "-1-2", "9" * 30)] == [None] * 6


async def test_only_the_last_are_kept_and_who_missed_some_can_tell(world: World) -> None:
    db, account = world.db, world.account
    account.add({"camera": 0, "time_s": 1})
    _, early = await told(db, Place(0, 0))
    assert await db.live.reaches(early)
    assert not await db.live.reaches(Place(early.transaction_id, early.number + 1))
    assert not await db.live.reaches(Place(early.transaction_id + 10**9, early.number))
    row = {"transaction_id": early.transaction_id, "kind": "job", "camera_id": "none",
           "target_id": "j", "state": "done"}  # fmt: skip
    with account.engine.begin() as connection:
        connection.execute(insert(LIVE_CHANGES), [row] * 21_100)
    assert not await db.live.reaches(early)
    assert await db.live.reaches(await db.live.now())


async def test_who_commits_late_is_told_of_all_the_same(
    tmp_path: Path, new_postgres_database: Callable[[], str]
) -> None:
    """Numbers are given before transactions end: one that waits holds up those behind it."""
    url = new_postgres_database()
    async with await Database.open(tmp_path, url) as db:
        account = Account.make(tmp_path, url, cameras=1)
        (slow,) = account.add({"camera": 0, "time_s": 1, "status": "pending"})
        _, place = await told(db, Place(0, 0))
        with account.engine.connect() as late, late.begin():
            change = update(INSIGHTS).where(INSIGHTS.c.insight_id == slow)
            late.execute(change.values(vlm_status="failed"))
            account.add({"camera": 0, "time_s": 2})
            started_meanwhile = await db.live.now()
            assert await told(db, place) == ([], place)
        found, end = await told(db, place)
        assert found == [("insight", "failed"), ("alert", "warning")]
        assert await told(db, started_meanwhile) == (found, end)
        assert await db.live.reaches(started_meanwhile)
        account.engine.dispose()
