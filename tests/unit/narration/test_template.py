"""Sentences, evidence texts and search terms made from facts alone."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from video_detective.geometry import NS_PER_S, Polygon
from video_detective.narration import event_texts, keywords_zh, moment_text, summary
from video_detective.rules import EVENT_TYPES, Actor, Event, Moment, Scene, Tripwire, Zone

SQUARE = Polygon(((0.1, 0.1), (0.9, 0.1), (0.9, 0.9), (0.1, 0.9)))
SCENE = Scene(
    camera_id="cam01",
    timezone="Asia/Taipei",
    zones=(Zone(id="back", name="後門禁入區", polygon=SQUARE),),
    tripwires=(
        Tripwire(
            id="fence",
            name="圍籬線",
            points=((0.2, 0.6), (0.8, 0.6)),
            left_to_right="進入",
            right_to_left="離開",
        ),
    ),
)
CAMERA = "後門攝影機"
START_NS = int(datetime.fromisoformat("2025-12-16T22:05:00+08:00").timestamp()) * NS_PER_S
P12 = Actor(track_id="p12", type="person")
V03 = Actor(track_id="v03", type="car")
BAG = Actor(track_id="o07", type="suitcase")


def event(
    kind: str,
    facts: Mapping[str, Any] | None = None,
    *,
    actors: tuple[Actor, ...] = (P12,),
    seconds: float | None = 35,
    moments: tuple[Moment, ...] = (),
    parameters: Mapping[str, Any] | None = None,
) -> Event:
    """An event that lasts ``seconds`` (None: still open), established after one second."""
    on_a_line = kind == "line_crossing"
    return Event(
        event_id="evt_20251216_cam01_0007",
        camera_id="cam01",
        type=kind,
        risk_level="high",
        rule_id="rule-1",
        start_ns=START_NS,
        established_ns=START_NS + NS_PER_S,
        end_ns=None if seconds is None else START_NS + round(seconds * NS_PER_S),
        frames=(100, 200),
        zone=None if on_a_line or kind == "camera_tampered" else "back",
        tripwire="fence" if on_a_line else None,
        actors=actors,
        moments=moments,
        facts=facts or {},
        parameters=parameters or {},
    )


def moment(what: str, *track_ids: str, after_s: int = 0) -> Moment:
    return Moment(time_ns=START_NS + after_s * NS_PER_S, frame=100, what=what, track_ids=track_ids)


OWNER = Actor(track_id="p03", type="person", role="owner")
LEFT_22_04_10 = moment("owner_left", "p03", "o07", after_s=-50)
PEOPLE = {"classes": ["person"]}

GOLDEN = [
    (
        event(
            "line_crossing", {"direction": "left_to_right", "direction_name": "進入"}, actors=(V03,)
        ),
        "22:05:00 汽車 v03 越過圍籬線，方向：進入",
        "22:05:00 car v03 crossed 圍籬線, direction: 進入",
    ),
    (
        event("line_crossing", {"direction": "right_to_left", "direction_name": ""}, seconds=0),
        "22:05:00 人物 p12 越過圍籬線，方向：由線的右側到左側",
        "22:05:00 person p12 crossed 圍籬線, direction: from the line's right to its left",
    ),
    (
        event("intrusion", {"dwell_s": 35.2, "ended": "left"}),
        "22:05:00 人物 p12 進入後門禁入區，停留約 35 秒，隨後離開",
        "22:05:00 person p12 entered 後門禁入區, stayed about 35 s, then left",
    ),
    (
        event("intrusion", {"dwell_s": 1.0}, seconds=None),
        "22:05:00 人物 p12 進入後門禁入區，已停留約 1 秒，目前仍在持續",
        "22:05:00 person p12 entered 後門禁入區, has stayed about 1 s, still going on",
    ),
    (
        event(
            "intrusion",
            {
                "dwell_s": 125,
                "ended": "vanished",
                "visits": 2,
                "parts": [{"type": "intrusion"}, {"type": "loitering"}, {"type": "pacing"}],
                "suppressed": 3,
            },
        ),
        "22:05:00 人物 p12 進入後門禁入區，停留約 2 分 5 秒，隨後未再出現，共 2 次，"
        "並符合「停留、徘徊」，另有 3 次同類情形未另外列出",
        "22:05:00 person p12 entered 後門禁入區, stayed about 2 min 5 s, then was not seen again, "
        "2 times in all, also loitering, pacing, 3 more of the kind not listed",
    ),
    (
        event("loitering", {"dwell_s": 60, "average_speed_px_s": 8.4, "ended": "source_end"}),
        "22:05:00 人物 p12 在後門禁入區停留約 1 分鐘，移動緩慢（平均約 8 像素/秒），到影片結束",
        "22:05:00 person p12 stayed in 後門禁入區 for about 1 min, "
        "moving slowly (about 8 px/s on average), until the recording ended",
    ),
    (
        event("pacing", {"crossings": 5, "way": "legs", "dwell_s": 90, "ended": "left"}),
        "22:05:00 人物 p12 在後門禁入區來回徘徊 5 次，持續約 1 分 30 秒，隨後離開",
        "22:05:00 person p12 paced to and fro in 後門禁入區 5 times, for about 1 min 30 s, "
        "then left",
    ),
    (
        event("pacing", {"crossings": 4, "way": "visits", "dwell_s": 70}, seconds=None),
        "22:05:00 人物 p12 反覆進出後門禁入區 4 次，已持續約 1 分 10 秒，目前仍在持續",
        "22:05:00 person p12 went in and out of 後門禁入區 4 times, for about 1 min 10 s so far, "
        "still going on",
    ),
    (
        event(
            "pacing",
            {"crossings": 4, "way": "tripwire", "dwell_s": 70, "ended": "left"},
            parameters={"tripwire": "fence"},
        ),
        "22:05:00 人物 p12 在後門禁入區來回越過圍籬線 4 次，持續約 1 分 10 秒，隨後離開",
        "22:05:00 person p12 in 後門禁入區 crossed 圍籬線 to and fro 4 times, "
        "for about 1 min 10 s, then left",
    ),
    (
        event(
            "abandoned_object",
            {"alone_s": 3790, "ended": "removed"},
            actors=(BAG, OWNER),
            moments=(LEFT_22_04_10,),
        ),
        "22:05:00 行李箱 o07 被留在後門禁入區，約 1 小時 3 分無人看管，"
        "物主 p03 於 22:04:10 離開，隨後被取走",
        "22:05:00 suitcase o07 was left in 後門禁入區, unattended for about 1 h 3 min, "
        "owner p03 left at 22:04:10, then was taken away",
    ),
    (
        event(
            "abandoned_object", {"alone_s": 30, "owner_left_at": None}, actors=(BAG,), seconds=None
        ),
        "22:05:00 行李箱 o07 被留在後門禁入區，已約 30 秒無人看管，目前仍在持續",
        "22:05:00 suitcase o07 was left in 後門禁入區, unattended for about 30 s so far, "
        "still going on",
    ),
    (
        event("crowding", {"peak_count": 6, "duration_s": 12, "ended": "dispersed"}),
        "22:05:00 後門禁入區有人群聚，最多 6 人，持續約 12 秒，隨後散去",
        "22:05:00 people crowded in 後門禁入區, at most 6, for about 12 s, then dispersed",
    ),
    (
        event(
            "metric",
            {
                "metricPath": "zones.back.count",
                "operator": "GT",
                "threshold": 10,
                "actualValue": 12,
                "duration_s": 8,
                "ended": "ended",
            },
            parameters=PEOPLE,
        ),
        "22:05:00 後門禁入區的人數為 12，超過門檻 10，持續約 8 秒，隨後恢復正常",
        "22:05:00 number of people of 後門禁入區 is 12, above the threshold 10, for about 8 s, "
        "then back to normal",
    ),
    (
        event(
            "metric",
            {
                "metricPath": "zones.back.max_dwell_s",
                "operator": "GTE",
                "threshold": 120,
                "actualValue": 125,
                "duration_s": 8,
            },
            seconds=None,
        ),
        "22:05:00 後門禁入區的最長停留時間為 2 分 5 秒，達到門檻 2 分鐘，已持續約 8 秒，目前仍在持續",
        "22:05:00 longest dwell of 後門禁入區 is 2 min 5 s, at or above the threshold 2 min, "
        "for about 8 s so far, still going on",
    ),
    (
        event("wrong_way", {"angle_deg": 171.6, "duration_s": 4, "ended": "turned"}, actors=(V03,)),
        "22:05:00 汽車 v03 在後門禁入區逆向行進，偏離允許方向約 172 度，持續約 4 秒，隨後轉回允許方向",
        "22:05:00 car v03 moved the wrong way in 後門禁入區, "
        "about 172 degrees off the allowed direction, for about 4 s, then turned the allowed way",
    ),
    (
        event(
            "speed",
            {"peak_speed_px_s": 421.3, "limit_px_s": 300.0, "duration_s": 2, "ended": "slowed"},
            actors=(V03,),
        ),
        "22:05:00 汽車 v03 在後門禁入區超速，最高約 421 像素/秒，上限 300 像素/秒，"
        "持續約 2 秒，隨後減速",
        "22:05:00 car v03 was too fast in 後門禁入區, at most about 421 px/s, limit 300 px/s, "
        "for about 2 s, then slowed down",
    ),
    (
        event("post_left", {"absent_s": 125, "min_people": 1, "ended": "returned"}, actors=()),
        "22:05:00 後門禁入區無人在崗，持續約 2 分 5 秒，隨後有人返回",
        "22:05:00 後門禁入區 was unmanned, for about 2 min 5 s, then somebody returned",
    ),
    (
        event("post_left", {"absent_s": 60, "min_people": 2}, actors=(), seconds=None),
        "22:05:00 後門禁入區在崗人數不足（應有 2 人），已持續約 1 分鐘，目前仍在持續",
        "22:05:00 後門禁入區 was short of people (2 needed), for about 1 min so far, "
        "still going on",
    ),
    (
        event(
            "camera_tampered",
            {"kinds": ["dark", "shifted"], "duration_s": 10, "ended": "well"},
            actors=(),
        ),
        "22:05:00 後門攝影機鏡頭異常：畫面全暗、視角偏移，持續約 10 秒，隨後恢復正常",
        "22:05:00 後門攝影機: camera tampering, the picture is dark, the view has moved, "
        "for about 10 s, then back to normal",
    ),
]


@pytest.mark.parametrize(("told", "chinese", "english"), GOLDEN)
def test_the_facts_become_one_sentence_in_each_language(
    told: Event, chinese: str, english: str
) -> None:
    assert summary(told, SCENE, language="zh-TW", camera_name=CAMERA) == chinese
    assert summary(told, SCENE, language="en", camera_name=CAMERA) == english


def test_every_event_type_has_a_golden_sentence() -> None:
    assert {told.type for told, _, _ in GOLDEN} == set(EVENT_TYPES)


@pytest.mark.parametrize("kind", EVENT_TYPES)
@pytest.mark.parametrize("seconds", [None, 0, 35])
@pytest.mark.parametrize("actors", [(), (P12,)])
def test_an_event_without_any_facts_is_told_too(
    kind: str, seconds: float | None, actors: tuple[Actor, ...]
) -> None:
    bare = event(kind, actors=actors, seconds=seconds)
    texts = event_texts(bare, Scene(camera_id="cam01"), camera_name="")
    for text in (texts.summary_zh, texts.summary_en):
        assert text.startswith("14:05:00 ")
        assert "None" not in text
        assert "{" not in text
        assert ",," not in text


@pytest.mark.parametrize("kind", sorted({*EVENT_TYPES} - {"line_crossing"}))
def test_less_than_a_second_is_not_said_to_be_about_that(kind: str) -> None:
    told = event(kind, seconds=0)

    chinese = summary(told, SCENE, language="zh-TW", camera_name=CAMERA)
    english = summary(told, SCENE, language="en", camera_name=CAMERA)

    assert "不到 1 秒" in chinese
    assert "約" not in chinese
    assert "under 1 second" in english
    assert "about" not in english


def test_latin_names_stand_apart_in_chinese_and_stay_as_they_are_in_keywords() -> None:
    gate = replace(SCENE, zones=(replace(SCENE.zones[0], name="Gate A"),))
    inside = event("intrusion", {"dwell_s": 35, "ended": "left"})
    said = summary(inside, gate, language="zh-TW", camera_name=CAMERA)
    assert said == "22:05:00 人物 p12 進入 Gate A，停留約 35 秒，隨後離開"
    assert "Gate A" in keywords_zh(inside, gate, CAMERA)


def test_a_zone_that_the_scene_has_no_more_is_told_by_its_id() -> None:
    emptied = replace(SCENE, zones=())
    said = summary(event("intrusion"), emptied, language="en", camera_name=CAMERA)
    assert said.startswith("22:05:00 person p12 entered back,")


def test_crowding_without_a_zone_is_told_of_the_camera() -> None:
    crowd = replace(event("crowding", {"peak_count": 6}), zone=None)
    said = summary(crowd, SCENE, language="zh-TW", camera_name=CAMERA)
    assert said.startswith("22:05:00 後門攝影機有人群聚，最多 6 人")


def test_times_are_those_of_the_camera_s_zone() -> None:
    tokyo = replace(SCENE, timezone="Asia/Tokyo")
    said = summary(event("post_left"), tokyo, language="en", camera_name=CAMERA)
    assert said.startswith("23:05:00 ")


MOMENTS = [
    ("before", "人物 p12 接近圍籬線", "person p12 approaches 圍籬線"),
    ("crossed", "人物 p12 越過圍籬線", "person p12 crosses 圍籬線"),
    ("entered", "人物 p12 進入後門禁入區", "person p12 enters 後門禁入區"),
    ("established", "符合「闖入」條件", "conditions of intrusion met"),
    ("left", "人物 p12 離開後門禁入區", "person p12 leaves 後門禁入區"),
    ("turned", "人物 p12 折返", "person p12 turns back"),
    ("placed", "人物 p12 放置在後門禁入區", "person p12 is put down in 後門禁入區"),
    ("owner_left", "物主 p12 離開", "owner p12 leaves"),
    ("peak", "達到高峰", "the peak is reached"),
    ("exceeded", "開始符合條件", "conditions begin to hold"),
    ("returned", "人物 p12 回到後門禁入區", "person p12 returns to 後門禁入區"),
    ("covered", "鏡頭畫面開始異常", "the camera's picture turns abnormal"),
    ("last_seen", "人物 p12 最後出現", "person p12 last seen"),
    ("ended", "情形結束", "it is over"),
]


@pytest.mark.parametrize(("what", "chinese", "english"), MOMENTS)
def test_evidence_says_what_it_shows(what: str, chinese: str, english: str) -> None:
    seen = replace(event("intrusion"), tripwire="fence")
    shown = moment(what, "p12", "o07")
    assert moment_text(shown, seen, "zh-TW", scene=SCENE) == chinese
    assert moment_text(shown, seen, "en", scene=SCENE) == english


def test_before_anything_but_a_line_is_the_beginning_of_a_movement() -> None:
    seen = event("wrong_way", actors=(V03,))
    assert moment_text(moment("before", "v03"), seen, "zh-TW", scene=SCENE) == "汽車 v03 開始移動"


def test_evidence_of_a_merged_event_names_the_part_that_was_established() -> None:
    parts = [
        {"type": "intrusion", "established_ns": START_NS + NS_PER_S},
        {"type": "loitering", "established_ns": START_NS + 20 * NS_PER_S},
    ]
    merged = event("intrusion", {"parts": parts})
    said = [moment_text(moment("established", "p12", after_s=s), merged) for s in (1, 20, 30)]
    assert said == ["符合「闖入」條件", "符合「停留」條件", "符合「闖入」條件"]


def test_evidence_without_scene_or_track_is_worded_generally() -> None:
    seen = event("post_left", actors=())
    assert moment_text(moment("returned"), seen, "zh-TW") == "有人回到區域"
    assert moment_text(moment("returned"), seen, "en") == "somebody returns to the zone"


def test_evidence_that_was_imported_as_a_sentence_stays_as_it_is() -> None:
    assert moment_text(moment("車輛前輪跨越門檻線"), event("line_crossing")) == "車輛前輪跨越門檻線"


def test_keywords_name_type_place_camera_actors_and_what_happened() -> None:
    shown = (moment("entered", "p12"), moment("left", "p12"))
    merged = {"parts": [{"type": "intrusion"}, {"type": "pacing"}]}
    words = keywords_zh(event("intrusion", merged, moments=shown), SCENE, CAMERA)
    expected = ["闖入", "入侵", "徘徊", "後門禁入區", CAMERA, "人物", "可疑人物", "進入", "離開"]
    assert [word for word in expected if word not in words] == []
    assert len(words) == len(set(words))


def test_keywords_of_a_vehicle_have_its_class_group_and_direction() -> None:
    crossing = event("line_crossing", {"direction_name": "進入"}, actors=(V03,))
    words = keywords_zh(crossing, SCENE, CAMERA)
    assert {"越線", "圍籬線", "汽車", "車輛", "進入"} <= set(words)
    assert "人物" not in words
