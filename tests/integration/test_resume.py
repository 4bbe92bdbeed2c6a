"""An analysis that is killed at any moment ends with what an uninterrupted one gives."""

import asyncio
import contextlib
import hashlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.cells import cell_len
from tests.commands import assert_refused, video_detective

from video_detective.services.scripted_scene import render
from video_detective.storage import FrameRow, TrackRow
from video_detective.storage.database import Database

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL (POSIX)")

SCRIPT = Path(__file__).with_name("analysis_lives.py")
YARD = Path(render.__file__).with_name("scene.yaml")
WALKWAY = """
schema_version: 1
cameras:
  hall:
    timezone: Asia/Taipei
    zones:
      all: {name: 全區, points: [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]}
    rules:
      - {id: in, type: intrusion, zone: all, enter_s: 0.5, exit_s: 0.5}
      - {id: stays, type: loitering, zone: all, min_seconds: 2, max_speed_px_s: 1000}
"""


@dataclass
class Lives:
    """Commands in forked processes, one at a time."""

    process: subprocess.Popen[str]

    def begin(self, *words: str | Path) -> int:
        assert self.process.stdin is not None
        print(json.dumps([str(word) for word in words]), file=self.process.stdin, flush=True)
        return self._answer()

    def status(self) -> int:
        return self._answer()

    def _answer(self) -> int:
        assert self.process.stdout is not None
        return int(self.process.stdout.readline())


