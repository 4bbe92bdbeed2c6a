"""From tracks to facts: pure state machines, one per rule."""

from video_detective.rules.base import (
    EVENT_TYPES,
    RISK_LEVELS,
    Actor,
    Event,
    Moment,
    Observation,
    Tripwire,
    Zone,
)
from video_detective.rules.engine import RuleEngine
from video_detective.rules.parameters import Rule, Scene, Schedule

__all__ = [
    "EVENT_TYPES",
    "RISK_LEVELS",
    "Actor",
    "Event",
    "Moment",
    "Observation",
    "Rule",
    "RuleEngine",
    "Scene",
    "Schedule",
    "Tripwire",
    "Zone",
]
