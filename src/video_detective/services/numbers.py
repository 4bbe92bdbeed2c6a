"""First numbers of tracks and events for analyses of one camera that run beside each other.

An analysis counts on from what the database has seen, and two that count at once would give out
the same ids. Whoever begins while another runs begins far above it.
"""

from __future__ import annotations

from datetime import timedelta

from video_detective.pipeline.clock import now_ns
from video_detective.services.times import local_time
from video_detective.services.workspace import Workspace
from video_detective.storage import NextNumbers
from video_detective.tracking.base import ID_LETTERS

TRACKS_BEYOND = 1_000_000
EVENTS_BEYOND = 5_000
"""So many a day; a rule gives fewer."""


async def fresh_numbers(
    workspace: Workspace,
    camera_id: str,
    *,
    since_ns: int | None = None,
    days: int = 2,
    beside_live: bool = False,
) -> NextNumbers:
    """The numbers with which an analysis of a camera begins.

    Args:
        workspace: Where.
        camera_id: Which camera.
        since_ns: When its footage begins; None: now.
        days: How many days it may last.
        beside_live: It is of a file, and steers clear of the live analysis rather than of files.
    """
    database = workspace.database
    numbers = await database.next_numbers(camera_id)
    if beside_live:
        is_beside = camera_id in await database.work.live.owners()
    else:
        is_beside = await database.work.jobs.count(None, camera_id=camera_id, status="running") > 0
    if not is_beside:
        return numbers
    zone = (await workspace.places()).zone(camera_id)
    first = local_time(now_ns() if since_ns is None else since_ns, zone)
    dates = [f"{first + timedelta(days=day):%Y%m%d}" for day in range(days)]
    return NextNumbers(
        tracks={
            letter: numbers.tracks.get(letter, 1) + TRACKS_BEYOND for letter in ID_LETTERS.values()
        },
        events={
            **numbers.events,
            **{date: numbers.events.get(date, 1) + EVENTS_BEYOND for date in dates},
        },
    )
