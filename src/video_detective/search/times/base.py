"""What is read out of a question about times."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """A half-open range of time; at least one side is closed, and ``start_ns < end_ns``.

    Args:
        start_ns: Nanoseconds UTC; None: since ever.
        end_ns: Nanoseconds UTC, excluded; None: without end.
    """

    start_ns: int | None
    end_ns: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeReading:
    """What a question says about time.

    Args:
        period: The first range of time in the question; None when it names none.
        spans: Character ranges ``[begin, end)`` of the question that speak of time, in order,
            without overlap, understood or not.
        not_understood: Words of the question that look like a time and did not narrow the
            search: days that cannot be, habits (每天), every range after the first; in order.
        rest: The question with the spans replaced by spaces, character for character.
    """

    period: Period | None
    spans: tuple[tuple[int, int], ...]
    not_understood: tuple[str, ...]
    rest: str
