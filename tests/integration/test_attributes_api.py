"""Attributes over HTTP, as the interface's guide shows them, on both databases."""

import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.api import client_of, make_account, make_key, quick

from video_detective.alerts import Alert
from video_detective.attributes import WIRE, AttributeRecord, Attributes
from video_detective.geometry import NS_PER_S
from video_detective.rules import Event
from video_detective.services.workspace import Workspace, open_workspace
from video_detective.storage import CameraRow, RunKey, Step, StoredEvent
from video_detective.storage.attributes.base import AttributeStretch
from video_detective.storage.devices import DeviceChange, DeviceRow, Plan

LIST, STATS = "/api/v1/analysis/attributes", "/api/v1/analysis/insights/attributes/stats"
ABSENT = "0199a2c4-5d10-7c3e-9f00-2b1a6c7d8e90"
EXAMPLE = {
    "female": 8, "male": 7, "ageLess18": 2, "age18To60": 10, "ageOver60": 3,
    "front": 5, "side": 6, "back": 4,
    "hat": 3, "glasses": 4, "handBag": 2, "shoulderBag": 1, "backpack": 3, "holdObjectsInFront": 1,
    "shortSleeve": 6, "longSleeve": 9, "longCoat": 2, "trousers": 8, "shorts": 3, "skirtDress": 4,
    "boots": 1,
    "upperBlack": 4, "upperWhite": 3, "upperRed": 2, "upperPurple": 1, "upperYellow": 2,
    "upperGray": 3,
}  # fmt: skip
"""The guide's own record, to the letter."""
NAMES = {wire: name for name, wire in WIRE.items()}
MOMENT = "2026-02-25T10:30:00Z"


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) * NS_PER_S


@dataclass(frozen=True)
class Place:
    workspace: Workspace
    client: httpx.AsyncClient

    async def device(self, camera: str, plan: Plan = "LEVEL_02") -> DeviceRow:
        database = self.workspace.database
        await database.save_camera(
            CameraRow(camera_id=camera, name=f"{camera} 入口", timezone="Asia/Taipei", document={})
        )
        device = await database.devices.of_camera(None, camera)
        assert device is not None
        await database.devices.change(
            None, device.device_id, DeviceChange(plan=plan), now_ns=1, entry=None
        )
        return device

    async def record(self, camera: str, text: str, persons: int = 15, **counts: int) -> None:
        captured_ns = at(text)
        run = await self.workspace.database.begin_run(
            RunKey(camera_id=camera, fingerprint="f", settings_hash="s"), {}, start_ns=0
        )
        record = AttributeRecord(
            captured_ns=captured_ns,
            total_persons=persons,
            attributes=Attributes(**{NAMES[wire]: count for wire, count in counts.items()}),
            source="onnx",
        )
        stretch = AttributeStretch(
            spans=((captured_ns, captured_ns),),
            records=(record,),
            node_id="0199a2c4-5d10-7c3e-9f00-000000000001",
            stored_ns=captured_ns,
        )
        await self.workspace.database.commit_step(run, Step(checkpoint=b"", attributes=stretch))

    async def insight(self, camera: str, text: str = MOMENT) -> str:
        time_ns = at(text)
        event = Event(
            event_id=f"evt_20260225_{camera}_0001",
            camera_id=camera,
            type="crowding",
            risk_level="high",
            rule_id="queue",
            start_ns=time_ns,
            established_ns=time_ns,
            end_ns=time_ns,
            frames=(0, 0),
        )
        alert = Alert(
            event_id=event.event_id,
            camera_id=camera,
            alert_rule="every-event",
            kind="metric",
            metric_path="zones.queue.count",
            operator="GT",
            threshold=10,
            actual_value=15,
            severity="critical",
            message="Queue length exceeded threshold: 15 > 10",
            triggered_ns=time_ns,
        )
        run = await self.workspace.database.begin_run(
            RunKey(camera_id=camera, fingerprint="f", settings_hash="s"), {}, start_ns=0
        )
        await self.workspace.database.commit_step(
            run, Step(checkpoint=b"", events=[StoredEvent(event=event)], alerts=[alert])
        )
        return await self.insight_id(event.event_id)

    async def insight_id(self, event_id: str) -> str:
        listed = await self.client.get("/api/v1/analysis/insights")
        assert listed.status_code == 200, listed.text
        return str(listed.json()["data"][0]["id"])

    async def get(self, address: str, status: int = 200, /, **query: Any) -> Any:
        answer = await self.client.get(address, params=query)
        body = answer.json()
        assert (answer.status_code, body["statusCode"]) == (status, status), answer.text
        assert body["success"] is (status == 200)
        return body if status == 200 else (body["error"]["code"], body["message"])


