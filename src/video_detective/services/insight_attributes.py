"""Attributes by the model that describes alerts, of devices that have the plan and no own model."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np

from video_detective.attributes import AttributeRecord, Attributes
from video_detective.attributes.base import merged
from video_detective.attributes.colour import Box, count_colours
from video_detective.config import Camera
from video_detective.errors import ModelError
from video_detective.geometry import Image
from video_detective.insights.attributes import AskedAttributes, ask_attributes
from video_detective.narration.budget import Spent
from video_detective.narration.pictures import shrunk
from video_detective.pipeline.clock import now_ns
from video_detective.services.node import node_id
from video_detective.services.telling import Teller
from video_detective.services.workspace import Workspace
from video_detective.storage.insights.base import InsightClaim

LONGEST = 1280
"""Of a picture's sides: bags and glasses are small."""
_log = logging.getLogger(__name__)


async def record_attributes(
    workspace: Workspace, teller: Teller, claim: InsightClaim
) -> AskedAttributes | None:
    """Ask about the snapshot nearest to the trigger, and store the record.

    The alert's description does not depend on it: a model that gives nothing usable is noted in
    the log, and the record has the colours that were measured.

    Returns:
        What was said; None when nothing was asked: the device's plan has no attributes, it has a
        model of its own, nobody is in view, or the hour's budget is spent.
    """
    if not await _is_wanted(workspace, claim.camera_id):
        return None
    if await teller.calls_left(claim.camera_id) < 1:
        return None
    nearest = sorted(claim.snapshots, key=lambda one: abs(one.time_ns - claim.triggered_ns))
    for snapshot in nearest:
        row = await workspace.database.frame(snapshot.frame_id)
        path = workspace.blobs.path(snapshot.original, ".jpg")
        read = await asyncio.to_thread(cv2.imread, str(path), cv2.IMREAD_COLOR)
        persons = [] if row is None else _persons(row.detections)
        if read is None or not persons:
            continue
        picture: Image = np.asarray(read, np.uint8)
        asked = AskedAttributes(attributes=Attributes(), completion=None)
        spent = Spent(time_ns=now_ns(), camera_id=claim.camera_id, calls=1)
        try:
            with teller.spending(spent):
                asked = await ask_attributes(
                    teller.client.complete,
                    [shrunk(picture, LONGEST)],
                    len(persons),
                    claim.language,
                    teller.settings.model,
                )
        except ModelError as error:
            _log.warning("attributes of insight %s: %s", claim.insight_id, error.message)
        colours = await asyncio.to_thread(count_colours, picture, persons)
        record = AttributeRecord(
            captured_ns=snapshot.time_ns,
            total_persons=len(persons),
            attributes=merged(Attributes(**colours), asked.attributes),
            source="colour" if asked.completion is None else "vlm",
        )
        await workspace.database.attributes.add(
            claim.event_id, record, node_id=node_id(workspace), stored_ns=now_ns()
        )
        return asked
    return None


def with_attributes(usage: Mapping[str, Any], asked: AskedAttributes) -> dict[str, Any]:
    """What describing an alert took, with what asking for attributes took: budgets count calls."""
    completion = asked.completion
    return {
        **usage,
        "calls": usage.get("calls", 0) + 1,
        "attributes": {
            "prompt_tokens": None if completion is None else completion.prompt_tokens,
            "completion_tokens": None if completion is None else completion.completion_tokens,
        },
    }


async def _is_wanted(workspace: Workspace, camera_id: str) -> bool:
    device = (await workspace.places()).device(camera_id)
    if device is None or device.plan != "LEVEL_02":
        return False
    rows = await workspace.database.cameras()
    document = next((row.document for row in rows if row.camera_id == camera_id), None)
    settings = Camera.model_validate(document or {}).attributes
    return settings.every_s > 0 and settings.model is None


def _persons(detections: object) -> list[Box]:
    """Boxes of the persons tracked in a stored frame."""
    found: list[Box] = []
    for record in detections if isinstance(detections, list | tuple) else ():
        if record["type"] == "person":
            x1, y1, x2, y2 = (float(value) for value in record["bbox"])
            found.append((x1, y1, x2, y2))
    return found
