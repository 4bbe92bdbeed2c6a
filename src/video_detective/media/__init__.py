"""Where pictures come from: files, folders, live streams; and how evidence is cut back out."""

from video_detective.media.base import Frame, Loss, Position, Source, SourceInfo

__all__ = ["Frame", "Loss", "Position", "Source", "SourceInfo"]
