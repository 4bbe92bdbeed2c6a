"""Connections to SQLite that end in order, also those of tasks that are cut off."""

from __future__ import annotations

import asyncio
import sqlite3
import weakref
from typing import Any

import aiosqlite

from video_detective.storage.patience import patiently

_ROWS_A_TURN = 64


class SqliteConnection(aiosqlite.Connection):
    """A connection and its thread, which tells the event loop what it has done.

    Args:
        args, options: As for ``sqlite3.connect``.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(lambda: sqlite3.connect(*args, **options), _ROWS_A_TURN)
        # A connection that is not closed does not keep the process from ending.
        self._thread.daemon = True
        self._ending: asyncio.Future[Any] | None = None

    @property
    def is_over(self) -> bool:
        """Nothing will be told any more."""
        return not self._thread.is_alive()

    def stop(self) -> asyncio.Future[Any] | None:
        """End the thread when it has done what it was asked for; once, whoever asks.

        A task that is cut off closes its connection and, told to hurry, closes it again: of what
        comes after the end of the thread nobody is told, and the first would wait for ever.
        """
        if self._ending is None:
            self._ending = super().stop()
        return self._ending


class SqliteConnections:
    """Makes connections, as SQLAlchemy's ``async_creator_fn``, and knows those that are left."""

    def __init__(self) -> None:
        self._made: weakref.WeakSet[SqliteConnection] = weakref.WeakSet()

    def __call__(self, *args: Any, **options: Any) -> SqliteConnection:
        """A connection, opened when it is awaited; arguments as for ``sqlite3.connect``."""
        made = SqliteConnection(*args, **options)
        self._made.add(made)
        return made

    async def end(self) -> None:
        """Wait for the threads of those that were closed, for some seconds at most.

        A loop that is closed before cannot be told of their end, and they would fail.
        """
        await patiently(lambda: all(one.is_over for one in list(self._made)))
