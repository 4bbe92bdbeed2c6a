"""Channels of an account: where it has alerts told."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from video_detective.alerts.base import SEVERITIES
from video_detective.alerts.notification import Notification
from video_detective.alerts.signing import new_secret
from video_detective.alerts.webhook import url_problem
from video_detective.config.notifications import ADDRESS
from video_detective.errors import (
    ConflictError,
    FieldError,
    Flaw,
    ForbiddenError,
    VideoDetectiveError,
    no_such,
)
from video_detective.pipeline import clock
from video_detective.services.access import Caller
from video_detective.services.notice_bodies import sample_body
from video_detective.services.notices import Lack, Senders, lack_of
from video_detective.services.workspace import Workspace
from video_detective.storage.ids import new_id
from video_detective.storage.notices.base import (
    ChannelKind,
    ChannelRow,
    Filters,
    Told,
)

MAX_CHANNELS = 100
"""Of an account."""
TEST_S = 30.0
"""How long a test may take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelDraft:
    """A channel to be made, or the fields of one to be changed: None leaves a field as it is.

    Args:
        name: For people.
        url: Of webhooks.
        recipients: Of e-mail.
        device_ids, severities, alert_rules, tell, include_past: See ``Filters``.
        cooldown_s, is_enabled: See ``ChannelRow``.
    """

    name: str | None = None
    url: str | None = field(default=None, repr=False)
    recipients: tuple[str, ...] | None = None
    device_ids: tuple[str, ...] | None = None
    severities: tuple[str, ...] | None = None
    alert_rules: tuple[str, ...] | None = None
    tell: tuple[Told, ...] | None = None
    include_past: bool | None = None
    cooldown_s: float | None = None
    is_enabled: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What came of a test: whether it was taken, what the receiver said, and how long it took."""

    delivered: bool
    answer: str
    duration_ms: int


def shown_url(channel: ChannelRow, caller: Caller) -> str | None:
    """A webhook's address as a caller may see it; None for other kinds.

    Paths and queries often are credentials: who may not change channels sees only the host, and
    nobody is shown a query.
    """
    url = channel.settings.get("url")
    if not isinstance(url, str):
        return None
    parts = urlsplit(url)
    if "admin" not in caller.scopes:
        return f"{parts.scheme}://{parts.netloc}/…"
    return f"{parts.scheme}://{parts.netloc}{parts.path}{'?…' if parts.query else ''}"


def shown_recipients(channel: ChannelRow, caller: Caller) -> list[str] | None:
    """The addresses of an e-mail channel; None for other kinds, none for who may not change it."""
    if channel.kind != "email":
        return None
    return list(channel.settings.get("recipients", ())) if "admin" in caller.scopes else []


def channel_problem(workspace: Workspace, channel: ChannelRow) -> Lack | None:
    """What this service lacks to tell a channel anything; None where all is set.

    A channel may be made before, and what it is to be told waits; but it must not look as if it
    was told.
    """
    return lack_of(workspace.settings.notifications, channel.kind)


async def channel_list(workspace: Workspace, caller: Caller) -> list[ChannelRow]:
    """The caller's channels, the oldest first.

    Who is limited to devices sees only channels that are limited to those.
    """
    channels = await workspace.database.notices.channels(caller.reach)
    own = await _own_devices(workspace, caller)
    return [channel for channel in channels if _is_within(channel.filters.device_ids, own)]


async def find_channel(workspace: Workspace, caller: Caller, channel_id: str) -> ChannelRow:
    """One channel of the caller's.

    Raises:
        MissingError: there is none in reach.
    """
    channel = await workspace.database.notices.channel(caller.reach, channel_id)
    own = await _own_devices(workspace, caller)
    if channel is None or not _is_within(channel.filters.device_ids, own):
        raise no_such("channel", channel_id, remedy="List the channels to see their ids")
    return channel


async def create_channel(
    workspace: Workspace, caller: Caller, kind: ChannelKind, draft: ChannelDraft, *, now_ns: int
) -> ChannelRow:
    """Make a channel; a webhook's secret is in it, and is not given out again.

    Raises:
        FieldError: a field cannot be meant.
        ForbiddenError: the caller is limited to devices, and the channel is not.
        ConflictError: the account has too many, or an MQTT channel already.
    """
    blank = ChannelRow(
        channel_id=new_id(now_ns),
        account_id=caller.account_id,
        kind=kind,
        name="",
        settings={},
        secret=new_secret() if kind == "webhook" else "",
        # Mail about every turn of an alert is more than most people want.
        filters=Filters(tell=("new",)) if kind == "email" else Filters(),
        cooldown_s=0.0,
        is_enabled=True,
        created_ns=now_ns,
        updated_ns=now_ns,
    )
    channel = await _changed(workspace, caller, blank, draft, now_ns)
    entry = caller.entry(
        "channel.create", channel.channel_id, time_ns=now_ns, details=_told(channel)
    )
    await workspace.database.notices.add_channel(
        channel, entry, beside=lambda others: _refuse_more(kind, others)
    )
    return channel


def _refuse_more(kind: ChannelKind, others: Sequence[ChannelRow]) -> None:
    if len(others) >= MAX_CHANNELS:
        raise ConflictError(
            f"The account has {MAX_CHANNELS} channels already",
            remedy="Remove one first.",
            reason="too_many_channels",
            most=MAX_CHANNELS,
        )
    if kind == "mqtt" and any(other.kind == "mqtt" for other in others):
        raise ConflictError(
            "The account has an MQTT channel already",
            remedy="Change that one: topics are the same for all of an account.",
            reason="mqtt_channel_exists",
        )


async def change_channel(
    workspace: Workspace,
    caller: Caller,
    channel_id: str,
    draft: ChannelDraft,
    *,
    rotate_secret: bool,
    now_ns: int,
) -> ChannelRow:
    """Change some of a channel; with a new secret if wished, which is then in it.

    Raises:
        MissingError: there is none in reach.
        FieldError: a field cannot be meant.
        ForbiddenError: the caller is limited to devices, and the channel would not be.
    """
    channel = await find_channel(workspace, caller, channel_id)
    if rotate_secret and channel.kind != "webhook":
        flaw = Flaw(
            f"a channel of kind {channel.kind} has no secret",
            reason="channel_has_none",
            kind=channel.kind,
        )
        raise FieldError([("rotateSecret", flaw)])
    if draft.url is not None and draft.url == shown_url(channel, caller):
        # Whoever reads a channel and sends it back changed in something else means no other.
        draft = replace(draft, url=None)
    changed = await _changed(workspace, caller, channel, draft, now_ns)
    if rotate_secret:
        changed = replace(changed, secret=new_secret())
    details = {**_told(changed), "rotatedSecret": rotate_secret}
    entry = caller.entry("channel.change", channel_id, time_ns=now_ns, details=details)
    if not await workspace.database.notices.replace_channel(caller.reach, changed, entry):
        raise no_such("channel", channel_id, remedy="List the channels to see their ids")
    return changed


async def remove_channel(
    workspace: Workspace, caller: Caller, channel_id: str, *, now_ns: int
) -> None:
    """Delete a channel with its deliveries.

    Raises:
        MissingError: there is none in reach.
    """
    await find_channel(workspace, caller, channel_id)
    entry = caller.entry("channel.remove", channel_id, time_ns=now_ns)
    await workspace.database.notices.remove_channel(caller.reach, channel_id, entry)


async def try_channel(
    workspace: Workspace, caller: Caller, channel_id: str, *, now_ns: int
) -> Tried:
    """Send a test notification now, whether the channel is switched on or not.

    Raises:
        MissingError: there is none in reach.
    """
    channel = await find_channel(workspace, caller, channel_id)
    delivery_id = new_id(now_ns)
    body = sample_body(
        delivery_id=delivery_id,
        now_ns=now_ns,
        account_id=caller.account_id,
        request_id=caller.request_id,
    )
    notification = Notification(
        delivery_id=delivery_id,
        kind="test",
        account_id=caller.account_id,
        device_id="test",
        language=caller.language,
        timezone=caller.timezone,
        body=body,
        request_id=caller.request_id,
    )
    try:
        async with asyncio.timeout(TEST_S):
            answer = await Senders(workspace).send(channel, notification)
        delivered = True
    except TimeoutError:
        delivered, answer = False, f"The receiver did not answer within {TEST_S:g} s."
    except VideoDetectiveError as error:
        delivered, answer = False, str(error)
    duration_ms = (clock.now_ns() - now_ns) // 1_000_000
    entry = caller.entry(
        "channel.test", channel_id, time_ns=now_ns, details={"delivered": delivered}
    )
    await workspace.database.notices.note(entry)
    return Tried(delivered=delivered, answer=answer, duration_ms=max(0, duration_ms))


async def _changed(
    workspace: Workspace, caller: Caller, channel: ChannelRow, draft: ChannelDraft, now_ns: int
) -> ChannelRow:
    """The channel with what the draft says; raises as ``create_channel``."""
    old = channel.filters
    filters = Filters(
        device_ids=_unique(draft.device_ids, old.device_ids),
        severities=_unique(draft.severities, old.severities),
        alert_rules=_unique(draft.alert_rules, old.alert_rules),
        tell=old.tell if draft.tell is None else draft.tell,
        include_past=old.include_past if draft.include_past is None else draft.include_past,
    )
    settings = dict(channel.settings)
    if draft.url is not None:
        settings["url"] = draft.url
    if draft.recipients is not None:
        settings["recipients"] = list(dict.fromkeys(draft.recipients))
    problems = [
        *_settings_problems(channel.kind, settings),
        *await _filter_problems(workspace, caller, filters, draft),
    ]
    if problems:
        raise FieldError(problems)
    if caller.reach.cameras is not None and not filters.device_ids:
        raise ForbiddenError(
            f"{caller.kind.capitalize()} {caller.name!r} is limited to certain devices",
            remedy="Name them in filters.deviceIds.",
            reason="devices_required",
        )
    return replace(
        channel,
        name=channel.name if draft.name is None else draft.name,
        settings=settings,
        filters=filters,
        cooldown_s=channel.cooldown_s if draft.cooldown_s is None else draft.cooldown_s,
        is_enabled=channel.is_enabled if draft.is_enabled is None else draft.is_enabled,
        updated_ns=now_ns,
    )


def _settings_problems(kind: ChannelKind, settings: Mapping[str, Any]) -> list[tuple[str, str]]:
    wanted = {"webhook": "url", "email": "recipients"}.get(kind)
    none = Flaw(f"a channel of kind {kind} has none", reason="channel_has_none", kind=kind)
    problems: list[tuple[str, str]] = [(name, none) for name in settings if name != wanted]
    if wanted is not None and not settings.get(wanted):
        needed = Flaw(f"a channel of kind {kind} needs it", reason="channel_needs_it", kind=kind)
        problems.append((wanted, needed))
    elif wanted == "url" and (problem := url_problem(settings["url"])) is not None:
        problems.append(("url", problem))
    elif wanted == "recipients":
        problems += [
            (f"recipients[{number}]", _no_email(address))
            for number, address in enumerate(settings["recipients"])
            if not ADDRESS.fullmatch(address)
        ]
    return problems


def _no_email(address: str) -> Flaw:
    return Flaw(
        "is no e-mail address; write it like name@example.com", reason="email_wrong", value=address
    )


async def _filter_problems(
    workspace: Workspace, caller: Caller, filters: Filters, draft: ChannelDraft
) -> list[tuple[str, str]]:
    problems: list[tuple[str, str]] = []
    if "new" not in filters.tell:
        flaw = Flaw("must hold 'new': what follows goes where that went", reason="new_must_be_told")
        problems.append(("filters.tell", flaw))
    if any(severity not in SEVERITIES for severity in filters.severities):
        flaw = Flaw(f"use {', '.join(SEVERITIES)}", reason="choose_some", choices=SEVERITIES)
        problems.append(("filters.severities", flaw))
    for number, device_id in enumerate(draft.device_ids or ()):
        if await workspace.database.devices.device(caller.reach, device_id) is None:
            flaw = Flaw(
                f"there is no device '{device_id}'", reason="not_found", what="device", id=device_id
            )
            problems.append((f"filters.deviceIds[{number}]", flaw))
    return problems


async def _own_devices(workspace: Workspace, caller: Caller) -> frozenset[str] | None:
    """Ids of the devices to which the caller is limited; None for no limit."""
    if caller.reach.cameras is None:
        return None
    found: set[str] = set()
    cursor: str | None = None
    while True:
        page = await workspace.database.devices.devices(
            caller.reach, limit=100, offset=0, cursor=cursor
        )
        found |= {device.device_id for device in page.devices}
        cursor = page.next_cursor
        if cursor is None:
            return frozenset(found)


def _is_within(device_ids: tuple[str, ...], own: frozenset[str] | None) -> bool:
    return own is None or (bool(device_ids) and own.issuperset(device_ids))


def _unique(new: tuple[str, ...] | None, old: tuple[str, ...]) -> tuple[str, ...]:
    return old if new is None else tuple(dict.fromkeys(new))


def _told(channel: ChannelRow) -> dict[str, Any]:
    """What the audit log keeps of a channel: nothing that could open anything."""
    url = channel.settings.get("url")
    return {
        "kind": channel.kind,
        "name": channel.name,
        "host": urlsplit(url).hostname if isinstance(url, str) else None,
        "recipients": len(channel.settings.get("recipients", ())),
        "filters": channel.filters.as_json(),
        "cooldownSeconds": channel.cooldown_s,
        "isEnabled": channel.is_enabled,
    }
