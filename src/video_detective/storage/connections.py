"""Connections to a database: who reads, whose turn it is to write, how they end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, nullcontext

from sqlalchemy.ext.asyncio import AsyncConnection

from video_detective.errors import StorageError
from video_detective.storage.dialects import WRITE, Address
from video_detective.storage.failures import explained
from video_detective.storage.patience import patiently
from video_detective.storage.sqlite_connections import SqliteConnections


class Connections:
    """A pool of connections of the running event loop.

    Args:
        address: Of the database.
        lock_timeout_s: How long to wait for another process that writes to the SQLite file.
    """

    def __init__(self, address: Address, lock_timeout_s: float) -> None:
        self._place = address.place
        self._sqlite = SqliteConnections()
        self._engine = address.async_engine(lock_timeout_s, self._sqlite)
        # SQLite has one writer at a time: queue here, in order, rather than poll for its lock.
        self._turn: AbstractAsyncContextManager[object] = (
            asyncio.Lock() if address.kind == "sqlite" else nullcontext()
        )
        self._in_use = 0
        self._is_closed = False
        self.changes = 0
        """How many transactions have changed something."""

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A connection that reads.

        Raises:
            StorageError: the database cannot be used.
        """
        with self._use():
            async with self._engine.connect() as connection:
                yield connection

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """A connection in a transaction, which is whole at the end or never was.

        Raises:
            StorageError: the database cannot be used.
        """
        with self._use():
            async with self._turn, self._engine.connect() as connection:
                await connection.execution_options(**{WRITE: True})
                async with connection.begin():
                    yield connection
                self.changes += 1

    async def close(self) -> None:
        """Close every connection; there are no others afterwards.

        What is under way is waited for, for some seconds at most: the pool forgets connections
        that come back later, and would make new ones for those who still ask.
        """
        self._is_closed = True
        await patiently(lambda: self._in_use == 0)
        await self._engine.dispose()
        await self._sqlite.end()

    @contextmanager
    def _use(self) -> Iterator[None]:
        if self._is_closed:
            raise StorageError(
                f"The database {self._place} cannot be used: it was closed",
                remedy="Try again later",
                reason="storage_unusable",
            )
        self._in_use += 1
        try:
            with explained(self._place):
                yield
        finally:
            self._in_use -= 1
