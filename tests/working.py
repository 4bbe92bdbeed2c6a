"""A service that also works: live cameras and uploaded files, over small pictures."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx
from tests.service import Service, running

from video_detective import config
from video_detective.services.background import words_in_background
from video_detective.services.workspace import Workspace
from video_detective.storage import CameraRow

T = TypeVar("T")
RULES = """
schema_version: 1
cameras:
  door:
    name: 大門
    detection: {detector: motion}
    zones: {all: {name: 全區, points: [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]}}
    rules:
      - {id: few, type: metric, metric: zones.all.count, operator: LT, threshold: 5, for_seconds: 0}
      - {id: in, type: intrusion, zone: all, enter_s: 0.4, exit_s: 0.4}
"""
BYTES = {"Content-Type": "application/offset+octet-stream"}


@dataclass(frozen=True)
class Site:
    """A working service, a client that may do everything, and its one device."""

    service: Service
    http: httpx.Client
    device: str

    def status(self) -> dict[str, Any]:
        answer = self.http.get("/api/v1/analysis/status", params={"deviceId": self.device})
        assert answer.status_code == 200, answer.text
        (row,) = answer.json()["data"]
        return dict(row)

    def announce(self, film: bytes, **more: Any) -> httpx.Response:
        body = {"deviceId": self.device, "fileName": "film.mp4", "sizeBytes": len(film), **more}
        return self.http.post("/api/v1/analysis/files", json=body)

    def send(self, address: str, content: bytes, offset: int) -> httpx.Response:
        headers = {**BYTES, "Upload-Offset": str(offset)}
        return self.http.patch(address, content=content, headers=headers)

    def upload(self, film: bytes, **more: Any) -> str:
        """Send a film in one piece; returns the job's id."""
        announced = self.announce(film, sha256=hashlib.sha256(film).hexdigest(), **more)
        assert announced.status_code == 201, announced.text
        sent = self.send(announced.headers["Location"], film, 0)
        assert sent.status_code == 200, sent.text
        return str(sent.json()["data"]["id"])

    def job(self, job_id: str) -> dict[str, Any]:
        answer = self.http.get(f"/api/v1/analysis/jobs/{job_id}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json()["data"])

    def ended(self, job_id: str) -> dict[str, Any]:
        """The job when it has ended."""
        ends = {"done", "failed", "cancelled"}
        return wait_for(lambda: self.job(job_id), lambda job: job["status"] in ends)


async def save_camera(workspace: Workspace, rules: str = RULES, camera_id: str = "door") -> str:
    """A camera of the default account; returns its device's id."""
    camera = config.parse(rules, name="rules.yaml").camera(camera_id)
    await workspace.database.save_camera(
        CameraRow(
            camera_id=camera_id,
            name=camera.name or camera_id,
            timezone=camera.timezone,
            document=camera.model_dump(mode="json"),
        )
    )
    return (await workspace.database.devices.infos())[camera_id].device_id


@contextmanager
def working(data_dir: Path, url: str | None = None) -> Iterator[Site]:
    """The service with everything it does beside answering."""
    held: list[AbstractAsyncContextManager[None]] = []

    async def begin(workspace: Workspace) -> str:
        device = await save_camera(workspace)
        held.append(words_in_background(workspace))
        await held[0].__aenter__()
        return device

    async def end(workspace: Workspace) -> None:
        await held[0].__aexit__(None, None, None)

    with running(data_dir, url, extra=None) as service:
        device = service.do(begin)
        try:
            with httpx.Client(
                base_url=service.address,
                headers={"Authorization": f"Bearer {service.token}"},
                timeout=30,
            ) as http:
                yield Site(service=service, http=http, device=device)
        finally:
            service.do(end)


def wait_for(look: Callable[[], T], until: Callable[[T], bool], timeout_s: float = 120) -> T:
    """Look again and again until it is so; returns what was seen then."""
    deadline = time.monotonic() + timeout_s
    while not until(seen := look()):
        assert time.monotonic() < deadline, seen
        time.sleep(0.15)  # a key may ask ten times a second
    return seen


def workers(about: str, within: Path) -> list[int]:
    """Ids of the living worker processes of a camera or job on data in a folder."""
    data = f"VIDEO_DETECTIVE_DATA={within.resolve()}"
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
            has_data = data in (folder / "environ").read_bytes().decode(errors="replace")
            is_dead = (folder / "stat").read_text().rpartition(")")[2].split()[0] == "Z"
        except OSError:
            continue  # it has just ended
        if "work" in words and about in words and has_data and not is_dead:
            found.append(int(folder.name))
    return found
