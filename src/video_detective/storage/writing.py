"""Every change of the database. Functions take a connection inside a writing transaction.

Rows of one statement go in order of their key, and the tables always in the same order, so that
two writers on PostgreSQL wait for each other instead of blocking each other for good. Statements
are built once: building one costs as much as running it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import chain
from typing import Any, Literal

from sqlalchemy import ColumnElement, Table, case, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from video_detective.errors import ConflictError, MissingError
from video_detective.storage import documents, looks, narrations, rows
from video_detective.storage.attributes import writing as attributes
from video_detective.storage.base import (
    CameraRow,
    EvidenceRow,
    FrameRow,
    ImportCounts,
    Run,
    RunKey,
    Step,
    StoredEvent,
    TrackRow,
)
from video_detective.storage.clock import CLOCK_MS
from video_detective.storage.devices import keeping
from video_detective.storage.dialects import Insert, insert_into, upsert_into
from video_detective.storage.insights import writing as insights
from video_detective.storage.reading import chunks
from video_detective.storage.service_tables import MEDIA_DELETIONS, RUN_BEGINNINGS
from video_detective.storage.tables import (
    CAMERAS,
    COUNTERS,
    COVERAGE,
    EVENTS,
    EVIDENCE,
    FRAMES,
    RUNS,
    TRACK_POINTS,
    TRACKS,
)

Kind = Literal["sqlite", "postgresql"]

_TRACK_ID = re.compile(r"([a-z]+)([0-9]{1,18})")
_EVENT_ID = re.compile(r"evt_([0-9]{8})_.+_([0-9]{1,18})")


async def save_camera(connection: AsyncConnection, kind: Kind, camera: CameraRow) -> None:
    """Store or replace a camera; it has a device and a scene, see ``devices.keeping``."""
    # Device before camera, as whoever changes a device has them: two would wait for each other.
    await keeping.follow_camera(connection, kind, camera)
    await connection.execute(upsert_into(CAMERAS, kind), rows.camera_values(camera))


async def begin_run(
    connection: AsyncConnection, kind: Kind, key: RunKey, info: Mapping[str, Any], start_ns: int
) -> Run:
    """Make the run if it is new, and raise its epoch; a done one is what is shown from now on."""
    await keeping.know_cameras(connection, kind, [key.camera_id])
    named = {
        "camera_id": key.camera_id,
        "fingerprint": key.fingerprint,
        "settings_hash": key.settings_hash,
    }
    await connection.execute(
        insert_into(RUNS, kind)
        .values(**named, epoch=0, done=False, start_ns=start_ns, info=dict(info), progress={})
        .on_conflict_do_nothing(index_elements=list(named))
    )
    await _lock_runs_of_footage(connection, key)
    begun = await connection.execute(
        update(RUNS)
        .where(*(RUNS.c[name] == value for name, value in named.items()))
        .values(epoch=RUNS.c.epoch + 1)
        .returning(RUNS.c.run_id, RUNS.c.epoch, RUNS.c.done, RUNS.c.checkpoint, RUNS.c.report)
    )
    run_id, epoch, done, checkpoint, report = begun.one()
    if epoch == 1:
        beginning = insert_into(RUN_BEGINNINGS, kind).values(run_id=run_id, begun_ms=CLOCK_MS[kind])
        await connection.execute(beginning)
    if done:
        await _supersede_others(connection, kind, key, run_id)
    elif epoch == 1:
        await _leave_shown(connection, key, run_id)
    return Run(
        run_id=run_id,
        key=key,
        status="done" if done else "new" if epoch == 1 else "resumed",
        epoch=epoch,
        checkpoint=checkpoint,
        report=report,
    )


async def finish_run(
    connection: AsyncConnection, kind: Kind, run: Run, report: Mapping[str, Any]
) -> None:
    """Mark the run done and show its events instead of those of the same footage's other runs."""
    await _lock_runs_of_footage(connection, run.key)
    await _update_own(connection, run, {"done": True, "report": dict(report), "checkpoint": None})
    if await _supersede_others(connection, kind, run.key, run.run_id):
        await insights.tell_run(connection, kind, run.run_id)


