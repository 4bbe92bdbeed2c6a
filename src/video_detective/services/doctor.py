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

from video_detective.config.settings import FILE_NAME as SETTINGS
from video_detective.config.settings import load_settings
from video_detective.detection.weights import catalogue, status
from video_detective.errors import VideoDetectiveError
from video_detective.llm.base import Abilities
from video_detective.services.models import Models
from video_detective.services.workspace import open_workspace
from video_detective.storage.insights.base import InsightCounts
from video_detective.storage.narration_rows import NarrationCounts

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
    checks += await _database(data_dir, url)
    checks += await _models(data_dir)
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


async def _models(data_dir: Path) -> list[Check]:
    """What each configured model server really does; it is asked, not believed."""
    try:
        settings = load_settings(data_dir)
    except VideoDetectiveError as error:
        return [Check(name="settings", state="problem", found=error.message, remedy=error.remedy)]
    models = Models(settings, data_dir)
    checks: list[Check] = []
    try:
        for name, use in (
            ("narration", settings.narration),
            ("answers", settings.answers),
            ("embeddings", settings.embeddings),
        ):
            if use is not None:
                checks += await _model(models, name, use.server, use.model)
    finally:
        await models.close()
    if not checks:
        found = f"no model server in '{data_dir / SETTINGS}'; words come by template"
        checks.append(Check(name="models", state="ok", found=found))
    return checks


async def _model(models: Models, use: str, server: str, model: str) -> list[Check]:
    """One line of what it does, and one for each problem. Nothing stops without a model."""
    name = f"{use} {model}"
    try:
        finding = await models.probe(
            server, model, images=use == "narration", embeddings=use == "embeddings"
        )
    except VideoDetectiveError as error:
        return [Check(name=name, state="warning", found=error.message, remedy=error.remedy)]
    checks = [
        Check(name=name, state="warning", found=problem.found, remedy=f"{problem.remedy}.")
        for problem in finding.problems
    ]
    if not any(problem.key in {"server", "key", "model"} for problem in finding.problems):
        checks.insert(0, Check(name=name, state="ok", found=_abilities(finding.abilities, use)))
    return checks


def _abilities(abilities: Abilities, use: str) -> str:
    """What was seen, in words."""
    if use == "embeddings":
        return f"embeddings of {abilities.embedding_size} numbers"
    seen = {"schema": "holds to a schema", "json": "valid JSON", "no": "free text only"}
    said = [seen[abilities.structured]]
    if use == "narration":
        said.append("sees pictures" if abilities.images else "sees no pictures")
    if abilities.context_tokens is not None:
        said.append(f"context {abilities.context_tokens} tokens")
    if abilities.tokens_per_s is not None:
        said.append(f"{abilities.tokens_per_s:.0f} tokens/s")
    if abilities.gpu_share is not None:
        said.append(f"{abilities.gpu_share:.0%} on the GPU")
    return ", ".join(said)


async def _database(data_dir: Path, url: str | None) -> list[Check]:
    if url is None and not data_dir.exists():
        found = f"'{data_dir}' is not there yet; the first analysis makes it"
        return [Check(name="data directory", state="ok", found=found)]
    try:
        async with open_workspace(data_dir, url) as workspace:
            cameras = await workspace.database.cameras()
            runs = await workspace.database.runs()
            counts = await workspace.database.narrations.counts()
            insights = await workspace.database.insights.counts()
    except VideoDetectiveError as error:
        return [
            Check(name="data directory", state="problem", found=error.message, remedy=error.remedy)
        ]
    found = f"'{data_dir}': {len(cameras)} cameras, {len(runs)} analyses"
    return [
        Check(name="data directory", state="ok", found=found),
        *_queue("narration queue", counts),
        *_queue("insight queue", insights),
    ]


def _queue(name: str, counts: NarrationCounts | InsightCounts) -> Iterator[Check]:
    """How what a model is to put into words stands; nothing where none was ever asked for."""
    degraded, failed = (
        [f"{count} {reason}" for reason, count in reasons.items()]
        for reasons in (counts.degraded, counts.failed)
    )
    said = [
        f"{counts.waiting} wait",
        f"{counts.running} in work",
        f"{counts.done} told",
        *([f"told with less: {', '.join(degraded)}"] if degraded else []),
        *([f"not told: {', '.join(failed)}"] if failed else []),
    ]
    if not (counts.waiting or counts.running or counts.done or degraded or failed):
        return
    yield Check(
        name=name,
        state="warning" if failed else "ok",
        found=", ".join(said),
        remedy="video-detective narrate --backfill asks for them again." if failed else "",
    )
