"""Whether words are in the language asked for, as written in Taiwan."""

import re

import pytest

from video_detective.narration import LANGUAGES, Language
from video_detective.narration.asking import PromptName, prompt
from video_detective.narration.catalogue import catalogue
from video_detective.narration.language import (
    check,
    corrected,
    problems,
    simplified_characters,
    terms,
)

GOOD = [
    "22:05:00 一名穿深色外套的男子從畫面左側走進後門禁入區，停留約 35 秒後往右側離開。",
    "人物 p12 背著黑色後背包，手持手電筒，在門口來回走動 3 次。",
    "畫面昏暗，看不清楚臉部；車牌 ABC-1234 的白色廂型車停在門口。",
    "他戴 NIKE 帽子、穿 T 恤，騎機車離開。",
    "交叉車輛經過道路，另外賣場內存放的物品確實時常移動。",
    "保安警察第二總隊的人員辦公交接，裝幀精美的海報貼在牆上。",
    "騎摩托車的男子拉著拉桿箱，確保安全後走過道路旁的閘門。",
    "警衛衣著整齊，經過道路旁，把塑膠袋放進室內存放區。",
    "系統的演算法與介面沒有變更，影片品質良好。",
]


def kinds(*texts: str, language: Language = "zh-TW", **more: object) -> list[str]:
    return [finding.kind for finding in check(texts, language, **more)]  # type: ignore[arg-type]


@pytest.mark.parametrize("text", GOOD)
def test_good_chinese_of_taiwan_is_left_alone(text: str) -> None:
    assert check([text], "zh-TW") == ()
    assert corrected(text, "zh-TW") == text


def test_good_english_is_left_alone() -> None:
    text = "At 22:05:00 person p12 in a dark jacket enters the yard and leaves after 35 s."
    assert check([text], "en") == ()
    assert corrected(text, "en") == text


@pytest.mark.parametrize("texts", [(), ("",), ("22:05:00", "35"), ("p12",)])
def test_what_has_no_words_has_no_language(texts: tuple[str, ...]) -> None:
    for language in LANGUAGES:
        assert check(texts, language) == ()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_of_the_template_passes(language: Language) -> None:
    for section in ("sentences", "moments", "endings", "tracker"):
        for pattern in catalogue(language)[section].values():
            said = re.sub(r"{\w+}", "門口" if language == "zh-TW" else "the door", pattern)
            assert check([said], language) == (), said


def test_the_other_language_is_found() -> None:
    assert kinds("A person walks through the picture and leaves.") == ["script", "mixed"]
    assert kinds("一個人走過畫面後離開。", language="en") == ["script", "mixed"]


def test_a_sentence_of_another_language_in_between_is_found() -> None:
    said = "人物 p12 走進後門禁入區，停留一段時間之後往右側離開，接著又回來查看門鎖與窗戶。"
    assert kinds(said + "He then leaves quickly。") == ["mixed"]
    assert kinds(said + "その後、去りました。") == ["mixed"]
    assert kinds(
        "Person p12 enters the yard, walks about and leaves 後門 again.", language="en"
    ) == ["mixed"]


def test_names_may_be_in_any_script_and_wording() -> None:
    names = ("Back Door Camera One", "视频1号", "後門")
    said = "Back Door Camera One 與 视频1号 拍到人物 p12 走進後門，停留一段時間之後往右側離開。"
    assert kinds(said) == ["mixed", "simplified", "terms"]
    assert kinds(said, names=names) == []
    assert corrected(said, "zh-TW", names=names) == said
    assert kinds("Person p12 enters 後門 and leaves.", language="en", names=names) == []


def test_simplified_characters_are_found_and_put_right() -> None:
    said = "一个人在后门徘徊，然后离开。车辆经过时没有减速。"
    (finding,) = (one for one in check([said], "zh-TW") if one.kind == "simplified")
    assert set("个门离开车辆经过时没减") & set(finding.words) >= set("个门离开车辆经过时减")
    assert corrected("车辆经过门口时没有减速。", "zh-TW") == "車輛經過門口時沒有減速。"


def test_a_character_with_two_counterparts_is_found_and_left() -> None:
    assert kinds("人物的头发很长。") == ["simplified"]
    assert corrected("人物的头发很长。", "zh-TW") == "人物的頭发很長。"


def test_characters_right_in_both_are_no_simplified_ones() -> None:
    assert kinds("台北車站後面的里長站在只有一面干淨牆的了望台邊，面向東方。") == []


