"""Devices and scenes as they are stored: whose a camera is, its names, what it watches for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Plan = Literal["LEVEL_01", "LEVEL_02"]
PLANS: tuple[Plan, ...] = ("LEVEL_01", "LEVEL_02")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceInfo:
    """What nearly every answer says of a device; kept in memory (``services.workspace.Places``).

    Args:
        device_id, account_id, camera_id: Which, and whose.
        plan: What it is allowed.
        scene_id: Its scene; None where it has none.
        scene_name: What people call the scene; "" where there is none.
        scene_version: The version in force; 0 where there is none.
    """

    device_id: str
    account_id: str
    camera_id: str
    plan: Plan
    scene_id: str | None = None
    scene_name: str = ""
    scene_version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceRow:
    """A device in full.

    Args:
        device_id, account_id, camera_id: Which, and whose; the camera id is unique everywhere.
        name: What people call it; its camera id where nobody said.
        aliases: What else they call it, for search.
        timezone: IANA name, of its wall clock.
        plan: What it is allowed.
        tags: Free words.
        source: Address of the live stream with its secrets; "" for none. Never show it.
        wanted: It is to be analysed live.
        created_ns, updated_ns: When.
        scene_id, scene_version: Its scene, None and 0 where it has none.
    """

    device_id: str
    account_id: str
    camera_id: str
    name: str
    aliases: tuple[str, ...] = ()
    timezone: str = "Asia/Taipei"
    plan: Plan = "LEVEL_01"
    tags: tuple[str, ...] = ()
    source: str = field(default="", repr=False)
    wanted: bool = False
    created_ns: int
    updated_ns: int
    scene_id: str | None = None
    scene_version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceChange:
    """What is to be changed of a device; None leaves it as it is. ``source`` "" takes it away."""

    name: str | None = None
    aliases: tuple[str, ...] | None = None
    timezone: str | None = None
    plan: Plan | None = None
    tags: tuple[str, ...] | None = None
    source: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneRow:
    """A scene at its version in force.

    Args:
        scene_id, device_id, camera_id: Which, and of which device.
        name: What people call it.
        version: Counts up from 1 with each change of the document.
        document: ``config.SceneDocument`` as plain JSON.
        created_ns, updated_ns: When.
        author: Who made this version.
        note: Why, in the author's words; "" for none.
    """

    scene_id: str
    device_id: str
    camera_id: str
    name: str
    version: int
    document: Mapping[str, Any]
    created_ns: int
    updated_ns: int
    author: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneVersion:
    """One version of a scene; ``document`` as in ``SceneRow``."""

    scene_id: str
    version: int
    document: Mapping[str, Any]
    created_ns: int
    author: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DevicePage:
    """One page of devices in order of creation, and how many there are in all."""

    devices: Sequence[DeviceRow]
    total: int
    next_cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenePage:
    """One page of scenes in order of creation, and how many there are in all."""

    scenes: Sequence[SceneRow]
    total: int
    next_cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionPage:
    """One page of a scene's versions, newest first, and how many there are in all."""

    versions: Sequence[SceneVersion]
    total: int
    next_cursor: str | None
