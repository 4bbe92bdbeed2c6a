"""Uploaded files: whole in spite of broken connections, analysed once in spite of kills."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import socket
import struct
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tests.commands import video_detective
from tests.videos import write_sound, write_video
from tests.working import BYTES, RULES, Site, save_camera, wait_for, workers, working

from video_detective.geometry import NS_PER_S
from video_detective.pipeline.clock import now_ns
from video_detective.services import files
from video_detective.services.accounts import local_caller
from video_detective.services.file_work import sweep
from video_detective.services.workspace import open_workspace
from video_detective.storage.work.base import JobEnd

pytestmark = pytest.mark.skipif(not Path("/proc").is_dir(), reason="finds processes in /proc")

MOST_BYTES = 3_000_000


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Ten seconds, and more bytes than a connection holds on their way."""
    film = write_video(tmp_path_factory.mktemp("film") / "film.mp4", frames=100).read_bytes()
    return film + struct.pack(">I4s", 2 << 20, b"free") + bytes((2 << 20) - 8)


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site") / "data"
    folder.mkdir()
    settings = {
        "schema_version": 1,
        "uploads": {"max_bytes": MOST_BYTES, "max_hours": 0.2, "keep_free_bytes": 0},
    }
    (folder / "settings.yaml").write_text(json.dumps(settings), "utf-8")
    return folder


@pytest.fixture(scope="module")
def site(data_dir: Path) -> Iterator[Site]:
    with working(data_dir) as one:
        yield one


def stored(data_dir: Path, job_id: str) -> Path:
    return data_dir / "uploads" / job_id


def test_a_connection_that_breaks_leaves_what_came_and_the_rest_follows(
    site: Site, film: bytes, data_dir: Path
) -> None:
    digest = hashlib.sha256(film).hexdigest().upper()
    name = "後門_20260115_220000.mp4"
    announced = site.announce(film, sha256=digest, fileName=name)
    assert announced.status_code == 201
    job_id, address = announced.json()["data"]["id"], announced.headers["Location"]
    half = len(film) // 2
    where = urlsplit(site.service.address)
    with socket.create_connection((where.hostname or "", where.port or 0)) as connection:
        head = (
            f"PATCH {address} HTTP/1.1\r\nHost: {where.netloc}\r\nContent-Length: {len(film)}\r\n"
            f"Content-Type: {BYTES['Content-Type']}\r\nUpload-Offset: 0\r\n"
            f"Authorization: Bearer {site.service.token}\r\n\r\n"
        )
        connection.sendall(head.encode() + film[:half])

    def offset() -> int:
        answer = site.http.head(address)
        assert answer.headers["Upload-Length"] == str(len(film))
        return int(answer.headers["Upload-Offset"])

    at = wait_for(offset, lambda at: at > 0)
    assert at <= half
    wrong = site.send(address, film, 0)
    assert (wrong.status_code, wrong.headers["Upload-Offset"]) == (409, str(at))
    assert wrong.json()["error"]["code"] == "CONFLICT"
    assert site.job(job_id)["status"] == "uploading"

    rest = site.send(address, film[at:], at)

    assert (rest.status_code, rest.headers["Upload-Offset"]) == (200, str(len(film)))
    job = site.ended(job_id)
    assert (job["status"], job["error"], job["fileName"]) == ("done", None, name)
    assert job["progress"] | {"rate": None} == {
        "percent": 100.0,
        "frames": 100,
        "videoSeconds": job["report"]["videoSeconds"],
        "rate": None,
        "secondsLeft": None,
        "events": sum(job["report"]["events"].values()),
    }
    assert job["report"]["frames"]["decoded"] == 100
    assert (job["report"]["startTime"], job["report"]["startFrom"]) == (
        "2026-01-15T14:00:00Z",
        "file_name",
    )
    assert sum(job["report"]["events"].values()) > 0
    assert [path.name for path in (data_dir / "uploads").iterdir()] == [job_id]
    assert site.send(address, b"", len(film)).status_code == 409


