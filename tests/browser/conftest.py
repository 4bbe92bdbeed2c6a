"""A browser, a service full of events, and how a test opens a page of it.

``SLOW=1`` gives every page a slow network and processor: races show.
"""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Iterator
from typing import Protocol

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page, expect, sync_playwright
from tests.api import make_user, signed_in
from tests.pages import WIDE
from tests.service import Service, running

from video_detective.services.access import Role
from video_detective.services.workspace import Workspace

OPTIONS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update"]
expect.set_options(timeout=15_000)  # two cores that run three tests are slow now and then


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, as it is installed, else as Playwright has it."""
    # Not for the session: Playwright keeps a loop running in this thread, asynchronous tests
    # cannot run beside it.
    with sync_playwright() as playwright:
        installed = shutil.which("chromium") or shutil.which("chromium-browser")
        try:
            opened = playwright.chromium.launch(executable_path=installed, args=OPTIONS)
        except Error as error:
            reason = f"no Chromium ({error.message.splitlines()[0]}): apt-get install chromium"
            if os.environ.get("CI") == "true":
                pytest.fail(reason)
            pytest.skip(reason)
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Two cameras with three events (``tests.service``); a module's tests share it."""
    with running(tmp_path_factory.mktemp("served")) as started:
        yield started


class Visit(Protocol):
    """Opens a page signed in; whatever the console complains of fails the test."""

    def __call__(
        self,
        path: str = "/",
        *,
        width: int = WIDE,
        language: str = "zh-TW",
        scheme: str = "light",
        at: Service | None = None,
        role: Role = "admin",
        quiet: bool = True,
        touch: bool = False,
    ) -> Page:
        """The page.

        Args:
            path: Below the service's address.
            width: Of the window, in pixels.
            language: That the browser asks for.
            scheme: ``light`` or ``dark``.
            at: Another service than the module's own.
            role: Of the user who is signed in.
            quiet: False where the console is expected to complain of failed requests.
            touch: Whether it is touched.
        """


@pytest.fixture
def visit(browser: Browser, service: Service) -> Iterator[Visit]:
    """See ``Visit``. The viewer's clock is New York's: pages show the camera's."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def visit(
        path: str = "/",
        *,
        width: int = WIDE,
        language: str = "zh-TW",
        scheme: str = "light",
        at: Service | None = None,
        role: Role = "admin",
        quiet: bool = True,
        touch: bool = False,
    ) -> Page:
        asked = at or service
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            locale=language,
            color_scheme="dark" if scheme == "dark" else "light",
            timezone_id="America/New_York",
            reduced_motion="reduce",
            has_touch=touch,
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        if os.environ.get("SLOW"):
            slow_down(page)
        if quiet:
            page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        name, value = asked.cookie if role == "admin" else cookie_of(asked, role)
        context.add_cookies([{"name": name, "value": value, "url": asked.address}])
        page.goto(asked.address + path)
        return page

    yield visit
    for context in contexts:
        context.close()
    assert complaints == []


def slow_down(page: Page) -> None:
    """Let it have a slow network and processor, drawn anew for every page."""
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    conditions = {"offline": False, "downloadThroughput": -1, "uploadThroughput": -1}
    latency_ms = random.choice([20, 150, 400])
    session.send("Network.emulateNetworkConditions", {**conditions, "latency": latency_ms})
    session.send("Emulation.setCPUThrottlingRate", {"rate": random.choice([1, 3])})


def cookie_of(service: Service, role: Role) -> tuple[str, str]:
    """Name and value of the cookie of a session of a user with that role."""

    async def enter(workspace: Workspace) -> dict[str, str]:
        users = workspace.database.accounts.users
        account = await workspace.database.accounts.default()
        if await users.by_name(account.account_id, role) is None:
            await make_user(workspace, role, role)
        return await signed_in(workspace, role)

    ((name, value),) = service.do(enter).items()
    return name, value
