"""The command line: what it prints and where, how it ends, and how it is interrupted."""

import contextlib
import fcntl
import hashlib
import json
import os
import pty
import shutil
import signal
import sqlite3
import struct
import subprocess
import sys
import termios
import time
import zipfile
from pathlib import Path

import pytest
from rich.cells import cell_len
from tests.commands import PROGRAM, finish, start, video_detective
from tests.videos import write_video

from video_detective.cli.app import COMMANDS, HIDDEN

MOTION = ("--camera", "cam01", "--detector", "motion")
RECORDS = [
    {
        "event_id": "evt_20251216_cam01_0007",
        "camera_id": "cam01",
        "start_time": "2025-12-16T22:05:00",
        "end_time": "2025-12-16T22:06:30",
        "event_type": "闖入",
        "actors": [{"track_id": "p12", "type": "person"}],
        "summary_zh": "一名人物進入後門禁入區,停留約35秒後離開。",
        "keywords_zh": ["後門", "禁入區", "闖入", "可疑人物"],
        "evidence": [
            {"timestamp": "2025-12-16T22:05:15", "what": "人物靠近門把並進入禁入區"},
            {"timestamp": "2025-12-16T22:06:10", "what": "人物離開禁入區"},
        ],
        "frame_links": ["/frames/cam01_20251216_220515_000130.jpg"],
    },
    {
        "event_id": "evt_20251216_cam02_0011",
        "camera_id": "cam02",
        "start_time": "2025-12-16T21:40:10",
        "end_time": "2025-12-16T21:41:05",
        "event_type": "越線",
        "actors": [{"track_id": "v03", "type": "vehicle"}],
        "summary_zh": "一輛車跨越門檻線由外往內進入區域。",
        "keywords_zh": ["越線", "車輛", "進入", "門檻線"],
        "evidence": [{"timestamp": "2025-12-16T21:40:22", "what": "車輛前輪跨越門檻線"}],
        "frame_links": [],
    },
    {
        "event_id": "evt_20251216_cam01_0009",
        "camera_id": "cam01",
        "start_time": "2025-12-16T23:10:00",
        "end_time": "2025-12-16T23:11:00",
        "event_type": "停留",
        "actors": [{"track_id": "p33", "type": "person"}],
        "summary_zh": "一名人物在後門區域停留約60秒,移動緩慢,疑似徘徊。",
        "keywords_zh": ["後門", "停留", "徘徊", "可疑"],
        "evidence": [{"timestamp": "2025-12-16T23:10:20", "what": "人物在後門附近停留且來回踱步"}],
        "frame_links": [],
    },
]
"""The three sample records of the text that the product goes back to."""
IDS = ["evt_20251216_cam02_0011", "evt_20251216_cam01_0007", "evt_20251216_cam01_0009"]


@pytest.fixture(scope="module")
def records_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("records") / "events.json"
    path.write_text(json.dumps(RECORDS, ensure_ascii=False), "utf-8")
    return path


@pytest.fixture(scope="module")
def imported(records_file: Path) -> Path:
    data = records_file.parent / "data"
    outcome = video_detective("import", records_file, "--data-dir", data, "--json")
    assert outcome.document == {"new": 3, "replaced": 0, "unchanged": 0, "kept": 0}
    return data


# --- help and start


@pytest.mark.parametrize("name", [name for name in COMMANDS if name not in HIDDEN])
def test_every_command_of_the_overview_explains_itself(name: str) -> None:
    overview = video_detective("--help").out
    outcome = video_detective(name, "--help")

    assert f"\n  {name} " in overview
    assert f"Usage: video-detective {name} " in outcome.out
    assert (outcome.code, outcome.err) == (0, "")


@pytest.mark.parametrize("name", HIDDEN)
def test_commands_that_are_not_for_people_are_not_in_the_overview(name: str) -> None:
    assert f"\n  {name} " not in video_detective("--help").out


def test_no_command_shows_the_overview() -> None:
    outcome = video_detective()

    assert outcome.code == 2
    assert outcome.out == video_detective("--help").out


def test_the_version_is_told() -> None:
    outcome = video_detective("--version")

    assert outcome.code == 0
    assert outcome.out.startswith("video-detective ")


