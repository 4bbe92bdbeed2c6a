"""Who waits for whom on a PostgreSQL server."""

from __future__ import annotations

import asyncio

from sqlalchemy import text

from video_detective.storage.database import Database

_WAITING = text(
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


async def until_waiting(database: Database, count: int) -> None:
    """Return when so many statements on a database wait for a lock."""
    async with asyncio.timeout(60):
        while True:
            async with database._reading() as connection:
                if (await connection.scalar(_WAITING) or 0) >= count:
                    return
            await asyncio.sleep(0.01)
