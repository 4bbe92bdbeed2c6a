"""Colours of upper garments: told where they are seen, and only there."""

import numpy as np
import pytest
from benchmarks.colour_set import samples
from hypothesis import given, settings
from hypothesis import strategies as st

from video_detective.attributes import FIELDS, Attributes
from video_detective.attributes.base import COLOUR_FIELDS, GROUPS, bounded, merged
from video_detective.attributes.colour import COLOURS, count_colours, upper_colours

BOX = (100.0, 40.0, 160.0, 190.0)
PAINT = {
    "black": (22, 20, 20), "white": (235, 235, 235), "gray": (120, 120, 120),
    "red": (40, 30, 190), "purple": (150, 40, 120), "yellow": (40, 200, 230),
}  # fmt: skip


def scene(shirt: tuple[int, int, int], exposure: float = 1.0) -> np.ndarray:
    picture = np.full((240, 320, 3), 150, np.uint8)
    picture[:60, 200:] = 240
    picture[40:65, 120:140] = (120, 150, 190)
    picture[65:120, 103:157] = shirt
    picture[120:190, 105:155] = (70, 50, 40)
    return (picture * exposure).astype(np.uint8)


@pytest.mark.parametrize("name", PAINT)
@pytest.mark.parametrize("exposure", [1.0, 0.6])
def test_each_of_the_six_is_told(name: str, exposure: float) -> None:
    assert upper_colours(scene(PAINT[name], exposure), [BOX]) == [name]


@pytest.mark.parametrize("shirt", [(170, 80, 20), (60, 130, 40), (30, 120, 230)])
def test_blue_green_and_orange_are_none_of_the_six(shirt: tuple[int, int, int]) -> None:
    picture = scene(shirt)

    assert upper_colours(picture, [BOX]) == ["other"]
    assert count_colours(picture, [BOX]) == {
        f"upper_{name}": 0 for name in COLOURS if name != "other"
    }


def test_of_whom_too_little_is_seen_nothing_is_told() -> None:
    picture = scene(PAINT["red"])
    tiny = (100.0, 40.0, 110.0, 60.0)
    outside = (-200.0, 40.0, -140.0, 190.0)

    assert upper_colours(picture, [tiny, outside]) == [None, None]
    assert set(count_colours(picture, [tiny]).values()) == {None}
    assert set(count_colours(picture // 60, [BOX]).values()) == {None}


def test_whoever_is_behind_another_is_not_judged_by_the_others_clothes() -> None:
    picture = scene(PAINT["red"])
    behind = (95.0, 30.0, 155.0, 180.0)

    assert upper_colours(picture, [behind, BOX]) == [None, "red"]


def test_nobody_gives_no_colours() -> None:
    assert upper_colours(scene(PAINT["red"]), []) == []
    assert set(count_colours(scene(PAINT["red"]), []).values()) == {None}


def test_rendered_persons_are_told_rightly_far_more_often_than_wrongly() -> None:
    right = wrong = 0
    for sample in samples(3, 60):
        if sample.colour:
            (said,) = upper_colours(sample.picture, [sample.box])
            truth = sample.colour if sample.colour in COLOURS else "other"
            right, wrong = right + (said == truth), wrong + (said not in (truth, None))

    assert right >= 50
    assert wrong <= 4


COUNTS = st.fixed_dictionaries({name: st.none() | st.integers(-2, 6) for name in FIELDS})


@settings(deadline=None)
@given(counts=COUNTS, persons=st.integers(0, 5))
def test_bounded_counts_never_exceed_the_persons_and_are_never_invented(
    counts: dict[str, int | None], persons: int
) -> None:
    found = bounded(Attributes(**counts), persons)

    for name in FIELDS:
        value = getattr(found, name)
        assert value is None or (value == counts[name] and 0 <= value <= persons)
    for group in (*GROUPS, COLOUR_FIELDS):
        assert sum(getattr(found, name) or 0 for name in group) <= persons


@settings(deadline=None)
@given(first=COUNTS, second=COUNTS)
def test_what_is_known_first_stays_with_its_whole_group(
    first: dict[str, int | None], second: dict[str, int | None]
) -> None:
    found = merged(Attributes(**first), Attributes(**second))

    for name in FIELDS:
        if first[name] is not None:
            assert getattr(found, name) == first[name]
        assert getattr(found, name) in (first[name], second[name])
    for group in (*GROUPS, COLOUR_FIELDS):
        sources = [first if any(first[name] is not None for name in group) else second]
        assert [getattr(found, name) for name in group] == [sources[0][name] for name in group]
