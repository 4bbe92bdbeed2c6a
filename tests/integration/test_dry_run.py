"""Trying a scene on what was seen: exactly what the rules would have found, and the difference."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.api import client_of, make_account, make_key, quick
from tests.staged import analyse

from video_detective.config import Camera
from video_detective.geometry import NS_PER_S
from video_detective.rules import Event
from video_detective.services.accounts import local_caller
from video_detective.services.dry_run import DryRuns
from video_detective.services.scripted_scene.expected import document
from video_detective.services.scripted_scene.script import DURATION_S, START_NS
from video_detective.services.scripted_scene.truth import observations
from video_detective.services.times import utc_text
from video_detective.services.workspace import Workspace, open_workspace
from video_detective.storage import EventQuery

CAMERA = document().camera("cam01")
SEEN = tuple(observations(fps=5.0))
FROM, TO = utc_text(START_NS), utc_text(START_NS + round(DURATION_S * NS_PER_S))


@dataclass(frozen=True)
class Place:
    """A workspace in which the scripted scene was analysed, and somebody who may do everything."""

    workspace: Workspace
    client: httpx.AsyncClient
    scene: dict[str, Any]

    async def try_out(self, **body: Any) -> dict[str, Any]:
        asked = {"from": FROM, "to": TO, **body}
        answer = await self.client.post(f"/api/v1/scenes/{self.scene['id']}/dry-run", json=asked)
        assert answer.status_code == 200, answer.text
        return dict(answer.json()["data"])

    async def stored(self) -> list[Event]:
        page = await self.workspace.database.events(EventQuery(limit=1000, order="oldest"))
        return [one.event for one in page.events]


@pytest.fixture(params=["sqlite", "postgresql"])
async def place(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Place]:
    url = None
    if request.param == "postgresql":
        create: Callable[[], str] = request.getfixturevalue("new_postgres_database")
        url = create()
    async with open_workspace(tmp_path, url) as opened:
        yield await staged(quick(opened))


@pytest.fixture(scope="module")
def analysed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory in which the scripted scene was analysed; to be copied."""
    folder = tmp_path_factory.mktemp("analysed") / "data"

    async def fill() -> None:
        async with open_workspace(folder) as workspace:
            await analyse(workspace, "cam01", CAMERA, SEEN)

    asyncio.run(fill())
    return folder


@pytest.fixture
async def embedded(tmp_path: Path, analysed: Path) -> AsyncIterator[Place]:
    folder = tmp_path / "data"
    shutil.copytree(analysed, folder)
    async with open_workspace(folder) as opened:
        yield await placed(quick(opened))


async def staged(workspace: Workspace) -> Place:
    await analyse(workspace, "cam01", CAMERA, SEEN)
    return await placed(workspace)


async def placed(workspace: Workspace) -> Place:
    client = client_of(workspace, await make_key(workspace))
    (scene,) = (await client.get("/api/v1/scenes")).json()["data"]
    return Place(workspace, client, scene)


def with_rule(scene: dict[str, Any], rule_type: str, **changes: Any) -> dict[str, Any]:
    """The scene's document with the rules of a type changed."""
    rules = [
        {**rule, **changes} if rule["type"] == rule_type else rule
        for rule in scene["document"]["rules"]
    ]
    return {**scene["document"], "rules": rules}


def without_rule(scene: dict[str, Any], rule_type: str) -> dict[str, Any]:
    rules = [rule for rule in scene["document"]["rules"] if rule["type"] != rule_type]
    return {**scene["document"], "rules": rules}


def types(events: Sequence[dict[str, Any]]) -> set[str]:
    return {event["type"] for event in events}


async def test_without_a_period_the_newest_footage_is_played(embedded: Place) -> None:
    """Also where it is not from today: a film is as old as it is."""
    address = f"/api/v1/scenes/{embedded.scene['id']}/dry-run"
    whole = (await embedded.client.post(address, json={})).json()["data"]
    assert whole["counts"] == (await embedded.try_out())["counts"]
    assert whole["to"] >= utc_text(SEEN[-1].time_ns)
    short = (await embedded.client.post(address, json={"hours": 0.01})).json()["data"]
    assert short["to"] == whole["to"]
    assert 0 < short["looks"] <= whole["looks"]


async def test_the_unchanged_scene_finds_every_stored_event_again_and_no_difference(
    place: Place,
) -> None:
    stored = await place.stored()
    assert {event.type for event in stored} >= {
        "abandoned_object", "camera_tampered", "crowding", "intrusion", "line_crossing",
        "loitering", "metric", "pacing", "wrong_way",
    }  # fmt: skip
    for body in ({}, {"document": place.scene["document"]}):
        result = await place.try_out(**body)
        counts = result["counts"]
        assert counts["now"] == counts["draft"] == counts["same"] == len(stored)
        assert (counts["appear"], counts["vanish"], counts["move"]) == (0, 0, 0)
        found = {event["eventId"] for event in result["events"]["same"]}
        assert found == {event.event_id for event in stored}
        assert result["alerts"]["appear"] == result["alerts"]["vanish"] == []
        assert result["limits"] == []
        assert result["looks"] == len(SEEN)


