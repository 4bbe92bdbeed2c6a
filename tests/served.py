"""The real service over two accounts' data, in a thread of this process, for tests that knock."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
from tests.api import quick
from tests.tenants import Tenant, make_tenant

from video_detective.api.app import create_app
from video_detective.services.workspace import open_workspace
from video_detective.web.page import add_pages

UNLIMITED: dict[str, Any] = {
    "schema_version": 1,
    "limits": {
        "per_key": 1_000_000, "per_user": 1_000_000, "searches": 1_000_000, "sign_ins": 1_000_000,
    },
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Served:
    """A running service, and the two accounts in it."""

    address: str
    mine: Tenant
    other: Tenant
    data_dir: Path
    database: str


@contextmanager
def serving_tenants(
    data_dir: Path, url: str | None = None, *, settings: dict[str, Any] = UNLIMITED
) -> Iterator[Served]:
    """Serve a new data directory with two accounts in it."""
    data_dir.mkdir(parents=True, exist_ok=True)
    (data_dir / "settings.yaml").write_text(json.dumps(settings), "utf-8")
    served: list[Served] = []
    failures: list[BaseException] = []
    ready, stop = threading.Event(), threading.Event()

    async def serve() -> None:
        async with open_workspace(data_dir, url) as opened:
            workspace = quick(opened)
            mine, other = [
                await make_tenant(workspace, data_dir, f"{word} ltd", word, url=url)
                for word in ("zanthorim", "quibblex")
            ]
            app = create_app(workspace)
            add_pages(app, workspace)
            with socket.socket(proto=socket.IPPROTO_TCP) as listener:
                listener.bind(("127.0.0.1", 0))
                config = uvicorn.Config(app, log_config=None, access_log=False)
                server = uvicorn.Server(config)
                task = asyncio.create_task(server.serve(sockets=[listener]))
                while not server.started and not task.done():
                    await asyncio.sleep(0.01)
                address = f"http://127.0.0.1:{listener.getsockname()[1]}"
                served.append(
                    Served(
                        address=address,
                        mine=mine,
                        other=other,
                        data_dir=data_dir,
                        database="sqlite" if url is None else "postgresql",
                    )
                )
                ready.set()
                while not stop.is_set() and not task.done():
                    await asyncio.sleep(0.02)
                server.should_exit = server.force_exit = True
                await task

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
        yield served[0]
    finally:
        stop.set()
        thread.join(20)
    if failures:
        raise failures[0]
