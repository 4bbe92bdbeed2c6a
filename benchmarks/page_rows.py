"""A data directory with very many events that all have pictures, as the page meets them."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import numpy as np

from video_detective import config
from video_detective.geometry import NS_PER_S
from video_detective.media.pictures import encode_jpeg
from video_detective.narration.template import event_texts
from video_detective.rules import Actor, Event, Moment
from video_detective.services.workspace import Workspace, open_workspace
from video_detective.storage import CameraRow, RunKey, Step, StoredEvent
from video_detective.storage.dialects import FILE_NAME

START_NS = 1_768_435_200 * NS_PER_S
"""2026-01-15 00:00 UTC."""
DAY_NS = 86_400 * NS_PER_S
KINDS = (
    ("intrusion", "high"), ("loitering", "medium"), ("pacing", "low"),
    ("line_crossing", "critical"),
)  # fmt: skip
_CAMERA = """
  {id}:
    name: {name}
    timezone: Asia/Taipei
    zones:
      area: {{name: {area}, points: [[0.1, 0.4], [0.6, 0.4], [0.6, 0.9], [0.1, 0.9]]}}
    rules:
      - {{id: one, type: intrusion, zone: area}}
"""
_PLACES = (
    ("後門攝影機", "後門禁入區"), ("停車場", "車位"), ("大廳", "櫃檯"), ("倉庫", "貨架"),
    ("側門", "側門走道"), ("機房", "機房入口"), ("頂樓", "圍欄"), ("中庭", "草地"),
)  # fmt: skip


async def _rows(workspace: Workspace, count: int, cameras: int, days: int) -> None:
    text = "schema_version: 1\ncameras:\n" + "".join(
        _CAMERA.format(
            id=f"cam{n + 1:02d}",
            name=_PLACES[n % len(_PLACES)][0] + ("" if n < len(_PLACES) else f" {n + 1}"),
            area=_PLACES[n % len(_PLACES)][1],
        )
        for n in range(cameras)
    )
    document = config.parse(text, name="rules.yaml")
    draw = np.random.default_rng(20261122)
    # Not in the two hours that end each day.
    recorded_s = 22 * 3600
    nth_s = np.sort(draw.uniform(0, days * recorded_s, count))
    at_s = nth_s // recorded_s * 86_400 + nth_s % recorded_s
    for n in range(cameras):
        camera_id = f"cam{n + 1:02d}"
        camera = document.camera(camera_id)
        name = camera.name or camera_id
        scene = camera.scene(camera_id)
        row = CameraRow(
            camera_id=camera_id,
            name=name,
            timezone=camera.timezone,
            document=camera.model_dump(mode="json"),
        )
        await workspace.database.save_camera(row)
        key = RunKey(camera_id=camera_id, fingerprint=f"film {n}", settings_hash="s")
        run = await workspace.database.begin_run(key, {"name": "film.mp4"}, START_NS)
        spans = tuple(
            (START_NS + day * DAY_NS, START_NS + (day + 1) * DAY_NS - 7200 * NS_PER_S)
            for day in range(days)
        )
        stored: list[StoredEvent] = []
        for number in range(n, count, cameras):
            kind, risk = KINDS[int(draw.integers(len(KINDS)))]
            start_ns = START_NS + int(at_s[number] * NS_PER_S)
            end_ns = start_ns + int(draw.integers(3, 90)) * NS_PER_S
            event = Event(
                event_id=f"evt_{number:06d}_{camera_id}",
                camera_id=camera_id,
                type=kind,
                risk_level=risk,
                rule_id="one",
                start_ns=start_ns,
                established_ns=start_ns + NS_PER_S,
                end_ns=end_ns,
                frames=(number, number + 30),
                zone="area",
                actors=(Actor(track_id=f"p{number:05d}", type="person"),),
                moments=(
                    Moment(time_ns=start_ns, frame=number, what="entered", track_ids=()),
                    Moment(time_ns=end_ns, frame=number + 30, what="left", track_ids=()),
                ),
                facts={"dwell_s": (end_ns - start_ns) / NS_PER_S},
                parameters={"id": "one"},
            )
            words = event_texts(event, scene, camera_name=name)
            stored.append(
                StoredEvent(
                    event=event,
                    summary_zh=words.summary_zh,
                    summary_en=words.summary_en,
                    keywords_zh=words.keywords_zh,
                )
            )
        await workspace.database.commit_step(
            run, Step(checkpoint=b"1", events=stored, coverage=spans)
        )
        await workspace.database.finish_run(run, {})


def _pictures(workspace: Workspace) -> None:
    """One of 32 pictures for each event, plain and drawn on."""
    draw = np.random.default_rng(1)
    kept: list[tuple[str, int]] = []
    for _ in range(32):
        coarse = draw.integers(40, 220, (9, 16, 3), dtype=np.uint8)
        picture = encode_jpeg(np.repeat(np.repeat(coarse, 40, axis=0), 40, axis=1))
        kept.append((workspace.blobs.put(picture, ".jpg"), len(picture)))
    with sqlite3.connect(workspace.data_dir / FILE_NAME) as connection:
        events = connection.execute("SELECT event_id, camera_id, start_ns FROM events").fetchall()
        frames, evidence = [], []
        for number, (event_id, camera_id, start_ns) in enumerate(events):
            sha256, size = kept[number % len(kept)]
            frame_id = f"frm_{event_id}"
            frames.append((frame_id, camera_id, start_ns, number, 640, 360))
            evidence += [
                (event_id, kind, "entered", start_ns, number, sha256, size, frame_id)
                for kind in ("original", "annotated")
            ]
        connection.executemany(
            "INSERT INTO frames (frame_id, camera_id, time_ns, frame, width, height, view, cut,"
            " detections, summary_zh) VALUES (?, ?, ?, ?, ?, ?, '', 0, '[]', '')", frames,
        )  # fmt: skip
        connection.executemany(
            "INSERT INTO evidence (event_id, kind, what, time_ns, frame, sha256, media_type, bytes,"
            " width, height, frame_id) VALUES (?, ?, ?, ?, ?, ?, 'image/jpeg', ?, 640, 360, ?)",
            evidence,
        )  # fmt: skip


async def make(folder: Path, *, events: int, cameras: int = 8, days: int = 10) -> None:
    """Fill a new data directory.

    Args:
        folder: Which.
        events: How many.
        cameras: Of so many cameras, evenly.
        days: Over so many days, each with two hours without a recording.
    """
    async with open_workspace(folder) as workspace:
        await _rows(workspace, events, cameras, days)
        await asyncio.to_thread(_pictures, workspace)
