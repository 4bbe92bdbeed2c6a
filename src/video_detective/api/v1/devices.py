"""``/api/v1/devices``: cameras, and what they show now."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Security
from fastapi.responses import Response
from pydantic import ConfigDict, Field, StringConstraints

from video_detective.api.envelope import PageQuery, Wire, answer, caller_of, page_of, responses
from video_detective.api.v1.paging import id_cursor
from video_detective.pipeline.clock import now_ns
from video_detective.services import devices
from video_detective.services.access import Caller
from video_detective.services.snapshots import Snapshots
from video_detective.services.times import utc_text
from video_detective.services.workspace import Workspace
from video_detective.storage.devices import DeviceChange, DeviceRow

Reader = Annotated[Caller, Security(caller_of, scopes=["devices:read"])]
Writer = Annotated[Caller, Security(caller_of, scopes=["devices:write"])]
DeviceId = Annotated[UUID, Path(alias="id", description="The device's id")]

Plan = Literal["LEVEL_01", "LEVEL_02"]
_Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
_Names = Annotated[list[_Name], Field(max_length=50)]
_Zone = Annotated[str, StringConstraints(min_length=1, max_length=64)]
_Source = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2000)]
_EXAMPLE: dict[str, Any] = {
    "id": "0199a2c4-5d10-7c3e-9f00-2b1a6c7d8e90",
    "cameraId": "cam-3f9a1b2c4d5e",
    "name": "後門攝影機",
    "aliases": ["後門"],
    "timezone": "Asia/Taipei",
    "plan": "LEVEL_02",
    "tags": ["一樓"],
    "source": "rtsp://192.0.2.7:554/stream1",
    "hasCredentials": True,
    "sceneId": None,
    "sceneVersion": None,
    "createdAt": "2026-01-15T14:00:00.000Z",
    "updatedAt": "2026-01-15T14:00:00.000Z",
}


class Device(Wire):
    """A camera. ``source`` is shown without its user, password and tokens, which are never given
    out. ``cameraId`` is the part of event ids and file names that means this device.
    """  # noqa: D205 - one sentence

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    id: str
    camera_id: str
    name: str
    aliases: list[str]
    timezone: str
    plan: Plan
    tags: list[str]
    source: str | None
    has_credentials: bool
    scene_id: str | None
    scene_version: int | None
    created_at: str
    updated_at: str


class DeviceCreation(Wire):
    """A device to make. Without ``timezone`` it has its account's."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "後門攝影機",
                    "source": "rtsp://viewer:secret@192.0.2.7:554/stream1",
                    "timezone": "Asia/Taipei",
                    "plan": "LEVEL_02",
                    "tags": ["一樓"],
                    "aliases": ["後門"],
                }
            ]
        }
    )

    name: _Name
    source: _Source | None = Field(
        default=None, description="Address of the live stream: rtsp, rtsps, http or https"
    )
    timezone: _Zone | None = Field(default=None, description="IANA name")
    plan: Plan = "LEVEL_01"
    tags: _Names = Field(default=[])
    aliases: _Names = Field(default=[], description="Further names, understood in questions")


class DeviceUpdate(Wire):
    """What to change of a device; what is left out stays. ``source`` null takes it away; the shown
    address sent back keeps its user and password.
    """  # noqa: D205 - one sentence

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "後門", "tags": ["一樓", "夜間"]}]}
    )

    name: _Name | None = None
    source: _Source | None = None
    timezone: _Zone | None = None
    plan: Plan | None = None
    tags: _Names | None = None
    aliases: _Names | None = None


class SourceTrial(Wire):
    """An address to try. With ``deviceId`` the shown address of that device means its present one,
    with user and password.
    """  # noqa: D205 - one sentence

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"source": "rtsp://127.0.0.1:8554/stream1"}]}
    )

    source: _Source = Field(
        min_length=1, description="Address of the live stream: rtsp, rtsps, http or https"
    )
    device_id: UUID | None = None


