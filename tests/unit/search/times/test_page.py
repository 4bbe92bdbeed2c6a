"""Every expression that docs/questions.md gives a meaning, with that meaning."""

import pytest
from tests.unit.search.times.readings import period, reading

PAGE = [
    ("昨天晚上 10 點到 11 點，有沒有人在後門徘徊？", "2025-12-16 22:00 / 2025-12-16 23:00"),
    ("昨晚", "2025-12-16 18:00 / 2025-12-17 06:00"),
    ("12 月 1 日到 3 日", "2025-12-01 00:00 / 2025-12-04 00:00"),
]


@pytest.mark.parametrize(("question", "meant"), PAGE, ids=[question for question, _ in PAGE])
def test_words_mean_what_the_page_says(question: str, meant: str) -> None:
    assert period(question) == meant


def test_a_day_that_cannot_be_is_said_and_narrows_nothing() -> None:
    found = reading("2 月 30 日有人嗎？")
    assert (found.period, found.not_understood) == (None, ("2 月 30 日",))
