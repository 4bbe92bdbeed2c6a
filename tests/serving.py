"""A workspace served over HTTP by a thread of this process."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from typing import TypeVar

import uvicorn

from video_detective.api.app import create_app
from video_detective.services.workspace import Workspace
from video_detective.web.page import add_pages

T = TypeVar("T")


@asynccontextmanager
async def listening(workspace: Workspace, *, port: int = 0) -> AsyncIterator[str]:
    """The interface and the pages over a workspace; gives their address."""
    app = create_app(workspace)
    add_pages(app, workspace)
    with socket.socket(proto=socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False))
        task = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started and not task.done():
            await asyncio.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = server.force_exit = True
            await task


@contextmanager
def in_thread(
    make: Callable[[], AbstractAsyncContextManager[T]], *, stop: threading.Event | None = None
) -> Iterator[T]:
    """Keep open what ``make`` gives, in a thread with an event loop of its own.

    Args:
        make: What is opened.
        stop: Closes it earlier.
    """
    opened: list[T] = []
    failures: list[BaseException] = []
    ready, over = threading.Event(), stop or threading.Event()

    async def serve() -> None:
        async with make() as one:
            opened.append(one)
            ready.set()
            while not over.is_set():
                await asyncio.sleep(0.02)

    def work() -> None:
        try:
            asyncio.run(serve())
        except BaseException as error:
            failures.append(error)
        finally:
            ready.set()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        ready.wait(60)
        if failures:
            raise failures[0]
        yield opened[0]
    finally:
        over.set()
        thread.join(60)
    if failures:
        raise failures[0]
