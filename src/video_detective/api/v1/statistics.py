"""``/api/v1/statistics``: what was counted, by local hours and days, and where."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Security
from fastapi.responses import Response

from video_detective.api.envelope import answer, caller_of, responses
from video_detective.api.v1.statistics_shapes import (
    AlertStatistics,
    CrossingStatistics,
    DwellStatistics,
    EventStatistics,
    HeatMapStatistics,
    PeopleStatistics,
    PlaceQuery,
    StatisticsQuery,
)
from video_detective.geometry import NS_PER_S
from video_detective.services import statistics
from video_detective.services.access import Caller
from video_detective.services.presence import EDGES_S, GRID, Dwell, HeatMap, Presences, Visits
from video_detective.services.statistics import Asked, Found, Period, Series
from video_detective.services.times import utc_text
from video_detective.services.workspace import Workspace

Reader = Annotated[Caller, Security(caller_of, scopes=["analytics:read"])]


def routes(workspace: Workspace) -> APIRouter:
    """The routes of statistics over an open workspace."""
    router = APIRouter(prefix="/api/v1/statistics", tags=["statistics"])
    presences = Presences(workspace)

    @router.get("/people", responses=responses(PeopleStatistics, 404, 413))
    async def people_statistics(
        request: Request, caller: Reader, query: Annotated[StatisticsQuery, Query()]
    ) -> Response:
        """Tracks of persons, vehicles and things by local hour or day, and the most at once.

        Tracks are counted, not persons: whoever leaves and comes back counts again.
        """
        found = await statistics.people(workspace, caller, _asked(query))
        return _answer(request, found, query, _of_tracks)

    @router.get("/crossings", responses=responses(CrossingStatistics, 404))
    async def crossing_statistics(
        request: Request, caller: Reader, query: Annotated[StatisticsQuery, Query()]
    ) -> Response:
        """Crossings of tripwires by direction and local hour or day.

        Events of the rules are counted: a line that no rule of line crossing watches has none, and
        two rules on one line count a crossing twice.
        """
        found = await statistics.crossings(workspace, caller, _asked(query))
        return _answer(request, found, query, _of_crossings)

    @router.get("/events", responses=responses(EventStatistics, 404))
    async def event_statistics(
        request: Request, caller: Reader, query: Annotated[StatisticsQuery, Query()]
    ) -> Response:
        """Events by type, risk level and the local hour or day in which they began."""
        found = await statistics.events(workspace, caller, _asked(query))
        return _answer(request, found, query, _of_events)

    @router.get("/alerts", responses=responses(AlertStatistics, 404))
    async def alert_statistics(
        request: Request, caller: Reader, query: Annotated[StatisticsQuery, Query()]
    ) -> Response:
        """Alerts by severity and local hour or day."""
        found = await statistics.alerts(workspace, caller, _asked(query))
        return _answer(request, found, query, _of_alerts)

    @router.get("/dwell", responses=responses(DwellStatistics, 404, 413))
    async def dwell_statistics(
        request: Request, caller: Reader, query: Annotated[PlaceQuery, Query()]
    ) -> Response:
        """How long tracks stayed in each zone of the scene in force, by visit.

        A visit is of one track, from its first to its last box in the zone; it lasts a second at
        least, and no absence in it is longer than two (at rest: than two looks).
        """
        found = await presences.dwell(caller, _place(query), query.type)
        return answer(request, _dwell(found), timezone=found.period.zone.key)

    @router.get("/heat-map", responses=responses(HeatMapStatistics, 404, 413))
    async def heat_map(
        request: Request, caller: Reader, query: Annotated[PlaceQuery, Query()]
    ) -> Response:
        """Seconds of presence on a grid of 64 × 36 cells over a device's picture."""
        found = await presences.heat_map(caller, _place(query), query.type)
        return answer(request, _heat(found), timezone=found.period.zone.key)

    return router


def _asked(query: StatisticsQuery) -> Asked:
    return Asked(
        device_id=None if query.device_id is None else str(query.device_id),
        start=query.start_date,
        end=query.end_date,
        group=query.group_by,
    )


def _place(query: PlaceQuery) -> Asked:
    return Asked(
        device_id=str(query.device_id), start=query.start_date, end=query.end_date, group="day"
    )


def _answer(
    request: Request, found: Found, query: StatisticsQuery, row: Callable[[Series], dict[str, Any]]
) -> Response:
    period = found.period
    data = {
        **_covered(period),
        "groupBy": query.group_by,
        "stretches": [
            {
                "start": utc_text(stretch.start_ns),
                "end": utc_text(stretch.end_ns),
                "recordedSeconds": _seconds(stretch.recorded_ns),
            }
            for stretch in period.stretches
        ],
        "series": [
            {
                **_named(period, series.key[0]),
                "total": series.total,
                "counts": series.counts,
                **row(series),
            }
            for series in found.series
        ],
    }
    return answer(request, data, timezone=period.zone.key)


def _covered(period: Period) -> dict[str, Any]:
    return {
        "startDate": utc_text(period.since_ns),
        "endDate": utc_text(period.until_ns),
        "devices": [
            {**_named(period, camera_id), "recordedSeconds": _seconds(recorded_ns)}
            for camera_id, recorded_ns in period.recorded_ns.items()
        ],
    }


def _named(period: Period, camera_id: str) -> dict[str, Any]:
    device = period.places.device(camera_id)
    return {
        "deviceId": None if device is None else device.device_id,
        "deviceName": period.places.name(camera_id),
    }


def _of_tracks(series: Series) -> dict[str, Any]:
    return {"type": series.key[1], "peak": series.peak, "peaks": series.peaks}


def _of_crossings(series: Series) -> dict[str, Any]:
    _, tripwire, direction, tripwire_name, direction_name, rules = series.key
    return {
        "tripwire": tripwire,
        "tripwireName": tripwire_name,
        "direction": direction,
        "directionName": direction_name,
        "ruleIds": rules.split(" "),
    }


def _of_events(series: Series) -> dict[str, Any]:
    return {"type": series.key[1], "riskLevel": series.key[2]}


def _of_alerts(series: Series) -> dict[str, Any]:
    return {"severity": series.key[1]}


def _dwell(found: Dwell) -> dict[str, Any]:
    return {
        **_covered(found.period),
        "type": found.kind,
        "histogramSeconds": EDGES_S,
        "zones": [_visits(visits) for visits in found.zones],
    }


def _visits(visits: Visits) -> dict[str, Any]:
    return {
        "zone": visits.zone.id,
        "zoneName": visits.zone.name or visits.zone.id,
        "visits": visits.count,
        "cutVisits": visits.cut,
        "medianSeconds": visits.median_s,
        "p90Seconds": visits.p90_s,
        "longestSeconds": visits.longest_s,
        "histogram": visits.histogram,
    }


def _heat(found: HeatMap) -> dict[str, Any]:
    columns, rows = GRID
    return {
        **_covered(found.period),
        "type": found.kind,
        "columns": columns,
        "rows": rows,
        "share": round(found.share, 4),
        "points": found.points,
        "cells": found.cells,
    }


def _seconds(duration_ns: int) -> float:
    return round(duration_ns / NS_PER_S, 3)
