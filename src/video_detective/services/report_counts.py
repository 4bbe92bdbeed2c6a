"""What a report counts beside events: people, crossings of lines, alerts and their reviews."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from video_detective.narration.catalogue import Language
from video_detective.services.report_axis import TimeAxis
from video_detective.services.statistics import MOST_TRACKS, names_of, peak_of
from video_detective.services.workspace import Places, Workspace
from video_detective.storage.attributes.base import LocalClock
from video_detective.storage.statistics.alerts import AlertLine, AlertList
from video_detective.storage.statistics.counts import Span

MAX_ALERTS = 300
SEVERITIES = ("critical", "warning")
STATES = ("new", "seen", "confirmed", "dismissed")
_WHOLE = LocalClock(stretch_ns=1 << 62, offsets=((0, 0),))
"""All of time is one stretch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossingCount:
    """Crossings of one line in one direction, as the rules found them."""

    camera_id: str
    tripwire: str
    direction: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportCounts:
    """What is counted.

    Args:
        people: Tracks of persons and the most at once by camera id; None: too many to count.
        crossings: In order of camera, line and direction.
        alerts: The first ``MAX_ALERTS``, and how many there are.
    """

    people: Mapping[str, tuple[int, int]] | None
    crossings: Sequence[CrossingCount]
    alerts: AlertList


async def count(
    workspace: Workspace, camera: str, since_ns: int, until_ns: int, places: Places
) -> ReportCounts:
    """Count what happened in a period within the workspace's reach.

    Args:
        workspace: Where.
        camera: Camera id; empty means all.
        since_ns: Begin of the period.
        until_ns: Its end, exclusive.
        places: Names of lines.
    """
    statistics = workspace.database.statistics
    span = Span(
        reach=workspace.reach, camera_id=camera or None, since_ns=since_ns, until_ns=until_ns
    )
    seen = await statistics.seen_times(span, MOST_TRACKS)
    crossings: Counter[tuple[str, str, str]] = Counter()
    found = await statistics.crossings(span, _WHOLE)
    for (camera_id, tripwire, direction, name, _), counts in found.items():
        line, way = names_of(places, (camera_id, tripwire, direction), name)
        crossings[camera_id, line, way or direction] += sum(counts.values())
    return ReportCounts(
        people=None
        if seen is None
        else {
            camera_id: (len(times.first_ns), peak_of(times, since_ns, until_ns))
            for (camera_id, kind), times in sorted(seen.items())
            if kind == "person"
        },
        crossings=[
            CrossingCount(camera_id=key[0], tripwire=key[1], direction=key[2], count=number)
            for key, number in sorted(crossings.items())
        ],
        alerts=await statistics.alert_list(span, MAX_ALERTS),
    )


def counts_view(
    counts: ReportCounts,
    names: Mapping[str, str],
    axis: TimeAxis,
    anchors: Mapping[str, str],
    language: Language,
    text: Mapping[str, str],
) -> dict[str, Any]:
    """What the template shows of it.

    Args:
        counts: What was counted.
        names: Of cameras, by id.
        axis: Of the report, on whose clock times are told.
        anchors: Where an event stands in the report, by its id.
        language: Of the words.
        text: The template's catalogue in it.
    """
    total = sum(counts.alerts.counts.values())
    by_severity = Counter[str]()
    by_state = Counter[str]()
    for (severity, state), number in counts.alerts.counts.items():
        by_severity[severity] += number
        by_state[state] += number
    lines = counts.alerts.lines
    return {
        "people": [
            {"camera": names.get(key, key), "tracks": tracks, "peak": peak}
            for key, (tracks, peak) in (counts.people or {}).items()
        ],
        "crossings": [
            {
                "camera": names.get(one.camera_id, one.camera_id),
                "line": one.tripwire,
                "way": text.get(f"way_{one.direction}", one.direction),
                "count": one.count,
            }
            for one in counts.crossings
        ],
        "alert_total": total,
        "alert_tiles": [
            *((text[f"severity_{key}"], by_severity[key]) for key in SEVERITIES),
            *((text[f"state_{key}"], by_state[key]) for key in STATES),
        ],
        "alerts": [_alert(line, names, axis, anchors, language, text) for line in lines],
        "alerts_more": text["alerts_more"].format(
            shown=f"{len(lines):,}", count=f"{total - len(lines):,}"
        )
        if total > len(lines)
        else "",
    }


def _alert(
    line: AlertLine,
    names: Mapping[str, str],
    axis: TimeAxis,
    anchors: Mapping[str, str],
    language: Language,
    text: Mapping[str, str],
) -> dict[str, Any]:
    told = (line.summary_zh, line.summary_en)
    if language == "en":
        told = told[::-1]
    state = text[f"state_{line.state}"]
    if line.reviewed_by and line.state != "new":
        state = text["state_by"].format(state=state, by=line.reviewed_by)
    return {
        "time": axis.told(line.triggered_ns),
        "camera": names.get(line.camera_id, line.camera_id),
        "severity": text[f"severity_{line.severity}"],
        "risk": "critical" if line.severity == "critical" else "medium",
        "description": told[0] or told[1] or line.message,
        "state": state,
        "reason": line.reason or "",
        "event_id": line.event_id,
        "anchor": anchors.get(line.event_id),
    }
