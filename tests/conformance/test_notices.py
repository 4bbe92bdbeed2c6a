"""What is promised of the outbox of notifications, on SQLite and on PostgreSQL."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from tests.alerting import GIVEN_UP, Site, add_channel
from tests.locks import until_waiting

from video_detective.geometry import NS_PER_S
from video_detective.storage.database import Database
from video_detective.storage.notices import channels
from video_detective.storage.notices.base import (
    END_WAITS_NS,
    KEPT_NS,
    PAST_NS,
    Claimed,
    DeliveryQuery,
    DeliveryRow,
    Filters,
    Outcome,
)
from video_detective.storage.reach import Reach

ALL = DeliveryQuery(limit=100)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/video-detective.db"
    create: Callable[[], str] = request.getfixturevalue("new_postgres_database")
    return create()


@pytest.fixture
async def db(url: str, tmp_path: Path) -> AsyncIterator[Database]:
    async with await Database.open(tmp_path, url) as database:
        yield database


@pytest.fixture
async def site(db: Database) -> Site:
    site = Site(db)
    await site.begin()
    return site


@pytest.fixture
async def reach(db: Database) -> Reach:
    return Reach(account_id=(await db.accounts.default()).account_id)


async def outbox(db: Database, reach: Reach) -> list[DeliveryRow]:
    """Every delivery, the oldest first."""
    rows, _ = await db.notices.deliveries(reach, ALL)
    return sorted(rows, key=lambda row: (row.alert_id, ["new", "update", "end"].index(row.kind)))


async def told(db: Database, reach: Reach) -> list[tuple[str, str]]:
    return [(row.kind, row.status) for row in await outbox(db, reach)]


async def claim(db: Database, now_ns: int, worker: str = "w1", lease_s: float = 60) -> Claimed:
    claimed = await db.notices.claim(worker, now_ns, lease_s=lease_s)
    assert claimed is not None
    return claimed


def done(now_ns: int) -> Outcome:
    return Outcome(status="done", answer="HTTP 204", payload={"a": 1}, time_ns=now_ns)


async def deliver_all(db: Database, now_ns: int) -> list[tuple[str, str]]:
    """What is delivered, in order: alert and kind."""
    order: list[tuple[str, str]] = []
    while claimed := await db.notices.claim("w1", now_ns):
        assert await db.notices.finish(claimed, done(now_ns))
        order.append((claimed.alert_id, claimed.kind))
    return order


# --- what is put in


async def test_an_alert_reaches_every_enabled_channel_of_its_account(
    db: Database, site: Site, reach: Reach
) -> None:
    channels = {await add_channel(db, reach), await add_channel(db, reach, "mqtt")}
    await add_channel(db, reach, is_enabled=False)
    await site.raise_alert(1)
    rows = await outbox(db, reach)
    assert {row.channel_id for row in rows} == channels
    assert {(row.kind, row.status, row.request_id) for row in rows} == {("new", "waiting", "req-1")}


async def test_the_same_alert_again_is_told_once(db: Database, site: Site, reach: Reach) -> None:
    await add_channel(db, reach)
    await site.raise_alert(1)
    await site.raise_alert(1)
    assert await told(db, reach) == [("new", "waiting")]


async def test_footage_analysed_anew_is_told_when_that_has_come_to_its_end(
    db: Database, site: Site, reach: Reach
) -> None:
    await add_channel(db, reach)
    await site.raise_alert(1, over=True)
    await site.finish()
    before = await deliver_all(db, site.now_ns)
    assert [kind for _, kind in before] == ["new", "end"]

    await site.analyse("other rules")
    await site.raise_alert(2)
    await site.raise_alert(2, over=True)
    assert await deliver_all(db, site.now_ns) == []
    await site.finish()

    after = await deliver_all(db, time.time_ns())
    assert [kind for _, kind in after] == ["new", "end"]
    assert {alert_id for alert_id, _ in after}.isdisjoint(alert_id for alert_id, _ in before)

    await site.analyse("s")  # that is done: it is shown again, and was told
    assert await deliver_all(db, time.time_ns()) == []


async def test_filters_let_through_what_they_name(db: Database, site: Site, reach: Reach) -> None:
    other = Site(db, camera_id="cam02")
    await other.begin("前門")
    device = await site.device_id()
    wanted = [
        await add_channel(db, reach, filters=Filters(device_ids=(device,))),
        await add_channel(db, reach, filters=Filters(severities=("critical",))),
        await add_channel(db, reach, filters=Filters(alert_rules=("night", "every-event"))),
    ]
    unwanted = [
        await add_channel(db, reach, filters=Filters(device_ids=(await other.device_id(),))),
        await add_channel(db, reach, filters=Filters(severities=("warning",))),
        await add_channel(db, reach, filters=Filters(alert_rules=("night",))),
    ]
    await site.raise_alert(1)
    assert sorted(row.channel_id for row in await outbox(db, reach)) == sorted(wanted)
    await other.raise_alert(1, severity="warning", rule="night")
    of_other = {row.channel_id for row in await outbox(db, reach) if row.camera_id == "cam02"}
    assert of_other == {*unwanted, wanted[2]}


async def test_an_archive_analysed_today_is_no_news(db: Database, site: Site, reach: Reach) -> None:
    await add_channel(db, reach)
    archive = await add_channel(db, reach, filters=Filters(include_past=True))
    await site.raise_alert(1, at_s=-PAST_NS / NS_PER_S - 1, over=True)
    assert {row.channel_id for row in await outbox(db, reach)} == {archive}


async def test_during_a_channels_cool_down_the_same_rule_is_not_told_again(
    db: Database, site: Site, reach: Reach
) -> None:
    other = Site(db, camera_id="cam02")
    await other.begin()
    calm = await add_channel(db, reach, cooldown_s=60)
    await add_channel(db, reach)
    await site.raise_alert(1, at_s=-120)
    await site.raise_alert(2, at_s=-90, over=True)  # within 60 s of the first
    await site.raise_alert(3, at_s=-80, rule="night")  # another rule
    await other.raise_alert(1, at_s=-80)  # another device
    await site.raise_alert(4, at_s=-50)  # after it; what was not told does not count
    rows = [row for row in await outbox(db, reach) if row.channel_id == calm]
    assert sorted(row.status for row in rows) == ["skipped", *["waiting"] * 4]
    [skipped] = [row for row in rows if row.status == "skipped"]
    assert skipped.answer == "not told: the channel's cool-down"
    # What was not told gets no end either; the other channel's does.
    ends = [row for row in await outbox(db, reach) if row.kind == "end"]
    assert [row.channel_id != calm for row in ends] == [True]
    # Nor is it told "again" with what was, unless that is asked for.
    assert await db.notices.replay(reach, DeliveryQuery(channel_id=calm), site.now_ns) == 0
    of_skipped = DeliveryQuery(channel_id=calm, status="skipped")
    assert await db.notices.replay(reach, of_skipped, site.now_ns) == 1


async def test_an_alert_that_is_rolled_back_is_not_told(
    db: Database, site: Site, reach: Reach
) -> None:
    await add_channel(db, reach)
    stale = Site(db, now_ns=site.now_ns)
    await stale.begin()  # takes the run over
    with pytest.raises(Exception, match="taken over"):
        await site.raise_alert(1)
    assert await told(db, reach) == []


async def test_models_words_and_ends_follow_where_the_alert_was_told(
    db: Database, site: Site, reach: Reach
) -> None:
    every = await add_channel(db, reach)
    brief = await add_channel(db, reach, "email", filters=Filters(tell=("new",)))
    await site.raise_alert(1, has_model=True)
    await add_channel(db, reach)  # later than the alert: knows nothing of it
    await site.describe()
    await site.end(1)
    await site.end(1)
    rows = await outbox(db, reach)
    assert [row.kind for row in rows if row.channel_id == every] == ["new", "update", "end"]
    assert [row.kind for row in rows if row.channel_id == brief] == ["new"]
    assert len(rows) == 4


async def test_an_answer_after_a_failure_was_told_is_told_too_under_another_id(
    db: Database, site: Site, reach: Reach
) -> None:
    await add_channel(db, reach)
    await site.raise_alert(1, has_model=True)
    await site.describe(GIVEN_UP)
    assert [kind for _, kind in await deliver_all(db, site.now_ns)] == ["new", "update"]
    (_, failure) = await outbox(db, reach)

    await db.insights.ask_again(now_ns=site.now_ns)
    await site.describe(GIVEN_UP)
    assert await deliver_all(db, site.now_ns) == [], "the same again is no news"

    await db.insights.ask_again(now_ns=site.now_ns)
    await site.describe()
    (_, answer) = await outbox(db, reach)
    assert (answer.kind, answer.status, answer.payload) == ("update", "waiting", {})
    assert answer.delivery_id != failure.delivery_id
    assert [kind for _, kind in await deliver_all(db, site.now_ns)] == ["update"]


async def test_pictures_that_come_after_an_alert_was_told_are_told_once(
    db: Database, site: Site, reach: Reach
) -> None:
    channel = await add_channel(db, reach)
    await add_channel(db, reach, "email", filters=Filters(tell=("new",)))
    for n, has_model, is_told_before in (
        (1, False, True),
        (2, True, True),  # the model's words bring its pictures
        (3, False, False),  # which has them when it is told
    ):
        await site.raise_alert(n, has_model=has_model)
        if is_told_before:
            await deliver_all(db, site.now_ns)
        for _ in range(2):
            await site.picture(n)
        rows = [row.kind for row in await outbox(db, reach) if row.channel_id == channel]
        assert (n, rows.count("new"), rows.count("update")) == (n, n, 1)
    assert len(await outbox(db, reach)) == 3 + 3 + 1


# --- order


async def test_each_alert_is_told_in_order_new_update_end(
    db: Database, site: Site, reach: Reach
) -> None:
    await add_channel(db, reach)
    await site.raise_alert(1, has_model=True)
    await site.end(1)
    first = await claim(db, site.now_ns)
    assert first.kind == "new"
    assert await db.notices.claim("w2", site.now_ns) is None
    retry = Outcome(
        status="waiting", answer="HTTP 500", payload={}, time_ns=0, due_ns=site.now_ns + NS_PER_S
    )
    assert await db.notices.finish(first, retry)
    await site.describe()
    # The first one waits for its next attempt: nothing overtakes it.
    assert await db.notices.claim("w2", site.now_ns) is None
    kinds = [kind for _, kind in await deliver_all(db, site.now_ns + NS_PER_S)]
    assert kinds == ["new", "update", "end"]


async def test_the_end_waits_for_the_models_words_but_not_for_ever(
    db: Database, site: Site, reach: Reach
) -> None:
    await add_channel(db, reach)
    await site.raise_alert(1, has_model=True)
    await site.end(1)
    assert [kind for _, kind in await deliver_all(db, site.now_ns)] == ["new"]
    later_ns = site.now_ns + END_WAITS_NS
    assert [kind for _, kind in await deliver_all(db, later_ns)] == ["end"]


async def test_a_delivery_that_waits_holds_up_no_other_alert(
    db: Database, site: Site, reach: Reach
) -> None:
    await add_channel(db, reach)
    await site.raise_alert(1)
    await site.raise_alert(2, at_s=1)
    first = await claim(db, site.now_ns)
    later = Outcome(
        status="waiting", answer="", payload={}, time_ns=0, due_ns=site.now_ns + 60 * NS_PER_S
    )
    await db.notices.finish(first, later)
    second = await claim(db, site.now_ns)
    assert second.alert_id != first.alert_id


# --- one deliverer each


async def test_a_channel_has_one_delivery_under_way_and_others_their_own(
    db: Database, site: Site, reach: Reach
) -> None:
    for _ in range(2):
        await add_channel(db, reach)
    await site.raise_alert(1)
    await site.raise_alert(2, at_s=1)
    claims = [await db.notices.claim(f"w{n}", site.now_ns) for n in range(4)]
    got = [claimed for claimed in claims if claimed is not None]
    assert len({claimed.channel.channel_id for claimed in got}) == len(got) == 2


async def test_many_deliverers_at_once_tell_each_once(
    db: Database, site: Site, reach: Reach
) -> None:
    for _ in range(3):
        await add_channel(db, reach)
    for n in range(6):
        await site.raise_alert(n, at_s=n)
    seen: list[str] = []
    under_way: set[str] = set()

    async def work(worker: str) -> None:
        idle = 0
        while idle < 3:
            claimed = await db.notices.claim(worker, site.now_ns)
            if claimed is None:
                idle += 1
                await asyncio.sleep(0.005)
                continue
            idle = 0
            assert claimed.channel.channel_id not in under_way
            under_way.add(claimed.channel.channel_id)
            seen.append(claimed.delivery_id)
            await asyncio.sleep(0.002)
            under_way.discard(claimed.channel.channel_id)
            assert await db.notices.finish(claimed, done(site.now_ns))

    await asyncio.gather(*(work(f"w{n}") for n in range(4)))
    await work("last")
    assert len(seen) == len(set(seen)) == 18


async def test_what_a_dead_deliverer_had_goes_to_another_when_its_claim_expires(
    db: Database, site: Site, reach: Reach
) -> None:
    await add_channel(db, reach)
    await site.raise_alert(1)
    dead = await claim(db, site.now_ns, "dead")
    assert await db.notices.claim("heir", site.now_ns) is None
    await asyncio.sleep(0.05)
    heir = await claim(db, site.now_ns, "heir", lease_s=0.02)
    assert heir.delivery_id == dead.delivery_id
    assert heir.attempts == 2
    # It was not dead, only slow: what it says now changes nothing.
    assert not await db.notices.finish(dead, done(site.now_ns))
    assert await db.notices.finish(heir, done(site.now_ns))
    assert await told(db, reach) == [("new", "done")]


async def test_nothing_is_claimed_before_it_is_due(db: Database, site: Site, reach: Reach) -> None:
    await add_channel(db, reach)
    await site.raise_alert(1)
    assert await db.notices.claim("w1", site.now_ns - 1) is None


# --- afterwards


async def test_a_replay_is_told_again_under_the_same_id(
    db: Database, site: Site, reach: Reach
) -> None:
    await add_channel(db, reach)
    await site.raise_alert(1)
    claimed = await claim(db, site.now_ns)
    failed = Outcome(status="failed", answer="HTTP 500", payload={"b": 2}, time_ns=site.now_ns)
    await db.notices.finish(claimed, failed)
    [row] = await outbox(db, reach)
    assert (row.status, row.answer, row.payload) == ("failed", "HTTP 500", {"b": 2})
    assert await db.notices.replay_one(reach, row.delivery_id, site.now_ns)
    assert not await db.notices.replay_one(reach, row.delivery_id, site.now_ns)
    again = await claim(db, site.now_ns)
    assert (again.delivery_id, again.payload, again.attempts) == (row.delivery_id, {"b": 2}, 1)


async def test_a_replay_of_a_range_takes_what_was_made_in_it(
    db: Database, site: Site, reach: Reach
) -> None:
    first = await add_channel(db, reach)
    await add_channel(db, reach)
    for n in range(3):
        site.now_ns += 10 * NS_PER_S
        await site.raise_alert(n)
    start_ns = site.now_ns - 10 * NS_PER_S
    await deliver_all(db, site.now_ns)
    query = DeliveryQuery(channel_id=first, since_ns=start_ns, until_ns=site.now_ns)
    assert await db.notices.replay(reach, query, site.now_ns) == 1
    assert len(await deliver_all(db, site.now_ns)) == 1
    elsewhere = Reach(account_id="another")
    assert await db.notices.replay(elsewhere, DeliveryQuery(), site.now_ns) == 0


async def test_deliveries_are_listed_by_filter_and_page_within_reach(
    db: Database, site: Site, reach: Reach
) -> None:
    channel = await add_channel(db, reach)
    await add_channel(db, reach)
    for n in range(3):
        await site.raise_alert(n, at_s=n, over=True)
    rows, total = await db.notices.deliveries(reach, DeliveryQuery(channel_id=channel, kind="new"))
    assert (len(rows), total) == (3, 3)
    page, total = await db.notices.deliveries(reach, DeliveryQuery(limit=5))
    assert (len(page), total) == (5, 12)
    rest, _ = await db.notices.deliveries(
        reach, DeliveryQuery(limit=100, before=page[-1].delivery_id)
    )
    assert len({row.delivery_id for row in [*page, *rest]}) == 12
    assert (await db.notices.deliveries(reach, DeliveryQuery(device_id="none")))[1] == 0
    for foreign in (
        Reach(account_id="another"),
        Reach(account_id=reach.account_id, cameras=frozenset({"cam02"})),
    ):
        assert await db.notices.deliveries(foreign, ALL) == ([], 0)
        assert await db.notices.delivery(foreign, page[0].delivery_id) is None
        assert not await db.notices.replay_one(foreign, page[0].delivery_id, site.now_ns)
    assert await db.notices.delivery(reach, page[0].delivery_id) == page[0]


async def test_channels_are_those_of_ones_account(db: Database, reach: Reach) -> None:
    channel_id = await add_channel(db, reach)
    foreign = Reach(account_id="another")
    channel = await db.notices.channel(reach, channel_id)
    assert channel is not None
    assert await db.notices.channels(reach) == [channel]
    assert await db.notices.channels(foreign) == []
    assert await db.notices.channel(foreign, channel_id) is None
    assert not await db.notices.replace_channel(foreign, channel)
    assert not await db.notices.remove_channel(foreign, channel_id)
    assert await db.notices.remove_channel(reach, channel_id)
    assert await db.notices.channels(reach) == []


async def test_a_removed_channel_takes_its_deliveries_along(
    db: Database, site: Site, reach: Reach
) -> None:
    channel_id = await add_channel(db, reach)
    await site.raise_alert(1)
    assert await db.notices.remove_channel(reach, channel_id)
    assert await outbox(db, reach) == []


@pytest.mark.parametrize("told", ["new", "end"])
async def test_a_channel_that_is_removed_at_that_moment_is_told_nothing(
    told: str, tmp_path: Path, new_postgres_database: Callable[[], str]
) -> None:
    async with await Database.open(tmp_path, new_postgres_database()) as db:
        site = Site(db)
        reach = await site.begin()
        removed, stays = [await add_channel(db, reach) for _ in range(2)]
        if told == "end":
            await site.raise_alert(1)
        async with db._writing() as connection:
            await channels.remove(connection, reach, removed)
            step = site.raise_alert(1) if told == "new" else site.end(1)
            committing = asyncio.create_task(step)
            await until_waiting(db, 1)
        await committing
        rows = await outbox(db, reach)
        assert {row.channel_id for row in rows} == {stays}
        assert told in {row.kind for row in rows}


async def test_what_ended_long_ago_is_forgotten(db: Database, site: Site, reach: Reach) -> None:
    await add_channel(db, reach)
    await site.raise_alert(1)
    await deliver_all(db, site.now_ns)
    await site.raise_alert(2, at_s=1)
    assert await db.notices.forget_old(site.now_ns + KEPT_NS) == 0
    assert await db.notices.forget_old(site.now_ns + KEPT_NS + 1) == 1
    assert await told(db, reach) == [("new", "waiting")]


async def test_secrets_stay_out_of_representations(db: Database, reach: Reach) -> None:
    channel = await db.notices.channel(reach, await add_channel(db, reach))
    assert "whsec" not in repr(channel)
    assert "127.0.0.1" not in repr(channel)
