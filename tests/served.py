"""The real service over two accounts' data, in a thread of this process, for tests that knock."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.api import quick
from tests.serving import in_thread, listening
from tests.tenants import Tenant, make_tenant

from video_detective.services.workspace import open_workspace

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

    @asynccontextmanager
    async def open_tenants() -> AsyncIterator[Served]:
        async with open_workspace(data_dir, url) as opened:
            workspace = quick(opened)
            mine, other = [
                await make_tenant(workspace, data_dir, f"{word} ltd", word, url=url)
                for word in ("zanthorim", "quibblex")
            ]
            async with listening(workspace) as address:
                yield Served(
                    address=address,
                    mine=mine,
                    other=other,
                    data_dir=data_dir,
                    database="sqlite" if url is None else "postgresql",
                )

    with in_thread(open_tenants) as served:
        yield served
