"""Migrations forward from every earlier revision, with data in it, on both databases.

A database is filled at this version, and what an earlier revision had room for is copied by SQL
into one of that revision. Opening that must keep all of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, MetaData, create_engine, delete, insert, make_url, select, text
from sqlalchemy.pool import NullPool
from tests.service import EVENTS, INTRUSION, fill, ns

from video_detective.pipeline.clock import now_ns
from video_detective.services.search import search
from video_detective.services.workspace import Workspace, open_workspace
from video_detective.storage import EventQuery, StoredEvent, migrate
from video_detective.storage.database import Database
from video_detective.storage.narration_rows import NarrationRequest

REVISIONS = ("0001", "0002", "0003", "0004")
IMPORTED = "evt_20260115_away_0001"
"""An event of a camera that nobody ever configured here."""
MADE_ANEW = frozenset({"alembic_version", "event_index"})


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory of this version with everything that the earliest one could hold."""
    folder = tmp_path_factory.mktemp("filled")

    async def make() -> None:
        async with open_workspace(folder) as workspace:
            await fill(workspace, folder)
            foreign = replace(EVENTS[0], event_id=IMPORTED, camera_id="away")
            summary = "遠方的鏡頭有人闖入"
            await workspace.database.import_events(
                [StoredEvent(event=foreign, summary_zh=summary, summary_en="", keywords_zh=())]
            )
            asked = NarrationRequest(language="zh-TW", requested_ns=1)
            assert await workspace.database.narrations.request(asked) > 0

    asyncio.run(make())
    return folder


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/old.db"
    create: Callable[[], str] = request.getfixturevalue("empty_postgres_database")
    return create()


@contextmanager
def engine_of(url: str) -> Iterator[Engine]:
    driver = "sqlite" if url.startswith("sqlite") else "postgresql+psycopg"
    engine = create_engine(make_url(url).set(drivername=driver), poolclass=NullPool)
    try:
        yield engine
    finally:
        engine.dispose()


def at_revision(url: str, revision: str, filled: Path) -> dict[str, list[dict[str, Any]]]:
    """Make a database of an earlier revision; returns the rows that were put into it."""
    config = Config()
    config.set_main_option("script_location", str(Path(migrate.__file__).parent / "migrations"))
    with engine_of(url) as engine, engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    source, old = MetaData(), MetaData()
    copied: dict[str, list[dict[str, Any]]] = {}
    with engine_of(f"sqlite:///{filled}/video-detective.db") as engine, engine.connect() as reading:
        source.reflect(reading, only=lambda name, _: "index" not in name)
        with engine_of(url) as target, target.begin() as writing:
            old.reflect(writing)
            for table in old.sorted_tables:
                if table.name in MADE_ANEW or table.name not in source.tables:
                    continue
                if table.name.startswith("event_index"):
                    continue
                kept = source.tables[table.name]
                names = [c.name for c in table.columns if c.name in kept.columns and not c.computed]
                lacking = {
                    c.name: "" for c in table.columns
                    if c.name not in kept.columns and not c.nullable and not c.computed
                }  # fmt: skip
                rows = [
                    dict(row._mapping) | lacking
                    for row in reading.execute(select(*(kept.c[name] for name in names)))
                ]
                if table.name == "meta":
                    if revision == "0001":
                        continue  # what it would say is of later versions
                    writing.execute(delete(table))
                if table.name == "accounts":
                    writing.execute(delete(table))  # the one that every database begins with
                if rows:
                    writing.execute(insert(table), rows)
                copied[table.name] = rows
            if url.startswith("postgresql"):
                _renumber(writing, old)
            elif revision != "0001":
                writing.execute(text("INSERT INTO event_index (event_index) VALUES ('rebuild')"))
    return copied


def _renumber(connection: Any, old: MetaData) -> None:
    """Rows that were inserted with their numbers do not move PostgreSQL's own."""
    for table in old.sorted_tables:
        for column in table.primary_key.columns:
            sequence = connection.scalar(
                text("SELECT pg_get_serial_sequence(:t, :c)"), {"t": table.name, "c": column.name}
            )
            if sequence:
                highest = f"SELECT max({column.name}) FROM {table.name}"
                connection.execute(text(f"SELECT setval('{sequence}', ({highest}))"))


def rows_of(url: str, table: str) -> list[dict[str, Any]]:
    metadata = MetaData()
    with engine_of(url) as engine, engine.connect() as connection:
        metadata.reflect(connection, only=[table])
        return [dict(row._mapping) for row in connection.execute(select(metadata.tables[table]))]


def by_key(rows: list[dict[str, Any]], names: list[str]) -> list[tuple[Any, ...]]:
    return sorted((tuple(row[name] for name in names) for row in rows), key=repr)


