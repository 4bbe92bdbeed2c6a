"""``Database.insights``: alerts and insights of an open database."""

from __future__ import annotations

from typing import Literal

from video_detective.storage.insights.listing import InsightLists, Open
from video_detective.storage.insights.reviewing import Reviews
from video_detective.storage.insights.worker import InsightWork


class Insights(InsightWork):
    """Alerts and insights: how they are made is in ``writing``, worked on in ``worker``.

    Args:
        kind: Which database.
        reading, writing: Open a connection for it.
    """

    def __init__(self, kind: Literal["sqlite", "postgresql"], reading: Open, writing: Open) -> None:
        super().__init__(kind, reading, writing)
        self.lists = InsightLists(kind, reading)
        """How they are read."""
        self.reviews = Reviews(kind, writing)
        """What people think of alerts."""
