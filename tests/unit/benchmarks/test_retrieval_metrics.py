"""The measures of search, on rankings that can be worked out by hand, and the sets they are for."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from benchmarks import retrieval_metrics as retrieval
from benchmarks.retrieval_metrics import Question
from benchmarks.sets import corpus as made

from video_detective.rules import EVENT_TYPES

SETS = Path(made.__file__).parent
HALVES = ("retrieval_tuning.json", "retrieval_untouched.json")
NOW = "2025-12-17T15:30:00+08:00"


@pytest.fixture(scope="module")
def items() -> list[made.Item]:
    return made.corpus()[1]


def truth(**known: Any) -> dict[str, Any]:
    """A night's pacing at the back door, but for what is given."""
    start_ns = retrieval.Question("", "", "", (), "2025-12-16T22:00:00+08:00", {}).now_ns
    fixed = {
        "types": ["pacing", "intrusion"],
        "camera": "cam01",
        "upper_colours": ["red", "blue"],
        "people": 2,
        "start_ns": start_ns,
        "end_ns": start_ns + 60 * 10**9,
    }
    return fixed | known


def question(want: Mapping[int, Mapping[str, Any]], name: str = "q1") -> Question:
    return Question(name, name, "zh-TW", ("type", name), NOW, want)


def test_ndcg_of_the_ideal_order_is_one() -> None:
    assert retrieval.ndcg({"a": 3, "b": 1}, ["a", "b", "x"]) == 1


def test_ndcg_discounts_by_rank_and_gains_by_grade() -> None:
    # Found: 1/log2(2) + 0 + 7/log2(4) = 4.5; ideal: 7/log2(2) + 1/log2(3).
    expected = 4.5 / (7 + 1 / math.log2(3))
    assert retrieval.ndcg({"a": 3, "b": 1}, ["b", "x", "a"]) == pytest.approx(expected)


def test_ndcg_counts_no_more_ranks_than_asked_for() -> None:
    assert retrieval.ndcg({"a": 3}, ["x", "y", "a"], at=2) == 0
    assert retrieval.ndcg({"a": 3, "b": 3, "c": 3}, ["c", "a"], at=2) == 1


def test_an_event_returned_twice_counts_once() -> None:
    expected = 3 / (3 + 3 / math.log2(3))
    assert retrieval.ndcg({"a": 2, "b": 2}, ["a", "a"]) == pytest.approx(expected)


def test_recall_is_the_share_of_the_wanted() -> None:
    assert retrieval.recall(["a", "b", "c", "d"], ["d", "a", "x"]) == 0.5
    assert retrieval.recall([], ["x"]) == 1


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"types": "intrusion"}, True),
        ({"types": ["speed", "pacing"]}, True),
        ({"camera": ["cam02", "cam03"]}, False),
        ({"camera": "cam01", "upper_colours": "green"}, False),
        ({"all": {"upper_colours": ["red", "blue"]}}, True),
        ({"all": {"upper_colours": ["red", "green"]}}, False),
        ({"not": {"camera": "cam01"}}, False),
        ({"any": [{"camera": "cam09"}, {"upper_colours": "blue"}]}, True),
        ({"min": {"people": 2}, "max": {"people": 2}}, True),
        ({"min": {"people": 3}}, False),
        ({"time": ["2025-12-16T22:00:00+08:00", "2025-12-16T23:00:00+08:00"]}, True),
        ({"time": ["2025-12-16T22:00:59+08:00", None]}, True),
        ({"time": ["2025-12-16T22:01:00+08:00", None]}, False),
        ({"time": [None, "2025-12-16T14:00:00+00:00"]}, False),
    ],
)
def test_all_entries_of_a_condition_must_hold(condition: dict[str, Any], expected: bool) -> None:
    assert retrieval.holds(condition, truth()) is expected


def test_an_instant_event_lies_in_the_range_that_begins_with_it() -> None:
    instant = truth(end_ns=truth()["start_ns"])
    begins = {"time": ["2025-12-16T22:00:00+08:00", "2025-12-16T22:00:01+08:00"]}
    ends = {"time": ["2025-12-16T21:00:00+08:00", "2025-12-16T22:00:00+08:00"]}
    assert retrieval.holds(begins, instant)
    assert not retrieval.holds(ends, instant)