@asynccontextmanager
async def place_at(folder: Path, url: str | None = None) -> AsyncIterator[Place]:
    async with open_workspace(folder, url) as opened:
        workspace = quick(opened)
        async with client_of(workspace, await make_key(workspace)) as client:
            yield Place(workspace, client)


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
    async with place_at(tmp_path) as opened:
        yield opened


async def test_the_records_of_an_insight_are_those_of_thirty_seconds_around_it(
    place: Place,
) -> None:
    await place.device("cam01")
    insight_id = await place.insight("cam01")
    for text in ("10:29:29", "10:29:30", "10:29:55", "10:30:30", "10:30:31"):
        await place.record("cam01", f"2026-02-25T{text}Z", **EXAMPLE)

    body = await place.get(f"/api/v1/analysis/insights/{insight_id}/attributes")

    assert [record["capturedAt"][11:19] for record in body["data"]] == [
        "10:29:30", "10:29:55", "10:30:30",
    ]  # fmt: skip
    example = body["data"][1]
    assert example == {
        "id": example["id"],
        "capturedAt": "2026-02-25T10:29:55Z",
        "totalPersons": 15,
        "attributes": EXAMPLE,
    }
    assert list(example["attributes"]) == list(EXAMPLE)


async def test_an_insight_says_that_it_has_attributes_and_which(embedded: Place) -> None:
    await embedded.device("cam01")
    insight_id = await embedded.insight("cam01")
    await embedded.record("cam01", "2026-02-25T10:29:55Z", **EXAMPLE)

    listed = (await embedded.get("/api/v1/analysis/insights", hasAttributes="true"))["data"]

    assert [insight["id"] for insight in listed] == [insight_id]
    assert listed[0]["hasAttributes"] is True
    assert listed[0]["attributesSummary"] == {
        "totalPersons": 15,
        "genderDistribution": {"female": 8, "male": 7},
    }


async def test_statistics_have_the_guides_form(place: Place) -> None:
    await place.device("cam01")
    await place.record("cam01", "2026-02-25T08:10:00Z", **EXAMPLE)
    await place.record("cam01", "2026-02-25T08:50:00Z", **EXAMPLE)
    await place.record("cam01", "2026-02-25T09:00:00Z", 1, female=1, male=0)

    query = {"startDate": "2026-02-25T08:00:00Z", "endDate": "2026-02-25T10:00:00Z"}
    data = (await place.get(STATS, **query))["data"]

    timeline = data.pop("timeline")
    assert data == {
        "totalRecords": 3,
        "totalPersons": 31,
        "genderDistribution": {"female": 17, "male": 14},
        "ageDistribution": {"ageLess18": 4, "age18To60": 20, "ageOver60": 6},
    }
    assert [(one["timestamp"], one["personCount"]) for one in timeline] == [
        ("2026-02-25T08:00:00Z", 30),
        ("2026-02-25T09:00:00Z", 1),
    ]
    assert timeline[0]["attributes"] == {name: 2 * count for name, count in EXAMPLE.items()}
    assert timeline[1]["attributes"]["hat"] is None


