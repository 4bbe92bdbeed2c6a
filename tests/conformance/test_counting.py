"""What the database promises about counting events, on SQLite and on PostgreSQL."""

from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import numpy as np
import pytest

from video_detective.rules import RISK_LEVELS, Event
from video_detective.storage import EventQuery, RunKey, Step, StoredEvent
from video_detective.storage.counting import BEFORE, Clock, KindCount, StretchCount
from video_detective.storage.database import Database


@pytest.fixture(params=["sqlite", "postgresql"])
async def db(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    url: str | None = None
    if request.param == "postgresql":
        create: Callable[[], str] = request.getfixturevalue("new_postgres_database")
        url = create()
    async with await Database.open(tmp_path, url) as database:
        yield database


def event(
    n: int,
    start_ns: int,
    *,
    camera: str = "cam01",
    kind: str = "intrusion",
    risk: str = "high",
    end_ns: int | None = -1,
) -> StoredEvent:
    return StoredEvent(
        event=Event(
            event_id=f"evt_20261121_{camera}_{n:04d}",
            camera_id=camera,
            type=kind,
            risk_level=risk,
            rule_id="yard",
            start_ns=start_ns,
            established_ns=start_ns,
            end_ns=start_ns if end_ns == -1 else end_ns,
            frames=(n, n),
        )
    )


async def test_nothing_is_counted_in_an_empty_database(db: Database) -> None:
    counts = await db.event_counts(EventQuery(), Clock(origin_ns=0, stretch_ns=10))

    assert (counts.total, counts.kinds, counts.stretches) == (0, [], [])
    assert await db.gravest_events(EventQuery()) == []


async def test_events_are_counted_by_kind_and_by_the_stretch_in_which_they_began(
    db: Database,
) -> None:
    await db.import_events(
        [
            event(1, 95, end_ns=102),  # after the origin, before the period, and into it
            event(2, 80, end_ns=99),  # over before the period
            event(3, 100),
            event(4, 109),
            event(5, 110, kind="loitering", risk="low"),
            event(6, 129, camera="cam02", end_ns=None),
            event(7, 130),  # at the period's end, which is not of it
        ]
    )

    counts = await db.event_counts(
        EventQuery(since_ns=100, until_ns=130), Clock(origin_ns=90, stretch_ns=10)
    )

    assert counts.total == 5
    assert counts.kinds == [
        KindCount(camera_id="cam01", type="intrusion", risk_level="high", count=3),
        KindCount(camera_id="cam01", type="loitering", risk_level="low", count=1),
        KindCount(camera_id="cam02", type="intrusion", risk_level="high", count=1),
    ]
    assert counts.stretches == [
        StretchCount(camera_id="cam01", risk_level="high", stretch=BEFORE, count=1),
        StretchCount(camera_id="cam01", risk_level="high", stretch=1, count=2),
        StretchCount(camera_id="cam01", risk_level="low", stretch=2, count=1),
        StretchCount(camera_id="cam02", risk_level="high", stretch=3, count=1),
    ]


async def test_a_count_agrees_with_the_events_that_are_listed(db: Database) -> None:
    chance = np.random.default_rng(7)
    kinds = ("intrusion", "loitering", "pacing")
    hour_ns = 3600 * 10**9
    stored = [
        event(
            n,
            int(chance.integers(0, 200 * hour_ns)),
            camera=f"cam0{chance.integers(1, 4)}",
            kind=kinds[chance.integers(3)],
            risk=RISK_LEVELS[chance.integers(4)],
        )
        for n in range(700)
    ]
    await db.import_events(stored)
    query = EventQuery(
        since_ns=50 * hour_ns, until_ns=150 * hour_ns, camera="cam02", limit=1000, order="oldest"
    )

    listed = [found.event for found in (await db.events(query)).events]
    counts = await db.event_counts(query, Clock(origin_ns=50 * hour_ns, stretch_ns=hour_ns))
    gravest = [found.event for found in await db.gravest_events(query)]

    assert len(listed) > 50
    assert counts.total == len(listed)
    assert {(row.type, row.risk_level): row.count for row in counts.kinds} == Counter(
        (found.type, found.risk_level) for found in listed
    )
    assert {(row.stretch, row.risk_level): row.count for row in counts.stretches} == Counter(
        (found.start_ns // hour_ns - 50, found.risk_level) for found in listed
    )
    assert gravest == sorted(listed, key=lambda found: -RISK_LEVELS.index(found.risk_level))


async def test_only_as_many_of_the_gravest_are_read_as_asked_for(db: Database) -> None:
    await db.import_events(
        [
            event(1, 10, risk="low"),
            event(2, 30, risk="critical"),
            event(3, 20, risk="critical"),
            event(4, 5, risk="unheard-of"),
        ]
    )

    async def ids(limit: int) -> list[int]:
        found = await db.gravest_events(EventQuery(limit=limit))
        return [int(stored.event.event_id[-4:]) for stored in found]

    assert await ids(2) == [3, 2]
    assert await ids(9) == [3, 2, 1, 4]


async def test_footage_analysed_anew_is_counted_once(db: Database) -> None:
    for n, settings in enumerate(("old rules", "new rules"), 1):
        key = RunKey(camera_id="cam01", fingerprint="film", settings_hash=settings)
        run = await db.begin_run(key, {}, start_ns=0)
        await db.commit_step(run, Step(checkpoint=b"1", events=[event(n, 10)]))
        await db.finish_run(run, {})

    counts = await db.event_counts(EventQuery(), Clock(origin_ns=0, stretch_ns=10))

    assert counts.total == 1
    assert [found.event.event_id[-1] for found in await db.gravest_events(EventQuery())] == ["2"]


async def test_local_days_and_hours_are_counted_across_a_change_of_the_clocks(
    db: Database,
) -> None:
    hour_ns = 3600 * 10**9
    # UTC+1, and UTC+2 from hour 25 on: local days begin at hours -1, 23 and 46.
    clock = Clock(
        origin_ns=0, stretch_ns=24 * hour_ns, shifts=[(0, hour_ns), (25 * hour_ns, 2 * hour_ns)]
    )
    begins = {-2: 0, 0: 0, 22.9: 0, 23: 1, 24.9: 1, 25: 1, 45.9: 1, 46: 2}
    await db.import_events(
        [event(n, int(hour * hour_ns), end_ns=99 * hour_ns) for n, hour in enumerate(begins, 1)]
    )

    counts = await db.event_counts(EventQuery(since_ns=0), clock)

    assert {row.stretch: row.count for row in counts.stretches} == {BEFORE: 1, 0: 2, 1: 4, 2: 1}
    assert {row.hour: row.count for row in counts.hours} == {0: 2, 1: 2, 3: 1, 23: 2}