def test_an_event_has_the_highest_grade_that_holds() -> None:
    asked = question(
        {3: {"upper_colours": "green"}, 2: {"types": "pacing"}, 1: {"camera": "cam01"}}
    )
    assert asked.grade(truth()) == 2
    assert asked.grade(truth(types=["speed"])) == 1
    assert asked.grade(truth(camera="cam02", types=["speed"])) == 0


@pytest.mark.parametrize(
    ("want", "complaint"),
    [
        ({"3": {"colour": "red"}}, "'colour' is no key"),
        ({"3": {"any": [{"not": {"type_": "speed"}}]}}, "'type_' is no key"),
        ({"3": {"min": {"persons_": 2}}}, "persons_"),
        ({"3": {"time": ["2025-12-17T00:00:00+08:00", "2025-12-16T00:00:00+08:00"]}}, "not before"),
        ({"3": {"time": ["2025-12-17T00:00:00", None]}}, "no offset"),
        ({"4": {"types": "speed"}}, "grades are 1, 2 and 3"),
    ],
)
def test_a_condition_that_means_nothing_is_refused(
    tmp_path: Path, want: dict[str, Any], complaint: str
) -> None:
    file = tmp_path / "questions.json"
    entry = {"id": "q1", "q": "?", "lang": "en", "kinds": [], "now": NOW, "want": want}
    file.write_text(json.dumps([entry]), encoding="utf-8")
    with pytest.raises(ValueError, match=complaint):
        retrieval.read_questions(file)


def test_questions_are_scored_by_kind_and_language(items: Sequence[made.Item]) -> None:
    asked = [
        question({3: {"types": "wrong_way"}}, "right"),
        question({3: {"types": "post_left"}}, "wrong"),
        question({}, "nothing"),
    ]
    right = [item.event.event_id for item in items if item.truth["type"] == "wrong_way"]
    scores = retrieval.evaluate(lambda _: right, asked, items)
    assert scores.by_question == {"right": pytest.approx(1), "wrong": 0}
    assert scores.ndcg == scores.by_kind["type"] == scores.by_lang["zh-TW"] == pytest.approx(0.5)
    assert scores.by_kind["right"] == pytest.approx(1)
    assert scores.recall == 0.5
    assert scores.false_hits == ("nothing",)


def test_the_corpus_is_large_varied_and_the_same_every_time(items: Sequence[made.Item]) -> None:
    assert len(items) == len({item.event.event_id for item in items}) >= 5000
    assert {item.event.type for item in items} == set(EVENT_TYPES)
    assert 0.55 < sum(bool(item.told) for item in items) / len(items) < 0.65
    assert made.corpus(size=300)[1] == made.corpus(size=300)[1]
    assert made.corpus(size=300)[1] != made.corpus(seed=1, size=300)[1]


def test_what_no_text_tells_is_not_known(items: Sequence[made.Item]) -> None:
    told = ("upper_colours", "objects", "vehicles", "behaviours", "absent", "persons")
    assert not any(item.truth[key] for item in items if not item.told for key in told)


@pytest.mark.parametrize("half", HALVES)
def test_every_question_has_at_least_three_events_to_find(
    half: str, items: Sequence[made.Item]
) -> None:
    questions = retrieval.read_questions(SETS / half)
    assert len(questions) >= 70
    assert sum(not q.want for q in questions) <= 5
    counts = {
        q.q: sum(grade == max(q.want) for grade in q.grades(items).values())
        for q in questions
        if q.want
    }
    assert {words: count for words, count in counts.items() if count < 3} == {}


def test_the_halves_share_no_question() -> None:
    tuning, untouched = (retrieval.read_questions(SETS / half) for half in HALVES)
    assert not {q.q for q in tuning} & {q.q for q in untouched}
    assert not {q.id for q in tuning} & {q.id for q in untouched}
    assert {kind for q in tuning for kind in q.kinds} == {k for q in untouched for k in q.kinds}


def test_every_two_character_word_is_in_some_event(items: Sequence[made.Item]) -> None:
    words = json.loads((SETS / "two_character_words.json").read_text(encoding="utf-8"))
    assert len(set(words)) == len(words) >= 60
    assert {len(word) for word in words} == {2}
    texts = "\n".join(item.text for item in items)
    assert [word for word in words if word not in texts] == []
