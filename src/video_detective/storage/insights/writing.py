"""How alerts and insights come about. Functions take a connection inside a writing transaction.

An alert, its one insight and the notifications about it are made together, in the transaction of
the event's step: either all are there or none.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Literal

from sqlalchemy import RowMapping, Text, cast, exists, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from video_detective.alerts.base import Alert
from video_detective.insights.template import template_result
from video_detective.search.document import frame_document
from video_detective.storage import fulltext
from video_detective.storage.base import EvidenceRow, Run, Step, StoredEvent
from video_detective.storage.clock import CLOCK_MS
from video_detective.storage.dialects import insert_into, storable_text
from video_detective.storage.ids import new_id
from video_detective.storage.insights.base import AlertContext, Snapshot
from video_detective.storage.notices import outbox
from video_detective.storage.reading import chunks
from video_detective.storage.service_tables import ACCOUNTS, ALERTS, DEVICES, INSIGHTS, SCENES
from video_detective.storage.tables import EVENTS, RUNS

Kind = Literal["sqlite", "postgresql"]
MOST_SNAPSHOTS = 3
LACKS_SNAPSHOTS = cast(INSIGHTS.c.snapshots, Text) == "[]"
"""PostgreSQL compares no JSON."""


async def make_alerts(connection: AsyncConnection, kind: Kind, run: Run, step: Step) -> None:
    """Make the step's alerts, those that are there already or in cool-down left out.

    Cameras without a device, or with a removed one, have nobody to alert.
    """
    wanted = await _new_alerts(connection, step.alerts)
    owner = await _owner(connection, run.key.camera_id) if wanted else None
    if owner is not None:
        events = {stored.event.event_id: stored for stored in step.events}
        is_hidden = await connection.scalar(
            select(RUNS.c.superseded_by.is_not(None)).where(RUNS.c.run_id == run.run_id)
        )
        made = []
        for alert in wanted:
            if alert.cooldown_ns > 0 and await _is_cooling(connection, run, alert):
                continue
            values = _alert_values(alert, owner, step.alerting)
            alert_id = await connection.scalar(
                insert_into(ALERTS, kind)
                .values(values)
                .on_conflict_do_nothing(index_elements=["event_id", "alert_rule"])
                .returning(ALERTS.c.alert_id)
            )
            if alert_id is None:
                continue
            stored = events.get(alert.event_id)
            insight = _insight_values(values, stored, owner["language"], step.alerting)
            await connection.execute(
                INSIGHTS.insert().values({**insight, "is_hidden": bool(is_hidden)})
            )
            made.append(alert_id)
        if made and not is_hidden:
            await outbox.enqueue_new(connection, kind, made)
    over = {e.event.event_id: e for e in step.events if e.event.end_ns is not None}
    if over:
        now_ns = step.alerting.now_ns
        await _tell_ends(connection, over, now_ns)
        await outbox.enqueue_end(connection, kind, over, created_ns=now_ns)


async def _tell_ends(
    connection: AsyncConnection, over: Mapping[str, StoredEvent], now_ns: int
) -> None:
    """The template's words of an alert's moment say "goes on": make them anew of ended events."""
    for chunk in chunks(over):
        told = await connection.execute(
            select(INSIGHTS).where(
                INSIGHTS.c.event_id.in_(chunk),
                INSIGHTS.c.described_by == "template",
                INSIGHTS.c.vlm_status == "completed",
            )
        )
        for row in told.all():
            result = _facts_of(over[row.event_id], row.language, row.vlm_summary)
            if result != row.vlm_result:
                await connection.execute(
                    update(INSIGHTS)
                    .where(INSIGHTS.c.insight_id == row.insight_id)
                    .values(
                        updated_ns=max(now_ns, row.updated_ns), **words_of(row.camera_id, result)
                    )
                )


def _facts_of(stored: StoredEvent, language: Any, otherwise: str) -> dict[str, Any]:
    """What the template says of an event; ``otherwise`` where that has no words."""
    words = stored.summary_zh if language == "zh-TW" else stored.summary_en
    return template_result(stored.event, words or otherwise, language)


async def _new_alerts(connection: AsyncConnection, alerts: Sequence[Alert]) -> list[Alert]:
    """Each once, in order of time, without those that are there."""
    wanted = {(alert.event_id, alert.alert_rule): alert for alert in reversed(alerts)}
    for chunk in chunks({event_id for event_id, _ in wanted}):
        keys = (ALERTS.c.event_id, ALERTS.c.alert_rule)
        known = await connection.execute(select(*keys).where(ALERTS.c.event_id.in_(chunk)))
        for event_id, rule in known:
            wanted.pop((event_id, rule), None)
    return [wanted[key] for key in sorted(wanted, key=lambda one: (wanted[one].triggered_ns, *one))]


async def _owner(connection: AsyncConnection, camera_id: str) -> RowMapping | None:
    """Account, its language, and the scene of a camera that is somebody's."""
    query = (
        select(DEVICES.c.account_id, ACCOUNTS.c.language, SCENES.c.scene_id)
        .join(ACCOUNTS, ACCOUNTS.c.account_id == DEVICES.c.account_id)
        .outerjoin(
            SCENES,
            (SCENES.c.camera_id == DEVICES.c.camera_id) & SCENES.c.deleted_ns.is_(None),
        )
        .where(DEVICES.c.camera_id == camera_id, DEVICES.c.deleted_ns.is_(None))
    )
    return (await connection.execute(query)).mappings().first()