@contextlib.contextmanager
def lives(step_looks: int) -> Iterator[Lives]:
    with subprocess.Popen(
        [sys.executable, str(SCRIPT), str(step_looks)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield Lives(process)
        assert process.stdin is not None
        process.stdin.close()


def checkpoint(data: Path) -> str:
    """Names the last step that was stored."""
    database = data / "video-detective.db"
    if not database.exists():
        return ""
    with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        try:
            rows = connection.execute("SELECT progress, done FROM runs").fetchall()
        except sqlite3.OperationalError:  # not made yet
            return ""
    return repr(rows)


def kill_again_and_again(
    words: tuple[str | Path, ...], data: Path, *, kills: int, step_looks: int, seed: int
) -> None:
    """Run a command until it is done, killing it at random moments, each time after a step."""
    random = np.random.default_rng(seed)
    with lives(step_looks) as some:
        for number in range(kills):
            before = checkpoint(data)
            child = some.begin(*words)
            deadline = time.monotonic() + 60
            while number and checkpoint(data) == before:
                assert time.monotonic() < deadline, "it does not get on"
                time.sleep(0.002)
            time.sleep(random.uniform(0, 0.1))
            os.kill(child, signal.SIGKILL)
            assert some.status() == signal.SIGKILL, "it ended before the kill"
        some.begin(*words)
        assert some.status() == 0


def everything(data: Path, tracks: Path) -> dict[str, Any]:
    """What people, programs and courts see of an analysis."""
    records = video_detective("events", "--data-dir", data, "--json").document
    files = {path.stem for path in (data / "blobs").rglob("*.*")}
    for record in records:
        assert record["media"], record["event_id"]
        for medium in record["media"]:
            sha256 = medium["sha256"]
            assert sha256[2:] in files
            (path,) = (data / "blobs" / sha256[:2]).glob(f"{sha256[2:]}.*")
            assert hashlib.sha256(path.read_bytes()).hexdigest() == sha256
    return {"events": records, "tracks": tracks.read_text()}


def report_of(data: Path) -> dict[str, Any]:
    with contextlib.closing(sqlite3.connect(data / "video-detective.db")) as connection:
        ((report,),) = connection.execute("SELECT report FROM runs").fetchall()
    return {key: value for key, value in json.loads(report).items() if key != "wall_seconds"}


@dataclass
class Whole:
    """An analysis that nobody interrupted."""

    words: tuple[str | Path, ...]
    data: Path
    tracks: Path


@pytest.fixture(scope="module")
def whole(scripted_film: Path, tmp_path_factory: pytest.TempPathFactory) -> Whole:
    folder = tmp_path_factory.mktemp("whole")
    words = ("analyze", scripted_film, "--rules", YARD)
    options = ("--data-dir", folder / "data", "--tracks-out", folder / "tracks.txt")
    outcome = video_detective(*words, *options, "--json")
    assert outcome.code == 0, outcome
    assert outcome.document["status"] == "done"
    assert outcome.document["drops"] == []
    assert len(outcome.document["events"]) == 9
    return Whole(words, folder / "data", folder / "tracks.txt")


def rows(data: Path) -> tuple[list[TrackRow], list[FrameRow], list[tuple[int, int]]]:
    always = ("cam01", 0, 2**62)

    async def read() -> tuple[list[TrackRow], list[FrameRow], list[tuple[int, int]]]:
        async with await Database.open(data) as db:
            return await db.tracks(*always), await db.frames(*always), await db.coverage(*always)

    return asyncio.run(read())


def test_a_copy_analysed_elsewhere_and_killed_ten_times_gives_the_same_to_the_last_bit(
    whole: Whole, scripted_film: Path, tmp_path: Path
) -> None:
    data, tracks = tmp_path / "data", tmp_path / "tracks.txt"
    copy = tmp_path / "scene.mp4"
    copy.write_bytes(scripted_film.read_bytes())

    kill_again_and_again(
        ("analyze", copy, "--rules", YARD, "--data-dir", data, "--tracks-out", tracks),
        data,
        kills=10,
        step_looks=8,
        seed=20261121,
    )

    killed, uninterrupted = everything(data, tracks), everything(whole.data, whole.tracks)
    assert len(killed["events"]) == 13
    assert killed == uninterrupted
    assert report_of(data) == report_of(whole.data)
    assert rows(data) == rows(whole.data)


def test_the_same_film_again_is_known_and_nothing_is_doubled(whole: Whole) -> None:
    before = everything(whole.data, whole.tracks)

    again = video_detective(*whole.words, "--data-dir", whole.data, "--json")

    assert again.code == 0
    assert again.document["status"] == "already_done"
    assert {**again.document, "status": "done"}.items() >= report_of(whole.data).items()
    assert everything(whole.data, whole.tracks) == before


def fewer_rules(folder: Path) -> Path:
    """The yard's document with two of its rules."""
    kept = ("door-intrusion", "gate-wrong-way")
    lines = YARD.read_text("utf-8").splitlines()
    path = folder / "fewer.yaml"
    path.write_text(
        "\n".join(x for x in lines if "- {id:" not in x or any(k in x for k in kept)), "utf-8"
    )
    return path


def test_a_disk_that_ran_full_is_told_and_the_analysis_goes_on_when_there_is_room(
    scripted_film: Path, tmp_path: Path
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "tmpfs", str(disk), "-o"]
    if subprocess.run([*mount, "size=1m"], capture_output=True).returncode:
        pytest.skip("mounting a small file system needs root")
    analyze = ("analyze", scripted_film, "--rules", fewer_rules(tmp_path))
    words = (*analyze, "--data-dir", disk / "data", "--tracks-out", tmp_path / "full.txt")
    try:
        assert_refused(video_detective(*words), 1, str(disk), "the disk is full")

        subprocess.run([*mount, "remount,size=200m"], check=True)

        assert video_detective(*words).code == 0
        roomy = tmp_path / "roomy"
        options = ("--data-dir", roomy, "--tracks-out", tmp_path / "roomy.txt")
        assert video_detective(*analyze, *options).code == 0
        expected = everything(roomy, tmp_path / "roomy.txt")
        assert everything(disk / "data", tmp_path / "full.txt") == expected
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_the_self_test_fits_a_terminal_and_passes(whole: Whole, scripted_film: Path) -> None:
    shutil.copy(scripted_film, whole.data / "scripted-scene.mp4")

    shown = video_detective("selftest", "--data-dir", whole.data)

    assert shown.code == 0, shown
    lines = shown.out.splitlines()
    assert lines[-1] == "PASSED: 13 of 13 rows as expected"
    assert all(cell_len(line) <= 80 for line in lines)
    assert "…" not in shown.out
    assert sum("line_crossing" in line for line in lines) == 5
    document = video_detective("selftest", "--data-dir", whole.data, "--json").document
    assert document["passed"] is True
    assert [row["status"] for row in document["rows"]] == ["ok"] * 13
    assert document["analysis"]["status"] == "already_done"  # the same footage and rules


def test_new_rules_replace_what_the_old_ones_found(whole: Whole, tmp_path: Path) -> None:
    fewer = fewer_rules(tmp_path)
    data = ("--data-dir", whole.data)
    first = video_detective("events", *data, "--json").document

    assert video_detective("analyze", whole.words[1], "--rules", fewer, *data).code == 0
    second = video_detective("events", *data, "--json").document
    assert [r["type"] for r in second] == ["intrusion", "wrong_way"]
    assert video_detective("search", "越線", *data, "--json").document["total"] == 0

    assert video_detective(*whole.words, *data).code == 0
    assert video_detective("events", *data, "--json").document == first


@pytest.mark.media
def test_real_footage_through_the_default_detector_survives_kills(
    media_dir: Path, models_dir: Path, tmp_path: Path
) -> None:
    assert models_dir.is_dir()
    rules = tmp_path / "hall.yaml"
    rules.write_text(WALKWAY, "utf-8")
    start = ("--start", "2026-01-15T22:00:00")
    words = ("analyze", media_dir / "worker-zone-detection.gif", "--rules", rules, *start)
    results = []
    for name in ("whole", "killed"):
        data, tracks = tmp_path / name, tmp_path / f"{name}.txt"
        options = ("--data-dir", data, "--tracks-out", tracks)
        if name == "whole":
            assert video_detective(*words, *options).code == 0
        else:
            kill_again_and_again((*words, *options), data, kills=3, step_looks=5, seed=5)
        results.append((everything(data, tracks), report_of(data)))
    assert results[0][0]["events"]
    assert results[0] == results[1]
