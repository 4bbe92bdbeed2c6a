"""Keeps MQTT's retained messages true: which devices there are, and how each stands."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

from video_detective.alerts.home_assistant import MAX_STATE, Topics, configurations
from video_detective.alerts.mqtt import MqttLink
from video_detective.errors import ReceiverError, StorageError
from video_detective.geometry import NS_PER_S
from video_detective.pipeline.clock import now_ns
from video_detective.services.times import utc_text
from video_detective.storage.notices.base import AlertFacts, Claimed
from video_detective.storage.notices.notices import Notices

LOOK_AGAIN_S = 20.0
"""Between two looks for devices that were added, renamed or removed, and at how each stands."""
LONGEST_NS = 86_400 * NS_PER_S
"""An alert goes on for no longer: of an analysis that was killed, no end may ever be told."""
_log = logging.getLogger(__name__)


class Announcer:
    """Says what there is, and says it again when the broker or Home Assistant has started anew.

    Args:
        notices: What was told.
        link: The connection.
        topics: Where to.
    """

    def __init__(self, notices: Notices, link: MqttLink, topics: Topics) -> None:
        self._notices = notices
        self._link = link
        self._topics = topics
        self._said: dict[str, Any] = {}

    async def run(self, stop: asyncio.Event, births: asyncio.Event) -> None:
        """Announce until ``stop`` is set, and at once when ``births`` is.

        A broker or database that cannot be used is waited for.
        """
        ending = asyncio.create_task(_until(stop))
        try:
            while True:
                # Nothing can be said before the first connection, which is a birth.
                born = asyncio.create_task(_until(births))
                await asyncio.wait(
                    {ending, born}, timeout=LOOK_AGAIN_S, return_when=asyncio.FIRST_COMPLETED
                )
                born.cancel()
                await asyncio.wait({born})
                if stop.is_set():
                    return
                if births.is_set():
                    births.clear()
                    # What was retained may be gone; what is to be taken back is still known.
                    self._said = dict.fromkeys(self._said)
                try:
                    await self.announce()
                except (ReceiverError, StorageError) as error:
                    _log.warning("devices are not announced: %s", error)
        finally:
            ending.cancel()
            await asyncio.wait({ending})

    async def announce(self) -> None:
        """Say what is new, and take back what is no more.

        Raises:
            ReceiverError: the broker does not take it.
        """
        there: set[str] = set()
        for device in await self._notices.devices_told("mqtt"):
            place = (device.account_id, device.device_id)
            standing = await self._notices.standing(
                device.channel_id, device.camera_id, since_ns=now_ns() - LONGEST_NS
            )
            # The state before what shows it.
            messages = {
                self._topics.state(*place): state_of(
                    standing.last, count=len(standing.going_on), time_ns=now_ns()
                )
            }
            if self._topics.discovery_prefix is not None:
                messages |= configurations(
                    self._topics,
                    account_id=device.account_id,
                    device_id=device.device_id,
                    name=device.name,
                    language=device.language,
                )
            for topic, message in messages.items():
                if _lasting(self._said.get(topic)) != _lasting(message):
                    await self._link.publish(topic, message, retain=True)
                    self._said[topic] = message
            there |= messages.keys()
        for topic in sorted(self._said.keys() - there):
            await self._link.publish(topic, None, retain=True)
            del self._said[topic]

    def note(self, account_id: str, device_id: str, state: Mapping[str, Any]) -> None:
        """Know that a device's state was published meanwhile."""
        self._said[self._topics.state(account_id, device_id)] = dict(state)


async def standing_of(notices: Notices, claimed: Claimed, facts: AlertFacts) -> dict[str, Any]:
    """How an alert's device stands once a delivery is told."""
    standing = await notices.standing(
        claimed.channel.channel_id,
        facts.alert["camera_id"],
        telling=claimed.alert_id,
        since_ns=now_ns() - LONGEST_NS,
    )
    is_end = claimed.kind == "end"
    going_on = standing.going_on - ({claimed.alert_id} if is_end else set())
    return state_of(standing.last, count=len(going_on), time_ns=now_ns())


def state_of(alert: Mapping[str, Any] | None, *, count: int, time_ns: int) -> dict[str, Any]:
    """How a device stands: its last alert, and how many go on.

    Args:
        alert: Columns of the last one's row; None before the first.
        count: How many go on.
        time_ns: As of when.
    """
    last: dict[str, Any] = {"alertId": None, "severity": "none", "message": "", "triggeredAt": None}
    if alert is not None:
        last = {
            "alertId": alert["alert_id"],
            "severity": alert["severity"],
            "message": alert["message"][:MAX_STATE],
            "triggeredAt": utc_text(alert["triggered_ns"]),
        }
    return {"active": count > 0, "activeAlerts": count, **last, "updatedAt": utc_text(time_ns)}


def _lasting(message: Any) -> Any:
    """What matters of a message: not when it was made."""
    if not isinstance(message, Mapping):
        return message
    return {name: value for name, value in message.items() if name != "updatedAt"}


async def _until(event: asyncio.Event) -> None:
    await event.wait()
