"""The page in a real browser, against a real server."""

import re
import time
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.api import PASSWORD
from tests.browser.conftest import Visit
from tests.pages import NARROW, WIDE, assert_fits
from tests.service import INTRUSION, PACING, PARKED, Service, running

from video_detective.services.accounts import local_caller
from video_detective.services.sign_in import invite
from video_detective.services.workspace import Workspace

pytestmark = pytest.mark.xdist_group("browser")  # one browser at a time

WORDS = {
    "zh-TW": {
        "title": "影片偵探",
        "found": "找到 1 筆符合的事件",
        "pacing": "徘徊",
        "original": "原始畫面",
    },
    "en": {
        "title": "Video Detective",
        "found": "1 matching event",
        "pacing": "pacing",
        "original": "Original",
    },
}


@pytest.fixture
def visit(visit: Visit) -> Visit:
    """Opens the page and waits for its answer."""

    def answered(path: str = "/", **more: Any) -> Page:
        page = visit(path, **more)
        expect(page.locator("#answer")).not_to_have_text(re.compile("讀取中|Loading"))
        return page

    return answered


def cards(page: Page) -> list[str]:
    return page.locator("#list > li[data-event]").evaluate_all(
        "all => all.map(n => n.dataset.event)"
    )


def expect_cards(page: Page, ids: list[str]) -> None:
    """The list shows these events, as soon as the answer that it waits for is there."""
    listed = page.locator("#list > li[data-event]")
    expect(listed).to_have_count(len(ids))
    for number, event_id in enumerate(ids):
        expect(listed.nth(number)).to_have_attribute("data-event", event_id)


@pytest.mark.parametrize("width", [WIDE, NARROW])
@pytest.mark.parametrize("language", ["zh-TW", "en"])
def test_a_question_leads_to_an_event_with_its_evidence(
    visit: Visit, width: int, language: str
) -> None:
    words = WORDS[language]
    page = visit(width=width, language=language)
    expect(page).to_have_title(words["title"])
    assert page.locator("html").get_attribute("lang") == language
    expect_cards(page, [PARKED, PACING, INTRUSION])
    assert_fits(page)
    page.locator("#q").fill("後門有沒有人徘徊?")
    page.keyboard.press("Enter")
    expect(page.locator("#answer")).to_contain_text(words["found"])
    # The one that answers, then those that match in part.
    expect(page.locator("#list .part")).to_have_count(2)
    answers = page.locator("#list > li[data-event]:not(:has(.part))")
    expect(answers).to_have_count(1)
    expect(answers).to_have_attribute("data-event", PACING)
    chips = page.locator("#chips button")
    expect(chips).to_have_count(3)
    assert_fits(page)

    page.locator("#list button").first.click()
    detail = page.locator("#detail")
    expect(detail.locator("h2")).to_have_text(words["pacing"])
    expect(detail).to_contain_text("2026-01-15 22:00:40 ~ 22:01:00")
    expect(detail).to_contain_text("Asia/Taipei (UTC+08:00)")
    frame = detail.locator("img.frame")
    expect(frame).to_have_attribute("src", re.compile(r"000400_boxes\.jpg$"))
    assert frame.evaluate("image => image.decode().then(() => image.naturalWidth)") == 160
    detail.get_by_role("button", name=words["original"]).click()
    expect(frame).to_have_attribute("src", re.compile(r"000400\.jpg$"))
    page.keyboard.press("ArrowRight")
    expect(frame).to_have_attribute("src", re.compile(r"000600\.jpg$"))
    page.keyboard.press("ArrowRight")  # around the end
    expect(frame).to_have_attribute("src", re.compile(r"000400\.jpg$"))
    assert_fits(page)
    if width == NARROW:
        expect(page.locator("#list")).to_be_hidden()
        page.locator(".evidence-back").click()
        expect(page.locator("#list")).to_be_visible()
        expect(detail).to_be_hidden()
        expect(page.locator("#list > li[data-event]")).to_have_count(3)


