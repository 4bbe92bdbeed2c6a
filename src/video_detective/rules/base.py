"""Events: what the rules established, with everything needed to explain and recompute it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from video_detective.geometry import Point, Polygon
from video_detective.tracking.base import Track

RISK_LEVELS = ("low", "medium", "high", "critical")
"""In rising order."""

EVENT_TYPES = (
    "line_crossing",
    "intrusion",
    "loitering",
    "pacing",
    "abandoned_object",
    "crowding",
    "metric",
    "wrong_way",
    "speed",
    "post_left",
    "camera_tampered",
)
"""Keys of event types; their names for people are in the narration catalogues."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """A named area; ``polygon`` in relative coordinates (0..1 of width and height)."""

    id: str
    name: str
    polygon: Polygon


@dataclass(frozen=True, slots=True, kw_only=True)
class Tripwire:
    """A named line of two or more relative points, with names of the two directions.

    Stand on the first point and look to the last, in the picture as a person sees it:
    ``left_to_right`` is a foot point that goes from the left hand to the right hand.
    """

    id: str
    name: str
    points: tuple[Point, ...]
    left_to_right: str = ""
    right_to_left: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What the rules see of one sampled frame.

    Args:
        time_ns: UTC ns.
        frame: Source frame index (0-based).
        size: (width, height) of the frame in pixels, in which the tracks' boxes are.
        tracks: Tracks observed in this frame.
        view: ``ok``, ``dark``, ``blurred`` or ``shifted``.
        cut: A new shot begins with this frame.
    """

    time_ns: int
    frame: int
    size: tuple[int, int]
    tracks: tuple[Track, ...]
    view: str = "ok"
    cut: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """A track that takes part. ``role`` is ``subject``, ``owner`` or ``member``."""

    track_id: str
    type: str
    role: str = "subject"


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One moment that supports an event: a frame to show as evidence.

    Args:
        time_ns, frame: Which observation.
        what: Key for the catalogues: ``before``, ``crossed``, ``entered``, ``turned``, ``placed``,
            ``owner_left``, ``exceeded``, ``covered``, ``established``, ``peak``, ``returned``,
            ``left``, ``last_seen``, ``ended``.
        track_ids: Those it is about.
        foot: Relative foot point of the (first) track, when there is one.
    """

    time_ns: int
    frame: int
    what: str
    track_ids: tuple[str, ...] = ()
    foot: Point | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A fact that a rule established; a later version with the same ``event_id`` replaces it.

    Args:
        event_id: ``evt_{YYYYMMDD}_{camera}_{n:04d}``, date of ``start_ns`` in the camera's zone.
        type: One of ``EVENT_TYPES`` (of merged events, the gravest).
        risk_level: One of ``RISK_LEVELS``.
        rule_id, zone, tripwire: What it is about (zone and tripwire by id).
        start_ns: Since when the fact held.
        established_ns: When the rule was satisfied.
        end_ns: Until when it held; None while it goes on. An instant event has start == end.
        frames: (first, last) source frame index of the event.
        actors: Who took part, in order of appearance.
        moments: Evidence in order of time.
        facts: What was measured, plain JSON with units in the names (``dwell_s``,
            ``average_speed_px_s``, ``direction``, ``peak_count``, ``suppressed`` …). A merged
            event keeps each part under ``parts``.
        parameters: The rule's parameters at that moment, plain JSON.
    """

    event_id: str
    camera_id: str
    type: str
    risk_level: str
    rule_id: str
    start_ns: int
    established_ns: int
    end_ns: int | None
    frames: tuple[int, int]
    zone: str | None = None
    tripwire: str | None = None
    actors: tuple[Actor, ...] = ()
    moments: tuple[Moment, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)
