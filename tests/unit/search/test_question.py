"""What questions are understood as."""

import time
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from video_detective.search.names import CameraNames, PlaceName
from video_detective.search.question import Interpretation, interpret

TAIPEI = ZoneInfo("Asia/Taipei")
NOW_NS = int(datetime(2025, 12, 17, 7, 30, tzinfo=UTC).timestamp()) * 10**9
CAMERAS = (
    CameraNames(
        camera_id="cam01",
        name="後門攝影機",
        aliases=("後門", "back door"),
        zones=(PlaceName(id="back", name="後門禁入區"), PlaceName(id="bins", name="垃圾集中場")),
        tripwires=(PlaceName(id="sill", name="後門門檻", ways=("進來那邊", "離開")),),
    ),
    CameraNames(camera_id="cam02", name="停車場", zones=(PlaceName(id="bays", name="停車格"),)),
    CameraNames(camera_id="cam03", name="地下停車場", aliases=("B1 停車場",)),
    CameraNames(
        camera_id="cam04",
        name="二樓走廊",
        zones=(PlaceName(id="queue", name="排隊區"), PlaceName(id="side", name="後門內側")),
    ),
    CameraNames(camera_id="lobby", name="Main Lobby Camera"),
)


def read(question: str) -> Interpretation:
    return interpret(question, now_ns=NOW_NS, cameras=CAMERAS, zone=TAIPEI)


def wanted(question: str) -> set[str]:
    return {group.key for group in read(question).groups}


def answers(question: str) -> set[str]:
    """Every single token that answers one of the groups."""
    groups = read(question).groups
    return {term.tokens[0] for group in groups for term in group.terms if len(term.tokens) == 1}


def unwanted(question: str) -> set[str]:
    return {token for group in read(question).without for t in group.terms for token in t.tokens}


def test_a_whole_question_is_understood() -> None:
    found = read("昨天晚上 10 點到 11 點，有沒有人在後門徘徊？")
    assert found.period is not None
    assert found.period.start_ns == int(datetime(2025, 12, 16, 14, tzinfo=UTC).timestamp()) * 10**9
    assert found.event_types == ("pacing",)
    assert found.classes == ("person",)
    assert found.cameras == ()
    assert found.not_understood == ()
    assert "place:后门" in {group.key for group in found.groups}
    assert [chip.text for chip in found.chips if chip.kind != "time"] == ["有人", "後門", "徘徊"]


@pytest.mark.parametrize(
    "question",
    [
        "",
        "昨晚發生什麼事",
        "what happened last night?",
        "請問昨天有哪些事件",
        "今天的監視器畫面",
        "show me everything",
    ],
)
def test_a_question_about_anything_narrows_nothing(question: str) -> None:
    found = read(question)
    assert (found.groups, found.without, found.cameras) == ((), (), ())


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("有人翻進禁區亂闖嗎", "intrusion"),
        ("誰在那裡溜達", "pacing"),
        ("賴著不走的人", "loitering"),
        ("忘記拿的包包", "abandoned_object"),
        ("沒有人看管的包", "abandoned_object"),
        ("大廳擠滿人", "crowding"),
        ("開太快的車", "speed"),
        ("逆行的機車", "wrong_way"),
        ("擅離崗位", "post_left"),
        ("鏡頭被遮住了嗎", "camera_tampered"),
        ("跨過警戒線", "line_crossing"),
        ("排隊太長", "metric"),
        ("who broke into the office", "intrusion"),
        ("someone hanging around", "loitering"),
        ("cars speeding", "speed"),
    ],
)
def test_types_of_events_are_known_in_many_words(question: str, kind: str) -> None:
    assert kind in read(question).event_types


@pytest.mark.parametrize(
    ("question", "cameras"),
    [
        ("cam02 昨天有什麼", ("cam02",)),
        ("後門攝影機昨天拍到誰", ("cam01",)),
        ("停車場的攝影機", ("cam02",)),
        ("2號攝影機有沒有車", ("cam02",)),
        ("第三支鏡頭", ("cam03",)),
        ("camera 4 last night", ("cam04",)),
        ("CAM01 or cam02", ("cam01", "cam02")),
        ("main lobby camera", ("lobby",)),
        ("後門昨天有什麼", ()),
        ("停車場有沒有人", ()),
    ],
)
def test_only_a_device_that_is_named_confines_the_search(
    question: str, cameras: tuple[str, ...]
) -> None:
    assert read(question).cameras == cameras


