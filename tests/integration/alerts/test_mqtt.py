"""Alerts by MQTT through a real broker: life cycle, states, Home Assistant."""

import asyncio
import gc
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.alerting import Site, add_channel
from tests.servers.mqtt import Listener, kept_port, mqtt_broker
from tests.servers.webhook import CERTIFICATES

from video_detective.alerts.home_assistant import Topics
from video_detective.alerts.mqtt import Broker, MqttLink
from video_detective.errors import ReceiverError
from video_detective.services.notices import keep_telling
from video_detective.services.workspace import Workspace, open_workspace
from video_detective.storage.devices import DeviceChange
from video_detective.storage.notices.base import DeliveryQuery
from video_detective.storage.reach import Reach

AVAILABLE = "cams/available"


@pytest.fixture
def port() -> Iterator[int]:
    with kept_port() as port:
        yield port


@pytest.fixture
async def workspace(tmp_path: Path, port: int) -> AsyncIterator[Workspace]:
    (tmp_path / "settings.yaml").write_text(
        "schema_version: 1\n"
        f"notifications: {{mqtt: {{host: 127.0.0.1, port: {port}, prefix: cams}}}}\n"
    )
    async with open_workspace(tmp_path) as workspace:
        yield workspace


@asynccontextmanager
async def telling(workspace: Workspace) -> AsyncIterator[None]:
    stop = asyncio.Event()
    task = asyncio.create_task(keep_telling(workspace, stop))
    try:
        yield
    finally:
        stop.set()
        await task


async def place(site: Site, reach: Reach) -> str:
    return f"cams/{reach.account_id}/{await site.device_id()}"


async def begun(workspace: Workspace) -> tuple[Site, Reach, str]:
    site = Site(workspace.database)
    reach = await site.begin()
    await add_channel(workspace.database, reach, "mqtt", settings={})
    return site, reach, await place(site, reach)


async def test_an_alert_lives_from_new_by_update_to_end(workspace: Workspace, port: int) -> None:
    site, _, topic = await begun(workspace)
    async with mqtt_broker(port), Listener(port) as listener, telling(workspace):
        await listener.wait(lambda heard: f"{topic}/state" in str(heard.heard), "the first state")
        await site.raise_alert(1, has_model=True)
        await listener.wait(lambda heard: len(heard.of(f"{topic}/alerts")) == 1, "new")
        await site.describe()
        await site.end(1)
        await listener.wait(lambda heard: len(heard.of(f"{topic}/alerts")) == 3, "the end")
        await listener.wait(
            lambda heard: not heard.of(f"{topic}/state")[-1]["active"], "the last state"
        )
    new, update, end = listener.of(f"{topic}/alerts")
    assert [message["type"] for message in (new, update, end)] == ["new", "update", "end"]
    assert new["before"] == new["after"]
    assert new["after"]["severity"] == "critical"
    assert new["after"]["endedAt"] is None
    assert update["before"]["insight"]["vlmSummary"] is None
    assert update["after"]["insight"]["vlmSummary"] == "一名男子翻越圍籬進入後院。"
    assert end["before"]["endedAt"] is None
    assert end["after"]["endedAt"].endswith("Z")
    assert len({message["after"]["id"] for message in (new, update, end)}) == 1
    states = listener.of(f"{topic}/state")
    assert [state["active"] for state in states] == [False, True, True, False]
    assert states[-1]["message"] == "Intrusion time reached threshold: 1.5 s >= 1 s"
    assert states[-1]["severity"] == "critical"
    assert states[0]["severity"] == "none"


async def test_a_device_is_active_until_its_last_alert_ends(
    workspace: Workspace, port: int
) -> None:
    site, _, topic = await begun(workspace)
    async with mqtt_broker(port), Listener(port) as listener, telling(workspace):
        await site.raise_alert(1)
        await site.raise_alert(2, at_s=1)
        await listener.wait(lambda heard: len(heard.of(f"{topic}/alerts")) == 2)
        await site.end(1)
        await listener.wait(lambda heard: len(heard.of(f"{topic}/alerts")) == 3)
        await site.end(2)
        await listener.wait(lambda heard: len(heard.of(f"{topic}/alerts")) == 4)
        await listener.wait(
            lambda heard: heard.of(f"{topic}/state")[-1]["activeAlerts"] == 0, "rest"
        )
    counts = [state["activeAlerts"] for state in listener.of(f"{topic}/state")]
    assert counts[-4:] == [1, 2, 1, 0]


