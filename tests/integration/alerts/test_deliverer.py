"""Deliveries while receivers fail, hang and come back, and while deliverers die."""

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.alerting import Site, add_channel
from tests.servers.webhook import Receiver

from video_detective.config.settings import parse_settings
from video_detective.geometry import NS_PER_S
from video_detective.pipeline.deliverer import POLL_S, POSTPONED, RETRY_S, Deliverer
from video_detective.services.background import words_in_background
from video_detective.services.models import Models
from video_detective.services.notices import PICTURES_WAIT_NS, Senders, Teller, keep_telling
from video_detective.services.workspace import Workspace, open_workspace
from video_detective.storage.notices.base import Claimed, DeliveryQuery, DeliveryRow, Filters
from video_detective.storage.reach import Reach

SETTINGS = """
schema_version: 1
service: {public_url: "https://video.example"}
notifications:
  allow_networks: [127.0.0.0/8]
  webhook_timeout_s: 5
"""


@pytest.fixture
async def workspace(tmp_path: Path) -> AsyncIterator[Workspace]:
    (tmp_path / "settings.yaml").write_text(SETTINGS)
    async with open_workspace(tmp_path) as workspace:
        yield workspace


@pytest.fixture
async def site(workspace: Workspace) -> Site:
    site = Site(workspace.database)
    await site.begin()
    return site


@pytest.fixture
async def reach(workspace: Workspace) -> Reach:
    return Reach(account_id=(await workspace.database.accounts.default()).account_id)


class Clock:
    """A clock that stands still until it is set."""

    def __init__(self) -> None:
        self.time_ns = time.time_ns()

    def __call__(self) -> int:
        return self.time_ns


def deliverer(workspace: Workspace, *, worker: str = "w1", **more: Any) -> Deliverer:
    teller = Teller(workspace, Senders(workspace))
    return Deliverer(workspace.database.notices, teller, worker=worker, **more)


@asynccontextmanager
async def delivering(workspace: Workspace) -> AsyncIterator[None]:
    stop = asyncio.Event()
    task = asyncio.create_task(deliverer(workspace).run(stop))
    try:
        yield
    finally:
        stop.set()
        await task


async def rows(workspace: Workspace, reach: Reach) -> list[DeliveryRow]:
    found, _ = await workspace.database.notices.deliveries(reach, DeliveryQuery(limit=100))
    return found


async def received(receiver: Receiver, count: int) -> None:
    await asyncio.to_thread(receiver.wait_for, count, 20)


async def test_an_alert_is_looked_for_several_times_a_second(
    workspace: Workspace, site: Site, reach: Reach
) -> None:
    assert POLL_S <= 0.5
    with Receiver() as receiver:
        await add_channel(workspace.database, reach, settings={"url": receiver.url})
        async with delivering(workspace):
            await site.raise_alert(1)
            await received(receiver, 1)


async def test_the_running_service_tells_alerts(
    workspace: Workspace, site: Site, reach: Reach
) -> None:
    with Receiver() as receiver:
        await add_channel(workspace.database, reach, settings={"url": receiver.url})
        async with words_in_background(workspace):
            await site.raise_alert(1)
            await received(receiver, 1)


async def test_what_failed_is_told_again_later_with_the_same_id_and_words(
    workspace: Workspace, site: Site, reach: Reach
) -> None:
    with Receiver([500, "drop", 204]) as receiver:
        await add_channel(workspace.database, reach, settings={"url": receiver.url})
        await site.raise_alert(1)
        clock = Clock()
        work = deliverer(workspace, clock=clock)
        for attempt in (1, 2):
            assert await work.deliver_due() == 1
            [row] = await rows(workspace, reach)
            assert (row.status, row.attempts) == ("waiting", attempt)
            assert row.due_ns - clock.time_ns == RETRY_S[attempt - 1] * NS_PER_S
            clock.time_ns = row.due_ns - 1
            assert await work.deliver_due() == 0
            clock.time_ns = row.due_ns
        assert await work.deliver_due() == 1
        [row] = await rows(workspace, reach)
        assert (row.status, row.attempts, row.answer) == ("done", 3, "HTTP 204")
        assert len({request.json["id"] for request in receiver.received}) == 1
        assert [r.headers["X-VD-Attempt"] for r in receiver.received] == ["1", "2", "3"]
        assert receiver.received[0].body == receiver.received[2].body


