"""``/api/v1/audit``: who did what."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request, Security
from fastapi.responses import Response
from pydantic import ConfigDict, Field

from video_detective.api.envelope import PageQuery, Wire, answer, caller_of, page_of, responses
from video_detective.services.access import Caller
from video_detective.services.audit import audit_page, verify_audit
from video_detective.services.times import field_time, utc_text
from video_detective.services.workspace import Workspace
from video_detective.storage.accounts.audit import AuditRow

Admin = Annotated[Caller, Security(caller_of, scopes=["admin"])]
_ENTRY: dict[str, Any] = {
    "number": 17,
    "time": "2026-01-15T14:00:00.000Z",
    "actorKind": "user",
    "actorId": "0199a2c4-5d10-7c3e-9f00-2b1a6c7d8e90",
    "actorName": "admin",
    "action": "key.create",
    "targetKind": "key",
    "targetId": "0199a2c4-5d10-7c3e-9f00-2b1a6c7d8e92",
    "requestId": "req-7",
    "details": {"name": "後台", "scopes": ["analytics:read"]},
    "previous": "0" * 64,
    "hash": "5f" * 32,
}


class Entry(Wire):
    """What somebody did. ``hash`` covers the entry and ``previous``, the hash before it."""

    model_config = ConfigDict(json_schema_extra={"examples": [_ENTRY]})

    number: int
    time: str
    actor_kind: Literal["user", "key", "local", "system"]
    actor_id: str
    actor_name: str
    action: str
    target_kind: str
    target_id: str
    request_id: str
    details: dict[str, Any]
    previous: str
    hash: str


class Verification(Wire):
    """What walking the log found.

    ``rows`` hold, and ``head`` is the hash of the last of them: kept elsewhere, it shows later that
    nothing before it was changed. ``brokenAt`` is the first that does not hold.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"isIntact": True, "rows": 17, "head": "5f" * 32, "brokenAt": None, "problem": None}
            ]
        }
    )

    is_intact: bool
    rows: int
    head: str
    broken_at: int | None
    problem: str | None


class AuditQuery(PageQuery):
    """Which entries. ``action`` without a dot is a kind of target: ``device``."""

    action: str | None = Field(default=None, pattern=r"^[a-z_]+(\.[a-z_]+)?$", max_length=60)
    target_id: str | None = Field(default=None, min_length=1, max_length=200)
    actor_id: str | None = Field(default=None, min_length=1, max_length=200)
    start_date: str | None = Field(default=None, min_length=1, max_length=40)
    end_date: str | None = Field(default=None, min_length=1, max_length=40)


def routes(workspace: Workspace) -> APIRouter:
    """The routes over an open workspace."""
    router = APIRouter(prefix="/api/v1/audit", tags=["audit"])

    @router.get("", responses=responses(list[Entry]))
    async def list_entries(
        request: Request, caller: Admin, query: Annotated[AuditQuery, Query()]
    ) -> Response:
        """The log of one's account, newest first."""
        page = await audit_page(
            workspace,
            caller,
            limit=query.limit,
            offset=query.offset,
            cursor=query.cursor,
            action=query.action or "",
            target_id=query.target_id or "",
            actor_id=query.actor_id or "",
            since_ns=_moment("startDate", query.start_date, caller),
            until_ns=_moment("endDate", query.end_date, caller),
        )
        return answer(
            request,
            [_wire(row) for row in page.rows],
            pagination=page_of(page.total, query, page.next_cursor),
            timezone=caller.timezone if query.start_date or query.end_date else None,
        )

    @router.get("/verify", responses=responses(Verification))
    async def verify(request: Request, caller: Admin) -> Response:
        """Walk the whole log and check every hash."""
        state = await verify_audit(workspace, caller)
        data = Verification(
            is_intact=state.broken_at is None,
            rows=state.rows,
            head=state.head,
            broken_at=state.broken_at,
            problem=state.problem or None,
        )
        return answer(request, data)

    return router


def _moment(field: str, text: str | None, caller: Caller) -> int | None:
    return None if text is None else field_time(text, ZoneInfo(caller.timezone), field)


def _wire(row: AuditRow) -> Entry:
    entry = row.entry
    return Entry(
        number=row.number,
        time=utc_text(entry.time_ns),
        actor_kind=entry.actor_kind,
        actor_id=entry.actor_id,
        actor_name=entry.actor_name,
        action=entry.action,
        target_kind=entry.target_kind,
        target_id=entry.target_id,
        request_id=entry.request_id,
        details=dict(entry.details),
        previous=row.previous,
        hash=row.hash,
    )
