"""The live stream: what changes comes once, to whom it may come, and ends when it must."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest
from tests.routes import ENDLESS
from tests.served import Served, serving_tenants
from tests.streams import Told, streaming

from video_detective.api.v1 import live
from video_detective.services.feed import MOST_PER_CALLER


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving_tenants(tmp_path_factory.mktemp("live") / "data") as served:
        yield served


@pytest.fixture(scope="module")
def client(served: Served) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {served.mine.key}"}
    with httpx.Client(base_url=served.address, headers=headers, timeout=20) as client:
        yield client


def review(client: httpx.Client, alert: str, state: str) -> Told:
    """Set a review; returns what is told of it, but for the id."""
    answer = client.patch(f"/api/v1/alerts/{alert}", json={"state": state, "reason": "x"})
    assert answer.status_code == 200, answer.text
    device = answer.json()["data"]["deviceId"]
    return Told("review", {"deviceId": device, "alertId": alert, "state": state}, "")


def new_key(client: httpx.Client, **limits: Any) -> dict[str, Any]:
    body = {"name": "stream", "scopes": ["analytics:read"], **limits}
    made = client.post("/api/v1/keys", json=body)
    assert made.status_code == 201, made.text
    return dict(made.json()["data"])


def plain(told: Told) -> Told:
    return Told(told.kind, told.data, "")


def test_nobody_listens_without_a_key_that_may_read(served: Served, client: httpx.Client) -> None:
    assert httpx.get(served.address + ENDLESS).status_code == 401
    wrong = new_key(client, scopes=["devices:read"])["key"]
    refused = client.get(ENDLESS, headers={"Authorization": f"Bearer {wrong}"})
    assert refused.status_code == 403
    head = client.head(ENDLESS)
    assert (head.status_code, head.headers["content-type"].partition(";")[0]) == (
        200, live.MEDIA_TYPE,
    )  # fmt: skip
    assert client.get(ENDLESS, params={"since": "1"}).status_code == 400


def test_a_change_comes_to_those_who_reach_it_and_to_nobody_else(
    served: Served, client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "HEARTBEAT_S", 0.2)
    alert = served.mine.ids["alert"]
    elsewhere = new_key(client, deviceIds=[served.mine.devices[1]])["key"]
    with (
        streaming(served.address, served.mine.key) as mine,
        streaming(served.address, elsewhere) as limited,
        streaming(served.address, served.other.key) as other,
    ):
        assert mine.response.headers["cache-control"] == "no-store"
        assert mine.response.headers["ratelimit-limit"]
        told = mine.next
        expected = review(client, alert, "seen")
        assert plain(told()) == expected
        device = client.post("/api/v1/devices", json={"name": "新門"}).json()["data"]["id"]
        job = client.post(
            "/api/v1/analysis/files",
            json={"deviceId": device, "fileName": "a.mp4", "sizeBytes": 1000},
        ).json()["data"]["id"]
        event = told()
        assert (event.kind, event.data["jobId"], event.data["status"]) == ("job", job, "uploading")
        client.post(f"/api/v1/analysis/jobs/{job}/cancel")
        assert told().data["status"] == "cancelled"
        # The place of the others moves on with the heartbeat, without an event.
        for stream in (limited, other):
            stream.wait_for(mine.last_id)
            assert stream.heard == 0
            assert stream.comments


def test_who_comes_back_hears_what_was_missed_once_and_in_order(
    served: Served, client: httpx.Client
) -> None:
    alert = served.mine.ids["alert"]
    with streaming(served.address, served.mine.key) as stream:
        review(client, alert, "confirmed")
        place = stream.next().id
    missed = [review(client, alert, "dismissed")]
    with streaming(served.address, served.mine.key, after=place) as stream:
        found = [plain(stream.next())]
        missed.append(review(client, alert, "seen"))
        found.append(plain(stream.next()))
        assert found == missed
    for unknown in ("0-999999999", "nonsense"):
        headers = {"Last-Event-ID": unknown}
        with client.stream("GET", ENDLESS, headers=headers) as response:
            first = [line for _, line in zip(range(3), response.iter_lines(), strict=False)]
        assert first[1] == "event: reset"


def test_a_stream_ends_with_the_key_and_nobody_has_too_many(
    served: Served, client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "CHECK_S", 0.3)
    made = new_key(client)
    with ExitStack() as stack:
        streams = [
            stack.enter_context(streaming(served.address, made["key"]))
            for _ in range(MOST_PER_CALLER)
        ]
        refused = client.get(ENDLESS, headers={"Authorization": f"Bearer {made['key']}"})
        assert refused.status_code == 429
        assert int(refused.headers["retry-after"]) > 0
        assert client.delete(f"/api/v1/keys/{made['id']}").status_code == 200
        for stream in streams:
            assert list(stream.events()) == []