def test_a_piece_of_the_question_is_taken_away_by_its_chip(visit: Visit) -> None:
    page = visit()
    page.locator("#q").fill("後門有沒有人徘徊?")
    page.keyboard.press("Enter")
    expect(page.locator("#chips button")).to_have_count(3)
    page.locator("#chips button", has_text="徘徊").click()
    expect(page.locator("#q")).to_have_value("後門有沒有人?")
    expect(page.locator("#list > li[data-event]").first).to_have_attribute("data-event", PACING)
    expect(page.locator("#answer")).to_contain_text("2 筆符合的事件")
    expect(page.locator("#chips button")).to_have_count(2)
    page.go_back()
    expect(page.locator("#chips button")).to_have_count(3)
    page.locator("#q").fill("2 月 30 日有人嗎")
    page.keyboard.press("Enter")
    expect(page.locator("#chips")).to_contain_text("2 月 30 日")


def test_words_of_a_question_are_text_and_never_markup(visit: Visit) -> None:
    page = visit()
    page.locator("#q").fill("<img src=x onerror=alert(1)> 後門")
    page.keyboard.press("Enter")
    expect(page.locator("#chips button").first).to_be_visible()
    assert page.locator("#chips img, #answer img").count() == 0


def test_the_clip_plays_and_seeks(visit: Visit) -> None:
    page = visit(f"/?event={INTRUSION}")
    video = page.locator("video")
    expect(video).to_be_visible()
    if not video.evaluate("video => video.canPlayType('video/mp4; codecs=\"avc1.42E01E\"')"):
        pytest.skip("this Chromium has no H.264 (Debian's has): apt-get install chromium")
    time_s = video.evaluate(
        """async video => {
          await video.play(); video.pause();
          const sought = new Promise(done => video.addEventListener('seeked', done, {once: true}));
          video.currentTime = 3; await sought; return video.currentTime;
        }"""
    )
    assert time_s == pytest.approx(3, abs=0.2)


def test_back_forward_and_reload_keep_what_is_shown(visit: Visit) -> None:
    page = visit()
    page.locator("#camera").select_option("cam01")
    page.get_by_role("button", name="搜尋").click()
    expect(page.locator("#list > li")).to_have_count(2)
    page.locator(f"#list li[data-event={INTRUSION}] button").click()
    expect(page.locator("#detail h2")).to_have_text("闖入")
    assert page.url.endswith(f"?camera=cam01&event={INTRUSION}")

    page.reload()
    expect(page.locator("#detail h2")).to_have_text("闖入")
    expect(page.locator("#camera")).to_have_value("cam01")
    expect(page.locator(f"li[data-event={INTRUSION}]")).to_have_attribute("aria-current", "true")
    page.go_back()
    expect(page.locator("#detail h2")).to_have_count(0)
    expect_cards(page, [PACING, INTRUSION])
    page.go_back()
    expect(page.locator("#list > li")).to_have_count(3)
    expect(page.locator("#camera")).to_have_value("")
    page.go_forward()
    page.go_forward()
    expect(page.locator("#detail h2")).to_have_text("闖入")
    expect_cards(page, [PACING, INTRUSION])


def test_the_other_language_shows_the_same_thing_and_is_remembered(visit: Visit) -> None:
    page = visit(f"/?q=後門&event={PACING}")
    expect(page.locator("#detail h2")).to_have_text("徘徊")
    page.get_by_role("link", name="English").click()
    expect(page.locator("#detail h2")).to_have_text("pacing")
    expect(page.locator("#q")).to_have_value("後門")
    expect(page.locator("#detail")).to_contain_text("Passes to and fro")
    page.goto(page.url.split("?")[0])
    expect(page).to_have_title("Video Detective")


