"""What happened between two times, as one self-contained HTML file."""

from __future__ import annotations

import base64
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from video_detective.errors import MissingError, UsageError
from video_detective.geometry import NS_PER_S
from video_detective.narration.template import event_name
from video_detective.rules import RISK_LEVELS
from video_detective.services.records import timeline_entry
from video_detective.services.times import local_time, parse_time, rfc3339
from video_detective.services.workspace import Workspace
from video_detective.storage import EventQuery, StoredEvent

MAX_PICTURED = 12
"""The gravest events are shown with a picture each; more would make a file nobody mails."""
MAX_BARS = 72
HOUR_NS = 3600 * NS_PER_S

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
        ``by_hour``, ``coverage``.

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
        "by_hour": _by_hour(events, since_ns, until_ns, zone),
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
        most=max((bar["count"] for bar in figures["by_hour"]), default=0),
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


def _by_hour(
    events: list[StoredEvent], since_ns: int, until_ns: int, zone: ZoneInfo
) -> list[dict[str, Any]]:
    """Events by the local hour in which they began; by day for periods of more than three days."""
    step = HOUR_NS if until_ns - since_ns <= MAX_BARS * HOUR_NS else 24 * HOUR_NS
    first = local_time(since_ns, zone).replace(minute=0, second=0, microsecond=0)
    if step > HOUR_NS:
        first = first.replace(hour=0)
    begin_ns = since_ns - (local_time(since_ns, zone) - first) // timedelta(microseconds=1) * 1000
    bars: list[dict[str, Any]] = []
    while begin_ns < until_ns and len(bars) < 400:
        local = local_time(begin_ns, zone)
        bars.append(
            {
                "label": f"{local:%m-%d}" if step > HOUR_NS else f"{local:%H:%M}",
                "count": sum(begin_ns <= s.event.start_ns < begin_ns + step for s in events),
            }
        )
        begin_ns += step
    return bars


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
