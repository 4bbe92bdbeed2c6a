"""The page of cameras: their list, and the editor of a scene, against stored footage."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, Route, expect
from tests.browser.conftest import Visit
from tests.pages import NARROW, WIDE, assert_accessible, assert_fits, shot
from tests.servers.mjpeg import HttpCamera
from tests.service import Service, evidence
from tests.staged import analyse
from tests.videos import write_video

from video_detective import config
from video_detective.geometry import NS_PER_S
from video_detective.rules import Observation
from video_detective.services.workspace import Workspace
from video_detective.storage import EventQuery
from video_detective.tracking import Track

pytestmark = pytest.mark.xdist_group("browser-cameras")

DOCUMENT = """
schema_version: 1
cameras:
  walk:
    name: 步道
    zones:
      left: {name: 左邊, points: [[0.1, 0.4], [0.4, 0.4], [0.4, 0.9], [0.1, 0.9]]}
    tripwires:
      line: {name: 中線, points: [[0.5, 0.1], [0.5, 0.9]]}
    rules:
      - {id: left-in, type: intrusion, zone: left}
      - {id: over, type: line_crossing, tripwire: line}
"""
START_NS = 1_768_485_600 * NS_PER_S
SIZE = (160, 120)
WORDS = {
    "zh-TW": {"draw": "畫區域", "kind": "闖入", "save": "儲存",
              "named": "闖入 · 區域 1", "diff": "新增區域「區域 1」"},
    "en": {"draw": "Draw a zone", "kind": "Intrusion", "save": "Save",
           "named": "Intrusion · Zone 1", "diff": "Added zone “Zone 1”"},
}  # fmt: skip


def walk() -> list[Observation]:
    """Somebody goes from left to right below the middle for 20 s, at five looks a second."""
    seen = []
    for n in range(100):
        x, y = SIZE[0] * (0.05 + 0.009 * n), SIZE[1] * 0.65
        track = Track(track_id="p01", type="person", conf=0.9, bbox=(x - 6, y - 30, x + 6, y))
        seen.append(
            Observation(
                time_ns=START_NS + n * NS_PER_S // 5, frame=2 * n, size=SIZE, tracks=(track,)
            )
        )
    return seen


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_video(tmp_path_factory.mktemp("film") / "clip.mp4", frames=10)


@pytest.fixture
def walked(service: Service, clip: Path, request: pytest.FixtureRequest) -> str:
    """The id of a device of the test's own that saw the walk, and has a picture of it."""
    camera_id = re.sub(r"\W+", "-", request.node.name)[-60:].strip("-")
    camera = config.parse(DOCUMENT, name="rules.yaml").camera("walk")

    async def fill(workspace: Workspace) -> None:
        await analyse(workspace, camera_id, camera, walk(), name=camera_id)
        page = await workspace.database.events(EventQuery(camera=camera_id))
        for stored in page.events:
            rows, frames = evidence(workspace, stored.event, clip)
            await workspace.database.add_evidence(stored.event.event_id, rows, frames)

    service.do(fill)
    with api(service) as client:
        listed = client.get("/api/v1/devices", params={"limit": 100}).json()["data"]
    return str(next(one["id"] for one in listed if one["cameraId"] == camera_id))


def api(service: Service) -> httpx.Client:
    headers = {"Authorization": f"Bearer {service.token}"}
    return httpx.Client(base_url=service.address, headers=headers, timeout=30)


def scene_of(service: Service, device: str) -> dict[str, Any]:
    with api(service) as client:
        found = client.get("/api/v1/scenes", params={"deviceId": device}).json()["data"]
    return dict(found[0])


def open_editor(page: Page) -> None:
    expect(page.locator(".still-bar [role=status]").first).to_contain_text(
        re.compile("儲存的畫面|Stored picture")
    )


def test_a_camera_opened_from_the_list_is_shown_from_its_top(visit: Visit, walked: str) -> None:
    page = visit("/cameras")
    page.locator(f"a[href*='{walked}']", has_text="場景與規則").click()
    open_editor(page)
    expect(page.locator("#main")).to_be_focused()
    expect(page.locator("nav a[href='/']")).to_be_in_viewport()


def place(page: Page, x: float, y: float) -> tuple[float, float]:
    """A point of the picture in pixels of the window."""
    box = page.locator(".overlay").bounding_box()
    assert box is not None
    return box["x"] + x * box["width"], box["y"] + y * box["height"]


