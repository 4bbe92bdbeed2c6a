"""Rules played over what was seen, and how the events of two plays differ. No I/O."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from video_detective.alerts import DEFAULT_ALERT_RULE, Alert
from video_detective.alerts.policy import alerts_for
from video_detective.config import Camera
from video_detective.geometry import NS_PER_S
from video_detective.rules import Event, Observation
from video_detective.rules.engine import RuleEngine

NEAR_NS = 60 * NS_PER_S
"""Events of one rule and place without a subject of their own, such as crowds, are the same one
moved when no more time than this lies between them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayedAlert:
    """An alert that would be made, and the event that it is about as it stands at the end."""

    alert: Alert
    event: Event


class Play:
    """One version of a scene over the moments of one or more analyses of a camera.

    Args:
        camera_id: Which camera.
        camera: Its document.
    """

    def __init__(self, camera_id: str, camera: Camera) -> None:
        self._scene = camera.scene(camera_id)
        self._alert_rules = (DEFAULT_ALERT_RULE,) if camera.alerts is None else camera.alerts
        self._engine = RuleEngine(self._scene)
        self._own: dict[str, Event] = {}
        self._closed: list[dict[str, Event]] = []
        self._alerts: dict[tuple[int, str, str], Alert] = {}

    def see(self, observations: Iterable[Observation]) -> None:
        """Take moments in, in order of time."""
        for observation in observations:
            self._note(self._engine.update(observation))

    def end_run(self, *, is_done: bool) -> None:
        """The analysis has no more moments; what is open ends there if its source ended."""
        if is_done:
            self._note(self._engine.finish())
        self._closed.append(self._own)
        self._own = {}
        self._engine = RuleEngine(self._scene)

    def events(self, since_ns: int, until_ns: int) -> list[Event]:
        """Events of ended runs that held at some time in ``[since_ns, until_ns)``, by start."""
        found = [
            event
            for run in self._closed
            for event in run.values()
            if event.start_ns < until_ns and (event.end_ns is None or event.end_ns >= since_ns)
        ]
        return sorted(found, key=lambda event: (event.start_ns, event.rule_id, event.event_id))

    def alerts(self, since_ns: int, until_ns: int) -> list[PlayedAlert]:
        """Alerts that would be made in ``[since_ns, until_ns)``, cool-down applied, by time."""
        made: dict[str, list[int]] = defaultdict(list)
        given: list[PlayedAlert] = []
        ordered = sorted(self._alerts.items(), key=lambda item: item[1].triggered_ns)
        for (run, event_id, rule_id), alert in ordered:
            latest = made[rule_id][-1] if made[rule_id] else None
            if latest is not None and latest > alert.triggered_ns - alert.cooldown_ns:
                continue
            made[rule_id].append(alert.triggered_ns)
            if since_ns <= alert.triggered_ns < until_ns:
                given.append(PlayedAlert(alert=alert, event=self._closed[run][event_id]))
        return given

    def _note(self, events: Sequence[Event]) -> None:
        for event in events:
            self._own[event.event_id] = event
            for alert in alerts_for(event, self._alert_rules, self._scene):
                key = (len(self._closed), alert.event_id, alert.alert_rule)
                self._alerts.setdefault(key, alert)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """An event that both versions find, with other times, type or risk.

    Args:
        now, draft: As either finds it.
        changed: Which of ``start``, ``end``, ``established``, ``type``, ``risk``, ``actors``.
    """

    now: Event
    draft: Event
    changed: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What a draft changes, each list in order of start.

    Args:
        appear: Only the draft finds these.
        vanish: Only the version in force finds these.
        moved: Both find these, otherwise.
        same: Both find these alike, as the version in force does.
    """

    appear: tuple[Event, ...]
    vanish: tuple[Event, ...]
    moved: tuple[Moved, ...]
    same: tuple[Event, ...]


def compare(now: Sequence[Event], draft: Sequence[Event]) -> Difference:
    """How the events of two plays of the same footage differ.

    The same event is one of the same rule, place and subject; among several the nearest in time.
    Events without a subject (crowds, metrics, posts) are the same when they overlap or nearly do.
    Ids are not compared: they are counted per play.
    """
    waiting: dict[tuple[str, ...], list[Event]] = defaultdict(list)
    for event in draft:
        waiting[_exactly(event)].append(event)
    same, left = [], []
    for event in now:
        twins = waiting.get(_exactly(event))
        if twins:
            twins.pop()
            same.append(event)
        else:
            left.append(event)
    rest: dict[tuple[str, ...], list[Event]] = defaultdict(list)
    for events in waiting.values():
        for event in events:
            rest[_identity(event)].append(event)
    moved, vanish = [], []
    for event in left:
        partner = _nearest(event, rest[_identity(event)])
        if partner is None:
            vanish.append(event)
        else:
            rest[_identity(event)].remove(partner)
            moved.append(Moved(now=event, draft=partner, changed=_changes(event, partner)))
    appear = sorted(
        (event for events in rest.values() for event in events),
        key=lambda event: (event.start_ns, event.rule_id),
    )
    return Difference(
        appear=tuple(appear), vanish=tuple(vanish), moved=tuple(moved), same=tuple(same)
    )


def alert_difference(
    now: Sequence[PlayedAlert], draft: Sequence[PlayedAlert]
) -> tuple[list[PlayedAlert], list[PlayedAlert]]:
    """The alerts that only the draft makes, and those that only the version in force makes."""
    return list(_without(draft, now)), list(_without(now, draft))


def _without(some: Sequence[PlayedAlert], others: Sequence[PlayedAlert]) -> Iterator[PlayedAlert]:
    there: dict[tuple[object, ...], int] = defaultdict(int)
    for one in others:
        there[_alert_key(one)] += 1
    for one in some:
        if there[_alert_key(one)] > 0:
            there[_alert_key(one)] -= 1
        else:
            yield one


def _alert_key(played: PlayedAlert) -> tuple[object, ...]:
    alert = played.alert
    return (alert.alert_rule, alert.severity, alert.triggered_ns, *_identity(played.event))


def event_key(event: Event) -> tuple[str, ...]:
    """The same for an event that is found again in the same footage, and for no other."""
    return _exactly(event)


def _exactly(event: Event) -> tuple[str, ...]:
    return (
        *_identity(event),
        event.type,
        event.risk_level,
        str(event.start_ns),
        str(event.established_ns),
        str(event.end_ns),
        *(f"{actor.role}:{actor.track_id}" for actor in event.actors),
    )


def _identity(event: Event) -> tuple[str, ...]:
    return (event.rule_id, event.zone or "", event.tripwire or "", _subject(event))


def _subject(event: Event) -> str:
    """The track that it is about; "" where it is about a place."""
    return next((actor.track_id for actor in event.actors if actor.role == "subject"), "")


def _nearest(event: Event, others: Sequence[Event]) -> Event | None:
    best: tuple[int, Event] | None = None
    for other in others:
        if not _subject(event) and _gap_ns(event, other) > NEAR_NS:
            continue
        distance = abs(event.start_ns - other.start_ns)
        if best is None or distance < best[0]:
            best = (distance, other)
    return None if best is None else best[1]


def _gap_ns(one: Event, other: Event) -> int:
    first, second = sorted((one, other), key=lambda event: event.start_ns)
    if first.end_ns is None:
        return 0
    return max(0, second.start_ns - first.end_ns)


def _changes(now: Event, draft: Event) -> tuple[str, ...]:
    pairs = {
        "start": (now.start_ns, draft.start_ns),
        "established": (now.established_ns, draft.established_ns),
        "end": (now.end_ns, draft.end_ns),
        "type": (now.type, draft.type),
        "risk": (now.risk_level, draft.risk_level),
        "actors": (now.actors, draft.actors),
    }
    return tuple(name for name, (a, b) in pairs.items() if a != b)
