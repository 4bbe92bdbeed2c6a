"""Statistics of version 1, on both databases, against numbers counted by hand."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.api import client_of, make_account, make_key

from video_detective import config
from video_detective.alerts import Alert
from video_detective.api.v1 import statistics_shapes as shapes
from video_detective.geometry import NS_PER_S
from video_detective.rules import Event
from video_detective.services.workspace import Workspace, open_workspace
from video_detective.storage import (
    CameraRow,
    LookRow,
    PointRow,
    RunKey,
    Step,
    StoredEvent,
    TrackRow,
)
from video_detective.tracking import Track

DOCUMENT = """
schema_version: 1
cameras:
  gate:
    name: 大門
    timezone: Europe/Berlin
    zones:
      left: {name: 左側, points: [[0, 0], [0.25, 0], [0.25, 1], [0, 1]]}
      right: {name: 右側, points: [[0.75, 0], [1, 0], [1, 1], [0.75, 1]]}
    tripwires:
      line:
        name: 門線
        points: [[0.5, 0], [0.5, 1]]
        directions: {left_to_right: 進入, right_to_left: 離開}
    rules:
      - {id: over, type: line_crossing, tripwire: line}
"""
SMALL, LARGE = (640, 360), (1280, 720)
"""Cells of the heat map are 10 × 10, then 20 × 20 pixels."""


def ns(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) * NS_PER_S


BEGUN = ns("2026-03-29T00:40:00Z")
"""Twenty minutes later Berlin's clock goes from 02:00 to 03:00."""
LATE = ns("2026-03-29T00:59:50Z")


def walk(
    name: str, kind: str, feet: list[tuple[int, int, int]], since_ns: int = BEGUN
) -> tuple[TrackRow, list[PointRow]]:
    """A track by seconds and feet."""
    points = [
        PointRow(
            time_ns=since_ns + at * NS_PER_S,
            frame=at,
            track=Track(track_id=name, type=kind, conf=0.9, bbox=(x - 5, y - 40, x + 5, y)),
        )
        for at, x, y in feet
    ]
    track = TrackRow(
        track_id=name,
        type=kind,
        first_ns=points[0].time_ns,
        last_ns=points[-1].time_ns,
        best_conf=0.9,
    )
    return track, points


WALKS = [
    # 5 s in the cell (10, 20), then 5 s in (32, 20), which is in no zone.
    walk("p1", "person", [(n, 105 if n < 5 else 325, 205) for n in range(11)]),
    # Twice a second in (10, 20), with an absence that is too long between.
    walk("p2", "person", [(5, 105, 205), (6, 105, 205), (11, 105, 205), (12, 105, 205)]),
    walk("c1", "car", [(0, 500, 300), (1, 500, 300)], ns("2026-03-29T01:10:00Z")),
]  # fmt: skip
STANDING = walk("p3", "person", [(n, 1190, 720) for n in range(21)], LATE)
"""Twenty seconds at the lower edge of the larger picture, over the full hour."""


def crossing(number: int, time: str, direction: str) -> StoredEvent:
    at_ns = ns(time)
    event = Event(
        event_id=f"evt_20260329_gate_{number:04d}",
        camera_id="gate",
        type="line_crossing",
        risk_level="medium",
        rule_id="over",
        start_ns=at_ns,
        established_ns=at_ns,
        end_ns=at_ns,
        frames=(0, 1),
        tripwire="line",
        facts={"direction": direction, "direction_name": "昔日"},
    )
    return StoredEvent(event=event)


CROSSINGS = [
    crossing(1, "2026-03-28T23:10:00Z", "left_to_right"),
    crossing(2, "2026-03-29T00:50:00Z", "left_to_right"),
    crossing(3, "2026-03-29T01:00:00Z", "left_to_right"),
    crossing(4, "2026-03-29T01:20:00Z", "right_to_left"),
]


def alert_of(stored: StoredEvent) -> Alert:
    return Alert(
        event_id=stored.event.event_id,
        camera_id="gate",
        alert_rule="every-event",
        kind="event",
        metric_path="tripwires.line.line_crossing.count",
        operator="GTE",
        threshold=1.0,
        actual_value=1.0,
        severity="warning",
        message="crossed",
        triggered_ns=stored.event.established_ns,
    )


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/store/video-detective.db"
    create: Callable[[], str] = request.getfixturevalue("new_postgres_database")
    return create()


@pytest.fixture
async def workspace(url: str, tmp_path: Path) -> AsyncIterator[Workspace]:
    async with open_workspace(tmp_path, url) as opened:
        await fill(opened)
        yield opened


