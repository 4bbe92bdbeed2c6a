"""What a report is made of: looked up and counted, before any word or picture."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from video_detective.errors import MissingError, UsageError
from video_detective.geometry import NS_PER_S
from video_detective.rules import RISK_LEVELS
from video_detective.services.report_axis import TimeAxis, gaps, time_axis
from video_detective.services.report_counts import ReportCounts, count
from video_detective.services.times import parse_time, rfc3339
from video_detective.services.workspace import Places, Workspace
from video_detective.storage import EventQuery, StoredEvent
from video_detective.storage.counting import BEFORE, EventCounts

MAX_PICTURED = 12
"""The gravest events are shown with a picture each; more would make a file nobody mails."""
MAX_LISTED = 1000

Spans = Sequence[tuple[int, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What a report is made of; nothing in it is a model's.

    Args:
        axis: The period, in the report's zone.
        cameras: Names by camera id: those asked for, and those with events.
        places: Scenes and zones of the cameras.
        counts: Every event of the period, counted.
        coverage: Recorded spans by camera, cut to the period.
        gravest: The first ``MAX_PICTURED`` by risk, with their evidence.
        listed: The first ``MAX_LISTED`` by start.
        counted: People, crossings and alerts.
        now_ns: When it was looked up.
    """

    axis: TimeAxis
    cameras: Mapping[str, str]
    places: Places
    counts: EventCounts
    coverage: Mapping[str, Spans]
    gravest: Sequence[StoredEvent]
    listed: Sequence[StoredEvent]
    counted: ReportCounts
    now_ns: int

    @property
    def known_until_ns(self) -> int:
        """Time after this that is not recorded is no gap: it has not come yet."""
        ends = [spans[-1][1] for spans in self.coverage.values() if spans]
        axis = self.axis
        return max(axis.since_ns, min(axis.until_ns, max([self.now_ns, *ends])))

    def gaps(self, camera: str) -> list[tuple[int, int]]:
        """When the camera was not recorded, in order."""
        return gaps(self.coverage[camera], self.axis.since_ns, self.known_until_ns)


async def find(
    workspace: Workspace, *, since: str, until: str, now_ns: int, camera: str = ""
) -> Findings:
    """Look up what happened; months of events are counted in the database, not loaded.

    Args:
        workspace: Where the events are.
        since: Begin, RFC 3339; without offset in the camera's (or the first camera's) zone.
        until: End, exclusive.
        now_ns: The time it is.
        camera: Camera id; empty means all.

    Raises:
        MissingError: there is no such camera.
        UsageError: a time is wrong, or the period is empty.
    """
    places = await workspace.places()
    names = places.names
    if camera and camera not in names:
        raise MissingError(
            f"There is no camera {camera!r}",
            remedy=f"Use one of: {', '.join(names) or '(none yet)'}.",
            reason="not_found",
            what="device",
            id=camera,
        )
    zone = places.zone(camera)
    since_ns = parse_time(since, zone, what="from")
    until_ns = parse_time(until, zone, what="to")
    if until_ns <= since_ns:
        raise UsageError(
            f"The period from {since!r} to {until!r} is empty",
            remedy="Let it end after it begins.",
            reason="period_empty",
            since=since,
            until=until,
        )
    axis = time_axis(since_ns, until_ns, zone)
    query = EventQuery(
        camera=camera or None, since_ns=since_ns, until_ns=until_ns, reach=workspace.reach
    )
    database = workspace.database
    counts = await database.event_counts(query, axis.clock)
    wanted = {camera} if camera else {*names, *(row.camera_id for row in counts.kinds)}
    return Findings(
        axis=axis,
        cameras={key: names.get(key) or key for key in sorted(wanted)},
        places=places,
        counts=counts,
        coverage={key: await database.coverage(key, since_ns, until_ns) for key in sorted(wanted)},
        gravest=await database.gravest_events(_first(query, MAX_PICTURED)),
        listed=(await database.events(_first(query, MAX_LISTED))).events,
        counted=await count(workspace, camera, since_ns, until_ns, places),
        now_ns=now_ns,
    )


def _first(query: EventQuery, limit: int) -> EventQuery:
    return EventQuery(
        camera=query.camera,
        since_ns=query.since_ns,
        until_ns=query.until_ns,
        limit=limit,
        order="oldest",
        reach=query.reach,
    )


def figures_of(findings: Findings) -> dict[str, Any]:
    """The numbers of a report as plain JSON.

    Returns:
        ``from``, ``to``, ``timezone``; ``total``, and the same split ``by_type``, ``by_camera``
        (most first) and ``by_risk`` (gravest first); ``over_time``: of every stretch ``from``,
        ``to``, ``label``, ``count``, ``by_risk``, of the events that began in it;
        ``began_before``: the rest of the total; ``coverage`` by camera: ``recorded_s``,
        ``gaps``.
    """
    axis, zone = findings.axis, findings.axis.zone
    by_type, by_camera, by_risk = Counter[str](), Counter[str](), Counter[str]()
    for row in findings.counts.kinds:
        by_type[row.type] += row.count
        by_camera[row.camera_id] += row.count
        by_risk[row.risk_level] += row.count
    began, earlier = began_in(findings)
    return {
        "from": rfc3339(axis.since_ns, zone),
        "to": rfc3339(axis.until_ns, zone),
        "timezone": zone.key,
        "total": findings.counts.total,
        "by_type": dict(by_type.most_common()),
        "by_camera": dict(by_camera.most_common()),
        "by_risk": {level: by_risk[level] for level in reversed(RISK_LEVELS)},
        "unit": axis.unit,
        "over_time": [
            {
                "label": stretch.label,
                "from": rfc3339(stretch.start_ns, zone),
                "to": rfc3339(stretch.end_ns, zone),
                "count": count.total(),
                "by_risk": {level: count[level] for level in reversed(RISK_LEVELS)},
            }
            for stretch, count in zip(axis.stretches, began, strict=True)
        ],
        "began_before": earlier,
        "coverage": {
            key: {
                "recorded_s": round(length_ns(spans) / NS_PER_S, 1),
                "gaps": [
                    {"from": rfc3339(start, zone), "to": rfc3339(end, zone)}
                    for start, end in findings.gaps(key)
                ],
            }
            for key, spans in findings.coverage.items()
        },
    }


def began_in(findings: Findings) -> tuple[list[Counter[str]], int]:
    """Events by risk level for each stretch of the axis, and how many began before the period."""
    began = [Counter[str]() for _ in findings.axis.stretches]
    earlier = 0
    for row in findings.counts.stretches:
        if row.stretch == BEFORE:
            earlier += row.count
        else:
            number = findings.axis.stretch_at(findings.axis.counted_ns(row.stretch))
            began[number][row.risk_level] += row.count
    return began, earlier


def length_ns(spans: Spans) -> int:
    """How long the spans are together."""
    return sum(end - start for start, end in spans)
