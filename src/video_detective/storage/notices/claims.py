"""Who delivers what: each waiting delivery by one deliverer at a time, in order.

A channel has one delivery under way at a time, over all processes: what it is told comes in order.
"""

from __future__ import annotations

from typing import Literal

from sqlalchemy import BigInteger, ColumnElement, and_, exists, literal_column, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from video_detective.geometry import NS_PER_S
from video_detective.storage.notices import channels
from video_detective.storage.notices.base import END_WAITS_NS, Claimed, Outcome
from video_detective.storage.service_tables import CHANNELS, DELIVERIES, INSIGHTS

Kind = Literal["sqlite", "postgresql"]

_CLOCK_NS: dict[Kind, ColumnElement[int]] = {
    "sqlite": literal_column(
        "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER) * 1000000", BigInteger
    ),
    "postgresql": literal_column(
        "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT) * 1000000", BigInteger
    ),
}
"""The database's clock: those of several machines differ, and claims are compared."""


async def is_due(connection: AsyncConnection, kind: Kind, now_ns: int, lease_s: float) -> bool:
    """Whether there is anything to claim."""
    conditions = _can_be_claimed(kind, now_ns, lease_s)
    return bool(await connection.scalar(select(exists().where(*conditions))))


async def claim(
    connection: AsyncConnection, kind: Kind, worker: str, now_ns: int, lease_s: float
) -> Claimed | None:
    """Take the delivery that is due longest, of a channel that nobody delivers to at present.

    Args:
        connection: Inside a writing transaction.
        kind: Which database.
        worker: Whose it is to be.
        now_ns: What is due.
        lease_s: How long claims hold.
    """
    conditions = _can_be_claimed(kind, now_ns, lease_s)
    order = (DELIVERIES.c.due_ns, DELIVERIES.c.delivery_id)
    # First the channel is locked, then a second statement sees what others claimed before that.
    free = (
        select(CHANNELS.c.channel_id)
        .join(DELIVERIES, DELIVERIES.c.channel_id == CHANNELS.c.channel_id)
        .where(*conditions)
        .order_by(*order)
        .limit(1)
        # Rows may go on to be put into the outbox meanwhile.
        .with_for_update(of=CHANNELS, skip_locked=True, key_share=True)
    )
    channel_id = await connection.scalar(free)
    if channel_id is None:
        return None
    first = (
        select(DELIVERIES.c.delivery_id)
        .where(*conditions, DELIVERIES.c.channel_id == channel_id)
        .order_by(*order)
        .limit(1)
        .scalar_subquery()
    )
    claimed = await connection.execute(
        update(DELIVERIES)
        .where(DELIVERIES.c.delivery_id == first)
        .values(claimed_ns=_CLOCK_NS[kind], worker=worker, attempts=DELIVERIES.c.attempts + 1)
        .returning(DELIVERIES)
    )
    row = claimed.first()
    if row is None:
        return None
    channel = await connection.execute(select(CHANNELS).where(CHANNELS.c.channel_id == channel_id))
    return Claimed(
        delivery_id=row.delivery_id,
        worker=worker,
        channel=channels.of(channel.one()),
        alert_id=row.alert_id,
        kind=row.kind,
        payload=row.payload,
        attempts=row.attempts,
        request_id=row.request_id,
        created_ns=row.created_ns,
    )


async def finish(connection: AsyncConnection, claimed: Claimed, outcome: Outcome) -> bool:
    """Store what came of a claim; False when another deliverer has taken it over since."""
    is_over = outcome.status != "waiting"
    ended = await connection.execute(
        update(DELIVERIES)
        .where(
            DELIVERIES.c.delivery_id == claimed.delivery_id,
            DELIVERIES.c.worker == claimed.worker,
            DELIVERIES.c.attempts == claimed.attempts,
            DELIVERIES.c.status == "waiting",
        )
        .values(
            status=outcome.status,
            answer=outcome.answer,
            payload=dict(outcome.payload),
            due_ns=outcome.due_ns if not is_over else DELIVERIES.c.due_ns,
            ended_ns=outcome.time_ns if is_over else None,
            claimed_ns=None,
            worker=None,
        )
    )
    return ended.rowcount == 1


def _can_be_claimed(kind: Kind, now_ns: int, lease_s: float) -> tuple[ColumnElement[bool], ...]:
    expired_ns = _CLOCK_NS[kind] - round(lease_s * NS_PER_S)
    other, earlier = DELIVERIES.alias("other"), DELIVERIES.alias("earlier")
    # On its own, so that it is asked once however much is waiting.
    busy_channels = select(other.c.channel_id).where(
        other.c.status == "waiting", other.c.claimed_ns > expired_ns
    )
    comes_before = exists().where(
        earlier.c.channel_id == DELIVERIES.c.channel_id,
        earlier.c.alert_id == DELIVERIES.c.alert_id,
        earlier.c.status == "waiting",
        or_(
            and_(earlier.c.kind == "new", DELIVERIES.c.kind != "new"),
            and_(earlier.c.kind == "update", DELIVERIES.c.kind == "end"),
        ),
    )
    is_owed_words = and_(
        DELIVERIES.c.kind == "end",
        DELIVERIES.c.created_ns > now_ns - END_WAITS_NS,
        exists().where(
            INSIGHTS.c.alert_id == DELIVERIES.c.alert_id, INSIGHTS.c.vlm_status == "pending"
        ),
    )
    return (
        DELIVERIES.c.status == "waiting",
        DELIVERIES.c.due_ns <= now_ns,
        DELIVERIES.c.channel_id.not_in(busy_channels),
        ~comes_before,
        ~is_owed_words,
    )