async def test_home_assistant_is_told_of_every_device_and_again_when_it_starts(
    workspace: Workspace, port: int
) -> None:
    site, reach, topic = await begun(workspace)
    device_id = await site.device_id()
    alert = f"homeassistant/binary_sensor/vd_{device_id}/alert/config"
    message = f"homeassistant/sensor/vd_{device_id}/message/config"
    severity = f"homeassistant/sensor/vd_{device_id}/severity/config"
    async with mqtt_broker(port), Listener(port) as listener, telling(workspace):
        await listener.wait(lambda heard: bool(heard.of(severity)), "the configuration")
        [config] = listener.of(alert)
        assert config["unique_id"] == f"vd_{device_id}_alert"
        assert config["name"] == "警示"
        assert config["state_topic"] == f"{topic}/state"
        assert config["device"] == {
            "identifiers": [f"vd_{device_id}"], "name": "後門攝影機",
            "manufacturer": "Video Detective", "model": "Camera",
        }  # fmt: skip
        assert config["availability"] == [{"topic": AVAILABLE}]
        assert "'ON' if value_json.active" in config["value_template"]
        assert listener.of(message)[0]["unique_id"] == f"vd_{device_id}_message"
        assert listener.of(severity)[0]["options"] == ["none", "warning", "critical"]
        # Whoever comes later finds what is retained.
        async with Listener(port, (alert, f"{topic}/state", AVAILABLE)) as late:
            await late.wait(lambda heard: len(heard.heard) == 3, "what is retained")
            assert late.of(alert) == [config]
            assert late.of(AVAILABLE) == ["online"]
        listener.say("homeassistant/status", "online")
        await listener.wait(lambda heard: len(heard.of(severity)) == 2, "it again")
        assert listener.of(alert) == [config, config]
        # A renamed device keeps its ids; a removed one is taken back.
        change = DeviceChange(name="庭院")
        await workspace.database.devices.change(
            reach, device_id, change, now_ns=time.time_ns(), entry=None
        )
        listener.say("homeassistant/status", "online")
        await listener.wait(lambda heard: len(heard.of(severity)) == 3, "the new name")
        assert listener.of(alert)[-1]["device"]["name"] == "庭院"
        assert listener.of(alert)[-1]["unique_id"] == config["unique_id"]
        await workspace.database.devices.remove(reach, device_id, now_ns=time.time_ns(), entry=None)
        listener.say("homeassistant/status", "online")
        await listener.wait(lambda heard: heard.of(severity)[-1] == "", "that it is gone")
        assert listener.of(alert)[-1] == ""


async def test_devices_of_accounts_without_an_mqtt_channel_are_told_to_nobody(
    workspace: Workspace, port: int
) -> None:
    site = Site(workspace.database)
    await site.begin()
    async with mqtt_broker(port), Listener(port) as listener, telling(workspace):
        await listener.wait(lambda heard: heard.of(AVAILABLE) == ["online"], "availability")
        listener.say("homeassistant/status", "online")
        await asyncio.sleep(0.3)
    assert {topic for topic, _, _ in listener.heard} == {AVAILABLE, "homeassistant/status"}


async def test_who_leaves_says_so_and_who_stays_says_so_too(port: int) -> None:
    broker = Broker(host="127.0.0.1", port=port, topics=Topics(prefix="cams"))
    async with mqtt_broker(port), Listener(port, (AVAILABLE,)) as listener:
        async with MqttLink(broker, "one"):
            await listener.wait(lambda heard: heard.of(AVAILABLE) == ["online"], "one")
        await listener.wait(lambda heard: heard.of(AVAILABLE)[-1] == "offline", "leaving")
        async with MqttLink(broker, "two"):
            await listener.wait(lambda heard: heard.of(AVAILABLE)[-1] == "online", "two")
            # The last will of another process of the same service: this one is still here.
            listener.say(AVAILABLE, "offline")
            await listener.wait(
                lambda heard: heard.of(AVAILABLE)[-2:] == ["offline", "online"], "being here"
            )