async def test_days_are_those_of_the_accounts_clock(place: Place) -> None:
    await place.device("cam01")
    for text in ("2026-02-24T15:59:00Z", "2026-02-24T16:00:00Z", "2026-02-25T15:59:00Z"):
        await place.record("cam01", text, 1)

    query = {"startDate": "2026-02-24", "endDate": "2026-02-26", "groupBy": "day"}
    body = await place.get(STATS, **query)

    days = [("2026-02-23T16:00:00Z", 1), ("2026-02-24T16:00:00Z", 2)]
    told = [(one["timestamp"], one["personCount"]) for one in body["data"]["timeline"]]
    assert told == days
    # The longest period that can be asked for, with every change of clocks within it.
    longest = {"startDate": "2020-01-01", "endDate": "2030-01-07", "groupBy": "day"}
    assert (await place.get(STATS, **longest))["data"] == body["data"]


async def test_a_period_without_records_is_empty_not_missing(embedded: Place) -> None:
    await embedded.device("cam01")

    query = {"startDate": "2026-02-24T00:00:00Z", "endDate": "2026-02-25T00:00:00Z"}
    data = (await embedded.get(STATS, **query))["data"]

    assert data == {
        "totalRecords": 0,
        "totalPersons": 0,
        "genderDistribution": {"female": None, "male": None},
        "ageDistribution": {"ageLess18": None, "age18To60": None, "ageOver60": None},
        "timeline": [],
    }


async def test_records_are_listed_in_pages_newest_first_and_found_by_id(place: Place) -> None:
    device = await place.device("cam01")
    for minute in range(5):
        await place.record("cam01", f"2026-02-25T10:{minute:02}:00Z", **EXAMPLE)

    first = await place.get(LIST, limit=2)
    second = await place.get(LIST, limit=2, page=2)
    after = await place.get(LIST, limit=2, cursor=first["meta"]["pagination"]["nextCursor"])

    pagination = dict(first["meta"]["pagination"])
    pagination.pop("nextCursor")
    assert pagination == {"page": 1, "limit": 2, "total": 5, "totalPages": 3}
    assert [one["capturedAt"][14:16] for one in first["data"]] == ["04", "03"]
    assert after["data"] == second["data"]
    listed = first["data"][0]
    assert (listed["deviceId"], listed["deviceName"]) == (device.device_id, "cam01 入口")
    one = (await place.get(f"{LIST}/{listed['id']}"))["data"]
    assert one == {
        **listed,
        "computeNodeId": "0199a2c4-5d10-7c3e-9f00-000000000001",
        "userId": None,
        "updatedAt": "2026-02-25T10:04:00Z",
    }


async def test_filters_narrow_and_ranges_end_before_their_end(place: Place) -> None:
    devices = [await place.device(camera) for camera in ("cam01", "cam02")]
    for camera in ("cam01", "cam02"):
        for minute in range(3):
            await place.record(camera, f"2026-02-25T10:{minute:02}:00Z", minute + 1)
    rows = (await place.get(LIST, deviceId=devices[1].device_id))["data"]
    assert {row["deviceName"] for row in rows} == {"cam02 入口"}
    scene_id = rows[0]["sceneId"]

    # Without an offset: the device's clock, eight hours ahead.
    query = {"startDate": "2026-02-25T18:00:00", "endDate": "2026-02-25T10:02:00Z"}
    by_scene = await place.get(LIST, sceneId=scene_id, **query)

    assert [row["totalPersons"] for row in by_scene["data"]] == [2, 1]
    assert by_scene["meta"]["timezone"] == "Asia/Taipei"
    sums = await place.get(STATS, sceneId=scene_id, **query)
    data = sums["data"]
    assert (data["totalRecords"], data["totalPersons"]) == (2, 3)
    assert sums["meta"]["timezone"] == "Asia/Taipei"
    assert "timezone" not in (await place.get(LIST))["meta"]  # nothing was read in any