def test_the_time_line_is_used_by_keyboard(visit: Visit) -> None:
    page = visit()
    marks = page.locator("#timeline .mark")
    expect(marks).to_have_count(3)
    page.get_by_role("button", name="清除條件").focus()
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_attribute("data-event", INTRUSION)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.locator("#detail h2")).to_have_text("徘徊")
    expect(marks.nth(1)).to_have_attribute("aria-current", "true")
    marks.nth(1).focus()
    page.keyboard.press("Tab")  # one stop for the whole time line, then the list
    assert page.locator(":focus").evaluate("node => node.closest('#list') !== null")
    page.keyboard.press("Enter")
    expect(page.locator("#detail h2")).to_have_text("停留")


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_the_time_line_can_be_read(visit: Visit, width: int) -> None:
    page = visit(width=width)
    texts = page.locator("#timeline text").evaluate_all(
        "all => all.map(n => { const b = n.getBoundingClientRect();"
        " return [n.textContent, b.left, b.right, b.top, b.height]; })"
    )
    names = [text[0] for text in texts]
    assert "22:00:00" in names  # the camera's clock, not the viewer's
    assert "後門攝影機 (cam01)" in names
    for name, left, right, top, height in texts:
        assert height > 11, name
        assert left >= 0, name
        assert right <= width, name
        others = [t for t in texts if t[0] != name and abs(t[3] - top) < 5]
        assert all(right <= other[1] or left >= other[2] for other in others), name
    expect(page.locator("#timeline .covered")).to_have_count(4)  # two cameras, one gap in each


def test_a_filter_that_the_server_refuses_is_told(visit: Visit) -> None:
    page = visit("/?from=2026-01-15T22:30&to=2026-01-15T22:00", quiet=False)
    expect(page.locator("#answer")).to_contain_text("is empty")
    page = visit("/?camera=cam99", quiet=False)
    expect(page.locator("#answer")).to_contain_text("'cam99'")
    page = visit("/?from=2026-01-15T14:00:30Z")
    expect(page.locator("#from")).to_have_value("2026-01-15T14:00:30Z")
    expect_cards(page, [PARKED, PACING])


def test_an_empty_result_says_what_to_try(visit: Visit) -> None:
    page = visit("/?q=沒有這種東西")
    expect(page.locator("#answer")).to_contain_text("有錄影")
    expect(page.locator(".notice")).to_contain_text("放寬時間範圍")
    page.get_by_role("button", name="清除條件").click()
    expect(page.locator("#list > li[data-event]")).to_have_count(3)
    assert "q=" not in page.url


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_a_new_data_directory_says_how_to_begin(visit: Visit, tmp_path: Path, width: int) -> None:
    with running(tmp_path, extra=None) as empty:
        page = visit(width=width, at=empty)
        expect(page.locator("#answer")).to_have_text("這裡還沒有任何影片")
        expect(page.locator(".notice code")).to_contain_text("video-detective analyze")
        expect(page.locator("#overview")).to_be_hidden()
        assert_fits(page)


def test_many_events_come_page_by_page(visit: Visit, tmp_path: Path) -> None:
    with running(tmp_path, extra=120) as busy:
        page = visit(at=busy)
        expect(page.locator("#answer")).to_contain_text("123")
        expect(page.locator("#list > li")).to_have_count(50)
        expect(page.locator("#part")).to_contain_text("50")
        # The axis begins with what is listed: the marks are not crowded together.
        boxes = page.locator("#timeline .mark").evaluate_all(
            "all => all.map(n => n.x.baseVal.value)"
        )
        assert max(boxes) - min(boxes) > WIDE * 0.8
        more = page.get_by_role("button", name="顯示更多")
        more.click()
        expect(page.locator("#list > li")).to_have_count(100)
        more.click()
        expect(page.locator("#list > li")).to_have_count(123)
        expect(more).to_be_hidden()
        expect(page.locator("#part")).to_be_empty()
        assert len(set(cards(page))) == 123