async def test_a_broker_that_is_not_there_is_waited_for(workspace: Workspace, port: int) -> None:
    site, reach, _ = await begun(workspace)
    await site.raise_alert(1)
    notices = workspace.database.notices
    async with telling(workspace):
        async with asyncio.timeout(60):
            while True:
                [row], _ = await notices.deliveries(reach, DeliveryQuery())
                if row.answer is not None:
                    break
                await asyncio.sleep(0.05)
        assert row.status == "waiting"
        assert f"127.0.0.1:{port} cannot be used" in row.answer
        began = time.perf_counter()
    assert time.perf_counter() - began < 5


async def test_a_broker_that_comes_back_hears_everything_anew(
    workspace: Workspace, port: int
) -> None:
    _, _, topic = await begun(workspace)
    async with telling(workspace):
        for _ in range(2):
            async with mqtt_broker(port), Listener(port) as listener:
                await listener.wait(lambda heard: bool(heard.of(f"{topic}/state")), "the state")


# paho-mqtt 2.2 leaves the socket of a failed handshake to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_tls_checks_the_brokers_certificate(port: int) -> None:
    broker = Broker(
        host="localhost", port=port, topics=Topics(prefix="cams"), tls=True,
        ca_file=str(CERTIFICATES / "authority.pem"),
    )  # fmt: skip
    async with mqtt_broker(port, tls=True):
        async with MqttLink(broker, "known", is_service=False) as link:
            await link.publish("cams/test", {"a": 1})
        async with MqttLink(replace(broker, ca_file=None), "unknown", is_service=False) as link:
            with pytest.raises(ReceiverError):
                await link.publish("cams/test", {"a": 1})
    gc.collect()


async def test_whoever_dies_is_said_to_be_offline(port: int) -> None:
    broker = Broker(host="127.0.0.1", port=port, topics=Topics(prefix="cams"))
    async with mqtt_broker(port) as server, MqttLink(broker, "mortal"):
        async with asyncio.timeout(60):
            while (AVAILABLE, b"online") not in server.said:
                await asyncio.sleep(0.01)
            server.hang_up()
            while (AVAILABLE, b"offline") not in server.said:
                await asyncio.sleep(0.01)


async def test_who_is_cut_off_while_it_says_goodbye_ends_its_connection(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else its thread would connect again for ever."""
    broker = Broker(host="127.0.0.1", port=port, topics=Topics(prefix="cams"))
    async with mqtt_broker(port) as server:
        async with asyncio.timeout(60):
            link = await MqttLink(broker, "hurried").__aenter__()
            while server.retained.get(AVAILABLE) != b"online":
                await asyncio.sleep(0.01)
            monkeypatch.setattr(server, "_publish", lambda *_: None)  # nothing is acknowledged
            leaving = asyncio.create_task(link.__aexit__())
            while not link._waiting:
                await asyncio.sleep(0)
            leaving.cancel()
            with pytest.raises(asyncio.CancelledError):
                await leaving
        assert "paho-mqtt-client-hurried" not in {one.name for one in threading.enumerate()}


async def test_a_password_that_the_broker_refuses_is_told(port: int) -> None:
    broker = Broker(
        host="127.0.0.1", port=port, topics=Topics(prefix="cams"), username="vd", password="s3cret"
    )
    async with mqtt_broker(port, password="s3cret"):
        async with MqttLink(broker, "right", is_service=False) as link:
            await link.publish("cams/test", {"a": 1})
        wrong = replace(broker, password="wrong")
        async with MqttLink(wrong, "wrong", is_service=False) as link:
            with pytest.raises(ReceiverError, match="refuses") as raised:
                await link.publish("cams/test", {"a": 1})
    assert "wrong" not in str(raised.value)


def test_no_password_is_in_a_representation() -> None:
    secret: Any = Broker(host="h", port=1, topics=Topics(prefix="x"), password="s3cret")
    assert "s3cret" not in repr(secret)
