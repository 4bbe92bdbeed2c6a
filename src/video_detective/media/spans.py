"""Which part of the footage a clip shows; known without opening any."""

from __future__ import annotations

from video_detective.errors import UsageError
from video_detective.geometry import NS_PER_S

MAX_CLIP_NS = 60 * NS_PER_S
HEAD_NS = 40 * NS_PER_S
"""Of an event longer than ``MAX_CLIP_NS`` the first 40 s and the last 20 s are kept, joined."""


def clip_spans(start: int, end: int) -> tuple[tuple[int, int], ...]:
    """What a clip asked for shows, as (from, to) in UTC ns, joined without a gap.

    Raises:
        UsageError: it ends before it begins.
    """
    if end < start:
        raise UsageError(
            f"a clip from {start} to {end} ends before it begins", remedy="Swap its ends."
        )
    if end - start <= MAX_CLIP_NS:
        return ((start, end),)
    return (start, start + HEAD_NS), (end - (MAX_CLIP_NS - HEAD_NS), end)
