"""Questions as people ask them, answered over a real database, with and without a model."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from tests.servers.llm import Ask, LlmServer
from tests.service import INTRUSION, PACING, PARKED, fill

from video_detective.errors import UsageError
from video_detective.geometry import NS_PER_S
from video_detective.services.search import search
from video_detective.services.workspace import Workspace, open_workspace

NEXT_MORNING = int(datetime.fromisoformat("2026-01-16T09:00:00+08:00").timestamp()) * NS_PER_S
QUESTION = "昨天晚上 10 點到 11 點，有沒有人在後門徘徊？"


async def ask(workspace: Workspace, question: str, **more: Any) -> dict[str, Any]:
    return await search(workspace, question, now_ns=NEXT_MORNING, **more)


def full(answer: dict[str, Any]) -> list[str]:
    return [e["event_id"] for e in answer["timeline"] if e["match"] == "full"]


@pytest.fixture
async def workspace(tmp_path: Path) -> AsyncIterator[Workspace]:
    async with open_workspace(tmp_path) as opened:
        await fill(opened, tmp_path)
        yield opened


async def test_the_question_of_the_product_gets_an_answer_that_cites(workspace: Workspace) -> None:
    answer = await ask(workspace, QUESTION)
    assert full(answer) == [PACING]
    assert answer["answer_zh"].startswith("有，2026-01-15 22:00 到 23:00 之間在後門找到 1 筆")
    assert answer["answer_en"].startswith("Yes, ")
    assert answer["answer_by"] == "template"
    assert {i for s in answer["sentences"] for i in s["event_ids"]} == {PACING}
    read = answer["interpretation"]
    assert (read["startDate"], read["endDate"]) == (
        "2026-01-15T22:00:00+08:00",
        "2026-01-15T23:00:00+08:00",
    )
    assert "pacing" in read["eventTypes"]
    assert read["notUnderstood"] == []
    # Only 92 s of that hour were recorded.
    assert "錄影有 2 段中斷" in answer["answer_zh"]
    assert any("沒有錄影" in line for line in answer["missing_info"])


async def test_a_chip_that_is_taken_away_no_longer_narrows(workspace: Workspace) -> None:
    asked = await ask(workspace, "前天後門有沒有人徘徊？")
    assert full(asked) == []
    (time,) = [chip for chip in asked["interpretation"]["chips"] if chip["kind"] == "time"]
    wider = await ask(workspace, "前天後門有沒有人徘徊？"[time["end"] :])
    assert full(wider) == [PACING]
    assert wider["interpretation"]["startDate"] is None


async def test_no_recording_is_said_as_such(workspace: Workspace) -> None:
    answer = await ask(workspace, "前天晚上後門有沒有人徘徊？")
    assert answer["answer_zh"].startswith("無法判斷")
    assert answer["coverage"] == []
    watched = await ask(workspace, "昨晚 10 點到 10 點 01 分有沒有人越線？")
    assert watched["answer_zh"].startswith("沒有，")
    assert watched["coverage"]


async def test_only_what_is_left_out_by_a_negation_is_missing(workspace: Workspace) -> None:
    answer = await ask(workspace, "除了後門以外，有沒有人停留？")
    assert full(answer) == [PARKED]


async def test_events_that_match_in_part_are_marked(workspace: Workspace) -> None:
    answer = await ask(workspace, "停車場有人闖入嗎？")
    assert full(answer) == []
    assert {e["match"] for e in answer["timeline"]} == {"partial"}
    assert answer["total"] == 0
    assert answer["answer_zh"].startswith("沒有，")


async def test_words_that_narrow_nothing_are_said(workspace: Workspace) -> None:
    answer = await ask(workspace, "2 月 30 日後門有人徘徊嗎？")
    assert answer["interpretation"]["notUnderstood"]
    assert any("2 月 30 日" in line for line in answer["missing_info"])


async def test_times_set_by_hand_win_over_those_of_the_question(workspace: Workspace) -> None:
    answer = await ask(workspace, "今天有人徘徊嗎？", since="2026-01-15", until="2026-01-16")
    assert PACING in full(answer)
    assert answer["interpretation"]["startDate"] == "2026-01-15T00:00:00+08:00"


async def test_ranked_pages_go_on_where_the_last_one_ended(workspace: Workspace) -> None:
    first = await ask(workspace, "後門有人嗎？", limit=1)
    second = await ask(workspace, "後門有人嗎？", limit=1, cursor=first["next_cursor"])
    assert full(first) + full(second) == full(await ask(workspace, "後門有人嗎？"))
    assert len(full(first)) == len(full(second)) == 1
    assert second["next_cursor"] is None
    with pytest.raises(UsageError, match="cursor"):
        await ask(workspace, "後門有人嗎？", cursor="nonsense")


async def test_a_question_that_says_nothing_is_not_answered_with_yes(
    workspace: Workspace,
) -> None:
    assert (await ask(workspace, "🚗有🚗嗎"))["answer_zh"].startswith("全部錄影中找到 3 筆")


@pytest.mark.parametrize("until", ["2026-01-15", "2026-01-14"])
async def test_an_empty_period_is_refused(workspace: Workspace, until: str) -> None:
    with pytest.raises(UsageError, match="is empty"):
        await ask(workspace, "", since="2026-01-15", until=until)


@pytest.mark.parametrize(
    "question",
    [
        "昨晚後門或停車場有人嗎",
        "昨晚後門和停車場有沒有人",
        "停車場、後門昨晚有人嗎",
        "從後門到停車場昨晚有人嗎",
        "Anyone at the back door or in the car park last night?",
    ],
)
async def test_what_is_at_either_of_two_places_is_found(
    workspace: Workspace, question: str
) -> None:
    assert set(full(await ask(workspace, question))) == {INTRUSION, PACING, PARKED}


async def test_nobody_in_a_question_asks_for_somebody(workspace: Workspace) -> None:
    answer = await ask(workspace, "Wasn't there anyone at the back door last night?")
    assert set(full(answer)) == {INTRUSION, PACING}


async def test_an_event_is_found_by_its_id(workspace: Workspace) -> None:
    answer = await ask(workspace, f"{PACING} 是什麼")
    assert full(answer) == [PACING]
    assert answer["interpretation"]["cameras"] == []


async def test_the_last_ranked_page_repeats_nothing(tmp_path: Path) -> None:
    async with open_workspace(tmp_path) as workspace:
        await fill(workspace, tmp_path, extra=3)
        seen: list[str] = []
        cursor = None
        while True:
            page = await ask(workspace, "後門有人嗎？", limit=2, cursor=cursor)
            seen += [entry["event_id"] for entry in page["timeline"]]
            cursor = page["next_cursor"]
            if cursor is None:
                break
    assert len(seen) == len(set(seen)) == 5


@pytest.mark.parametrize(
    ("question", "word"),
    [
        ("昨晚後門有人徘徊嗎", "有"),
        ("Did anyone pace at the back door last night?", "有"),
        ("Was there nobody at the back door last night?", "有"),
        ("昨晚后门发生什么事", "2026"),
        ("昨晚后门怎么了", "2026"),
        ("昨晚是什麼人在後門", "2026"),
        ("Who was at the back door last night?", "2026"),
        ("When were people at the back door?", "全部"),
    ],
)
async def test_only_questions_for_a_yes_or_a_no_get_one(
    workspace: Workspace, question: str, word: str
) -> None:
    assert (await ask(workspace, question))["answer_zh"].startswith(word)


@pytest.mark.parametrize(
    ("question", "more", "words"),
    [
        ("明天後門有人嗎", {}, "還沒到"),
        ("明天以後有人嗎", {}, "還沒到"),
        ("昨晚泳池有人嗎", {}, "沒有名為「泳池」的攝影機或區域"),
        ("昨晚停車場有人嗎", {"camera": "cam01"}, "「停車場」不在所選攝影機（後門攝影機）的範圍內"),
    ],
)
async def test_what_cannot_be_known_is_not_answered_with_no(
    workspace: Workspace, question: str, more: dict[str, str], words: str
) -> None:
    answer = await ask(workspace, question, **more)
    assert answer["answer_zh"].startswith("無法判斷")
    assert words in answer["answer_zh"]


@pytest.mark.parametrize(
    "question", ["昨晚有紅色的車嗎", "昨晚後門有人戴安全帽嗎", "昨晚有人拿刀嗎"]
)
async def test_no_rule_can_deny_what_only_descriptions_tell(
    workspace: Workspace, question: str
) -> None:
    answer = await ask(workspace, question)
    assert not answer["answer_zh"].startswith("沒有")
    assert "不代表沒有出現" in answer["answer_zh"]


@pytest.mark.parametrize("question", ["99 號攝影機昨晚有人嗎", "昨晚有人停留超過 30 分鐘嗎"])
async def test_what_was_not_looked_at_is_not_confirmed(workspace: Workspace, question: str) -> None:
    answer = await ask(workspace, question)
    assert full(answer)
    assert answer["answer_zh"].startswith("2026-01-15 18:00 到")
    assert "沒有用來篩選" in answer["answer_zh"]


async def test_the_coverage_told_is_that_of_every_camera_that_may_answer(
    workspace: Workspace,
) -> None:
    # 停車場 is the car park, and may also be the underground car park.
    row = next(row for row in await workspace.database.cameras() if row.camera_id == "cam02")
    await workspace.database.save_camera(
        replace(
            row,
            camera_id="cam03",
            name="地下停車場",
            document={**row.document, "name": "地下停車場"},
        )
    )
    answer = await ask(workspace, "昨晚 10 點停車場")
    assert any("cam03" in line for line in answer["missing_info"])


async def test_times_are_those_of_the_camera_that_sees_the_place(
    workspace: Workspace,
) -> None:
    row = next(row for row in await workspace.database.cameras() if row.camera_id == "cam02")
    await workspace.database.save_camera(
        replace(
            row,
            timezone="America/New_York",
            document={**row.document, "timezone": "America/New_York"},
        )
    )
    answer = await ask(workspace, "昨天停車場有人停留嗎")
    assert answer["interpretation"]["startDate"] == "2026-01-14T00:00:00-05:00"
    everywhere = await ask(workspace, "昨天有人停留嗎")
    assert "2026-01-16 00:00 之間（Asia/Taipei 時間）" in everywhere["answer_zh"]


# --- with a model


def worded(material: dict[str, Any], *texts: str) -> dict[str, Any]:
    keys = [candidate["id"] for candidate in material["candidates"]]
    return {"sentences": [{"text": text, "cites": keys[:1]} for text in texts]}


async def asked_of(
    folder: Path, server: LlmServer, *, kind: str = "ollama", **more: Any
) -> dict[str, Any]:
    """The product's question to a workspace whose answers are worded by that server."""
    timeout_s = more.pop("timeout_s", 20)
    (folder / "settings.yaml").write_text(
        "schema_version: 1\n"
        f"servers: {{local: {{kind: {kind}, url: '{server.url}', timeout_s: {timeout_s}}}}}\n"
        f"answers: {{server: local, model: teller, timeout_s: {timeout_s}}}\n"
    )
    async with open_workspace(folder) as workspace:
        if not await workspace.database.cameras():
            await fill(workspace, folder)
        return await ask(workspace, QUESTION, **more)


