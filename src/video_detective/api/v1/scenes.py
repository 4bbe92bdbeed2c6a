"""``/api/v1/scenes``: zones, tripwires, rules and alert rules of a device, in versions."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Security
from fastapi.responses import Response
from pydantic import ConfigDict, Field, StringConstraints

from video_detective.api.envelope import PageQuery, Wire, answer, caller_of, page_of, responses
from video_detective.api.v1.paging import id_cursor
from video_detective.config import scene_schema, written_scene
from video_detective.pipeline.clock import now_ns
from video_detective.services import scenes
from video_detective.services.access import Caller
from video_detective.services.times import utc_text
from video_detective.services.workspace import Workspace
from video_detective.storage.devices import SceneRow, SceneVersion

Reader = Annotated[Caller, Security(caller_of, scopes=["devices:read"])]
Writer = Annotated[Caller, Security(caller_of, scopes=["devices:write"])]
SceneId = Annotated[UUID, Path(alias="id", description="The scene's id")]
Number = Annotated[int, Path(alias="n", ge=1, le=2**31 - 1, description="The version's number")]

_Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
_Note = Annotated[str, StringConstraints(strip_whitespace=True, max_length=1000)]
EXAMPLE_DOCUMENT: dict[str, Any] = {
    "zones": {
        "yard": {
            "name": "後門禁入區",
            "points": [[0.4, 0.1], [0.9, 0.1], [0.9, 1.0], [0.4, 1.0]],
        }
    },
    "tripwires": {"fence": {"name": "圍籬線", "points": [[0.2, 0.6], [0.8, 0.6]]}},
    "rules": [
        {"id": "night", "type": "intrusion", "zone": "yard", "schedule": "22:00-06:00"},
        {"id": "over", "type": "line_crossing", "tripwire": "fence"},
    ],
    "alerts": [{"id": "guard", "rules": ["night"], "severity": "critical", "cooldown_s": 60}],
}
_EXAMPLE: dict[str, Any] = {
    "id": "0199a2c4-6000-7c3e-9f00-2b1a6c7d8e91",
    "deviceId": "0199a2c4-5d10-7c3e-9f00-2b1a6c7d8e90",
    "name": "後門",
    "version": 3,
    "document": EXAMPLE_DOCUMENT,
    "createdAt": "2026-01-15T14:00:00.000Z",
    "updatedAt": "2026-01-16T01:30:00.000Z",
    "author": "mei",
    "note": "",
}
_Document = Annotated[
    dict[str, Any],
    Field(
        description="What a camera has in the file of `analyze --rules`, without name, aliases and "
        "timezone: frame_size, sampling, detection, zones, tripwires, rules, alerts, attributes. "
        "Complaints in `details` name the field, such as `document.rules[2].zone`."
    ),
]


class Scene(Wire):
    """What is watched for in a device's view, at the version in force."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    id: str
    device_id: str
    name: str
    version: int
    document: _Document
    created_at: str
    updated_at: str
    author: str
    note: str


class Version(Wire):
    """One version of a scene. Its document is left out in lists."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "version": 2,
                    "createdAt": "2026-01-15T14:20:00.000Z",
                    "author": "command line",
                    "note": "",
                    "document": EXAMPLE_DOCUMENT,
                }
            ]
        }
    )

    version: int
    created_at: str
    author: str
    note: str
    document: _Document | None = None


class SceneCreation(Wire):
    """A scene to give to a device that has none. Without a name it is called like the device."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "deviceId": "0199a2c4-5d10-7c3e-9f00-2b1a6c7d8e90",
                    "name": "後門",
                    "document": EXAMPLE_DOCUMENT,
                }
            ]
        }
    )

    device_id: UUID
    name: _Name | None = None
    document: _Document = Field(default={})
    note: _Note = ""


class SceneUpdate(Wire):
    """What to change of a scene. A document replaces the whole of the one before, as a new version;
    with ``baseVersion`` only if that is still in force (409 otherwise).
    """  # noqa: D205 - one sentence

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"document": EXAMPLE_DOCUMENT, "baseVersion": 3}]}
    )

    name: _Name | None = None
    document: _Document | None = None
    base_version: int | None = Field(default=None, ge=1, le=2**31 - 1)
    note: _Note = ""


