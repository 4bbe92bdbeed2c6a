"""First steps, from nothing to events."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from tests.browser.conftest import Visit
from tests.pages import EVERYWHERE, NARROW, assert_accessible, assert_fits, shot
from tests.servers.mjpeg import HttpCamera
from tests.videos import write_video
from tests.working import Site, working

pytestmark = pytest.mark.xdist_group("browser-videos")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, models_dir: Path) -> Iterator[Site]:
    with working(tmp_path_factory.mktemp("site")) as one:
        yield one


def draw_zone(page: Page) -> None:
    """Three corners and the first one again."""
    page.locator("#draw").click()
    overlay = page.locator("#canvas .overlay")
    overlay.scroll_into_view_if_needed()
    box = overlay.bounding_box()
    assert box
    for x, y in ((0.1, 0.2), (0.9, 0.2), (0.5, 0.9), (0.1, 0.2)):
        page.mouse.click(box["x"] + x * box["width"], box["y"] + y * box["height"])


def test_a_video_file_becomes_events_in_one_sitting(
    visit: Visit, site: Site, tmp_path: Path
) -> None:
    film = write_video(tmp_path / "gate_20260115_220000.mp4", frames=100)
    page = visit("/welcome", at=site.service)
    page.get_by_role("button", name="取得畫面").click()
    expect(page.locator("#source .failure")).to_have_text("請先填寫攝影機名稱。")
    page.get_by_label("攝影機名稱").fill("側門")
    page.get_by_label("一段影片檔").check()
    page.get_by_label("影片檔", exact=True).set_input_files(str(film))
    page.get_by_role("button", name="取得畫面").click()
    still = page.locator("#canvas canvas")
    expect(still).to_be_visible()
    expect(page.locator("#picture-told")).to_be_empty()
    assert still.evaluate("canvas => canvas.width") == 160
    draw_zone(page)
    expect(page.locator("#zone-name")).not_to_have_value("")
    page.locator("#zone-name").fill("側門前")
    assert_accessible(page)
    shot(page, "welcome-zone")
    page.get_by_role("button", name="開始分析").click()
    expect(page.locator("#progress")).to_contain_text("分析完成", timeout=60_000)
    shot(page, "welcome-done")
    scenes = site.http.get("/api/v1/scenes").json()["data"]
    scene = next(one for one in scenes if one["name"] == "側門")
    detail = site.http.get(f"/api/v1/scenes/{scene['id']}").json()["data"]["document"]
    assert detail["zones"]["zone-1"]["name"] == "側門前"
    assert len(detail["zones"]["zone-1"]["points"]) == 3
    assert [rule["type"] for rule in detail["rules"]] == ["intrusion"]
    page.get_by_role("link", name="查看事件").click()
    expect(page).to_have_url(re.compile(r"/\?camera="))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_live_camera_is_tried_first_and_then_watched(
    visit: Visit, site: Site, scheme: str
) -> None:
    with HttpCamera(pictures=2000, pause_s=0.05) as camera:
        page = visit(
            "/welcome", at=site.service, language="en", width=NARROW, scheme=scheme, quiet=False
        )
        page.get_by_label("Name of the camera").fill(f"Gate {scheme}")
        page.get_by_label("Address of the camera").fill("http://127.0.0.1:9/none")
        page.get_by_role("button", name="Get a picture").click()
        told = "connection refused. Check the address"
        expect(page.locator("#source .failure")).to_contain_text(told)
        page.get_by_label("Address of the camera").fill(camera.address())
        page.get_by_role("button", name="Get a picture").click()
        expect(page.locator("#canvas canvas")).to_be_visible(timeout=20_000)
        page.get_by_role("button", name="Begin the analysis").click()
        expect(page.locator("#rules .failure")).to_contain_text("Draw a zone first")
        page.get_by_role("button", name="Whole picture").click()
        assert_fits(page)
        assert_accessible(page)
        shot(page, f"welcome-live-{scheme}")
        page.get_by_role("button", name="Begin the analysis").click()
        expect(page.locator("#progress")).to_contain_text("live analysis has begun", timeout=60_000)


@EVERYWHERE
def test_the_page_fits_and_sends_who_may_not_add_cameras_to_an_administrator(
    visit: Visit, language: str, width: int
) -> None:
    page = visit("/welcome", language=language, width=width, role="operator")
    expect(page.locator("#told")).to_contain_text(re.compile("請洽管理員|Ask one of them"))
    assert_fits(page)
