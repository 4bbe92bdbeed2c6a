"""Reports: bars that suit the period, on the camera's wall clock, also when clocks change."""

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from video_detective.config import Camera
from video_detective.errors import UsageError
from video_detective.rules import Event
from video_detective.services.report import make_report
from video_detective.services.times import parse_time
from video_detective.services.workspace import Workspace, open_workspace
from video_detective.storage import CameraRow, StoredEvent

BERLIN = "Europe/Berlin"


def event(number: int, at: str) -> StoredEvent:
    start_ns = parse_time(at, ZoneInfo(BERLIN), what="at")
    return StoredEvent(
        event=Event(
            event_id=f"evt_20260101_cam9_{number:04d}",
            camera_id="cam9",
            type="intrusion",
            risk_level="high",
            rule_id="r",
            start_ns=start_ns,
            established_ns=start_ns,
            end_ns=start_ns,
            frames=(0, 0),
        ),
        summary_zh="有人<b>進入</b>",
    )


async def filled(workspace: Workspace, *times: str) -> None:
    document = Camera(timezone=BERLIN).model_dump(mode="json")
    await workspace.database.save_camera(
        CameraRow(camera_id="cam9", name="後門", timezone=BERLIN, document=document)
    )
    await workspace.database.import_events([event(n, at) for n, at in enumerate(times, 1)])


async def bars(tmp_path: Path, since: str, until: str, *times: str) -> dict[str, int]:
    async with open_workspace(tmp_path) as workspace:
        await filled(workspace, *times)
        _, figures = await make_report(workspace, since=since, until=until)
    return {bar["label"]: bar["count"] for bar in figures["over_time"]}


async def test_an_hour_is_shown_by_five_minutes(tmp_path: Path) -> None:
    found = await bars(
        tmp_path, "2026-01-05T10:02", "2026-01-05T11:00", "2026-01-05T10:04", "2026-01-05T10:59"
    )
    assert list(found)[:2] == ["10:00", "10:05"]
    assert (found["10:00"], found["10:55"], sum(found.values())) == (1, 1, 2)


async def test_the_night_the_clocks_go_back_has_twenty_five_hours(tmp_path: Path) -> None:
    async with open_workspace(tmp_path) as workspace:
        await filled(workspace, "2026-10-25T02:30+02:00", "2026-10-25T02:30+01:00")
        _, figures = await make_report(workspace, since="2026-10-25", until="2026-10-26")
    labels = [bar["label"] for bar in figures["over_time"]]
    assert len(labels) == 25
    assert labels[:5] == ["00:00", "01:00", "02:00", "02:00", "03:00"]
    assert [bar["count"] for bar in figures["over_time"]][2:4] == [1, 1]


async def test_a_month_is_shown_by_local_days_across_the_change(tmp_path: Path) -> None:
    found = await bars(tmp_path, "2026-10-20", "2026-10-30", "2026-10-25T23:30", "2026-10-26T00:10")
    assert list(found) == [f"10-{day}" for day in range(20, 30)]
    assert (found["10-25"], found["10-26"]) == (1, 1)


async def test_names_in_a_report_are_text_and_never_markup(tmp_path: Path) -> None:
    async with open_workspace(tmp_path) as workspace:
        await filled(workspace, "2026-01-05T10:04")
        html, figures = await make_report(workspace, since="2026-01-05", until="2026-01-06")
    assert figures["total"] == 1
    assert "有人&lt;b&gt;進入" in html
    assert "<b>" not in html


async def test_a_period_that_ends_before_it_begins_is_refused(tmp_path: Path) -> None:
    async with open_workspace(tmp_path) as workspace:
        with pytest.raises(UsageError, match="is empty"):
            await make_report(workspace, since="2026-01-06", until="2026-01-05")
