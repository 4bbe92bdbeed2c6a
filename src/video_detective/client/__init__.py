"""A typed client of the REST interface, for programs of others. It knows nothing of the server.

>>> with Client("http://127.0.0.1:8377", "vd_live_…") as client:  # doctest: +SKIP
...     for insight in client.each_insights(severity="critical"):
...         print(insight.triggered_at, insight.vlm_summary)
"""

from video_detective.client.base import ApiError, Page, Pagination, Problem
from video_detective.client.client import Client

__all__ = ["ApiError", "Client", "Page", "Pagination", "Problem"]
