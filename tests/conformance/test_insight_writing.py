"""What is promised of alerts and insights as they are made, on SQLite and on PostgreSQL."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from video_detective.alerts.base import Alert
from video_detective.errors import ConflictError
from video_detective.geometry import NS_PER_S
from video_detective.rules import Actor, Event
from video_detective.search.base import Group, IndexQuery
from video_detective.search.tokens import word_term
from video_detective.storage import (
    CameraRow,
    EvidenceRow,
    FrameRow,
    Run,
    RunKey,
    Step,
    StoredEvent,
)
from video_detective.storage.database import Database
from video_detective.storage.insights.base import (
    NEWS_NS,
    AlertContext,
    InsightClaim,
    InsightOutcome,
)
from video_detective.storage.narration_rows import NarrationRequest

S = NS_PER_S
NOW = 1_800_000_000 * S
"""When alerts are made; the events are of that time too."""
MODEL = AlertContext(now_ns=NOW, request_id="req-1", node_id="node-1", has_model=True)
BARE = AlertContext(now_ns=NOW, request_id="req-1", node_id="node-1")
SAID = {
    "summary": "有人撐雨傘站在門口。", "personCount": 1, "riskLevel": "low",
    "activities": ["等待"], "suggestions": [], "environment": "門口",
}  # fmt: skip


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/video-detective.db"
    create: Callable[[], str] = request.getfixturevalue("new_postgres_database")
    return create()


@pytest.fixture
async def db(url: str, tmp_path: Path) -> AsyncIterator[Database]:
    async with await Database.open(tmp_path, url) as database:
        await database.save_camera(
            CameraRow(camera_id="cam01", name="後門", timezone="Asia/Taipei", document={})
        )
        yield database


def ask(url: str, query: str) -> list[tuple[Any, ...]]:
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
            return connection.execute(query).fetchall()
    with psycopg.connect(url) as server:
        return server.execute(query.encode()).fetchall()


def event_id(n: int) -> str:
    return f"evt_20270115_cam01_{n:04d}"


def event(n: int, *, end: bool = True) -> StoredEvent:
    start_ns = NOW + n * S
    return StoredEvent(
        event=Event(
            event_id=event_id(n),
            camera_id="cam01",
            type="intrusion",
            risk_level="high",
            rule_id="yard",
            start_ns=start_ns,
            established_ns=start_ns,
            end_ns=start_ns + S if end else None,
            frames=(n, n),
            actors=(Actor(track_id="p1", type="person"),),
        ),
        summary_zh=f"第 {n} 件闖入。" if end else f"第 {n} 件闖入，目前仍在持續。",
        summary_en=f"Intrusion {n}.",
    )


def alert(n: int, *, rule: str = "every-event", cooldown_s: float = 0.0) -> Alert:
    return Alert(
        event_id=event_id(n),
        camera_id="cam01",
        alert_rule=rule,
        kind="event",
        metric_path="zones.yard.intrusion.dwell_s",
        operator="GTE",
        threshold=1.0,
        actual_value=1.5,
        severity="critical",
        message="Intrusion time reached threshold: 1.5 s >= 1 s",
        triggered_ns=NOW + n * S,
        cooldown_ns=round(cooldown_s * S),
    )


def step(*numbers: int, alerts: Sequence[Alert] | None = None,
         context: AlertContext = MODEL, end: bool = True) -> Step:  # fmt: skip
    return Step(
        checkpoint=b"-",
        events=[event(n, end=end) for n in numbers],
        alerts=[alert(n) for n in numbers] if alerts is None else alerts,
        alerting=context,
    )


async def begin(db: Database, *, settings: str = "a", footage: str = "film") -> Run:
    key = RunKey(camera_id="cam01", fingerprint=footage, settings_hash=settings)
    return await db.begin_run(key, {}, NOW)


def evidence(n: int, *times: int) -> tuple[list[EvidenceRow], list[FrameRow]]:
    pieces, frames = [], []
    for time_ns in times:
        name = f"cam01_{n}_{time_ns}"
        frames.append(
            FrameRow(frame_id=name, camera_id="cam01", time_ns=time_ns, frame=n, size=(64, 48))
        )
        for kind in ("original", "annotated"):
            pieces.append(
                EvidenceRow(
                    kind=kind,
                    what="entered",
                    time_ns=time_ns,
                    frame=n,
                    frame_id=name,
                    sha256=f"{kind}-{time_ns - NOW}",
                    media_type="image/jpeg",
                    bytes=9,
                    width=64,
                    height=48,
                )
            )
    return pieces, frames


async def show(db: Database, n: int) -> None:
    pieces, frames = evidence(n, NOW + n * S)
    await db.add_evidence(event_id(n), pieces, frames)


async def claim_first(db: Database, worker: str = "w") -> InsightClaim:
    (first, *_) = await db.insights.pending(10, now_ns=NOW)
    claim = await db.insights.claim(first.insight_id, worker)
    assert claim is not None
    return claim


TOLD = InsightOutcome(
    status="done", described_by="model", level="frames", result=SAID,
    input_tokens=700, output_tokens=80, requested_ns=NOW + S, usage={"calls": 1},
    node_id="node-2",
)  # fmt: skip
FAILED = InsightOutcome(
    status="failed", reason="timeout: no answer", error="請檢查模型伺服器。", raw_text="…"
)


# --- made


async def test_an_alert_and_its_one_insight_come_with_their_event(db: Database, url: str) -> None:
    run = await begin(db)
    await db.commit_step(run, step(1, end=False))

    (row,) = ask(
        url,
        "SELECT a.message, a.severity, a.triggered_ns, a.created_ns, a.request_id, i.severity,"
        " i.vlm_status, i.language, i.node_id, i.request_id, d.account_id = i.account_id,"
        " s.scene_id = i.scene_id, i.triggered_ns, i.vlm_summary"
        " FROM alerts a JOIN insights i ON i.alert_id = a.alert_id"
        " JOIN devices d ON d.camera_id = a.camera_id JOIN scenes s ON s.camera_id = a.camera_id",
    )
    assert row == (
        "Intrusion time reached threshold: 1.5 s >= 1 s", "critical", NOW + S, NOW, "req-1",
        "critical", "pending", "zh-TW", "node-1", "req-1", True, True, NOW + S, None,
    )  # fmt: skip


async def test_what_was_made_is_not_made_again_by_later_versions(db: Database, url: str) -> None:
    run = await begin(db)
    await db.commit_step(run, step(1, end=False))
    later = replace(alert(1), actual_value=99.0)
    await db.commit_step(run, step(1, alerts=[later, later]))
    await db.commit_step(run, step(1, alerts=[later, alert(1, rule="other")]))

    assert ask(url, "SELECT alert_rule, actual_value FROM alerts ORDER BY alert_rule") == [
        ("every-event", 1.5), ("other", 1.5),
    ]  # fmt: skip
    assert ask(url, "SELECT count(*), count(DISTINCT alert_id) FROM insights") == [(2, 2)]


async def test_a_step_that_is_refused_makes_no_alert(db: Database, url: str) -> None:
    run = await begin(db)
    await begin(db)  # another process took it over
    with pytest.raises(ConflictError):
        await db.commit_step(run, step(1))

    assert ask(url, "SELECT (SELECT count(*) FROM alerts) + (SELECT count(*) FROM insights)") == [
        (0,)
    ]


async def test_without_a_model_the_template_says_the_last_word_at_once(
    db: Database, url: str
) -> None:
    run = await begin(db)
    await db.commit_step(run, step(1, context=BARE))

    (row,) = ask(
        url,
        "SELECT vlm_status, described_by, vlm_summary, risk_level, vlm_completed_ns, text <> ''"
        " FROM insights",
    )
    assert row == ("completed", "template", "第 1 件闖入。", "high", None, True)
    assert await db.insights.count_pending(now_ns=NOW + 2 * NEWS_NS) == 0
    counts = await db.insights.counts()
    assert (counts.waiting, counts.done, counts.degraded) == (0, 0, {})


async def test_the_templates_words_tell_how_an_event_ended(db: Database, url: str) -> None:
    run = await begin(db)
    asked = "SELECT vlm_summary, text, tokens FROM insights ORDER BY triggered_ns"
    await db.commit_step(run, step(1, 2, context=BARE, end=False))
    (going_on, other) = ask(url, asked)
    assert going_on[0] == "第 1 件闖入，目前仍在持續。"

    await db.commit_step(run, step(1, alerts=[], context=BARE))

    (ended, unchanged) = ask(url, asked)
    assert ended[0] == "第 1 件闖入。"
    # It is no longer found by the words that it no longer has.
    assert set(ended[2].split()) < set(going_on[2].split())
    assert len(ended[1]) < len(going_on[1])
    assert unchanged == other


async def test_a_camera_of_nobody_makes_no_alert_and_no_trouble(db: Database, url: str) -> None:
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
            connection.execute("UPDATE devices SET deleted_ns = 1")
            connection.commit()
    else:
        with psycopg.connect(url, autocommit=True) as server:
            server.execute("UPDATE devices SET deleted_ns = 1")
    await db.commit_step(await begin(db), step(1))

    assert await db.event(event_id(1)) is not None
    assert ask(url, "SELECT count(*) FROM alerts") == [(0,)]


# --- cool-down


async def test_within_the_cooldown_of_a_rule_there_is_one_alert(db: Database, url: str) -> None:
    run = await begin(db)
    numbers = (1, 5, 10, 11, 12)
    alerts = [alert(n, cooldown_s=10) for n in numbers]
    await db.commit_step(run, step(*numbers, alerts=[*alerts, alert(5, rule="calm")]))
    await db.commit_step(run, step(*numbers, alerts=alerts))

    found = ask(url, "SELECT alert_rule, event_id FROM alerts ORDER BY alert_rule, event_id")
    assert found == [
        ("calm", event_id(5)), ("every-event", event_id(1)), ("every-event", event_id(11)),
    ]  # fmt: skip


async def test_footage_that_is_analysed_anew_is_not_silenced_by_its_earlier_analysis(
    db: Database, url: str
) -> None:
    run = await begin(db)
    await db.commit_step(run, step(1, alerts=[alert(1, cooldown_s=10)]))
    again = await begin(db, settings="b")
    await db.commit_step(again, step(2, alerts=[alert(2, cooldown_s=10)]))
    other = await begin(db, settings="b", footage="the next hour")
    await db.commit_step(other, step(3, alerts=[alert(3, cooldown_s=10)]))

    assert ask(url, "SELECT event_id FROM alerts ORDER BY event_id") == [
        (event_id(1),), (event_id(2),),
    ]  # fmt: skip


# --- listed


async def test_insights_are_hidden_and_shown_with_their_analysis(db: Database, url: str) -> None:
    def hidden() -> dict[str, bool]:
        return {key: bool(is_hidden) for key, is_hidden in ask(
            url, "SELECT event_id, is_hidden FROM insights ORDER BY event_id"
        )}  # fmt: skip

    run = await begin(db)
    await db.commit_step(run, step(1))
    await db.finish_run(run, {})
    again = await begin(db, settings="b")
    await db.commit_step(again, step(2))
    assert hidden() == {event_id(1): False, event_id(2): True}
    await db.finish_run(again, {})
    assert hidden() == {event_id(1): True, event_id(2): False}
    await begin(db)
    assert hidden() == {event_id(1): False, event_id(2): True}


async def test_an_analysis_that_is_superseded_while_it_runs_makes_hidden_insights(
    db: Database, url: str
) -> None:
    slow, fast = await begin(db), await begin(db, settings="b")
    await db.finish_run(fast, {})
    await db.commit_step(slow, step(1))

    assert [bool(row[0]) for row in ask(url, "SELECT is_hidden FROM insights")] == [True]
    assert await db.insights.pending(10, now_ns=NOW + 2 * NEWS_NS) == []


# --- pictures


async def test_an_insight_is_ready_for_a_model_when_it_has_pictures(db: Database) -> None:
    run = await begin(db)
    await db.commit_step(run, step(1, 2))
    assert await db.insights.count_pending(now_ns=NOW) == 0

    pieces, frames = evidence(1, NOW, NOW + S // 2, NOW + S, NOW + 2 * S, NOW + 9 * S)
    await db.add_evidence(event_id(1), pieces, frames)
    (ready,) = await db.insights.pending(10, now_ns=NOW)
    claim = await db.insights.claim(ready.insight_id, "w")
    assert claim is not None
    # The first, the one of the trigger, the last; drawn for people and as seen for the model.
    assert [one.time_ns - NOW for one in claim.snapshots] == [0, S, 9 * S]
    assert claim.snapshots[1].sha256 == f"annotated-{S}"
    assert claim.snapshots[1].original == f"original-{S}"

    # Event 2 has none, and never will: its analysis is over.
    await db.finish_run(run, {})
    assert await db.insights.count_pending(now_ns=NOW) == 2


async def test_an_insight_does_not_wait_for_pictures_for_ever(db: Database) -> None:
    await db.commit_step(await begin(db), step(1))

    assert await db.insights.count_pending(now_ns=NOW + NEWS_NS) == 0
    assert await db.insights.count_pending(now_ns=NOW + NEWS_NS + 1) == 1


async def test_pictures_that_are_there_stay(db: Database, url: str) -> None:
    run = await begin(db)
    await db.commit_step(run, step(1, end=False))
    pieces, frames = evidence(1, NOW + S)
    await db.show_open(event_id(1), pieces, frames)
    await db.commit_step(run, step(1))
    pieces, frames = evidence(1, NOW, NOW + 5 * S)
    await db.add_evidence(event_id(1), pieces, frames)

    claim = await claim_first(db)
    assert [one.time_ns - NOW for one in claim.snapshots] == [S]
    shown = await db.frame(claim.snapshots[0].frame_id)
    assert shown is not None
    stored = await db.event(event_id(1))
    assert stored is not None
    assert {row.time_ns - NOW for row in stored.evidence} == {0, 5 * S}


async def test_an_event_with_an_alert_is_not_told_on_its_own_unless_that_is_wanted(
    db: Database,
) -> None:
    run = await begin(db)
    await db.commit_step(run, step(1, 2, 3, alerts=[alert(1), alert(2)]))
    for n, alerted in ((1, False), (2, True), (3, False)):
        request = NarrationRequest(language="zh-TW", requested_ns=NOW, alerted=alerted)
        pieces, frames = evidence(n, NOW + n * S)
        await db.add_evidence(event_id(n), pieces, frames, narrate=request)

    asked = await db.narrations.pending(10)
    assert {one.event_id for one in asked} == {event_id(2), event_id(3)}
    for alerted, count in ((False, 0), (True, 1)):  # for all that were never told
        request = NarrationRequest(language="zh-TW", requested_ns=NOW, alerted=alerted)
        assert await db.narrations.request(request) == count


async def test_an_event_has_the_words_of_its_insight(db: Database) -> None:
    run = await begin(db)
    await db.commit_step(run, step(1))
    await show(db, 1)
    waiting = await db.event(event_id(1))
    assert waiting is not None
    assert waiting.narration is not None
    assert waiting.narration.status == "pending"

    await db.insights.finish(await claim_first(db), TOLD, finished_ns=NOW + S)

    told = await db.event(event_id(1))
    assert told is not None
    assert told.narration is not None
    assert (told.narration.status, told.narration.text) == ("done", SAID["summary"])
    assert told.narration.level == "frames"


async def test_the_words_of_an_insight_go_with_their_analysis(db: Database) -> None:
    run = await begin(db)
    await db.commit_step(run, step(1))
    await show(db, 1)
    await db.insights.finish(await claim_first(db), TOLD, finished_ns=NOW + S)
    again = await begin(db, settings="b")
    await db.finish_run(again, {})

    # Superseded: no longer found by its words.
    umbrella = Group(key="word:雨傘", terms=(word_term("雨傘"),))
    assert (await db.search(IndexQuery(groups=(umbrella,)))).hits == []


# --- worked on


async def test_news_come_first_and_of_them_the_critical(db: Database) -> None:
    run = await begin(db)
    calm = replace(alert(2), severity="warning")
    past = replace(alert(3), triggered_ns=NOW - NEWS_NS - 1)
    await db.commit_step(run, step(1, 2, 3, alerts=[alert(1), calm, past]))
    for n in (1, 2, 3):
        await show(db, n)

    found = await db.insights.pending(10, now_ns=NOW)
    assert [(one.severity, one.can_wait) for one in found] == [
        ("critical", False), ("warning", False), ("critical", True)
    ]  # fmt: skip
    assert await db.insights.count_news(now_ns=NOW) == 2
    assert await db.insights.count_news(now_ns=NOW + NEWS_NS + 1) == 0
    assert len(await db.insights.pending(2, now_ns=NOW)) == 2


async def test_the_first_outcome_counts_and_can_be_searched(db: Database, url: str) -> None:
    run = await begin(db)
    await db.commit_step(run, step(1))
    await show(db, 1)
    claim, other = await claim_first(db, "w1"), await claim_first(db, "w2")
    assert (claim.starts, other.starts) == (1, 2)
    assert claim.message == alert(1).message

    assert await db.insights.finish(claim, TOLD, finished_ns=NOW + 2 * S)
    assert not await db.insights.finish(other, FAILED, finished_ns=NOW + 3 * S)
    assert await db.insights.claim(claim.insight_id, "w3") is None

    (row,) = ask(
        url,
        "SELECT vlm_status, vlm_summary, risk_level, vlm_requested_ns, vlm_completed_ns,"
        " input_tokens, output_tokens, described_by, level, node_id, worker FROM insights",
    )
    assert row == (
        "completed", SAID["summary"], "low", NOW + S, NOW + 2 * S, 700, 80, "model", "frames",
        "node-2", "w1",
    )  # fmt: skip
    umbrella = Group(key="word:雨傘", terms=(word_term("雨傘"),))
    hits = await db.search(IndexQuery(groups=(umbrella,)))
    assert [hit.event_id for hit in hits.hits] == [event_id(1)]
    spent = await db.insights.spent(NOW)
    assert [(one.camera_id, one.calls) for one in spent] == [("cam01", 1)]
    assert (await db.insights.counts()).done == 1


async def test_a_failed_insight_says_what_to_do_and_can_be_asked_for_again(
    db: Database, url: str
) -> None:
    run = await begin(db)
    await db.commit_step(run, step(1, 2))
    for n in (1, 2):
        await show(db, n)
    await db.insights.finish(await claim_first(db), FAILED, finished_ns=NOW + S)

    assert ask(url, "SELECT vlm_error FROM insights WHERE vlm_status = 'failed'") == [
        ("請檢查模型伺服器。",)
    ]
    assert (await db.insights.counts()).failed == {"timeout": 1}
    assert await db.insights.ask_again(now_ns=NOW + 2 * S) == 1
    counts = await db.insights.counts()
    assert (counts.waiting, counts.failed) == (2, {})
    assert ask(url, "SELECT count(*) FROM insights WHERE vlm_error IS NOT NULL") == [(0,)]


async def test_what_was_made_without_a_model_can_be_asked_for_later(db: Database) -> None:
    run = await begin(db)
    await db.commit_step(run, step(1, 2, 3, context=BARE))

    assert await db.insights.ask_again(now_ns=NOW, limit=2) == 2
    assert (await db.insights.counts()).waiting == 2


async def test_a_claim_is_taken_back_as_if_it_had_never_been(db: Database) -> None:
    await db.commit_step(await begin(db), step(1))
    await show(db, 1)
    first = await claim_first(db, "w1")
    await claim_first(db, "w2")
    await db.insights.release(first)  # w2 has it by now
    assert (await db.insights.counts()).running == 1
    await db.insights.release(replace(first, worker="w2"))
    assert (await db.insights.counts()).waiting == 1
    assert (await claim_first(db)).starts == 2


async def test_two_who_finish_at_once_finish_once(db: Database, url: str, tmp_path: Path) -> None:
    await db.commit_step(await begin(db), step(*range(1, 9)))
    for n in range(1, 9):
        await show(db, n)
    claims = [
        await db.insights.claim(one.insight_id, "w")
        for one in await db.insights.pending(10, now_ns=NOW)
    ]
    async with await Database.open(tmp_path, url) as other:
        won = await asyncio.gather(
            *(
                store.insights.finish(claim, TOLD, finished_ns=NOW + S)
                for claim in claims
                if claim is not None
                for store in (db, other)
            )
        )
    assert sorted(won) == [False] * 8 + [True] * 8


async def test_an_insight_of_an_event_that_is_removed_goes_with_it(db: Database, url: str) -> None:
    await db.commit_step(await begin(db), step(1))
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("DELETE FROM events")
            connection.commit()
    else:
        with psycopg.connect(url, autocommit=True) as server:
            server.execute("DELETE FROM events")
    assert ask(url, "SELECT (SELECT count(*) FROM alerts) + (SELECT count(*) FROM insights)") == [
        (0,)
    ]