async def test_devices_of_level_01_are_refused_alone_and_left_out_together(place: Place) -> None:
    low, high = await place.device("cam01", "LEVEL_01"), await place.device("cam02")
    for camera in ("cam01", "cam02"):
        await place.record(camera, MOMENT)
    insight_id = await place.insight("cam01")
    refused = ("FORBIDDEN", "Attributes feature requires LEVEL_02 plan")
    period = {"startDate": "2026-02-25T00:00:00Z", "endDate": "2026-02-26T00:00:00Z"}

    assert await place.get(LIST, 403, deviceId=low.device_id) == refused
    assert await place.get(STATS, 403, deviceId=low.device_id, **period) == refused
    address = f"/api/v1/analysis/insights/{insight_id}/attributes"
    assert await place.get(address, 403) == refused
    rows = (await place.get(LIST))["data"]
    assert [row["deviceId"] for row in rows] == [high.device_id]
    assert (await place.get(STATS, **period))["data"]["totalRecords"] == 1
    await place.device("cam02", "LEVEL_01")
    assert await place.get(f"{LIST}/{rows[0]['id']}", 403) == refused


WRONG: list[tuple[str, dict[str, Any], str]] = [
    (STATS, {}, "startDate"),
    (STATS, {"startDate": "2026-02-25T00:00:00Z"}, "endDate"),
    (STATS, {"startDate": "yesterday", "endDate": "2026-02-25"}, "startDate"),
    (STATS, {"startDate": "2026-02-26", "endDate": "2026-02-25"}, "endDate"),
    (STATS, {"startDate": "2020-01-01", "endDate": "2026-02-25"}, "groupBy"),
    (STATS, {"startDate": "2026-02-24", "endDate": "2026-02-25", "groupBy": "week"}, "groupBy"),
    (STATS, {"startDate": "1970-01-02", "endDate": "2255-01-01", "groupBy": "day"}, "endDate"),
    (LIST, {"deviceId": "7"}, "deviceId"),
    (LIST, {"sceneId": "x"}, "sceneId"),
    (LIST, {"limit": 101}, "limit"),
    (LIST, {"cursor": "!"}, "cursor"),
    (LIST, {"startDate": "9999-99-99"}, "startDate"),
    (LIST, {"device": ABSENT}, "device"),
    (f"{LIST}/7", {}, "id"),
    ("/api/v1/analysis/insights/7/attributes", {}, "id"),
]


async def test_what_cannot_be_meant_is_refused_with_its_field(embedded: Place) -> None:
    for address, query, field in WRONG:
        answer = await embedded.client.get(address, params=query)

        assert answer.status_code == 400, answer.text
        assert answer.json()["error"]["code"] == "VALIDATION_ERROR"
        assert re.search(rf"\b{field}\b", answer.text)


async def test_what_is_another_accounts_is_as_if_it_were_not_there(place: Place) -> None:
    device = await place.device("cam01")
    await place.record("cam01", MOMENT)
    insight_id = await place.insight("cam01")
    row = (await place.get(LIST))["data"][0]
    await make_account(place.workspace, "other")
    other = await make_key(place.workspace, account="other")
    period = {"startDate": "2026-02-25T00:00:00Z", "endDate": "2026-02-26T00:00:00Z"}

    async with client_of(place.workspace, other) as client:
        theirs = Place(place.workspace, client)
        assert (await theirs.get(LIST))["meta"]["pagination"]["total"] == 0
        assert (await theirs.get(STATS, **period))["data"]["totalRecords"] == 0
        for address, query in (
            (f"{LIST}/{row['id']}", {}),
            (f"/api/v1/analysis/insights/{insight_id}/attributes", {}),
            (LIST, {"deviceId": device.device_id}),
            (LIST, {"sceneId": row["sceneId"]}),
            (STATS, {"deviceId": device.device_id, **period}),
        ):
            code, message = await theirs.get(address, 404, **query)
            absent = address.replace(row["id"], ABSENT).replace(insight_id, ABSENT)
            hidden = {
                key: ABSENT if key in ("deviceId", "sceneId") else value
                for key, value in query.items()
            }
            same = await theirs.get(absent, 404, **hidden)
            assert code == same[0] == "NOT_FOUND"
            own = re.compile("[0-9a-f-]{36}")
            assert own.sub("", message) == own.sub("", same[1])


async def test_a_key_without_the_scope_may_not_read(embedded: Place) -> None:
    key = await make_key(embedded.workspace, "devices:read")
    async with client_of(embedded.workspace, key) as client:
        assert (await client.get(LIST)).status_code == 403
