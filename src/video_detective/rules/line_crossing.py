"""越線 Line crossing: a foot goes over the tripwire's segments."""

from __future__ import annotations

from typing import Any

from video_detective.geometry import NS_PER_S
from video_detective.rules.base import Actor, Tripwire
from video_detective.rules.crossing import Crossings, Pass, Walk
from video_detective.rules.parameters import LineCrossing
from video_detective.rules.schedule import rfc3339
from video_detective.rules.sight import Finding, Sight, Spot, distance, ns, reference_px
from video_detective.rules.snapshot import plain, rebuild


class LineCrossingMachine:
    """One instant event for each settled pass in a watched direction.

    Its time is when the line itself was passed; the observations before and after are evidence.
    """

    def __init__(self, rule: LineCrossing, tripwire: Tripwire) -> None:
        self._rule = rule
        self._tripwire = tripwire
        self._crossings = Crossings(
            tripwire, hysteresis=rule.hysteresis, max_gap_ns=ns(rule.max_gap_s)
        )

    def update(self, sight: Sight) -> list[Finding]:
        """See ``Machine``."""
        self._crossings.forget(sight.time_ns)
        return [
            self._finding(spot, one, sight.time_ns)
            for spot in sight.watched(self._rule.classes).values()
            for one in self._crossings.update(spot, sight.aspect)
            if self._rule.direction in ("any", direction(one))
        ]

    def stop(self, ended: str) -> list[Finding]:
        """See ``Machine``. Instants have nothing open."""
        self._crossings.walks.clear()
        return []

    def state(self) -> Any:
        """See ``Machine``."""
        return plain(self._crossings.walks)

    def restore(self, state: Any) -> None:
        """See ``Machine``."""
        self._crossings.walks = rebuild(dict[str, Walk], state)

    def _finding(self, spot: Spot, one: Pass, now_ns: int) -> Finding:
        way = direction(one)
        step_s = (one.after.time_ns - one.before.time_ns) / NS_PER_S
        return Finding(
            key=f"{spot.track_id}@{one.time_ns}",
            subject=spot.track_id,
            start_ns=one.time_ns,
            established_ns=now_ns,
            end_ns=one.time_ns,
            frames=(one.before.frame, one.after.frame),
            tripwire=self._tripwire.id,
            actors=(Actor(track_id=spot.track_id, type=spot.type),),
            moments=(
                one.before.moment("before", spot.track_id),
                one.after.moment("crossed", spot.track_id),
            ),
            facts={
                "direction": way,
                "direction_name": self._tripwire.left_to_right
                if way == "left_to_right"
                else self._tripwire.right_to_left,
                "crossed_at": rfc3339(one.time_ns),
                "point": [round(one.point[0], 6), round(one.point[1], 6)],
                "speed_px_s": reference_px(distance(one.before.at, one.after.at) / step_s),
            },
        )


def direction(one: Pass) -> str:
    """``left_to_right`` or ``right_to_left``."""
    return "left_to_right" if one.sign > 0 else "right_to_left"
