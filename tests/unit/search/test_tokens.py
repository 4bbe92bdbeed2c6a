"""Words and their folding."""

import pytest

from video_detective.search.tokens import fold, tokens, word_term


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("後門", "后门"),
        ("裡面", "里面"),
        ("停車場", "停车场"),
        ("麵包", "面包"),
        ("ＣＡＭ０１", "cam01"),
    ],
)
def test_traditional_and_simplified_writing_fold_to_the_same(one: str, other: str) -> None:
    assert fold(one) == fold(other)


def test_chinese_is_held_as_pairs_and_the_last_character() -> None:
    assert tokens("後門徘徊") == ["后门", "门徘", "徘徊", "徊"]


def test_a_hyphenated_id_is_found_whole_and_by_its_parts() -> None:
    assert tokens("evt_20251216_CAM01") == ["evt_20251216_cam01", "evt", "20251216", "cam01"]


def test_times_of_day_are_not_held() -> None:
    assert tokens("22:05:01 人") == ["人"]
    assert tokens("8:30") == []


def test_a_single_character_is_looked_for_as_a_beginning() -> None:
    assert word_term("狗").tokens == ("狗*",)


def test_a_longer_word_must_stand_as_it_is() -> None:
    term = word_term("後門口")
    assert (term.tokens, term.text) == (("后门", "门口"), "后门口")
    assert word_term("後門").text == ""
