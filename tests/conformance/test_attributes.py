"""What persons looked like: sums always equal the rows, on SQLite and on PostgreSQL."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from video_detective.alerts import Alert
from video_detective.attributes import FIELDS, AttributeRecord, Attributes
from video_detective.geometry import NS_PER_S
from video_detective.rules import Event
from video_detective.services.attributes import local_clock
from video_detective.storage import CameraRow, Run, RunKey, Step, StoredEvent
from video_detective.storage.attributes.base import (
    AttributeQuery,
    AttributeStretch,
    AttributeSums,
    LocalClock,
)
from video_detective.storage.database import Database
from video_detective.storage.devices import DeviceChange
from video_detective.storage.reach import Reach

HOUR_NS = 3600 * NS_PER_S
NOON_NS = int(datetime(2026, 2, 25, 12, tzinfo=UTC).timestamp()) * NS_PER_S
UTC_HOURS = LocalClock(stretch_ns=HOUR_NS, offsets=((0, 0),))
EVERYTHING = AttributeQuery(reach=None)
EVENT = Event(
    event_id="evt_20260225_cam01_0001",
    camera_id="cam01",
    type="intrusion",
    risk_level="high",
    rule_id="r",
    start_ns=NOON_NS,
    established_ns=NOON_NS,
    end_ns=NOON_NS,
    frames=(0, 0),
)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/store/video-detective.db"
    create: Callable[[], str] = request.getfixturevalue("new_postgres_database")
    return create()


@pytest.fixture
async def db(url: str, tmp_path: Path) -> AsyncIterator[Database]:
    async with await Database.open(tmp_path, url) as database:
        await know(database, "cam01")
        yield database


async def know(db: Database, camera: str, plan: Any = "LEVEL_02") -> None:
    await db.save_camera(CameraRow(camera_id=camera, name=camera, timezone="UTC", document={}))
    device = await db.devices.of_camera(None, camera)
    assert device is not None
    await db.devices.change(
        None, device.device_id, DeviceChange(plan=plan), now_ns=NOON_NS, entry=None
    )


async def begin(db: Database, camera: str = "cam01", source: str = "a.mp4") -> Run:
    return await db.begin_run(
        RunKey(camera_id=camera, fingerprint=source, settings_hash="s"), {}, start_ns=0
    )


def record(at_s: float, persons: int = 2, **counts: int) -> AttributeRecord:
    return AttributeRecord(
        captured_ns=NOON_NS + round(at_s * NS_PER_S),
        total_persons=persons,
        attributes=Attributes(**counts),
    )


def stretch(*records: AttributeRecord, spans: list[tuple[int, int]] | None = None) -> Any:
    times = [one.captured_ns for one in records]
    return AttributeStretch(
        spans=spans if spans is not None else [(min(times), max(times))],
        records=records,
        node_id="node",
        stored_ns=NOON_NS,
    )


def step(*records: AttributeRecord, **more: Any) -> Step:
    return Step(checkpoint=b"", attributes=stretch(*records, **more))


async def sums(db: Database, since_ns: int = 0, until_ns: int = 1 << 62) -> AttributeSums:
    query = AttributeQuery(reach=None, since_ns=since_ns, until_ns=until_ns)
    return (await db.attributes.statistics(query, UTC_HOURS)).whole


async def test_a_record_comes_back_as_it_was_stored(db: Database) -> None:
    counts = {name: number % 4 for number, name in enumerate(FIELDS[14:21])}
    await db.commit_step(await begin(db), step(record(0, 3, female=1, male=2, **counts)))

    (row,) = (await db.attributes.page(EVERYTHING, limit=10)).rows

    assert (row.captured_ns, row.total_persons, row.source) == (NOON_NS, 3, "colour")
    assert row.attributes == Attributes(female=1, male=2, **counts)
    assert row.attributes.upper_red is None
    assert row.node_id == "node"
    assert row.scene_id is not None
    assert await db.attributes.record(None, row.attribute_id) == row


async def test_the_same_step_again_changes_nothing(db: Database) -> None:
    run = await begin(db)
    await db.commit_step(run, step(record(0, female=1), record(10, female=2)))
    first = await db.attributes.page(EVERYTHING, limit=10)

    await db.commit_step(run, step(record(0, female=1), record(10, female=2)))

    assert await db.attributes.page(EVERYTHING, limit=10) == first
    assert (await sums(db)).records == 2


async def test_another_analysis_of_the_same_moments_takes_the_place_of_the_first(
    db: Database,
) -> None:
    await db.commit_step(await begin(db), step(record(0), record(10), record(20), record(900)))

    again = [(NOON_NS, NOON_NS + 25 * NS_PER_S)]
    await db.commit_step(
        await begin(db, source="b"), step(record(3, 5), record(20, 4), spans=again)
    )

    rows = (await db.attributes.page(EVERYTHING, limit=10)).rows
    assert [row.total_persons for row in rows] == [2, 4, 5]
    assert (await sums(db)).total_persons == 11


async def test_of_footage_analysed_again_at_another_time_only_the_newer_records_count(
    db: Database,
) -> None:
    async def analysed(settings_hash: str, at_s: float, persons: int) -> Run:
        key = RunKey(camera_id="cam01", fingerprint="film", settings_hash=settings_hash)
        run = await db.begin_run(key, {}, start_ns=0)
        if run.status != "done":
            await db.commit_step(run, step(record(at_s, persons), record(at_s + 10, persons)))
            await db.finish_run(run, {})
        return run

    async def told() -> tuple[list[int], int | None, int, int]:
        page = await db.attributes.page(EVERYTHING, limit=10)
        near = await db.attributes.near("cam01", NOON_NS)
        cut = await sums(db, NOON_NS, NOON_NS + 60 * NS_PER_S)
        assert page.total == len(page.rows) == (await sums(db)).records
        return (
            [row.total_persons for row in page.rows],
            (await sums(db)).total_persons,
            cut.total_persons,
            len(near),
        )

    live = await begin(db, source="live")
    await db.commit_step(live, step(record(5, 9)))
    await analysed("first", 0, 3)
    assert await told() == ([3, 3], 6, 6, 2)
    (first, _) = (await db.attributes.page(EVERYTHING, limit=10)).rows

    await analysed("second", 7200, 4)

    assert await told() == ([4, 4, 9], 17, 9, 1), "what the first one hid is shown again"
    assert await db.attributes.record(None, first.attribute_id) is None

    await analysed("third", 7200, 5)
    assert await told() == ([5, 5, 9], 19, 9, 1)

    await analysed("first", 0, 3)
    assert await told() == ([3, 3], 6, 6, 2)
    assert await db.attributes.record(None, first.attribute_id) == first


async def test_a_superseded_analysis_that_goes_on_records_nothing_that_is_shown(
    db: Database,
) -> None:
    slow_key = RunKey(camera_id="cam01", fingerprint="a.mp4", settings_hash="slow")
    slow = await db.begin_run(slow_key, {}, start_ns=0)
    quick = await begin(db)
    await db.commit_step(quick, step(record(0, 3)))
    await db.commit_step(slow, step(record(0, 4)))
    await db.finish_run(quick, {})
    await db.commit_step(slow, step(record(10, 4)))
    assert (await sums(db)).total_persons == 3

    await db.finish_run(slow, {})

    assert (await sums(db)).total_persons == 8


async def test_a_sum_of_nulls_is_null_and_one_of_some_numbers_is_their_sum(db: Database) -> None:
    await db.commit_step(await begin(db), step(record(0, hat=1), record(10), record(2000, hat=2)))

    found = (await sums(db)).attributes

    assert found.hat == 3
    assert found.female is None


async def test_counts_that_cannot_be_are_not_stored(db: Database) -> None:
    impossible = record(0, 2, female=2, male=1, hat=3, boots=1, front=1)
    await db.commit_step(await begin(db), step(impossible))

    (row,) = (await db.attributes.page(EVERYTHING, limit=10)).rows

    assert row.attributes == Attributes(boots=1, front=1)


async def test_pages_and_cursors_tell_every_record_once_newest_first(db: Database) -> None:
    await db.commit_step(await begin(db), step(*(record(n * 400) for n in range(7))))
    told: list[int] = []
    cursor = None
    for _ in range(4):
        page = await db.attributes.page(EVERYTHING, limit=2, cursor=cursor)
        assert page.total == 7
        told += [row.captured_ns for row in page.rows]
        cursor = page.next_cursor

    assert told == [NOON_NS + n * 400 * NS_PER_S for n in range(6, -1, -1)]
    assert cursor is None
    third = await db.attributes.page(EVERYTHING, limit=2, offset=4)
    assert [row.captured_ns for row in third.rows] == told[4:6]


async def test_cameras_without_the_plan_and_of_others_are_not_counted(db: Database) -> None:
    await know(db, "cam02", plan="LEVEL_01")
    for camera in ("cam01", "cam02"):
        await db.commit_step(await begin(db, camera), step(record(0)))

    assert (await sums(db)).records == 1
    assert (await db.attributes.page(EVERYTHING, limit=10)).total == 1
    foreign = AttributeQuery(reach=Reach(account_id="another"))
    assert (await db.attributes.page(foreign, limit=10)).rows == []
    limited = Reach(account_id=await account(db), cameras=frozenset({"cam02"}))
    assert (await db.attributes.page(AttributeQuery(reach=limited), limit=10)).total == 0


async def account(db: Database) -> str:
    device = await db.devices.of_camera(None, "cam01")
    assert device is not None
    return device.account_id


async def test_the_nearest_records_of_a_moment_are_at_most_fifty_in_order(db: Database) -> None:
    await db.commit_step(await begin(db), step(*(record(n) for n in range(-40, 41))))

    near = await db.attributes.near("cam01", NOON_NS)

    assert [row.captured_ns for row in near] == [NOON_NS + n * NS_PER_S for n in range(-25, 25)]


@pytest.mark.parametrize("alert_first", [True, False])
async def test_an_insight_tells_the_nearest_record_whichever_came_first(
    db: Database, alert_first: bool
) -> None:
    run = await begin(db)
    alert = Alert(
        event_id=EVENT.event_id,
        camera_id="cam01",
        alert_rule="every-event",
        kind="event",
        metric_path="zones.z.intrusion.dwell_s",
        operator="GT",
        threshold=0,
        actual_value=1,
        severity="warning",
        message="m",
        triggered_ns=NOON_NS,
    )
    alerting = Step(checkpoint=b"", events=[StoredEvent(event=EVENT)], alerts=[alert])
    recording = step(record(-31, 9), record(-20, 4, female=3, male=1), record(25, 7))
    for one in (alerting, recording) if alert_first else (recording, alerting):
        await db.commit_step(run, one)

    assert await summary_of(db) == {
        "totalPersons": 4,
        "genderDistribution": {"female": 3, "male": 1},
    }
    again = step(spans=[(NOON_NS - 60 * NS_PER_S, NOON_NS + 60 * NS_PER_S)])
    await db.commit_step(run, again)
    assert await summary_of(db) is None


async def summary_of(db: Database) -> Any:
    from sqlalchemy import text

    async with db._reading() as connection:
        found = await connection.execute(
            text("SELECT has_attributes, attributes_summary FROM insights")
        )
        has, summary = found.one()
    import json

    value = json.loads(summary) if isinstance(summary, str) else summary
    assert bool(has) == (value is not None)
    return value


async def test_what_a_model_says_later_completes_a_record_or_makes_one(db: Database) -> None:
    run = await begin(db)
    events = [StoredEvent(event=EVENT)]
    recorded = stretch(record(0, 2, upper_red=1))
    await db.commit_step(run, Step(checkpoint=b"", events=events, attributes=recorded))

    said = record(0, 2, upper_red=2, female=1, male=1)
    await db.attributes.add(EVENT.event_id, said, node_id=None, stored_ns=NOON_NS + 1)
    others = record(0, 3, hat=3)
    await db.attributes.add(EVENT.event_id, others, node_id=None, stored_ns=NOON_NS + 2)
    later = record(5, 1, hat=1)
    await db.attributes.add(EVENT.event_id, later, node_id=None, stored_ns=NOON_NS + 2)

    newer, older = (await db.attributes.page(EVERYTHING, limit=10)).rows
    assert older.attributes == Attributes(upper_red=1, female=1, male=1)
    assert newer.attributes == Attributes(hat=1)
    assert (await sums(db)).records == 2


async def test_two_writers_at_once_lose_nothing_of_the_sums(db: Database, url: str) -> None:
    async with await Database.open(Path("unused"), url) as other:
        runs = [await begin(db, source="a"), await begin(other, source="b")]

        async def write(database: Database, run: Run, start: int) -> None:
            for n in range(12):
                await database.commit_step(run, step(record(start + n)))

        await asyncio.gather(write(db, runs[0], 0), write(other, runs[1], 100))

    found = await sums(db)
    assert (found.records, found.total_persons) == (24, 48)


ZONES = (
    "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Asia/Kathmandu",
    "Asia/Taipei", "America/Sao_Paulo", "Africa/Casablanca", "UTC",
)  # fmt: skip
MOMENTS = st.sampled_from(
    [date(2026, 3, 28), date(2026, 10, 24), date(2026, 4, 4), date(2026, 10, 3),
     date(2026, 3, 7), date(2026, 10, 31), date(2018, 11, 3), date(2026, 2, 14)]
)  # fmt: skip
"""Days before clocks were changed somewhere, or not."""


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    day=MOMENTS,
    zone_name=st.sampled_from(ZONES),
    minutes=st.lists(
        st.tuples(st.integers(0, 4 * 24 * 60), st.integers(1, 5), st.none() | st.integers(0, 1)),
        max_size=40,
    ),
    since_min=st.integers(0, 3 * 24 * 60),
    length_min=st.integers(1, 3 * 24 * 60),
    group=st.sampled_from(["hour", "day"]),
)
def test_sums_by_hours_and_days_are_those_of_the_rows(
    day: date,
    zone_name: str,
    minutes: list[tuple[int, int, int | None]],
    since_min: int,
    length_min: int,
    group: Any,
) -> None:
    zone = ZoneInfo(zone_name)
    base_ns = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * NS_PER_S
    # Uneven seconds, so that no record lies on an edge by its nature.
    records = {
        base_ns + minute * 60 * NS_PER_S: AttributeRecord(
            captured_ns=base_ns + minute * 60 * NS_PER_S,
            total_persons=persons,
            attributes=Attributes(hat=hat),
        )
        for minute, persons, hat in minutes
    }
    since_ns = base_ns + since_min * 60 * NS_PER_S
    until_ns = since_ns + length_min * 60 * NS_PER_S
    query = AttributeQuery(reach=None, since_ns=since_ns, until_ns=until_ns)
    clock = local_clock(zone, group, since_ns, until_ns)

    async def found() -> Any:
        with tempfile.TemporaryDirectory() as folder:
            async with await Database.open(Path(folder)) as database:
                await know(database, "cam01")
                spans = [(min(records), max(records))] if records else []
                await database.commit_step(
                    await begin(database), step(*records.values(), spans=spans)
                )
                assert (await database.attributes.page(query, limit=1)).total == sum(
                    since_ns <= at < until_ns for at in records
                )
                return await database.attributes.statistics(query, clock)

    statistics = asyncio.run(found())

    expected: dict[int, AttributeSums] = {}
    for at, one in records.items():
        if since_ns <= at < until_ns:
            begins = begin_of(at, zone, group)
            own = AttributeSums(
                records=1, total_persons=one.total_persons, attributes=one.attributes
            )
            expected[begins] = added(expected.get(begins, AttributeSums()), own)
    assert statistics.timeline == dict(sorted(expected.items()))
    whole = AttributeSums()
    for sums_ in expected.values():
        whole = added(whole, sums_)
    assert statistics.whole == whole


def added(first: AttributeSums, second: AttributeSums) -> AttributeSums:
    """Both together."""
    counts: dict[str, int | None] = {}
    for name in FIELDS:
        values = [getattr(sums.attributes, name) for sums in (first, second)]
        known = [value for value in values if value is not None]
        counts[name] = sum(known) if known else None
    return AttributeSums(
        records=first.records + second.records,
        total_persons=first.total_persons + second.total_persons,
        attributes=Attributes(**counts),
    )


def begin_of(time_ns: int, zone: ZoneInfo, group: str) -> int:
    """When the local hour or day of a moment begins, found by walking back minute by minute."""
    moment = datetime.fromtimestamp(time_ns // NS_PER_S, UTC)

    def name(at: datetime) -> tuple[date, int, timedelta | None]:
        local = at.astimezone(zone)
        if group == "day":
            return local.date(), 0, None
        return local.date(), local.hour, local.utcoffset()

    while name(moment - timedelta(minutes=1)) == name(moment):
        moment -= timedelta(minutes=1)
    return int(moment.timestamp()) * NS_PER_S
