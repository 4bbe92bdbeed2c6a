"""What waits for a model, what it may still be asked this hour, and what fell short of late."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from video_detective.geometry import NS_PER_S
from video_detective.services.access import Caller
from video_detective.services.workspace import Workspace
from video_detective.storage.backlog import Shortfall, Waiting

HOUR_NS = 3600 * NS_PER_S
DAY_NS = 24 * HOUR_NS


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraBudget:
    """Calls of the last hour about a camera, and how many are left to it."""

    camera_id: str
    device_id: str | None
    name: str
    used: int
    left: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HourBudget:
    """Calls of a model within any hour.

    Args:
        per_hour, per_hour_per_camera: The limits.
        used, left: Over all cameras.
        cameras: Those in reach that used some, the most first.
    """

    per_hour: int
    per_hour_per_camera: int
    used: int
    left: int
    cameras: tuple[CameraBudget, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueState:
    """How everything that waits stands; ``budget`` is None where no model tells events."""

    waiting: Sequence[Waiting]
    budget: HourBudget | None
    since_ns: int
    shortfalls: Sequence[Shortfall]


async def queue_state(workspace: Workspace, caller: Caller, *, now_ns: int) -> QueueState:
    """How what a caller reaches stands."""
    backlog, since_ns = workspace.database.backlog, now_ns - DAY_NS
    return QueueState(
        waiting=await backlog.waiting(caller.reach),
        budget=await _budget(workspace.within(caller.reach), now_ns),
        since_ns=since_ns,
        shortfalls=await backlog.shortfalls(caller.reach, since_ns),
    )


async def _budget(workspace: Workspace, now_ns: int) -> HourBudget | None:
    settings = workspace.settings.narration
    if settings is None:
        return None
    database = workspace.database
    by_camera: dict[str, int] = {}
    for source in (database.narrations, database.insights):
        for spent in await source.spent(now_ns - HOUR_NS):
            by_camera[spent.camera_id] = by_camera.get(spent.camera_id, 0) + spent.calls
    used, most = sum(by_camera.values()), settings.calls_per_hour_per_camera
    left = max(0, settings.calls_per_hour - used)
    places = await workspace.places()
    cameras = []
    for camera_id, calls in sorted(by_camera.items(), key=lambda one: (-one[1], one[0])):
        device = places.device(camera_id)
        if calls and device is not None:
            cameras.append(
                CameraBudget(
                    camera_id=camera_id,
                    device_id=device.device_id,
                    name=places.name(camera_id),
                    used=calls,
                    left=max(0, min(left, most - calls)),
                )
            )
    return HourBudget(
        per_hour=settings.calls_per_hour,
        per_hour_per_camera=most,
        used=used,
        left=left,
        cameras=tuple(cameras),
    )
