"""Bad input and bad places: one line that names the value and the remedy, and nothing half done."""

import contextlib
import json
import os
import re
import resource
import socket
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.commands import assert_refused, finish, start, video_detective
from tests.videos import truncated, write_video

CAMERA = ("--camera", "cam01", "--detector", "motion")
PERIOD = ("--from", "2025-12-16T00:00:00", "--to", "2025-12-17T00:00:00")


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_video(tmp_path_factory.mktemp("video") / "short.mp4", frames=20)


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with one imported event."""
    folder = tmp_path_factory.mktemp("imported")
    records = folder / "records.json"
    records.write_text(json.dumps([record()]), "utf-8")
    assert video_detective("import", records, "--data-dir", folder / "data").code == 0
    return folder / "data"


def record(**changes: object) -> dict[str, object]:
    return {
        "event_id": "evt_20251216_cam01_0007",
        "camera_id": "cam01",
        "start_time": "2025-12-16T22:05:00",
        "end_time": "2025-12-16T22:06:30",
        "event_type": "闖入",
    } | changes


def analyses(data: Path) -> int:
    """How many analyses a data directory knows of."""
    if not (data / "video-detective.db").exists():
        return 0
    with contextlib.closing(sqlite3.connect(data / "video-detective.db")) as connection:
        return int(connection.execute("SELECT count(*) FROM runs").fetchone()[0])


# --- sources


def empty(folder: Path) -> Path:
    path = folder / "empty.mp4"
    path.touch()
    return path


def text(folder: Path) -> Path:
    path = folder / "notes.mp4"
    path.write_text("not a video, but words\n" * 100)
    return path


def folder_without_pictures(folder: Path) -> Path:
    path = folder / "nothing here"
    path.mkdir()
    return path


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda folder: folder / "absent.mp4", "absent.mp4"),
        (folder_without_pictures, "nothing here"),
        (empty, "empty.mp4"),
        (text, "notes.mp4"),
        (lambda folder: "ftp://example.org/a.mp4", "ftp"),
        (lambda folder: "file:///etc/passwd", "file"),
        (lambda folder: "concat:/etc/passwd|/etc/hosts", "concat"),
        (lambda folder: "data:video/mp4;base64,AAAA", "data"),
        (lambda folder: "", "''"),
    ],
)
def test_what_is_no_video_is_refused(
    make: Callable[[Path], Path | str], named: str, tmp_path: Path
) -> None:
    data = tmp_path / "data"

    outcome = video_detective("analyze", make(tmp_path), *CAMERA, "--data-dir", data)

    assert_refused(outcome, 2, named)
    assert analyses(data) == 0


def test_a_password_in_an_address_is_not_repeated(tmp_path: Path) -> None:
    outcome = video_detective(
        "analyze", "ftp://admin:hunter2@example.org/a", *CAMERA, "--data-dir", tmp_path / "data"
    )

    assert_refused(outcome, 2, "ftp")
    assert "hunter2" not in outcome.err


def test_a_video_of_which_nothing_can_be_decoded_has_failed(tmp_path: Path, video: Path) -> None:
    broken = tmp_path / "broken.mp4"
    content = bytearray(video.read_bytes())
    begin = content.index(b"mdat") + 4
    content[begin : content.index(b"moov") - 4] = bytes(content.index(b"moov") - 4 - begin)
    broken.write_bytes(content)

    outcome = video_detective("analyze", broken, *CAMERA, "--data-dir", tmp_path / "data")

    assert_refused(outcome, 1, "broken.mp4")


def test_a_recording_without_its_index_has_failed(tmp_path: Path, video: Path) -> None:
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(video.read_bytes())
    truncated(cut, 0.5)

    outcome = video_detective("analyze", cut, *CAMERA, "--data-dir", tmp_path / "data")

    assert_refused(outcome, 1, "cut.mp4")


# --- options


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), ("--camera", "--rules")),
        (("--camera", "../etc"), ("'../etc'",)),
        (("--camera", "a/b"), ("'a/b'",)),
        (("--camera", ""), ("''",)),
        (("--camera", "cam01", "--fps", "0"), ("--fps 0",)),
        (("--camera", "cam01", "--fps", "nan"), ("--fps nan",)),
        (("--camera", "cam01", "--fps", "fast"), ("--fps",)),
        (("--camera", "cam01", "--start", "yesterday"), ("--start", "'yesterday'", "2025-12-16T")),
        (("--camera", "cam01", "--start", "9999-01-01T00:00:00"), ("--start", "'9999-")),
        (("--camera", "cam01", "--detector", "crystal-ball"), ("'crystal-ball'", "motion")),
        (("--camera", "cam01", "--tracks-out", "/nowhere/at/all.txt"), ("/nowhere/at",)),
        (("--camera", "cam01", "--colour", "red"), ("--colour",)),
    ],
)
def test_options_that_cannot_be_meant_are_refused(
    options: tuple[str, ...], said: tuple[str, ...], video: Path, tmp_path: Path
) -> None:
    if "--detector" not in options:
        options += ("--detector", "motion")

    outcome = video_detective("analyze", video, *options, "--data-dir", tmp_path / "data")

    assert_refused(outcome, 2, *said)
    assert analyses(tmp_path / "data") == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("frobnicate",), "frobnicate"),
        (("analyze",), "SOURCE"),
        (("models",), "command"),
        (("rules", "check"), "file"),
        (("events", "--type", "miracle"), "'miracle'"),
        (("events", "--from", "noon"), "'noon'"),
        (("events", "--camera", "cam99"), "'cam99'"),
        (("search", "後門", "--camera", "cam99"), "'cam99'"),
        (("search", "後門", "--limit", "0"), "--limit"),
        (("search", "後門", "--from", "noon"), "'noon'"),
        (("report", "--from", "2025-12-17T00:00:00", "--to", "2025-12-16T00:00:00"), "empty"),
        (("report", "--from", "2025-12-17T00:00:00"), "--to"),
        (("report", *PERIOD, "--camera", "cam99"), "'cam99'"),
        (("report", *PERIOD, "--output", "/nowhere/at/all.html"), "/nowhere/at"),
        (("export", "evt_20991231_cam01_0001"), "'evt_20991231_cam01_0001'"),
        (("export", "../../etc/passwd"), "'../../etc/passwd'"),
        (("serve", "--port", "99999"), "--port"),
        (("demo", "--rules", "some.yaml", "--no-serve"), "--video"),
        (("models", "install", "gpt-9"), "gpt-9"),
        (("models", "verify", "gpt-9"), "gpt-9"),
    ],
)
def test_wrong_use_is_told_in_one_line(words: tuple[str, ...], said: str, imported: Path) -> None:
    data = () if words[0] in {"frobnicate", "models", "rules"} else ("--data-dir", imported)

    assert_refused(video_detective(*words, *data), 2, said)


@pytest.mark.parametrize(
    "words", [("events",), ("search", "後門"), ("report", *PERIOD), ("export", "evt_1")]
)
def test_a_mistyped_data_directory_is_told_and_not_made(
    words: tuple[str, ...], tmp_path: Path
) -> None:
    absent = tmp_path / "mistyped"

    assert_refused(video_detective(*words, "--data-dir", absent), 2, str(absent), "--data-dir")
    assert not absent.exists()


def test_the_trace_is_shown_when_asked_for(tmp_path: Path) -> None:
    outcome = video_detective("events", "--data-dir", tmp_path / "absent", "--debug")

    assert outcome.code == 2
    assert "Traceback" in outcome.err
    assert outcome.err.rstrip().splitlines()[-1].startswith("error: ")


# --- rules

ZONE = "zones: {yard: {points: [[0.1, 0.1], [0.9, 0.1], [0.9, 0.9]]}}"
RULES = {
    "an unknown rule type": (
        f"{ZONE}\n    rules: [{{id: a, type: levitation, zone: yard}}]", "levitation",
    ),
    "a number that is text": (
        f"{ZONE}\n    rules: [{{id: a, type: intrusion, zone: yard, enter_s: soon}}]", "enter_s",
    ),
    "an unknown zone": (
        f"{ZONE}\n    rules: [{{id: a, type: intrusion, zone: garden}}]", "garden",
    ),
    "an unknown field": (f"{ZONE}\n    colour: red", "colour"),
    "a polygon that crosses itself": (
        "zones: {yard: {points: [[0.1, 0.1], [0.9, 0.9], [0.9, 0.1], [0.1, 0.9]]}}", "zones.yard",
    ),
    "points outside the picture": (
        "zones: {yard: {points: [[0.1, 0.1], [40, 0.1], [0.9, 0.9]]}}", "zones.yard",
    ),
    "a polygon of two points": (
        "zones: {yard: {points: [[0.1, 0.1], [0.9, 0.9]]}}", "zones.yard",
    ),
    "an unknown time zone": ("timezone: Asia/Atlantis", "Atlantis"),
}  # fmt: skip


@pytest.mark.parametrize("case", RULES)
def test_wrong_rules_are_told_with_line_and_field(case: str, video: Path, tmp_path: Path) -> None:
    body, said = RULES[case]
    rules = tmp_path / "rules.yaml"
    rules.write_text(f"schema_version: 1\ncameras:\n  cam01:\n    {body}\n")

    checked = video_detective("rules", "check", rules)

    assert checked.code == 2
    assert checked.out == ""
    assert f"{rules}:" in checked.err
    assert said in checked.err
    document = video_detective("rules", "check", rules, "--json").document
    assert document["valid"] is False
    assert said in " ".join(document["problems"])
    data = tmp_path / "data"
    used = video_detective("analyze", video, "--rules", rules, "--data-dir", data)
    assert_refused(used, 2, str(rules), said)
    assert not data.exists()


@pytest.mark.parametrize("name", ["absent.yaml", "folder", "empty.yaml", "binary.yaml"])
def test_a_rules_file_that_is_none_is_refused(name: str, video: Path, tmp_path: Path) -> None:
    rules = tmp_path / name
    if name == "folder":
        rules.mkdir()
    elif name != "absent.yaml":
        rules.write_bytes(b"" if name == "empty.yaml" else b"\xff\xfe\x00\x01")

    assert_refused(video_detective("analyze", video, "--rules", rules), 2, name)
    checked = video_detective("rules", "check", rules)
    assert (checked.code, checked.out) == (2, "")
    assert name in checked.err


def test_a_camera_that_the_rules_do_not_have_is_refused(video: Path, tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text("schema_version: 1\ncameras:\n  front: {}\n  back: {}\n")

    unknown = video_detective("analyze", video, "--rules", rules, "--camera", "side")
    assert_refused(unknown, 2, "'side'", "front", "back")
    assert_refused(video_detective("analyze", video, "--rules", rules), 2, "--camera", "front")


# --- places


@contextlib.contextmanager
def tiny_disk(folder: Path) -> Iterator[Path]:
    """A file system of 600 kB; skips where none can be mounted."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("mounting a small file system needs root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def limit_files() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))


