"""Every example of the sources of the Insights interface, on both databases.

Of each: field names, types, envelope, status and message. What else an answer has is additive.
"""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from tests.api import client_of, make_key, quick
from tests.service import evidence
from tests.videos import write_video

from video_detective.alerts.base import Alert
from video_detective.geometry import NS_PER_S
from video_detective.rules import Actor, Event, Moment
from video_detective.services.workspace import Workspace, open_workspace
from video_detective.storage import CameraRow, RunKey, Step, StoredEvent
from video_detective.storage.insights.base import AlertContext, InsightOutcome

ROOT = "/api/v1/analysis/insights"
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z")
URL = re.compile(r"https?://[^/]+/media/.+\.jpg\?.+")
NODE = "5d5a7f0e-1c53-4f0e-9a5c-3a1d0a6a6f10"
QUEUE = "畫面中可見 15 人在排隊等候，隊伍較長..."
LOITERING = "入口有人徘徊，風險等級高。"
DAY_NS = 86_400 * NS_PER_S
RESULT = {
    "summary": QUEUE, "personCount": 15, "riskLevel": "high", "activities": ["排隊等候"],
    "suggestions": ["增派服務人員"], "environment": "室內大廳",
}  # fmt: skip
LISTED = {
    "id": UUID, "alertId": UUID, "deviceId": UUID, "deviceName": str, "sceneId": UUID,
    "sceneName": str, "severity": {"warning", "critical"}, "triggeredAt": TIME, "message": str,
    "vlmStatus": {"pending", "completed", "failed"}, "vlmSummary": str, "thumbnailUrl": URL,
    "snapshotCount": int, "hasAttributes": bool, "hasVlmSummary": bool, "createdAt": TIME,
    "vlmStructuredResult": {
        "summary": str, "personCount": int, "riskLevel": {"low", "medium", "high", "critical"},
        "activities": list, "suggestions": list, "environment": str,
    },
}  # fmt: skip
DETAIL = {
    **LISTED, "metricPath": str, "operator": {"GT", "LT", "GTE", "LTE", "EQ"},
    "threshold": float, "actualValue": float, "computeNodeId": UUID, "snapshotUrls": list,
    "vlmRequestedAt": TIME, "vlmCompletedAt": TIME, "vlmError": type(None),
    "vlmTokensUsed": int, "vlmInputTokensUsed": int, "vlmOutputTokensUsed": int,
}  # fmt: skip
SUMMARY = {
    "insightId": UUID, "triggeredAt": TIME, "severity": {"warning", "critical"},
    "vlmSummary": str, "thumbnailUrl": URL, "deviceId": UUID, "deviceName": str, "sceneId": UUID,
    "sceneName": str,
}  # fmt: skip


def check(value: Any, shape: Any, name: str = "") -> None:
    """Whether a JSON value is of a shape: a type, values, a pattern, or fields of shapes."""
    if isinstance(shape, dict):
        assert shape.keys() <= value.keys(), name
        for key, part in shape.items():
            check(value[key], part, f"{name}.{key}")
    elif isinstance(shape, set):
        assert value in shape, name
    elif isinstance(shape, re.Pattern):
        assert shape.fullmatch(value), f"{name}: {value}"
    elif shape is UUID:
        assert str(UUID(value)) == value, name
    else:
        assert isinstance(value, shape), f"{name}: {value!r}"


def check_meta(answer: httpx.Response, status: int) -> None:
    body = answer.json()
    assert answer.status_code == body["statusCode"] == status
    assert body["success"] is (status < 400)
    check(body["meta"], {"timestamp": TIME, "requestId": str})
    assert answer.headers["X-Request-Id"] == body["meta"]["requestId"]


@dataclass
class World:
    client: httpx.AsyncClient
    workspace: Workspace
    device: str
    scene: str


