"""Lists of insights are those of a plain list in memory, on SQLite and on PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import update
from tests.insight_rows import SECOND, Account

from video_detective.errors import FieldError
from video_detective.search.question import interpret
from video_detective.storage.database import Database
from video_detective.storage.insights.index import Words
from video_detective.storage.insights.listing import InsightLists
from video_detective.storage.insights.statements import InsightFilter
from video_detective.storage.reach import Reach
from video_detective.storage.service_tables import DEVICES

T = TypeVar("T")
SAID = ("", "一名男子在入口徘徊", "數人聚集在大廳", "一名女子離開", "A man waits near the door")
ASKED = {
    "徘徊": {1}, "聚集": {2}, "大廳": {2}, "入口徘徊": {1}, "紅色背包": set[int](), "男子": {1, 4},
    "door": {4},
}  # fmt: skip
"""Words, and which of ``SAID`` have them: by synonyms and in both languages."""


@dataclass
class World:
    db: Database
    runner: asyncio.Runner
    data_dir: Path
    url: str | None

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def account(self) -> Account:
        return Account.make(self.data_dir, self.url)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def world(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("lists")
    url: str | None = None
    if request.param == "postgresql":
        create: Callable[[], str] = request.getfixturevalue("new_postgres_database")
        url = create()
    with asyncio.Runner() as runner:
        db = runner.run(Database.open(folder, url))
        yield World(db, runner, folder, url)
        runner.run(db.close())


def words(question: str) -> Words:
    read = interpret(question, now_ns=0, cameras=(), zone=ZoneInfo("Asia/Taipei"))
    return Words(groups=read.groups, without=read.without)


ROW = st.fixed_dictionaries({
    "camera": st.integers(0, 2),
    "time_s": st.integers(1, 6),
    "severity": st.sampled_from(["warning", "critical"]),
    "status": st.sampled_from(["pending", "completed", "failed"]),
    "summary": st.sampled_from(SAID),
    "has_attributes": st.booleans(),
    "hidden": st.sampled_from([False, False, False, True]),
})  # fmt: skip
FILTER = st.fixed_dictionaries({}, optional={
    "camera": st.integers(0, 2),
    "scene": st.integers(0, 2),
    "severity": st.sampled_from(["warning", "critical"]),
    "vlm_status": st.sampled_from(["pending", "completed", "failed"]),
    "since_ns": st.integers(0, 7).map(lambda s: s * SECOND),
    "until_ns": st.integers(0, 7).map(lambda s: s * SECOND),
    "has_summary": st.booleans(),
    "has_attributes": st.booleans(),
    "q": st.sampled_from(sorted(ASKED)),
})  # fmt: skip


def asked(account: Account, chosen: dict[str, Any]) -> InsightFilter:
    kept = {k: v for k, v in chosen.items() if k not in {"camera", "scene", "q"}}
    if "camera" in chosen:
        kept["device_id"] = account.cameras[chosen["camera"]]["device_id"]
    if "scene" in chosen:
        kept["scene_id"] = account.cameras[chosen["scene"]]["scene_id"]
    return InsightFilter(**kept, words=words(chosen["q"]) if "q" in chosen else None)


def reference(account: Account, chosen: dict[str, Any]) -> list[str]:
    """Ids in order, by a plain look at every row."""

    def is_wanted(row: dict[str, Any]) -> bool:
        camera, scene = chosen.get("camera"), chosen.get("scene")
        said = SAID.index(row["vlm_summary"] or "")
        return (
            not row["is_hidden"]
            and (camera is None or row["camera_id"] == account.cameras[camera]["camera_id"])
            and (scene is None or row["scene_id"] == account.cameras[scene]["scene_id"])
            and row["severity"] == chosen.get("severity", row["severity"])
            and row["vlm_status"] == chosen.get("vlm_status", row["vlm_status"])
            and row["triggered_ns"] >= chosen.get("since_ns", 0)
            and row["triggered_ns"] < chosen.get("until_ns", 100 * SECOND)
            and chosen.get("has_summary", said > 0) == (said > 0)
            and row["has_attributes"] == chosen.get("has_attributes", row["has_attributes"])
            and ("q" not in chosen or said in ASKED[chosen["q"]])
        )

    found = [row for row in account.rows() if is_wanted(row)]
    found.sort(key=lambda row: (row["triggered_ns"], row["insight_id"]), reverse=True)
    return [row["insight_id"] for row in found]


def exactly(lists: InsightLists, *, is_many: bool) -> InsightLists:
    """As they are, or as for very many insights: by slices of time."""
    return lists.counted(exact_to=0 if is_many else 1000, fresh_s=0.0, stale_s=0.0, slices=4)


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    rows=st.lists(ROW, max_size=14),
    later=st.lists(ROW, min_size=1, max_size=4),
    chosen=FILTER,
    limit=st.integers(1, 5),
    page=st.integers(1, 6),
    is_many=st.booleans(),
)
def test_pages_are_those_of_a_plain_list_while_insights_come(
    world: World,
    rows: list[dict[str, Any]],
    later: list[dict[str, Any]],
    chosen: dict[str, Any],
    limit: int,
    page: int,
    is_many: bool,
) -> None:
    account = world.account()
    account.add(*rows)
    lists, wanted = exactly(world.db.insights.lists, is_many=is_many), asked(account, chosen)
    before = reference(account, chosen)

    offset = (page - 1) * limit
    found = world.do(lists.page(account.reach, wanted, limit=limit, offset=offset))
    assert [row.insight_id for row in found.insights] == before[offset : offset + limit]
    assert found.total == len(before)
    assert (found.next_cursor is not None) == (offset + limit < len(before))

    seen: list[str] = []
    part = world.do(lists.page(account.reach, wanted, limit=limit))
    seen += [row.insight_id for row in part.insights]
    account.add(*later)
    while part.next_cursor is not None:
        cursor = part.next_cursor
        part = world.do(lists.page(account.reach, wanted, limit=limit, cursor=cursor))
        seen += [row.insight_id for row in part.insights]
    after = reference(account, chosen)
    # None twice, none left out that was there, all in their order.
    assert [one for one in seen if one in set(before)] == before
    assert seen == [one for one in after if one in set(seen)]
    again = world.do(lists.page(account.reach, wanted, limit=limit, offset=offset))
    assert [row.insight_id for row in again.insights] == after[offset : offset + limit]
    assert again.total == len(after)


def test_nothing_of_removed_devices_or_others_is_listed(world: World) -> None:
    account, other = world.account(), world.account()
    [mine, gone] = account.add({"camera": 0, "time_s": 1}, {"camera": 1, "time_s": 2})
    [theirs] = other.add({"camera": 0, "time_s": 3})
    with account.engine.begin() as connection:
        connection.execute(
            update(DEVICES)
            .where(DEVICES.c.device_id == account.cameras[1]["device_id"])
            .values(deleted_ns=5)
        )
    lists = world.db.insights.lists

    page = world.do(lists.page(account.reach, InsightFilter(), limit=10))
    assert [row.insight_id for row in page.insights] == [mine]
    assert page.total == 1
    foreign = InsightFilter(device_id=other.cameras[0]["device_id"])
    assert world.do(lists.page(account.reach, foreign, limit=10)).total == 0
    for hidden in (gone, theirs):
        assert world.do(lists.insight(account.reach, hidden)) is None
    assert world.do(lists.insight(account.reach, mine)) is not None


def test_who_is_limited_to_a_camera_lists_only_that(world: World) -> None:
    account = world.account()
    ids = account.add({"camera": 0, "time_s": 1}, {"camera": 1, "time_s": 2})
    limited = Reach(
        account_id=account.account_id, cameras=frozenset({account.cameras[0]["camera_id"]})
    )

    page = world.do(world.db.insights.lists.page(limited, InsightFilter(), limit=10))
    assert [row.insight_id for row in page.insights] == ids[:1]


def test_what_is_asked_must_stand_together_and_may_be_excluded(world: World) -> None:
    account = world.account()
    apart, whole = account.add(
        {"camera": 0, "time_s": 1, "summary": "紫水放在晶杯，水晶旁"},
        {"camera": 0, "time_s": 2, "summary": "桌上有紫水晶杯"},
    )

    def ids(question: str) -> list[str]:
        wanted = InsightFilter(words=words(question))
        page = world.do(world.db.insights.lists.page(account.reach, wanted, limit=10))
        return [row.insight_id for row in page.insights]

    assert whole in ids("紫水晶杯")
    assert ids("door") == []
    assert apart not in ids("桌上")


def test_a_cursor_of_no_list_is_refused(world: World) -> None:
    account = world.account()
    for cursor in ("x", "!!", "MTIz", "a" * 300, "é"):
        with pytest.raises(FieldError, match="cursor"):
            world.do(
                world.db.insights.lists.page(account.reach, InsightFilter(), limit=1, cursor=cursor)
            )


def test_a_question_is_answered_by_facts_and_words_best_first(world: World) -> None:
    account = world.account()
    said, plain = account.add(
        {"camera": 0, "time_s": 1, "summary": "一名男子在入口徘徊", "risk": "high"},
        {"camera": 0, "time_s": 2, "summary": "一名女子離開"},
    )
    lists = world.db.insights.lists

    found = world.do(lists.search(account.reach, InsightFilter(), words("男子"), limit=10))
    assert [row.insight_id for row in found.insights] == [said]
    everything = world.do(lists.search(account.reach, InsightFilter(), Words(), limit=1))
    assert [row.insight_id for row in everything.insights] == [plain]
    assert everything.total == 2
