"""Where the job queue keeps its own tables, apart from everything that must not be lost."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from video_detective.storage.dialects import Address
from video_detective.storage.failures import storage_error
from video_detective.storage.new_file import make_sqlite


@dataclass(frozen=True, slots=True)
class QueuePlace:
    """A database for the queue's tables.

    Args:
        url: As SQLAlchemy takes it, with password where there is one: never show it.
        name: For people, without user and password.
    """

    url: str
    name: str


def queue_place(address: Address) -> QueuePlace:
    """The queue's place that belongs to a database.

    PostgreSQL: the same database; the queue's library uses its schema ``dbos``. SQLite: a file of
    its own beside the database, ``video-detective.jobs.db``. It holds nothing that cannot be made
    again from the rows of narrations, so that the library's tables and migrations stay out of the
    file that is backed up, and the file may be deleted while no worker runs. (Writers did not wait
    longer for each other in one file than in two, as far as that could be measured.)

    Raises:
        StorageError: the file cannot be made.
    """
    if address.kind == "postgresql":
        return QueuePlace(address.url.render_as_string(hide_password=False), address.place)
    path = Path(address.place).with_suffix(".jobs.db")
    make_sqlite(path)
    try:
        with closing(sqlite3.connect(path)) as connection:
            # The mode stays with the file. In the default one, readers make writers wait.
            connection.execute("PRAGMA journal_mode=WAL")
    except sqlite3.Error as error:
        raise storage_error(str(path), error) from error
    return QueuePlace(f"sqlite:///{path}", str(path))
