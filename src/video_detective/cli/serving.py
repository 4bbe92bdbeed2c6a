"""``serve``: the page and the REST interface."""

from __future__ import annotations

import contextlib
import gc
import ipaddress
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
import uvicorn

from video_detective.api.app import LOOPBACK_HOSTS, create_app
from video_detective.api.security import SIGN_IN_PAGE, set_up_link
from video_detective.cli.console import (
    DEFAULT_DATA_DIR,
    OUTPUT,
    DatabaseUrl,
    DataDir,
    run,
)
from video_detective.errors import ConflictError
from video_detective.pipeline.clock import now_ns
from video_detective.services.accounts import set_up_token
from video_detective.services.background import words_in_background
from video_detective.services.logs import log_as_json
from video_detective.services.node import node_id
from video_detective.services.workspace import open_workspace
from video_detective.web.page import add_pages

Host = Annotated[
    str, typer.Option(help="Address to listen on; anything but loopback opens it to the network.")
]
_GRACE_S = 2
"""Questions may wait minutes for a silent model: what is not answered by then is cut off."""
_ENDING = (signal.SIGINT, signal.SIGTERM)
Port = Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")]


def serve_command(
    data_dir: DataDir = DEFAULT_DATA_DIR,
    host: Host = "127.0.0.1",
    port: Port = 8377,
    allow_host: Annotated[
        list[str] | None, typer.Option(help="A further host name under which it is called.")
    ] = None,
    database: DatabaseUrl = None,
) -> None:
    """Serve the page and the REST interface."""
    with _ended_in_order():
        run(_serve(data_dir, database, host, port, tuple(allow_host or ())))


class _Server(uvicorn.Server):
    """Ends live streams first: they would be waited for, and then be cut off."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self.config.app.state.feed.close()  # type: ignore[union-attr]  # ours: an application
        await super().shutdown(sockets)


async def _serve(
    data_dir: Path, database: str | None, host: str, port: int, names: tuple[str, ...]
) -> None:
    hosts = (*LOOPBACK_HOSTS, *names, *(() if host in {"0.0.0.0", "::"} else (host,)))  # noqa: S104
    with _listen(host, port) as listener:
        await _serve_at(listener, data_dir, database, host, hosts)


async def _serve_at(
    listener: socket.socket, data_dir: Path, database: str | None, host: str, hosts: tuple[str, ...]
) -> None:
    async with open_workspace(data_dir, database) as workspace:
        token = await set_up_token(workspace, now_ns())
        log_as_json(
            node=node_id(workspace),
            secrets=[*([token] if token else []), *workspace.settings.secrets()],
        )
        app = create_app(workspace, hosts=hosts)
        add_pages(app, workspace)
        shown = f"[{host}]" if ":" in host else host
        address = f"http://{shown}:{listener.getsockname()[1]}"
        OUTPUT.print(
            f"Video Detective is at {address}{SIGN_IN_PAGE}\nCtrl-C ends it."
            if token is None
            else f"Set Video Detective up at {set_up_link(address, token)}\n"
            "Whoever opens this link first chooses name and password of the first user; it is good "
            "for 24 hours. Ctrl-C ends it.",
            markup=False,
            soft_wrap=True,
        )
        if not _is_loopback(host):
            OUTPUT.print(
                "It listens on the network without TLS: put a reverse proxy with TLS before it.",
                style="yellow",
            )
        server = _Server(
            uvicorn.Config(
                app,
                log_level="warning",
                log_config=None,  # its lines are like ours
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=_GRACE_S,
            )
        )
        async with words_in_background(workspace):
            keep_what_is_there()
            await server.serve(sockets=[listener])


def keep_what_is_there() -> None:
    """Leave what lives as long as the process out of later looks for garbage.

    One look through all of it stops every request for 0.2 s; without it, 0.02 s
    (``benchmarks.insight_lists``).
    """
    gc.collect()
    gc.freeze()


@contextlib.contextmanager
def _ended_in_order() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM raise KeyboardInterrupt where they arrive, and suppress it.

    uvicorn ends at either in order and then raises it once more: SIGTERM would kill whatever is
    still to be closed, and asyncio's own handler of Ctrl-C cancel its closing.
    """

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    earlier = {number: signal.signal(number, interrupt) for number in _ENDING}
    try:
        with contextlib.suppress(KeyboardInterrupt):
            yield
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        # With the protocol named, asyncio switches off Nagle's delay (40 ms an answer).
        listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((host, port))
            # From here on whoever follows the link waits, rather than being refused.
            listener.listen()
        except OSError:
            listener.close()
            raise
    except OSError as cause:
        raise ConflictError(
            f"Cannot listen on {host} port {port} ({cause.strerror})",
            remedy="Choose another with --port (0 takes a free one) or --host.",
        ) from cause
    return listener


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
