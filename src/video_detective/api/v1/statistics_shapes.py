"""What routes of statistics take and answer."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from video_detective.api.envelope import Wire
from video_detective.services.presence import EDGES_S

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
