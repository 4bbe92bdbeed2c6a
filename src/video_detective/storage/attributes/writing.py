"""Records and their sums, written in the transaction of the step that gave them.

The sums of a quarter of an hour are made anew from its rows whenever one of them changes: there
are few, and sums that are never added to cannot drift from what they sum.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cache
from typing import Any, Literal

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    RowMapping,
    and_,
    bindparam,
    delete,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy import Insert as PlainInsert
from sqlalchemy.ext.asyncio import AsyncConnection

from video_detective.attributes import FIELDS, AttributeRecord
from video_detective.attributes.base import bounded
from video_detective.storage.attributes.base import (
    BUCKET_NS,
    NEAR_NS,
    AttributeStretch,
    bucket_starts,
)
from video_detective.storage.base import Run
from video_detective.storage.dialects import Insert, insert_into
from video_detective.storage.ids import new_id
from video_detective.storage.service_tables import (
    ATTRIBUTE_BUCKETS,
    ATTRIBUTES,
    DEVICES,
    INSIGHTS,
    SCENES,
)
from video_detective.storage.tables import EVENTS, RUNS

Kind = Literal["sqlite", "postgresql"]
_CHUNK = 500


async def save(
    connection: AsyncConnection, kind: Kind, run: Run, stretch: AttributeStretch
) -> None:
    """Write a stretch's records instead of earlier ones of the same moments, and their sums.

    Those of other analyses are hidden, unless this one is superseded: then its own are. A camera
    that is no device has no plan and keeps none.
    """
    camera_id = run.key.camera_id
    owner = await _lock(connection, camera_id)
    if owner is None:
        return
    records = {record.captured_ns: record for record in stretch.records}
    changed = set(records)
    is_hidden = await _is_superseded(connection, run.run_id)
    stored = ATTRIBUTES.c
    for first_ns, last_ns in stretch.spans:
        within = (stored.camera_id == camera_id, stored.captured_ns.between(first_ns, last_ns))
        own = (*within, stored.run_id == run.run_id)
        earlier = await connection.execute(select(stored.captured_ns).where(*own))
        replaced = [time_ns for time_ns in earlier.scalars() if time_ns not in records]
        for start in range(0, len(replaced), _CHUNK):
            some = replaced[start : start + _CHUNK]
            await connection.execute(delete(ATTRIBUTES).where(*own, stored.captured_ns.in_(some)))
        changed.update(replaced)
        if not is_hidden:
            others = stored.run_id.is_distinct_from(run.run_id)
            changed.update(await _turn(connection, True, *within, others))
    if not changed:
        return
    values = [
        _values(record, owner, camera_id, stretch, run.run_id, is_hidden)
        for _, record in sorted(records.items())
    ]
    if values:
        await connection.execute(_put(kind), values)
    await _settle(connection, camera_id, changed)


async def add(
    connection: AsyncConnection,
    kind: Kind,
    event_id: str,
    record: AttributeRecord,
    *,
    node_id: str | None,
    stored_ns: int,
) -> None:
    """Write what was learnt later of one moment of an event; what its record knows already stays.

    An event that is gone meanwhile leaves nothing.
    """
    found = await connection.execute(
        select(EVENTS.c.camera_id, EVENTS.c.run_id).where(EVENTS.c.event_id == event_id)
    )
    event = found.first()
    owner = None if event is None else await _lock(connection, event.camera_id)
    if event is None or owner is None:
        return
    stored = ATTRIBUTES.c
    told_by_another = await connection.scalar(
        select(stored.attribute_id).where(
            stored.camera_id == event.camera_id,
            stored.captured_ns == record.captured_ns,
            stored.run_id.is_distinct_from(event.run_id),
            stored.is_hidden.is_(False),
        )
    )
    is_hidden = told_by_another is not None or await _is_superseded(connection, event.run_id)
    stretch = AttributeStretch(spans=(), records=(record,), node_id=node_id, stored_ns=stored_ns)
    values = _values(record, owner, event.camera_id, stretch, event.run_id, is_hidden)
    await connection.execute(_complete(kind), [values])
    await _settle(connection, event.camera_id, {record.captured_ns})


async def remove(connection: AsyncConnection, camera_id: str, times: Mapping[str, int]) -> None:
    """Delete records, and take them out of the sums.

    Args:
        connection: In a transaction.
        camera_id: Whose they are.
        times: Their moments, by attribute id.
    """
    if not times:
        return
    await _lock(connection, camera_id)
    ids = sorted(times)
    for start in range(0, len(ids), _CHUNK):
        some = ids[start : start + _CHUNK]
        await connection.execute(delete(ATTRIBUTES).where(ATTRIBUTES.c.attribute_id.in_(some)))
    for start_ns in bucket_starts(list(times.values())):
        await _sum_up(connection, camera_id, start_ns)


async def show_runs(
    connection: AsyncConnection,
    camera_id: str,
    shown: int,
    hidden: Collection[int],
    *,
    was_shown: bool,
) -> None:
    """Records are listed and counted as events are: those of superseded analyses are not.

    Where superseded ones hid others of the same moments, those are shown again.

    Args:
        connection: In the transaction that changes ``runs.superseded_by``, after the change and
            before insights are changed: other writers lock the device first, too.
        camera_id: Whose footage it is.
        shown: The analysis that is listed now.
        hidden: Those that it supersedes.
        was_shown: Whether it was listed before.
    """
    await _lock(connection, camera_id)
    stored = ATTRIBUTES.c
    if not was_shown:
        times = await _turn(connection, False, stored.run_id == shown)
        if times:
            others = (*_between(camera_id, times), stored.run_id.is_distinct_from(shown))
            await _settle(connection, camera_id, {*times, *await _turn(connection, True, *others)})
    listed = select(RUNS.c.run_id).where(RUNS.c.superseded_by.is_(None))
    for run_id in sorted(hidden):
        times = await _turn(connection, True, stored.run_id == run_id)
        if times:
            there = _between(camera_id, times)
            back = await _turn(connection, False, *there, stored.run_id == shown)
            if not back:
                by_listed = or_(stored.run_id.is_(None), stored.run_id.in_(listed))
                back = await _turn(connection, False, *there, by_listed)
            await _settle(connection, camera_id, {*times, *back})


def _between(camera_id: str, times: Collection[int]) -> tuple[ColumnElement[bool], ...]:
    stored = ATTRIBUTES.c
    return stored.camera_id == camera_id, stored.captured_ns.between(min(times), max(times))


async def _turn(
    connection: AsyncConnection, is_hidden: bool, *which: ColumnElement[bool]
) -> list[int]:
    """Hide or show records; returns the moments of those that were not so before."""
    stored = ATTRIBUTES.c
    turned = await connection.execute(
        update(ATTRIBUTES)
        .where(*which, stored.is_hidden.is_(not is_hidden))
        .values(is_hidden=is_hidden)
        .returning(stored.captured_ns)
    )
    return list(turned.scalars())


async def _settle(connection: AsyncConnection, camera_id: str, changed: Collection[int]) -> None:
    """Make the sums over these moments, and what insights near them tell, right again."""
    for start_ns in bucket_starts(list(changed)):
        await _sum_up(connection, camera_id, start_ns)
    await mark_insights(connection, camera_id, min(changed), max(changed))


async def _is_superseded(connection: AsyncConnection, run_id: int | None) -> bool:
    superseded = select(RUNS.c.superseded_by.is_not(None)).where(RUNS.c.run_id == run_id)
    return bool(await connection.scalar(superseded))


async def mark_insights(
    connection: AsyncConnection, camera_id: str, since_ns: int, until_ns: int
) -> None:
    """Say of the insights near these moments whether there are attributes, and which.

    The nearest record tells; of two as near, the earlier. To be called after records or insights
    of ``[since_ns, until_ns]`` were written, whichever comes second.
    """
    insight, record = INSIGHTS.c, ATTRIBUTES.c
    found = await connection.execute(
        select(
            insight.insight_id,
            insight.triggered_ns,
            insight.has_attributes,
            insight.attributes_summary,
        )
        .where(
            insight.camera_id == camera_id,
            # Both values, so that the index over (camera, hidden, time) serves.
            insight.is_hidden.in_([True, False]),
            insight.triggered_ns >= since_ns - NEAR_NS,
            insight.triggered_ns <= until_ns + NEAR_NS,
        )
        .order_by(insight.insight_id)
    )
    for row in found.mappings().all():
        # One by one: in SQLite's subqueries ORDER BY does not know the columns around them.
        at_ns = row["triggered_ns"]
        distance = func.abs(record.captured_ns - literal(at_ns, record.captured_ns.type))
        nearest = await connection.execute(
            select(record.total_persons, record.female, record.male)
            .where(
                record.camera_id == camera_id,
                record.captured_ns >= at_ns - NEAR_NS,
                record.captured_ns <= at_ns + NEAR_NS,
                record.is_hidden.is_(False),
            )
            .order_by(distance, record.captured_ns)
            .limit(1)
        )
        known = nearest.mappings().first()
        summary = None if known is None else _summary(known)
        if summary != row["attributes_summary"] or row["has_attributes"] != (summary is not None):
            await connection.execute(
                update(INSIGHTS)
                .where(insight.insight_id == row["insight_id"])
                .values(has_attributes=summary is not None, attributes_summary=summary)
            )


def _summary(row: RowMapping) -> dict[str, Any]:
    """As the interface gives it out."""
    return {
        "totalPersons": row["total_persons"],
        "genderDistribution": {"female": row["female"], "male": row["male"]},
    }


async def _lock(connection: AsyncConnection, camera_id: str) -> RowMapping | None:
    """The camera's account and scene; its other writers of records wait from here on.

    Without that, two of them on PostgreSQL would each sum without the other's rows.
    """
    found = await connection.execute(
        select(DEVICES.c.account_id, SCENES.c.scene_id)
        .select_from(
            DEVICES.outerjoin(
                SCENES,
                and_(SCENES.c.camera_id == DEVICES.c.camera_id, SCENES.c.deleted_ns.is_(None)),
            )
        )
        .where(DEVICES.c.camera_id == camera_id, DEVICES.c.deleted_ns.is_(None))
        .with_for_update(of=DEVICES, key_share=True)
    )
    return found.mappings().first()


def _values(
    record: AttributeRecord,
    owner: RowMapping,
    camera_id: str,
    stretch: AttributeStretch,
    run_id: int | None,
    is_hidden: bool,
) -> dict[str, Any]:
    attributes = bounded(record.attributes, record.total_persons)
    return {
        "attribute_id": new_id(stretch.stored_ns),
        "account_id": owner["account_id"],
        "camera_id": camera_id,
        "scene_id": owner["scene_id"],
        "captured_ns": record.captured_ns,
        "total_persons": record.total_persons,
        **{name: getattr(attributes, name) for name in FIELDS},
        "source": record.source,
        "node_id": stretch.node_id,
        "user_id": stretch.user_id,
        "created_ns": stretch.stored_ns,
        "updated_ns": stretch.stored_ns,
        "run_id": run_id,
        "is_hidden": is_hidden,
    }


@cache
def _put(kind: Kind) -> Insert:
    """The analysis's record of a moment is replaced; it keeps its id and when it was made."""
    statement = insert_into(ATTRIBUTES, kind)
    kept = {"attribute_id", "camera_id", "captured_ns", "run_id", "created_ns"}
    return statement.on_conflict_do_update(
        index_elements=["camera_id", "captured_ns", "run_id"],
        set_={c.name: statement.excluded[c.name] for c in ATTRIBUTES.c if c.name not in kept},
    )


