"""What the service promises to programs, over real databases and a real server."""

import asyncio
import hashlib
import http.client
import logging
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from statistics import median
from typing import cast

import httpx
import pytest
from tests.api import PASSWORD, client_of, make_key
from tests.service import INTRUSION, PACING, PARKED, Service, fill, running

from video_detective.api import shapes
from video_detective.api.failures import Failure
from video_detective.services.workspace import Workspace, open_workspace
from video_detective.storage.blobs import BlobStore
from video_detective.storage.database import Database

NOBODYS_KEY = f"vd_live_{'a' * 51}"


def filled(folder: Path, url: str | None = None) -> Path:
    async def make() -> None:
        async with open_workspace(folder, url) as workspace:
            await fill(workspace, folder)

    asyncio.run(make())
    return folder


@pytest.fixture(scope="module")
def filled_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return filled(tmp_path_factory.mktemp("filled"))


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def place(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, filled_dir: Path
) -> tuple[Path, str | None]:
    """A filled data directory and the URL of its database."""
    if request.param == "sqlite":
        return filled_dir, None
    create: Callable[[], str] = request.getfixturevalue("new_postgres_database")
    url = create()
    return filled(tmp_path_factory.mktemp("filled"), url), url


@pytest.fixture
async def workspace(filled_dir: Path) -> AsyncIterator[Workspace]:
    async with open_workspace(filled_dir) as opened:
        yield opened


@pytest.fixture
async def client(workspace: Workspace) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(workspace, await make_key(workspace)) as opened:
        yield opened


@pytest.fixture
async def stranger(workspace: Workspace) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(workspace) as opened:
        yield opened


@pytest.fixture
async def client_on_each(place: tuple[Path, str | None]) -> AsyncIterator[httpx.AsyncClient]:
    async with (
        open_workspace(*place) as opened,
        client_of(opened, await make_key(opened)) as made,
    ):
        yield made


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running(tmp_path_factory.mktemp("served")) as started:
        yield started


def ids(answer: httpx.Response) -> list[str]:
    """Events that match in full."""
    assert answer.status_code == 200, answer.text
    timeline = answer.json()["timeline"]
    return [entry["event_id"] for entry in timeline if entry["match"] == "full"]


def failure_of(answer: httpx.Response, status: int) -> Failure:
    """The answer as the envelope; every field of it is checked."""
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/json"
    body = Failure.model_validate(answer.json())
    assert (body.success, body.statusCode) == (False, status)
    assert body.meta.requestId == answer.headers["X-Request-Id"]
    assert body.message
    return body


# --- search


async def test_an_empty_question_lists_everything_newest_first(
    client_on_each: httpx.AsyncClient,
) -> None:
    answer = await client_on_each.get("/api/search")
    assert ids(answer) == [PARKED, PACING, INTRUSION]
    body = shapes.SearchAnswer.model_validate(answer.json())
    assert body.total == 3
    entry = body.timeline[-1]
    assert entry.time_range == "2026-01-15 22:00:10 ~ 22:00:16"
    assert entry.event_type == "闖入"
    assert entry.start_time == "2026-01-15T22:00:10+08:00"
    assert entry.frame_links[0].startswith("/frames/")
    assert entry.evidence[0].startswith("22:00:10 ")


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("闖入", [INTRUSION]),
        ("後門", [INTRUSION, PACING]),
        ("徘徊", [PACING, PARKED]),
        ("後門 徘徊", [PACING]),
        ("後門有沒有人徘徊？", [PACING]),
        ("後門有沒有人徘徊?", [PACING]),
        ("停車場有人嗎", [PARKED]),
        ("Who was LOITERING?", [PARKED, PACING]),
        ("ＣＡＭ０２", [PARKED]),
        ("沒有這種東西", []),
        ("100%", [PARKED, PACING, INTRUSION]),
    ],
)
async def test_words_and_whole_questions_find_events(
    client_on_each: httpx.AsyncClient, question: str, expected: list[str]
) -> None:
    assert ids(await client_on_each.get("/api/search", params={"q": question})) == expected


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"camera": "cam02"}, [PARKED]),
        ({"from": "2026-01-15T22:00:30"}, [PARKED, PACING]),
        ({"from": "2026-01-15T14:00:30Z"}, [PARKED, PACING]),
        ({"from": "2026-01-15T22:00:30", "to": "2026-01-15T22:01:05"}, [PACING]),
        ({"to": "2026-01-15"}, []),
        ({"camera": "", "q": "", "from": "", "to": ""}, [PARKED, PACING, INTRUSION]),
    ],
)
async def test_camera_and_period_narrow_the_answer(
    client: httpx.AsyncClient, filters: dict[str, str], expected: list[str]
) -> None:
    assert ids(await client.get("/api/search", params=filters)) == expected


