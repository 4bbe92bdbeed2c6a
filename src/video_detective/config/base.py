"""The camera document: cameras with zones, tripwires and rules, as validated data."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from video_detective.alerts import AlertRule
from video_detective.errors import MissingError, UsageError
from video_detective.geometry import Polygon
from video_detective.rules import Rule, Scene, Tripwire, Zone

IDENTIFIER = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$"
"""Camera, zone, tripwire and rule ids: they stand in file names, event ids and addresses."""

MOST = 200
"""Zones, tripwires, rules and alert rules of one camera: far more than a picture has room for."""

Identifier = Annotated[str, Field(pattern=IDENTIFIER)]
Coordinates = tuple[float, float]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Sampling(_Model):
    """Frames per second of video time: ``fps`` while anything moves, ``idle_fps`` otherwise."""

    fps: float = Field(default=5.0, gt=0, le=60)
    idle_fps: float = Field(default=1.0, gt=0, le=60)


class DetectionSettings(_Model):
    """Which detector looks for which classes.

    ``threshold`` is the score from which a detection starts a track. ``model`` is the file of an
    ``onnx`` or ``ultralytics`` detector; ``layout`` declares its output and ``class_names`` its
    classes (in the model's order) where the file does not tell; ``device`` is ``cpu`` or ``cuda``.
    """

    detector: str = "mobilenet-ssd"
    classes: tuple[str, ...] = ("person", "bicycle", "car", "motorcycle", "bus", "truck", "object")
    threshold: float | None = Field(default=None, gt=0, lt=1)
    model: str | None = None
    layout: str | None = None
    class_names: tuple[str, ...] | None = None
    device: Literal["cpu", "cuda"] = "cpu"


class ZoneSettings(_Model):
    """A polygon of at least three points."""

    name: str = ""
    points: tuple[Coordinates, ...] = Field(min_length=3, max_length=100)


class Directions(_Model):
    """What the two directions over a tripwire are called."""

    left_to_right: str = ""
    right_to_left: str = ""


class TripwireSettings(_Model):
    """A line of two or more points."""

    name: str = ""
    points: tuple[Coordinates, ...] = Field(min_length=2, max_length=100)
    directions: Directions = Directions()


class AttributeSettings(_Model):
    """What persons look like, of devices whose plan has it (LEVEL_02).

    ``every_s``: seconds between records while persons are in view; 0 records nothing. ``model`` is
    the file of an ONNX model with the 26 outputs of PA-100K, in the data set's own order or, by
    ``labels``, in that of PP-Human's models; without one only colours are measured.
    """

    every_s: float = Field(default=10.0, ge=0, le=3600)
    model: str | None = None
    labels: Literal["pa100k", "pphuman"] = "pa100k"


class SceneDocument(_Model):
    """What is watched for in a camera's view: the part of its document that a scene keeps.

    ``frame_size`` (width, height) says that the points are pixels of that picture size; without it
    they are relative, 0..1. ``alerts`` says which events are alerts; without it every one is.
    """

    frame_size: tuple[int, int] | None = None
    sampling: Sampling = Sampling()
    detection: DetectionSettings = DetectionSettings()
    zones: dict[Identifier, ZoneSettings] = Field(default={}, max_length=MOST)
    tripwires: dict[Identifier, TripwireSettings] = Field(default={}, max_length=MOST)
    rules: tuple[Annotated[Rule, Field(discriminator="type")], ...] = Field(
        default=(), max_length=MOST
    )
    alerts: tuple[AlertRule, ...] | None = Field(default=None, max_length=MOST)
    attributes: AttributeSettings = AttributeSettings()

    def relative(self, point: Coordinates) -> Coordinates:
        """The point as shares of width and height."""
        if self.frame_size is None:
            return point
        return point[0] / self.frame_size[0], point[1] / self.frame_size[1]


class Camera(SceneDocument):
    """One camera's document: its scene, and what people call it."""

    name: str = ""
    aliases: tuple[str, ...] = ()
    timezone: str = "Asia/Taipei"

    def scene(self, camera_id: str) -> Scene:
        """What the rules need to know of this camera."""
        return Scene(
            camera_id=camera_id,
            timezone=self.timezone,
            zones=tuple(
                Zone(
                    id=key,
                    name=zone.name or key,
                    polygon=Polygon(tuple(self.relative(p) for p in zone.points)),
                )
                for key, zone in self.zones.items()
            ),
            tripwires=tuple(
                Tripwire(
                    id=key,
                    name=wire.name or key,
                    points=tuple(self.relative(p) for p in wire.points),
                    left_to_right=wire.directions.left_to_right,
                    right_to_left=wire.directions.right_to_left,
                )
                for key, wire in self.tripwires.items()
            ),
            rules=self.rules,
        )

    def settings_hash(self) -> str:
        """SHA-256 of everything that can change a result; equal documents have equal hashes."""
        # What is younger than documents counts only where it is set, and names stand first as they
        # always did: others keep their hash.
        younger = ("alerts", "attributes")
        unset = {key for key in younger if getattr(self, key) == _default_of(type(self), key)}
        data = self.model_dump(mode="json", exclude={"aliases", *unset})
        ordered = {"name": data.pop("name"), "timezone": data.pop("timezone"), **data}
        text = json.dumps(ordered, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


def _default_of(kind: type[Camera], name: str) -> object:
    return kind.model_fields[name].default


class Document(_Model):
    """A whole file."""

    schema_version: Literal[1]
    cameras: dict[Identifier, Camera]

    def camera(self, camera_id: str) -> Camera:
        """The camera of that id.

        Raises:
            MissingError: the document has no such camera.
        """
        if camera_id not in self.cameras:
            raise MissingError(
                f"The rules file has no camera {camera_id!r}",
                remedy=f"Use --camera with one of: {', '.join(self.cameras)}.",
            )
        return self.cameras[camera_id]


def check_camera_id(camera_id: str) -> str:
    """The id itself.

    Raises:
        UsageError: it has other characters than letters, digits, ``_`` and ``-``.
    """
    if not re.fullmatch(IDENTIFIER, camera_id):
        raise UsageError(
            f"Camera id {camera_id!r} is not allowed",
            remedy="Use up to 64 letters, digits, '_' and '-', for example cam01.",
        )
    return camera_id