async def test_replayed_events_are_the_stored_ones_to_the_last_field(embedded: Place) -> None:
    runs = DryRuns(embedded.workspace)
    caller = await local_caller(embedded.workspace)
    run = await runs.run(caller, embedded.scene["id"], document=None, since=FROM, until=TO)
    stored = [replace(event, event_id="") for event in await embedded.stored()]
    played = [replace(event, event_id="") for event in run.difference.same]
    for event in stored:
        assert event in played
    assert len(stored) == len(played)


async def test_a_draft_makes_events_appear_vanish_and_move(embedded: Place) -> None:
    vanished = await embedded.try_out(document=without_rule(embedded.scene, "line_crossing"))
    assert types(vanished["events"]["vanish"]) == {"line_crossing"}
    assert vanished["counts"]["vanish"] == len(vanished["events"]["vanish"]) > 1
    assert all(event["eventId"] for event in vanished["events"]["vanish"])
    assert vanished["counts"]["appear"] == vanished["counts"]["move"] == 0
    (by_rule,) = {rule["ruleId"] for rule in vanished["byRule"] if rule["draft"] == 0}
    assert by_rule == vanished["events"]["vanish"][0]["ruleId"]

    moved = await embedded.try_out(document=with_rule(embedded.scene, "crowding", min_seconds=5))
    (one,) = moved["events"]["move"]
    assert one["now"]["type"] == one["draft"]["type"] == "crowding"
    assert "established" in one["changed"]
    assert one["now"]["establishedTime"] < one["draft"]["establishedTime"]
    assert moved["counts"]["appear"] == moved["counts"]["vanish"] == 0

    rules = [*embedded.scene["document"]["rules"]]
    zone = next(rule["zone"] for rule in rules if rule["type"] == "intrusion")
    rules.append({"id": "anyone", "type": "metric", "metric": f"zones.{zone}.count",
                  "threshold": 0, "for_seconds": 1})  # fmt: skip
    added = await embedded.try_out(document={**embedded.scene["document"], "rules": rules})
    assert {event["ruleId"] for event in added["events"]["appear"]} == {"anyone"}
    assert all(event["eventId"] is None for event in added["events"]["appear"])
    assert added["counts"]["vanish"] == added["counts"]["move"] == 0
    assert len(added["alerts"]["appear"]) == added["counts"]["appear"] > 0
    assert added["alerts"]["draft"]["total"] == (
        added["alerts"]["now"]["total"] + added["counts"]["appear"]
    )


async def test_alert_rules_of_a_draft_change_alerts_and_no_events(embedded: Place) -> None:
    rule = next(
        rule["id"] for rule in embedded.scene["document"]["rules"] if rule["type"] == "intrusion"
    )
    draft = {
        **embedded.scene["document"],
        "alerts": [{"id": "guard", "rules": [rule], "severity": "critical"}],
    }
    result = await embedded.try_out(document=draft)
    assert result["counts"]["same"] == result["counts"]["now"]
    assert result["alerts"]["now"]["total"] == result["counts"]["now"]
    assert result["alerts"]["draft"]["total"] == result["alerts"]["draft"]["critical"] > 0
    assert {alert["alertRule"] for alert in result["alerts"]["appear"]} == {"guard"}
    assert all(alert["event"]["eventId"] for alert in result["alerts"]["vanish"])


