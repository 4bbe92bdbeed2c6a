"""Answers without a model."""

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from video_detective.narration import Language
from video_detective.narration.answer_template import (
    AnswerFacts,
    Finding,
    Watch,
    missing_info,
    template_answer,
)

MINUTE_NS = 60 * 10**9
TEN_PM = 1765893600 * 10**9  # 2025-12-16 22:00 in Taipei
STAY = Finding(
    event_id="evt_1", camera="後門攝影機", start_ns=TEN_PM + 5 * MINUTE_NS,
    zone=ZoneInfo("Asia/Taipei"), sentence="22:05:00 人物 p12 在後門停留約 35 秒",
)  # fmt: skip
WHOLE = Watch(camera_id="cam01", camera="後門攝影機", recorded=True)
GAP = (TEN_PM + 10 * MINUTE_NS, TEN_PM + 15 * MINUTE_NS)
ASKED = AnswerFacts(
    since_ns=TEN_PM,
    until_ns=TEN_PM + 60 * MINUTE_NS,
    zone=ZoneInfo("Asia/Taipei"),
    yes_no=True,
    watches=(WHOLE,),
)


def told(facts: AnswerFacts, language: Language = "zh-TW") -> str:
    return "".join(sentence.text for sentence in template_answer(facts, language))


def test_what_was_found_is_told_with_the_events_it_rests_on() -> None:
    facts = replace(ASKED, count=1, findings=(STAY,), places=("後門",))
    lead, event, recording = template_answer(facts, "zh-TW")
    assert lead.text == "有，2025-12-16 22:00 到 23:00 之間在後門找到 1 筆符合的事件。"
    assert lead.cites == event.cites == ("evt_1",)
    assert event.text == "2025-12-16 22:05:00 人物 p12 在後門停留約 35 秒（後門攝影機）。"
    assert recording.text == "後門攝影機在這段時間的錄影完整。"
    assert told(facts, "en").startswith("Yes, from 2025-12-16 22:00 to 23:00 at 後門: 1 matching")


def test_nothing_happened_is_said_with_the_recording_it_rests_on() -> None:
    assert told(ASKED) == (
        "沒有，2025-12-16 22:00 到 23:00 之間有錄影的時段內，沒有符合條件的事件。"
        "後門攝影機在這段時間的錄影完整。"
    )


def test_no_recording_is_not_nothing_happened() -> None:
    dark = replace(ASKED, watches=(replace(WHOLE, recorded=False),))
    assert told(dark) == "無法判斷，2025-12-16 22:00 到 23:00 之間沒有任何錄影。"
    assert missing_info(dark, "zh-TW") == [
        "後門攝影機（cam01）在這段時間完全沒有錄影；請先分析該時段的影片。"
    ]
    assert "It cannot be said" in told(dark, "en")


def test_a_gap_in_the_recording_is_told_beside_nothing_happened() -> None:
    facts = replace(ASKED, watches=(replace(WHOLE, gaps=(GAP,)),))
    assert "2025-12-16 22:10 到 22:15 之間沒有錄影，這部分無法判斷" in told(facts)
    assert missing_info(facts, "en")[0] == (
        "後門攝影機 (cam01) was not recorded from 2025-12-16 22:10 to 22:15."
    )


def test_several_cameras_with_gaps_are_counted() -> None:
    other = Watch(camera_id="cam02", camera="大門", recorded=False)
    facts = replace(ASKED, watches=(replace(WHOLE, gaps=(GAP, GAP)), other, WHOLE))
    assert "3 台攝影機中有 2 台的錄影不完整" in told(facts)


def test_events_that_match_in_part_are_never_told_as_an_answer() -> None:
    facts = replace(ASKED, nearest=(STAY,))
    sentences = [sentence.text for sentence in template_answer(facts, "zh-TW")]
    assert sentences[0].startswith("沒有")
    assert "只符合部分條件" in sentences[-2]
    assert "p12" in sentences[-1]


