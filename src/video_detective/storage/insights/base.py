"""Alerts and insights as they are made and worked on. How they are listed is in ``listing``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from video_detective.alerts.base import Operator, Severity
from video_detective.geometry import NS_PER_S

Language = Literal["zh-TW", "en"]
VlmStatus = Literal["pending", "completed", "failed"]

NEWS_NS = 600 * NS_PER_S
"""Of an alert that was triggered longer before it was made (footage of the past), words are no
news: others come first. For so long an insight also waits for its pictures."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertContext:
    """Under which circumstances alerts are made.

    Args:
        now_ns: When; 0 takes the time of each alert.
        request_id: Of the request or job that began the analysis.
        node_id: Who analyses.
        has_model: A model is to describe them; without one the template's words are final.
    """

    now_ns: int = 0
    request_id: str = ""
    node_id: str | None = None
    has_model: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A picture of an insight.

    Args:
        sha256: Blob of the picture as people see it, with zone and boxes drawn.
        original: Blob of the picture as the camera saw it, for the model.
        frame_id: The stored frame.
        time_ns: When.
    """

    sha256: str
    original: str
    frame_id: str
    time_ns: int

    def as_json(self) -> dict[str, Any]:
        """As it is stored."""
        return {
            "sha256": self.sha256,
            "original": self.original,
            "frameId": self.frame_id,
            "timeNs": self.time_ns,
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Snapshot:
        """As it was stored."""
        return cls(
            sha256=stored["sha256"],
            original=stored.get("original", stored["sha256"]),
            frame_id=stored["frameId"],
            time_ns=stored["timeNs"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingInsight:
    """An insight that a model may be asked about now.

    Args:
        insight_id: Which.
        severity: Of its alert.
        can_wait: It is about the past (``NEWS_NS``), or has waited so long that it is.
    """

    insight_id: str
    severity: Severity
    can_wait: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class InsightClaim:
    """An insight that a worker has begun on, with what its alert says.

    Args:
        insight_id, alert_id, event_id, camera_id, account_id: Which, and whose.
        severity, metric_path, operator, threshold, actual_value, message: Of the alert.
        triggered_ns, created_ns: When it happened, and when the alert was made.
        language: Of the account.
        request_id: Of what began it.
        snapshots: In order of time; none when no picture could be cut out.
        worker: Who.
        starts: How often it was begun, this time included.
    """

    insight_id: str
    alert_id: str
    event_id: str
    camera_id: str
    account_id: str
    severity: Severity
    metric_path: str
    operator: Operator
    threshold: float
    actual_value: float
    message: str
    triggered_ns: int
    created_ns: int
    language: Language
    request_id: str
    snapshots: tuple[Snapshot, ...]
    worker: str
    starts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InsightOutcome:
    """What came of an insight.

    Args:
        status: ``done``, or ``failed`` when it has no words.
        described_by: ``model`` or ``template``; None when failed.
        level: What was really done (``insights.base.Level``); None when failed.
        reason: Why less was done than wished, or why it failed: a stable key, a colon, and words.
        result: ``vlmStructuredResult``; None when failed.
        error: For people, in the account's language: what to do; None unless failed.
        flags: What a reader must know of the words, such as ``language``.
        requested_ns: When the model was asked; None when it was not.
        input_tokens, output_tokens: As the server counts them; None when it does not say.
        usage: Calls, attempts, seconds, prompts, model, differences from the facts.
        raw_text: What an unusable answer said.
        node_id: Who asked.
    """

    status: Literal["done", "failed"]
    described_by: Literal["model", "template"] | None = None
    level: str | None = None
    reason: str | None = None
    result: Mapping[str, Any] | None = None
    error: str | None = None
    flags: Sequence[str] = ()
    requested_ns: int | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    usage: Mapping[str, Any] = field(default_factory=dict)
    raw_text: str | None = None
    node_id: str | None = None

    @property
    def summary(self) -> str:
        """For people; "" when there is none."""
        return "" if self.result is None else str(self.result.get("summary", ""))


@dataclass(frozen=True, slots=True, kw_only=True)
class InsightCounts:
    """How the insights stand that a model was to describe, by key of the reason where there is one.

    Args:
        waiting: Pending, and nobody works on it.
        running: Pending, and a worker has begun.
        done: Described as wished.
        degraded: Described with less than was wished.
        failed: Not described.
    """

    waiting: int
    running: int
    done: int
    degraded: Mapping[str, int]
    failed: Mapping[str, int]
