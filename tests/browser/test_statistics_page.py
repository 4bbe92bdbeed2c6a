"""The page of statistics: plots that are read by mouse, by keys, as a table and as a file."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect
from tests.browser.conftest import Visit
from tests.pages import EVERYWHERE, NARROW, assert_accessible, assert_fits, shot
from tests.service import Service, ns, running

from video_detective.services.workspace import Workspace
from video_detective.storage import LookRow, PointRow, RunKey, Step, TrackRow
from video_detective.tracking import Track

pytestmark = pytest.mark.xdist_group("browser-statistics")
DAY = "/statistics?from=2026-01-15&to=2026-01-15"


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The service of the other pages, and three persons who stood in the zone of its camera."""
    with running(tmp_path_factory.mktemp("counted")) as service:
        service.do(stand)
        yield service


async def stand(workspace: Workspace) -> None:
    key = RunKey(camera_id="cam01", fingerprint="second", settings_hash="s")
    run = await workspace.database.begin_run(key, {}, ns(0))
    tracks, points = [], []
    for number, at_s in enumerate((10, 12, 40)):
        name = f"p{number + 10}"
        box = (28.0 + 8 * number, 40.0, 44.0 + 8 * number, 84.0)
        seen = [ns(at_s + second) for second in range(4 + 3 * number)]
        tracks.append(
            TrackRow(
                track_id=name, type="person", first_ns=seen[0], last_ns=seen[-1], best_conf=0.9
            )
        )
        points += [
            PointRow(
                time_ns=time_ns,
                frame=frame,
                track=Track(track_id=name, type="person", conf=0.9, bbox=box),
            )
            for frame, time_ns in enumerate(seen)
        ]
    looks = [LookRow(time_ns=ns(second), frame=second, size=(160, 120)) for second in range(60)]
    step = Step(checkpoint=b"1", tracks=tracks, points=points, looks=looks)
    await workspace.database.commit_step(run, step)
    await workspace.database.finish_run(run, {})


def settled(page: Page) -> None:
    expect(page.locator(".figure").first).to_be_visible()
    expect(page.locator("[aria-busy]")).to_have_count(0)


def test_a_plot_is_read_by_keys_as_a_table_and_as_a_file_and_the_address_keeps_the_choice(
    visit: Visit, counted: Service
) -> None:
    page = visit("/statistics", at=counted)
    expect(page.locator("#told")).to_contain_text("沒有錄影，也沒有事件")
    shot(page, "statistics-nothing")
    page.get_by_role("button", name="前往最近有事件的一天（2026-01-15）").click()
    settled(page)
    expect(page).to_have_url(re.compile("from=2026-01-15&to=2026-01-15"))
    expect(page.locator("#covered")).to_contain_text("2026-01-15（Asia/Taipei）")
    people = page.locator(".figure").first
    expect(people.locator(".tile").first).to_contain_text("3")
    # One tab stop; hours without recording are hatched and say so.
    expect(people.locator(".mark[tabindex='0']")).to_have_count(1)
    people.locator(".mark").nth(21).focus()
    expect(people.locator(".plot-tip")).to_contain_text("未錄影")
    page.keyboard.press("ArrowRight")
    tip = people.locator(".plot-tip")
    expect(tip).to_contain_text("2026-01-15 22:00–23:00")
    expect(tip).to_contain_text("後門攝影機 3")
    expect(page.locator(":focus")).to_have_attribute("aria-label", re.compile("後門攝影機 3"))
    page.keyboard.press("Escape")
    expect(tip).to_be_hidden()
    people.locator("summary").click()
    expect(people.locator("tbody tr")).to_have_count(24)
    expect(people.locator("tbody tr").nth(21)).to_contain_text("–")
    with page.expect_download() as waiting:
        people.get_by_role("button", name="CSV").click()
    saved = waiting.value
    assert saved.suggested_filename == "people_2026-01-15_2026-01-15.csv"
    lines = Path(saved.path()).read_bytes().decode("utf-8").split("\r\n")
    assert lines[0] == "\ufeff時段,後門攝影機,錄影秒數"
    assert lines[22:24] == ["2026-01-15 21:00–22:00,,0", "2026-01-15 22:00–23:00,3,184"]

    page.locator("#device").select_option(label="後門攝影機")
    expect(page.locator(".heat-box")).to_be_visible()
    settled(page)
    page.reload()
    settled(page)
    expect(page.locator("#device option:checked")).to_have_text("後門攝影機")
    page.go_back()
    expect(page.locator("#device option:checked")).to_have_text("全部攝影機")
    expect(page.locator("#own")).to_be_visible()


