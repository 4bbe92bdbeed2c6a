"""The start page in a real browser, against a real server."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Page, Route, expect
from tests.browser.conftest import Visit
from tests.pages import EVERYWHERE, NARROW, WIDE, assert_accessible, assert_fits, shot
from tests.service import INTRUSION, PACING, PARKED, Service, running

pytestmark = pytest.mark.xdist_group("browser")  # one browser at a time

QUESTION = "後門有沒有人徘徊？"
MANY = 700
MOST_BYTES = 60_000
"""Of the start page's HTML, CSS, JavaScript and texts, uncompressed."""


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service with so many events that neither list nor time line shows each of them."""
    with running(tmp_path_factory.mktemp("busy"), extra=MANY) as started:
        yield started


@pytest.mark.parametrize("language", ["zh-TW", "en"])
def test_the_start_page_stays_small_and_asks_nobody_else(visit: Visit, language: str) -> None:
    page = visit(language=language)
    expect(page.locator("#timeline .mark")).to_have_count(3)
    page.wait_for_load_state("networkidle")
    loaded: list[tuple[str, int]] = page.evaluate(
        """() => ["navigation", "resource"].flatMap(kind => performance.getEntriesByType(kind))
            .map(entry => [entry.name, entry.decodedBodySize])"""
    )
    origin = page.url.rstrip("/")
    assert all(address.startswith(f"{origin}/") for address, _ in loaded)
    paths = {address.removeprefix(origin).partition("?")[0]: size for address, size in loaded}
    sizes = {path: size for path, size in paths.items() if path == "/" or "/static/" in path}
    assert {"/", "/static/style.css", "/static/ask.js"} <= sizes.keys()
    assert sum(sizes.values()) <= MOST_BYTES, sizes


def cards(page: Page) -> list[str]:
    listed = page.locator("#list > li[data-event]")
    return [
        str(event_id) for event_id in listed.evaluate_all("all => all.map(n => n.dataset.event)")
    ]


def expect_cards(page: Page, ids: list[str]) -> None:
    """The list shows these events, as soon as the answer that it waits for is there."""
    listed = page.locator("#list > li[data-event]")
    expect(listed).to_have_count(len(ids))
    for number, event_id in enumerate(ids):
        expect(listed.nth(number)).to_have_attribute("data-event", event_id)


def ask(page: Page, question: str) -> None:
    page.locator("#q").fill(question)
    page.keyboard.press("Enter")


@EVERYWHERE
def test_a_question_leads_by_its_citation_to_the_evidence(
    visit: Visit, width: int, language: str
) -> None:
    page = visit(width=width, language=language)
    expect_cards(page, [PARKED, PACING, INTRUSION])
    expect(page.locator("#timeline .mark")).to_have_count(3)
    assert_fits(page)
    shot(page, f"ask-{language}-{width}")
    # What could be asked is asked with this site's own names.
    expect(page.locator("#examples button").first).to_contain_text("後門禁入區")
    page.keyboard.press("/")
    page.keyboard.type(QUESTION)
    page.keyboard.press("Enter")
    found = {"zh-TW": "找到 1 筆符合的事件", "en": "1 matching event"}[language]
    expect(page.locator("#answer .lead")).to_contain_text(found)
    expect(page.locator("#chips .chip")).to_have_count(3)
    # The one that answers, then those that match in part; the time line has only the answer.
    expect(page.locator("#list .part")).to_have_count(2)
    expect(page.locator("#timeline .mark")).to_have_count(1)
    assert_fits(page)
    shot(page, f"ask-answer-{language}-{width}")
    page.locator("#answer li .cite").click()
    expect(page.locator("#detail")).to_contain_text("22:00:40")
    expect(page.locator("#detail img").first).to_be_visible()
    assert page.url.endswith(f"&event={PACING}")
    assert_fits(page)
    schemes: tuple[Literal["light", "dark"], ...] = ("light", "dark")
    for scheme in schemes:
        page.emulate_media(color_scheme=scheme)
        assert_accessible(page)
    shot(page, f"ask-evidence-{language}-{width}")
    if width == NARROW:
        expect(page.locator("#list")).to_be_hidden()
        page.go_back()
        expect(page.locator("#list")).to_be_visible()
        expect(page.locator("#detail")).to_be_hidden()
    else:
        expect(page.locator(f"#list li[data-event={PACING}]")).to_have_attribute(
            "aria-current", "true"
        )
        expect(page.locator("#timeline .mark")).to_have_attribute("aria-current", "true")


def test_back_forward_and_reload_keep_conditions_and_the_open_event(visit: Visit) -> None:
    page = visit()
    page.locator("#camera").select_option("cam01")
    page.get_by_role("button", name="搜尋").click()
    expect_cards(page, [PACING, INTRUSION])
    expect(page.locator("#chips .chip")).to_contain_text("後門攝影機")
    page.locator(f"#list li[data-event={INTRUSION}] a").click()
    expect(page.locator("#detail h2").first).to_contain_text("闖入")
    assert page.url.endswith(f"?camera=cam01&event={INTRUSION}")
    page.reload()
    expect(page.locator("#detail h2").first).to_contain_text("闖入")
    expect(page.locator("#camera")).to_have_value("cam01")
    page.go_back()
    expect(page.locator("#detail h2")).to_have_count(0)
    expect_cards(page, [PACING, INTRUSION])
    page.locator("#chips .chip").click()
    expect_cards(page, [PARKED, PACING, INTRUSION])
    page.go_back()
    page.go_back()
    expect(page.locator("#camera")).to_have_value("")
    page.go_forward()
    expect(page.locator("#camera")).to_have_value("cam01")
    expect_cards(page, [PACING, INTRUSION])


def test_a_piece_of_the_question_is_taken_away_and_the_question_remembered(visit: Visit) -> None:
    page = visit()
    ask(page, QUESTION)
    expect(page.locator("#chips .chip")).to_have_count(3)
    page.locator("#chips .chip", has_text="徘徊").click()
    expect(page.locator("#q")).to_have_value("後門有沒有人？")
    expect(page.locator("#answer .lead")).to_contain_text("2 筆符合的事件")
    expect(page.locator("#chips .chip")).to_have_count(2)
    ask(page, "<img src=x onerror=alert(1)> 後門")
    expect(page.locator("#chips .chip").first).to_be_visible()
    assert page.locator("#chips img, #answer img").count() == 0
    page.get_by_role("button", name="清除條件").click()
    expect(page.locator("#recent button")).to_have_count(3)
    page.locator("#recent button", has_text=QUESTION).click()
    expect(page.locator("#chips .chip")).to_have_count(3)


def test_the_other_language_shows_the_same_thing_and_is_remembered(visit: Visit) -> None:
    page = visit(f"/?q=後門&event={PACING}")
    expect(page.locator("#detail h2").first).to_contain_text("徘徊")
    page.locator(".menu summary").click()
    page.get_by_role("link", name="English").click()
    expect(page.locator("#detail h2").first).to_contain_text(re.compile("pacing", re.IGNORECASE))
    expect(page.locator("#q")).to_have_value("後門")
    page.goto(page.url.split("?")[0])
    expect(page).to_have_title("Video Detective")


def test_where_nothing_is_found_a_condition_is_loosened(visit: Visit) -> None:
    page = visit("/?q=後門有沒有人徘徊？&camera=cam02")
    expect(page.locator("#answer")).to_contain_text("可放寬條件")
    expect(page.locator("#count")).to_contain_text("只符合部分條件")
    page.locator("#answer button", has_text="停車場").click()
    expect(page.locator("#answer .lead")).to_contain_text("1 筆符合的事件")
    assert "camera" not in page.url
    page = visit("/?from=2026-01-15T22:30&to=2026-01-15T22:00", quiet=False)
    expect(page.locator("#answer")).to_contain_text("是空的")
    page = visit("/?from=2026-01-15T14:00:30Z")
    expect(page.locator("#from")).to_have_value("2026-01-15T14:00:30Z")
    expect_cards(page, [PARKED, PACING])


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_the_time_line_is_zoomed_moved_and_gives_a_period(visit: Visit, width: int) -> None:
    page = visit(width=width)
    bands = page.locator(".bands")
    shown = page.locator("#timeline .shown")
    expect(shown).to_have_text("2026-01-15 22:00:00 – 22:01:40（UTC+08:00）")
    marks = page.locator("#timeline .mark")
    expect(marks).to_have_count(3)
    bands.focus()
    expect(page.locator("#timeline .tip")).to_be_attached()  # the keys come with the first need
    page.keyboard.press("+")
    expect(shown).to_have_text("2026-01-15 22:00:25 – 22:01:15（UTC+08:00）")
    page.keyboard.press("ArrowRight")
    expect(shown).to_have_text("2026-01-15 22:00:35 – 22:01:25（UTC+08:00）")
    expect(marks).to_have_count(2)
    page.keyboard.press("0")
    expect(marks).to_have_count(3)
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    expect(page.locator(":focus")).to_have_attribute("data-event", PACING)
    box = page.locator(".ruler").bounding_box()
    assert box is not None
    left = 168 if width == WIDE else 0
    scale = (box["width"] - left) / 100
    page.mouse.move(box["x"] + left + 20 * scale, box["y"] + 8)
    page.mouse.down()
    page.mouse.move(box["x"] + left + 63 * scale, box["y"] + 8, steps=3)
    expect(page.locator(".brush").first).to_be_attached()
    page.mouse.up()
    expect_cards(page, [PACING])
    assert re.search(
        r"from=2026-01-15T22%3A00%3A(19|20|21)&to=2026-01-15T22%3A01%3A0[234]", page.url
    )
    page.go_back()
    expect_cards(page, [PARKED, PACING, INTRUSION])
    expect(marks).to_have_count(3)
    # Gaps of the recording are hatched, and told apart from where nothing happened.
    band = page.locator(".rows").bounding_box()
    assert band is not None
    page.mouse.move(band["x"] + left + 34 * scale, band["y"] + 30)
    page.mouse.move(band["x"] + left + 34.2 * scale, band["y"] + 30)
    expect(page.locator(".tip")).to_contain_text("沒有錄影")
    expect(page.locator(".tip")).to_contain_text("2026-01-15 22:00:3")


def test_very_many_events_are_scrolled_with_few_cards(visit: Visit, busy: Service) -> None:
    page = visit(at=busy)
    expect(page.locator("#count")).to_have_text(f"{MANY + 3} 筆事件")
    expect(page.locator("#timeline .bar").first).to_be_attached()  # too many for single marks
    first = page.locator("#list a[tabindex='0']")
    first.focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator("#list li:focus-within")).to_have_attribute("aria-posinset", "2")
    page.keyboard.press("End")
    last = page.locator("#list li:focus-within")
    expect(last).to_have_attribute("aria-posinset", str(MANY + 3))
    expect(last).to_have_attribute("data-event", INTRUSION)
    expect(last).to_have_attribute("aria-setsize", str(MANY + 3))
    assert page.locator("#list > li").count() <= 60
    page.keyboard.press("PageUp")
    expect(page.locator("#list li.waiting")).to_have_count(0)
    seen = cards(page)
    assert len(seen) == len(set(seen))
    # From another page back: the same place in the list.
    page.wait_for_function("() => history.state?.top === scrollY && scrollY > 0")
    top = page.evaluate("scrollY")
    page.goto(busy.address + "/report")
    page.go_back()
    expect(page.locator("#list li.card").first).to_be_attached()
    page.wait_for_function("top => Math.abs(scrollY - top) < 2", arg=top)
    expect(page.locator("#list li.waiting")).to_have_count(0)


def test_a_question_while_more_of_the_list_is_on_its_way_is_answered(
    visit: Visit, busy: Service
) -> None:
    page = visit(at=busy)
    expect(page.locator("#count")).to_have_text(f"{MANY + 3} 筆事件")
    page.route(re.compile(r"/api/search\?.*cursor="), lambda route: None)
    with page.expect_request(re.compile(r"/api/search\?.*cursor=")):
        page.evaluate("scrollTo(0, document.body.scrollHeight)")
    ask(page, "停車場")
    expect(page).to_have_url(re.compile(r"\?q="))
    expect(page.locator("#answer .lead")).to_contain_text("停車場")
    expect(page.locator("#list-failure")).to_be_empty()


def test_a_models_words_take_the_place_of_the_template(visit: Visit) -> None:
    page = visit()
    expect_cards(page, [PARKED, PACING, INTRUSION])

    def configured(route: Route) -> None:
        answer = route.fetch()
        body = answer.json() | {"answer_note": "not_asked"}
        if "answer=auto" in route.request.url:
            words = [{"text": "有人在後門來回走動。", "event_ids": [PACING]}]
            body |= {"answer_by": "model", "answer_model": "eyes", "sentences": words}
            expect(page.locator("#answer")).to_contain_text("撰寫中")  # the template's stand there
            page.locator(f"#list li[data-event={PACING}] a").focus()
        route.fulfill(response=answer, body=json.dumps(body))

    page.route("**/api/search?**", configured)
    ask(page, QUESTION)
    expect(page.locator("#answer .lead")).to_contain_text("有人在後門來回走動。")
    expect(page.locator("#answer .cite")).to_have_text("[1]")
    expect(page.locator("#answer")).to_contain_text("由模型 eyes 撰寫")
    expect(page.locator(f"#list li[data-event={PACING}] a")).to_be_focused()


def test_what_comes_late_takes_nothing_from_what_was_asked_since(visit: Visit) -> None:
    page = visit(f"/?q={QUESTION}")
    expect(page.locator("#chips .chip")).to_have_count(3)
    held: list[Route] = []
    page.route(f"**/api/event/{PACING}", lambda route: held.append(route))
    page.locator(f"#list li[data-event={INTRUSION}] a").click()
    expect(page.locator("#detail h2").first).to_contain_text("闖入")
    for event_id in (PACING, INTRUSION):
        page.locator(f"#list li[data-event={event_id}] a").click()
    expect(page.locator("#detail h2").first).to_contain_text("闖入")
    # By then somebody would see that the first one is slow, if it were still wanted.
    page.evaluate("() => new Promise(resolve => setTimeout(resolve, 400))")
    expect(page.locator("#detail h2").first).to_contain_text("闖入")
    # Whoever types keeps the focus.
    page.locator(f"#list li[data-event={PACING}] a").click()
    page.locator("#q").focus()
    for route in held:
        route.continue_()
    expect(page.locator("#detail h2").first).to_contain_text("徘徊")
    expect(page.locator("#q")).to_be_focused()
    # A condition is taken from the question that it was understood from.
    page.route("**/api/search?*", lambda route: held.append(route))
    ask(page, "停車場")
    page.locator("#chips .chip", has_text="徘徊").click()
    expect(page.locator("#q")).to_have_value("後門有沒有人？")


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_a_new_data_directory_leads_to_the_first_steps(
    visit: Visit, tmp_path: Path, width: int
) -> None:
    with running(tmp_path, extra=None) as empty:
        page = visit(width=width, at=empty, quiet=False)  # its stream of events breaks off
        expect(page.get_by_role("link", name="開始設定")).to_have_attribute("href", "/welcome")
        expect(page.get_by_role("link", name="上傳影片")).to_be_visible()
        expect(page.locator("#timeline")).to_be_hidden()
        assert_fits(page)
        assert_accessible(page)
        shot(page, f"ask-empty-{width}")


def test_slow_and_failing_answers_are_told_and_tried_again(visit: Visit, tmp_path: Path) -> None:
    with running(tmp_path) as short:
        page = visit(at=short, quiet=False)
        expect_cards(page, [PARKED, PACING, INTRUSION])
        waiting: list[Route] = []
        page.route("**/api/search?**", lambda route: waiting.append(route))
        ask(page, "後門")
        page.get_by_role("button", name="取消").click()
        expect(page.locator("#answer")).to_contain_text("已取消")
        page.unroute("**/api/search?**")
        page.get_by_role("button", name="再試一次").click()
        expect_cards(page, [INTRUSION, PACING])
        cookies = page.context.cookies()
        page.context.clear_cookies()
        ask(page, "停車場")
        expect(page.locator("#banner a")).to_have_attribute("href", re.compile(r"next=%2F%3Fq%3D"))
        page.context.add_cookies(cookies)  # type: ignore[arg-type]  # what was read is written
        ask(page, "停車場")
        expect_cards(page, [PARKED])
        port = int(short.address.rsplit(":", 1)[1])
    ask(page, "後門")
    expect(page.locator("#answer")).to_contain_text("仍在執行")
    with running(tmp_path, extra=None, port=port):
        page.get_by_role("button", name="再試一次").click()
        expect_cards(page, [INTRUSION, PACING])