async def test_no_event_and_no_recording_are_different_answers(client: httpx.AsyncClient) -> None:
    watched = (await client.get("/api/search", params={"q": "越線"})).json()
    assert watched["coverage"]
    assert "有錄影" in watched["answer_zh"]
    before = {"from": "2025-01-01", "to": "2025-01-02"}
    unwatched = (await client.get("/api/search", params=before)).json()
    assert unwatched["coverage"] == []
    assert "沒有任何錄影" in unwatched["answer_zh"]
    assert "nothing was recorded" in unwatched["answer_en"]
    assert watched["missing_info"] != unwatched["missing_info"] != []


async def test_a_cursor_reads_on_without_gap_or_double(client: httpx.AsyncClient) -> None:
    seen: list[str] = []
    cursor = None
    while True:
        page = {"limit": 1} | ({"cursor": cursor} if cursor else {})
        answer = await client.get("/api/search", params=page)
        seen += ids(answer)
        assert answer.json()["total"] == 3
        cursor = answer.json()["next_cursor"]
        if cursor is None:
            break
    assert seen == [PARKED, PACING, INTRUSION]


async def test_gaps_in_the_recording_are_told(client: httpx.AsyncClient) -> None:
    body = (await client.get("/api/search", params={"camera": "cam01"})).json()
    assert [(c["start_time"][11:19], c["end_time"][11:19]) for c in body["coverage"]] == [
        ("22:00:00", "22:00:30"),
        ("22:00:38", "22:01:40"),
    ]


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"q": "後門有沒有人徘徊？"},
        {"q": "徘徊"},
        {"camera": "cam02"},
        {"from": "2026-01-15T22:00:30", "to": "2026-01-15T22:01:05"},
        {"q": "沒有這種東西"},
        {"q": "100%"},
        {"q": "沒有人徘徊的闖入"},
    ],
)
async def test_the_time_line_has_all_that_the_list_has(
    client_on_each: httpx.AsyncClient, asked: dict[str, str]
) -> None:
    listed = await client_on_each.get("/api/search", params=asked)
    answer = await client_on_each.get("/api/search/timeline", params=asked)
    line = shapes.SearchTimeline.model_validate(answer.json())
    marks = [mark for camera in line.cameras for mark in camera.marks or []]
    assert sorted(mark.event_id for mark in marks) == sorted(ids(listed))
    assert line.total == listed.json()["total"] == sum(sum(c.counts) for c in line.cameras)
    spans = {camera.camera_id: len(camera.recorded) for camera in line.cameras}
    told = [span["camera_id"] for span in listed.json()["coverage"]]
    assert {key: count for key, count in spans.items() if count} == {
        key: told.count(key) for key in told
    }


async def test_the_time_line_counts_in_steps_and_tells_gaps(
    client_on_each: httpx.AsyncClient,
) -> None:
    answer = await client_on_each.get("/api/search/timeline", params={"resolution": 10})
    line = shapes.SearchTimeline.model_validate(answer.json())
    assert (line.start_time, line.end_time) == (
        "2026-01-15T22:00:00+08:00",
        "2026-01-15T22:01:40+08:00",
    )
    assert (line.grid_time, line.step_s) == (line.start_time, 10)
    cam01, cam02 = line.cameras
    assert cam01.recorded == [(0, 30), (38, 100)]
    assert list(zip(cam01.steps, cam01.counts, cam01.risks, strict=True)) == [
        (1, 1, "critical"),
        (4, 1, "medium"),
    ]
    assert (cam02.steps, cam02.risks) == ([7], ["low"])

    # The day asked for is shown whole, with the time without recording, and nothing of tomorrow.
    day = {"from": "2026-01-15T00:00:00", "to": "2026-01-16T00:00:00", "camera": "cam01"}
    answer = await client_on_each.get("/api/search/timeline", params=day)
    line = shapes.SearchTimeline.model_validate(answer.json())
    assert (line.start_time or "", line.end_time or "") == (
        "2026-01-15T00:00:00+08:00",
        "2026-01-16T00:00:00+08:00",
    )
    assert [c.recorded for c in line.cameras] == [[(79_200, 79_300)]]  # 8 s are nothing of a day
    empty = await client_on_each.get(
        "/api/search/timeline", params={"to": "2020-01-01", "resolution": 1}
    )
    assert empty.json()["start_time"] is None


