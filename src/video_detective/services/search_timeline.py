"""All events that answer a question on one time line: small enough for a page, however many."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from zoneinfo import ZoneInfo

from video_detective.geometry import NS_PER_S
from video_detective.narration.template import event_name
from video_detective.rules.base import RISK_LEVELS
from video_detective.services.answer_facts import SHORT_GAP_NS
from video_detective.services.search import ALWAYS_NS, ask, index_query
from video_detective.services.times import local_time, rfc3339
from video_detective.services.workspace import Places, Workspace
from video_detective.storage.marks import Mark

MOST_MARKS = 500
"""Up to here events are given one by one, too."""
MOST_COUNTED = 50_000
"""Of more events only the newest are counted: a page must not wait for all of a large archive."""

_DAY_S = 86_400
_STEPS_S = (
    *(1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800),
    *(3600, 7200, 10_800, 21_600, 43_200, _DAY_S, 2 * _DAY_S, 7 * _DAY_S, 28 * _DAY_S),
)
_RANK = {level: rank for rank, level in enumerate(RISK_LEVELS)}

Span = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Axis:
    """The period that is shown, cut into steps.

    Args:
        start_ns, end_ns: The period.
        grid_ns: Where step 0 begins: a whole step of the local clock, at or before the start.
        step_ns: Length of a step.
    """

    start_ns: int
    end_ns: int
    grid_ns: int
    step_ns: int


async def search_time_line(
    workspace: Workspace,
    question: str,
    *,
    now_ns: int,
    camera: str = "",
    since: str = "",
    until: str = "",
    resolution: int = 240,
) -> dict[str, Any]:
    """When the events that answer a question were, and what was recorded at all.

    Args:
        workspace: Where the events are.
        question: As of ``services.search.search``; these are its ``total`` events.
        now_ns: When it is asked.
        camera: Camera id; empty means those the question names, or all.
        since: RFC 3339; wins over the question's time.
        until: Likewise.
        resolution: Into how many steps the period is cut at most.

    Returns:
        ``shapes.SearchTimeline``. The period is the one asked for, as far as it is over; an open
        end is where the first or last recording or event is.

    Raises:
        MissingError: there is no such camera.
        UsageError: a time cannot be read, or the period between them is empty.
    """
    places, asked = await ask(workspace, question, now_ns, camera, since, until)
    query = replace(index_query(asked), only_complete=True)
    marks, is_part = await workspace.database.marks(query, most=MOST_COUNTED)
    spans = await workspace.database.coverages(
        asked.watched(places),
        asked.since_ns or 0,
        ALWAYS_NS if asked.until_ns is None else asked.until_ns,
    )
    period = _period(asked.since_ns, asked.until_ns, now_ns, marks, spans.values())
    answer: dict[str, Any] = {
        "timezone": asked.zone.key,
        "total": len(marks),
        "is_part": is_part,
        "counted_from": rfc3339(marks[0].start_ns, asked.zone) if is_part else None,
    }
    if period is None:
        return answer | {
            "start_time": None, "end_time": None, "grid_time": None, "step_s": 1, "cameras": [],
        }  # fmt: skip
    axis = _axis(period, resolution, asked.zone)
    rows: dict[str, list[Mark]] = {key: [] for key in spans}
    for mark in marks:
        rows.setdefault(mark.camera_id, []).append(mark)
    singly = len(marks) <= MOST_MARKS
    return answer | {
        "start_time": rfc3339(axis.start_ns, asked.zone),
        "end_time": rfc3339(axis.end_ns, asked.zone),
        "grid_time": rfc3339(axis.grid_ns, asked.zone),
        "step_s": axis.step_ns // NS_PER_S,
        "cameras": [
            _row(key, own, spans.get(key, []), axis, places, singly=singly)
            for key, own in rows.items()
        ],
    }


def _period(
    since_ns: int | None,
    until_ns: int | None,
    now_ns: int,
    marks: Sequence[Mark],
    spans: Iterable[Sequence[Span]],
) -> Span | None:
    """The period asked for, as far as it is over; open ends where something begins or ends."""
    own = [span for some in spans for span in some]
    begins = [mark.start_ns for mark in marks] + [start_ns for start_ns, _ in own]
    ends = [mark.end_ns or mark.start_ns for mark in marks] + [end_ns for _, end_ns in own]
    if not begins and (since_ns is None or until_ns is None):
        return None
    start_ns = min(begins) if since_ns is None else since_ns
    last_ns = max(ends, default=start_ns)
    # What is still to come is no gap.
    end_ns = last_ns if until_ns is None else min(until_ns, max(now_ns, last_ns))
    return start_ns, max(end_ns, start_ns + NS_PER_S)


def _axis(period: Span, resolution: int, zone: ZoneInfo) -> _Axis:
    start_ns, end_ns = period
    least_s = (end_ns - start_ns) / NS_PER_S / resolution
    # A longer step is as many of the longest.
    longest_s = _STEPS_S[-1]
    step_s = next(
        (step for step in _STEPS_S if step >= least_s), -(-least_s // longest_s) * longest_s
    )
    step_ns = int(step_s) * NS_PER_S
    offset = local_time(start_ns, zone).utcoffset()
    shift_ns = 0 if offset is None else int(offset.total_seconds()) * NS_PER_S
    grid_ns = (start_ns + shift_ns) // step_ns * step_ns - shift_ns
    return _Axis(start_ns=start_ns, end_ns=end_ns, grid_ns=grid_ns, step_ns=step_ns)


def _row(
    camera_id: str,
    marks: Sequence[Mark],
    spans: Sequence[Span],
    axis: _Axis,
    places: Places,
    *,
    singly: bool,
) -> dict[str, Any]:
    zone = places.zone(camera_id)
    counts: dict[int, int] = {}
    worst: dict[int, str] = {}
    for mark in marks:
        step = (max(mark.start_ns, axis.start_ns) - axis.grid_ns) // axis.step_ns
        counts[step] = counts.get(step, 0) + 1
        level = worst.get(step)
        if level is None or _RANK[mark.risk_level] > _RANK[level]:
            worst[step] = mark.risk_level
    steps = sorted(counts)
    return {
        "camera_id": camera_id,
        "timezone": zone.key,
        "recorded": _recorded(spans, axis),
        "steps": steps,
        "counts": [counts[step] for step in steps],
        "risks": [worst[step] for step in steps],
        "marks": [_mark(mark, zone) for mark in marks] if singly else None,
    }


def _recorded(spans: Sequence[Span], axis: _Axis) -> list[list[float]]:
    """Recorded stretches in seconds of the axis, without gaps that could not be seen on it."""
    least_ns = max(SHORT_GAP_NS, axis.step_ns // 4)
    joined: list[list[int]] = []
    for start_ns, end_ns in spans:
        if joined and start_ns - joined[-1][1] < least_ns:
            joined[-1][1] = max(joined[-1][1], end_ns)
        else:
            joined.append([start_ns, end_ns])
    return [[round((ns - axis.start_ns) / NS_PER_S, 3) for ns in span] for span in joined]


def _mark(mark: Mark, zone: ZoneInfo) -> dict[str, Any]:
    return {
        "event_id": mark.event_id,
        "start_time": rfc3339(mark.start_ns, zone),
        "end_time": None if mark.end_ns is None else rfc3339(mark.end_ns, zone),
        "event_type": event_name(mark.type, "zh-TW"),
        "type": mark.type,
        "type_en": event_name(mark.type, "en"),
        "risk_level": mark.risk_level,
    }
