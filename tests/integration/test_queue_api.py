"""Model servers, the queue before them and licences, as administrators see them."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from tests.api import client_of, forget_application, make_key, quick
from tests.servers.llm import LlmServer
from tests.tenants import make_tenant

from video_detective.services.workspace import Workspace, open_workspace
from video_detective.storage.insights.base import InsightOutcome

SETTINGS = """
schema_version: 1
servers:
  local: {{kind: ollama, url: "{url}/behind/a/secret/path", timeout_s: 20}}
  gone: {{kind: openai, url: "http://127.0.0.1:1", api_key_env: VD_TEST_GONE_KEY}}
narration: {{server: local, model: "qwen2.5vl:7b", calls_per_hour: 10}}
answers: {{server: gone, model: any}}
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str | None:
    if request.param == "sqlite":
        return None
    create: Callable[[], str] = request.getfixturevalue("new_postgres_database")
    return create()


@pytest.fixture
async def workspace(url: str | None, tmp_path: Path) -> AsyncIterator[Workspace]:
    async with open_workspace(tmp_path / "data", url) as opened:
        yield quick(opened)


async def test_the_queue_tells_what_waits_and_what_fell_short_in_reach(
    workspace: Workspace, tmp_path: Path, url: str | None
) -> None:
    first = await make_tenant(workspace, tmp_path, "first", "alder", url=url)
    second = await make_tenant(workspace, tmp_path, "second", "birch", url=url)
    insights = workspace.database.insights
    await insights.ask_again(now_ns=time.time_ns())
    claim = await insights.claim(first.ids["insight"], "worker")
    assert claim is not None
    outcome = InsightOutcome(
        status="done",
        described_by="template",
        level="template",
        reason="queue: 70 wait",
        result={"summary": "有人"},
        usage={"calls": 2},
    )
    await insights.finish(claim, outcome, finished_ns=time.time_ns())

    async with client_of(workspace, first.key) as client:
        queue = (await client.get("/api/v1/queue")).json()["data"]
    waiting = {one["kind"]: one for one in queue["waiting"]}
    assert (waiting["insights"]["waiting"], waiting["insights"]["running"]) == (3, 0)
    assert waiting["insights"]["oldestSeconds"] >= 0
    assert waiting["deliveries"]["waiting"] > 0
    (short,) = queue["shortfalls"]
    assert (short["kind"], short["reason"], short["count"]) == ("insights", "queue", 1)
    assert short["examples"][0]["insightId"] == first.ids["insight"]
    assert short["examples"][0]["detail"] == "70 wait"
    async with client_of(workspace, second.key) as client:
        other = (await client.get("/api/v1/queue")).json()["data"]
    assert other["shortfalls"] == []


async def test_models_are_shown_with_what_a_probe_found_and_without_secrets(
    tmp_path: Path,
) -> None:
    data_dir = tmp_path / "data"
    data_dir.mkdir()
    forget_application()  # what a probe found is kept for a while
    with LlmServer("ok") as server:
        text = SETTINGS.format(url=server.settings("ollama").url)
        (data_dir / "settings.yaml").write_text(text)
        async with open_workspace(data_dir) as opened:
            workspace = quick(opened)
            key = await make_key(workspace)
            reader = await make_key(workspace, "analytics:read")
            async with client_of(workspace, reader) as client:
                for path in ("models", "licences", "retention"):
                    assert (await client.get(f"/api/v1/{path}")).status_code == 403
            async with client_of(workspace, key) as client:
                before = (await client.get("/api/v1/models")).json()["data"]
                probed = (await client.post("/api/v1/models/probe")).json()["data"]
                licences = (await client.get("/api/v1/licences")).json()["data"]
                queue = (await client.get("/api/v1/queue")).json()["data"]
    local, gone = before["servers"]
    assert "secret" not in str(before)
    assert (gone["isReachable"], gone["hasKey"]) == (False, True)
    assert "VD_TEST_GONE_KEY" in gone["problem"]["found"]
    assert local["address"].startswith("http://127.0.0.1:")
    assert [use["probedAt"] for use in before["uses"]] == [None, None]
    narration = probed["uses"][0]
    assert narration["probedAt"]
    assert narration["problems"] or narration["abilities"]
    assert {one["name"] for one in licences["weights"]} >= {"mobilenet-ssd"}
    packages = {one["name"].lower(): one["licence"] for one in licences["packages"]}
    assert packages["httpx"] == "BSD-3-Clause"
    assert (queue["budget"]["perHour"], queue["budget"]["left"]) == (10, 10)
