"""The page of insights, with the evidence of their events."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import httpx
import pytest
from playwright.sync_api import Locator, Page, Route, expect
from tests.browser.conftest import Visit
from tests.pages import EVERYWHERE, NARROW, assert_accessible, assert_fits, shot
from tests.service import START_NS, Service, event, evidence, running
from tests.videos import write_video

from video_detective.alerts.base import Alert
from video_detective.attributes import AttributeRecord, Attributes
from video_detective.rules import Event
from video_detective.services.workspace import Workspace
from video_detective.storage import RunKey, Step, StoredEvent
from video_detective.storage.attributes.base import AttributeStretch
from video_detective.storage.insights.base import AlertContext, InsightOutcome

pytestmark = pytest.mark.xdist_group("browser")

SUMMARY = "一名男子翻越圍籬進入後院。"
SAID = {
    "summary": SUMMARY, "personCount": 1, "riskLevel": "high",
    "activities": ["翻越圍籬"], "suggestions": ["派人查看"], "environment": "夜間後院",
}  # fmt: skip
WORDS = {
    "zh-TW": {"asked": "門檻：至少 1 秒", "model": "語言模型的描述",
              "same": "5 個檔案的內容都與儲存時相同。"},
    "en": {"asked": "asked for: at least 1 s", "model": "A language model's description",
           "same": "All 5 files have the content they were stored with."},
}  # fmt: skip
DESCRIBED = "evt_20260117_cam01_0023"


def alert_of(item: Event) -> Alert:
    return Alert(
        event_id=item.event_id,
        camera_id=item.camera_id,
        alert_rule="every-event",
        kind="event",
        metric_path="zones.back_door.intrusion.dwell_s",
        operator="GTE",
        threshold=1.0,
        actual_value=6.0,
        severity="critical",
        message="Intrusion time reached threshold: 6 s >= 1 s",
        triggered_ns=item.established_ns,
    )


async def describe(workspace: Workspace) -> None:
    """The model answers for all that wait."""
    insights = workspace.database.insights
    for pending in await insights.pending(100, now_ns=START_NS * 2):
        claim = await insights.claim(pending.insight_id, "w")
        assert claim is not None
        outcome = InsightOutcome(status="done", described_by="model", level="frames", result=SAID)
        assert await insights.finish(claim, outcome, finished_ns=START_NS)


def intrusion(n: int) -> Event:
    at_s = 90_000 + 60 * n
    return event(f"evt_20260117_cam01_{n:04d}", "intrusion", at_s, 6, risk_level="high")


async def raise_alerts(
    workspace: Workspace, items: Sequence[Event], *, has_model: bool = False
) -> None:
    """Events with alerts, and what persons looked like at the last of them."""
    database = workspace.database
    key = RunKey(camera_id="cam01", fingerprint=items[0].event_id, settings_hash="s")
    run = await database.begin_run(key, {}, START_NS)
    looks = AttributeRecord(
        captured_ns=items[-1].start_ns,
        total_persons=2,
        attributes=Attributes(female=1, male=1, upper_red=1),
    )
    step = Step(
        checkpoint=b"1",
        events=[
            StoredEvent(event=item, summary_zh="有人闖入", summary_en="Somebody entered")
            for item in items
        ],
        alerts=[alert_of(item) for item in items],
        alerting=AlertContext(
            now_ns=START_NS, request_id="req-1", node_id="n", has_model=has_model
        ),
        attributes=AttributeStretch(
            spans=[(items[0].start_ns, looks.captured_ns + 1)],
            records=[looks],
            node_id="n",
            stored_ns=1,
        ),
    )
    await database.commit_step(run, step)
    await database.finish_run(run, {})


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Twenty-four alerts; the two last are for a model, and one of them has its answer."""
    folder = tmp_path_factory.mktemp("insights")

    async def fill(workspace: Workspace) -> None:
        items = [intrusion(n) for n in range(1, 25)]
        await raise_alerts(workspace, items[:-2])
        await raise_alerts(workspace, items[-2:-1], has_model=True)
        await describe(workspace)
        await raise_alerts(workspace, items[-1:], has_model=True)
        clip = write_video(folder / "short.mp4", frames=40, options={"movflags": "faststart"})
        for item in items[-2:]:
            rows, frames = evidence(workspace, item, clip)
            await workspace.database.add_evidence(item.event_id, rows, frames)

    with running(folder / "data") as started:
        started.do(fill)
        with httpx.Client(
            base_url=started.address, headers={"Authorization": f"Bearer {started.token}"}
        ) as http:
            devices = {
                item["cameraId"]: item["id"] for item in http.get("/api/v1/devices").json()["data"]
            }
            http.patch(f"/api/v1/devices/{devices['cam01']}", json={"plan": "LEVEL_02"})
        yield started


