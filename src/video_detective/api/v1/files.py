"""``/api/v1/analysis/files`` and ``…/jobs``: videos that are uploaded, and their analyses.

The protocol of the bytes is that of resumable uploads (tus): ``PATCH`` with ``Upload-Offset``,
and ``HEAD`` to ask where the file stands after a broken connection.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Header, Path, Query, Request, Security
from fastapi.responses import Response
from pydantic import ConfigDict, Field, StringConstraints
from starlette.requests import ClientDisconnect

from video_detective.api.envelope import PageQuery, Wire, answer, caller_of, page_of, responses
from video_detective.api.failures import failed, failure
from video_detective.api.v1.paging import id_cursor
from video_detective.errors import ConflictError
from video_detective.services import files
from video_detective.services.access import Caller
from video_detective.services.times import utc_text
from video_detective.services.workspace import Workspace
from video_detective.storage.work.base import JobRow

Reader = Annotated[Caller, Security(caller_of, scopes=["analytics:read"])]
Writer = Annotated[Caller, Security(caller_of, scopes=["analytics:write"])]
JobId = Annotated[UUID, Path(alias="id", description="The job's id")]
Status = Literal["uploading", "queued", "running", "done", "failed", "cancelled"]

CONTENT_TYPE = "application/offset+octet-stream"
_BIGGEST = 2**50
_JOB = "0199a2c4-6000-7abc-8def-0123456789ab"
_ANNOUNCED: dict[str, Any] = {
    "deviceId": "0199a2c4-5d10-7c3e-9f00-2b1a6c7d8e90",
    "fileName": "後門_20260115_220000.mp4",
    "sizeBytes": 734003200,
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "startTime": "2026-01-15T22:00:00+08:00",
}
_EXAMPLE: dict[str, Any] = {
    "id": _JOB,
    **_ANNOUNCED,
    "startTime": "2026-01-15T14:00:00Z",
    "receivedBytes": 734003200,
    "status": "running",
    "cancelRequested": False,
    "nodeId": "5f0c1a9e-7f5e-4e54-a9f3-d0f7f5a0c2b1",
    "progress": {
        "percent": 41.7,
        "frames": 37530,
        "videoSeconds": 1501.2,
        "rate": 14.2,
        "secondsLeft": 147.8,
        "events": 3,
    },
    "report": None,
    "error": None,
    "requestId": "6d0ce12a",
    "createdBy": "back office",
    "createdAt": "2026-01-16T01:00:00.000Z",
    "startedAt": "2026-01-16T01:02:10.500Z",
    "endedAt": None,
}


class FileAnnouncement(Wire):
    """A video that is going to be sent.

    ``startTime`` is the wall-clock time of its first frame (in the device's zone without offset);
    without it that of the container counts, else that of the name.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [_ANNOUNCED]})

    device_id: UUID
    file_name: Annotated[str, StringConstraints(min_length=1, max_length=255)]
    size_bytes: int = Field(ge=1, le=_BIGGEST)
    sha256: str | None = Field(default=None, pattern="^[0-9A-Fa-f]{64}$")
    start_time: str | None = Field(default=None, min_length=1, max_length=40)


class Progress(Wire):
    """How far an analysis is. ``rate``: seconds of video a second; null where not yet known."""

    percent: float | None = None
    frames: int = 0
    video_seconds: float = 0
    rate: float | None = None
    seconds_left: float | None = None
    events: int = 0


class FrameCounts(Wire):
    """Frames decoded, looked at and sampled, and regions that went through the detector."""

    decoded: int
    looked_at: int
    sampled: int
    detector_regions: int


class ReportDrop(Wire):
    """Something of the file that could not be used; ``atS`` is where, in seconds."""

    reason: str
    count: int
    at_s: float | None
    detail: str


class Report(Wire):
    """What an analysis gave; ``already_done``: the same footage under the same scene was known."""

    status: Literal["done", "already_done"]
    start_time: str
    start_from: str
    detector: str
    frames: FrameCounts
    video_seconds: float
    wall_seconds: float
    tracks: dict[str, int]
    events: dict[str, int]
    throttled: dict[str, int]
    drops: list[ReportDrop]


class JobError(Wire):
    """Why a job failed: a stable code, and words that say what to do."""

    code: str
    message: str