@pytest.mark.parametrize(
    ("words", "unneeded"),
    [
        (["--help"], {"numpy", "sqlalchemy", "pydantic_core.core_schema", "fastapi", "av"}),
        (["rules", "check", "absent"], {"sqlalchemy", "cv2", "av", "scipy", "fastapi"}),
        (
            ["events", "--data-dir", "{data}"],
            {"alembic", "psycopg", "cv2", "av", "scipy", "onnxruntime", "fastapi", "uvicorn"},
        ),
    ],
)
def test_quick_commands_load_nothing_heavy(
    words: list[str], unneeded: set[str], imported: Path
) -> None:
    words = [word.format(data=imported) for word in words]
    script = (
        "import sys\nfrom video_detective.cli.app import main\n"
        f"try: main({words!r})\nexcept SystemExit: pass\n"
        f"print(*sorted({unneeded!r} & set(sys.modules)), file=sys.stderr, sep='\\nloaded: ')"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)

    assert not [line for line in done.stderr.splitlines() if line in unneeded or "loaded" in line]


# --- events in and out


def test_the_sample_records_are_imported_as_they_are_meant(imported: Path) -> None:
    events = video_detective("events", "--data-dir", imported, "--json").document

    assert [event["event_id"] for event in events] == IDS
    assert [event["event_type"] for event in events] == ["越線", "闖入", "停留"]
    assert [event["type"] for event in events] == ["line_crossing", "intrusion", "loitering"]
    intrusion = events[1]
    assert intrusion["start_time"] == "2025-12-16T22:05:00+08:00"
    assert intrusion["end_time"] == "2025-12-16T22:06:30+08:00"
    assert intrusion["search_keywords_zh"] == ["後門", "禁入區", "闖入", "可疑人物"]
    assert intrusion["summary_zh"] == RECORDS[0]["summary_zh"]
    assert [moment["what"] for moment in intrusion["evidence"]] == [
        "人物靠近門把並進入禁入區",
        "人物離開禁入區",
    ]


def test_an_import_again_changes_nothing(imported: Path, records_file: Path) -> None:
    before = video_detective("events", "--data-dir", imported, "--json").out

    outcome = video_detective("import", records_file, "--data-dir", imported)

    assert outcome.out == "0 new, 0 replaced, 3 unchanged, 0 kept\n"
    assert video_detective("events", "--data-dir", imported, "--json").out == before


def test_what_events_prints_can_be_imported_elsewhere(imported: Path, tmp_path: Path) -> None:
    printed = tmp_path / "printed.json"
    printed.write_text(video_detective("events", "--data-dir", imported, "--json").out, "utf-8")
    data = ("--data-dir", tmp_path / "data")

    assert video_detective("import", printed, *data, "--json").document["new"] == 3
    there = video_detective("events", *data, "--json").document
    here = json.loads(printed.read_text("utf-8"))
    for key in ("event_id", "start_time", "end_time", "type", "summary_zh", "search_keywords_zh"):
        assert [event[key] for event in there] == [event[key] for event in here]


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (("--camera", "cam02"), IDS[:1]),
        (("--type", "intrusion", "--type", "loitering"), IDS[1:]),
        (("--from", "2025-12-16T22:06:30"), IDS[1:]),
        (("--to", "2025-12-16T22:05:00"), IDS[:1]),
        (("--from", "2025-12-16T14:00:00Z", "--to", "2025-12-16T15:00:00Z"), IDS[1:2]),
    ],
)
def test_events_are_chosen_by_camera_type_and_time(
    options: tuple[str, ...], found: list[str], imported: Path
) -> None:
    outcome = video_detective("events", *options, "--data-dir", imported, "--json")

    assert [event["event_id"] for event in outcome.document] == found


def test_a_question_finds_what_it_names(imported: Path) -> None:
    answer = video_detective("search", "後門有人闖入嗎?", "--data-dir", imported, "--json").document

    matches = [(entry["event_id"], entry["match"]) for entry in answer["timeline"]]
    assert matches[0] == (IDS[1], "full")
    assert {match for _, match in matches[1:]} <= {"partial"}
    plain = video_detective("search", "後門有人闖入嗎?", "--data-dir", imported).out
    assert IDS[1] in plain
    assert str(RECORDS[0]["summary_zh"]) in plain


def test_a_report_is_one_file_that_needs_no_other(imported: Path, tmp_path: Path) -> None:
    period = ("--from", "2025-12-16T22:00:00", "--to", "2025-12-17T00:00:00")
    path = tmp_path / "report.html"

    outcome = video_detective("report", *period, "--data-dir", imported, "-o", path)

    assert (outcome.code, outcome.out) == (0, f"Wrote {path}: 2 events\n")
    html = path.read_text("utf-8")
    assert "一名人物進入後門禁入區" in html
    assert "<script" not in html
    assert "://" not in html
    figures = video_detective("report", *period, "--data-dir", imported, "--json").document
    assert figures["by_type"] == {"intrusion": 1, "loitering": 1}


