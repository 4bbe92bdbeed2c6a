"""``/api/v1/nodes``: the machines that work."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Request, Security
from fastapi.responses import Response
from pydantic import ConfigDict

from video_detective.api.envelope import Wire, answer, caller_of, responses
from video_detective.geometry import NS_PER_S
from video_detective.services.access import Caller
from video_detective.services.node import SILENT_NS
from video_detective.services.times import utc_text
from video_detective.services.workspace import Workspace

Reader = Annotated[Caller, Security(caller_of, scopes=["devices:read"])]


class Node(Wire):
    """A machine on which the service runs or ran; ``silentSeconds`` since its last sign of life."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "5f0c1a9e-7f5e-4e54-a9f3-d0f7f5a0c2b1",
                    "name": "nvr-01",
                    "version": "0.1.0",
                    "state": "online",
                    "startedAt": "2026-01-15T14:00:00.000Z",
                    "silentSeconds": 2.1,
                    "cpus": 8,
                }
            ]
        }
    )

    id: str
    name: str
    version: str
    state: Literal["online", "offline"]
    started_at: str
    silent_seconds: float
    cpus: int | None


def routes(workspace: Workspace) -> APIRouter:
    """The routes of nodes over an open workspace."""
    router = APIRouter(prefix="/api/v1/nodes", tags=["nodes"])

    @router.get("", responses=responses(list[Node]))
    async def list_nodes(request: Request, caller: Reader) -> Response:
        """Machines on which the service runs or ran, in order of name; they are no account's."""
        nodes = [
            Node(
                id=row.node_id,
                name=row.name,
                version=row.version,
                state="online" if row.age_ns < SILENT_NS else "offline",
                started_at=utc_text(row.started_ns),
                silent_seconds=round(row.age_ns / NS_PER_S, 1),
                cpus=row.info.get("cpus"),
            )
            for row in await workspace.database.work.nodes()
        ]
        return answer(request, nodes)

    return router
