"""The start page in Chromium with very many events: its bytes, when it can be used, how it scrolls.

Run: python -m benchmarks.pages [--events 10000] [--runs 9] [--folder DIR]

A server process with its data, and a browser with a cold cache for every visit. Each visit to the
start page follows one to a static page of the same server, behind the same guard; the ratio of both
tells more than either time on a busy machine. *Usable* is when the first card of the list can be
pressed. Scrolling goes through all results, five cards a frame, and is compared with scrolling a
static page of the same height.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from fastapi import FastAPI, Query
from fastapi.responses import HTMLResponse
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, sync_playwright

from benchmarks.page_rows import make
from benchmarks.server import served
from video_detective.services.accounts import local_caller
from video_detective.services.sign_in import invite
from video_detective.services.workspace import Workspace
from video_detective.web.page import add_pages

PASSWORD = "benchmark benchmark"
VIEW: ViewportSize = {"width": 1440, "height": 900}
LONG_MS = 50
CARDS_A_FRAME = 5
_USABLE = """
  addEventListener("DOMContentLoaded", () => new MutationObserver((_, watch) => {
    if (!document.querySelector("#list li.card a")) return;
    watch.disconnect();
    requestAnimationFrame(() => setTimeout(() => { window.usable = performance.now(); }));
  }).observe(document.body, { childList: true, subtree: true }));
