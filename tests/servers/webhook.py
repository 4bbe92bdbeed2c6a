"""A receiver of webhooks: records what comes, and misbehaves on demand."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

CERTIFICATES = Path(__file__).parent / "certificates"
"""``authority.pem``, and ``receiver.pem`` (with its key) for ``receiver.test``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Receiver:
    """Answers what ``answers`` says, in order, then ``204`` for ever.

    An answer is a status, ``"redirect"`` (to ``redirect_to``), ``"hang"`` (until it is closed),
    ``"huge"`` (a body without end), ``"drop"`` (hangs up).
    """

    answers: list[int | str] = field(default_factory=list)
    redirect_to: str = "http://127.0.0.1:9/"
    tls: bool = False
    received: list[Received] = field(default_factory=list)
    sent_bytes: int = 0

    def __post_init__(self) -> None:
        receiver = self
        self._closing = threading.Event()
        self._news = threading.Condition()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                with receiver._news:
                    receiver.received.append(
                        Received(path=self.path, headers=dict(self.headers), body=body)
                    )
                    answer = receiver.answers.pop(0) if receiver.answers else 204
                    receiver._news.notify_all()
                receiver._answer(self, answer)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        class Quiet(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: object) -> None:
                """A client that hangs up is no news."""

        self._server = Quiet(("127.0.0.1", 0), Handler)
        if self.tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(CERTIFICATES / "receiver.pem")
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    def _answer(self, handler: BaseHTTPRequestHandler, answer: int | str) -> None:
        if answer == "hang":
            self._closing.wait(20)
            handler.close_connection = True
        elif answer == "drop":
            handler.close_connection = True
            with contextlib.suppress(OSError):
                handler.connection.shutdown(socket.SHUT_RDWR)
        elif answer == "huge":
            handler.send_response(200)
            handler.send_header("Content-Length", str(1 << 30))
            handler.end_headers()
            with contextlib.suppress(OSError):
                while not self._closing.is_set():
                    handler.wfile.write(b"x" * 65536)
                    self.sent_bytes += 65536
            handler.close_connection = True
        else:
            handler.send_response(302 if answer == "redirect" else int(answer))
            if answer == "redirect":
                handler.send_header("Location", self.redirect_to)
            handler.send_header("Content-Length", "0")
            handler.end_headers()

    @property
    def port(self) -> int:
        return self._server.server_port

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}/hook"

    def wait_for(self, count: int, timeout_s: float = 60.0) -> list[Received]:
        """What has come, once there are so many."""
        with self._news:
            assert self._news.wait_for(lambda: len(self.received) >= count, timeout_s), (
                f"{len(self.received)} of {count} requests came"
            )
            return list(self.received)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)