@pytest.mark.parametrize("revision", REVISIONS)
async def test_everything_of_an_earlier_version_is_still_there(
    revision: str, url: str, filled: Path, tmp_path: Path
) -> None:
    put = at_revision(url, revision, filled)
    assert {"cameras", "events", "frames", "evidence", "coverage", "runs"} <= {
        name for name, rows in put.items() if rows
    }

    await (await Database.open(tmp_path, url)).close()

    for table, rows in put.items():
        if table in {"vectors", "vector_queue", "event_documents", "meta"} or not rows:
            continue  # derived from the events, or of the schema
        now = rows_of(url, table)
        names = [name for name in rows[0] if name in now[0]]
        assert by_key(now, names) == by_key(rows, names), table


@pytest.mark.parametrize("revision", REVISIONS)
async def test_cameras_become_devices_with_scenes_of_the_default_account(
    revision: str, url: str, filled: Path, tmp_path: Path
) -> None:
    put = at_revision(url, revision, filled)

    async with await Database.open(tmp_path, url) as database:
        account = await database.accounts.default()
        infos = await database.devices.infos()
        assert account.timezone == "Asia/Taipei"
        assert sorted(infos) == ["away", "cam01", "cam02"]
        assert {info.account_id for info in infos.values()} == {account.account_id}
        assert {info.plan for info in infos.values()} == {"LEVEL_01"}
        assert infos["away"].scene_id is None
        for camera in put["cameras"]:
            scene = await database.devices.scene_of_camera(None, camera["camera_id"])
            assert scene is not None
            assert scene.version == 1
            assert set(scene.document["zones"]) == set(camera["document"]["zones"])
            assert scene.document["rules"] == camera["document"]["rules"]


@pytest.mark.parametrize("revision", REVISIONS)
async def test_events_of_an_earlier_version_are_listed_found_and_added_to(
    revision: str, url: str, filled: Path, tmp_path: Path
) -> None:
    at_revision(url, revision, filled)

    async with open_workspace(tmp_path / "data", url) as workspace:
        page = await workspace.database.events(EventQuery(limit=10))
        assert {item.event.event_id for item in page.events} == {
            IMPORTED, *(item.event_id for item in EVENTS),
        }  # fmt: skip
        assert await found(workspace, "闖入") == {INTRUSION, IMPORTED}
        assert await found(workspace, "遠方") == {IMPORTED}
        again = StoredEvent(
            event=replace(EVENTS[0], event_id="evt_20260115_cam01_0099", start_ns=ns(90)),
            summary_zh="後門有一籃紅蘿蔔",
            summary_en="",
            keywords_zh=(),
        )
        await workspace.database.import_events([again])
        assert await found(workspace, "紅蘿蔔") == {"evt_20260115_cam01_0099"}


async def test_attributes_are_given_to_their_analyses_and_hidden_with_them(
    url: str, filled: Path, tmp_path: Path
) -> None:
    at_revision(url, "0004", filled)
    with engine_of(url) as engine, engine.begin() as connection:
        old = MetaData()
        old.reflect(connection, only=["runs", "looks", "scene_analysis_attributes"])
        account_id = connection.scalar(text("SELECT account_id FROM accounts"))
        run = {
            "camera_id": "cam01", "fingerprint": "film", "epoch": 1, "done": True, "start_ns": 0,
            "info": {}, "progress": {},
        }  # fmt: skip
        look = {"count": 1, "data": b""}
        record = {
            "account_id": account_id, "camera_id": "cam01", "source": "colour", "created_ns": 0,
            "updated_ns": 0,
        }  # fmt: skip
        connection.execute(
            insert(old.tables["runs"]),
            [
                run | {"run_id": 1002, "settings_hash": "2", "superseded_by": None},
                run | {"run_id": 1001, "settings_hash": "1", "superseded_by": 1002},
            ],
        )
        connection.execute(
            insert(old.tables["looks"]),
            [
                look | {"run_id": 1001, "first_ns": ns(0), "last_ns": ns(30)},
                look | {"run_id": 1002, "first_ns": ns(20), "last_ns": ns(50)},
            ],
        )
        connection.execute(
            insert(old.tables["scene_analysis_attributes"]),
            [
                record | {"attribute_id": str(at), "captured_ns": ns(at), "total_persons": persons}
                for at, persons in ((10, 3), (25, 4), (45, 5), (600, 6))
            ],
        )

    await (await Database.open(tmp_path, url)).close()

    told = by_key(
        rows_of(url, "scene_analysis_attributes"), ["total_persons", "run_id", "is_hidden"]
    )
    assert told == [(3, 1001, True), (4, 1002, False), (5, 1002, False), (6, None, False)]
    assert sum(row["total_persons"] for row in rows_of(url, "attribute_buckets")) == 15


async def found(workspace: Workspace, words: str) -> set[str]:
    answer = await search(
        workspace, words, now_ns=now_ns(), camera="", since="", until="", limit=50, cursor=None,
        language="zh-TW", use_model=False,
    )  # fmt: skip
    return {entry["event_id"] for entry in answer["timeline"] if entry["match"] == "full"}
