"""Expected against found, row by row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from video_detective.geometry import NS_PER_S
from video_detective.rules import Event
from video_detective.services.scripted_scene.expected import ExpectedEvent

TOLERANCE_S = 0.5
"""Start and end may be off by this: two samples at 5 a second and a foot point's jitter."""
PAIRING_S = 5.0
"""Further apart, two events are not the same one badly timed but one missing and one extra."""

Status = Literal["ok", "off", "wrong", "missing", "extra"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the comparison; at least one of ``expected`` and ``found`` is there.

    Args:
        status: ``ok``; ``off`` (start or end too early or late); ``wrong`` (class or count);
            ``missing``; ``extra``.
        start_shift_s, end_shift_s: Found minus expected, s; ``end_shift_s`` is None while the
            event goes on.
        detail: What is the matter, one English phrase; empty when ok.
    """

    expected: ExpectedEvent | None
    found: Event | None
    status: Status
    start_shift_s: float | None = None
    end_shift_s: float | None = None
    detail: str = ""

    @property
    def is_ok(self) -> bool:
        """Whether this event is as it must be."""
        return self.status == "ok"


def compare(
    expected: Sequence[ExpectedEvent], found: Sequence[Event], *, tolerance_s: float = TOLERANCE_S
) -> list[Row]:
    """Pair what must be found with what was found.

    Events of the same type, rule, place and direction pair up, the nearest in time first.

    Args:
        expected: From ``expected_events``.
        found: The final version of every event, in any order.
        tolerance_s: How far start and end may each be off.

    Returns:
        One row for each expected event and one for each found event without a partner, in order
        of time; [] when both are empty.
    """
    candidates = sorted(
        (abs(event.start_ns - wanted.start_ns), i, j)
        for i, wanted in enumerate(expected)
        for j, event in enumerate(found)
        if _key(wanted) == _found_key(event)
        and abs(event.start_ns - wanted.start_ns) <= PAIRING_S * NS_PER_S
    )
    partner: dict[int, int] = {}
    taken: set[int] = set()
    for _, i, j in candidates:
        if i not in partner and j not in taken:
            partner[i] = j
            taken.add(j)
    rows = [
        _pair(wanted, found[partner[i]], tolerance_s)
        if i in partner
        else Row(expected=wanted, found=None, status="missing", detail="not found")
        for i, wanted in enumerate(expected)
    ]
    rows += [
        Row(expected=None, found=event, status="extra", detail="not in the script")
        for j, event in enumerate(found)
        if j not in taken
    ]
    return sorted(rows, key=_start_ns)


_Key = tuple[str, str, str | None, str | None, str | None]


def _key(event: ExpectedEvent) -> _Key:
    return event.type, event.rule_id, event.zone, event.tripwire, event.direction


def _found_key(event: Event) -> _Key:
    direction = event.facts.get("direction") if event.type == "line_crossing" else None
    return event.type, event.rule_id, event.zone, event.tripwire, direction


def _start_ns(row: Row) -> int:
    if row.expected is not None:
        return row.expected.start_ns
    return row.found.start_ns if row.found is not None else 0


def _pair(wanted: ExpectedEvent, event: Event, tolerance_s: float) -> Row:
    start_shift_s = (event.start_ns - wanted.start_ns) / NS_PER_S
    end_shift_s = None if event.end_ns is None else (event.end_ns - wanted.end_ns) / NS_PER_S
    late = [
        f"{name} off by {shift:+.1f} s"
        for name, shift in (("start", start_shift_s), ("end", end_shift_s))
        if shift is not None and abs(shift) > tolerance_s
    ]
    if end_shift_s is None:
        late.append("has not ended")
    wrong = []
    subject = event.actors[0].type if event.actors else None
    if wanted.track_class is not None and subject != wanted.track_class:
        wrong.append(f"{subject or 'nothing'} instead of {wanted.track_class}")
    count = event.facts.get("peak_value" if event.type == "metric" else "peak_count")
    if wanted.count is not None and count != wanted.count:
        wrong.append(f"counted {count} instead of {wanted.count}")
    status: Status = "off" if late else "wrong" if wrong else "ok"
    return Row(
        expected=wanted,
        found=event,
        status=status,
        start_shift_s=start_shift_s,
        end_shift_s=end_shift_s,
        detail=", ".join(late + wrong),
    )
