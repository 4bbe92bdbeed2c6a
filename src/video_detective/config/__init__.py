"""One validated document: cameras, zones, tripwires, rules."""

from video_detective.config.base import Camera, Document, check_camera_id
from video_detective.config.reading import load, parse

__all__ = ["Camera", "Document", "check_camera_id", "load", "parse"]