def test_bytes_that_changed_on_the_way_are_refused(site: Site, film: bytes, data_dir: Path) -> None:
    announced = site.announce(film, sha256="0" * 64)
    job_id = announced.json()["data"]["id"]

    sent = site.send(announced.headers["Location"], film, 0)

    assert sent.status_code == 400
    assert hashlib.sha256(film).hexdigest() in sent.json()["message"]
    job = site.job(job_id)
    assert (job["status"], job["error"]["code"]) == ("failed", "CHECKSUM_MISMATCH")
    assert not stored(data_dir, job_id).exists()


def test_files_that_are_too_large_or_sent_wrongly_are_refused(site: Site, film: bytes) -> None:
    large = {"deviceId": site.device, "fileName": "a.mp4", "sizeBytes": MOST_BYTES + 1}
    refused = site.http.post("/api/v1/analysis/files", json=large)
    assert (refused.status_code, refused.json()["error"]["code"]) == (413, "PAYLOAD_TOO_LARGE")
    announced = site.announce(film)
    address = announced.headers["Location"]

    assert site.send(address, film + b"more", 0).status_code == 413

    def in_pieces() -> Iterator[bytes]:
        yield film
        yield b"more"

    headers = {**BYTES, "Upload-Offset": "0"}
    assert site.http.patch(address, content=in_pieces(), headers=headers).status_code == 413
    assert site.http.patch(address, content=film, headers=BYTES).status_code == 400
    form = {"Content-Type": "application/json", "Upload-Offset": "0"}
    refused = site.http.patch(address, content=film, headers=form)
    assert (refused.status_code, refused.json()["error"]["code"]) == (415, "UNSUPPORTED_MEDIA_TYPE")
    assert site.http.post(f"/api/v1/analysis/jobs/{announced.json()['data']['id']}/cancel").json()[
        "data"
    ]["status"] == ("cancelled")


@pytest.mark.parametrize("field", [{"sizeBytes": 0}, {"startTime": "soon"}, {"sha256": "abc"}])
def test_what_cannot_be_meant_is_named(site: Site, film: bytes, field: dict[str, object]) -> None:
    refused = site.announce(film, **field)

    assert refused.status_code == 400
    assert [item["field"] for item in refused.json()["error"]["details"]] == list(field)


def test_what_is_no_video_fails_with_a_remedy_whatever_its_name(
    site: Site, tmp_path: Path, data_dir: Path
) -> None:
    sound = write_sound(tmp_path / "sound.mp4").read_bytes()
    names = {"聲音.mp4": sound, "../../etc/passwd.mp4": b"#EXTM3U\nhttp://192.0.2.1/a.ts\n" * 50}
    jobs = {name: site.upload(content, fileName=name) for name, content in names.items()}

    for name, job_id in jobs.items():
        job = site.ended(job_id)
        assert (job["status"], job["error"]["code"]) == ("failed", "UNSUPPORTED_SOURCE")
        assert name in job["error"]["message"]
        assert job_id not in job["error"]["message"]
        path = stored(data_dir, job_id)
        wait_for(path.exists, lambda there: not there)


def test_a_film_that_lasts_too_long_is_refused(site: Site, tmp_path: Path) -> None:
    slow = write_video(tmp_path / "slow.mp4", frames=20, pts_ms=[n * 60_000 for n in range(20)])

    job = site.ended(site.upload(slow.read_bytes()))

    assert (job["status"], job["error"]["code"]) == ("failed", "PAYLOAD_TOO_LARGE")


def test_a_job_is_cancelled_while_it_runs(site: Site, long_film: bytes, data_dir: Path) -> None:
    job_id = site.upload(long_film)
    wait_for(lambda: site.job(job_id)["progress"]["frames"], lambda frames: frames > 0)

    assert site.http.post(f"/api/v1/analysis/jobs/{job_id}/cancel").status_code == 200

    assert site.ended(job_id)["status"] == "cancelled"
    assert workers(job_id, data_dir) == []
    wait_for(stored(data_dir, job_id).exists, lambda there: not there)
    again = site.http.post(f"/api/v1/analysis/jobs/{job_id}/cancel")
    assert again.json()["data"]["status"] == "cancelled"


