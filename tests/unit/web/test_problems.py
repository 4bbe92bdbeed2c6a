"""What a refused request was refused for, in the words of the pages."""

import ast
import json
import re
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic_core import core_schema

from video_detective.narration.catalogue import LANGUAGES

PACKAGE = Path(str(resources.files("video_detective")))
LIMITS = {
    "greater_than": {"gt"},
    "greater_than_equal": {"ge"},
    "less_than": {"lt"},
    "less_than_equal": {"le"},
    "string_too_short": {"min_length"},
    "string_too_long": {"max_length"},
    "too_short": {"min_length"},
    "too_long": {"max_length"},
    "literal_error": {"expected"},
    "enum": {"expected"},
    "union_tag_invalid": {"expected_tags"},
}
"""What validation tells with its reasons; with others nothing."""


def problems(language: str) -> dict[str, Any]:
    text = (PACKAGE / "web" / "catalogues" / language / "problems.json").read_text("utf-8")
    return dict(json.loads(text))


def given() -> Iterator[tuple[str, str, set[str]]]:
    """Each reason that an error or a flaw is made with: where, which, and the values' names."""
    for path in sorted(PACKAGE.rglob("*.py")):
        for call in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
                continue
            name, named = call.func.id, {one.arg: one.value for one in call.keywords}
            reason = named.pop("reason", None)
            # A model's errors are for the record of what was told; no request is refused by them.
            if name == "ModelError" or not (name == "Flaw" or name.endswith("Error")):
                continue
            if isinstance(reason, ast.Constant):
                values = {arg for arg in named if arg is not None} - {"remedy"}
                yield f"{path.name}:{call.lineno}", str(reason.value), values


def test_every_reason_that_is_given_is_worded_from_values_that_come_with_it() -> None:
    worded = problems("en")["reasons"]
    found = list(given())
    assert len(found) > 100
    for where, reason, values in found:
        assert reason in worded, where
        assert set(re.findall(r"\{(\w+)\}", worded[reason])) <= values, where


def test_nothing_is_worded_that_nobody_says() -> None:
    kinds = set(get_args(core_schema.ErrorType))
    own = {reason for _, reason, _ in given()}
    for reason, words in problems("en")["reasons"].items():
        assert reason in own | kinds
        if reason in kinds:
            assert set(re.findall(r"\{(\w+)\}", words)) <= LIMITS.get(reason, set())


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_was_refused_is_told_in_whole_sentences_of_the_language(language: str) -> None:
    words = problems(language)
    end = "。" if language == "zh-TW" else "."
    assert all(text.endswith(end) for text in words["reasons"].values())
    if language != "en":
        assert all(re.search(r"[\u4e00-\u9fff]", text) for text in words["reasons"].values())
