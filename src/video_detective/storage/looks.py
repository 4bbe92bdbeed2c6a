"""What the rules saw at every moment, kept small: other rules can then be tried on it exactly.

Tracks are kept as points only of sampled frames, and nothing of frames without any. A stretch of
moments is one row of deflated JSON: lists of differences, which are nearly always the same number,
views and sizes where they change, and the tracks that are not kept as points, of which things at
rest mostly repeat those of the moment before.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from video_detective.errors import StorageError
from video_detective.storage.base import LookRow
from video_detective.storage.dialects import upsert_into
from video_detective.storage.service_tables import LOOKS
from video_detective.storage.tables import RUNS, TRACKS
from video_detective.tracking.base import Track

Kind = Literal["sqlite", "postgresql"]
FORMAT = 1
_LEVEL = 6


async def save(
    connection: AsyncConnection, kind: Kind, run_id: int, looks: Sequence[LookRow]
) -> None:
    """Keep one stretch of an analysis; of moments that do not come later than the last, none."""
    risen = list(_rising(looks))
    if risen:
        values = {
            "run_id": run_id,
            "first_ns": risen[0].time_ns,
            "last_ns": risen[-1].time_ns,
            "count": len(risen),
            "data": encode(risen),
        }
        await connection.execute(upsert_into(LOOKS, kind), values)


def _rising(looks: Sequence[LookRow]) -> Iterator[LookRow]:
    """The rules take no moment in that is not later than the one before."""
    last_ns: int | None = None
    for look in looks:
        if last_ns is None or look.time_ns > last_ns:
            yield look
            last_ns = look.time_ns


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSpan:
    """An analysis that is shown, and when it saw something.

    Args:
        run_id: Which.
        start_ns: Time of its source's first frame.
        first_ns, last_ns: Its first and last moment that is kept.
        is_done: It came to its end.
        is_whole: Every moment is kept; False for analyses of earlier programs, of which there are
            only points.
    """

    run_id: int
    start_ns: int
    first_ns: int
    last_ns: int
    is_done: bool
    is_whole: bool


async def shown_runs(
    connection: AsyncConnection, camera_id: str, since_ns: int, until_ns: int
) -> list[RunSpan]:
    """The analyses of a camera that are shown and saw something in ``[since_ns, until_ns)``, in
    order of start. Of analyses of the same footage it is one.
    """  # noqa: D205 - one sentence
    shown = (RUNS.c.camera_id == camera_id, RUNS.c.superseded_by.is_(None))
    run = (RUNS.c.run_id, RUNS.c.start_ns, RUNS.c.done)
    found: dict[int, RunSpan] = {}
    for table, is_whole in ((TRACKS, False), (LOOKS, True)):
        first, last = func.min(table.c.first_ns), func.max(table.c.last_ns)
        query = (
            select(*run, first.label("first_ns"), last.label("last_ns"))
            .join(table, table.c.run_id == RUNS.c.run_id)
            .where(*shown)
            .group_by(*run)
            .having(first < until_ns, last >= since_ns)
        )
        for row in await connection.execute(query):
            found[row.run_id] = RunSpan(
                run_id=row.run_id,
                start_ns=row.start_ns,
                first_ns=row.first_ns,
                last_ns=row.last_ns,
                is_done=row.done,
                is_whole=is_whole,
            )
    return sorted(found.values(), key=lambda span: (span.first_ns, span.run_id))


async def count(connection: AsyncConnection, run_id: int, since_ns: int, until_ns: int) -> int:
    """About how many moments of an analysis there are in ``[since_ns, until_ns)``."""
    query = select(LOOKS.c["count"]).where(
        LOOKS.c.run_id == run_id, LOOKS.c.first_ns < until_ns, LOOKS.c.last_ns >= since_ns
    )
    return sum(await connection.scalars(query))


async def read(
    connection: AsyncConnection, run_id: int, since_ns: int, until_ns: int, limit: int
) -> tuple[list[LookRow], int | None]:
    """Moments of an analysis in ``[since_ns, until_ns)``, in order of time.

    Args:
        connection: Where.
        run_id: Which analysis.
        since_ns: Beginning of the period.
        until_ns: Its end, exclusive.
        limit: At most so many stretches.

    Returns:
        The moments, and from when on there are more; None when these are all.
    """
    query = (
        select(LOOKS)
        .where(LOOKS.c.run_id == run_id, LOOKS.c.first_ns < until_ns, LOOKS.c.last_ns >= since_ns)
        .order_by(LOOKS.c.first_ns)
        .limit(limit)
    )
    rows = (await connection.execute(query)).mappings().all()
    found = [
        look for row in rows for look in decode(row["data"]) if since_ns <= look.time_ns < until_ns
    ]
    more = rows[-1]["last_ns"] + 1 if len(rows) == limit else None
    return found, more


def encode(looks: Sequence[LookRow]) -> bytes:
    """As bytes; at least one."""
    changes: list[list[Any]] = []
    others: list[list[Any]] = []
    before: tuple[Any, ...] | None = None
    tracks: tuple[Track, ...] | None = None
    for index, look in enumerate(looks):
        shown = (*look.size, look.view)
        if shown != before:
            changes.append([index, *shown])
            before = shown
        if look.tracks:
            same = look.tracks == tracks
            others.append([index] if same else [index, [_plain(track) for track in look.tracks]])
            tracks = look.tracks
    document = {
        "format": FORMAT,
        "times": _differences(look.time_ns for look in looks),
        "frames": _differences(look.frame for look in looks),
        "shown": changes,
        "cuts": [index for index, look in enumerate(looks) if look.cut],
        "points": _spans(look.tracks is None for look in looks),
        "others": others,
    }
    return zlib.compress(json.dumps(document, separators=(",", ":")).encode(), _LEVEL)


def decode(data: bytes) -> list[LookRow]:
    """The moments that ``encode`` wrote.

    Raises:
        StorageError: they are damaged or of a newer version.
    """
    try:
        document = json.loads(zlib.decompress(data))
        if document["format"] != FORMAT:
            raise ValueError(f"format {document['format']}")
        return list(_looks(document))
    except (zlib.error, ValueError, KeyError, IndexError, TypeError) as cause:
        raise StorageError(
            f"What the rules saw cannot be read back ({cause})",
            remedy="Restore the database from a backup, or analyse the footage again.",
        ) from cause


def _looks(document: dict[str, Any]) -> Iterator[LookRow]:
    changes = {index: ((width, height), view) for index, width, height, view in document["shown"]}
    others = {row[0]: row[1:] for row in document["others"]}
    cuts = set(document["cuts"])
    shown: tuple[tuple[int, int], str] = ((0, 0), "ok")
    tracks: tuple[Track, ...] = ()
    is_points, spans = False, set(document["points"])
    times, frames = _sums(document["times"]), _sums(document["frames"])
    for index, (time_ns, frame) in enumerate(zip(times, frames, strict=True)):
        shown = changes.get(index, shown)
        is_points ^= index in spans
        seen: tuple[Track, ...] = ()
        if index in others:
            if others[index]:
                tracks = tuple(_track(plain) for plain in others[index][0])
            seen = tracks
        yield LookRow(
            time_ns=time_ns,
            frame=frame,
            size=shown[0],
            view=shown[1],
            cut=index in cuts,
            tracks=None if is_points else seen,
        )


def _plain(track: Track) -> list[Any]:
    return [track.track_id, track.type, float(track.conf), [float(value) for value in track.bbox]]


def _track(plain: list[Any]) -> Track:
    track_id, kind, conf, (x1, y1, x2, y2) = plain
    return Track(track_id=track_id, type=kind, conf=conf, bbox=(x1, y1, x2, y2))


def _differences(values: Iterable[int]) -> list[int]:
    rising = list(values)
    return [rising[0], *(b - a for a, b in pairwise(rising))]


def _sums(differences: Iterable[int]) -> Iterator[int]:
    total = 0
    for difference in differences:
        total += difference
        yield total


def _spans(flags: Iterable[bool]) -> list[int]:
    """Where the flag changes, False at first."""
    changes, before = [], False
    for index, flag in enumerate(flags):
        if flag != before:
            changes.append(index)
        before = flag
    return changes
