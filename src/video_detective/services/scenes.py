"""Scenes: what is watched for in a device's view, in versions.

A scene's document is the part of a camera document (``analyze --rules``) that is not the device's,
validated by the same code. A live analysis takes a new version up as soon as it sees it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from video_detective.config import SceneDocument, parse_scene
from video_detective.errors import FieldError, Flaw, MissingError, no_such
from video_detective.services.access import Caller
from video_detective.services.devices import find_device
from video_detective.services.workspace import Workspace
from video_detective.storage.devices import ScenePage, SceneRow, SceneVersion, VersionPage

MODELS = "models"
"""Folder of the data directory in which lie the model files that a scene may name."""
DOCUMENT = "document"


async def scene_page(
    workspace: Workspace,
    caller: Caller,
    *,
    device_id: str | None,
    limit: int,
    offset: int,
    cursor: str | None,
) -> ScenePage:
    """One page of the caller's scenes (of a device), in order of creation."""
    return await workspace.database.devices.scenes(
        caller.reach, device_id=device_id, limit=limit, offset=offset, cursor=cursor
    )


async def find_scene(workspace: Workspace, caller: Caller, scene_id: str) -> SceneRow:
    """One scene of the caller's, at its version in force.

    Raises:
        MissingError: there is none in reach.
    """
    scene = await workspace.database.devices.scene(caller.reach, scene_id)
    if scene is None:
        raise no_such("scene", scene_id, remedy="List the scenes to see their ids")
    return scene


async def version_page(
    workspace: Workspace,
    caller: Caller,
    scene_id: str,
    *,
    limit: int,
    offset: int,
    cursor: str | None,
) -> VersionPage:
    """One page of a scene's versions, newest first.

    Raises:
        MissingError: there is no such scene in reach.
        FieldError: the cursor is of no page of it.
    """
    scene = await find_scene(workspace, caller, scene_id)
    before = None if cursor is None else _version_of(cursor, scene.version)
    return await workspace.database.devices.versions(
        caller.reach, scene_id, limit=limit, offset=offset, before=before
    )


async def find_version(
    workspace: Workspace, caller: Caller, scene_id: str, number: int
) -> SceneVersion:
    """One version of a scene.

    Raises:
        MissingError: there is no such scene in reach, or it has no such version.
    """
    scene = await find_scene(workspace, caller, scene_id)
    version = await workspace.database.devices.version(caller.reach, scene_id, number)
    if version is None:
        raise MissingError(
            f"Scene '{scene_id}' has no version {number}",
            remedy=f"Use one of 1 to {scene.version}.",
            reason="no_version",
            version=number,
            newest=scene.version,
        )
    return version


async def create_scene(
    workspace: Workspace,
    caller: Caller,
    *,
    device_id: str,
    name: str | None,
    document: Mapping[str, Any],
    note: str,
    now_ns: int,
) -> SceneRow:
    """Give a device its scene; without a name it is called like the device.

    Raises:
        MissingError: there is no such device in reach.
        FieldError: the document cannot be meant.
        ConflictError: the device has a scene.
    """
    device = await find_device(workspace, caller, device_id)
    checked = await check_document(workspace, document)
    return await workspace.database.devices.create_scene(
        caller.reach,
        device_id,
        name=name or device.name,
        document=checked.model_dump(mode="json"),
        author=caller.name,
        note=note,
        now_ns=now_ns,
        entry=lambda scene_id: caller.entry(
            "scene.create", scene_id, time_ns=now_ns, details={"deviceId": device_id}
        ),
    )


