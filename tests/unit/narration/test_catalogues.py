"""The words people read, as data."""

import re
from typing import Any

import pytest

from video_detective.detection import CLASS_GROUPS
from video_detective.narration import (
    LANGUAGES,
    Language,
    class_name,
    event_name,
    event_synonyms,
    risk_name,
)
from video_detective.narration.catalogue import catalogue, spoken_duration
from video_detective.rules import EVENT_TYPES, RISK_LEVELS


def leaves(value: Any, path: str = "") -> dict[str, list[str]]:
    """Every text by its place in the catalogue."""
    if isinstance(value, dict):
        return {k: v for key, one in value.items() for k, v in leaves(one, f"{path}/{key}").items()}
    return {path: value if isinstance(value, list) else [value]}


def test_both_languages_have_the_same_entries() -> None:
    assert leaves(catalogue("zh-TW")).keys() == leaves(catalogue("en")).keys()


def test_patterns_have_the_same_places_in_both_languages() -> None:
    english = leaves(catalogue("en"))
    for path, texts in leaves(catalogue("zh-TW")).items():
        for text, other in zip(texts, english[path], strict=False):
            assert set(re.findall(r"{(\w+)}", text)) == set(re.findall(r"{(\w+)}", other)), path


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_event_type_class_and_risk_level_has_a_name(language: Language) -> None:
    words = catalogue(language)
    assert words["events"].keys() == set(EVENT_TYPES)
    assert words["classes"].keys() == CLASS_GROUPS.keys()
    assert words["groups"].keys() == set(CLASS_GROUPS.values())
    assert words["risks"].keys() == set(RISK_LEVELS)
    assert all(text.strip() for texts in leaves(words).values() for text in texts)


def test_event_types_have_the_names_people_ask_for() -> None:
    names = [event_name(kind) for kind in EVENT_TYPES]
    assert " ".join(names) == "越線 闖入 停留 徘徊 遺留物 群聚 人數 逆向 超速 離崗 鏡頭異常"
    assert event_name("pacing", "en") == "pacing"


def test_groups_and_unknown_classes_are_named_too() -> None:
    assert (class_name("vehicle"), class_name("motorcycle")) == ("車輛", "機車")
    assert class_name("forklift", "en") == "forklift"
    assert risk_name("critical") == "嚴重"


# Said otherwise in Taiwan: 影片, 影像, 品質, 預設, 攝影機, 儲存, 設定, 資訊, 資料, 網路, 軟體 …
MAINLAND = re.findall(
    r"\w+",
    "視頻 視屏 視像 質量 默認 攝像 摄像 存儲 設置 信息 數據 網絡 軟件 硬件 程序 用戶 屏幕 鼠標 "
    "公交 摩托 雙肩包 監控頭 文件夾 打印 交互 激活 優化 實時 在線 兼容",
)
SIMPLIFIED = set("这们来时为开关东车门国会发动过进还问间见头线无区员单双险")


def test_chinese_is_that_of_taiwan() -> None:
    texts = [text for found in leaves(catalogue("zh-TW")).values() for text in found]
    assert [(t, word) for t in texts for word in MAINLAND if word in t] == []
    assert [(t, sign) for t in texts for sign in SIMPLIFIED if sign in t] == []


def test_no_question_word_stands_for_two_event_types() -> None:
    by_word: dict[str, set[str]] = {}
    for word, kind in event_synonyms():
        by_word.setdefault(word, set()).add(kind)
    assert {word: kinds for word, kinds in by_word.items() if len(kinds) > 1} == {}


def test_every_event_type_has_words() -> None:
    words = dict(event_synonyms())
    assert words["徘徊"] == words["踱步"] == words["prowling"] == "pacing"
    assert set(words.values()) == set(EVENT_TYPES)


@pytest.mark.parametrize(
    ("seconds", "chinese", "english"),
    [
        (0, "不到 1 秒", "under 1 second"),
        (0.6, "1 秒", "1 s"),
        (35.2, "35 秒", "35 s"),
        (59.4, "59 秒", "59 s"),
        (59.6, "1 分鐘", "1 min"),
        (125, "2 分 5 秒", "2 min 5 s"),
        (3599.6, "1 小時", "1 h"),
        (3790, "1 小時 3 分", "1 h 3 min"),
        (90000, "25 小時", "25 h"),
    ],
)
def test_durations_are_said_in_at_most_two_units(
    seconds: float, chinese: str, english: str
) -> None:
    assert spoken_duration(seconds, "zh-TW") == chinese
    assert spoken_duration(seconds, "en") == english
