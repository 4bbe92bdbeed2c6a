"""The benchmark of times in questions: its shares, and that it keeps the untouched half unseen."""

import sys

import pytest
from benchmarks import times


def exact(name: str) -> float:
    entries = times.load(name)
    return sum(times.is_exact(entry, times.read(entry)) for entry in entries) / len(entries)


@pytest.mark.parametrize("name", ["times_tuning.json", "times_untouched.json"])
def test_times_in_questions_are_read_exactly(name: str) -> None:
    share = exact(name)
    assert share >= 0.98


def test_no_time_is_read_into_questions_without_one() -> None:
    readings = [times.read(entry) for entry in times.load("times_none.json")]
    assert [found for found in readings if found.period or found.spans] == []


def test_nothing_of_the_untouched_half_is_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["times", "--failures"])
    times.main()
    printed = capsys.readouterr().out
    leaked = sum(str(entry["q"]) in printed for entry in times.load("times_untouched.json"))
    assert "times_untouched.json" in printed
    assert leaked == 0
