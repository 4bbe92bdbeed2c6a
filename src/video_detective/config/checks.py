"""What types alone cannot say of a document: references, geometry, bounds."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import fields
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from video_detective.alerts import AlertRule
from video_detective.config.base import IDENTIFIER, Camera, Coordinates, SceneDocument
from video_detective.detection.base import CLASS_GROUPS
from video_detective.errors import Flaw
from video_detective.geometry import Polygon
from video_detective.rules import EVENT_TYPES, Rule

FieldPath = tuple[str | int, ...]
"""Keys and indices from the document's root to a field."""
Problem = tuple[FieldPath, str]
"""What is wrong, in English; a ``Flaw`` where people may meet it on a page."""

METRICS = (
    "zones.*.count",
    "zones.*.queue_length",
    "zones.*.max_dwell_s",
    "zones.*.mean_dwell_s",
    "tripwires.*.left_to_right",
    "tripwires.*.right_to_left",
)
"""Forms of a metric's path; ``*`` is the id of a zone or tripwire."""
_METRIC = re.compile(
    r"zones\.(?P<zone>[^.]+)\.(?:count|queue_length|max_dwell_s|mean_dwell_s)"
    r"|tripwires\.(?P<tripwire>[^.]+)\.(?:left_to_right|right_to_left)"
)
_LEAST: Mapping[str, float] = {
    "min_people": 1,
    "min_crossings": 2,
    "enter_frames": 1,
    "exit_frames": 1,
    "limit_px_s": 1e-6,
    "limit": 1e-6,
    "min_distance": 1e-6,
    "min_leg": 1e-6,
    "radius": 1e-6,
    "max_gap_s": 1e-3,
    "window_s": 1e-3,
}
"""Lower bounds of rule fields; every other number except ``threshold`` must be 0 or more."""


MOST_NUMBER = 1e9
"""Of every number: seconds beyond it (thirty years) would not fit the clock."""


def least_of(name: str) -> float:
    """The lower bound of a rule's or alert rule's number of that name."""
    return -MOST_NUMBER if name == "threshold" else _LEAST.get(name, 0)


def timezone_problem(name: object) -> Flaw | None:
    """Why the name is no IANA time zone, or None when it is one."""
    try:
        ZoneInfo(str(name))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return Flaw(
            f"{name!r} is no time zone; use an IANA name such as Asia/Taipei",
            reason="timezone_unknown",
            value=str(name),
        )
    return None


def check(camera_id: str, camera: Camera) -> Iterator[Problem]:
    """What types alone cannot say of a camera."""
    here: FieldPath = ("cameras", camera_id)
    if (problem := timezone_problem(camera.timezone)) is not None:
        yield (*here, "timezone"), problem
    yield from check_scene(here, camera)


def check_scene(here: FieldPath, camera: SceneDocument) -> Iterator[Problem]:
    """What types alone cannot say of a scene: references, geometry, bounds.

    Args:
        here: Where the scene stands in its document.
        camera: The scene, or the camera that it is part of.
    """
    if camera.frame_size is not None and not all(16 <= n <= 65_536 for n in camera.frame_size):
        flaw = Flaw(
            f"{list(camera.frame_size)} is no picture size in pixels", reason="frame_size_wrong"
        )
        yield (*here, "frame_size"), flaw
        return
    if camera.sampling.idle_fps > camera.sampling.fps:
        yield (
            (*here, "sampling", "idle_fps"),
            Flaw(
                f"{camera.sampling.idle_fps:g} is more than fps ({camera.sampling.fps:g})",
                reason="more_than_fps",
                value=camera.sampling.idle_fps,
                fps=camera.sampling.fps,
            ),
        )
    yield from _check_classes((*here, "detection", "classes"), camera.detection.classes)
    for key, zone in camera.zones.items():
        path = (*here, "zones", key, "points")
        yield from _check_points(path, camera, zone.points)
        polygon = Polygon(tuple(camera.relative(p) for p in zone.points))
        if (edges := polygon.crossing_edges()) is not None:
            flaw = Flaw(
                f"the outline crosses itself (edge {edges[0] + 1} meets edge {edges[1] + 1}); "
                "list the corners in order around the zone",
                reason="outline_crosses",
                first=edges[0] + 1,
                second=edges[1] + 1,
            )
            yield path, flaw
        elif polygon.area() < 1e-5:
            yield (
                path,
                Flaw("the zone has no area; its points lie on one line", reason="zone_flat"),
            )
    for key, wire in camera.tripwires.items():
        path = (*here, "tripwires", key, "points")
        yield from _check_points(path, camera, wire.points)
        for index, (a, b) in enumerate(zip(wire.points, wire.points[1:], strict=False)):
            if a == b:
                flaw = Flaw(
                    f"the same point as the one before it, {list(b)}", reason="point_repeated"
                )
                yield (*path, index + 1), flaw
    seen: set[str] = set()
    for index, rule in enumerate(camera.rules):
        path = (*here, "rules", index)
        if rule.id in seen:
            said = f"{rule.id!r} is already the id of another rule"
            yield (*path, "id"), _id_taken(said, rule.id)
        seen.add(rule.id)
        yield from _check_rule(path, camera, rule)
    yield from _check_alerts((*here, "alerts"), camera.alerts or (), seen)


