"""The audit log: append-only, each row chained to the one before it by hash.

Beside the rows, ``meta`` has each account's head (how many rows there are, and the last one's
hash), so that rows cut off at the end are missed too. Who may change everything in the database can
write a log anew; against that only a head helps that was noted elsewhere (``AuditState``).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlalchemy import Row, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from video_detective.storage.dialects import storable_text, upsert_into
from video_detective.storage.service_tables import AUDIT
from video_detective.storage.tables import META

Kind = Literal["sqlite", "postgresql"]
BEGINNING = "0" * 64
"""The hash before the first row."""
_BATCH = 1000
_COLUMNS = tuple(column.name for column in AUDIT.columns if column.name != "hash")


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """What somebody did. It never holds a secret.

    Args:
        account_id: Whose log.
        time_ns: When.
        actor_kind: ``user``, ``key``, ``local`` (the command line) or ``system``.
        actor_id, actor_name: Who: user id and name, key id and name.
        action: ``device.create``, ``key.revoke``, ``evidence.view`` …: target kind, dot, verb.
        target_kind, target_id: What it was done to.
        request_id: Of the HTTP request; "" otherwise.
        details: What was changed, plain JSON without secrets.
    """

    account_id: str
    time_ns: int
    actor_kind: Literal["user", "key", "local", "system"]
    actor_id: str
    actor_name: str
    action: str
    target_kind: str
    target_id: str
    request_id: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRow:
    """An entry in its place: ``number`` 1.. of its account, ``previous`` and ``hash`` in hex."""

    number: int
    entry: AuditEntry
    previous: str
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditState:
    """What walking the log found.

    Args:
        rows: How many rows hold, from the first on.
        head: Hash of the last of them.
        broken_at: Number of the first that does not hold; None where all do.
        problem: What is wrong with it, for people; "" where nothing is.
    """

    rows: int
    head: str
    broken_at: int | None = None
    problem: str = ""


async def append(connection: AsyncConnection, kind: Kind, entry: AuditEntry) -> None:
    """Append an entry, in the transaction of what it tells.

    Call it last: from here to the end of the transaction nobody else appends to this account's log.
    """
    await append_all(connection, kind, [entry])


async def append_all(
    connection: AsyncConnection, kind: Kind, entries: Sequence[AuditEntry]
) -> None:
    """Append entries in their order, as ``append`` does.

    Those of several accounts are appended account by account in order of id, so that no two
    transactions wait for each other.
    """
    by_account: dict[str, list[AuditEntry]] = {}
    for entry in entries:
        by_account.setdefault(entry.account_id, []).append(entry)
    for account_id, own in sorted(by_account.items()):
        if kind == "postgresql":
            # SQLite has one writer at a time; here each log has.
            lock = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")
            await connection.execute(lock, {"name": _head_key(account_id)})
        number, previous = await _head(connection, account_id) or await _last(
            connection, account_id
        )
        made = []
        for entry in own:
            number += 1
            values = _values(entry, number, previous)
            previous = _hash(values)
            made.append({**values, "hash": previous})
        await connection.execute(AUDIT.insert(), made)
        await connection.execute(
            upsert_into(META, kind),
            {"key": _head_key(account_id), "value": f"{number}:{previous}"},
        )


async def verify(connection: AsyncConnection, account_id: str) -> AuditState:
    """Walk an account's log from the first row and check every hash; rows may be added meanwhile.

    Returns:
        The first row that does not hold: changed, missing, put in, or cut off at the end.
    """
    head = await _head(connection, account_id)
    rows, previous = 0, BEGINNING
    while True:
        query = (
            select(AUDIT)
            .where(AUDIT.c.account_id == account_id, AUDIT.c.number > rows)
            .order_by(AUDIT.c.number)
            .limit(_BATCH)
        )
        batch = (await connection.execute(query)).all()
        for row in batch:
            problem = _problem(row, rows + 1, previous)
            if not problem and head is not None and head[0] == row.number and head[1] != row.hash:
                problem = "its hash is not the one that was noted when it was written"
            if problem:
                return AuditState(rows=rows, head=previous, broken_at=rows + 1, problem=problem)
            rows, previous = row.number, row.hash
        if len(batch) < _BATCH:
            break
    if head is None and rows:
        problem = "how far the log goes is no longer noted; rows may be missing at its end"
        return AuditState(rows=rows, head=previous, broken_at=rows + 1, problem=problem)
    if head is not None and rows < head[0]:
        problem = f"it is missing, with everything after it up to row {head[0]}"
        return AuditState(rows=rows, head=previous, broken_at=rows + 1, problem=problem)
    return AuditState(rows=rows, head=previous)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditQuery:
    """Which entries, newest first.

    Args:
        account_id: Whose.
        limit: At most so many.
        offset: So many newer ones are left out.
        before: Only rows of a smaller number.
        action, target_id, actor_id: Only these; "" for all. An action without a dot is a kind of
            target (``device``: everything done to devices).
        since_ns, until_ns: Only of ``[since_ns, until_ns)``.
    """

    account_id: str
    limit: int
    offset: int = 0
    before: int | None = None
    action: str = ""
    target_id: str = ""
    actor_id: str = ""
    since_ns: int | None = None
    until_ns: int | None = None


async def page(connection: AsyncConnection, query: AuditQuery) -> tuple[list[AuditRow], int]:
    """Entries that meet every condition, and how many do without limit, offset and ``before``."""
    conditions = [AUDIT.c.account_id == query.account_id]
    if query.action:
        column = AUDIT.c.action if "." in query.action else AUDIT.c.target_kind
        conditions.append(column == query.action)
    if query.target_id:
        conditions.append(AUDIT.c.target_id == query.target_id)
    if query.actor_id:
        conditions.append(AUDIT.c.actor_id == query.actor_id)
    if query.since_ns is not None:
        conditions.append(AUDIT.c.time_ns >= query.since_ns)
    if query.until_ns is not None:
        conditions.append(AUDIT.c.time_ns < query.until_ns)
    total = await connection.scalar(select(func.count()).select_from(AUDIT).where(*conditions))
    chosen = select(AUDIT).where(*conditions).order_by(AUDIT.c.number.desc()).limit(query.limit)
    if query.before is not None:
        chosen = chosen.where(AUDIT.c.number < query.before)
    elif query.offset:
        chosen = chosen.offset(query.offset)
    return [_row(row) for row in await connection.execute(chosen)], total or 0


def _row(row: Row[Any]) -> AuditRow:
    fields = {name: getattr(row, name) for name in AuditEntry.__dataclass_fields__}
    fields["details"] = json.loads(row.details)
    return AuditRow(
        number=row.number, entry=AuditEntry(**fields), previous=row.previous, hash=row.hash
    )


def _head_key(account_id: str) -> str:
    return f"audit_head:{account_id}"


async def _head(connection: AsyncConnection, account_id: str) -> tuple[int, str] | None:
    noted = await connection.scalar(select(META.c.value).where(META.c.key == _head_key(account_id)))
    if noted is None:
        return None
    number, _, last = noted.partition(":")
    return int(number), last


async def _last(connection: AsyncConnection, account_id: str) -> tuple[int, str]:
    query = (
        select(AUDIT.c.number, AUDIT.c.hash)
        .where(AUDIT.c.account_id == account_id)
        .order_by(AUDIT.c.number.desc())
        .limit(1)
    )
    row = (await connection.execute(query)).first()
    return (row.number, row.hash) if row else (0, BEGINNING)


def _values(entry: AuditEntry, number: int, previous: str) -> dict[str, Any]:
    """The row as it is stored, without its hash."""
    values = {name: getattr(entry, name) for name in AuditEntry.__dataclass_fields__}
    values |= {"details": _canonical(entry.details), "number": number, "previous": previous}
    return {
        key: storable_text(value) if isinstance(value, str) else value
        for key, value in values.items()
    }


def _hash(values: Mapping[str, Any]) -> str:
    return hashlib.sha256(
        _canonical({name: values[name] for name in _COLUMNS}).encode()
    ).hexdigest()


def _canonical(value: Mapping[str, Any]) -> str:
    return json.dumps(
        dict(value), ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=True
    )


def _problem(row: Row[Any], number: int, previous: str) -> str:
    if row.number != number:
        return "it is missing"
    if row.previous != previous:
        return "it does not follow the row before it"
    if row.hash != _hash(row._asdict()):
        return "its content is not what was written"
    return ""
