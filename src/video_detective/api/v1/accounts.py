"""``/api/v1/accounts``: tenants."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Security
from fastapi.responses import Response
from pydantic import ConfigDict, Field

from video_detective.api.envelope import PageQuery, Wire, answer, caller_of, page_of, responses
from video_detective.api.security import set_up_link
from video_detective.api.v1.paging import id_cursor
from video_detective.pipeline.clock import now_ns
from video_detective.services.access import Caller
from video_detective.services.accounts import (
    account_page,
    add_account,
    change_account,
    find_account,
)
from video_detective.services.times import utc_text
from video_detective.services.workspace import Workspace
from video_detective.storage.accounts.rows import AccountRow

Anybody = Annotated[Caller, Security(caller_of, scopes=[])]
Admin = Annotated[Caller, Security(caller_of, scopes=["admin"])]
AccountId = Annotated[UUID, Path(alias="id", description="The account's id")]
Language = Literal["zh-TW", "en"]
_Zone = Annotated[str, Field(min_length=1, max_length=64)]
_ACCOUNT: dict[str, Any] = {
    "id": "0199a2c4-5d10-7c3e-9f00-2b1a6c7d8e91",
    "name": "總店",
    "timezone": "Asia/Taipei",
    "language": "zh-TW",
    "isDefault": False,
    "createdAt": "2026-01-15T14:00:00.000Z",
}


class Account(Wire):
    """A tenant: its devices, users, keys and everything that happened are nobody else's."""

    model_config = ConfigDict(json_schema_extra={"examples": [_ACCOUNT]})

    id: str
    name: str
    timezone: str
    language: Language
    is_default: bool
    created_at: str


class Invitation(Wire):
    """A one-time link. Its ``url`` is shown now and never again."""

    url: str
    expires_at: str


class NewAccount(Account):
    """A tenant that was just made, with the link for its first admin."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                _ACCOUNT
                | {
                    "invitation": {
                        "url": "https://vd.example.com/set-up#3q2-7wAAbb",
                        "expiresAt": "2026-01-16T14:00:00.000Z",
                    }
                }
            ]
        }
    )

    invitation: Invitation


class AccountCreation(Wire):
    """A tenant to make."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "總店", "timezone": "Asia/Taipei"}]}
    )

    name: str = Field(min_length=1, max_length=100)
    timezone: _Zone = "Asia/Taipei"
    language: Language = "zh-TW"


class AccountUpdate(Wire):
    """What is not given stays as it is."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"timezone": "Asia/Tokyo"}]})

    timezone: _Zone | None = None
    language: Language | None = None


def routes(workspace: Workspace) -> APIRouter:
    """The routes over an open workspace."""
    router = APIRouter(prefix="/api/v1/accounts", tags=["accounts"])

    @router.get("", responses=responses(list[Account]))
    async def list_accounts(
        request: Request, caller: Anybody, query: Annotated[PageQuery, Query()]
    ) -> Response:
        """One's own account; to admins of the default account all of them."""
        page = await account_page(
            workspace,
            caller,
            limit=query.limit,
            offset=query.offset,
            cursor=id_cursor(query.cursor),
        )
        return answer(
            request,
            [_wire(row) for row in page.rows],
            pagination=page_of(page.total, query, page.next_cursor),
        )

    @router.post("", status_code=201, responses=responses(NewAccount, 409, 413, 415, status=201))
    async def create_account(request: Request, caller: Admin, body: AccountCreation) -> Response:
        """Make an account, and the one-time link for its first admin."""
        account, token, expires_ns = await add_account(
            workspace,
            caller,
            name=body.name,
            timezone=body.timezone,
            language=body.language,
            now_ns=now_ns(),
        )
        invitation = Invitation(
            url=set_up_link(str(request.base_url), token), expires_at=utc_text(expires_ns)
        )
        made = NewAccount(invitation=invitation, **_wire(account).model_dump())
        return answer(request, made, status=201)

    @router.get("/{id}", responses=responses(Account, 404))
    async def get_account(request: Request, caller: Anybody, account_id: AccountId) -> Response:
        """One account."""
        return answer(request, _wire(await find_account(workspace, caller, str(account_id))))

    @router.patch("/{id}", responses=responses(Account, 404, 413, 415))
    async def update_account(
        request: Request, caller: Admin, account_id: AccountId, body: AccountUpdate
    ) -> Response:
        """Change time zone or language."""
        changes = body.model_dump(exclude_none=True)
        row = await change_account(workspace, caller, str(account_id), changes, now_ns())
        return answer(request, _wire(row))

    return router


def _wire(row: AccountRow) -> Account:
    return Account(
        id=row.account_id,
        name=row.name,
        timezone=row.timezone,
        language=row.language,
        is_default=row.is_default,
        created_at=utc_text(row.created_ns),
    )
