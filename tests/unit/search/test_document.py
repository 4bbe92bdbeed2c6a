"""Documents of events and frames."""

from video_detective.rules import Actor, Event
from video_detective.search.document import embedding_text, event_document, frame_document

EVENT = Event(
    event_id="evt_20251216_cam01_0007",
    camera_id="Cam01",
    type="intrusion",
    risk_level="high",
    rule_id="gate",
    start_ns=0,
    established_ns=0,
    end_ns=10,
    frames=(0, 1),
    zone="Yard",
    actors=(Actor(track_id="p12", type="person"), Actor(track_id="v3", type="car")),
    facts={"parts": [{"type": "intrusion"}, {"type": "pacing"}]},
)


def document(
    *, told: str = "", summary_zh: str = "22:05:01 人物 p12 進入後門禁入區，停留 35 秒"
) -> set[str]:
    return set(
        event_document(
            EVENT,
            summary_zh=summary_zh,
            summary_en="22:05:01 person p12 entered the yard",
            keywords_zh=["闖入", "奔跑", "後門攝影機"],
            told=told,
        ).tokens
    )


def test_what_rules_established_is_held() -> None:
    held = document()
    assert {
        "type:intrusion",
        "type:pacing",
        "risk:high",
        "camera:cam01",
        "zone:yard@cam01",
        "rule:gate@cam01",
        "class:person",
        "class:car",
        "class:vehicle",
        "p12",
        "place:back_door",
        "后门",
    } <= held


def test_the_sentence_of_a_rule_makes_no_other_type_of_the_event() -> None:
    assert not {token for token in document() if token.startswith("said:")}
    assert "said:loitering" in document(told="此人在門邊逗留")


def test_synonyms_of_the_type_are_words_and_no_behaviour() -> None:
    assert "奔跑" in document()
    assert "act:run" not in document()
    assert "act:run" in document(told="一名男子奔跑")


def test_tokens_are_sorted_without_doubles_or_spaces() -> None:
    held = event_document(EVENT, summary_zh="人物 人物", summary_en="", keywords_zh=[]).tokens
    assert list(held) == sorted(set(held))
    assert not any(" " in token for token in held)


def test_the_text_of_a_document_is_folded_and_whole() -> None:
    made = event_document(
        EVENT, summary_zh="人物 P12 未戴安全帽", summary_en="", keywords_zh=["後門"]
    )
    assert "人物 p12 未戴安全帽" in made.text
    assert "后门" in made.text
    assert "wear:helmet" not in made.tokens
    assert "no:helmet" in made.tokens


def test_a_frame_holds_its_classes_and_a_models_words() -> None:
    held = set(
        frame_document(
            camera_id="cam01", classes=["car"], words=["白色轎車停在卸貨區"], names=["後門攝影機"]
        ).tokens
    )
    assert {"camera:cam01", "class:vehicle", "car:white", "near:loading_dock"} <= held
    assert "place:back_door" in held


def test_the_text_of_a_vector_has_four_parts() -> None:
    text = embedding_text(
        EVENT, summary_zh="人物進入禁入區", keywords_zh=["後門", "闖入"], names=["後門攝影機"]
    )
    assert text.splitlines() == [
        "[事件類型] 闖入",
        "[地點] Cam01 後門攝影機 Yard",
        "[摘要] 人物進入禁入區",
        "[關鍵詞] 後門, 闖入",
    ]
