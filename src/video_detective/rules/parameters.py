"""What can be asked of a scene: the parameters of every rule, as plain data.

These dataclasses are the schema of the ``rules:`` list of a camera document (``config`` validates
them) and stand in every event they make. Lengths are relative to the frame's height unless the
name says otherwise; ``*_px_s`` speeds are pixels per second of a picture ``REFERENCE_HEIGHT``
pixels high, so that a rule means the same at every stream resolution.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from video_detective.rules.base import Tripwire, Zone

REFERENCE_HEIGHT = 720
"""Pixels; the picture height in which ``*_px_s`` speeds are given."""

RiskLevel = Literal["low", "medium", "high", "critical"]
PEOPLE = ("person",)
VEHICLES = ("bicycle", "car", "motorcycle", "bus", "truck")
BAGS = ("backpack", "handbag", "suitcase", "object")


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """When a rule watches: local wall-clock hours on days of the week.

    Args:
        days: ``mon`` … ``sun``; the day on which the hours begin. Empty means every day.
        start_minute, end_minute: Minutes after local midnight, 0..1440. ``end <= start`` runs over
            midnight (22:00-06:00); 0 and 1440 are the whole day.
        timezone: IANA name; None takes the camera's.
    """

    days: tuple[str, ...] = ()
    start_minute: int = 0
    end_minute: int = 1440
    timezone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleParameters:
    """What all rules share.

    Args:
        id: Unique within the camera.
        classes: Classes it watches.
        schedule: Periods in which it watches; empty means always.
        severity: Risk level of its events.
        cooldown_s: The same rule, zone and track fires once per this many seconds.
        merge_gap_s: Events of one track in one zone no further apart become one.
    """

    __pydantic_config__: ClassVar[Mapping[str, Any]] = {"extra": "forbid"}

    id: str
    classes: tuple[str, ...] = PEOPLE
    schedule: tuple[Schedule, ...] = ()
    severity: RiskLevel = "medium"
    cooldown_s: float = 10.0
    merge_gap_s: float = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LineCrossing(RuleParameters):
    """越線: a foot point goes over the tripwire's segments.

    ``hysteresis``: how far beyond the line (share of frame height) counts as the other side.
    """

    type: Literal["line_crossing"] = "line_crossing"
    tripwire: str
    direction: Literal["any", "left_to_right", "right_to_left"] = "any"
    max_gap_s: float = 2.0
    hysteresis: float = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Intrusion(RuleParameters):
    """闖入: inside a zone for ``enter_s`` (or ``enter_frames``) in a row."""

    type: Literal["intrusion"] = "intrusion"
    zone: str
    severity: RiskLevel = "high"
    enter_s: float = 1.0
    exit_s: float = 1.0
    enter_frames: int | None = None
    exit_frames: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Loitering(RuleParameters):
    """停留: in a zone for ``min_seconds`` (one number, or one by class) and slow.

    ``max_speed`` (frame heights per second) is the relative alternative to ``max_speed_px_s``.
    """

    type: Literal["loitering"] = "loitering"
    zone: str
    min_seconds: float | dict[str, float] = 20.0
    max_speed_px_s: float = 15.0
    max_speed: float | None = None
    exit_s: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pacing(RuleParameters):
    """徘徊: to and fro over one short segment, or in and out of the zone, within a window.

    Established at ``min_crossings`` passes (or entries and exits) within ``window_s``. ``tripwire``
    names the segment; without one it is the track's own way, of which each leg of at least
    ``min_leg`` frame heights between two turns is a pass.
    """

    type: Literal["pacing"] = "pacing"
    zone: str
    tripwire: str | None = None
    min_crossings: int = 3
    window_s: float = 120.0
    min_leg: float = 0.08
    exit_s: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class AbandonedObject(RuleParameters):
    """遺留物: a bag-like thing that stays put while no person is near.

    ``owner_distance``: from its foot to the nearest person's foot, in frame heights.
    ``max_shift``: how far it may wander and still be the same still thing, in frame heights.
    ``exit_s``: unseen for this long it was taken away (still things are looked at every 1 or 2 s).
    """

    type: Literal["abandoned_object"] = "abandoned_object"
    zone: str
    classes: tuple[str, ...] = BAGS
    severity: RiskLevel = "high"
    min_seconds: float = 30.0
    owner_distance: float = 0.15
    max_shift: float = 0.03
    exit_s: float = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowding(RuleParameters):
    """群聚: ``min_people`` in the zone for ``min_seconds``; without a zone, in the picture.

    With ``radius`` (frame heights) only people within it of one of them count together.
    ``exit_s``: how long there may be fewer before it is over.
    """

    type: Literal["crowding"] = "crowding"
    zone: str | None = None
    radius: float | None = None
    min_people: int = 5
    min_seconds: float = 3.0
    exit_s: float = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric(RuleParameters):
    """排隊/人數: a metric compared with a threshold for ``for_seconds``.

    ``metric`` is a path: ``zones.<id>.count``, ``zones.<id>.queue_length`` (slow ones only),
    ``zones.<id>.max_dwell_s``, ``zones.<id>.mean_dwell_s``, ``tripwires.<id>.left_to_right``,
    ``tripwires.<id>.right_to_left`` (crossings so far in the local day). ``queue_max_speed_px_s``:
    who is slower queues. ``exit_s``: how long it may fail to hold before it is over.
    """

    type: Literal["metric"] = "metric"
    metric: str
    operator: Literal["GT", "LT", "GTE", "LTE", "EQ"] = "GT"
    threshold: float
    for_seconds: float = 5.0
    exit_s: float = 2.0
    queue_max_speed_px_s: float = 40.0


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongWay(RuleParameters):
    """逆向: moves against ``allowed`` (a direction as dx, dy in the picture) inside a zone.

    Established after ``min_distance`` frame heights of movement more than ``tolerance_deg`` off.
    ``exit_s``: how long it may be outside or unseen before it has left.
    """

    type: Literal["wrong_way"] = "wrong_way"
    zone: str
    allowed: tuple[float, float]
    classes: tuple[str, ...] = VEHICLES
    severity: RiskLevel = "high"
    min_distance: float = 0.1
    tolerance_deg: float = 100.0
    exit_s: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed(RuleParameters):
    """速度: faster than the limit inside a zone for ``min_seconds``.

    ``limit`` (frame heights per second) is the relative alternative to ``limit_px_s``. ``exit_s``:
    how long it may be slower, outside or unseen before it is over.
    """

    type: Literal["speed"] = "speed"
    zone: str
    classes: tuple[str, ...] = VEHICLES
    limit_px_s: float = 300.0
    limit: float | None = None
    min_seconds: float = 0.6
    exit_s: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PostLeft(RuleParameters):
    """離崗: fewer than ``min_people`` in the zone for ``min_seconds`` after it was manned.

    It must have been manned since the start of its hours. ``exit_s``: manned again for this long it
    is over.
    """

    type: Literal["post_left"] = "post_left"
    zone: str
    min_people: int = 1
    min_seconds: float = 60.0
    exit_s: float = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraTampered(RuleParameters):
    """鏡頭異常: the view stays dark, blurred or shifted for ``min_seconds``.

    ``exit_s``: well again for this long it is over.
    """

    type: Literal["camera_tampered"] = "camera_tampered"
    classes: tuple[str, ...] = ()
    severity: RiskLevel = "high"
    min_seconds: float = 2.0
    exit_s: float = 1.0


Rule = (
    LineCrossing
    | Intrusion
    | Loitering
    | Pacing
    | AbandonedObject
    | Crowding
    | Metric
    | WrongWay
    | Speed
    | PostLeft
    | CameraTampered
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Everything the rules need to know of one camera."""

    camera_id: str
    timezone: str = "UTC"
    zones: tuple[Zone, ...] = ()
    tripwires: tuple[Tripwire, ...] = ()
    rules: tuple[Rule, ...] = field(default=())