@EVERYWHERE
def test_an_insight_is_found_and_shown_with_its_evidence(
    visit: Visit, language: str, width: int
) -> None:
    words, scheme = WORDS[language], "dark" if width == NARROW else "light"
    page = visit("/insights", width=width, language=language, scheme=scheme)
    expect(page.locator("a[data-insight]")).to_have_count(20)
    assert_fits(page)
    if language == "en":  # once in each appearance
        assert_accessible(page)
    shot(page, f"insights-{language}-{width}")
    page.locator("#pager button").last.click()
    expect(page.locator("a[data-insight]")).to_have_count(4)
    if width == NARROW:
        page.locator("#further summary").click()
    page.locator("[name=state]").select_option("completed")
    expect(page.locator("a[data-insight]")).to_have_count(20)
    page.locator("[name=q]").fill("圍籬")
    expect(page.locator("a[data-insight]")).to_have_count(1)
    page.reload()
    expect(page.locator("[name=q]")).to_have_value("圍籬")
    expect(page.locator("[name=state]")).to_have_value("completed")

    page.locator("a[data-insight]").click()
    shown = page.locator("#insight")
    expect(shown.locator("h1")).to_contain_text("2026-01-16 23:23:01")
    expect(shown.locator(".evidence-words").first).to_contain_text(words["model"])
    expect(shown.locator(".evidence-words").first).to_contain_text(SUMMARY)
    expect(shown.locator(".evidence dl").first).to_contain_text(words["asked"])
    expect(shown.locator(".look").first).to_be_visible()
    frame = shown.locator("img.frame")
    assert frame.evaluate("image => image.decode().then(() => image.naturalWidth)") == 160
    shown.locator(".evidence-files summary").click()
    shown.locator(".evidence-files button").click()
    expect(shown.locator(".evidence-files [role=status]")).to_have_text(words["same"])
    assert_fits(page)
    if language == "en":  # once in each appearance
        assert_accessible(page)
    shot(page, f"insight-{language}-{width}")
    page.go_back()
    expect(page.locator("a[data-insight]")).to_be_focused()
    page.go_back()
    expect(page.locator("[name=q]")).to_have_value("")
    page.go_forward()
    page.go_forward()
    expect(shown.locator("h1")).to_contain_text("2026-01-16 23:23:01")
    page.reload()
    expect(shown.locator("img.frame")).to_be_visible()


def clip_of(page: Page) -> tuple[Locator, Locator]:
    """The clip of the one insight that is listed, opened, and its clock."""
    page.locator("a[data-insight]").click()
    video, clock = page.locator("video"), page.locator(".evidence-clock")
    if not video.evaluate("video => video.canPlayType('video/mp4; codecs=\"avc1.42E01E\"')"):
        pytest.skip("this Chromium has no H.264 (Debian's has): apt-get install chromium")
    expect(clock).to_have_text("23:23:00.0")
    return video, clock