async def fill(workspace: Workspace) -> None:
    camera = config.parse(DOCUMENT, name="rules.yaml").camera("gate")
    database = workspace.database
    await database.save_camera(
        CameraRow(
            camera_id="gate",
            name=camera.name,
            timezone=camera.timezone,
            document=camera.model_dump(mode="json"),
        )
    )
    # What an earlier analysis of the same film found is not shown any more.
    stale, points = walk("p9", "person", [(0, 105, 205), (1, 105, 205)])
    earlier = RunKey(camera_id="gate", fingerprint="film", settings_hash="earlier")
    run = await database.begin_run(earlier, {}, BEGUN)
    await database.commit_step(run, Step(checkpoint=b"1", tracks=[stale], points=points))
    await database.finish_run(run, {})

    key = RunKey(camera_id="gate", fingerprint="film", settings_hash="s")
    run = await database.begin_run(key, {}, BEGUN)
    for size, first_ns, seconds, walks in (
        (SMALL, BEGUN, 600, WALKS[:2]),
        (LARGE, LATE, 30, [STANDING]),
        (SMALL, ns("2026-03-29T01:10:00Z"), 10, WALKS[2:]),
    ):
        looks = [
            LookRow(time_ns=first_ns + n * NS_PER_S, frame=n, size=size)
            for n in range(0, seconds, 5)
        ]
        step = Step(
            checkpoint=b"1",
            looks=looks,
            tracks=[track for track, _ in walks],
            points=[point for _, points in walks for point in points],
        )
        await database.commit_step(run, step)
    watched = (ns("2026-03-29T00:30:00Z"), ns("2026-03-29T01:30:00Z"))
    await database.commit_step(
        run,
        Step(
            checkpoint=b"1",
            events=CROSSINGS,
            alerts=[alert_of(one) for one in CROSSINGS],
            coverage=[watched],
        ),
    )
    await database.finish_run(run, {})


@pytest.fixture
async def http(workspace: Workspace) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(workspace, await make_key(workspace, "analytics:read")) as client:
        yield client


async def gate(workspace: Workspace) -> str:
    return (await workspace.database.devices.infos())["gate"].device_id


