"""Why an alert was not described, in words that somebody can act on."""

import pytest

from video_detective.insights.explain import _CHINESE, _ENGLISH, explain


@pytest.mark.parametrize("reason", [*_ENGLISH, "internal"])
@pytest.mark.parametrize("language", ["zh-TW", "en"])
def test_every_reason_is_a_sentence_that_names_what_it_is_about(reason: str, language: str) -> None:
    said = explain(reason, "it is full.", language, server="gpu", model="eyes")  # type: ignore[arg-type]
    assert "{" not in said
    assert len(said) > 10
    if language == "zh-TW":
        assert said.endswith("。")
        assert not set(",;?!") & set(said)


def test_both_languages_know_the_same_reasons() -> None:
    assert set(_CHINESE) == set(_ENGLISH)
