"""What is exchanged about vectors, and the rows behind it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from video_detective.search.document import embedding_text
from video_detective.storage.dialects import insert_into, upsert_into
from video_detective.storage.documents import LONG_NS
from video_detective.storage.reading import chunks
from video_detective.storage.rows import RowValues
from video_detective.storage.sources import read_sources
from video_detective.storage.tables import (
    EVENT_DOCUMENTS,
    EVENTS,
    META,
    VECTOR_OUTBOX,
    VECTOR_QUEUE,
    VECTORS,
)

Kind = Literal["sqlite", "postgresql"]

DTYPE = np.dtype("<f2")
"""Of a stored vector: half precision moves similarities by less than 0.001, at half the bytes."""

_MODEL, _SIZE, _QDRANT = "embedding_model", "embedding_size", "qdrant"


@dataclass(frozen=True, slots=True, kw_only=True)
class DueText:
    """An event whose vector is to be seen to.

    Args:
        event_id: Which event.
        text: Of which its vector is to be made.
        text_sha256: Of that text.
        is_known: There is a vector of this text already; ``Vectors.confirm`` lets it hold.
    """

    event_id: str
    text: str
    text_sha256: str
    is_known: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NewVector:
    """The vector of a text, of any length but 0."""

    event_id: str
    text_sha256: str
    vector: Sequence[float]


@dataclass(frozen=True, slots=True, kw_only=True)
class InUse:
    """What ``Vectors.use`` asked for, and the size of the model's vectors once one is known."""

    model: str | None = None
    size: int | None = None
    qdrant: bool = False


def unit(vector: Sequence[float]) -> NDArray[np.float32]:
    """The vector, made of length 1."""
    given = np.asarray(vector, dtype=np.float64)
    return (given / np.linalg.norm(given)).astype(np.float32)


async def in_use(connection: AsyncConnection) -> InUse:
    """What is in use."""
    keys = META.c.key.in_([_MODEL, _SIZE, _QDRANT])
    found = await connection.execute(select(META.c.key, META.c.value).where(keys))
    meta: dict[str, str] = {row.key: row.value for row in found}
    size = meta.get(_SIZE)
    return InUse(model=meta.get(_MODEL), size=int(size) if size else None, qdrant=_QDRANT in meta)


async def set_in_use(connection: AsyncConnection, kind: Kind, use: InUse) -> None:
    """Note what is in use from now on."""
    size = None if use.size is None else str(use.size)
    values = {_MODEL: use.model, _SIZE: size, _QDRANT: "on" if use.qdrant else None}
    await connection.execute(delete(META).where(META.c.key.in_(values)))
    for key, value in values.items():
        if value is not None:
            await connection.execute(upsert_into(META, kind), {"key": key, "value": value})


async def queue_everything(connection: AsyncConnection, kind: Kind) -> None:
    """Let every event that can be found be due."""
    everything = select(EVENT_DOCUMENTS.c.document_id).order_by(EVENT_DOCUMENTS.c.document_id)
    queued = select(VECTOR_QUEUE.c.document_id)
    everything = everything.where(EVENT_DOCUMENTS.c.document_id.not_in(queued))
    statement = insert_into(VECTOR_QUEUE, kind).from_select(["document_id"], everything)
    await connection.execute(statement)


async def fill_outbox(connection: AsyncConnection) -> None:
    """Note every event with a vector as one that Qdrant has to be told of."""
    everything = select(VECTORS.c.event_id).order_by(VECTORS.c.document_id)
    await connection.execute(insert(VECTOR_OUTBOX).from_select(["event_id"], everything))


async def texts_of(connection: AsyncConnection, event_ids: Sequence[str]) -> dict[str, str]:
    """The texts of which events' vectors are to be made, now; without superseded events."""
    return {
        source.event.event_id: embedding_text(
            source.event,
            summary_zh=source.summary_zh,
            keywords_zh=source.keywords_zh,
            told=source.told,
            names=source.names,
        )
        for chunk in chunks(event_ids)
        for source in await read_sources(connection, chunk)
    }


def text_sha256(text: str) -> str:
    """Tells texts apart."""
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


async def known_shas(
    connection: AsyncConnection, event_ids: Sequence[str], use: InUse
) -> dict[str, str]:
    """Of which texts the events have vectors of the model in use."""
    query = select(VECTORS.c.event_id, VECTORS.c.text_sha256).where(
        VECTORS.c.model == use.model, VECTORS.c.size == use.size
    )
    known: dict[str, str] = {}
    for chunk in chunks(event_ids):
        found = await connection.execute(query.where(VECTORS.c.event_id.in_(chunk)))
        known |= {row.event_id: row.text_sha256 for row in found}
    return known


async def queued_rows(
    connection: AsyncConnection, event_ids: Sequence[str]
) -> dict[str, RowValues]:
    """The rows of ``VECTORS`` for those of these events that are due, without model and vector."""
    documents = EVENT_DOCUMENTS.c
    query = (
        select(
            documents.document_id,
            documents.event_id,
            documents.start_ns,
            documents.end_ns,
            EVENTS.c.camera_id,
        )
        .join(VECTOR_QUEUE, VECTOR_QUEUE.c.document_id == documents.document_id)
        .join(EVENTS, EVENTS.c.event_id == documents.event_id)
    )
    rows: dict[str, RowValues] = {}
    for chunk in chunks(event_ids):
        for row in await connection.execute(query.where(documents.event_id.in_(chunk))):
            rows[row.event_id] = {
                "document_id": row.document_id,
                "event_id": row.event_id,
                "camera_id": row.camera_id,
                "lasting": row.end_ns is None or row.end_ns - row.start_ns > LONG_NS,
            }
    return rows


async def clear_places(connection: AsyncConnection, rows: Mapping[str, RowValues]) -> None:
    """Remove what other events had under the document ids of these rows, when they had documents.

    An event whose document is gone may be shown again; its vector is then made anew.
    """
    places = [row["document_id"] for row in rows.values()]
    for first in range(0, len(places), 900):
        same = VECTORS.c.document_id.in_(places[first : first + 900])
        found = await connection.execute(select(VECTORS.c.event_id).where(same))
        others = [event_id for event_id in found.scalars() if event_id not in rows]
        if others:
            await connection.execute(delete(VECTORS).where(VECTORS.c.event_id.in_(others)))


async def take_from_queue(connection: AsyncConnection, rows: Iterable[RowValues]) -> None:
    """Let the vectors of these rows hold."""
    places = [row["document_id"] for row in rows]
    for first in range(0, len(places), 900):
        one_of = VECTOR_QUEUE.c.document_id.in_(places[first : first + 900])
        await connection.execute(delete(VECTOR_QUEUE).where(one_of))
