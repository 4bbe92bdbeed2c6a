"""The one place that tells the time."""

from __future__ import annotations

import time


def now_ns() -> int:
    """UTC now, in ns."""
    return time.time_ns()