def test_a_full_disk_is_told(video: Path, tmp_path: Path) -> None:
    with tiny_disk(tmp_path / "disk") as disk:
        (disk / "filler").write_bytes(bytes(560_000))

        outcome = video_detective("analyze", video, *CAMERA, "--data-dir", disk / "data")

        assert_refused(outcome, 1, str(disk), "full")


def test_files_that_may_not_grow_are_told(video: Path, tmp_path: Path) -> None:
    words = ("analyze", video, *CAMERA, "--data-dir", tmp_path / "data")

    # The database's journal reaches the limit; Python ignores the signal that comes with it.
    outcome = finish(start(*words, preexec_fn=limit_files))

    assert_refused(outcome, 1, str(tmp_path / "data"))


def test_a_full_disk_leaves_no_half_package_or_report(imported: Path, tmp_path: Path) -> None:
    with tiny_disk(tmp_path / "disk") as disk:
        with contextlib.suppress(OSError), (disk / "filler").open("wb", buffering=0) as filler:
            while True:
                filler.write(bytes(4096))
        data = ("--data-dir", imported)

        for words in (
            ("export", "evt_20251216_cam01_0007", "--output", disk / "event.zip"),
            ("report", *PERIOD, "--output", disk / "report.html"),
        ):
            assert_refused(video_detective(*words, *data), 1, str(disk))
            assert [path.name for path in disk.iterdir()] == ["filler"]


