"""What is promised of requests to tell events, on SQLite and on PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from video_detective.rules import Event
from video_detective.search.base import Group, IndexQuery
from video_detective.search.tokens import word_term
from video_detective.storage import (
    EventQuery,
    EvidenceRow,
    FrameRow,
    Run,
    RunKey,
    Step,
    StoredEvent,
)
from video_detective.storage.database import Database
from video_detective.storage.narration_rows import (
    Claim,
    FrameWords,
    NarrationOutcome,
    NarrationRequest,
)

FIRST = NarrationRequest(language="zh-TW", requested_ns=100)
SECOND = NarrationRequest(language="en", requested_ns=200)
TOLD = NarrationOutcome(status="done", level="text", text="有人撐雨傘")


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/store/video-detective.db"
    create: Callable[[], str] = request.getfixturevalue("new_postgres_database")
    return create()


@pytest.fixture
async def db(url: str, tmp_path: Path) -> AsyncIterator[Database]:
    async with await Database.open(tmp_path, url) as database:
        yield database


def event_id(n: int) -> str:
    return f"evt_20261121_cam01_{n:04d}"


def event(n: int, end_ns: int | None = 10**12, risk: str = "high") -> StoredEvent:
    return StoredEvent(
        event=Event(
            event_id=event_id(n),
            camera_id="cam01",
            type="intrusion",
            risk_level=risk,
            rule_id="yard",
            start_ns=n * 10**9,
            established_ns=n * 10**9,
            end_ns=end_ns,
            frames=(n, n),
        )
    )


def frame(n: int) -> FrameRow:
    return FrameRow(
        frame_id=f"cam01_20261121_000000_{n:06d}",
        camera_id="cam01",
        time_ns=n,
        frame=n,
        size=(768, 576),
    )


def evidence(n: int) -> EvidenceRow:
    return EvidenceRow(
        kind="original",
        what="entered",
        time_ns=n,
        frame=n,
        frame_id=frame(n).frame_id,
        sha256="ab" * 32,
        media_type="image/jpeg",
        bytes=1234,
        width=768,
        height=576,
    )


async def analysis(db: Database, *events: StoredEvent, settings: str = "s") -> Run:
    key = RunKey(camera_id="cam01", fingerprint="film", settings_hash=settings)
    run = await db.begin_run(key, {}, start_ns=0)
    await db.commit_step(run, Step(checkpoint=b"", events=events, frames=[frame(1), frame(2)]))
    return run


async def pending(db: Database) -> list[tuple[str, int]]:
    return [(row.event_id, row.requested_ns) for row in await db.narrations.pending(1000)]


async def claimed(db: Database, n: int, request: NarrationRequest, worker: str = "w1") -> Claim:
    claim = await db.narrations.claim(event_id(n), request.requested_ns, worker)
    assert claim is not None
    return claim


# --- asking


async def test_an_event_is_asked_for_together_with_its_evidence(db: Database) -> None:
    await analysis(db, event(1), event(2, end_ns=None), event(3))

    for n in (1, 2):
        await db.add_evidence(event_id(n), [evidence(1)], [frame(1)], narrate=FIRST)
    await db.add_evidence(event_id(3), [evidence(2)], [frame(2)])

    assert await pending(db) == [(event_id(1), 100)]  # 2 goes on, 3 was not to be told


async def test_evidence_that_comes_again_asks_for_nothing_new(db: Database) -> None:
    await analysis(db, event(1))
    await db.add_evidence(event_id(1), [evidence(1)], [frame(1)], narrate=FIRST)
    await db.narrations.finish(await claimed(db, 1, FIRST), TOLD, finished_ns=150)

    await db.add_evidence(event_id(1), [evidence(1)], [frame(1)], narrate=SECOND)

    assert await pending(db) == []


async def test_what_was_told_of_an_event_goes_when_the_event_changes(db: Database) -> None:
    run = await analysis(db, event(1), event(2))
    for n in (1, 2):
        await db.add_evidence(event_id(n), [evidence(n)], [frame(n)], narrate=FIRST)
        await db.narrations.finish(await claimed(db, n, FIRST), TOLD, finished_ns=150)

    await db.commit_step(run, Step(checkpoint=b"", events=[event(1, risk="critical"), event(2)]))

    found = await db.events(EventQuery(order="oldest"))
    assert [stored.narration is not None for stored in found.events] == [False, True]
    told = await db.search(IndexQuery(groups=(Group(key="x", terms=(word_term("雨傘"),)),)))
    assert [hit.event_id for hit in told.hits] == [event_id(2)]
    await db.add_evidence(event_id(1), [evidence(1)], [frame(1)], narrate=SECOND)
    assert await pending(db) == [(event_id(1), 200)]


async def test_all_events_without_words_can_be_asked_for_at_once(db: Database) -> None:
    old = await analysis(db, event(1))
    await db.finish_run(old, {})
    await db.finish_run(await analysis(db, event(2), event(3, end_ns=None), settings="new"), {})
    await db.import_events([event(4), event(5), event(6)])
    for n, outcome in ((5, TOLD), (6, NarrationOutcome(status="failed", reason="empty: nothing"))):
        await db.narrations.request(FIRST, limit=None)
        await db.narrations.finish(await claimed(db, n, FIRST), outcome, finished_ns=150)

    assert await db.narrations.request(SECOND) == 1  # the failed one

    # 1 is of a superseded analysis, 3 goes on, 5 was told
    assert await pending(db) == [(event_id(2), 100), (event_id(4), 100), (event_id(6), 200)]
    assert (await claimed(db, 6, SECOND)).starts == 1
    assert await db.narrations.request(SECOND) == 0


async def test_of_many_events_the_newest_are_asked_for_first(db: Database) -> None:
    await db.import_events([event(n) for n in range(1, 6)])

    assert await db.narrations.request(FIRST, limit=2) == 2
    assert await pending(db) == [(event_id(4), 100), (event_id(5), 100)]
    assert await db.narrations.request(SECOND, limit=10) == 3


# --- working


async def test_a_claim_tells_what_to_do_and_how_often_it_was_begun(db: Database) -> None:
    await db.import_events([event(1)])
    await db.narrations.request(SECOND)

    await claimed(db, 1, SECOND, "w1")
    claim = await claimed(db, 1, SECOND, "w2")

    assert (claim.language, claim.starts, claim.worker) == ("en", 2, "w2")
    assert await db.narrations.claim(event_id(1), 100, "w1") is None
    assert await db.narrations.claim(event_id(7), 200, "w1") is None


async def test_a_claim_can_be_taken_back_unless_somebody_else_has_one(db: Database) -> None:
    await db.import_events([event(1)])
    await db.narrations.request(FIRST)
    mine = await claimed(db, 1, FIRST, "w1")

    await db.narrations.release(mine)
    again = await claimed(db, 1, FIRST, "w2")
    assert again.starts == 1
    await db.narrations.release(mine)

    assert (await claimed(db, 1, FIRST, "w3")).starts == 2


async def test_of_two_who_did_the_same_work_the_first_counts(db: Database) -> None:
    await analysis(db, event(1))
    await db.narrations.request(FIRST)
    slow, quick = await claimed(db, 1, FIRST, "slow"), await claimed(db, 1, FIRST, "quick")
    words = FrameWords(frame_id=frame(1).frame_id, vlm_json={"unsure": []}, summary_zh="慢")

    assert await db.narrations.finish(quick, TOLD, finished_ns=150)
    late = NarrationOutcome(status="done", level="frame", text="晚了", frames=[words])
    assert not await db.narrations.finish(slow, late, finished_ns=160)

    stored = await db.event(event_id(1))
    assert stored is not None
    assert stored.narration is not None
    assert (stored.narration.text, stored.narration.worker) == ("有人撐雨傘", "quick")
    assert stored.narration.finished_ns == 150
    first = await db.frame(frame(1).frame_id)
    assert first is not None
    assert (first.vlm_json, first.summary_zh) == (None, "")


async def test_an_outcome_of_an_earlier_request_changes_nothing(db: Database) -> None:
    run = await analysis(db, event(1))
    await db.add_evidence(event_id(1), [evidence(1)], [frame(1)], narrate=FIRST)
    late = await claimed(db, 1, FIRST)
    await db.commit_step(run, Step(checkpoint=b"", events=[event(1, risk="critical")]))
    await db.add_evidence(event_id(1), [evidence(1)], [frame(1)], narrate=SECOND)

    assert not await db.narrations.finish(late, TOLD, finished_ns=250)
    await db.narrations.release(late)
    assert await pending(db) == [(event_id(1), 200)]


async def test_everything_of_an_outcome_is_kept_and_can_be_searched(db: Database) -> None:
    await analysis(db, event(1), event(2))
    for n in (1, 2):
        await db.add_evidence(event_id(n), [evidence(n)], [frame(n)], narrate=FIRST)
    words = FrameWords(
        frame_id=frame(2).frame_id, vlm_json={"actions": ["走"]}, summary_zh="一人拉著行李箱"
    )
    outcome = NarrationOutcome(
        status="done",
        level="frame",
        reason="budget: 240 calls an hour are used up",
        model="qwen",
        prompts={"frame": "frame.v1.zh-TW"},
        text="有人撐雨傘",
        result={"frames": [1, 2]},
        flags=["language"],
        raw_text="{}",
        usage={"attempts": 2, "wall_s": 1.5},
        frames=[words],
    )
    claim = await claimed(db, 2, FIRST)

    assert await db.narrations.finish(claim, outcome, finished_ns=150)

    stored = await db.event(event_id(2))
    assert stored is not None
    row = stored.narration
    assert row is not None
    kept = {name: getattr(row, name) for name in ("status", "level", "reason", "model", "text")}
    assert kept == {name: getattr(outcome, name) for name in kept}
    assert (row.prompts, row.result, row.usage) == (
        outcome.prompts,
        outcome.result,
        outcome.usage,
    )
    assert (row.flags, row.raw_text, row.starts) == (("language",), "{}", 1)
    second = await db.frame(frame(2).frame_id)
    assert second is not None
    assert (second.vlm_json, second.summary_zh) == ({"actions": ["走"]}, "一人拉著行李箱")
    for words_said in ("雨傘", "行李箱"):
        group = Group(key="x", terms=(word_term(words_said),))
        found = await db.search(IndexQuery(groups=(group,)))
        assert [hit.event_id for hit in found.hits] == [event_id(2)], words_said


# --- looking


async def test_counts_say_how_requests_stand_by_reason(db: Database) -> None:
    await db.import_events([event(n) for n in range(1, 8)])
    await db.narrations.request(FIRST)
    outcomes = [
        TOLD,
        NarrationOutcome(status="done", level="text", text="x", reason="budget: 240 an hour"),
        NarrationOutcome(status="done", level="text", text="x", reason="budget: 120 an hour"),
        NarrationOutcome(status="failed", reason="timeout: no answer within 120 s"),
        NarrationOutcome(status="failed", reason="invalid: no JSON"),
    ]
    for n, outcome in enumerate(outcomes, start=1):
        await db.narrations.finish(await claimed(db, n, FIRST), outcome, finished_ns=150)
    await claimed(db, 6, FIRST)

    counts = await db.narrations.counts()

    assert (counts.waiting, counts.running, counts.done) == (1, 1, 1)
    assert counts.degraded == {"budget": 2}
    assert counts.failed == {"invalid": 1, "timeout": 1}
    assert await db.narrations.count_pending() == 2


async def test_an_empty_database_has_nothing_to_tell(db: Database) -> None:
    assert await db.narrations.request(FIRST) == 0
    assert await pending(db) == []
    counts = await db.narrations.counts()
    assert (counts.waiting, counts.running, counts.done) == (0, 0, 0)
    assert (counts.degraded, counts.failed) == ({}, {})


async def test_beats_of_workers_are_seen_by_all_until_they_are_forgotten(db: Database) -> None:
    first = (await db.narrations.beat("a"))["a"]
    seen = [await db.narrations.beat("b") for _ in range(3)]

    assert [set(beats) for beats in seen] == [{"a", "b"}] * 3
    assert {beats["a"].number for beats in seen} == {first.number}
    own = [beats["b"].number for beats in seen]
    assert own == sorted(set(own))
    assert all(beat.age_ns < 60 * 10**9 for beats in seen for beat in beats.values())

    await db.narrations.forget([])
    await db.narrations.forget(["a", "nobody"])

    assert set(await db.narrations.beat("b")) == {"b"}


async def test_the_age_of_a_beat_is_told_by_the_database(db: Database) -> None:
    await db.narrations.beat("a")
    await asyncio.sleep(0.05)

    beats = await db.narrations.beat("b")

    assert beats["a"].age_ns >= 40_000_000
    assert beats["b"].age_ns < beats["a"].age_ns


async def test_events_that_are_long_over_wait_behind_those_of_now(db: Database) -> None:
    hour_ns = 3600 * 10**9
    await db.import_events([event(1, end_ns=10**12), event(2, end_ns=2 * hour_ns)])
    await db.narrations.request(NarrationRequest(language="en", requested_ns=2 * hour_ns + 5))
    await db.import_events([event(3, end_ns=2 * hour_ns), event(4, end_ns=10**12)])
    await db.narrations.request(NarrationRequest(language="en", requested_ns=2 * hour_ns + 6))

    rows = [(row.event_id[-1], row.can_wait) for row in await db.narrations.pending(100)]
    assert rows == [("2", False), ("3", False), ("1", True), ("4", True)]
    assert await db.narrations.count_urgent() == 2
    few = await db.narrations.pending(2)
    assert {row.requested_ns for row in few} == {2 * hour_ns + 5, 2 * hour_ns + 6}


async def test_calls_that_were_made_are_counted_by_camera_since_a_moment(db: Database) -> None:
    await db.import_events([event(1), event(2), event(3)])
    await db.narrations.request(FIRST)
    for n, calls in ((1, {"calls": 3}), (2, {"calls": 2}), (3, {})):
        told = NarrationOutcome(status="done", level="text", text="x", usage=calls)
        await db.narrations.finish(await claimed(db, n, FIRST), told, finished_ns=100 * n)

    spent = [(one.time_ns, one.camera_id, one.calls) for one in await db.narrations.spent(200)]
    assert sorted(spent) == [(200, "cam01", 2), (300, "cam01", 0)]
