"""``/media/…``: pictures and clips by signed links."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import FileResponse, Response
from pydantic import Field

from video_detective.api.envelope import Wire, responses
from video_detective.pipeline.clock import now_ns
from video_detective.services.media_links import PATH, open_link
from video_detective.services.workspace import Workspace


class LinkQuery(Wire):
    """The rest of a signed link. It is taken as a whole, as the service gave it out."""

    expires: int = Field(ge=0, le=10**12)
    holder: str = Field(alias="for", min_length=1, max_length=100)
    signature: str = Field(min_length=1, max_length=100)


def routes(workspace: Workspace) -> APIRouter:
    """The route over an open workspace."""
    router = APIRouter(tags=["events"])
    declared = responses(LinkQuery, 404, 410)
    del declared[401]
    declared[200] = {
        "description": "The file",
        "content": {
            kind: {"schema": {"type": "string", "format": "binary"}}
            for kind in ("image/jpeg", "image/png", "video/mp4")
        },
    }

    @router.get(f"{PATH}{{name:path}}", response_class=FileResponse, responses=declared)
    async def media(
        request: Request,
        name: Annotated[str, Path(max_length=200)],
        query: Annotated[LinkQuery, Query()],
    ) -> Response:
        """A stored picture or clip, by a link that another answer gave out.

        A link opens one file for ten to fifteen minutes; each view is in the audit log.
        """
        opened = await open_link(
            workspace,
            name=name,
            holder=query.holder,
            expires_s=query.expires,
            signature=query.signature,
            now_ns=now_ns(),
            request_id=request.state.request_id,
        )
        headers = {
            "Cache-Control": f"private, max-age={opened.left_s}, immutable",
            # The link is the right to see it, wherever it is shown.
            "Cross-Origin-Resource-Policy": "cross-origin",
        }
        return FileResponse(opened.path, media_type=opened.media_type, headers=headers)

    return router
