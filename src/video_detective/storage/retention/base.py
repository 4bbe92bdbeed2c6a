"""Retention as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from video_detective.geometry import NS_PER_S

DAY_NS = 86_400 * NS_PER_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Cutoffs:
    """What is too old: that which was over before these moments. None: nothing is.

    Args:
        media_ns: For pictures and clips.
        records_ns: For events with everything that belongs to them, and for what was tracked.
    """

    media_ns: int | None = None
    records_ns: int | None = None

    @property
    def is_empty(self) -> bool:
        """Nothing is ever too old."""
        return self.media_ns is None and self.records_ns is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Deleted:
    """What was deleted, or would be.

    Args:
        events: With alerts, insights, words and deliveries.
        files: Pictures and clips that events let go, each content once an event.
        bytes: Of those files.
        rows: Of tracks, their points, frames, looks and attributes.
        first_ns, last_ns: Start of the earliest and of the latest event concerned.
    """

    events: int = 0
    files: int = 0
    bytes: int = 0
    rows: int = 0
    first_ns: int | None = None
    last_ns: int | None = None

    @property
    def is_nothing(self) -> bool:
        """Nothing was deleted."""
        return not (self.events or self.files or self.rows)

    def __add__(self, other: Deleted) -> Deleted:
        firsts = [one for one in (self.first_ns, other.first_ns) if one is not None]
        lasts = [one for one in (self.last_ns, other.last_ns) if one is not None]
        return Deleted(
            events=self.events + other.events,
            files=self.files + other.files,
            bytes=self.bytes + other.bytes,
            rows=self.rows + other.rows,
            first_ns=min(firsts, default=None),
            last_ns=max(lasts, default=None),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One deletion of all that is too old, in many steps.

    Args:
        started_ns: When it began.
        cutoffs: What is too old for it.
        deleted: So far, or in all.
        ended_ns: When it ended; None while it is under way.
    """

    started_ns: int
    cutoffs: Cutoffs
    deleted: Deleted = field(default_factory=Deleted)
    ended_ns: int | None = None

    def as_json(self) -> dict[str, Any]:
        """As it is stored."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Round:
        """As it was stored."""
        known = {one.name for one in fields(Deleted)}
        deleted = {key: value for key, value in stored["deleted"].items() if key in known}
        return cls(
            started_ns=stored["started_ns"],
            cutoffs=Cutoffs(**stored["cutoffs"]),
            deleted=Deleted(**deleted),
            ended_ns=stored["ended_ns"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionRow:
    """What an account wants, and how its deletion stands.

    Args:
        account_id: Whose.
        media_days: How long pictures and clips are kept; None: for ever.
        record_days: How long events are kept; None: for ever.
        updated_ns: When this was last changed; None: never.
        due_ns: When the next deletion begins.
        round: The one under way.
        last: The one that ended last.
    """

    account_id: str
    media_days: int | None = None
    record_days: int | None = None
    updated_ns: int | None = None
    due_ns: int = 0
    round: Round | None = None
    last: Round | None = None

    def cutoffs(self, now_ns: int) -> Cutoffs:
        """What is too old at a moment."""
        return Cutoffs(
            media_ns=None if self.media_days is None else now_ns - self.media_days * DAY_NS,
            records_ns=None if self.record_days is None else now_ns - self.record_days * DAY_NS,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What an account has.

    Args:
        files, bytes: Pictures and clips of its events, each content once.
        first_media_ns: The earliest of them; None without any.
        events: How many.
        first_event_ns: Start of the earliest; None without any.
        kept: Events that are kept however old they become.
    """

    files: int
    bytes: int
    first_media_ns: int | None
    events: int
    first_event_ns: int | None
    kept: int