def test_a_session_that_ends_and_a_server_that_is_gone_are_told(
    visit: Visit, tmp_path: Path
) -> None:
    with running(tmp_path) as short:
        page = visit(at=short, quiet=False)
        cookies = page.context.cookies()
        page.context.clear_cookies()
        page.locator("#q").fill("後門")
        page.keyboard.press("Enter")
        expect(page.locator("#answer")).to_contain_text("登入")
        page.context.add_cookies(cookies)  # type: ignore[arg-type]  # what was read is written
        page.keyboard.press("Enter")
        expect(page.locator("#list > li")).to_have_count(2)
    page.locator("#q").fill("停車場")
    page.keyboard.press("Enter")
    expect(page.locator("#answer")).to_contain_text("仍在執行")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_and_controls_have_names(visit: Visit, scheme: str) -> None:
    page = visit(f"/?event={INTRUSION}", scheme=scheme)
    expect(page.locator("#detail h2")).to_be_visible()
    weak = page.evaluate(
        """() => {
          const parts = colour => colour.match(/[\\d.]+/g).map(Number);
          const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
            .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
            .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
          const behind = node => {
            for (; node; node = node.parentElement) {
              const colour = parts(getComputedStyle(node).backgroundColor);
              if (colour.length === 3 || colour[3] === 1) return colour;
            }
            return [255, 255, 255];
          };
          const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
          const weak = [];
          while (walker.nextNode()) {
            const node = walker.currentNode.parentElement;
            if (!walker.currentNode.data.trim() || !node.checkVisibility()) continue;
            const style = getComputedStyle(node);
            const front = light(parts(node instanceof SVGElement ? style.fill : style.color));
            const back = light(behind(node));
            const ratio = (Math.max(front, back) + 0.05) / (Math.min(front, back) + 0.05);
            if (ratio < 4.5) weak.push([walker.currentNode.data, ratio]);
          }
          return weak;
        }"""
    )
    assert weak == []
    nameless = page.evaluate(
        """() => [...document.querySelectorAll('button, a, input, select, img, video, .mark')]
          .filter(n => !(n.ariaLabel || n.textContent.trim() || n.labels?.length
            || n.hasAttribute('alt') || n.querySelector('img[alt]:not([alt=""])')))
          .map(n => n.outerHTML)"""
    )
    assert nameless == []


# --- coming in and going out


@pytest.mark.parametrize("width", [WIDE, NARROW])
@pytest.mark.parametrize(("language", "scheme"), [("zh-TW", "dark"), ("en", "light")])
def test_a_one_time_link_leads_to_the_page_and_signing_out_away_from_it(
    browser: Browser, service: Service, width: int, language: str, scheme: str
) -> None:
    token = service.do(invited)
    name = f"guard-{width}-{language.lower()}"
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        locale=language,
        color_scheme="dark" if scheme == "dark" else "light",
    )
    page = context.new_page()
    page.set_default_timeout(10_000)
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))

    page.goto(f"{service.address}/set-up#{token}")
    assert_fits(page)
    page.locator("[name=name]").fill(name)
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("[name=again]").fill("something else")
    page.locator("form button").click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.locator("[name=again]").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator("#list > li")).to_have_count(3)
    assert token not in page.url
    assert_fits(page)

    page.locator("#sign-out").click()
    page.wait_for_url(f"{service.address}/signed-out")
    assert_fits(page)
    page.goto(service.address)
    assert page.url == f"{service.address}/sign-in"
    assert_fits(page)
    page.locator("[name=name]").fill(name)
    page.locator("[name=password]").fill("not the password")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    assert complaints == []
    page.locator("[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator("#list > li")).to_have_count(3)
    context.close()


async def invited(workspace: Workspace) -> str:
    local = await local_caller(workspace)
    token, _ = await invite(workspace, local, role="viewer", now_ns=time.time_ns())
    return token


def test_a_session_that_ended_leads_back_to_signing_in(visit: Visit, service: Service) -> None:
    page = visit(quiet=False)
    page.context.clear_cookies()
    page.locator("#q").fill("x")
    page.keyboard.press("Enter")
    page.locator("#answer a").click()
    page.wait_for_url(f"{service.address}/sign-in")


def test_whoever_comes_from_elsewhere_with_a_session_is_let_in(
    browser: Browser, service: Service, tmp_path: Path
) -> None:
    page = browser.new_page()
    name, value = service.cookie
    page.context.add_cookies(
        [{"name": name, "value": value, "url": service.address, "sameSite": "Strict"}]
    )
    # localhost and 127.0.0.1 are two sites.
    page.goto(service.address.replace("127.0.0.1", "localhost") + "/signed-out")
    page.evaluate("url => { location.href = url; }", service.address)
    page.wait_for_url(f"{service.address}/")
    expect(page.locator("#list > li")).to_have_count(3)
    page.context.close()
