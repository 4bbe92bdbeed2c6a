"""The texts of the pages."""

import json
import re
from importlib import resources
from typing import Any

import pytest

from video_detective.narration.catalogue import LANGUAGES
from video_detective.web.page import PAGES, Page, texts

FILES = resources.files("video_detective.web")
ASKED = re.compile(r"\btext(?:\.|\[\")([a-z_]+)")
NAMES = sorted(
    file.name.removesuffix(".json") for file in FILES.joinpath("catalogues", "en").iterdir()
)


def catalogue(language: str, name: str) -> dict[str, Any]:
    text = FILES.joinpath("catalogues", language, f"{name}.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


def flat(words: dict[str, Any], above: str = "") -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in words.items():
        inner = flat(value, f"{above}{key}.") if isinstance(value, dict) else {above + key: value}
        found.update(inner)
    return found


def source(folder: str, name: str) -> str:
    return FILES.joinpath(folder, name).read_text(encoding="utf-8")


def later(module: str) -> set[str]:
    """A module and all that it fetches, at once or when it comes to that."""
    found, waiting = set[str](), [module]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += re.findall(r"""["']\./([\w-]+\.js)["']""", source("static", name))
    return found


@pytest.mark.parametrize("name", NAMES)
def test_every_text_exists_in_both_languages_with_the_same_values_to_fill_in(name: str) -> None:
    chinese, english = (flat(catalogue(language, name)) for language in LANGUAGES)
    assert set(chinese) == set(english)
    assert all(chinese.values())
    assert all(english.values())
    for key, text in chinese.items():
        assert set(re.findall(r"\{\w+\}", text)) == set(re.findall(r"\{\w+\}", english[key])), key


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_text_that_a_page_asks_for_is_there(page: Page) -> None:
    sources = [source("templates", "shell.html"), source("templates", f"{page.name}.html")]
    sources += [source("static", name) for name in later(f"{page.name}.js")]
    asked = {name for text in sources for name in ASKED.findall(text)}
    assert len(asked) > 10
    for language in LANGUAGES:
        assert asked <= set(texts(language, page.catalogues)), language


def test_every_text_of_the_pages_to_come_in_by_is_there() -> None:
    doors = ("door.html", "sign-in.html", "set-up.html", "signed-out.html")
    sources = [*(source("templates", name) for name in doors), source("static", "sign-in.js")]
    asked = {name for text in sources for name in ASKED.findall(text)}
    assert len(asked) > 10
    for language in LANGUAGES:
        assert asked <= set(texts(language, ("common", "door")))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_catalogue_of_a_page_takes_a_text_of_another_away(page: Page) -> None:
    for language in LANGUAGES:
        keys = [key for name in page.catalogues for key in catalogue(language, name)]
        assert len(keys) == len(set(keys))


@pytest.mark.parametrize("name", NAMES)
def test_chinese_text_has_chinese_punctuation(name: str) -> None:
    for key, text in flat(catalogue("zh-TW", name)).items():
        assert not re.search(r"[\u4e00-\u9fff][,:;?!]", text), key
