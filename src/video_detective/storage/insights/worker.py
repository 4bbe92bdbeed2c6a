"""Insights as work: what waits for a model, who does it, and what came of it.

A row is the request as long as it is ``pending``; whoever finishes it needs that, so that of
several that do the same work one has an effect.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, Literal

from sqlalchemy import ColumnElement, and_, case, exists, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from video_detective.narration.budget import Spent
from video_detective.storage import documents
from video_detective.storage.insights import writing
from video_detective.storage.insights.base import (
    NEWS_NS,
    InsightClaim,
    InsightCounts,
    InsightOutcome,
    PendingInsight,
    Snapshot,
)
from video_detective.storage.notices import outbox
from video_detective.storage.service_tables import ALERTS, INSIGHTS
from video_detective.storage.tables import EVENTS, RUNS

Kind = Literal["sqlite", "postgresql"]
Open = Callable[[], AbstractAsyncContextManager[AsyncConnection]]

_PENDING = INSIGHTS.c.vlm_status == "pending"
_OVER = exists().where(
    EVENTS.c.event_id == INSIGHTS.c.event_id, RUNS.c.run_id == EVENTS.c.run_id, RUNS.c.done
)
"""Its analysis is at its end: what has no pictures now never will."""


class InsightWork:
    """The working side of ``Database.insights``. Every writing method is one transaction.

    Args:
        kind: Which database.
        reading, writing: Open a connection for it.
    """

    def __init__(self, kind: Kind, reading: Open, writing: Open) -> None:
        self._kind: Kind = kind
        self._reading = reading
        self._writing = writing

    async def pending(
        self, limit: int, *, now_ns: int, news_ns: int = NEWS_NS
    ) -> list[PendingInsight]:
        """Insights that nobody has finished and that have what a model needs.

        Args:
            limit: At most so many.
            now_ns: Now.
            news_ns: What happened longer ago can wait.

        Returns:
            News first, the newest of them first; critical ones before others.
        """
        past = _past(now_ns, news_ns)
        is_grave = INSIGHTS.c.severity == "critical"
        query = (
            select(INSIGHTS.c.insight_id, INSIGHTS.c.severity, past.label("past"))
            .where(_PENDING, ~INSIGHTS.c.is_hidden, _ready(now_ns))
            .order_by(
                case((past, 1), else_=0),
                case((is_grave, 0), else_=1),
                INSIGHTS.c.created_ns.desc(),
                INSIGHTS.c.insight_id.desc(),
            )
            .limit(limit)
        )
        async with self._reading() as connection:
            found = (await connection.execute(query)).all()
        return [
            PendingInsight(insight_id=insight_id, severity=severity, can_wait=bool(can_wait))
            for insight_id, severity, can_wait in found
        ]

    async def count_pending(self, *, now_ns: int) -> int:
        """How many insights nobody has finished that have what a model needs."""
        query = select(func.count()).where(_PENDING, ~INSIGHTS.c.is_hidden, _ready(now_ns))
        async with self._reading() as connection:
            return await connection.scalar(query) or 0

    async def count_news(self, *, now_ns: int, news_ns: int = NEWS_NS) -> int:
        """How many insights that cannot wait nobody has begun."""
        query = select(func.count()).where(
            _PENDING,
            ~INSIGHTS.c.is_hidden,
            INSIGHTS.c.worker.is_(None),
            ~_past(now_ns, news_ns),
        )
        async with self._reading() as connection:
            return await connection.scalar(query) or 0

    async def spent(self, since_ns: int) -> list[Spent]:
        """Calls of a model that were made for insights ended at or after a moment."""
        columns = (INSIGHTS.c.vlm_completed_ns, INSIGHTS.c.camera_id, INSIGHTS.c.usage)
        query = select(*columns).where(
            INSIGHTS.c.vlm_status != "pending", INSIGHTS.c.vlm_completed_ns >= since_ns
        )
        async with self._reading() as connection:
            return [
                Spent(time_ns=time_ns, camera_id=camera, calls=int(usage.get("calls") or 0))
                for time_ns, camera, usage in await connection.execute(query)
            ]

    async def claim(self, insight_id: str, worker: str) -> InsightClaim | None:
        """Note that a worker begins; another that did before keeps its own claim.

        Returns:
            None when it was finished, or is not there any more.
        """
        begin = (
            update(INSIGHTS)
            .where(INSIGHTS.c.insight_id == insight_id, _PENDING)
            .values(attempts=INSIGHTS.c.attempts + 1, worker=worker)
        )
        told = (ALERTS.c.metric_path, ALERTS.c.operator, ALERTS.c.threshold,
                ALERTS.c.actual_value, ALERTS.c.message)  # fmt: skip
        query = (
            select(INSIGHTS, *told)
            .join(ALERTS, ALERTS.c.alert_id == INSIGHTS.c.alert_id)
            .where(INSIGHTS.c.insight_id == insight_id)
        )
        async with self._writing() as connection:
            if (await connection.execute(begin)).rowcount != 1:
                return None
            row = (await connection.execute(query)).mappings().one()
        return InsightClaim(
            insight_id=insight_id,
            alert_id=row["alert_id"],
            event_id=row["event_id"],
            camera_id=row["camera_id"],
            account_id=row["account_id"],
            severity=row["severity"],
            metric_path=row["metric_path"],
            operator=row["operator"],
            threshold=row["threshold"],
            actual_value=row["actual_value"],
            message=row["message"],
            triggered_ns=row["triggered_ns"],
            created_ns=row["created_ns"],
            language=row["language"],
            request_id=row["request_id"],
            snapshots=tuple(Snapshot.from_json(one) for one in row["snapshots"]),
            worker=worker,
            starts=row["attempts"],
        )

    async def release(self, claim: InsightClaim) -> None:
        """Take a claim back as if it had never been, unless another worker has claimed it since."""
        let_go = (
            update(INSIGHTS)
            .where(
                INSIGHTS.c.insight_id == claim.insight_id,
                _PENDING,
                INSIGHTS.c.worker == claim.worker,
            )
            .values(attempts=INSIGHTS.c.attempts - 1, worker=None)
        )
        async with self._writing() as connection:
            await connection.execute(let_go)

    async def finish(
        self, claim: InsightClaim, outcome: InsightOutcome, *, finished_ns: int
    ) -> bool:
        """Store what came of it, with the search documents and the notification about it.

        Returns:
            False when another finished it: then nothing is stored.
        """
        async with self._writing() as connection:
            # In the order of an analysis' step (events, insights, deliveries), so that neither
            # blocks the other for good.
            await documents.lock_events(connection, self._kind, [claim.event_id])
            ended = await connection.execute(
                update(INSIGHTS)
                .where(INSIGHTS.c.insight_id == claim.insight_id, _PENDING)
                .values(_ended(claim, outcome, finished_ns))
            )
            if ended.rowcount != 1:
                return False
            if outcome.described_by == "model":
                await documents.index_events(connection, self._kind, [claim.event_id])
            await outbox.enqueue_update(
                connection,
                self._kind,
                claim.alert_id,
                created_ns=finished_ns,
                is_answer=outcome.status == "done",
            )
            return True

    async def ask_again(self, *, now_ns: int, limit: int | None = None) -> int:
        """Let a model be asked again about insights that failed, the newest first.

        Also about those that the template described because no model was set.

        Returns:
            How many.
        """
        wanted = (
            select(INSIGHTS.c.insight_id)
            .where(
                ~INSIGHTS.c.is_hidden,
                or_(
                    INSIGHTS.c.vlm_status == "failed",
                    and_(
                        INSIGHTS.c.vlm_status == "completed",
                        INSIGHTS.c.reason.startswith("no_model", autoescape=True),
                    ),
                ),
            )
            .order_by(INSIGHTS.c.triggered_ns.desc(), INSIGHTS.c.insight_id.desc())
            .limit(limit)
        )
        async with self._writing() as connection:
            ids = (await connection.execute(wanted)).scalars().all()
            for start in range(0, len(ids), 500):
                await connection.execute(
                    update(INSIGHTS)
                    .where(INSIGHTS.c.insight_id.in_(ids[start : start + 500]))
                    .values(
                        vlm_status="pending",
                        vlm_error=None,
                        vlm_completed_ns=None,
                        attempts=0,
                        worker=None,
                        updated_ns=now_ns,
                    )
                )
        return len(ids)

    async def counts(self) -> InsightCounts:
        """How the insights stand that a model was to describe."""
        begun = INSIGHTS.c.worker.is_not(None)
        keys = (INSIGHTS.c.vlm_status, begun, INSIGHTS.c.described_by, INSIGHTS.c.reason)
        query = select(*keys, func.count()).group_by(*keys)
        waiting = running = done = 0
        degraded, failed = Counter[str](), Counter[str]()
        async with self._reading() as connection:
            for status, is_begun, described_by, reason, count in await connection.execute(query):
                key = (reason or "unknown").partition(":")[0]
                if status == "pending":
                    waiting, running = waiting + count * (not is_begun), running + count * is_begun
                elif status == "failed":
                    failed[key] += count
                elif described_by == "model" and reason is None:
                    done += count
                elif key != "no_model":  # then none was ever to be asked
                    degraded[key] += count
        return InsightCounts(
            waiting=waiting,
            running=running,
            done=done,
            degraded=dict(sorted(degraded.items())),
            failed=dict(sorted(failed.items())),
        )


def _past(now_ns: int, news_ns: int) -> ColumnElement[bool]:
    """It was about the past when it was made, or has waited so long that it is."""
    return or_(
        INSIGHTS.c.triggered_ns < INSIGHTS.c.created_ns - news_ns,
        INSIGHTS.c.created_ns < now_ns - news_ns,
    )


def _ready(now_ns: int) -> ColumnElement[bool]:
    """It has its pictures, or will never have any."""
    return or_(~writing.LACKS_SNAPSHOTS, INSIGHTS.c.created_ns < now_ns - NEWS_NS, _OVER)


def _ended(claim: InsightClaim, outcome: InsightOutcome, finished_ns: int) -> dict[str, Any]:
    return {
        "vlm_status": "completed" if outcome.status == "done" else "failed",
        "updated_ns": finished_ns,
        "described_by": outcome.described_by,
        "level": outcome.level,
        "reason": outcome.reason,
        "flags": list(outcome.flags),
        "vlm_requested_ns": outcome.requested_ns,
        "vlm_completed_ns": finished_ns,
        "vlm_error": outcome.error,
        "input_tokens": outcome.input_tokens,
        "output_tokens": outcome.output_tokens,
        "usage": dict(outcome.usage),
        "raw_text": outcome.raw_text,
        "worker": claim.worker,
        **({} if outcome.node_id is None else {"node_id": outcome.node_id}),
        **writing.words_of(claim.camera_id, outcome.result),
    }
