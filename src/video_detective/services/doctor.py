"""Whether this machine can do the work, check by check, each with its remedy."""

from __future__ import annotations

import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

import av
import cv2
import onnxruntime

from video_detective.detection.weights import catalogue, status
from video_detective.errors import ConflictError, VideoDetectiveError
from video_detective.services.workspace import open_workspace

LOW_DISK_BYTES = 2 << 30
CLIP_ENCODERS = ("libx264", "libopenh264", "libvpx-vp9")

State = Literal["ok", "warning", "problem"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One finding; ``remedy`` is empty when all is well."""

    name: str
    state: State
    found: str
    remedy: str = ""


async def examine(data_dir: Path, url: str | None) -> list[Check]:
    """Every check, in a fixed order; an absent data directory is not made."""
    checks = [*_machine(), *_weights()]
    checks.append(_disk(data_dir))
    checks.append(await _database(data_dir, url))
    return checks


def _machine() -> Iterator[Check]:
    yield Check(name="python", state="ok", found=f"{platform.python_version()} ({sys.executable})")
    windows = _gui_backend()
    yield Check(
        name="opencv",
        state="ok" if windows is None else "problem",
        found=f"{cv2.__version__}, {'headless' if windows is None else 'GUI build: ' + windows}",
        remedy="" if windows is None else _HEADLESS_REMEDY,
    )
    encoder = next((name for name in CLIP_ENCODERS if name in av.codecs_available), None)
    yield Check(
        name="ffmpeg",
        state="ok" if encoder else "problem",
        found=f"PyAV {av.__version__}, clips by {encoder or 'no encoder'}",
        remedy=""
        if encoder
        else "Reinstall PyAV from its wheel: pip install --force-reinstall av.",
    )
    providers = ", ".join(onnxruntime.get_available_providers())
    yield Check(
        name="onnxruntime", state="ok", found=f"{metadata.version('onnxruntime')} ({providers})"
    )


_HEADLESS_REMEDY = (
    "Another package brought OpenCV's GUI build: pip uninstall opencv-python "
    "opencv-contrib-python, then pip install --force-reinstall opencv-python-headless."
)


def _gui_backend() -> str | None:
    """The window system this OpenCV build is bound to; None in the headless build."""
    lines = iter(cv2.getBuildInformation().splitlines())
    for line in lines:
        name, _, value = line.partition(":")
        if name.strip() == "GUI":
            backend = value.strip() or next(lines, "").strip()
            return None if backend in {"", "NONE"} else backend
    return None


def require_headless_opencv() -> None:
    """Stop early when another package put OpenCV's GUI build over the headless one.

    Raises:
        ConflictError: this OpenCV needs a window system, which servers lack.
    """
    backend = _gui_backend()
    if backend is not None:
        raise ConflictError(f"OpenCV here is a GUI build ({backend})", remedy=_HEADLESS_REMEDY)


def _weights() -> Iterator[Check]:
    for model in catalogue():
        found = status(model)
        ready = found.state == "ready"
        yield Check(
            name=f"model {model.name}",
            state="ok" if ready else "warning",
            found=f"{found.state} {found.detail}".strip(),
            remedy="" if ready else f"video-detective models install {model.name}",
        )


def _disk(data_dir: Path) -> Check:
    place = data_dir
    while not place.exists() and place != place.parent:
        place = place.parent
    free = shutil.disk_usage(place).free
    low = free < LOW_DISK_BYTES
    return Check(
        name="disk",
        state="warning" if low else "ok",
        found=f"{free / (1 << 30):.1f} GiB free at '{place}'",
        remedy="Free some room, or use another --data-dir." if low else "",
    )


async def _database(data_dir: Path, url: str | None) -> Check:
    if url is None and not data_dir.exists():
        return Check(
            name="data directory",
            state="ok",
            found=f"'{data_dir}' is not there yet; the first analysis makes it",
        )
    try:
        async with open_workspace(data_dir, url) as workspace:
            cameras = await workspace.database.cameras()
            runs = await workspace.database.runs()
    except VideoDetectiveError as error:
        return Check(
            name="data directory", state="problem", found=error.message, remedy=error.remedy
        )
    return Check(
        name="data directory",
        state="ok",
        found=f"'{data_dir}': {len(cameras)} cameras, {len(runs)} analyses",
    )
