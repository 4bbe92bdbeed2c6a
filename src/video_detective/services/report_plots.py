"""Where the parts of a report's plots lie; the template draws them as SVG.

Horizontal places are per cent of the plot, so that it fits a telephone and a sheet of paper and
its text keeps its size; vertical ones are CSS pixels, y down.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from video_detective.rules import RISK_LEVELS
from video_detective.services.report_axis import TimeAxis

HEIGHT_PX = 150
"""Of the bars over time, from the zero line to the highest grid line."""
MAX_COUNTED_BARS = 24
"""More bars than these have no room for their count above them."""
MARK_PX = 14
"""The highest mark over a camera's strip."""
LEAST_PERCENT = 0.15
"""A gap of a second in a month is seen, too."""
STACK = tuple(reversed(RISK_LEVELS))
"""The gravest stand on the axis, where heights can be compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The events of one risk level in a bar: where it lies along the bar, and how many."""

    level: str
    at: float
    length: float
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One bar over time, or one row; ``label`` is for people, ``parts`` in order of ``STACK``."""

    label: str
    x: float
    width: float
    count: int
    parts: Sequence[Part]


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Bars side by side: grid lines as (y, value), ticks as (x, text)."""

    bars: Sequence[Bar]
    grid: Sequence[tuple[float, int]]
    ticks: Sequence[tuple[float, str]]
    top_y: Mapping[int, float]
    """Where a bar's count stands, by its number; none when there are too many bars."""


def columns(
    places: Sequence[tuple[float, float]],
    labels: Sequence[str],
    counts: Sequence[Mapping[str, int]],
    ticks: Sequence[str],
) -> Columns:
    """Stacked columns.

    Args:
        places: Begin and end of each, 0..1.
        labels: What each is called.
        counts: By risk level.
        ticks: Text under the left end of each; empty for none.
    """
    totals = [sum(count.values()) for count in counts]
    top, step = _scale(max(totals, default=0))
    bars = [
        Bar(
            label=label,
            x=100 * start,
            width=100 * (end - start),
            count=sum(count.values()),
            parts=_stack(count, HEIGHT_PX / top, upwards=True),
        )
        for (start, end), label, count in zip(places, labels, counts, strict=True)
    ]
    return Columns(
        bars=bars,
        grid=[(HEIGHT_PX * (1 - value / top), value) for value in range(0, top + 1, step)],
        ticks=[(100 * start, text) for (start, _), text in zip(places, ticks, strict=True) if text],
        top_y={
            number: HEIGHT_PX * (1 - total / top) - 4
            for number, total in enumerate(totals)
            if total and len(totals) <= MAX_COUNTED_BARS
        },
    )


def rows(names: Mapping[str, str], counts: Mapping[str, Mapping[str, int]]) -> list[Bar]:
    """Stacked rows, the longest over the whole width, most events first.

    Args:
        names: What each key is called.
        counts: By key and risk level.
    """
    totals = {key: sum(count.values()) for key, count in counts.items()}
    most = max(totals.values(), default=0)
    return [
        Bar(
            label=names[key],
            x=0,
            width=100 * total / most,
            count=total,
            parts=_stack(counts[key], 100 / most, upwards=False),
        )
        for key, total in sorted(totals.items(), key=lambda pair: (-pair[1], pair[0]))
    ]


def strips(axis: TimeAxis, spans: Sequence[tuple[int, int]]) -> list[tuple[float, float]]:
    """(x, width) of spans of time, in order; those that would touch are drawn as one."""
    drawn: list[tuple[float, float]] = []
    for start_ns, end_ns in spans:
        x = 100 * axis.share(start_ns)
        width = max(100 * axis.share(end_ns) - x, LEAST_PERCENT)
        x = min(x, 100 - width)
        if drawn and x <= drawn[-1][0] + drawn[-1][1] + LEAST_PERCENT / 2:
            first = drawn[-1][0]
            drawn[-1] = first, max(sum(drawn[-1]), x + width) - first
        else:
            drawn.append((x, width))
    return drawn


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A camera's events in one piece of time, over its strip."""

    x: float
    width: float
    y: float
    height: float


def marks(
    axis: TimeAxis, began: Mapping[int, int], pieces: Sequence[tuple[int, int]], most: int
) -> list[Mark]:
    """Small columns for a camera's events, at least two pixels high.

    Args:
        axis: The axis.
        began: Events by number of the piece.
        pieces: ``axis.pieces``.
        most: Events in any camera's fullest piece.
    """
    found = []
    for number, count in sorted(began.items()):
        start_ns, end_ns = pieces[number]
        x = 100 * axis.share(start_ns)
        height = max(2.0, MARK_PX * count / most)
        found.append(
            Mark(x=x, width=100 * axis.share(end_ns) - x, y=MARK_PX - height, height=height)
        )
    return found


def _stack(counts: Mapping[str, int], scale: float, *, upwards: bool) -> list[Part]:
    parts: list[Part] = []
    done = 0
    for level in STACK:
        count = counts.get(level, 0)
        if count:
            length = count * scale
            at = HEIGHT_PX - done * scale - length if upwards else done * scale
            parts.append(Part(level=level, at=at, length=length, count=count))
            done += count
    return parts


def _scale(most: int) -> tuple[int, int]:
    """The highest grid line and the step between lines: whole, round, and five lines at most.

    >>> _scale(0), _scale(3), _scale(7), _scale(1234)
    ((1, 1), (3, 1), (8, 2), (1500, 500))
    """
    if most <= 0:
        return 1, 1
    size = 10 ** math.floor(math.log10(most))
    steps = (max(1, factor * size // 10) for factor in (1, 2, 5, 10, 20, 50))
    step = next(step for step in steps if -(-most // step) <= 4)
    return -(-most // step) * step, step