def test_an_unknown_camera_number_is_not_understood() -> None:
    found = read("9號攝影機有沒有人")
    assert found.cameras == ()
    assert found.not_understood == ("9號攝影機",)


@pytest.mark.parametrize(
    ("question", "token"),
    [
        ("後門", "camera:cam01"),
        ("后门有人吗", "camera:cam01"),
        ("at the back door", "camera:cam01"),
        ("停車格", "zone:bays@cam02"),
        ("car park", "camera:cam02"),
        ("B1停車場", "camera:cam03"),
        ("在二樓溜達的人", "camera:cam04"),
        ("集中場", "zone:bins@cam01"),
    ],
)
def test_places_are_known_by_names_aliases_and_telling_parts(question: str, token: str) -> None:
    assert token in answers(question)


def test_a_place_is_looked_for_in_zones_of_other_cameras_too() -> None:
    assert "zone:side@cam04" in answers("後門有人嗎")


def test_the_place_of_exactly_that_name_comes_first() -> None:
    first, wider = read("停車場").groups[:2]
    assert {t.tokens[0] for t in first.terms} >= {"camera:cam02"}
    assert "camera:cam03" not in {t.tokens[0] for t in first.terms}
    assert "camera:cam03" in {t.tokens[0] for t in wider.terms}


def test_what_people_do_is_no_place_that_is_called_after_it() -> None:
    assert "camera:cam04" not in answers("有人在排隊嗎")


@pytest.mark.parametrize(
    ("question", "key"),
    [
        ("紅衣人", "upper:red"),
        ("穿紅色外套的男子", "upper:red"),
        ("a woman in a blue jacket", "upper:blue"),
        ("白車", "car:white"),
        ("紅色機車", "motorcycle:red"),
        ("戴紅帽的小孩", "hat:red"),
        ("藍色拖把", "colour:blue"),
        ("藍色拖把", "word:拖把"),
        ("white van or white car", "van:white|car:white"),
        ("沒戴安全帽的工人", "no:helmet"),
        ("東張西望", "act:look_around"),
        ("小孩", "who:child"),
        ("高風險事件", "risk:high"),
        ("p12", "word:p12"),
    ],
)
def test_what_is_asked_for_becomes_a_group(question: str, key: str) -> None:
    assert key in wanted(question)


def test_a_red_motorcycle_does_not_answer_who_wore_red() -> None:
    assert not answers("紅衣人") & {"motorcycle:red", "vehicle:red", "colour:red"}


@pytest.mark.parametrize(
    "question",
    [
        "後門有沒有人？",
        "後門沒有人嗎",
        "后门有没有人",
        "is there anyone at the back door?",
        "後門有無人員",
    ],
)
def test_questions_whether_there_was_somebody_ask_for_people(question: str) -> None:
    assert "class:person" in wanted(question)
    assert not read(question).without


@pytest.mark.parametrize(
    ("question", "token"),
    [
        ("沒有人的停車場", "class:person"),
        ("不是白色的轎車", "sedan:white"),
        ("除了停車場以外的闖入", "camera:cam02"),
        ("不在後門的遺留物", "camera:cam01"),
        ("intrusions but not at the back door", "camera:cam01"),
        ("cam01 以外的闖入", "camera:cam01"),
        ("people without a dog", "class:dog"),
        ("沒有徘徊的人", "type:pacing"),
        ("沒有藍色背包的人", "backpack:blue"),
        ("不是保全的人", "who:guard"),
    ],
)
def test_what_is_negated_must_not_be_there(question: str, token: str) -> None:
    assert token in unwanted(question)
    assert token not in answers(question)


def test_a_car_that_is_not_white_is_a_car() -> None:
    assert "class:sedan" in wanted("不是白色的轎車")


