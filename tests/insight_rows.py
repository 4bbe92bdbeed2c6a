"""Insights as rows, for tests of how they are listed."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.engine import Engine

from video_detective.storage.dialects import Address
from video_detective.storage.ids import new_id
from video_detective.storage.insights.writing import words_of
from video_detective.storage.reach import Reach
from video_detective.storage.service_tables import (
    ACCOUNTS,
    ALERTS,
    DEVICES,
    INSIGHTS,
    SCENES,
)
from video_detective.storage.tables import CAMERAS, EVENTS

SECOND = 1_000_000_000
_numbers = itertools.count(1)


@dataclass
class Account:
    """An account whose rows are written directly.

    Args:
        engine: Of its database.
    """

    engine: Engine
    account_id: str = field(default_factory=lambda: new_id(1))
    cameras: list[dict[str, str]] = field(default_factory=list)

    @classmethod
    def make(cls, data_dir: Path, url: str | None, *, cameras: int = 3) -> Account:
        """A new account in a database that is up to date, with cameras and a scene of each."""
        account = cls(Address.parse(data_dir, url).migration_engine(30.0))
        with account.engine.begin() as connection:
            connection.execute(
                insert(ACCOUNTS).values(
                    account_id=account.account_id, name=account.account_id, timezone="Asia/Taipei",
                    language="zh-TW", is_default=False, created_ns=1,
                )
            )  # fmt: skip
            for n in range(cameras):
                ids = {
                    "camera_id": f"cam-{new_id(1)[-12:]}", "device_id": new_id(1),
                    "scene_id": new_id(1),
                }  # fmt: skip
                connection.execute(
                    insert(CAMERAS).values(
                        camera_id=ids["camera_id"], name=f"camera {n}", timezone="Asia/Taipei",
                        document={},
                    )
                )  # fmt: skip
                connection.execute(
                    insert(DEVICES).values(
                        device_id=ids["device_id"], account_id=account.account_id,
                        camera_id=ids["camera_id"], plan="LEVEL_01", tags=[], source="",
                        wanted=False, created_ns=1, updated_ns=1,
                    )
                )  # fmt: skip
                connection.execute(
                    insert(SCENES).values(
                        scene_id=ids["scene_id"], account_id=account.account_id,
                        camera_id=ids["camera_id"], name=f"scene {n}", version=1, created_ns=1,
                        updated_ns=1,
                    )
                )  # fmt: skip
                account.cameras.append(ids)
        return account

    @property
    def reach(self) -> Reach:
        return Reach(account_id=self.account_id)

    def add(self, *rows: dict[str, Any]) -> list[str]:
        """Write insights; returns their ids.

        Each row has ``camera`` (its number) and ``time_s``, and may have ``severity``, ``status``,
        ``summary`` ("" for none), ``risk``, ``has_attributes``, ``hidden``, ``type``.
        """
        events, alerts, insights = [], [], []
        for row in rows:
            camera = self.cameras[row["camera"]]
            time_ns = row["time_s"] * SECOND
            event_id = f"evt_20260101_{camera['camera_id']}_{next(_numbers):06d}"
            events.append({
                "event_id": event_id, "camera_id": camera["camera_id"], "run_id": None,
                "type": row.get("type", "intrusion"), "risk_level": "high", "rule_id": "rule",
                "start_ns": time_ns, "established_ns": time_ns, "end_ns": time_ns + SECOND,
                "first_frame": 0, "last_frame": 1, "zone": None, "tripwire": None, "actors": [],
                "moments": [], "facts": {}, "parameters": {}, "keywords_zh": [],
                "summary_zh": "", "summary_en": "",
            })  # fmt: skip
            shared = {
                "alert_id": new_id(time_ns), "account_id": self.account_id,
                "camera_id": camera["camera_id"], "scene_id": camera["scene_id"],
                "event_id": event_id, "severity": row.get("severity", "warning"),
                "triggered_ns": time_ns, "created_ns": time_ns, "request_id": "req",
            }  # fmt: skip
            alerts.append({
                **shared, "alert_rule": "r", "kind": "event", "metric_path": "zones.a.b",
                "operator": "GT", "threshold": 1.0, "actual_value": 2.0, "message": "2 > 1",
            })  # fmt: skip
            summary = row.get("summary", "")
            result = {"summary": summary, "riskLevel": row.get("risk", "low")} if summary else None
            insights.append({
                **shared, "insight_id": new_id(time_ns), "updated_ns": time_ns,
                "is_hidden": row.get("hidden", False), "language": "zh-TW",
                "vlm_status": row.get("status", "completed"), "flags": [], "usage": {},
                "snapshots": [], "has_attributes": row.get("has_attributes", False),
                "attempts": 0, **words_of(camera["camera_id"], result),
            })  # fmt: skip
        with self.engine.begin() as connection:
            for table, made in ((EVENTS, events), (ALERTS, alerts), (INSIGHTS, insights)):
                if made:
                    connection.execute(insert(table), made)
        return [row["insight_id"] for row in insights]

    def rows(self) -> list[dict[str, Any]]:
        """Every insight of the account, as it is stored."""
        query = select(INSIGHTS).where(INSIGHTS.c.account_id == self.account_id)
        with self.engine.connect() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]
