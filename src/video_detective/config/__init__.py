"""One validated document: cameras, zones, tripwires, rules."""

from video_detective.config.base import Camera, Document, SceneDocument, check_camera_id
from video_detective.config.reading import load, parse, parse_scene, written_scene
from video_detective.config.schema import scene_schema

__all__ = [
    "Camera",
    "Document",
    "SceneDocument",
    "check_camera_id",
    "load",
    "parse",
    "parse_scene",
    "scene_schema",
    "written_scene",
]
