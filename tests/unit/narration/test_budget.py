"""How thoroughly an event is told, and why not more."""

from typing import Any

import pytest

from video_detective.geometry import NS_PER_S
from video_detective.llm.base import Abilities
from video_detective.narration.budget import (
    LEVELS,
    QUEUE,
    Budget,
    Plan,
    Spent,
    calls_left,
    plan,
)

SEES = Abilities(images=True, several_images=True, context_tokens=131_072, tokens_per_s=40)
HOUR = 3600 * NS_PER_S
NOW = 1_765_893_900 * NS_PER_S


def planned(**changes: Any) -> Plan:
    return plan(**{"pictures": 12, "calls_left": 50, "abilities": SEES, **changes})


def test_at_best_twelve_frames_are_told_over_time_and_one_is_described() -> None:
    assert planned() == Plan(level="frames", frames=12, described=1, reason=None)
    assert planned().calls == 2


def test_a_server_that_was_not_probed_is_taken_to_do_everything() -> None:
    assert planned(abilities=None) == planned()


@pytest.mark.parametrize(
    ("changes", "level", "reason"),
    [
        ({"has_model": False}, "template", "no_model"),
        ({"is_reachable": False}, "template", "unreachable"),
        ({"seconds_left": 0}, "template", "deadline"),
        ({"seconds_left": 20}, "template", "deadline"),  # 1,500 tokens take 37 s
        ({"seconds_left": 600}, "frames", None),
        ({"calls_left": 0}, "template", "budget"),
        ({"abilities": Abilities()}, "text", "no_images"),
        ({"abilities": Abilities(images=True)}, "frame", "one_image"),
        ({"pictures": 1}, "frame", "pictures"),
        ({"pictures": 0}, "text", "pictures"),
        ({"waiting": 19}, "frames", None),
        ({"waiting": 20}, "few_frames", "queue"),
        ({"waiting": 60}, "frame", "queue"),
        ({"waiting": 200}, "text", "queue"),
        ({"waiting": 1000}, "template", "queue"),
    ],
)
def test_less_is_done_for_a_reason_that_is_told(
    changes: dict[str, Any], level: str, reason: str | None
) -> None:
    found = planned(**changes)
    assert (found.level, found.reason) == (level, reason)


@pytest.mark.parametrize(
    ("context", "level", "frames"),
    [
        (131_072, "frames", 12),
        (16_384, "frames", 6),
        (10_000, "few_frames", 3),
        (8_192, "few_frames", 2),
        (6_000, "frame", 0),
        (4_096, "text", 0),
        (2_048, "template", 0),
    ],
)
def test_a_small_context_gets_fewer_pictures(context: int, level: str, frames: int) -> None:
    sees = Abilities(images=True, several_images=True, context_tokens=context)
    found = planned(abilities=sees)
    assert (found.level, found.frames) == (level, frames)
    assert found.reason == (None if level == "frames" else "context")


def test_a_short_event_with_three_pictures_is_told_in_full() -> None:
    found = planned(pictures=3)
    assert (found.level, found.frames, found.reason) == ("frames", 3, None)


def test_of_several_reasons_the_gravest_decides() -> None:
    found = planned(waiting=25, abilities=Abilities(images=True), calls_left=0)
    assert (found.level, found.reason) == ("template", "budget")
    found = planned(waiting=250, abilities=Abilities(images=True))
    assert (found.level, found.reason) == ("text", "queue")


def test_the_last_call_of_the_hour_is_not_spent_on_a_single_frame() -> None:
    found = planned(calls_left=1, described=3)
    assert (found.level, found.described, found.calls) == ("frames", 0, 1)


def test_frames_one_by_one_never_cost_more_calls_than_are_left() -> None:
    one_by_one = Abilities(images=True)
    assert planned(abilities=one_by_one, described=3).described == 3
    assert planned(abilities=one_by_one, described=3, calls_left=2).described == 2
    assert planned(abilities=one_by_one, described=0).described == 1


def test_plans_never_cost_more_calls_than_are_left() -> None:
    for calls in range(6):
        for waiting in (0, 20, 60, 200, 1000):
            for pictures in (0, 1, 3, 12):
                found = planned(calls_left=calls, waiting=waiting, pictures=pictures, described=3)
                assert found.calls <= calls
                assert (found.reason is None) == (found.level == "frames")


def test_longer_queues_never_get_more() -> None:
    steps = [LEVELS.index(planned(waiting=waiting).level) for waiting in range(0, 1200, 5)]
    assert steps == sorted(steps)
    assert len(set(steps)) == len(QUEUE) + 1


def spent(*calls: tuple[float, str, int]) -> list[Spent]:
    return [
        Spent(time_ns=NOW + round(minutes * 60) * NS_PER_S, camera_id=camera, calls=count)
        for minutes, camera, count in calls
    ]


LIMITS = Budget(per_hour=10, per_hour_per_camera=4)


def left(calls: list[Spent], camera_id: str) -> int:
    return calls_left(LIMITS, calls, camera_id=camera_id, now_ns=NOW)


def test_without_calls_a_camera_has_its_share() -> None:
    assert left([], "cam01") == 4


def test_a_camera_that_used_its_share_waits_and_others_do_not() -> None:
    calls = spent((-50, "cam01", 2), (-10, "cam01", 2))
    assert left(calls, "cam01") == 0
    assert left(calls, "cam02") == 4


def test_all_cameras_together_have_a_budget_too() -> None:
    calls = spent(*((-30 + n, f"cam{n:02d}", 3) for n in range(3)))
    assert left(calls, "cam09") == 1
    assert left([*calls, *spent((-1, "cam08", 1))], "cam09") == 0


def test_calls_an_hour_ago_count_no_more() -> None:
    assert left([Spent(time_ns=NOW - HOUR, camera_id="cam01", calls=4)], "cam01") == 4
    assert left([Spent(time_ns=NOW - HOUR + 1, camera_id="cam01", calls=4)], "cam01") == 0


def test_a_clock_that_was_set_back_does_not_block_for_long() -> None:
    assert left(spent((24 * 60, "cam01", 4)), "cam01") == 4


def test_more_calls_than_the_share_leave_none() -> None:
    assert left(spent((-1, "cam01", 7)), "cam01") == 0
