"""Attributes asked of the model that describes alerts, over a real model server."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from tests.integration.test_insight_worker import DOCUMENT, SAID, alert, rows, said, workspace
from tests.servers.llm import LlmServer
from tests.servers.llm_protocol import Ask, Model

from video_detective.config.base import AttributeSettings
from video_detective.geometry import NS_PER_S
from video_detective.services.narration import narrate
from video_detective.services.workspace import Workspace
from video_detective.storage import CameraRow
from video_detective.storage.attributes.base import AttributeQuery, AttributeRow
from video_detective.storage.devices import DeviceChange, Plan


def is_about_attributes(ask: Ask) -> bool:
    return "skirtDress" in json.dumps(ask.schema or "") + ask.text


def telling(counts: Any) -> LlmServer:
    """A server whose model describes alerts, and counts attributes like this."""
    describe = said(SAID)
    return LlmServer(
        answer=lambda ask: counts if is_about_attributes(ask) else describe(ask),
        models=[Model(name="eyes")],
    )


async def give_plan(opened: Workspace, plan: Plan, **attributes: Any) -> None:
    document = DOCUMENT.model_copy(update={"attributes": AttributeSettings(**attributes)})
    await opened.database.save_camera(
        CameraRow(
            camera_id="cam01",
            name=DOCUMENT.name,
            timezone="Asia/Taipei",
            document=document.model_dump(mode="json"),
        )
    )
    device = await opened.database.devices.of_camera(None, "cam01")
    assert device is not None
    await opened.database.devices.change(
        None, device.device_id, DeviceChange(plan=plan), now_ns=NS_PER_S, entry=None
    )


async def records(opened: Workspace) -> list[AttributeRow]:
    page = await opened.database.attributes.page(AttributeQuery(reach=None), limit=10)
    return list(page.rows)


async def test_the_model_tells_what_pixels_do_not_and_the_insight_says_so(tmp_path: Path) -> None:
    counts = {"female": 1, "male": 0, "backpack": 1, "hat": 9, "upperPurple": 1}
    with telling(counts) as server:
        async with workspace(tmp_path / "data", server) as opened:
            await alert(opened)
            await give_plan(opened, "LEVEL_02")
            await narrate(opened, stop=asyncio.Event())

            (row,) = await records(opened)
            (insight,) = await rows(opened)

    assert insight["vlm_status"] == "completed"
    assert insight["attributes_summary"] == {
        "totalPersons": 1,
        "genderDistribution": {"female": 1, "male": 0},
    }
    assert insight["usage"]["calls"] == 2
    assert (row.source, row.total_persons) == ("vlm", 1)
    told = row.attributes
    assert (told.female, told.male, told.backpack) == (1, 0, 1)
    assert told.hat is None
    assert told.boots is None


@pytest.mark.parametrize(("plan", "settings"), [("LEVEL_01", {}), ("LEVEL_02", {"every_s": 0})])
async def test_without_the_plan_or_when_switched_off_nobody_is_asked(
    tmp_path: Path, plan: Plan, settings: dict[str, Any]
) -> None:
    with telling({"female": 1}) as server:
        async with workspace(tmp_path / "data", server) as opened:
            await alert(opened)
            await give_plan(opened, plan, **settings)
            await narrate(opened, stop=asyncio.Event())

            assert await records(opened) == []
        assert not any(is_about_attributes(ask) for ask in server.asks)
