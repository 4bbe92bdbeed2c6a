"""Channels and deliveries: where notifications go, and what became of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from video_detective.geometry import NS_PER_S

ChannelKind = Literal["webhook", "email", "mqtt"]
Told = Literal["new", "update", "end"]
"""What a delivery tells of an alert: that it is there, what the model says (or, without one, which
pictures came after it was told), that it is over."""
Status = Literal["waiting", "done", "failed", "skipped"]
TOLD: tuple[Told, ...] = ("new", "update", "end")

PAST_NS = 900 * NS_PER_S
"""An alert about footage that was older than this when it was analysed is no news."""
END_WAITS_NS = 300 * NS_PER_S
"""How long the end of an alert waits to be told for words that a model still owes."""
LEASE_S = 60.0
"""How long a claim holds. A deliverer gives up a delivery long before, so that an expired claim is
that of one that died."""
KEPT_NS = 30 * 86_400 * NS_PER_S
"""How long ended deliveries are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which alerts a channel is told; an empty list means all.

    Args:
        device_ids: Devices.
        severities: ``warning``, ``critical``.
        alert_rules: Ids of alert rules.
        tell: What is told of an alert; ``new`` always.
        include_past: Also alerts about footage older than ``PAST_NS``.
    """

    device_ids: tuple[str, ...] = ()
    severities: tuple[str, ...] = ()
    alert_rules: tuple[str, ...] = ()
    tell: tuple[Told, ...] = TOLD
    include_past: bool = False

    def as_json(self) -> dict[str, Any]:
        """As it is stored."""
        return {
            "device_ids": list(self.device_ids),
            "severities": list(self.severities),
            "alert_rules": list(self.alert_rules),
            "tell": list(self.tell),
            "include_past": self.include_past,
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Filters:
        """As it was stored."""
        return cls(
            device_ids=tuple(stored.get("device_ids", ())),
            severities=tuple(stored.get("severities", ())),
            alert_rules=tuple(stored.get("alert_rules", ())),
            tell=tuple(stored.get("tell", TOLD)),
            include_past=bool(stored.get("include_past", False)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelRow:
    """Where notifications go.

    Args:
        channel_id, account_id: Which, and whose.
        kind: ``webhook``, ``email`` or ``mqtt``.
        name: For people.
        settings: Of its kind: ``{"url": …}``, ``{"recipients": […]}``, ``{}``.
        secret: With which webhooks are signed; "" for other kinds. Never shown again.
        filters: Which alerts.
        cooldown_s: After telling an alert of a rule of a device, none of the same for so long.
        is_enabled: Whether anything is told.
        created_ns, updated_ns: When it was made and last changed.
    """

    channel_id: str
    account_id: str
    kind: ChannelKind
    name: str
    settings: Mapping[str, Any] = field(repr=False)
    secret: str = field(repr=False)
    filters: Filters
    cooldown_s: float
    is_enabled: bool
    created_ns: int
    updated_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRow:
    """One notification of one channel.

    Args:
        delivery_id: Constant over retries and replays: receivers know repetitions by it.
        account_id, channel_id, alert_id: Whose, where to and about what.
        device_id, camera_id: The alert's.
        kind: What it tells.
        status: ``waiting`` (also for its next attempt), ``done``, ``failed`` or ``skipped``.
        payload: What was told; {} before the first attempt.
        attempts: How often it was begun.
        due_ns: When it is attempted next.
        answer: What the receiver said, or why it was not told; None before.
        request_id: Of the request that began what it tells.
        created_ns, ended_ns: When it was made and when it ended.
    """

    delivery_id: str
    account_id: str
    channel_id: str
    alert_id: str
    device_id: str
    camera_id: str
    kind: Told
    status: Status
    payload: Mapping[str, Any]
    attempts: int
    due_ns: int
    answer: str | None
    request_id: str
    created_ns: int
    ended_ns: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A delivery that a deliverer has for itself until its claim expires.

    Args:
        delivery_id, worker: Which, and whose.
        channel: Where to, as it is now.
        alert_id, kind, payload, attempts, request_id, created_ns: As in ``DeliveryRow``; this
            attempt is counted.
    """

    delivery_id: str
    worker: str
    channel: ChannelRow
    alert_id: str
    kind: Told
    payload: Mapping[str, Any]
    attempts: int
    request_id: str
    created_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of an attempt.

    Args:
        status: ``waiting`` for another one at ``due_ns``.
        answer: In words.
        payload: What was told.
        time_ns: When.
        due_ns: Of the next attempt.
    """

    status: Status
    answer: str
    payload: Mapping[str, Any]
    time_ns: int
    due_ns: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryQuery:
    """Which deliveries to list, newest first. Every condition narrows.

    Args:
        channel_id, alert_id, device_id, kind, status: Exactly these.
        since_ns, until_ns: Made in ``[since_ns, until_ns)``.
        limit, offset: Which page.
        before: Only those with a smaller id (the cursor of the page before).
    """

    channel_id: str | None = None
    alert_id: str | None = None
    device_id: str | None = None
    kind: Told | None = None
    status: Status | None = None
    since_ns: int | None = None
    until_ns: int | None = None
    limit: int = 20
    offset: int = 0
    before: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertFacts:
    """Everything that a notification says of an alert, as it is now.

    Args:
        alert, insight: Columns of their rows; insight None where there is none.
        device_id, device_name, timezone: Of its device.
        scene_name: Of its scene; "" without one.
        ended_ns: When its event ended; None while it goes on.
        event_type: What happened.
        account_id, language: Of its account.
        is_gone: Its device was removed, or its footage analysed anew without it.
    """

    alert: Mapping[str, Any]
    insight: Mapping[str, Any] | None
    device_id: str
    device_name: str
    timezone: str
    scene_name: str
    ended_ns: int | None
    event_type: str
    account_id: str
    language: Literal["zh-TW", "en"]
    is_gone: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a camera stands by what a channel was told of it.

    Args:
        last: Columns of the last alert's row; None before the first.
        going_on: Ids of alerts whose end was not told.
    """

    last: Mapping[str, Any] | None
    going_on: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceTold:
    """A device of an account with a channel, with its name and its account's language."""

    channel_id: str
    account_id: str
    device_id: str
    camera_id: str
    name: str
    language: Literal["zh-TW", "en"]
