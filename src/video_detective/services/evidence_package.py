"""An event's evidence as one ZIP: record, a page to read, pictures, clip, and hashes to check."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any
from zoneinfo import ZoneInfo

import cv2
import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

import video_detective
from video_detective.detection.detectors.faces import blur_faces
from video_detective.detection.detectors.registry import make_detector
from video_detective.errors import MissingError, UsageError
from video_detective.media.pictures import encode_jpeg
from video_detective.narration.catalogue import Language, risk_name
from video_detective.services.events import stored_event
from video_detective.services.output import write_whole
from video_detective.services.records import event_record
from video_detective.services.report_pictures import data_address, shown
from video_detective.services.times import local_time
from video_detective.services.workspace import Workspace
from video_detective.storage import EvidenceRow, StoredEvent
from video_detective.storage.blobs import BlobStore

_TEMPLATES = Path(__file__).parent / "templates"
_SUFFIXES = {"image/jpeg": ".jpg", "video/mp4": ".mp4"}
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)
"""Of every file in a package: the same event gives the same bytes."""
_IN_MEMORY = 4 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    """A stored file with its name in the package."""

    name: str
    row: EvidenceRow


async def export_event(
    workspace: Workspace,
    event_id: str,
    output: Path,
    *,
    language: Language = "zh-TW",
    hide_faces: bool = False,
) -> Path:
    """Write an event's evidence package into a file; see ``package``.

    Raises:
        MissingError: there is no such event.
        UsageError: the output exists.
        StorageError: stored files cannot be read, or the output cannot be written.
    """
    stored = await stored_event(workspace, event_id)
    write = await _writer(workspace, stored, language, hide_faces=hide_faces)

    def work() -> None:
        if output.exists():
            raise UsageError(
                f"'{output}' exists already", remedy="Name another file with --output."
            )
        write_whole(output, write)

    await asyncio.to_thread(work)
    return output


async def package(workspace: Workspace, stored: StoredEvent, language: Language) -> IO[bytes]:
    """An event's evidence package as an open file: a ZIP that Windows can unpack too.

    ``event.json`` is the record, ``event.html`` the same to read, ``frames/`` and ``clip.mp4`` the
    files as they are stored. ``manifest.json`` and ``SHA256SUMS`` have the SHA-256 of each. A file
    that is gone, was changed since it was stored, or was deleted by retention is left out; record
    and page say so. The same event gives the same bytes.

    Args:
        workspace: Where its files are.
        stored: The event.
        language: Of the page.

    Returns:
        A temporary file at its beginning, to be closed by the caller.

    Raises:
        StorageError: stored files cannot be read.
    """
    write = await _writer(workspace, stored, language, hide_faces=False)
    # Clips are up to a minute long: beyond some size it waits on the disk, not in memory.
    file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - given to the caller
    writing = asyncio.get_running_loop().run_in_executor(None, write, file)
    try:
        await asyncio.shield(writing)
    except BaseException:
        # Of a task that is cut off the thread goes on for a while.
        writing.add_done_callback(lambda _: file.close())
        raise
    file.seek(0)
    return file


async def _writer(
    workspace: Workspace, stored: StoredEvent, language: Language, *, hide_faces: bool
) -> Callable[[IO[bytes]], None]:
    places = await workspace.places()
    event = stored.event
    scene = places.scene(event.camera_id)
    return partial(
        _write,
        blobs=workspace.blobs,
        stored=stored,
        record=event_record(stored, scene),
        camera=places.name(event.camera_id),
        language=language,
        hide_faces=hide_faces,
    )


def _write(
    file: IO[bytes],
    *,
    blobs: BlobStore,
    stored: StoredEvent,
    record: dict[str, Any],
    camera: str,
    language: Language,
    hide_faces: bool,
) -> None:
    sums: dict[str, str] = {}
    absent: dict[str, str] = {}
    pictures: dict[str, bytes] = {}
    zone = ZoneInfo(record["timezone"])
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:

        def put(name: str, content: bytes) -> None:
            sums[name] = hashlib.sha256(content).hexdigest()
            archive.writestr(zipfile.ZipInfo(name, _ZIP_TIME), content)

        for told, kept in zip(record["media"], _files(stored, zone), strict=True):
            row = kept.row
            if hide_faces and row.kind == "clip":
                told["file"] = None
                continue
            # What retention deleted may still be there for another event; it is not this one's.
            content = "deleted" if row in stored.deleted_evidence else _sound(blobs, row)
            told["file"] = kept.name if isinstance(content, bytes) else None
            if not isinstance(content, bytes):
                absent[kept.name] = content
                continue
            if hide_faces:
                content = _without_faces(content)
            if row.kind == "annotated":
                pictures[kept.name] = content
            put(kept.name, content)
        _refer(record)
        put("event.json", _json(record))
        page = _page(record, camera, pictures, sums, absent, language)
        put("event.html", page.encode())
        manifest = {
            "event_id": stored.event.event_id,
            "faces_blurred": hide_faces,
            "sha256": dict(sorted(sums.items())),
            "absent": absent,
        }
        lines = "".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items()))
        put("manifest.json", _json(manifest))
        put("SHA256SUMS", lines.encode())


def _json(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False, indent=2).encode()


def _files(stored: StoredEvent, zone: ZoneInfo) -> list[_File]:
    """Evidence in its order, pictures numbered by moment and named by the camera's clock."""
    rows = (*stored.evidence, *stored.deleted_evidence)
    moments = sorted({row.time_ns for row in rows if row.kind != "clip"})
    found: list[_File] = []
    for row in rows:
        suffix = _SUFFIXES[row.media_type]
        name = f"clip{suffix}"
        if row.kind != "clip":
            clock = local_time(row.time_ns, zone)
            number = moments.index(row.time_ns) + 1
            name = f"frames/{number:02d}-{clock:%Y%m%d-%H%M%S}-{row.kind}{suffix}"
        if any(other.name == name for other in found):  # two facts of one moment
            name = f"{name.removesuffix(suffix)}-{len(found)}{suffix}"
        found.append(_File(name=name, row=row))
    return found


