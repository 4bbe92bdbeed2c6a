"""鏡頭異常 Camera tampering: the view stays dark, blurred or shifted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from video_detective.rules.parameters import CameraTampered
from video_detective.rules.runs import Run
from video_detective.rules.sight import Finding, Sight, ns, seconds
from video_detective.rules.snapshot import plain, rebuild


@dataclass(slots=True, kw_only=True)
class Trouble:
    """A view that is not well, and the ways in which it was not, in order."""

    run: Run
    kinds: list[str]


@dataclass(slots=True, kw_only=True)
class TamperingState:
    """The present trouble, if any."""

    trouble: Trouble | None = None


class CameraTamperedMachine:
    """Established when the view was not ``ok`` for ``min_seconds``; ends when it is well again."""

    def __init__(self, rule: CameraTampered) -> None:
        self._rule = rule
        self._state = TamperingState()

    def update(self, sight: Sight) -> list[Finding]:
        """See ``Machine``."""
        trouble, stamp, min_ns = self._state.trouble, sight.stamp(), ns(self._rule.min_seconds)
        if sight.view == "ok":
            if trouble is not None and trouble.run.fails(
                sight.time_ns, min_ns=min_ns, exit_ns=ns(self._rule.exit_s)
            ):
                return self.stop("well")
            return []
        if trouble is None:
            trouble = self._state.trouble = Trouble(run=Run(first=stamp, last=stamp), kinds=[])
        if sight.view not in trouble.kinds:
            trouble.kinds.append(sight.view)
        return [self._finding(trouble, None)] if trouble.run.holds(stamp, min_ns=min_ns) else []

    def stop(self, ended: str) -> list[Finding]:
        """See ``Machine``."""
        trouble, self._state.trouble = self._state.trouble, None
        if trouble is None or trouble.run.established is None:
            return []
        return [self._finding(trouble, ended)]

    def state(self) -> Any:
        """See ``Machine``."""
        return plain(self._state)

    def restore(self, state: Any) -> None:
        """See ``Machine``."""
        self._state = rebuild(TamperingState, state)

    def _finding(self, trouble: Trouble, ended: str | None) -> Finding:
        run = trouble.run
        established = run.established or run.last
        moments = [run.first.moment("covered"), established.moment("established")]
        facts: dict[str, Any] = {
            "kinds": list(trouble.kinds),
            "duration_s": seconds(run.last.time_ns - run.first.time_ns),
        }
        if ended is not None:
            moments.append(run.last.moment("ended"))
            facts["ended"] = ended
        return Finding(
            key=f"@{run.first.time_ns}",
            subject="",
            start_ns=run.first.time_ns,
            established_ns=established.time_ns,
            end_ns=None if ended is None else run.last.time_ns,
            frames=(run.first.frame, run.last.frame),
            moments=tuple(moments),
            facts=facts,
        )
