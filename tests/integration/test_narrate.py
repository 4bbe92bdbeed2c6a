"""``narrate``: from an analysed film to words of a model that can be searched."""

import asyncio
import json
import re
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from tests.commands import assert_refused, finish, start, video_detective
from tests.eyes import WORDS, eyes, is_told
from tests.servers.llm import LlmServer
from tests.servers.llm_protocol import Model
from tests.servers.mqtt import kept_port

from video_detective.services.narration import keep_narrating
from video_detective.services.workspace import open_workspace

RULES = """\
schema_version: 1
cameras:
  cam01:
    name: 後門攝影機
    timezone: Asia/Taipei
    detection: {detector: motion}
    zones: {yard: {name: 院子, points: [[0.3, 0.1], [0.7, 0.1], [0.7, 1.0], [0.3, 1.0]]}}
    rules:
      - {id: yard, type: intrusion, zone: yard, enter_s: 0.4, exit_s: 0.6}
    alerts: []
"""


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two people walk through the yard, one after the other."""
    path = tmp_path_factory.mktemp("film") / "2026-01-15_22-00-00.mp4"
    ground = np.random.default_rng(1).integers(90, 130, (240, 320, 3)).astype(np.uint8)
    with av.open(path, "w") as output:
        stream = output.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for number in range(220):
            image = ground.copy()
            for first in (30, 130):
                left = (number - first) * 6 - 30
                if number - first >= 0 and left < 320:
                    image[90:190, max(left, 0) : max(left + 36, 0)] = (20, 20, 200)
            frame = av.VideoFrame.from_ndarray(image, "bgr24")
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


@pytest.fixture
def server() -> Iterator[LlmServer]:
    with LlmServer(answer=eyes, models=[Model(name="eyes")]) as running:
        yield running


@pytest.fixture
def data_dir(tmp_path: Path, server: LlmServer) -> Path:
    """A data directory whose settings name the server."""
    folder = tmp_path / "data"
    folder.mkdir()
    configure(folder, server)
    return folder


def configure(folder: Path, server: LlmServer, **narration: Any) -> None:
    settings = {
        "schema_version": 1,
        "servers": {"here": {"kind": "ollama", "url": server.url, "timeout_s": 5.0}},
        "narration": {"server": "here", "model": "eyes", **narration},
    }
    (folder / "settings.yaml").write_text(json.dumps(settings), "utf-8")


def analyse(film: Path, folder: Path) -> int:
    rules = folder.parent / "rules.yaml"
    rules.write_text(RULES, "utf-8")
    done = video_detective("analyze", film, "--rules", rules, "--data-dir", folder, "--json")
    assert done.code == 0, done
    return int(done.document["events"]["intrusion"])


def rows(folder: Path) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(folder / "video-detective.db")) as connection:
        connection.row_factory = sqlite3.Row
        found = connection.execute("SELECT * FROM narrations ORDER BY event_id")
        return [dict(row) for row in found]


def test_events_of_an_analysis_are_told_from_their_pictures_and_found_by_the_words(
    film: Path, data_dir: Path, server: LlmServer
) -> None:
    events = analyse(film, data_dir)
    assert events >= 2
    assert [row["status"] for row in rows(data_dir)] == ["pending"] * events

    told = video_detective("narrate", "--data-dir", data_dir, "--json")

    assert told.code == 0, told
    assert told.document == {
        "requested": 0, "told": events, "degraded": {}, "failed": {}, "pending": 0
    }  # fmt: skip
    asks = [ask for ask in server.asks if is_told(ask)]
    assert len(asks) == events
    for ask in asks:
        assert 5 <= len(ask.images) <= 12
        stamps = re.findall(r"frame_\d+\.timestamp: (\S+?)（", ask.text)
        assert stamps == sorted(stamps)
        assert len(stamps) == len(ask.images)
    for row in rows(data_dir):
        assert (row["status"], row["level"], row["text"]) == ("done", "frames", WORDS)
        assert (row["attempts"], row["reason"]) == (1, None)
        assert json.loads(row["usage"])["calls"] == 2
    found = video_detective("search", "雨傘", "--data-dir", data_dir, "--json").document
    assert len(found["timeline"]) == events


def test_what_was_told_is_not_told_again(film: Path, data_dir: Path, server: LlmServer) -> None:
    analyse(film, data_dir)
    video_detective("narrate", "--data-dir", data_dir)
    asked = len(server.asks)

    again = video_detective("narrate", "--backfill", "--data-dir", data_dir)

    assert again.code == 0
    assert again.out == "Told 0 events\n"
    assert len(server.asks) == asked


def test_events_analysed_before_a_model_was_set_are_told_by_backfill(
    film: Path, data_dir: Path
) -> None:
    settings = (data_dir / "settings.yaml").read_text("utf-8")
    (data_dir / "settings.yaml").unlink()
    events = analyse(film, data_dir)
    assert rows(data_dir) == []
    (data_dir / "settings.yaml").write_text(settings, "utf-8")

    one = video_detective("narrate", "--backfill", "--limit", "1", "--data-dir", data_dir, "--json")
    rest = video_detective("narrate", "--backfill", "--data-dir", data_dir, "--json")

    assert (one.document["requested"], one.document["told"]) == (1, 1)
    assert (rest.document["requested"], rest.document["told"]) == (events - 1, events - 1)


def test_beyond_the_budget_the_words_of_the_facts_stay_and_it_is_said(
    film: Path, data_dir: Path, server: LlmServer
) -> None:
    configure(data_dir, server, calls_per_hour_per_camera=2)
    events = analyse(film, data_dir)

    told = video_detective("narrate", "--data-dir", data_dir)

    assert told.out == f"Told 1 events\n  told with less: {events - 1} budget\n"
    last = rows(data_dir)[-1]
    assert (last["status"], last["level"], last["text"]) == ("done", "template", "")
    assert last["reason"] == "budget"


def test_a_model_that_gives_no_usable_answer_leaves_failures_that_say_why(
    film: Path, data_dir: Path, server: LlmServer
) -> None:
    events = analyse(film, data_dir)

    with LlmServer(
        answer=lambda ask: "I would rather talk." if "timestamp" in str(ask.schema) else eyes(ask),
        models=[Model(name="eyes")],
    ) as useless:
        configure(data_dir, useless)
        told = video_detective("narrate", "--data-dir", data_dir, "--json")
    assert told.code == 0
    assert told.document["failed"] == {"invalid": events}
    for row in rows(data_dir):
        assert (row["status"], row["text"]) == ("failed", "")
        assert row["raw_text"] == "I would rather talk."

    configure(data_dir, server)
    again = video_detective("narrate", "--backfill", "--data-dir", data_dir, "--json")
    assert again.document["told"] == events


def test_without_a_model_the_command_says_what_to_set(film: Path, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    analyse(film, folder)

    refused = video_detective("narrate", "--data-dir", folder)

    assert_refused(refused, 2, "No model is set", "servers", "narration", "settings.yaml")


def test_a_model_that_the_server_lacks_is_named_and_events_wait(
    film: Path, data_dir: Path, server: LlmServer
) -> None:
    events = analyse(film, data_dir)
    configure(data_dir, server, model="other")

    refused = video_detective("narrate", "--data-dir", data_dir)

    assert_refused(refused, 1, "no model 'other'", "ollama pull other")
    assert [row["status"] for row in rows(data_dir)] == ["pending"] * events


def test_events_wait_for_a_server_that_is_not_there(
    film: Path, data_dir: Path, server: LlmServer
) -> None:
    events = analyse(film, data_dir)
    with LlmServer() as gone:
        pass
    configure(data_dir, gone)

    refused = video_detective("narrate", "--data-dir", data_dir)

    assert_refused(refused, 1, "here")
    assert [row["status"] for row in rows(data_dir)] == ["pending"] * events
    configure(data_dir, server)
    told = video_detective("narrate", "--data-dir", data_dir, "--json")
    assert told.document["told"] == events


def test_a_limit_without_a_backfill_is_refused(data_dir: Path) -> None:
    refused = video_detective("narrate", "--limit", "3", "--data-dir", data_dir)

    assert_refused(refused, 2, "--backfill")


def test_ctrl_c_leaves_what_is_not_told_for_the_next_time(film: Path, data_dir: Path) -> None:
    events = analyse(film, data_dir)
    with LlmServer("ok", answer=eyes, models=[Model(name="eyes")], delay_s=1.0) as slow:
        configure(data_dir, slow)
        process = start("narrate", "--data-dir", data_dir)
        slow.wait_until(lambda server: any(is_told(ask) for ask in server.asks), 60)
        process.send_signal(signal.SIGINT)
        outcome = finish(process)
    assert outcome.code == 1
    assert "interrupted" in outcome.err
    assert "Run the same command" in outcome.err
    assert {row["worker"] for row in rows(data_dir) if row["status"] == "pending"} == {None}

    with LlmServer(answer=eyes, models=[Model(name="eyes")]) as quick:
        configure(data_dir, quick)
        rest = video_detective("narrate", "--data-dir", data_dir, "--json")
    assert rest.document["pending"] == 0
    assert [row["status"] for row in rows(data_dir)] == ["done"] * events


def test_a_watch_goes_on_until_it_is_ended(film: Path, data_dir: Path) -> None:
    process = start("narrate", "--watch", "--data-dir", data_dir)
    try:
        events = analyse(film, data_dir)
        until = time.monotonic() + 60
        while [row["status"] for row in rows(data_dir)] != ["done"] * events:
            assert process.poll() is None
            assert time.monotonic() < until
            time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        outcome = finish(process)
    finally:
        process.kill()
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out == f"Told {events} events\n"


# --- as part of a service


@pytest.fixture
def analysed(film: Path, data_dir: Path) -> int:
    """How many events wait to be told."""
    return analyse(film, data_dir)


async def test_a_service_tells_events_as_soon_as_its_model_server_is_there(
    analysed: int, data_dir: Path
) -> None:
    events, stop = analysed, asyncio.Event()
    with kept_port() as port:
        configure(data_dir, LlmServer(port=port))
        async with open_workspace(data_dir) as workspace:
            service = asyncio.create_task(keep_narrating(workspace, stop, look_again_s=0.2))
            await asyncio.sleep(0)
            assert (await workspace.database.narrations.counts()).waiting == events
            with LlmServer(answer=eyes, models=[Model(name="eyes")], port=port):
                async with asyncio.timeout(60):
                    while (await workspace.database.narrations.counts()).done < events:
                        await asyncio.sleep(0.05)
                stop.set()
                await asyncio.wait_for(service, 60)


async def test_a_service_waits_for_a_queue_that_cannot_be_used_at_first(data_dir: Path) -> None:
    queue, stop = data_dir / "video-detective.jobs.db", asyncio.Event()
    queue.write_text("this is no database, and it is long " * 99)
    async with open_workspace(data_dir) as workspace:
        service = asyncio.create_task(keep_narrating(workspace, stop, look_again_s=0.05))
        async with asyncio.timeout(60):
            while len(await workspace.database.narrations.beat("onlooker")) < 3:  # a second try
                assert not service.done(), service.exception()
                await asyncio.sleep(0.01)
            queue.unlink()
            while not queue.exists() or not queue.read_bytes().startswith(b"SQLite format 3"):
                await asyncio.sleep(0.01)
            stop.set()
            await service


async def test_a_service_without_a_model_has_nothing_to_do(tmp_path: Path) -> None:
    async with open_workspace(tmp_path) as workspace:
        await asyncio.wait_for(keep_narrating(workspace, asyncio.Event()), 60)


async def test_a_service_that_ends_while_its_server_is_silent_ends_at_once(
    data_dir: Path,
) -> None:
    stop = asyncio.Event()
    with LlmServer("no-reply", models=[Model(name="eyes")]) as silent:
        configure(data_dir, silent)
        slow = (data_dir / "settings.yaml").read_text("utf-8").replace("5.0", "3600.0")
        (data_dir / "settings.yaml").write_text(slow, "utf-8")
        async with open_workspace(data_dir) as workspace:
            service = asyncio.create_task(keep_narrating(workspace, stop))
            await asyncio.to_thread(silent.wait_until, lambda server: bool(server.asks))
            stop.set()
            await asyncio.wait_for(service, 60)
