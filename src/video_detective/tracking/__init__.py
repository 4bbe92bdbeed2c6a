"""From boxes to ids."""

from video_detective.tracking.base import ID_LETTERS, Track, Tracker

__all__ = ["ID_LETTERS", "Track", "Tracker"]
