"""``/api/v1/session``: signing in and out, and who one is."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request, Security
from fastapi.responses import Response
from pydantic import ConfigDict, Field

from video_detective.api.envelope import Wire, answer, caller_of, responses
from video_detective.api.security import SESSION, cookie_name, set_session
from video_detective.errors import ConflictError
from video_detective.pipeline.clock import now_ns
from video_detective.services.access import SCOPES, SCOPES_OF, Caller, Role, Scope
from video_detective.services.sign_in import (
    SignedIn,
    accept,
    change_own_password,
    sign_in,
    sign_out,
)
from video_detective.services.times import utc_text
from video_detective.services.workspace import Workspace

Anybody = Annotated[Caller, Security(caller_of, scopes=[])]
Secret = Annotated[str, Field(min_length=1, max_length=1000)]
"""A password or token as it is offered, right or wrong."""
_WHO: dict[str, Any] = {
    "kind": "user",
    "id": "0199a2c4-5d10-7c3e-9f00-2b1a6c7d8e90",
    "name": "guard",
    "scopes": ["analytics:read", "devices:read"],
    "isLimitedToDevices": False,
    "accountId": "0199a2c4-5d10-7c3e-9f00-2b1a6c7d8e91",
    "timezone": "Asia/Taipei",
    "language": "zh-TW",
}


class Who(Wire):
    """The caller."""

    model_config = ConfigDict(json_schema_extra={"examples": [_WHO]})

    kind: Literal["key", "user"]
    id: str
    name: str
    scopes: list[Scope]
    is_limited_to_devices: bool
    account_id: str
    timezone: str
    language: Literal["zh-TW", "en"]


class Entered(Wire):
    """Somebody signed in; the answer's cookie is their session."""

    user_id: str
    name: str
    role: Role
    scopes: list[Scope]
    account_id: str
    expires_at: str


class SignIn(Wire):
    """``account``: name of another account than the default one."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "guard", "password": "correct horse battery"}]}
    )

    name: str = Field(min_length=1, max_length=200)
    password: Secret
    account: str | None = Field(
        default=None, min_length=1, max_length=100, pattern=r"^[^\x00-\x1f]+$"
    )


class SetUp(Wire):
    """``token``: what follows ``#`` in the one-time link."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"token": "3q2-7wAAbb", "name": "admin", "password": "correct horse battery"}
            ]
        }
    )

    token: Secret
    name: str = Field(min_length=1, max_length=200)
    password: Secret


class PasswordChange(Wire):
    """From one's present password to another; other sessions of the user end."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"present": "correct horse battery", "password": "another horse, another day"}
            ]
        }
    )

    present: Secret
    password: Secret


class Done(Wire):
    """It is done."""

    done: bool = True


def routes(workspace: Workspace) -> APIRouter:
    """The routes over an open workspace."""
    router = APIRouter(prefix=SESSION, tags=["session"])

    async def entered(request: Request, signed: SignedIn) -> Response:
        data = Entered(
            user_id=signed.user.user_id,
            name=signed.user.name,
            role=signed.user.role,
            scopes=[scope for scope in SCOPES if scope in SCOPES_OF[signed.user.role]],
            account_id=signed.user.account_id,
            expires_at=utc_text(signed.expires_ns),
        )
        response = answer(request, data, status=201)
        set_session(request, response, await cookie_name(workspace), signed.token)
        return response

    @router.post("", status_code=201, responses=responses(Entered, 413, 415, status=201))
    async def start_session(request: Request, body: SignIn) -> Response:
        """Sign in by name and password.

        Whatever is wrong, the answer is the same. After five failures in a row the user is locked
        out for a minute, then for twice as long each time.
        """
        signed = await sign_in(
            workspace,
            name=body.name,
            password=body.password,
            account=body.account or "",
            now_ns=now_ns(),
            request_id=request.state.request_id,
        )
        return await entered(request, signed)

    @router.post(
        "/set-up", status_code=201, responses=responses(Entered, 409, 410, 413, 415, status=201)
    )
    async def set_up(request: Request, body: SetUp) -> Response:
        """Make a user by a one-time link, and sign them in."""
        signed = await accept(
            workspace,
            token=body.token,
            name=body.name,
            password=body.password,
            now_ns=now_ns(),
            request_id=request.state.request_id,
        )
        return await entered(request, signed)

    @router.post("/password", responses=responses(Done, 409, 413, 415))
    async def change_password(request: Request, caller: Anybody, body: PasswordChange) -> Response:
        """Give oneself another password."""
        await change_own_password(
            workspace,
            caller,
            token=_session_of(request),
            present=body.present,
            new=body.password,
            now_ns=now_ns(),
        )
        return answer(request, Done())

    @router.get("", responses=responses(Who))
    async def get_session(request: Request, caller: Anybody) -> Response:
        """Who one is, and what one may do."""
        data = Who(
            kind="key" if caller.kind == "key" else "user",
            id=caller.id,
            name=caller.name,
            scopes=[scope for scope in SCOPES if scope in caller.scopes],
            is_limited_to_devices=caller.reach.cameras is not None,
            account_id=caller.account_id,
            timezone=caller.timezone,
            language=caller.language,
        )
        return answer(request, data)

    @router.delete("", responses=responses(Done, 409))
    async def end_session(request: Request, caller: Anybody) -> Response:
        """Sign out."""
        await sign_out(workspace, caller, _session_of(request), now_ns())
        response = answer(request, Done())
        response.delete_cookie(await cookie_name(workspace), httponly=True, samesite="strict")
        return response

    return router


def _session_of(request: Request) -> str:
    token: str | None = request.state.session
    if token is None:
        raise ConflictError("A key has no session", remedy="Sign in by name and password.")
    return token
