"""What people think of alerts: a state for each, set by whoever looked last."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import false, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from video_detective.storage.accounts.audit import AuditEntry, append_all
from video_detective.storage.reach import Reach, of_row
from video_detective.storage.service_tables import ALERTS, INSIGHTS

Open = Callable[[], AbstractAsyncContextManager[AsyncConnection]]
ReviewState = Literal["new", "seen", "confirmed", "dismissed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """What somebody thinks of an alert.

    Args:
        state: ``new``: nobody has looked; ``confirmed``: it is what it says; ``dismissed``: not.
        reason: In words, or one of the keys of the page; None where none was given.
        by, by_id: Name and id of the user or key; None where it never was set.
        at_ns: When.
    """

    state: ReviewState
    reason: str | None = None
    by: str | None = None
    by_id: str | None = None
    at_ns: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewed:
    """What became of one alert: its review before, and now (the same where nothing changed)."""

    alert_id: str
    former: Review
    review: Review

    @property
    def is_changed(self) -> bool:
        """Whether it was set."""
        return self.review is not self.former


class Reviews:
    """``Database.insights.reviews``.

    Args:
        kind: Which database.
        writing: Opens a connection in a transaction.
    """

    def __init__(self, kind: Literal["sqlite", "postgresql"], writing: Open) -> None:
        self._kind: Literal["sqlite", "postgresql"] = kind
        self._writing = writing

    async def set(
        self,
        reach: Reach,
        alert_ids: Collection[str],
        review: Review,
        *,
        only_from: str | None,
        entry: Callable[[Reviewed], AuditEntry],
    ) -> tuple[list[Reviewed], list[str]]:
        """Set the review of alerts, all or none.

        Those that have this state for this reason already stay as they are.

        Args:
            reach: Whose.
            alert_ids: Which; each once.
            review: What is set.
            only_from: Those in another state stay as they are; None: none does.
            entry: What the audit log says of one that is set.

        Returns:
            What became of each, in order of id; and those that are not listed: then nothing was
            set.
        """
        columns = (ALERTS.c.alert_id, ALERTS.c.review_state, ALERTS.c.review_reason,
                   ALERTS.c.reviewed_by, ALERTS.c.reviewed_by_id, ALERTS.c.reviewed_ns)  # fmt: skip
        query = (
            select(*columns)
            .join(INSIGHTS, INSIGHTS.c.alert_id == ALERTS.c.alert_id)
            .where(
                of_row(reach, ALERTS),
                INSIGHTS.c.is_hidden == false(),
                ALERTS.c.alert_id.in_(sorted(alert_ids)),
            )
            # In one order, so that no two who set many wait for each other for good.
            .order_by(ALERTS.c.alert_id)
            .with_for_update(of=ALERTS)
        )
        async with self._writing() as connection:
            rows = (await connection.execute(query)).all()
            missing = sorted(set(alert_ids) - {row.alert_id for row in rows})
            if missing:
                return [], missing
            done: list[Reviewed] = []
            for row in rows:
                former = Review(
                    state=row.review_state,
                    reason=row.review_reason,
                    by=row.reviewed_by,
                    by_id=row.reviewed_by_id,
                    at_ns=row.reviewed_ns,
                )
                same = (former.state, former.reason) == (review.state, review.reason)
                stays = same or only_from not in (None, former.state)
                now = former if stays else review
                done.append(Reviewed(alert_id=row.alert_id, former=former, review=now))
            changed = [one for one in done if one.is_changed]
            if changed:
                await _write(connection, [one.alert_id for one in changed], review)
                await append_all(connection, self._kind, [entry(one) for one in changed])
        return done, []


async def _write(connection: AsyncConnection, alert_ids: Sequence[str], review: Review) -> None:
    await connection.execute(
        update(ALERTS)
        .where(ALERTS.c.alert_id.in_(alert_ids))
        .values(
            review_state=review.state,
            review_reason=review.reason,
            reviewed_by=review.by,
            reviewed_by_id=review.by_id,
            reviewed_ns=review.at_ns,
        )
    )
    await connection.execute(
        update(INSIGHTS).where(INSIGHTS.c.alert_id.in_(alert_ids)).values(review_state=review.state)
    )
