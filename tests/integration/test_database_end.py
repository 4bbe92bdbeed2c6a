"""The end of a database while it is in use: a service is told to end in the middle of requests."""

import asyncio
import gc
import threading
from pathlib import Path

import pytest
from sqlalchemy import text

from video_detective.errors import StorageError
from video_detective.storage import patience
from video_detective.storage.database import Database

SLOW = text(
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000)"
    " SELECT max(i) FROM n"
)


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Statements take as long as a busy machine needs."""
    monkeypatch.setattr(patience, "_PATIENCE_S", 60.0)


async def ask(database: Database) -> None:
    async with database._reading() as connection:
        await connection.execute(SLOW)


async def cut_off(folder: Path) -> list[str]:
    """Cut a statement off, close the database; what the loop complains of then."""
    told: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, told_of: told.append(str(told_of)))
    async with await Database.open(folder) as database:
        asked = [asyncio.create_task(ask(database)) for _ in range(3)]
        await asyncio.sleep(0.05)
        for _ in range(2):  # a server that ends, and its loop
            for one in asked:
                one.cancel()
            await asyncio.sleep(0.01)
    await asyncio.gather(*asked, return_exceptions=True)
    gc.collect()
    await asyncio.sleep(0)
    return told


async def close_in_use(folder: Path) -> list[BaseException | None]:
    """Close a database while statements are under way; how they and a later one end."""
    database = await Database.open(folder)
    asked = [asyncio.create_task(ask(database)) for _ in range(3)]
    await asyncio.sleep(0.05)
    closing = asyncio.create_task(database.close())
    await asyncio.sleep(0.01)
    ends = await asyncio.gather(*asked, ask(database), return_exceptions=True)
    await closing
    del database
    gc.collect()
    return ends


def test_what_is_under_way_is_waited_for_and_nothing_comes_after(tmp_path: Path) -> None:
    *asked, later = asyncio.run(close_in_use(tmp_path))

    assert asked == [None, None, None]
    assert isinstance(later, StorageError)
    assert "it was closed" in str(later)
    gc.collect()


def test_a_statement_that_is_cut_off_leaves_nothing_behind(tmp_path: Path) -> None:
    before = set(threading.enumerate())

    # What its thread fails of after the end of the loop, and what is left for the garbage
    # collector, are warnings, and those are failures.
    assert asyncio.run(cut_off(tmp_path)) == []

    assert set(threading.enumerate()) <= before
    gc.collect()
