"""Delivers notifications: as soon as they are there, again while a receiver fails, until a day."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from video_detective.errors import ReceiverError, StorageError, VideoDetectiveError
from video_detective.geometry import NS_PER_S
from video_detective.pipeline.clock import now_ns
from video_detective.pipeline.trace import traced
from video_detective.storage.notices.base import LEASE_S, Claimed, Outcome
from video_detective.storage.notices.notices import Notices

POLL_S = 0.3
"""Between two looks at the outbox: an alert waits no longer for its notification to begin."""
LIMIT_S = 45.0
"""For one attempt as a whole; less than ``LEASE_S``, so that nobody else has begun meanwhile."""
RETRY_S = (5, 30, 120, 600, 1800, 3600, 7200, 14400, 21600, 28800)
"""Seconds until the next attempt, after the first, the second …: almost a day in all."""
ENDING_S = 2.0
"""How long the end waits for deliveries that are under way; they are then told again later."""
POSTPONED = "not told yet: its pictures are still to come"
FORGET_EVERY_S = 3600.0
_STORAGE_PAUSE_S = 5.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Skip:
    """Why a delivery is not told to anybody."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Later:
    """A delivery is not told yet: its pictures are still to come. ``due_ns`` is when it is."""

    due_ns: int


class Told(Protocol):
    """What is sent: has what the record keeps of it."""

    @property
    def record(self) -> Mapping[str, Any]:
        """Plain JSON, without links that open anything."""
        ...


class Teller(Protocol):
    """Knows what a delivery says, and how its channel is told."""

    async def compose(self, claimed: Claimed) -> Told | Skip | Later:
        """What to tell; a delivery that was attempted before says the same again."""
        ...

    async def send(self, claimed: Claimed, told: Any) -> str:
        """Tell it; what the receiver said.

        Raises:
            ReceiverError: it was not taken.
        """
        ...


class Deliverer:
    """Delivers what is due; several may work on one database.

    Args:
        notices: The outbox.
        teller: Sends.
        worker: Name of this deliverer; no two alive have the same.
        lease_s: How long a claim of its own or of others holds.
        at_once: Deliveries under way at a time, each to another channel.
        clock: Tells the time, ns UTC.
    """

    def __init__(
        self,
        notices: Notices,
        teller: Teller,
        *,
        worker: str,
        lease_s: float = LEASE_S,
        at_once: int = 8,
        clock: Callable[[], int] = now_ns,
    ) -> None:
        self._notices = notices
        self._teller = teller
        self._worker = worker
        self._lease_s = lease_s
        self._at_once = at_once
        self._clock = clock

    async def run(self, stop: asyncio.Event) -> None:
        """Deliver until ``stop`` is set; what is under way then has ``ENDING_S`` to end.

        A database that cannot be used is waited for.
        """
        stopped = asyncio.create_task(_until(stop))
        under_way: set[asyncio.Task[None]] = set()
        forgotten_ns = 0
        try:
            while not stop.is_set():
                pause_s = POLL_S
                try:
                    while len(under_way) < self._at_once and (claimed := await self._claim()):
                        under_way.add(asyncio.create_task(self._deliver(claimed)))
                    if self._clock() - forgotten_ns > FORGET_EVERY_S * NS_PER_S:
                        await self._notices.forget_old(self._clock())
                        forgotten_ns = self._clock()
                except StorageError as error:
                    _log.error("notifications wait: %s", error)
                    pause_s = _STORAGE_PAUSE_S
                # Whatever ends frees its channel for the next one.
                _, left = await asyncio.wait(
                    {stopped, *under_way}, timeout=pause_s, return_when=asyncio.FIRST_COMPLETED
                )
                under_way &= left
        finally:
            stopped.cancel()
            await asyncio.wait({stopped, *under_way}, timeout=ENDING_S)
            for task in under_way:
                task.cancel()
            await asyncio.wait({stopped, *under_way})

    async def deliver_due(self) -> int:
        """Deliver what is due, one after the other; how many attempts were made."""
        count = 0
        while claimed := await self._claim():
            await self._deliver(claimed)
            count += 1
        return count

    async def _claim(self) -> Claimed | None:
        return await self._notices.claim(self._worker, self._clock(), lease_s=self._lease_s)

    async def _deliver(self, claimed: Claimed) -> None:
        with traced(request=claimed.request_id, job=claimed.delivery_id):
            try:
                try:
                    outcome = await self._attempt(claimed)
                except asyncio.CancelledError:
                    await self._notices.finish(claimed, _broken_off(claimed, self._clock()))
                    raise
                _report(claimed, outcome)
                await self._notices.finish(claimed, outcome)
            except StorageError as error:
                # The claim expires, and it is told again: at least once.
                _log.error("what came of a notification is lost: %s", error)

    async def _attempt(self, claimed: Claimed) -> Outcome:
        payload: Mapping[str, Any] = claimed.payload
        try:
            async with asyncio.timeout(LIMIT_S):
                told = await self._teller.compose(claimed)
                if isinstance(told, Skip):
                    return Outcome(
                        status="skipped", answer=told.reason, payload=payload, time_ns=self._clock()
                    )
                if isinstance(told, Later):
                    return Outcome(
                        status="waiting",
                        answer=POSTPONED,
                        payload=payload,
                        time_ns=self._clock(),
                        due_ns=told.due_ns,
                    )
                payload = told.record
                answer = await self._teller.send(claimed, told)
            return Outcome(status="done", answer=answer, payload=payload, time_ns=self._clock())
        except ReceiverError as error:
            words, is_final = str(error), not error.transient
        except TimeoutError:
            words, is_final = f"The receiver did not answer within {LIMIT_S:g} s.", False
        except StorageError:
            raise
        except VideoDetectiveError as error:  # settings that are not complete
            words, is_final = str(error), False
        except Exception:  # the boundary: one that cannot be told must not stop the others
            _log.exception("notification %s cannot be told", claimed.delivery_id)
            words, is_final = "It could not be told because of a fault; see the log.", False
        if not is_final and claimed.attempts <= len(RETRY_S):
            due_ns = self._clock() + RETRY_S[claimed.attempts - 1] * NS_PER_S
            return Outcome(
                status="waiting",
                answer=words,
                payload=payload,
                time_ns=self._clock(),
                due_ns=due_ns,
            )
        if not is_final:
            words = f"{words} Given up after {claimed.attempts} attempts."
        return Outcome(status="failed", answer=words, payload=payload, time_ns=self._clock())


def _broken_off(claimed: Claimed, time_ns: int) -> Outcome:
    """Nobody waits for the claim to expire."""
    return Outcome(
        status="waiting",
        answer="The service ended before the receiver had answered.",
        payload=claimed.payload,
        time_ns=time_ns,
        due_ns=time_ns,
    )


def _report(claimed: Claimed, outcome: Outcome) -> None:
    is_well = outcome.status in {"done", "skipped"} or outcome.answer == POSTPONED
    level = logging.INFO if is_well else logging.WARNING
    _log.log(
        level,
        "notification %s (%s) to channel %s, attempt %d: %s, %s",
        claimed.delivery_id,
        claimed.kind,
        claimed.channel.channel_id,
        claimed.attempts,
        outcome.status,
        outcome.answer,
    )


async def _until(stop: asyncio.Event) -> None:
    await stop.wait()
