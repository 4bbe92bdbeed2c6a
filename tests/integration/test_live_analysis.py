"""A live camera analysed from the command line, ended by Ctrl-C."""

import contextlib
import signal
import sqlite3
import time
from pathlib import Path

from tests.commands import Outcome, finish, start, video_detective
from tests.servers.rtsp import Behaviour, RtspServer

RULES = """
schema_version: 1
cameras:
  door:
    detection: {detector: motion}
    zones: {all: {name: 全區, points: [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]}}
    rules:
      - {id: few, type: metric, metric: zones.all.count, operator: LT, threshold: 5, for_seconds: 0}
"""


def analyses(data: Path) -> int:
    """How many were begun in a data directory."""
    if not (data / "video-detective.db").exists():
        return 0
    with contextlib.closing(sqlite3.connect(data / "video-detective.db")) as connection:
        try:
            return int(connection.execute("SELECT count(*) FROM runs").fetchone()[0])
        except sqlite3.OperationalError:  # not made yet
            return 0


def watch(address: str, rules: Path, data: Path) -> Outcome:
    """Analyse for a few seconds, then press Ctrl-C."""
    before = analyses(data)
    process = start("analyze", address, "--rules", rules, "--data-dir", data, "--json")
    deadline = time.monotonic() + 60
    while analyses(data) == before:
        assert process.poll() is None, finish(process)
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(2.5)
    process.send_signal(signal.SIGINT)
    return finish(process)


def test_ctrl_c_ends_the_analysis_of_a_camera_and_the_next_one_adds_to_it(tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text(RULES, "utf-8")
    data = tmp_path / "data"
    counts = []
    with RtspServer(speed=4) as server:
        for _ in range(2):
            outcome = watch(server.address, rules, data)
            assert (outcome.code, outcome.err) == (0, ""), outcome
            assert outcome.document["status"] == "done"
            records = video_detective("events", "--data-dir", data, "--json").document
            assert all(record["end_time"] and record["media"] for record in records)
            counts.append(len(records))
    assert 0 < counts[0] < counts[1]
    assert len({record["event_id"] for record in records}) == counts[1]


def test_ctrl_c_also_ends_it_while_the_camera_is_away(tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text(RULES, "utf-8")
    data = tmp_path / "data"
    refusals = (Behaviour(refuse=True),) * 50
    with RtspServer(Behaviour(drop_after=150), *refusals, speed=4) as server:
        outcome = watch(server.address, rules, data)

    assert outcome.code == 0, outcome
    assert outcome.document["status"] == "done"


def test_what_a_killed_analysis_left_open_is_ended_by_the_next_one(tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text(RULES, "utf-8")
    data = tmp_path / "data"
    with RtspServer(still=True) as server:
        process = start("analyze", server.address, "--rules", rules, "--data-dir", data)
        deadline = time.monotonic() + 60
        while not (left := open_events(data)):
            assert process.poll() is None, finish(process)
            assert time.monotonic() < deadline
            time.sleep(0.1)
        process.kill()
        finish(process)
        watch(server.address, rules, data)
    records = video_detective("events", "--data-dir", data, "--json").document
    killed = [record for record in records if record["event_id"] in left]
    assert len(killed) == len(left) > 0
    assert all(record["end_time"] and record["media"] for record in records)


def open_events(data: Path) -> list[str]:
    """Ids of the stored events that go on."""
    if not analyses(data):
        return []
    with contextlib.closing(sqlite3.connect(data / "video-detective.db")) as connection:
        found = connection.execute("SELECT event_id FROM events WHERE end_ns IS NULL")
        return [str(event_id) for (event_id,) in found]