async def _is_cooling(connection: AsyncConnection, run: Run, alert: Alert) -> bool:
    """Whether an alert of the same rule was shortly before.

    Other analyses of the same footage count for nothing: they saw the very same things.
    """
    same_time = (
        ALERTS.c.camera_id == alert.camera_id,
        ALERTS.c.alert_rule == alert.alert_rule,
        ALERTS.c.triggered_ns > alert.triggered_ns - alert.cooldown_ns,
        ALERTS.c.triggered_ns <= alert.triggered_ns,
    )
    there = exists().where(
        *same_time,
        EVENTS.c.event_id == ALERTS.c.event_id,
        RUNS.c.run_id == EVENTS.c.run_id,
        or_(RUNS.c.run_id == run.run_id, RUNS.c.fingerprint != run.key.fingerprint),
    )
    return bool(await connection.scalar(select(there)))


def _alert_values(alert: Alert, owner: RowMapping, context: AlertContext) -> dict[str, Any]:
    now_ns = context.now_ns or alert.triggered_ns
    return {
        "alert_id": new_id(now_ns),
        "account_id": owner["account_id"],
        "camera_id": alert.camera_id,
        "scene_id": owner["scene_id"],
        "event_id": alert.event_id,
        "alert_rule": alert.alert_rule,
        "kind": alert.kind,
        "metric_path": alert.metric_path,
        "operator": alert.operator,
        "threshold": alert.threshold,
        "actual_value": alert.actual_value,
        "severity": alert.severity,
        "message": alert.message,
        "triggered_ns": alert.triggered_ns,
        "created_ns": now_ns,
        "request_id": context.request_id,
    }


def _insight_values(
    alert: Mapping[str, Any], stored: StoredEvent | None, language: Any, context: AlertContext
) -> dict[str, Any]:
    kept = ("alert_id", "account_id", "camera_id", "scene_id", "event_id", "severity",
            "triggered_ns", "created_ns", "request_id")  # fmt: skip
    values: dict[str, Any] = {
        **{key: alert[key] for key in kept},
        "insight_id": new_id(alert["created_ns"]),
        "updated_ns": alert["created_ns"],
        "language": language,
        "vlm_status": "pending",
        "flags": [],
        "usage": {},
        "snapshots": [],
        "has_attributes": False,
        "node_id": context.node_id,
        "attempts": 0,
        "tokens": "",
        "text": "",
    }
    if context.has_model:
        return values
    result = None if stored is None else _facts_of(stored, language, alert["message"])
    return {
        **values,
        "vlm_status": "completed",
        "described_by": "template",
        "level": "template",
        "reason": "no_model: No model is set",
        **words_of(alert["camera_id"], result or {"summary": alert["message"]}),
    }


def words_of(camera_id: str, result: Mapping[str, Any] | None) -> dict[str, Any]:
    """The columns that hold an insight's words, and by which it is searched."""
    if result is None:
        return {
            "vlm_summary": None, "vlm_result": None, "risk_level": None, "tokens": "", "text": "",
        }  # fmt: skip
    summary = str(result.get("summary", ""))
    said = [summary, *result.get("activities", ()), str(result.get("environment", ""))]
    held = frame_document(camera_id=camera_id, words=[words for words in said if words])
    risk = [f"risk:{level}"] if (level := result.get("riskLevel")) else []
    return {
        "vlm_summary": summary,
        "vlm_result": dict(result),
        "risk_level": result.get("riskLevel"),
        "tokens": fulltext.joined((fulltext.EVERY,), held.usual, [*held.own, *risk]),
        "text": storable_text(held.text),
    }


