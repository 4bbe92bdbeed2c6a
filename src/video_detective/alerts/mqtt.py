"""The connection to an MQTT broker: it is kept, says whether it is there, and answers to births."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

from video_detective.alerts.home_assistant import BIRTH, OFFLINE, ONLINE, Topics
from video_detective.errors import ReceiverError

_ACKNOWLEDGED_S = 10.0
"""How long the broker may take to acknowledge a message."""
_CONNECTED_S = 3.0
_GOODBYE_S = 1.0
_LONGEST_PAUSE_S = 30
_KEEPALIVE_S = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """Where the broker is.

    Args:
        host, port: Its address.
        username, password: "" for none.
        tls: Whether the connection is encrypted, its certificate checked.
        ca_file: Certificates of an authority of one's own.
        topics: Ours, and Home Assistant's.
    """

    host: str
    port: int
    topics: Topics
    username: str = ""
    password: str = field(default="", repr=False)
    tls: bool = False
    ca_file: str | None = None


class MqttLink:
    """A connection that is made again whenever it breaks. Use it as a context manager.

    Args:
        broker: Where to.
        client_id: No two connections of one broker may have the same.
        on_birth: Called in the event loop after every connection, and when Home Assistant has
            started: what is retained may be gone.
        is_service: Says ``online`` while it is there; without, it only publishes.
    """

    def __init__(
        self,
        broker: Broker,
        client_id: str,
        *,
        on_birth: Callable[[], None] | None = None,
        is_service: bool = True,
    ) -> None:
        self._broker = broker
        self._on_birth = on_birth
        self._is_service = is_service
        self._is_ending = False
        self._connected = asyncio.Event()
        self._waiting: dict[int, asyncio.Future[None]] = {}
        self._problem = "no connection yet"
        self._client = client = Client(CallbackAPIVersion.VERSION2, client_id=client_id)
        if broker.username:
            client.username_pw_set(broker.username, broker.password or None)
        if broker.tls:
            context = ssl.create_default_context()
            if broker.ca_file is not None:
                context.load_verify_locations(broker.ca_file)
            client.tls_set_context(context)
        if is_service:
            client.will_set(broker.topics.availability, OFFLINE, qos=1, retain=True)
        client.reconnect_delay_set(1, _LONGEST_PAUSE_S)
        client.connect_timeout = _CONNECTED_S
        client.on_connect = self._when_connected
        client.on_disconnect = self._when_disconnected
        client.on_connect_fail = self._when_failed
        client.on_message = self._when_said
        client.on_publish = self._when_published

    async def __aenter__(self) -> Self:
        """Begin to connect; nobody waits for a broker that is not there."""
        self._loop = asyncio.get_running_loop()
        broker = self._broker
        self._client.connect_async(broker.host, broker.port, keepalive=_KEEPALIVE_S)
        self._client.loop_start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Say goodbye and end the connection."""
        self._is_ending = True
        try:
            if self._is_service and self._client.is_connected():
                topic = self._broker.topics.availability
                await self._acknowledged(topic, OFFLINE, True, _GOODBYE_S)
        finally:
            # Also where that is cut off: the thread would connect again for ever.
            self._client.disconnect()
            await asyncio.to_thread(self._client.loop_stop)

    async def publish(self, topic: str, payload: object, *, retain: bool = False) -> None:
        """Publish, and wait until the broker has it.

        Args:
            topic: Where.
            payload: Plain JSON; None clears what is retained.
            retain: Whether whoever subscribes later is told too.

        Raises:
            ReceiverError: there is no connection, or the broker does not acknowledge it.
        """
        try:
            await asyncio.wait_for(self._connected.wait(), _CONNECTED_S)
        except TimeoutError as cause:
            raise self._failed(self._problem) from cause
        text = "" if payload is None else json.dumps(payload, ensure_ascii=False, allow_nan=False)
        if not await self._acknowledged(topic, text, retain, _ACKNOWLEDGED_S):
            raise self._failed("it did not acknowledge the message")

    async def _acknowledged(self, topic: str, text: str, retain: bool, timeout_s: float) -> bool:
        """Publish; whether the broker has it in time."""
        said = self._client.publish(topic, text, qos=1, retain=retain)
        if said.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
            return False
        # Acknowledgements come through the event loop: none has come before this line.
        waiting = self._waiting[said.mid] = self._loop.create_future()
        try:
            async with asyncio.timeout(timeout_s):
                await waiting
        except TimeoutError:
            return False
        finally:
            del self._waiting[said.mid]
        return True

    def _note_acknowledged(self, number: int) -> None:
        waiting = self._waiting.get(number)
        if waiting is not None and not waiting.done():
            waiting.set_result(None)

    def _failed(self, reason: str) -> ReceiverError:
        return ReceiverError(
            f"The MQTT broker {self._broker.host}:{self._broker.port} cannot be used ({reason})",
            remedy="Check notifications.mqtt in settings.yaml, and that the broker runs.",
            transient=True,
        )

    # --- called in the client's own thread

    def _when_connected(
        self, client: Client, _data: Any, _flags: Any, reason: Any, _properties: Any
    ) -> None:
        if reason.is_failure:
            self._problem = f"it refuses: {reason}"
            return
        topics = self._broker.topics
        if self._is_service:
            client.publish(topics.availability, ONLINE, qos=1, retain=True)
            wanted = [topics.availability, *([topics.birth] if topics.birth else [])]
            client.subscribe([(topic, 1) for topic in wanted])
        self._tell(self._connected.set)
        self._tell(self._on_birth)

    def _when_disconnected(
        self, _client: Client, _data: Any, _flags: Any, reason: Any, _properties: Any
    ) -> None:
        if not self._problem.startswith("it refuses"):
            self._problem = f"disconnected: {reason}"
        self._tell(self._connected.clear)

    def _when_failed(self, _client: Client, _data: Any) -> None:
        self._problem = "no connection"

    def _when_published(
        self, _client: Client, _data: Any, number: int, _reason: Any, _properties: Any
    ) -> None:
        self._tell(lambda: self._note_acknowledged(number))

    def _when_said(self, client: Client, _data: Any, message: MQTTMessage) -> None:
        topics, said = self._broker.topics, message.payload.decode("utf-8", "replace")
        if message.topic == topics.availability and said == OFFLINE and not self._is_ending:
            # The last will of another process: we are still here.
            client.publish(topics.availability, ONLINE, qos=1, retain=True)
        elif message.topic == topics.birth and said == BIRTH:
            self._tell(self._on_birth)

    def _tell(self, call: Callable[[], object] | None) -> None:
        if call is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(call)
