"""How long an account keeps what it has, and the deletion of what is older."""

from video_detective.storage.retention.base import (
    Cutoffs,
    Deleted,
    RetentionRow,
    Round,
    Usage,
)

__all__ = ["Cutoffs", "Deleted", "RetentionRow", "Round", "Usage"]