def test_nobody_doing_something_is_asked_as_a_question() -> None:
    assert not read("沒有人徘徊嗎").without
    assert read("沒有人徘徊嗎").event_types == ("pacing",)


@pytest.mark.parametrize(
    ("question", "lost"),
    [
        ("兩個人以上在後門", "兩個"),
        ("停留超過 30 秒的人", "超過 30 秒"),
        ("more than 3 people", "more than 3"),
    ],
)
def test_what_cannot_be_looked_for_is_said(question: str, lost: str) -> None:
    assert any(lost in word for word in read(question).not_understood)


def test_a_single_word_is_also_looked_for_as_it_is_written() -> None:
    groups = read("徘徊").groups
    assert any(term.tokens == ("徘徊",) for group in groups for term in group.terms)


def test_chips_are_pieces_of_the_question() -> None:
    question = "昨晚穿紅衣的人在ＣＡＭ０１，沒有背包"
    chips = read(question).chips
    assert all(question[chip.start : chip.end] == chip.text for chip in chips)
    assert [(chip.kind, chip.text) for chip in chips] == [
        ("time", "昨晚"),
        ("colour", "紅"),
        ("wear", "衣"),
        ("class", "人"),
        ("camera", "ＣＡＭ０１"),
        ("class", "背包"),
    ]
    assert chips[-1].negated


def test_without_cameras_words_are_still_understood() -> None:
    found = interpret("後門徘徊", now_ns=NOW_NS, cameras=(), zone=TAIPEI)
    assert {group.key for group in found.groups} >= {"place:后门", "type:pacing"}


def test_a_query_carries_the_filters() -> None:
    query = read("昨晚 cam02 的白車").query(limit=7, offset=3)
    assert (query.cameras, query.limit, query.offset) == (("cam02",), 7, 3)
    assert query.since_ns == int(datetime(2025, 12, 16, 10, tzinfo=UTC).timestamp()) * 10**9


@pytest.mark.parametrize("question", ["停車場沒有人", "nobody at the car park"])
def test_a_post_that_was_left_comes_first_where_nobody_should_be_missing(question: str) -> None:
    refining = [group.key for group in read(question).groups if group.refines]
    assert "type:post_left" in refining
    assert "class:person" in unwanted(question)


def test_no_group_only_refines() -> None:
    found = read("沒有人的畫面")
    assert found.groups == ()
    assert "class:person" in unwanted("沒有人的畫面")


@pytest.mark.parametrize(
    ("question", "gone"),
    [("有人受傷嗎", "class:person"), ("有人砸東西", "class:object"), ("開車的人逆向", "act:drive")],
)
def test_what_says_nothing_beside_the_rest_is_not_looked_for(question: str, gone: str) -> None:
    assert wanted(question)
    assert gone not in wanted(question)


def test_somebody_being_there_is_no_half_of_an_answer() -> None:
    assert read("有沒有人騎馬").query().least == 2


def test_two_names_of_one_kind_are_alternatives() -> None:
    assert "act:fight|act:argue" in wanted("打架或吵架")


def test_a_question_as_long_as_may_be_holds_nobody_up() -> None:
    for letters in ("龘" * 500, "".join(chr(0x4E00 + at) for at in range(500)), "紅" * 500):
        begun = time.process_time()
        read(letters)
        assert time.process_time() - begun < 1


def test_characters_that_nobody_sees_part_no_words() -> None:
    plain, hidden = read("昨晚後門有人嗎"), read("\ufeff昨\u200b晚後\u200b門有\u2060人\u200d嗎")
    assert (hidden.groups, hidden.period) == (plain.groups, plain.period)
    assert [chip.kind for chip in hidden.chips] == [chip.kind for chip in plain.chips]


@pytest.mark.parametrize("said", ["超過五分鐘", "超過 5 分鐘", "至少兩小時", "半小時以上"])
def test_how_long_is_not_looked_for_as_a_word(said: str) -> None:
    found = read(f"離崗{said}")
    assert found.not_understood == (said,)
    assert not any(group.key.startswith("word:") for group in found.groups)
