"""How many insights a list has, and where its far pages begin.

To skip 100,000 insights takes as long as to count them. So the time is cut into slices of about as
many insights each, and those of every slice are counted at once: that gives the total, and brings
every page within a slice of its beginning.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

SLICES = 256
FIRST_NS, LAST_NS = -(2**62), 2**62
"""Before and after every time that is stored."""
_MOST_TALLIES = 256
_SHARE = 10
"""Counting takes at most one part in so many of the time."""
_MARGIN = 0.75
"""Of ``stale_s``: what is left then is enough to count, so that nobody waits."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins: behind a time (None: at the newest), and so many insights on."""

    before_ns: int | None
    offset: int


@dataclass(frozen=True, slots=True)
class Tally:
    """What was counted at one moment.

    Args:
        highs: Ends of the slices, exclusive, newest first; the first is after every time.
        reached: How many insights the slices before have, beginning with 0; one more than
            ``highs``: the last is the total.
        made_s: When counting began, by the loop's clock.
        took_s: How long it took.
    """

    highs: Sequence[int]
    reached: Sequence[int]
    made_s: float
    took_s: float

    @property
    def total(self) -> int:
        """How many insights there are."""
        return self.reached[-1]

    def place(self, offset: int) -> Place | None:
        """Where a page begins that leaves out ``offset`` insights; None behind the last."""
        if offset >= self.total:
            return None
        slice_ = bisect_right(self.reached, offset) - 1
        return Place(self.highs[slice_] if slice_ else None, offset - self.reached[slice_])


def spans(times: Sequence[int]) -> list[tuple[int, int]]:
    """Slices ``[low, high)``, newest first, that end at these times (any order) and cover all."""
    ends = [LAST_NS, *sorted(set(times), reverse=True), FIRST_NS]
    return [(low, high) for high, low in pairwise(ends)]


def tally(
    cut: Sequence[tuple[int, int]], counts: Sequence[int], *, made_s: float, took_s: float
) -> Tally:
    """What the counts of these slices give."""
    return Tally([high for _, high in cut], [0, *accumulate(counts)], made_s, took_s)


class Tallies:
    """Tallies that were made lately, by what was asked.

    One that is older than ``fresh_s``, and than ten times what it took, is made anew in the
    background while it is still used; one older than ``stale_s`` is used no more. Each is made by
    one task, whoever waits for it.

    Args:
        fresh_s, stale_s: Seconds.
    """

    def __init__(self, *, fresh_s: float, stale_s: float) -> None:
        self._fresh_s = fresh_s
        self._stale_s = stale_s
        self._known: OrderedDict[Hashable, Tally] = OrderedDict()
        self._making: dict[Hashable, asyncio.Task[Tally]] = {}

    def knows(self, key: Hashable) -> bool:
        """Whether there was one, of whatever age: then there were many insights."""
        return key in self._known

    async def get(self, key: Hashable, make: Callable[[], Awaitable[Tally]]) -> Tally:
        """The tally of what was asked.

        Args:
            key: What was asked.
            make: Counts.
        """
        known = self._known.get(key)
        age_s = asyncio.get_running_loop().time() - known.made_s if known else self._stale_s
        if known is not None and age_s < min(
            max(self._fresh_s, _SHARE * known.took_s), _MARGIN * self._stale_s
        ):
            self._known.move_to_end(key)
            return known
        task = self._making.get(key)
        if task is None:
            task = asyncio.ensure_future(self._make(key, make))
            self._making[key] = task
            task.add_done_callback(lambda done: self._made(key, done))
        if known is not None and age_s < self._stale_s:
            return known
        # Who waits may go away; the others wait on.
        return await asyncio.shield(task)

    def forget(self, key: Hashable) -> None:
        """Forget one: there are few insights now."""
        self._known.pop(key, None)

    async def _make(self, key: Hashable, make: Callable[[], Awaitable[Tally]]) -> Tally:
        made = await make()
        self._known[key] = made
        self._known.move_to_end(key)
        while len(self._known) > _MOST_TALLIES:
            self._known.popitem(last=False)
        return made

    def _made(self, key: Hashable, task: asyncio.Task[Tally]) -> None:
        self._making.pop(key, None)
        if not task.cancelled():
            task.exception()  # whoever waits is told; in the background the next one tries again
