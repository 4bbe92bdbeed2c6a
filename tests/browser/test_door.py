"""Coming in and going out, in a real browser against a real server."""

import re
import time

import pytest
from playwright.sync_api import Browser, expect
from tests.api import PASSWORD
from tests.browser.conftest import Visit
from tests.pages import EVERYWHERE, assert_accessible, assert_fits, shot
from tests.service import Service

from video_detective.services.accounts import local_caller
from video_detective.services.sign_in import invite
from video_detective.services.workspace import Workspace

pytestmark = pytest.mark.xdist_group("browser")  # one browser at a time


async def invited(workspace: Workspace) -> str:
    local = await local_caller(workspace)
    token, _ = await invite(workspace, local, role="viewer", now_ns=time.time_ns())
    return token


@EVERYWHERE
def test_a_one_time_link_leads_to_the_page_and_signing_out_away_from_it(
    browser: Browser, service: Service, width: int, language: str
) -> None:
    token = service.do(invited)
    name = f"guard-{width}-{language.lower()}"
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        locale=language,
        color_scheme="dark" if language == "en" else "light",
    )
    page = context.new_page()
    page.set_default_timeout(10_000)
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))

    page.goto(f"{service.address}/set-up#{token}")
    assert_fits(page)
    assert_accessible(page)
    shot(page, f"set-up-{language}-{width}")
    page.locator("[name=name]").fill(name)
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("[name=again]").fill("something else")
    page.locator("form button").click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.locator("[name=again]").fill(PASSWORD)
    page.locator("[name=name]").fill("two words")
    page.keyboard.press("Enter")
    told = "no spaces" if language == "en" else "不能有空格"
    expect(page.get_by_role("alert")).to_contain_text(told)
    page.locator("[name=name]").fill(name)
    page.keyboard.press("Enter")
    expect(page.locator("#list > li")).to_have_count(3)
    assert token not in page.url

    page.locator(".menu summary").click()
    page.locator("#sign-out").click()
    page.wait_for_url(f"{service.address}/signed-out")
    assert_fits(page)
    assert_accessible(page)
    page.goto(f"{service.address}/?camera=cam02")
    assert page.url == f"{service.address}/sign-in?next=%2F%3Fcamera%3Dcam02"
    assert_fits(page)
    assert_accessible(page)
    shot(page, f"sign-in-{language}-{width}")
    page.locator("[name=name]").fill(name)
    page.locator("[name=password]").fill("not the password")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    assert complaints == []
    page.locator("[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator("#list > li")).to_have_count(1)
    assert page.url.endswith("/?camera=cam02")
    context.close()


def test_a_session_that_ended_leads_back_to_where_one_was(visit: Visit, service: Service) -> None:
    page = visit(quiet=False)
    expect(page.locator("#list > li")).to_have_count(3)
    page.context.clear_cookies()
    # Whatever a page asks for by itself is refused first.
    page.evaluate("async () => (await import('/static/api.js')).get('/api/v1/x').catch(() => {})")
    expect(page.locator("#banner a")).to_be_visible()
    page.locator("#q").fill("後門")
    page.keyboard.press("Enter")
    page.locator("#banner a").click()
    page.wait_for_url(re.compile(r"/sign-in\?next=%2F%3Fq%3D"))
    page.locator("[name=name]").fill("admin")
    page.locator("[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator("#q")).to_have_value("後門")
    expect(page.locator("#list > li")).to_have_count(2)


def test_whoever_comes_from_elsewhere_with_a_session_is_let_in(
    browser: Browser, service: Service
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
