"""``/api/v1/keys``: API keys."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Path, Query, Request, Security
from fastapi.responses import Response
from pydantic import ConfigDict, Field

from video_detective.api.envelope import PageQuery, Wire, answer, caller_of, page_of, responses
from video_detective.api.v1.paging import id_cursor
from video_detective.pipeline.clock import now_ns
from video_detective.services.access import Caller, Scope
from video_detective.services.keys import (
    KEY_MARK,
    change_key,
    create_key,
    key_page,
    revoke_key,
)
from video_detective.services.times import field_time, utc_text
from video_detective.services.workspace import Workspace
from video_detective.storage.accounts.rows import KeyRow

Admin = Annotated[Caller, Security(caller_of, scopes=["admin"])]
KeyId = Annotated[UUID, Path(alias="id", description="The key's id")]
Scopes = Annotated[list[Scope], Field(min_length=1, max_length=10)]
DeviceIds = Annotated[list[UUID], Field(min_length=1, max_length=1000)]
Moment = Annotated[
    str, Field(min_length=1, max_length=40, description="RFC 3339; bare: in the account's zone")
]
_KEY: dict[str, Any] = {
    "id": "0199a2c4-5d10-7c3e-9f00-2b1a6c7d8e92",
    "name": "後台",
    "prefix": "vd_live_Ab3dE5gH",
    "scopes": ["analytics:read", "devices:read"],
    "deviceIds": None,
    "createdAt": "2026-01-15T14:00:00.000Z",
    "createdBy": "admin",
    "expiresAt": "2027-01-15T14:00:00.000Z",
    "revokedAt": None,
    "lastUsedAt": None,
}


class Key(Wire):
    """A key. ``prefix`` is the part of it that may be seen; ``lastUsedAt`` is true to a minute."""

    model_config = ConfigDict(json_schema_extra={"examples": [_KEY]})

    id: str
    name: str
    prefix: str
    scopes: list[Scope]
    device_ids: list[str] | None
    created_at: str
    created_by: str
    expires_at: str | None
    revoked_at: str | None
    last_used_at: str | None


class NewKey(Key):
    """A key that was just made. ``key`` is the whole of it, shown now and never again."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [_KEY | {"key": f"vd_live_Ab3dE5gH{'x' * 43}"}]}
    )

    key: str


class KeyCreation(Wire):
    """A key to make. ``deviceIds``: to limit it to these; never with the scope ``admin``."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "後台", "scopes": ["analytics:read"]}]}
    )

    name: str = Field(min_length=1, max_length=100)
    scopes: Scopes
    device_ids: DeviceIds | None = None
    expires_at: Moment | None = None


class KeyUpdate(Wire):
    """What is not given stays as it is; ``deviceIds`` and ``expiresAt`` of null end the limit."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "後台二"}]})

    name: str | None = Field(default=None, min_length=1, max_length=100)
    scopes: Scopes | None = None
    device_ids: DeviceIds | None = None
    expires_at: Moment | None = None


def routes(workspace: Workspace) -> APIRouter:
    """The routes over an open workspace."""
    router = APIRouter(prefix="/api/v1/keys", tags=["keys"])

    @router.get("", responses=responses(list[Key]))
    async def list_keys(
        request: Request, caller: Admin, query: Annotated[PageQuery, Query()]
    ) -> Response:
        """Keys of one's account, the newest first, revoked ones too."""
        page = await key_page(
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

    @router.post("", status_code=201, responses=responses(NewKey, 404, 413, 415, status=201))
    async def make_key(request: Request, caller: Admin, body: KeyCreation) -> Response:
        """Make a key; the answer is the only one that has it."""
        row, text = await create_key(
            workspace,
            caller,
            name=body.name,
            scopes=body.scopes,
            devices=_ids(body.device_ids),
            expires_ns=_moment(body.expires_at, caller),
            now_ns=now_ns(),
        )
        made = NewKey(key=text, **_wire(row).model_dump())
        return answer(request, made, status=201)

    @router.get("/{id}", responses=responses(Key, 404))
    async def get_key(request: Request, caller: Admin, key_id: KeyId) -> Response:
        """One key."""
        row = await workspace.database.accounts.keys.get(caller.reach, str(key_id))
        return answer(request, _wire(row))

    @router.patch("/{id}", responses=responses(Key, 404, 413, 415))
    async def update_key(
        request: Request, caller: Admin, key_id: KeyId, body: KeyUpdate
    ) -> Response:
        """Change what a key may do, until when, or its name."""
        changes: dict[str, Any] = body.model_dump(include={"name", "scopes"}, exclude_none=True)
        if "device_ids" in body.model_fields_set:
            changes["devices"] = _ids(body.device_ids)
        if "expires_at" in body.model_fields_set:
            changes["expires_ns"] = _moment(body.expires_at, caller)
        row = await change_key(workspace, caller, str(key_id), changes, now_ns())
        return answer(request, _wire(row))

    @router.delete("/{id}", responses=responses(Key, 404))
    async def remove_key(request: Request, caller: Admin, key_id: KeyId) -> Response:
        """Revoke a key: within a second nobody can use it any more. Again is harmless."""
        return answer(request, _wire(await revoke_key(workspace, caller, str(key_id), now_ns())))

    return router


def _ids(devices: list[UUID] | None) -> list[str] | None:
    return None if devices is None else [str(device) for device in devices]


def _moment(text: str | None, caller: Caller) -> int | None:
    return None if text is None else field_time(text, ZoneInfo(caller.timezone), "expiresAt")


def _wire(row: KeyRow) -> Key:
    def time(at_ns: int | None) -> str | None:
        return None if at_ns is None else utc_text(at_ns)

    return Key.model_validate(
        {
            "id": row.key_id,
            "name": row.name,
            "prefix": f"{KEY_MARK}{row.prefix}",
            "scopes": row.scopes,
            "device_ids": row.devices,
            "created_at": utc_text(row.created_ns),
            "created_by": row.created_by,
            "expires_at": time(row.expires_ns),
            "revoked_at": time(row.revoked_ns),
            "last_used_at": time(row.last_used_ns),
        }
    )