# --- events and media


async def test_an_event_has_facts_evidence_and_hashes(client_on_each: httpx.AsyncClient) -> None:
    answer = await client_on_each.get(f"/api/event/{INTRUSION}")
    record = shapes.EventRecord.model_validate(answer.json())
    assert record.zone_name == "後門禁入區"
    assert record.timezone == "Asia/Taipei"
    assert record.facts == {"dwell_s": 6.0}
    assert [item.timestamp for item in record.evidence] == [
        "2026-01-15T22:00:10+08:00",
        "2026-01-15T22:00:16+08:00",
    ]
    hashes = {item.sha256 for item in record.media if item.kind == "annotated"}
    for link in record.frame_links:
        picture = await client_on_each.get(link)
        assert picture.headers["Content-Type"] == "image/jpeg"
        assert hashlib.sha256(picture.content).hexdigest() in hashes
        plain = await client_on_each.get(link.replace("_boxes", ""))
        assert plain.status_code == 200
        assert plain.content != picture.content


async def test_cameras_come_with_names_and_places(client: httpx.AsyncClient) -> None:
    cameras = (await client.get("/api/cameras")).json()
    assert [shapes.Camera.model_validate(c).name for c in cameras] == ["後門攝影機", "停車場"]
    assert cameras[0]["tripwires"] == {"fence": "圍籬線"}


async def test_a_clip_is_sent_in_the_parts_a_player_asks_for(client: httpx.AsyncClient) -> None:
    link = f"/frames/{INTRUSION}.mp4"
    whole = await client.get(link)
    assert (whole.status_code, whole.headers["Content-Type"]) == (200, "video/mp4")
    part = await client.get(link, headers={"Range": "bytes=100-199"})
    assert part.status_code == 206
    assert part.headers["Content-Range"] == f"bytes 100-199/{len(whole.content)}"
    assert part.content == whole.content[100:200]
    assert (await client.get(link, headers={"Range": "bytes=99999999-"})).status_code == 416


@pytest.mark.parametrize(
    "path",
    [
        "/frames/../video-detective.db",
        "/frames/..%2f..%2fvideo-detective.db",
        "/frames/%2e%2e/clip.mp4",
        "/frames//etc/passwd",
        "/frames/..\\clip.mp4",
        "/frames/clip.mp4",
        "/frames/evt_20260115_cam01_0001/%00.jpg",
        "/frames/evt_20260115_cam01_9999.mp4",
        "/frames/" + "a" * 3000 + ".jpg",
        "/static/../page.py",
        "/static/..%2fpage.py",
    ],
)
def test_no_address_reaches_other_files(service: Service, path: str) -> None:
    # http.client sends the path as it stands; other clients tidy it first.
    connection = http.client.HTTPConnection(service.address.removeprefix("http://"))
    connection.request("GET", path, headers={"Authorization": f"Bearer {service.token}"})
    answer = connection.getresponse()
    is_too_long = len(path) > 400
    assert answer.status == (400 if is_too_long else 404)
    code = Failure.model_validate_json(answer.read()).error.code
    assert code == ("VALIDATION_ERROR" if is_too_long else "NOT_FOUND")
    connection.close()


# --- errors


