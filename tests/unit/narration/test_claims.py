"""What a model claims against what is known."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from tests.told_scenes import (
    SCENE,
    event_answer,
    frame_answer,
    intrusion,
    material,
    ns,
    person,
    samples,
)

from video_detective.geometry import NS_PER_S
from video_detective.narration import Language
from video_detective.narration.claims import (
    Checked,
    checked_event,
    checked_frame,
    reworded,
    words_of,
)
from video_detective.narration.keyframes import Sample
from video_detective.narration.material import Material, timestamp
from video_detective.narration.replies import EventReply, FrameReply
from video_detective.rules import Actor

KNOWN = material()


def checked(known: Material = KNOWN, **changes: Any) -> Checked:
    return checked_event(EventReply.model_validate(event_answer(**changes)), known)


def test_an_answer_that_holds_is_kept_whole() -> None:
    said = event_answer()
    found = checked()
    assert found.flags == ()
    assert found.summary == said["summary_zh"]
    assert found.result["timeline_bullets"] == said["timeline_bullets"]
    assert found.result["differences"] == []
    record = found.result["event_json"]
    assert record.keys() == said["event_json"].keys()
    assert record["actors"] == said["event_json"]["actors"]
    assert record["search_keywords_zh"] == said["event_json"]["search_keywords_zh"]


@pytest.mark.parametrize(
    ("field", "said", "fact"),
    [
        ("event_type", "竊盜", "闖入"),
        ("risk_level", "low", "high"),
        ("start_time", "2025-12-16T21:00:00+08:00", "2025-12-16T22:05:00.000+08:00"),
        ("end_time", "23:59:59", "2025-12-16T22:05:30.000+08:00"),
        ("end_time", "soon", "2025-12-16T22:05:30.000+08:00"),
    ],
)
def test_facts_win_and_the_difference_is_on_record(field: str, said: str, fact: str) -> None:
    changed: dict[str, Any] = {field: said}
    found = checked(**changed)
    assert found.result["event_json"][field] == fact
    assert found.flags == (f"{field}_differs",)
    assert found.result["differences"] == [{"field": field, "model": said, "fact": fact}]


@pytest.mark.parametrize("said", ["intrusion", "闖入"])
def test_an_event_type_may_be_called_by_any_of_its_names(said: str) -> None:
    assert checked(event_type=said).flags == ()


@pytest.mark.parametrize(
    "said",
    ["22:05:30", "2025-12-16T22:05:30+08:00", "2025-12-16T14:05:30Z", "2025-12-16 22:05:30"],
)
def test_a_time_may_be_written_in_any_way(said: str) -> None:
    assert checked(end_time=said).flags == ()


def test_a_critical_event_may_be_called_high_and_stays_critical() -> None:
    known = material(event=intrusion(risk_level="critical"))
    found = checked(known, risk_level="critical")
    assert found.flags == ()
    assert found.result["event_json"]["risk_level"] == "critical"


def test_an_event_that_goes_on_has_no_end_whatever_the_model_says() -> None:
    known = material(event=intrusion(seconds=None))
    found = checked(known, end_time="2025-12-16T22:05:29+08:00")
    assert found.result["event_json"]["end_time"] is None
    assert found.flags == ()


def test_invented_tracks_are_left_out() -> None:
    actors = [
        {"track_id": "p99", "type": "person", "notes": "拿著刀"},
        {"track_id": "p12", "type": "person", "notes": "走進門口"},
    ]
    found = checked(actors=actors)
    assert [actor["track_id"] for actor in found.result["event_json"]["actors"]] == ["p12"]
    assert found.flags == ("unknown_track",)
    assert {"field": "track_id", "model": "p99", "fact": ""} in found.result["differences"]


def test_a_sentence_about_an_invented_track_is_left_out() -> None:
    found = checked(summary_zh="人物 p12 走進禁入區。人物 p99 在旁邊把風。他之後離開。")
    assert found.summary == "人物 p12 走進禁入區。他之後離開。"
    assert found.flags == ("unknown_track",)
    bullets = ["22:05:00 人物 p12 走進", "22:05:10 P99 與 p12 交談"]
    found = checked(timeline_bullets=bullets)
    assert found.result["timeline_bullets"] == bullets[:1]


@pytest.mark.parametrize(
    "sentence",
    [
        "23:10:00 他又回來。",
        "他在 21:30 就到了。",
        "他於 2025-12-17T22:05:10+08:00 回來。",
        "他在 3 點 20 分離開。",
        "前一天（12 月 15 日）他也來過。",
        "2024/12/16 他也來過。",
    ],
)
def test_a_sentence_about_another_time_is_left_out(sentence: str) -> None:
    found = checked(summary_zh=f"人物 p12 走進禁入區。{sentence}")
    assert found.summary == "人物 p12 走進禁入區。"
    assert found.flags == ("time_outside",)


@pytest.mark.parametrize(
    "sentence",
    [
        "22:05:12 他停下來。",
        "22:05 他停下來。",
        "晚上 10 點 5 分他停下來。",
        "22 點 05 分 20 秒他停下來。",
        "2025-12-16T22:05:12.400+08:00 他停下來。",
        "2025 年 12 月 16 日 22:05:12，他停下來。",
        "民國 114 年 12 月 16 日 22:05，他停下來。",
        "22:05:00-22:05:30 他都在禁入區。",
        "At 10:05:12 pm he stops.",
        "他停留約 35 秒，距離門口 2:1 的位置有箱子。",
        "他站在 A4 紙旁邊，比例 16 比 9。",
    ],
)
def test_a_sentence_about_the_events_time_is_kept(sentence: str) -> None:
    found = checked(summary_zh=f"人物 p12 走進禁入區。{sentence}")
    assert sentence in found.summary
    assert found.flags == ()


@pytest.mark.parametrize(
    ("sentence", "language"),
    [
        ("他穿紅色外套。", "zh-TW"),
        ("一名年輕男子背著提包。", "zh-TW"),
        ("The man wears a dark jacket.", "en"),
    ],
)
def test_who_saw_no_picture_cannot_speak_of_looks(sentence: str, language: Language) -> None:
    known = material(language=language)
    said = EventReply.model_validate(event_answer(summary_zh=f"22:05:00 p12 進入。{sentence}"))
    found = checked_event(said, known, is_seen=False)
    assert found.summary == "22:05:00 p12 進入。"
    assert "unseen" in found.flags
    assert sentence in checked_event(said, known).summary


def test_who_saw_no_picture_may_call_places_and_things_by_their_names() -> None:
    zone = replace(SCENE.zones[0], name="白色大門")
    known = replace(KNOWN, scene=replace(SCENE, zones=(zone,)))
    summary = "人物 p12 進入白色大門，停留約 30 秒，隨後離開，附近有背包。"
    answer = event_answer(
        summary_zh=summary,
        actors=[{"track_id": "p12", "type": "person", "notes": "進入後離開"}],
        search_keywords_zh=["白色大門"],
    )
    found = checked_event(EventReply.model_validate(answer), known, is_seen=False)
    assert (found.summary, found.flags) == (summary, ())


def test_evidence_outside_the_event_is_left_out_and_the_rest_is_in_order() -> None:
    evidence = [
        {"timestamp": "2025-12-16T22:05:30+08:00", "what": "離開"},
        {"timestamp": "2025-12-16T22:15:30+08:00", "what": "又回來"},
        {"timestamp": "some time", "what": "不明"},
        {"timestamp": "22:05:00", "what": "走進"},
    ]
    found = checked(evidence=evidence)
    kept = found.result["event_json"]["evidence"]
    assert [one["what"] for one in kept] == ["走進", "離開"]
    assert kept[0]["timestamp"] == "2025-12-16T22:05:00.000+08:00"
    assert found.flags == ("time_outside",)


def test_evidence_names_the_frame_that_it_was_seen_in() -> None:
    frame = KNOWN.frames[3]
    evidence = [{"timestamp": timestamp(frame.time_ns, SCENE), "what": "往前走"}]
    assert checked(evidence=evidence).result["event_json"]["evidence"][0]["frame_id"] == (
        frame.frame_id
    )


def test_actors_have_the_type_that_was_tracked() -> None:
    actors = [{"track_id": "p12", "type": "vehicle", "notes": "經過"}]
    found = checked(actors=actors)
    assert found.result["event_json"]["actors"][0]["type"] == "person"
    assert found.flags == ("actor_type_differs",)


@pytest.mark.parametrize("said", ["person", "人物"])
def test_a_type_may_be_said_in_either_language(said: str) -> None:
    assert checked(actors=[{"track_id": "p12", "type": said, "notes": ""}]).flags == ()


def test_everybody_who_takes_part_is_listed_and_passers_by_may_be() -> None:
    event = intrusion(
        actors=(Actor(track_id="p12", type="person"), Actor(track_id="p20", type="person"))
    )
    actors = [{"track_id": "p13", "type": "person", "notes": "從後方經過"}]
    found = checked(material(event=event), actors=actors)
    assert [a["track_id"] for a in found.result["event_json"]["actors"]] == ["p12", "p20", "p13"]
    assert found.flags == ()


def test_bullets_out_of_order_are_put_in_order() -> None:
    bullets = ["22:05:30 他離開", "22:05:00 他走進"]
    found = checked(timeline_bullets=bullets)
    assert found.result["timeline_bullets"] == bullets[::-1]
    assert found.flags == ("order",)


def test_a_summary_of_nothing_that_holds_gives_way_to_the_time_line() -> None:
    found = checked(summary_zh="p98 與 p99 打架。")
    assert found.summary == "\n".join(event_answer()["timeline_bullets"])
    found = checked(summary_zh="p98 與 p99 打架。", timeline_bullets=["22:05:00 p99 打人"])
    assert found.summary == ""


def test_an_event_across_midnight_keeps_its_times() -> None:
    start = int(datetime.fromisoformat("2025-12-16T23:59:50+08:00").timestamp()) * NS_PER_S
    shift = start - ns(0)
    event = intrusion()
    event = intrusion(
        start_ns=event.start_ns + shift,
        established_ns=event.established_ns + shift,
        end_ns=start + 30 * NS_PER_S,
        moments=(),
    )
    seen = [Sample(time_ns=s.time_ns + shift, frame=s.frame, tracks=s.tracks) for s in samples()]
    known = material(event=event, seen=seen)
    found = checked(
        known,
        start_time="23:59:50",
        end_time="2025-12-17T00:00:20+08:00",
        evidence=[{"timestamp": "00:00:10", "what": "停下"}],
        timeline_bullets=["23:59:50 走進", "00:00:10 停下"],
        summary_zh="他在 00:00:20 離開。",
    )
    assert found.flags == ()
    assert found.result["event_json"]["evidence"][0]["timestamp"] == "2025-12-17T00:00:10.000+08:00"
    assert found.result["timeline_bullets"] == ["23:59:50 走進", "00:00:10 停下"]


@pytest.mark.parametrize(
    ("start", "said", "kept"),
    [
        ("2025-11-02T01:30:00-04:00", "01:30:10", True),  # the hour comes twice …
        ("2025-11-02T01:30:00-05:00", "01:30:10", True),
        ("2025-11-02T01:30:00-05:00", "02:30:10", False),
        ("2025-11-02T01:30:00-05:00", "2025-11-02T01:30:10-04:00", False),
    ],
)
def test_times_that_come_twice_when_clocks_go_back_may_mean_either(
    start: str, said: str, kept: bool
) -> None:
    start_ns = int(datetime.fromisoformat(start).timestamp()) * NS_PER_S
    event = intrusion(
        start_ns=start_ns, established_ns=start_ns, end_ns=start_ns + 30 * NS_PER_S, moments=()
    )
    known = replace(
        material(event=event, seen=()), scene=replace(SCENE, timezone="America/New_York")
    )
    found = checked(known, summary_zh=f"人物 p12 走進禁入區。{said} 他停下來。")
    assert (said in found.summary) is kept


def test_a_frames_answer_has_the_frames_time_and_camera() -> None:
    frame = KNOWN.frames[1]
    said = frame_answer(timestamp="2020-01-01T00:00:00Z", camera_id="cam77")
    found = checked_frame(FrameReply.model_validate(said), KNOWN, frame)
    assert found.result["timestamp"] == timestamp(frame.time_ns, SCENE)
    assert found.result["camera_id"] == "cam01"
    assert found.flags == ("timestamp_differs", "camera_id_differs")
    assert found.result.keys() - {"differences"} == said.keys()
    for field in ("entities", "actions", "suspicious_score", "unsure", "summary_zh"):
        assert found.result[field] == said[field]


def test_a_frames_answer_loses_what_it_invents() -> None:
    said = frame_answer(
        actions=["p12 走動", "p77 奔跑"],
        entities=[{"type": "p77", "count": 1, "notable": "奔跑"}],
        summary_zh="p77 奔跑。",
        scene_summary="門口有人。",
    )
    found = checked_frame(FrameReply.model_validate(said), KNOWN, KNOWN.frames[0])
    assert found.result["actions"] == ["p12 走動"]
    assert found.result["entities"] == []
    assert found.summary == found.result["summary_zh"] == "門口有人。"
    assert "unknown_track" in found.flags


def test_words_are_told_from_other_values() -> None:
    words = list(words_of(frame_answer()))
    assert "cam01" not in words
    assert "person" not in words
    assert "看不清楚臉部" in words
    changed = reworded(frame_answer(), str.upper)
    assert changed["camera_id"] == "cam01"
    assert changed["suspicious_score"] == 70
    assert [word.upper() for word in words] == list(words_of(changed))


def test_tracks_of_other_cameras_hours_are_unknown() -> None:
    far = Sample(time_ns=ns(3000), frame=1, tracks=(person("p50", 0.5),))
    known = material(seen=(*samples(), far))
    assert "p50" not in known.track_ids
    assert {"p12", "p13"} <= known.track_ids
