"""Nodes, live analyses and jobs of uploaded files, as they are stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from video_detective.storage.narration_rows import Beat

LiveState = Literal["starting", "running", "waiting", "stopped", "failed"]
JobStatus = Literal["uploading", "queued", "running", "done", "failed", "cancelled"]
JOB_STATUSES: tuple[JobStatus, ...] = (
    "uploading", "queued", "running", "done", "failed", "cancelled",
)  # fmt: skip
ENDED: tuple[JobStatus, ...] = ("done", "failed", "cancelled")


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeRow:
    """A machine that works.

    Args:
        node_id: UUID of its data directory.
        name: Its host name.
        version: Of the program.
        started_ns: When its service began.
        info: For people, plain JSON.
        age_ns: Since its last sign of life by the database's clock; set on reading.
    """

    node_id: str
    name: str
    version: str
    started_ns: int
    info: Mapping[str, Any] = field(default_factory=dict)
    age_ns: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveReport:
    """How a live analysis is going.

    Args:
        state: ``starting``, ``running``, ``waiting`` (for the camera), ``stopped``, ``failed``.
        fps: Frames decoded a second, lately.
        lag_s: How far behind the camera the last frame was handled.
        last_frame_ns: Time of that frame.
        drops: What was lost, with reasons: ``{reason, count, detail}``.
        error: What is wrong, in words; None for nothing.
    """

    state: LiveState
    fps: float | None = None
    lag_s: float | None = None
    last_frame_ns: int | None = None
    drops: Sequence[Mapping[str, Any]] = ()
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveRow:
    """The live analysis of a device.

    Args:
        camera_id, device_id: Whose.
        is_wanted: It is to run.
        epoch: Number of the latest taking; 0: nobody ever took it.
        node_id: Who has it; None: nobody.
        beat: The owner's last sign of life; None before the first.
        started_ns: Since when it is in this state.
        report: Its last report.
        request_id: Of the request that started it.
    """

    camera_id: str
    device_id: str
    is_wanted: bool
    epoch: int
    node_id: str | None
    beat: Beat | None
    started_ns: int | None
    report: LiveReport
    request_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveTask:
    """What the live analysis of a camera is made of: when it changes, it begins anew.

    Args:
        camera_id: Whose.
        source: Address, with its secret.
        document: The camera's document, plain JSON.
    """

    camera_id: str
    source: str = field(repr=False)
    document: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRow:
    """An uploaded file and its analysis.

    Args:
        job_id, account_id, camera_id, device_id: Which, whose.
        status: See ``JobStatus``.
        file_name: What its owner calls it; never the name of a file here.
        size_bytes, received_bytes: Announced, and stored so far.
        sha256: Announced; None: not checked.
        start_time: Wall-clock time of the first frame as its owner wrote it.
        progress: Plain JSON for people.
        report: Of the analysis, when done.
        error_code, error: Why it failed.
        is_cancel_requested: It is to end.
        epoch: Number of the latest taking, of the upload or of the analysis.
        node_id: Who has the file.
        beat: Last sign of life of who analyses it.
        request_id, created_by, created_ns, started_ns, ended_ns: Its history.
    """

    job_id: str
    account_id: str
    camera_id: str
    device_id: str = ""
    status: JobStatus = "uploading"
    file_name: str
    size_bytes: int
    received_bytes: int = 0
    sha256: str | None = None
    start_time: str | None = None
    progress: Mapping[str, Any] = field(default_factory=dict)
    report: Mapping[str, Any] | None = None
    error_code: str | None = None
    error: str | None = None
    is_cancel_requested: bool = False
    epoch: int = 0
    node_id: str | None
    beat: Beat | None = None
    request_id: str
    created_by: str
    created_ns: int
    started_ns: int | None = None
    ended_ns: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobEnd:
    """How a job ended.

    Args:
        status: ``done``, ``failed`` or ``cancelled``.
        ended_ns: When.
        report: Of the analysis.
        error_code, error: Why it failed: a stable code, and words with the remedy.
    """

    status: JobStatus
    ended_ns: int
    report: Mapping[str, Any] | None = None
    error_code: str | None = None
    error: str | None = None
