"""Where everything is kept: the database and the blobs; all SQL of the program."""

from video_detective.storage.base import (
    CameraRow,
    EventQuery,
    EvidenceRow,
    FrameRow,
    ImportCounts,
    LookRow,
    NarrationRow,
    NextNumbers,
    Page,
    PointRow,
    Run,
    RunCounts,
    RunKey,
    RunRow,
    Step,
    StoredEvent,
    TrackRow,
    frame_id,
)

__all__ = [
    "CameraRow", "EventQuery", "EvidenceRow", "FrameRow", "ImportCounts", "LookRow",
    "NarrationRow", "NextNumbers", "Page", "PointRow", "Run", "RunCounts", "RunKey", "RunRow",
    "Step", "StoredEvent", "TrackRow", "frame_id",
]  # fmt: skip
