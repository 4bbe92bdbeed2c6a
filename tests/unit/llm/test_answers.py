"""What counts as an answer."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from video_detective.llm.answers import UnusableError, bare_text, usable_answer
from video_detective.llm.wire import Reply


class Told(BaseModel):
    text: str
    score: int = Field(ge=0, le=100)


GOOD = '{"text": "A man.", "score": 3}'


def reply(text: str, *, is_cut: bool = False, refusal: str | None = None) -> Reply:
    return Reply(
        text=text,
        is_cut=is_cut,
        refusal=refusal,
        model="eye",
        prompt_tokens=None,
        completion_tokens=None,
    )


@pytest.mark.parametrize(
    ("said", "bare"),
    [
        ("  It is quiet.\n", "It is quiet."),
        ("<think>a</think>b", "b"),
        ("<think>a</think><think>b</think>\nc", "c"),
        ("<THINKING>a</THINKING> b", "b"),
        ("a</think>b", "b"),
        ("<think>a", ""),
        ("a <think>b", "a"),
        ("<think>a <think> b</think> c", "c"),
        ("```json\n{}\n```", "{}"),
        ("```\nab\ncd\n```", "ab\ncd"),
        ("```a``` and ```b```", "```a``` and ```b```"),
        ("a\x00b\x1bc\td\ne", "abc\td\ne"),
        ("", ""),
    ],
)
def test_only_the_answer_is_left_of_what_was_said(said: str, bare: str) -> None:
    assert bare_text(said) == bare


@given(st.text(st.characters(), max_size=200))
def test_bare_text_can_be_stored_anywhere(said: str) -> None:
    bare = bare_text(said)
    assert bare.encode().decode() == bare
    assert "\x00" not in bare


@pytest.mark.parametrize(
    "said",
    [
        GOOD,
        f"Here it is:\n{GOOD}\nAnything else?",
        f"Fields {{in braces}}: {GOOD}",
        f'The form is {{"text": 1}}. {GOOD}',
        f'{GOOD} {{"text": "another", "score": 4}}',
        '{"text": "A man.", "score": "3"}',
        '{"text": "A man.", "score": 3, "more": [{"x": 1}]}',
        f"[{GOOD}]",
    ],
)
def test_the_object_that_fits_is_found(said: str) -> None:
    _, data = usable_answer(reply(said), Told)
    assert data == Told(text="A man.", score=3)


def test_line_breaks_within_a_text_are_taken_as_meant() -> None:
    _, data = usable_answer(reply('{"text": "one\ntwo", "score": 3}'), Told)
    assert data == Told(text="one\ntwo", score=3)


def test_an_answer_that_was_cut_behind_its_object_counts() -> None:
    _, data = usable_answer(reply(f"{GOOD} And moreov", is_cut=True), Told)
    assert data == Told(text="A man.", score=3)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("", "empty"),
        ("<think>long", "empty"),
        (GOOD[:-1], "truncated"),
        (GOOD[:14], "truncated"),
        (GOOD[:11] + "\\u00", "truncated"),
        ('{"text": "A man.", "score": ', "truncated"),
        ('{"text": "A man.", "score": 3,', "truncated"),
        ('{"text": "A man.", "sure": fals', "truncated"),
        ("Braces {as here}.", "invalid"),
        ("Nothing happens.", "invalid"),
        ("{'text': 'A man.', 'score': 3}", "invalid"),
        ('{"text": "A man.", "score": NaN}', "invalid"),
        ('{"text": "A man.", "score": 101}', "invalid"),
        ("[1, 2]", "invalid"),
        ("{" * 5000, "invalid"),
        ('{"a":' * 5000, "invalid"),
        ('{"a":' * 450 + "1" + "}" * 450, "invalid"),
        ("<think>" * 50_000 + GOOD, "empty"),
        (GOOD + " " * 400_000, "invalid"),
        ('{"text": "x", "score": ' + "9" * 5000 + "}", "invalid"),
        ("I'm sorry, I can't assist with that.", "refused"),
        ("I cannot identify people.", "refused"),
        ("\u62b1\u6b49\uff0c\u6211\u7121\u6cd5\u63d0\u4f9b\u3002", "refused"),
        ("\u6211\u65e0\u6cd5\u56de\u7b54\u3002", "refused"),
    ],
)
def test_what_is_no_answer_is_called_by_its_name(said: str, reason: str) -> None:
    with pytest.raises(UnusableError) as caught:
        usable_answer(reply(said), Told)
    assert caught.value.reason == reason


def test_an_answer_that_reached_its_limit_was_cut_off() -> None:
    for answer in (Told, None):
        with pytest.raises(UnusableError) as caught:
            usable_answer(reply("Once upon a", is_cut=True), answer)
        assert caught.value.reason == "truncated"


def test_a_refusal_in_its_own_field_counts_whatever_the_text_says() -> None:
    with pytest.raises(UnusableError) as caught:
        usable_answer(reply(GOOD, refusal="policy"), Told)
    assert caught.value.reason == "refused"


def test_complaints_name_the_field_and_not_the_models_words() -> None:
    said = json.dumps({"text": ["secret"], "score": 300})
    with pytest.raises(UnusableError) as caught:
        usable_answer(reply(said), Told)
    assert [problem.split(":")[0] for problem in caught.value.problems] == ["text", "score"]
    assert "secret" not in str(caught.value)


@given(st.text(max_size=300))
def test_nothing_that_is_said_makes_the_reader_fail_otherwise(said: str) -> None:
    with pytest.raises(UnusableError):
        usable_answer(reply("{" + said), Told)


def test_nothing_that_steers_a_terminal_or_turns_text_around_comes_through() -> None:
    assert bare_text("a\x1b[31mb\x9b2Jc\u202ed\u2066e\x07") == "a[31mb2Jcde"
