"""Narrations: what is asked to be told, by whom it is being told, and what came of it.

A row is the request as long as it is ``pending``; ``requested_ns`` says which request. Whoever
finishes it needs both, so that of several that do the same work one has an effect.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from contextlib import AbstractAsyncContextManager
from typing import Any, Literal

from sqlalchemy import (
    ColumnElement,
    Select,
    bindparam,
    case,
    delete,
    exists,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from video_detective.narration.budget import Spent
from video_detective.storage import documents, rows
from video_detective.storage.base import NarrationRow
from video_detective.storage.clock import CLOCK_MS
from video_detective.storage.dialects import Insert, insert_into
from video_detective.storage.narration_rows import (
    CAN_WAIT_NS,
    Beat,
    Claim,
    NarrationCounts,
    NarrationOutcome,
    NarrationRequest,
    PendingNarration,
)
from video_detective.storage.reading import chunks
from video_detective.storage.service_tables import ALERTS
from video_detective.storage.tables import EVENTS, FRAMES, NARRATIONS, RUNS, WORKERS

Kind = Literal["sqlite", "postgresql"]
_CAN_WAIT = EVENTS.c.end_ns < NARRATIONS.c.requested_ns - CAN_WAIT_NS

Open = Callable[[], AbstractAsyncContextManager[AsyncConnection]]


class Narrations:
    """The narrations of an open database. Every writing method is one transaction.

    Args:
        kind: Which database.
        reading, writing: Open a connection for it.
    """

    def __init__(self, kind: Kind, reading: Open, writing: Open) -> None:
        self._kind = kind
        self._reading = reading
        self._writing = writing

    async def request(self, request: NarrationRequest, limit: int | None = None) -> int:
        """Ask for every closed event that has no narration or a failed one, the newest first.

        Those with an alert only if the request wants them; events of superseded analyses are left
        out.

        Args:
            request: What to ask for.
            limit: At most so many; None for all.

        Returns:
            How many.
        """
        async with self._writing() as connection:
            return await _request_missing(connection, self._kind, request, limit)

    async def pending(self, limit: int) -> list[PendingNarration]:
        """Requests that nobody has finished: the oldest, and the newest in the other half.

        Those that can wait come after the others, and each kind in order of its request. That is
        not quite the order for all of them, but needs no look at more than ``limit``.
        """
        columns = (NARRATIONS.c.event_id, NARRATIONS.c.requested_ns, _CAN_WAIT)
        # By the index alone: all that were asked for at once have one time, and are not sorted.
        oldest, newest = NARRATIONS.c.requested_ns, NARRATIONS.c.requested_ns.desc()
        query = select(*columns).join(EVENTS).where(NARRATIONS.c.status == "pending")
        found: set[tuple[bool, int, str]] = set()
        async with self._reading() as connection:
            for order, share in ((oldest, limit - limit // 2), (newest, limit // 2)):
                rows = await connection.execute(query.order_by(order).limit(share))
                found.update((bool(wait), requested_ns, key) for key, requested_ns, wait in rows)
        return [
            PendingNarration(event_id=event_id, requested_ns=requested_ns, can_wait=can_wait)
            for can_wait, requested_ns, event_id in sorted(found)
        ]

    async def count_pending(self) -> int:
        """How many requests nobody has finished."""
        query = select(func.count()).where(NARRATIONS.c.status == "pending")
        async with self._reading() as connection:
            return await connection.scalar(query) or 0

    async def count_urgent(self) -> int:
        """How many requests that cannot wait nobody has begun."""
        query = (
            select(func.count())
            .select_from(NARRATIONS)
            .join(EVENTS)
            .where(NARRATIONS.c.status == "pending", NARRATIONS.c.worker.is_(None), ~_CAN_WAIT)
        )
        async with self._reading() as connection:
            return await connection.scalar(query) or 0

    async def spent(self, since_ns: int) -> list[Spent]:
        """Calls of a model that were made for events told at or after a moment."""
        query = (
            select(NARRATIONS.c.finished_ns, EVENTS.c.camera_id, NARRATIONS.c.usage)
            .join_from(NARRATIONS, EVENTS)
            .where(NARRATIONS.c.finished_ns >= since_ns)
        )
        async with self._reading() as connection:
            return [
                Spent(time_ns=time_ns, camera_id=camera, calls=int(usage.get("calls") or 0))
                for time_ns, camera, usage in await connection.execute(query)
            ]

    async def claim(self, event_id: str, requested_ns: int, worker: str) -> Claim | None:
        """Note that a worker begins on a request; another that did before keeps its own claim.

        Returns:
            None when the request was finished, or is no longer asked for.
        """
        begin = (
            update(NARRATIONS)
            .where(*_still_pending(event_id, requested_ns))
            .values(attempts=NARRATIONS.c.attempts + 1, worker=worker)
            .returning(NARRATIONS.c.attempts, NARRATIONS.c.language)
        )
        async with self._writing() as connection:
            row = (await connection.execute(begin)).first()
        if row is None:
            return None
        return Claim(
            event_id=event_id,
            requested_ns=requested_ns,
            worker=worker,
            language=row.language,
            starts=row.attempts,
        )

    async def release(self, claim: Claim) -> None:
        """Take a claim back as if it had never been, unless another worker has claimed it since."""
        let_go = (
            update(NARRATIONS)
            .where(
                *_still_pending(claim.event_id, claim.requested_ns),
                NARRATIONS.c.worker == claim.worker,
            )
            .values(attempts=NARRATIONS.c.attempts - 1, worker=None)
        )
        async with self._writing() as connection:
            await connection.execute(let_go)

    async def finish(self, claim: Claim, outcome: NarrationOutcome, *, finished_ns: int) -> bool:
        """Store what came of a request, with the words of its frames and the search documents.

        Returns:
            False when the request was finished by another, or the event has changed since: then
            nothing is stored.
        """
        async with self._writing() as connection:
            return await _finish(connection, self._kind, claim, outcome, finished_ns)

    async def counts(self) -> NarrationCounts:
        """How all requests stand."""
        begun = NARRATIONS.c.worker.is_not(None)
        keys = (NARRATIONS.c.status, begun, NARRATIONS.c.reason)
        query = select(*keys, func.count()).group_by(*keys)
        pending, told = Counter[bool](), 0
        degraded, failed = Counter[str](), Counter[str]()
        async with self._reading() as connection:
            for status, is_begun, reason, count in await connection.execute(query):
                if status == "pending":
                    pending[bool(is_begun)] += count
                elif status == "done" and reason is None:
                    told += count
                else:
                    (degraded if status == "done" else failed)[_key(reason)] += count
        return NarrationCounts(
            waiting=pending[False],
            running=pending[True],
            done=told,
            degraded=dict(sorted(degraded.items())),
            failed=dict(sorted(failed.items())),
        )

    async def beat(self, worker: str) -> dict[str, Beat]:
        """Give a sign of life.

        Returns:
            Every worker's last one, this one's included.
        """
        now = CLOCK_MS[self._kind]
        statement = insert_into(WORKERS, self._kind).values(worker=worker, beats=now)
        # The clock may be set back; a beat is larger than the one before all the same.
        later = case((WORKERS.c.beats >= now, WORKERS.c.beats + 1), else_=now)
        statement = statement.on_conflict_do_update(
            index_elements=["worker"], set_={"beats": later}
        )
        async with self._writing() as connection:
            await connection.execute(statement)
            found = await connection.execute(
                select(WORKERS.c.worker, WORKERS.c.beats, now - WORKERS.c.beats)
            )
            return {
                name: Beat(number=beats, age_ns=max(0, age_ms) * 1_000_000)
                for name, beats, age_ms in found
            }

    async def forget(self, workers: Collection[str]) -> None:
        """Strike off workers that left or died."""
        if workers:
            async with self._writing() as connection:
                await connection.execute(delete(WORKERS).where(WORKERS.c.worker.in_(workers)))


async def request_closed(
    connection: AsyncConnection, kind: Kind, event_id: str, request: NarrationRequest
) -> None:
    """Ask for one event if it is closed; one that has a narration keeps it."""
    wanted = _wanted(request).where(EVENTS.c.event_id == event_id)
    await connection.execute(_ask(kind, wanted).on_conflict_do_nothing(index_elements=["event_id"]))


async def drop(connection: AsyncConnection, event_ids: Collection[str]) -> None:
    """Delete the narrations of events that changed: they would tell what is no longer so."""
    for chunk in chunks(event_ids):
        await connection.execute(delete(NARRATIONS).where(NARRATIONS.c.event_id.in_(chunk)))


async def _request_missing(
    connection: AsyncConnection, kind: Kind, request: NarrationRequest, limit: int | None
) -> int:
    superseded = select(RUNS.c.run_id).where(RUNS.c.superseded_by.is_not(None))
    wanted = (
        _wanted(request)
        .outerjoin_from(EVENTS, NARRATIONS, NARRATIONS.c.event_id == EVENTS.c.event_id)
        .where(
            or_(EVENTS.c.run_id.is_(None), EVENTS.c.run_id.not_in(superseded)),
            or_(NARRATIONS.c.event_id.is_(None), NARRATIONS.c.status == "failed"),
        )
        .order_by(EVENTS.c.start_ns.desc(), EVENTS.c.event_id.desc())
        .limit(limit)
    )
    statement = _ask(kind, wanted)
    replaced = {name: statement.excluded[name] for name in _COLUMNS if name != "event_id"}
    asked = await connection.execute(
        statement.on_conflict_do_update(
            index_elements=["event_id"], set_=replaced, where=NARRATIONS.c.status == "failed"
        ).returning(NARRATIONS.c.event_id)
    )
    return len(asked.all())


_COLUMNS = tuple(column.name for column in NARRATIONS.columns)


def _wanted(request: NarrationRequest) -> Select[Any]:
    """New rows for closed events, in the order of ``_COLUMNS``."""
    fresh = rows.narration_values(
        NarrationRow(
            event_id="",
            status="pending",
            requested_ns=request.requested_ns,
            language=request.language,
        )
    )
    values = [
        EVENTS.c.event_id if name == "event_id" else literal(fresh[name], NARRATIONS.c[name].type)
        for name in _COLUMNS
    ]
    wanted = select(*values).where(EVENTS.c.end_ns.is_not(None))
    if not request.alerted:
        wanted = wanted.where(~exists().where(ALERTS.c.event_id == EVENTS.c.event_id))
    return wanted


def _ask(kind: Kind, wanted: Select[Any]) -> Insert:
    return insert_into(NARRATIONS, kind).from_select(_COLUMNS, wanted)


def _still_pending(event_id: str, requested_ns: int) -> tuple[ColumnElement[bool], ...]:
    return (
        NARRATIONS.c.event_id == event_id,
        NARRATIONS.c.requested_ns == requested_ns,
        NARRATIONS.c.status == "pending",
    )


async def _finish(
    connection: AsyncConnection,
    kind: Kind,
    claim: Claim,
    outcome: NarrationOutcome,
    finished_ns: int,
) -> bool:
    words = {frame.frame_id: frame for frame in outcome.frames}
    # In the order of an analysis' step (frames, events, narrations), so that neither blocks the
    # other for good.
    for chunk in chunks(sorted(words)):
        theirs = select(FRAMES.c.frame_id).where(FRAMES.c.frame_id.in_(chunk))
        await connection.execute(theirs.order_by(FRAMES.c.frame_id).with_for_update())
    await documents.lock_events(connection, kind, [claim.event_id])
    ended = await connection.execute(
        update(NARRATIONS)
        .where(*_still_pending(claim.event_id, claim.requested_ns))
        .values(
            status=outcome.status,
            finished_ns=finished_ns,
            level=outcome.level,
            reason=outcome.reason,
            model=outcome.model,
            prompts=dict(outcome.prompts),
            text=outcome.text,
            result=None if outcome.result is None else dict(outcome.result),
            flags=list(outcome.flags),
            raw_text=outcome.raw_text,
            usage=dict(outcome.usage),
            worker=claim.worker,
        )
    )
    if ended.rowcount != 1:
        return False
    if words:
        said = update(FRAMES).where(FRAMES.c.frame_id == bindparam("key"))
        await connection.execute(
            said.values(vlm_json=bindparam("json"), summary_zh=bindparam("summary")),
            [
                {
                    "key": frame.frame_id,
                    "json": dict(frame.vlm_json),
                    "summary": frame.summary_zh,
                }
                for frame in words.values()
            ],
        )
    await documents.index_events(connection, kind, [claim.event_id])
    return True


def _key(reason: str | None) -> str:
    return (reason or "unknown").partition(":")[0]
