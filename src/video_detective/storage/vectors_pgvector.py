"""Vectors in PostgreSQL with the pgvector extension, which compares them itself.

A column beside the portable bytes, and an HNSW index over it, both written in the transaction of
the row. They are made when the first vector is stored, where the extension is or may be created;
where not, everything works without them, only slower.

Source: pgvector 0.8 (https://github.com/pgvector/pgvector): ``halfvec``, iterative index scans.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import (
    ColumnElement,
    Double,
    Text,
    and_,
    cast,
    func,
    literal,
    literal_column,
    or_,
    select,
    text,
    true,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import UserDefinedType

from video_detective.search.fusion import Near
from video_detective.storage import vectors_search
from video_detective.storage.rows import RowValues
from video_detective.storage.tables import VECTORS
from video_detective.storage.vectors_rows import DTYPE
from video_detective.storage.vectors_search import BLOCK, COMPARED, Compared, Search

_MOST_NUMBERS = 16_000
"""In a ``halfvec``."""
_MOST_INDEXED = 4_000
"""In one that HNSW takes; longer ones are all compared."""
_MOST_CANDIDATES = 10_000
_EF_SEARCH = 200
"""Candidates that a look-up keeps in mind at least."""
_MOST_SCANNED = 100_000
"""Entries of the index that a look-up visits at most, when conditions exclude many."""
_LOCK = 0x7664_7665_6374  # "vdvect": any number that nobody else uses in this database
_INDEX = "ix_vectors_hnsw_"

_HAS_COLUMN = text(
    "SELECT 1 FROM pg_attribute WHERE attrelid = CAST('vectors' AS regclass)"
    " AND attname = 'embedding' AND NOT attisdropped"
)
_VERSION = text("SELECT extversion FROM pg_extension WHERE extname = 'vector'")
_FILL = text(
    "UPDATE vectors SET embedding = CAST(:embedding AS halfvec) WHERE document_id = :document_id"
)
_INSERT = text(
    "INSERT INTO vectors (document_id, event_id, camera_id, lasting, model, size, text_sha256,"
    " vector, embedding) VALUES (:document_id, :event_id, :camera_id, :lasting, :model, :size,"
    " :text_sha256, :vector, CAST(:embedding AS halfvec))"
)


async def is_prepared(connection: AsyncConnection, size: int) -> bool:
    """Whether vectors of a size are in the column that pgvector compares."""
    return size <= _MOST_NUMBERS and await connection.scalar(_HAS_COLUMN) is not None


async def prepare(connection: AsyncConnection, model: str, size: int) -> bool:
    """Make column and index where they are missing.

    Args:
        connection: Of the writing transaction that is to store vectors.
        model: Whose vectors.
        size: Numbers in each.

    Returns:
        Whether ``insert`` can be used; False without the extension.
    """
    if size > _MOST_NUMBERS:
        return False
    await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    if not await is_prepared(connection, size):
        try:
            async with connection.begin_nested():
                await connection.execute(text("CREATE EXTENSION IF NOT EXISTS vector"))
        except DBAPIError:  # not installed there, or not for this user to create
            return False
        version = str(await connection.scalar(_VERSION)).split(".")
        if (int(version[0]), int(version[1])) < (0, 8):
            return False
        await connection.execute(text("ALTER TABLE vectors ADD COLUMN embedding halfvec"))
        await _fill(connection)
    if size <= _MOST_INDEXED:
        await _make_index(connection, model, size)
    return True


async def _fill(connection: AsyncConnection) -> None:
    """Give the column what was stored before it was there."""
    after = None
    while True:
        query = select(VECTORS.c.document_id, VECTORS.c.vector).where(
            VECTORS.c.size <= _MOST_NUMBERS,
            true() if after is None else VECTORS.c.document_id > after,
        )
        found = await connection.execute(query.order_by(VECTORS.c.document_id).limit(BLOCK))
        values = [
            {"document_id": document_id, "embedding": _written(np.frombuffer(vector, DTYPE))}
            for document_id, vector in found
        ]
        if not values:
            return
        await connection.execute(_FILL, values)
        after = values[-1]["document_id"]


async def _make_index(connection: AsyncConnection, model: str, size: int) -> None:
    mark = hashlib.sha256(f"{size} {model}".encode()).hexdigest()[:12]
    names = text("SELECT indexname FROM pg_indexes WHERE tablename = 'vectors'")
    found = list((await connection.execute(names)).scalars())
    if _INDEX + mark in found:
        return
    for name in found:  # of models that are no longer in use
        if name.startswith(_INDEX):
            await connection.execute(text(f"DROP INDEX {name}"))
    quoted = model.replace("'", "''")
    await connection.exec_driver_sql(
        f"CREATE INDEX {_INDEX}{mark} ON vectors"
        f" USING hnsw ((embedding::halfvec({size})) halfvec_ip_ops)"
        f" WHERE model = '{quoted}' AND size = {size}"
    )


async def insert(connection: AsyncConnection, rows: Sequence[RowValues]) -> None:
    """Insert rows of ``VECTORS`` where ``prepare`` said yes."""
    await connection.execute(
        _INSERT,
        [row | {"embedding": _written(np.frombuffer(row["vector"], DTYPE))} for row in rows],
    )


async def nearest(connection: AsyncConnection, search: Search, exact_up_to: int) -> list[Near]:
    """The nearest events; exactly when few meet the conditions, else by the index.

    Args:
        connection: Of one transaction.
        search: What is asked.
        exact_up_to: Few.
    """
    meant = or_(*(and_(*span) for span in search.spans()))
    some = select(VECTORS.c.document_id).where(meant).limit(exact_up_to + 1).subquery()
    count = await connection.scalar(select(func.count()).select_from(some)) or 0
    if count > exact_up_to and len(search.unit) <= _MOST_INDEXED:
        compared = await _looked_up(connection, search, meant)
        near = await vectors_search.holding(connection, search, compared)
        if len(near) == search.limit:
            return near
    compared = await _compared(connection, search, meant)
    return await vectors_search.holding(connection, search, compared)


async def _looked_up(
    connection: AsyncConnection, search: Search, meant: ColumnElement[bool]
) -> Compared:
    """Candidates that the index finds."""
    wanted = 2 * search.limit + 50
    settings = {
        "hnsw.ef_search": str(min(1000, max(_EF_SEARCH, wanted))),
        # What strict order would leave out is sorted in afterwards.
        "hnsw.iterative_scan": "relaxed_order",
        "hnsw.max_scan_tuples": str(_MOST_SCANNED),
    }
    for name, value in settings.items():
        await connection.execute(select(func.set_config(name, value, True)))
    distance = _distance(search)
    query = select(VECTORS.c.document_id, distance).where(meant).order_by(distance).limit(wanted)
    return _records((await connection.execute(query)).all())


async def _compared(
    connection: AsyncConnection, search: Search, meant: ColumnElement[bool]
) -> Compared:
    """The best of all that meet the conditions."""
    distance = _distance(search).label("distance")
    # The sort stands outside, where the index cannot serve it.
    meeting = select(VECTORS.c.document_id, distance).where(meant)
    every = meeting.cte("every").prefix_with("MATERIALIZED")
    best = select(every).order_by(every.c.distance, every.c.document_id.desc())
    return _records((await connection.execute(best.limit(_MOST_CANDIDATES))).all())


def _distance(search: Search) -> ColumnElement[float]:
    """The negative inner product, in the form in which the index has it."""
    size = len(search.unit)
    question = cast(literal(_written(search.unit), Text), _HalfVector(size))
    stored: ColumnElement[Any] = literal_column(f"(vectors.embedding::halfvec({size}))")
    return stored.op("<#>", return_type=Double())(question)


def _records(rows: Sequence[Any]) -> Compared:
    return np.array([(row[0], -row[1]) for row in rows], COMPARED)


def _written(vector: NDArray[np.floating[Any]]) -> str:
    """A vector as pgvector reads it."""
    return f"[{','.join(map(str, vector.tolist()))}]"


class _HalfVector(UserDefinedType[str]):
    cache_ok = True

    def __init__(self, size: int) -> None:
        self.size = size

    def get_col_spec(self, **_: object) -> str:
        return f"halfvec({self.size})"
