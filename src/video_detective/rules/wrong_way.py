"""逆向 Wrong way: against the allowed direction inside a zone."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from video_detective.geometry import NS_PER_S
from video_detective.rules.base import Actor, Zone
from video_detective.rules.parameters import WrongWay
from video_detective.rules.sight import (
    Area,
    Finding,
    Mark,
    Sight,
    distance,
    ns,
    reference_px,
    seconds,
)
from video_detective.rules.snapshot import plain, rebuild

_WAYPOINTS_PER_DISTANCE = 8
"""Waypoints lie ``min_distance`` over this apart."""
_MAX_WAYPOINTS = 32
"""Kept of one track; one that circles on less than ``min_distance`` leaves more than it needs."""


@dataclass(slots=True, kw_only=True)
class Drive:
    """One track's way through the zone.

    Args:
        type: Class name.
        last: Last observation inside.
        waypoints: Where it has been, evenly spaced, back to ``min_distance`` away.
        first, established: Start of the wrong way, and when it was long enough.
        wrong: Last observation in which it went the wrong way.
        angle_deg: Largest angle to the allowed direction.
    """

    type: str
    last: Mark
    waypoints: list[Mark] = field(default_factory=list)
    first: Mark | None = None
    established: Mark | None = None
    wrong: Mark | None = None
    angle_deg: float = 0.0


class WrongWayMachine:
    """Judges the movement from where the track was ``min_distance`` ago (on its way).

    It starts there, and ends when the track leaves the zone, is unseen for ``exit_s``, or has gone
    ``min_distance`` another way.
    """

    def __init__(self, rule: WrongWay, zone: Zone) -> None:
        self._rule = rule
        self._area = Area(zone)
        self._drives: dict[str, Drive] = {}

    def update(self, sight: Sight) -> list[Finding]:
        """See ``Machine``."""
        found = []
        watched = sight.watched(self._rule.classes)
        for track_id, spot in watched.items():
            if self._area.contains(spot):
                drive = self._drives.setdefault(track_id, Drive(type=spot.type, last=spot.mark))
                found += self._follow(track_id, drive, spot.mark)
        for track_id, drive in list(self._drives.items()):
            if sight.time_ns - drive.last.time_ns >= ns(self._rule.exit_s) and (
                drive.last.time_ns != sight.time_ns
            ):
                found += self._close(track_id, "left" if track_id in watched else "vanished")
                del self._drives[track_id]
        return found

    def stop(self, ended: str) -> list[Finding]:
        """See ``Machine``."""
        found = [one for track_id in self._drives for one in self._close(track_id, ended)]
        self._drives.clear()
        return found

    def state(self) -> Any:
        """See ``Machine``."""
        return plain(self._drives)

    def restore(self, state: Any) -> None:
        """See ``Machine``."""
        self._drives = rebuild(dict[str, Drive], state)

    def _follow(self, track_id: str, drive: Drive, mark: Mark) -> list[Finding]:
        drive.last = mark
        step = self._rule.min_distance / _WAYPOINTS_PER_DISTANCE
        if not drive.waypoints or distance(drive.waypoints[-1].at, mark.at) >= step:
            drive.waypoints = [*drive.waypoints, mark][-_MAX_WAYPOINTS:]
        far = [
            index
            for index, waypoint in enumerate(drive.waypoints)
            if distance(waypoint.at, mark.at) >= self._rule.min_distance
        ]
        if not far:
            return []
        drive.waypoints = drive.waypoints[far[-1] :]
        start = drive.waypoints[0]
        angle_deg = self._angle_deg(start, mark)
        if angle_deg <= self._rule.tolerance_deg:
            return self._close(track_id, "turned")
        drive.wrong, drive.angle_deg = mark, max(drive.angle_deg, angle_deg)
        if drive.established is None:
            drive.first, drive.established = start, mark
            return [self._finding(track_id, drive, None)]
        return []

    def _angle_deg(self, start: Mark, mark: Mark) -> float:
        dx, dy = mark.at[0] - start.at[0], mark.at[1] - start.at[1]
        ax, ay = self._rule.allowed
        return math.degrees(abs(math.atan2(ax * dy - ay * dx, ax * dx + ay * dy)))

    def _close(self, track_id: str, ended: str) -> list[Finding]:
        drive = self._drives[track_id]
        if drive.established is None:
            return []
        found = [self._finding(track_id, drive, ended)]
        drive.first, drive.established, drive.wrong, drive.angle_deg = None, None, None, 0.0
        return found

    def _finding(self, track_id: str, drive: Drive, ended: str | None) -> Finding:
        established = drive.established or drive.last
        first, last = drive.first or established, drive.wrong or established
        way, time_ns = distance(first.at, last.at), last.time_ns - first.time_ns
        moments = [first.moment("before", track_id), established.moment("established", track_id)]
        facts: dict[str, Any] = {
            "angle_deg": round(drive.angle_deg, 1),
            "distance_px": reference_px(way),
            "average_speed_px_s": reference_px(way * NS_PER_S / time_ns) if time_ns else 0.0,
            "duration_s": seconds(time_ns),
        }
        if ended is not None:
            moments.append(last.moment("last_seen", track_id))
            facts["ended"] = ended
        return Finding(
            key=f"{track_id}@{first.time_ns}",
            subject=track_id,
            start_ns=first.time_ns,
            established_ns=established.time_ns,
            end_ns=None if ended is None else last.time_ns,
            frames=(first.frame, last.frame),
            zone=self._area.id,
            actors=(Actor(track_id=track_id, type=drive.type),),
            moments=tuple(moments),
            facts=facts,
        )
