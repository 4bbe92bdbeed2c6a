"""What live analyses and jobs have tracked, in pages."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import AbstractAsyncContextManager

from sqlalchemy import BigInteger, func, literal, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from video_detective.storage import rows
from video_detective.storage.base import PointRow, TrackRow
from video_detective.storage.dialects import KEY_TEXT
from video_detective.storage.reading import storable_ns
from video_detective.storage.tables import RUNS, TRACK_POINTS, TRACKS

Open = Callable[[], AbstractAsyncContextManager[AsyncConnection]]


class Tracks:
    """The tracks of an open database; those of superseded analyses are left out.

    Args:
        reading: Opens a connection.
    """

    def __init__(self, reading: Open) -> None:
        self._reading = reading

    async def page(
        self,
        camera: str,
        since_ns: int,
        until_ns: int,
        *,
        limit: int,
        offset: int = 0,
        after: tuple[int, str] | None = None,
    ) -> tuple[list[TrackRow], int]:
        """Some of a camera's tracks seen in ``[since_ns, until_ns)``, in order of first time.

        Args:
            camera: Camera id.
            since_ns: Beginning of the period.
            until_ns: Its end, exclusive.
            limit: At most so many.
            offset: So many are left out before.
            after: First time and id of the last one of the page before; ``offset`` is not read.

        Returns:
            The page, and how many tracks the period has.
        """
        superseded = select(RUNS.c.run_id).where(RUNS.c.superseded_by.is_not(None))
        wanted = (
            TRACKS.c.camera_id == camera,
            TRACKS.c.first_ns < storable_ns(until_ns),
            TRACKS.c.last_ns >= storable_ns(since_ns),
            TRACKS.c.run_id.not_in(superseded),
        )
        query = select(TRACKS).where(*wanted).order_by(TRACKS.c.first_ns, TRACKS.c.track_id)
        if after is None:
            query = query.offset(offset)
        else:
            first_ns, track_id = after
            last = tuple_(literal(storable_ns(first_ns), BigInteger), literal(track_id, KEY_TEXT))
            query = query.where(tuple_(TRACKS.c.first_ns, TRACKS.c.track_id) > last)
        async with self._reading() as connection:
            found = (await connection.execute(query.limit(limit))).mappings().all()
            total = await connection.scalar(select(func.count()).select_from(TRACKS).where(*wanted))
        return [rows.track_from(row) for row in found], total or 0

    async def points(
        self, camera: str, track_ids: Collection[str], since_ns: int, until_ns: int, *, limit: int
    ) -> list[PointRow]:
        """Boxes of these tracks in ``[since_ns, until_ns)``, in order of time."""
        query = (
            select(TRACK_POINTS)
            .where(
                TRACK_POINTS.c.camera_id == camera,
                TRACK_POINTS.c.time_ns >= storable_ns(since_ns),
                TRACK_POINTS.c.time_ns < storable_ns(until_ns),
                TRACK_POINTS.c.track_id.in_(list(track_ids)),
            )
            .order_by(TRACK_POINTS.c.time_ns, TRACK_POINTS.c.track_id)
            .limit(limit)
        )
        async with self._reading() as connection:
            found = (await connection.execute(query)).mappings()
            return [rows.point_from(row) for row in found]