"""
_SCROLL = """async ([step]) => {
  const long = [];
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) long.push(entry.duration);
  }).observe({ type: "long-animation-frame" });
  const gaps = [];
  let most = 0;
  await new Promise((done) => {
    let last = performance.now();
    const next = (now) => {
      gaps.push(now - last);
      last = now;
      most = Math.max(most, document.querySelectorAll("#list > li").length);
      if (scrollY + innerHeight >= document.documentElement.scrollHeight - 2) return done();
      scrollBy(0, step);
      requestAnimationFrame(next);
    };
    requestAnimationFrame(next);
  });
  return { gaps: gaps.slice(1), long, most };
}"""


async def prepare(app: FastAPI, workspace: Workspace) -> str:
    """The page, a static one beside it, and a token to come in with."""

    @app.get("/bench")
    async def page(height: int = Query(default=0)) -> HTMLResponse:
        tall = f'<svg width="40" height="{height}"></svg>' if height else ""
        return HTMLResponse(f"<!doctype html><title>-</title><h1>Static</h1>{tall}")

    add_pages(app, workspace)
    local = await local_caller(workspace)
    token, _ = await invite(workspace, local, role="admin", now_ns=time.time_ns())
    return token


def signed_in(browser: Browser, address: str, token: str) -> Any:
    """The state of a browser in which somebody has come in."""
    context = browser.new_context(viewport=VIEW)
    page = context.new_page()
    page.goto(f"{address}/set-up#{token}")
    page.locator("[name=name]").fill(f"bench-{time.time_ns()}")
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("[name=again]").fill(PASSWORD)
    page.locator("form button").click()
    page.wait_for_selector("#list li.card", timeout=60_000)
    state = context.storage_state()
    context.close()
    return state


@contextmanager
def cold(browser: Browser, state: Any) -> Iterator[tuple[BrowserContext, Page]]:
    """A page of a browser that has been nowhere."""
    context = browser.new_context(viewport=VIEW, storage_state=state)
    try:
        yield context, context.new_page()
    finally:
        context.close()


def first_paint(page: Page) -> float:
    """First contentful paint in ms since the visit began."""
    return float(
        page.evaluate(
            """() => new Promise((done) => new PerformanceObserver((list, watch) => {
                 const paint = list.getEntriesByName("first-contentful-paint")[0];
                 if (paint) { watch.disconnect(); done(paint.startTime); }
               }).observe({ type: "paint", buffered: true }))"""
        )
    )


def visits(browser: Browser, state: Any, address: str, runs: int) -> dict[str, float]:
    """Medians in ms, and of their ratios run by run."""
    static, painted, usable = [], [], []
    for _ in range(runs + 1):
        with cold(browser, state) as (_, page):
            page.goto(f"{address}/bench")
            static.append(first_paint(page))
        with cold(browser, state) as (_, page):
            page.add_init_script(_USABLE)
            page.goto(address)
            painted.append(first_paint(page))
            page.wait_for_function("() => window.usable", timeout=60_000)
            usable.append(float(page.evaluate("window.usable")))
    # The first visits meet a server that has read nothing yet.
    times = {"static": static[1:], "painted": painted[1:], "usable": usable[1:]}
    bases = times["static"]
    median = statistics.median
    return {
        **{name: median(values) for name, values in times.items()},
        "painted ratio": median(map(float.__truediv__, times["painted"], bases)),
        "usable ratio": median(map(float.__truediv__, times["usable"], bases)),
    }


def app_bytes(browser: Browser, state: Any, address: str) -> tuple[dict[str, int], set[str]]:
    """Bytes of each file of the app until nothing more comes, and other origins asked for."""
    sizes: dict[str, int] = {}
    others: set[str] = set()
    with cold(browser, state) as (_, page):
        answers: list[Any] = []
        page.on("response", lambda answer: answers.append(answer))
        page.goto(address)
        page.wait_for_selector("#timeline .bar, #timeline .mark")
        page.wait_for_timeout(2000)
        for answer in answers:
            place = urlsplit(answer.url)
            if f"{place.scheme}://{place.netloc}" != address:
                others.add(place.netloc)
            elif place.path == "/" or place.path.startswith("/static/"):
                sizes[place.path] = len(answer.body())
    return sizes, others


def scroll(context: BrowserContext, page: Page, step: float) -> dict[str, float]:
    """Scroll to the end, so far a frame."""
    session = context.new_cdp_session(page)

    def heap() -> tuple[float, float]:
        session.send("HeapProfiler.collectGarbage")
        session.send("HeapProfiler.collectGarbage")
        used = session.send("Runtime.getHeapUsage")["usedSize"] / 2**20
        return used, session.send("Memory.getDOMCounters")["nodes"]

    heap_before, nodes_before = heap()
    found = page.evaluate(_SCROLL, [step])
    page.wait_for_timeout(1500)
    heap_after, nodes_after = heap()
    gaps = found["gaps"]
    return {
        "frames": len(gaps),
        "median": statistics.median(gaps),
        "p99": sorted(gaps)[int(len(gaps) * 0.99)],
        "longest": max(gaps),
        "over": sum(gap > LONG_MS for gap in gaps),
        "long work": sum(duration > LONG_MS for duration in found["long"]),
        "cards": found["most"],
        "heap before": heap_before,
        "heap after": heap_after,
        "nodes before": nodes_before,
        "nodes after": nodes_after,
    }


def scrolled(browser: Browser, state: Any, address: str) -> dict[str, dict[str, float]]:
    """The start page from its first result to its last, and a static page as high."""
    with cold(browser, state) as (context, page):
        page.goto(address)
        page.wait_for_selector("#timeline .bar, #timeline .mark")
        page.wait_for_timeout(1500)
        row = page.evaluate("document.querySelector('#list').offsetHeight") / page.evaluate(
            "Number(document.querySelector('#list li').getAttribute('aria-setsize'))"
        )
        height = page.evaluate("document.documentElement.scrollHeight")
        ours = scroll(context, page, row * CARDS_A_FRAME)
        again = scroll_back(context, page, row * CARDS_A_FRAME)
    with cold(browser, state) as (context, page):
        page.goto(f"{address}/bench?height={height}")
        page.wait_for_timeout(500)
        static = scroll(context, page, row * CARDS_A_FRAME)
    return {"start page": ours, "the same again": again, "static page": static}


def scroll_back(context: BrowserContext, page: Page, step: float) -> dict[str, float]:
    """Scroll through once more from the beginning: what grew once must not grow again."""
    page.evaluate("scrollTo(0, 0)")
    page.wait_for_timeout(2000)
    return scroll(context, page, step)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = options.folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        if not (folder / "settings.yaml").exists():
            asyncio.run(make(folder, events=options.events))
        # Only now: Playwright keeps a loop running in this thread.
        playwright = stack.enter_context(sync_playwright())
        installed = shutil.which("chromium") or shutil.which("chromium-browser")
        browser = playwright.chromium.launch(executable_path=installed, args=["--no-sandbox"])
        with served(folder, prepare) as (port, token):
            address = f"http://127.0.0.1:{port}"
            state = signed_in(browser, address, token)
            sizes, others = app_bytes(browser, state, address)
            times = visits(browser, state, address, options.runs)
            scrolls = scrolled(browser, state, address)
        browser.close()
    print(f"bytes of the app: {sum(sizes.values()):,} in {len(sizes)} files (limit 60,000)")
    print(f"other origins: {', '.join(sorted(others)) or 'none'}")
    print(f"static page painted after {times['static']:.0f} ms (median of {options.runs})")
    print(f"first paint {times['painted']:.0f} ms, ratio {times['painted ratio']:.2f} (limit 3)")
    print(f"list usable {times['usable']:.0f} ms, ratio {times['usable ratio']:.2f} (limit 6)")
    print(
        "\nscrolling           frames  median     p99  longest  >50 ms  long work  cards   heap MiB"
        "    nodes"
    )
    for name, row in scrolls.items():
        print(
            f"{name:18}  {row['frames']:6.0f}  {row['median']:6.1f}  {row['p99']:6.1f}"
            f"  {row['longest']:7.1f}  {row['over']:6.0f}  {row['long work']:9.0f}"
            f"  {row['cards']:5.0f}  {row['heap before']:4.1f}→{row['heap after']:4.1f}"
            f"  {row['nodes before']:.0f}→{row['nodes after']:.0f}"
        )


if __name__ == "__main__":
    main()