def points(page: Page) -> dict[str, Any]:
    """The draft's document, as the page keeps it for a reload."""
    kept = page.evaluate("Object.values(sessionStorage).find(v => v.includes('\"document\"'))")
    return dict(json.loads(kept)["document"]) if kept else {}


@pytest.mark.parametrize(("language", "width"), [("zh-TW", WIDE), ("en", NARROW)])
def test_a_zone_drawn_by_mouse_is_tried_saved_compared_and_taken_back(
    visit: Visit, service: Service, walked: str, language: str, width: int
) -> None:
    words = WORDS[language]
    page = visit("/cameras", width=width, language=language)
    card = page.locator(".camera", has=page.locator(f"a[href*='{walked}']"))
    expect(card.locator(".thumb-frame")).to_have_class(re.compile("loaded"))
    assert_fits(page)
    card.locator(".camera-actions a").click()
    expect(page).to_have_url(re.compile(rf"\?device={walked}&tab=scene$"))
    open_editor(page)
    page.get_by_role("button", name=words["draw"]).click()
    page.locator(".scene-canvas").scroll_into_view_if_needed()
    for x, y in ((0.6, 0.4), (0.9, 0.4), (0.9, 0.9), (0.6, 0.9), (0.6, 0.4)):
        page.mouse.click(*place(page, x, y))
    expect(page.locator(".shape.zone.selected")).to_have_count(1)

    page.locator("#new-rule-kind").select_option(label=words["kind"])
    page.locator(".add-rule button").click()
    expect(page.locator(".rule h2").last).to_have_text(words["named"])
    page.locator("#tab-try").click()
    page.route("**/dry-run", lambda route: None)  # it takes long
    page.locator(".try-form button").click()
    page.locator(".try-result button").click()
    expect(page.locator(".try-result .hint")).to_have_text(re.compile("已取消|Cancelled"))
    page.unroute("**/dry-run")
    page.locator(".try-form button").click()
    expect(page.locator(".tile.appear strong")).to_have_text("1")
    expect(page.locator(".tile.same strong")).to_have_text("2")
    page.locator(".try-events button").first.click()
    expect(page.locator(".trail")).to_have_count(1)
    shot(page, f"scene-try-{language}-{width}")
    assert_fits(page)

    page.get_by_role("button", name=words["save"], exact=True).click()
    expect(page.locator("dialog .differences")).to_contain_text(words["diff"])
    page.locator("dialog input").fill("east side")
    held: list[Route] = []
    page.route("**/api/v1/scenes/*", lambda route: held.append(route))
    with page.expect_request("**/api/v1/scenes/*"):
        page.locator("dialog .primary").click()
    # What is changed before the answer is there is not saved, and not lost.
    page.keyboard.press("Control+z")
    for route in held:
        route.continue_()
    page.unroute("**/api/v1/scenes/*")
    expect(page.locator(".toast").first).to_be_visible()
    expect(page.locator(".draft-state")).to_have_class(re.compile("dirty"))
    page.keyboard.press("Control+Shift+Z")
    expect(page.locator(".draft-state")).not_to_have_class(re.compile("dirty"))
    saved = scene_of(service, walked)
    assert (saved["version"], saved["note"]) == (2, "east side")
    assert [rule["zone"] for rule in saved["document"]["rules"] if "zone" in rule] == [
        "left",
        "zone-1",
    ]

    page.locator("#tab-versions").dblclick()  # each version once
    expect(page.locator(".version")).to_have_count(2)
    first = page.locator(".version").nth(1)
    first.get_by_role("button").first.click()
    expect(first.locator(".differences li")).to_have_count(2)
    first.get_by_role("button").nth(1).click()
    page.locator("dialog .primary").click()
    expect(page.locator(".version")).to_have_count(3)
    expect(page.locator(".shape.zone")).to_have_count(1)
    assert scene_of(service, walked)["document"]["rules"][1]["id"] == "over"
    page.go_back()
    expect(page).to_have_url(re.compile(r"/cameras$"))
    page.go_forward()
    expect(page.locator("#tab-versions")).to_have_attribute("aria-selected", "true")


