"""Facts beside what a rule asked for."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest
from tests.told_scenes import intrusion

from video_detective.narration.catalogue import LANGUAGES, catalogue
from video_detective.narration.measures import asked, fact_name, measured, measures
from video_detective.rules import Event

ZONE = ZoneInfo("Asia/Taipei")


def told(event: Event) -> dict[str, tuple[str, str]]:
    return {
        fact_name(item.key, "zh-TW"): (
            measured(item, "zh-TW", ZONE), asked(item, "zh-TW", ZONE),
        )
        for item in measures(event)
    }  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "facts", "parameters", "expected"),
    [
        ("loitering", {"dwell_s": 25.04, "window_speed_px_s": 8.2},
         {"min_seconds": {"person": 20.0, "car": 60.0}, "max_speed": 0.02, "max_speed_px_s": 15.0},
         {"停留時間": ("25 秒", "至少 20 秒"), "停留期間速度": ("8.2 像素/秒", "不超過 14.4 像素/秒")}),
        ("metric", {"metricPath": "zones.q.max_dwell_s", "operator": "LTE", "threshold": 90,
                    "actualValue": 75, "message": "…"}, {"threshold": 90.0},
         {"判定時的數值": ("1 分 15 秒", "不超過 1 分 30 秒")}),
        ("wrong_way", {"angle_deg": 170.0, "distance_px": 120.0, "owner_track_id": None},
         {"tolerance_deg": 100.0, "min_distance": 0.1},
         {"偏離允許方向": ("170 度", "大於 100 度"), "移動距離": ("120 像素", "至少 72 像素")}),
        ("abandoned_object", {"object_type": "backpack", "placed_at": "2026-01-15T14:00:10.200Z"},
         {}, {"物品類別": ("背包", ""), "放下時刻": ("2026-01-15 22:00:10", "")}),
        ("camera_tampered", {"kinds": ["dark", "shifted"], "duration_s": 3.0}, {"min_seconds": 2.0},
         {"異常情形": ("畫面全暗、視角偏移", ""), "持續時間": ("3 秒", "至少 2 秒")}),
        ("intrusion", {"imported": True, "record": {"a": 1}}, {}, {}),
    ],
)  # fmt: skip
def test_a_fact_is_told_with_its_unit_and_its_limit(
    kind: str, facts: dict[str, Any], parameters: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert told(intrusion(type=kind, facts=facts, parameters=parameters)) == expected


def test_every_fact_has_a_name_in_both_languages() -> None:
    names = [set(catalogue(language)["facts"]) for language in LANGUAGES]
    assert names[0] == names[1]