@pytest.mark.parametrize(
    ("path", "status", "code", "named"),
    [
        ("/api/search?color=red", 400, "VALIDATION_ERROR", "'color'"),
        ("/api/event/x?q=1", 400, "VALIDATION_ERROR", "'q'"),
        ("/api/search?from=gestern", 400, "VALIDATION_ERROR", "'gestern'"),
        ("/api/search?to=2026-13-01", 400, "VALIDATION_ERROR", "'2026-13-01'"),
        ("/api/search?to=9999-12-31", 400, "VALIDATION_ERROR", "9999"),
        ("/api/search?from=2026-02-01&to=2026-01-01", 400, "VALIDATION_ERROR", "is empty"),
        ("/api/search?q=a&q=b", 400, "VALIDATION_ERROR", "'q'"),
        ("/api/search?limit=0", 400, "VALIDATION_ERROR", "limit"),
        ("/api/search?limit=many", 400, "VALIDATION_ERROR", "limit"),
        ("/api/search?cursor=zzz", 400, "VALIDATION_ERROR", "'zzz'"),
        ("/api/search?q=" + "x" * 501, 400, "VALIDATION_ERROR", "q"),
        ("/api/search?camera=cam99", 404, "NOT_FOUND", "cam01, cam02"),
        ("/api/event/evt_1", 404, "NOT_FOUND", "'evt_1'"),
        ("/api/event/a%00b", 404, "NOT_FOUND", "event"),
        ("/api/nothing", 404, "NOT_FOUND", "Not Found"),
        ("/api/cameras/", 404, "NOT_FOUND", "Not Found"),
        ("/static/nothing.js", 404, "NOT_FOUND", "Not Found"),
    ],
)
async def test_what_cannot_be_meant_is_refused_in_the_envelope(
    client_on_each: httpx.AsyncClient, path: str, status: int, code: str, named: str
) -> None:
    body = failure_of(await client_on_each.get(path), status)
    assert body.error.code == code
    assert named in body.message


async def test_a_nul_character_in_a_question_finds_nothing(
    client_on_each: httpx.AsyncClient,
) -> None:
    assert ids(await client_on_each.get("/api/search", params={"q": "a\0b"})) == []


async def test_a_wrong_method_is_told_which_are_right(client: httpx.AsyncClient) -> None:
    answer = await client.post("/api/search")
    assert failure_of(answer, 405).error.code == "METHOD_NOT_ALLOWED"
    assert answer.headers["Allow"] == "GET"


async def test_a_field_that_cannot_be_meant_is_named(client: httpx.AsyncClient) -> None:
    details = failure_of(await client.get("/api/search?limit=0"), 400).error.details
    assert details is not None
    assert [item.field for item in details] == ["limit"]


async def test_an_unexpected_failure_is_answered_without_its_text(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    broken = Workspace(data_dir=tmp_path, database=cast(Database, None), blobs=BlobStore(tmp_path))
    async with client_of(broken, NOBODYS_KEY, **{"X-Request-Id": "req-7"}) as client:
        answer = await client.get(f"/api/event/{INTRUSION}")
    body = failure_of(answer, 500)
    assert body.error.code == "INTERNAL"
    assert "NoneType" not in body.message
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "req-7" in caplog.text


@pytest.mark.parametrize("offered", ["abc-1", "0f8fad5b-d9cb-469f-a165-70867728950e"])
async def test_a_sane_request_id_is_kept(client: httpx.AsyncClient, offered: str) -> None:
    answer = await client.get("/api/cameras", headers={"X-Request-Id": offered})
    assert answer.headers["X-Request-Id"] == offered
    refused = await client.get("/api/none", headers={"X-Request-Id": offered})
    assert failure_of(refused, 404).meta.requestId == offered


@pytest.mark.parametrize("offered", ["", "a b", "x" * 65, "<script>"])
async def test_another_request_id_is_replaced(client: httpx.AsyncClient, offered: str) -> None:
    answer = await client.get("/api/cameras", headers={"X-Request-Id": offered})
    assert len(answer.headers["X-Request-Id"]) == 36


# --- who may come in


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/api/cameras",
        "/api/search",
        f"/api/event/{INTRUSION}",
        f"/frames/{INTRUSION}.mp4",
        "/static/app.js",
        "/api/openapi.json",
        "/nothing",
    ],
)
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": f"Bearer {NOBODYS_KEY}"},
        {"Authorization": f"Basic {NOBODYS_KEY}"},
        {"Cookie": f"vd_session={NOBODYS_KEY}"},
        {"Authorization": "Bearer \u00fc".encode()},
    ],
    ids=["nothing", "no key", "nobody's key", "wrong scheme", "wrong cookie", "no ASCII"],
)
async def test_nothing_answers_without_a_key_or_session(
    stranger: httpx.AsyncClient, path: str, headers: dict[str, str]
) -> None:
    answer = await stranger.get(path, headers=headers)
    assert failure_of(answer, 401).error.code == "UNAUTHORIZED"
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_health_is_open(stranger: httpx.AsyncClient, path: str) -> None:
    assert (await stranger.get(path)).json() == {"status": "ok"}