def _of_footage(key: RunKey) -> tuple[ColumnElement[bool], ...]:
    return RUNS.c.camera_id == key.camera_id, RUNS.c.fingerprint == key.fingerprint


async def _lock_runs_of_footage(connection: AsyncConnection, key: RunKey) -> None:
    """In order, so that two analyses of the same footage that end at once wait for each other."""
    rows_of_footage = select(RUNS.c.run_id).where(*_of_footage(key)).order_by(RUNS.c.run_id)
    await connection.execute(rows_of_footage.with_for_update())


async def _leave_shown(connection: AsyncConnection, key: RunKey, run_id: int) -> None:
    """Hide a new analysis until its end, where the footage has an analysis that came to its own."""
    whole = select(RUNS.c.run_id).where(
        *_of_footage(key), RUNS.c.superseded_by.is_(None), RUNS.c.done
    )
    shown = await connection.scalar(whole)
    if shown is not None:
        await connection.execute(
            update(RUNS).where(RUNS.c.run_id == run_id).values(superseded_by=shown)
        )


async def _supersede_others(
    connection: AsyncConnection, kind: Kind, key: RunKey, run_id: int
) -> bool:
    """Show this analysis of the footage and no other; returns whether it was hidden before."""
    before = await connection.execute(
        select(RUNS.c.run_id).where(*_of_footage(key), RUNS.c.superseded_by.is_(None))
    )
    shown = set(before.scalars())
    is_other = RUNS.c.run_id != run_id
    await connection.execute(
        update(RUNS)
        .where(*_of_footage(key))
        .values(superseded_by=case((is_other, run_id), else_=None))
    )
    await documents.drop_runs(connection, sorted(shown - {run_id}))
    await attributes.show_runs(
        connection, key.camera_id, run_id, shown - {run_id}, was_shown=run_id in shown
    )
    await insights.show_runs(connection, run_id, shown - {run_id})
    if run_id in shown:
        return False
    await documents.index_run(connection, kind, run_id)
    return True


async def _update_own(connection: AsyncConnection, run: Run, values: Mapping[str, Any]) -> None:
    """Change the run's row, which also locks it: from here on no other writer has this run."""
    updated = await connection.execute(
        update(RUNS)
        .where(RUNS.c.run_id == run.run_id, RUNS.c.epoch == run.epoch, RUNS.c.done.is_(False))
        .values(**values)
    )
    if updated.rowcount != 1:
        raise ConflictError(
            f"Another process has taken over or finished this analysis of camera"
            f" '{run.key.camera_id}'",
            remedy="Let only one process analyse a source at a time",
            run_id=run.run_id,
            epoch=run.epoch,
        )


async def commit_step(connection: AsyncConnection, kind: Kind, run: Run, step: Step) -> None:
    """Write everything of a step."""
    camera_id, run_id = run.key.camera_id, run.run_id
    await _update_own(
        connection, run, {"checkpoint": step.checkpoint, "progress": dict(step.progress)}
    )
    numbers = chain(_track_numbers(step.tracks, camera_id), _event_numbers(step.events))
    await _raise_counters(connection, kind, numbers)
    frames = [rows.frame_values(frame, run_id) for frame in step.frames]
    await _execute_many(connection, FRAMES, _see_frame(kind), frames)
    await _save_tracks(connection, kind, step.tracks, run)
    await _execute_many(
        connection,
        TRACK_POINTS,
        insert_into(TRACK_POINTS, kind),
        [rows.point_values(point, camera_id, run_id) for point in step.points],
    )
    await looks.save(connection, kind, run_id, step.looks)
    await _save_events(connection, kind, step.events, run)
    await documents.index_events(connection, kind, [e.event.event_id for e in step.events])
    await documents.index_frames(connection, kind, [frame.frame_id for frame in step.frames])
    await _grow_coverage(connection, kind, run, step.coverage)
    await insights.make_alerts(connection, kind, run, step)
    if step.attributes is not None:
        await attributes.save(connection, kind, run, step.attributes)
    if times := [alert.triggered_ns for alert in step.alerts]:
        await attributes.mark_insights(connection, camera_id, min(times), max(times))