async def show_runs(connection: AsyncConnection, shown: int, hidden: Collection[int]) -> None:
    """Insights are listed as their events are: those of superseded analyses are not.

    Args:
        connection: In the transaction that changes ``runs.superseded_by``.
        shown: The analysis that is listed now.
        hidden: Those that it supersedes.
    """
    for run_ids, is_hidden in (((shown,), False), (sorted(hidden), True)):
        if run_ids:
            theirs = select(EVENTS.c.event_id).where(EVENTS.c.run_id.in_(run_ids))
            await connection.execute(
                update(INSIGHTS)
                .where(INSIGHTS.c.event_id.in_(theirs), INSIGHTS.c.is_hidden != is_hidden)
                .values(is_hidden=is_hidden)
            )


async def tell_run(connection: AsyncConnection, kind: Kind, run_id: int) -> None:
    """Have alerts told that nobody was told of while their analysis was hidden.

    Args:
        connection: In the transaction that shows the analysis, after that.
        kind: Which database.
        run_id: Of the analysis.
    """
    found = await connection.execute(
        select(ALERTS.c.alert_id, ALERTS.c.event_id)
        .join(EVENTS, EVENTS.c.event_id == ALERTS.c.event_id)
        .where(EVENTS.c.run_id == run_id)
    )
    alerts = {row.alert_id: row.event_id for row in found}
    if alerts:
        now_ms = (await connection.execute(select(CLOCK_MS[kind]))).scalar_one()
        await outbox.enqueue_new(connection, kind, list(alerts))
        await outbox.enqueue_end(
            connection, kind, set(alerts.values()), created_ns=now_ms * 1_000_000
        )


async def show_event(
    connection: AsyncConnection,
    kind: Kind,
    event_id: str,
    evidence: Iterable[EvidenceRow],
    now_ns: int | None,
) -> None:
    """Give the insights of an event their pictures, where they have none yet.

    Args:
        connection: Inside the transaction that writes the evidence.
        kind: Which database.
        event_id: Which event.
        evidence: Its pictures.
        now_ns: The time; whoever was told without pictures is then told of them. None tells nobody.
    """
    lacking = await connection.execute(
        select(
            INSIGHTS.c.insight_id,
            INSIGHTS.c.alert_id,
            INSIGHTS.c.triggered_ns,
            INSIGHTS.c.vlm_status,
        ).where(INSIGHTS.c.event_id == event_id, LACKS_SNAPSHOTS)
    )
    pieces = list(evidence)
    shown: list[str] = []
    for row in lacking.all():
        chosen = snapshots_of(pieces, row.triggered_ns)
        if chosen:
            await connection.execute(
                update(INSIGHTS)
                .where(INSIGHTS.c.insight_id == row.insight_id)
                .values(snapshots=[snapshot.as_json() for snapshot in chosen])
            )
            if row.vlm_status != "pending":  # the model's words are told with them
                shown.append(row.alert_id)
    if now_ns is not None:
        await outbox.enqueue_pictures(connection, kind, shown, created_ns=now_ns)


def snapshots_of(evidence: Sequence[EvidenceRow], triggered_ns: int) -> list[Snapshot]:
    """One to three pictures in order of time: first, nearest to the trigger, last; or none."""
    originals = {(row.time_ns, row.what): row for row in evidence if row.kind == "original"}
    known: dict[int, Snapshot] = {}
    for row in sorted(evidence, key=lambda one: one.time_ns):
        original = originals.get((row.time_ns, row.what))
        if row.kind == "annotated" and original is not None and row.frame_id is not None:
            known.setdefault(
                row.time_ns,
                Snapshot(
                    sha256=row.sha256,
                    original=original.sha256,
                    frame_id=row.frame_id,
                    time_ns=row.time_ns,
                ),
            )
    if not known:
        return []
    at = min(known, key=lambda time_ns: (abs(time_ns - triggered_ns), time_ns))
    return [known[time_ns] for time_ns in sorted({min(known), at, max(known)})]