def newer(folder: Path) -> Path:
    data = folder / "data"
    records = folder / "records.json"
    records.write_text("[]")
    assert video_detective("import", records, "--data-dir", data).code == 0
    with contextlib.closing(sqlite3.connect(data / "video-detective.db")) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.execute("UPDATE meta SET value = '99.0.0'")
        connection.commit()
    return data


def a_file(folder: Path) -> Path:
    path = folder / "file"
    path.write_text("a file")
    return path


def below_a_file(folder: Path) -> Path:
    return a_file(folder) / "data"


def no_database(folder: Path) -> Path:
    data = folder / "data"
    data.mkdir()
    (data / "video-detective.db").write_text("this is no database, but it is here" * 50)
    return data


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (newer, "newer version"),
        (a_file, "file"),
        (below_a_file, "file"),
        (no_database, "not a database"),
        (lambda folder: Path("/proc/nowhere"), "/proc/nowhere"),
    ],
)
@pytest.mark.parametrize(
    "words", [("analyze",), ("import",), ("events",), ("search", "x"), ("serve", "--port", "0")]
)
def test_a_data_directory_that_cannot_be_used_is_told(
    make: Callable[[Path], Path], said: str, words: tuple[str, ...], video: Path, tmp_path: Path
) -> None:
    data = make(tmp_path)
    more: tuple[str | Path, ...] = ()
    if words[0] == "analyze":
        more = (video, *CAMERA)
    elif words[0] == "import":
        records = tmp_path / "import.json"
        records.write_text(json.dumps([record()]))
        more = (records,)

    outcome = video_detective(*words, *more, "--data-dir", data)

    missing = not data.exists() and words[0] in {"events", "search"}
    assert_refused(outcome, 2 if missing else 1, said)


