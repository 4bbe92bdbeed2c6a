"""``/api/v1/live``: what changes, as server-sent events.

Source: WHATWG HTML, 9.2 Server-sent events.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Header, Request, Security
from fastapi.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from video_detective.api.envelope import caller_of, responses
from video_detective.services.access import Caller
from video_detective.services.feed import Listener, LiveFeed
from video_detective.services.workspace import Workspace
from video_detective.storage.changes import Change

Reader = Annotated[Caller, Security(caller_of, scopes=["analytics:read"])]
MEDIA_TYPE = "text/event-stream"
HEARTBEAT_S = 15.0
CHECK_S = 60.0
"""How often it is looked whether the key or session is still good."""
RETRY_MS = 2000
_STATE = {"alert": "severity", "insight": "vlmStatus", "review": "state", "job": "status",
          "device": "state"}  # fmt: skip


def routes(workspace: Workspace) -> APIRouter:
    """The route of the live stream; the application has its feed as ``state.feed``."""
    router = APIRouter(prefix="/api/v1/live", tags=["live"])
    stream_responses = responses(str, 503)
    stream_responses[200] = {
        "description": "Server-sent events without end",
        "content": {MEDIA_TYPE: {"schema": {"type": "string"}}},
    }

    @router.get("", response_class=StreamingResponse, responses=stream_responses)
    async def live(
        request: Request,
        caller: Reader,
        last_event_id: Annotated[
            str | None,
            Header(max_length=100, description="`id` of the last event that came: go on from it"),
        ] = None,
    ) -> Response:
        """What changes, as it changes: server-sent events without end.

        `alert`, `insight`, `review`, `job` and `device` say what changed by ids; `reset` says that
        more changed since `Last-Event-ID` than is known.
        """
        if request.state.is_head:
            return Response(media_type=MEDIA_TYPE)
        feed: LiveFeed = request.app.state.feed
        return _Stream(feed, await feed.listen(caller, last_event_id), request, caller)

    return router


class _Stream(StreamingResponse):
    """Leaves the feed in the end, also when nothing was ever sent."""

    def __init__(
        self, feed: LiveFeed, listener: Listener, request: Request, caller: Caller
    ) -> None:
        super().__init__(
            _events(listener, request, caller),
            media_type=MEDIA_TYPE,
            # Proxies must not wait until there is more of it.
            headers={"X-Accel-Buffering": "no"},
        )
        self._feed, self._listener = feed, listener

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._feed.leave(self._listener)


async def _events(listener: Listener, request: Request, caller: Caller) -> AsyncIterator[str]:
    clock = asyncio.get_running_loop().time
    reset = "event: reset\ndata: {}\n" if listener.is_reset else ""
    yield f"retry: {RETRY_MS}\n{reset}{_place(listener)}"
    told_s = checked_s = clock()
    while True:
        wait_s = max(0.0, min(told_s + HEARTBEAT_S, checked_s + CHECK_S) - clock())
        changes = await listener.next(wait_s)
        if changes is None:
            return
        if clock() - checked_s >= CHECK_S:
            still = await request.state.look_again()
            if still is None or "analytics:read" not in still.scopes:
                return
            caller, checked_s = still, clock()
        text = "".join(
            f"event: {change.kind}\ndata: {_data(change)}\nid: {change.place.text}\n\n"
            for change in _last_of_each(changes)
            if _reaches(caller, change)
        )
        if text or clock() - told_s >= HEARTBEAT_S:
            # The place moves on also where nothing was for this caller.
            yield (text or ":\n") + _place(listener)
            told_s = clock()


def _reaches(caller: Caller, change: Change) -> bool:
    reach = caller.reach
    return change.account_id == reach.account_id and (
        reach.cameras is None or change.camera_id in reach.cameras
    )


def _last_of_each(changes: Sequence[Change]) -> Sequence[Change]:
    """Of several changes of one thing the last: they are told together."""
    last = {(change.kind, change.target_id): change for change in changes}
    return sorted(last.values(), key=lambda change: change.place)


def _place(listener: Listener) -> str:
    """Moves ``Last-Event-ID``; an event only where there are data before it."""
    return f"id: {listener.place.text}\n\n"


def _data(change: Change) -> str:
    told: dict[str, Any] = {"deviceId": change.device_id}
    if change.kind == "job":
        told["jobId"] = change.target_id
    elif change.kind != "device":
        told["alertId"] = change.target_id
    if change.insight_id is not None:
        told["insightId"] = change.insight_id
    return orjson.dumps({**told, _STATE[change.kind]: change.state}).decode()
