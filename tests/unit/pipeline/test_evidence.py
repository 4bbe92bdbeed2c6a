"""What a clip shows, and when."""

from __future__ import annotations

from tests.told_scenes import intrusion

from video_detective.pipeline.clip_times import clip_times


def test_a_long_clip_shows_the_begin_and_the_end_of_its_event() -> None:
    second = 10**9
    event = intrusion(100.0)
    assert event.end_ns is not None
    asked_ns = event.start_ns - 3 * second
    assert clip_times(event, asked_ns) == (
        (asked_ns, asked_ns + 40 * second),
        (event.end_ns - 18 * second, event.end_ns + 2 * second),
    )
    assert clip_times(event, event.start_ns)[0][0] == event.start_ns  # the footage began there
