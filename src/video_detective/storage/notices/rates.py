"""How many requests came in a window of time: in memory, or in a PostgreSQL that processes share.

Both are storages of the library ``limits`` for its fixed windows: a window begins with its first
request and ends by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from limits.aio.storage import Storage
from sqlalchemy import BigInteger, case, delete, literal, literal_column, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from video_detective.storage.service_tables import RATE_WINDOWS

SWEEP_EVERY = 1000
"""Requests between two looks for windows that have ended."""

_NOW_MS = literal_column("CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)", BigInteger)
Writing = Callable[[], AbstractAsyncContextManager[AsyncConnection]]


class WindowsInMemory(Storage):
    """Windows of this process alone. Counting one request costs the same however many keys are.

    The library's own looks at every key at every request.

    Args:
        clock: Seconds since the epoch.
    """

    STORAGE_SCHEME = None

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__()
        self._clock = clock
        self._windows: dict[str, tuple[int, float]] = {}
        self._requests = 0

    @property
    def base_exceptions(self) -> type[Exception]:
        """What a broken storage raises: nothing breaks here."""
        return RuntimeError

    async def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Count ``amount`` requests and return the count of the window.

        Args:
            key: Whose.
            expiry: Length of a window that begins now, in seconds.
            amount: How many.
        """
        now = self._clock()
        count, end = self._windows.get(key, (0, 0.0))
        if end <= now:
            count, end = 0, now + expiry
        self._windows[key] = count + amount, end
        await self._sweep_sometimes()
        return count + amount

    async def get(self, key: str) -> int:
        """Count of the running window; 0 where none runs."""
        count, end = self._windows.get(key, (0, 0.0))
        return count if end > self._clock() else 0

    async def get_expiry(self, key: str) -> float:
        """When the running window ends, seconds since the epoch; now where none runs."""
        return max(self._windows.get(key, (0, 0.0))[1], self._clock())

    async def check(self) -> bool:
        """Whether it can be used."""
        return True

    async def reset(self) -> int:
        """Forget everything; returns how many windows there were."""
        many = len(self._windows)
        self._windows.clear()
        return many

    async def clear(self, key: str) -> None:
        """Forget one window."""
        self._windows.pop(key, None)

    async def _sweep_sometimes(self) -> None:
        self._requests += 1
        if self._requests % SWEEP_EVERY == 0:
            now = self._clock()
            self._windows = {key: kept for key, kept in self._windows.items() if kept[1] > now}


class SharedWindows(WindowsInMemory):
    """Windows in a PostgreSQL, by the clock of its server: one statement a request.

    What the server answered last is kept, so that what is left of a limit costs no second one.

    Args:
        writing: Gives a connection in a transaction of its own.
        clock: Seconds since the epoch.
    """

    def __init__(self, writing: Writing, clock: Callable[[], float]) -> None:
        super().__init__(clock)
        self._writing = writing

    async def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """As in memory, over all processes.

        Raises:
            StorageError: the database cannot be used.
        """
        made = insert(RATE_WINDOWS).values(
            key=key, count=amount, expires_ms=_NOW_MS + literal(expiry * 1000, BigInteger)
        )
        is_over = RATE_WINDOWS.c.expires_ms <= _NOW_MS
        counted = made.on_conflict_do_update(
            index_elements=[RATE_WINDOWS.c.key],
            set_={
                "count": case((is_over, amount), else_=RATE_WINDOWS.c.count + amount),
                "expires_ms": case(
                    (is_over, made.excluded.expires_ms), else_=RATE_WINDOWS.c.expires_ms
                ),
            },
        ).returning(RATE_WINDOWS.c.count, RATE_WINDOWS.c.expires_ms - _NOW_MS)
        async with self._writing() as connection:
            count, left_ms = (await connection.execute(counted)).one()
        self._windows[key] = count, self._clock() + left_ms / 1000
        await self._sweep_sometimes()
        return int(count)

    async def clear(self, key: str) -> None:
        """Forget one window, in every process."""
        await super().clear(key)
        async with self._writing() as connection:
            await connection.execute(delete(RATE_WINDOWS).where(RATE_WINDOWS.c.key == key))

    async def reset(self) -> int:
        """Forget everything, in every process."""
        await super().reset()
        async with self._writing() as connection:
            return (await connection.execute(delete(RATE_WINDOWS))).rowcount

    async def _sweep_sometimes(self) -> None:
        await super()._sweep_sometimes()
        if self._requests % SWEEP_EVERY:
            return
        # Rows that somebody counts in at this moment are skipped: two sweepers would wait for
        # each other's.
        ended = (
            select(RATE_WINDOWS.c.key)
            .where(RATE_WINDOWS.c.expires_ms <= _NOW_MS)
            .with_for_update(skip_locked=True)
        )
        async with self._writing() as connection:
            await connection.execute(delete(RATE_WINDOWS).where(RATE_WINDOWS.c.key.in_(ended)))
