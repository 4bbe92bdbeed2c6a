"""Events told by real model servers over both protocols, well-behaved and not."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from tests.servers.llm import LlmServer
from tests.servers.llm_protocol import Ask
from tests.told_scenes import event_answer, frame_answer, intrusion, material

from video_detective.errors import ModelError
from video_detective.llm.base import Kind
from video_detective.llm.calls import Retries
from video_detective.llm.client import ModelClient
from video_detective.narration import Language, event_texts
from video_detective.narration.budget import Level, Plan, plan
from video_detective.narration.describe import Told, describe_event
from video_detective.narration.material import Material

WIRES: tuple[Kind, ...] = ("ollama", "openai")
Said = Callable[[Ask], Any]


def is_frame(ask: Ask) -> bool:
    return "suspicious_score" in json.dumps(ask.schema or ask.text)


def well(ask: Ask) -> dict[str, Any]:
    """The right answer to each prompt; the time of a frame is copied, as asked."""
    if not is_frame(ask):
        return event_answer()
    stamp = re.search(r"^timestamp: (\S+)", ask.text, re.MULTILINE)
    return frame_answer(timestamp=stamp[1]) if stamp else frame_answer()


def planned(known: Material, **changes: Any) -> Plan:
    return plan(**{"pictures": len(known.frames), "calls_left": 50, **changes})


async def told(
    server: LlmServer,
    *,
    known: Material | None = None,
    kind: Kind = "ollama",
    how: Plan | None = None,
) -> Told:
    known = known or material()
    quickly = Retries(attempts=2, first_s=0.01, longest_s=0.01)
    async with ModelClient(server.settings(kind), retries=quickly) as client:
        return await describe_event(client.complete, known, how or planned(known), "eyes")


@pytest.mark.parametrize("kind", WIRES)
async def test_an_event_is_told_over_twelve_frames_and_one_is_described(kind: Kind) -> None:
    known = material()
    with LlmServer(answer=well) as server:
        found = await told(server, known=known, kind=kind)
    first, second = server.asks
    assert [len(ask.images) for ask in server.asks] == [12, 1]
    assert list(first.images) == [frame.jpeg for frame in known.frames]
    stamps = re.findall(r"frame_\d+\.timestamp: (\S+?)（", first.text)
    assert stamps == sorted(stamps)
    assert len(stamps) == 12
    assert (found.level, found.reason, found.flags, found.failed) == ("frames", None, (), False)
    assert found.text == event_answer()["summary_zh"]
    assert found.result is not None
    assert found.result["event_json"]["event_type"] == "闖入"
    (frame_id,) = found.frames
    shown = next(frame for frame in known.frames if frame.frame_id == frame_id)
    assert second.images == (shown.jpeg,)
    assert found.frames[frame_id]["suspicious_score"] == 70
    assert found.result["frames"] == found.frames
    assert found.prompts == ("event.v1.zh-TW", "frame.v1.zh-TW")
    assert found.model == "eyes"
    assert found.usage["calls"] == found.usage["attempts"] == 2
    assert found.usage["prompt_tokens"] and found.usage["completion_tokens"]  # noqa: PT018
    assert found.raw_text is None
    json.dumps(found.result)


@pytest.mark.parametrize("kind", WIRES)
async def test_wrong_language_is_asked_for_again_and_then_right(kind: Kind) -> None:
    english = event_answer(
        summary_zh="A person in a dark jacket walks into the yard and leaves again.",
        timeline_bullets=["22:05:00 a person walks in", "22:05:30 the person leaves again"],
    )
    answers = iter([english, event_answer()])
    with LlmServer(answer=lambda ask: frame_answer() if is_frame(ask) else next(answers)) as server:
        found = await told(server, kind=kind, how=planned(material(), described=0))
    assert [len(ask.images) for ask in server.asks] == [12, 0]
    assert "walks into the yard" in server.asks[1].text
    assert found.text == event_answer()["summary_zh"]
    assert found.flags == ()
    assert found.raw_text is None
    assert found.prompts == ("event.v1.zh-TW", "repair.v1.zh-TW")


@pytest.mark.parametrize("kind", WIRES)
async def test_words_that_stay_simplified_are_put_right_flagged_and_kept_raw(kind: Kind) -> None:
    said = event_answer(summary_zh="一个人从后门走进禁入区，摄像头的视频质量很好。")
    with LlmServer(answer=said) as server:
        found = await told(server, kind=kind, how=planned(material(), described=0))
    assert len(server.asks) == 2
    assert found.level == "frames"
    assert found.flags == ("language",)
    assert found.text == "一个人從后門走進禁入區，攝影機的影片品質很好。"
    assert found.raw_text is not None
    assert "摄像头的视频质量" in found.raw_text
    assert found.result is not None
    assert found.result["summary_zh"] == found.text


@pytest.mark.parametrize("kind", WIRES)
async def test_invented_tracks_and_times_never_reach_the_account(kind: Kind) -> None:
    said = event_answer(
        actors=[
            {"track_id": "p12", "type": "person", "notes": "走動"},
            {"track_id": "p99", "type": "person", "notes": "持刀"},
        ],
        event_type="搶劫",
        risk_level="low",
        start_time="2024-01-01T00:00:00+08:00",
        evidence=[{"timestamp": "2024-01-01T00:00:00+08:00", "what": "搶劫"}],
        timeline_bullets=["22:05:00 人物 p12 走進", "23:50:00 人物 p12 又回來"],
        summary_zh="人物 p12 走進後門。人物 p99 在 22:05:10 持刀。人物 p12 於 23:50:00 又回來。",
    )
    with LlmServer(answer=said) as server:
        found = await told(server, kind=kind, how=planned(material(), described=0))
    everything = json.dumps(
        {k: v for k, v in (found.result or {}).items() if k != "differences"}, ensure_ascii=False
    )
    for invented in ("p99", "23:50", "2024", "搶劫", '"low"'):
        assert invented not in everything + found.text
    assert found.text == "人物 p12 走進後門。"
    assert {
        "unknown_track", "time_outside", "event_type_differs", "risk_level_differs",
        "start_time_differs",
    } == set(found.flags)  # fmt: skip


@pytest.mark.parametrize("kind", WIRES)
async def test_a_model_that_always_answers_in_another_shape_leaves_the_template(
    kind: Kind,
) -> None:
    known = material()
    with LlmServer("wrong-schema", answer=well) as server:
        found = await told(server, known=known, kind=kind)
    texts = event_texts(known.event, known.scene, camera_name=known.camera_name)
    assert (found.level, found.reason, found.failed) == ("template", "invalid", True)
    assert found.text == texts.summary_zh
    assert found.result is None
    assert found.model is None
    assert found.raw_text == '{"verdict": "fine"}'
    assert "event_json" in found.detail
    assert found.usage["calls"] == 2


@pytest.mark.parametrize("kind", WIRES)
async def test_a_model_too_weak_for_prompt_2_may_do_for_prompt_1(kind: Kind) -> None:
    said: Said = lambda ask: well(ask) if is_frame(ask) else "no JSON here"  # noqa: E731
    with LlmServer(answer=said) as server:
        found = await told(server, kind=kind)
    assert (found.level, found.reason, found.failed) == ("frame", "invalid", False)
    assert found.text == frame_answer()["summary_zh"]
    assert list(found.frames)
    assert found.raw_text == "no JSON here"
    assert found.prompts == ("event.v1.zh-TW", "frame.v1.zh-TW")


@pytest.mark.parametrize("kind", WIRES)
@pytest.mark.parametrize("refusal", ["refusal", "refusal-zh"])
async def test_who_will_not_speak_of_pictures_is_given_the_facts_alone(
    kind: Kind, refusal: str
) -> None:
    with LlmServer(refusal, "ok", answer=well) as server:
        found = await told(server, kind=kind)
    assert (found.level, found.reason) == ("text", "refused")
    assert server.asks[-1].images == ()
    # Its first sentence speaks of a dark jacket, which nobody who saw no picture can know.
    assert found.text == "他往右側走過，之後離開。"
    assert "unseen" in found.flags
    assert found.prompts[-1] == "text.v1.zh-TW"


@pytest.mark.parametrize("kind", WIRES)
async def test_who_refuses_everything_leaves_the_template(kind: Kind) -> None:
    with LlmServer("refusal", answer=well) as server:
        found = await told(server, kind=kind)
    assert (found.level, found.reason, found.failed) == ("template", "refused", True)
    assert found.raw_text is not None
    assert "can't help" in found.raw_text


@pytest.mark.parametrize("kind", WIRES)
async def test_too_long_a_prompt_is_sent_again_with_fewer_pictures(kind: Kind) -> None:
    with LlmServer("too-long", "ok", answer=well) as server:
        found = await told(server, kind=kind)
    assert [len(ask.images) for ask in server.asks] == [12, 3]
    assert (found.level, found.reason) == ("few_frames", "context")
    assert "context" in found.detail


@pytest.mark.parametrize("kind", WIRES)
async def test_what_is_always_too_long_goes_down_to_the_template(kind: Kind) -> None:
    with LlmServer("too-long", answer=well) as server:
        found = await told(server, kind=kind)
    assert [len(ask.images) for ask in server.asks] == [12, 3, 1, 0]
    assert (found.level, found.reason, found.failed) == ("template", "context", True)


@pytest.mark.parametrize("kind", WIRES)
@pytest.mark.parametrize(
    ("behaviour", "reason"), [("no-model", "no_model"), ("bad-key", "refused")]
)
async def test_a_server_without_the_model_or_the_key_is_asked_once(
    kind: Kind, behaviour: str, reason: str
) -> None:
    with LlmServer(behaviour) as server:
        found = await told(server, kind=kind)
    assert len(server.asks) == 1
    assert (found.level, found.reason, found.failed) == ("template", reason, True)
    assert found.detail


@pytest.mark.parametrize("kind", WIRES)
@pytest.mark.parametrize("behaviour", ["429", "500", "503", "hang-up", "hang-up-mid-body"])
async def test_trouble_that_may_pass_is_left_to_the_queue(kind: Kind, behaviour: str) -> None:
    with LlmServer(behaviour) as server, pytest.raises(ModelError) as caught:
        await told(server, kind=kind)
    assert caught.value.transient


@pytest.mark.parametrize("behaviour", ["think", "fences", "chatter"])
async def test_wrappings_around_the_answer_do_not_matter(behaviour: str) -> None:
    with LlmServer(behaviour, answer=well, binds="no") as server:
        found = await told(server)
    assert (found.level, found.flags) == ("frames", ())


@pytest.mark.parametrize("behaviour", ["truncated", "empty", "prose", "wrong-values"])
async def test_unusable_answers_end_in_the_template_with_the_reason(behaviour: str) -> None:
    with LlmServer(behaviour, answer=well) as server:
        found = await told(server)
    assert (found.level, found.failed) == ("template", True)
    assert found.reason in ("truncated", "empty", "invalid")
    assert found.text


@pytest.mark.parametrize("behaviour", ["language", "simplified"])
async def test_a_server_that_says_one_sentence_everywhere_ends_well(behaviour: str) -> None:
    with LlmServer(behaviour, answer=well) as server:
        found = await told(server)
    assert found.text
    assert found.failed or "language" in found.flags


@pytest.mark.parametrize("said", ["{{timestamp}} 的摘要", "他走來走去走來走去走來走去走來走去"])
async def test_words_that_say_nothing_are_no_account(said: str) -> None:
    answer = event_answer(summary_zh=said)
    with LlmServer(answer=lambda ask: well(ask) if is_frame(ask) else answer) as server:
        found = await told(server)
    assert (found.level, found.reason) == ("frame", "invalid")
    assert found.raw_text is not None
    assert said in found.raw_text


async def test_a_frame_that_cannot_be_described_does_not_cost_the_account() -> None:
    with LlmServer(answer=lambda ask: "no" if is_frame(ask) else event_answer()) as server:
        found = await told(server)
    assert (found.level, found.flags, found.raw_text) == ("frames", ("frames_undescribed",), None)
    assert found.frames == {}


async def test_trouble_with_a_single_frame_does_not_cost_the_account_either() -> None:
    with LlmServer("ok", "500", answer=well) as server:
        found = await told(server)
    assert (found.level, found.flags) == ("frames", ("frames_undescribed",))


@pytest.mark.parametrize(
    ("how", "images", "level"),
    [
        ({"waiting": 20}, [3], "few_frames"),
        ({"waiting": 60, "described": 3}, [1, 1, 1], "frame"),
        ({"waiting": 200}, [0], "text"),
        ({"calls_left": 1}, [12], "frames"),
        ({"calls_left": 0}, [], "template"),
    ],
)
async def test_a_plan_is_followed(how: dict[str, Any], images: list[int], level: Level) -> None:
    known = material()
    chosen = planned(known, **how)
    with LlmServer(answer=well) as server:
        found = await told(server, how=chosen)
    assert [len(ask.images) for ask in server.asks] == images
    assert (found.level, found.reason, found.failed) == (level, chosen.reason, False)
    assert found.usage["calls"] == chosen.calls
    assert len(found.frames) == chosen.described


async def test_frames_told_one_by_one_make_an_account_in_order_of_time() -> None:
    known = material()
    with LlmServer(answer=well) as server:
        found = await told(server, known=known, how=planned(known, waiting=60, described=3))
    lines = found.text.splitlines()
    assert len(lines) == 3
    assert lines == sorted(lines)
    assert lines[0].startswith("22:05:0")


async def test_an_event_without_pictures_is_told_from_the_facts() -> None:
    known = material(most=0)
    with LlmServer(answer=well) as server:
        found = await told(server, known=known)
    assert (found.level, found.reason) == ("text", "pictures")
    assert server.asks[0].images == ()


async def test_an_english_account_is_in_english() -> None:
    known = material(language="en", event=intrusion())
    said = event_answer(
        event_type="intrusion",
        summary_zh="At 22:05:00 person p12 walks into 後門禁入區 and leaves to the right.",
        timeline_bullets=["22:05:00 p12 walks in", "22:05:30 p12 leaves to the right"],
        actors=[{"track_id": "p12", "type": "person", "notes": "dark jacket and a backpack"}],
        evidence=[{"timestamp": "22:05:00", "what": "the person walks in"}],
        search_keywords_zh=["back door", "dark jacket"],
    )
    with LlmServer(answer=said) as server:
        found = await told(server, known=known, how=planned(known, described=0))
    assert (found.level, found.flags) == ("frames", ())
    assert found.text == said["summary_zh"]
    assert found.prompts == ("event.v1.en",)
    assert found.result is not None
    assert found.result["event_json"]["event_type"] == "intrusion"


@pytest.mark.parametrize("language", ["zh-TW", "en"])
async def test_the_template_speaks_the_accounts_language(language: Language) -> None:
    known = material(language=language)
    with LlmServer("bad-key") as server:
        found = await told(server, known=known)
    texts = event_texts(known.event, known.scene, camera_name=known.camera_name)
    assert found.text == (texts.summary_zh if language == "zh-TW" else texts.summary_en)
