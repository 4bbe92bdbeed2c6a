"""What an event's clip shows; known without opening any footage."""

from __future__ import annotations

from video_detective.geometry import NS_PER_S
from video_detective.media.spans import clip_spans
from video_detective.rules import Event

LEAD_NS = 3 * NS_PER_S
"""The clip begins this long before the event …"""
TRAIL_NS = 2 * NS_PER_S
"""… and ends this long after it."""


def clip_asked(event: Event) -> tuple[int, int]:
    """From when until when an event's clip is asked for, in UTC ns."""
    end_ns = event.start_ns if event.end_ns is None else event.end_ns
    return event.start_ns - LEAD_NS, end_ns + TRAIL_NS


def clip_times(event: Event, first_ns: int) -> tuple[tuple[int, int], ...]:
    """What a closed event's clip shows, as (from, to) in UTC ns, one after the other without a gap.

    The last one ends earlier where the footage does.

    Args:
        event: As it was when the clip was cut.
        first_ns: The clip's first frame; later than asked for where the footage begins there.
    """
    spans = clip_spans(*clip_asked(event))
    shown = [(max(start, first_ns), end) for start, end in spans if end > first_ns]
    return tuple(shown) or ((first_ns, first_ns),)