async def fill(workspace: Workspace, folder: Path) -> None:
    """A queue that grew too long, and somebody who loitered yesterday at the entrance."""
    database, now = workspace.database, time.time_ns()
    zone = {"name": "入口", "points": [[0.1, 0.4], [0.6, 0.4], [0.6, 0.9]]}
    document = {
        "name": "入口攝影機", "timezone": "Asia/Taipei", "zones": {"gate": zone},
        "rules": [{"id": "wait", "type": "loitering", "zone": "gate"}],
    }  # fmt: skip
    await database.save_camera(
        CameraRow(camera_id="cam01", name="入口攝影機", timezone="Asia/Taipei", document=document)
    )
    clip = write_video(folder / "clip.mp4", frames=20, options={"movflags": "faststart"})
    key = RunKey(camera_id="cam01", fingerprint="live", settings_hash="s")
    run = await database.begin_run(key, {}, now - 2 * DAY_NS)
    told = (
        ("metric", now - 3600 * NS_PER_S, RESULT, "Queue length exceeded threshold: 15 > 10"),
        ("loitering", now - DAY_NS, {**RESULT, "summary": LOITERING, "activities": ["徘徊"]},
         "Loitering time exceeded threshold: 95 s > 60 s"),
    )  # fmt: skip
    for number, (kind, at_ns, result, message) in enumerate(told, start=1):
        event = Event(
            event_id=f"evt_20260225_cam01_{number:04d}", camera_id="cam01", type=kind,
            risk_level="high", rule_id="wait", start_ns=at_ns, established_ns=at_ns,
            end_ns=at_ns + 5 * NS_PER_S, frames=(0, 50), zone="gate",
            actors=(Actor(track_id="p01", type="person"),),
            moments=tuple(
                Moment(time_ns=at_ns + n * NS_PER_S, frame=n * 10, what=what, track_ids=("p01",))
                for n, what in ((0, "entered"), (4, "left"))
            ),
            facts={"dwell_s": 95.0}, parameters={"id": "wait"},
        )  # fmt: skip
        alert = Alert(
            event_id=event.event_id, camera_id="cam01", alert_rule="every-event",
            kind="metric" if kind == "metric" else "event", metric_path="zones.gate.count",
            operator="GT", threshold=10.0, actual_value=15.0, severity="critical",
            message=message, triggered_ns=at_ns,
        )  # fmt: skip
        stored = StoredEvent(
            event=event, summary_zh="有人在入口", summary_en="Somebody at the entrance",
            keywords_zh=("入口",),
        )  # fmt: skip
        context = AlertContext(now_ns=now, request_id="req-1", node_id=NODE, has_model=True)
        await database.commit_step(
            run, Step(checkpoint=b"1", events=[stored], alerts=[alert], alerting=context)
        )
        rows, frames = evidence(workspace, event, clip)
        await database.add_evidence(event.event_id, rows, frames)
        [pending] = await database.insights.pending(10, now_ns=now + 7200 * NS_PER_S)
        claim = await database.insights.claim(pending.insight_id, "w")
        assert claim is not None
        outcome = InsightOutcome(
            status="done", described_by="model", level="frames", result=result,
            requested_ns=now, input_tokens=900, output_tokens=120, node_id=NODE,
        )  # fmt: skip
        assert await database.insights.finish(claim, outcome, finished_ns=now + NS_PER_S)
    await database.finish_run(run, {})


@asynccontextmanager
async def opened(folder: Path, url: str | None) -> AsyncIterator[World]:
    async with open_workspace(folder, url) as found:
        workspace = quick(found)
        await fill(workspace, folder)
        async with client_of(workspace, key=await make_key(workspace)) as client:
            devices = (await client.get("/api/v1/devices")).json()["data"]
            yield World(client, workspace, devices[0]["id"], devices[0]["sceneId"])


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, str | None]:
    if request.param == "sqlite":
        return tmp_path, None
    create: Callable[[], str] = request.getfixturevalue("new_postgres_database")
    return tmp_path, create()


