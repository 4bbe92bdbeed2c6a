"""What nodes do: who lives, which cameras are analysed by whom, and the jobs of uploaded files."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Literal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from video_detective.storage.clock import CLOCK_MS
from video_detective.storage.dialects import upsert_into
from video_detective.storage.service_tables import NODES
from video_detective.storage.work.base import NodeRow
from video_detective.storage.work.jobs import Jobs
from video_detective.storage.work.live import Live
from video_detective.storage.work.tracks import Tracks

Kind = Literal["sqlite", "postgresql"]
Open = Callable[[], AbstractAsyncContextManager[AsyncConnection]]


class Work:
    """Nodes, live analyses and jobs of an open database.

    Args:
        kind: Which database.
        reading, writing: Open a connection for it.
    """

    def __init__(self, kind: Kind, reading: Open, writing: Open) -> None:
        self._kind = kind
        self._reading = reading
        self._writing = writing
        self.live = Live(kind, reading, writing)
        self.jobs = Jobs(kind, reading, writing)
        self.tracks = Tracks(reading)

    async def beat(self, node: NodeRow) -> None:
        """Give a node's sign of life; its first makes it known."""
        async with self._writing() as connection:
            await connection.execute(
                upsert_into(NODES, self._kind),
                {
                    "node_id": node.node_id,
                    "name": node.name,
                    "version": node.version,
                    "started_ns": node.started_ns,
                    "beats": await connection.scalar(select(CLOCK_MS[self._kind])),
                    "info": dict(node.info),
                },
            )

    async def nodes(self) -> list[NodeRow]:
        """Every node that ever worked, in order of name and id."""
        age = CLOCK_MS[self._kind] - NODES.c.beats
        query = select(NODES, age.label("age_ms")).order_by(NODES.c.name, NODES.c.node_id)
        async with self._reading() as connection:
            return [
                NodeRow(
                    node_id=row["node_id"],
                    name=row["name"],
                    version=row["version"],
                    started_ns=row["started_ns"],
                    info=row["info"],
                    age_ns=max(0, row["age_ms"]) * 1_000_000,
                )
                for row in (await connection.execute(query)).mappings()
            ]