async def test_a_period_within_the_footage_knows_what_came_before(embedded: Place) -> None:
    stored = await embedded.stored()
    pacing = next(event for event in stored if event.type == "pacing")
    middle_ns = (pacing.start_ns + (pacing.end_ns or 0)) // 2
    result = await embedded.try_out(**{"from": utc_text(middle_ns // 10**6 * 10**6)})
    found = {event["eventId"] for event in result["events"]["same"]}
    assert pacing.event_id in found
    assert "warm_up" not in {limit["code"] for limit in result["limits"]}
    cut = await embedded.try_out(to=utc_text(middle_ns // 10**6 * 10**6))
    assert "open_end" in {limit["code"] for limit in cut["limits"]}
    assert cut["counts"]["now"] < len(stored)


async def test_of_several_analyses_of_the_same_footage_the_one_shown_is_played(
    embedded: Place,
) -> None:
    """Both saw the same, but under other rules; the later one is shown."""
    fewer = Camera.model_validate(
        {
            **CAMERA.model_dump(mode="json"),
            "rules": [rule for rule in CAMERA.model_dump(mode="json")["rules"]
                      if rule["type"] == "line_crossing"],
        }
    )  # fmt: skip
    renamed = tuple(
        replace(
            seen,
            tracks=tuple(
                replace(track, track_id=f"{track.track_id[0]}{int(track.track_id[1:]) + 100}")
                for track in seen.tracks
            ),
        )
        for seen in SEEN
    )
    await analyse(embedded.workspace, "cam01", fewer, renamed, settings="fewer")
    result = await embedded.try_out(document=embedded.scene["document"])
    assert result["looks"] == len(SEEN)
    assert result["baseVersion"] == 2
    assert types(result["events"]["same"]) == {"line_crossing"}
    assert result["counts"]["appear"] > 0
    tracks = {track for event in result["events"]["same"] for track in event["trackIds"]}
    assert all(int(track[1:]) > 100 for track in tracks)


async def test_what_was_stored_without_moments_is_played_by_its_points_and_says_so(
    embedded: Place,
) -> None:
    with closing(sqlite3.connect(embedded.workspace.data_dir / "video-detective.db")) as other:
        other.execute("DELETE FROM looks")
        other.commit()
    result = await embedded.try_out()
    limit = next(one for one in result["limits"] if one["code"] == "points_only")
    unsure = set(limit["ruleIds"])
    stored = [event for event in await embedded.stored() if event.rule_id not in unsure]
    found = {event["eventId"] for event in result["events"]["same"]}
    assert {event.event_id for event in stored} <= found
    assert len(stored) > 5


async def test_an_analysis_that_was_interrupted_is_played_as_one_that_was_not(
    tmp_path: Path,
) -> None:
    async with open_workspace(tmp_path) as opened:
        workspace = quick(opened)
        for frame in (210, 503, 777):
            await analyse(workspace, "cam01", CAMERA, SEEN, stop_at=frame)
        place = await staged(workspace)
        result = await place.try_out()
        assert result["looks"] == len(SEEN)
        assert result["limits"] == []
        assert result["counts"]["same"] == result["counts"]["now"] == len(await place.stored())


async def test_limits_tell_what_tracks_cannot_show(embedded: Place) -> None:
    draft = {
        **embedded.scene["document"],
        "sampling": {"fps": 10},
        "detection": {"classes": ["person"]},
        "rules": [{"id": "cats", "type": "intrusion", "classes": ["cat"],
                   "zone": next(iter(embedded.scene["document"]["zones"]))}],
    }  # fmt: skip
    result = await embedded.try_out(document=draft, to=utc_text(START_NS + 3600 * NS_PER_S))
    limits = {limit["code"]: limit for limit in result["limits"]}
    assert set(limits) == {"not_watched", "needs_the_picture", "classes_not_detected"}
    assert "detection, sampling" in limits["needs_the_picture"]["message"]
    assert limits["classes_not_detected"]["ruleIds"] == ["cats"]
    assert result["watchedSeconds"] == pytest.approx(DURATION_S, abs=1)


async def test_what_cannot_be_meant_is_refused(embedded: Place) -> None:
    address = f"/api/v1/scenes/{embedded.scene['id']}/dry-run"
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"hours": 0}, "hours"),
        ({"from": "2126-01-15T00:00:00Z"}, "from"),
        ({"from": FROM, "to": FROM}, "to"),
        ({"from": TO, "to": FROM}, "to"),
        ({"from": FROM, "to": utc_text(START_NS + 8 * 86400 * NS_PER_S)}, "to"),
        ({"from": "yesterday", "to": TO}, "from"),
        ({"from": FROM, "to": TO, "document": {"zones": 3}}, "document.zones"),
        ({"from": FROM, "to": TO, "document": {"alerts": [{"id": "a", "rules": ["x"]}]}},
         "document.alerts[0].rules[0]"),
        ({"from": FROM, "to": TO, "until": 3}, "until"),
    ]  # fmt: skip
    for body, named in wrong:
        refused = await embedded.client.post(address, json=body)
        assert refused.status_code == 400, (body, refused.text)
        assert refused.json()["error"]["code"] == "VALIDATION_ERROR"
        assert named in [problem["field"] for problem in refused.json()["error"]["details"]]


async def test_another_account_and_a_reading_key_can_try_nothing(embedded: Place) -> None:
    address = f"/api/v1/scenes/{embedded.scene['id']}/dry-run"
    await make_account(embedded.workspace, "acme")
    stranger = await make_key(embedded.workspace, account="acme")
    reading = await make_key(embedded.workspace, "devices:read", "analytics:read")
    for key, status in ((stranger, 404), (reading, 403)):
        async with client_of(embedded.workspace, key) as client:
            answer = await client.post(address, json={"from": FROM, "to": TO})
            assert answer.status_code == status


async def test_the_service_answers_others_meanwhile(embedded: Place) -> None:
    trying = [asyncio.create_task(embedded.try_out()) for _ in range(3)]
    answered = 0
    while not all(task.done() for task in trying):
        assert (await embedded.client.get("/api/v1/scenes")).status_code == 200
        answered += 1
    assert answered > 3
    assert len({str(task.result()["counts"]) for task in trying}) == 1


async def test_a_cancelled_dry_run_ends_and_leaves_the_turn_to_the_next(embedded: Place) -> None:
    runs = DryRuns(embedded.workspace)
    caller = await local_caller(embedded.workspace)
    asked: dict[str, Any] = {"document": None, "since": FROM, "until": TO}
    first = asyncio.create_task(runs.run(caller, embedded.scene["id"], **asked))
    await asyncio.sleep(0)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    run = await runs.run(caller, embedded.scene["id"], **asked)
    assert run.looks == len(SEEN)
