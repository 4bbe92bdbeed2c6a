"""One camera's rules, together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from video_detective.errors import ConflictError, InvalidRulesError
from video_detective.rules.base import Event, Observation
from video_detective.rules.ledger import Ledger
from video_detective.rules.machines import machine_for, problems_of
from video_detective.rules.parameters import CameraTampered, Scene
from video_detective.rules.schedule import watches
from video_detective.rules.sight import Finding, look
from video_detective.rules.snapshot import plain, rebuild

INTERRUPTION_NS = 30_000_000_000
"""Observations further apart than this are two recordings; no tracker keeps an id so long."""


@dataclass(slots=True, kw_only=True)
class EngineState:
    """What the engine itself remembers.

    Args:
        last_ns: Time of the last observation.
        watching: Ids of the rules that were within their hours then.
    """

    last_ns: int | None = None
    watching: list[str] = field(default_factory=list)


class RuleEngine:
    """Observations of one camera in, events out. Pure: same input, same output, no clock.

    - Times must rise: an observation that is not later than the last one changes nothing.
    - ``cut`` and gaps of more than 30 s end what is open at its last observation and make the
      rules forget their tracks (tampering of the camera itself goes on through cuts: covering a
      camera is one).
    - Outside its hours a rule sees nothing; what is open ends when its hours end.

    Args:
        scene: What to watch for.
        next_numbers: First unused event number of each local date (``YYYYMMDD``); 1 for others.

    Raises:
        InvalidRulesError: A rule names a zone, tripwire, metric or time zone that there is not, or
            two rules have one id.
    """

    def __init__(self, scene: Scene, *, next_numbers: Mapping[str, int] | None = None) -> None:
        problems = problems_of(scene)
        if problems:
            raise InvalidRulesError(
                f"the rules of camera {scene.camera_id!r} do not fit its scene: "
                + "; ".join(problems),
                remedy="Name zones, tripwires, metrics and time zones that exist.",
                problems=problems,
            )
        self._scene = scene
        self._machines = {rule.id: machine_for(rule, scene) for rule in scene.rules}
        self._ledger = Ledger(scene, next_numbers or {})
        self._state = EngineState()

    @property
    def throttled(self) -> Mapping[str, int]:
        """Findings that cooldown suppressed, by rule id."""
        return self._ledger.throttled

    def update(self, observation: Observation) -> tuple[Event, ...]:
        """Take one observation in.

        Returns:
            New and changed events in order of id, each as it stands now: when established, when
            merged with another part or throttling a further finding, and when ended.
        """
        now_ns, last_ns = observation.time_ns, self._state.last_ns
        if last_ns is not None and now_ns <= last_ns:
            return ()
        findings: list[tuple[str, Finding]] = []
        interrupted = last_ns is not None and now_ns - last_ns > INTERRUPTION_NS
        if observation.cut or interrupted:
            findings += self._stop("cut" if observation.cut else "interrupted")
        sight = look(observation)
        watching = []
        for rule in self._scene.rules:
            machine = self._machines[rule.id]
            if watches(rule.schedule, now_ns, self._scene.timezone):
                watching.append(rule.id)
                findings += [(rule.id, finding) for finding in machine.update(sight)]
            elif rule.id in self._state.watching:
                findings += [(rule.id, finding) for finding in machine.stop("hours")]
        self._state = EngineState(last_ns=now_ns, watching=watching)
        return self._ledger.update(now_ns, sight.spots.keys(), findings)

    def finish(self) -> tuple[Event, ...]:
        """The source ended: what is open ends at its last observation.

        Returns:
            The events this changed, in order of id. A further ``update`` begins afresh, with the
            same numbering.
        """
        if self._state.last_ns is None:
            return ()
        findings = [
            (rule.id, finding)
            for rule in self._scene.rules
            for finding in self._machines[rule.id].stop("source_end")
        ]
        return self._ledger.update(self._state.last_ns, (), findings)

    def state(self) -> dict[str, Any]:
        """Everything needed to go on, as plain JSON, exact."""
        return {
            "engine": plain(self._state),
            "ledger": self._ledger.state(),
            "machines": {key: machine.state() for key, machine in self._machines.items()},
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from ``state()`` of an engine of the same scene; identical results from then on.

        Raises:
            ConflictError: The state is that of other rules.
        """
        if set(state["machines"]) != set(self._machines):
            raise ConflictError(
                f"the saved state of camera {self._scene.camera_id!r} is that of other rules: "
                f"{sorted(state['machines'])} and not {sorted(self._machines)}",
                remedy="Finish the events that are open under the old rules, then start afresh.",
            )
        self._state = rebuild(EngineState, state["engine"])
        self._ledger.restore(state["ledger"])
        for rule_id, machine in self._machines.items():
            machine.restore(state["machines"][rule_id])

    def _stop(self, ended: str) -> list[tuple[str, Finding]]:
        return [
            (rule.id, finding)
            for rule in self._scene.rules
            if not (isinstance(rule, CameraTampered) and ended == "cut")
            for finding in self._machines[rule.id].stop(ended)
        ]
