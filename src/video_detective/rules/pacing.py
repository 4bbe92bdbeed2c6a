"""徘徊 Pacing: to and fro over one short segment, or in and out of a zone, within a window."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from video_detective.rules.base import Actor, Moment, Tripwire, Zone
from video_detective.rules.crossing import Crossings
from video_detective.rules.crossing import Walk as LineWalk
from video_detective.rules.parameters import Pacing
from video_detective.rules.runs import Stay, follow_stays
from video_detective.rules.sight import Area, Finding, Mark, Sight, distance, ns, seconds
from video_detective.rules.snapshot import plain, rebuild

_HYSTERESIS = 0.01
"""Frame heights; as for line crossings."""
_MAX_GAP_NS = 2_000_000_000
"""As for line crossings."""
_MAX_MOMENTS = 8
"""Turns and passes kept as evidence: the latest."""


@dataclass(slots=True, kw_only=True)
class Leg:
    """The present stretch of a track's own way.

    Args:
        start: Its last turn, or where it came in.
        far: The observation farthest from ``start`` since.
        is_long: Whether that is at least ``min_leg``.
    """

    start: Mark
    far: Mark
    is_long: bool = False


@dataclass(slots=True, kw_only=True)
class Pace:
    """What is remembered of one track.

    Args:
        type: Class name.
        seen_ns: When it was last seen anywhere.
        was_outside: Whether that was outside the zone.
        leg: The present leg, while it is in the zone and no tripwire is named.
        passes: Passes over the segment within the window.
        visits: Entries and exits within the window.
        moments: Evidence for the passes and visits.
        first, established: First counted pass and the one that sufficed, of the open finding.
        count: Passes (or entries and exits) of the open finding.
        way: What is counted: ``tripwire``, ``legs`` or ``visits``.
    """

    type: str
    seen_ns: int
    was_outside: bool = False
    leg: Leg | None = None
    passes: list[Mark] = field(default_factory=list)
    visits: list[Mark] = field(default_factory=list)
    moments: list[Moment] = field(default_factory=list)
    first: Mark | None = None
    established: Mark | None = None
    count: int = 0
    way: str = ""


@dataclass(slots=True, kw_only=True)
class PacingState:
    """Tracks, their stays in the zone and their way over the tripwire."""

    paces: dict[str, Pace] = field(default_factory=dict)
    stays: dict[str, Stay] = field(default_factory=dict)
    lines: dict[str, LineWalk] = field(default_factory=dict)


class PacingMachine:
    """Established by the pass that makes ``min_crossings`` within ``window_s``.

    A pass is one over the named tripwire during a stay in the zone, or, without one, a leg: a
    stretch of at least ``min_leg`` between two turns, a turn being where the track has come back by
    ``min_leg``. So a straight walk is one pass, there and back two. Entries and exits count apart:
    an exit when the stay is over (``exit_s``), an entry when the track had been seen outside. It
    starts with the first counted pass and is open until the track leaves.
    """

    def __init__(self, rule: Pacing, zone: Zone, tripwire: Tripwire | None) -> None:
        self._rule = rule
        self._area = Area(zone)
        self._crossings = (
            None
            if tripwire is None
            else Crossings(tripwire, hysteresis=_HYSTERESIS, max_gap_ns=_MAX_GAP_NS)
        )
        self._paces: dict[str, Pace] = {}
        self._stays: dict[str, Stay] = {}

    def update(self, sight: Sight) -> list[Finding]:
        """See ``Machine``."""
        self._forget(sight.time_ns)
        watched = sight.watched(self._rule.classes)
        entering: set[str] = set()
        passed: dict[str, list[Mark]] = {}
        for track_id, seen in watched.items():
            pace = self._paces.setdefault(track_id, Pace(type=seen.type, seen_ns=sight.time_ns))
            is_inside = self._area.contains(seen)
            if is_inside and pace.was_outside and track_id not in self._stays:
                entering.add(track_id)
            pace.seen_ns, pace.was_outside = sight.time_ns, not is_inside
            if self._crossings is not None:
                passed[track_id] = [p.after for p in self._crossings.update(seen, sight.aspect)]
        found = []
        for track_id, stay, spot, status in follow_stays(
            self._stays,
            sight,
            area=self._area,
            classes=self._rule.classes,
            exit_ns=ns(self._rule.exit_s),
        ):
            pace = self._paces[track_id]
            was_open = pace.established is not None
            for mark in passed.get(track_id, ()):
                self._count(pace, "tripwire", mark, mark.moment("crossed", track_id))
            if self._crossings is None and spot is not None and status in ("inside", "away"):
                self._follow_leg(pace, track_id, spot.mark)
            if status == "left":
                self._count(pace, "visits", stay.last, stay.last.moment("left", track_id))
            elif track_id in entering:
                entered = stay.first.moment("entered", track_id)
                self._count(pace, "visits", stay.first, entered)
            if status in ("left", "vanished"):
                found += self._close(track_id, stay, status)
            elif pace.established is not None and not was_open:
                found.append(self._finding(track_id, stay, None))
        return found

    def stop(self, ended: str) -> list[Finding]:
        """See ``Machine``."""
        found = [
            finding
            for track_id, stay in self._stays.items()
            for finding in self._close(track_id, stay, ended)
        ]
        self._paces.clear()
        self._stays.clear()
        if self._crossings is not None:
            self._crossings.walks.clear()
        return found

    def state(self) -> Any:
        """See ``Machine``."""
        lines = {} if self._crossings is None else self._crossings.walks
        return plain(PacingState(paces=self._paces, stays=self._stays, lines=lines))

    def restore(self, state: Any) -> None:
        """See ``Machine``."""
        whole = rebuild(PacingState, state)
        self._paces, self._stays = whole.paces, whole.stays
        if self._crossings is not None:
            self._crossings.walks = whole.lines

    def _count(self, pace: Pace, way: str, mark: Mark, moment: Moment | None) -> None:
        """Count one pass, entry or exit; the one that suffices establishes."""
        marks = pace.visits if way == "visits" else pace.passes
        marks.append(mark)
        while mark.time_ns - marks[0].time_ns > ns(self._rule.window_s):
            del marks[0]
        if moment is not None:
            pace.moments = [*pace.moments, moment][-_MAX_MOMENTS:]
        if pace.established is None and len(marks) >= self._rule.min_crossings:
            pace.first, pace.established = marks[0], mark
            pace.way, pace.count = way, len(marks)
        elif pace.established is not None and way == pace.way:
            pace.count += 1

    def _follow_leg(self, pace: Pace, track_id: str, mark: Mark) -> None:
        leg = pace.leg
        if leg is None:
            pace.leg = Leg(start=mark, far=mark)
            return
        length = distance(leg.start.at, leg.far.at)
        if distance(leg.start.at, mark.at) > length:
            leg.far = mark
            length = distance(leg.start.at, mark.at)
        if length < self._rule.min_leg:
            return
        if not leg.is_long:
            leg.is_long = True
            self._count(pace, "legs", mark, None)
        back = (
            (leg.far.at[0] - mark.at[0]) * (leg.far.at[0] - leg.start.at[0])
            + (leg.far.at[1] - mark.at[1]) * (leg.far.at[1] - leg.start.at[1])
        ) / length
        if back >= self._rule.min_leg:
            pace.leg = Leg(start=leg.far, far=mark, is_long=True)
            self._count(pace, "legs", mark, leg.far.moment("turned", track_id))

    def _close(self, track_id: str, stay: Stay, ended: str) -> list[Finding]:
        pace = self._paces[track_id]
        found = [] if pace.established is None else [self._finding(track_id, stay, ended)]
        pace.leg, pace.first, pace.established = None, None, None
        pace.way, pace.count = "", 0
        return found

    def _finding(self, track_id: str, stay: Stay, ended: str | None) -> Finding:
        pace = self._paces[track_id]
        established = pace.established or stay.last
        first = pace.first or established
        last = max(stay.last, established, key=lambda mark: mark.time_ns)
        moments = [m for m in pace.moments if m.time_ns >= first.time_ns]
        moments.append(established.moment("established", track_id))
        facts: dict[str, Any] = {
            "crossings": pace.count,
            "way": pace.way,
            "duration_s": seconds(last.time_ns - first.time_ns),
        }
        if ended is not None:
            moments.append(stay.last.moment("left" if ended == "left" else "last_seen", track_id))
            facts["ended"] = ended
        return Finding(
            key=f"{track_id}@{established.time_ns}",
            subject=track_id,
            start_ns=first.time_ns,
            established_ns=established.time_ns,
            end_ns=None if ended is None else last.time_ns,
            frames=(first.frame, last.frame),
            zone=self._area.id,
            actors=(Actor(track_id=track_id, type=pace.type),),
            moments=tuple(dict.fromkeys(sorted(moments, key=lambda m: m.time_ns))),
            facts=facts,
        )

    def _forget(self, now_ns: int) -> None:
        if self._crossings is not None:
            self._crossings.forget(now_ns)
        limit_ns = ns(self._rule.window_s)
        for track_id, pace in list(self._paces.items()):
            if track_id not in self._stays and now_ns - pace.seen_ns > limit_ns:
                del self._paces[track_id]
