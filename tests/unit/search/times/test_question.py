"""A question as a whole: which of its words speak of time, and what becomes of the rest."""

import pytest
from tests.unit.search.times.readings import period, reading


def spans(question: str) -> list[str]:
    return [question[start:end] for start, end in reading(question).spans]


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("昨天晚上 10 點到 11 點，有沒有人在後門徘徊？", ["昨天晚上 10 點到 11 點"]),
        ("後門昨晚十點以後有人嗎", ["昨晚十點以後"]),
        ("昨天後門 10 點到 11 點有人嗎", ["昨天", "10 點到 11 點"]),
        ("３號門昨天２２：３０到２３：００有人嗎", ["昨天２２：３０到２３：００"]),
        ("上週五晚上誰在", ["上週五晚上"]),
        ("週五晚間誰在", ["週五晚間"]),
        ("Did anyone come last night at 11?", ["last night at 11"]),
        ("Yesterday, who came between 2 and 4 pm?", ["Yesterday", "between 2 and 4 pm"]),
        ("early this morning", ["early this morning"]),
        ("昨天到了後門", ["昨天"]),
        ("從昨天 10 點到 11 點的畫面", ["從昨天 10 點到 11 點"]),
        ("自昨晚 10 點起", ["自昨晚 10 點起"]),
    ],
)
def test_the_words_about_time_are_marked(question: str, words: list[str]) -> None:
    assert spans(question) == words


def test_the_rest_keeps_every_other_character_at_its_place() -> None:
    question = "昨晚 10 點後門有人嗎？"
    assert reading(question).rest == "       後門有人嗎？"
    assert len(reading(question).rest) == len(question)


def test_characters_that_fold_into_several_do_not_shift_the_marks() -> None:
    assert spans("㍿㌔ﷺ昨晚 １０ 點ﷺ有人嗎") == ["昨晚 １０ 點"]


@pytest.mark.parametrize(
    ("question", "first", "further"),
    [
        ("昨天和今天有誰", "昨天", ("今天",)),
        ("昨天 10:00-12:00 和 14:00-15:00", "昨天 10:00-12:00", ("14:00-15:00",)),
        ("上週三和上週五", "上週三", ("上週五",)),
        ("昨天早上或今天早上", "昨天早上", ("今天早上",)),
        ("10 點、11 點", "10 點", ("11 點",)),
        ("yesterday and today", "yesterday", ("today",)),
        ("上週晚上 10 點", "上週", ("晚上 10 點",)),
        ("最近有沒有人晚上來", "最近", ("晚上",)),
        ("週末晚上", "週末", ("晚上",)),
        ("昨晚八九點", "昨晚", ("八九點",)),
    ],
)
def test_the_first_range_counts_and_further_ones_are_said(
    question: str, first: str, further: tuple[str, ...]
) -> None:
    assert period(question) == period(first)
    assert reading(question).not_understood == further


def test_a_range_that_cannot_be_leaves_the_next_one() -> None:
    found = reading("2 月 30 日或昨天有人嗎")
    assert period("2 月 30 日或昨天有人嗎") == period("昨天")
    assert found.not_understood == ("2 月 30 日",)


@pytest.mark.parametrize(
    ("question", "same"),
    [
        ("昨天１０點到１１點", "昨天10點到11點"),
        ("昨天 10 点到 11 点", "昨天10點到11點"),
        ("上周三下午两点", "上週三下午兩點"),
        ("这个礼拜", "這個禮拜"),
        ("最近３个小时内", "最近3個小時內"),
        ("从昨晚开始", "從昨晚開始"),
        ("10 点以后", "10 點以後"),
        ("刚刚", "剛剛"),
        ("昨天黄昏", "昨天黃昏"),
        ("夜里 2 点", "夜裡 2 點"),
        ("夜裏 2 點", "夜裡 2 點"),
        ("民国 114 年 12 月 16 号", "民國 114 年 12 月 16 號"),
        ("LAST NIGHT AT 10 PM", "last night at 10 pm"),
        ("昨晚　十點", "昨晚十點"),
        ("昨晚10：30～11：00", "昨晚 10:30-11:00"),
        ("昨晚\n10 點", "昨晚10點"),
        ("3pm—5pm", "3pm-5pm"),
    ],
)
def test_writing_does_not_change_the_meaning(question: str, same: str) -> None:
    assert period(question) == period(same) != ""