def test_a_read_only_data_directory_is_told(imported: Path, video: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    bind = ["mount", "--bind", "-o", "ro", str(imported), str(data)]
    if subprocess.run(bind, capture_output=True).returncode:
        pytest.skip("mounting a folder read-only needs root")
    try:
        outcome = video_detective("analyze", video, *CAMERA, "--data-dir", data)
    finally:
        subprocess.run(["umount", str(data)], check=True)

    assert_refused(outcome, 1, str(data), "writable")


def test_a_port_that_is_taken_is_told(imported: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        outcome = video_detective("serve", "--port", str(port), "--data-dir", imported)

    assert_refused(outcome, 1, str(port), "--port")


def test_an_address_of_another_machine_cannot_be_listened_on(imported: Path) -> None:
    outcome = video_detective("serve", "--host", "192.0.2.1", "--data-dir", imported)

    assert_refused(outcome, 1, "192.0.2.1", "--host")


# --- weights


def test_weights_that_are_not_installed_are_told(
    video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIDEO_DETECTIVE_MODELS", str(tmp_path / "models"))

    outcome = video_detective(
        "analyze", video, "--camera", "cam01", "--data-dir", tmp_path / "data"
    )

    assert_refused(outcome, 1, "mobilenet-ssd", "video-detective models install")
    assert analyses(tmp_path / "data") == 0
    verified = video_detective("models", "verify", "mobilenet-ssd")
    assert verified.code == 1
    assert_refused(video_detective("models", "bundle", tmp_path / "b.tar"), 1, "models install")
    assert not (tmp_path / "b.tar").exists()


@pytest.mark.parametrize("content", [b"", b"not a model" * 100])
def test_a_damaged_model_file_is_told(content: bytes, video: Path, tmp_path: Path) -> None:
    model = tmp_path / "model.onnx"
    model.write_bytes(content)
    words = ("analyze", video, "--camera", "cam01", "--detector", "onnx")

    outcome = video_detective(*words, "--model", model, "--data-dir", tmp_path / "data")
    assert outcome.code in {1, 2}
    assert_refused(outcome, outcome.code, "model.onnx")
    absent = video_detective(*words, "--model", "absent.onnx", "--data-dir", tmp_path / "data")
    assert absent.code in {1, 2}
    assert_refused(absent, absent.code, "absent.onnx")
    assert_refused(video_detective(*words, "--data-dir", tmp_path / "data"), 2, "--model")


# --- import


WRONG_RECORDS = {
    "no array": ({"event_id": "x"}, "array"),
    "a missing field": ([record(), {"event_id": "x"}], "camera_id"),
    "an unknown type": ([record(), record(event_id="b", event_type="飛行")], "飛行"),
    "a time that is none": ([record(), record(event_id="b", start_time="noon")], "'noon'"),
    "an end before its start": (
        [record(), record(event_id="b", end_time="2025-12-16T22:00:00")], "end_time",
    ),
    "a camera id with a path": ([record(), record(camera_id="../x")], "camera_id"),
    "an event id with a path": ([record(), record(event_id="../x")], "event_id"),
    "an unknown risk": ([record(), record(event_id="b", risk_level="apocalyptic")], "apocalyptic"),
    "a time zone that is none": ([record()], "'Mars/Base'"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG_RECORDS)
def test_a_wrong_record_is_named_and_nothing_is_imported(case: str, tmp_path: Path) -> None:
    document, said = WRONG_RECORDS[case]
    file = tmp_path / "records.json"
    file.write_text(json.dumps(document), "utf-8")
    data = ("--data-dir", tmp_path / "data")
    zone = ("--timezone", "Mars/Base") if "zone" in case else ()

    outcome = video_detective("import", file, *zone, *data)

    assert_refused(outcome, 2, said)
    if isinstance(document, list) and len(document) == 2:
        assert "record 2" in outcome.err
    assert video_detective("events", *data, "--json").document == []


@pytest.mark.parametrize("content", [None, "", "[{", "\x00\x01"])
def test_a_file_that_holds_no_records_is_refused(content: str | None, tmp_path: Path) -> None:
    file = tmp_path / "records.json"
    if content is not None:
        file.write_text(content)

    outcome = video_detective("import", file, "--data-dir", tmp_path / "data")

    assert_refused(outcome, 2, "records.json")


def test_an_export_does_not_overwrite(imported: Path, tmp_path: Path) -> None:
    kept = tmp_path / "mine.zip"
    kept.write_text("mine")

    outcome = video_detective(
        "export", "evt_20251216_cam01_0007", "--output", kept, "--data-dir", imported
    )

    assert_refused(outcome, 2, "mine.zip", "--output")
    assert kept.read_text() == "mine"
    assert os.listdir(tmp_path) == ["mine.zip"]


def test_no_imported_words_steer_the_terminal(tmp_path: Path) -> None:
    data, file = tmp_path / "data", tmp_path / "records.json"
    steering = "red\x1b[31m clear\x9b2J turned\u202e bell\x07"
    file.write_text(json.dumps([record(summary_zh=steering, summary_en=steering)]), "utf-8")
    assert video_detective("import", file, "--data-dir", data).code == 0

    for words in (("events",), ("search", "闖入")):
        outcome = video_detective(*words, "--data-dir", data)
        assert "red\ufffd[31m" in outcome.out
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", outcome.out)
    refused = video_detective("import", tmp_path / "\x1b[31m.json", "--data-dir", data)
    assert_refused(refused, 2, "\ufffd[31m.json")
