"""Insights as what a model says of their events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from video_detective.storage.base import NarrationRow


def told_by(row: Mapping[str, Any]) -> NarrationRow | None:
    """An insight as what a model says of its event; None where none is to say anything.

    Args:
        row: Of ``INSIGHTS``.
    """
    is_model = row["described_by"] == "model"
    if row["vlm_status"] == "completed" and not is_model and _key(row["reason"]) == "no_model":
        return None
    status: Literal["pending", "done", "failed"] = (
        "done" if row["vlm_status"] == "completed" else row["vlm_status"]
    )
    level = {"one_frame": "frame", "small_frame": "frame"}.get(row["level"], row["level"])
    return NarrationRow(
        event_id=row["event_id"],
        status=status,
        requested_ns=row["created_ns"],
        finished_ns=row["vlm_completed_ns"],
        language=row["language"],
        level=level,
        reason=row["reason"],
        model=row["usage"].get("model"),
        prompts={name.partition(".")[0]: name for name in row["usage"].get("prompts", ())},
        text=row["vlm_summary"] if is_model else "",
        result=None,
        flags=tuple(row["flags"]),
        raw_text=row["raw_text"],
        usage=row["usage"],
        starts=row["attempts"],
        worker=row["worker"],
    )


def _key(reason: str | None) -> str:
    return (reason or "").partition(":")[0]
