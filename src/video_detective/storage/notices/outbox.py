"""The outbox: notifications are made in the transaction of what they tell.

Functions take a connection inside a writing transaction. An alert of an account reaches those of
its channels whose filters let it through; what follows (``update``, ``end``) goes where the alert
itself went.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Literal

from sqlalchemy import ColumnElement, Row, and_, exists, select
from sqlalchemy.ext.asyncio import AsyncConnection

from video_detective.geometry import NS_PER_S
from video_detective.storage.dialects import insert_into
from video_detective.storage.ids import new_id
from video_detective.storage.notices.base import PAST_NS, Filters, Told
from video_detective.storage.reading import chunks
from video_detective.storage.service_tables import ALERTS, CHANNELS, DELIVERIES, DEVICES
from video_detective.storage.tables import EVENTS

Kind = Literal["sqlite", "postgresql"]
COOLED_DOWN = "not told: the channel's cool-down"
_KEY = ["channel_id", "alert_id", "kind"]
_STAYS: dict[str, Any] = {"of": CHANNELS, "read": True, "key_share": True}
"""Nobody removes a channel between the look at it and the delivery to it."""


async def enqueue_new(connection: AsyncConnection, kind: Kind, alert_ids: Sequence[str]) -> None:
    """Have new alerts told; call it in their transaction, after their rows. Again is harmless.

    Args:
        connection: Inside the alerts' transaction.
        kind: Which database.
        alert_ids: Of rows of ``ALERTS`` that are there.
    """
    for chunk in chunks(alert_ids):
        found = await connection.execute(
            select(ALERTS, DEVICES.c.device_id)
            .join(DEVICES, DEVICES.c.camera_id == ALERTS.c.camera_id)
            .where(ALERTS.c.alert_id.in_(chunk), DEVICES.c.deleted_ns.is_(None))
            # One after the other: a cool-down counts from the one before.
            .order_by(ALERTS.c.triggered_ns, ALERTS.c.alert_id)
        )
        alerts = found.all()
        accounts = {alert.account_id for alert in alerts}
        channels = await connection.execute(
            select(CHANNELS)
            .where(CHANNELS.c.account_id.in_(sorted(accounts)), CHANNELS.c.is_enabled)
            .order_by(CHANNELS.c.channel_id)
            .with_for_update(**_STAYS)
        )
        listening = [(channel, Filters.from_json(channel.filters)) for channel in channels]
        for alert in alerts:
            for channel, filters in listening:
                if channel.account_id == alert.account_id and _lets_through(filters, alert):
                    await _enqueue_alert(connection, kind, channel, alert)


async def enqueue_update(
    connection: AsyncConnection, kind: Kind, alert_id: str, *, created_ns: int, is_answer: bool
) -> None:
    """Have it told that the model has answered (or given up) about an alert.

    Args:
        connection: Inside the transaction that ends the insight.
        kind: Which database.
        alert_id: The insight's.
        created_ns: Now.
        is_answer: There are words. They are told also where an update was told before, which said
            that there are none; they take its place in the outbox, under an id of their own.
    """
    conditions = [ALERTS.c.alert_id == alert_id]
    await _follow(connection, kind, "update", conditions, created_ns, is_anew=is_answer)


async def enqueue_pictures(
    connection: AsyncConnection, kind: Kind, alert_ids: Collection[str], *, created_ns: int
) -> None:
    """Have it told that there are pictures of alerts that were told without.

    Args:
        connection: Inside the transaction that gives them to the insights.
        kind: Which database.
        alert_ids: Of whose insights no model says anything more, which would be told with them.
        created_ns: Now.
    """
    for chunk in chunks(sorted(alert_ids)):
        # One that nobody has begun to tell will have them.
        conditions = [ALERTS.c.alert_id.in_(chunk), DELIVERIES.c.attempts > 0]
        await _follow(connection, kind, "update", conditions, created_ns)


async def enqueue_end(
    connection: AsyncConnection, kind: Kind, event_ids: Collection[str], *, created_ns: int
) -> None:
    """Have the end of alerts told whose events have ended; others of these events are left alone.

    Args:
        connection: Inside the transaction that ends the events, after their rows, their alerts
            and ``enqueue_new``.
        kind: Which database.
        event_ids: Of events that are there; again is harmless.
        created_ns: Now.
    """
    for chunk in chunks(sorted(event_ids)):
        is_over = exists().where(
            EVENTS.c.event_id == ALERTS.c.event_id, EVENTS.c.end_ns.is_not(None)
        )
        conditions = [ALERTS.c.event_id.in_(chunk), is_over]
        await _follow(connection, kind, "end", conditions, created_ns)


def _lets_through(filters: Filters, alert: Row[Any]) -> bool:
    return (
        (not filters.device_ids or alert.device_id in filters.device_ids)
        and (not filters.severities or alert.severity in filters.severities)
        and (not filters.alert_rules or alert.alert_rule in filters.alert_rules)
        and (filters.include_past or alert.created_ns - alert.triggered_ns <= PAST_NS)
    )


async def _enqueue_alert(
    connection: AsyncConnection, kind: Kind, channel: Row[Any], alert: Row[Any]
) -> None:
    is_cooling = channel.cooldown_s > 0 and await connection.scalar(
        select(
            exists().where(
                *_same_rule_within(alert, channel.cooldown_s),
                DELIVERIES.c.channel_id == channel.channel_id,
                DELIVERIES.c.alert_id == ALERTS.c.alert_id,
                DELIVERIES.c.kind == "new",
                DELIVERIES.c.status != "skipped",
            )
        )
    )
    created_ns = alert.created_ns
    await connection.execute(
        insert_into(DELIVERIES, kind).on_conflict_do_nothing(index_elements=_KEY),
        {
            "delivery_id": new_id(created_ns),
            "account_id": alert.account_id,
            "channel_id": channel.channel_id,
            "alert_id": alert.alert_id,
            "kind": "new",
            "status": "skipped" if is_cooling else "waiting",
            "payload": {},
            "attempts": 0,
            "due_ns": created_ns,
            "answer": COOLED_DOWN if is_cooling else None,
            "request_id": alert.request_id,
            "created_ns": created_ns,
            "ended_ns": created_ns if is_cooling else None,
        },
    )


def _same_rule_within(alert: Row[Any], cooldown_s: float) -> tuple[ColumnElement[bool], ...]:
    """An alert of the same rule of the same device was shortly before (by time of the events)."""
    since_ns = alert.triggered_ns - round(cooldown_s * NS_PER_S)
    return (
        ALERTS.c.camera_id == alert.camera_id,
        ALERTS.c.alert_rule == alert.alert_rule,
        ALERTS.c.triggered_ns > since_ns,
        ALERTS.c.triggered_ns <= alert.triggered_ns,
        ALERTS.c.alert_id != alert.alert_id,
    )


async def _follow(
    connection: AsyncConnection,
    kind: Kind,
    told: Told,
    conditions: Sequence[ColumnElement[bool]],
    created_ns: int,
    *,
    is_anew: bool = False,
) -> None:
    """Where the alert was told, and (unless ``is_anew``) not yet this of it."""
    later = DELIVERIES.alias("later")
    is_told = exists().where(
        later.c.channel_id == DELIVERIES.c.channel_id,
        later.c.alert_id == DELIVERIES.c.alert_id,
        later.c.kind == told,
    )
    found = await connection.execute(
        select(DELIVERIES, CHANNELS.c.filters)
        .join(ALERTS, ALERTS.c.alert_id == DELIVERIES.c.alert_id)
        .join(CHANNELS, CHANNELS.c.channel_id == DELIVERIES.c.channel_id)
        .where(
            and_(*conditions),
            DELIVERIES.c.kind == "new",
            DELIVERIES.c.status != "skipped",
            CHANNELS.c.is_enabled,
            *([] if is_anew else [~is_told]),
        )
        .order_by(DELIVERIES.c.channel_id, DELIVERIES.c.alert_id)
        .with_for_update(**_STAYS)
    )
    rows = [
        {
            "delivery_id": new_id(created_ns),
            "account_id": row.account_id,
            "channel_id": row.channel_id,
            "alert_id": row.alert_id,
            "kind": told,
            "status": "waiting",
            "payload": {},
            "attempts": 0,
            "due_ns": created_ns,
            "request_id": row.request_id,
            "created_ns": created_ns,
        }
        for row in found
        if told in Filters.from_json(row.filters).tell
    ]
    if rows:
        statement = insert_into(DELIVERIES, kind)
        anew = {c.name: statement.excluded[c.name] for c in DELIVERIES.c if c.name not in _KEY}
        statement = (
            statement.on_conflict_do_update(index_elements=_KEY, set_=anew)
            if is_anew
            else statement.on_conflict_do_nothing(index_elements=_KEY)
        )
        await connection.execute(statement, rows)
