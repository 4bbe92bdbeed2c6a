"""離崗 Post left: a manned place without its people."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from video_detective.rules.base import Actor, Zone
from video_detective.rules.parameters import PostLeft
from video_detective.rules.runs import Run
from video_detective.rules.sight import Area, Finding, Sight, Stamp, ns, seconds
from video_detective.rules.snapshot import plain, rebuild


@dataclass(slots=True, kw_only=True)
class PostState:
    """Who was last there when it was manned, and since when it is not."""

    manned: Stamp | None = None
    people: list[tuple[str, str]] = field(default_factory=list)
    absence: Run | None = None


class PostLeftMachine:
    """Established ``min_seconds`` after a place that was manned is not; ends when it is again.

    Before its first manned observation (since the start, or since its hours began) an empty place
    is only not manned yet. One observation with enough people begins the time anew; once
    established it takes ``exit_s`` of them. While the view is not ``ok`` nobody can be seen and
    nothing is concluded.
    """

    def __init__(self, rule: PostLeft, zone: Zone) -> None:
        self._rule = rule
        self._area = Area(zone)
        self._state = PostState()

    def update(self, sight: Sight) -> list[Finding]:
        """See ``Machine``."""
        state, stamp = self._state, sight.stamp()
        people = [s for s in sight.watched(self._rule.classes).values() if self._area.contains(s)]
        absence = state.absence
        if sight.view != "ok":
            if absence is not None and absence.established is None:
                state.absence = None
            return []
        if len(people) >= self._rule.min_people:
            found = []
            if absence is None or absence.fails(
                sight.time_ns, min_ns=0, exit_ns=ns(self._rule.exit_s)
            ):
                found = self._close("returned")
                state.manned = stamp
                state.people = [(spot.track_id, spot.type) for spot in people]
            return found
        if state.manned is None:
            return []
        if absence is None:
            absence = state.absence = Run(first=stamp, last=stamp)
        if absence.holds(stamp, min_ns=ns(self._rule.min_seconds)):
            return [self._finding(state.manned, absence, None)]
        return []

    def stop(self, ended: str) -> list[Finding]:
        """See ``Machine``. After a cut it stays known that the place was manned."""
        found = self._close(ended)
        if ended == "hours":
            self._state = PostState()
        return found

    def state(self) -> Any:
        """See ``Machine``."""
        return plain(self._state)

    def restore(self, state: Any) -> None:
        """See ``Machine``."""
        self._state = rebuild(PostState, state)

    def _close(self, ended: str) -> list[Finding]:
        absence, self._state.absence = self._state.absence, None
        if absence is None or absence.established is None or self._state.manned is None:
            return []
        return [self._finding(self._state.manned, absence, ended)]

    def _finding(self, manned: Stamp, absence: Run, ended: str | None) -> Finding:
        established = absence.established or absence.last
        ids = tuple(track_id for track_id, _ in self._state.people)
        moments = [
            manned.moment("last_seen", *ids),
            absence.first.moment("left"),
            established.moment("established"),
        ]
        facts: dict[str, Any] = {
            "absent_s": seconds(absence.last.time_ns - absence.first.time_ns),
            "min_people": self._rule.min_people,
        }
        if ended is not None:
            moments.append(absence.last.moment("returned" if ended == "returned" else "ended"))
            facts["ended"] = ended
        return Finding(
            key=f"@{absence.first.time_ns}",
            subject="",
            start_ns=absence.first.time_ns,
            established_ns=established.time_ns,
            end_ns=None if ended is None else absence.last.time_ns,
            frames=(absence.first.frame, absence.last.frame),
            zone=self._area.id,
            actors=tuple(Actor(track_id=key, type=kind) for key, kind in self._state.people),
            moments=tuple(moments),
            facts=facts,
        )
