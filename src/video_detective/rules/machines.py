"""Which machine runs which rule, and whether a scene's rules can run at all."""

from __future__ import annotations

from collections import Counter
from typing import assert_never

from video_detective.rules.abandoned import AbandonedObjectMachine
from video_detective.rules.crowding import CrowdingMachine
from video_detective.rules.intrusion import IntrusionMachine
from video_detective.rules.line_crossing import LineCrossingMachine
from video_detective.rules.loitering import LoiteringMachine
from video_detective.rules.metric import MetricMachine, MetricPath
from video_detective.rules.pacing import PacingMachine
from video_detective.rules.parameters import (
    AbandonedObject,
    CameraTampered,
    Crowding,
    Intrusion,
    LineCrossing,
    Loitering,
    Metric,
    Pacing,
    PostLeft,
    Rule,
    Scene,
    Speed,
    WrongWay,
)
from video_detective.rules.post_left import PostLeftMachine
from video_detective.rules.schedule import is_timezone
from video_detective.rules.sight import Machine
from video_detective.rules.speed import SpeedMachine
from video_detective.rules.tampering import CameraTamperedMachine
from video_detective.rules.wrong_way import WrongWayMachine


def machine_for(rule: Rule, scene: Scene) -> Machine:
    """A fresh machine for ``rule``; the scene must have no ``problems_of``."""
    zones = {zone.id: zone for zone in scene.zones}
    tripwires = {tripwire.id: tripwire for tripwire in scene.tripwires}
    match rule:
        case LineCrossing():
            return LineCrossingMachine(rule, tripwires[rule.tripwire])
        case Intrusion():
            return IntrusionMachine(rule, zones[rule.zone])
        case Loitering():
            return LoiteringMachine(rule, zones[rule.zone])
        case Pacing():
            tripwire = None if rule.tripwire is None else tripwires[rule.tripwire]
            return PacingMachine(rule, zones[rule.zone], tripwire)
        case AbandonedObject():
            return AbandonedObjectMachine(rule, zones[rule.zone])
        case Crowding():
            return CrowdingMachine(rule, None if rule.zone is None else zones[rule.zone])
        case Metric():
            return MetricMachine(rule, zones, tripwires, scene.timezone)
        case WrongWay():
            return WrongWayMachine(rule, zones[rule.zone])
        case Speed():
            return SpeedMachine(rule, zones[rule.zone])
        case PostLeft():
            return PostLeftMachine(rule, zones[rule.zone])
        case CameraTampered():
            return CameraTamperedMachine(rule)
        case _:
            assert_never(rule)


def problems_of(scene: Scene) -> tuple[str, ...]:
    """Why the scene's rules cannot run, each in one sentence; () when they can."""
    zones = {zone.id for zone in scene.zones}
    tripwires = {tripwire.id for tripwire in scene.tripwires}
    found = [
        f"two rules have the id {rule_id!r}"
        for rule_id, count in Counter(rule.id for rule in scene.rules).items()
        if count > 1
    ]
    found += [
        f"tripwire {tripwire.id!r} has fewer than two different points"
        for tripwire in scene.tripwires
        if len(set(tripwire.points)) < 2
    ]
    zone_names = [scene.timezone, *(s.timezone for rule in scene.rules for s in rule.schedule)]
    found += [
        f"the time zone {name!r} is unknown"
        for name in dict.fromkeys(zone_names)
        if name is not None and not is_timezone(name)
    ]
    for rule in scene.rules:
        zone = getattr(rule, "zone", None)
        tripwire = getattr(rule, "tripwire", None)
        if isinstance(rule, Metric):
            path = MetricPath.parse(rule.metric)
            if path is None:
                found.append(f"rule {rule.id!r} names the unknown metric {rule.metric!r}")
                continue
            zone, tripwire = path.zone, path.tripwire
        if zone is not None and zone not in zones:
            found.append(f"rule {rule.id!r} names the unknown zone {zone!r}")
        if tripwire is not None and tripwire not in tripwires:
            found.append(f"rule {rule.id!r} names the unknown tripwire {tripwire!r}")
        if isinstance(rule, WrongWay) and rule.allowed == (0.0, 0.0):
            found.append(f"rule {rule.id!r} allows the direction [0, 0], which is none")
    return tuple(found)
