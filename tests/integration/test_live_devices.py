"""Devices analysed live: a process each, on whatever node lives."""

from __future__ import annotations

import asyncio
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.api import client_of, make_account, make_key
from tests.commands import finish, start, video_detective
from tests.servers.rtsp import Behaviour, RtspServer
from tests.working import RULES, Site, save_camera, wait_for, workers, working

from video_detective.services.node import node_id
from video_detective.services.numbers import EVENTS_BEYOND, TRACKS_BEYOND, fresh_numbers
from video_detective.services.workspace import open_workspace

pytestmark = pytest.mark.skipif(not Path("/proc").is_dir(), reason="finds processes in /proc")


def set_source(site: Site, address: str) -> None:
    answer = site.http.patch(f"/api/v1/devices/{site.device}", json={"source": address})
    assert answer.status_code == 200, answer.text


def ask(site: Site, what: str) -> dict[str, Any]:
    answer = site.http.post(f"/api/v1/analysis/{what}", json={"deviceId": site.device})
    assert answer.status_code == 200, answer.text
    return dict(answer.json()["data"])


def test_a_device_is_analysed_until_it_is_stopped_and_follows_its_scene(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with RtspServer(rate=10) as camera, working(data) as site:
        set_source(site, camera.address)
        begun = ask(site, "start")
        assert (begun["wanted"], begun["state"]) == (True, "starting")
        running = wait_for(site.status, lambda row: row["state"] == "running" and bool(row["fps"]))
        assert running["error"] is None
        assert running["lagSeconds"] < 5
        assert running["lastFrameAgeSeconds"] < 5
        assert running["nodeId"] == (data / "node-id").read_text().strip()
        (first,) = workers("door", tmp_path)
        environment = Path(f"/proc/{first}/cmdline").read_text()
        assert camera.address not in environment

        changed = RULES.replace("threshold: 5", "threshold: 6")
        site.service.do(lambda workspace: save_camera(workspace, changed))
        wait_for(lambda: workers("door", tmp_path), lambda now: bool(now) and now != [first])
        wait_for(
            site.status,
            lambda row: row["state"] == "running" and row["since"] > running["since"],
        )
        wait_for(site.status, lambda row: bool(row["fps"]))

        assert ask(site, "stop")["wanted"] is False
        stopped = wait_for(site.status, lambda row: row["state"] == "stopped")
        assert (stopped["nodeId"], stopped["fps"], stopped["error"]) == (None, None, None)
        assert workers("door", tmp_path) == []
    events = video_detective("events", "--data-dir", data, "--json").document
    assert {event["parameters"]["threshold"] for event in events} == {5.0, 6.0}
    assert all(event["end_time"] for event in events)


def test_a_camera_that_is_away_is_waited_for_in_words_without_its_password(
    tmp_path: Path,
) -> None:
    with (
        RtspServer(Behaviour(refuse=True), Behaviour(), rate=10, auth="basic") as camera,
        working(tmp_path / "data") as site,
    ):
        set_source(site, camera.address.replace("rtsp://", "rtsp://admin:s3cret@"))
        ask(site, "start")

        away = wait_for(site.status, lambda row: row["state"] == "waiting")

        assert camera.address in away["error"]
        assert "s3cret" not in str(away)
        wait_for(site.status, lambda row: row["state"] == "running")


async def test_only_who_may_starts_and_sees_a_device(tmp_path: Path) -> None:
    async with open_workspace(tmp_path / "data") as workspace:
        device = await save_camera(workspace)
        body = {"deviceId": device}
        async with client_of(workspace, await make_key(workspace)) as own:
            refused = await own.post("/api/v1/analysis/start", json=body)
            assert refused.status_code == 409
            assert "has no source" in refused.json()["message"]
        async with client_of(workspace, await make_key(workspace, "devices:read")) as reader:
            assert (await reader.post("/api/v1/analysis/start", json=body)).status_code == 403
            assert (await reader.get("/api/v1/analysis/status")).json()["meta"]["pagination"][
                "total"
            ] == 1
        await make_account(workspace, "elsewhere")
        async with client_of(workspace, await make_key(workspace, account="elsewhere")) as other:
            for what in ("start", "stop", "files"):
                more = {"fileName": "a", "sizeBytes": 1} if what == "files" else {}
                answer = await other.post(f"/api/v1/analysis/{what}", json={**body, **more})
                assert answer.status_code == 404
            assert (await other.get("/api/v1/analysis/status")).json()["data"] == []
            asked = await other.get("/api/v1/analysis/status", params=body)
            assert asked.status_code == 404


async def test_the_id_of_a_node_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    async with open_workspace(tmp_path / "data") as workspace:
        ids = await asyncio.gather(*(asyncio.to_thread(node_id, workspace) for _ in range(8)))

    assert len(set(ids)) == 1
    assert (tmp_path / "data" / "node-id").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in (tmp_path / "data").glob("*node-id*")] == ["node-id"]


