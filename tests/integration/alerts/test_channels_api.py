"""Channels and deliveries through the interface, on SQLite and on PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.alerting import Site
from tests.api import client_of, make_account, make_key, quick
from tests.servers.webhook import Receiver

from video_detective.pipeline.deliverer import Deliverer
from video_detective.services.notices import Senders, Teller
from video_detective.services.workspace import Workspace, open_workspace

SETTINGS = """
notifications:
  allow_networks: [127.0.0.0/8]
"""


@dataclass(frozen=True)
class World:
    workspace: Workspace
    site: Site
    admin: httpx.AsyncClient
    reader: httpx.AsyncClient

    async def deliver(self) -> int:
        teller = Teller(self.workspace, Senders(self.workspace))
        return await Deliverer(
            self.workspace.database.notices, teller, worker="tests"
        ).deliver_due()

    async def channel(self, receiver: Receiver, **more: Any) -> dict[str, Any]:
        body = {"kind": "webhook", "name": "值班", "url": receiver.url, **more}
        return good(await self.admin.post("/api/v1/channels", json=body), 201)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str | None:
    if request.param == "sqlite":
        return None
    create: Callable[[], str] = request.getfixturevalue("new_postgres_database")
    return create()


@pytest.fixture
async def world(tmp_path: Path, url: str | None) -> AsyncIterator[World]:
    (tmp_path / "settings.yaml").write_text("schema_version: 1" + SETTINGS)
    async with open_workspace(tmp_path, url) as opened:
        workspace = quick(opened)
        site = Site(workspace.database)
        await site.begin()
        async with (
            client_of(workspace, await make_key(workspace)) as admin,
            client_of(workspace, await make_key(workspace, "analytics:read")) as reader,
        ):
            yield World(workspace, site, admin, reader)


def good(response: httpx.Response, status: int = 200) -> Any:
    assert response.status_code == status, response.text
    body = response.json()
    assert body["success"] is True
    return body["data"]


def bad(response: httpx.Response, status: int) -> Any:
    assert response.status_code == status, response.text
    return response.json()["error"]


async def test_of_mqtt_channels_that_are_made_at_once_one_is(world: World) -> None:
    body = {"kind": "mqtt", "name": "Home Assistant"}
    asked = [world.admin.post("/api/v1/channels", json=body) for _ in range(3)]
    answers = await asyncio.gather(*asked)
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409]


async def test_a_channel_is_made_read_changed_and_removed(world: World) -> None:
    made = good(
        await world.admin.post(
            "/api/v1/channels",
            json={
                "kind": "webhook",
                "name": "值班中心",
                "url": "https://receiver.example/hook?token=T0KEN",
                "filters": {"severities": ["critical"], "tell": ["new", "end"]},
                "cooldownSeconds": 60,
            },
        ),
        201,
    )
    assert made["secret"].startswith("whsec_")
    assert len(made["secret"]) > 40
    address = f"/api/v1/channels/{made['id']}"
    read = good(await world.admin.get(address))
    assert read == {**made, "secret": None}
    assert read["url"] == "https://receiver.example/hook?…"
    assert read["filters"] == {
        "deviceIds": [], "severities": ["critical"], "alertRules": [],
        "tell": ["new", "end"], "includePast": False,
    }  # fmt: skip
    changed = good(
        await world.admin.patch(
            address, json={"name": "夜班", "isEnabled": False, "filters": {"severities": []}}
        )
    )
    assert (changed["name"], changed["isEnabled"], changed["secret"]) == ("夜班", False, None)
    assert changed["filters"]["tell"] == ["new", "end"]
    assert good(await world.admin.get("/api/v1/channels")) == [changed]
    assert good(await world.admin.delete(address)) == {"id": made["id"]}
    bad(await world.admin.get(address), 404)
    bad(await world.admin.delete(address), 404)


async def test_the_shown_address_sent_back_keeps_the_real_one(world: World) -> None:
    with Receiver() as receiver:
        made = await world.channel(receiver, url=f"{receiver.url}?token=T0KEN")
        address = f"/api/v1/channels/{made['id']}"
        good(await world.admin.patch(address, json={"url": made["url"], "name": "x"}))
        assert good(await world.admin.post(f"{address}/test"))["delivered"] is True
        assert receiver.received[0].path == "/hook?token=T0KEN"


async def test_a_new_secret_takes_the_place_of_the_old_one(world: World) -> None:
    with Receiver() as receiver:
        made = await world.channel(receiver)
        address = f"/api/v1/channels/{made['id']}"
        rotated = good(await world.admin.patch(address, json={"rotateSecret": True}))
        assert rotated["secret"].startswith("whsec_")
        assert rotated["secret"] != made["secret"]
    mail = {"kind": "email", "name": "信", "recipients": ["a@example.com"]}
    other = good(await world.admin.post("/api/v1/channels", json=mail), 201)
    assert other["secret"] is None
    error = bad(
        await world.admin.patch(f"/api/v1/channels/{other['id']}", json={"rotateSecret": True}), 400
    )
    assert error["details"][0]["field"] == "rotateSecret"


@pytest.mark.parametrize(
    ("body", "setting"),
    [
        ({"kind": "email", "recipients": ["a@example.com"]}, "notifications.smtp"),
        ({"kind": "mqtt"}, "notifications.mqtt"),
    ],
)
async def test_a_channel_whose_server_is_not_set_says_so_wherever_it_is_shown(
    world: World, body: dict[str, Any], setting: str
) -> None:
    made = good(await world.admin.post("/api/v1/channels", json={"name": "信", **body}), 201)
    problem = made["problem"]
    assert (problem["key"], problem["setting"]) == ("server_unset", setting)
    assert setting in problem["remedy"]
    address = f"/api/v1/channels/{made['id']}"
    switched = [
        good(await world.admin.patch(address, json={"isEnabled": on})) for on in (False, True)
    ]
    listed = good(await world.reader.get("/api/v1/channels"))
    assert [one["problem"] for one in (*switched, *listed)] == [problem] * 3
    await world.site.raise_alert(1)
    await world.deliver()
    (delivery,) = good(await world.admin.get("/api/v1/deliveries"))
    assert delivery["status"] == "waiting"
    assert problem["found"] in delivery["answer"]


async def test_readers_see_neither_secrets_nor_where_exactly_it_goes(world: World) -> None:
    with Receiver() as receiver:
        made = await world.channel(receiver)
        mail = {"kind": "email", "name": "信", "recipients": ["chief@example.com"]}
        good(await world.admin.post("/api/v1/channels", json=mail), 201)
        response = await world.reader.get("/api/v1/channels")
        for secret in (made["secret"], "/hook", "chief@"):
            assert secret not in response.text
        assert good(response)[0]["url"] == f"http://127.0.0.1:{receiver.port}/…"
        address = f"/api/v1/channels/{made['id']}"
        assert good(await world.reader.get(address))["secret"] is None
        for refused in (
            world.reader.post("/api/v1/channels", json=mail),
            world.reader.patch(address, json={"name": "x"}),
            world.reader.delete(address),
            world.reader.post(f"{address}/test"),
            world.reader.post("/api/v1/deliveries/replay", json={}),
        ):
            bad(await refused, 403)


UNMEANT: list[tuple[dict[str, Any], str]] = [
    ({"kind": "webhook", "name": "x"}, "url"),
    ({"kind": "webhook", "name": "x", "url": "ftp://receiver.example/"}, "url"),
    ({"kind": "webhook", "name": "x", "url": "https://u:p@receiver.example/"}, "url"),
    ({"kind": "webhook", "name": "x", "url": "https://x/", "recipients": ["a@b.c"]}, "recip"),
    ({"kind": "email", "name": "x"}, "recipients"),
    ({"kind": "email", "name": "x", "recipients": []}, "recipients"),
    ({"kind": "email", "name": "x", "recipients": ["a@b.c", "no"]}, "recipients[1]"),
    ({"kind": "email", "name": "x", "recipients": ["a@b.c\r\nBcc: d@e.f"]}, "recipients[0]"),
    ({"kind": "mqtt", "name": "x", "url": "https://x/"}, "url"),
    ({"kind": "smoke", "name": "x"}, "kind"),
    ({"kind": "mqtt", "name": ""}, "name"),
    ({"kind": "mqtt", "name": "x", "cooldownSeconds": -1}, "cooldownSeconds"),
    ({"kind": "mqtt", "name": "x", "filters": {"tell": ["end"]}}, "filters.tell"),
    ({"kind": "mqtt", "name": "x", "filters": {"severities": ["dire"]}}, "filters.severities"),
    (
        {
            "kind": "mqtt",
            "name": "x",
            "filters": {"deviceIds": ["0199a2c4-5d10-7c3e-9f00-2b1a6c7d8e90"]},
        },
        "filters.deviceIds[0]",
    ),
    ({"kind": "mqtt", "name": "x", "secret": "mine"}, "secret"),
]


async def test_a_field_that_cannot_be_meant_is_named(world: World) -> None:
    for body, field in UNMEANT:
        error = bad(await world.admin.post("/api/v1/channels", json=body), 400)
        assert any(problem["field"].startswith(field) for problem in error["details"]), error
        assert "u:p" not in str(error)


async def test_an_account_has_one_mqtt_channel(world: World) -> None:
    body = {"kind": "mqtt", "name": "家"}
    good(await world.admin.post("/api/v1/channels", json=body), 201)
    bad(await world.admin.post("/api/v1/channels", json=body), 409)


async def test_a_test_tells_what_came_of_it(world: World) -> None:
    with Receiver([204, 500]) as receiver:
        made = await world.channel(receiver, isEnabled=False)
        address = f"/api/v1/channels/{made['id']}/test"
        tried = good(await world.admin.post(address))
        assert (tried["delivered"], tried["answer"]) == (True, "HTTP 204")
        assert receiver.received[0].headers["X-VD-Event"] == "test"
        tried = good(await world.admin.post(address))
        assert tried["delivered"] is False
        assert "HTTP 500" in tried["answer"]
    mail = {"kind": "email", "name": "信", "recipients": ["a@example.com"]}
    other = good(await world.admin.post("/api/v1/channels", json=mail), 201)
    tried = good(await world.admin.post(f"/api/v1/channels/{other['id']}/test"))
    assert tried["delivered"] is False
    assert "notifications.smtp" in tried["answer"]


async def test_a_test_does_not_go_where_nothing_may_go(world: World) -> None:
    body = {"kind": "webhook", "name": "x", "url": "http://169.254.169.254/latest/meta-data/"}
    made = good(await world.admin.post("/api/v1/channels", json=body), 201)
    tried = good(await world.admin.post(f"/api/v1/channels/{made['id']}/test"))
    assert tried["delivered"] is False
    assert "notifications.allow_networks" in tried["answer"]


async def test_an_alert_is_told_amended_and_ended_in_the_interfaces_words(world: World) -> None:
    with Receiver() as receiver:
        made = await world.channel(receiver)
        await world.site.raise_alert(1, has_model=True, request_id="req-7")
        assert await world.deliver() == 1
        await world.site.describe()
        await world.site.end(1)
        assert await world.deliver() == 2
        new, update, end = (request.json for request in receiver.received)
    assert [body["kind"] for body in (new, update, end)] == [
        "alert.created", "alert.updated", "alert.ended",
    ]  # fmt: skip
    device_id = await world.site.device_id()
    assert new["requestId"] == "req-7"
    alert = new["alert"]
    assert alert["deviceId"] == device_id
    assert alert["deviceName"] == "後門攝影機"
    assert alert["message"] == "Intrusion time reached threshold: 1.5 s >= 1 s"
    assert alert["metricPath"] == "zones.yard.intrusion.dwell_s"
    assert (alert["operator"], alert["threshold"], alert["actualValue"]) == ("GTE", 1.0, 1.5)
    assert (alert["severity"], alert["endedAt"]) == ("critical", None)
    assert new["insight"]["vlmStatus"] == "pending"
    assert update["insight"]["vlmStatus"] == "completed"
    assert update["insight"]["vlmSummary"] == "一名男子翻越圍籬進入後院。"
    assert update["insight"]["id"] == new["insight"]["id"]
    assert update["alert"]["id"] == alert["id"]
    assert end["alert"]["endedAt"].endswith("Z")
    rows = good(await world.reader.get("/api/v1/deliveries"))
    by_kind = {row["kind"]: row for row in rows}
    assert {kind: row["answer"] for kind, row in by_kind.items()} == {
        "new": "HTTP 204", "update": "HTTP 204", "end": "HTTP 204",
    }  # fmt: skip
    assert {row["channelId"] for row in rows} == {made["id"]}
    detail = good(await world.reader.get(f"/api/v1/deliveries/{by_kind['new']['id']}"))
    assert detail["payload"]["alert"]["id"] == alert["id"]
    assert by_kind["new"]["id"] == new["id"]


async def test_deliveries_are_filtered_paged_and_replayed(world: World) -> None:
    with Receiver([410]) as receiver:
        made = await world.channel(receiver)
        for n in range(3):
            await world.site.raise_alert(n, at_s=n)
        await world.deliver()
        [failed] = good(await world.reader.get("/api/v1/deliveries", params={"status": "failed"}))
        assert "gone for good" in failed["answer"]
        response = await world.reader.get("/api/v1/deliveries", params={"limit": 2})
        pagination = response.json()["meta"]["pagination"]
        assert (pagination["total"], pagination["totalPages"]) == (3, 2)
        following = {"limit": 2, "cursor": pagination["nextCursor"]}
        response = await world.reader.get("/api/v1/deliveries", params=following)
        assert len(good(response)) == 1
        assert "nextCursor" not in {
            key for key, value in response.json()["meta"]["pagination"].items() if value
        }
        again = good(await world.admin.post(f"/api/v1/deliveries/{failed['id']}/replay"))
        assert again["status"] == "waiting"
        bad(await world.admin.post(f"/api/v1/deliveries/{failed['id']}/replay"), 409)
        await world.deliver()
        assert receiver.received[-1].json["id"] == failed["id"]
        period = {"startDate": "2020-01-01T00:00:00Z", "endDate": "2200-01-01T00:00:00Z"}
        replay = {**period, "channelId": made["id"], "status": "done"}
        assert good(await world.admin.post("/api/v1/deliveries/replay", json=replay)) == {
            "count": 3
        }
        assert await world.deliver() == 3
        none = {**period, "endDate": "2020-01-02T00:00:00Z"}
        assert good(await world.admin.post("/api/v1/deliveries/replay", json=none)) == {"count": 0}
    for params in ({"status": "lost"}, {"channelId": "x"}, {"startDate": "soon"}, {"cursor": "x"}):
        bad(await world.reader.get("/api/v1/deliveries", params=params), 400)


async def test_nothing_of_another_account_is_there(world: World) -> None:
    with Receiver() as receiver:
        made = await world.channel(receiver)
        await world.site.raise_alert(1)
        [row] = good(await world.admin.get("/api/v1/deliveries"))
        await make_account(world.workspace, "other")
        key = await make_key(world.workspace, account="other")
        async with client_of(world.workspace, key) as other:
            assert good(await other.get("/api/v1/channels")) == []
            assert good(await other.get("/api/v1/deliveries")) == []
            channel, delivery = f"/api/v1/channels/{made['id']}", f"/api/v1/deliveries/{row['id']}"
            for absent in (
                other.get(channel),
                other.patch(channel, json={"name": "x"}),
                other.delete(channel),
                other.post(f"{channel}/test"),
                other.get(delivery),
                other.post(f"{delivery}/replay"),
            ):
                bad(await absent, 404)
            device = {"deviceIds": [await world.site.device_id()]}
            body = {"kind": "webhook", "name": "x", "url": receiver.url, "filters": device}
            error = bad(await other.post("/api/v1/channels", json=body), 400)
            assert error["details"][0]["field"] == "filters.deviceIds[0]"
        assert receiver.received == []


async def test_who_is_limited_to_devices_sees_only_their_channels_and_deliveries(
    world: World,
) -> None:
    second = Site(world.workspace.database, camera_id="cam02")
    await second.begin("前門")
    with Receiver() as receiver:
        await world.channel(receiver)
        device_id = await second.device_id()
        theirs = await world.channel(receiver, filters={"deviceIds": [device_id]})
        await world.site.raise_alert(1)
        await second.raise_alert(1)
        key = await make_key(world.workspace, devices=[device_id])
        async with client_of(world.workspace, key) as limited:
            assert [c["id"] for c in good(await limited.get("/api/v1/channels"))] == [theirs["id"]]
            rows = good(await limited.get("/api/v1/deliveries"))
            assert {row["deviceId"] for row in rows} == {device_id}


async def test_every_change_and_test_is_in_the_audit_log_without_secrets(world: World) -> None:
    with Receiver() as receiver:
        made = await world.channel(receiver, url=f"{receiver.url}/P4TH?key=T0KEN")
        address = f"/api/v1/channels/{made['id']}"
        await world.admin.patch(address, json={"rotateSecret": True})
        await world.admin.post(f"{address}/test")
        await world.admin.delete(address)
        response = await world.admin.get("/api/v1/audit", params={"action": "channel"})
    actions = [entry["action"] for entry in good(response)]
    assert actions == ["channel.remove", "channel.test", "channel.change", "channel.create"]
    for secret in ("P4TH", "T0KEN", "whsec_"):
        assert secret not in response.text
