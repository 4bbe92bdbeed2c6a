"""群聚 Crowding: many people at one place for a while."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from video_detective.rules.base import Actor, Zone
from video_detective.rules.parameters import Crowding
from video_detective.rules.runs import Run
from video_detective.rules.sight import Area, Finding, Sight, Spot, Stamp, distance, ns, seconds
from video_detective.rules.snapshot import plain, rebuild


@dataclass(slots=True, kw_only=True)
class Crowd:
    """A crowd: how long, and its peak (the first, when there are several)."""

    run: Run
    peak: Stamp
    members: list[tuple[str, str]]


@dataclass(slots=True, kw_only=True)
class CrowdingState:
    """The present crowd, if any."""

    crowd: Crowd | None = field(default=None)


class CrowdingMachine:
    """Established when ``min_people`` were there for ``min_seconds``.

    Fewer for less than ``exit_s`` do not end it, nor, before it is established, for less than a
    quarter of ``min_seconds`` (detections in a crowd flicker).
    """

    def __init__(self, rule: Crowding, zone: Zone | None) -> None:
        self._rule = rule
        self._area = None if zone is None else Area(zone)
        self._state = CrowdingState()

    def update(self, sight: Sight) -> list[Finding]:
        """See ``Machine``."""
        present = [
            spot
            for spot in sight.watched(self._rule.classes).values()
            if self._area is None or self._area.contains(spot)
        ]
        members = largest_group(present, self._rule.radius)
        crowd, stamp, min_ns = self._state.crowd, sight.stamp(), ns(self._rule.min_seconds)
        if len(members) < self._rule.min_people:
            if crowd is not None and crowd.run.fails(
                sight.time_ns, min_ns=min_ns, exit_ns=ns(self._rule.exit_s)
            ):
                return self.stop("dispersed")
            return []
        if crowd is None:
            crowd = Crowd(run=Run(first=stamp, last=stamp), peak=stamp, members=[])
            self._state.crowd = crowd
        if len(members) > len(crowd.members):
            crowd.peak, crowd.members = stamp, [(spot.track_id, spot.type) for spot in members]
        return [self._finding(crowd, None)] if crowd.run.holds(stamp, min_ns=min_ns) else []

    def stop(self, ended: str) -> list[Finding]:
        """See ``Machine``."""
        crowd, self._state.crowd = self._state.crowd, None
        if crowd is None or crowd.run.established is None:
            return []
        return [self._finding(crowd, ended)]

    def state(self) -> Any:
        """See ``Machine``."""
        return plain(self._state)

    def restore(self, state: Any) -> None:
        """See ``Machine``."""
        self._state = rebuild(CrowdingState, state)

    def _finding(self, crowd: Crowd, ended: str | None) -> Finding:
        run = crowd.run
        established = run.established or run.last
        ids = tuple(track_id for track_id, _ in crowd.members)
        moments = [
            run.first.moment("exceeded"),
            established.moment("established"),
            crowd.peak.moment("peak", *ids),
        ]
        facts: dict[str, Any] = {
            "peak_count": len(crowd.members),
            "min_people": self._rule.min_people,
            "duration_s": seconds(run.last.time_ns - run.first.time_ns),
        }
        if ended is not None:
            moments.append(run.last.moment("ended"))
            facts["ended"] = ended
        return Finding(
            key=f"@{run.first.time_ns}",
            subject="",
            start_ns=run.first.time_ns,
            established_ns=established.time_ns,
            end_ns=None if ended is None else run.last.time_ns,
            frames=(run.first.frame, run.last.frame),
            zone=None if self._area is None else self._area.id,
            actors=tuple(
                Actor(track_id=track_id, type=kind, role="member")
                for track_id, kind in crowd.members
            ),
            moments=tuple(sorted(moments, key=lambda moment: moment.time_ns)),
            facts=facts,
        )


def largest_group(spots: Sequence[Spot], radius: float | None) -> list[Spot]:
    """Those who count together: all, or the most people within ``radius`` of one of them.

    Not single linkage: a long queue is a chain of neighbours and no crowd. Of several groups of one
    size, that around the first.
    """
    if radius is None:
        return list(spots)
    groups = (
        [other for other in spots if distance(one.mark.at, other.mark.at) <= radius]
        for one in spots
    )
    return max(groups, key=len, default=[])
