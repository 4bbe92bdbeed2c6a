"""A small RTSP server that sends H.264 over TCP, and misbehaves when told to."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import re
import socket
import struct
import threading
import time
from dataclasses import dataclass
from fractions import Fraction

import av
from tests.videos import picture

_MAX_PAYLOAD = 1200
_NONCE = "0123456789abcdef"


@dataclass(frozen=True, kw_only=True)
class Behaviour:
    """What one connection does.

    Args:
        refuse: Close at once.
        drop_after: Close behind so many pictures.
        stall_after: Send nothing more behind so many pictures, keep the connection.
        jump_after: Behind so many pictures, RTP timestamps leap by ``jump_s``.
        first: Number of the first picture sent (a multiple of 10, where key frames are).
    """

    refuse: bool = False
    drop_after: int | None = None
    stall_after: int | None = None
    jump_after: int | None = None
    jump_s: int = 0
    first: int = 0


@dataclass(frozen=True)
class _Encoded:
    parameter_sets: list[bytes]
    pictures: list[list[bytes]]


def encode(
    count: int, *, rate: int, width: int = 160, height: int = 120, still: bool = False
) -> _Encoded:
    """``picture(0)`` …, or only that one, as H.264 NAL units; a key frame every 10."""
    context = av.CodecContext.create("libx264", "w")
    context.width, context.height, context.pix_fmt = width, height, "yuv420p"
    context.time_base, context.framerate = Fraction(1, rate), Fraction(rate)
    context.gop_size, context.max_b_frames, context.thread_count = 10, 0, 1
    context.options = {"tune": "zerolatency", "x264-params": "scenecut=0:keyint=10"}
    pictures = []
    for number in range(count):
        frame = av.VideoFrame.from_ndarray(picture(number * (not still), width, height), "bgr24")
        frame = frame.reformat(format="yuv420p")
        frame.pts = number
        pictures += [_nal_units(bytes(packet)) for packet in context.encode(frame)]
    pictures += [_nal_units(bytes(packet)) for packet in context.encode(None)]
    sets = [nal for nal in pictures[0] if nal[0] & 31 in (7, 8)]
    return _Encoded(sets, pictures)


def _nal_units(data: bytes) -> list[bytes]:
    return [nal for nal in re.split(rb"\x00\x00\x00?\x01", data) if nal]


class RtspServer:
    """Serves ``picture(0)`` … in a loop on a free port of 127.0.0.1.

    Args:
        behaviours: One for each connection that plays, in order; the last one repeats.
        auth: None, ``basic`` or ``digest``, with user ``admin`` and ``password``.
        rate: Pictures a second of RTP time, and of real time times ``speed``.
        still: Only ever the first picture: nothing moves, and no shot ends.
    """

    def __init__(
        self,
        *behaviours: Behaviour,
        auth: str | None = None,
        password: str = "s3cret",
        rate: int = 25,
        speed: float = 1.0,
        count: int = 100,
        still: bool = False,
    ) -> None:
        self._behaviours = behaviours or (Behaviour(),)
        self._auth = auth
        self._password = password
        self._rate = rate
        self._pause = 1 / (rate * speed)
        self._encoded = encode(count, rate=rate, still=still)
        self._closing = threading.Event()
        self._threads: list[threading.Thread] = []
        self._sockets: list[socket.socket] = []
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]

    @property
    def address(self) -> str:
        return f"rtsp://127.0.0.1:{self.port}/stream"

    def __enter__(self) -> RtspServer:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        for open_socket in (self._listener, *self._sockets):
            with contextlib.suppress(OSError):
                open_socket.shutdown(socket.SHUT_RDWR)
            open_socket.close()
        for thread in self._threads:
            thread.join(10)

    def _start(self, target: object, *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            behaviour = self._behaviours[min(self.connections, len(self._behaviours) - 1)]
            self.connections += 1
            self._sockets.append(connection)
            if behaviour.refuse:
                connection.close()
            else:
                self._start(self._serve, connection, behaviour)

    def _serve(self, connection: socket.socket, behaviour: Behaviour) -> None:
        try:
            with connection, connection.makefile("rb") as requests:
                while not self._closing.is_set():
                    request = _request(requests)
                    if request is None:
                        return
                    method, headers = request
                    if not self._is_allowed(method, headers):
                        challenge = 'Digest realm="cam", nonce="' + _NONCE + '"'
                        if self._auth == "basic":
                            challenge = 'Basic realm="cam"'
                        _answer(
                            connection, headers, "401 Unauthorized", {"WWW-Authenticate": challenge}
                        )
                        continue
                    _answer(connection, headers, "200 OK", *self._reply(method))
                    if method == "PLAY":
                        self._play(connection, behaviour)
                        return
        except OSError:
            return

    def _is_allowed(self, method: str, headers: dict[str, str]) -> bool:
        if self._auth is None or method == "OPTIONS":
            return True
        given = headers.get("authorization", "")
        if self._auth == "basic":
            return given == "Basic " + base64.b64encode(f"admin:{self._password}".encode()).decode()
        fields = dict(re.findall(r'(\w+)="([^"]*)"', given))
        secret = _md5(f"admin:cam:{self._password}")
        expected = _md5(f"{secret}:{_NONCE}:{_md5(f'{method}:' + fields.get('uri', ''))}")
        return fields.get("response") == expected

    def _reply(self, method: str) -> tuple[dict[str, str], bytes]:
        if method == "DESCRIBE":
            sets = ",".join(base64.b64encode(nal).decode() for nal in self._encoded.parameter_sets)
            sdp = (
                "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=test\r\nt=0 0\r\n"
                "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"
                f"a=fmtp:96 packetization-mode=1;sprop-parameter-sets={sets}\r\n"
                "a=control:track1\r\n"
            ).encode()
            return {"Content-Type": "application/sdp", "Content-Base": self.address + "/"}, sdp
        if method == "SETUP":
            return {"Transport": "RTP/AVP/TCP;unicast;interleaved=0-1", "Session": "1"}, b""
        if method == "OPTIONS":
            return {"Public": "OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN"}, b""
        return {"Session": "1"}, b""

    def _play(self, connection: socket.socket, behaviour: Behaviour) -> None:
        sequence, sent = 0, 0
        pictures = self._encoded.pictures
        while not self._closing.is_set():
            if behaviour.drop_after is not None and sent >= behaviour.drop_after:
                return
            if behaviour.stall_after is not None and sent >= behaviour.stall_after:
                self._closing.wait(0.05)
                continue
            jump = behaviour.jump_s if (behaviour.jump_after or sent + 1) <= sent else 0
            stamp = (90_000 + sent * 90_000 // self._rate + jump * 90_000) & 0xFFFFFFFF
            units = pictures[(behaviour.first + sent) % len(pictures)]
            for number, unit in enumerate(units):
                for payload, is_end in _payloads(unit):
                    marker = 0x80 if is_end and number == len(units) - 1 else 0
                    head = struct.pack(">BBHII", 0x80, marker | 96, sequence & 0xFFFF, stamp, 7)
                    packet = head + payload
                    connection.sendall(struct.pack(">BBH", 0x24, 0, len(packet)) + packet)
                    sequence += 1
            sent += 1
            time.sleep(self._pause)


def _payloads(unit: bytes) -> list[tuple[bytes, bool]]:
    """RTP payloads of a NAL unit: itself, or fragments of type FU-A (RFC 6184, 5.8)."""
    if len(unit) <= _MAX_PAYLOAD:
        return [(unit, True)]
    indicator, kind = (unit[0] & 0xE0) | 28, unit[0] & 0x1F
    body = unit[1:]
    parts = [body[i : i + _MAX_PAYLOAD] for i in range(0, len(body), _MAX_PAYLOAD)]
    payloads = []
    for i, part in enumerate(parts):
        is_end = i == len(parts) - 1
        header = kind | (0x80 if i == 0 else 0) | (0x40 if is_end else 0)
        payloads.append((bytes([indicator, header]) + part, is_end))
    return payloads


def _request(lines: object) -> tuple[str, dict[str, str]] | None:
    first = lines.readline().decode()  # type: ignore[attr-defined]
    if not first:
        return None
    headers: dict[str, str] = {}
    while line := lines.readline().decode().strip():  # type: ignore[attr-defined]
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    return first.split(" ")[0], headers


def _answer(
    connection: socket.socket,
    request: dict[str, str],
    status: str,
    headers: dict[str, str],
    body: bytes = b"",
) -> None:
    lines = [f"RTSP/1.0 {status}", f"CSeq: {request.get('cseq', '0')}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)


def _md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()
