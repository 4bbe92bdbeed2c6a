"""Insights and alerts for whoever may see them: lists by every filter, and single ones."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import get_args
from zoneinfo import ZoneInfo

from video_detective.errors import FieldError, Flaw, MissingError, no_such
from video_detective.services.access import Caller
from video_detective.services.times import field_period
from video_detective.services.understanding import understand
from video_detective.services.workspace import Places, Workspace
from video_detective.storage.accounts.audit import AuditEntry
from video_detective.storage.insights.index import Words
from video_detective.storage.insights.listing import InsightPage
from video_detective.storage.insights.reviewing import Review, Reviewed, ReviewState
from video_detective.storage.insights.statements import Detail, InsightFilter, Listed

REVIEW_STATES: tuple[ReviewState, ...] = get_args(ReviewState)
_MOST_NAMED = 10


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
        review_states: In any of these; empty: in every one.
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
    review_states: tuple[str, ...] = ()


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
    wanted, zone = await _wanted(workspace, caller, asked, now_ns)
    lists = workspace.database.insights.lists
    page = await lists.page(caller.reach, wanted, limit=limit, offset=offset, cursor=cursor)
    return FoundInsights(page=page, timezone=_told(asked, zone))


async def _wanted(
    workspace: Workspace, caller: Caller, asked: InsightsAsked, now_ns: int
) -> tuple[InsightFilter, ZoneInfo]:
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
        review_states=asked.review_states,
    )
    if asked.q and places is not None:
        wanted = _with_words(wanted, asked.q, places, now_ns)
    return wanted, zone


def _told(asked: InsightsAsked, zone: ZoneInfo) -> str | None:
    return None if asked.start is None and asked.end is None else zone.key


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


async def alert_counts(
    workspace: Workspace, caller: Caller, asked: InsightsAsked, *, now_ns: int
) -> tuple[dict[str, int], str | None]:
    """How many alerts are asked for, by the state of their review, and the zone as in a page.

    Args:
        workspace: Where.
        caller: Who asks.
        asked: Which; ``review_states`` is not read.
        now_ns: When it is asked.

    Raises:
        MissingError, FieldError: as ``insight_page``.
    """
    wanted, zone = await _wanted(workspace, caller, replace(asked, review_states=()), now_ns)
    found = await workspace.database.insights.lists.review_counts(caller.reach, wanted)
    return {state: found.get(state, 0) for state in REVIEW_STATES}, _told(asked, zone)


async def review_alerts(
    workspace: Workspace,
    caller: Caller,
    alert_ids: Collection[str],
    *,
    state: ReviewState,
    reason: str | None,
    only_from: ReviewState | None,
    now_ns: int,
) -> list[Reviewed]:
    """Set the review of alerts, all or none; each that changes has its line in the audit log.

    Args:
        workspace: Where.
        caller: Who.
        alert_ids: Which.
        state: To what.
        reason: Why; a dismissed one needs it.
        only_from: Those in another state stay as they are; None: none does.
        now_ns: When.

    Raises:
        FieldError: a reason is missing.
        MissingError: some are not listed, or out of reach; they are named.
    """
    if state == "dismissed" and reason is None:
        flaw = Flaw(
            "say why it is dismissed: a key such as false_alarm, or text", reason="why_dismissed"
        )
        raise FieldError([("reason", flaw)])
    review = Review(state=state, reason=reason, by=caller.name, by_id=caller.id, at_ns=now_ns)

    def entry(one: Reviewed) -> AuditEntry:
        details = {"state": state, "reason": reason, "former": one.former.state}
        return caller.entry("alert.review", one.alert_id, time_ns=now_ns, details=details)

    done, missing = await workspace.database.insights.reviews.set(
        caller.reach, alert_ids, review, only_from=only_from, entry=entry
    )
    if missing:
        named = ", ".join(f"'{one}'" for one in missing[:_MOST_NAMED])
        more = f" and {len(missing) - _MOST_NAMED} more" if len(missing) > _MOST_NAMED else ""
        raise MissingError(
            f"There is no alert {named}{more}",
            remedy="List them to see their ids. None was set.",
            reason="alerts_missing",
            ids=missing[:_MOST_NAMED],
            count=len(missing),
        )
    return done


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
    return no_such(what, its_id, remedy="List them to see their ids.")
