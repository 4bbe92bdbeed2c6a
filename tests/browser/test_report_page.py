"""The page of reports, and the report as it is opened, printed and saved."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect
from tests.browser.conftest import Visit
from tests.pages import NARROW, assert_accessible, assert_fits, shot

pytestmark = pytest.mark.xdist_group("browser-statistics")
DAY = "/report?from=2026-01-15&to=2026-01-15"


def test_a_report_is_chosen_opened_printed_and_saved(visit: Visit) -> None:
    page = visit(DAY)
    expect(page.locator("#report-title")).to_have_text("2026-01-15 的報告")
    expect(page.locator(".tile").first).to_contain_text("3")
    page.locator("#device").select_option(label="後門攝影機")
    expect(page.locator(".tile").first).to_contain_text("2")
    page.locator("#words").select_option("en")
    expect(page).to_have_url(re.compile("in=en"))
    expect(page.locator("#open")).to_have_attribute(
        "href", "/api/report?from=2026-01-15&to=2026-01-16&lang=en&camera=cam01"
    )
    page.go_back()
    expect(page.locator("#words")).to_have_value("zh-TW")
    page.reload()
    expect(page.locator("#device option:checked")).to_have_text("後門攝影機")
    assert_accessible(page)
    shot(page, "report-zh-TW-1440-light")
    with page.expect_download() as saving:
        page.locator("#download").click()
    assert saving.value.suggested_filename == "影片偵探報告_2026-01-15_2026-01-15.html"
    assert "後門攝影機" in Path(saving.value.path()).read_text("utf-8")
    with page.expect_popup() as opening:
        page.locator("#open").click()
    report = opening.value
    expect(report.locator("figure dl.facts").first).to_contain_text("規則：")
    paper = report.pdf(prefer_css_page_size=True)
    assert paper.startswith(b"%PDF")
    report.emulate_media(media="print")
    expect(report.locator("details").first).to_be_hidden()


def test_on_a_telephone_a_report_that_cannot_be_summed_up_says_so(visit: Visit) -> None:
    page = visit(DAY, language="en", width=NARROW, scheme="dark", quiet=False)
    expect(page.locator(".mark").first).to_be_visible()
    assert_fits(page)
    assert_accessible(page)
    shot(page, "report-en-420-dark")
    page.route("**/api/v1/statistics/*", lambda route: route.abort())
    page.locator("[data-preset=today]").click()
    expect(page.locator("#summary .failure")).to_contain_text("video-detective serve")
    expect(page.locator("#open")).to_have_attribute("href", re.compile("/api/report"))
    page.unroute_all()
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#summary .failure")).to_have_count(0)