def test_a_tripwire_is_drawn_by_touch_and_the_draft_outlives_a_reload(
    visit: Visit, service: Service, walked: str
) -> None:
    page = visit(f"/cameras?device={walked}&tab=scene", width=NARROW, touch=True)
    open_editor(page)
    page.get_by_role("button", name="畫警戒線").tap()
    page.locator(".scene-canvas").scroll_into_view_if_needed()
    for x, y in ((0.7, 0.2), (0.7, 0.8)):
        page.touchscreen.tap(*place(page, x, y))
    page.get_by_role("button", name="完成").tap()
    ways = page.locator(".way-names input")
    expect(ways).to_have_count(2)
    ways.nth(0).fill("往西")  # drawn downwards, its right hand is in the west
    ways.nth(1).fill("往東")

    finger = page.context.new_cdp_session(page)
    start, end = place(page, 0.7, 0.8), place(page, 0.8, 0.7)
    for kind, at in (("touchStart", start), ("touchMove", end), ("touchEnd", None)):
        touches = [] if at is None else [{"x": at[0], "y": at[1]}]
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})
    moved = points(page)["tripwires"]["tripwire-1"]
    assert moved["points"][1] == pytest.approx([0.8, 0.7], abs=0.02)
    assert moved["directions"] == {"left_to_right": "往西", "right_to_left": "往東"}

    page.reload()
    open_editor(page)
    expect(page.locator(".draft-state")).to_have_text("有未儲存的修改")
    expect(page.locator(".toast")).to_contain_text("未儲存的修改")
    page.locator("#new-rule-kind").select_option("line_crossing")
    page.locator(".add-rule button").tap()
    rule = page.locator(".rule").last
    rule.get_by_label("警戒線").select_option(label="警戒線 1")
    expect(rule.get_by_label("方向").locator("option")).to_have_text(["任何方向", "往西", "往東"])
    assert_accessible(page)
    page.get_by_role("button", name="復原（Ctrl+Z）").tap()
    page.get_by_role("button", name="復原（Ctrl+Z）").tap()
    expect(page.locator(".rule")).to_have_count(2)
    page.locator(".scene-bar").get_by_role("button", name="捨棄").tap()
    expect(page.locator(".draft-state")).to_have_text("第 1 版，已儲存")
    assert points(page) == {}


def test_shapes_are_made_and_moved_by_keys_and_what_is_wrong_is_told_where_it_is(
    visit: Visit, service: Service, walked: str
) -> None:
    page = visit(f"/cameras?device={walked}&tab=scene", scheme="dark", quiet=False)
    open_editor(page)
    page.get_by_role("button", name="畫區域").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="放一個在中央").focus()
    page.keyboard.press("Enter")
    for key in ("ArrowRight", "Shift+ArrowDown", "Enter", "ArrowLeft"):
        page.keyboard.press(key)
    assert points(page)["zones"]["zone-1"]["points"] == [
        [0.35, 0.351], [0.66, 0.351], [0.66, 0.651], [0.36, 0.651],
    ]  # fmt: skip
    page.keyboard.press("Control+z")
    assert points(page)["zones"]["zone-1"]["points"][0] == [0.36, 0.351]
    page.keyboard.press("Control+Shift+Z")

    # A corner beyond the opposite edge.
    page.get_by_text("座標", exact=True).click()
    page.get_by_label("第 1 點的 x，百分比").fill("90")
    page.get_by_label("第 1 點的 y，百分比").fill("60")
    expect(page.locator(".shape.wrong")).to_have_count(1)
    rule = page.locator(".rule").first
    rule.get_by_label("進入多久成立").fill("-1")
    page.get_by_role("button", name="儲存", exact=True).click()
    expect(page.locator(".problems")).to_contain_text("「區域 1」的外框自我交叉")
    expect(rule.get_by_label("進入多久成立")).to_be_focused()
    expect(rule.locator(".failure:visible")).to_have_text("至少要 0。")
    shot(page, "scene-problems")
    assert_accessible(page)
    rule.get_by_label("進入多久成立").fill("2")
    page.locator("[data-at='zone:zone-1']").focus()
    page.keyboard.press("Delete")
    expect(page.locator(".problems")).to_be_hidden()

    # What only the server knows is told at the field that it names.
    def refuse(route: Route) -> None:
        details = [{"field": "document.rules[0].enter_s", "problem": "is odd"}]
        error = {"code": "VALIDATION_ERROR", "details": details}
        route.fulfill(status=400, json={"success": False, "message": "no", "error": error})

    page.route("**/api/v1/scenes/*", refuse)
    page.get_by_role("button", name="儲存", exact=True).click()
    with page.expect_event("console"):
        page.locator("dialog .primary").click()
    expect(rule.locator(".failure:visible")).to_have_text("is odd")
    page.unroute("**/api/v1/scenes/*")

    # Somebody else saves meanwhile.
    scene = scene_of(service, walked)
    with api(service) as client:
        client.patch(f"/api/v1/scenes/{scene['id']}", json={"document": {}, "note": "theirs"})
    page.get_by_role("button", name="儲存", exact=True).click()
    page.locator("dialog .primary").click()
    expect(page.locator("dialog")).to_contain_text("第 2 版")
    page.locator("dialog .primary").click()
    expect(page.locator("dialog .differences")).to_contain_text("新增闖入")
    page.locator("dialog .primary").click()
    expect(page.locator(".draft-state")).to_have_text("第 3 版，已儲存")
    assert scene_of(service, walked)["document"]["rules"][0]["enter_s"] == 2


