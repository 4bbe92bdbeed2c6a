"""Events and tracks of version 1, on both databases."""

from __future__ import annotations

import asyncio
import gc
import io
import json
import re
import subprocess
import zipfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, get_args

import httpx
import pytest
from starlette.types import Message
from tests.api import app_over, client_of, make_account, make_key
from tests.service import INTRUSION, PACING, PARKED, START_NS, fill

from video_detective.api.v1 import events
from video_detective.rules import EVENT_TYPES
from video_detective.services.workspace import Workspace, open_workspace
from video_detective.storage import PointRow, RunKey, Step, TrackRow
from video_detective.storage.accounts.audit import AuditQuery
from video_detective.tracking import Track

SECOND = 10**9


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/store/video-detective.db"
    create: Callable[[], str] = request.getfixturevalue("new_postgres_database")
    return create()


@pytest.fixture
async def workspace(url: str, tmp_path: Path) -> AsyncIterator[Workspace]:
    async with open_workspace(tmp_path, url) as opened:
        await fill(opened, tmp_path, extra=4)
        yield opened


@pytest.fixture
async def http(workspace: Workspace) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(workspace, await make_key(workspace, "analytics:read")) as client:
        yield client


async def device_of(workspace: Workspace, camera_id: str) -> str:
    return (await workspace.database.devices.infos())[camera_id].device_id


