"""The page of videos, against a service that analyses them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect
from tests.browser.conftest import Visit
from tests.pages import EVERYWHERE, NARROW, assert_accessible, assert_fits, shot
from tests.videos import write_video
from tests.working import Site, working

pytestmark = pytest.mark.xdist_group("browser-videos")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with working(tmp_path_factory.mktemp("site")) as one:
        yield one


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten seconds; its name says when it begins."""
    return write_video(tmp_path_factory.mktemp("film") / "gate_20260115_220000.mp4", frames=100)


def choose(page: Page, *files: Path) -> None:
    expect(page.locator("#send")).to_be_visible()
    page.locator("#files").set_input_files([str(file) for file in files])


def test_a_video_is_sent_in_spite_of_a_broken_connection_and_leads_to_its_events(
    visit: Visit, site: Site, film: Path
) -> None:
    page = visit("/videos", at=site.service, quiet=False)
    expect(page.locator("#camera option:checked")).to_have_text("大門")
    broken: list[str] = []

    def break_once(route: Route) -> None:
        if route.request.method == "PATCH" and not broken:
            broken.append(route.request.url)
            route.abort()
        else:
            route.continue_()

    page.route("**/api/v1/analysis/files/*", break_once)
    choose(page, film)
    job = page.locator(".job").first
    expect(job.locator("h3")).to_have_text(film.name)
    expect(job).to_contain_text("連線中斷")
    expect(job.locator(".state")).to_have_text("完成", timeout=60_000)
    assert broken
    expect(job).to_contain_text("人數 1")
    expect(job).to_contain_text("2026-01-15 22:00:00（依據：檔名）")
    shot(page, "videos-done")
    assert_accessible(page)
    job.get_by_role("link", name="查看事件").click()
    expect(page.locator("#list > li[data-event]").first).to_be_visible()
    page.go_back()
    expect(page.locator(".job .state").first).to_have_text("完成")


def test_what_is_no_video_says_so_and_a_paused_one_is_cancelled(
    visit: Visit, site: Site, film: Path, tmp_path: Path
) -> None:
    text = tmp_path / "notes.mp4"
    text.write_text("no video" * 1000)
    page = visit("/videos", at=site.service, language="en", width=NARROW, scheme="dark")
    # A piece that does not come through yet: there is time to press a button.
    page.route("**/api/v1/analysis/files/*", lambda route: None)
    choose(page, film, text)
    job = page.locator(".job").first
    job.get_by_role("button", name="Pause").click()
    expect(job).to_contain_text("paused")
    assert_fits(page)
    assert_accessible(page)
    shot(page, "videos-paused")
    job.get_by_role("button", name="Cancel the analysis").click()
    page.unroute_all()
    page.get_by_role("dialog").get_by_role("button", name="Cancel the analysis").click()
    other = page.locator(".job", has_text="notes.mp4")
    expect(other.locator(".state")).to_have_text("failed", timeout=30_000)
    expect(other.locator(".failure")).to_contain_text("no video that can be read")
    page.locator("#state").select_option("cancelled")
    expect(page.locator(".job")).to_have_count(1)
    page.reload()
    expect(page.locator("#state")).to_have_value("cancelled")
    expect(page.locator(".job h3")).to_have_text(film.name)
    page.go_back()
    expect(page.locator("#state")).to_have_value("")


def test_a_button_stays_under_the_finger_while_figures_move(visit: Visit) -> None:
    page = visit("/settings")
    percent = iter(range(100))

    def moving(route: Route) -> None:
        answer = route.fetch()
        job = {
            "id": "0199a2c4-5d13-7000-8000-000000000001", "deviceId": "", "fileName": "gate.mp4",
            "sizeBytes": 9, "createdBy": "admin", "status": "running", "receivedBytes": 9,
            "progress": {"percent": next(percent), "rate": None, "secondsLeft": None, "events": 0},
            "cancelRequested": False, "report": None, "error": None,
        }  # fmt: skip
        route.fulfill(response=answer, json=answer.json() | {"data": [job]})

    page.route("**/api/v1/analysis/jobs?*", moving)
    page.goto(page.url.replace("/settings", "/videos"))
    figures = page.locator(".job .figures")
    expect(figures).to_contain_text("0.0 %")
    page.locator(".job button").hover()
    page.mouse.down()
    expect(figures).not_to_contain_text("0.0 %")
    page.mouse.up()
    expect(page.get_by_role("dialog")).to_be_visible()


@EVERYWHERE
def test_the_page_says_how_to_begin_and_what_to_do_when_it_fails(
    visit: Visit, language: str, width: int
) -> None:
    page = visit("/videos", language=language, width=width, quiet=False)
    expect(page.locator("#told")).to_contain_text(re.compile("加入第一段影片|Add the first"))
    expect(page.locator("#camera option")).to_have_count(4)  # two cameras, none, a new one
    assert_fits(page)
    choose(page, Path(__file__))
    expect(page.locator("#send-failure")).to_contain_text(
        re.compile("先選擇攝影機|Choose a camera")
    )
    page.route("**/api/v1/analysis/jobs?*", lambda route: route.abort())
    page.locator("#state").select_option("done")
    expect(page.locator("#told .failure")).to_contain_text("video-detective serve")
    page.unroute_all()
    page.locator("#told button").click()
    expect(page.locator("#told .failure")).to_have_count(0)


def test_who_may_only_look_is_offered_no_upload(visit: Visit) -> None:
    page = visit("/videos", role="viewer")
    expect(page.locator("#told")).to_contain_text("請洽")
    expect(page.locator("#send")).to_be_hidden()
