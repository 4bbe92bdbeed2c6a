"""The page of settings: what its parts show and do."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, Route, expect
from sqlalchemy import create_engine, update
from tests.browser.conftest import Visit
from tests.pages import EVERYWHERE, NARROW, WIDE, assert_accessible, assert_fits, shot
from tests.service import INTRUSION, START_NS, Service, running

from video_detective.services.accounts import local_caller
from video_detective.services.retention import keep_event, run_round
from video_detective.services.workspace import Workspace
from video_detective.storage.service_tables import RUN_BEGINNINGS

pytestmark = pytest.mark.xdist_group("browser-settings")
TABS = (
    "general", "models", "queue", "notifications", "users", "keys", "retention", "audit",
    "licences", "about",
)  # fmt: skip


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service of its own: with a model server that is not there, and with old events."""
    folder = tmp_path_factory.mktemp("settings")
    (folder / "settings.yaml").write_text(
        "schema_version: 1\n"
        "servers: {local: {kind: ollama, url: 'http://127.0.0.1:9', timeout_s: 5}}\n"
        "narration: {server: local, model: 'qwen2.5vl:7b'}\n"
    )
    with running(folder) as started:
        engine = create_engine(f"sqlite:///{folder}/video-detective.db")
        with engine.begin() as connection:
            connection.execute(update(RUN_BEGINNINGS).values(begun_ms=START_NS // 1_000_000))
        engine.dispose()
        yield started


def open_tab(page: Page, name: str) -> None:
    page.locator(f"#tabs a[href='/settings?tab={name}']").click()
    expect(page.locator(f"section.part-{name}")).to_be_visible()


@EVERYWHERE
def test_every_part_fits_in_both_languages_and_is_accessible(
    visit: Visit, language: str, width: int
) -> None:
    is_dark = (language == "en") == (width == WIDE)
    page = visit("/settings", language=language, width=width, scheme="dark" if is_dark else "light")
    for name in TABS:
        open_tab(page, name)
        assert_fits(page)
        # Each language, width and theme is looked at in one half of the parts or the other.
        if (TABS.index(name) % 2 == 0) == (width == NARROW):
            assert_accessible(page)
        shot(page, f"settings-{name}-{language}-{width}")


@pytest.mark.parametrize(
    ("language", "button", "label", "told"),
    [
        ("zh-TW", "新增使用者", "建立", "名稱「admin」已經有人使用，請換一個。"),
        ("en", "New user", "Create", "The name “admin” is taken. Choose another."),
    ],
)
def test_what_the_service_refuses_is_told_in_the_pages_language(
    visit: Visit, language: str, button: str, label: str, told: str
) -> None:
    page = visit("/settings?tab=users", language=language, quiet=False)
    page.get_by_role("button", name=button).click()
    dialog = page.get_by_role("dialog")
    dialog.locator("[autocomplete=username]").fill("admin")
    dialog.locator("[type=password]").fill("correct horse battery")
    dialog.get_by_role("button", name=label).click()
    expect(dialog.get_by_role("alert")).to_have_text(told)


def test_a_key_is_made_shown_once_and_revoked(visit: Visit) -> None:
    page = visit("/settings?tab=keys", quiet=False)
    page.get_by_role("button", name="新增金鑰").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="建立").click()
    name = dialog.get_by_label("名稱")
    expect(name).to_be_focused()
    expect(name).to_have_attribute("aria-invalid", "true")
    expect(dialog.get_by_text("請填寫這一欄。")).to_be_visible()
    name.fill("儀表板")
    dialog.get_by_role("checkbox", name="管理", exact=True).check()
    dialog.get_by_role("checkbox", name="停車場").check()
    dialog.get_by_role("button", name="建立").click()
    # What only the service knows is wrong stands at its field too.
    expect(dialog.locator("fieldset .failure:visible")).to_contain_text("管理員不能限制")
    assert_accessible(page)
    dialog.get_by_role("checkbox", name="管理", exact=True).uncheck()
    dialog.get_by_role("button", name="建立").click()
    shown = page.get_by_role("dialog").get_by_label("金鑰")
    expect(shown).to_have_value(re.compile(r"vd_live_\w{51}"))
    secret = shown.input_value()
    page.get_by_role("dialog").get_by_role("button", name="關閉").click()
    row = page.get_by_role("row").filter(has_text="儀表板")
    expect(row).to_contain_text("停車場")
    assert secret not in page.content()

    row.get_by_role("button", name="撤銷").click()
    page.get_by_role("dialog").get_by_role("button", name="取消").click()
    expect(row).to_contain_text("有效")
    row.get_by_role("button", name="撤銷").click()
    page.get_by_role("dialog").get_by_role("button", name="撤銷").click()
    expect(row).to_contain_text("已撤銷")

    open_tab(page, "users")
    page.go_back()
    expect(page.locator("section.part-keys")).to_be_visible()
    page.go_forward()
    page.reload()
    expect(page.locator("section.part-users")).to_be_visible()
    page.get_by_role("button", name="邀請").click()
    page.get_by_role("dialog").get_by_role("button", name="產生連結").click()
    link = page.get_by_role("dialog").get_by_label("邀請連結")
    expect(link).to_have_value(re.compile(r"/set-up#.+"))


def test_a_channel_is_made_and_tested_and_tells_what_came_of_it(visit: Visit) -> None:
    page = visit("/settings?tab=notifications", quiet=False)
    page.get_by_role("button", name="新增 Webhook").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("名稱").fill("值班中心")
    dialog.get_by_label("網址").fill("ftp://receiver.example/hook")
    dialog.get_by_role("button", name="建立").click()
    expect(dialog.get_by_label("網址")).to_have_attribute("aria-invalid", "true")
    dialog.get_by_label("網址").fill("http://127.0.0.1:9/hook?token=abc")
    dialog.get_by_role("button", name="建立").click()
    expect(page.get_by_role("dialog").get_by_label("簽章密鑰")).to_have_value(
        re.compile("^whsec_.{20,}")
    )
    page.get_by_role("dialog").get_by_role("button", name="關閉").click()
    row = page.get_by_role("row").filter(has_text="值班中心")
    row.get_by_role("button", name="測試").click()
    expect(row).to_contain_text("測試失敗")
    row.get_by_role("button", name="停用").click()
    expect(row).to_contain_text("已停用")
    page.get_by_role("button", name="新增電子郵件").click()
    dialog.get_by_label("名稱").fill("值班信箱")
    dialog.get_by_label("收件人").fill("guard@example.com")
    dialog.get_by_role("button", name="建立").click()
    row = page.get_by_role("row").filter(has_text="值班信箱")
    expect(row).to_contain_text("無法送出")
    expect(row).to_contain_text("notifications.smtp")


def test_a_period_is_set_after_being_told_what_goes(visit: Visit, service: Service) -> None:
    async def keep(workspace: Workspace) -> None:
        caller = await local_caller(workspace)
        await keep_event(workspace, caller, INTRUSION, kept=True, now_ns=START_NS)

    async def delete(workspace: Workspace) -> None:
        await run_round(workspace, (await local_caller(workspace)).account_id)

    service.do(keep)
    page = visit("/settings?tab=retention")
    page.get_by_label("事件紀錄保存天數").fill("0")
    page.get_by_role("button", name="儲存").click()
    expect(page.get_by_text("請填 1 到 36500 之間的數字。")).to_be_visible()
    page.get_by_label("事件紀錄保存天數").fill("30")
    expect(page.locator(".preview")).to_contain_text("2 筆事件")
    page.get_by_role("button", name="儲存").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("2 筆事件")
    shot(page, "settings-retention-confirm")
    dialog.get_by_role("button", name="儲存並刪除").click()
    expect(page.get_by_role("status").filter(has_text="將在一分鐘內開始刪除")).to_be_visible()
    service.do(delete)
    page.reload()
    expect(page.locator("section.part-retention")).to_contain_text("1 · 其中 1 筆標記為保留")
    expect(page.locator("section.part-retention")).to_contain_text("2 筆事件")
    open_tab(page, "audit")
    expect(page.get_by_role("row").filter(has_text="刪除過期資料")).to_be_visible()
    # The filter that was chosen last holds, whichever answer comes first.
    held: list[Route] = []
    page.route("**/api/v1/audit?action=*", lambda route: held.append(route))
    with page.expect_request("**/api/v1/audit?action=*"):
        page.get_by_label("動作", exact=True).select_option(index=1)
    with page.expect_response("**/api/v1/audit?limit=*") as answer:
        page.get_by_label("動作", exact=True).select_option("")
    answer.value.finished()
    rows = page.get_by_role("row")
    expect(rows.filter(has_text="刪除過期資料")).to_be_visible()
    with page.expect_response("**/api/v1/audit?action=*") as answer:
        held[0].fulfill(json={"data": [], "meta": {"pagination": {"total": 0, "nextCursor": None}}})
    answer.value.finished()
    page.evaluate("() => new Promise(resolve => setTimeout(resolve, 100))")
    expect(rows.filter(has_text="刪除過期資料")).to_be_visible()
    page.get_by_role("button", name="驗證").click()
    expect(page.locator(".verified")).to_contain_text("完整")


def test_who_may_only_look_sees_only_that_and_a_failure_can_be_tried_again(visit: Visit) -> None:
    page = visit("/settings?tab=users", role="viewer", quiet=False)
    expect(page.locator("section.part-general")).to_be_visible()
    assert page.locator("#tabs a").all_inner_texts() == ["一般", "佇列與額度", "通知", "關於"]
    failures: list[str] = []

    def fail_once(route: Route) -> None:
        if failures:
            route.continue_()
        else:
            failures.append(route.request.url)
            route.fulfill(status=500, json={"message": "broken", "error": {"code": "INTERNAL"}})

    page.route("**/api/v1/queue", fail_once)
    page.locator("#tabs a", has_text="佇列").click()
    page.get_by_role("button", name="再試一次").click()
    expect(page.locator("section.part-queue")).to_contain_text("全部攝影機")
    page.unroute("**/api/v1/queue")  # the part asks again and again
    open_tab(page, "notifications")
    expect(page.get_by_role("button", name="新增 Webhook")).to_have_count(0)
