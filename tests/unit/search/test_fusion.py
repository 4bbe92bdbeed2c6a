"""Fusing what words and what vectors find."""

from hypothesis import given
from hypothesis import strategies as st

from video_detective.search.base import Hit
from video_detective.search.fusion import K, Near, fuse


def hit(number: int, *matched: str, of: int = 2) -> Hit:
    return Hit(
        event_id=f"evt_{number:04d}",
        matched=matched,
        complete=len(matched) == of,
        score=1.0,
        start_ns=number,
    )


def near(number: int, similarity: float = 0.5) -> Near:
    return Near(event_id=f"evt_{number:04d}", similarity=similarity, start_ns=number)


def numbers(hits: list[Hit], found: list[Near]) -> list[int]:
    return [int(candidate.event_id[-4:]) for candidate in fuse(hits, found)]


def test_without_vectors_the_hits_stay_as_they_are() -> None:
    hits = [hit(3, "a", "b"), hit(1, "a", "b"), hit(2, "a")]

    assert numbers(hits, []) == [3, 1, 2]
    assert [candidate.hit for candidate in fuse(hits, [])] == hits


def test_nothing_found_gives_nothing() -> None:
    assert fuse([], []) == []


def test_a_vector_never_outranks_words_that_match_completely() -> None:
    hits = [hit(1, "a", "b"), hit(2, "a")]

    assert numbers(hits, [near(9), near(2)])[0] == 1


def test_an_event_that_only_a_vector_finds_is_a_candidate() -> None:
    candidates = fuse([hit(1, "a", "b")], [near(9, 0.7)])

    assert [candidate.is_complete for candidate in candidates] == [True, False]
    assert candidates[1].hit is None
    assert candidates[1].similarity == 0.7
    assert candidates[1].start_ns == 9


def test_among_complete_matches_those_nearer_to_the_question_rise() -> None:
    hits = [hit(n, "a", "b") for n in (1, 2, 3)]

    assert numbers(hits, [near(3), near(9)]) == [3, 1, 2, 9]


def test_ranks_are_counted_as_the_paper_says() -> None:
    """Second by words and first by vector beats first and third: 1/62 + 1/61 > 1/61 + 1/63."""
    assert K == 60
    assert numbers([hit(1, "a"), hit(2, "a")], [near(2), near(3), near(1)]) == [2, 1, 3]


def test_of_equals_the_one_with_words_comes_first_then_the_newest() -> None:
    assert numbers([hit(1, "a")], [near(5)]) == [1, 5]
    assert numbers([hit(1, "a"), hit(2, "a")], [near(2), near(1)]) == [1, 2]


def test_a_question_without_words_is_left_to_the_hits() -> None:
    listed = [hit(n, of=0) for n in (5, 4, 3)]

    assert numbers(listed, [near(3), near(9)]) == [5, 4, 3]


@given(
    st.lists(st.integers(0, 30), unique=True),
    st.lists(st.integers(0, 30), unique=True),
    st.integers(0, 30),
)
def test_every_event_is_there_once_and_complete_matches_lead(
    by_words: list[int], by_vector: list[int], complete: int
) -> None:
    hits = [
        hit(n, *(("a", "b") if place < complete else ("a",))) for place, n in enumerate(by_words)
    ]
    candidates = fuse(hits, [near(n) for n in by_vector])

    found = [int(candidate.event_id[-4:]) for candidate in candidates]
    assert sorted(found) == sorted({*by_words, *by_vector})
    leading = [candidate.is_complete for candidate in candidates]
    assert leading == sorted(leading, reverse=True)
    assert sum(leading) == min(complete, len(by_words))
