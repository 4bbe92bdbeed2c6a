"""What happens when a server will not do what was planned."""

from typing import Any

import pytest
from tests.told_scenes import event_answer, frame_answer, material

from video_detective.errors import ModelError
from video_detective.llm.base import Completion, Image, Request
from video_detective.llm.responses import RejectedError
from video_detective.narration.budget import plan
from video_detective.narration.describe import Ask, Told, describe_event
from video_detective.narration.replies import FrameReply


def rejected(words: str, reason: str = "server") -> RejectedError:
    return RejectedError(
        f"the server does not take it: {words}",
        remedy="-",
        reason=reason,
        transient=False,
        raw=words,
    )


def seam(asked: list[int], *answers: ModelError | None) -> Ask:
    """Answers in turn, the last one again and again: well (None) or not at all."""

    async def ask(request: Request) -> Completion:
        answer = answers[min(len(asked), len(answers) - 1)]
        asked.append(sum(isinstance(part, Image) for part in request.parts))
        if answer is not None:
            raise answer
        assert request.answer is not None
        is_frame = request.answer is FrameReply
        data: Any = request.answer.model_validate(frame_answer() if is_frame else event_answer())
        return Completion(
            text=data.model_dump_json(),
            data=data,
            model="eyes",
            prompt_tokens=None if is_frame else 1000,
            completion_tokens=200,
            wall_s=1.5,
            attempts=2,
        )

    return ask


async def told(asked: list[int], *answers: ModelError | None, most: int = 12) -> Told:
    known = material(most=most)
    how = plan(pictures=len(known.frames), calls_left=9)
    return await describe_event(seam(asked, *answers), known, how, "eyes")


async def test_a_server_that_takes_no_pictures_is_given_the_facts() -> None:
    asked: list[int] = []
    found = await told(asked, rejected("model does not support image input"), None)
    assert asked == [12, 0]
    assert (found.level, found.reason, found.failed) == ("text", "no_images", False)
    assert found.raw_text is None  # the server spoke, not the model


async def test_the_same_pictures_are_not_sent_twice_where_there_are_no_fewer() -> None:
    asked: list[int] = []
    too_long = rejected("prompt is too long", "truncated")
    found = await told(asked, too_long, None, most=3)
    assert asked == [3, 1]
    assert (found.level, found.reason) == ("frame", "context")


async def test_every_step_down_is_told() -> None:
    asked: list[int] = []
    found = await told(
        asked, rejected("too long", "truncated"), rejected("no"), rejected("no vision"), None
    )
    assert asked == [12, 3, 1, 0]
    assert (found.level, found.reason) == ("text", "no_images")
    assert [step.split(":")[0] for step in found.detail.split("; ")] == [
        "context", "server", "no_images",
    ]  # fmt: skip


@pytest.mark.parametrize("reason", ["unreachable", "timeout", "overloaded", "server"])
async def test_trouble_that_may_pass_is_the_queues(reason: str) -> None:
    trouble = ModelError("down", remedy="-", reason=reason, transient=True)
    with pytest.raises(ModelError) as caught:
        await told([], trouble)
    assert caught.value is trouble


@pytest.mark.parametrize("before", [(), (None,)])
async def test_who_is_told_to_stop_stops(before: tuple[None, ...]) -> None:
    stop = ModelError("stopped", remedy="-", reason="cancelled", transient=False)
    with pytest.raises(ModelError, match="stopped"):
        await told([], *before, stop)


async def test_what_was_spent_is_summed_up() -> None:
    found = await told([], None)
    assert found.usage == {
        "calls": 2,
        "attempts": 4,
        "prompt_tokens": None,  # one of the two was not counted
        "completion_tokens": 400,
        "wall_s": 3.0,
    }


async def test_failed_calls_are_spent_too() -> None:
    found = await told([], rejected("no key", "refused"))
    assert (found.usage["calls"], found.usage["attempts"]) == (1, 1)
    assert (found.model, found.result, dict(found.frames)) == (None, None, {})
