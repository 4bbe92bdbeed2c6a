"""The events that must be found, worked out from the script and the camera document alone.

This is deliberately another program than the rule engine: it knows where everybody is at every
moment and looks at the whole play at once, without tracks, state, sampling or hysteresis. Where
the two agree, both are probably right.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import resources
from itertools import pairwise

from video_detective import config
from video_detective.geometry import NS_PER_S, Point, Polygon, line_side, segments_meet
from video_detective.rules import Scene, Tripwire
from video_detective.rules.parameters import (
    AbandonedObject,
    CameraTampered,
    Crowding,
    Intrusion,
    LineCrossing,
    Loitering,
    Metric,
    Pacing,
    Rule,
    WrongWay,
)
from video_detective.services.scripted_scene.actors import Actor, Kind
from video_detective.services.scripted_scene.script import (
    DURATION_S,
    HEIGHT,
    SCRIPT,
    START_NS,
    WIDTH,
    Script,
)

STEP_S = 0.05
"""Grid on which the script is read: a tenth of the tolerance of the comparison."""
REFERENCE_SCALE = 720 / HEIGHT
"""``*_px_s`` speeds are those of a picture 720 pixels high."""

Span = tuple[float, float]
"""(first, last) s at which something holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedEvent:
    """One event that must be found.

    Args:
        type, rule_id, zone, tripwire: As in ``rules.Event``.
        direction: ``left_to_right`` or ``right_to_left`` of a crossing.
        track_class: Class of its subject; None where it has none or many.
        count: Peak number of people, where the rule counts.
        start_ns, end_ns: UTC ns; equal for an instant.
        actors: Names in the script, for the reader.
    """

    type: str
    rule_id: str
    start_ns: int
    end_ns: int
    zone: str | None = None
    tripwire: str | None = None
    direction: str | None = None
    track_class: str | None = None
    count: int | None = None
    actors: tuple[str, ...] = ()


def document() -> config.Document:
    """The camera document of the scripted scene."""
    return config.parse(document_text(), name="scene.yaml")


def document_text() -> str:
    """The same as YAML, to write beside the film."""
    return resources.files(__package__).joinpath("scene.yaml").read_text(encoding="utf-8")


def expected_events(scene: Scene, script: Script = SCRIPT) -> tuple[ExpectedEvent, ...]:
    """Every event that the scene's rules must make of the script, in order of start.

    Raises:
        NotImplementedError: the scene has a rule of a type that the script does not play.
    """
    found = [event for rule in scene.rules for event in _of_rule(rule, scene, script)]
    return tuple(sorted(found, key=lambda event: (event.start_ns, event.rule_id)))


def _of_rule(rule: Rule, scene: Scene, script: Script) -> Iterator[ExpectedEvent]:
    match rule:
        case LineCrossing():
            wire = next(w for w in scene.tripwires if w.id == rule.tripwire)
            return _crossings(rule, wire, script)
        case Intrusion():
            return _stays(rule, scene, script, lambda actor, span: _length(span) >= rule.enter_s)
        case Loitering():
            return _stays(rule, scene, script, lambda actor, span: _loiters(rule, actor, span))
        case Pacing():
            return _pacing(rule, scene, script)
        case WrongWay():
            return _stays(rule, scene, script, lambda actor, span: _is_wrong(rule, actor, span))
        case AbandonedObject():
            return _abandoned(rule, scene, script)
        case Crowding() if rule.zone is not None:
            return _counted(rule, rule.zone, rule.min_people, rule.min_seconds, scene, script)
        case Metric() if rule.operator == "GT" and rule.metric.endswith(".count"):
            zone = rule.metric.split(".")[1]
            return _counted(
                rule, zone, math.floor(rule.threshold) + 1, rule.for_seconds, scene, script
            )
        case CameraTampered():
            return iter([_event(rule, script.covered)])
        case _:
            raise NotImplementedError(f"the script does not play rule {rule.id!r}")


def _event(
    rule: Rule,
    span: Span,
    *,
    zone: str | None = None,
    tripwire: str | None = None,
    direction: str | None = None,
    track_class: str | None = None,
    count: int | None = None,
    actors: tuple[str, ...] = (),
) -> ExpectedEvent:
    return ExpectedEvent(
        type=rule.type,
        rule_id=rule.id,
        start_ns=_utc(span[0]),
        end_ns=_utc(span[1]),
        zone=zone,
        tripwire=tripwire,
        direction=direction,
        track_class=track_class,
        count=count,
        actors=actors,
    )


