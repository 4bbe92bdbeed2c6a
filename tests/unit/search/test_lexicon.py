"""The words that come with the program."""

import pytest

from video_detective.detection.base import CLASS_GROUPS
from video_detective.rules.base import EVENT_TYPES, RISK_LEVELS
from video_detective.search.lexicon import KINDS, inflected, lexicon, longest

WORDS = lexicon()


def keys(kind: str) -> set[str]:
    return {key for found, key in WORDS.concepts if found == kind}


def test_every_event_type_class_and_risk_level_has_words() -> None:
    assert keys("type") == set(EVENT_TYPES)
    assert keys("risk") == set(RISK_LEVELS)
    assert set(CLASS_GROUPS) | set(CLASS_GROUPS.values()) <= keys("class")


def test_what_answers_as_well_is_known() -> None:
    for concept in WORDS.concepts.values():
        for way in (*concept.also, *concept.kin, *concept.like):
            for token in way:
                kind, _, key = token.rpartition(":")
                if not kind:
                    assert token.isascii()
                    continue
                assert ("type" if kind == "said" else kind, key) in WORDS.concepts, token


def test_a_more_general_concept_is_of_the_same_kind() -> None:
    for concept in WORDS.concepts.values():
        assert concept.kind in KINDS
        if concept.kind not in ("wear",):
            assert set(concept.keys) <= keys(concept.kind)


def test_things_have_names_of_their_own() -> None:
    """``jacket:red`` must not be taken for another kind of token."""
    things = keys("class") | keys("wear") | {"upper", "lower", "clothes"}
    others = {*KINDS, "said", "near", "no", "loose", "camera", "zone", "tripwire", "rule"}
    assert not things & others
    assert not keys("class") & keys("wear")


def test_the_longest_word_is_found() -> None:
    pattern = longest(["停車", "停車場", "bus", "bus stop"])
    assert pattern.findall("停車場的 bus stop, busy bus-stop") == ["停車場", "bus stop", "bus-stop"]


@pytest.mark.parametrize(
    ("verb", "forms"),
    [
        ("carry", ["carry", "carries", "carried", "carrying"]),
        ("stop by", ["stop by", "stops by", "stopped by", "stopping by"]),
        ("chase", ["chase", "chases", "chased", "chasing"]),
        ("lie", ["lie", "lies", "lied", "lying"]),
        ("flee", ["flee", "flees", "fleed", "fleeing"]),
        ("push", ["push", "pushes", "pushed", "pushing"]),
    ],
)
def test_verbs_are_inflected(verb: str, forms: list[str]) -> None:
    assert list(inflected(verb)) == forms