async def test_what_begins_beside_another_analysis_of_a_camera_counts_far_above_it(
    tmp_path: Path,
) -> None:
    """Two that counted on from the same number would give out the same ids."""
    async with open_workspace(tmp_path / "data") as workspace:
        await save_camera(workspace)
        alone = await fresh_numbers(workspace, "door", since_ns=0, beside_live=True)
        assert (dict(alone.tracks), dict(alone.events)) == ({}, {})
        await workspace.database.work.live.claim("door", "node", seen=None, now_ns=1)

        beside = await fresh_numbers(workspace, "door", since_ns=0, days=1, beside_live=True)

        assert set(beside.tracks.values()) == {1 + TRACKS_BEYOND}
        assert beside.events == {"19700101": 1 + EVENTS_BEYOND}
        assert (await fresh_numbers(workspace, "door")).tracks == {}  # no file beside it


@contextmanager
def serving(data_dir: Path, url: str) -> Iterator[subprocess.Popen[str]]:
    """One of several services, as a process of its own."""
    process = start("serve", "--data-dir", data_dir, "--port", "0", "--database", url, stderr=None)
    try:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
    finally:
        with process:
            process.kill()


async def test_another_node_takes_over_from_one_that_was_killed(
    tmp_path: Path, new_postgres_database: Callable[[], str]
) -> None:
    url = new_postgres_database()
    folders = [tmp_path / name for name in ("one", "two")]
    with RtspServer(rate=10) as camera:
        async with open_workspace(folders[0], url) as workspace:
            device = await save_camera(workspace)
            key = await make_key(workspace)
            async with client_of(workspace, key) as http:
                await http.patch(f"/api/v1/devices/{device}", json={"source": camera.address})
                await http.post("/api/v1/analysis/start", json={"deviceId": device})

                async def until(is_so: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
                    async with asyncio.timeout(120):
                        while True:
                            (row,) = (await http.get("/api/v1/analysis/status")).json()["data"]
                            if is_so(row):
                                return dict(row)
                            await asyncio.sleep(0.15)

                with serving(folders[0], url) as one, serving(folders[1], url) as two:
                    first = await until(lambda row: row["state"] == "running")
                    nodes = {
                        (folder / "node-id").read_text().strip(): process
                        for folder, process in zip(folders, (one, two), strict=True)
                    }
                    (orphan,) = workers("door", tmp_path)
                    nodes[first["nodeId"]].kill()
                    await asyncio.to_thread(
                        wait_for, lambda: workers("door", tmp_path), lambda now: orphan not in now
                    )

                    second = await until(
                        lambda row: (
                            row["nodeId"] not in {None, first["nodeId"]}
                            and row["state"] == "running"
                        )
                    )

                    living = nodes[second["nodeId"]]
                    living.send_signal(signal.SIGTERM)
                    outcome = await asyncio.to_thread(finish, living)
                    assert outcome.code == 0
                    assert workers("door", tmp_path) == []
                    left = await until(lambda row: row["nodeId"] is None)
                    assert (left["wanted"], left["state"]) == (True, "starting")
            assert [run.done for run in await workspace.database.runs("door")] == [True, True]
