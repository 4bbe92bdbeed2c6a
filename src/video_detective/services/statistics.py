"""Counts by local hours and days: who was seen, who crossed which line, events, alerts.

A statistic tells what was recorded and found. Hours without recording have none, which is not the
same as nothing: every stretch says how much of it was recorded.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from video_detective.errors import FieldError, Flaw, TooLargeError, no_such
from video_detective.geometry import NS_PER_S
from video_detective.services.access import Caller
from video_detective.services.attributes import GroupBy, local_clock
from video_detective.services.times import field_period
from video_detective.services.workspace import Places, Workspace
from video_detective.storage.attributes.base import LocalClock
from video_detective.storage.statistics.counts import Counts, SeenTimes, Span

LONGEST_DAYS = 92
LONGEST_HOURS_DAYS = 31
"""So many days can be asked for by the hour; more only by the day."""
MOST_TRACKS = 2_000_000
"""Of one answer: 32 MB, and two seconds of one core."""
DAY_NS = 24 * 3600 * NS_PER_S
Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which period of which devices.

    Args:
        device_id: Only of this device; None: of all in reach.
        start, end: RFC 3339, ``[start, end)``; without offset in the zone of the device asked for,
            else of the account.
        group: Size of the stretches.
    """

    device_id: str | None
    start: str
    end: str
    group: GroupBy = "hour"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A local hour or day, cut to the period.

    Args:
        start_ns, end_ns: ``[start_ns, end_ns)``.
        recorded_ns: How long of it was recorded, of all cameras together.
    """

    start_ns: int
    end_ns: int
    recorded_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """What was asked for, looked up.

    Args:
        since_ns, until_ns: The period.
        zone: Whose hours and days.
        cameras: Ids of the cameras that are counted, in order.
        places: Their names and devices.
        stretches: In order of time.
        recorded_ns: By camera.
    """

    since_ns: int
    until_ns: int
    zone: ZoneInfo
    cameras: Sequence[str]
    places: Places
    stretches: Sequence[Stretch]
    recorded_ns: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One row of numbers.

    Args:
        key: What is counted.
        total: Of the period.
        counts: By stretch.
        peak, peaks: The most at the same time, of the period and by stretch; None where that is
            no question.
    """

    key: tuple[str, ...]
    total: int
    counts: Sequence[int]
    peak: int | None = None
    peaks: Sequence[int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A statistic: a period and rows of numbers over its stretches."""

    period: Period
    series: Sequence[Series]


async def people(workspace: Workspace, caller: Caller, asked: Asked) -> Found:
    """Tracks by camera and class, and the most at the same time.

    A track counts in every stretch in which it was seen, from its first to its last sight, and once
    in the total. Whoever leaves and comes back is tracked anew, and counts again.

    Raises:
        MissingError: there is no such device in reach.
        FieldError: the period cannot be meant.
        TooLargeError: it has more than ``MOST_TRACKS``.
    """
    period, span, _ = await _look_up(workspace, caller, asked)
    found = await workspace.database.statistics.seen_times(span, MOST_TRACKS)
    if found is None:
        raise TooLargeError(
            f"The period has more than {MOST_TRACKS:,} tracks",
            remedy="Choose a shorter one, or one device.",
            reason="period_too_full",
            most=MOST_TRACKS,
        )
    series = await asyncio.to_thread(_seen, found, period)
    return Found(period=period, series=series)


async def crossings(workspace: Workspace, caller: Caller, asked: Asked) -> Found:
    """Events of line crossing by camera, tripwire, direction, the direction's name, and rules.

    What no rule watches is not counted, and two rules on one line count a crossing twice: the key
    names the rules, joined by spaces.

    Raises:
        MissingError, FieldError: as ``people``.
    """
    period, span, clock = await _look_up(workspace, caller, asked)
    counts = await workspace.database.statistics.crossings(span, clock)
    merged: defaultdict[tuple[str, ...], defaultdict[int, int]] = defaultdict(
        lambda: defaultdict(int)
    )
    rules: defaultdict[tuple[str, ...], set[str]] = defaultdict(set)
    names: dict[tuple[str, ...], str] = {}
    for (camera_id, tripwire, direction, name, rule_id), by_begin in counts.items():
        key = (camera_id, tripwire, direction)
        rules[key].add(rule_id)
        names[key] = name or names.get(key, "")
        for begin_ns, count in by_begin.items():
            merged[key][begin_ns] += count
    named = {
        (*key, *names_of(period.places, key, names[key]), " ".join(sorted(rules[key]))): by_begin
        for key, by_begin in merged.items()
    }
    return Found(period=period, series=_series(named, period, clock))


async def events(workspace: Workspace, caller: Caller, asked: Asked) -> Found:
    """Events that began in the period, by camera, type and risk level.

    Raises:
        MissingError, FieldError: as ``people``.
    """
    period, span, clock = await _look_up(workspace, caller, asked)
    counts = await workspace.database.statistics.events(span, clock)
    return Found(period=period, series=_series(counts, period, clock))


async def alerts(workspace: Workspace, caller: Caller, asked: Asked) -> Found:
    """Alerts by camera and severity.

    Raises:
        MissingError, FieldError: as ``people``.
    """
    period, span, clock = await _look_up(workspace, caller, asked)
    counts = await workspace.database.statistics.alerts(span, clock)
    return Found(period=period, series=_series(counts, period, clock))


async def find_period(
    workspace: Workspace, caller: Caller, asked: Asked
) -> tuple[Period, LocalClock]:
    """The period that is asked for, cut into local hours or days, and what of it was recorded.

    Raises:
        MissingError, FieldError: as ``people``.
    """
    places = await workspace.within(caller.reach).places()
    zone = ZoneInfo(caller.timezone)
    cameras = sorted(places.devices)
    if asked.device_id is not None:
        device = places.device_by_id(asked.device_id)
        if device is None:
            raise no_such("device", asked.device_id, remedy="List them to see their ids.")
        zone, cameras = places.zone(device.camera_id), [device.camera_id]
    since_ns, until_ns = field_period(asked.start, asked.end, zone)
    assert since_ns is not None and until_ns is not None  # noqa: S101, PT018 - both are given
    # The hour that summer time takes or gives does not make a season too long.
    days = (until_ns - since_ns - 3600 * NS_PER_S) / DAY_NS
    if days > LONGEST_DAYS:
        flaw = Flaw(
            f"the period may be {LONGEST_DAYS} days long at most",
            reason="period_too_long",
            days=LONGEST_DAYS,
        )
        raise FieldError([("endDate", flaw)])
    if asked.group == "hour" and days > LONGEST_HOURS_DAYS:
        flaw = Flaw(
            f"hours of more than {LONGEST_HOURS_DAYS} days are too many; use day",
            reason="too_many_hours",
            days=LONGEST_HOURS_DAYS,
        )
        raise FieldError([("groupBy", flaw)])
    clock = local_clock(zone, asked.group, since_ns, until_ns)
    watched = await workspace.database.coverages(cameras, since_ns, until_ns)
    begins = _begins(clock, since_ns, until_ns)
    recorded = np.zeros(len(begins) - 1, np.int64)
    for spans in watched.values():
        recorded += _recorded(spans, begins)
    return Period(
        since_ns=since_ns,
        until_ns=until_ns,
        zone=zone,
        cameras=cameras,
        places=places,
        stretches=[
            Stretch(start_ns=start_ns, end_ns=end_ns, recorded_ns=int(recorded_ns))
            for (start_ns, end_ns), recorded_ns in zip(pairwise(begins), recorded, strict=True)
        ],
        recorded_ns={
            camera: sum(end - start for start, end in spans) for camera, spans in watched.items()
        },
    ), clock


async def _look_up(
    workspace: Workspace, caller: Caller, asked: Asked
) -> tuple[Period, Span, LocalClock]:
    period, clock = await find_period(workspace, caller, asked)
    span = Span(
        reach=caller.reach,
        camera_id=None if asked.device_id is None else period.cameras[0],
        since_ns=period.since_ns,
        until_ns=period.until_ns,
    )
    return period, span, clock


def _begins(clock: LocalClock, since_ns: int, until_ns: int) -> list[int]:
    """Where hours or days begin, from the period's begin to its end, both among them."""
    begins = {since_ns, until_ns}
    ends = [*(since for since, _ in clock.offsets[1:]), until_ns]
    for part, ((from_ns, offset_ns), end_ns) in enumerate(zip(clock.offsets, ends, strict=True)):
        first = (max(from_ns, since_ns) + offset_ns) // clock.stretch_ns
        last = (end_ns - 1 + offset_ns) // clock.stretch_ns
        begins.update(clock.begin_ns(part, number) for number in range(first, last + 1))
    return sorted(begin for begin in begins if since_ns <= begin <= until_ns)


def _recorded(spans: Sequence[tuple[int, int]], begins: Sequence[int]) -> Numbers:
    """How long of each stretch lies in the spans, which are disjoint and in order."""
    edges = np.asarray(begins, np.int64)
    if not spans:
        return np.zeros(len(edges) - 1, np.int64)
    starts, ends = np.asarray(spans, np.int64).T
    lengths = np.concatenate([[0], np.cumsum(ends - starts)])
    # How much of the spans lies before each edge.
    index = np.searchsorted(starts, edges, side="right")
    inside = np.where(index > 0, np.minimum(edges, ends[index - 1]) - starts[index - 1], 0)
    before = np.where(index > 0, lengths[np.maximum(index - 1, 0)] + inside, 0)
    return np.diff(before)


def _series(counts: Counts, period: Period, clock: LocalClock) -> list[Series]:
    """Rows in order of what they count."""
    starts = {stretch.start_ns: number for number, stretch in enumerate(period.stretches)}
    rows = []
    for key, by_begin in sorted(counts.items()):
        row = [0] * len(period.stretches)
        for begin_ns, count in by_begin.items():
            row[starts[max(begin_ns, period.since_ns)]] += count
        rows.append(Series(key=key, total=sum(row), counts=row))
    return rows


def _seen(found: Mapping[tuple[str, str], SeenTimes], period: Period) -> list[Series]:
    edges = np.asarray([s.start_ns for s in period.stretches] + [period.until_ns], np.int64)
    rows = []
    for key, times in sorted(found.items()):
        first = np.sort(np.frombuffer(times.first_ns, np.int64))
        last = np.frombuffer(times.last_ns, np.int64)
        gone = np.sort(last)
        # Those that are there somewhere in [a, b): seen before b, and not gone before a.
        come = np.searchsorted(first, edges[1:], side="left")
        left = np.searchsorted(gone, edges[:-1], side="left")
        counts = come - left
        peaks = peaks_of(first, gone, edges)
        rows.append(
            Series(
                key=key,
                total=len(first),
                counts=counts.tolist(),
                peak=int(peaks.max()),
                peaks=peaks.tolist(),
            )
        )
    return rows


def peaks_of(first: Numbers, gone: Numbers, edges: Numbers) -> Numbers:
    """The most tracks at the same time in each stretch; all sorted.

    Their number rises only where one is seen first: it is the most there, or where the stretch
    begins.
    """
    at = np.concatenate([edges[:-1], first])
    there = np.searchsorted(first, at, side="right") - np.searchsorted(gone, at, side="left")
    peaks = there[: len(edges) - 1].copy()
    stretch = np.searchsorted(edges, first, side="right") - 1
    inside = (stretch >= 0) & (stretch < len(peaks))
    np.maximum.at(peaks, stretch[inside], there[len(edges) - 1 :][inside])
    return peaks


def peak_of(times: SeenTimes, since_ns: int, until_ns: int) -> int:
    """The most tracks at the same time in a period."""
    first, gone = (np.sort(np.frombuffer(of, np.int64)) for of in (times.first_ns, times.last_ns))
    return int(peaks_of(first, gone, np.array([since_ns, until_ns], np.int64))[0])


def names_of(places: Places, key: tuple[str, ...], name: str) -> tuple[str, str]:
    """Names of tripwire and direction: of the scene in force, else as they were."""
    camera_id, tripwire_id, direction = key
    tripwires = places.scene(camera_id).tripwires
    known = next((one for one in tripwires if one.id == tripwire_id), None)
    if known is None:
        return tripwire_id, name
    way = known.left_to_right if direction == "left_to_right" else known.right_to_left
    return known.name or tripwire_id, way or name
