"""The pictures in a report: evidence as data addresses, few enough to mail the file."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from video_detective.errors import MissingError
from video_detective.media.pictures import encode_jpeg
from video_detective.storage import EvidenceRow, StoredEvent
from video_detective.storage.blobs import BlobStore

MAX_BYTES = 3_500_000
"""All pictures of a report together, as JPEG; a third more as text. With the table of events the
file stays below 6 MB, which every mail server takes."""
MAX_SIDE = 960
"""Pixels; two of them stand side by side on a wide screen or a sheet of paper."""
MAX_UNCHANGED_BYTES = 280_000
"""A picture within both limits goes in as it is stored, so that its hash can be checked."""

Absence = Literal["none", "missing", "altered", "damaged", "room"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """An event's most telling annotated picture.

    Args:
        row: The evidence; None when the event has no picture.
        original: The same moment without drawings, when it is kept.
        address: ``data:image/jpeg;base64,…``; None when there is no picture to show.
        unchanged: What is shown has the hash of ``row``; else it was scaled down.
        absence: Why nothing is shown: ``none`` was stored, the file is ``missing``, its content
            was ``altered`` since (hash), is ``damaged`` (no picture), or there is no ``room``.
    """

    row: EvidenceRow | None
    original: EvidenceRow | None
    address: str | None
    unchanged: bool = False
    absence: Absence | None = None


def pictures_of(events: Sequence[StoredEvent], blobs: BlobStore) -> list[Picture]:
    """One for each event, in their order, as many as fit. Blocks on the disk.

    Raises:
        StorageError: the disk cannot be read.
    """
    room = MAX_BYTES
    found: list[Picture] = []
    for stored in events:
        row = _telling(stored)
        original = row and next(
            (r for r in stored.evidence if r.kind == "original" and r.time_ns == row.time_ns), None
        )
        content = _content(row, blobs) if row else "none"
        if isinstance(content, bytes) and len(content) > room:
            content = "room"
        if isinstance(content, bytes):
            room -= len(content)
            found.append(
                Picture(
                    row=row,
                    original=original,
                    address=data_address(content),
                    unchanged=row is not None and _is_it(content, row),
                )
            )
        else:
            found.append(Picture(row=row, original=original, address=None, absence=content))
    return found


def _telling(stored: StoredEvent) -> EvidenceRow | None:
    """The annotated picture nearest the moment at which the event was established."""
    rows = [row for row in stored.evidence if row.kind == "annotated"]
    return min(rows, key=lambda r: abs(r.time_ns - stored.event.established_ns), default=None)


def _content(row: EvidenceRow, blobs: BlobStore) -> bytes | Absence:
    try:
        with blobs.open(row.sha256, ".jpg") as file:
            content = file.read()
    except MissingError:
        return "missing"
    if not _is_it(content, row):
        return "altered"
    return shown(content) or "damaged"


def shown(content: bytes) -> bytes | None:
    """A stored JPEG as it goes into a file: as it is, or shrunk; None where it is no picture."""
    picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR) if content else None
    if picture is None:
        return None
    height, width = picture.shape[:2]
    shrink = MAX_SIDE / max(height, width)
    if shrink >= 1 and len(content) <= MAX_UNCHANGED_BYTES:
        return content
    size = (max(1, round(width * min(shrink, 1))), max(1, round(height * min(shrink, 1))))
    return encode_jpeg(
        np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
    )


def data_address(content: bytes) -> str:
    """A JPEG as an address that holds it."""
    return "data:image/jpeg;base64," + base64.b64encode(content).decode()


def _is_it(content: bytes, row: EvidenceRow) -> bool:
    return hashlib.sha256(content).hexdigest() == row.sha256
