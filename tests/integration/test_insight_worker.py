"""Alerts described by a real model server over real pictures, well-behaved and not."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from tests.eyes import eyes
from tests.servers.llm import LlmServer
from tests.servers.llm_protocol import Ask, Model
from tests.told_scenes import CAMERA, intrusion, ns

from video_detective.alerts import DEFAULT_ALERT_RULE
from video_detective.alerts.policy import alerts_for
from video_detective.config import Camera
from video_detective.llm.calls import Retries
from video_detective.llm.client import ModelClient
from video_detective.media.pictures import encode_jpeg
from video_detective.narration import event_texts
from video_detective.pipeline.clock import now_ns
from video_detective.pipeline.jobs_worker import JobsWorker
from video_detective.services.insight_worker import InsightTeller
from video_detective.services.narration import narrate
from video_detective.services.telling import Teller
from video_detective.services.workspace import Workspace, open_workspace
from video_detective.storage import (
    CameraRow,
    EvidenceRow,
    FrameRow,
    RunKey,
    Step,
    StoredEvent,
)
from video_detective.storage.insights.base import AlertContext

DOCUMENT = Camera.model_validate(
    {
        "name": CAMERA,
        "timezone": "Asia/Taipei",
        "zones": {"back": {"name": "後門禁入區",
                           "points": [[0.4, 0.1], [0.9, 0.1], [0.9, 1.0], [0.4, 1.0]]}},
    }
)  # fmt: skip
SAID = {
    "summary": "22:05:01 一名撐雨傘的人物 p12 走進後門禁入區。",
    "personCount": 1,
    "riskLevel": "high",
    "activities": ["走動"],
    "suggestions": ["請值班人員前往後門查看"],
    "environment": "夜間戶外後門",
}
ENGLISH = {
    **SAID, "summary": "Somebody with an umbrella walks into the forbidden area.",
    "activities": ["walking"], "suggestions": ["Send somebody"], "environment": "outdoors",
}  # fmt: skip
Said = Callable[[Ask], Any]


def is_insight(ask: Ask) -> bool:
    return "personCount" in json.dumps(ask.schema or "") + ask.text


def said(answer: Any) -> Said:
    return lambda ask: (answer(ask) if callable(answer) else answer) if is_insight(ask) else (
        eyes(ask)
    )  # fmt: skip


def settings(folder: Path, server: LlmServer, **narration: Any) -> None:
    document = {
        "schema_version": 1,
        "servers": {"here": {"kind": "ollama", "url": server.url, "timeout_s": 5.0}},
        "narration": {"server": "here", "model": "eyes", **narration},
    }
    (folder / "settings.yaml").write_text(json.dumps(document), "utf-8")


@asynccontextmanager
async def workspace(
    folder: Path, server: LlmServer, url: str | None = None, **narration: Any
) -> AsyncIterator[Workspace]:
    folder.mkdir(exist_ok=True)
    settings(folder, server, **narration)
    async with open_workspace(folder, url) as opened:
        yield opened


async def alert(
    opened: Workspace, *, pictures: int = 3, count: int = 1, at_ns: int | None = None
) -> None:
    """Events of an analysis, each with its alert and its pictures."""
    database = opened.database
    await database.save_camera(
        CameraRow(
            camera_id="cam01",
            name=CAMERA,
            timezone="Asia/Taipei",
            document=DOCUMENT.model_dump(mode="json"),
        )
    )
    scene = DOCUMENT.scene("cam01")
    run = await database.begin_run(
        RunKey(camera_id="cam01", fingerprint="film", settings_hash="a"), {}, ns(0)
    )
    events = [
        intrusion(event_id=f"evt_20251216_cam01_{n:04d}", parameters={"enter_s": 1.0})
        for n in range(1, count + 1)
    ]
    words = [event_texts(event, scene, camera_name=CAMERA) for event in events]
    await database.commit_step(
        run,
        Step(
            checkpoint=b"-",
            events=[
                StoredEvent(event=event, summary_zh=text.summary_zh, summary_en=text.summary_en)
                for event, text in zip(events, words, strict=True)
            ],
            alerts=[a for e in events for a in alerts_for(e, [DEFAULT_ALERT_RULE], scene)],
            alerting=AlertContext(
                now_ns=ns(2) if at_ns is None else at_ns, request_id="req-7", has_model=True
            ),
        ),
    )
    for event in events:
        pieces, frames = [], []
        for index, seconds in enumerate((0.0, 1.0, 30.0)[:pictures]):
            image = np.full((720, 1280, 3), 40 + 60 * index, np.uint8)
            cv2.circle(image, (400, 300), 90, (0, 0, 255), -1)
            name = f"{event.event_id}_{index}"
            record = {"track_id": "p12", "type": "person", "conf": 0.9,
                      "bbox": [300, 200, 400, 500], "foot": [350, 500]}  # fmt: skip
            frames.append(
                FrameRow(frame_id=name, camera_id="cam01", time_ns=ns(seconds), frame=index,
                         size=(1280, 720), detections=[record])
            )  # fmt: skip
            blob = opened.blobs.put(encode_jpeg(image), ".jpg")
            for kind in ("original", "annotated"):
                pieces.append(
                    EvidenceRow(
                        kind=kind, what="entered", time_ns=ns(seconds), frame=index,
                        frame_id=name, sha256=blob, media_type="image/jpeg", bytes=9,
                        width=1280, height=720,
                    )
                )  # fmt: skip
        await database.add_evidence(event.event_id, pieces, frames)
    await database.finish_run(run, {})


async def describe(opened: Workspace, server: LlmServer, *behaviours: str) -> None:
    """Work until nothing is left, with short pauses; the server misbehaves once it is known."""
    assert opened.settings.narration is not None
    teller = Teller(opened, opened.settings.narration)
    quickly = Retries(attempts=2, first_s=0.01, longest_s=0.01)
    wait_s = 0.5 if "no-reply" in behaviours else 10  # a busy machine is slow
    async with ModelClient(server.settings(timeout_s=wait_s), retries=quickly) as client:
        teller.client = client
        await teller.examine()
        if behaviours:
            server.behave(*behaviours)
        desk = InsightTeller(opened, teller).desk()
        worker = JobsWorker(opened.database, [desk], retry_after_s=(0.01, 0.01))
        await worker.run(asyncio.Event(), until_empty=True)


async def rows(opened: Workspace) -> list[dict[str, Any]]:
    from sqlalchemy import select

    from video_detective.storage.service_tables import INSIGHTS

    async with opened.database._reading() as connection:
        found = await connection.execute(select(INSIGHTS).order_by(INSIGHTS.c.event_id))
        return [dict(row) for row in found.mappings()]


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str | None:
    if request.param == "sqlite":
        return None
    create: Callable[[], str] = request.getfixturevalue("new_postgres_database")
    return create()


async def test_an_alert_is_described_over_its_three_pictures(
    tmp_path: Path, url: str | None
) -> None:
    with LlmServer(answer=said(SAID), models=[Model(name="eyes")]) as server:
        async with workspace(tmp_path / "data", server, url) as opened:
            await alert(opened)
            report = await narrate(opened, stop=asyncio.Event())
            (row,) = await rows(opened)
            stored = await opened.database.event("evt_20251216_cam01_0001")
    assert (report.told, report.degraded, report.failed, report.pending) == (1, {}, {}, 0)
    (ask,) = [ask for ask in server.asks if is_insight(ask)]
    assert len(ask.images) == 3
    assert [cv2.imdecode(np.frombuffer(one, np.uint8), 1).shape for one in ask.images] == [  # type: ignore[union-attr]
        (576, 1024, 3)
    ] * 3
    assert re.findall(r"當地時間 (\S+?)，(\S+?)；", ask.text) == [
        ("22:05:00.0", "觸發前"), ("22:05:01.0", "觸發時"), ("22:05:30.0", "觸發後"),
    ]  # fmt: skip
    assert "闖入時間達到門檻" in ask.text
    assert "p12 (person" in ask.text
    assert (row["vlm_status"], row["described_by"], row["level"]) == (
        "completed", "model", "frames"
    )  # fmt: skip
    assert (row["vlm_summary"], row["vlm_result"]) == (SAID["summary"], SAID)
    assert (row["risk_level"], row["flags"], row["reason"]) == ("high", [], None)
    assert row["input_tokens"] > 0
    assert row["output_tokens"] > 0
    assert row["created_ns"] < row["vlm_requested_ns"] <= row["vlm_completed_ns"] <= now_ns()
    assert row["usage"]["prompts"] == ["insight.v1.zh-TW"]
    # The event has these words; it is not told on its own.
    assert stored is not None
    assert stored.narration is not None
    assert (stored.narration.status, stored.narration.text) == ("done", SAID["summary"])


async def one(folder: Path, server: LlmServer, *behaviours: str, **changes: Any) -> dict[str, Any]:
    """Describe one alert; its row."""
    async with workspace(folder, server) as opened:
        await alert(opened, **changes)
        await describe(opened, server, *behaviours)
        (row,) = await rows(opened)
    return row


@pytest.mark.parametrize("behaviour", ["429", "500", "hang-up", "not-json", "wrong-schema"])
async def test_trouble_that_passes_is_waited_out(tmp_path: Path, behaviour: str) -> None:
    with LlmServer(answer=said(SAID), models=[Model(name="eyes")]) as server:
        row = await one(tmp_path, server, behaviour, behaviour, "ok")
    assert (row["vlm_status"], row["vlm_summary"]) == ("completed", SAID["summary"])
    assert row["attempts"] == 1


@pytest.mark.parametrize(
    ("behaviour", "reason", "words"),
    [
        ("no-reply", "timeout", "沒有在時限內回答"),
        ("429", "overloaded", "過於忙碌"),
        ("500", "server", "發生錯誤"),
        ("not-json", "server", "發生錯誤"),
        ("prose", "invalid", "請改用較大的模型"),
        ("wrong-schema", "invalid", "請改用較大的模型"),
        ("refusal-zh", "refused", "請改用其他模型"),
        ("no-model", "no_model", "沒有模型"),
    ],
)
async def test_what_cannot_be_described_says_what_to_do(
    tmp_path: Path, behaviour: str, reason: str, words: str
) -> None:
    with LlmServer(answer=said(SAID), models=[Model(name="eyes")]) as server:
        row = await one(tmp_path, server, behaviour)
        asked = sum(is_insight(ask) for ask in server.asks)
    assert row["vlm_status"] == "failed"
    assert row["reason"].partition(":")[0] == reason
    assert words in row["vlm_error"]
    assert (row["vlm_summary"], row["vlm_result"], row["tokens"]) == (None, None, "")
    assert asked <= 6


async def test_a_server_that_is_gone_is_waited_for(tmp_path: Path) -> None:
    with LlmServer(answer=said(SAID), models=[Model(name="eyes")]) as server:
        async with workspace(tmp_path, server) as opened:
            await alert(opened)
            # Nobody listens at that port any more when the alert is described.
            with LlmServer() as gone:
                pass
            assert opened.settings.narration is not None
            teller = Teller(opened, opened.settings.narration)
            await teller.examine()
            quickly = Retries(attempts=1)
            async with ModelClient(gone.settings(), retries=quickly) as client:
                teller.client = client
                desk = InsightTeller(opened, teller).desk()
                worker = JobsWorker(opened.database, [desk], retry_after_s=())
                await worker.run(asyncio.Event(), until_empty=True)
            counts = await opened.database.insights.counts()
            assert (counts.waiting, counts.failed) == (1, {})
            await describe(opened, server)
            assert (await opened.database.insights.counts()).done == 1
            (row,) = await rows(opened)
    assert row["attempts"] == 1


# --- words


async def test_wrong_language_is_asked_for_again_and_then_right(tmp_path: Path) -> None:
    answers = iter([ENGLISH, SAID])
    with LlmServer(answer=said(lambda ask: next(answers)), models=[Model(name="eyes")]) as server:
        row = await one(tmp_path, server)
        asks = [ask for ask in server.asks if is_insight(ask)]
    assert [len(ask.images) for ask in asks] == [3, 0]
    assert (row["vlm_summary"], row["flags"]) == (SAID["summary"], [])
    assert row["usage"]["calls"] == 2


async def test_words_that_stay_wrong_are_flagged(tmp_path: Path) -> None:
    with LlmServer(answer=said(ENGLISH), models=[Model(name="eyes")]) as server:
        row = await one(tmp_path, server)
    assert (row["vlm_status"], row["flags"]) == ("completed", ["language"])
    assert "umbrella" in row["raw_text"]


async def test_simplified_characters_are_put_right_and_flagged(tmp_path: Path) -> None:
    simplified = {
        **SAID,
        "summary": "\u4e00\u4e2a\u4eba\u4ece\u540e\u95e8\u8d70\u8fdb\u7981\u5165\u533a。",
    }
    with LlmServer(answer=said(simplified), models=[Model(name="eyes")]) as server:
        row = await one(tmp_path, server)
    # Those with one counterpart; where the meaning decides, they stay.
    assert "\u5f9e" in row["vlm_summary"]
    assert not {"\u4ece", "\u8fdb", "\u533a"} & set(row["vlm_summary"])
    assert row["flags"] == ["language"]


async def test_claims_against_the_facts_are_left_out_or_flagged(tmp_path: Path) -> None:
    wild = {
        **SAID,
        "summary": "人物 p12 走進後門。人物 p99 在 22:05:10 持刀。人物於 23:50:00 又回來。",
        "personCount": 15,
        "riskLevel": "low",
        "activities": ["走動", "p98 奔跑"],
    }
    with LlmServer(answer=said(wild), models=[Model(name="eyes")]) as server:
        row = await one(tmp_path, server)
    assert row["vlm_summary"] == "人物 p12 走進後門。"
    assert row["vlm_result"]["activities"] == ["走動"]
    assert set(row["flags"]) == {
        "unknown_track", "time_outside", "person_count_differs", "risk_level_differs"
    }  # fmt: skip
    assert {"field": "person_count", "model": "15", "fact": "1"} in row["usage"]["differences"]


async def test_an_account_in_english_is_answered_in_english(tmp_path: Path) -> None:
    import sqlite3

    with LlmServer(answer=said(ENGLISH), models=[Model(name="eyes")]) as server:
        async with workspace(tmp_path, server) as opened:
            with sqlite3.connect(tmp_path / "video-detective.db") as connection:
                connection.execute("UPDATE accounts SET language = 'en'")
            connection.close()
            await alert(opened)
            await describe(opened, server)
            (row,) = await rows(opened)
    (ask,) = [ask for ask in server.asks if is_insight(ask)]
    assert "Intrusion time reached threshold" in ask.text
    assert (row["vlm_summary"], row["flags"]) == (ENGLISH["summary"], [])


# --- less


async def test_a_prompt_too_long_is_sent_again_with_less(tmp_path: Path) -> None:
    with LlmServer(answer=said(SAID), models=[Model(name="eyes")]) as server:
        row = await one(tmp_path, server, "too-long", "too-long", "ok")
        asks = [ask for ask in server.asks if is_insight(ask)]
    assert [len(ask.images) for ask in asks] == [3, 1, 1]
    shapes = [cv2.imdecode(np.frombuffer(ask.images[0], np.uint8), 1).shape for ask in asks]  # type: ignore[union-attr]
    assert shapes == [(576, 1024, 3), (576, 1024, 3), (288, 512, 3)]
    assert (row["level"], row["reason"].partition(":")[0]) == ("small_frame", "context")


async def test_without_a_picture_the_facts_speak(tmp_path: Path) -> None:
    with LlmServer(answer=said(SAID), models=[Model(name="eyes")]) as server:
        row = await one(tmp_path, server, pictures=0)
        assert not any(is_insight(ask) for ask in server.asks)
    assert (row["vlm_status"], row["described_by"]) == ("completed", "template")
    assert (row["level"], row["reason"]) == ("template", "pictures")
    assert "進入後門禁入區" in row["vlm_summary"]
    assert row["vlm_result"]["activities"] == ["闖入"]
    assert row["vlm_result"]["riskLevel"] == "high"
    assert row["vlm_requested_ns"] is None


async def test_beyond_the_budget_the_facts_speak(tmp_path: Path) -> None:
    with LlmServer(answer=said(SAID), models=[Model(name="eyes")]) as server:
        async with workspace(tmp_path, server, calls_per_hour=2) as opened:
            await alert(opened, count=3)
            await describe(opened, server)
            found = await rows(opened)
            counts = await opened.database.insights.counts()
    assert sorted(row["level"] for row in found) == ["frames", "frames", "template"]
    assert counts.degraded == {"budget": 1}


async def test_news_in_a_queue_are_described_with_less(tmp_path: Path) -> None:
    with LlmServer(answer=said(SAID), models=[Model(name="eyes")]) as server:
        async with workspace(tmp_path, server, calls_per_hour_per_camera=500) as opened:
            # All but the last few are described while more than five wait.
            await alert(opened, count=9, at_ns=now_ns())
            async with opened.database._writing() as connection:
                from sqlalchemy import update

                from video_detective.storage.service_tables import INSIGHTS

                await connection.execute(update(INSIGHTS).values(triggered_ns=now_ns()))
            await describe(opened, server)
            counts = await opened.database.insights.counts()
    assert counts.done + counts.degraded["queue"] == 9
    assert counts.degraded["queue"] == 3
