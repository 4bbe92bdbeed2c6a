"""The queue of alerts in a real browser: deciding, undoing, live, by keyboard, on two pages."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, Route, expect
from tests.browser.conftest import Visit
from tests.pages import EVERYWHERE, NARROW, WIDE, assert_accessible, assert_fits, shot
from tests.queue import add_alerts, describe, set_all_new
from tests.service import Service, running

pytestmark = pytest.mark.xdist_group("browser-review")

MODEL = "一名穿深色上衣的男子進入後門禁入區，停留約六秒後離開。"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("queue")


@pytest.fixture(scope="module")
def service(folder: Path) -> Iterator[Service]:
    """Eight alerts of two cameras on two days; a model described the newest."""
    with running(folder) as started:
        started.do(lambda w: add_alerts(w, folder, count=5))
        started.do(lambda w: add_alerts(w, folder, first=30, count=2, camera="cam02", at_s=50_000))
        started.do(lambda w: add_alerts(w, folder, first=20, has_model=True, at_s=90_000))
        started.do(lambda w: describe(w, MODEL, now_ns=time.time_ns()))
        yield started


@pytest.fixture(autouse=True)
def nobody_looked(service: Service) -> None:
    service.do(set_all_new)


def cards(page: Page) -> Locator:
    return page.locator("#list .alert")


def count_of(page: Page, state: str) -> Locator:
    return page.locator(f"#tabs [data-state={state}] .count")


def opened(visit: Visit, path: str = "/review", *, count: int = 8, **more: object) -> Page:
    page = visit(path, **more)  # type: ignore[arg-type]
    expect(cards(page)).to_have_count(count)
    return page


SAID = {
    "zh-TW": {"dismiss": "排除…", "do": "排除", "why": "誤報", "undo": "復原", "seen": "已看",
              "done": "已排除 1 筆。", "model": "模型描述"},
    "en": {"dismiss": "Dismiss…", "do": "Dismiss", "why": "False alarm", "undo": "Undo",
           "seen": "Seen", "done": "1 dismissed.", "model": "Model's words"},
}  # fmt: skip


@EVERYWHERE
def test_an_alert_is_read_dismissed_for_a_reason_and_brought_back(
    visit: Visit, language: str, width: int
) -> None:
    say = SAID[language]
    page = opened(visit, language=language, width=width)
    assert_fits(page)
    first = cards(page).first
    expect(first).to_contain_text(MODEL)
    expect(first.locator(".mark")).to_have_text(say["model"])
    expect(first.locator("time")).to_have_text("02:20:01")
    expect(count_of(page, "new")).to_have_text("8")
    expect(page.locator("#nav-new")).to_contain_text("8")
    first.locator("a").click()
    detail = page.locator("#detail")
    expect(detail.locator(".evidence-head")).to_be_visible()
    expect(detail.locator(".evidence-words")).to_contain_text(MODEL)
    expect(detail.locator(".state")).to_have_text(say["seen"])
    assert_fits(page)
    detail.get_by_role("button", name=say["dismiss"]).click()
    page.get_by_role("radio", name=say["why"]).check()
    shot(page, f"review-dismiss-{language}-{width}")
    page.get_by_role("dialog").get_by_role("button", name=say["do"]).click()
    toast = page.locator(".toast")
    expect(toast).to_contain_text(say["done"])
    expect(cards(page)).to_have_count(7)
    expect(count_of(page, "dismissed")).to_have_text("1")
    if width == WIDE:  # the next one is read
        expect(cards(page).first).to_have_attribute("aria-current", "true")
    toast.get_by_role("button", name=say["undo"]).click()
    expect(count_of(page, "dismissed")).to_have_text("0")
    assert_fits(page)


@pytest.mark.parametrize(("scheme", "width"), [("light", WIDE), ("dark", NARROW)])
def test_the_queue_can_be_used_by_everybody(visit: Visit, scheme: str, width: int) -> None:
    page = opened(visit, scheme=scheme, width=width)
    cards(page).nth(0).locator("input").check()
    cards(page).nth(3).locator("input").click(modifiers=["Shift"])
    expect(page.locator("#picked")).to_have_text("已選 4 筆")
    shot(page, f"review-picked-{scheme}-{width}")
    assert_accessible(page)
    # The question is there with the click: an Escape right after it leaves nothing else.
    dismiss = page.get_by_role("button", name="排除…")
    assert dismiss.evaluate("(b) => { b.click(); return document.querySelector('dialog').open }")
    assert_accessible(page)
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("button", name="取消選取").click()
    cards(page).nth(1).locator("a").click()
    expect(page.locator("#detail .evidence-head")).to_be_visible()
    shot(page, f"review-open-{scheme}-{width}")
    assert_accessible(page)


def test_everything_is_done_by_keys_but_not_while_somebody_types(visit: Visit) -> None:
    page = opened(visit)
    press = page.keyboard.press
    press("j")
    expect(cards(page).nth(0).locator("a")).to_be_focused()
    press("ArrowDown")
    press("j")
    press("k")
    expect(cards(page).nth(1).locator("a")).to_be_focused()
    press("x")
    press("j")
    press("x")
    expect(page.locator("#picked")).to_have_text("已選 2 筆")
    press("c")
    expect(cards(page)).to_have_count(6)
    expect(count_of(page, "confirmed")).to_have_text("2")
    expect(cards(page).nth(1).locator("a")).to_be_focused()
    press("Enter")
    expect(page.locator("#detail .evidence-head")).to_be_visible()
    press("j")
    expect(cards(page).nth(2)).to_have_attribute("aria-current", "true")
    press("d")
    page.get_by_role("radio", name="其他").check()
    page.get_by_role("textbox", name="請說明原因").fill("cat sdc")
    press("Tab")
    press("Tab")
    press("Enter")
    expect(cards(page)).to_have_count(5)
    press("Escape")
    expect(page.locator("#detail .empty")).to_be_visible()
    page.locator("[name=q]").press_sequentially("c d")
    expect(page).to_have_url(re.compile("q=c"))
    expect(count_of(page, "confirmed")).to_have_text("0")
    page.goto(page.url.partition("?")[0] + "?state=dismissed")
    expect(cards(page)).to_have_count(1)
    cards(page).locator("a").click()
    expect(page.locator("#detail .review")).to_contain_text("cat sdc")


def test_what_is_shown_is_in_the_address(visit: Visit) -> None:
    page = opened(visit)
    page.locator("[name=camera]").select_option(label="停車場")
    expect(cards(page)).to_have_count(2)
    page.locator("[name=severity]").select_option("critical")
    expect(cards(page)).to_have_count(1)
    page.locator("#tabs [data-state=all]").click()
    expect(page.locator("#tabs [aria-current]")).to_have_attribute("data-state", "all")
    cards(page).locator("a").click()
    expect(page.locator("#detail .evidence-head")).to_be_visible()
    for again in ("reload", "back", "forward"):
        {"reload": page.reload, "back": page.go_back, "forward": page.go_forward}[again]()
        expect(cards(page)).to_have_count(1)
        expect(page.locator("[name=severity]")).to_have_value("critical")
        expect(page.locator("[name=camera] option:checked")).to_have_text("停車場")
        is_open = again != "back"
        expect(page.locator("#detail .evidence-head")).to_be_visible(visible=is_open)
    page.locator("#clear").click()
    expect(cards(page)).to_have_count(8)
    page.goto(page.url.partition("?")[0] + "?state=confirmed")
    expect(page.locator("#end .empty")).to_contain_text("這裡沒有警示。")


SOON = "() => new Promise(resolve => setTimeout(resolve, 100))"
"""Until what has arrived is shown."""


def test_late_answers_change_nothing_of_what_was_chosen_since(visit: Visit) -> None:
    page = opened(visit, quiet=False)
    held: list[Route] = []
    page.route("**/api/v1/alerts/nothing", lambda route: held.append(route))
    page.evaluate("history.pushState(null, '', '?alert=nothing')")
    page.evaluate("dispatchEvent(new Event('popstate'))")
    cards(page).nth(1).locator("a").click()
    expect(page.locator("#detail .evidence-head")).to_be_visible()
    with page.expect_response("**/api/v1/alerts/nothing") as answer:
        held.pop().continue_()
    answer.value.finished()
    page.evaluate(SOON)
    expect(page.locator("#detail .evidence-head")).to_be_visible()

    # The tabs lead on with the conditions that were chosen, counted or not.
    page.route("**/api/v1/alerts/counts?severity=*", lambda route: held.append(route))
    page.locator("[name=severity]").select_option("critical")
    expect(page).to_have_url(re.compile("severity=critical"))
    page.locator("#tabs [data-state=all]").click()
    expect(page).to_have_url(re.compile("severity=critical.*state=all"))
    states = ("new", "seen", "confirmed", "dismissed")
    counted = {"data": dict.fromkeys(states, 5)}
    page.route("**/api/v1/alerts/counts", lambda route: route.fulfill(json=counted))
    page.locator("[name=severity]").select_option("")
    expect(count_of(page, "new")).to_have_text("5")
    with page.expect_response("**/api/v1/alerts/counts?severity=*") as answer:
        held.pop().fulfill(json={"data": dict.fromkeys(states, 3)})
    answer.value.finished()
    page.evaluate(SOON)
    expect(count_of(page, "new")).to_have_text("5")


def test_many_are_decided_at_once(visit: Visit) -> None:
    page = opened(visit)
    page.locator("#pick-all").check()
    expect(page.locator("#picked")).to_have_text("已選 8 筆")
    page.locator("#bulk").get_by_role("button", name="確認").click()
    expect(page.locator("#end .empty")).to_contain_text("沒有新的警示。")
    shot(page, "review-empty")
    expect(page.locator("#nav-new")).to_be_hidden()
    page.get_by_role("button", name="復原").click()
    expect(cards(page)).to_have_count(8)
    expect(count_of(page, "new")).to_have_text("8")


def test_who_may_only_read_sees_no_actions(visit: Visit) -> None:
    page = opened(visit, role="viewer")
    cards(page).first.locator("a").click()
    expect(page.locator("#detail .review")).to_contain_text("您的權限只能檢視。")
    assert page.locator("#queue input:visible").count() == 0
    page.keyboard.press("c")
    expect(count_of(page, "new")).to_have_text("8")


def test_two_pages_show_what_either_does_and_what_is_new(
    visit: Visit, service: Service, folder: Path
) -> None:
    one, other = opened(visit), opened(visit)
    watched = cards(other).nth(2)
    name = watched.get_attribute("data-alert")
    cards(one).nth(2).locator("a").click()
    one.keyboard.press("c")
    # It stays where it is while somebody may be reading it.
    expect(watched.locator(".state")).to_have_text("已確認")
    assert watched.get_attribute("data-alert") == name
    expect(count_of(other, "confirmed")).to_have_text("1")
    # Whoever confirmed it reads the next one now.
    expect(other.locator("#nav-new")).to_contain_text("6")
    service.do(lambda w: add_alerts(w, folder, first=40, count=1, at_s=100_000))
    fresh = other.locator("#fresh")
    expect(fresh).to_have_text("有 1 筆新警示，按此顯示")
    shot(other, "review-fresh")
    expect(cards(other)).to_have_count(8)
    fresh.click()
    expect(cards(other).first.locator("a")).to_be_focused()
    expect(fresh).to_be_hidden()


def test_an_alert_that_comes_while_the_list_is_on_its_way_is_offered(
    visit: Visit, service: Service, folder: Path
) -> None:
    page = visit("/settings")
    held: list[Route] = []
    page.route("**/api/v1/alerts?*", lambda route: held.append(route))
    page.goto(service.address + "/review")
    badge = page.locator("#nav-new [aria-hidden]")
    expect(badge).to_have_text(re.compile(r"\d"))
    known = int(badge.inner_text())
    answer = held[0].fetch()
    service.do(lambda w: add_alerts(w, folder, first=50, count=1, at_s=110_000))
    expect(badge).to_have_text(str(known + 1))  # the page has been told by now
    held[0].fulfill(response=answer)
    page.unroute("**/api/v1/alerts?*")
    expect(page.locator("#fresh")).to_have_text("有 1 筆新警示，按此顯示")


def test_a_page_outlives_failures_and_the_restart_of_its_service(
    visit: Visit, tmp_path: Path
) -> None:
    with running(tmp_path) as before:
        before.do(lambda w: add_alerts(w, tmp_path, count=2))
        port = int(before.address.rpartition(":")[2])
        page = visit("/review", at=before, quiet=False)
        expect(cards(page)).to_have_count(2)

        def refuse(route: Route) -> None:
            route.fulfill(status=503, json={"message": "The database is away"})

        page.route("**/api/v1/alerts?*", refuse)
        page.locator("#tabs [data-state=all]").click()
        expect(page.locator("#problem")).to_contain_text("The database is away")
        page.unroute("**/api/v1/alerts?*")
        page.locator("#problem").get_by_role("button", name="再試一次").click()
        expect(cards(page)).to_have_count(2)
    with running(tmp_path, extra=None, port=port) as after:
        ids = after.do(lambda w: add_alerts(w, tmp_path, first=3, count=1))
        assert ids
        expect(page.locator("#fresh")).to_be_visible(timeout=20_000)
        cards(page).first.locator("a").click()
        expect(page.locator("#detail .evidence-head")).to_be_visible()
        expect(page.locator("#detail .state")).to_have_text("已看")
        page.evaluate("fetch('/api/v1/session', {method: 'DELETE'}).then(() => 0)")
        page.keyboard.press("c")
        expect(page.locator("#banner a")).to_have_attribute("href", re.compile(r"next=.*review"))
        expect(cards(page)).to_have_count(2)
