"""Attributes asked of a model: bounded by the persons in view, null where it cannot be so."""

from typing import Any

import numpy as np
import pytest

from video_detective.attributes import FIELDS, WIRE, Attributes
from video_detective.errors import ModelError
from video_detective.insights.attributes import AttributesReply, ask_attributes
from video_detective.llm.base import Completion, Image, Request

PICTURE = np.zeros((60, 80, 3), np.uint8)


class Model:
    """Answers every question alike, and remembers it."""

    def __init__(self, said: dict[str, Any] | None) -> None:
        self.said = said
        self.asked: list[Request] = []

    async def __call__(self, request: Request) -> Completion:
        self.asked.append(request)
        data = None if self.said is None else AttributesReply.model_validate(self.said)
        return Completion(
            text="", data=data, model="m", prompt_tokens=1, completion_tokens=1, wall_s=0,
            attempts=1,
        )  # fmt: skip


async def counts(said: dict[str, Any], persons: int = 3) -> Attributes:
    return (await ask_attributes(Model(said), [PICTURE], persons, "zh-TW", "m")).attributes


async def test_what_the_model_counts_is_taken_and_what_it_leaves_out_is_not_known() -> None:
    found = await counts({"female": 2, "male": 1, "backpack": 0, "hat": None})

    assert found == Attributes(female=2, male=1, backpack=0)


async def test_counts_above_the_persons_and_contradictions_are_dropped() -> None:
    found = await counts({"female": 2, "male": 2, "hat": 4, "boots": 3, "front": 1, "side": 1})

    assert found == Attributes(boots=3, front=1, side=1)


@pytest.mark.parametrize("value", ["many", -1, 1.5, True, [], {}, "", float("inf"), 10**30])
async def test_what_is_no_count_is_not_known(value: object) -> None:
    assert await counts({"hat": value, "boots": "2"}) == Attributes(boots=2)


@pytest.mark.parametrize("language", ["zh-TW", "en"])
async def test_the_model_is_told_the_persons_every_field_and_shown_the_picture(
    language: Any,
) -> None:
    model = Model({})

    await ask_attributes(model, [PICTURE], 7, language, "m")

    (request,) = model.asked
    text = "".join(part for part in request.parts if isinstance(part, str))
    assert "7" in text
    assert "$" not in text
    assert all(wire in text for wire in WIRE.values())
    assert sum(isinstance(part, Image) for part in request.parts) == 1
    schema = AttributesReply.model_json_schema()
    assert list(schema["properties"]) == [WIRE[name] for name in FIELDS]


async def test_nobody_in_view_asks_nobody() -> None:
    model = Model({"hat": 1})

    asked = await ask_attributes(model, [PICTURE], 0, "en", "m")

    assert (asked.attributes, asked.completion, model.asked) == (Attributes(), None, [])


async def test_an_answer_without_counts_is_an_error_of_the_model() -> None:
    with pytest.raises(ModelError, match="no counts"):
        await ask_attributes(Model(None), [PICTURE], 2, "en", "m")
