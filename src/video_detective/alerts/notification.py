"""A notification: what senders have in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

NotificationKind = Literal["new", "update", "end", "test"]
EVENT_KINDS: Mapping[NotificationKind, str] = {
    "new": "alert.created",
    "update": "alert.updated",
    "end": "alert.ended",
    "test": "test",
}
"""What receivers call them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """Something to be told.

    Args:
        delivery_id: Constant over retries and replays; receivers know repetitions by it.
        kind: An alert is there (``new``), has words of a model or, without one, pictures
            (``update``), or is over (``end``).
        account_id, device_id: Whose, and of which device.
        language, timezone: In which it is told to people.
        body: The alert and its insight as plain JSON in the interface's field names.
        request_id: Of the request that began what is told; "" for none.
    """

    delivery_id: str
    kind: NotificationKind
    account_id: str
    device_id: str
    language: Literal["zh-TW", "en"]
    timezone: str
    body: Mapping[str, Any]
    request_id: str = ""
