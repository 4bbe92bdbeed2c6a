"""What a request may carry: only parameters that the route reads, once each, and a body of a size.

A parameter that nobody reads, misspelt or given twice, must not widen the answer.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, get_args, get_origin

from fastapi import Request
from fastapi.dependencies.utils import get_flat_params
from fastapi.exceptions import RequestValidationError
from fastapi.params import ParamTypes
from fastapi.routing import APIRoute
from starlette.datastructures import State
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from video_detective.api.failures import failure

BODY_LIMIT = 1 << 20
"""Bytes of a body, where it is no upload."""
UPLOADS = "/api/v1/analysis/files"
"""Addresses that begin so take files by PATCH, with limits of their own."""


async def known_parameters(request: Request) -> None:
    """Refuse query parameters that the route does not read, or that are given twice.

    Raises:
        RequestValidationError: with each of them.
    """
    if not request.query_params:
        return
    route, kept = request.scope["route"], _kept_of(request.app.state)
    # By identity: routes have no hash, and live as long as their application.
    known = kept.get(id(route))
    if known is None:
        known = kept[id(route)] = _parameters_of(route)
    problems: list[dict[str, str | tuple[str, str]]] = []
    for name in dict.fromkeys(request.query_params):
        if name not in known:
            said = f"There is no such parameter; {_choice(list(known))}"
        elif len(request.query_params.getlist(name)) > 1 and not known[name]:
            said = "It is given several times; give it once"
        elif any("\0" in value for value in request.query_params.getlist(name)):
            said = "It has a NUL in it, which no database takes"
        else:
            continue
        problems.append({"type": "value_error", "loc": ("query", name), "msg": said})
    if problems:
        raise RequestValidationError(problems)


def _choice(names: list[str]) -> str:
    return f"use {', '.join(names)}" if names else "this address takes none"


def _kept_of(state: State) -> dict[int, dict[str, bool]]:
    """What is known of routes of one application already."""
    if not hasattr(state, "query_parameters"):
        state.query_parameters = {}
    kept: dict[int, dict[str, bool]] = state.query_parameters
    return kept


def _parameters_of(route: APIRoute) -> dict[str, bool]:
    """Names of a route's query parameters, and whether each may come several times."""
    return {
        field.alias: _is_list(field.field_info.annotation)
        for field in get_flat_params(route.dependant)
        if getattr(field.field_info, "in_", None) in (None, ParamTypes.query)
        and field.alias not in route.param_convertors
    }


def _is_list(annotation: Any) -> bool:
    origin = get_origin(annotation) or annotation
    if isinstance(origin, type) and not issubclass(origin, str | bytes):
        return issubclass(origin, Sequence | Collection)
    return any(_is_list(inner) for inner in get_args(annotation))


class BodyLimited:
    """Layer within the guard: answers 413 to bodies that are larger than anybody means.

    Args:
        app: What is limited.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or (
            scope["method"] == "PATCH" and scope["path"].startswith(UPLOADS)
        ):
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        told = request.headers.get("Content-Length", "0")
        if not told.isdigit() or int(told) > BODY_LIMIT:
            await self._refuse(request, scope, receive, send)
            return
        received, started = 0, False

        async def receive_some() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > BODY_LIMIT:
                raise _TooLarge
            return message

        async def send_and_look(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive_some, send_and_look)
        except _TooLarge:
            if started:
                raise
            await self._refuse(request, scope, receive, send)

    async def _refuse(self, request: Request, scope: Scope, receive: Receive, send: Send) -> None:
        answer = failure(
            request,
            413,
            "PAYLOAD_TOO_LARGE",
            f"The body is larger than {BODY_LIMIT >> 20} MiB, or does not say how large it is",
        )
        answer.headers["Connection"] = "close"  # what is still being sent is not read
        await answer(scope, receive, send)


class _TooLarge(BaseException):
    """Not to be caught by whoever reads the body: they would say that it is no JSON."""
