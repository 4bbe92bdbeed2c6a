"""A model's answer about an alert against what is known; every difference is on record.

Sentences that speak of a track that nobody tracked or of a time outside the event are left out.
What the model judges by looking (how many, how grave) stays, and is flagged where it is far from
what was tracked and ruled.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from video_detective.errors import ModelError
from video_detective.insights.asking import AlertMaterial, Shown
from video_detective.insights.base import ENVIRONMENT, LINE, SUMMARY, InsightReply
from video_detective.insights.template import people
from video_detective.narration.claimed_times import EventTimes
from video_detective.narration.claims import MARGIN_NS
from video_detective.narration.language import corrected
from video_detective.rules.base import RISK_LEVELS

FAR = 2
"""A count may be so far from that of the tracker, or half of it: some stand behind others."""
_TRACK = re.compile(r"(?<![A-Za-z0-9])[pvaofPV]\d{1,7}(?![A-Za-z0-9])")
_SENTENCES = re.compile(r"[^。！？\n]*?(?:[。！？\n]+|[!?.](?=\s)|\Z)", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """An answer after the check.

    Args:
        result: ``vlmStructuredResult``.
        flags: ``unknown_track``, ``time_outside``, ``person_count_differs``,
            ``risk_level_differs``: each once, in order.
        differences: Each claim that differed: ``{"field", "model", "fact"}``.
    """

    result: dict[str, Any]
    flags: tuple[str, ...]
    differences: tuple[dict[str, str], ...]


def checked(reply: InsightReply, material: AlertMaterial, shown: Sequence[Shown]) -> Checked:
    """Check an answer.

    Args:
        reply: Valid by its schema.
        material: What is known.
        shown: What the model saw.

    Raises:
        ModelError: nothing of the summary holds.
    """
    return _Check(material, shown).of(reply)


class _Check:
    """One answer being checked: what was found so far."""

    def __init__(self, material: AlertMaterial, shown: Sequence[Shown]) -> None:
        event = material.event
        times = [event.start_ns, event.established_ns, material.triggered_ns]
        times += [frame.time_ns for frame in shown]
        times += [] if event.end_ns is None else [event.end_ns]
        first_ns, last_ns = min(times) - MARGIN_NS, max(times) + MARGIN_NS
        self._times = EventTimes(material.scene, first_ns, last_ns)
        self._tracks = {track_id.lower() for track_id in material.tracks}
        self._material = material
        self._shown = shown
        self._flags: list[str] = []
        self._differences: list[dict[str, str]] = []

    def of(self, reply: InsightReply) -> Checked:
        parts = [match[0] for match in _SENTENCES.finditer(reply.summary)]
        summary = "".join(part for part in parts if self._holds(part)).strip()
        if not summary:
            raise ModelError(
                "the model said nothing that holds against the facts",
                remedy="Use a larger model",
                reason="invalid",
                transient=False,
                raw=reply.summary,
            )
        self._compare(reply)
        result = {
            "summary": self._corrected(summary)[:SUMMARY],
            "personCount": reply.personCount,
            "riskLevel": reply.riskLevel,
            "activities": self._lines(reply.activities),
            "suggestions": self._lines(reply.suggestions),
            "environment": "".join(self._lines([reply.environment]))[:ENVIRONMENT],
        }
        return Checked(
            result=result,
            flags=tuple(dict.fromkeys(self._flags)),
            differences=tuple(self._differences),
        )

    def _compare(self, reply: InsightReply) -> None:
        event = self._material.event
        seen = [sum(t.type == "person" for t in frame.tracks) for frame in self._shown]
        tracked = max([people(event), *seen])
        if abs(reply.personCount - tracked) > max(FAR, tracked / 2):
            self._differs("person_count", str(reply.personCount), str(tracked))
        if event.risk_level in RISK_LEVELS:
            steps = RISK_LEVELS.index(reply.riskLevel) - RISK_LEVELS.index(event.risk_level)
            if abs(steps) > 1:
                self._differs("risk_level", reply.riskLevel, event.risk_level)

    def _differs(self, field: str, said: str, fact: str) -> None:
        self._flags.append(f"{field}_differs")
        self._differences.append({"field": field, "model": said, "fact": fact})

    def _lines(self, lines: Sequence[str]) -> list[str]:
        return [self._corrected(line)[:LINE] for line in lines if line and self._holds(line)]

    def _corrected(self, text: str) -> str:
        return corrected(text, self._material.language, names=self._material.names)

    def _holds(self, text: str) -> bool:
        plain = unicodedata.normalize("NFKC", text)
        unknown = [one for one in _TRACK.findall(plain) if one.lower() not in self._tracks]
        outside = not self._times.is_kept_by(plain)
        self._flags += ["unknown_track"] * bool(unknown) + ["time_outside"] * outside
        if unknown or outside:
            self._differences.append({"field": "text", "model": text.strip(), "fact": ""})
        return not unknown and not outside
