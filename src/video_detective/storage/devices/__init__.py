"""Devices and their scenes. See ``base``."""

from video_detective.storage.devices.base import (
    PLANS,
    DeviceChange,
    DeviceInfo,
    DevicePage,
    DeviceRow,
    Plan,
    ScenePage,
    SceneRow,
    SceneVersion,
    VersionPage,
)

__all__ = [
    "PLANS",
    "DeviceChange",
    "DeviceInfo",
    "DevicePage",
    "DeviceRow",
    "Plan",
    "ScenePage",
    "SceneRow",
    "SceneVersion",
    "VersionPage",
]
