"""Reviews of alerts over HTTP: set, counted, undone, by whom and why; on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.api import client_of, make_key, quick
from tests.tenants import Tenant, make_tenant

from video_detective.services.workspace import Workspace, open_workspace
from video_detective.storage.accounts.audit import AuditQuery

ALERTS = "/api/v1/alerts"
ABSENT = "0199a2c4-5d10-7c3e-9f00-2b1a6c7d8e90"


@dataclass(frozen=True, kw_only=True)
class World:
    workspace: Workspace
    mine: Tenant
    other: Tenant
    client: httpx.AsyncClient

    async def alerts(self, **asked: Any) -> list[dict[str, Any]]:
        return list((await self.ok(self.client.get(ALERTS, params=asked)))["data"])

    async def counts(self, **asked: Any) -> dict[str, int]:
        return dict((await self.ok(self.client.get(f"{ALERTS}/counts", params=asked)))["data"])

    async def set(self, ids: list[str], **change: Any) -> list[dict[str, Any]]:
        sent = self.client.post(f"{ALERTS}/reviews", json={"ids": ids, **change})
        return list((await self.ok(sent))["data"])

    async def ok(self, answering: Any) -> dict[str, Any]:
        answer = await answering
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def log(self) -> list[tuple[str, dict[str, Any]]]:
        query = AuditQuery(account_id=self.mine.caller.account_id, limit=50, action="alert.review")
        rows, _ = await self.workspace.database.accounts.audit_page(query)
        return [(row.entry.target_id, dict(row.entry.details)) for row in rows]


@pytest.fixture(params=["sqlite", "postgresql"])
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    url = None
    if request.param == "postgresql":
        create: Callable[[], str] = request.getfixturevalue("new_postgres_database")
        url = create()
    async with open_workspace(tmp_path, url) as opened:
        workspace = quick(opened)
        mine, other = [
            await make_tenant(workspace, tmp_path, f"{word} ltd", word, url=url)
            for word in ("zanthorim", "quibblex")
        ]
        async with client_of(workspace, mine.key) as client:
            yield World(workspace=workspace, mine=mine, other=other, client=client)


async def test_an_alert_is_reviewed_counted_listed_and_undone(world: World) -> None:
    alerts = await world.alerts()
    first, *others = [alert["id"] for alert in alerts]
    assert len(others) == 3
    assert {alert["review"]["state"] for alert in alerts} == {"new"}
    alert = alerts[0]
    assert (alert["eventType"], alert["timezone"]) == ("intrusion", "Asia/Taipei")
    assert alert["placeName"] == "院子 zanthorim"
    assert alert["thumbnailUrl"].startswith("http://localhost/media/")
    assert await world.counts() == {"new": 4, "seen": 0, "confirmed": 0, "dismissed": 0}

    refused = await world.client.patch(f"{ALERTS}/{first}", json={"state": "dismissed"})
    assert refused.status_code == 400
    assert refused.json()["error"]["details"][0]["field"] == "reason"
    change = {"state": "dismissed", "reason": " 風吹動樹枝 "}
    set_ = await world.ok(world.client.patch(f"{ALERTS}/{first}", json=change))
    review = set_["data"]["review"]
    assert (review["state"], review["reason"]) == ("dismissed", "風吹動樹枝")
    assert review["by"] == "鑰匙 zanthorim"
    assert review["at"]
    # Again is harmless, and nobody is named anew.
    assert (await world.ok(world.client.patch(f"{ALERTS}/{first}", json=change)))["data"][
        "review"
    ] == review
    # Who opened it meanwhile must not undo what was decided.
    seen = {"state": "seen", "onlyFrom": "new"}
    kept = await world.ok(world.client.patch(f"{ALERTS}/{first}", json=seen))
    assert kept["data"]["review"] == review

    done = await world.set(others, **seen)
    assert [(one["changed"], one["former"]["state"]) for one in done] == [(True, "new")] * 3
    assert await world.counts() == {"new": 0, "seen": 3, "confirmed": 0, "dismissed": 1}
    assert [a["id"] for a in await world.alerts(reviewState="dismissed")] == [first]
    both = await world.alerts(reviewState=["dismissed", "seen"])
    assert [a["id"] for a in both] == [first, *others]
    device = both[-1]["deviceId"]
    assert sum((await world.counts(deviceId=device)).values()) == 2
    assert sum((await world.counts(q="zanthorim")).values()) == len(
        await world.alerts(q="zanthorim")
    )
    assert await world.counts(startDate="2030-01-01T00:00:00Z") == {
        "new": 0, "seen": 0, "confirmed": 0, "dismissed": 0,
    }  # fmt: skip

    await world.set([first], state="new", onlyFrom="dismissed")
    assert (await world.alerts(reviewState="new"))[0]["review"]["reason"] is None
    log = await world.log()
    assert log[0] == (first, {"state": "new", "reason": None, "former": "dismissed"})
    assert {target for target, _ in log[1:4]} == set(others)
    assert log[4] == (first, {"state": "dismissed", "reason": "風吹動樹枝", "former": "new"})
    assert len(log) == 5
    assert (await world.workspace.database.accounts.verify_audit(
        world.mine.caller.account_id
    )).broken_at is None  # fmt: skip


async def test_many_are_set_all_or_none_and_those_that_are_not_there_are_named(
    world: World,
) -> None:
    ids = [alert["id"] for alert in await world.alerts()]
    theirs = world.other.ids["alert"]
    url = f"{ALERTS}/reviews"
    for absent in (ABSENT, theirs):
        body = {"ids": [*ids, absent], "state": "confirmed"}
        answer = await world.client.post(url, json=body)
        assert answer.status_code == 404
        assert absent in answer.json()["message"]
        assert (await world.client.patch(f"{ALERTS}/{absent}", json={"state": "seen"})
                ).status_code == 404  # fmt: skip
    assert await world.counts() == {"new": 4, "seen": 0, "confirmed": 0, "dismissed": 0}
    assert await world.log() == []
    for wrong in ({"ids": [], "state": "seen"}, {"ids": [ABSENT] * 501, "state": "seen"},
                  {"ids": ids, "state": "open"}, {"ids": ids, "state": "seen", "reason": "x" * 501},
                  {"ids": ids, "state": "dismissed", "reason": "  "}):  # fmt: skip
        assert (await world.client.post(url, json=wrong)).status_code == 400, wrong

    limited = await make_key(
        world.workspace, "analytics:read", "analytics:write", account="zanthorim ltd",
        devices=[world.mine.ids["device"]],
    )  # fmt: skip
    async with client_of(world.workspace, limited) as client:
        assert sum((await client.get(f"{ALERTS}/counts")).json()["data"].values()) == 2
        refused = await client.post(url, json={"ids": ids, "state": "seen"})
        assert refused.status_code == 404
    reader = await make_key(world.workspace, "analytics:read", account="zanthorim ltd")
    async with client_of(world.workspace, reader) as client:
        assert (await client.post(url, json={"ids": ids, "state": "seen"})).status_code == 403


async def test_who_reviews_the_same_alerts_at_once_both_can(world: World) -> None:
    ids = [alert["id"] for alert in await world.alerts()]
    await asyncio.gather(
        *(
            world.set(ids[::step], state=state, reason="duplicate")
            for _ in range(3)
            for step, state in ((1, "confirmed"), (-1, "dismissed"))
        )
    )
    counts = await world.counts()
    assert sorted(counts.values()) == [0, 0, 0, 4]
    for alert in await world.alerts():
        assert counts[alert["review"]["state"]] == 4