async def test_after_almost_a_day_of_failures_it_is_given_up_with_words(
    workspace: Workspace, site: Site, reach: Reach
) -> None:
    assert 20 * 3600 < sum(RETRY_S) < 24 * 3600
    with Receiver([500] * 20) as receiver:
        await add_channel(workspace.database, reach, settings={"url": receiver.url})
        await site.raise_alert(1)
        clock = Clock()
        work = deliverer(workspace, clock=clock)
        for pause_s in (*RETRY_S, 0):
            assert await work.deliver_due() == 1
            clock.time_ns += pause_s * NS_PER_S
        [row] = await rows(workspace, reach)
        assert row.status == "failed"
        assert row.answer is not None
        assert "HTTP 500" in row.answer
        assert "Given up after 11 attempts" in row.answer


async def test_what_can_never_be_told_is_given_up_at_once(
    workspace: Workspace, site: Site, reach: Reach
) -> None:
    await add_channel(workspace.database, reach, settings={"url": "http://169.254.169.254/"})
    await site.raise_alert(1)
    assert await deliverer(workspace).deliver_due() == 1
    [row] = await rows(workspace, reach)
    assert row.status == "failed"
    assert row.answer is not None
    assert "allow_networks" in row.answer


async def test_what_is_switched_off_or_removed_is_not_told(
    workspace: Workspace, site: Site, reach: Reach
) -> None:
    notices = workspace.database.notices
    with Receiver() as receiver:
        channel_id = await add_channel(workspace.database, reach, settings={"url": receiver.url})
        await site.raise_alert(1)
        channel = await notices.channel(reach, channel_id)
        assert channel is not None
        await notices.replace_channel(reach, replace(channel, is_enabled=False))
        assert await deliverer(workspace).deliver_due() == 1
        [row] = await rows(workspace, reach)
        assert (row.status, row.answer) == ("skipped", "not told: the channel is switched off")
        assert receiver.received == []


async def test_a_receiver_that_hangs_holds_up_no_other_channel(
    workspace: Workspace, site: Site, reach: Reach
) -> None:
    with Receiver(["hang"]) as stuck, Receiver() as other:
        await add_channel(workspace.database, reach, settings={"url": stuck.url})
        await add_channel(workspace.database, reach, settings={"url": other.url})
        await site.raise_alert(1)
        async with delivering(workspace):
            await received(stuck, 1)
            await received(other, 1)
            stuck._closing.set()


