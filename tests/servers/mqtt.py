"""A real MQTT broker, and somebody who listens."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any, Self

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion
from tests.servers.webhook import CERTIFICATES


@contextmanager
def kept_port() -> Iterator[int]:
    """A port of 127.0.0.1 for a server of this test: until it listens nobody does, nor is given it.

    The server shares it (``reuse_port``).
    """
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


class MqttServer:
    """A broker of MQTT 3.1.1: retained messages, last wills, delivery at most once.

    Args:
        password: What everybody must show; None lets everybody in.
    """

    def __init__(self, password: str | None = None) -> None:
        self.retained: dict[str, bytes] = {}
        self.said: list[tuple[str, bytes]] = []
        self._password = password
        self._clients: dict[asyncio.StreamWriter, list[str]] = {}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        will: tuple[str, bytes, bool] | None = None
        self._clients[writer] = []
        try:
            while True:
                kind, flags, body = await _packet(reader)
                if kind == 1:
                    will, is_welcome = self._connect(body)
                    writer.write(bytes([0x20, 2, 0, 0 if is_welcome else 5]))
                    if not is_welcome:
                        break
                elif kind == 3:
                    self._publish(writer, flags, body)
                elif kind == 8:
                    self._subscribe(writer, body)
                elif kind == 12:
                    writer.write(b"\xd0\0")
                elif kind == 14:
                    will = None
                    break
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            del self._clients[writer]
            if will is not None:
                self._spread(*will)
            writer.close()

    def _connect(self, body: bytes) -> tuple[tuple[str, bytes, bool] | None, bool]:
        fields = _Fields(body[10:])
        flags = body[7]
        fields.take()
        will = None
        if flags & 4:
            will = (fields.take().decode(), fields.take(), bool(flags & 0x20))
        user = fields.take() if flags & 0x80 else b""
        password = fields.take().decode() if flags & 0x40 else None
        return will, self._password is None or (bool(user) and password == self._password)

    def _publish(self, writer: asyncio.StreamWriter, flags: int, body: bytes) -> None:
        fields = _Fields(body)
        topic = fields.take().decode()
        if flags & 6:
            writer.write(b"\x40\x02" + fields.rest[:2])
            fields.rest = fields.rest[2:]
        self._spread(topic, fields.rest, bool(flags & 1))

    def _spread(self, topic: str, content: bytes, retain: bool) -> None:
        self.said.append((topic, content))
        if retain and content:
            self.retained[topic] = content
        elif retain:
            self.retained.pop(topic, None)
        for writer, filters in self._clients.items():
            if any(_matches(wanted, topic) for wanted in filters):
                _send(writer, topic, content, retained=False)

    def _subscribe(self, writer: asyncio.StreamWriter, body: bytes) -> None:
        fields, wanted = _Fields(body[2:]), []
        while fields.rest:
            wanted.append(fields.take().decode())
            fields.rest = fields.rest[1:]
        writer.write(bytes([0x90, 2 + len(wanted)]) + body[:2] + bytes(len(wanted)))
        self._clients[writer] += wanted
        for topic, content in self.retained.items():
            if any(_matches(one, topic) for one in wanted):
                _send(writer, topic, content, retained=True)

    def hang_up(self) -> None:
        """End every connection without a word."""
        for writer in list(self._clients):
            writer.transport.abort()


class _Fields:
    def __init__(self, rest: bytes) -> None:
        self.rest = rest

    def take(self) -> bytes:
        length = int.from_bytes(self.rest[:2])
        taken, self.rest = self.rest[2 : 2 + length], self.rest[2 + length :]
        return taken


async def _packet(reader: asyncio.StreamReader) -> tuple[int, int, bytes]:
    first = (await reader.readexactly(1))[0]
    length, shift = 0, 0
    while True:
        byte = (await reader.readexactly(1))[0]
        length |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return first >> 4, first & 15, await reader.readexactly(length)


def _send(writer: asyncio.StreamWriter, topic: str, content: bytes, *, retained: bool) -> None:
    name = topic.encode()
    body = len(name).to_bytes(2) + name + content
    length, size = b"", len(body)
    while True:
        size, digit = size >> 7, size & 0x7F
        length += bytes([digit | (0x80 if size else 0)])
        if not size:
            break
    writer.write(bytes([0x30 | retained]) + length + body)


def _matches(wanted: str, topic: str) -> bool:
    levels, found = wanted.split("/"), topic.split("/")
    for place, level in enumerate(levels):
        if level == "#":
            return True
        if place >= len(found) or level not in ("+", found[place]):
            return False
    return len(levels) == len(found)


@asynccontextmanager
async def mqtt_broker(
    port: int, *, tls: bool = False, password: str | None = None
) -> AsyncIterator[MqttServer]:
    """A broker on 127.0.0.1 that keeps nothing once it ends."""
    context = None
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATES / "receiver.pem")
    broker = MqttServer(password)
    under_way: set[asyncio.Task[None]] = set()

    def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(broker.serve(reader, writer))
        under_way.add(task)
        task.add_done_callback(under_way.discard)

    server = await asyncio.start_server(begin, "127.0.0.1", port, ssl=context, reuse_port=True)
    try:
        yield broker
    finally:
        server.close()
        broker.hang_up()
        await server.wait_closed()
        if under_way:
            await asyncio.wait(under_way, timeout=5)


@dataclass
class Listener:
    """Subscribed to everything under some topics."""

    port: int
    topics: tuple[str, ...] = ("#",)
    heard: list[tuple[str, Any, bool]] = field(default_factory=list)
    """Topic, content (JSON or text), and whether it was retained."""

    def __post_init__(self) -> None:
        self._news = threading.Condition(threading.RLock())
        self._ready = threading.Event()
        self._client = Client(CallbackAPIVersion.VERSION2)
        self._client.on_connect = self._subscribe
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.on_message = self._hear

    def _subscribe(self, client: Client, *_: Any) -> None:
        client.subscribe([(topic, 1) for topic in self.topics])

    def _hear(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        text = message.payload.decode()
        try:
            content = json.loads(text)
        except ValueError:
            content = text
        with self._news:
            self.heard.append((message.topic, content, message.retain))
            self._news.notify_all()

    def say(self, topic: str, text: str) -> None:
        self._client.publish(topic, text, qos=1)

    def of(self, topic: str) -> list[Any]:
        with self._news:
            return [content for name, content, _ in self.heard if name == topic]

    async def wait(self, condition: Callable[[Self], bool], what: str = "it") -> None:
        """Until what was heard is so."""

        def wait() -> bool:
            with self._news:
                return self._news.wait_for(lambda: condition(self), 60)

        assert await asyncio.to_thread(wait), f"{what} was not heard, but {self.heard}"

    async def __aenter__(self) -> Self:
        self._client.connect_async("127.0.0.1", self.port)
        self._client.loop_start()
        assert await asyncio.to_thread(self._ready.wait, 60)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._client.disconnect()
        await asyncio.to_thread(self._client.loop_stop)
