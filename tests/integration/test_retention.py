"""Deleting what is too old, on SQLite and on PostgreSQL, over accounts that hold the same files."""

from __future__ import annotations

import asyncio
import io
import json
import os
import time
import zipfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, func, make_url, select, text, update
from sqlalchemy.pool import NullPool
from tests.api import client_of, quick
from tests.locks import until_waiting
from tests.service import ns
from tests.tenants import Tenant, make_tenant

from video_detective.errors import GoneError
from video_detective.geometry import NS_PER_S
from video_detective.services.events import find_media
from video_detective.services.retention import (
    change_retention,
    keep_event,
    keep_retaining,
    preview,
    run_round,
    sweep,
)
from video_detective.services.search import search
from video_detective.services.workspace import Workspace, open_workspace
from video_detective.storage.accounts import audit
from video_detective.storage.retention import Round
from video_detective.storage.service_tables import (
    ALERTS,
    ATTRIBUTE_BUCKETS,
    ATTRIBUTES,
    DELIVERIES,
    INSIGHTS,
    MEDIA_DELETIONS,
    RUN_BEGINNINGS,
)
from video_detective.storage.tables import COVERAGE, EVENTS, METADATA, TRACK_POINTS

DAY_NS = 86_400 * NS_PER_S


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str | None:
    if request.param == "sqlite":
        return None
    create: Callable[[], str] = request.getfixturevalue("new_postgres_database")
    return create()


@pytest.fixture
async def workspace(url: str | None, tmp_path: Path) -> AsyncIterator[Workspace]:
    async with open_workspace(tmp_path / "data", url) as opened:
        yield quick(opened)


