"""Which workers live, judged from beats that they count up in the database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from video_detective.geometry import NS_PER_S
from video_detective.storage.narration_rows import Beat

BEAT_NS = NS_PER_S
"""Between two beats of a worker."""
DEAD_NS = 4 * NS_PER_S
"""A worker whose beats did not change for so long is dead. With one beat before, one look after
and one poll of the queue its jobs are taken over after some 5 s; 10 s are promised."""


@dataclass(slots=True)
class _Seen:
    number: int
    silent_ns: int


class Census:
    """One worker's view of the others. Clocks only shorten it: its own eyes decide."""

    def __init__(self) -> None:
        self._seen: dict[str, _Seen] = {}
        self._looked_ns: int | None = None

    def alive(self, beats: Mapping[str, Beat], now_ns: int) -> set[str]:
        """Look at every worker's last beat once more.

        A worker that is seen for the first time lives. If its beat is old it is dead at the next
        look, unless it beats. Silence counts for at most two beats a look: when the looking
        worker itself was held up (a locked database, a suspended machine), the others probably
        were too.

        Args:
            beats: By worker; one that is missing has left.
            now_ns: Of a clock that never goes back.
        """
        passed_ns = 0 if self._looked_ns is None else now_ns - self._looked_ns
        self._looked_ns = now_ns
        known, self._seen = self._seen, {}
        for worker, beat in beats.items():
            before = known.get(worker)
            if before is None:
                silent_ns = min(beat.age_ns, DEAD_NS - BEAT_NS)
            elif before.number == beat.number:
                silent_ns = before.silent_ns + min(passed_ns, 2 * BEAT_NS)
            else:
                silent_ns = 0
            self._seen[worker] = _Seen(beat.number, silent_ns)
        return {worker for worker, seen in self._seen.items() if seen.silent_ns < DEAD_NS}