def test_the_clip_is_gone_through_by_keys(visit: Visit) -> None:
    page = visit("/insights?q=圍籬")
    video, clock = clip_of(page)
    page.locator(".evidence-range input").focus()
    for key, shown in (
        (".", "23:23:00.1"), (".", "23:23:00.2"), (",", "23:23:00.1"), ("ArrowRight", "23:23:01.1"),
        ("ArrowLeft", "23:23:00.1"),
    ):  # fmt: skip
        page.keyboard.press(key)
        expect(clock).to_have_text(shown)
    page.locator(".evidence-clip select").select_option("2")
    page.locator("h2").first.click()
    page.keyboard.press(" ")
    expect(video).to_have_js_property("playbackRate", 2)
    expect(video).to_have_js_property("ended", True)
    page.locator(".evidence-moments button").first.click()
    expect(clock).to_have_text("23:23:00.0")
    page.locator(".evidence-open").click()
    expect(page.locator("dialog img")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_have_count(0)
    expect(page.locator(".evidence-open")).to_be_focused()
    with page.expect_download() as saved:
        page.locator(".evidence-export").click()
    assert saved.value.suggested_filename == f"evidence-{DESCRIBED}.zip"


def test_a_key_that_is_pressed_before_the_clip_is_there_counts(visit: Visit) -> None:
    page = visit("/")
    held: list[Route] = []
    page.route("**/*.mp4*", lambda route: held.append(route))
    page.goto(page.url.rstrip("/") + "/insights?q=圍籬")
    video, clock = clip_of(page)
    assert video.evaluate("video => video.readyState") == 0
    page.locator(".evidence-range input").focus()
    for key in ".,..":
        page.keyboard.press(key)
    for route in held:
        route.continue_()
    page.unroute_all()
    expect(clock).to_have_text("23:23:00.2")


LATE_FRAMES = """
const own = HTMLVideoElement.prototype.requestVideoFrameCallback;
HTMLVideoElement.prototype.requestVideoFrameCallback = function (hear) {
  return own.call(this, (...told) => setTimeout(() => hear(...told), 200));
};
"""


def test_a_frame_that_a_slow_machine_draws_late_is_not_skipped(visit: Visit) -> None:
    page = visit("/insights?q=圍籬")
    page.context.add_init_script(LATE_FRAMES)
    page.reload()
    _, clock = clip_of(page)
    page.locator(".evidence-range input").focus()
    for key, shown in ((".", "23:23:00.1"), (".", "23:23:00.2"), (",", "23:23:00.1")):
        page.keyboard.press(key)
        expect(clock).to_have_text(shown)


def test_what_fails_says_what_to_do(visit: Visit) -> None:
    page = visit("/insights?insight=0199a2c4-5d13-7000-8000-000000000001", quiet=False)
    expect(page.locator("#insight [role=alert]")).to_contain_text("沒有這筆洞察")
    page.route("**/api/v1/analysis/insights?*", lambda route: route.fulfill(status=503, body="{}"))
    page.locator("#insight button").first.click()
    expect(page.locator("#found [role=alert]")).to_be_visible()
    page.unroute("**/api/v1/analysis/insights?*")
    page.get_by_role("button", name="再試一次").click()
    expect(page.locator("a[data-insight]")).to_have_count(20)
    page.locator("[name=q]").fill("斑馬")
    expect(page.locator("#found .empty")).to_contain_text("沒有符合條件的洞察")
    page.locator("#found button").click()
    expect(page.locator("a[data-insight]")).to_have_count(20)
    expect(page).to_have_url(re.compile("/insights$"))


def test_nobody_is_led_away_by_what_was_typed_or_asked_before(visit: Visit) -> None:
    page = visit("/insights")
    links = page.locator("a[data-insight]")
    expect(links).to_have_count(20)
    page.locator("[name=q]").fill("斑馬")
    links.first.evaluate("link => link.click()")  # before the list is asked for again
    expect(page.locator("#insight h1")).to_be_visible()
    page.evaluate("() => new Promise(resolve => setTimeout(resolve, 400))")
    expect(page.locator("#insight h1")).to_be_visible()
    page.go_back()
    # One that comes when somebody has gone back already.
    held: list[Route] = []
    page.route("**/api/v1/analysis/insights/*", lambda route: held.append(route))
    with page.expect_request("**/api/v1/analysis/insights/*"):
        links.first.click()
    page.go_back()
    expect(links).to_have_count(20)
    with page.expect_response("**/api/v1/analysis/insights/*") as answer:
        held.pop().continue_()
    answer.value.finished()
    page.evaluate("() => new Promise(resolve => setTimeout(resolve, 100))")
    expect(page).to_have_title("洞察 · 影片偵探")
    # The form shows what was chosen last, whichever list comes first.
    page.unroute_all()
    page.route("**/api/v1/analysis/insights?*severity=critical*", lambda route: held.append(route))
    page.locator("[name=severity]").select_option("critical")
    page.locator("[name=state]").select_option("failed")
    expect(page).to_have_url(re.compile("severity=critical&state=failed"))
    page.locator("[name=severity]").select_option("")
    expect(page.locator("#found .empty")).to_be_visible()
    for route in held:
        route.continue_()
    page.evaluate("() => new Promise(resolve => setTimeout(resolve, 300))")
    expect(page.locator("[name=state]")).to_have_value("failed")
    expect(page.locator("[name=severity]")).to_have_value("")


def test_what_a_model_says_appears_by_itself(visit: Visit, service: Service) -> None:
    page = visit("/insights?state=pending")
    page.locator("a[data-insight]").click()
    shown = page.locator("#insight")
    expect(shown).to_contain_text("正在等候語言模型描述")
    video = shown.locator("video")
    video.evaluate("video => { video.dataset.same = 'yes'; }")
    service.do(describe)
    expect(shown.locator(".said")).to_have_text(SUMMARY)
    expect(video).to_have_attribute("data-same", "yes")  # what somebody watches stays

    page.locator("#insight > button").click()
    expect(page.locator("#found .empty")).to_be_visible()  # none waits any more
    service.do(lambda workspace: raise_alerts(workspace, [intrusion(25)], has_model=True))
    page.locator("#news button").click()
    expect(page.locator("a[data-insight]")).to_have_count(1)
    expect(page.locator("#news")).to_be_hidden()
