"""排隊/人數 Metric: a number about a zone or a tripwire, compared with a threshold."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from video_detective.rules.base import Actor, Tripwire, Zone
from video_detective.rules.crossing import Crossings, Walk
from video_detective.rules.line_crossing import direction
from video_detective.rules.parameters import REFERENCE_HEIGHT, Metric
from video_detective.rules.runs import Run, Stay, follow_stays
from video_detective.rules.schedule import local_date
from video_detective.rules.sight import Area, Finding, Mark, Sight, Stamp, ns, seconds
from video_detective.rules.snapshot import plain, rebuild
from video_detective.rules.trail import MAX_GAP_NS, extend, net_speed

ZONE_METRICS = {
    "count": "Number present",
    "queue_length": "Queue length",
    "max_dwell_s": "Longest stay",
    "mean_dwell_s": "Mean stay",
}
"""Metrics of a zone, and their names in messages."""
TRIPWIRE_METRICS = {
    "left_to_right": "Crossings left to right",
    "right_to_left": "Crossings right to left",
}
"""Metrics of a tripwire, and their names in messages."""

_HOLDS: Mapping[str, tuple[Callable[[float, float], bool], str, str]] = {
    "GT": (operator.gt, "exceeded threshold", ">"),
    "GTE": (operator.ge, "reached threshold", ">="),
    "LT": (operator.lt, "fell below threshold", "<"),
    "LTE": (operator.le, "fell to threshold", "<="),
    "EQ": (operator.eq, "equals threshold", "="),
}
_QUEUE_WINDOW_NS = 2_000_000_000
"""Over how long someone must have been slow to queue."""
_DWELL_EXIT_NS = 1_000_000_000
"""Absence after which a stay is over; as ``exit_s`` of loitering."""
_HYSTERESIS = 0.01
"""Frame heights; as for line crossings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricPath:
    """``zones.<id>.<name>`` or ``tripwires.<id>.<name>``, taken apart (ids may have dots)."""

    name: str
    zone: str | None = None
    tripwire: str | None = None

    @classmethod
    def parse(cls, path: str) -> MetricPath | None:
        """The parts of a path, or None when there is no such metric."""
        kind, _, rest = path.partition(".")
        key, _, name = rest.rpartition(".")
        if key and kind == "zones" and name in ZONE_METRICS:
            return cls(name=name, zone=key)
        if key and kind == "tripwires" and name in TRIPWIRE_METRICS:
            return cls(name=name, tripwire=key)
        return None


@dataclass(slots=True, kw_only=True)
class Excess:
    """The comparison holds: since when, the value that established it, and the extreme one."""

    run: Run
    peak: Stamp
    peak_value: float
    actual_value: float | None = None
    members: list[tuple[str, str]] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class MetricState:
    """What the metric is computed from, and whether the comparison holds."""

    excess: Excess | None = None
    stays: dict[str, Stay] = field(default_factory=dict)
    trails: dict[str, list[Mark]] = field(default_factory=dict)
    walks: dict[str, Walk] = field(default_factory=dict)
    date: str = ""
    passes: int = 0