class RemovedScene(Wire):
    """What was removed."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"id": _EXAMPLE["id"]}]})

    id: str


class SceneSchema(Wire):
    """JSON Schema (2020-12) of ``document``. Besides the standard's words, ``x-refers`` names the
    part of the document of which a value is an id, and ``x-paths`` the forms of a metric, in which
    ``*`` is an id. What depends on several fields is checked only when a document is sent.
    """  # noqa: D205 - one sentence

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"document": {"type": "object", "properties": {}, "$defs": {}}}]
        }
    )

    document: dict[str, Any]


class ScenesQuery(PageQuery):
    """Which page of which scenes."""

    device_id: UUID | None = Field(default=None, description="Only of this device")


def routes(workspace: Workspace) -> APIRouter:
    """The routes of scenes over an open workspace."""
    router = APIRouter(prefix="/api/v1/scenes", tags=["scenes"])

    @router.get("", responses=responses(list[Scene]))
    async def list_scenes(
        request: Request, caller: Reader, query: Annotated[ScenesQuery, Query()]
    ) -> Response:
        """Scenes in order of creation."""
        page = await scenes.scene_page(
            workspace,
            caller,
            device_id=None if query.device_id is None else str(query.device_id),
            limit=query.limit,
            offset=query.offset,
            cursor=id_cursor(query.cursor),
        )
        return answer(
            request,
            [_wire(scene) for scene in page.scenes],
            pagination=page_of(page.total, query, page.next_cursor),
        )

    @router.post("", status_code=201, responses=responses(Scene, 404, 409, 413, 415, status=201))
    async def create_scene(request: Request, caller: Writer, body: SceneCreation) -> Response:
        """Give a device its scene."""
        scene = await scenes.create_scene(
            workspace,
            caller,
            device_id=str(body.device_id),
            name=body.name,
            document=body.document,
            note=body.note,
            now_ns=now_ns(),
        )
        return answer(request, _wire(scene), status=201)

    @router.get("/schema", responses=responses(SceneSchema))
    async def get_schema(request: Request, caller: Reader) -> Response:
        """The schema of a scene's document, from which a program makes forms."""
        return answer(request, SceneSchema(document=scene_schema()))

    @router.get("/{id}", responses=responses(Scene, 404))
    async def get_scene(request: Request, caller: Reader, scene_id: SceneId) -> Response:
        """One scene at the version in force."""
        return answer(request, _wire(await scenes.find_scene(workspace, caller, str(scene_id))))

    @router.patch("/{id}", responses=responses(Scene, 404, 409, 413, 415))
    async def change_scene(
        request: Request, caller: Writer, scene_id: SceneId, body: SceneUpdate
    ) -> Response:
        """Rename a scene or give it a new version. A live analysis takes it up by itself."""
        scene = await scenes.change_scene(
            workspace,
            caller,
            str(scene_id),
            name=body.name,
            document=body.document,
            base_version=body.base_version,
            note=body.note,
            now_ns=now_ns(),
        )
        return answer(request, _wire(scene))

    @router.delete("/{id}", responses=responses(RemovedScene, 404))
    async def remove_scene(request: Request, caller: Writer, scene_id: SceneId) -> Response:
        """Take a device's scene away: nothing is watched for any more. What it gave stays."""
        await scenes.remove_scene(workspace, caller, str(scene_id), now_ns=now_ns())
        return answer(request, RemovedScene(id=str(scene_id)))

    @router.get("/{id}/versions", responses=responses(list[Version], 404))
    async def list_versions(
        request: Request, caller: Reader, scene_id: SceneId, query: Annotated[PageQuery, Query()]
    ) -> Response:
        """Versions, newest first, without their documents."""
        page = await scenes.version_page(
            workspace,
            caller,
            str(scene_id),
            limit=query.limit,
            offset=query.offset,
            cursor=query.cursor,
        )
        return answer(
            request,
            [_version(version, whole=False) for version in page.versions],
            pagination=page_of(page.total, query, page.next_cursor),
        )

    @router.get("/{id}/versions/{n}", responses=responses(Version, 404))
    async def get_version(
        request: Request, caller: Reader, scene_id: SceneId, number: Number
    ) -> Response:
        """One version with its document."""
        version = await scenes.find_version(workspace, caller, str(scene_id), number)
        return answer(request, _version(version, whole=True))

    @router.post("/{id}/versions/{n}/restore", responses=responses(Scene, 404))
    async def restore_version(
        request: Request, caller: Writer, scene_id: SceneId, number: Number
    ) -> Response:
        """Put an earlier version in force again, as a new one."""
        scene = await scenes.restore_version(
            workspace, caller, str(scene_id), number, now_ns=now_ns()
        )
        return answer(request, _wire(scene))

    return router


def _wire(scene: SceneRow) -> Scene:
    return Scene(
        id=scene.scene_id,
        device_id=scene.device_id,
        name=scene.name,
        version=scene.version,
        document=written_scene(scene.document),
        created_at=utc_text(scene.created_ns),
        updated_at=utc_text(scene.updated_ns),
        author=scene.author,
        note=scene.note,
    )


def _version(version: SceneVersion, *, whole: bool) -> dict[str, Any]:
    made = Version(
        version=version.version,
        created_at=utc_text(version.created_ns),
        author=version.author,
        note=version.note,
        document=written_scene(version.document) if whole else None,
    )
    excluded = None if whole else {"document"}
    return made.model_dump(mode="json", by_alias=True, exclude=excluded)
