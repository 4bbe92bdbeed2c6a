"""``Database.statistics``: every statistic of an open database."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager

from sqlalchemy.ext.asyncio import AsyncConnection

from video_detective.storage.attributes.base import LocalClock
from video_detective.storage.statistics import alerts, counts, places
from video_detective.storage.statistics.alerts import AlertList
from video_detective.storage.statistics.counts import Counts, SeenTimes, Span
from video_detective.storage.statistics.places import Area, Foot, Presence, Stretch

Open = Callable[[], AbstractAsyncContextManager[AsyncConnection]]


class Statistics:
    """Statistics of an open database.

    Args:
        reading: Opens a connection.
    """

    def __init__(self, reading: Open) -> None:
        self._reading = reading

    async def events(self, span: Span, clock: LocalClock) -> Counts:
        """Events that began in the period: by camera, type and risk level."""
        async with self._reading() as connection:
            return await counts.events(connection, span, clock)

    async def crossings(self, span: Span, clock: LocalClock) -> Counts:
        """Events of line crossing: by camera, tripwire, direction, its name then, and rule."""
        async with self._reading() as connection:
            return await counts.crossings(connection, span, clock)

    async def alerts(self, span: Span, clock: LocalClock) -> Counts:
        """Alerts: by camera and severity."""
        async with self._reading() as connection:
            return await counts.alerts(connection, span, clock)

    async def alert_list(self, span: Span, limit: int) -> AlertList:
        """The first alerts of the period with their reviews, and how many there are in all."""
        async with self._reading() as connection:
            return await alerts.alert_list(connection, span, limit)

    async def seen_times(self, span: Span, most: int) -> dict[tuple[str, str], SeenTimes] | None:
        """When tracks were seen, by camera and class; None where there are more than ``most``."""
        async with self._reading() as connection:
            return await counts.seen_times(connection, span, most)

    async def stretches(self, camera_id: str, since_ns: int, until_ns: int) -> list[Stretch]:
        """The shown analyses of a camera, cut where the size of the picture changes."""
        async with self._reading() as connection:
            return await places.stretches(connection, camera_id, since_ns, until_ns)

    async def presence(
        self,
        camera_id: str,
        kind: str,
        stretch: Stretch,
        *,
        grid: tuple[int, int],
        gap_ns: int,
        every: int,
    ) -> Presence:
        """How long feet were in each cell of a grid; see ``places.presence``."""
        async with self._reading() as connection:
            return await places.presence(
                connection, camera_id, kind, stretch, grid=grid, gap_ns=gap_ns, every=every
            )

    async def feet(
        self,
        camera_id: str,
        kind: str,
        stretch: Stretch,
        *,
        within: Area,
        take: Callable[[Sequence[Foot]], Awaitable[bool]],
    ) -> None:
        """Give the feet within a rectangle to ``take``; see ``places.feet``."""
        async with self._reading() as connection:
            await places.feet(connection, camera_id, kind, stretch, within=within, take=take)
