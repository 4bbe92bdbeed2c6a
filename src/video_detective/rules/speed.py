"""速度 Speed: faster than the limit inside a zone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from video_detective.rules.base import Actor, Zone
from video_detective.rules.parameters import REFERENCE_HEIGHT, Speed
from video_detective.rules.runs import Run
from video_detective.rules.sight import Area, Finding, Mark, Sight, Stamp, ns, reference_px, seconds
from video_detective.rules.snapshot import plain, rebuild
from video_detective.rules.trail import MAX_GAP_NS, extend, net_speed

_WINDOW_NS = 500_000_000
"""Time over which speed is measured: short for a car, long against the jitter of boxes."""


@dataclass(slots=True, kw_only=True)
class Drive:
    """One track: its last moments, and its speeding if any."""

    type: str
    seen_ns: int
    trail: list[Mark] = field(default_factory=list)
    run: Run | None = None
    peak: Stamp | None = None
    peak_speed: float = 0.0


class SpeedMachine:
    """Established when faster than the limit for ``min_seconds``; open while it is.

    Speed is the net movement of the last half second.
    """

    def __init__(self, rule: Speed, zone: Zone) -> None:
        self._rule = rule
        self._area = Area(zone)
        self._limit = rule.limit_px_s / REFERENCE_HEIGHT if rule.limit is None else rule.limit
        self._drives: dict[str, Drive] = {}

    def update(self, sight: Sight) -> list[Finding]:
        """See ``Machine``."""
        found = []
        watched = sight.watched(self._rule.classes)
        for track_id, spot in watched.items():
            drive = self._drives.setdefault(track_id, Drive(type=spot.type, seen_ns=sight.time_ns))
            drive.seen_ns = sight.time_ns
            extend(drive.trail, spot.mark, window_ns=_WINDOW_NS)
            speed = net_speed(drive.trail, window_ns=_WINDOW_NS)
            is_inside = self._area.contains(spot)
            if is_inside and speed is not None and speed > self._limit:
                found += self._speeding(track_id, drive, speed)
            else:
                ended = "slowed" if is_inside else "left"
                found += self._slower(track_id, drive, sight.time_ns, ended)
        for track_id, drive in list(self._drives.items()):
            if track_id not in watched:
                found += self._slower(track_id, drive, sight.time_ns, "vanished")
                if sight.time_ns - drive.seen_ns > MAX_GAP_NS and drive.run is None:
                    del self._drives[track_id]
        return found

    def stop(self, ended: str) -> list[Finding]:
        """See ``Machine``."""
        found = [
            self._finding(track_id, drive, drive.run, ended)
            for track_id, drive in self._drives.items()
            if drive.run is not None and drive.run.established is not None
        ]
        self._drives.clear()
        return found

    def state(self) -> Any:
        """See ``Machine``."""
        return plain(self._drives)

    def restore(self, state: Any) -> None:
        """See ``Machine``."""
        self._drives = rebuild(dict[str, Drive], state)

    def _speeding(self, track_id: str, drive: Drive, speed: float) -> list[Finding]:
        stamp = drive.trail[-1].stamp()
        if drive.run is None:
            drive.run, drive.peak_speed = Run(first=stamp, last=stamp), 0.0
        if speed > drive.peak_speed:
            drive.peak, drive.peak_speed = stamp, speed
        if drive.run.holds(stamp, min_ns=ns(self._rule.min_seconds)):
            return [self._finding(track_id, drive, drive.run, None)]
        return []

    def _slower(self, track_id: str, drive: Drive, now_ns: int, ended: str) -> list[Finding]:
        run = drive.run
        if run is None or not run.fails(
            now_ns, min_ns=ns(self._rule.min_seconds), exit_ns=ns(self._rule.exit_s)
        ):
            return []
        drive.run = None
        return [] if run.established is None else [self._finding(track_id, drive, run, ended)]

    def _finding(self, track_id: str, drive: Drive, run: Run, ended: str | None) -> Finding:
        established, peak = run.established or run.last, drive.peak or run.last
        moments = [
            run.first.moment("exceeded", track_id),
            established.moment("established", track_id),
            peak.moment("peak", track_id),
        ]
        facts: dict[str, Any] = {
            "peak_speed_px_s": reference_px(drive.peak_speed),
            "limit_px_s": reference_px(self._limit),
            "duration_s": seconds(run.last.time_ns - run.first.time_ns),
        }
        if ended is not None:
            moments.append(run.last.moment("last_seen", track_id))
            facts["ended"] = ended
        return Finding(
            key=f"{track_id}@{run.first.time_ns}",
            subject=track_id,
            start_ns=run.first.time_ns,
            established_ns=established.time_ns,
            end_ns=None if ended is None else run.last.time_ns,
            frames=(run.first.frame, run.last.frame),
            zone=self._area.id,
            actors=(Actor(track_id=track_id, type=drive.type),),
            moments=tuple(sorted(moments, key=lambda moment: moment.time_ns)),
            facts=facts,
        )
