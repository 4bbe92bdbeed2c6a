"""Records of what persons looked like, and their sums, as they are stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from video_detective.attributes import AttributeRecord, Attributes, Knower
from video_detective.geometry import NS_PER_S
from video_detective.storage.reach import Reach

BUCKET_NS = 900 * NS_PER_S
"""A quarter of an hour: every time zone's hours and days begin at one."""
NEAR_NS = 30 * NS_PER_S
"""Records up to so far before and after an insight was triggered belong to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeStretch:
    """What one stretch of an analysis recorded.

    What the analysis recorded before of moments within ``spans`` is replaced, and what others did
    is hidden: the same footage was analysed again, perhaps with other settings.

    Args:
        spans: ``(first_ns, last_ns)`` inclusive, between which everything was looked at.
        records: New ones, each within a span.
        node_id: Which node recorded them.
        user_id: Who started the analysis, where that is known.
        stored_ns: Now.
    """

    spans: Sequence[tuple[int, int]]
    records: Sequence[AttributeRecord]
    node_id: str | None
    user_id: str | None = None
    stored_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeRow:
    """A stored record; see ``AttributeRecord`` and the table."""

    attribute_id: str
    camera_id: str
    scene_id: str | None
    captured_ns: int
    total_persons: int
    attributes: Attributes
    source: Knower
    node_id: str | None
    user_id: str | None
    created_ns: int
    updated_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeQuery:
    """Which records: those of devices in reach whose plan has attributes.

    Args:
        reach: Whose; None: everybody's.
        camera_id: Only of this camera.
        since_ns, until_ns: ``[since_ns, until_ns)``; None: from the first, to the last.
    """

    reach: Reach | None
    camera_id: str | None = None
    since_ns: int | None = None
    until_ns: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributePage:
    """One page of records, newest first, and how many there are in all."""

    rows: Sequence[AttributeRow]
    total: int
    next_cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeSums:
    """Sums over records; those of nulls alone are None."""

    records: int = 0
    total_persons: int = 0
    attributes: Attributes = field(default_factory=Attributes)


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalClock:
    """How time is cut into local hours or days.

    Args:
        stretch_ns: Length of one where the clock is not changed.
        offsets: ``(since_ns, offset_ns)`` in order of time: how far the local clock is ahead of
            UTC from then on; the first also holds before.

    A stretch is named by its number since 1970 on the local clock, and by which offset held: an
    hour that the clock shows twice is two stretches, a day is always one.
    """

    stretch_ns: int
    offsets: Sequence[tuple[int, int]]

    @property
    def has_days(self) -> bool:
        """Whether stretches are days."""
        return self.stretch_ns > 3600 * NS_PER_S

    def begin_ns(self, part: int, number: int) -> int:
        """When a stretch begins, UTC.

        Args:
            part: Index in ``offsets``.
            number: Since 1970 on the local clock.
        """
        if not self.has_days:
            return self._begin(part, number)
        parts = range(len(self.offsets))
        ends = [since for since, _ in self.offsets[1:]]
        for index in parts[: len(ends)]:
            if self._begin(index, number) < ends[index]:
                return self._begin(index, number)
        return self._begin(parts[-1], number)

    def _begin(self, part: int, number: int) -> int:
        since_ns, offset_ns = self.offsets[part]
        begin_ns = number * self.stretch_ns - offset_ns
        return begin_ns if part == 0 else max(begin_ns, since_ns)


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeStatistics:
    """Sums over a period, and over its hours or days.

    Args:
        whole: Of the period.
        timeline: By when each stretch with records begins, in order of time.
    """

    whole: AttributeSums
    timeline: Mapping[int, AttributeSums]


def bucket_starts(times: Sequence[int]) -> list[int]:
    """The quarters of an hour in which these moments lie, in order."""
    return sorted({time_ns // BUCKET_NS * BUCKET_NS for time_ns in times})