async def data_of(http: httpx.AsyncClient, address: str, **query: Any) -> Any:
    answer = await http.get(address, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


async def ids_of(http: httpx.AsyncClient, **query: Any) -> list[str]:
    return [event["eventId"] for event in await data_of(http, "/api/v1/events", **query)]


async def test_events_are_filtered_and_paged(workspace: Workspace, http: httpx.AsyncClient) -> None:
    everything = await ids_of(http)
    assert len(everything) == 7
    assert everything[-3:] == [PARKED, PACING, INTRUSION]  # the newest first
    assert await ids_of(http, deviceId=await device_of(workspace, "cam02")) == [PARKED]
    assert await ids_of(http, type="pacing") == [PACING]
    assert await ids_of(http, riskLevel="critical") == [INTRUSION]
    assert await ids_of(http, riskLevel="low", type="pacing") == []
    # Without offset: the account's zone, or the device's. The end is not part of a range.
    assert await ids_of(http, endDate="2026-01-15T22:00:40") == [INTRUSION]
    assert await ids_of(http, startDate="2026-01-15T14:00:17Z", endDate="2026-01-15T14:01:10Z") == [
        PACING
    ]
    pages = [await ids_of(http, limit=3, page=page) for page in (1, 2, 3, 4)]
    assert [len(page) for page in pages] == [3, 3, 1, 0]
    assert [event for page in pages for event in page] == everything
    first = await http.get("/api/v1/events", params={"limit": 5})
    pagination = first.json()["meta"]["pagination"]
    assert (pagination["total"], pagination["totalPages"]) == (7, 2)
    assert await ids_of(http, limit=5, cursor=pagination["nextCursor"]) == everything[5:]


async def test_an_event_has_its_facts_device_and_links_that_open(
    workspace: Workspace, http: httpx.AsyncClient
) -> None:
    event = await data_of(http, f"/api/v1/events/{INTRUSION}")

    events.Event.model_validate(event)
    (listed,) = await data_of(http, "/api/v1/events", riskLevel="critical")
    assert {**listed, "clipLink": "", "frameLinks": [], "media": [], "evidence": []} == {
        **event, "clipLink": "", "frameLinks": [], "media": [], "evidence": [],
    }  # fmt: skip
    assert event["deviceId"] == await device_of(workspace, "cam01")
    assert event["sceneId"]
    assert (event["startTime"], event["endTime"]) == (
        "2026-01-15T14:00:10Z",
        "2026-01-15T14:00:16Z",
    )
    assert event["facts"] == {"dwell_s": 6}
    assert len(event["frameLinks"]) == 2
    async with client_of(workspace) as nobody:  # whoever has a link needs no key
        for link in [event["clipLink"], *event["frameLinks"], event["evidence"][0]["frameLink"]]:
            assert (await nobody.get(link)).status_code == 200
        assert (await nobody.get(f"/api/v1/events/{INTRUSION}")).status_code == 401


async def test_facts_stand_beside_what_the_rule_asks_of_them(http: httpx.AsyncClient) -> None:
    event = await data_of(http, f"/api/v1/events/{INTRUSION}")
    (stay,) = event["measures"]
    assert (stay["name"], stay["text"], stay["limit"]["text"]) == ("停留時間", "6 秒", "至少 1 秒")
    assert (stay["value"], stay["unit"], stay["limit"]["value"]) == (6.0, "s", 1.0)
    # The fixture's clip begins with the event.
    assert event["clipSpans"] == [
        {"startTime": "2026-01-15T14:00:10Z", "endTime": "2026-01-15T14:00:18Z"}
    ]


async def test_an_export_checks_with_sha256sum_and_can_be_read(
    workspace: Workspace, http: httpx.AsyncClient, tmp_path: Path
) -> None:
    answer = await http.get(f"/api/v1/events/{INTRUSION}/export", params={"lang": "en"})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/zip"
    assert f'filename="evidence-{INTRUSION}.zip"' in answer.headers["content-disposition"]
    folder = tmp_path / "unpacked"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert all(re.fullmatch(r"[\w./-]{1,80}", name) for name in archive.namelist())
        archive.extractall(folder)
    subprocess.run(["sha256sum", "-c", "--strict", "SHA256SUMS"], cwd=folder, check=True)
    summed = (folder / "SHA256SUMS").read_text().split()[1::2]
    assert {"event.json", "event.html", "clip.mp4"} <= set(summed)
    assert sum(name.startswith("frames/") for name in summed) == 4
    record = json.loads((folder / "event.json").read_text("utf-8"))
    assert record["event_id"] == INTRUSION
    shown = [item["frame_link"] for item in record["evidence"]]
    assert record["frame_links"] == shown
    for name in (record["clip_link"], *shown, *(item["file"] for item in record["media"])):
        assert (folder / name).is_file()
    page = (folder / "event.html").read_text("utf-8")
    assert record["summary_en"] in page
    assert "at least 1 s" in page
    assert page.count("data:image/jpeg") == 2
    assert "<script" not in page
    assert "://" not in page
    again = await http.get(f"/api/v1/events/{INTRUSION}/export", params={"lang": "en"})
    assert again.content == answer.content
    account = await workspace.database.accounts.default()
    query = AuditQuery(account_id=account.account_id, limit=10)
    log, _ = await workspace.database.accounts.audit_page(query)
    exports = [row.entry for row in log if row.entry.action == "evidence.export"]
    assert [(entry.target_id, entry.details["lang"]) for entry in exports] == [
        (INTRUSION, "en")
    ] * 2


async def test_an_export_says_what_is_no_longer_sound(
    workspace: Workspace, http: httpx.AsyncClient
) -> None:
    stored = await workspace.database.event(PACING)
    assert stored is not None
    clip = next(row for row in stored.evidence if row.kind == "clip")
    first = next(row for row in stored.evidence if row.kind == "original")
    workspace.blobs.path(clip.sha256, ".mp4").unlink()
    workspace.blobs.path(first.sha256, ".jpg").write_bytes(b"something else")

    answer = await http.get(f"/api/v1/events/{PACING}/export")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        absent = json.loads(archive.read("manifest.json"))["absent"]
        page = archive.read("event.html").decode()
        assert not set(absent) & set(archive.namelist())
        assert json.loads(archive.read("event.json"))["clip_link"] is None
    assert absent.pop("clip.mp4") == "missing"
    assert set(absent.values()) == {"altered"}
    assert "因此未放入" in page
    assert (await http.get("/api/v1/events/evt_20990101_cam01_0001/export")).status_code == 404


async def test_an_export_that_nobody_waits_for_leaves_no_file_open(workspace: Workspace) -> None:
    app, key = app_over(workspace), await make_key(workspace, "analytics:read")
    path = f"/api/v1/events/{INTRUSION}/export"
    scope = {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1",
        "method": "GET", "scheme": "http", "path": path, "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"host", b"localhost"), (b"authorization", f"Bearer {key}".encode())],
        "client": ("127.0.0.1", 1), "server": ("test", 80), "root_path": "",
    }  # fmt: skip
    asked: list[Message] = [{"type": "http.request", "body": b"", "more_body": False}]
    sent: list[Message] = []

    async def receive() -> Message:
        return asked.pop() if asked else {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(dict(scope), receive, send)
    whole = sum(len(message.get("body", b"")) for message in sent)
    assert sent[0]["status"] == 200
    assert whole < 4096, "it was sent to nobody"
    # The service ends, sooner or later.
    for turns in (5, 20, 40, 60, 80, 100, 150, 200, 400):
        request = asyncio.create_task(app(dict(scope), receive, send))
        for _ in range(turns):
            await asyncio.sleep(0.0002)
        request.cancel()
        await asyncio.gather(request, return_exceptions=True)
    await asyncio.get_running_loop().shutdown_default_executor()
    await asyncio.sleep(0)
    gc.collect()  # a file that was left open is a warning, and that is a failure


async def test_events_and_tracks_of_others_are_not_there(workspace: Workspace) -> None:
    await make_account(workspace, "elsewhere")
    device = await device_of(workspace, "cam01")
    period = {"startDate": "2026-01-15T14:00:00Z", "endDate": "2026-01-15T15:00:00Z"}
    async with client_of(workspace, await make_key(workspace, account="elsewhere")) as other:
        assert await data_of(other, "/api/v1/events") == []
        for address in (
            f"/api/v1/events/{INTRUSION}",
            f"/api/v1/events/{INTRUSION}/export",
            f"/api/v1/events?deviceId={device}",
            f"/api/v1/tracks?deviceId={device}&{httpx.QueryParams(period)}",
        ):
            assert (await other.get(address)).status_code == 404
    only = await make_key(workspace, devices=[await device_of(workspace, "cam02")])
    async with client_of(workspace, only) as limited:
        assert await ids_of(limited) == [PARKED]
        assert (await limited.get(f"/api/v1/events/{INTRUSION}")).status_code == 404


WRONG = {
    "type": "party",
    "riskLevel": "huge",
    "startDate": "yesterday",
    "endDate": "2026-02-30T00:00:00Z",
    "deviceId": "cam01",
    "cursor": "abc",
    "limit": "0",
    "colour": "red",
}


async def test_a_body_that_is_no_json_is_refused_as_a_whole(http: httpx.AsyncClient) -> None:
    answer = await http.post(
        "/api/v1/analysis/insights/search",
        content=b'{"query": 5',
        headers={"Content-Type": "application/json"},
    )

    assert answer.status_code == 400
    (problem,) = answer.json()["error"]["details"]
    assert (problem["field"], problem["reason"]) == ("body", "json_invalid")


async def test_what_cannot_be_meant_is_named(http: httpx.AsyncClient) -> None:
    for field, value in WRONG.items():
        answer = await http.get("/api/v1/events", params={field: value})

        assert answer.status_code == 400
        (problem,) = answer.json()["error"]["details"]
        assert problem["field"] == field
        if field.endswith("Date"):
            assert field not in problem["problem"]  # named once is enough


async def track(workspace: Workspace) -> None:
    """Three persons of cam01, each a second later and seen five times."""
    key = RunKey(camera_id="cam01", fingerprint="other film", settings_hash="s")
    run = await workspace.database.begin_run(key, {}, START_NS)
    tracks, points = [], []
    for n in range(3):
        first_ns = START_NS + n * SECOND
        name = f"p{70 + n}"
        tracks.append(
            TrackRow(
                track_id=name,
                type="person",
                first_ns=first_ns,
                last_ns=first_ns + 4 * SECOND,
                best_conf=0.875,
            )
        )
        points += [
            PointRow(
                time_ns=first_ns + k * SECOND,
                frame=10 * (n + k),
                track=Track(track_id=name, type="person", conf=0.5, bbox=(k, 2.0, 30.0, 40.0)),
            )
            for k in range(5)
        ]
    await workspace.database.commit_step(run, Step(checkpoint=b"1", tracks=tracks, points=points))
    await workspace.database.finish_run(run, {})


async def test_tracks_come_in_pages_with_their_places_where_asked(
    workspace: Workspace, http: httpx.AsyncClient
) -> None:
    await track(workspace)
    query = {
        "deviceId": await device_of(workspace, "cam01"),
        "startDate": "2026-01-15T22:00:01",
        "endDate": "2026-01-15T14:00:03Z",
    }
    plain = await http.get("/api/v1/tracks", params={**query, "limit": 2})
    shown = plain.json()["data"]
    assert [item["trackId"] for item in shown] == ["p70", "p71"]
    assert shown[0]["points"] is None
    assert (shown[0]["firstSeen"], shown[0]["bestConfidence"]) == ("2026-01-15T14:00:00Z", 0.875)
    pagination = plain.json()["meta"]["pagination"]
    assert pagination["total"] == 3
    (last,) = await data_of(
        http, "/api/v1/tracks", **query, points=True, cursor=pagination["nextCursor"]
    )
    assert last["trackId"] == "p72"
    assert last["points"] == [
        {
            "time": "2026-01-15T14:00:02Z",
            "frame": 20,
            "confidence": 0.5,
            "bbox": [0.0, 2.0, 30.0, 40.0],
        }
    ]


async def test_a_range_of_tracks_has_an_end_and_a_limit(
    workspace: Workspace, http: httpx.AsyncClient
) -> None:
    device = {"deviceId": await device_of(workspace, "cam01")}
    day = {"startDate": "2026-01-15T00:00:00Z", "endDate": "2026-01-16T00:00:00Z"}
    assert await data_of(http, "/api/v1/tracks", **device, **day) == []
    refused: tuple[tuple[dict[str, Any], str], ...] = (
        ({**device, "startDate": day["startDate"]}, "endDate"),
        ({**day}, "deviceId"),
        ({**device, **day, "points": True}, "endDate"),
        ({**device, **day, "endDate": day["startDate"]}, "endDate"),
        ({**device, **day, "endDate": "2026-01-17T00:00:00Z"}, "endDate"),
    )
    for query, field in refused:
        answer = await http.get("/api/v1/tracks", params=query)
        assert answer.status_code == 400
        assert [item["field"] for item in answer.json()["error"]["details"]] == [field]


def test_the_interface_knows_every_type_of_event() -> None:
    assert get_args(events.EventType) == EVENT_TYPES
