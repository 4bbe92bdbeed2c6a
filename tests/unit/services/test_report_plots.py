"""The plots of reports: as long as the numbers say, and inside their frame."""

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from video_detective.rules import RISK_LEVELS
from video_detective.services.report_axis import time_axis
from video_detective.services.report_plots import (
    HEIGHT_PX,
    LEAST_PERCENT,
    MARK_PX,
    columns,
    marks,
    rows,
    strips,
)

counts = st.dictionaries(st.sampled_from(RISK_LEVELS), st.integers(0, 10**6))
AXIS = time_axis(0, 1000, ZoneInfo("UTC"))


@given(st.lists(counts, min_size=1, max_size=40))
def test_columns_are_as_high_as_their_counts_and_stand_on_the_axis(
    drawn: list[dict[str, int]],
) -> None:
    places = [(n / len(drawn), (n + 1) / len(drawn)) for n in range(len(drawn))]
    plot = columns(places, ["x"] * len(drawn), drawn, [""] * len(drawn))

    top = plot.grid[-1][1]
    assert plot.grid[0][1] == 0
    assert 2 <= len(plot.grid) <= 5
    for bar, count in zip(plot.bars, drawn, strict=True):
        assert bar.count == sum(count.values()) <= top
        assert {p.level: p.count for p in bar.parts} == {k: n for k, n in count.items() if n}
        height = sum(part.length for part in bar.parts)
        assert height == pytest.approx(HEIGHT_PX * bar.count / top)
        if bar.parts:
            assert bar.parts[0].at + bar.parts[0].length == pytest.approx(HEIGHT_PX)
            assert bar.parts[-1].at == pytest.approx(HEIGHT_PX - height)
            assert bar.parts[-1].at >= -1e-9


def test_the_gravest_stand_on_the_axis() -> None:
    (bar,) = columns([(0, 1)], ["x"], [dict.fromkeys(RISK_LEVELS, 1)], [""]).bars
    assert [part.level for part in bar.parts] == ["critical", "high", "medium", "low"]


def test_many_columns_go_without_their_counts() -> None:
    def counted(n: int) -> int:
        places = [(k / n, (k + 1) / n) for k in range(n)]
        return len(columns(places, ["x"] * n, [{"low": 1}] * n, [""] * n).top_y)

    assert (counted(24), counted(25)) == (24, 0)


def test_rows_come_longest_first_and_the_longest_is_as_wide_as_the_plot() -> None:
    found = rows(
        {"a": "A", "b": "B", "c": "C"}, {"a": {"low": 1}, "b": {"high": 3, "low": 1}, "c": {}}
    )
    assert [(bar.label, bar.count, bar.width) for bar in found] == [
        ("B", 4, 100.0), ("A", 1, 25.0), ("C", 0, 0.0),
    ]  # fmt: skip
    assert [(p.level, p.at, p.length) for p in found[0].parts] == [
        ("high", 0.0, 75.0), ("low", 75.0, 25.0),
    ]  # fmt: skip
    assert rows({}, {}) == []


@given(
    st.lists(st.integers(0, 1000), min_size=2, max_size=20, unique=True).map(
        lambda edges: sorted(edges[: len(edges) // 2 * 2])
    )
)
def test_every_span_is_seen_and_none_leaves_the_strip(edges: list[int]) -> None:
    spans = list(zip(edges[::2], edges[1::2], strict=True))
    drawn = strips(AXIS, spans)

    for x, width in drawn:
        assert 0 <= x <= x + width <= 100 + 1e-9
        assert width >= LEAST_PERCENT - 1e-9
    for start, end in spans:
        assert any(x <= start / 10 + 1e-6 and x + width >= end / 10 - 1e-6 for x, width in drawn)


def test_marks_grow_with_the_events_and_none_is_too_small_to_see() -> None:
    pieces = [(0, 250), (250, 500), (500, 1000)]
    found = marks(AXIS, {2: 100, 0: 1}, pieces, most=100)
    assert [(mark.x, mark.width, mark.height, mark.y) for mark in found] == [
        (0.0, 25.0, 2.0, MARK_PX - 2.0), (50.0, 50.0, MARK_PX, 0.0),
    ]  # fmt: skip
