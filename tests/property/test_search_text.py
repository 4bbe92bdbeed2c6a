"""Laws of folding, tokens and questions."""

from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from video_detective.search.concepts import concept_tokens, mentions
from video_detective.search.names import CameraNames
from video_detective.search.question import interpret
from video_detective.search.tokens import fold, tokens, word_term

HAN = st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF), min_size=1, max_size=8)
WORDS = st.sampled_from(
    [
        "有沒有",
        "後門",
        "停車場",
        "紅衣人",
        "白車",
        "沒有",
        "不是",
        "穿",
        "紅色",
        "外套",
        "機車",
        "徘徊",
        "昨晚",
        "10點",
        "以外",
        "除了",
        "的",
        "人",
        "嗎",
        "cam01",
        "not",
        "a",
        "white",
        "van",
        "in",
        "red",
        "without",
        "helmet",
        "2號攝影機",
        "兩個人",
        "拖把",
        "背包",
        "和",
        "或",
        "，",
        "？",
    ]
)
QUESTIONS = st.lists(WORDS | st.text(max_size=4), max_size=8).map(" ".join) | st.lists(
    WORDS, max_size=8
).map("".join)


@given(st.text())
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text())
def test_tokens_have_no_spaces_and_are_folded(text: str) -> None:
    for token in tokens(text):
        assert token
        assert not any(letter.isspace() for letter in token)


@given(HAN, HAN, HAN)
def test_a_word_is_found_in_every_text_that_has_it(before: str, word: str, after: str) -> None:
    text = before + word + after
    held = set(tokens(text))
    term = word_term(word)
    for token in term.tokens:
        if token.endswith("*"):
            assert any(one.startswith(token[:-1]) for one in held)
        else:
            assert token in held
    assert term.text in fold(text)


@given(QUESTIONS)
def test_mentions_stand_in_the_text_in_order(text: str) -> None:
    folded = fold(text)
    end = 0
    for mention in mentions(folded):
        assert end <= mention.start < mention.end
        assert folded[mention.start : mention.end] == mention.word
        end = mention.end


@given(QUESTIONS)
def test_concepts_are_tokens_of_an_index(text: str) -> None:
    for token in concept_tokens(fold(text), said=True):
        assert token.isascii()
        assert " " not in token
        assert token.count(":") == 1


@given(QUESTIONS)
def test_every_question_is_read_and_its_chips_are_pieces_of_it(question: str) -> None:
    found = interpret(
        question,
        now_ns=1_765_956_600 * 10**9,
        cameras=(CameraNames(camera_id="cam01", name="後門攝影機", aliases=("停車場",)),),
        zone=ZoneInfo("Asia/Taipei"),
    )
    for chip in found.chips:
        assert chip.text == question[chip.start : chip.end] != ""
    for group in (*found.groups, *found.without):
        assert group.terms
        for term in group.terms:
            assert term.tokens
            assert not any(letter.isspace() for token in term.tokens for letter in token)
    assert len({group.key for group in found.groups}) == len(found.groups)
