"""Which workers live, judged from beats that they count up in the database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from video_detective.geometry import NS_PER_S

BEAT_NS = 3 * NS_PER_S // 2
"""Between two beats of a worker."""
DEAD_NS = 5 * NS_PER_S
"""A worker whose beats did not change for so long is dead. With one beat before, one look after
and one poll of the queue, its jobs are taken over within 10 s."""


@dataclass(slots=True)
class _Seen:
    beats: int
    silent_ns: int


class Census:
    """One worker's view of the others; it compares nobody's clock with its own."""

    def __init__(self) -> None:
        self._seen: dict[str, _Seen] = {}
        self._looked_ns: int | None = None

    def alive(self, beats: Mapping[str, int], now_ns: int) -> set[str]:
        """Look at every worker's beats once more.

        A worker that is seen for the first time lives. Silence counts for at most two beats a
        look: when the looking worker itself was held up (a locked database, a suspended machine),
        the others probably were too.

        Args:
            beats: By worker; one that is missing has left.
            now_ns: Of a clock that never goes back.
        """
        passed_ns = 0 if self._looked_ns is None else now_ns - self._looked_ns
        self._looked_ns = now_ns
        known, self._seen = self._seen, {}
        for worker, count in beats.items():
            before = known.get(worker)
            silent_ns = (
                before.silent_ns + min(passed_ns, 2 * BEAT_NS)
                if before is not None and before.beats == count
                else 0
            )
            self._seen[worker] = _Seen(count, silent_ns)
        return {worker for worker, seen in self._seen.items() if seen.silent_ns < DEAD_NS}
