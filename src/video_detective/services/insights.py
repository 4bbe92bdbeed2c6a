"""Insights and alerts for whoever may see them: lists by every filter, and single ones."""

from __future__ import annotations

from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from video_detective.errors import MissingError
from video_detective.services.access import Caller
from video_detective.services.times import field_period
from video_detective.services.understanding import understand
from video_detective.services.workspace import Places, Workspace
from video_detective.storage.insights.index import Words
from video_detective.storage.insights.listing import InsightPage
from video_detective.storage.insights.statements import Detail, InsightFilter, Listed


@dataclass(frozen=True, slots=True, kw_only=True)
class InsightsAsked:
    """Which insights are asked for; every condition narrows.

    Args:
        q: Words, read as questions are: synonyms, times, cameras; of the words about an insight.
        device_id, scene_id: Of this one.
        severity, vlm_status: Of this one.
        start, end: Triggered in [start, end), RFC 3339; without offset in the zone of the device
            asked for, else of the account.
        has_summary, has_attributes: With, or without.
    """

    q: str | None = None
    device_id: str | None = None
    scene_id: str | None = None
    severity: str | None = None
    vlm_status: str | None = None
    start: str | None = None
    end: str | None = None
    has_summary: bool | None = None
    has_attributes: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundInsights:
    """A page, and the zone in which times without offset were read; None where there were none."""

    page: InsightPage
    timezone: str | None


async def insight_page(
    workspace: Workspace,
    caller: Caller,
    asked: InsightsAsked,
    *,
    limit: int,
    offset: int,
    cursor: str | None,
    now_ns: int,
) -> FoundInsights:
    """One page of insights, newest trigger first.

    Args:
        workspace: Where.
        caller: Who asks.
        asked: Which.
        limit: At most so many.
        offset: How many to leave out.
        cursor: Of the page before; wins over ``offset``.
        now_ns: When it is asked: 昨天 is the day before.

    Raises:
        MissingError: there is no such device or scene in reach; another account's is answered
            exactly as one that is nowhere, as everywhere in the interface.
        FieldError: a time or the cursor cannot be meant, or the period is empty.
    """
    lists = workspace.database.insights.lists
    camera: str | None = None
    places: Places | None = None
    if asked.device_id or asked.scene_id or asked.q:
        # Nearly every request has none of these, and asks the database only once.
        places = await workspace.within(caller.reach).places()
        camera = _camera(places, asked)
    zone = ZoneInfo(caller.timezone) if camera is None or places is None else places.zone(camera)
    since_ns, until_ns = field_period(asked.start, asked.end, zone)
    wanted = InsightFilter(
        device_id=asked.device_id,
        scene_id=asked.scene_id,
        severity=asked.severity,
        vlm_status=asked.vlm_status,
        since_ns=since_ns,
        until_ns=until_ns,
        has_summary=asked.has_summary,
        has_attributes=asked.has_attributes,
    )
    if asked.q and places is not None:
        wanted = _with_words(wanted, asked.q, places, now_ns)
    page = await lists.page(caller.reach, wanted, limit=limit, offset=offset, cursor=cursor)
    has_times = since_ns is not None or until_ns is not None
    return FoundInsights(page=page, timezone=zone.key if has_times else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundAlerts(FoundInsights):
    """A page of alerts, each its insight's row with what else there is to it."""

    alerts: tuple[tuple[Listed, Detail], ...]


async def alert_page(
    workspace: Workspace,
    caller: Caller,
    asked: InsightsAsked,
    *,
    limit: int,
    offset: int,
    cursor: str | None,
    now_ns: int,
) -> FoundAlerts:
    """One page of alerts; each has exactly one insight, so as ``insight_page``."""
    found = await insight_page(
        workspace, caller, asked, limit=limit, offset=offset, cursor=cursor, now_ns=now_ns
    )
    rows = found.page.insights
    lists = workspace.database.insights.lists
    details = await lists.details(caller.reach, [row.insight_id for row in rows])
    return FoundAlerts(
        page=found.page,
        timezone=found.timezone,
        alerts=tuple((row, details[row.insight_id]) for row in rows if row.insight_id in details),
    )


async def find_insight(
    workspace: Workspace, caller: Caller, insight_id: str
) -> tuple[Listed, Detail]:
    """One insight.

    Raises:
        MissingError: there is none in reach.
    """
    found = await workspace.database.insights.lists.insight(caller.reach, insight_id)
    if found is None:
        raise _missing("insight", insight_id)
    return found


async def find_alert(workspace: Workspace, caller: Caller, alert_id: str) -> tuple[Listed, Detail]:
    """One alert, with its insight.

    Raises:
        MissingError: there is none in reach.
    """
    found = await workspace.database.insights.lists.of_alert(caller.reach, alert_id)
    if found is None:
        raise _missing("alert", alert_id)
    return found


def _camera(places: Places, asked: InsightsAsked) -> str | None:
    """The camera of the device or scene asked for; None where neither is."""
    camera: str | None = None
    if asked.device_id is not None:
        device = places.device_by_id(asked.device_id)
        if device is None:
            raise _missing("device", asked.device_id)
        camera = device.camera_id
    if asked.scene_id is not None:
        infos = places.devices.values()
        theirs = [info.camera_id for info in infos if info.scene_id == asked.scene_id]
        if not theirs:
            raise _missing("scene", asked.scene_id)
        camera = camera or theirs[0]
    return camera


def _with_words(wanted: InsightFilter, question: str, places: Places, now_ns: int) -> InsightFilter:
    read = understand(question, places, now_ns, "", "", "")
    since = [t for t in (wanted.since_ns, read.since_ns) if t is not None]
    until = [t for t in (wanted.until_ns, read.until_ns) if t is not None]
    said = read.interpretation
    words = Words(groups=said.groups, without=said.without)
    return replace(
        wanted,
        cameras=read.cameras,
        since_ns=max(since, default=None),
        until_ns=min(until, default=None),
        words=words if words.groups or words.without else None,
    )


def _missing(what: str, its_id: str) -> MissingError:
    return MissingError(f"There is no {what} '{its_id}'", remedy="List them to see their ids.")
