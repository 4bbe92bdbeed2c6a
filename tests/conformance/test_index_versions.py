"""After an upgrade that makes search documents otherwise, the first opening writes them anew."""

import sqlite3
from pathlib import Path

from tests.service import EVENTS

from video_detective.search.base import Group, IndexQuery
from video_detective.search.tokens import word_term
from video_detective.storage import StoredEvent
from video_detective.storage.database import Database
from video_detective.storage.dialects import FILE_NAME

PARKED = Group(key="word:停車", terms=(word_term("停車"),))


async def found(database: Database) -> int:
    return (await database.search(IndexQuery(groups=(PARKED,)))).complete


async def test_documents_of_an_earlier_version_are_written_anew_at_opening(tmp_path: Path) -> None:
    stored = [StoredEvent(event=event, summary_zh="停車場有車") for event in EVENTS]
    async with await Database.open(tmp_path) as database:
        await database.import_events(stored)
        assert await found(database) == len(EVENTS)
    with sqlite3.connect(tmp_path / FILE_NAME) as connection:
        (now,) = connection.execute("SELECT max(version) FROM event_documents").fetchone()
        connection.execute("UPDATE event_documents SET version = version - 1")
        connection.execute("UPDATE meta SET value = '0' WHERE key = 'search_index'")
    connection.close()
    async with await Database.open(tmp_path) as database:
        assert await found(database) == len(EVENTS)
    with sqlite3.connect(tmp_path / FILE_NAME) as connection:
        versions = connection.execute("SELECT DISTINCT version FROM event_documents").fetchall()
        marks = connection.execute("SELECT value FROM meta WHERE key = 'search_index'").fetchall()
    connection.close()
    assert versions == [(now,)]
    assert marks == [(str(now),)]