async def ask(
    http: httpx.AsyncClient, what: str, device: str | None, start: str, end: str, **more: str
) -> Any:
    query = {"startDate": start, "endDate": end, **more}
    if device is not None:
        query["deviceId"] = device
    answer = await http.get(f"/api/v1/statistics/{what}", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


NIGHT = ("2026-03-29T00:00:00Z", "2026-03-29T02:00:00Z")


async def test_tracks_count_once_in_all_and_in_each_local_hour_or_day_in_which_they_were_seen(
    workspace: Workspace, http: httpx.AsyncClient
) -> None:
    found = await ask(http, "people", await gate(workspace), *NIGHT)

    shapes.PeopleStatistics.model_validate(found)
    car, person = found["series"]
    assert (person["type"], person["total"], person["counts"]) == ("person", 3, [3, 1])
    assert (person["peak"], person["peaks"]) == (2, [2, 1])
    assert (car["type"], car["total"], car["counts"], car["peaks"]) == ("car", 1, [0, 1], [0, 1])
    assert [stretch["recordedSeconds"] for stretch in found["stretches"]] == [1800, 1800]
    assert found["devices"][0]["recordedSeconds"] == 3600

    device = await gate(workspace)
    found = await ask(http, "people", device, "2026-03-28", "2026-03-31", groupBy="day")

    # The day of summer time has 23 hours.
    assert [(one["start"], one["recordedSeconds"]) for one in found["stretches"]] == [
        ("2026-03-27T23:00:00Z", 0),
        ("2026-03-28T23:00:00Z", 3600),
        ("2026-03-29T22:00:00Z", 0),
    ]
    assert found["stretches"][1]["end"] == "2026-03-29T22:00:00Z"
    assert [row["counts"] for row in found["series"]] == [[0, 1, 0], [0, 3, 0]]

    # In the account's zone (Taipei) it is another day, and the hours are its own.
    every = await ask(http, "people", None, "2026-03-29T08:30", "2026-03-29T10:00")
    assert [one["start"] for one in every["stretches"]] == [
        "2026-03-29T00:30:00Z",
        "2026-03-29T01:00:00Z",
    ]
    assert every["series"][1]["counts"] == [3, 1]


async def test_crossings_events_and_alerts_count_in_the_hour_in_which_they_begin(
    workspace: Workspace, http: httpx.AsyncClient
) -> None:
    device = await gate(workspace)
    found = await ask(http, "crossings", device, "2026-03-28", "2026-03-30", groupBy="day")

    shapes.CrossingStatistics.model_validate(found)
    rows = [
        (row["directionName"], row["direction"], row["tripwireName"], row["total"], row["counts"])
        for row in found["series"]
    ]
    assert rows == [
        ("進入", "left_to_right", "門線", 3, [0, 3]),
        ("離開", "right_to_left", "門線", 1, [0, 1]),
    ]
    assert {tuple(row["ruleIds"]) for row in found["series"]} == {("over",)}
    hours = await ask(http, "crossings", device, *NIGHT)
    assert [row["counts"] for row in hours["series"]] == [[1, 1], [0, 1]]

    device = await gate(workspace)
    events = await ask(http, "events", device, *NIGHT)
    alerts = await ask(http, "alerts", None, *NIGHT)

    shapes.EventStatistics.model_validate(events)
    shapes.AlertStatistics.model_validate(alerts)
    (row,) = events["series"]
    assert (row["type"], row["riskLevel"], row["counts"]) == ("line_crossing", "medium", [1, 2])
    (row,) = alerts["series"]
    assert (row["severity"], row["total"], row["counts"]) == ("warning", 3, [1, 2])


async def test_presence_is_measured_in_seconds_whatever_the_size_of_the_picture(
    workspace: Workspace, http: httpx.AsyncClient
) -> None:
    device = await gate(workspace)
    found = await ask(http, "heat-map", device, *NIGHT)

    shapes.HeatMapStatistics.model_validate(found)
    seconds = {
        (column, row): value
        for row, values in enumerate(found["cells"])
        for column, value in enumerate(values)
        if value
    }
    assert seconds == {(10, 20): 7.0, (32, 20): 5.0, (59, 35): 20.0}
    assert (found["share"], found["points"]) == (1, 36)
    cars = await ask(http, "heat-map", device, *NIGHT, type="car")
    assert sum(map(sum, cars["cells"])) == 1.0

    device = await gate(workspace)
    found = await ask(http, "dwell", device, *NIGHT)

    shapes.DwellStatistics.model_validate(found)
    left, right = found["zones"]
    assert (left["visits"], left["medianSeconds"], left["p90Seconds"]) == (3, 1.0, 4.0)
    assert left["longestSeconds"] == 4.0
    assert found["histogramSeconds"][:4] == [1, 2, 5, 10]
    assert left["histogram"][:4] == [2, 1, 0, 0]
    # Feet on the lower edge are in a zone that is drawn to it.
    assert (right["visits"], right["longestSeconds"], right["cutVisits"]) == (1, 20.0, 0)
    first = await ask(http, "dwell", device, NIGHT[0], "2026-03-29T01:00:00Z")
    assert (first["zones"][1]["visits"], first["zones"][1]["cutVisits"]) == (0, 1)
    assert first["zones"][1]["medianSeconds"] is None


async def test_a_report_counts_people_crossings_and_alerts_with_their_reviews(
    workspace: Workspace,
) -> None:
    async with client_of(workspace, await make_key(workspace)) as http:
        (alert, *_) = (await http.get("/api/v1/alerts")).json()["data"]
        body = {"state": "dismissed", "reason": "送貨的人"}
        reviewed = await http.patch(f"/api/v1/alerts/{alert['id']}", json=body)
        assert reviewed.status_code == 200, reviewed.text
        query = {"from": NIGHT[0], "to": NIGHT[1], "lang": "zh-TW"}
        html = (await http.get("/api/report", params=query)).text

    rows = [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in re.findall(r"<tr.*?</tr>", html)]
    words = [[re.sub("<[^>]+>", " ", cell).strip() for cell in row] for row in rows]
    assert ["大門", "3", "2"] in words
    assert ["大門", "門線", "進入", "2"] in words
    assert ["大門", "門線", "離開", "1"] in words
    (last,) = [row for row in words if row and "送貨的人" in row[-1]]
    assert last[:3] == ["2026-03-29 03:20:00 +02:00", "大門", "警告"]
    assert last[-1].startswith("已排除")
    assert "evt_20260329_gate_0004" in last[3]


async def test_others_are_told_nothing(workspace: Workspace) -> None:
    await make_account(workspace, "elsewhere")
    device = await gate(workspace)
    period = {"startDate": NIGHT[0], "endDate": NIGHT[1]}
    async with client_of(workspace, await make_key(workspace, account="elsewhere")) as other:
        for what in ("people", "crossings", "events", "alerts"):
            answer = await other.get(f"/api/v1/statistics/{what}", params=period)
            assert answer.json()["data"]["series"] == answer.json()["data"]["devices"] == []
        for what in ("people", "crossings", "events", "alerts", "dwell", "heat-map"):
            query = {**period, "deviceId": device}
            address = f"/api/v1/statistics/{what}"
            assert (await other.get(address, params=query)).status_code == 404, what


async def test_periods_that_are_too_long_are_refused_by_field(
    workspace: Workspace, http: httpx.AsyncClient
) -> None:
    for end, field in (("2026-07-01", "endDate"), ("2026-05-01", "groupBy"), ("2026", "endDate")):
        answer = await http.get(
            "/api/v1/statistics/people", params={"startDate": "2026-03-28", "endDate": end}
        )
        assert answer.status_code == 400
        assert answer.json()["error"]["details"][0]["field"] == field
    answer = await http.get("/api/v1/statistics/heat-map", params={"startDate": "2026-03-28"})
    assert {one["field"] for one in answer.json()["error"]["details"]} == {"deviceId", "endDate"}
