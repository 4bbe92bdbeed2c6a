"""What a page needs to set a camera up: a source tried first, a still without events."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from tests.api import client_of, make_account, make_key, quick
from tests.servers.mjpeg import HttpCamera
from tests.videos import write_video

from video_detective.services.workspace import open_workspace

DEVICES = "/api/v1/devices"


@pytest.fixture
async def clients(tmp_path: Path) -> AsyncIterator[tuple[httpx.AsyncClient, httpx.AsyncClient]]:
    """Somebody who may do everything, and somebody else of another account."""
    async with open_workspace(tmp_path) as opened:
        workspace = quick(opened)
        await make_account(workspace, "other")
        keys = await make_key(workspace), await make_key(workspace, account="other")
        async with (
            client_of(workspace, keys[0]) as mine,
            client_of(workspace, keys[1]) as theirs,
        ):
            yield mine, theirs


async def test_a_source_is_tried_before_a_device_has_it_and_by_its_shown_address_afterwards(
    clients: tuple[httpx.AsyncClient, httpx.AsyncClient],
) -> None:
    mine, theirs = clients
    with HttpCamera() as camera:
        source = camera.address("mjpeg").replace("//", "//user:s3cret@")
        tried = await mine.post(f"{DEVICES}/try-source", json={"source": source})
        assert tried.headers["Content-Type"] == "image/jpeg"
        assert tried.content[:2] == b"\xff\xd8"
        assert (await mine.get(DEVICES)).json()["data"] == []
        made = (await mine.post(DEVICES, json={"name": "door", "source": source})).json()["data"]
        shown = {"source": made["source"], "deviceId": made["id"]}
        assert (await mine.post(f"{DEVICES}/try-source", json=shown)).status_code == 200
        assert (await theirs.post(f"{DEVICES}/try-source", json=shown)).status_code == 404
        wrong = await mine.post(
            f"{DEVICES}/try-source", json={"source": source.replace("mjpeg", "nothing")}
        )
    assert (wrong.status_code, "s3cret" in wrong.text) == (503, False)
    bad = await mine.post(f"{DEVICES}/try-source", json={"source": "ftp://camera/x"})
    assert bad.json()["error"]["details"][0]["field"] == "source"


async def test_a_video_without_events_gives_a_still_to_draw_on(
    clients: tuple[httpx.AsyncClient, httpx.AsyncClient], tmp_path: Path
) -> None:
    mine, _ = clients
    device = (await mine.post(DEVICES, json={"name": "yard"})).json()["data"]
    film = write_video(tmp_path / "film.mp4", frames=40).read_bytes()
    announced = await mine.post(
        "/api/v1/analysis/files",
        json={"deviceId": device["id"], "fileName": "yard.mp4", "sizeBytes": len(film),
              "startTime": "2026-01-15T22:00:00+08:00"},
    )  # fmt: skip
    still = f"{DEVICES}/{device['id']}/snapshot"
    assert (await mine.get(still)).status_code == 404
    await mine.patch(
        announced.headers["Location"],
        content=film,
        headers={"Content-Type": "application/offset+octet-stream", "Upload-Offset": "0"},
    )
    shown = await mine.get(still)
    assert shown.status_code == 200, shown.text
    assert shown.headers["X-Snapshot-Origin"] == "stored"
    assert shown.headers["X-Snapshot-Time"].startswith("2026-01-15T14:00:0")


async def test_the_schema_of_a_scene_names_every_kind_of_rule(
    clients: tuple[httpx.AsyncClient, httpx.AsyncClient],
) -> None:
    answer = await clients[0].get("/api/v1/scenes/schema")
    schema = answer.json()["data"]["document"]
    kinds = schema["properties"]["rules"]["items"]["discriminator"]["mapping"]
    assert len(kinds) == 11
    assert schema["$defs"]["Intrusion"]["properties"]["zone"]["x-refers"] == "zones"