def _utc(t: float) -> int:
    return START_NS + round(t * 1000) * (NS_PER_S // 1000)


def _length(span: Span) -> float:
    return span[1] - span[0]


def _grid() -> list[float]:
    return [n * STEP_S for n in range(round(DURATION_S / STEP_S))]


def _spans(holds: Callable[[float], bool]) -> list[Span]:
    """The longest runs of the grid on which something holds."""
    spans: list[Span] = []
    since: float | None = None
    last = 0.0
    for t in _grid():
        if holds(t):
            since, last = (t if since is None else since), t
        elif since is not None:
            spans.append((since, last))
            since = None
    if since is not None:
        spans.append((since, last))
    return spans


def _foot(actor: Actor, t: float) -> Point | None:
    """Relative foot point; None while the actor is not in the picture."""
    pose = actor.pose(t)
    if pose is None or not 0 <= pose.x < WIDTH:
        return None
    return pose.x / WIDTH, pose.y / HEIGHT


def _pixels(a: Point, b: Point) -> float:
    """Distance in pixels of two relative points."""
    return math.hypot((a[0] - b[0]) * WIDTH, (a[1] - b[1]) * HEIGHT)


def _watched(rule: Rule, script: Script) -> Iterator[tuple[Actor, str]]:
    """The actors of the rule's classes, with their class."""
    classes: dict[Kind, str] = {"person": "person", "car": "car", "bag": "object"}
    for actor in script.actors:
        if classes[actor.kind] in rule.classes:
            yield actor, classes[actor.kind]


def _polygon(scene: Scene, zone: str) -> Polygon:
    return next(z.polygon for z in scene.zones if z.id == zone)


def _is_inside(actor: Actor, polygon: Polygon, t: float) -> bool:
    foot = _foot(actor, t)
    return foot is not None and polygon.contains(foot)


def _crossings(rule: LineCrossing, wire: Tripwire, script: Script) -> Iterator[ExpectedEvent]:
    """Steps over a segment by someone who then goes on to beyond the hysteresis."""
    for actor, name in _watched(rule, script):
        feet = [(t, foot) for t in _grid() if (foot := _foot(actor, t)) is not None]
        for (_, before), (t, after) in pairwise(feet):
            for a, b in pairwise(wire.points):
                if before == after or not segments_meet(before, after, a, b):
                    continue
                side_before, side_after = _side(before, a, b), _side(after, a, b)
                if (side_before < 0) == (side_after < 0):
                    continue
                way = "left_to_right" if side_after >= 0 else "right_to_left"
                if rule.direction not in ("any", way) or not _goes_on(
                    feet, t, a, b, sign=1 if side_after >= 0 else -1, margin=rule.hysteresis
                ):
                    continue
                yield _event(
                    rule,
                    (t, t),
                    tripwire=wire.id,
                    direction=way,
                    track_class=name,
                    actors=(actor.name,),
                )


def _side(point: Point, a: Point, b: Point) -> float:
    """Distance to the right of the line, in frame heights."""
    aspect = WIDTH / HEIGHT
    return line_side((point[0] * aspect, point[1]), (a[0] * aspect, a[1]), (b[0] * aspect, b[1]))


def _goes_on(
    feet: Sequence[tuple[float, Point]],
    since: float,
    a: Point,
    b: Point,
    *,
    sign: int,
    margin: float,
) -> bool:
    """Whether the way after ``since`` gets ``margin`` beyond the line before it turns back."""
    for t, foot in feet:
        if t < since:
            continue
        depth = sign * _side(foot, a, b)
        if depth > margin:
            return True
        if depth < 0:
            return False
    return False


def _stays(
    rule: Intrusion | Loitering | WrongWay,
    scene: Scene,
    script: Script,
    counts: Callable[[Actor, Span], bool],
) -> Iterator[ExpectedEvent]:
    """Uninterrupted stays in the rule's zone that ``counts`` accepts."""
    polygon = _polygon(scene, rule.zone)
    for actor, name in _watched(rule, script):
        for span in _spans(partial(_is_inside, actor, polygon)):
            if counts(actor, span):
                yield _event(rule, span, zone=rule.zone, track_class=name, actors=(actor.name,))


def _way_px(actor: Actor, span: Span) -> float:
    """Length of the way in pixels."""
    start, end = actor.pose(span[0]), actor.pose(span[1])
    return end.walked_px - start.walked_px if start is not None and end is not None else 0.0


def _loiters(rule: Loitering, actor: Actor, span: Span) -> bool:
    needed = rule.min_seconds
    seconds = needed if isinstance(needed, int | float) else needed.get(actor.kind, math.inf)
    if _length(span) < seconds:
        return False
    return _way_px(actor, span) / _length(span) * REFERENCE_SCALE <= rule.max_speed_px_s


def _pacing(rule: Pacing, scene: Scene, script: Script) -> Iterator[ExpectedEvent]:
    """To and fro inside the zone from the first long leg on, or in and out of the zone."""
    polygon = _polygon(scene, rule.zone)
    for actor, name in _watched(rule, script):
        stays = _spans(partial(_is_inside, actor, polygon))
        spans = [
            (legs[0], stay[1])
            for stay in stays
            if len(legs := _legs(rule, actor, stay)) >= rule.min_crossings
        ]
        if 2 * len(stays) >= rule.min_crossings:
            spans.append((stays[0][0], stays[-1][1]))
        for span in spans:
            yield _event(rule, span, zone=rule.zone, track_class=name, actors=(actor.name,))


def _legs(rule: Pacing, actor: Actor, stay: Span) -> list[float]:
    """When each straight walk inside the zone got as long as ``min_leg``; pauses do not count."""
    corners = [stay[0], *(t for t, _, _ in actor.way if stay[0] < t < stay[1]), stay[1]]
    reached = []
    for start, end in pairwise(corners):
        share = rule.min_leg * HEIGHT / max(_way_px(actor, (start, end)), 1e-9)
        if share <= 1:
            reached.append(start + share * (end - start))
    return reached


def _is_wrong(rule: WrongWay, actor: Actor, span: Span) -> bool:
    start, end = actor.pose(span[0]), actor.pose(span[1])
    if start is None or end is None:
        return False
    dx, dy = end.x - start.x, end.y - start.y
    distance = math.hypot(dx, dy)
    if distance < rule.min_distance * HEIGHT:
        return False
    ax, ay = rule.allowed
    cosine = (dx * ax + dy * ay) / (distance * math.hypot(ax, ay))
    return math.degrees(math.acos(max(-1.0, min(1.0, cosine)))) > rule.tolerance_deg


def _abandoned(rule: AbandonedObject, scene: Scene, script: Script) -> Iterator[ExpectedEvent]:
    """From when the last person is further away than ``owner_distance`` until the thing is gone."""
    polygon = _polygon(scene, rule.zone)
    people = [actor for actor in script.actors if actor.kind == "person"]

    def is_alone(thing: Actor, t: float) -> bool:
        place = _foot(thing, t)
        if place is None or not polygon.contains(place):
            return False
        feet = (_foot(person, t) for person in people)
        return all(
            foot is None or _pixels(foot, place) > rule.owner_distance * HEIGHT for foot in feet
        )

    for thing, name in _watched(rule, script):
        alone = [
            span for span in _spans(partial(is_alone, thing)) if _length(span) >= rule.min_seconds
        ]
        if alone:
            yield _event(
                rule,
                (alone[0][0], thing.way[-1][0]),
                zone=rule.zone,
                track_class=name,
                actors=(thing.name, script.bag_owner),
            )


def _counted(
    rule: Crowding | Metric, zone: str, at_least: int, seconds: float, scene: Scene, script: Script
) -> Iterator[ExpectedEvent]:
    """Runs of at least ``seconds`` with at least so many in the zone, with the peak."""
    polygon = _polygon(scene, zone)
    watched = [actor for actor, _ in _watched(rule, script)]

    def inside(t: float) -> tuple[str, ...]:
        return tuple(actor.name for actor in watched if _is_inside(actor, polygon, t))

    for span in _spans(lambda t: len(inside(t)) >= at_least):
        if _length(span) < seconds:
            continue
        fullest = max((inside(t) for t in _grid() if span[0] <= t <= span[1]), key=len)
        yield _event(rule, span, zone=zone, count=len(fullest), actors=fullest)
