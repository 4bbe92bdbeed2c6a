"""An event that lasts long costs no more than a short one."""

import threading
from pathlib import Path
from typing import Any

import pytest
from tests.videos import write_video

from video_detective.config import Camera
from video_detective.services.analysis import Request, analyze
from video_detective.services.workspace import open_workspace
from video_detective.storage import EventQuery, PointRow
from video_detective.storage.database import Database

CAMERA = {
    "detection": {"detector": "motion", "classes": ["person", "car", "object"]},
    "zones": {"all": {"name": "全區", "points": [[0, 0], [1, 0], [1, 1], [0, 1]]}},
    "rules": [
        {
            "id": "few",
            "type": "metric",
            "metric": "zones.all.count",
            "operator": "LT",
            "threshold": 99,
            "for_seconds": 0,
        }
    ],
}


async def test_evidence_asks_only_for_the_tracks_near_its_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked_ns = []
    of_database = Database.track_points

    async def track_points(
        self: Database, camera: str, since_ns: int, until_ns: int, **options: Any
    ) -> list[PointRow]:
        asked_ns.append(until_ns - since_ns)
        return await of_database(self, camera, since_ns, until_ns, **options)

    monkeypatch.setattr(Database, "track_points", track_points)
    video = write_video(tmp_path / "long.mp4", frames=400)
    request = Request(source=str(video), camera_id="c", camera=Camera.model_validate(CAMERA))

    async with open_workspace(tmp_path / "data") as workspace:
        await analyze(workspace, request, stop=threading.Event())
        (found,) = (await workspace.database.events(EventQuery())).events

    assert found.event.end_ns is not None
    assert found.event.end_ns - found.event.start_ns > 30 * 10**9
    assert {row.kind for row in found.evidence} == {"original", "annotated", "clip"}
    assert asked_ns
    assert max(asked_ns) < 2 * 10**9
