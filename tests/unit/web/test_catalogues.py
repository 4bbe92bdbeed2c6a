"""The texts of the page."""

import json
import re
from importlib import resources
from typing import Any

import pytest

LANGUAGES = ("zh-TW", "en")
FILES = resources.files("video_detective.web")


def catalogue(language: str) -> dict[str, Any]:
    text = FILES.joinpath("catalogues", f"{language}.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


def flat(words: dict[str, Any], above: str = "") -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in words.items():
        inner = flat(value, f"{above}{key}.") if isinstance(value, dict) else {above + key: value}
        found.update(inner)
    return found


def test_every_text_of_the_page_exists_in_both_languages() -> None:
    chinese, english = (flat(catalogue(language)) for language in LANGUAGES)
    assert set(chinese) == set(english)
    assert all(chinese.values())
    assert all(english.values())


def test_both_languages_fill_in_the_same_values() -> None:
    chinese, english = (flat(catalogue(language)) for language in LANGUAGES)
    for key, text in chinese.items():
        assert set(re.findall(r"\{\w+\}", text)) == set(re.findall(r"\{\w+\}", english[key])), key


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_that_the_page_asks_for_is_there(language: str) -> None:
    sources = [
        file.read_text(encoding="utf-8")
        for folder in ("static", "templates")
        for file in FILES.joinpath(folder).iterdir()
        if file.name.endswith((".js", ".html"))
    ]
    pattern = r"\btext(?:\.|\[\")([a-z_]+)"
    asked = {name for source in sources for name in re.findall(pattern, source)}
    assert len(asked) > 30
    assert asked <= set(catalogue(language))
    at_the_door = {n for source in sources for n in re.findall(r"\bdoorText\.([a-z_]+)", source)}
    assert len(at_the_door) > 5
    assert at_the_door <= set(catalogue(language)["door"])


def test_chinese_text_has_chinese_punctuation() -> None:
    for key, text in flat(catalogue("zh-TW")).items():
        assert not re.search(r"[\u4e00-\u9fff][,:;?!]", text), key
