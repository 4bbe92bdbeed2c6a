"""One event out of the findings that belong together.

What one track does in one zone, be it entering, staying or pacing, is one story: findings of those
rules that overlap or follow within ``merge_gap_s`` are parts of one event. Its type is that of the
gravest part, it spans them all, and its facts keep each of them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from video_detective.rules.base import RISK_LEVELS, Actor, Event, Moment, Tripwire, Zone
from video_detective.rules.parameters import Rule
from video_detective.rules.sight import Finding, ns
from video_detective.rules.snapshot import plain

MERGED_TYPES = ("loitering", "pacing", "intrusion")
"""In rising order of gravity at equal risk level."""
_MAX_MOMENTS = 24
"""Moments kept of one event: the first and the last twelve (a description uses 5 to 12)."""


@dataclass(slots=True, kw_only=True)
class Part:
    """What one rule found in one event.

    Args:
        rule_id: Which rule.
        finding: The latest finding, as it stands now.
        past: Earlier findings of the same rule in this event, summed up.
        visits: How many findings these are together.
    """

    rule_id: str
    finding: Finding
    past: Finding | None = None
    visits: int = 1

    def whole(self) -> Finding:
        """All findings of this part as one; ``dwell_s`` is their sum."""
        if self.past is None:
            return self.finding
        return _sum(self.past, self.finding)

    def revisit(self, finding: Finding) -> None:
        """A further finding of the same rule begins."""
        self.past, self.finding = self.whole(), finding
        self.visits += 1


@dataclass(slots=True, kw_only=True)
class Case:
    """An event in the making.

    Args:
        event_id: Its id, that of the first part.
        parts: By rule, in order of joining.
        seen_ns: When its track was last in view.
        suppressed: Findings that cooldown kept from becoming events of their own.
    """

    event_id: str
    parts: list[Part] = field(default_factory=list)
    seen_ns: int = 0
    suppressed: int = 0

    def subject(self) -> tuple[str, str | None]:
        """Track and zone that it is about."""
        return self.parts[0].finding.subject, self.parts[0].finding.zone

    def start_ns(self) -> int:
        """Start of the earliest part."""
        return min(part.whole().start_ns for part in self.parts)

    def end_ns(self) -> int | None:
        """End of the last part; None while one goes on."""
        ends = [part.whole().end_ns for part in self.parts]
        closed = [end for end in ends if end is not None]
        return max(closed) if len(closed) == len(ends) else None


def takes(case: Case, finding: Finding, rule: Rule, rules: Mapping[str, Rule]) -> bool:
    """Whether a new finding of ``rule`` is part of ``case``.

    The gap may be as long as the most generous of the rules concerned allows.
    """
    first = case.parts[0]
    if (
        rule.type not in MERGED_TYPES
        or rules[first.rule_id].type not in MERGED_TYPES
        or case.subject() != (finding.subject, finding.zone)
    ):
        return False
    end_ns = case.end_ns()
    gap_s = max(rule.merge_gap_s, *(rules[part.rule_id].merge_gap_s for part in case.parts))
    return end_ns is None or finding.start_ns <= end_ns + ns(gap_s)


def join(case: Case, finding: Finding, rule: Rule) -> None:
    """Make ``finding`` part of ``case``."""
    for part in case.parts:
        if part.rule_id == rule.id:
            part.revisit(finding)
            return
    case.parts.append(Part(rule_id=rule.id, finding=finding))


def compose(
    case: Case,
    *,
    camera_id: str,
    rules: Mapping[str, Rule],
    zones: Mapping[str, Zone],
    tripwires: Mapping[str, Tripwire],
) -> Event:
    """The event as it stands."""
    gravest = max(case.parts, key=lambda part: gravity(rules[part.rule_id]))
    rule, main = rules[gravest.rule_id], gravest.whole()
    wholes = [part.whole() for part in case.parts]
    facts = _facts(gravest)
    if len(case.parts) > 1:
        facts["parts"] = [_as_part(part, rules[part.rule_id]) for part in case.parts]
    if case.suppressed:
        facts["suppressed"] = case.suppressed
    parameters = plain(rule)
    if main.zone is not None:
        parameters["zone_points"] = plain(zones[main.zone].polygon.points)
    if main.tripwire is not None:
        parameters["tripwire_points"] = plain(tripwires[main.tripwire].points)
    return Event(
        event_id=case.event_id,
        camera_id=camera_id,
        type=rule.type,
        risk_level=rule.severity,
        rule_id=rule.id,
        start_ns=case.start_ns(),
        established_ns=min(whole.established_ns for whole in wholes),
        end_ns=case.end_ns(),
        frames=(
            min(whole.frames[0] for whole in wholes),
            max(whole.frames[1] for whole in wholes),
        ),
        zone=main.zone,
        tripwire=main.tripwire,
        actors=_actors(wholes),
        moments=_moments(wholes),
        facts=facts,
        parameters=parameters,
    )


def gravity(rule: Rule) -> tuple[int, int]:
    """Sort key: risk level first, then intrusion over pacing over loitering."""
    kind = MERGED_TYPES.index(rule.type) if rule.type in MERGED_TYPES else -1
    return RISK_LEVELS.index(rule.severity), kind


def _facts(part: Part) -> dict[str, Any]:
    facts = dict(part.whole().facts)
    if part.visits > 1:
        facts["visits"] = part.visits
    return facts


def _as_part(part: Part, rule: Rule) -> dict[str, Any]:
    whole = part.whole()
    return {
        "type": rule.type,
        "rule_id": rule.id,
        "risk_level": rule.severity,
        "start_ns": whole.start_ns,
        "established_ns": whole.established_ns,
        "end_ns": whole.end_ns,
        "facts": _facts(part),
        "parameters": plain(rule),
    }


def _sum(past: Finding, now: Finding) -> Finding:
    facts = dict(now.facts)
    if "dwell_s" in past.facts and "dwell_s" in facts:
        facts["dwell_s"] = round(past.facts["dwell_s"] + facts["dwell_s"], 3)
    end_ns = now.end_ns
    if end_ns is not None and past.end_ns is not None:
        end_ns = max(past.end_ns, end_ns)
    return dataclasses.replace(
        now,
        start_ns=min(past.start_ns, now.start_ns),
        established_ns=min(past.established_ns, now.established_ns),
        end_ns=end_ns,
        frames=(min(past.frames[0], now.frames[0]), max(past.frames[1], now.frames[1])),
        actors=_actors([past, now]),
        moments=_moments([past, now]),
        facts=facts,
    )


def _actors(findings: Sequence[Finding]) -> tuple[Actor, ...]:
    actors = {(a.track_id, a.role): a for finding in reversed(findings) for a in finding.actors}
    order = dict.fromkeys((a.track_id, a.role) for finding in findings for a in finding.actors)
    return tuple(actors[key] for key in order)


def _moments(findings: Sequence[Finding]) -> tuple[Moment, ...]:
    every = dict.fromkeys(moment for finding in findings for moment in finding.moments)
    ordered = sorted(every, key=lambda moment: moment.time_ns)
    if len(ordered) > _MAX_MOMENTS:
        half = _MAX_MOMENTS // 2
        ordered = ordered[:half] + ordered[-half:]
    return tuple(ordered)