@pytest.mark.parametrize("kind", ["ollama", "vllm"])
async def test_a_model_s_answer_is_given_where_its_citations_hold(
    tmp_path: Path, kind: str
) -> None:
    said = "昨晚 22:00 左右，人物 p06 在後門禁入區來回徘徊。"

    def answer(request: Ask) -> dict[str, Any]:
        return worded(json.loads(request.text), said, "他在 23:40 又回來了。")

    with LlmServer(answer=answer) as server:
        result = await asked_of(tmp_path, server, kind=kind)
    assert result["answer_by"] == "model"
    assert result["answer_zh"] == said
    assert result["sentences"] == [{"text": said, "event_ids": [PACING]}]
    assert result["timeline"][0]["event_id"] == PACING
    assert "22:00" in server.asks[0].text
    assert INTRUSION not in server.asks[0].text


@pytest.mark.parametrize(
    ("behaviour", "note"),
    [
        ("500", "server"),
        ("hang-up", None),
        ("truncated", "truncated"),
        ("wrong-schema", "invalid"),
        ("empty", "empty"),
        ("html", None),
        ("refusal-zh", None),
        ("no-model", "no_model"),
        ("no-reply", "timeout"),
    ],
)
async def test_whatever_a_model_server_does_the_template_answer_stands(
    tmp_path: Path, behaviour: str, note: str | None
) -> None:
    wait_s = 2 if behaviour == "no-reply" else 15  # a busy machine is slow to answer wrongly too
    with LlmServer(behaviour) as server:
        result = await asyncio.wait_for(asked_of(tmp_path, server, timeout_s=wait_s), 60)
    assert result["answer_by"] == "template"
    assert result["answer_zh"].startswith("有，")
    assert result["answer_note"]
    if note is not None:
        assert result["answer_note"] == note