class Job(Wire):
    """An uploaded video and its analysis."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    id: str
    device_id: str
    file_name: str
    size_bytes: int
    received_bytes: int
    sha256: str | None
    start_time: str | None
    status: Status
    cancel_requested: bool
    node_id: str | None
    progress: Progress
    report: Report | None
    error: JobError | None
    request_id: str | None
    created_by: str
    created_at: str
    started_at: str | None
    ended_at: str | None


class JobQuery(PageQuery):
    """Which jobs."""

    device_id: UUID | None = None
    status: Status | None = None


def routes(workspace: Workspace) -> APIRouter:
    """The routes of uploads and jobs over an open workspace."""
    router = APIRouter(prefix="/api/v1/analysis", tags=["analysis"])

    @router.post("/files", status_code=201, responses=_with_offset(201, 404, 413, 415, 503))
    async def announce_file(request: Request, caller: Writer, body: FileAnnouncement) -> Response:
        """Announce a video of a device; ``Location`` is where its bytes go."""
        announced = files.Announcement(
            device_id=str(body.device_id),
            file_name=body.file_name,
            size_bytes=body.size_bytes,
            sha256=body.sha256,
            start_time=body.start_time,
        )
        job = await files.announce(workspace, caller, announced)
        headers = {"Location": f"/api/v1/analysis/files/{job.job_id}", **_offset_of(job)}
        return answer(request, wire(job), status=201, headers=headers)

    @router.get("/files/{id}", responses=_with_offset(200, 404))
    async def file_state(request: Request, caller: Writer, job_id: JobId) -> Response:
        """Where a file stands: ``Upload-Offset`` and ``Upload-Length``; also by ``HEAD``."""
        job = await files.find_job(workspace, caller, str(job_id))
        return answer(request, wire(job), headers=_offset_of(job))

    @router.patch(
        "/files/{id}",
        responses=_with_offset(200, 404, 409, 413, 415, 503),
        openapi_extra={
            "requestBody": {
                "required": True,
                "content": {CONTENT_TYPE: {"schema": {"type": "string", "format": "binary"}}},
            }
        },
    )
    async def send_file(
        request: Request,
        caller: Writer,
        job_id: JobId,
        upload_offset: Annotated[
            int,
            Header(ge=0, le=_BIGGEST, description="Where the piece belongs: the bytes so far"),
        ],
    ) -> Response:
        """Send a piece of a file, from where it stands on.

        A connection that breaks leaves what came. At another offset 409 says the right one in
        ``Upload-Offset``. When the last byte has come the SHA-256 is checked and the analysis
        queued.
        """
        sort = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if sort != CONTENT_TYPE:
            message = f"Content-Type must be {CONTENT_TYPE}"
            return failure(request, 415, "UNSUPPORTED_MEDIA_TYPE", message)
        length = request.headers.get("Content-Length", "")
        try:
            job = await files.receive(
                workspace,
                caller,
                str(job_id),
                offset=upload_offset,
                length=int(length) if length.isdigit() else None,
                content=request.stream(),
            )
        except ConflictError as error:
            refused = failed(request, error)
            if "offset" in error.context:
                refused.headers["Upload-Offset"] = str(error.context["offset"])
            return refused
        except ClientDisconnect:
            # What came is kept; nobody reads this answer.
            return failure(request, 400, "VALIDATION_ERROR", "The connection broke")
        return answer(request, wire(job), headers=_offset_of(job))

    @router.get("/jobs", responses=responses(list[Job], 404))
    async def list_jobs(
        request: Request, caller: Reader, query: Annotated[JobQuery, Query()]
    ) -> Response:
        """Uploaded videos and their analyses, the newest first."""
        page = await files.list_jobs(
            workspace,
            caller,
            device_id=None if query.device_id is None else str(query.device_id),
            status=query.status,
            limit=query.limit,
            offset=query.offset,
            cursor=id_cursor(query.cursor),
        )
        return answer(
            request,
            [wire(job) for job in page.jobs],
            pagination=page_of(page.total, query, page.next_cursor),
        )

    @router.get("/jobs/{id}", responses=responses(Job, 404))
    async def get_job(request: Request, caller: Reader, job_id: JobId) -> Response:
        """One job, with progress, report or error."""
        return answer(request, wire(await files.find_job(workspace, caller, str(job_id))))

    @router.post("/jobs/{id}/cancel", responses=responses(Job, 404, 409))
    async def cancel_job(request: Request, caller: Writer, job_id: JobId) -> Response:
        """End a job, at once or within seconds; what was found until then stays."""
        return answer(request, wire(await files.cancel(workspace, caller, str(job_id))))

    return router


def _with_offset(status: int, *errors: int) -> dict[int | str, dict[str, Any]]:
    declared = responses(Job, *errors, status=status)
    number = {"schema": {"type": "integer"}}
    declared[status] |= {"headers": {"Upload-Offset": number, "Upload-Length": number}}
    return declared


def _offset_of(job: JobRow) -> dict[str, str]:
    return {"Upload-Offset": str(job.received_bytes), "Upload-Length": str(job.size_bytes)}


def wire(job: JobRow) -> Job:
    """A job as it is shown."""
    error = None
    if job.error_code is not None:
        error = JobError(code=job.error_code, message=job.error or "")
    return Job(
        id=job.job_id,
        device_id=job.device_id,
        file_name=job.file_name,
        size_bytes=job.size_bytes,
        received_bytes=job.received_bytes,
        sha256=job.sha256,
        start_time=job.start_time,
        status=job.status,
        cancel_requested=job.is_cancel_requested,
        node_id=job.node_id,
        progress=_progress(job),
        report=None if job.report is None else _report(dict(job.report)),
        error=error,
        request_id=job.request_id or None,
        created_by=job.created_by,
        created_at=utc_text(job.created_ns),
        started_at=None if job.started_ns is None else utc_text(job.started_ns),
        ended_at=None if job.ended_ns is None else utc_text(job.ended_ns),
    )


def _progress(job: JobRow) -> Progress:
    told = job.progress
    if job.report is not None:  # what was last told on the way is a little older
        return Progress(
            percent=100.0,
            frames=job.report["frames"]["decoded"],
            video_seconds=job.report["video_seconds"],
            rate=told.get("rate"),
            events=sum(job.report["events"].values()),
        )
    return Progress(
        percent=told.get("percent"),
        frames=told.get("frames") or 0,
        video_seconds=told.get("video_s") or 0,
        rate=told.get("rate"),
        seconds_left=told.get("left_s") if job.status == "running" else None,
        events=told.get("events") or 0,
    )


def _report(report: dict[str, Any]) -> Report:
    report["start_time"] = utc_text(report["start_ns"])
    return Report(
        **{name: report[name] for name in Report.model_fields if name not in {"frames", "drops"}},
        frames=FrameCounts(**report["frames"]),
        drops=[ReportDrop(**drop) for drop in report["drops"]],
    )
