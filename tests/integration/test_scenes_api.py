"""Scenes over HTTP: the same document as in the rules file, in versions."""

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.api import client_of, make_account, make_key, quick

from video_detective import config
from video_detective.api.v1.scenes import EXAMPLE_DOCUMENT
from video_detective.services.workspace import Workspace, open_workspace
from video_detective.storage import CameraRow

ABSENT = "0199a2c4-5d10-7c3e-9f00-2b1a6c7d8e90"


@dataclass(frozen=True)
class Place:
    """A workspace and somebody who may do everything in it."""

    workspace: Workspace
    client: httpx.AsyncClient

    async def device(self, name: str = "後門") -> str:
        made = await self.client.post("/api/v1/devices", json={"name": name})
        assert made.status_code == 201, made.text
        return str(made.json()["data"]["id"])

    async def scene(self, **fields: Any) -> dict[str, Any]:
        body = {"deviceId": await self.device(), "document": EXAMPLE_DOCUMENT, **fields}
        made = await self.client.post("/api/v1/scenes", json=body)
        assert made.status_code == 201, made.text
        return dict(made.json()["data"])


@pytest.fixture(params=["sqlite", "postgresql"])
async def place(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Place]:
    url = None
    if request.param == "postgresql":
        create: Callable[[], str] = request.getfixturevalue("new_postgres_database")
        url = create()
    async with open_workspace(tmp_path, url) as opened:
        workspace = quick(opened)
        async with client_of(workspace, await make_key(workspace, name="mei")) as client:
            yield Place(workspace, client)


async def test_a_scene_is_given_changed_listed_restored_and_taken_away(place: Place) -> None:
    scene = await place.scene()
    address = f"/api/v1/scenes/{scene['id']}"
    assert (scene["version"], scene["name"], scene["author"]) == (1, "後門", "mei")
    assert scene["document"]["rules"][0]["schedule"] == ["22:00-06:00"]
    smaller = {"zones": EXAMPLE_DOCUMENT["zones"]}
    body = {"document": smaller, "baseVersion": 1, "note": "no rules", "name": "後院"}
    changed = (await place.client.patch(address, json=body)).json()["data"]
    assert (changed["version"], changed["note"], changed["name"]) == (2, "no rules", "後院")
    assert changed["document"]["rules"] == []
    late = await place.client.patch(address, json=body)
    assert (late.status_code, late.json()["error"]["code"]) == (409, "CONFLICT")
    listed = (await place.client.get(f"{address}/versions")).json()
    assert [(v["version"], v["note"]) for v in listed["data"]] == [(2, "no rules"), (1, "")]
    assert listed["meta"]["pagination"]["total"] == 2
    assert "document" not in listed["data"][0]
    newest = (await place.client.get(f"{address}/versions?limit=1")).json()
    cursor = newest["meta"]["pagination"]["nextCursor"]
    older = (await place.client.get(f"{address}/versions?cursor={cursor}")).json()
    assert [one["data"][0]["version"] for one in (newest, older)] == [2, 1]
    for strange in ("", "0", "3", "-1", "x", scene["id"]):
        refused = await place.client.get(f"{address}/versions", params={"cursor": strange})
        assert refused.status_code == 400, strange
        assert [one["field"] for one in refused.json()["error"]["details"]] == ["cursor"]
    first = (await place.client.get(f"{address}/versions/1")).json()["data"]
    assert first["document"] == scene["document"]
    back = await place.client.post(f"{address}/versions/1/restore")
    assert back.json()["data"]["version"] == 3
    assert back.json()["data"]["document"] == scene["document"]
    assert (await place.client.get(address)).json()["data"] == back.json()["data"]
    of_device = await place.client.get("/api/v1/scenes", params={"deviceId": scene["deviceId"]})
    assert [one["id"] for one in of_device.json()["data"]] == [scene["id"]]
    assert (await place.client.delete(address)).json()["data"] == {"id": scene["id"]}
    assert (await place.client.get(address)).status_code == 404
    device = (await place.client.get(f"/api/v1/devices/{scene['deviceId']}")).json()["data"]
    assert device["sceneId"] is None
    again = await place.client.post(
        "/api/v1/scenes", json={"deviceId": scene["deviceId"], "document": smaller}
    )
    assert again.status_code == 201
    assert again.json()["data"]["version"] == 5  # the empty one that ended the last was the fourth


async def test_what_is_read_can_be_sent_back_and_makes_no_version(place: Place) -> None:
    scene = await place.scene()
    address = f"/api/v1/scenes/{scene['id']}"
    again = await place.client.patch(address, json={"document": scene["document"]})
    assert again.status_code == 200, again.text
    assert again.json()["data"]["version"] == 1


async def test_the_document_of_a_file_and_of_the_interface_are_one_schema(place: Place) -> None:
    document = config.parse(_RULES)
    for camera_id, camera in document.cameras.items():
        await place.workspace.database.save_camera(
            CameraRow(
                camera_id=camera_id,
                name=camera.name or camera_id,
                timezone=camera.timezone,
                document=camera.model_dump(mode="json"),
            )
        )
    for scene in (await place.client.get("/api/v1/scenes")).json()["data"]:
        assert scene["author"] == "command line"
        address = f"/api/v1/scenes/{scene['id']}"
        same = await place.client.patch(address, json={"document": scene["document"]})
        assert same.status_code == 200, same.text
        assert same.json()["data"]["version"] == 1


