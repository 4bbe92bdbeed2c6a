"""Many alerts and insights with plausible words, written as rows: for benchmarks and tests.

Run: python -m benchmarks.insight_rows DATA_DIR [--rows 200000] [--cameras 12]

Every insight has its alert and its event. About one in twenty waits for a model, one in fifty
failed; the others have one of a few hundred descriptions in Traditional Chinese. The same rows for
the same arguments, but for their ids.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import insert, select

from video_detective.geometry import NS_PER_S
from video_detective.storage import CameraRow
from video_detective.storage.database import Database
from video_detective.storage.dialects import Address
from video_detective.storage.ids import new_id
from video_detective.storage.insights.writing import words_of
from video_detective.storage.service_tables import ALERTS, DEVICES, INSIGHTS, SCENES
from video_detective.storage.tables import EVENTS

NAMES = ("入口攝影機", "後門攝影機", "停車場", "倉庫", "大廳", "收銀台", "卸貨區", "機房走廊",
         "電梯口", "圍籬東側", "圍籬西側", "頂樓")  # fmt: skip
TYPES = {
    "loitering": ("徘徊", "在{place}徘徊超過{n}分鐘", "dwell_s"),
    "intrusion": ("闖入", "進入{place}的管制區", "dwell_s"),
    "crowding": ("聚集", "共{n}人聚集在{place}", "count"),
    "abandoned_object": ("遺留物", "在{place}留下一個背包後離開", "duration_s"),
    "line_crossing": ("越線", "翻越{place}旁的圍籬", "count"),
    "metric": ("排隊等候", "{n}人在{place}排隊等候，隊伍較長", "count"),
}
WHO = ("一名男子", "一名女子", "兩名年輕人", "一名穿紅色上衣的人", "一名戴帽子的人", "數名顧客")
SUGGEST = ("增派服務人員", "派人查看", "調閱前後影像", "通知值班保全")
PLACES = ("入口", "後門", "停車場", "倉庫", "大廳", "收銀台")
BEGIN_NS = 1_767_225_600 * NS_PER_S
"""2026-01-01T00:00:00Z."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Whose rows they are.

    Args:
        account_id: Of all of them.
        cameras: Camera, device and scene id of each.
    """

    account_id: str
    cameras: Sequence[tuple[str, str, str | None]]


async def add_cameras(database: Database, count: int) -> None:
    """Cameras of the default account: ``bench-001`` and so on."""
    for number in range(count):
        name = NAMES[number % len(NAMES)]
        await database.save_camera(
            CameraRow(
                camera_id=f"bench-{number + 1:03d}",
                name=name if number < len(NAMES) else f"{name} {number + 1}",
                timezone="Asia/Taipei",
                document={"timezone": "Asia/Taipei", "name": name},
            )
        )


def fill(
    data_dir: Path,
    rows: int,
    *,
    url: str | None = None,
    days: int = 120,
    seed: int = 20261122,
) -> Site:
    """Write rows for the cameras ``bench-…``, which must be there.

    Args:
        data_dir, url: As of ``Database.open``; it is brought up to date by that.
        rows: How many insights.
        days: Over how long, from ``BEGIN_NS`` on.
        seed: Other rows for another one.
    """
    engine = Address.parse(data_dir, url).migration_engine(30.0)
    with engine.begin() as connection:
        own = select(DEVICES.c.camera_id, DEVICES.c.device_id, DEVICES.c.account_id)
        own = own.where(DEVICES.c.camera_id.startswith("bench-")).order_by(DEVICES.c.camera_id)
        devices = connection.execute(own).all()
        scenes = dict(connection.execute(select(SCENES.c.camera_id, SCENES.c.scene_id)).all())
        site = Site(
            account_id=devices[0].account_id,
            cameras=[(d.camera_id, d.device_id, scenes.get(d.camera_id)) for d in devices],
        )
        for batch in _batches(site, rows, days, seed):
            for table, values in zip((EVENTS, ALERTS, INSIGHTS), batch, strict=True):
                connection.execute(insert(table), values)
    engine.dispose()
    return site


def _batches(
    site: Site, rows: int, days: int, seed: int
) -> Iterator[tuple[list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]]]]:
    draw = np.random.default_rng(seed)
    step_ns = days * 86_400 * NS_PER_S // max(rows, 1)
    for first in range(0, rows, 5000):
        size = min(5000, rows - first)
        picked = draw.random((size, 6))
        made = [_row(site, first + n, step_ns, picked[n]) for n in range(size)]
        yield ([m[0] for m in made], [m[1] for m in made], [m[2] for m in made])


def _row(
    site: Site, number: int, step_ns: int, picked: Any
) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    camera, _, scene = site.cameras[int(picked[0] * len(site.cameras))]
    type_ = list(TYPES)[int(picked[1] * len(TYPES))]
    who = WHO[int(picked[2] * len(WHO))]
    count = 2 + int(picked[3] * 18)
    place = PLACES[int(picked[4] * len(PLACES))]
    time_ns = BEGIN_NS + number * step_ns
    created_ns = time_ns + NS_PER_S
    is_grave = picked[3] > 0.7
    severity = "critical" if is_grave else "warning"
    status = "pending" if picked[5] < 0.05 else "failed" if picked[5] < 0.07 else "completed"
    words = _words(camera, type_, who, count, place, is_grave) if status == "completed" else None
    event_id = f"evt_20260101_{camera}_{number + 1:06d}"
    alert_id, insight_id = new_id(created_ns), new_id(created_ns)
    event: dict[str, Any] = {
        "event_id": event_id, "camera_id": camera, "run_id": None, "type": type_,
        "risk_level": "high" if is_grave else "medium", "rule_id": "rule",
        "start_ns": time_ns, "established_ns": time_ns, "end_ns": time_ns + 30 * NS_PER_S,
        "first_frame": 0, "last_frame": 1, "zone": None, "tripwire": None,
        "actors": [], "moments": [], "facts": {}, "parameters": {}, "keywords_zh": [],
        "summary_zh": TYPES[type_][0], "summary_en": type_,
    }  # fmt: skip
    shared = {
        "alert_id": alert_id, "account_id": site.account_id, "camera_id": camera,
        "scene_id": scene, "event_id": event_id, "severity": severity, "triggered_ns": time_ns,
        "created_ns": created_ns, "request_id": "bench",
    }  # fmt: skip
    alert = {
        **shared, "alert_rule": "every-event",
        "kind": "metric" if type_ == "metric" else "event",
        "metric_path": f"zones.yard.{type_}.{TYPES[type_][2]}", "operator": "GT",
        "threshold": 10.0, "actual_value": 10.0 + count,
        "message": f"{type_} exceeded threshold: {10 + count} > 10",
    }  # fmt: skip
    picture = {"sha256": f"{number:064x}", "original": f"{number:064x}",
               "frameId": f"{camera}_{number}", "timeNs": time_ns}  # fmt: skip
    has_attributes = bool(words) and picked[5] > 0.6
    insight = {
        **shared, "insight_id": insight_id, "updated_ns": created_ns, "is_hidden": False,
        "language": "zh-TW", "vlm_status": status, "described_by": "model" if words else None,
        "level": "frames" if words else None, "reason": None, "flags": [],
        "vlm_requested_ns": created_ns, "vlm_completed_ns": created_ns if words else None,
        "vlm_error": "模型伺服器沒有回應，請檢查連線" if status == "failed" else None,
        "input_tokens": 900 if words else None, "output_tokens": 120 if words else None,
        "usage": {}, "raw_text": None, "snapshots": [picture] * 3,
        "has_attributes": has_attributes,
        "attributes_summary": {
            "totalPersons": count, "genderDistribution": {"female": count // 2, "male": count // 2},
        } if has_attributes else None,
        "node_id": None, "attempts": 1, "worker": None,
        **(words or words_of(camera, None)),
    }  # fmt: skip
    return event, alert, insight


@cache
def _words(
    camera: str, type_: str, who: str, count: int, place: str, is_grave: bool
) -> dict[str, Any]:
    activity, doing, _ = TYPES[type_]
    return words_of(
        camera,
        {
            "summary": f"畫面中可見{who}{doing.format(place=place, n=count)}，"
            f"風險等級{'高' if is_grave else '中等'}。",
            "personCount": count,
            "riskLevel": "high" if is_grave else "medium",
            "activities": [activity],
            "suggestions": [SUGGEST[count % len(SUGGEST)]],
            "environment": f"{place}附近，白天",
        },
    )


async def make(data_dir: Path, rows: int, cameras: int, *, url: str | None = None) -> Site:
    """A data directory with cameras and rows; the rows are added to what is there."""
    async with await Database.open(data_dir, url) as database:
        await add_cameras(database, cameras)
    return await asyncio.to_thread(fill, data_dir, rows, url=url)


def main() -> None:
    """Fill a data directory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data_dir", type=Path)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--cameras", type=int, default=12)
    asked = parser.parse_args()
    site = asyncio.run(make(asked.data_dir, asked.rows, asked.cameras))
    print(f"{asked.rows} insights of account {site.account_id}")


if __name__ == "__main__":
    main()
