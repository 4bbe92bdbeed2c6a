"""Kill -9 at any moment of a deletion: nothing is kept that should go, nothing goes that stays."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Engine, create_engine, func, insert, make_url, select, update
from sqlalchemy.pool import NullPool
from tests.api import make_account
from tests.service import START_NS, event

from video_detective.geometry import NS_PER_S
from video_detective.services.access import Caller
from video_detective.services.accounts import local_caller
from video_detective.services.devices import NewDevice, create_device
from video_detective.services.retention import change_retention
from video_detective.services.workspace import Workspace, open_workspace
from video_detective.storage import EvidenceRow, FrameRow, RunKey, Step, StoredEvent
from video_detective.storage.accounts.audit import AuditQuery
from video_detective.storage.retention import Deleted, Round
from video_detective.storage.service_tables import (
    DEVICES,
    KEPT_EVENTS,
    MEDIA_DELETIONS,
    RETENTION,
    RUN_BEGINNINGS,
)
from video_detective.storage.tables import EVENTS, EVIDENCE, FRAMES

SCRIPT = Path(__file__).with_name("retention_lives.py")
DAY_NS = 86_400 * NS_PER_S
GOES, PALES, STAYS = 90, 45, 10
"""Ages in days: of events that go, of those whose pictures and clips do, of those that stay."""
DAYS = {"media_days": 30, "record_days": 60}
EVENTS_A_DEVICE = 10
KEPT_EVERY = 5
KILLED_AFTER = (2, 4, 5)
"""Steps of a life, and a little of the next."""
KILLED_IN_SWEEP = ("unlink 1", "unlinked 12")
"""Before the first file is removed, and after the twelfth."""


@dataclass(frozen=True)
class Filled:
    """A data directory with events of every age.

    Args:
        folder, url, account_id: Where, and whose they are.
        events: Ids by age, without those that are kept.
        kept: Those that are.
        frames: How many rows of frames there are.
    """

    folder: Path
    url: str | None
    account_id: str
    events: dict[int, set[str]]
    kept: set[str]
    frames: int


@dataclass(frozen=True)
class Found:
    """What there is at a moment.

    Args:
        deleted: As the account's round counts it.
        events: Ids of the account's events; ``pale`` of those without their media.
        frames: How many rows of frames there are.
        files: SHA-256 of all that any row refers to.
    """

    deleted: Deleted
    events: set[str]
    pale: set[str]
    frames: int
    files: set[str]


@pytest.fixture(params=["sqlite", "postgresql"])
async def filled(request: pytest.FixtureRequest, tmp_path: Path) -> Filled:
    url = None
    if request.param == "postgresql":
        create: Callable[[], str] = request.getfixturevalue("new_postgres_database")
        url = create()
    folder = tmp_path / "data"
    events: dict[int, set[str]] = {}
    kept: set[str] = set()
    async with open_workspace(folder, url) as workspace:
        caller = await local_caller(workspace)
        for name, age in (("one", GOES), ("two", GOES), ("three", PALES), ("four", STAYS)):
            ids = await fill(workspace, caller, age, name)
            kept |= set(ids[::KEPT_EVERY])
            events.setdefault(age, set()).update(set(ids) - kept)
        # Another account has pictures of which this one lets go.
        await fill(workspace, await make_account(workspace, "other"), STAYS, "one")
        await change_retention(workspace, caller, DAYS, now_ns=time.time_ns())
    for path in (folder / "blobs").glob("*/*"):
        os.utime(path, (0, 0))
    engine = engine_of(folder, url)
    with engine.begin() as connection:
        connection.execute(insert(KEPT_EVENTS), [{"event_id": one, "kept_ns": 0} for one in kept])
        connection.execute(update(RUN_BEGINNINGS).values(begun_ms=0))
        frames = connection.scalar(select(func.count()).select_from(FRAMES)) or 0
    engine.dispose()
    return Filled(folder, url, caller.account_id, events, kept, frames)


async def fill(workspace: Workspace, caller: Caller, age: int, name: str) -> list[str]:
    """A device with events of an age in days, each with a picture and a clip; their ids.

    Pictures are the same in devices of the same name.
    """
    database, now_ns = workspace.database, time.time_ns()
    device = await create_device(
        workspace, caller, NewDevice(name=name, timezone="Asia/Taipei"), now_ns=now_ns
    )
    camera, first_ns = device.camera_id, now_ns - age * DAY_NS
    items = [
        event(
            f"evt_20260115_{camera}_{n:04d}", "intrusion",
            (first_ns - START_NS) / NS_PER_S + 90 * n, 5,
        )
        for n in range(EVENTS_A_DEVICE)
    ]  # fmt: skip
    key = RunKey(camera_id=camera, fingerprint="film", settings_hash="s")
    run = await database.begin_run(key, {}, first_ns)
    stored = [StoredEvent(event=item, summary_zh="有人闖入") for item in items]
    await database.commit_step(run, Step(checkpoint=b"1", events=stored))
    for number, item in enumerate(items):
        frame = FrameRow(
            frame_id=f"{item.event_id}-f", camera_id=camera, time_ns=item.start_ns,
            frame=number, size=(64, 48),
        )  # fmt: skip
        picture, clip = f"{name}, picture {number}".encode(), f"clip of {item.event_id}".encode()
        rows = [
            EvidenceRow(
                kind="original", what="entered", time_ns=item.start_ns, frame=number,
                frame_id=frame.frame_id, sha256=put(workspace, picture, ".jpg"),
                media_type="image/jpeg", bytes=len(picture), width=64, height=48,
            ),
            EvidenceRow(
                kind="clip", what="entered", time_ns=item.start_ns, frame=number,
                sha256=put(workspace, clip, ".mp4"),
                media_type="video/mp4", bytes=len(clip), width=64, height=48,
            ),
        ]  # fmt: skip
        await database.add_evidence(item.event_id, rows, [frame])
    await database.finish_run(run, {})
    return [item.event_id for item in items]


def put(workspace: Workspace, content: bytes, suffix: str) -> str:
    """As ``BlobStore.put``, which waits for the disk."""
    sha256 = hashlib.sha256(content).hexdigest()
    path = workspace.blobs.path(sha256, suffix)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return sha256


def engine_of(folder: Path, url: str | None) -> Engine:
    if url is None:
        return create_engine(f"sqlite:///{folder}/video-detective.db", poolclass=NullPool)
    return create_engine(make_url(url).set(drivername="postgresql+psycopg"), poolclass=NullPool)


def found(engine: Engine, filled: Filled) -> Found:
    theirs = select(DEVICES.c.camera_id).where(DEVICES.c.account_id == filled.account_id)
    # One moment: on PostgreSQL what a killed process had sent may still be done.
    with engine.connect().execution_options(isolation_level="SERIALIZABLE") as connection:
        row = connection.execute(
            select(RETENTION.c.round, RETENTION.c.last).where(
                RETENTION.c.account_id == filled.account_id
            )
        ).one()
        pale = set(connection.scalars(select(MEDIA_DELETIONS.c.event_id)))
        events = set(
            connection.scalars(select(EVENTS.c.event_id).where(EVENTS.c.camera_id.in_(theirs)))
        )
        has_media = EVIDENCE.c.event_id.not_in(select(MEDIA_DELETIONS.c.event_id))
        files = set(connection.scalars(select(EVIDENCE.c.sha256).where(has_media)))
        pictures = connection.execute(select(FRAMES.c.image_sha256, FRAMES.c.annotated_sha256))
        files |= {sha256 for pair in pictures for sha256 in pair if sha256 is not None}
        frames = connection.scalar(select(func.count()).select_from(FRAMES)) or 0
    stored = row.round or row.last
    deleted = Round.from_json(stored).deleted if stored else Deleted()
    return Found(deleted, events, pale, frames, files)


def files_of(folder: Path) -> dict[str, Path]:
    """Pictures and clips that can be opened, by SHA-256."""
    paths = (folder / "blobs").glob("[0-9a-f][0-9a-f]/[0-9a-f]*")
    return {path.parent.name + path.stem: path for path in paths}


def assert_whole(engine: Engine, filled: Filled) -> None:
    """Nothing is gone but what goes, it is counted, and all that is referred to is there."""
    now = found(engine, filled)
    everything = set().union(filled.kept, *filled.events.values())
    gone = everything - now.events
    assert gone <= filled.events[GOES]
    assert now.pale <= filled.events[GOES] | filled.events[PALES]
    assert now.files <= files_of(filled.folder).keys()
    assert now.deleted.events == len(gone)
    assert now.deleted.rows == filled.frames - now.frames
    # Media go first, two of an event: a picture and a clip.
    assert now.deleted.files == 2 * len(gone | now.pale)


def live(lives: subprocess.Popen[str], line: str) -> int:
    """A life; the signal that killed it, or 0."""
    assert lives.stdin is not None
    assert lives.stdout is not None
    print(line, file=lives.stdin, flush=True)
    return os.WTERMSIG(int(lives.stdout.readline()))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL (POSIX)")
async def test_a_deletion_killed_at_random_moments_ends_as_if_it_never_was(filled: Filled) -> None:
    engine = engine_of(filled.folder, filled.url)
    delays = np.random.default_rng(11)
    with subprocess.Popen(
        [sys.executable, str(SCRIPT), str(filled.folder), filled.url or "-", filled.account_id],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as lives:
        for steps in KILLED_AFTER:
            delay_s = delays.uniform(0.0001, 0.015)
            assert live(lives, f"step {steps} {delay_s:.6f}") == signal.SIGPROF
            assert_whole(engine, filled)
        for line in KILLED_IN_SWEEP:
            assert live(lives, line) == signal.SIGKILL
            assert_whole(engine, filled)
        assert live(lives, "end") == 0

    assert_whole(engine, filled)
    end = found(engine, filled)
    assert end.events == filled.kept | filled.events[PALES] | filled.events[STAYS]
    assert end.pale == filled.events[PALES]
    left = [path for path in (filled.folder / "blobs").rglob("*") if path.is_file()]
    assert sorted(path.parent.name + path.stem for path in left) == sorted(end.files)
    assert all(
        hashlib.sha256(path.read_bytes()).hexdigest() == path.parent.name + path.stem
        for path in left
    )
    engine.dispose()
    async with open_workspace(filled.folder, filled.url) as workspace:
        accounts = workspace.database.accounts
        query = AuditQuery(account_id=filled.account_id, limit=9, action="retention.delete")
        ((row,), _) = await accounts.audit_page(query)
        told = row.entry.details
        assert (told["events"], told["files"], told["rows"]) == (
            end.deleted.events, end.deleted.files, end.deleted.rows,
        )  # fmt: skip
        assert (await accounts.verify_audit(filled.account_id)).broken_at is None