def test_a_long_list_of_gaps_is_counted_rather_than_cut() -> None:
    facts = replace(ASKED, count=1, findings=(STAY,), watches=(replace(WHOLE, gaps=(GAP,) * 20),))
    lines = missing_info(facts, "zh-TW")
    assert len(lines) == 9
    assert "12" in lines[-1]


def test_words_that_narrowed_nothing_are_said() -> None:
    facts = replace(ASKED, count=1, findings=(STAY,), unused=("農曆",))
    assert missing_info(facts, "zh-TW") == ["問題中這些字詞沒有用來篩選：農曆。"]


@pytest.mark.parametrize("language", ["zh-TW", "en"])
def test_counting_that_stopped_is_told_as_at_least(language: Language) -> None:
    facts = replace(ASKED, count=10_000, more=True, findings=(STAY,))
    assert ("至少 10000" if language == "zh-TW" else "at least 10000") in told(facts, language)


def test_periods_without_ends_say_nothing_of_completeness() -> None:
    facts = replace(ASKED, since_ns=None, count=1, findings=(STAY,))
    assert "23:00 以前" in told(facts)
    assert "完整" not in told(facts)


def test_a_question_of_which_nothing_was_understood_is_not_answered_with_yes() -> None:
    facts = replace(ASKED, count=3, findings=(STAY,), unused=("阿拉",), is_lost=True)
    assert told(facts) == "問題中的「阿拉」看不懂，因此列出所有事件。"


def test_what_is_still_to_come_is_neither_unrecorded_nor_complete() -> None:
    later = replace(ASKED, is_future=True, watches=(replace(WHOLE, recorded=False),))
    assert told(later) == "無法判斷，所問的時間（2025-12-16 22:00 到 23:00 之間）還沒到。"
    assert missing_info(later, "zh-TW") == ["這段時間還沒到。"]
    assert "still to come" in told(later, "en")
    assert "這段時間到目前為止的錄影完整" in told(replace(ASKED, is_unfinished=True))


def test_a_place_that_no_camera_is_called_by_is_not_quiet() -> None:
    pool = replace(ASKED, unknown_places=("泳池",), places=("泳池",))
    assert told(pool) == "無法判斷，沒有名為「泳池」的攝影機或區域。"
    elsewhere = replace(ASKED, unseen_places=("停車場",))
    assert told(elsewhere).startswith("無法判斷，「停車場」不在所選攝影機（後門攝影機）的範圍內")


def test_what_only_descriptions_could_tell_is_not_denied() -> None:
    red = replace(ASKED, told_only=("紅色",))
    assert not told(red).startswith("沒有")
    assert "「紅色」只能從事件的文字描述中尋找" in told(red)
    assert not told(red, "en").startswith("No")


def test_words_left_out_are_told_in_the_answer_and_forbid_a_yes() -> None:
    facts = replace(ASKED, count=1, findings=(STAY,), unused=("超過 30 分鐘",))
    assert not told(facts).startswith("有")
    assert "問題中的「超過 30 分鐘」沒有用來篩選。" in told(facts)
    # If none of more events is an answer, none of fewer would be.
    assert told(replace(ASKED, unused=("超過 30 分鐘",))).startswith("沒有")


def test_the_day_of_an_event_is_that_of_its_camera() -> None:
    abroad = replace(STAY, zone=ZoneInfo("Pacific/Auckland"), sentence="03:05:00 一人停留")
    facts = replace(ASKED, count=1, findings=(abroad,))
    assert "2025-12-17 03:05:00 一人停留" in told(facts)


def test_where_nothing_was_ever_recorded_no_period_is_told() -> None:
    never = replace(ASKED, since_ns=None, until_ns=None, watches=())
    assert told(never) == "無法判斷，還沒有任何錄影。"
    assert told(never, "en") == "It cannot be said: nothing was recorded yet."


def test_latin_names_stand_apart_from_chinese_words() -> None:
    facts = replace(ASKED, count=1, findings=(STAY,), places=("back door",))
    assert "之間在 back door 找到 1 筆" in told(facts)
    assert " at back door: 1 matching" in told(facts, "en")