@EVERYWHERE
def test_a_cameras_statistics_can_be_used_everywhere(
    visit: Visit, counted: Service, language: str, width: int
) -> None:
    scheme = "dark" if width == NARROW else "light"
    page = visit(DAY, at=counted, language=language, width=width, scheme=scheme)
    settled(page)
    label = "後門攝影機"
    page.get_by_role("button", name=label).first.click()
    heat = page.locator(".heat-box")
    expect(heat).to_be_visible()
    settled(page)
    cursor = heat.locator(".cursor")
    cursor.focus()
    # Feet at 36, 44 and 52 of 160 pixels stood 3, 6 and 9 s.
    expect(heat.locator(".plot-tip")).to_contain_text(re.compile("9 (秒|s)"))
    page.keyboard.press("ArrowDown")
    expect(heat.locator(".plot-tip")).to_contain_text(re.compile("0 (秒|s)"))
    dwell = page.locator(".figure", has=page.locator("h3", has_text="後門禁入區"))
    expect(dwell.locator(".tile").nth(1)).to_contain_text(re.compile("6 (秒|s)"))
    assert_fits(page)
    assert_accessible(page)
    shot(page, f"statistics-{language}-{width}-{scheme}")


def test_hours_to_come_are_told_from_hours_without_recording(
    visit: Visit, counted: Service
) -> None:
    page = visit(DAY, at=counted)
    page.clock.set_fixed_time("2026-01-15T22:00:30+08:00")
    page.reload()
    settled(page)
    people = page.locator(".figure").first
    expect(people.locator(".mark")).to_have_count(24)
    told = people.locator(".mark").evaluate_all("marks => marks.map((one) => one.ariaLabel)")
    assert "未錄影" in told[21]
    assert "錄" not in told[22]  # of which half a minute has passed, and is recorded
    assert "尚未到來" in told[23]
    expect(people.locator(".legend li")).to_have_text(["後門攝影機", "未錄影", "尚未到來"])
    shot(page, "statistics-today")


def test_a_figure_that_fails_says_so_in_its_place_and_formulas_stay_text(
    visit: Visit, counted: Service
) -> None:
    page = visit("/statistics?period=today", at=counted, language="en", quiet=False)
    page.route("**/api/v1/statistics/alerts?*", lambda route: route.abort())
    page.locator("[data-preset=own]").click()
    page.locator("#from").fill("2026-01-15")
    page.locator("#to").fill("2025-01-15")
    page.get_by_role("button", name="Apply").click()
    expect(page.locator("#own-problem")).to_contain_text("cannot be before")
    page.locator("#to").fill("2026-01-16")
    page.get_by_role("button", name="Apply").click()
    failed = page.locator(".figure", has=page.locator(".failure"))
    expect(failed).to_have_count(1)
    expect(failed).to_contain_text("video-detective serve")
    page.unroute_all()
    failed.get_by_role("button", name="Try again").click()
    expect(page.locator(".figure .failure")).to_have_count(0)
    expect(page.get_by_text("plan LEVEL_02")).to_be_visible()
    written = page.evaluate(
        """async () => (await import("/static/plot-table.js")).csv(
            ["=1+1", 'a "b"'], [["@x", -1], ["\\t=2", 3], ["a\\nb", null]])"""
    )
    assert written == '\ufeff\'=1+1,"a ""b"""\r\n\'@x,-1\r\n\'\t=2,3\r\n"a\nb",\r\n'


def test_neighbours_in_a_stack_differ_in_lightness_in_either_theme(
    visit: Visit, counted: Service
) -> None:
    for scheme in ("light", "dark"):
        page = visit(DAY, at=counted, scheme=scheme)
        shades: list[float] = page.evaluate(
            """() => ["--card", ...[0, 1, 2, 3, 4, 5].map(n => `--s${n}`)].map(name => {
                const node = document.createElement("i");
                node.style.color = `var(${name})`;
                document.body.append(node);
                const [r, g, b] = getComputedStyle(node).color.match(/\\d+/g).map(v => v / 255)
                    .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
                return 0.2126 * r + 0.7152 * g + 0.0722 * b; })"""
        )
        card, *series = shades

        def contrast(one: float, other: float) -> float:
            return (max(one, other) + 0.05) / (min(one, other) + 0.05)

        assert min(contrast(card, one) for one in series) >= 3
        pairs = itertools.pairwise(series)
        assert min(contrast(one, other) for one, other in pairs) >= 1.6


@pytest.mark.parametrize("path", ["/statistics", "/report"])
def test_cameras_of_every_page_of_the_list_are_offered(visit: Visit, path: str) -> None:
    page = visit("/settings")

    def one_at_a_time(route: Route) -> None:
        first, _, cursor = route.request.url.partition("&cursor=")
        answer = route.fetch(url=first)
        body = answer.json()
        body["data"] = body["data"][1:] if cursor else body["data"][:1]
        body["meta"]["pagination"]["nextCursor"] = None if cursor else "more"
        route.fulfill(response=answer, json=body)

    page.route("**/api/v1/devices?*", one_at_a_time)
    page.goto(page.url.split("/settings")[0] + path)
    expect(page.locator("#device option")).to_have_count(3)  # all, and two cameras