async def _execute_many(
    connection: AsyncConnection, table: Table, statement: Insert, values: list[rows.RowValues]
) -> None:
    """One batch; the last of several rows of one key wins, as it would one by one."""
    keys = [column.name for column in table.primary_key]
    latest = {tuple(row[key] for key in keys): row for row in values}
    if latest:
        await connection.execute(statement, [latest[key] for key in sorted(latest)])


async def _raise_counters(
    connection: AsyncConnection, kind: Kind, used: Iterable[tuple[str, str, str, int]]
) -> None:
    """See to it that these numbers (camera, kind, key, number) are never given out again."""
    highest: dict[tuple[str, str, str], int] = {}
    for camera_id, what, key, number in used:
        place = (camera_id, what, key)
        highest[place] = max(number, highest.get(place, 0))
    values: list[rows.RowValues] = [
        {"camera_id": camera_id, "kind": what, "key": key, "next": number + 1}
        for (camera_id, what, key), number in highest.items()
    ]
    await _execute_many(connection, COUNTERS, _count(kind), values)


@cache
def _count(kind: Kind) -> Insert:
    statement = insert_into(COUNTERS, kind)
    return statement.on_conflict_do_update(
        index_elements=["camera_id", "kind", "key"],
        set_={"next": _larger(statement.excluded.next, COUNTERS.c.next)},
    )


def _track_numbers(
    tracks: Iterable[TrackRow], camera_id: str
) -> Iterator[tuple[str, str, str, int]]:
    for track in tracks:
        if match := _TRACK_ID.fullmatch(track.track_id):
            yield camera_id, "track", match[1], int(match[2])


def _event_numbers(events: Iterable[StoredEvent]) -> Iterator[tuple[str, str, str, int]]:
    for stored in events:
        if match := _EVENT_ID.fullmatch(stored.event.event_id):
            yield stored.event.camera_id, "event", match[1], int(match[2])


@cache
def _see_frame(kind: Kind) -> Insert:
    """Replace what was seen; keep pictures and words that the new frame does not bring."""
    statement = insert_into(FRAMES, kind)
    seen = ("run_id", "time_ns", "frame", "width", "height", "view", "cut", "detections")
    return statement.on_conflict_do_update(
        index_elements=["frame_id"],
        set_={name: statement.excluded[name] for name in seen} | _pictures_and_words(statement),
    )


@cache
def _picture_frame(kind: Kind) -> Insert:
    """Add pictures and words; keep what was seen in a frame that is there."""
    statement = insert_into(FRAMES, kind)
    return statement.on_conflict_do_update(
        index_elements=["frame_id"], set_=_pictures_and_words(statement)
    )


def _pictures_and_words(statement: Insert) -> dict[str, ColumnElement[Any]]:
    new, old = statement.excluded, FRAMES.c
    return {
        "image_sha256": func.coalesce(new.image_sha256, old.image_sha256),
        "annotated_sha256": func.coalesce(new.annotated_sha256, old.annotated_sha256),
        "vlm_json": func.coalesce(new.vlm_json, old.vlm_json),
        "summary_zh": case((new.summary_zh != "", new.summary_zh), else_=old.summary_zh),
    }


