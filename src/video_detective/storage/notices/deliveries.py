"""Reading deliveries and what they tell; replaying them. Functions take a connection."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, delete, exists, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from video_detective.storage.notices.base import (
    AlertFacts,
    DeliveryQuery,
    DeliveryRow,
    DeviceTold,
    Standing,
)
from video_detective.storage.reach import Reach, of_row
from video_detective.storage.service_tables import (
    ACCOUNTS,
    ALERTS,
    CHANNELS,
    DELIVERIES,
    DEVICES,
    INSIGHTS,
    SCENES,
)
from video_detective.storage.tables import CAMERAS, EVENTS

_OWN = DELIVERIES.c


async def page(
    connection: AsyncConnection, reach: Reach, query: DeliveryQuery
) -> tuple[list[DeliveryRow], int]:
    """One page, newest first, and how many there are in all."""
    wanted = _within(reach).where(*_conditions(query))
    total = await connection.scalar(select(func.count()).select_from(wanted.subquery())) or 0
    if query.before is not None:
        wanted = wanted.where(_OWN.delivery_id < query.before)
    rows = await connection.execute(
        wanted.order_by(_OWN.delivery_id.desc()).limit(query.limit).offset(query.offset)
    )
    return [_delivery(row) for row in rows], total


async def find(connection: AsyncConnection, reach: Reach, delivery_id: str) -> DeliveryRow | None:
    """One delivery."""
    query = _within(reach).where(_OWN.delivery_id == delivery_id)
    row = (await connection.execute(query)).first()
    return None if row is None else _delivery(row)


async def replay(
    connection: AsyncConnection, reach: Reach, query: DeliveryQuery, now_ns: int
) -> int:
    """Have deliveries that have ended told again, under the same ids; how many.

    Skipped ones, which were never told, only where the query names that status. ``limit``,
    ``offset`` and ``before`` of the query are not read.
    """
    left_out = ("waiting",) if query.status == "skipped" else ("waiting", "skipped")
    wanted = _within(reach).where(*_conditions(query), _OWN.status.not_in(left_out))
    return await _again(connection, wanted, now_ns)


async def replay_one(
    connection: AsyncConnection, reach: Reach, delivery_id: str, now_ns: int
) -> int:
    """The same of one."""
    wanted = _within(reach).where(_OWN.delivery_id == delivery_id, _OWN.status != "waiting")
    return await _again(connection, wanted, now_ns)


async def forget(connection: AsyncConnection, before_ns: int) -> int:
    """Strike off what ended before a moment; how many."""
    old = delete(DELIVERIES).where(_OWN.status != "waiting", _OWN.ended_ns < before_ns)
    return (await connection.execute(old)).rowcount


async def facts(connection: AsyncConnection, alert_id: str) -> AlertFacts | None:
    """What is to be said of an alert; None when it is no more."""
    query = (
        select(
            ALERTS,
            DEVICES.c.device_id,
            DEVICES.c.deleted_ns,
            CAMERAS.c.name.label("device_name"),
            CAMERAS.c.timezone,
            SCENES.c.name.label("scene_name"),
            EVENTS.c.end_ns,
            EVENTS.c.type,
            ACCOUNTS.c.language,
        )
        .join(DEVICES, DEVICES.c.camera_id == ALERTS.c.camera_id)
        .join(ACCOUNTS, ACCOUNTS.c.account_id == ALERTS.c.account_id)
        .join(EVENTS, EVENTS.c.event_id == ALERTS.c.event_id)
        .outerjoin(CAMERAS, CAMERAS.c.camera_id == ALERTS.c.camera_id)
        .outerjoin(SCENES, SCENES.c.scene_id == ALERTS.c.scene_id)
        .where(ALERTS.c.alert_id == alert_id)
    )
    row = (await connection.execute(query)).mappings().first()
    if row is None:
        return None
    of_alert = select(INSIGHTS).where(INSIGHTS.c.alert_id == alert_id)
    insight = (await connection.execute(of_alert)).mappings().first()
    return AlertFacts(
        alert={name: row[name] for name in ALERTS.c.keys()},  # noqa: SIM118 - a mapping of columns
        insight=None if insight is None else dict(insight),
        device_id=row["device_id"],
        device_name=row["device_name"] or row["camera_id"],
        timezone=row["timezone"] or "Asia/Taipei",
        scene_name=row["scene_name"] or "",
        ended_ns=row["end_ns"],
        event_type=row["type"],
        account_id=row["account_id"],
        language=row["language"],
        is_gone=row["deleted_ns"] is not None,
    )


async def standing(
    connection: AsyncConnection, channel_id: str, camera_id: str, *, telling: str, since_ns: int
) -> Standing:
    """How a camera stands by what a channel was told of it.

    Args:
        connection: Where.
        channel_id: Which channel.
        camera_id: Which camera.
        telling: An alert of which it is being told; "" for none.
        since_ns: Alerts that were triggered before go on no more, whatever was told.
    """
    end = DELIVERIES.alias("end_of_alert")
    is_over = exists().where(
        end.c.channel_id == channel_id,
        end.c.alert_id == ALERTS.c.alert_id,
        end.c.kind == "end",
        end.c.status != "waiting",
    )
    is_told = or_(_OWN.status == "done", ALERTS.c.alert_id == telling)
    told = (
        select(ALERTS)
        .join(DELIVERIES, DELIVERIES.c.alert_id == ALERTS.c.alert_id)
        .where(
            ALERTS.c.camera_id == camera_id,
            _OWN.channel_id == channel_id,
            _OWN.kind == "new",
            is_told,
        )
        .order_by(ALERTS.c.triggered_ns.desc(), ALERTS.c.alert_id.desc())
    )
    last = (await connection.execute(told.limit(1))).mappings().first()
    going_on = told.with_only_columns(ALERTS.c.alert_id).where(
        ~is_over, ALERTS.c.triggered_ns >= since_ns
    )
    return Standing(
        last=None if last is None else dict(last),
        going_on=frozenset((await connection.execute(going_on)).scalars()),
    )


async def devices_told(connection: AsyncConnection, kind: str) -> list[DeviceTold]:
    """Devices of accounts that have an enabled channel of a kind, by id."""
    query = (
        select(
            CHANNELS.c.channel_id,
            DEVICES.c.account_id,
            DEVICES.c.device_id,
            DEVICES.c.camera_id,
            func.coalesce(func.nullif(CAMERAS.c.name, ""), DEVICES.c.camera_id).label("name"),
            ACCOUNTS.c.language,
        )
        .join(DEVICES, DEVICES.c.account_id == CHANNELS.c.account_id)
        .join(ACCOUNTS, ACCOUNTS.c.account_id == CHANNELS.c.account_id)
        .outerjoin(CAMERAS, CAMERAS.c.camera_id == DEVICES.c.camera_id)
        .where(CHANNELS.c.kind == kind, CHANNELS.c.is_enabled, DEVICES.c.deleted_ns.is_(None))
        .order_by(DEVICES.c.device_id, CHANNELS.c.channel_id)
    )
    return [DeviceTold(**row) for row in (await connection.execute(query)).mappings()]


def _within(reach: Reach) -> Select[Any]:
    """Deliveries about alerts in reach."""
    return (
        select(DELIVERIES, DEVICES.c.device_id, ALERTS.c.camera_id)
        .join(ALERTS, ALERTS.c.alert_id == _OWN.alert_id)
        .join(DEVICES, DEVICES.c.camera_id == ALERTS.c.camera_id)
        .where(of_row(reach, ALERTS), of_row(reach, DELIVERIES))
    )


def _conditions(query: DeliveryQuery) -> list[ColumnElement[bool]]:
    equal: Sequence[tuple[ColumnElement[str], str | None]] = (
        (_OWN.channel_id, query.channel_id),
        (_OWN.alert_id, query.alert_id),
        (DEVICES.c.device_id, query.device_id),
        (_OWN.kind, query.kind),
        (_OWN.status, query.status),
    )
    conditions = [column == value for column, value in equal if value is not None]
    if query.since_ns is not None:
        conditions.append(_OWN.created_ns >= query.since_ns)
    if query.until_ns is not None:
        conditions.append(_OWN.created_ns < query.until_ns)
    return conditions


async def _again(connection: AsyncConnection, wanted: Select[Any], now_ns: int) -> int:
    ids = wanted.with_only_columns(_OWN.delivery_id)
    waiting = await connection.execute(
        update(DELIVERIES)
        .where(_OWN.delivery_id.in_(ids))
        .values(
            status="waiting",
            attempts=0,
            due_ns=now_ns,
            ended_ns=None,
            claimed_ns=None,
            worker=None,
        )
    )
    return waiting.rowcount


def _delivery(row: Row[Any]) -> DeliveryRow:
    return DeliveryRow(
        delivery_id=row.delivery_id,
        account_id=row.account_id,
        channel_id=row.channel_id,
        alert_id=row.alert_id,
        device_id=row.device_id,
        camera_id=row.camera_id,
        kind=row.kind,
        status=row.status,
        payload=row.payload,
        attempts=row.attempts,
        due_ns=row.due_ns,
        answer=row.answer,
        request_id=row.request_id,
        created_ns=row.created_ns,
        ended_ns=row.ended_ns,
    )
