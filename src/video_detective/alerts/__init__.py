"""Alerts: which events are to be told at once, and how they are told."""

from video_detective.alerts.base import DEFAULT_ALERT_RULE, Alert, AlertRule

__all__ = ["DEFAULT_ALERT_RULE", "Alert", "AlertRule"]
