"""``/api/v1/statistics``: what was counted, by local hours and days, and where."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Security
from fastapi.responses import Response
from pydantic import ConfigDict, Field

from video_detective.api.envelope import Wire, answer, caller_of, responses
from video_detective.geometry import NS_PER_S
from video_detective.services import statistics
from video_detective.services.access import Caller
from video_detective.services.presence import EDGES_S, GRID, Dwell, HeatMap, Presences, Visits
from video_detective.services.statistics import Asked, Found, Period, Series
from video_detective.services.times import utc_text
from video_detective.services.workspace import Workspace

Reader = Annotated[Caller, Security(caller_of, scopes=["analytics:read"])]
_DEVICE = "0199a2c4-5d10-7c3e-9f00-2b1a6c7d8e90"
_NAMED: dict[str, Any] = {"deviceId": _DEVICE, "deviceName": "入口攝影機"}
_PERIOD: dict[str, Any] = {
    "startDate": "2026-02-25T00:00:00Z",
    "endDate": "2026-02-25T02:00:00Z",
    "devices": [{**_NAMED, "recordedSeconds": 5400.0}],
}
_COUNTED: dict[str, Any] = {
    **_PERIOD,
    "groupBy": "hour",
    "stretches": [
        {
            "start": "2026-02-25T00:00:00Z",
            "end": "2026-02-25T01:00:00Z",
            "recordedSeconds": 3600.0,
        },
        {
            "start": "2026-02-25T01:00:00Z",
            "end": "2026-02-25T02:00:00Z",
            "recordedSeconds": 1800.0,
        },
    ],
}


class RecordedDevice(Wire):
    """A device that is counted, and how long of the period it was recorded."""

    device_id: str
    device_name: str
    recorded_seconds: float


class Slot(Wire):
    """A local hour or day, cut to the period; ``recordedSeconds`` of all devices together.

    Where nothing was recorded nothing is known: that is not the same as a count of 0.
    """

    start: str
    end: str
    recorded_seconds: float


class Covered(Wire):
    """The period and what of it was recorded."""

    start_date: str
    end_date: str
    devices: list[RecordedDevice]


class Counted(Covered):
    """The period in stretches, to which the numbers of every row belong in order."""

    group_by: Literal["hour", "day"]
    stretches: list[Slot]


class Row(Wire):
    """Numbers of one device: of the period, and of each stretch."""

    device_id: str | None
    device_name: str
    total: int
    counts: list[int]


class TracksRow(Row):
    """Tracks of one class. One that is seen in two stretches counts in both, but once in total.

    ``peak`` and ``peaks``: the most at the same time.
    """

    type: str
    peak: int
    peaks: list[int]


class CrossingsRow(Row):
    """Events of line crossing over one tripwire in one direction, made by ``ruleIds``."""

    tripwire: str
    tripwire_name: str
    direction: str
    direction_name: str
    rule_ids: list[str]


class EventsRow(Row):
    """Events of one type and risk level."""

    type: str
    risk_level: str


class AlertsRow(Row):
    """Alerts of one severity."""

    severity: str


class PeopleStatistics(Counted):
    """Who and what was seen, by device and class."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    **_COUNTED,
                    "series": [
                        {
                            **_NAMED, "type": "person", "total": 41, "counts": [28, 14],
                            "peak": 5, "peaks": [5, 3],
                        }
                    ],
                }
            ]
        }
    )  # fmt: skip

    series: list[TracksRow]


class CrossingStatistics(Counted):
    """Crossings of lines, as the rules found them."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    **_COUNTED,
                    "series": [
                        {
                            **_NAMED, "tripwire": "fence", "tripwireName": "圍籬線",
                            "direction": "left_to_right", "directionName": "進入",
                            "ruleIds": ["over"], "total": 12, "counts": [8, 4],
                        }
                    ],
                }
            ]
        }
    )  # fmt: skip

    series: list[CrossingsRow]


class EventStatistics(Counted):
    """Events by the stretch in which they began."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    **_COUNTED,
                    "series": [
                        {
                            **_NAMED, "type": "intrusion", "riskLevel": "high", "total": 3,
                            "counts": [1, 2],
                        }
                    ],
                }
            ]
        }
    )  # fmt: skip

    series: list[EventsRow]