def test_a_camera_is_added_when_its_address_shows_a_picture_then_changed_and_removed(
    visit: Visit, service: Service
) -> None:
    page = visit("/cameras", quiet=False)
    with HttpCamera() as camera:
        page.get_by_role("button", name="新增攝影機").click()
        page.get_by_label("名稱", exact=True).fill("側門")
        page.get_by_label("串流網址").fill(
            camera.address("nothing").replace("//", "//user:s3cret@")
        )
        page.get_by_role("button", name="測試連線").click()
        wrong = page.locator("#device-source-wrong")
        expect(wrong).to_contain_text(f"連不上 {camera.address('nothing')}")
        expect(wrong).not_to_contain_text("s3cret")
        expect(page.get_by_role("button", name="仍要儲存")).to_be_visible()
        page.get_by_label("串流網址").fill(camera.address("mjpeg").replace("//", "//user:s3cret@"))
        page.get_by_role("button", name="測試連線").click()
        expect(page.locator(".tried-picture")).to_be_visible()
        assert_accessible(page)
        shot(page, "camera-dialog")
        page.get_by_role("button", name="儲存", exact=True).click()
        expect(page).to_have_url(re.compile("tab=scene"))
        expect(page.locator(".still-bar")).to_contain_text("即時畫面")
        expect(page.locator(".draft-state")).to_contain_text("還沒有場景")
    page.get_by_role("link", name="概況").click()
    expect(page.locator(".overview-facts")).to_contain_text("（含帳號密碼）")
    assert "s3cret" not in page.content()
    page.get_by_role("button", name="開始分析").click()
    expect(page.locator("h1 .state")).to_have_text("啟動中")
    page.get_by_role("button", name="停止分析").click()
    expect(page.locator("h1 .state")).to_have_text("已停止")
    page.get_by_role("button", name="編輯攝影機").click()
    page.get_by_label("名稱", exact=True).fill("東側門")
    page.get_by_role("button", name="儲存", exact=True).click()
    expect(page.locator("h1")).to_contain_text("東側門")
    with api(service) as client:
        (device,) = [
            one for one in client.get("/api/v1/devices").json()["data"] if one["name"] == "東側門"
        ]
    assert device["hasCredentials"]
    assert_accessible(page)
    page.get_by_role("button", name="移除攝影機").click()
    page.locator("dialog .danger").click()
    expect(page.locator(".camera", has_text="停車場")).to_be_visible()
    expect(page.locator(".camera", has_text="東側門")).to_have_count(0)
    assert_accessible(page)


def test_who_may_only_look_sees_the_scene_and_a_failing_list_can_be_tried_again(
    visit: Visit, walked: str
) -> None:
    page = visit("/cameras", role="viewer", language="en", quiet=False)
    expect(page.locator(".camera").first).to_be_visible()
    expect(page.get_by_role("button", name="Add camera")).to_be_hidden()
    page.route("**/api/v1/devices?*", lambda route: route.abort())
    page.reload()
    expect(page.locator(".notice")).to_contain_text("could not be fetched")
    page.unroute("**/api/v1/devices?*")
    page.get_by_role("button", name="Try again").click()
    page.locator(f".camera a[href*='{walked}&tab=scene']").click()
    expect(page.locator(".draft-state")).to_have_text("You may look at this scene, not change it.")
    expect(page.locator(".rule")).to_have_count(2)
    expect(page.get_by_role("button", name="Save", exact=True)).to_have_count(0)
    assert_accessible(page)
    page.goto(page.url.replace(walked, "0199a2c4-5d10-7c3e-9f00-2b1a6c7d8e90"))
    expect(page.locator(".notice")).to_contain_text("There is no such camera")
    page.get_by_role("link", name="All cameras").click()
    expect(page.locator(".camera").first).to_be_visible()
