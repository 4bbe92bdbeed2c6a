"""One validated document: cameras, zones, tripwires, rules."""

from video_detective.config.base import Camera, Document, SceneDocument, check_camera_id
from video_detective.config.reading import load, parse, parse_scene, written_scene

__all__ = [
    "Camera",
    "Document",
    "SceneDocument",
    "check_camera_id",
    "load",
    "parse",
    "parse_scene",
    "written_scene",
]