def test_a_package_names_the_hash_of_everything_in_it(imported: Path, tmp_path: Path) -> None:
    packages = [tmp_path / "a.zip", tmp_path / "b.zip"]
    for path in packages:
        assert video_detective("export", IDS[1], "-o", path, "--data-dir", imported).code == 0

    assert packages[0].read_bytes() == packages[1].read_bytes()
    with zipfile.ZipFile(packages[0]) as package:
        sums = dict(
            line.split("  ")[::-1] for line in package.read("SHA256SUMS").decode().splitlines()
        )
        assert json.loads(package.read("event.json"))["event_id"] == IDS[1]
        assert sums == {
            name: hashlib.sha256(package.read(name)).hexdigest()
            for name in package.namelist()
            if name not in {"SHA256SUMS", "manifest.json"}
        }


# --- terminals and pipes


def on_a_terminal(columns: int, *words: str | Path) -> list[str]:
    """The lines that a command shows on a terminal of that width."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    environment = {k: v for k, v in os.environ.items() if k not in {"COLUMNS", "LINES"}}
    environment |= {"TERM": "xterm", "NO_COLOR": "1"}
    with start(*words, stdout=slave, stderr=slave, env=environment) as process:
        os.close(slave)
        shown = b""
        with contextlib.suppress(OSError):  # how the end of a terminal is told
            while chunk := os.read(master, 4096):
                shown += chunk
        os.close(master)
        assert process.wait(30) == 0, shown.decode()
    return shown.decode().replace("\r\n", "\n").rstrip("\n").split("\n")


@pytest.mark.parametrize("columns", [80, 160])
def test_events_are_whole_in_a_terminal_of_any_width(columns: int, imported: Path) -> None:
    lines = on_a_terminal(columns, "events", "--data-dir", imported)

    assert all(cell_len(line) <= columns for line in lines), lines
    for record in RECORDS:
        assert any(line.startswith(str(record["event_id"])) for line in lines)
        assert str(record["summary_zh"]) in "".join(line.strip() for line in lines)
    assert len(lines) == 7  # two for each event, and how many there are


@pytest.mark.parametrize("words", [("events", "--json"), ("events",), ("search", "後門")])
def test_a_reader_that_goes_away_is_no_error(words: tuple[str, ...], imported: Path) -> None:
    process = start(*words, "--data-dir", imported)
    assert process.stdout is not None
    process.stdout.close()

    with process:
        assert process.stderr is not None
        assert process.stderr.read() == ""


def test_a_pipe_gets_each_sentence_in_one_line(imported: Path) -> None:
    done = subprocess.run(
        [*PROGRAM, "events", "--data-dir", str(imported)], capture_output=True, text=True
    )

    assert f"    {RECORDS[0]['summary_zh']}\n" in done.stdout
    assert done.stdout.endswith("\n3 events\n")


# --- analyses


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_video(tmp_path_factory.mktemp("video") / "short.mp4", frames=40)


def test_an_analysis_is_told_as_one_document(video: Path, tmp_path: Path) -> None:
    tracks = tmp_path / "tracks.txt"
    words = ("analyze", video, *MOTION, "--data-dir", tmp_path / "data")

    outcome = video_detective(*words, "--tracks-out", tracks, "--json")

    assert (outcome.code, outcome.err) == (0, "")
    report = outcome.document
    assert report["status"] == "done"
    assert report["frames"]["decoded"] == 40
    assert report["video_seconds"] == 4.0
    assert report["detector"] == "motion"
    for row in tracks.read_text().splitlines():
        frame, number, *box, confidence = (float(part) for part in row.split(",")[:7])
        assert 1 <= frame <= 40
        assert number >= 1
        assert len(box) == 4
        assert 0 < confidence <= 1
        assert row.endswith(",-1,-1,-1")
    again = video_detective(*words, "--json").document
    assert again == report | {"status": "already_done"}


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_a_file_name_that_is_no_text_is_no_obstacle(
    form: tuple[str, ...], video: Path, tmp_path: Path
) -> None:
    odd = os.path.join(os.fsencode(tmp_path), b"\xff \xe5\xbe\x8c.mp4")
    shutil.copy(os.fsencode(video), odd)
    words: list[str | bytes] = [
        *PROGRAM,
        "analyze",
        odd,
        *MOTION,
        "--data-dir",
        str(tmp_path / "data"),
        *form,
    ]

    done = subprocess.run(words, capture_output=True, text=True)

    assert (done.returncode, done.stderr) == (0, "")
    assert "\\udcff 後.mp4" in done.stdout or "\ufffd 後.mp4" in done.stdout


def test_several_sources_are_analysed_one_after_the_other(video: Path, tmp_path: Path) -> None:
    other = write_video(tmp_path / "other.mp4", frames=20)

    outcome = video_detective(
        "analyze", video, other, *MOTION, "--data-dir", tmp_path / "data", "--json"
    )

    reports = outcome.document["sources"]
    assert [report["frames"]["decoded"] for report in reports] == [40, 20]


def test_the_demonstration_takes_ones_own_video(video: Path, tmp_path: Path) -> None:
    outcome = video_detective(
        "demo", "--video", video, "--no-serve", "--data-dir", tmp_path / "data", "--detector", "x"
    )
    assert outcome.code == 2  # it has no such option

    rules = tmp_path / "rules.yaml"
    rules.write_text("schema_version: 1\ncameras: {cam01: {detection: {detector: motion}}}\n")
    outcome = video_detective(
        "demo", "--video", video, "--rules", rules, "--no-serve", "--data-dir", tmp_path / "data"
    )

    assert (outcome.code, outcome.err) == (0, "")
    assert "Analysed short.mp4" in outcome.out


def test_an_analysis_without_rules_leaves_what_is_known_of_its_camera(
    video: Path, tmp_path: Path
) -> None:
    rules, data = tmp_path / "rules.yaml", tmp_path / "data"
    rules.write_text(
        "schema_version: 1\ncameras: {cam01: {name: 後門, timezone: America/New_York,"
        " zones: {yard: {name: 院子, points: [[0, 0], [1, 0], [1, 1]]}}}}\n",
        "utf-8",
    )
    described = video_detective("analyze", video, "--rules", rules, *MOTION, "--data-dir", data)
    assert described.code == 0, described

    begins = ("--start", "2026-01-15T22:00:00")
    report = video_detective(
        "analyze", video, *MOTION, *begins, "--data-dir", data, "--json"
    ).document

    assert report["start_ns"] == 1768532400 * 10**9  # 22:00 in New York
    with contextlib.closing(sqlite3.connect(data / "video-detective.db")) as connection:
        rows = connection.execute("SELECT name, timezone, document FROM cameras").fetchall()
    assert [row[:2] for row in rows] == [("後門", "America/New_York")]
    assert json.loads(rows[0][2])["zones"]["yard"]["name"] == "院子"


def begun(data: Path) -> int:
    """How often an analysis was begun in a data directory."""
    database = data / "video-detective.db"
    if not database.exists():
        return 0
    with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        try:
            row = connection.execute("SELECT sum(epoch) FROM runs").fetchone()
        except sqlite3.OperationalError:  # not made yet
            return 0
    return int(row[0] or 0)


def test_an_interrupted_analysis_says_how_to_go_on_and_does(
    scripted_film: Path, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    words = ("analyze", scripted_film, *MOTION, "--data-dir", data, "--json")
    seconds = [0.0]
    for number, how in enumerate((signal.SIGINT, signal.SIGTERM), start=1):
        process = start(*words)
        deadline = time.monotonic() + 60
        while begun(data) < number:
            assert process.poll() is None, finish(process)
            assert time.monotonic() < deadline
            time.sleep(0.005)
        time.sleep(0.2)
        process.send_signal(how)
        outcome = finish(process)

        assert outcome.code == 1, outcome
        report = outcome.document
        assert report["status"] == "interrupted"
        assert report["video_seconds"] >= seconds[-1]
        seconds.append(report["video_seconds"])
        assert outcome.err == (
            f"error: The analysis was interrupted at {seconds[-1]:.1f} s of 'scene.mp4'."
            " Run the same command to go on.\n"
        )

    last = video_detective(*words)

    assert last.code == 0
    assert last.document["status"] == "done"
    assert last.document["frames"]["decoded"] == 960
    assert 0 < seconds[1] < seconds[2] < 96


# --- the machine


def test_models_are_listed_with_source_licence_and_hash() -> None:
    models = video_detective("models", "list", "--json").document
    plain = video_detective("models", "list").out

    assert {model["name"] for model in models} >= {"mobilenet-ssd"}
    for model in models:
        assert model["licence"]
        assert model["sha256"] in plain
        assert model["name"] in plain


def test_the_doctor_looks_and_touches_nothing(tmp_path: Path) -> None:
    absent = tmp_path / "absent"

    outcome = video_detective("doctor", "--data-dir", absent, "--json")

    assert {check["name"] for check in outcome.document} >= {"python", "ffmpeg", "data directory"}
    assert not absent.exists()


def test_the_doctor_tells_a_problem_with_its_remedy(tmp_path: Path) -> None:
    (tmp_path / "video-detective.db").write_text("no database" * 100)

    outcome = video_detective("doctor", "--data-dir", tmp_path)

    assert outcome.code == 1
    assert "not a database" in outcome.out
    assert "Choose another data directory" in outcome.out
