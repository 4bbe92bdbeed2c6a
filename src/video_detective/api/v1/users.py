"""``/api/v1/users``: people who sign in."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Security
from fastapi.responses import Response
from pydantic import ConfigDict, Field

from video_detective.api.envelope import PageQuery, Wire, answer, caller_of, page_of, responses
from video_detective.api.security import set_up_link
from video_detective.api.v1.accounts import Invitation
from video_detective.api.v1.paging import id_cursor
from video_detective.pipeline.clock import now_ns
from video_detective.services.access import Caller
from video_detective.services.accounts import add_user, change_user, user_page
from video_detective.services.sign_in import invite
from video_detective.services.times import utc_text
from video_detective.services.workspace import Workspace
from video_detective.storage.accounts.rows import UserRow

Admin = Annotated[Caller, Security(caller_of, scopes=["admin"])]
UserId = Annotated[UUID, Path(alias="id", description="The user's id")]
UserRole = Literal["admin", "operator", "viewer"]
DeviceIds = Annotated[list[UUID], Field(min_length=1, max_length=1000)]
_Password = Annotated[str, Field(min_length=10, max_length=200)]
_USER: dict[str, Any] = {
    "id": "0199a2c4-5d10-7c3e-9f00-2b1a6c7d8e90",
    "name": "guard",
    "role": "viewer",
    "deviceIds": None,
    "isDisabled": False,
    "isLocked": False,
    "createdAt": "2026-01-15T14:00:00.000Z",
    "lastLoginAt": None,
}


class User(Wire):
    """Somebody who signs in.

    ``deviceIds``: devices to which they are limited, null for all of the account. ``isLocked``:
    after too many failures nobody can sign in as them just now.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [_USER]})

    id: str
    name: str
    role: UserRole
    device_ids: list[str] | None
    is_disabled: bool
    is_locked: bool
    created_at: str
    last_login_at: str | None


class UserCreation(Wire):
    """Somebody to let in. ``name`` is kept in lower case."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"name": "guard", "password": "correct horse battery", "role": "viewer"}]
        }
    )

    name: str = Field(min_length=1, max_length=200)
    password: _Password
    role: UserRole
    device_ids: DeviceIds | None = None


class UserUpdate(Wire):
    """What is not given stays as it is. ``deviceIds``: null ends the limits."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"role": "operator"}]})

    role: UserRole | None = None
    password: _Password | None = None
    device_ids: DeviceIds | None = None
    is_disabled: bool | None = None


class InvitationCreation(Wire):
    """Somebody to invite: who opens the link chooses name and password."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"role": "operator"}]})

    role: UserRole


def routes(workspace: Workspace) -> APIRouter:
    """The routes over an open workspace."""
    router = APIRouter(prefix="/api/v1/users", tags=["users"])

    @router.get("", responses=responses(list[User]))
    async def list_users(
        request: Request, caller: Admin, query: Annotated[PageQuery, Query()]
    ) -> Response:
        """Users of one's account in order of creation, disabled ones too."""
        page = await user_page(
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

    @router.post("", status_code=201, responses=responses(User, 404, 409, 413, 415, status=201))
    async def create_user(request: Request, caller: Admin, body: UserCreation) -> Response:
        """Make a user."""
        row = await add_user(
            workspace,
            caller,
            name=body.name,
            password=body.password,
            role=body.role,
            devices=_ids(body.device_ids),
            now_ns=now_ns(),
        )
        return answer(request, _wire(row), status=201)

    @router.post(
        "/invitations", status_code=201, responses=responses(Invitation, 413, 415, status=201)
    )
    async def create_invitation(
        request: Request, caller: Admin, body: InvitationCreation
    ) -> Response:
        """Make a one-time link with which somebody makes a user; good for 24 hours."""
        token, expires_ns = await invite(workspace, caller, role=body.role, now_ns=now_ns())
        made = Invitation(
            url=set_up_link(str(request.base_url), token), expires_at=utc_text(expires_ns)
        )
        return answer(request, made, status=201)

    @router.get("/{id}", responses=responses(User, 404))
    async def get_user(request: Request, caller: Admin, user_id: UserId) -> Response:
        """One user."""
        row = await workspace.database.accounts.users.get(caller.reach, str(user_id))
        return answer(request, _wire(row))

    @router.patch("/{id}", responses=responses(User, 404, 409, 413, 415))
    async def update_user(
        request: Request, caller: Admin, user_id: UserId, body: UserUpdate
    ) -> Response:
        """Change a user. A new password, or being disabled, ends their sessions.

        The last admin cannot be disabled or given another role.
        """
        changes: dict[str, Any] = body.model_dump(exclude_none=True, exclude={"device_ids"})
        if "device_ids" in body.model_fields_set:
            changes["devices"] = _ids(body.device_ids)
        row = await change_user(workspace, caller, str(user_id), changes, now_ns())
        return answer(request, _wire(row))

    @router.delete("/{id}", responses=responses(User, 404, 409))
    async def remove_user(request: Request, caller: Admin, user_id: UserId) -> Response:
        """Disable a user and end their sessions; their name stays theirs in the log."""
        changes = {"is_disabled": True}
        row = await change_user(workspace, caller, str(user_id), changes, now_ns())
        return answer(request, _wire(row))

    return router


def _ids(devices: list[UUID] | None) -> list[str] | None:
    return None if devices is None else [str(device) for device in devices]


def _wire(row: UserRow) -> User:
    return User(
        id=row.user_id,
        name=row.name,
        role=row.role,
        device_ids=None if row.devices is None else list(row.devices),
        is_disabled=row.disabled_ns is not None,
        is_locked=row.locked_until_ns is not None and row.locked_until_ns > now_ns(),
        created_at=utc_text(row.created_ns),
        last_login_at=None if row.last_login_ns is None else utc_text(row.last_login_ns),
    )
