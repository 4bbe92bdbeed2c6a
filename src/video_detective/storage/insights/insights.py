"""``Database.insights``: alerts and insights of an open database."""

from __future__ import annotations

from video_detective.storage.insights.worker import InsightWork


class Insights(InsightWork):
    """Alerts and insights: how they are made is in ``writing``, worked on in ``worker``."""
