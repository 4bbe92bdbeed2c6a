"""The REST interface: search, events, pictures and clips."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, FastAPI, Path, Query, Request, Security
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, Response

import video_detective
from video_detective.api import media, shapes
from video_detective.api.access_log import Traced
from video_detective.api.envelope import caller_of
from video_detective.api.failures import Failure, handle_failures
from video_detective.api.limits import RateLimited
from video_detective.api.openapi import describe
from video_detective.api.parameters import BodyLimited, known_parameters
from video_detective.api.security import Guard
from video_detective.api.v1 import ROUTES
from video_detective.errors import UsageError
from video_detective.narration.catalogue import Language
from video_detective.pipeline.clock import now_ns
from video_detective.services.access import Caller
from video_detective.services.events import camera_list, find_event, find_media
from video_detective.services.feed import LiveFeed
from video_detective.services.report import make_report
from video_detective.services.search import search
from video_detective.services.search_timeline import search_time_line
from video_detective.services.workspace import Workspace

LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "[::1]")
_PARAMETERS = {
    "/api/search": ("q", "camera", "from", "to", "limit", "cursor", "lang", "answer"),
    "/api/search/timeline": ("q", "camera", "from", "to", "resolution"),
    "/api/report": ("from", "to", "camera", "lang"),
}
# Not for good: an analysis made again may replace an event's pictures.
_BRIEFLY = {"Cache-Control": "private, max-age=300"}


def create_app(
    workspace: Workspace,
    *,
    hosts: tuple[str, ...] = LOOPBACK_HOSTS,
) -> FastAPI:
    """The application over an open workspace.

    Args:
        workspace: Stays open for as long as the application runs.
        hosts: Host names under which it may be called.
    """
    app = FastAPI(
        title="Video Detective",
        version=video_detective.__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
        redirect_slashes=False,
    )
    app.state.workspace = workspace
    app.state.feed = LiveFeed(workspace.database)
    handle_failures(app)
    app.add_middleware(BodyLimited)
    app.add_middleware(RateLimited, workspace=workspace)  # within the guard, which knows the caller
    app.add_middleware(Guard, workspace=workspace, hosts=hosts)
    app.add_middleware(Traced)  # the outermost: also what the guard refuses has its line

    @app.get("/healthz", responses={200: {"model": shapes.Health}})
    async def healthz() -> JSONResponse:
        """Whether the process answers."""
        return JSONResponse({"status": "ok"})

    @app.get(
        "/readyz",
        responses={
            200: {"model": shapes.Health},
            503: {"model": Failure, "description": "The database does not answer"},
        },
    )
    async def readyz() -> JSONResponse:
        """Whether the service can do its work: its database answers."""
        await workspace.database.accounts.ready()
        return JSONResponse({"status": "ok"})

    app.include_router(_routes(workspace))
    for routes in (media.routes, *ROUTES):
        app.include_router(routes(workspace), dependencies=[Depends(known_parameters)])
    describe(app)
    return app


def _routes(workspace: Workspace) -> APIRouter:
    # "default" is every error: all of them come in one envelope.
    router = APIRouter(
        dependencies=[Depends(_known_parameters)],
        responses={
            400: {"model": Failure, "description": "A parameter cannot be meant"},
            401: {"model": Failure, "description": "No token, or a wrong one"},
            "default": {"model": Failure, "description": "Any other error"},
        },
    )
    missing: dict[int | str, dict[str, Any]] = {
        404: {"model": Failure, "description": "There is no such thing"}
    }

    @router.get("/api/cameras", responses={200: {"model": list[shapes.Camera]}})
    async def cameras(seen: Seen) -> JSONResponse:
        """Cameras known here, with their names and time zones."""
        return JSONResponse(await camera_list(seen))

    @router.get("/api/search", responses={200: {"model": shapes.SearchAnswer}, **missing})
    async def search_events(
        seen: Seen,
        q: Annotated[str, Query(max_length=500, description="Keywords or a question")] = "",
        camera: Annotated[str, Query(max_length=64, description="Camera id; empty: all")] = "",
        since: Annotated[
            str, Query(alias="from", max_length=40, description="RFC 3339; bare: camera's zone")
        ] = "",
        until: Annotated[str, Query(alias="to", max_length=40, description="Likewise")] = "",
        limit: Annotated[int, Query(ge=1, le=500, description="Events a page")] = 50,
        cursor: Annotated[
            str | None, Query(max_length=200, description="next_cursor of the page before")
        ] = None,
        lang: Annotated[Language, Query(description="Language of a model's answer")] = "zh-TW",
        answer: Annotated[
            Literal["auto", "template"], Query(description="template: ask no model")
        ] = "auto",
    ) -> JSONResponse:
        """An answer to a question: sentences that cite events, a time line, what is missing."""
        return JSONResponse(
            await search(
                seen,
                q,
                now_ns=now_ns(),
                camera=camera,
                since=since,
                until=until,
                limit=limit,
                cursor=cursor,
                language=lang,
                use_model=answer == "auto",
            )
        )

    @router.get(
        "/api/search/timeline", responses={200: {"model": shapes.SearchTimeline}, **missing}
    )
    async def search_timeline(
        seen: Seen,
        q: Annotated[str, Query(max_length=500, description="Keywords or a question")] = "",
        camera: Annotated[str, Query(max_length=64, description="Camera id; empty: all")] = "",
        since: Annotated[
            str, Query(alias="from", max_length=40, description="RFC 3339; bare: camera's zone")
        ] = "",
        until: Annotated[str, Query(alias="to", max_length=40, description="Likewise")] = "",
        resolution: Annotated[
            int, Query(ge=1, le=1000, description="Into how many steps the period is cut at most")
        ] = 240,
    ) -> JSONResponse:
        """When the events that answer a question were, of each camera, and what was recorded."""
        return JSONResponse(
            await search_time_line(
                seen,
                q,
                now_ns=now_ns(),
                camera=camera,
                since=since,
                until=until,
                resolution=resolution,
            )
        )

    @router.get(
        "/api/report",
        response_class=Response,  # its errors are no HTML
        responses={200: {"content": {"text/html": {"schema": {"type": "string"}}}}, **missing},
    )
    async def report(
        seen: Seen,
        caller: Reader,
        since: Annotated[
            str, Query(alias="from", max_length=40, description="RFC 3339; bare: camera's zone")
        ],
        until: Annotated[str, Query(alias="to", max_length=40, description="Likewise; exclusive")],
        camera: Annotated[str, Query(max_length=64, description="Camera id; empty: all")] = "",
        lang: Annotated[Language, Query(description="Of its words")] = "zh-TW",
    ) -> HTMLResponse:
        """What happened between two times, as one HTML file that needs no other."""
        made = await make_report(
            seen,
            since=since,
            until=until,
            camera=camera,
            language=lang,
            now_ns=now_ns(),
        )
        exported = {"from": since, "to": until, "camera": camera}
        entry = caller.entry("report.export", camera, time_ns=now_ns(), details=exported)
        await workspace.database.accounts.log([entry])
        policy = f"{made.policy}; frame-ancestors 'none'"
        return HTMLResponse(made.html, headers={"Content-Security-Policy": policy})

    @router.get("/api/event/{event_id}", responses={200: {"model": shapes.EventRecord}, **missing})
    async def event(seen: Seen, event_id: Annotated[str, Path(max_length=200)]) -> JSONResponse:
        """One event with its facts, evidence and hashes."""
        return JSONResponse(await find_event(seen, event_id))

    @router.get(
        "/frames/{name:path}",
        response_class=FileResponse,
        responses={200: {"content": {"image/jpeg": {}, "video/mp4": {}}}, **missing},
    )
    async def frames(
        seen: Seen, caller: Reader, name: Annotated[str, Path(max_length=400)]
    ) -> Response:
        """A stored picture (``<frame_id>.jpg``, ``…_boxes.jpg``) or clip (``<event_id>.mp4``)."""
        media = await find_media(seen, name)
        entry = caller.entry("evidence.view", name, time_ns=now_ns())
        await workspace.identity.views.note(workspace.database, entry)
        return FileResponse(media.path, media_type=media.media_type, headers=_BRIEFLY)

    return router


Reader = Annotated[Caller, Security(caller_of, scopes=["analytics:read"])]


async def _seen(request: Request, caller: Reader) -> Workspace:
    workspace: Workspace = request.app.state.workspace
    return workspace.within(caller.reach)


Seen = Annotated[Workspace, Depends(_seen)]
"""What the caller may see of the workspace."""


async def _known_parameters(request: Request) -> None:
    """Refuse what nobody reads, misspelt or given twice: it must not widen the answer."""
    known = _PARAMETERS.get(request.url.path, ())
    for name in request.query_params:
        if name not in known:
            raise UsageError(
                f"There is no parameter {name[:40]!r}",
                remedy=f"Use {', '.join(known)}." if known else "This address takes none.",
            )
        if len(request.query_params.getlist(name)) > 1:
            raise UsageError(f"There are several {name!r}", remedy="Give it once.")
