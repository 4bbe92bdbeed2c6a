"""Devices: what a camera is called, where its stream is, and what it is allowed."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field

from video_detective.config.checks import timezone_problem
from video_detective.errors import FieldError, Flaw, ForbiddenError, no_such
from video_detective.media.addresses import LIVE_SCHEMES, scheme_of, without_secret
from video_detective.services.access import Caller
from video_detective.services.workspace import Workspace
from video_detective.storage.devices import DeviceChange, DevicePage, DeviceRow, Plan
from video_detective.storage.ids import new_id

_SCHEME_WRONG = Flaw(
    f"must begin with {', '.join(LIVE_SCHEMES)}", reason="scheme_wrong", schemes=LIVE_SCHEMES
)
_SIGNS_WRONG = Flaw("must not have spaces or control characters", reason="spaces_in_address")
_HOST_MISSING = Flaw("names no host; write it like rtsp://host:554/stream", reason="no_host")
_HOST = re.compile(r"[a-z][a-z0-9+.-]*://[^/?#*\s]+(?:[/?#]|$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDevice:
    """A device to be made; see ``DeviceRow``. Without a time zone it has its account's."""

    name: str
    aliases: tuple[str, ...] = ()
    timezone: str | None = None
    plan: Plan = "LEVEL_01"
    tags: tuple[str, ...] = ()
    source: str = field(default="", repr=False)


def shown_source(device: DeviceRow) -> str | None:
    """The address of a device's stream without its secrets; None where it has none."""
    return without_secret(device.source) if device.source else None


def has_credentials(device: DeviceRow) -> bool:
    """Whether the address of its stream holds secrets."""
    return bool(device.source) and without_secret(device.source) != device.source


async def device_page(
    workspace: Workspace, caller: Caller, *, limit: int, offset: int, cursor: str | None
) -> DevicePage:
    """One page of the caller's devices, in order of creation."""
    return await workspace.database.devices.devices(
        caller.reach, limit=limit, offset=offset, cursor=cursor
    )


async def find_device(workspace: Workspace, caller: Caller, device_id: str) -> DeviceRow:
    """One device of the caller's.

    Raises:
        MissingError: there is none in reach.
    """
    device = await workspace.database.devices.device(caller.reach, device_id)
    if device is None:
        raise no_such("device", device_id, remedy="List the devices to see their ids")
    return device


async def create_device(
    workspace: Workspace, caller: Caller, new: NewDevice, *, now_ns: int
) -> DeviceRow:
    """Make a device of the caller's account, without a scene.

    Raises:
        FieldError: address or time zone cannot be meant.
        ForbiddenError: the caller is limited to other devices, and could not reach this one.
    """
    if caller.reach.cameras is not None:
        raise ForbiddenError(
            f"{caller.kind.capitalize()} {caller.name!r} is limited to certain devices",
            remedy="Make devices with one that is not.",
            reason="limited_to_devices",
        )
    check_source(new.source, new.timezone)
    device = DeviceRow(
        device_id=new_id(now_ns),
        account_id=caller.account_id,
        # Part of every event id of the device: short, and never somebody else's.
        camera_id=f"cam-{secrets.token_hex(6)}",
        name=new.name,
        aliases=new.aliases,
        timezone=new.timezone or caller.timezone,
        plan=new.plan,
        tags=new.tags,
        source=new.source,
        created_ns=now_ns,
        updated_ns=now_ns,
    )
    entry = caller.entry(
        "device.create",
        device.device_id,
        time_ns=now_ns,
        details={
            "name": device.name,
            "plan": device.plan,
            "timezone": device.timezone,
            "source": shown_source(device),
            "cameraId": device.camera_id,
        },
    )
    await workspace.database.devices.create(device, entry)
    return device


async def change_device(
    workspace: Workspace, caller: Caller, device_id: str, change: DeviceChange, *, now_ns: int
) -> DeviceRow:
    """Change some of a device.

    An address that is the shown one of the present address keeps its secrets: whoever reads a
    device and sends it back changed in something else means no other.

    Raises:
        MissingError: there is none in reach.
        FieldError: address or time zone cannot be meant.
    """
    device = await find_device(workspace, caller, device_id)
    if change.source is not None and change.source == shown_source(device):
        change = DeviceChange(
            name=change.name,
            aliases=change.aliases,
            timezone=change.timezone,
            plan=change.plan,
            tags=change.tags,
        )
    check_source(change.source or "", change.timezone)
    told = {
        "name": change.name,
        "aliases": change.aliases and list(change.aliases),
        "timezone": change.timezone,
        "plan": change.plan,
        "tags": change.tags and list(change.tags),
        "source": change.source and without_secret(change.source),
    }
    entry = caller.entry(
        "device.change",
        device_id,
        time_ns=now_ns,
        details={key: value for key, value in told.items() if value is not None},
    )
    return await workspace.database.devices.change(
        caller.reach, device_id, change, now_ns=now_ns, entry=entry
    )


async def remove_device(
    workspace: Workspace, caller: Caller, device_id: str, *, now_ns: int
) -> None:
    """Hide a device and all it has, and end its live analysis.

    Raises:
        MissingError: there is none in reach.
    """
    entry = caller.entry("device.remove", device_id, time_ns=now_ns)
    await workspace.database.devices.remove(caller.reach, device_id, now_ns=now_ns, entry=entry)


def check_source(source: str, timezone: str | None = None) -> None:
    """Refuse an address ("": none) or a time zone that cannot be meant.

    Raises:
        FieldError: it never repeats the address, which may hold a password.
    """
    problems: list[tuple[str, str]] = []
    if timezone is not None and (problem := timezone_problem(timezone)) is not None:
        problems.append(("timezone", problem))
    if source:
        if scheme_of(source) not in LIVE_SCHEMES:
            problems.append(("source", _SCHEME_WRONG))
        elif any(not sign.isprintable() or sign.isspace() for sign in source):
            problems.append(("source", _SIGNS_WRONG))
        elif not _HOST.match(without_secret(source)):
            problems.append(("source", _HOST_MISSING))
    if problems:
        raise FieldError(problems)
