"""What every test of a web page looks at."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

WIDE, NARROW = 1440, 420
EVERYWHERE = pytest.mark.parametrize(
    ("language", "width"), [("zh-TW", WIDE), ("zh-TW", NARROW), ("en", WIDE), ("en", NARROW)]
)


def assert_fits(page: Page) -> None:
    """Nothing sticks out to the side."""
    wide, shown = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert wide <= shown


def assert_accessible(page: Page) -> None:
    """axe-core finds nothing, best practices included."""
    page.evaluate(AXE_SCRIPT)
    found = page.evaluate(
        """async () => (await axe.run({resultTypes: ["violations"]})).violations.map(v =>
             [v.id, v.help, ...v.nodes.slice(0, 5).map(n => n.html.slice(0, 300))])"""
    )
    assert found == []


def shot(page: Page, name: str) -> None:
    """A picture of the whole page in the folder ``SHOTS`` names; without it, none."""
    folder = os.environ.get("SHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)
