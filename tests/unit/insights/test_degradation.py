"""In which order less is done, and why."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from video_detective.errors import ModelError
from video_detective.insights.base import LEVELS
from video_detective.insights.degradation import Plan, less, plan
from video_detective.llm.base import Abilities
from video_detective.llm.responses import RejectedError


def abilities(**changes: object) -> Abilities:
    return Abilities(**{"images": True, "several_images": True, **changes})  # type: ignore[arg-type]


def made(**changes: object) -> tuple[str, str | None]:
    given = {"pictures": 3, "calls_left": 9, "abilities": abilities(), **changes}
    found = plan(**given)  # type: ignore[arg-type]
    return found.level, found.reason


def test_with_everything_there_all_pictures_are_shown() -> None:
    assert made() == ("frames", None)
    assert made(abilities=None) == ("frames", None)
    assert plan(pictures=3, calls_left=1).frames == 3


def test_a_growing_queue_takes_first_frames_then_size_then_warnings_then_everything() -> None:
    steps = [made(waiting=n, is_critical=True) for n in (5, 6, 20, 60, 600)]
    assert steps == [
        ("frames", None), ("one_frame", "queue"), ("small_frame", "queue"),
        ("small_frame", "queue"), ("template", "queue"),
    ]  # fmt: skip
    steps = [made(waiting=n, is_critical=False) for n in (59, 60)]
    assert steps == [("small_frame", "queue"), ("template", "queue")]


def test_of_one_picture_a_short_queue_takes_nothing() -> None:
    assert made(pictures=1, waiting=6) == ("frames", None)
    assert made(pictures=1, waiting=20) == ("small_frame", "queue")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"calls_left": 0}, ("template", "budget")),
        ({"pictures": 0}, ("template", "pictures")),
        ({"abilities": abilities(images=False)}, ("template", "no_images")),
        ({"abilities": abilities(several_images=False)}, ("one_frame", "one_image")),
        ({"abilities": abilities(several_images=False), "pictures": 1}, ("frames", None)),
        ({"abilities": abilities(context_tokens=6000)}, ("one_frame", "context")),
        ({"abilities": abilities(context_tokens=3000)}, ("small_frame", "context")),
        ({"abilities": abilities(context_tokens=2048)}, ("template", "context")),
        ({"is_late": True, "waiting": 5}, ("frames", None)),
        ({"is_late": True, "waiting": 6}, ("template", "deadline")),
    ],
)
def test_each_limit_is_named(changes: dict[str, object], expected: tuple[str, str | None]) -> None:
    assert made(**changes) == expected


@given(st.integers(0, 3), st.integers(0, 2), st.integers(0, 700), st.booleans(), st.booleans())
def test_more_of_a_queue_never_gives_more(
    pictures: int, calls: int, waiting: int, is_critical: bool, is_late: bool
) -> None:
    def level(queue: int) -> int:
        found = plan(pictures=pictures, calls_left=calls, waiting=queue,
                     is_critical=is_critical, is_late=is_late)  # fmt: skip
        assert (found.reason is None) == (found.level == "frames")
        return LEVELS.index(found.level)

    assert level(waiting) <= level(waiting + 50)


def refused(reason: str, words: str = "") -> RejectedError:
    return RejectedError("No", remedy="-", reason=reason, transient=False, raw=words)


def test_a_prompt_too_long_goes_down_step_by_step() -> None:
    step: Plan | None = Plan(level="frames")
    levels = []
    while step is not None and step.level != "template":
        step = less(step, refused("truncated"), pictures=3)
        assert step is not None
        levels.append((step.level, step.reason))
    assert levels == [
        ("one_frame", "context"), ("small_frame", "context"), ("template", "context")
    ]  # fmt: skip
    assert less(Plan(level="frames"), refused("truncated"), pictures=1) == Plan(
        level="small_frame", reason="context"
    )


def test_a_server_without_eyes_is_asked_for_one_picture_and_then_no_more() -> None:
    first = less(Plan(level="frames"), refused("server", "at most 1 image"), pictures=3)
    assert first == Plan(level="one_frame", reason="one_image")
    second = less(first, refused("server", "image input is not supported"), pictures=3)
    assert second == Plan(level="template", reason="no_images")


def test_where_less_is_no_help_nothing_less_is_tried() -> None:
    for reason in ("refused", "no_model"):
        assert less(Plan(level="frames"), refused(reason), pictures=3) is None
    unusable = ModelError("?", remedy="-", reason="invalid", transient=False)
    assert less(Plan(level="frames"), unusable, pictures=3) is None
