"""A rendered clip, analysed: the records of a device that has attributes."""

import threading
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from tests.attribute_models import write_attribute_model

from video_detective.config import Camera
from video_detective.errors import WeightsError
from video_detective.geometry import NS_PER_S
from video_detective.pipeline import worker
from video_detective.services.analysis import Request, analyze
from video_detective.services.node import node_id
from video_detective.services.workspace import Workspace, open_workspace
from video_detective.storage import CameraRow
from video_detective.storage.attributes.base import AttributeQuery, AttributeRow
from video_detective.storage.devices import DeviceChange, Plan

WIDTH, HEIGHT, FPS, SECONDS = 320, 240, 10, 26
START = "2026-02-25T10:00:00Z"
START_NS = 1_772_013_600 * NS_PER_S


def write_walk(path: Path) -> Path:
    """Somebody in red walks to and fro from the fifth second on."""
    rng = np.random.default_rng(5)
    floor = rng.integers(120, 150, (HEIGHT, WIDTH, 3)).astype(np.uint8)
    with av.open(path, "w") as output:
        stream = output.add_stream("libx264", rate=FPS, options={"crf": "18"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for number in range(SECONDS * FPS):
            image = floor.copy()
            if number >= 5 * FPS:
                left = 30 + abs((number * 3) % 440 - 220)
                image[80:95, left + 10 : left + 25] = (120, 150, 190)
                image[95:140, left : left + 35] = (30, 30, 180)
                image[140:185, left + 3 : left + 32] = (60, 40, 35)
            frame = av.VideoFrame.from_ndarray(image, "bgr24").reformat(format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_walk(tmp_path_factory.mktemp("walk") / "walk.mp4")


def camera(**attributes: Any) -> Camera:
    return Camera.model_validate(
        {"timezone": "UTC", "detection": {"detector": "motion"}, "attributes": attributes}
    )


async def run(
    workspace: Workspace,
    walk: Path,
    document: Camera,
    *,
    plan: Plan = "LEVEL_02",
    stop_after_s: float | None = None,
) -> dict[str, Any]:
    await workspace.database.save_camera(
        CameraRow(
            camera_id="cam01",
            name="cam01",
            timezone="UTC",
            document=document.model_dump(mode="json"),
        )
    )
    device = await workspace.database.devices.of_camera(None, "cam01")
    assert device is not None
    await workspace.database.devices.change(
        None, device.device_id, DeviceChange(plan=plan), now_ns=START_NS, entry=None
    )
    stop = threading.Event()

    def tell(progress: worker.Progress) -> None:
        if stop_after_s is not None and progress.pts_ns > stop_after_s * NS_PER_S:
            stop.set()

    request = Request(source=str(walk), camera_id="cam01", camera=document, start=START)
    return await analyze(workspace, request, stop=stop, on_progress=tell)


async def records(workspace: Workspace) -> list[AttributeRow]:
    page = await workspace.database.attributes.page(AttributeQuery(reach=None), limit=100)
    return list(page.rows)[::-1]


def facts(rows: list[AttributeRow]) -> list[Any]:
    return [(row.captured_ns, row.total_persons, row.attributes, row.source) for row in rows]


async def test_a_person_in_red_is_recorded_every_so_many_seconds(
    walk: Path, tmp_path: Path
) -> None:
    async with open_workspace(tmp_path) as workspace:
        await run(workspace, walk, camera(every_s=5))

        rows = await records(workspace)

        # The motion detector now and then takes one person for two.
        assert {row.total_persons for row in rows} <= {1, 2}
        assert 4 <= len(rows) <= 5
        steps = np.diff([row.captured_ns for row in rows]) / NS_PER_S
        assert ((steps >= 5) & (steps < 6)).all()
        assert rows[0].captured_ns >= START_NS + 5 * NS_PER_S
        # Where the shirt is seen well it is red; where it is not, nothing is claimed.
        assert sum(row.attributes.upper_red == 1 for row in rows) >= len(rows) - 1
        assert rows[0].attributes.female is None
        assert rows[0].node_id == node_id(workspace)


async def test_a_device_without_the_plan_records_nothing_until_it_has_it(
    walk: Path, tmp_path: Path
) -> None:
    async with open_workspace(tmp_path) as workspace:
        await run(workspace, walk, camera(every_s=5), plan="LEVEL_01")
        assert await records(workspace) == []

        report = await run(workspace, walk, camera(every_s=5))

        assert report["status"] == "done"
        assert len(await records(workspace)) >= 4


async def test_every_zero_seconds_records_nothing(walk: Path, tmp_path: Path) -> None:
    async with open_workspace(tmp_path) as workspace:
        await run(workspace, walk, camera(every_s=0))

        assert await records(workspace) == []


async def test_an_analysis_that_was_stopped_goes_on_to_the_same_records(
    walk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "STEP_LOOKS", 7)
    monkeypatch.setattr(worker, "TELL_S", 0.0)
    async with open_workspace(tmp_path / "whole") as workspace:
        await run(workspace, walk, camera(every_s=3))
        whole = facts(await records(workspace))
    async with open_workspace(tmp_path / "pieces") as workspace:
        for seconds in (7.5, 13.2, 21.0):
            report = await run(workspace, walk, camera(every_s=3), stop_after_s=seconds)
            assert report["status"] == "interrupted"
        await run(workspace, walk, camera(every_s=3))

        assert facts(await records(workspace)) == whole
        assert len(whole) >= 6


async def test_other_settings_replace_the_records_of_the_same_footage(
    walk: Path, tmp_path: Path
) -> None:
    async with open_workspace(tmp_path) as workspace:
        await run(workspace, walk, camera(every_s=2))
        often = len(await records(workspace))

        await run(workspace, walk, camera(every_s=7))

        assert often >= 9
        assert len(await records(workspace)) == 3


async def test_an_onnx_model_tells_the_rest_and_pixels_the_colours(
    walk: Path, tmp_path: Path
) -> None:
    model = write_attribute_model(tmp_path / "person.onnx", {"Female", "Age18-60", "Hat", "Side"})
    async with open_workspace(tmp_path / "data") as workspace:
        await run(workspace, walk, camera(every_s=5, model=str(model)))

        row = (await records(workspace))[0]

        assert row.source == "onnx"
        told, all_ = row.attributes, row.total_persons
        assert (told.female, told.male, told.age18_to60, told.age_over60) == (all_, 0, all_, 0)
        assert (told.side, told.front, told.hat, told.boots) == (all_, 0, all_, 0)


async def test_a_model_that_is_none_is_told_before_anything_is_stored(
    walk: Path, tmp_path: Path
) -> None:
    async with open_workspace(tmp_path) as workspace:
        with pytest.raises(WeightsError, match=r"absent\.onnx"):
            await run(workspace, walk, camera(every_s=5, model=str(tmp_path / "absent.onnx")))

        assert await workspace.database.runs() == []