@pytest.mark.parametrize(
    ("said", "better"),
    [
        ("攝像頭拍到視頻，質量很好", "攝影機拍到影片，品質很好"),
        ("打印機的默認設置", "印表機的預設設置"),
        ("騎電動摩托車的保安員與保安", "騎電動機車的保全人員與保全"),
        ("出租車與公交車並排", "計程車與公車並排"),
        ("摄像头前有一辆摩托车", "攝影機前有一輛摩托車"),
    ],
)
def test_terms_of_elsewhere_become_those_of_taiwan(said: str, better: str) -> None:
    assert "terms" in kinds(said)
    assert corrected(said, "zh-TW") == better
    assert kinds(better) == []


def test_a_term_whose_meaning_decides_is_found_and_left() -> None:
    (finding,) = check(["螢幕顯示的信息不明"], "zh-TW")
    assert finding.words == ("信息→資訊／訊息",)
    assert corrected("螢幕顯示的信息不明", "zh-TW") == "螢幕顯示的信息不明"


def test_half_width_marks_between_chinese_become_full_width() -> None:
    said = "人物走進門口,停留(約 35 秒)後離開;22:05:30 沒有人."
    assert corrected(said, "zh-TW") == "人物走進門口，停留（約 35 秒）後離開；22:05:30 沒有人."


def test_repeating_the_prompt_is_found() -> None:
    names: tuple[PromptName, ...] = ("event", "frame", "text")
    for name in names:
        for language in LANGUAGES:
            asked = prompt(name, language)
            rule = asked.sections["system"].splitlines()[3]
            assert "echo" in kinds(rule, language=language, instructions=asked.instructions)
    assert kinds("摘要：{{timestamp}} 有人經過") == ["echo"]


def test_the_facts_may_be_repeated() -> None:
    asked = prompt("event", "zh-TW")
    said = "22:05:00 人物 p12 進入後門禁入區，停留約 30 秒，隨後離開"
    assert kinds(said, instructions=asked.instructions) == []


@pytest.mark.parametrize("text", GOOD)
def test_descriptions_are_no_echo_of_the_prompts(text: str) -> None:
    names: tuple[PromptName, ...] = ("event", "frame", "text", "repair")
    for name in names:
        assert kinds(text, instructions=prompt(name, "zh-TW").instructions) == []


@pytest.mark.parametrize(
    "text",
    [
        "他走來走去走來走去走來走去走來走去走來走去。",
        "人物站在門口。車輛經過門前道路。人物站在門口。有狗走過。人物站在門口。",
        "The man walks. The man walks. The man walks. The man walks.",
    ],
)
def test_the_same_words_again_and_again_are_found(text: str) -> None:
    assert "loop" in kinds(text, language="en" if text.isascii() else "zh-TW")


def test_a_row_of_dots_or_digits_is_no_loop() -> None:
    assert kinds("人物離開………………，編號 00000000 的紙箱留在原地。") == []


def test_every_problem_can_be_told_to_the_model() -> None:
    said = check(["视频里的人走來走去走來走去走來走去走來走去 he is walking to the door"], "zh-TW")
    told = problems(said, "zh-TW")
    assert len(told) == len(said) >= 4
    assert any("視頻→影片" in line for line in told)
    assert len(problems(check(["有人走過門口"], "en"), "en")) == 2


def test_the_glossary_is_large_and_says_only_what_taiwan_says() -> None:
    assert len(terms()) >= 80
    signs = simplified_characters()
    for term in terms():
        assert not [sign for sign in term.word if sign in signs], term
        for better in term.taiwan:
            assert check([better], "zh-TW") == () or better.isascii(), term
        for phrase in term.unless:
            assert term.word in phrase
            assert kinds(phrase) == [], term


def test_the_table_of_characters_is_one_of_simplified_ones() -> None:
    table = simplified_characters()
    assert len(table) > 2000
    for sign in "这们来时为开关东车门国会发动过进还问间见头线无区员单双险红质频视着":
        assert sign in table, sign
    right = {better for row in table.values() for better in row}
    assert not right & table.keys()
    # Written in Taiwan as they are, though simplified text has them too.
    assert not table.keys() & set("台里后干只面制系向吃污泄秘床裙群峰為裡著麵臺")


def test_correcting_twice_changes_nothing_more() -> None:
    for text in [*GOOD, "摄像头视频质量,打印机(默认设置)"]:
        once = corrected(text, "zh-TW")
        assert corrected(once, "zh-TW") == once
