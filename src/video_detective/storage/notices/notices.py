"""Notifications of an open database: channels, their deliveries, and who delivers."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Literal

from sqlalchemy.ext.asyncio import AsyncConnection

from video_detective.storage.accounts.audit import AuditEntry, append
from video_detective.storage.notices import channels, claims, deliveries
from video_detective.storage.notices.base import (
    KEPT_NS,
    LEASE_S,
    AlertFacts,
    ChannelKind,
    ChannelRow,
    Claimed,
    DeliveryQuery,
    DeliveryRow,
    DeviceTold,
    Outcome,
    Standing,
)
from video_detective.storage.reach import Reach

Kind = Literal["sqlite", "postgresql"]
Open = Callable[[], AbstractAsyncContextManager[AsyncConnection]]


class Notices:
    """Every writing method is one transaction. What is made in others' is in ``outbox``.

    Args:
        kind: Which database.
        reading, writing: Open a connection for it.
    """

    def __init__(self, kind: Kind, reading: Open, writing: Open) -> None:
        self._kind = kind
        self._reading = reading
        self._writing = writing

    # --- channels

    async def add_channel(
        self,
        channel: ChannelRow,
        entry: AuditEntry | None = None,
        *,
        beside: Callable[[list[ChannelRow]], None] = lambda others: None,
    ) -> None:
        """Store a new channel.

        Args:
            channel: Which.
            entry: For the audit log.
            beside: Raises where it may not be beside the account's others; none is added meanwhile.
        """
        async with self._writing() as connection:
            await channels.lock(connection, channel.account_id)
            others = Reach(account_id=channel.account_id)
            beside(await channels.of_account(connection, others))
            await channels.add(connection, channel)
            await self._audit(connection, entry)

    async def replace_channel(
        self, reach: Reach, channel: ChannelRow, entry: AuditEntry | None = None
    ) -> bool:
        """Change a channel; False when there is none in reach. Its kind stays."""
        async with self._writing() as connection:
            is_there = await channels.replace(connection, reach, channel)
            await self._audit(connection, entry if is_there else None)
        return is_there

    async def remove_channel(
        self, reach: Reach, channel_id: str, entry: AuditEntry | None = None
    ) -> bool:
        """Delete a channel and its deliveries; False when there is none in reach."""
        async with self._writing() as connection:
            was_there = await channels.remove(connection, reach, channel_id)
            await self._audit(connection, entry if was_there else None)
        return was_there

    async def channel(self, reach: Reach, channel_id: str) -> ChannelRow | None:
        """One channel."""
        async with self._reading() as connection:
            return await channels.find(connection, reach, channel_id)

    async def channels(self, reach: Reach) -> list[ChannelRow]:
        """Every channel of an account, the oldest first. Limits to cameras are not looked at."""
        async with self._reading() as connection:
            return await channels.of_account(connection, reach)

    async def note(self, entry: AuditEntry) -> None:
        """Note in the audit log what changed nothing here: a test."""
        async with self._writing() as connection:
            await self._audit(connection, entry)

    # --- deliveries

    async def deliveries(self, reach: Reach, query: DeliveryQuery) -> tuple[list[DeliveryRow], int]:
        """One page, newest first, and how many there are in all."""
        async with self._reading() as connection:
            return await deliveries.page(connection, reach, query)

    async def delivery(self, reach: Reach, delivery_id: str) -> DeliveryRow | None:
        """One delivery."""
        async with self._reading() as connection:
            return await deliveries.find(connection, reach, delivery_id)

    async def replay_one(
        self, reach: Reach, delivery_id: str, now_ns: int, entry: AuditEntry | None = None
    ) -> bool:
        """Have an ended delivery told again under its id; False when it has not ended."""
        async with self._writing() as connection:
            count = await deliveries.replay_one(connection, reach, delivery_id, now_ns)
            await self._audit(connection, entry if count else None)
        return count == 1

    async def replay(
        self, reach: Reach, query: DeliveryQuery, now_ns: int, entry: AuditEntry | None = None
    ) -> int:
        """Have every ended delivery of a query told again; how many."""
        async with self._writing() as connection:
            count = await deliveries.replay(connection, reach, query, now_ns)
            await self._audit(connection, entry)
        return count

    # --- delivering

    async def claim(self, worker: str, now_ns: int, *, lease_s: float = LEASE_S) -> Claimed | None:
        """Take the delivery that is due longest; None when there is nothing to do.

        Nobody else gets it, nor another one of its channel, until it is finished or ``lease_s``
        have passed by the database's clock.
        """
        async with self._reading() as connection:
            if not await claims.is_due(connection, self._kind, now_ns, lease_s):
                return None
        async with self._writing() as connection:
            return await claims.claim(connection, self._kind, worker, now_ns, lease_s)

    async def finish(self, claimed: Claimed, outcome: Outcome) -> bool:
        """Store what came of a claim; False when another deliverer has taken it over since."""
        async with self._writing() as connection:
            return await claims.finish(connection, claimed, outcome)

    async def facts(self, alert_id: str) -> AlertFacts | None:
        """What is to be said of an alert; None when it is no more."""
        async with self._reading() as connection:
            return await deliveries.facts(connection, alert_id)

    async def standing(
        self, channel_id: str, camera_id: str, *, telling: str = "", since_ns: int = 0
    ) -> Standing:
        """How a camera stands by what a channel was told of it; see ``deliveries.standing``."""
        async with self._reading() as connection:
            return await deliveries.standing(
                connection, channel_id, camera_id, telling=telling, since_ns=since_ns
            )

    async def devices_told(self, kind: ChannelKind) -> list[DeviceTold]:
        """Devices of accounts that have an enabled channel of a kind, by id."""
        async with self._reading() as connection:
            return await deliveries.devices_told(connection, kind)

    async def forget_old(self, now_ns: int) -> int:
        """Strike off deliveries that ended ``KEPT_NS`` ago; how many."""
        async with self._writing() as connection:
            return await deliveries.forget(connection, now_ns - KEPT_NS)

    async def _audit(self, connection: AsyncConnection, entry: AuditEntry | None) -> None:
        if entry is not None:
            await append(connection, self._kind, entry)
