"""Migrations bring a database to the schema of this version, on SQLite and on PostgreSQL."""

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, create_engine, inspect, make_url, text
from sqlalchemy.pool import NullPool

from video_detective import __version__
from video_detective.errors import StorageError
from video_detective.storage.database import Database
from video_detective.storage.migrate import HEAD
from video_detective.storage.service_tables import INSIGHT_INDEX
from video_detective.storage.tables import INDEX_NAME, METADATA

T = TypeVar("T")


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/video-detective.db"
    create: Callable[[], str] = request.getfixturevalue("empty_postgres_database")
    return create()


async def upgrade(url: str) -> None:
    await (await Database.open(Path(), url)).close()


def directly(url: str, ask: Callable[[Connection], T]) -> T:
    """What a connection of the test's own sees."""
    driver = "sqlite" if url.startswith("sqlite") else "postgresql+psycopg"
    engine = create_engine(make_url(url).set(drivername=driver), poolclass=NullPool)
    with engine.begin() as connection:
        return ask(connection)


async def test_an_empty_database_is_brought_to_the_schema_of_the_code(url: str) -> None:
    await upgrade(url)

    def is_of_sqlalchemy(_object: object, name: str | None, *_: object) -> bool:
        return INDEX_NAME not in str(name) and INSIGHT_INDEX not in str(name)

    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(
            connection,
            opts={
                "compare_type": True,
                "compare_server_default": True,
                # Each database has its own kind of full-text index, which Alembic cannot compare.
                "include_object": is_of_sqlalchemy,
            },
        )
        return list(compare_metadata(context, METADATA))

    assert directly(url, differences) == []


async def test_the_revision_that_counts_as_current_is_the_newest(url: str) -> None:
    await upgrade(url)

    version = text("SELECT version_num FROM alembic_version")
    assert directly(url, lambda c: c.scalar(version)) == HEAD


async def test_sqlite_tables_are_made_as_the_code_says_to_the_letter(tmp_path: Path) -> None:
    """Of what Alembic does not compare: WITHOUT ROWID, AUTOINCREMENT, order of keys."""
    migrated, made = (f"sqlite:///{tmp_path}/{name}.db" for name in ("migrated", "made"))
    await upgrade(migrated)
    directly(made, METADATA.create_all)

    def definitions(connection: Connection) -> dict[str, list[str]]:
        found = connection.execute(text("SELECT name, sql FROM sqlite_schema WHERE sql NOT NULL"))
        # Constraints may stand in any order, and SQLite quotes the name of a table made anew.
        return {
            name: sorted(
                re.split(
                    r", (?=CONSTRAINT)| \)", re.sub(r"\s+", " ", sql.replace(f'"{name}"', name))
                )
            )
            for name, sql in found
            if "alembic" not in name
        }

    assert directly(migrated, definitions) == directly(made, definitions)


async def test_a_current_database_is_left_as_it_is(url: str) -> None:
    await upgrade(url)
    before = directly(url, lambda c: inspect(c).get_table_names())
    await upgrade(url)

    assert directly(url, lambda c: inspect(c).get_table_names()) == before


async def test_many_who_open_a_new_database_at_once_all_can(url: str) -> None:
    databases = await asyncio.gather(*(Database.open(Path(), url) for _ in range(5)))
    for database in databases:
        assert await database.cameras() == []
        await database.close()


async def test_different_new_databases_can_be_opened_at_once(
    tmp_path: Path, empty_postgres_database: Callable[[], str]
) -> None:
    urls = [f"sqlite:///{tmp_path}/a.db", empty_postgres_database(), f"sqlite:///{tmp_path}/b.db"]
    await asyncio.gather(*(upgrade(url) for url in urls))

    for url in urls:
        names = directly(url, lambda c: inspect(c).get_table_names())
        assert {n for n in names if INDEX_NAME not in n and INSIGHT_INDEX not in n} == {
            *METADATA.tables, "alembic_version"
        }  # fmt: skip


async def test_a_database_of_a_newer_version_is_refused_and_left_alone(url: str) -> None:
    await upgrade(url)

    def age(connection: Connection) -> None:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        connection.execute(text("UPDATE meta SET value = '99.1'"))

    directly(url, age)

    with pytest.raises(StorageError) as refused:
        await upgrade(url)

    assert "newer version (99.1)" in str(refused.value)
    assert __version__ in str(refused.value)
    assert "Upgrade video-detective" in refused.value.remedy
    version = text("SELECT version_num FROM alembic_version")
    assert directly(url, lambda c: c.scalar(version)) == "9999"


async def test_an_upgrade_that_fails_leaves_nothing(url: str) -> None:
    directly(url, lambda c: c.execute(text("CREATE TABLE events (mine INTEGER)")))

    with pytest.raises(StorageError):
        await upgrade(url)

    assert directly(url, lambda c: inspect(c).get_table_names()) == ["events"]
