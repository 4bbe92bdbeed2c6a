"""The end of ``serve``: soon, in order and quietly, whatever it is doing."""

from __future__ import annotations

import asyncio
import json
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest
from tests.api import make_key
from tests.commands import finish, start
from tests.eyes import eyes, is_told
from tests.servers.llm import LlmServer
from tests.servers.llm_protocol import Model
from tests.service import fill
from tests.streams import streaming

from video_detective.services.workspace import open_workspace
from video_detective.storage.narration_rows import NarrationRequest

SIGNALS = (signal.SIGINT, signal.SIGTERM)
SOON_S = 30
"""Two seconds for answers, one for the queue, and a very busy machine."""


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """A data directory with events, all of them waiting to be told."""

    async def prepare() -> None:
        async with open_workspace(tmp_path / "data") as workspace:
            await fill(workspace, tmp_path)
            asked = NarrationRequest(language="zh-TW", requested_ns=1)
            assert await workspace.database.narrations.request(asked) > 0

    asyncio.run(prepare())
    return tmp_path / "data"


async def key_of(data_dir: Path) -> str:
    async with open_workspace(data_dir) as workspace:
        return await make_key(workspace)


def configure(data_dir: Path, server: LlmServer, use: str) -> None:
    settings = {
        "schema_version": 1,
        "servers": {"here": {"kind": "ollama", "url": server.url, "timeout_s": 300.0}},
        use: {"server": "here", "model": "eyes"},
    }
    (data_dir / "settings.yaml").write_text(json.dumps(settings), "utf-8")


@contextmanager
def serving(data_dir: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The service as a process of its own, and its address."""
    process = start("serve", "--data-dir", data_dir, "--port", "0")
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        yield process, line.split()[-1].partition("/set-up")[0]
    finally:
        process.kill()
        process.wait()


def assert_ends_quietly(process: subprocess.Popen[str], how: signal.Signals) -> str:
    """Returns what it wrote to standard error."""
    began = time.monotonic()
    process.send_signal(how)
    outcome = finish(process)
    assert outcome.code == 0, outcome
    assert time.monotonic() - began < SOON_S
    assert "Traceback" not in outcome.err
    return outcome.err


@pytest.mark.parametrize("how", SIGNALS)
def test_a_service_without_models_ends_without_a_word(data_dir: Path, how: signal.Signals) -> None:
    key = asyncio.run(key_of(data_dir))
    with serving(data_dir) as (process, address):
        assert httpx.get(f"{address}/healthz", timeout=60).status_code == 200
        with streaming(address.removesuffix("/sign-in"), key) as stream:
            written = assert_ends_quietly(process, how)
            assert list(stream.events()) == []
        # Nothing but the line that every request has.
        assert [json.loads(line)["path"] for line in written.splitlines()] == ["/api/v1/live"]


@pytest.mark.parametrize("how", SIGNALS)
def test_events_being_told_are_left_to_others_at_once(data_dir: Path, how: signal.Signals) -> None:
    with LlmServer(answer=eyes, models=[Model(name="eyes")], delay_s=1.0) as model:
        configure(data_dir, model, "narration")
        with serving(data_dir) as (process, _):
            model.wait_until(lambda server: any(map(is_told, server.asks)), 60)

            assert assert_ends_quietly(process, how) == ""
    with closing(sqlite3.connect(data_dir / "video-detective.db")) as database:
        begun = database.execute(
            "SELECT worker, attempts FROM narrations WHERE status = 'pending'"
        ).fetchall()
        workers = database.execute("SELECT worker FROM workers").fetchall()
    assert begun
    assert set(begun) == {(None, 0)}
    assert workers == []


@pytest.mark.parametrize("how", SIGNALS)
def test_a_question_that_waits_for_a_silent_model_does_not_hold_the_service(
    data_dir: Path, how: signal.Signals
) -> None:
    with LlmServer("wait") as model, ThreadPoolExecutor() as threads:
        configure(data_dir, model, "answers")
        with serving(data_dir) as (process, address):
            token = asyncio.run(key_of(data_dir))
            question = threads.submit(
                httpx.get,
                f"{address}/api/search",
                params={"q": "有沒有人闖入"},
                headers={"Authorization": f"Bearer {token}"},
                timeout=60,
            )
            model.wait_until(lambda server: server.in_flight > 0, 60)

            assert_ends_quietly(process, how)

            answer = question.result()
    assert answer.status_code == 503
    assert answer.json()["message"].startswith("The service is ending")


@pytest.mark.parametrize("how", SIGNALS)
def test_vectors_that_a_silent_model_owes_are_not_waited_for(
    data_dir: Path, how: signal.Signals
) -> None:
    with LlmServer("wait") as model:
        configure(data_dir, model, "embeddings")
        with serving(data_dir) as (process, _):
            model.wait_until(lambda server: server.in_flight > 0, 60)

            assert assert_ends_quietly(process, how) == ""