async def change_scene(
    workspace: Workspace,
    caller: Caller,
    scene_id: str,
    *,
    name: str | None,
    document: Mapping[str, Any] | None,
    base_version: int | None,
    note: str,
    now_ns: int,
) -> SceneRow:
    """Rename a scene or give it another document, which makes a new version where it differs.

    Raises:
        MissingError: there is none in reach.
        FieldError: the document cannot be meant.
        ConflictError: ``base_version`` is no longer in force: somebody else was faster.
    """
    scene = await find_scene(workspace, caller, scene_id)
    checked = None
    if document is not None:
        checked = await check_document(workspace, document, kept=scene.document)
    entry = caller.entry(
        "scene.change",
        scene_id,
        time_ns=now_ns,
        details={
            "fromVersion": scene.version,
            "document": document is not None,
            **({} if name is None else {"name": name}),
            **({"note": note} if note else {}),
        },
    )
    return await workspace.database.devices.change_scene(
        caller.reach,
        scene_id,
        name=name,
        document=None if checked is None else checked.model_dump(mode="json"),
        base_version=base_version,
        author=caller.name,
        note=note,
        now_ns=now_ns,
        entry=entry,
    )


async def restore_version(
    workspace: Workspace, caller: Caller, scene_id: str, number: int, *, now_ns: int
) -> SceneRow:
    """Put an earlier version in force again, as a new version: history is never rewritten.

    Raises:
        MissingError: there is no such scene in reach, or it has no such version.
        FieldError: the version was made by a program with other rules, and cannot be meant now.
    """
    version = await find_version(workspace, caller, scene_id, number)
    try:
        document = SceneDocument.model_validate(version.document)
    except ValueError as cause:
        flaw = Flaw(
            f"version {number} does not fit this program", reason="version_unfit", version=number
        )
        raise FieldError([("n", flaw)]) from cause
    entry = caller.entry("scene.restore", scene_id, time_ns=now_ns, details={"version": number})
    return await workspace.database.devices.change_scene(
        caller.reach,
        scene_id,
        document=document.model_dump(mode="json"),
        author=caller.name,
        note=f"version {number} again",
        now_ns=now_ns,
        entry=entry,
    )


async def remove_scene(workspace: Workspace, caller: Caller, scene_id: str, *, now_ns: int) -> None:
    """Take a device's scene away: nothing is watched for any more.

    Events, alerts and insights that it gave stay. A scene that the device gets later goes on from
    its versions.

    Raises:
        MissingError: there is none in reach.
    """
    entry = caller.entry("scene.remove", scene_id, time_ns=now_ns)
    await workspace.database.devices.remove_scene(
        caller.reach, scene_id, author=caller.name, now_ns=now_ns, entry=entry
    )


async def check_document(
    workspace: Workspace, document: Mapping[str, Any], *, kept: Mapping[str, Any] | None = None
) -> SceneDocument:
    """A scene's document as it came over the network, validated.

    Model files are programs in part: only those that somebody put into the data directory's folder
    ``models``, or that the scene names already (``kept``), may be named from elsewhere.

    Raises:
        FieldError: with every problem and its field, such as ``document.rules[2].zone``.
    """
    # In a thread: the outlines of many zones take a while to check.
    checked = await asyncio.to_thread(parse_scene, document, at=DOCUMENT)
    folder = workspace.data_dir / MODELS
    problems = []
    for part in ("detection", "attributes"):
        named = getattr(checked, part).model
        before = (kept or {}).get(part, {}).get("model")
        if named is not None and named != before and not _is_within(named, folder):
            flaw = Flaw(
                f"must be a file in the data directory's folder '{MODELS}'",
                reason="model_outside",
                folder=MODELS,
            )
            problems.append((f"{DOCUMENT}.{part}.model", flaw))
    if problems:
        raise FieldError(problems)
    return checked


def _version_of(cursor: str, newest: int) -> int:
    """The version at which a page of versions ended."""
    # Not in words of ``int``, which takes spaces, signs and digits of every script.
    is_number = cursor.isascii() and cursor.isdigit() and len(cursor) < 10
    if not is_number or not 1 <= int(cursor) <= newest:
        flaw = Flaw("it is of no page; take nextCursor of the page before", reason="cursor_unknown")
        raise FieldError([("cursor", flaw)])
    return int(cursor)


def _is_within(path: str, folder: Path) -> bool:
    try:
        return Path(path).resolve().is_relative_to(folder.resolve())
    except (OSError, ValueError):
        return False
