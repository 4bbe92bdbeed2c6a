"""The events that answer a question, as marks of a time line: all of them, and little of each."""

from __future__ import annotations

from typing import Literal, NamedTuple

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from video_detective.search.base import IndexQuery
from video_detective.storage.matching import Matching
from video_detective.storage.tables import EVENTS

Kind = Literal["sqlite", "postgresql"]


class Mark(NamedTuple):
    """An event that matches; a tuple, as they are many. ``end_ns`` is None while it goes on."""

    event_id: str
    camera_id: str
    type: str
    risk_level: str
    start_ns: int
    end_ns: int | None


async def marks(
    connection: AsyncConnection, kind: Kind, query: IndexQuery, most: int
) -> tuple[list[Mark], bool]:
    """The newest events that match in full, in order of start.

    Args:
        connection: Any.
        kind: Which database.
        query: What is asked; limit and offset are not read, ``only_complete`` must be set.
        most: At most so many.

    Returns:
        The events, and whether there are older ones that were left out.

    Raises:
        UsageError: there are too many words.
    """
    matching = Matching(kind, query)
    # One more than wanted, of each span: it tells that there are others.
    asked = matching.newest(matching.tiers, matching.spans(), most + 1, tokens=False, text=False)
    if asked is None:
        return [], False
    found = asked.statement.subquery()
    of_event = EVENTS.c.event_id == found.c.event_id
    columns = ("event_id", "camera_id", "type", "risk_level", "start_ns", "end_ns", "run_id")
    statement = select(*(EVENTS.c[name] for name in columns)).join(found, of_event)
    rows = (await connection.execute(statement, asked.values)).all()
    read: list[Mark] = []
    for event_id, camera_id, kind_of, risk_level, start_ns, end_ns, run_id in rows:
        # An event from elsewhere that has no end was a moment; one of an analysis goes on.
        is_moment = end_ns is None and run_id is None
        last_ns = start_ns if is_moment else end_ns
        read.append(Mark(event_id, camera_id, kind_of, risk_level, start_ns, last_ns))
    read.sort(key=lambda mark: (mark.start_ns, mark.event_id))
    return read[-most:], len(read) > most
