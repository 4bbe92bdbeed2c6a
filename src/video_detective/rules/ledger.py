"""From findings to numbered events: cooldown, merging, ids."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from video_detective.rules.base import Event
from video_detective.rules.merge import Case, Part, compose, join, takes
from video_detective.rules.parameters import Intrusion, Loitering, Pacing, Rule, Scene
from video_detective.rules.schedule import local_date
from video_detective.rules.sight import Finding, ns
from video_detective.rules.snapshot import plain, rebuild


@dataclass(slots=True, kw_only=True)
class LedgerState:
    """What the ledger remembers.

    Args:
        cases: Events that may still change, by id.
        held: Findings that cooldown holds back: [rule id, finding].
        fired: Last event by rule and subject: [instant of establishment, event id].
        next_numbers: First unused number of each local date.
        throttled: Suppressed findings by rule.
    """

    cases: dict[str, Case] = field(default_factory=dict)
    held: list[tuple[str, Finding]] = field(default_factory=list)
    fired: dict[str, tuple[int, str]] = field(default_factory=dict)
    next_numbers: dict[str, int] = field(default_factory=dict)
    throttled: dict[str, int] = field(default_factory=dict)


class Ledger:
    """Turns what the rules find into events.

    A new finding joins the event it belongs to (``merge``); otherwise it becomes an event, unless
    the same rule fired for the same track and place within ``cooldown_s`` (from establishment to
    establishment). Then it is held: if it still lasts when the cooldown is over it becomes an event
    after all, with its true start; if it ends before, it is counted as suppressed, in ``throttled``
    and in the facts of the event that throttled it.
    """

    def __init__(self, scene: Scene, next_numbers: Mapping[str, int]) -> None:
        self._scene = scene
        self._rules: dict[str, Rule] = {rule.id: rule for rule in scene.rules}
        self._zones = {zone.id: zone for zone in scene.zones}
        self._tripwires = {tripwire.id: tripwire for tripwire in scene.tripwires}
        self._reach_ns = max((_reach_ns(rule) for rule in scene.rules), default=0)
        self._unused = dict(next_numbers)
        self._state = LedgerState(next_numbers=dict(next_numbers))

    @property
    def throttled(self) -> Mapping[str, int]:
        """Suppressed findings by rule id."""
        return dict(self._state.throttled)

    def state(self) -> Any:
        """What it remembers, as plain JSON."""
        return plain(self._state)

    def restore(self, state: Any) -> None:
        """Go on from ``state()``, with none of the numbers that were used elsewhere meanwhile."""
        self._state = rebuild(LedgerState, state)
        for date, number in self._unused.items():
            self._state.next_numbers[date] = max(number, self._state.next_numbers.get(date, 1))

    def update(
        self, now_ns: int, in_view: Collection[str], findings: Iterable[tuple[str, Finding]]
    ) -> tuple[Event, ...]:
        """Take in what one observation gave.

        Args:
            now_ns: Its time.
            in_view: Ids of the tracks in it.
            findings: (rule id, finding) pairs.

        Returns:
            The new and changed events in order of id.
        """
        changed: set[str] = set()
        for rule_id, finding in findings:
            self._take(self._rules[rule_id], finding, now_ns, changed)
        for rule_id, finding in list(self._state.held):
            if self._admit(self._rules[rule_id], finding, now_ns, changed):
                self._state.held.remove((rule_id, finding))
        events = tuple(self._event(event_id) for event_id in sorted(changed))
        self._prune(now_ns, in_view)
        return events

    def _take(self, rule: Rule, finding: Finding, now_ns: int, changed: set[str]) -> None:
        case = self._case_of(rule, finding)
        if case is not None:
            part = next(part for part in case.parts if part.rule_id == rule.id)
            part.finding = finding
            changed.add(case.event_id)
            return
        held = [(r, f) for r, f in self._state.held if (r, f.key) == (rule.id, finding.key)]
        for one in held:
            self._state.held.remove(one)
        if self._admit(rule, finding, now_ns, changed):
            return
        if finding.end_ns is None:
            self._state.held.append((rule.id, finding))
        else:
            self._suppress(rule, finding, changed)

    def _case_of(self, rule: Rule, finding: Finding) -> Case | None:
        for case in self._state.cases.values():
            for part in case.parts:
                if (part.rule_id, part.finding.key) == (rule.id, finding.key):
                    return case
        return None

    def _admit(self, rule: Rule, finding: Finding, now_ns: int, changed: set[str]) -> bool:
        for case in reversed(self._state.cases.values()):
            if takes(case, finding, rule, self._rules):
                join(case, finding, rule)
                changed.add(case.event_id)
                return True
        place = _place(rule, finding)
        fired = self._state.fired.get(place)
        if fired is not None and now_ns - fired[0] < ns(rule.cooldown_s):
            return False
        event_id = self._next_id(finding)
        self._state.fired[place] = (now_ns, event_id)
        self._state.cases[event_id] = Case(
            event_id=event_id, parts=[Part(rule_id=rule.id, finding=finding)]
        )
        changed.add(event_id)
        return True

    def _suppress(self, rule: Rule, finding: Finding, changed: set[str]) -> None:
        self._state.throttled[rule.id] = self._state.throttled.get(rule.id, 0) + 1
        _, event_id = self._state.fired[_place(rule, finding)]
        self._state.cases[event_id].suppressed += 1
        changed.add(event_id)

    def _next_id(self, finding: Finding) -> str:
        date = local_date(finding.start_ns, self._scene.timezone)
        number = self._state.next_numbers.get(date, 1)
        self._state.next_numbers[date] = number + 1
        return f"evt_{date}_{self._scene.camera_id}_{number:04d}"

    def _event(self, event_id: str) -> Event:
        return compose(
            self._state.cases[event_id],
            camera_id=self._scene.camera_id,
            rules=self._rules,
            zones=self._zones,
            tripwires=self._tripwires,
        )

    def _prune(self, now_ns: int, in_view: Collection[str]) -> None:
        """Forget closed events that nothing can join or be throttled by any more.

        A finding may be established long after it began. As long as a track is in view its latest
        event in a zone is kept, so that what it is about to do there can still join it.
        """
        for place, (fired_ns, _) in list(self._state.fired.items()):
            rule_id = place.split("\n", 1)[0]
            if now_ns - fired_ns >= ns(self._rules[rule_id].cooldown_s):
                del self._state.fired[place]
        throttling = {event_id for _, event_id in self._state.fired.values()}
        latest: set[tuple[str, str | None]] = set()
        for event_id, case in reversed(list(self._state.cases.items())):
            subject, end_ns = case.subject(), case.end_ns()
            if subject[0] in in_view and subject not in latest:
                case.seen_ns = now_ns
            latest.add(subject)
            if (
                end_ns is not None
                and now_ns - max(end_ns, case.seen_ns) > self._reach_ns
                and event_id not in throttling
            ):
                del self._state.cases[event_id]


def _place(rule: Rule, finding: Finding) -> str:
    """Key of what cooldown counts by: rule, place and track."""
    return "\n".join((rule.id, finding.zone or finding.tripwire or "", finding.subject))


def _reach_ns(rule: Rule) -> int:
    """How long after a track was last seen a finding of ``rule`` may still join its last event."""
    reach_s = rule.merge_gap_s
    if isinstance(rule, (Intrusion, Loitering)):
        reach_s += rule.exit_s
    elif isinstance(rule, Pacing):
        reach_s += rule.window_s
    return ns(reach_s)
