"""``POST /api/v1/scenes/{id}/dry-run``: what a draft would have made of what was seen."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Request, Security
from fastapi.responses import Response
from pydantic import ConfigDict, Field

from video_detective.api.envelope import Wire, answer, caller_of, responses
from video_detective.api.v1.scenes import EXAMPLE_DOCUMENT
from video_detective.geometry import NS_PER_S
from video_detective.rules import Event
from video_detective.services.access import Caller
from video_detective.services.dry_run import DryRun, DryRuns
from video_detective.services.replay import PlayedAlert, alert_difference, event_key
from video_detective.services.times import utc_text
from video_detective.services.workspace import Workspace

MOST_LISTED = 500
"""Of each list; counts are always whole."""
LISTENING_S = 1.0
"""A caller who hung up is noticed after this long, and the dry run ends."""

SceneId = Annotated[UUID, Path(alias="id", description="The scene's id")]
Trier = Annotated[Caller, Security(caller_of, scopes=["devices:write", "analytics:read"])]
_Time = Annotated[str, Field(min_length=1, max_length=40)]


class DryRunRequest(Wire):
    """What to try, on which period ``[from, to)``: up to 7 days. Times without offset are read in
    the device's zone. Without ``to`` it ends where the newest footage ends, without ``from`` it is
    ``hours`` long. Without a document the version in force is played.
    """  # noqa: D205 - one sentence

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "document": EXAMPLE_DOCUMENT,
                    "from": "2026-01-15T22:00:00+08:00",
                    "to": "2026-01-16T06:00:00+08:00",
                }
            ]
        }
    )

    document: dict[str, Any] | None = Field(
        default=None, description="The draft, as the document of a scene"
    )
    since: _Time | None = Field(default=None, alias="from")
    until: _Time | None = Field(default=None, alias="to")
    hours: float = Field(default=24.0, gt=0, le=168, description="Without `from`")


class PlayedEvent(Wire):
    """An event as one version finds it. ``eventId`` is that of the stored event that is the same;
    null where there is none.
    """  # noqa: D205 - one sentence

    event_id: str | None
    type: str
    risk_level: str
    rule_id: str
    zone: str | None
    tripwire: str | None
    start_time: str
    established_time: str
    end_time: str | None
    track_ids: list[str]


class MovedEvent(Wire):
    """An event that both versions find; ``changed`` says what is other under the draft."""

    now: PlayedEvent
    draft: PlayedEvent
    changed: list[Literal["start", "established", "end", "type", "risk", "actors"]]


class EventCounts(Wire):
    """How many events of either version, and how they differ."""

    now: int
    draft: int
    appear: int
    vanish: int
    move: int
    same: int


class EventLists(Wire):
    """The first 500 of each."""

    appear: list[PlayedEvent]
    vanish: list[PlayedEvent]
    move: list[MovedEvent]
    same: list[PlayedEvent]


class RuleCounts(Wire):
    """Events of one rule under either version."""

    rule_id: str
    now: int
    draft: int


class PlayedAlertShape(Wire):
    """An alert that a version makes, and its event."""

    alert_rule: str
    severity: str
    message: str
    triggered_at: str
    event: PlayedEvent


class AlertCounts(Wire):
    """How many alerts a version makes."""

    total: int
    warning: int
    critical: int


class AlertDifference(Wire):
    """Alerts of either version, and the first 500 that only one of them makes."""

    now: AlertCounts
    draft: AlertCounts
    appear: list[PlayedAlertShape]
    vanish: list[PlayedAlertShape]


class LimitShape(Wire):
    """Something that the result cannot show; ``ruleIds`` empty for all rules."""

    code: str
    message: str
    rule_ids: list[str]


class DryRunResult(Wire):
    """How the events of a period would differ under the draft."""

    scene_id: str
    base_version: int
    since: str = Field(alias="from")
    until: str = Field(alias="to")
    timezone: str
    watched_seconds: float
    looks: int
    counts: EventCounts
    by_rule: list[RuleCounts]
    events: EventLists
    alerts: AlertDifference
    limits: list[LimitShape]


def routes(workspace: Workspace) -> APIRouter:
    """The route of dry runs over an open workspace."""
    router = APIRouter(prefix="/api/v1/scenes", tags=["scenes"])
    dry_runs = DryRuns(workspace)

    @router.post("/{id}/dry-run", responses=responses(DryRunResult, 404, 413, 415))
    async def dry_run(
        request: Request, caller: Trier, scene_id: SceneId, body: DryRunRequest
    ) -> Response:
        """Play stored tracks of a period under a draft; nothing is changed. It may take a while:
        hang up to end it.
        """  # noqa: D205 - one sentence
        running = asyncio.create_task(
            dry_runs.run(
                caller,
                str(scene_id),
                document=body.document,
                since=body.since,
                until=body.until,
                hours=body.hours,
            )
        )
        try:
            while not running.done():
                await asyncio.wait({running}, timeout=LISTENING_S)
                if not running.done() and await request.is_disconnected():
                    break
        finally:
            if not running.done():
                running.cancel()
        return answer(request, _wire(await running))

    return router


def _wire(run: DryRun) -> dict[str, Any]:
    found, ids = run.difference, run.stored_ids
    appear, vanish = alert_difference(run.alerts_now, run.alerts_draft)
    now = [*found.same, *found.vanish, *(moved.now for moved in found.moved)]
    draft = [*found.same, *found.appear, *(moved.draft for moved in found.moved)]
    result = DryRunResult(
        scene_id=run.scene.scene_id,
        base_version=run.scene.version,
        since=utc_text(run.since_ns),
        until=utc_text(run.until_ns),
        timezone=run.timezone,
        watched_seconds=round(run.watched_ns / NS_PER_S, 3),
        looks=run.looks,
        counts=EventCounts(
            now=len(now),
            draft=len(draft),
            appear=len(found.appear),
            vanish=len(found.vanish),
            move=len(found.moved),
            same=len(found.same),
        ),
        by_rule=_by_rule(now, draft),
        events=EventLists(
            appear=[_event(event, ids) for event in found.appear[:MOST_LISTED]],
            vanish=[_event(event, ids) for event in found.vanish[:MOST_LISTED]],
            move=[
                MovedEvent(
                    now=_event(moved.now, ids),
                    draft=_event(moved.draft, ids),
                    changed=list(moved.changed),
                )
                for moved in found.moved[:MOST_LISTED]
            ],
            same=[_event(event, ids) for event in found.same[:MOST_LISTED]],
        ),
        alerts=AlertDifference(
            now=_counts(run.alerts_now),
            draft=_counts(run.alerts_draft),
            appear=[_alert(alert, ids) for alert in appear[:MOST_LISTED]],
            vanish=[_alert(alert, ids) for alert in vanish[:MOST_LISTED]],
        ),
        limits=[
            LimitShape(code=limit.code, message=limit.message, rule_ids=list(limit.rule_ids))
            for limit in run.limits
        ],
    )
    return result.model_dump(mode="json", by_alias=True)


def _event(event: Event, ids: Mapping[tuple[str, ...], str]) -> PlayedEvent:
    return PlayedEvent(
        event_id=ids.get(event_key(event)),
        type=event.type,
        risk_level=event.risk_level,
        rule_id=event.rule_id,
        zone=event.zone,
        tripwire=event.tripwire,
        start_time=utc_text(event.start_ns),
        established_time=utc_text(event.established_ns),
        end_time=None if event.end_ns is None else utc_text(event.end_ns),
        track_ids=[actor.track_id for actor in event.actors],
    )


def _alert(played: PlayedAlert, ids: Mapping[tuple[str, ...], str]) -> PlayedAlertShape:
    return PlayedAlertShape(
        alert_rule=played.alert.alert_rule,
        severity=played.alert.severity,
        message=played.alert.message,
        triggered_at=utc_text(played.alert.triggered_ns),
        event=_event(played.event, ids),
    )


def _counts(alerts: Sequence[PlayedAlert]) -> AlertCounts:
    critical = sum(played.alert.severity == "critical" for played in alerts)
    return AlertCounts(total=len(alerts), warning=len(alerts) - critical, critical=critical)


def _by_rule(now: Sequence[Event], draft: Sequence[Event]) -> list[RuleCounts]:
    names = sorted({event.rule_id for event in (*now, *draft)})
    return [
        RuleCounts(
            rule_id=name,
            now=sum(event.rule_id == name for event in now),
            draft=sum(event.rule_id == name for event in draft),
        )
        for name in names
    ]