async def test_a_new_version_is_what_an_analysis_reads(place: Place) -> None:
    scene = await place.scene()
    device = (await place.client.get(f"/api/v1/devices/{scene['deviceId']}")).json()["data"]
    assert (device["sceneId"], device["sceneVersion"]) == (scene["id"], 1)
    places = await place.workspace.places()
    info = places.device(device["cameraId"])
    assert info is not None
    assert (info.scene_id, info.scene_version) == (scene["id"], 1)
    assert [zone.id for zone in places.scene(device["cameraId"]).zones] == ["yard"]
    await place.client.patch(f"/api/v1/scenes/{scene['id']}", json={"document": {}})
    places = await place.workspace.places()
    info = places.device(device["cameraId"])
    assert info is not None
    assert info.scene_version == 2
    assert places.scene(device["cameraId"]).zones == ()


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"rules": [{"id": "r", "type": "intrusion", "zone": "no"}]}, "document.rules[0].zone"),
    ({"rules": [{"id": "r", "type": "nope"}]}, "document.rules[0]"),
    ({"zones": {"a b": {"points": [[0, 0], [1, 0], [1, 1]]}}}, "document.zones.a b"),
    ({"zones": {"a": {"points": [[0, 0], [1, 0], [2, 2]]}}}, "document.zones.a.points[2]"),
    ({"alerts": [{"id": "a", "rules": ["r"]}]}, "document.alerts[0].rules[0]"),
    ({"alerts": [{"id": "a", "types": ["dance"]}]}, "document.alerts[0].types[0]"),
    ({"alerts": [{"id": "a"}, {"id": "a"}]}, "document.alerts[1].id"),
    ({"alerts": [{"id": "a", "cooldown_s": -1}]}, "document.alerts[0].cooldown_s"),
    ({"alerts": [{"id": "a", "severity": "mild"}]}, "document.alerts[0].severity"),
    ({"alerts": [{"id": "a", "schedule": "25:00-1"}]}, "document.alerts[0].schedule"),
    ({"attributes": {"every_s": -2}}, "document.attributes.every_s"),
    ({"detection": {"model": "/etc/passwd"}}, "document.detection.model"),
    ({"attributes": {"model": "../../x.onnx"}}, "document.attributes.model"),
    ({"timezone": "UTC"}, "document.timezone"),
    ({"frame_size": [10**40, 3]}, "document.frame_size"),
    ({"sampling": {"fps": 1e999}}, "document"),
]


async def test_a_document_that_cannot_be_meant_is_refused_with_its_field(place: Place) -> None:
    scene = await place.scene()
    address = f"/api/v1/scenes/{scene['id']}"
    as_json = {"Content-Type": "application/json"}
    for document, field in WRONG:
        content = json.dumps({"document": document})
        refused = await place.client.patch(address, content=content, headers=as_json)
        body = refused.json()
        assert refused.status_code == 400, refused.text
        assert body["error"]["code"] == "VALIDATION_ERROR"
        assert field in [detail["field"] for detail in body["error"]["details"]]
    assert (await place.client.get(address)).json()["data"]["version"] == 1


async def test_another_accounts_scenes_are_as_if_they_were_not_there(place: Place) -> None:
    scene = await place.scene()
    await make_account(place.workspace, "acme")
    key = await make_key(place.workspace, account="acme")
    async with client_of(place.workspace, key) as stranger:
        for identity in (scene["id"], ABSENT):
            address = f"/api/v1/scenes/{identity}"
            answers = [
                await stranger.get(address),
                await stranger.patch(address, json={"document": {}}),
                await stranger.delete(address),
                await stranger.get(f"{address}/versions"),
                await stranger.get(f"{address}/versions/1"),
                await stranger.post(f"{address}/versions/1/restore"),
                await stranger.post(
                    f"{address}/dry-run",
                    json={"from": "2026-01-15T00:00:00Z", "to": "2026-01-15T01:00:00Z"},
                ),
            ]
            assert {one.status_code for one in answers} == {404}
        assert (await stranger.get("/api/v1/scenes")).json()["data"] == []
        other = await stranger.post("/api/v1/scenes", json={"deviceId": scene["deviceId"]})
        assert other.status_code == 404


async def test_reading_keys_cannot_change_and_limited_ones_see_only_theirs(place: Place) -> None:
    scene, other = await place.scene(), await place.scene()
    reading = await make_key(place.workspace, "devices:read", devices=[scene["deviceId"]])
    async with client_of(place.workspace, reading) as client:
        listed = (await client.get("/api/v1/scenes")).json()
        assert [one["id"] for one in listed["data"]] == [scene["id"]]
        assert listed["meta"]["pagination"]["total"] == 1
        assert (await client.get(f"/api/v1/scenes/{other['id']}")).status_code == 404
        refused = await client.patch(f"/api/v1/scenes/{scene['id']}", json={"name": "x"})
        assert refused.status_code == 403


_RULES = """
schema_version: 1
cameras:
  cam01:
    name: 後門
    frame_size: [640, 360]
    zones: {yard: {points: [[0, 0], [320, 0], [320, 180]]}}
    tripwires: {fence: {points: [[0, 90], [640, 90]], directions: {left_to_right: 進}}}
    rules:
      - {id: a, type: intrusion, zone: yard, schedule: [{days: [mon, fri], hours: "22:00-06:00"}]}
      - {id: b, type: loitering, zone: yard, min_seconds: {person: 20}}
      - {id: c, type: metric, metric: zones.yard.count, threshold: 3}
    alerts:
      - {id: night, rules: [a], schedule: "22:00-06:00", severity: critical, cooldown_s: 30}
    attributes: {every_s: 5}
"""
