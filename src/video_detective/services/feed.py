"""What changes, as it changes, for all who listen: one look at the database serves them all.

Every process looks for itself, so that it does not matter which one made a change.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence

from video_detective.errors import RateLimitedError, VideoDetectiveError
from video_detective.services.access import Caller
from video_detective.storage.changes import Change, Place
from video_detective.storage.database import Database

POLL_S = 0.5
MOST_PER_CALLER = 20
"""A browser has a stream for each open page of the service."""
_KEPT = 100
"""Looks at the database that wait for a slow listener; then it reads for itself."""
_log = logging.getLogger(__name__)


class Listener:
    """One who listens; made by ``LiveFeed.listen``.

    Args:
        database: Where what it missed is read.
        whose: By whom it is counted.
        place: Behind which it wants to hear.
        is_reset: What came behind the place it asked for is not known any more.
    """

    def __init__(self, database: Database, whose: str, place: Place, *, is_reset: bool) -> None:
        self.place = place
        self.whose = whose
        self.is_reset = is_reset
        self._database = database
        self._heard: asyncio.Queue[tuple[Sequence[Change], Place] | None] = asyncio.Queue()
        # What came between its place and the first look that it is told of.
        self._is_behind = True

    def tell(self, changes: Sequence[Change], place: Place) -> None:
        """Tell what a look at the database found, up to a place."""
        if self._heard.qsize() < _KEPT:
            self._heard.put_nowait((changes, place))
        else:
            while not self._heard.empty():
                self._heard.get_nowait()
            self._is_behind = True

    def end(self) -> None:
        """Nothing more will be told."""
        self._heard.put_nowait(None)

    async def next(self, timeout_s: float) -> Sequence[Change] | None:
        """What changed since the last time, in order; ``place`` is then behind it.

        Args:
            timeout_s: How long to wait for something; then nothing is given.

        Returns:
            None when nothing more will come.

        Raises:
            StorageError: the database cannot be used.
        """
        if self._is_behind:
            missed, place = await self._database.live.after(self.place)
            self._is_behind = place != self.place
            if self._is_behind:
                self.place = place
                return missed
        try:
            async with asyncio.timeout(timeout_s):
                heard = await self._heard.get()
        except TimeoutError:
            return ()
        if heard is None:
            return None
        changes, place = heard
        fresh = [change for change in changes if change.place > self.place]
        self.place = max(self.place, place)
        return fresh


class LiveFeed:
    """Looks for changes while somebody listens.

    Args:
        database: Where.
        poll_s: Seconds between looks.
    """

    def __init__(self, database: Database, *, poll_s: float = POLL_S) -> None:
        self._database = database
        self._poll_s = poll_s
        self._place = Place(0, 0)
        self._looking: asyncio.Task[None] | None = None
        self._starting = asyncio.Lock()
        self._listeners: set[Listener] = set()
        self._counts = Counter[str]()

    @property
    def is_looking(self) -> bool:
        """Whether anybody listens, and so it looks."""
        return self._looking is not None

    async def listen(self, caller: Caller, after: str | None) -> Listener:
        """Begin to listen; ``leave`` must be called in the end.

        Args:
            caller: Who; what of all that is in reach is for whoever tells them.
            after: Place of the last change that the caller heard of (``Place.text``); None: from
                now on.

        Raises:
            RateLimitedError: the caller listens too often at once.
            StorageError: the database cannot be used.
        """
        whose = f"{caller.kind} {caller.id}"
        if self._counts[whose] >= MOST_PER_CALLER:
            raise RateLimitedError(
                f"There are {MOST_PER_CALLER} live streams of this {caller.kind} already",
                remedy="Close some, or share one.",
                retry_after_s=5,
            )
        self._counts[whose] += 1
        try:
            place = None if after is None else Place.read(after)
            if place is not None and not await self._database.live.reaches(place):
                place = None
            async with self._starting:
                if self._looking is None:
                    self._place = await self._database.live.now()
                    self._looking = asyncio.create_task(self._look())
                listener = Listener(
                    self._database,
                    whose,
                    place or self._place,
                    is_reset=after is not None and place is None,
                )
                self._listeners.add(listener)
        except BaseException:
            self._uncount(whose)
            raise
        return listener

    def leave(self, listener: Listener) -> None:
        """Listen no more; again is harmless."""
        if listener not in self._listeners:
            return
        self._listeners.discard(listener)
        self._uncount(listener.whose)
        if not self._listeners and self._looking is not None:
            self._looking.cancel()
            self._looking = None

    def close(self) -> None:
        """End every stream: the service is ending."""
        for listener in self._listeners:
            listener.end()

    def _uncount(self, whose: str) -> None:
        self._counts[whose] -= 1
        if not self._counts[whose]:
            del self._counts[whose]

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(self._poll_s)
            try:
                changes, place = await self._database.live.after(self._place)
            except VideoDetectiveError as error:
                # Nothing is lost: the next look goes on from the same place.
                _log.warning("live streams wait for the database: %s", error)
                continue
            if place != self._place:
                self._place = place
                for listener in self._listeners:
                    listener.tell(changes, place)
