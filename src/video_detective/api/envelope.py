"""The envelope of every answer of version 1, and what its routes share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic, TypeVar

import orjson
from fastapi import Request
from fastapi.openapi.models import HTTPBearer
from fastapi.responses import Response
from fastapi.security import SecurityScopes
from fastapi.security.base import SecurityBase
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from video_detective.api.failures import Failure
from video_detective.errors import ForbiddenError
from video_detective.services.access import Caller

T = TypeVar("T")


class Wire(BaseModel):
    """A body or query of the interface: camelCase names, nothing unknown."""

    model_config = ConfigDict(
        extra="forbid", alias_generator=to_camel, validate_by_name=True, allow_inf_nan=False
    )


class Pagination(Wire):
    """Where a page is: ``page`` 1.. of ``total_pages``; ``next_cursor`` begins the next one."""

    page: int
    limit: int
    total: int
    total_pages: int
    next_cursor: str | None = None


class Meta(Wire):
    """When the request came (RFC 3339, UTC), and its ``X-Request-Id``.

    ``timezone``: where the query has times, the zone in which those without offset were read.
    """

    timestamp: str
    request_id: str
    timezone: str | None = None
    pagination: Pagination | None = None


class Success(Wire, Generic[T]):
    """What every success looks like."""

    success: bool = True
    status_code: int
    data: T
    meta: Meta


class PageQuery(Wire):
    """Which page: by number, or by the cursor of the page before (which then wins)."""

    page: int = Field(default=1, ge=1, le=1_000_000)
    limit: int = Field(default=20, ge=1, le=100)
    cursor: str | None = Field(
        default=None, min_length=1, max_length=300, pattern=r"^[^\x00-\x1f]+$"
    )

    @property
    def offset(self) -> int:
        """How many come on the pages before, counted by number."""
        return (self.page - 1) * self.limit


def answer(
    request: Request,
    data: object,
    *,
    status: int = 200,
    pagination: Pagination | None = None,
    timezone: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A success in its envelope.

    Args:
        request: Has been given its id and time by the guard.
        data: Plain JSON, or models of the interface.
        status: HTTP status.
        pagination: Of lists.
        timezone: IANA name, in which times of the query without offset were read.
        headers: Further ones.
    """
    received = request.state.received_at.isoformat(timespec="milliseconds")[:-6] + "Z"
    meta: dict[str, object] = {"timestamp": received, "requestId": request.state.request_id}
    if timezone is not None:
        meta["timezone"] = timezone
    if pagination is not None:
        meta["pagination"] = pagination
    body = {"success": True, "statusCode": status, "data": data, "meta": meta}
    content = orjson.dumps(body, default=_plain)
    return Response(content, status, headers, media_type="application/json")


def _plain(value: object) -> object:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", by_alias=True)
    raise TypeError(f"{type(value).__name__} is no JSON")


def responses(model: Any, *errors: int, status: int = 200) -> dict[int | str, dict[str, Any]]:
    """What a route declares for OpenAPI: its success and the errors it may answer.

    400, 401, 403, 429 and 500 are every route's.

    Args:
        model: Type of ``data``.
        errors: Further statuses.
        status: Of the success.
    """
    declared: dict[int | str, dict[str, Any]] = {status: {"model": Success[model]}}
    for error in sorted({400, 401, 403, 429, 500, *errors}):
        declared[error] = {"model": Failure, "description": _MEANING[error]}
    return declared


_MEANING = {
    400: "A value cannot be meant; `details` names its field",
    401: "No key or session, or a wrong one",
    403: "The key or user may not do this, or the device's plan has no such feature",
    404: "There is no such thing, or it is another account's",
    405: "The address has no such method",
    409: "The request does not fit the present state",
    410: "The link has expired or was used",
    413: "The body is too large",
    415: "The body is of a kind that is not taken",
    429: "Too many requests; see `Retry-After`",
    500: "Something went wrong on the server",
    503: "The database or another server cannot be used at present",
}


class CallerOf(SecurityBase):
    """Gives a route its caller, whom the guard has let in; FastAPI documents it as a bearer key."""

    def __init__(self) -> None:
        self.model = HTTPBearer(
            bearerFormat="vd_live_…",
            description="An API key, `Authorization: Bearer vd_live_…`. Each operation names the "
            "scopes that the key must have.",
        )
        self.scheme_name = "apiKey"

    async def __call__(self, scopes: SecurityScopes, request: Request) -> Caller:
        """The caller, who must have every scope that the route asks for.

        Raises:
            ForbiddenError: a scope is missing.
        """
        caller: Caller = request.state.caller
        missing = [scope for scope in scopes.scopes if scope not in caller.scopes]
        if missing:
            raise ForbiddenError(
                f"{caller.kind.capitalize()} {caller.name!r} lacks the scope {missing[0]!r}",
                remedy="Ask an administrator for one that has it.",
            )
        return caller


caller_of = CallerOf()


def page_of(total: int, query: PageQuery, next_cursor: str | None) -> Pagination:
    """Where a page is."""
    return Pagination(
        page=query.page,
        limit=query.limit,
        total=total,
        total_pages=-(-total // query.limit),
        next_cursor=next_cursor,
    )
