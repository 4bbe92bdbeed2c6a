"""What Home Assistant is told of devices, so that it sets them up by itself. Pure.

Source: Home Assistant, "MQTT discovery" (one retained configuration for each entity).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import video_detective

ONLINE, OFFLINE = "online", "offline"
BIRTH = "online"
"""What Home Assistant says on ``<discovery prefix>/status`` when it has started."""
MAX_STATE = 250
"""Home Assistant takes states of 255 characters."""
_NAMES: Mapping[str, Mapping[str, str]] = {
    "zh-TW": {"alert": "警示", "message": "最近警示內容", "severity": "最近警示嚴重程度"},
    "en": {"alert": "Alert", "message": "Last alert", "severity": "Last alert severity"},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Topics:
    """Where things are said.

    Args:
        prefix: First levels of every topic of ours.
        discovery_prefix: Where Home Assistant looks; None publishes nothing there.
    """

    prefix: str
    discovery_prefix: str | None = "homeassistant"

    @property
    def availability(self) -> str:
        """Whether anybody delivers: ``online`` or ``offline``, retained."""
        return f"{self.prefix}/available"

    @property
    def birth(self) -> str | None:
        """Where Home Assistant says that it has started."""
        return None if self.discovery_prefix is None else f"{self.discovery_prefix}/status"

    def alerts(self, account_id: str, device_id: str) -> str:
        """The life of a device's alerts."""
        return f"{self.prefix}/{account_id}/{device_id}/alerts"

    def state(self, account_id: str, device_id: str) -> str:
        """How a device stands, retained."""
        return f"{self.prefix}/{account_id}/{device_id}/state"


def configurations(
    topics: Topics,
    *,
    account_id: str,
    device_id: str,
    name: str,
    language: Literal["zh-TW", "en"],
) -> dict[str, dict[str, Any]]:
    """The entities of a device: topic and configuration, to be published retained.

    Args:
        topics: With a discovery prefix.
        account_id: Whose device.
        device_id: Which: names and unique ids come from it, so that they stay when the device is
            renamed.
        name: Of the device.
        language: Of the entities' names.
    """
    identity = f"vd_{device_id}"
    state = topics.state(account_id, device_id)
    shared: dict[str, Any] = {
        "availability": [{"topic": topics.availability}],
        "device": {
            "identifiers": [identity],
            "name": name,
            "manufacturer": "Video Detective",
            "model": "Camera",
        },
        "origin": {"name": "Video Detective", "sw_version": video_detective.__version__},
        "state_topic": state,
    }
    names = _NAMES[language]
    entities: dict[tuple[str, str], dict[str, Any]] = {
        ("binary_sensor", "alert"): {
            "device_class": "safety",
            "value_template": "{{ 'ON' if value_json.active else 'OFF' }}",
            "json_attributes_topic": state,
        },
        ("sensor", "message"): {"value_template": "{{ value_json.message }}"},
        ("sensor", "severity"): {
            "value_template": "{{ value_json.severity }}",
            "device_class": "enum",
            "options": ["none", "warning", "critical"],
        },
    }
    return {
        topic: {**shared, "name": names[key], "unique_id": f"{identity}_{key}", **own}
        for (kind, key), own in entities.items()
        for topic in (f"{topics.discovery_prefix}/{kind}/{identity}/{key}/config",)
    }


def life_cycle(
    kind: Literal["new", "update", "end", "test"], body: Mapping[str, Any]
) -> dict[str, Any]:
    """``{type, before, after}``: what was said of the alert before, and what is now.

    Args:
        kind: What happened; ``test`` is sent as ``new``.
        body: Of the notification.
    """
    alert, insight = body.get("alert") or {}, body.get("insight")
    after = {**alert, "insight": insight}
    before = dict(after)
    if kind == "update" and insight is not None:
        unsaid = {"vlmStatus": "pending", "vlmSummary": None, "vlmStructuredResult": None}
        before["insight"] = {**insight, **unsaid}
    elif kind == "end":
        before["endedAt"] = None
    return {"type": "new" if kind == "test" else kind, "before": before, "after": after}