@cache
def _see_track(kind: Kind) -> Insert:
    """Widen the track's span; leave a track of another analysis alone."""
    statement = insert_into(TRACKS, kind)
    new, old = statement.excluded, TRACKS.c
    return statement.on_conflict_do_update(
        index_elements=["camera_id", "track_id"],
        set_={
            "type": new.type,
            "first_ns": _smaller(new.first_ns, old.first_ns),
            "last_ns": _larger(new.last_ns, old.last_ns),
            "best_conf": _larger(new.best_conf, old.best_conf),
        },
        where=old.run_id == new.run_id,
    )


async def _save_tracks(
    connection: AsyncConnection, kind: Kind, tracks: Sequence[TrackRow], run: Run
) -> None:
    values = [rows.track_values(track, run.key.camera_id, run.run_id) for track in tracks]
    await _execute_many(connection, TRACKS, _see_track(kind), values)
    for chunk in chunks({track.track_id for track in tracks}):
        foreign = select(TRACKS.c.track_id).where(
            TRACKS.c.camera_id == run.key.camera_id,
            TRACKS.c.track_id.in_(chunk),
            TRACKS.c.run_id != run.run_id,
        )
        _refuse_foreign(run, (await connection.execute(foreign)).scalars().all())


async def _save_events(
    connection: AsyncConnection, kind: Kind, events: Sequence[StoredEvent], run: Run
) -> None:
    statement = upsert_into(EVENTS, kind, only_same="run_id")
    values = [rows.event_values(stored, run.run_id) for stored in events]
    await _drop_stale_evidence(connection, {row["event_id"]: row for row in values})
    await _execute_many(connection, EVENTS, statement, values)
    for chunk in chunks({stored.event.event_id for stored in events}):
        foreign = select(EVENTS.c.event_id).where(
            EVENTS.c.event_id.in_(chunk), EVENTS.c.run_id.is_distinct_from(run.run_id)
        )
        _refuse_foreign(run, (await connection.execute(foreign)).scalars().all())


async def _drop_stale_evidence(
    connection: AsyncConnection, latest: Mapping[str, rows.RowValues]
) -> None:
    """Delete evidence and narration of events that are about to change: both are made anew."""
    for chunk in chunks(latest):
        found = await connection.execute(select(EVENTS).where(EVENTS.c.event_id.in_(chunk)))
        changed = [
            row["event_id"]
            for row in found.mappings()
            if _canonical(dict(row)) != _canonical(latest[row["event_id"]])
        ]
        if changed:
            await connection.execute(delete(EVIDENCE).where(EVIDENCE.c.event_id.in_(changed)))
            await narrations.drop(connection, changed)


def _refuse_foreign(run: Run, ids: Sequence[str]) -> None:
    if ids:
        raise ConflictError(
            f"Camera '{run.key.camera_id}' got '{min(ids)}' from another analysis or an import"
            " meanwhile",
            remedy="Let only one analysis of a camera run at a time, then run this one again:"
            " it continues with fresh numbers",
            run_id=run.run_id,
        )


async def _grow_coverage(
    connection: AsyncConnection, kind: Kind, run: Run, spans: Sequence[tuple[int, int]]
) -> None:
    """Join each span with every stored one of the analysis that it touches."""
    owner = {"camera_id": run.key.camera_id, "run_id": run.run_id}
    stored = COVERAGE.c
    for start_ns, end_ns in spans:
        if end_ns <= start_ns:
            continue
        touching = (
            *(stored[name] == value for name, value in owner.items()),
            stored.start_ns <= end_ns,
            stored.end_ns >= start_ns,
        )
        extent = select(func.min(stored.start_ns), func.max(stored.end_ns)).where(*touching)
        first_ns, last_ns = (await connection.execute(extent)).one()
        if first_ns is not None:
            start_ns, end_ns = min(start_ns, first_ns), max(end_ns, last_ns)
            await connection.execute(delete(COVERAGE).where(*touching, stored.start_ns != start_ns))
        await connection.execute(_watch(kind), {**owner, "start_ns": start_ns, "end_ns": end_ns})


