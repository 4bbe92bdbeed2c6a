"""What happened between two times, as one self-contained HTML file."""

from __future__ import annotations

import base64
from bisect import bisect_left
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from video_detective.errors import MissingError, UsageError
from video_detective.geometry import NS_PER_S
from video_detective.narration.template import event_name, risk_name
from video_detective.rules import RISK_LEVELS
from video_detective.services.records import timeline_entry
from video_detective.services.times import local_time, parse_time, rfc3339
from video_detective.services.workspace import Workspace
from video_detective.storage import EventQuery, StoredEvent

MAX_PICTURED = 12
"""The gravest events are shown with a picture each; more would make a file nobody mails."""
MAX_BARS = 72
FINE_HOURS = 3
"""Periods up to this long are shown by five minutes."""
HOUR_NS = 3600 * NS_PER_S
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_TEMPLATES = Path(__file__).parent / "templates"


async def make_report(
    workspace: Workspace, *, since: str, until: str, camera: str = ""
) -> tuple[str, dict[str, Any]]:
    """The report of a period.

    Args:
        workspace: Where the events are.
        since: Begin, RFC 3339; without offset in the camera's (or the first camera's) zone.
        until: End, exclusive.
        camera: Camera id; empty means all.

    Returns:
        The HTML text, and its figures: ``total``, ``by_type``, ``by_camera``, ``by_risk``,
        ``over_time``, ``coverage``.

    Raises:
        MissingError: there is no such camera.
        UsageError: a time is wrong, or the period is empty.
    """
    places = await workspace.places()
    if camera and camera not in places.scenes:
        raise MissingError(
            f"There is no camera {camera!r}",
            remedy=f"Use one of: {', '.join(places.scenes) or '(none yet)'}.",
        )
    zone = places.zone(camera)
    since_ns = parse_time(since, zone, what="--from")
    until_ns = parse_time(until, zone, what="--to")
    if until_ns <= since_ns:
        raise UsageError(
            f"The period from {since!r} to {until!r} is empty", remedy="Let --to lie after --from."
        )
    events = await _events(workspace, camera, since_ns, until_ns)
    cameras = [camera] if camera else sorted(places.scenes)
    coverage = {key: await workspace.database.coverage(key, since_ns, until_ns) for key in cameras}
    figures: dict[str, Any] = {
        "from": rfc3339(since_ns, zone),
        "to": rfc3339(until_ns, zone),
        "total": len(events),
        "by_type": dict(Counter(stored.event.type for stored in events).most_common()),
        "by_camera": dict(Counter(stored.event.camera_id for stored in events).most_common()),
        "by_risk": {
            level: sum(stored.event.risk_level == level for stored in events)
            for level in reversed(RISK_LEVELS)
        },
        "over_time": _over_time(events, since_ns, until_ns, zone),
        "coverage": {
            key: {
                "recorded_s": round(sum(end - start for start, end in spans) / NS_PER_S, 1),
                "gaps": [
                    {"from": rfc3339(start, zone), "to": rfc3339(end, zone)}
                    for start, end in _gaps(spans, since_ns, until_ns)
                ],
            }
            for key, spans in coverage.items()
        },
    }
    gravest = sorted(
        events, key=lambda s: (-RISK_LEVELS.index(s.event.risk_level), s.event.start_ns)
    )[:MAX_PICTURED]
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=select_autoescape(),
        undefined=StrictUndefined,
    )
    html = environment.get_template("report.html").render(
        figures=figures,
        names={key: event_name(key, "zh-TW") for key in figures["by_type"]},
        risks={level: risk_name(level, "zh-TW") for level in RISK_LEVELS},
        most=max((bar["count"] for bar in figures["over_time"]), default=0),
        gravest=[
            {
                **timeline_entry(s, places.scene(s.event.camera_id)),
                "picture": _picture(workspace, s),
            }
            for s in gravest
        ],
        events=[timeline_entry(s, places.scene(s.event.camera_id)) for s in events],
    )
    return html, figures


async def _events(
    workspace: Workspace, camera: str, since_ns: int, until_ns: int
) -> list[StoredEvent]:
    events: list[StoredEvent] = []
    cursor: str | None = None
    while True:
        page = await workspace.database.events(
            EventQuery(
                camera=camera or None,
                since_ns=since_ns,
                until_ns=until_ns,
                limit=1000,
                cursor=cursor,
                order="oldest",
            )
        )
        events += page.events
        cursor = page.next_cursor
        if cursor is None:
            return events


def _over_time(
    events: list[StoredEvent], since_ns: int, until_ns: int, zone: ZoneInfo
) -> list[dict[str, Any]]:
    """Events by the local five minutes, hour or day in which they began, whichever suits."""
    length_ns = until_ns - since_ns
    first = local_time(since_ns, zone).replace(second=0, microsecond=0)
    if length_ns <= FINE_HOURS * HOUR_NS:
        step, pattern = timedelta(minutes=5), "%H:%M"
        first = first.replace(minute=first.minute // 5 * 5)
    elif length_ns <= MAX_BARS * HOUR_NS:
        step, pattern, first = timedelta(hours=1), "%H:%M", first.replace(minute=0)
    else:
        # Whole days each, so that a long period still makes at most 400 bars.
        days = max(1, round(length_ns / (24 * HOUR_NS) / 400))
        step, pattern, first = timedelta(days=days), "%m-%d", first.replace(hour=0, minute=0)
    starts = sorted(stored.event.start_ns for stored in events)
    bars: list[dict[str, Any]] = []
    # Days are stepped on the wall clock (they have 23 or 25 hours twice a year), hours in UTC.
    begin = first if step >= timedelta(days=1) else first.astimezone(UTC)
    while (begin_ns := _ns(begin)) < until_ns:
        count = bisect_left(starts, _ns(begin + step)) - bisect_left(starts, begin_ns)
        bars.append({"label": begin.astimezone(zone).strftime(pattern), "count": count})
        begin += step
    return bars


def _ns(moment: datetime) -> int:
    return (moment.astimezone(UTC) - EPOCH) // timedelta(microseconds=1) * 1000


def _gaps(spans: list[tuple[int, int]], since_ns: int, until_ns: int) -> list[tuple[int, int]]:
    gaps, at = [], since_ns
    for start, end in spans:
        if start > at:
            gaps.append((at, start))
        at = max(at, end)
    if at < until_ns:
        gaps.append((at, until_ns))
    return gaps


def _picture(workspace: Workspace, stored: StoredEvent) -> str | None:
    """The event's most telling annotated picture (the established moment) as a data address."""
    rows = [row for row in stored.evidence if row.kind == "annotated"]
    if not rows:
        return None
    row = min(rows, key=lambda r: abs(r.time_ns - stored.event.established_ns))
    with workspace.blobs.open(row.sha256, ".jpg") as file:
        return "data:image/jpeg;base64," + base64.b64encode(file.read()).decode()
