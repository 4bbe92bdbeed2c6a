"""Desks: what kinds of jobs there are. A worker serves one or several with one queue."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from video_detective.errors import ModelError
from video_detective.geometry import NS_PER_S
from video_detective.pipeline.clock import now_ns
from video_detective.storage.insights.base import InsightClaim, InsightOutcome
from video_detective.storage.insights.insights import Insights
from video_detective.storage.narration_rows import Claim, NarrationOutcome
from video_detective.storage.narrations import Narrations

Tell = Callable[[Claim], Awaitable[NarrationOutcome]]
"""Has one event told.

Raises:
    ModelError: no usable answer came; a transient one is asked again later.
    VideoDetectiveError: it cannot be told.
"""
Describe = Callable[[InsightClaim], Awaitable[InsightOutcome]]
"""Has one alert described; raises as ``Tell``."""
Explain = Callable[[InsightClaim, ModelError], str]
"""What went wrong, for people: in the account's language, with what to do."""

INVALID_TRIES = 2
"""How often an insight is asked for again when no usable answer came: the client has had each
answer corrected once already."""
_UNUSABLE = ("invalid", "truncated", "empty", "language")


class Desk(Protocol):
    """One kind of jobs. What is pending is known to the database; a job is only an id.

    Attributes:
        prefix: With which ids of its jobs begin, and no other desk's.
    """

    prefix: str

    async def pending(self, limit: int) -> Mapping[str, int]:
        """Jobs that nobody has finished, with their priorities: 1 runs before 2."""

    async def count_pending(self) -> int:
        """How many there are in all."""

    async def claim(self, job_id: str, worker: str) -> Any:
        """Note that a worker begins; None when that is not wanted any more."""

    async def do(self, claim: Any) -> Any:
        """Do it, and give what came of it.

        Raises:
            ModelError: no usable answer came.
            VideoDetectiveError: it cannot be done.
        """

    def is_worth_another_try(self, error: ModelError, tried: int) -> bool:
        """Whether to do it again after a pause, having failed so often."""

    def failed(self, claim: Any, error: ModelError) -> Any:
        """What comes of it when it is given up; None to let it wait for better times."""

    async def finish(self, claim: Any, outcome: Any) -> bool:
        """Store what came of it; False when somebody else finished it."""

    async def release(self, claim: Any) -> None:
        """Take a claim back as if it had never been."""


class NarrationDesk:
    """Events that a model is to tell.

    Args:
        narrations: Where the rows are.
        tell: Does the work of one job.
    """

    prefix = ""

    def __init__(self, narrations: Narrations, tell: Tell) -> None:
        self._narrations = narrations
        self._tell = tell

    async def pending(self, limit: int) -> dict[str, int]:
        """See ``Desk``."""
        pending = await self._narrations.pending(limit)
        return {f"{row.event_id}@{row.requested_ns}": 5 if row.can_wait else 3 for row in pending}

    async def count_pending(self) -> int:
        """See ``Desk``."""
        return await self._narrations.count_pending()

    async def claim(self, job_id: str, worker: str) -> Claim | None:
        """See ``Desk``."""
        event_id, _, requested_ns = job_id.rpartition("@")
        if not requested_ns.isdigit():  # another desk's, of a worker that has more of them
            return None
        return await self._narrations.claim(event_id, int(requested_ns), worker)

    async def do(self, claim: Claim) -> NarrationOutcome:
        """See ``Desk``."""
        return await self._tell(claim)

    def is_worth_another_try(self, error: ModelError, tried: int) -> bool:
        """See ``Desk``."""
        return error.transient

    def failed(self, claim: Claim, error: ModelError) -> NarrationOutcome:
        """See ``Desk``."""
        return NarrationOutcome(
            status="failed", reason=f"{error.reason}: {error.message}", raw_text=error.raw or None
        )

    async def finish(self, claim: Claim, outcome: NarrationOutcome) -> bool:
        """See ``Desk``."""
        return await self._narrations.finish(claim, outcome, finished_ns=now_ns())

    async def release(self, claim: Claim) -> None:
        """See ``Desk``."""
        await self._narrations.release(claim)


class InsightDesk:
    """Alerts that a model is to describe; they come before events, as somebody may be waiting.

    Args:
        insights: Where the rows are.
        describe: Does the work of one job.
        explain: Words for people.
        news_s: What happened longer ago can wait.
    """

    prefix = "insight:"

    def __init__(
        self, insights: Insights, describe: Describe, explain: Explain, *, news_s: float
    ) -> None:
        self._insights = insights
        self._describe = describe
        self._explain = explain
        self._news_ns = round(news_s * NS_PER_S)

    async def pending(self, limit: int) -> dict[str, int]:
        """See ``Desk``."""
        found = await self._insights.pending(limit, now_ns=now_ns(), news_ns=self._news_ns)
        return {
            f"{self.prefix}{one.insight_id}": 4
            if one.can_wait
            else 1 + (one.severity != "critical")
            for one in found
        }

    async def count_pending(self) -> int:
        """See ``Desk``."""
        return await self._insights.count_pending(now_ns=now_ns())

    async def claim(self, job_id: str, worker: str) -> InsightClaim | None:
        """See ``Desk``."""
        return await self._insights.claim(job_id.removeprefix(self.prefix), worker)

    async def do(self, claim: InsightClaim) -> InsightOutcome:
        """See ``Desk``."""
        return await self._describe(claim)

    def is_worth_another_try(self, error: ModelError, tried: int) -> bool:
        """See ``Desk``."""
        return error.transient or (error.reason in _UNUSABLE and tried < INVALID_TRIES)

    def failed(self, claim: InsightClaim, error: ModelError) -> InsightOutcome | None:
        """See ``Desk``. Without a server, what is asked waits for it."""
        if error.reason == "unreachable":
            return None
        return InsightOutcome(
            status="failed",
            reason=f"{error.reason}: {error.message}",
            error=self._explain(claim, error),
            raw_text=error.raw or None,
        )

    async def finish(self, claim: InsightClaim, outcome: InsightOutcome) -> bool:
        """See ``Desk``."""
        return await self._insights.finish(claim, outcome, finished_ns=now_ns())

    async def release(self, claim: InsightClaim) -> None:
        """See ``Desk``."""
        await self._insights.release(claim)