@cache
def _watch(kind: Kind) -> Insert:
    statement = insert_into(COVERAGE, kind)
    return statement.on_conflict_do_update(
        index_elements=["camera_id", "run_id", "start_ns"],
        set_={"end_ns": _larger(statement.excluded.end_ns, COVERAGE.c.end_ns)},
    )


async def add_evidence(
    connection: AsyncConnection,
    kind: Kind,
    event_id: str,
    evidence: Sequence[EvidenceRow],
    frames: Sequence[FrameRow],
    now_ns: int | None,
) -> None:
    """Write evidence and the pictures of its frames.

    Raises:
        MissingError: there is no such event.
    """
    owner = select(EVENTS.c.event_id).where(EVENTS.c.event_id == event_id)
    if await connection.scalar(owner) is None:
        raise MissingError(
            f"There is no event '{event_id}'", remedy="List the events to see their ids"
        )
    frame_values = [rows.frame_values(frame, None) for frame in frames]
    await _execute_many(connection, FRAMES, _picture_frame(kind), frame_values)
    values = [rows.evidence_values(piece, event_id) for piece in evidence]
    await _execute_many(connection, EVIDENCE, upsert_into(EVIDENCE, kind), values)
    await connection.execute(delete(MEDIA_DELETIONS).where(MEDIA_DELETIONS.c.event_id == event_id))
    shown = {piece.frame_id for piece in evidence if piece.frame_id is not None}
    await documents.index_frames(connection, kind, shown.union(f.frame_id for f in frames))
    await insights.show_event(connection, kind, event_id, evidence, now_ns)


async def show_open(
    connection: AsyncConnection,
    kind: Kind,
    event_id: str,
    evidence: Sequence[EvidenceRow],
    frames: Sequence[FrameRow],
    now_ns: int | None,
) -> None:
    """Write the pictures of frames, and give them to the insights of an event that goes on."""
    frame_values = [rows.frame_values(frame, None) for frame in frames]
    await _execute_many(connection, FRAMES, _picture_frame(kind), frame_values)
    await insights.show_event(connection, kind, event_id, evidence, now_ns)


async def import_events(
    connection: AsyncConnection, kind: Kind, events: Sequence[StoredEvent]
) -> ImportCounts:
    """Write events of elsewhere, never over those of an analysis here."""
    wanted = {stored.event.event_id: rows.event_values(stored, None) for stored in events}
    await keeping.know_cameras(connection, kind, (stored.event.camera_id for stored in events))
    await _raise_counters(connection, kind, _event_numbers(events))
    new, changed = dict(wanted), dict[str, rows.RowValues]()
    unchanged = kept = 0
    for chunk in chunks(wanted):
        found = await connection.execute(select(EVENTS).where(EVENTS.c.event_id.in_(chunk)))
        for row in found.mappings():
            values = new.pop(row["event_id"])
            if row["run_id"] is not None:
                kept += 1
            elif _canonical(dict(row)) == _canonical(values):
                unchanged += 1
            else:
                changed[row["event_id"]] = values
    for batch in (new, changed):
        await _execute_many(
            connection,
            EVENTS,
            upsert_into(EVENTS, kind, only_same="run_id"),
            list(batch.values()),
        )
    await documents.index_events(connection, kind, [*new, *changed])
    return ImportCounts(new=len(new), replaced=len(changed), unchanged=unchanged, kept=kept)


def _canonical(values: rows.RowValues) -> str:
    """Equal text for equal rows, also where JSON turned a tuple into a list."""
    return json.dumps(values, sort_keys=True)


def _larger(a: ColumnElement[Any], b: ColumnElement[Any]) -> ColumnElement[Any]:
    return case((a > b, a), else_=b)


def _smaller(a: ColumnElement[Any], b: ColumnElement[Any]) -> ColumnElement[Any]:
    return case((a < b, a), else_=b)