class Removed(Wire):
    """What was removed."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"id": _EXAMPLE["id"]}]})

    id: str


def routes(workspace: Workspace) -> APIRouter:
    """The routes of devices over an open workspace."""
    router = APIRouter(prefix="/api/v1/devices", tags=["devices"])
    snapshots = Snapshots(workspace)

    @router.get("", responses=responses(list[Device]))
    async def list_devices(
        request: Request, caller: Reader, query: Annotated[PageQuery, Query()]
    ) -> Response:
        """Devices in order of creation."""
        page = await devices.device_page(
            workspace,
            caller,
            limit=query.limit,
            offset=query.offset,
            cursor=id_cursor(query.cursor),
        )
        return answer(
            request,
            [_wire(device) for device in page.devices],
            pagination=page_of(page.total, query, page.next_cursor),
        )

    @router.post("", status_code=201, responses=responses(Device, 413, 415, status=201))
    async def create_device(request: Request, caller: Writer, body: DeviceCreation) -> Response:
        """Make a device; it has no scene yet."""
        new = devices.NewDevice(
            name=body.name,
            aliases=tuple(body.aliases),
            timezone=body.timezone,
            plan=body.plan,
            tags=tuple(body.tags),
            source=body.source or "",
        )
        device = await devices.create_device(workspace, caller, new, now_ns=now_ns())
        return answer(request, _wire(device), status=201)

    trial_responses = responses(Device, 404, 413, 415, 503)
    trial_responses[200] = {
        "description": "A JPEG: what the address shows now",
        "content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}},
    }

    @router.post("/try-source", response_class=Response, responses=trial_responses)
    async def try_source(caller: Writer, body: SourceTrial) -> Response:
        """What an address shows, before a device is given it. Nothing is kept."""
        taken = await snapshots.attempt(
            caller,
            body.source,
            device_id=None if body.device_id is None else str(body.device_id),
            now_ns=now_ns(),
        )
        return Response(taken.jpeg, media_type="image/jpeg")

    @router.get("/{id}", responses=responses(Device, 404))
    async def get_device(request: Request, caller: Reader, device_id: DeviceId) -> Response:
        """One device."""
        return answer(request, _wire(await devices.find_device(workspace, caller, str(device_id))))

    @router.patch("/{id}", responses=responses(Device, 404, 413, 415))
    async def change_device(
        request: Request, caller: Writer, device_id: DeviceId, body: DeviceUpdate
    ) -> Response:
        """Change some of a device."""
        takes_source_away = "source" in body.model_fields_set and body.source is None
        change = DeviceChange(
            name=body.name,
            aliases=None if body.aliases is None else tuple(body.aliases),
            timezone=body.timezone,
            plan=body.plan,
            tags=None if body.tags is None else tuple(body.tags),
            source="" if takes_source_away else body.source,
        )
        device = await devices.change_device(
            workspace, caller, str(device_id), change, now_ns=now_ns()
        )
        return answer(request, _wire(device))

    @router.delete("/{id}", responses=responses(Removed, 404))
    async def remove_device(request: Request, caller: Writer, device_id: DeviceId) -> Response:
        """Hide a device and all it has: events, alerts, insights. Its live analysis ends."""
        await devices.remove_device(workspace, caller, str(device_id), now_ns=now_ns())
        return answer(request, Removed(id=str(device_id)))

    snapshot_responses = responses(Device, 404, 503)
    snapshot_responses[200] = {
        "description": "A JPEG. `X-Snapshot-Time` says when it was taken, `X-Snapshot-Origin` "
        "whether it is `live` or `stored` (the newest of an event)",
        "content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}},
        "headers": {
            "X-Snapshot-Time": {"schema": {"type": "string", "format": "date-time"}},
            "X-Snapshot-Origin": {"schema": {"type": "string", "enum": ["live", "stored"]}},
        },
    }

    @router.get("/{id}/snapshot", response_class=Response, responses=snapshot_responses)
    async def get_snapshot(caller: Reader, device_id: DeviceId) -> Response:
        """What a device shows now; where its camera is out of reach, its newest stored picture."""
        taken = await snapshots.take(caller, str(device_id), now_ns=now_ns())
        headers = {
            "X-Snapshot-Time": utc_text(taken.time_ns),
            "X-Snapshot-Origin": taken.origin,
        }
        return Response(taken.jpeg, media_type="image/jpeg", headers=headers)

    return router


def _wire(device: DeviceRow) -> Device:
    return Device(
        id=device.device_id,
        camera_id=device.camera_id,
        name=device.name,
        aliases=list(device.aliases),
        timezone=device.timezone,
        plan=device.plan,
        tags=list(device.tags),
        source=devices.shown_source(device),
        has_credentials=devices.has_credentials(device),
        scene_id=device.scene_id,
        scene_version=device.scene_version or None,
        created_at=utc_text(device.created_ns),
        updated_at=utc_text(device.updated_ns),
    )
