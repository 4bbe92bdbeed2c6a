"""The rows of channels. Functions take a connection; writing ones inside a transaction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from video_detective.storage.notices.base import ChannelRow, Filters
from video_detective.storage.reach import Reach, of_row
from video_detective.storage.service_tables import ACCOUNTS, CHANNELS, DELIVERIES


async def lock(connection: AsyncConnection, account_id: str) -> None:
    """Let others who add channels to an account wait until this transaction ends."""
    account = select(ACCOUNTS.c.account_id).where(ACCOUNTS.c.account_id == account_id)
    await connection.execute(account.with_for_update(key_share=True))


async def add(connection: AsyncConnection, channel: ChannelRow) -> None:
    """A new channel."""
    await connection.execute(insert(CHANNELS), _values(channel))


async def replace(connection: AsyncConnection, reach: Reach, channel: ChannelRow) -> bool:
    """Change a channel; whether there is one."""
    values = _values(channel)
    changed = await connection.execute(
        update(CHANNELS)
        .where(CHANNELS.c.channel_id == channel.channel_id, of_row(reach, CHANNELS))
        .values({key: values[key] for key in values if key not in _FIXED})
    )
    return changed.rowcount == 1


async def remove(connection: AsyncConnection, reach: Reach, channel_id: str) -> bool:
    """Delete a channel with its deliveries; whether there was one."""
    this = (CHANNELS.c.channel_id == channel_id, of_row(reach, CHANNELS))
    own = select(CHANNELS.c.channel_id).where(*this)
    # Locked first: nobody puts a delivery in between.
    await connection.execute(own.with_for_update())
    await connection.execute(delete(DELIVERIES).where(DELIVERIES.c.channel_id.in_(own)))
    removed = await connection.execute(delete(CHANNELS).where(*this))
    return removed.rowcount == 1


async def find(connection: AsyncConnection, reach: Reach, channel_id: str) -> ChannelRow | None:
    """One channel."""
    query = select(CHANNELS).where(CHANNELS.c.channel_id == channel_id, of_row(reach, CHANNELS))
    row = (await connection.execute(query)).first()
    return None if row is None else of(row)


async def of_account(connection: AsyncConnection, reach: Reach) -> list[ChannelRow]:
    """Every channel of an account, the oldest first."""
    query = select(CHANNELS).where(of_row(reach, CHANNELS)).order_by(CHANNELS.c.channel_id)
    return [of(row) for row in await connection.execute(query)]


def of(row: Row[Any]) -> ChannelRow:
    """The channel in a row that has the table's columns."""
    return ChannelRow(
        channel_id=row.channel_id,
        account_id=row.account_id,
        kind=row.kind,
        name=row.name,
        settings=row.settings,
        secret=row.secret,
        filters=Filters.from_json(row.filters),
        cooldown_s=row.cooldown_s,
        is_enabled=bool(row.is_enabled),
        created_ns=row.created_ns,
        updated_ns=row.updated_ns,
    )


_FIXED = frozenset({"channel_id", "account_id", "kind", "created_ns"})


def _values(channel: ChannelRow) -> Mapping[str, Any]:
    return {
        "channel_id": channel.channel_id,
        "account_id": channel.account_id,
        "kind": channel.kind,
        "name": channel.name,
        "settings": dict(channel.settings),
        "secret": channel.secret,
        "filters": channel.filters.as_json(),
        "cooldown_s": channel.cooldown_s,
        "is_enabled": channel.is_enabled,
        "created_ns": channel.created_ns,
        "updated_ns": channel.updated_ns,
    }
