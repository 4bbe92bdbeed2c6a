"""The Python client against the real service."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from tests.docs.rewrite_client import FOLDER, snake, written
from tests.routes import document, operations
from tests.served import UNLIMITED, Served, serving_tenants
from tests.videos import write_video

from video_detective.client import ApiError, Client


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    url = None
    if request.param == "postgresql":
        create: Callable[[], str] = request.getfixturevalue("new_postgres_database")
        url = create()
    with serving_tenants(tmp_path_factory.mktemp("client"), url) as started:
        yield started


@pytest.fixture
def client(served: Served) -> Iterator[Client]:
    with Client(served.address, served.mine.key) as opened:
        yield opened


def test_every_route_has_a_method() -> None:
    for operation in operations():
        if operation.path.startswith("/api/v1/"):
            method = getattr(Client, snake(operation.spec["operationId"]))
            assert inspect.getdoc(method), str(operation)


def test_the_generated_modules_are_current() -> None:
    """``make openapi`` writes them anew."""
    for name, text in written(document()).items():
        assert (FOLDER / name).read_text("utf-8") == text, name


def test_it_reads_devices_scenes_and_insights(client: Client, served: Served) -> None:
    device = client.get_device(served.mine.ids["device"])
    assert served.mine.word in device.name
    assert device.has_credentials
    scene = client.get_scene(served.mine.ids["scene"])
    assert scene.device_id == device.id
    insight = client.get_insight(served.mine.ids["insight"])
    assert insight.alert_id == served.mine.ids["alert"]
    assert insight.severity == "critical"
    assert len(client.list_insights(severity="critical", limit=1)) == 1
    found = client.search_insights(query=served.mine.word)
    assert found.total == len(client.list_insights(limit=100))


def test_every_item_of_a_list_comes_once(client: Client) -> None:
    page = client.list_events(limit=100)
    assert page.pagination.total == len(page.items) == 4
    assert [e.event_id for e in client.each_events(limit=1)] == [e.event_id for e in page]
    assert len(list(client.each_deliveries(limit=1))) == client.list_deliveries().pagination.total


def test_it_makes_changes_and_takes_away(client: Client) -> None:
    made = client.create_device(name="側門", tags=["一樓"], aliases=["小門"])
    scene = client.create_scene(
        device_id=made.id,
        document={"tripwires": {"line": {"points": [[0.1, 0.5], [0.9, 0.5]]}}},
    )
    assert scene.version == 1
    changed = client.change_device(made.id, name="西側門")
    assert (changed.name, changed.tags) == ("西側門", ["一樓"])
    client.remove_device(made.id)
    with pytest.raises(ApiError) as refused:
        client.get_device(made.id)
    assert (refused.value.status, refused.value.code) == (404, "NOT_FOUND")
    assert refused.value.reason == "not_found"
    assert refused.value.values == {"what": "device", "id": str(made.id)}
    assert refused.value.request_id


def test_an_error_names_the_fields(client: Client) -> None:
    with pytest.raises(ApiError) as refused:
        client.list_insights(limit=1000)
    assert refused.value.status == 400
    (problem,) = refused.value.details
    assert (problem.field, problem.reason, problem.values) == (
        "limit",
        "less_than_equal",
        {"le": 100},
    )


def test_null_is_sent_where_it_is_meant(client: Client, served: Served) -> None:
    made = client.create_device(name="側門", source="rtsp://192.0.2.1/live")
    assert client.change_device(made.id, name="門").source == "rtsp://192.0.2.1/live"
    assert client.change_device(made.id, source=None).source is None
    client.remove_device(made.id)


def test_a_file_is_sent_in_pieces(client: Client, served: Served, tmp_path: Path) -> None:
    film = write_video(tmp_path / "影片.mp4", frames=20)
    job = client.upload_file(
        film, served.mine.ids["device"], start_time="2026-01-20T10:00:00Z", piece_bytes=1000
    )
    assert job.received_bytes == film.stat().st_size
    assert client.cancel_job(job.id).id == job.id


def test_a_picture_comes_as_bytes(client: Client, served: Served) -> None:
    link = client.list_snapshots(served.mine.ids["insight"])[0].url
    assert httpx.get(link).content.startswith(b"\xff\xd8")


def test_a_service_that_is_not_there_is_an_error_of_its_own() -> None:
    with Client("http://127.0.0.1:1", "vd_live_x") as client, pytest.raises(ApiError) as refused:
        client.list_devices()
    assert (refused.value.status, refused.value.code) == (0, "UNREACHABLE")


def test_too_many_requests_say_when_to_come_again(tmp_path: Path) -> None:
    few = json.loads(json.dumps(UNLIMITED))
    few["limits"] |= {"per_key": 5, "searches": 2}
    with serving_tenants(tmp_path / "data", settings=few) as served:
        with Client(served.address, served.mine.key) as client:
            client.search_insights(query="闖入")
            client.search_insights(query="闖入")
            with pytest.raises(ApiError) as refused:
                client.search_insights(query="闖入")
            assert (refused.value.status, refused.value.code) == (429, "RATE_LIMITED")
            assert 0 < (refused.value.retry_after_s or 0) <= 60
            answer = client.send("GET", "/api/v1/devices")
            assert answer.headers["RateLimit-Limit"] == "5"
            assert answer.headers["RateLimit-Remaining"] == "1"
            client.list_devices()
            with pytest.raises(ApiError):
                client.list_devices()
        with Client(served.address, served.other.key) as other:
            other.list_devices()
        attempts = [
            httpx.post(
                f"{served.address}/api/v1/session",
                json={"name": "nobody", "password": "not this one"},
            ).status_code
            for _ in range(2)
        ]
        assert attempts == [401, 401]


def test_attempts_to_sign_in_are_limited_by_address(tmp_path: Path) -> None:
    few = json.loads(json.dumps(UNLIMITED))
    few["limits"] |= {"sign_ins": 2}
    with serving_tenants(tmp_path / "data", settings=few) as served:
        statuses = [
            httpx.post(
                f"{served.address}/api/v1/session",
                json={"name": f"nobody{number}", "password": "not this one"},
            ).status_code
            for number in range(3)
        ]
    assert statuses == [401, 401, 429]
