import sqlite3

from hypothesis import given
from hypothesis import strategies as st

from video_detective.search.base import Term
from video_detective.storage import fulltext

TEXT = st.text(st.sampled_from("\"'*:^%=@~aA09 後門\0\n\u3000") | st.characters(codec="utf-8"))


@given(TEXT, TEXT)
def test_different_tokens_stay_different(one: str, other: str) -> None:
    one, other = one[:30].replace("\0", ""), other[:30].replace("\0", "")

    assert (fulltext.index_token(one) == fulltext.index_token(other)) == (one == other)


@given(st.lists(TEXT.filter(bool), min_size=1, max_size=4))
def test_sqlite_keeps_every_token_whole(tokens: list[str]) -> None:
    held = {part for token in tokens for part in fulltext.held_for(token)}
    with sqlite3.connect(":memory:") as connection:
        connection.executescript(
            "CREATE VIRTUAL TABLE t USING fts5(x, tokenize=\"ascii tokenchars ':_.-@%='\");"
            "CREATE VIRTUAL TABLE v USING fts5vocab(t, row);"
        )
        joined = fulltext.joined((), frozenset(tokens[:1]), tokens)
        connection.execute("INSERT INTO t VALUES (?)", (joined,))
        terms = {term for (term,) in connection.execute("SELECT term FROM v")}
    connection.close()

    assert terms == held


def test_a_term_that_asks_for_nothing_is_satisfied_by_nothing() -> None:
    assert fulltext.way(Term(tokens=())) is None
    assert fulltext.way(Term(tokens=("",))) is None
    assert fulltext.way(Term(tokens=("*",))) is None


def test_at_least_two_of_three_is_every_pair() -> None:
    query = fulltext.has_at_least(fulltext.SYNTAX["sqlite"], 2, ["a", "b", "c"])

    assert query == "((a AND (b OR c)) OR (b AND c))"


def test_tokens_are_cut_between_two_when_there_are_too_many() -> None:
    tokens = [f"{n:0100}" for n in range(3000)]

    kept = fulltext.joined((), frozenset(), tokens).split(" ")

    assert kept == tokens[: len(kept)]
    assert len(kept) * 101 <= fulltext.MAX_TOKENS_LENGTH + 1