def _check_alerts(
    path: FieldPath, alerts: Sequence[AlertRule], rules: Collection[str]
) -> Iterator[Problem]:
    seen: set[str] = set()
    for index, alert in enumerate(alerts):
        here = (*path, index)
        if alert.id in seen:
            said = f"{alert.id!r} is already the id of another alert rule"
            yield (*here, "id"), _id_taken(said, alert.id)
        seen.add(alert.id)
        if not re.fullmatch(IDENTIFIER, alert.id):
            yield (*here, "id"), _id_wrong(alert.id)
        for place, rule_id in enumerate(alert.rules):
            if rule_id not in rules:
                yield (*here, "rules", place), _no_such("rule", rule_id, dict.fromkeys(rules))
        for place, kind in enumerate(alert.types):
            if kind not in EVENT_TYPES:
                flaw = Flaw(
                    f"there is no event type {kind!r}; use some of {', '.join(EVENT_TYPES)}",
                    reason="choice_unknown",
                    value=kind,
                    choices=EVENT_TYPES,
                )
                yield (*here, "types", place), flaw
        yield from _check_bounds((*here, "cooldown_s"), alert.cooldown_s, least_of("cooldown_s"))
        if alert.threshold is not None:
            yield from _check_bounds((*here, "threshold"), alert.threshold, least_of("threshold"))


def _check_points(
    path: FieldPath, camera: SceneDocument, points: Sequence[Coordinates]
) -> Iterator[Problem]:
    for index, point in enumerate(points):
        if not all(0 <= value <= 1 for value in camera.relative(point)):
            width, height = camera.frame_size or (1, 1)
            hint = (
                "" if camera.frame_size else "; for pixel coordinates give the camera's frame_size"
            )
            flaw = Flaw(
                f"{list(point)} lies outside the picture (0..{width} and 0..{height}){hint}",
                reason="point_outside",
                point=point,
                width=width,
                height=height,
            )
            yield (*path, index), flaw


def _check_classes(path: FieldPath, classes: Sequence[str]) -> Iterator[Problem]:
    for name in classes:
        if name not in CLASS_GROUPS:
            flaw = Flaw(
                f"there is no class {name!r}; use some of {', '.join(CLASS_GROUPS)}",
                reason="choice_unknown",
                value=name,
                choices=tuple(CLASS_GROUPS),
            )
            yield path, flaw


def _check_rule(path: FieldPath, camera: SceneDocument, rule: Rule) -> Iterator[Problem]:
    if not re.fullmatch(IDENTIFIER, rule.id):
        yield (*path, "id"), _id_wrong(rule.id)
    yield from _check_classes((*path, "classes"), rule.classes)
    for attribute, known in (("zone", camera.zones), ("tripwire", camera.tripwires)):
        named = getattr(rule, attribute, None)
        if named is not None and named not in known:
            yield (*path, attribute), _no_such(attribute, named, known)
    for item in fields(rule):
        value = getattr(rule, item.name)
        numbers = value.values() if isinstance(value, dict) else (value,)
        for number in numbers:
            if not isinstance(number, int | float) or isinstance(number, bool):
                continue
            yield from _check_bounds((*path, item.name), number, least_of(item.name))
        if isinstance(value, dict):
            yield from _check_classes((*path, item.name), tuple(value))
    if rule.type == "metric":
        match = _METRIC.fullmatch(rule.metric)
        if match is None:
            flaw = Flaw(
                f"{rule.metric!r} is no metric; use zones.<zone>.count, .queue_length, "
                ".max_dwell_s, .mean_dwell_s, tripwires.<tripwire>.left_to_right "
                "or .right_to_left",
                reason="metric_unknown",
                value=rule.metric,
            )
            yield (*path, "metric"), flaw
        else:
            for attribute, known in (("zone", camera.zones), ("tripwire", camera.tripwires)):
                named = match[attribute]
                if named is not None and named not in known:
                    yield (*path, "metric"), _no_such(attribute, named, known)
    if rule.type == "crowding" and rule.zone is None and rule.radius is None:
        yield path, Flaw("crowding needs a zone, a radius, or both", reason="crowding_needs")
    if rule.type == "wrong_way" and math.hypot(*rule.allowed) == 0:
        flaw = Flaw("[0, 0] points nowhere; give dx, dy such as [1, 0]", reason="no_direction")
        yield (*path, "allowed"), flaw


def _check_bounds(path: FieldPath, number: float, least: float) -> Iterator[Problem]:
    if number < least:
        yield path, Flaw(f"{number:g} must be at least {least:g}", reason="below", least=least)
    elif number > MOST_NUMBER:
        flaw = Flaw(f"{number:g} must be at most {MOST_NUMBER:g}", reason="above", most=MOST_NUMBER)
        yield path, flaw


def _no_such(what: str, named: str, known: Mapping[str, object]) -> Flaw:
    listing = f"use one of {', '.join(known)}" if known else f"the camera has no {what}s"
    return Flaw(
        f"there is no {what} {named!r}; {listing}", reason="not_in_scene", what=what, id=named
    )


def _id_taken(said: str, named: str) -> Flaw:
    return Flaw(said, reason="id_taken", id=named)


def _id_wrong(named: str) -> Flaw:
    said = f"{named!r} may have only letters, digits, '_' and '-'"
    return Flaw(said, reason="id_wrong", id=named)