class AlertStatistics(Counted):
    """Alerts by the stretch in which they were triggered."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    **_COUNTED,
                    "series": [
                        {**_NAMED, "severity": "critical", "total": 3, "counts": [1, 2]}
                    ],
                }
            ]
        }
    )  # fmt: skip

    series: list[AlertsRow]


class ZoneVisits(Wire):
    """Visits to one zone, of tracks of one class; seconds, null where there were none.

    ``cutVisits`` reach over an end of the period: how long they lasted is not known, and they are
    in no other number. ``histogram`` has how many lasted from each of ``histogramSeconds`` to the
    next; the last has no end. Percentiles are nearest ranks.
    """

    zone: str
    zone_name: str
    visits: int
    cut_visits: int
    median_seconds: float | None
    p90_seconds: float | None
    longest_seconds: float | None
    histogram: list[int]


class DwellStatistics(Covered):
    """How long tracks stayed in each zone of the scene in force."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    **_PERIOD,
                    "type": "person",
                    "histogramSeconds": list(EDGES_S),
                    "zones": [
                        {
                            "zone": "queue", "zoneName": "排隊區", "visits": 7, "cutVisits": 1,
                            "medianSeconds": 42.4, "p90Seconds": 180.0, "longestSeconds": 412.6,
                            "histogram": [0, 0, 1, 0, 1, 2, 1, 1, 1, 0, 0, 0],
                        }
                    ],
                }
            ]
        }
    )  # fmt: skip

    type: str
    histogram_seconds: list[int]
    zones: list[ZoneVisits]


class HeatMapStatistics(Covered):
    """Seconds for which feet (bottom centres of boxes) stood in each cell of the picture.

    ``cells`` has a list for each row from the top, with a number for each column from the left.
    ``share`` is below 1 where the period has so many boxes that only evenly chosen slices of it
    were read; the seconds are then scaled to all of it.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    **_PERIOD, "type": "person", "columns": 3, "rows": 2, "share": 1.0,
                    "points": 1250, "cells": [[0.0, 12.4, 0.0], [3.2, 180.6, 44.0]],
                }
            ]
        }
    )  # fmt: skip

    type: str
    columns: int
    rows: int
    share: float
    points: int
    cells: list[list[float]]


class StatisticsQuery(Wire):
    """Of which devices and when: [startDate, endDate), at most 92 days (by the hour 31)."""

    start_date: str = Field(
        min_length=1,
        max_length=40,
        description="RFC 3339; without offset in the device's zone, else the account's",
        examples=["2026-02-25T00:00:00Z"],
    )
    end_date: str = Field(
        min_length=1,
        max_length=40,
        description="Likewise; exclusive",
        examples=["2026-02-26T00:00:00Z"],
    )
    device_id: UUID | None = Field(default=None, description="Only of this device")
    group_by: Literal["hour", "day"] = Field(
        default="hour", description="Local hours or days, of the device's zone, else the account's"
    )


class PlaceQuery(Wire):
    """Of which device, when, and of what: [startDate, endDate), at most 92 days."""

    device_id: UUID = Field(description="Of which device", examples=[_DEVICE])
    start_date: str = Field(
        min_length=1,
        max_length=40,
        description="RFC 3339; without offset in the device's zone",
        examples=["2026-02-25T00:00:00Z"],
    )
    end_date: str = Field(
        min_length=1,
        max_length=40,
        description="Likewise; exclusive",
        examples=["2026-02-26T00:00:00Z"],
    )
    type: str = Field(
        default="person", pattern=r"^[a-z][a-z _-]{0,39}$", description="Class of the tracks"
    )


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


def _answer(request: Request, found: Found, query: StatisticsQuery, row: Any) -> Response:
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
