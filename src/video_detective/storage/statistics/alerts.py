"""Alerts with what people made of them, in order of time, for reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from video_detective.storage.reach import of_camera
from video_detective.storage.reading import storable_ns
from video_detective.storage.service_tables import ALERTS, INSIGHTS
from video_detective.storage.statistics.counts import Span
from video_detective.storage.tables import EVENTS


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertLine:
    """An alert, its event's words, and its review."""

    alert_id: str
    event_id: str
    camera_id: str
    severity: str
    triggered_ns: int
    summary_zh: str
    summary_en: str
    message: str
    state: str
    reason: str | None
    reviewed_by: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertList:
    """The alerts of a period.

    Args:
        lines: The first by time.
        counts: How many there are in all, by severity and state of review.
    """

    lines: Sequence[AlertLine]
    counts: Mapping[tuple[str, str], int]


async def alert_list(connection: AsyncConnection, span: Span, limit: int) -> AlertList:
    """The listed alerts of a period; those of footage that was analysed again are not."""
    wanted: list[ColumnElement[bool]] = [
        INSIGHTS.c.is_hidden.is_(False),
        INSIGHTS.c.triggered_ns >= storable_ns(span.since_ns),
        INSIGHTS.c.triggered_ns < storable_ns(span.until_ns),
    ]
    if span.camera_id is not None:
        wanted.append(INSIGHTS.c.camera_id == span.camera_id)
    seen = of_camera(span.reach, INSIGHTS.c.camera_id)
    if seen is not None:
        wanted.append(seen)
    query = (
        select(
            ALERTS.c.alert_id,
            ALERTS.c.event_id,
            ALERTS.c.camera_id,
            ALERTS.c.severity,
            ALERTS.c.triggered_ns,
            EVENTS.c.summary_zh,
            EVENTS.c.summary_en,
            ALERTS.c.message,
            ALERTS.c.review_state.label("state"),
            ALERTS.c.review_reason.label("reason"),
            ALERTS.c.reviewed_by,
        )
        .join(INSIGHTS, INSIGHTS.c.alert_id == ALERTS.c.alert_id)
        .join(EVENTS, EVENTS.c.event_id == ALERTS.c.event_id)
        .where(*wanted)
        .order_by(ALERTS.c.triggered_ns, ALERTS.c.alert_id)
        .limit(limit)
    )
    lines = [AlertLine(**row) for row in (await connection.execute(query)).mappings()]
    keys = (INSIGHTS.c.severity, INSIGHTS.c.review_state)
    grouped = await connection.execute(select(*keys, func.count()).where(*wanted).group_by(*keys))
    counts = {(severity, state): count for severity, state, count in grouped}
    return AlertList(lines=lines, counts=counts)