@pytest.fixture(scope="module")
def long_film(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Minutes in which something moves."""
    path = tmp_path_factory.mktemp("long") / "film.mp4"
    return write_video(path, frames=700, rate=2, keyframe_every=100).read_bytes()


def test_a_killed_analysis_goes_on_and_ends_with_the_same_events(
    long_film: bytes, tmp_path: Path
) -> None:
    start = "2026-01-15T22:00:00"
    film, rules = tmp_path / "film.mp4", tmp_path / "rules.yaml"
    film.write_bytes(long_film)
    rules.write_text(RULES, "utf-8")
    whole = ("--data-dir", tmp_path / "whole")
    assert video_detective("analyze", film, "--rules", rules, "--start", start, *whole).code == 0
    with working(tmp_path / "data") as site:
        job_id = site.upload(long_film, startTime=start)
        wait_for(lambda: site.job(job_id)["progress"]["frames"], lambda frames: frames > 310)
        (worker,) = workers(job_id, tmp_path)
        os.kill(worker, signal.SIGKILL)

        job = site.ended(job_id)

    assert job["status"] == "done", job
    assert job["report"]["status"] == "done"
    assert job["startTime"] == job["report"]["startTime"] == "2026-01-15T14:00:00Z"
    killed = ("--data-dir", tmp_path / "data")
    events = video_detective("events", *killed, "--json").document
    assert len(events) > 1
    assert events == video_detective("events", *whole, "--json").document


async def test_files_that_nobody_needs_any_more_are_removed(tmp_path: Path) -> None:
    async with open_workspace(tmp_path) as workspace:
        device = await save_camera(workspace)
        caller = await local_caller(workspace)

        async def content() -> AsyncIterator[bytes]:
            yield b"12345"

        async def a_file(size_bytes: int) -> str:
            announced = files.Announcement(
                device_id=device, file_name="a.mp4", size_bytes=size_bytes
            )
            job = await files.announce(workspace, caller, announced)
            await files.receive(
                workspace, caller, job.job_id, offset=0, length=None, content=content()
            )
            return job.job_id

        waits, cut_off, ended = await a_file(5), await a_file(6), await a_file(5)
        gone = await a_file(5)
        never = files.Announcement(device_id=device, file_name="b.mp4", size_bytes=7)
        never_sent = (await files.announce(workspace, caller, never)).job_id
        jobs = workspace.database.work.jobs
        assert await jobs.end(ended, None, JobEnd(status="done", ended_ns=now_ns()))
        assert await jobs.cancel(gone, now_ns=now_ns(), entry=None) == "cancelled"
        folder = tmp_path / files.FOLDER
        (folder / "left-behind").write_bytes(b"1")

        await sweep(workspace, now_ns=now_ns())
        assert {path.name for path in folder.iterdir()} == {waits, cut_off, ended}
        await sweep(workspace, now_ns=now_ns() + 25 * 3600 * NS_PER_S)

        assert [path.name for path in folder.iterdir()] == [waits]
        for job_id in (cut_off, never_sent):
            abandoned = await jobs.get(job_id)
            assert abandoned is not None
            assert (abandoned.status, abandoned.error_code) == ("failed", "UPLOAD_ABANDONED")


@pytest.mark.parametrize(("is_right", "status"), [(True, "queued"), (False, "failed")])
async def test_a_service_killed_while_it_checks_a_whole_file_checks_it_again(
    tmp_path: Path, *, is_right: bool, status: str
) -> None:
    film = b"12345"
    digest = hashlib.sha256(film if is_right else b"").hexdigest()
    async with open_workspace(tmp_path) as workspace:
        announcement = files.Announcement(
            device_id=await save_camera(workspace),
            file_name="a.mp4",
            size_bytes=len(film),
            sha256=digest,
        )
        job = await files.announce(workspace, await local_caller(workspace), announcement)
        jobs = workspace.database.work.jobs
        epoch = await jobs.begin_receiving(job.job_id, 0)
        assert epoch is not None
        stored(tmp_path, job.job_id).write_bytes(film)
        assert await jobs.received(job.job_id, epoch, len(film))

        await sweep(workspace, now_ns=now_ns() + 3600 * NS_PER_S)

        swept = await jobs.get(job.job_id)
        assert swept is not None
        assert swept.status == status
        assert stored(tmp_path, job.job_id).exists() == is_right