@cache
def _complete(kind: Kind) -> Insert:
    statement = insert_into(ATTRIBUTES, kind)
    old, new = ATTRIBUTES.c, statement.excluded
    return statement.on_conflict_do_update(
        index_elements=["camera_id", "captured_ns", "run_id"],
        set_={
            **{name: func.coalesce(old[name], new[name]) for name in FIELDS},
            "source": new.source,
            "updated_ns": new.updated_ns,
        },
        where=old.total_persons == new.total_persons,
    )


async def _sum_up(connection: AsyncConnection, camera_id: str, start_ns: int) -> None:
    keys = {"camera": camera_id, "since": start_ns, "until": start_ns + BUCKET_NS}
    await connection.execute(
        delete(ATTRIBUTE_BUCKETS).where(
            ATTRIBUTE_BUCKETS.c.camera_id == camera_id, ATTRIBUTE_BUCKETS.c.start_ns == start_ns
        )
    )
    await connection.execute(_SUM_UP, keys)


def _making_sums() -> PlainInsert:
    record = ATTRIBUTES.c
    since = bindparam("since", type_=BigInteger)
    until = bindparam("until", type_=BigInteger)
    rows = (
        select(
            record.camera_id,
            since,
            func.count(),
            *(func.sum(record[name]) for name in ("total_persons", *FIELDS)),
        )
        .where(
            record.camera_id == bindparam("camera"),
            record.captured_ns >= since,
            record.captured_ns < until,
            record.is_hidden.is_(False),
        )
        .group_by(record.camera_id)
    )
    columns = ["camera_id", "start_ns", "records", "total_persons", *FIELDS]
    return ATTRIBUTE_BUCKETS.insert().from_select(columns, rows)


_SUM_UP = _making_sums()