def _refer(record: dict[str, Any]) -> None:
    """Let the record's addresses be names of files in the package."""
    names = {(item["kind"], item["timestamp"]): item["file"] for item in record["media"]}
    for moment in record["evidence"]:
        if moment["frame_link"] is not None:
            moment["frame_link"] = names.get(("annotated", moment["timestamp"]))
    record["frame_links"] = [
        item["file"] for item in record["media"] if item["kind"] == "annotated" and item["file"]
    ]
    clips = (item["file"] for item in record["media"] if item["kind"] == "clip")
    record["clip_link"] = next(clips, None)


def _sound(blobs: BlobStore, row: EvidenceRow) -> bytes | str:
    """A stored file's content, or why there is none: ``missing`` or ``altered``."""
    try:
        with blobs.open(row.sha256, _SUFFIXES[row.media_type]) as file:
            content = file.read()
    except MissingError:
        return "missing"
    return content if hashlib.sha256(content).hexdigest() == row.sha256 else "altered"


def _without_faces(content: bytes) -> bytes:
    image = np.asarray(cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR), np.uint8)
    (faces,) = make_detector("centerface").detect([image])
    return encode_jpeg(blur_faces(image, faces))


def _page(
    record: Mapping[str, Any],
    camera: str,
    pictures: Mapping[str, bytes],
    sums: Mapping[str, str],
    absent: Mapping[str, str],
    language: Language,
) -> str:
    """``event.html``: the report's look, pictures within it, no script, nothing from elsewhere."""
    text: dict[str, str] = json.loads((_TEMPLATES / f"event.{language}.json").read_text("utf-8"))
    style = (_TEMPLATES / "report.css").read_text("utf-8")
    style += (_TEMPLATES / "event.css").read_text("utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=select_autoescape(),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    english = "_en" if language == "en" else ""
    shown_once = set[str]()
    figures = []
    for moment in record["evidence"]:
        name = moment["frame_link"]
        content = None if name is None or name in shown_once else shown(pictures.get(name, b""))
        shown_once.add(name or "")
        figures.append(
            {
                "time": _clock(moment["timestamp"]),
                "what": moment[f"what{english}"],
                "name": name,
                "original": _original(record, moment["timestamp"]),
                "address": content and data_address(content),
            }
        )
    ends = record["end_time"]
    return environment.get_template(
        "event.html"
    ).render(
        text=text,
        language=language,
        style=Markup(style),  # noqa: S704 - our own file
        policy=f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; "
        "base-uri 'none'; form-action 'none'",
        version=video_detective.__version__,
        record=record,
        camera=camera,
        type=record["type_en" if english else "event_type"],
        risk=risk_name(record["risk_level"], language),
        summary=record["summary_en"] if english else record["summary_zh"],
        period=f"{_clock(record['start_time'])} – {_clock(ends) if ends else text['ongoing']}",
        offset=record["start_time"][-6:],
        measures=[
            {
                "name": item[f"name{english}"],
                "text": item[f"text{english}"],
                "asked": item["limit"][f"text{english}"] if item["limit"] else "",
                "rule": item["rule_id"],
            }
            for item in record["measures"]
        ],
        words=_words(record),
        figures=figures,
        spans=[(_clock(s["start_time"]), _clock(s["end_time"])) for s in record["clip_spans"]],
        sums=sums,
        absent=[(name, text[f"absent_{why}"]) for name, why in absent.items()],
    )


def _words(record: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """What a model said, where it said something."""
    said = record["narration"]
    is_said = said is not None and said["status"] == "done" and said["level"] != "template"
    return said if is_said and said["text"] else None


def _original(record: Mapping[str, Any], timestamp: str) -> str | None:
    found = (
        item["file"]
        for item in record["media"]
        if item["kind"] == "original" and item["timestamp"] == timestamp
    )
    return next(found, None)


def _clock(timestamp: str) -> str:
    """``2026-01-15 22:00:10`` of a local RFC 3339 time."""
    return timestamp[:19].replace("T", " ")