async def test_the_examples_of_both_sources_hold(place: tuple[Path, str | None]) -> None:
    async with opened(*place) as world:
        client = world.client

        # 1) The list, by every parameter of the source.
        found = await client.get(ROOT, params={"page": 1, "limit": 20})
        check_meta(found, 200)
        body = found.json()
        pages = {"page": 1, "limit": 20, "total": 2, "totalPages": 1}
        assert pages.items() <= body["meta"]["pagination"].items()
        for row in body["data"]:
            check(row, LISTED)
        queue, loitering = body["data"]
        assert queue["message"] == "Queue length exceeded threshold: 15 > 10"
        assert queue["vlmStructuredResult"] == RESULT
        assert queue["vlmSummary"] == QUEUE
        assert queue["snapshotCount"] == 2
        every = {
            "q": "排隊", "deviceId": world.device.upper(), "sceneId": world.scene,
            "severity": "critical", "vlmStatus": "completed", "startDate": "2026-01-01T00:00:00Z",
            "endDate": "2099-01-01", "hasVlmSummary": "true", "hasAttributes": "false",
        }  # fmt: skip
        some = (await client.get(ROOT, params=every)).json()
        assert [row["id"] for row in some["data"]] == [queue["id"]]
        assert some["meta"]["timezone"] == "Asia/Taipei"

        # 2) One of them, and 3) its pictures.
        found = await client.get(f"{ROOT}/{queue['id'].upper()}")
        check_meta(found, 200)
        detail = found.json()["data"]
        check(detail, DETAIL)
        assert detail["vlmTokensUsed"] == 1020
        assert detail["computeNodeId"] == NODE
        assert all(URL.fullmatch(url) for url in detail["snapshotUrls"])
        found = await client.get(f"{ROOT}/{queue['id']}/snapshots")
        check_meta(found, 200)
        pictures = found.json()["data"]
        assert [picture["index"] for picture in pictures] == [0, 1]
        urls = [picture["url"] for picture in pictures]
        if urls != detail["snapshotUrls"]:  # they are made anew every five minutes
            detail = (await client.get(f"{ROOT}/{queue['id']}")).json()["data"]
        assert urls == detail["snapshotUrls"]
        picture = await client.get(pictures[0]["url"].partition("localhost")[2])
        assert picture.status_code == 200
        assert picture.headers["Content-Type"] == "image/jpeg"

        # 6) Summaries.
        found = await client.get(
            f"{ROOT}/vlm-summaries", params={"sceneId": world.scene, "limit": 10}
        )
        check_meta(found, 200)
        for row in found.json()["data"]:
            check(row, SUMMARY)
            assert row.keys() == SUMMARY.keys()
        assert found.json()["meta"]["pagination"]["total"] == 2

        # Natural language: 昨天入口有人徘徊的高風險事件.
        found = await client.post(
            f"{ROOT}/search", json={"query": "昨天入口有人徘徊的高風險事件", "limit": 10}
        )
        check_meta(found, 200)
        data = found.json()["data"]
        assert [row["id"] for row in data["data"]] == [loitering["id"]]
        assert data["data"][0]["vlmSummary"] == LOITERING
        assert data["total"] == 1
        assert data["interpretation"]["riskLevel"] == "high"
        assert data["interpretation"]["activityKeywords"] == ["徘徊"]
        assert data["interpretation"]["deviceIds"] == [world.device]
        assert data["tokensUsed"] == {"inputTokens": 0, "outputTokens": 0, "totalTokens": 0}

        # Attributes of a device without the plan.
        found = await client.get(f"{ROOT}/{queue['id']}/attributes")
        check_meta(found, 403)
        refused = found.json()
        assert refused["message"].startswith("Attributes feature requires LEVEL_02 plan")
        assert refused["error"]["code"] == "FORBIDDEN"

        # Errors: 400 for what is no id or date, 404 for what is not there.
        for path, field in (
            (f"{ROOT}/insight-uuid", "id"), (f"{ROOT}?deviceId=1", "deviceId"),
            (f"{ROOT}?startDate=yesterday", "startDate"), (f"{ROOT}?endDate=2026-13-01", "endDate"),
            (f"{ROOT}?startDate=2026-01-02&endDate=2026-01-02", "endDate"),
            (f"{ROOT}?limit=101", "limit"), (f"{ROOT}?page=0", "page"),
            (f"{ROOT}?severity=grave", "severity"), (f"{ROOT}?hasAttributes=1", "hasAttributes"),
            (f"{ROOT}?sort=id", "sort"), (f"{ROOT}?cursor=x", "cursor"),
            (f"{ROOT}/vlm-summaries?vlmStatus=failed", "vlmStatus"),
        ):  # fmt: skip
            found = await client.get(path)
            check_meta(found, 400)
            error = found.json()["error"]
            assert error["code"] == "VALIDATION_ERROR"
            assert field in [problem["field"] for problem in error["details"]], path
        for path in (
            f"{ROOT}/{uuid4()}", f"{ROOT}/{uuid4()}/snapshots", f"/api/v1/alerts/{uuid4()}",
            f"{ROOT}?deviceId={uuid4()}", f"{ROOT}?sceneId={uuid4()}",
        ):  # fmt: skip
            found = await client.get(path)
            check_meta(found, 404)
            assert found.json()["error"]["code"] == "NOT_FOUND"


async def test_alerts_are_listed_with_what_raised_them(place: tuple[Path, str | None]) -> None:
    async with opened(*place) as world:
        found = await world.client.get("/api/v1/alerts", params={"limit": 1})
        check_meta(found, 200)
        [first] = found.json()["data"]
        page = found.json()["meta"]["pagination"]
        assert (first["operator"], first["threshold"], first["actualValue"]) == ("GT", 10.0, 15.0)
        [second] = (
            await world.client.get("/api/v1/alerts", params={"cursor": page["nextCursor"]})
        ).json()["data"]
        assert first["triggeredAt"] > second["triggeredAt"]
        one = await world.client.get(f"/api/v1/alerts/{second['id']}")
        assert one.json()["data"] == second


async def test_a_question_asked_again_sees_what_changed_meanwhile(
    place: tuple[Path, str | None],
) -> None:
    async with opened(*place) as world:
        ask = {"query": "徘徊", "limit": 5}
        first = (await world.client.post(f"{ROOT}/search", json=ask)).json()["data"]
        assert first["total"] == 1
        same = (await world.client.post(f"{ROOT}/search", json={**ask, "query": " 徘徊 "})).json()
        assert [row["id"] for row in same["data"]["data"]] == [first["data"][0]["id"]]
        removed = await world.client.delete(f"/api/v1/devices/{world.device}")
        assert removed.status_code == 200
        after = (await world.client.post(f"{ROOT}/search", json=ask)).json()["data"]
        assert (after["data"], after["total"]) == ([], 0)