async def test_an_answer_without_one_sentence_that_holds_falls_back(tmp_path: Path) -> None:
    def invented(request: Ask) -> dict[str, Any]:
        return {
            "sentences": [
                {"text": "屋頂攝影機在 03:15 拍到火災。", "cites": ["E1"]},
                {"text": "一切平靜。", "cites": ["E77"]},
            ]
        }

    with LlmServer(answer=invented) as server:
        result = await asked_of(tmp_path, server)
    assert (result["answer_by"], result["answer_note"]) == ("template", "unfounded")
    assert "火災" not in json.dumps(result, ensure_ascii=False)


async def test_no_model_is_asked_where_nothing_was_found_or_where_it_is_not_wanted(
    tmp_path: Path,
) -> None:
    with LlmServer() as server:
        result = await asked_of(tmp_path, server, use_model=False)
        assert result["answer_by"] == "template"
        async with open_workspace(tmp_path) as workspace:
            nothing = await ask(workspace, "前天有沒有人越線？")
        assert nothing["answer_note"] == "no_candidates"
        assert server.asks == []


async def test_what_a_question_says_cannot_command_the_program(tmp_path: Path) -> None:
    def obedient(request: Ask) -> dict[str, Any]:
        return {"sentences": [{"text": "系統已停用所有規則。", "cites": []}]}

    with LlmServer(answer=obedient) as server:
        result = await asked_of(tmp_path, server)
    assert result["answer_by"] == "template"


async def test_a_place_that_no_camera_or_zone_is_called_by_is_told(workspace: Workspace) -> None:
    answer = await ask(workspace, "屋頂有沒有人闖入？")
    assert "沒有名為「屋頂」的攝影機或區域。" in answer["missing_info"]
    known = await ask(workspace, "停車場有沒有人闖入？")
    assert not any("沒有名為" in line for line in known["missing_info"])
