"""docs/narration.md names everything that an account may say of how it was made."""

import re
from pathlib import Path
from typing import get_args

import pytest

from video_detective.insights import base as insights
from video_detective.insights import degradation
from video_detective.narration import claims, describe
from video_detective.narration.budget import (
    ANSWER_TOKENS,
    LEVELS,
    PICTURE_TOKENS,
    PROMPT_TOKENS,
    QUEUE,
    PlanReason,
)
from video_detective.narration.pictures import LONGEST_SIDE

PAGE = (Path(__file__).parents[2] / "docs" / "narration.md").read_text("utf-8")


@pytest.mark.parametrize("key", [*LEVELS, *get_args(PlanReason)])
def test_every_level_and_every_reason_is_explained(key: str) -> None:
    assert f"| `{key}` |" in PAGE


def test_every_flag_is_explained() -> None:
    sources = "".join(
        Path(str(module.__file__)).read_text("utf-8") for module in (claims, describe)
    )
    flags = re.findall(r'_flags(?:\.append\(| \+= \[)"(\w+)"', sources)
    flags += [f"{field}_differs" for field in re.findall(r'_differs\("(\w+)"', sources)]
    flags += [f"{field}_differs" for field in re.findall(r'_compare_time\("(\w+)"', sources)]
    assert len(flags) > 8
    assert [flag for flag in flags if f"`{flag}`" not in PAGE] == []


def test_the_page_states_the_numbers_of_the_program() -> None:
    numbers = [PROMPT_TOKENS, PICTURE_TOKENS, ANSWER_TOKENS, *(many for many, _ in QUEUE)]
    for number in numbers:
        assert f"{number:,}" in PAGE
    assert f"at most {LONGEST_SIDE} pixels" in PAGE


@pytest.mark.parametrize(
    "key", [*insights.LEVELS, *get_args(degradation.PlanReason), "person_count_differs"]
)
def test_every_level_and_reason_of_an_insight_is_explained(key: str) -> None:
    assert f"| `{key}` |" in PAGE.partition("# How a model describes an alert")[2]
