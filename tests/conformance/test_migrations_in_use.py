"""Migrations on PostgreSQL while others, of an earlier version, go on with their work."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, make_url
from sqlalchemy.pool import NullPool

from video_detective.errors import StorageError
from video_detective.storage import migrate
from video_detective.storage.dialects import Address

OLD = "0004"
WRITES = "LOCK TABLE {} IN ROW EXCLUSIVE MODE"
"""What a transaction does to a table when it writes a row."""


@pytest.fixture
def url(empty_postgres_database: Callable[[], str]) -> str:
    """A database of an earlier revision."""
    made = empty_postgres_database()
    config = Config()
    config.set_main_option("script_location", str(Path(migrate.__file__).parent / "migrations"))
    address = make_url(made).set(drivername="postgresql+psycopg")
    engine = create_engine(address, poolclass=NullPool)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, OLD)
    engine.dispose()
    return made


def upgrade(url: str, lock_timeout_s: float) -> None:
    migrate.upgrade(Address.parse(Path(), url), lock_timeout_s)


def revision(url: str) -> str:
    with psycopg.connect(url) as connection:
        found = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    assert found is not None
    return str(found[0])


def await_waiting(url: str, migration: Future[None]) -> None:
    """Until the migration waits for somebody."""
    waits = (
        "SELECT pg_sleep(0.02), count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    with psycopg.connect(url, autocommit=True) as connection:
        while (row := connection.execute(waits).fetchone()) is not None and not row[1]:
            with suppress(TimeoutError):
                migration.result(0)
                pytest.fail("the migration waited for nobody")


def test_a_migration_lets_a_transaction_end_that_wants_more_and_then_goes_on(url: str) -> None:
    with psycopg.connect(url) as worker, ThreadPoolExecutor(1) as threads:
        worker.execute(WRITES.format("events"))
        migration = threads.submit(upgrade, url, 60.0)
        await_waiting(url, migration)
        worker.execute(WRITES.format("alerts"))  # in an order that could meet the migration's
        assert not migration.done()
        worker.commit()
        migration.result(60)
    assert revision(url) == migrate.HEAD


def test_a_migration_that_others_never_let_begin_says_so_and_changes_nothing(url: str) -> None:
    with psycopg.connect(url) as worker:
        worker.execute(WRITES.format("events"))
        with pytest.raises(StorageError, match="others used its tables for 1 s") as refused:
            upgrade(url, 1.0)
        assert "End every other process" in refused.value.remedy
        assert revision(url) == OLD
        worker.commit()
    upgrade(url, 1.0)
    assert revision(url) == migrate.HEAD
