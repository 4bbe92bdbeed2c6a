"""What an alert says, in English (that of the API) and in Chinese as written in Taiwan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from video_detective.alerts.base import Operator

Language = Literal["zh-TW", "en"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """A number that alerts show.

    Args:
        en, zh: What it is called.
        unit_en, unit_zh: Behind the number; "" for a count.
    """

    en: str
    zh: str
    unit_en: str = ""
    unit_zh: str = ""


QUANTITIES: Mapping[str, Quantity] = {
    # Of metric rules; the last part of their path.
    "count": Quantity(en="Number present", zh="在場數量"),
    "queue_length": Quantity(en="Queue length", zh="排隊人數"),
    "max_dwell_s": Quantity(en="Longest stay", zh="最長停留時間", unit_en=" s", unit_zh=" 秒"),
    "mean_dwell_s": Quantity(en="Mean stay", zh="平均停留時間", unit_en=" s", unit_zh=" 秒"),
    "left_to_right": Quantity(en="Crossings left to right", zh="由左至右越線次數"),
    "right_to_left": Quantity(en="Crossings right to left", zh="由右至左越線次數"),
    # Of other rules; the last two parts.
    "line_crossing.count": Quantity(en="Line crossings", zh="越線次數"),
    "intrusion.dwell_s": Quantity(en="Intrusion time", zh="闖入時間", unit_en=" s", unit_zh=" 秒"),
    "loitering.dwell_s": Quantity(en="Loitering time", zh="停留時間", unit_en=" s", unit_zh=" 秒"),
    "pacing.crossings": Quantity(en="Passes to and fro", zh="來回次數"),
    "abandoned_object.alone_s": Quantity(
        en="Time an object was left alone", zh="物品無人看管時間", unit_en=" s", unit_zh=" 秒"
    ),
    "crowding.count": Quantity(en="People in a crowd", zh="群聚人數"),
    "speed.peak_speed_px_s": Quantity(en="Speed", zh="速度", unit_en=" px/s", unit_zh=" 像素／秒"),
    "wrong_way.angle_deg": Quantity(
        en="Angle to the allowed direction", zh="與規定方向的夾角", unit_en="°", unit_zh=" 度"
    ),
    "post_left.absent_s": Quantity(
        en="Time a post was left", zh="離崗時間", unit_en=" s", unit_zh=" 秒"
    ),
    "camera_tampered.duration_s": Quantity(
        en="Time the view was impaired", zh="畫面異常時間", unit_en=" s", unit_zh=" 秒"
    ),
    "events": Quantity(en="Events", zh="事件數"),
}
"""By what a path ends with; the longer ending counts."""

_ENGLISH: Mapping[Operator, tuple[str, str]] = {
    "GT": ("exceeded threshold", ">"),
    "GTE": ("reached threshold", ">="),
    "LT": ("fell below threshold", "<"),
    "LTE": ("fell to threshold", "<="),
    "EQ": ("equals threshold", "="),
}
_CHINESE: Mapping[Operator, tuple[str, str]] = {
    "GT": ("超過門檻", "＞"),
    "GTE": ("達到門檻", "≧"),
    "LT": ("低於門檻", "＜"),
    "LTE": ("降至門檻", "≦"),
    "EQ": ("等於門檻", "＝"),
}


def message(
    metric_path: str,
    operator: Operator,
    threshold: float,
    actual_value: float,
    *,
    language: Language,
) -> str:
    """One line.

    >>> message("zones.hall.queue_length", "GT", 10, 15, language="en")
    'Queue length exceeded threshold: 15 > 10'
    >>> message("zones.hall.queue_length", "GT", 10, 15, language="zh-TW")
    '排隊人數超過門檻：15 ＞ 10'
    """
    *place, kind, name = metric_path.split(".")
    # Metric rules have paths like zones.hall.count; a zone may well be called "crowding".
    is_metric = len(place) == 1 and place[0] in ("zones", "tripwires")
    keys = (name,) if is_metric else (f"{kind}.{name}", name)
    known = [QUANTITIES[key] for key in keys if key in QUANTITIES]
    quantity = known[0] if known else Quantity(en=name, zh=name)
    if language == "zh-TW":
        verb, sign = _CHINESE[operator]
        unit, said = quantity.unit_zh, f"{quantity.zh}{verb}："
    else:
        verb, sign = _ENGLISH[operator]
        # A metric rule words its own alerts without units, as its events do.
        unit, said = "" if is_metric else quantity.unit_en, f"{quantity.en} {verb}: "
    return f"{said}{_number(actual_value)}{unit} {sign} {_number(threshold)}{unit}"


def _number(value: float) -> str:
    """Whole numbers without a decimal point, others with three decimals at most."""
    return str(int(value)) if value == int(value) else str(round(value, 3))
