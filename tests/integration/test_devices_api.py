"""Devices over HTTP: made, changed, removed, looked at; their secrets stay inside."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
import pytest
from sqlalchemy import update
from tests.api import client_of, make_account, make_key, quick
from tests.servers.mjpeg import HttpCamera
from tests.servers.rtsp import RtspServer
from tests.service import INTRUSION, PACING, fill
from tests.videos import picture

from video_detective.services.workspace import Workspace, open_workspace
from video_detective.storage.accounts.audit import AuditQuery
from video_detective.storage.tables import EVENTS

ABSENT = "0199a2c4-5d10-7c3e-9f00-2b1a6c7d8e90"
DEVICES = "/api/v1/devices"
SECRET = "rtsp://viewer:s3cret@192.0.2.7:554/ch1?token=t0ken"


@dataclass(frozen=True)
class Place:
    """A workspace and somebody who may do everything in it."""

    workspace: Workspace
    client: httpx.AsyncClient

    async def device(self, **fields: Any) -> dict[str, Any]:
        made = await self.client.post(DEVICES, json={"name": "後門", **fields})
        assert made.status_code == 201, made.text
        return dict(made.json()["data"])


@pytest.fixture(params=["sqlite", "postgresql"])
async def place(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Place]:
    url = None
    if request.param == "postgresql":
        create: Callable[[], str] = request.getfixturevalue("new_postgres_database")
        url = create()
    async with place_at(tmp_path, url) as opened:
        yield opened


@pytest.fixture
async def embedded(tmp_path: Path) -> AsyncIterator[Place]:
    async with place_at(tmp_path, None) as opened:
        yield opened


class place_at:
    def __init__(self, folder: Path, url: str | None) -> None:
        self._opening = open_workspace(folder, url)

    async def __aenter__(self) -> Place:
        workspace = quick(await self._opening.__aenter__())
        self._client = client_of(workspace, await make_key(workspace, name="mei"))
        return Place(workspace, await self._client.__aenter__())

    async def __aexit__(self, *exc_info: object) -> None:
        await self._client.aclose()
        await self._opening.__aexit__(None, None, None)


async def test_a_device_is_made_changed_listed_and_removed(place: Place) -> None:
    made = await place.device(tags=["一樓"], aliases=["後面"], timezone="Europe/Berlin")
    assert (made["plan"], made["timezone"]) == ("LEVEL_01", "Europe/Berlin")
    assert (made["source"], made["hasCredentials"]) == (None, False)
    assert (made["sceneId"], made["sceneVersion"]) == (None, None)
    address = f"{DEVICES}/{made['id']}"
    changed = await place.client.patch(address, json={"name": "前門", "plan": "LEVEL_02"})
    body = changed.json()["data"]
    assert (body["name"], body["plan"], body["aliases"]) == ("前門", "LEVEL_02", ["後面"])
    assert body["createdAt"] == made["createdAt"]
    assert body["updatedAt"] >= made["updatedAt"]
    other = await place.device()
    listed = (await place.client.get(DEVICES, params={"limit": 1})).json()
    assert listed["data"] == [body]
    cursor = listed["meta"]["pagination"]["nextCursor"]
    more = (await place.client.get(DEVICES, params={"cursor": cursor})).json()
    assert [device["id"] for device in more["data"]] == [other["id"]]
    assert (await place.client.get(address)).json()["data"] == body
    assert (await place.client.delete(address)).json()["data"] == {"id": made["id"]}
    for answer in (await place.client.get(address), await place.client.delete(address)):
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "NOT_FOUND")
    assert (await place.client.get(DEVICES)).json()["meta"]["pagination"]["total"] == 1


async def test_the_secret_of_an_address_is_kept_and_never_given_out(embedded: Place) -> None:
    made = await embedded.device(source=SECRET)
    assert made["source"] == "rtsp://192.0.2.7:554/ch1?token=***"
    assert made["hasCredentials"] is True
    address = f"{DEVICES}/{made['id']}"
    said = [(await embedded.client.get(address)).text, (await embedded.client.get(DEVICES)).text]
    for change in ({"name": "x"}, {"source": made["source"], "tags": ["a"]}):
        said.append((await embedded.client.patch(address, json=change)).text)
        stored = await embedded.workspace.database.devices.device(None, made["id"])
        assert stored is not None
        assert stored.source == SECRET
        assert "s3cret" not in repr(stored)
    wrong = {"source": "file:///s3cret@etc/passwd"}
    said.append((await embedded.client.patch(address, json=wrong)).text)
    assert stored is not None
    log, _ = await embedded.workspace.database.accounts.audit_page(
        AuditQuery(account_id=stored.account_id, limit=100)
    )
    said.append(repr(log))
    assert not [text for text in said if "s3cret" in text or "t0ken" in text]
    gone = await embedded.client.patch(address, json={"source": None})
    assert gone.json()["data"]["source"] is None
    assert gone.json()["data"]["hasCredentials"] is False


WRONG: list[tuple[dict[str, Any], str]] = [
    ({}, "name"),
    ({"name": " "}, "name"),
    ({"name": "x", "source": "file:///etc/passwd"}, "source"),
    ({"name": "x", "source": "concat:a|b"}, "source"),
    ({"name": "x", "source": "/dev/video0"}, "source"),
    ({"name": "x", "source": "rtsp:///nohost"}, "source"),
    ({"name": "x", "source": "rtsp://h/a b"}, "source"),
    ({"name": "x", "timezone": "Mars/Olympus"}, "timezone"),
    ({"name": "x", "timezone": "../../etc/passwd"}, "timezone"),
    ({"name": "x", "plan": "LEVEL_03"}, "plan"),
    ({"name": "x", "tags": [1]}, "tags[0]"),
    ({"name": "x", "colour": "red"}, "colour"),
]


async def test_a_wrong_device_is_refused_with_its_field(embedded: Place) -> None:
    for body, field in WRONG:
        refused = await embedded.client.post(DEVICES, json=body)
        assert refused.status_code == 400
        assert refused.json()["error"]["code"] == "VALIDATION_ERROR"
        assert field in [detail["field"] for detail in refused.json()["error"]["details"]]


async def test_another_accounts_devices_are_as_if_they_were_not_there(place: Place) -> None:
    made = await place.device()
    await make_account(place.workspace, "acme")
    key = await make_key(place.workspace, account="acme")
    async with client_of(place.workspace, key) as stranger:
        for identity in (made["id"], ABSENT):
            address = f"{DEVICES}/{identity}"
            answers = [
                await stranger.get(address),
                await stranger.patch(address, json={"name": "x"}),
                await stranger.delete(address),
                await stranger.get(f"{address}/snapshot"),
            ]
            said = {one.text.replace(identity, "") for one in answers}
            assert {one.status_code for one in answers} == {404}
            assert all("後門" not in text for text in said)
        assert (await stranger.get(DEVICES)).json()["data"] == []
    assert (await place.client.get(f"{DEVICES}/{made['id']}")).status_code == 200


async def test_keys_do_what_their_scopes_and_devices_allow(embedded: Place) -> None:
    first, second = await embedded.device(), await embedded.device()
    reading = await make_key(embedded.workspace, "devices:read")
    async with client_of(embedded.workspace, reading) as client:
        assert (await client.get(f"{DEVICES}/{first['id']}")).status_code == 200
        assert (await client.post(DEVICES, json={"name": "x"})).status_code == 403
        assert (await client.delete(f"{DEVICES}/{first['id']}")).status_code == 403
    limited = await make_key(
        embedded.workspace, "devices:read", "devices:write", devices=[first["id"]]
    )
    async with client_of(embedded.workspace, limited) as client:
        listed = (await client.get(DEVICES)).json()
        assert [device["id"] for device in listed["data"]] == [first["id"]]
        assert (await client.get(f"{DEVICES}/{second['id']}")).status_code == 404
        assert (await client.post(DEVICES, json={"name": "x"})).status_code == 403
    analytics = await make_key(embedded.workspace, "analytics:read")
    async with client_of(embedded.workspace, analytics) as client:
        assert (await client.get(DEVICES)).status_code == 403


async def test_a_snapshot_shows_what_the_camera_shows_now_and_is_audited(embedded: Place) -> None:
    with RtspServer(auth="digest", still=True) as camera:
        source = camera.address.replace("//", "//admin:s3cret@")
        made = await embedded.device(source=source)
        address = f"{DEVICES}/{made['id']}/snapshot"
        answers = await asyncio.gather(*(embedded.client.get(address) for _ in range(5)))
        assert camera.connections <= 2  # a digest challenge, and the one that shows it
    for shown in answers:
        assert shown.status_code == 200, shown.text
        assert shown.headers["Content-Type"] == "image/jpeg"
        assert shown.headers["X-Snapshot-Origin"] == "live"
        assert shown.headers["X-Snapshot-Time"].endswith("Z")
    image = cv2.imdecode(np.frombuffer(answers[0].content, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    assert np.abs(image.astype(int) - picture(0)).mean() < 12
    account = (await embedded.workspace.database.accounts.default()).account_id
    log, _ = await embedded.workspace.database.accounts.audit_page(
        AuditQuery(account_id=account, limit=100)
    )
    views = [row.entry for row in log if row.entry.action == "evidence.view"]
    assert {view.target_id for view in views} == {made["id"]}


async def test_without_its_camera_a_device_shows_its_newest_stored_picture(
    place: Place, tmp_path: Path
) -> None:
    await fill(place.workspace, tmp_path)
    listed = (await place.client.get(DEVICES)).json()["data"]
    device = next(one for one in listed if one["cameraId"] == "cam01")
    address = f"{DEVICES}/{device['id']}"
    with socket.socket() as unused:  # bound, but nobody listens
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        await place.client.patch(address, json={"source": f"rtsp://127.0.0.1:{port}/x"})
        shown = await place.client.get(f"{address}/snapshot")
        times = []
        # A covered camera shows nothing to draw on, but more than no picture does.
        for event_id in (PACING, INTRUSION):
            async with place.workspace.database._writing() as connection:
                covered = update(EVENTS).where(EVENTS.c.event_id == event_id)
                await connection.execute(covered.values(type="camera_tampered"))
            again = await place.client.get(f"{address}/snapshot")
            times.append(again.headers["X-Snapshot-Time"])
    assert shown.status_code == 200, shown.text
    assert shown.headers["X-Snapshot-Origin"] == "stored"
    assert shown.headers["X-Snapshot-Time"] == "2026-01-15T14:01:00Z"
    assert shown.content[:2] == b"\xff\xd8"
    assert times == ["2026-01-15T14:00:16Z", "2026-01-15T14:01:00Z"]


async def test_a_device_without_any_picture_says_what_to_do(embedded: Place) -> None:
    bare = await embedded.device()
    missing = await embedded.client.get(f"{DEVICES}/{bare['id']}/snapshot")
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "NOT_FOUND")
    assert "address" in missing.json()["message"]
    with HttpCamera() as camera:  # answers, but there is no such stream
        source = camera.address("nothing").replace("//", "//user:s3cret@")
        made = await embedded.device(source=source)
        lost = await embedded.client.get(f"{DEVICES}/{made['id']}/snapshot")
    assert (lost.status_code, lost.json()["error"]["code"]) == (503, "UPSTREAM_UNAVAILABLE")
    assert "s3cret" not in lost.text
