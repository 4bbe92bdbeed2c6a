"""The REST interface: search, events, pictures and clips."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, FastAPI, Query, Request
from fastapi.responses import FileResponse, Response

import video_detective
from video_detective.api.failures import handle_failures
from video_detective.api.security import guard
from video_detective.errors import UsageError
from video_detective.services.events import camera_list, find_event, find_media
from video_detective.services.search import search
from video_detective.services.workspace import Workspace

LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "[::1]")
_IMMUTABLE = {"Cache-Control": "private, max-age=31536000, immutable"}


def create_app(
    workspace: Workspace, *, token: str, hosts: tuple[str, ...] = LOOPBACK_HOSTS
) -> FastAPI:
    """The application over an open workspace.

    Args:
        workspace: Stays open for as long as the application runs.
        token: Secret that every caller must show.
        hosts: Host names under which it may be called.
    """
    app = FastAPI(
        title="Video Detective",
        version=video_detective.__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
    )
    handle_failures(app)
    guard(app, token=token, hosts=hosts)

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        """Whether the process answers."""
        return {"status": "ok"}

    @app.get("/api/cameras")
    async def cameras() -> list[dict[str, Any]]:
        """Cameras known here, with their names and time zones."""
        return await camera_list(workspace)

    @app.get("/api/search", dependencies=[Depends(_known_parameters)])
    async def search_events(
        q: Annotated[str, Query(max_length=500)] = "",
        camera: Annotated[str, Query(max_length=64)] = "",
        since: Annotated[str, Query(alias="from", max_length=40)] = "",
        until: Annotated[str, Query(alias="to", max_length=40)] = "",
        limit: Annotated[int, Query(ge=1, le=500)] = 50,
        cursor: Annotated[str | None, Query(max_length=200)] = None,
    ) -> dict[str, Any]:
        """Events that match keywords, camera and time: an answer, a time line, what is missing."""
        return await search(
            workspace, q, camera=camera, since=since, until=until, limit=limit, cursor=cursor
        )

    @app.get("/api/event/{event_id}")
    async def event(event_id: str) -> dict[str, Any]:
        """One event with its facts, evidence and hashes."""
        return await find_event(workspace, event_id)

    @app.get("/frames/{name:path}")
    async def frames(name: str) -> Response:
        """A stored picture (``<frame_id>.jpg``, ``…_boxes.jpg``) or clip (``<event_id>.mp4``)."""
        media = await find_media(workspace, name)
        return FileResponse(media.path, media_type=media.media_type, headers=_IMMUTABLE)

    return app


async def _known_parameters(request: Request) -> None:
    """Refuse parameters that nobody reads: a misspelt filter must not widen the answer."""
    known = {"q", "camera", "from", "to", "limit", "cursor"}
    for name in request.query_params:
        if name not in known:
            raise UsageError(
                f"There is no parameter {name!r}", remedy=f"Use {', '.join(sorted(known))}."
            )
