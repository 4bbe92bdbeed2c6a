"""No secret is in any log line, error, audit entry or answer, but the one that shows it once."""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from tests.api import PASSWORD, quick
from tests.commands import finish, start
from tests.routes import Operation, operations
from tests.tenants import STREAM_PASSWORD, WEBHOOK_SECRET, Tenant, make_tenant

from video_detective.services.workspace import open_workspace

SERVER_KEY = "sk-canary-0123456789abcdef"
NEW_STREAM_PASSWORD = "an0therStreamPa55"
SETTINGS = {
    "schema_version": 1,
    "servers": {
        "here": {"kind": "openai", "url": "http://127.0.0.1:9", "api_key_env": "CANARY_KEY"}
    },
    "answers": {"server": "here", "model": "eyes", "timeout_s": 1.0},
    "limits": {"per_key": 100_000, "searches": 100_000, "sign_ins": 100_000},
}
SHOWS_ONCE = {
    "POST /api/v1/keys": "key",
    "POST /api/v1/channels": "secret",
    "POST /api/v1/users/invitations": "url",
}
ORDER = {"get": 0, "post": 1, "put": 2, "patch": 3, "delete": 4}


@contextmanager
def serving(data_dir: Path) -> Iterator[tuple[str, list[str]]]:
    """A service as a process of its own: its address; afterwards what it wrote to each stream."""
    said: list[str] = []
    environment = {**os.environ, "CANARY_KEY": SERVER_KEY}
    # Into a file: a pipe that nobody reads is full some day, and then the service stands still.
    log = data_dir.with_name("service.log")
    with log.open("w") as file:
        process = start(
            "--debug", "serve", "--data-dir", data_dir, "--port", "0", env=environment, stderr=file
        )
    try:
        assert process.stdout is not None
        address = ""
        while "http://" not in address:
            address = process.stdout.readline()
            assert address or process.poll() is None, finish(process)
        found = next(word for word in address.split() if word.startswith("http://"))
        yield "/".join(found.split("/")[:3]), said
    finally:
        process.terminate()
        finish(process)
        said.append(log.read_text("utf-8"))


@pytest.fixture
def tenant(tmp_path: Path) -> Tenant:
    async def fill() -> Tenant:
        folder = tmp_path / "data"
        folder.mkdir()
        (folder / "settings.yaml").write_text(json.dumps(SETTINGS), "utf-8")
        os.environ["CANARY_KEY"] = SERVER_KEY
        try:
            async with open_workspace(folder) as opened:
                return await make_tenant(quick(opened), folder, "zanthorim ltd", "zanthorim")
        finally:
            del os.environ["CANARY_KEY"]

    return asyncio.run(fill())


def in_order() -> list[Operation]:
    return sorted(
        (item for item in operations() if "/keys/{id}" not in item.path and not item.is_signed),
        key=lambda item: ORDER[item.method],
    )


def test_secrets_are_nowhere_but_where_they_are_shown_once(tenant: Tenant, tmp_path: Path) -> None:
    secrets = {tenant.key, tenant.key[16:], STREAM_PASSWORD, WEBHOOK_SECRET, SERVER_KEY, PASSWORD}
    secrets |= {NEW_STREAM_PASSWORD}
    signatures: set[str] = set()
    answers: list[tuple[str, str]] = []
    with (
        serving(tmp_path / "data") as (address, said),
        httpx.Client(base_url=address, timeout=30) as http,
    ):
        key = {"Authorization": f"Bearer {tenant.key}"}
        wrong = {"Authorization": f"Bearer {tenant.key[:-2]}xx"}
        for operation in in_order():
            asked = operation.request(tenant.ids)
            url = str(asked.url).replace("http://localhost", address)
            content = asked.content.replace(b"secret@", NEW_STREAM_PASSWORD.encode() + b"@")
            headers = {
                name: value
                for name, value in asked.headers.items()
                if name not in {"host", "content-length"}
            }
            for credential in (wrong, key):
                answer = http.request(
                    asked.method, url, content=content or None, headers=headers | credential
                )
                shown = answer.text
                field = SHOWS_ONCE.get(str(operation))
                if field is not None and answer.is_success:
                    once = str(answer.json()["data"].get(field) or "")
                    assert once, f"{operation} shows no {field}: {answer.text}"
                    secrets.add(once.partition("#")[2] or once)
                    shown = shown.replace(once, "")
                signatures |= set(re.findall(r"signature=([0-9a-f]{20,})", shown))
                answers.append((str(operation), shown + repr(answer.headers)))
        links = re.findall(r'"(http[^"]+/media/[^"]+)"', "".join(text for _, text in answers))
        link = links[0]
        assert http.get(link).status_code == 200
        assert http.get(f"{link[:-3]}abc").status_code == 403
        signed_in = http.post(
            "/api/v1/session",
            json={"name": f"user-{tenant.word}", "password": PASSWORD, "account": tenant.name},
        )
        assert signed_in.is_success
        secrets |= {value for value in signed_in.cookies.values() if len(value) > 20}
        http.cookies.clear()
        http.post("/api/v1/session", json={"name": "x", "password": "wr0ngPa55word"})
        secrets.add("wr0ngPa55word")
        cut_off = f'{{"source": "rtsp://u:{STREAM_PASSWORD}@h'.encode()
        answers.append(("cut off", http.post("/api/v1/devices", content=cut_off, headers=key).text))
        gopher = {"name": "x", "source": f"gopher://u:{STREAM_PASSWORD}@h/x"}
        answers.append(("mistaken", http.post("/api/v1/devices", json=gopher, headers=key).text))
        audit = http.get("/api/v1/audit?limit=100", headers=key)
        answers.append(("audit", audit.text))
    assert len(answers) > 100
    assert signatures
    log = said[0]
    for line in log.splitlines():
        entry = json.loads(line)
        assert {"time", "level", "logger", "message"} <= set(entry)
    requests = [entry for entry in map(json.loads, log.splitlines()) if "path" in entry]
    assert len(requests) > 100
    assert all("requestId" in entry and "?" not in entry["path"] for entry in requests)
    for secret in secrets:
        assert secret not in log, f"{secret} is in the log"
        for name, text in answers:
            assert secret not in text, f"{name} tells {secret}"
    for signature in signatures:
        assert signature not in log
        assert signature not in audit.text