class MetricMachine:
    """Established when the comparison held for ``for_seconds``; open while it holds.

    It may fail to hold for less than ``exit_s`` (before it is established, for less than a quarter
    of ``for_seconds``). A zone's metrics are those of the watched tracks seen inside in this
    observation; a tripwire counts from local midnight, through cuts. While the view is not ``ok``
    nothing is concluded.
    """

    def __init__(
        self,
        rule: Metric,
        zones: Mapping[str, Zone],
        tripwires: Mapping[str, Tripwire],
        timezone: str,
    ) -> None:
        path = MetricPath.parse(rule.metric)
        if path is None:
            raise ValueError(f"unknown metric {rule.metric!r}")
        self._rule = rule
        self._path = path
        self._timezone = timezone
        self._area = None if path.zone is None else Area(zones[path.zone])
        self._crossings = (
            None
            if path.tripwire is None
            else Crossings(tripwires[path.tripwire], hysteresis=_HYSTERESIS, max_gap_ns=MAX_GAP_NS)
        )
        self._state = MetricState()

    def update(self, sight: Sight) -> list[Finding]:
        """See ``Machine``."""
        if sight.view != "ok":
            if self._state.excess is not None and self._state.excess.run.established is None:
                self._state.excess = None
            return []
        value, members = self._measure(sight)
        compare, _, _ = _HOLDS[self._rule.operator]
        state, stamp, for_ns = self._state, sight.stamp(), ns(self._rule.for_seconds)
        if not compare(value, self._rule.threshold):
            if state.excess is not None and state.excess.run.fails(
                sight.time_ns, min_ns=for_ns, exit_ns=ns(self._rule.exit_s)
            ):
                return self._close("ended")
            return []
        if state.excess is None:
            state.excess = Excess(run=Run(first=stamp, last=stamp), peak=stamp, peak_value=value)
        excess = state.excess
        rising = self._rule.operator in ("GT", "GTE")
        if value > excess.peak_value if rising else value < excess.peak_value:
            excess.peak, excess.peak_value = stamp, value
        if not excess.run.holds(stamp, min_ns=for_ns):
            return []
        excess.actual_value, excess.members = value, members
        return [self._finding(excess, None)]

    def stop(self, ended: str) -> list[Finding]:
        """See ``Machine``. The day's crossings stay counted."""
        found = self._close(ended)
        self._state = MetricState(date=self._state.date, passes=self._state.passes)
        if self._crossings is not None:
            self._crossings.walks.clear()
        return found

    def state(self) -> Any:
        """See ``Machine``."""
        if self._crossings is not None:
            self._state.walks = self._crossings.walks
        return plain(self._state)

    def restore(self, state: Any) -> None:
        """See ``Machine``."""
        self._state = rebuild(MetricState, state)
        if self._crossings is not None:
            self._crossings.walks = self._state.walks

    def _measure(self, sight: Sight) -> tuple[float, list[tuple[str, str]]]:
        """The metric's value now, and the tracks that make it."""
        if self._crossings is not None:
            return self._count_passes(sight, self._crossings), []
        watched = sight.watched(self._rule.classes)
        inside = {k: s for k, s in watched.items() if self._area and self._area.contains(s)}
        members = [(spot.track_id, spot.type) for spot in inside.values()]
        if self._path.name == "count":
            return len(inside), members
        if self._path.name == "queue_length":
            for key in [k for k in self._state.trails if k not in watched]:
                if sight.time_ns - self._state.trails[key][-1].time_ns > MAX_GAP_NS:
                    del self._state.trails[key]
            for key, spot in watched.items():
                trail = self._state.trails.setdefault(key, [])
                extend(trail, spot.mark, window_ns=_QUEUE_WINDOW_NS)
            queue = [member for member in members if self._is_slow(member[0])]
            return len(queue), queue
        dwells = self._dwells(sight)
        if not dwells:
            return 0.0, members
        if self._path.name == "max_dwell_s":
            return max(dwells), members
        return round(sum(dwells) / len(dwells), 3), members

    def _is_slow(self, track_id: str) -> bool:
        speed = net_speed(self._state.trails[track_id], window_ns=_QUEUE_WINDOW_NS)
        limit = self._rule.queue_max_speed_px_s / REFERENCE_HEIGHT
        return speed is not None and speed <= limit

    def _dwells(self, sight: Sight) -> list[float]:
        if self._area is None:
            return []
        stays = follow_stays(
            self._state.stays,
            sight,
            area=self._area,
            classes=self._rule.classes,
            exit_ns=_DWELL_EXIT_NS,
        )
        return [
            seconds(stay.last.time_ns - stay.first.time_ns)
            for _, stay, _, status in stays
            if status == "inside"
        ]

    def _count_passes(self, sight: Sight, crossings: Crossings) -> int:
        today = local_date(sight.time_ns, self._timezone)
        if today != self._state.date:
            self._state.date, self._state.passes = today, 0
        crossings.forget(sight.time_ns)
        for spot in sight.watched(self._rule.classes).values():
            for one in crossings.update(spot, sight.aspect):
                self._state.passes += direction(one) == self._path.name
        return self._state.passes

    def _close(self, ended: str) -> list[Finding]:
        excess, self._state.excess = self._state.excess, None
        if excess is None or excess.run.established is None:
            return []
        return [self._finding(excess, ended)]

    def _finding(self, excess: Excess, ended: str | None) -> Finding:
        run, rule = excess.run, self._rule
        established = run.established or run.last
        value = excess.peak_value if excess.actual_value is None else excess.actual_value
        _, verb, sign = _HOLDS[rule.operator]
        name = {**ZONE_METRICS, **TRIPWIRE_METRICS}[self._path.name]
        ids = tuple(track_id for track_id, _ in excess.members)
        moments = [
            run.first.moment("exceeded"),
            established.moment("established", *ids),
            excess.peak.moment("peak"),
        ]
        facts: dict[str, Any] = {
            "metricPath": rule.metric,
            "operator": rule.operator,
            "threshold": _number(rule.threshold),
            "actualValue": _number(value),
            "peak_value": _number(excess.peak_value),
            "duration_s": seconds(run.last.time_ns - run.first.time_ns),
            "message": f"{name} {verb}: {_number(value)} {sign} {_number(rule.threshold)}",
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
            zone=self._path.zone,
            tripwire=self._path.tripwire,
            actors=tuple(
                Actor(track_id=track_id, type=kind, role="member")
                for track_id, kind in excess.members
            ),
            moments=tuple(sorted(moments, key=lambda moment: moment.time_ns)),
            facts=facts,
        )


def _number(value: float) -> int | float:
    """Whole numbers without a decimal point, as people write them."""
    return int(value) if value == int(value) else round(value, 3)