async def test_a_browser_without_a_session_is_sent_to_sign_in(stranger: httpx.AsyncClient) -> None:
    answer = await stranger.get("/", headers={"Accept": "text/html"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/sign-in")
    page = await stranger.get("/sign-in")
    assert page.status_code == 200
    for link in re.findall(r'(?:href|src)="(/static/[^"]+)"', page.text):
        assert (await stranger.get(link)).status_code == 200, link


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "localhost.evil.example", ""])
async def test_another_host_name_is_refused(client: httpx.AsyncClient, host: str) -> None:
    failure_of(await client.get("/api/cameras", headers={"Host": host}), 400)


@pytest.mark.parametrize("host", ["localhost:8377", "127.0.0.1:1", "[::1]:8377", "LOCALHOST"])
async def test_its_own_host_names_are_answered(client: httpx.AsyncClient, host: str) -> None:
    answer = await client.get("/api/cameras", headers={"Host": host})
    assert answer.status_code == 200


@pytest.mark.parametrize("path", ["/", "/api/search", "/api/none", "/static/app.js"])
async def test_every_answer_forbids_what_the_page_does_not_need(
    client: httpx.AsyncClient, path: str
) -> None:
    headers = (await client.get(path)).headers
    assert headers["Content-Security-Policy"].startswith("default-src 'self'")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["/", "/api/search", f"/frames/{INTRUSION}.mp4", "/healthz"])
async def test_head_tells_of_what_get_would_send(client: httpx.AsyncClient, path: str) -> None:
    head, whole = await client.head(path), await client.get(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["Content-Length"] == str(len(whole.content))


def test_a_key_is_in_no_log(
    service: Service, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.DEBUG):
        bearer = {"Authorization": f"Bearer {service.token}"}
        assert httpx.get(f"{service.address}/api/none", headers=bearer).status_code == 404
    ours = [r.getMessage() for r in caplog.records if not r.name.startswith(("httpx", "httpcore"))]
    captured = capfd.readouterr()
    assert service.token not in " ".join(ours) + captured.out + captured.err


def test_serve_prints_a_link_to_set_it_up_and_answers_without_delay(tmp_path: Path) -> None:
    command = [str(Path(sys.executable).with_name("video-detective")), "serve", "--port", "0"]
    process = subprocess.Popen(
        [*command, "--data-dir", filled(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert process.stdout is not None
    try:
        first = process.stdout.readline().decode()
        found = re.search(r"(http://127\.0\.0\.1:\d+)/set-up#(\S+)", first)
        assert found, first + process.stdout.read().decode()
        with httpx.Client(base_url=found[1], timeout=60) as c:
            # Nagle's delay adds 40 ms to every answer on a kept connection but the first.
            times_s = [c.get("/healthz").elapsed.total_seconds() for _ in range(15)]
            assert median(times_s) < 0.03
            assert c.get("/api/search").status_code == 401
            chosen = {"token": found[2], "name": "admin", "password": PASSWORD}
            assert c.post("/api/v1/session/set-up", json=chosen).status_code == 201
            assert c.get("/api/search", params={"q": "闖入"}).json()["total"] == 1
            assert c.get("/api/none").status_code == 404
    finally:
        process.terminate()
        rest = process.communicate(timeout=60)[0].decode()
    assert "Traceback" not in rest
    assert found[2] not in rest


# --- the OpenAPI document