@pytest.fixture
async def tenants(workspace: Workspace, tmp_path: Path, url: str | None) -> tuple[Tenant, Tenant]:
    """Two accounts with the same pictures, found a year ago, that is when they happened."""
    first = await make_tenant(workspace, tmp_path, "first", "alder", url=url)
    second = await make_tenant(workspace, tmp_path, "second", "birch", url=url)
    change(workspace, url, update(RUN_BEGINNINGS).values(begun_ms=ns(0) // 1_000_000))
    change(workspace, url, update(ATTRIBUTES).values(created_ns=ns(0)))
    for path in (workspace.data_dir / "blobs").glob("*/*"):
        os.utime(path, (0, 0))
    return first, second


def change(workspace: Workspace, url: str | None, *statements: Any) -> list[Any]:
    address = make_url(url or f"sqlite:///{workspace.data_dir}/video-detective.db")
    if address.drivername == "postgresql":
        address = address.set(drivername="postgresql+psycopg")
    engine = create_engine(address, poolclass=NullPool)
    with engine.begin() as connection:
        done = [connection.execute(one) for one in statements]
        rows = [list(one) if one.returns_rows else [] for one in done]
    engine.dispose()
    return rows


def count(workspace: Workspace, url: str | None, tenant: Tenant) -> dict[str, int]:
    """Rows of a tenant's first camera."""
    camera = tenant.ids["camera"]
    tables = (EVENTS, ALERTS, INSIGHTS, ATTRIBUTES, ATTRIBUTE_BUCKETS, TRACK_POINTS, COVERAGE)
    counted = change(
        workspace,
        url,
        *(
            select(func.count()).select_from(table).where(table.c.camera_id == camera)
            for table in tables
        ),
    )
    return {table.name: rows[0][0] for table, rows in zip(tables, counted, strict=True)}


def files(workspace: Workspace) -> set[str]:
    return {path.parent.name + path.stem for path in (workspace.data_dir / "blobs").glob("*/*")}


async def events_found(workspace: Workspace, tenant: Tenant) -> set[str]:
    seen = workspace.within(tenant.caller.reach)
    found = await search(seen, f"闖入 {tenant.word}", now_ns=time.time_ns())
    return {entry["event_id"] for entry in found["timeline"]}


async def test_old_events_go_with_all_they_have_and_nothing_of_others_does(
    workspace: Workspace, tenants: tuple[Tenant, Tenant], url: str | None
) -> None:
    first, second = tenants
    others = count(workspace, url, second)
    shared = files(workspace)
    assert await events_found(workspace, first)

    await change_retention(workspace, first.caller, {"record_days": 30}, now_ns=time.time_ns())
    _, going = await preview(
        workspace, first.caller, media_days=None, record_days=30, now_ns=time.time_ns()
    )
    row = await run_round(workspace, first.caller.account_id)

    assert row is not None
    assert row.round is None
    assert row.last is not None
    assert (row.last.deleted.events, going.events) == (4, 4)
    assert set(count(workspace, url, first).values()) == {0}
    ((told,),) = change(
        workspace,
        url,
        select(func.count())
        .select_from(DELIVERIES)
        .where(DELIVERIES.c.account_id == first.caller.account_id),
    )
    assert told == (0,)
    assert await events_found(workspace, first) == set()
    async with client_of(workspace, first.key) as client:
        asked = {"query": first.word, "limit": 10}
        answer = await client.post("/api/v1/analysis/insights/search", json=asked)
        assert answer.json()["data"]["data"] == []
        (entry,) = (await client.get("/api/v1/audit?action=retention.delete")).json()["data"]
        assert entry["details"]["events"] == 4
        assert (await client.get("/api/v1/audit/verify")).json()["data"]["isIntact"]
    # The other account has the very same pictures: they stay, until it lets them go too.
    assert count(workspace, url, second) == others
    await sweep(workspace, now_ns=time.time_ns())
    clips = shared - files(workspace)
    assert len(files(workspace)) >= 4
    assert clips != shared
    await change_retention(workspace, second.caller, {"record_days": 30}, now_ns=time.time_ns())
    await run_round(workspace, second.caller.account_id)
    await sweep(workspace, now_ns=time.time_ns())
    assert files(workspace) == set()


async def test_media_go_before_their_events_which_say_so(
    workspace: Workspace, tenants: tuple[Tenant, Tenant], url: str | None
) -> None:
    first = tenants[0]
    kept = first.ids["event"]
    await keep_event(workspace, first.caller, kept, kept=True, now_ns=time.time_ns())
    for tenant in tenants:
        await change_retention(workspace, tenant.caller, {"media_days": 30}, now_ns=time.time_ns())
        await run_round(workspace, tenant.caller.account_id)
    await sweep(workspace, now_ns=time.time_ns())

    assert count(workspace, url, first)["events"] == 2
    async with client_of(workspace, first.key) as client:
        whole = (await client.get(f"/api/v1/events/{kept}")).json()["data"]
        assert whole["isKept"]
        assert whole["clipLink"]
        assert (await client.get(whole["media"][0]["link"])).status_code == 200
        page = (await client.get("/api/v1/events", params={"limit": 100})).json()["data"]
        (gone,) = (
            one for one in page if one["cameraId"] == first.ids["camera"] and one["eventId"] != kept
        )
        assert gone["mediaDeletedAt"]
        assert (gone["clipLink"], gone["frameLinks"]) == (None, [])
        assert {media["link"] for media in gone["media"]} == {None}
        assert all(media["sha256"] for media in gone["media"])
        packed = await client.get(f"/api/v1/events/{gone['eventId']}/export")
        with zipfile.ZipFile(io.BytesIO(packed.content)) as archive:
            absent = json.loads(archive.read("manifest.json"))["absent"]
            assert len(absent) == len(gone["media"])
            assert set(absent.values()) == {"deleted"}
        insights = (await client.get("/api/v1/analysis/insights?limit=100")).json()["data"]
        shown = {one["eventId"]: one["thumbnailUrl"] for one in insights}
        assert shown[kept]
        assert shown[gone["eventId"]] is None
    seen = workspace.within(first.caller.reach)
    with pytest.raises(GoneError, match="deleted by retention on"):
        await find_media(seen, f"{gone['eventId']}.mp4")
    assert await events_found(workspace, first) >= {kept, gone["eventId"]}
    assert files(workspace) == {media["sha256"] for media in whole["media"]}


async def test_kept_and_confirmed_events_and_what_is_around_them_stay(
    workspace: Workspace, tenants: tuple[Tenant, Tenant], url: str | None
) -> None:
    first, _ = tenants
    camera = first.ids["camera"]
    await keep_event(
        workspace, first.caller, f"evt_20260115_{camera}_0002", kept=True, now_ns=time.time_ns()
    )
    confirmed = update(ALERTS).where(ALERTS.c.alert_id == first.ids["alert"])
    change(workspace, url, confirmed.values(review_state="confirmed"))
    await change_retention(
        workspace, first.caller, {"media_days": 1, "record_days": 1}, now_ns=time.time_ns()
    )
    row = await run_round(workspace, first.caller.account_id)

    assert row is not None
    assert row.last is not None
    assert row.last.deleted.events == 2  # of the other camera
    left = count(workspace, url, first)
    assert (left["events"], left["insights"], left["coverage"]) == (2, 2, 0)
    assert left["track_points"] > 0
    async with client_of(workspace, first.key) as client:
        event_id = f"evt_20260115_{camera}_0002"
        released = await client.patch(f"/api/v1/events/{event_id}", json={"isKept": False})
        assert released.json()["data"]["isKept"] is False
        other = await client.patch(
            f"/api/v1/events/evt_20260115_{tenants[1].ids['camera']}_0001", json={"isKept": True}
        )
        assert other.status_code == 404
    later = time.time_ns() + DAY_NS
    row = await run_round(workspace, first.caller.account_id, now_ns=lambda: later)
    assert count(workspace, url, first)["events"] == 1


@pytest.mark.parametrize("days", ["media_days", "record_days"])
async def test_an_event_that_is_being_kept_is_not_deleted_meanwhile(
    days: str, tmp_path: Path, new_postgres_database: Callable[[], str]
) -> None:
    url = new_postgres_database()
    async with open_workspace(tmp_path / "data", url) as opened:
        workspace = quick(opened)
        tenant = await make_tenant(workspace, tmp_path, "first", "alder", url=url)
        change(workspace, url, update(RUN_BEGINNINGS).values(begun_ms=ns(0) // 1_000_000))
        await change_retention(workspace, tenant.caller, {days: 30}, now_ns=time.time_ns())
        event_id = f"evt_20260115_{tenant.ids['camera']}_0002"
        async with workspace.database._writing() as connection:
            # Whoever keeps it is held up at the end, by somebody else's entry in the log.
            entry = tenant.caller.entry("event.keep", "another", time_ns=1)
            await audit.append(connection, "postgresql", entry)
            keeping = asyncio.create_task(
                keep_event(workspace, tenant.caller, event_id, kept=True, now_ns=time.time_ns())
            )
            await until_waiting(workspace.database, 1)
            deleting = asyncio.create_task(run_round(workspace, tenant.caller.account_id))
            await until_waiting(workspace.database, 2)
        await keeping
        row = await deleting

        assert row is not None
        assert row.last is not None
        assert not row.last.deleted.is_nothing
        is_there = select(func.count()).where(EVENTS.c.event_id == event_id)
        is_pale = select(func.count()).where(MEDIA_DELETIONS.c.event_id == event_id)
        assert change(workspace, url, is_there, is_pale) == [[(1,)], [(0,)]]


async def test_what_was_found_lately_in_old_footage_is_not_old(
    workspace: Workspace, tenants: tuple[Tenant, Tenant], url: str | None
) -> None:
    first, _ = tenants
    now_ms = time.time_ns() // 1_000_000
    change(workspace, url, update(RUN_BEGINNINGS).values(begun_ms=now_ms))
    change(workspace, url, update(ATTRIBUTES).values(created_ns=time.time_ns()))
    before = count(workspace, url, first)
    await change_retention(
        workspace, first.caller, {"media_days": 1, "record_days": 1}, now_ns=time.time_ns()
    )
    row = await run_round(workspace, first.caller.account_id)

    assert row is not None
    assert row.last is not None
    assert row.last.deleted.is_nothing
    assert count(workspace, url, first) == before


async def test_a_deletion_that_was_killed_is_finished_by_the_next(
    workspace: Workspace, tenants: tuple[Tenant, Tenant], url: str | None, tmp_path: Path
) -> None:
    """Between rows and files, and in the middle of the removal of one."""
    first, second = tenants
    for tenant in tenants:
        await change_retention(workspace, tenant.caller, {"record_days": 30}, now_ns=time.time_ns())
    steps = 0

    class KilledError(Exception):
        pass

    def kill(_: object) -> None:
        nonlocal steps
        steps += 1
        if steps == 3:
            raise KilledError

    with pytest.raises(KilledError):
        await run_round(workspace, first.caller.account_id, on_step=kill)
    async with open_workspace(workspace.data_dir, url) as again:
        under_way = await again.database.retention.get(first.caller.account_id)
        assert under_way.round is not None
        row = await run_round(again, first.caller.account_id)
        assert row is not None
        assert row.last is not None
        assert row.last.deleted.events == 4
        assert row.last.started_ns == under_way.round.started_ns
        await run_round(again, second.caller.account_id)
        path = next((workspace.data_dir / "blobs").glob("*/*.mp4"))
        path.rename(path.with_name(f".gone-{path.name}"))
        swept = await sweep(again, now_ns=time.time_ns())
        assert swept.files > 0
        # All that is left is what was stored just now and has no row yet.
        again.blobs.put(b"new", ".jpg")
        assert (await sweep(again, now_ns=time.time_ns())).files == 0
        assert len(files(again)) == 1


async def test_a_deletion_that_a_change_of_days_ends_is_told_and_its_files_go(
    workspace: Workspace, tenants: tuple[Tenant, Tenant]
) -> None:
    first, _ = tenants
    account_id = first.caller.account_id
    stop = asyncio.Event()
    await change_retention(workspace, first.caller, {"record_days": 30}, now_ns=time.time_ns())
    await run_round(workspace, account_id, stop=stop, on_step=lambda one: _end(one, stop))
    unused = workspace.blobs.path(workspace.blobs.put(b"of an event that is gone", ".jpg"), ".jpg")
    os.utime(unused, (0, 0))

    forever = {"media_days": None, "record_days": None}
    row = await change_retention(workspace, first.caller, forever, now_ns=time.time_ns())

    assert row.round is None
    assert row.last is not None
    assert row.last.deleted.events == 2
    async with client_of(workspace, first.key) as client:
        (entry,) = (await client.get("/api/v1/audit?action=retention.delete")).json()["data"]
        assert entry["details"]["events"] == 2
    stop = asyncio.Event()
    keeping = asyncio.create_task(keep_retaining(workspace, stop))
    async with asyncio.timeout(60):
        while unused.exists():
            await asyncio.sleep(0.02)
    stop.set()
    await keeping


def _end(one: Round, stop: asyncio.Event) -> None:
    if one.deleted.events:
        stop.set()


async def test_without_settings_nothing_is_deleted(
    workspace: Workspace, tenants: tuple[Tenant, Tenant], url: str | None
) -> None:
    assert await workspace.database.retention.wanted() == []
    assert await run_round(workspace, tenants[0].caller.account_id) is None
    before = {
        table: change(workspace, url, text(f"SELECT count(*) FROM {table}"))
        for table in METADATA.tables
    }
    await sweep(workspace, now_ns=time.time_ns())
    assert before == {
        table: change(workspace, url, text(f"SELECT count(*) FROM {table}"))
        for table in METADATA.tables
    }