async def test_the_end_of_the_service_waits_for_no_receiver(
    workspace: Workspace, site: Site, reach: Reach, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("video_detective.pipeline.deliverer.ENDING_S", 0.1)
    with Receiver(["hang"]) as receiver:
        await add_channel(workspace.database, reach, settings={"url": receiver.url})
        await site.raise_alert(1)
        async with delivering(workspace):
            await received(receiver, 1)
            began = time.perf_counter()
        assert time.perf_counter() - began < 2
        # The next one need not wait until the claim expires.
        assert await deliverer(workspace).deliver_due() == 1
        [row] = await rows(workspace, reach)
        assert row.status == "done"


async def test_a_fault_in_one_notification_stops_no_other(
    workspace: Workspace, site: Site, reach: Reach, caplog: pytest.LogCaptureFixture
) -> None:
    class Faulty(Teller):
        async def send(self, claimed: Claimed, told: object) -> str:
            if claimed.channel.channel_id == broken:
                raise ZeroDivisionError
            return await super().send(claimed, told)  # type: ignore[arg-type]

    with Receiver() as receiver:
        broken = await add_channel(workspace.database, reach, settings={"url": receiver.url})
        await add_channel(workspace.database, reach, settings={"url": receiver.url})
        await site.raise_alert(1)
        teller = Faulty(workspace, Senders(workspace))
        work = Deliverer(workspace.database.notices, teller, worker="w")
        assert await work.deliver_due() == 2
        assert len(receiver.received) == 1
    assert {row.status for row in await rows(workspace, reach)} == {"waiting", "done"}
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_a_deliverer_killed_in_mid_send_loses_nothing(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    (tmp_path / "settings.yaml").write_text(SETTINGS)
    url: str | None = None
    if kind == "postgresql":
        create: Callable[[], str] = request.getfixturevalue("new_postgres_database")
        url = create()
    with Receiver(["hang"]) as receiver:
        async with open_workspace(tmp_path, url) as workspace:
            site = Site(workspace.database)
            reach = await site.begin()
            await add_channel(workspace.database, reach, settings={"url": receiver.url})
            for n in range(3):
                await site.raise_alert(n, at_s=n)
            program = Path(__file__).with_name("deliverer_process.py")
            with subprocess.Popen(
                [sys.executable, str(program), str(tmp_path), *([url] if url else [])]
            ) as victim:
                await asyncio.to_thread(receiver.wait_for, 1, 30)
                victim.kill()
            assert [row.status for row in await rows(workspace, reach)] == ["waiting"] * 3
            # As long as its claim holds, nobody tells this channel anything.
            assert await deliverer(workspace).deliver_due() == 0
            await asyncio.sleep(0.2)
            assert await deliverer(workspace, worker="heir", lease_s=0.1).deliver_due() == 3
            assert [row.status for row in await rows(workspace, reach)] == ["done"] * 3
        ids = [request.json["id"] for request in receiver.received]
        # At least once: the one that was under way came twice, under one id.
        assert len(ids) == 4
        assert len(set(ids)) == 3


async def test_pictures_are_linked_for_a_day_and_the_links_are_not_kept(
    workspace: Workspace, site: Site, reach: Reach
) -> None:
    with Receiver() as receiver:
        await add_channel(workspace.database, reach, settings={"url": receiver.url})
        await site.raise_alert(1, has_model=True)
        await deliverer(workspace).deliver_due()
        sha256 = await site.picture(1, also_before=True)
        await site.describe()
        await deliverer(workspace).deliver_due()
        new, update = (request.json["insight"] for request in receiver.received)
    assert (new["thumbnailUrl"], new["snapshotUrls"], new["snapshotCount"]) == (None, [], 0)
    [_, link] = update["snapshotUrls"]
    assert update["thumbnailUrl"] == link  # as in the interface: of the trigger
    assert link.startswith(f"https://video.example/media/{reach.account_id}/{sha256}.jpg?expires=")
    [row] = [one for one in await rows(workspace, reach) if one.kind == "update"]
    assert row.payload["insight"]["snapshotCount"] == 2
    assert "signature" not in str(row.payload)


async def test_a_channel_that_is_told_once_waits_a_while_for_pictures(
    workspace: Workspace, site: Site, reach: Reach
) -> None:
    with Receiver() as receiver:
        once = Filters(tell=("new",))
        await add_channel(workspace.database, reach, settings={"url": receiver.url}, filters=once)
        await site.raise_alert(1, over=True)
        await deliverer(workspace).deliver_due()
        assert receiver.received == []
        assert [row.answer for row in await rows(workspace, reach)] == [POSTPONED]
        await site.picture(1)
        later_ns = site.now_ns + PICTURES_WAIT_NS
        await deliverer(workspace, clock=lambda: later_ns).deliver_due()
        (new,) = (request.json["insight"] for request in receiver.received)
    assert len(new["snapshotUrls"]) == 1


async def test_a_missing_password_of_the_broker_stops_no_other_channel(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "settings.yaml").write_text(
        SETTINGS + "  mqtt: {host: 127.0.0.1, password_env: VD_NOT_SET}\n"
    )
    stop = asyncio.Event()
    with Receiver() as receiver:
        async with open_workspace(tmp_path) as workspace:
            site = Site(workspace.database)
            reach = await site.begin()
            await add_channel(workspace.database, reach, settings={"url": receiver.url})
            await site.raise_alert(1)
            task = asyncio.create_task(keep_telling(workspace, stop))
            await received(receiver, 1)
            stop.set()
            await task
    assert "VD_NOT_SET" in caplog.text


async def test_no_secret_reaches_a_log_line(
    workspace: Workspace, site: Site, reach: Reach, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", logger="video_detective")
    with Receiver([500]) as receiver:
        settings = {"url": f"{receiver.url}/P4TH?token=T0KEN"}
        await add_channel(workspace.database, reach, settings=settings)
        await site.raise_alert(1)
        await deliverer(workspace).deliver_due()
    assert "attempt 1: waiting" in caplog.text
    for secret in ("P4TH", "T0KEN", "whsec_"):
        assert secret not in caplog.text
    [row] = await rows(workspace, reach)
    assert "T0KEN" not in str(row)


def test_settings_of_notifications_are_checked_with_line_and_field() -> None:
    good = parse_settings(SETTINGS)
    assert good.notifications.allow_networks == ("127.0.0.0/8",)
    assert Models(good).settings.service.public_url == "https://video.example"
    for part, field in (
        ("notifications: {allow_networks: [home]}", "notifications.allow_networks"),
        ("notifications: {smtp: {host: mail, sender: 'a b'}}", "notifications.smtp.sender"),
        ("notifications: {mqtt: {host: broker, prefix: 'a/#'}}", "notifications.mqtt.prefix"),
        ("service: {public_url: 'ftp://x'}", "service.public_url"),
    ):
        with pytest.raises(Exception, match=field.replace(".", r"\.")):
            parse_settings(f"schema_version: 1\n{part}\n")
