"""What the database promises, on SQLite and on PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest

from video_detective.errors import ConflictError, MissingError, UsageError
from video_detective.rules import Actor, Event, Moment
from video_detective.storage import (
    CameraRow,
    EventQuery,
    EvidenceRow,
    FrameRow,
    ImportCounts,
    NextNumbers,
    PointRow,
    Run,
    RunKey,
    Step,
    StoredEvent,
    TrackRow,
)
from video_detective.storage.database import Database
from video_detective.tracking import Track

CAMERA = "cam01"
DAY_NS = 86_400 * 10**9


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


async def begin(db: Database, source: str = "a.mp4", camera: str = CAMERA) -> Run:
    key = RunKey(camera_id=camera, fingerprint=source, settings_hash="s")
    return await db.begin_run(key, {"name": source}, start_ns=0)


def event(n: int, start_ns: int = 0, **changes: Any) -> StoredEvent:
    camera = str(changes.pop("camera_id", CAMERA))
    words: dict[str, Any] = {
        name: changes.pop(name)
        for name in ("summary_zh", "summary_en", "keywords_zh")
        if name in changes
    }
    values: dict[str, Any] = {
        "event_id": f"evt_20261121_{camera}_{n:04d}",
        "camera_id": camera,
        "type": "intrusion",
        "risk_level": "high",
        "rule_id": "yard",
        "start_ns": start_ns,
        "established_ns": start_ns,
        "end_ns": start_ns,
        "frames": (n, n),
    }
    return StoredEvent(event=Event(**(values | changes)), **words)


def frame(n: int, **changes: Any) -> FrameRow:
    values: dict[str, Any] = {
        "frame_id": f"{CAMERA}_20261121_000000_{n:06d}",
        "camera_id": CAMERA,
        "time_ns": n,
        "frame": n,
        "size": (768, 576),
    }
    return FrameRow(**(values | changes))


def track(track_id: str, first_ns: int = 0, last_ns: int = 0, conf: float = 0.5) -> TrackRow:
    return TrackRow(
        track_id=track_id, type="person", first_ns=first_ns, last_ns=last_ns, best_conf=conf
    )


def point(time_ns: int, track_id: str) -> PointRow:
    seen = Track(track_id=track_id, type="person", conf=0.9, bbox=(1.5, 2.25, 30.1, 40.0))
    return PointRow(time_ns=time_ns, frame=time_ns, track=seen)


def evidence(kind: str = "original", **changes: Any) -> EvidenceRow:
    values: dict[str, Any] = {
        "kind": kind,
        "what": "entered",
        "time_ns": 5,
        "frame": 5,
        "sha256": "ab" * 32,
        "media_type": "image/jpeg",
        "bytes": 1234,
        "width": 768,
        "height": 576,
    }
    return EvidenceRow(**(values | changes))


# --- analyses


async def test_an_interrupted_analysis_goes_on_from_its_last_step(db: Database) -> None:
    first = await begin(db)
    assert (first.status, first.checkpoint) == ("new", None)
    await db.commit_step(first, Step(checkpoint=b"\x00one"))
    await db.commit_step(first, Step(checkpoint=b"\x00two", progress={"frames": 20}))

    again = await begin(db)

    assert (again.status, again.checkpoint, again.run_id) == ("resumed", b"\x00two", first.run_id)
    assert [row.progress for row in await db.runs(CAMERA)] == [{"frames": 20}]


async def test_an_analysis_interrupted_before_its_first_step_begins_anew(db: Database) -> None:
    await begin(db)

    again = await begin(db)

    assert (again.status, again.checkpoint) == ("resumed", None)


async def test_a_finished_analysis_is_reported_instead_of_repeated(db: Database) -> None:
    run = await begin(db)
    await db.commit_step(run, Step(checkpoint=b"x"))
    await db.finish_run(run, {"frames": 795, "說明": "完成"})

    again = await begin(db)

    assert (again.status, again.report) == ("done", {"frames": 795, "說明": "完成"})
    assert (await db.runs())[0].done


async def test_another_source_camera_or_setting_is_another_analysis(db: Database) -> None:
    keys = [
        RunKey(camera_id=camera, fingerprint=source, settings_hash=settings)
        for camera in ("c1", "c2")
        for source in ("f1", "f2")
        for settings in ("s1", "s2")
    ]

    runs = [await db.begin_run(key, {}, 0) for key in keys]

    assert {run.status for run in runs} == {"new"}
    assert len({run.run_id for run in runs}) == len(keys)
    assert {row.key for row in await db.runs("c1")} == set(keys[:4])


async def test_an_older_process_of_the_same_analysis_can_no_longer_write(db: Database) -> None:
    older = await begin(db)
    newer = await begin(db)

    with pytest.raises(ConflictError):
        await db.commit_step(older, Step(checkpoint=b"old", frames=[frame(1)]))
    with pytest.raises(ConflictError):
        await db.finish_run(older, {})

    assert await db.frames(CAMERA, 0, 10) == []
    await db.commit_step(newer, Step(checkpoint=b"new", frames=[frame(1)]))
    assert (await begin(db)).checkpoint == b"new"


async def test_an_analysis_counts_its_own_tracks_and_events_once_each(db: Database) -> None:
    run, other = await begin(db), await begin(db, source="b.mp4")
    await db.commit_step(run, Step(checkpoint=b"1", tracks=[track("p01")], events=[event(1)]))
    await db.commit_step(
        run, Step(checkpoint=b"2", tracks=[track("p01"), track("p02")], events=[event(1), event(2)])
    )
    await db.commit_step(other, Step(checkpoint=b"1", tracks=[track("p09")], events=[event(9)]))

    counts = await db.run_counts(run)

    assert dict(counts.tracks) == {track("p01").type: 2}
    assert dict(counts.events) == {event(1).event.type: 2}
    empty = await db.run_counts(await begin(db, source="c.mp4"))
    assert (dict(empty.tracks), dict(empty.events)) == ({}, {})


async def test_nothing_is_added_to_a_finished_analysis(db: Database) -> None:
    run = await begin(db)
    await db.finish_run(run, {})

    with pytest.raises(ConflictError):
        await db.commit_step(run, Step(checkpoint=b"late", events=[event(1)]))

    assert await db.event(event(1).event.event_id) is None


async def finished(
    db: Database, settings: str, n: int, camera: str = CAMERA, fingerprint: str = "film"
) -> Run:
    """An analysis that found event ``n``."""
    key = RunKey(camera_id=camera, fingerprint=fingerprint, settings_hash=settings)
    run = await db.begin_run(key, {}, 0)
    if run.status != "done":
        found = event(n, n, camera_id=camera, summary_zh="後門")
        await db.commit_step(run, Step(checkpoint=b"x", events=[found]))
        await db.finish_run(run, {})
    return run


async def numbers_listed(db: Database) -> list[int]:
    page = await db.events(EventQuery(order="oldest"))
    assert page.total == len(page.events)
    return [stored.event.start_ns for stored in page.events]


async def test_footage_analysed_anew_shows_only_what_the_latest_analysis_found(
    db: Database,
) -> None:
    first = await finished(db, "old rules", 1)
    await finished(db, "old rules", 2, fingerprint="other film")
    await finished(db, "old rules", 3, camera="cam02")
    await db.import_events([event(9, 9, summary_zh="後門")])
    assert await numbers_listed(db) == [1, 2, 3, 9]

    second = await finished(db, "new rules", 4)

    assert await numbers_listed(db) == [2, 3, 4, 9]
    found = await db.event(event(1).event.event_id)
    assert found is not None
    assert found.run_id == first.run_id
    superseded = {row.run_id: row.superseded_by for row in await db.runs() if row.superseded_by}
    assert superseded == {first.run_id: second.run_id}


async def test_an_analysis_made_anew_changes_nothing_before_it_is_finished(db: Database) -> None:
    await finished(db, "old rules", 1)
    key = RunKey(camera_id=CAMERA, fingerprint="film", settings_hash="new rules")
    run = await db.begin_run(key, {}, 0)
    await db.commit_step(run, Step(checkpoint=b"x", events=[event(2, 2, summary_zh="後門")]))
    assert await numbers_listed(db) == [1]  # and so it stays where it is cancelled

    run = await db.begin_run(key, {}, 0)
    await db.commit_step(run, Step(checkpoint=b"y", events=[event(3, 3, summary_zh="後門")]))
    assert await numbers_listed(db) == [1]
    await db.finish_run(run, {})

    assert await numbers_listed(db) == [2, 3]


async def test_what_a_first_analysis_finds_is_shown_while_it_runs(db: Database) -> None:
    for rules, number in (("cancelled", 1), ("next", 2)):
        key = RunKey(camera_id=CAMERA, fingerprint="film", settings_hash=rules)
        run = await db.begin_run(key, {}, 0)
        found = event(number, number, summary_zh="後門")
        await db.commit_step(run, Step(checkpoint=b"x", events=[found]))
    assert await numbers_listed(db) == [1, 2]

    await db.finish_run(run, {})

    assert await numbers_listed(db) == [2]


async def test_footage_analysed_anew_at_another_time_was_not_recorded_at_the_first(
    db: Database,
) -> None:
    async def watched() -> list[tuple[int, int]]:
        return await db.coverage(CAMERA, 0, 100)

    for start, spans in ((10, [(10, 20)]), (40, [(40, 50)])):
        key = RunKey(camera_id=CAMERA, fingerprint="film", settings_hash=f"from {start}")
        run = await db.begin_run(key, {}, start)
        await db.commit_step(run, Step(checkpoint=b"x", coverage=spans))
        assert await watched() == [(10, 20)]
        await db.finish_run(run, {})
    assert await watched() == [(40, 50)]

    await finished(db, "another film", 1, fingerprint="another film")
    key = RunKey(camera_id=CAMERA, fingerprint="film", settings_hash="from 10")
    assert (await db.begin_run(key, {}, 10)).status == "done"

    assert await watched() == [(10, 20)]


async def test_an_analysis_asked_for_again_is_the_one_that_is_shown(db: Database) -> None:
    await finished(db, "old rules", 1)
    await finished(db, "new rules", 2)

    again = await finished(db, "old rules", 1)

    assert again.status == "done"
    assert await numbers_listed(db) == [1]


async def test_two_analyses_of_the_same_footage_that_end_at_once_leave_one_shown(
    db: Database, url: str, tmp_path: Path
) -> None:
    for n in range(1, 9, 2):
        async with await Database.open(tmp_path, url) as other:
            await asyncio.gather(finished(db, f"s{n}", n), finished(other, f"s{n + 1}", n + 1))
        assert len(await numbers_listed(db)) == 1


# --- steps


async def test_a_step_reads_back_as_it_was_written(db: Database) -> None:
    run = await begin(db)
    seen = frame(
        7,
        time_ns=7,
        detections=({"type": "person", "conf": 0.92, "bbox": [1.0, 2.0, 3.0, 4.0]},),
        view="dark",
        cut=True,
        image_sha256="0" * 64,
        vlm_json={"scene_summary": "後門"},
        summary_zh="有人",
    )
    fact = event(
        1,
        start_ns=1_765_893_901_123_456_789,
        type="line_crossing",
        end_ns=None,
        zone="back_door",
        tripwire="fence",
        actors=(Actor(track_id="p12", type="person"), Actor(track_id="o1", type="b", role="m")),
        moments=(
            Moment(time_ns=4, frame=1, what="before", track_ids=("p12",), foot=(0.1, 0.7)),
            Moment(time_ns=5, frame=2, what="crossed"),
        ),
        facts={"direction": "left_to_right", "dwell_s": 1.25, "parts": [{"type": "pacing"}]},
        parameters={"min_seconds": {"person": 20}},
        summary_zh="人物由左至右越過圍籬線",
        summary_en="A person crossed",
        keywords_zh=("後門", "越線"),
    )

    await db.commit_step(
        run,
        Step(
            checkpoint=b"x",
            frames=[seen],
            points=[point(7, "p12"), point(3, "p12"), point(3, "p02")],
            tracks=[track("p12", 3, 7, 0.9)],
            events=[fact],
        ),
    )

    assert await db.frame(seen.frame_id) == seen
    assert await db.frames(CAMERA, 7, 8) == [seen]
    assert await db.event(fact.event.event_id) == replace(fact, run_id=run.run_id)
    assert await db.tracks(CAMERA, 7, 8) == [track("p12", 3, 7, 0.9)]
    assert await db.track_points(CAMERA, 3, 8) == [
        replace(row, run_id=run.run_id)
        for row in (point(3, "p02"), point(3, "p12"), point(7, "p12"))
    ]


async def test_periods_are_half_open_and_of_one_camera(db: Database) -> None:
    run = await begin(db)
    rows = [frame(n) for n in range(1, 6)]
    points = [point(n, "p1") for n in range(1, 6)]
    await db.commit_step(run, Step(checkpoint=b"x", frames=rows, points=points))

    assert await db.frames(CAMERA, 2, 4) == rows[1:3]
    assert [row.time_ns for row in await db.track_points(CAMERA, 2, 4)] == [2, 3]
    assert await db.frames("cam02", 0, 9) == []
    assert await db.track_points("cam02", 0, 9) == []
    assert await db.frames(CAMERA, -(10**30), 10**30) == rows


async def test_numbers_of_numpy_are_stored_as_numbers(db: Database) -> None:
    run = await begin(db)
    corner: Any = np.float32(1.5)
    score: Any = np.float32(0.5)
    seen = Track(track_id="p1", type="person", conf=score, bbox=(corner,) * 4)

    await db.commit_step(
        run, Step(checkpoint=b"x", points=[PointRow(time_ns=1, frame=1, track=seen)])
    )

    (stored,) = await db.track_points(CAMERA, 0, 2)
    assert (stored.track.conf, stored.track.bbox) == (0.5, (1.5,) * 4)


async def test_a_step_that_fails_leaves_nothing(db: Database) -> None:
    other = await begin(db, "b.mp4")
    await db.commit_step(other, Step(checkpoint=b"x", tracks=[track("p5")]))
    run = await begin(db)
    await db.commit_step(run, Step(checkpoint=b"before"))
    numbers = await db.next_numbers(CAMERA)

    with pytest.raises(ConflictError):
        await db.commit_step(
            run,
            Step(
                checkpoint=b"after",
                frames=[frame(1)],
                points=[point(1, "p9")],
                tracks=[track("p5"), track("p9")],
                events=[event(1)],
                coverage=[(0, 9)],
            ),
        )

    assert (await begin(db)).checkpoint == b"before"
    assert await db.frames(CAMERA, 0, 9) == []
    assert await db.track_points(CAMERA, 0, 9) == []
    assert await db.tracks(CAMERA, 0, 9) == [track("p5")]
    assert (await db.events(EventQuery())).total == 0
    assert await db.coverage(CAMERA, 0, 9) == []
    assert await db.next_numbers(CAMERA) == numbers


async def test_a_track_grows_with_every_step(db: Database) -> None:
    run = await begin(db)
    await db.commit_step(run, Step(checkpoint=b"1", tracks=[track("p1", 10, 20, 0.9)]))
    await db.commit_step(run, Step(checkpoint=b"2", tracks=[track("p1", 21, 30, 0.4)]))

    assert await db.tracks(CAMERA, 0, 99) == [track("p1", 10, 30, 0.9)]


async def test_an_event_that_changes_needs_its_evidence_anew(db: Database) -> None:
    run = await begin(db)
    begun = event(1, 10, end_ns=None)
    await db.commit_step(run, Step(checkpoint=b"1", events=[begun]))
    await db.add_evidence(begun.event.event_id, [evidence()])
    ended = event(1, 10, end_ns=99, type="loitering", summary_zh="停留 89 秒")
    await db.commit_step(run, Step(checkpoint=b"2", events=[begun, ended]))

    expected = replace(ended, run_id=run.run_id)
    assert (await db.events(EventQuery())).events == (expected,)
    assert await db.events_without_evidence(run) == [expected]


async def test_an_event_that_is_told_again_unchanged_keeps_its_evidence(db: Database) -> None:
    run = await begin(db)
    moments = (Moment(time_ns=4, frame=1, what="entered", track_ids=("p1",), foot=(0.1, 0.7)),)
    told = event(1, 10, moments=moments, facts={"parts": ({"type": "pacing"},)})
    changed = event(2, 10)
    await db.commit_step(run, Step(checkpoint=b"1", events=[told, changed]))
    for stored in (told, changed):
        await db.add_evidence(stored.event.event_id, [evidence()])

    await db.commit_step(run, Step(checkpoint=b"2", events=[told, event(2, 10, zone="yard")]))

    kept = [stored.evidence for stored in (await db.events(EventQuery(order="oldest"))).events]
    assert kept == [(evidence(),), ()]


async def test_footage_analysed_again_keeps_the_pictures_and_words_of_its_frames(
    db: Database,
) -> None:
    first = await begin(db)
    kept = frame(1, image_sha256="1" * 64, vlm_json={"unsure": []}, summary_zh="空景")
    await db.commit_step(first, Step(checkpoint=b"x", frames=[kept]))
    second = await begin(db, "b.mp4")
    found = ({"type": "car", "conf": 0.8, "bbox": [0.0, 0.0, 9.0, 9.0]},)
    await db.commit_step(second, Step(checkpoint=b"x", frames=[frame(1, detections=found)]))

    assert await db.frame(kept.frame_id) == replace(kept, detections=found)


async def test_points_of_two_analyses_of_one_camera_can_be_told_apart(db: Database) -> None:
    first, second = await begin(db), await begin(db, "b.mp4")
    await db.commit_step(first, Step(checkpoint=b"x", points=[point(1, "p1")]))
    await db.commit_step(second, Step(checkpoint=b"x", points=[point(1, "p2")]))

    only = await db.track_points(CAMERA, 0, 9, run_id=second.run_id)

    assert [row.track.track_id for row in only] == ["p2"]
    assert len(await db.track_points(CAMERA, 0, 9)) == 2


async def test_the_same_place_in_the_database_is_not_written_twice(db: Database) -> None:
    first, second = await begin(db), await begin(db, "b.mp4")
    await db.commit_step(first, Step(checkpoint=b"x", points=[point(1, "p1")]))

    with pytest.raises(ConflictError):
        await db.commit_step(second, Step(checkpoint=b"x", points=[point(1, "p1")]))


async def test_steps_of_many_cameras_at_once_all_arrive(db: Database, url: str) -> None:
    async with await Database.open(Path(), url) as other:
        runs = [(await begin(db, camera=f"c{n}"), (db, other)[n % 2]) for n in range(6)]

        async def analyse(run: Run, store: Database) -> None:
            camera = run.key.camera_id
            for n in range(1, 6):
                await store.commit_step(
                    run,
                    Step(
                        checkpoint=bytes([n]),
                        points=[point(n, "p1")],
                        events=[event(n, n, camera_id=camera)],
                        coverage=[(n, n + 1)],
                    ),
                )

        await asyncio.gather(*(analyse(*pair) for pair in runs))

    assert (await db.events(EventQuery(limit=1))).total == 30
    for run, _ in runs:
        assert await db.coverage(run.key.camera_id, 0, 99) == [(1, 6)]


async def test_two_analyses_of_one_camera_at_once_do_not_block_each_other(
    db: Database, url: str
) -> None:
    async with await Database.open(Path(), url) as other:

        async def analyse(store: Database, source: str, first: int) -> None:
            run = await begin(store, source)
            for n in range(first, first + 10):
                step = Step(
                    checkpoint=b"x",
                    tracks=[track(f"p{n}"), track(f"v{n}")],
                    events=[event(n, n)],
                    coverage=[(n, n + 2)],
                )
                await store.commit_step(run, step)

        await asyncio.gather(analyse(db, "a", 1), analyse(other, "b", 11))

    assert await db.coverage(CAMERA, 0, 99) == [(1, 22)]
    assert await db.next_numbers(CAMERA) == NextNumbers(
        tracks={"p": 21, "v": 21}, events={"20261121": 21}
    )


# --- numbers


async def test_numbers_go_on_after_the_highest_that_was_ever_used(db: Database) -> None:
    assert await db.next_numbers(CAMERA) == NextNumbers()
    run = await begin(db)
    await db.commit_step(
        run,
        Step(
            checkpoint=b"x",
            tracks=[track("p12"), track("p03"), track("v01")],
            events=[event(7), event(2)],
        ),
    )
    await db.commit_step(run, Step(checkpoint=b"x", tracks=[track("p04")]))
    await db.import_events([event(40), event(3, camera_id="cam_02")])

    assert await db.next_numbers(CAMERA) == NextNumbers(
        tracks={"p": 13, "v": 2}, events={"20261121": 41}
    )
    assert await db.next_numbers("cam_02") == NextNumbers(events={"20261121": 4})


async def test_a_number_that_an_import_took_meanwhile_is_not_used_again(db: Database) -> None:
    run = await begin(db)
    imported = event(1, summary_zh="匯入")
    await db.import_events([imported])

    with pytest.raises(ConflictError, match="evt_20261121_cam01_0001"):
        await db.commit_step(run, Step(checkpoint=b"x", events=[event(1)]))

    assert await db.event(imported.event.event_id) == imported


# --- evidence


async def test_evidence_is_added_once_and_read_with_its_event(db: Database) -> None:
    run = await begin(db)
    fact = event(1)
    seen = frame(5, detections=({"type": "person"},))
    await db.commit_step(run, Step(checkpoint=b"x", frames=[seen], events=[fact, event(2)]))
    pieces = (
        evidence("annotated", frame_id=seen.frame_id, sha256="cd" * 32),
        evidence("clip", what="clip", media_type="video/mp4"),
        evidence("original", frame_id=seen.frame_id),
    )
    pictured = frame(5, image_sha256="ab" * 32, annotated_sha256="cd" * 32)
    new = frame(6, image_sha256="ef" * 32)

    for _ in range(2):
        await db.add_evidence(fact.event.event_id, pieces, [pictured, new])

    stored = await db.event(fact.event.event_id)
    assert stored is not None
    assert stored.evidence == pieces
    assert (await db.events(EventQuery(order="oldest"))).events[0].evidence == pieces
    assert await db.frame(seen.frame_id) == replace(pictured, detections=seen.detections)
    assert await db.frame(new.frame_id) == new


async def test_events_that_still_need_evidence_are_told(db: Database) -> None:
    run, other = await begin(db), await begin(db, "b.mp4")
    await db.commit_step(run, Step(checkpoint=b"x", events=[event(2, 9), event(1, 5), event(3, 1)]))
    await db.commit_step(other, Step(checkpoint=b"x", events=[event(4)]))
    await db.add_evidence(event(3).event.event_id, [evidence()])

    missing = await db.events_without_evidence(run)

    assert [stored.event.start_ns for stored in missing] == [5, 9]


async def test_evidence_of_an_unknown_event_is_refused(db: Database) -> None:
    with pytest.raises(MissingError, match="evt_x"):
        await db.add_evidence("evt_x", [evidence()], [frame(1)])
    assert await db.frames(CAMERA, 0, 9) == []


# --- lists


@pytest.mark.parametrize("order", ["newest", "oldest"])
async def test_pages_show_every_event_once_and_in_order(
    db: Database, order: Literal["newest", "oldest"]
) -> None:
    events = [event(n, start_ns=n // 4) for n in range(1, 24)]
    events += [event(n, start_ns=2, camera_id="Cam-乙_a") for n in range(1, 4)]
    await db.import_events(events)
    query = EventQuery(limit=4, order=order)
    seen: list[StoredEvent] = []
    while True:
        page = await db.events(query)
        assert page.total == 26
        seen += page.events
        if page.next_cursor is None:
            break
        query = replace(query, cursor=page.next_cursor)

    assert seen == sorted(
        events, key=lambda e: (e.event.start_ns, e.event.event_id), reverse=order == "newest"
    )


async def test_the_last_page_says_that_it_is_the_last(db: Database) -> None:
    await db.import_events([event(1), event(2)])

    assert (await db.events(EventQuery(limit=2))).next_cursor is None
    assert (await db.events(EventQuery(limit=1))).next_cursor is not None


async def test_an_empty_database_gives_an_empty_page(db: Database) -> None:
    page = await db.events(EventQuery())

    assert (page.events, page.next_cursor, page.total) == ((), None, 0)
    assert await db.event("evt_none") is None
    assert await db.frame("none") is None
    assert await db.cameras() == []
    assert await db.runs() == []


async def numbers_of(db: Database, query: EventQuery) -> list[int]:
    page = await db.events(replace(query, order="oldest"))
    assert page.total == len(page.events)
    return [stored.event.frames[0] for stored in page.events]


async def test_events_are_filtered_by_camera_and_type(db: Database) -> None:
    await db.import_events(
        [event(1), event(2, type="pacing"), event(3, camera_id="cam02"), event(4, type="speed")]
    )

    assert await numbers_of(db, EventQuery(camera="cam02")) == [3]
    assert await numbers_of(db, EventQuery(camera=CAMERA, types=("pacing", "speed"))) == [2, 4]
    assert await numbers_of(db, EventQuery(camera="cam0_")) == []


async def test_a_period_holds_what_happened_at_any_time_in_it(db: Database) -> None:
    found = [
        event(1, 0, end_ns=9),  # over before
        event(2, 5, end_ns=10),  # ends as the period begins
        event(3, 5, end_ns=50),  # lasts beyond it
        event(4, 6, end_ns=None),  # still goes on
        event(5, 10),  # instant, at its beginning
        event(6, 19),
        event(7, 20),  # at its end
    ]
    await db.commit_step(await begin(db), Step(checkpoint=b"x", events=found))

    assert await numbers_of(db, EventQuery(since_ns=10, until_ns=20)) == [2, 3, 4, 5, 6]
    assert await numbers_of(db, EventQuery(until_ns=6)) == [1, 2, 3]
    assert await numbers_of(db, EventQuery(since_ns=51)) == [4]
    assert await numbers_of(db, EventQuery(since_ns=-(10**40), until_ns=10**40)) == list(
        range(1, 8)
    )


async def test_an_imported_event_without_an_end_is_an_instant(db: Database) -> None:
    await db.import_events([event(1, 5, end_ns=None)])

    assert await numbers_of(db, EventQuery(since_ns=5, until_ns=6)) == [1]
    assert await numbers_of(db, EventQuery(since_ns=6)) == []
    stored = await db.event(event(1).event.event_id)
    assert stored is not None
    assert stored.event.end_ns is None


@pytest.mark.parametrize(
    "query",
    [
        EventQuery(limit=0),
        EventQuery(limit=1001),
        EventQuery(cursor="nonsense"),
        EventQuery(cursor="攝影機"),
        EventQuery(cursor="bm9uc2Vuc2U"),
    ],
)
async def test_a_query_that_cannot_be_meant_is_refused(db: Database, query: EventQuery) -> None:
    with pytest.raises(UsageError):
        await db.events(query)


# --- imports


async def test_an_import_again_is_harmless(db: Database) -> None:
    batch = [
        event(1, facts={"dwell_s": 1.0, "path": (1, 2)}, keywords_zh=("後門", "Ａ")),
        event(2, moments=(Moment(time_ns=1, frame=1, what="人物靠近門把", foot=(0, 1)),)),
    ]

    assert await db.import_events(batch) == ImportCounts(new=2, replaced=0, unchanged=0, kept=0)
    before = await db.events(EventQuery())
    assert await db.import_events(batch) == ImportCounts(new=0, replaced=0, unchanged=2, kept=0)
    assert await db.events(EventQuery()) == before

    changed = replace(batch[0], summary_zh="更正")
    assert await db.import_events([changed, event(3)]) == ImportCounts(
        new=1, replaced=1, unchanged=0, kept=0
    )
    stored = await db.event(changed.event.event_id)
    assert stored is not None
    assert stored.summary_zh == "更正"


async def test_an_import_never_overwrites_what_was_found_here(db: Database) -> None:
    run = await begin(db)
    found = event(1, facts={"dwell_s": 20.0})
    await db.commit_step(run, Step(checkpoint=b"x", events=[found]))

    assert await db.import_events([event(1, summary_zh="別處")]) == ImportCounts(
        new=0, replaced=0, unchanged=0, kept=1
    )
    assert await db.event(found.event.event_id) == replace(found, run_id=run.run_id)


async def test_an_import_of_nothing_does_nothing(db: Database) -> None:
    assert await db.import_events([]) == ImportCounts(new=0, replaced=0, unchanged=0, kept=0)


async def test_a_large_import_arrives_whole(db: Database) -> None:
    batch = [event(n, n) for n in range(1, 2501)]

    assert (await db.import_events(batch)).new == 2500
    assert (await db.import_events(batch)).unchanged == 2500


# --- coverage


async def test_watched_time_grows_together(db: Database) -> None:
    run = await begin(db)
    for spans in ([(10, 20)], [(20, 30)], [(50, 60), (70, 70)], [(90, 99), (55, 80)], [(0, 5)]):
        await db.commit_step(run, Step(checkpoint=b"x", coverage=spans))

    assert await db.coverage(CAMERA, -5, 200) == [(0, 5), (10, 30), (50, 80), (90, 99)]
    assert await db.coverage(CAMERA, 15, 60) == [(15, 30), (50, 60)]
    assert await db.coverage(CAMERA, 30, 50) == []
    assert await db.coverage("cam02", 0, 99) == []


# --- cameras and values


async def test_a_camera_saved_again_is_replaced(db: Database) -> None:
    camera = CameraRow(
        camera_id=CAMERA, name="後門攝影機", timezone="Asia/Taipei", document={"zones": {}}
    )
    await db.save_camera(camera)
    await db.save_camera(replace(camera, camera_id="cam00"))
    await db.save_camera(replace(camera, name="前門攝影機", document={"zones": {"a": 1}}))

    first, second = await db.cameras()
    assert first.camera_id == "cam00"
    assert second == replace(camera, name="前門攝影機", document={"zones": {"a": 1}})


async def test_text_of_any_kind_is_stored(db: Database) -> None:
    odd = "繁體 🎥 'quoted' \"double\" \\ 100% \n tab\t"
    await db.import_events([event(1, summary_zh=odd, facts={"note": odd})])
    broken = "half \ud83d and \0 nul"
    await db.import_events([event(2, summary_zh=broken, facts={"note": broken})])

    first = await db.event(event(1).event.event_id)
    second = await db.event(event(2).event.event_id)
    assert first is not None
    assert second is not None
    assert (first.summary_zh, first.event.facts["note"]) == (odd, odd)
    assert second.summary_zh == "half \ufffd and \ufffd nul"
    assert second.event.facts["note"] == "half \ufffd and \0 nul"


@pytest.mark.parametrize(
    "bad",
    [event(1, facts={"speed_px_s": float("nan")}), event(1, start_ns=2**63)],
    ids=["not-a-number", "beyond-64-bits"],
)
async def test_a_number_that_no_database_holds_is_refused(db: Database, bad: StoredEvent) -> None:
    with pytest.raises(UsageError, match="cannot be stored"):
        await db.import_events([bad, event(2)])
    assert (await db.events(EventQuery())).total == 0


async def test_everything_is_there_when_it_is_opened_again(
    db: Database, url: str, tmp_path: Path
) -> None:
    run = await begin(db)
    await db.commit_step(run, Step(checkpoint=b"x", events=[event(1, DAY_NS)]))
    await db.close()

    async with await Database.open(tmp_path, url) as again:
        assert (await again.events(EventQuery())).total == 1
        assert (await begin(again)).checkpoint == b"x"
