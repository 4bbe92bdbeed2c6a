"""Reports: numbers that agree with the events, on the camera's wall clock, in one file."""

import asyncio
import base64
import hashlib
import json
import re
from collections import Counter
from collections.abc import AsyncIterator
from html.parser import HTMLParser
from importlib import resources
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from tests.api import client_of, make_key
from tests.commands import assert_refused, video_detective
from tests.servers.llm import LlmServer
from tests.servers.llm_protocol import Ask
from tests.service import INTRUSION, fill

from video_detective.config import Camera
from video_detective.errors import UsageError
from video_detective.geometry import NS_PER_S
from video_detective.media.pictures import encode_jpeg
from video_detective.narration.catalogue import LANGUAGES, Language
from video_detective.rules import RISK_LEVELS, Event
from video_detective.services.report import Report, make_report, render
from video_detective.services.report_findings import MAX_LISTED, find
from video_detective.services.report_pictures import MAX_BYTES
from video_detective.services.report_view import MAX_GAPS, ToldSentence, ToldSummary
from video_detective.services.times import parse_time
from video_detective.services.workspace import Workspace, open_workspace
from video_detective.storage import (
    CameraRow,
    EventQuery,
    EvidenceRow,
    RunKey,
    Step,
    StoredEvent,
)
from video_detective.storage.narration_rows import NarrationOutcome, NarrationRequest

BERLIN = "Europe/Berlin"
LATER_NS = parse_time("2027-01-01", ZoneInfo(BERLIN), what="now")
HOUR_NS = 3600 * NS_PER_S
HOSTILE = '<img src=x onerror=alert(1)>"&\u202e'


class Page(HTMLParser):
    """What a browser would make of the file, as far as these tests ask.

    ``rects``: per plot (its heading id) the rectangles' attributes; ``cells``: per table class the
    rows of its body; ``links``: targets of links; ``ids``; ``tags``; ``words``: all text.
    """

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.pictures: list[str] = []
        self.cells: dict[str, list[list[str]]] = {}
        self.rects: dict[str, list[dict[str, str]]] = {}
        self.words = ""
        self._plot = self._table = ""
        self._in_cell = False
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = {key: value or "" for key, value in attributes}
        self.tags.append(tag)
        self.attributes += list(found.items())
        self.ids += [found["id"]] if "id" in found else []
        if tag == "a":
            self.links.append(found["href"])
        elif tag == "img":
            self.pictures.append(found["src"])
        elif tag == "svg":
            self._plot = found.get("aria-labelledby", "").partition("-")[0]
        elif tag == "rect":
            self.rects.setdefault(self._plot, []).append(found)
        elif tag == "table":
            self._table = found["class"]
            self.cells.setdefault(self._table, [])
        elif tag == "tr":
            self.cells[self._table].append([])
        elif tag in {"td", "th"}:
            self._in_cell = True
            self.cells[self._table][-1].append("")

    def handle_endtag(self, tag: str) -> None:
        if tag in {"td", "th"}:
            self._in_cell = False

    def handle_data(self, data: str) -> None:
        self.words += data
        if self._in_cell:
            self.cells[self._table][-1][-1] += data


def event(
    number: int, at: str | int, *, kind: str = "intrusion", risk: str = "high", **words: str
) -> StoredEvent:
    start_ns = parse_time(at, ZoneInfo(BERLIN), what="at") if isinstance(at, str) else at
    return StoredEvent(
        event=Event(
            event_id=f"evt_20260101_cam9_{number:04d}",
            camera_id="cam9",
            type=kind,
            risk_level=risk,
            rule_id="r",
            start_ns=start_ns,
            established_ns=start_ns,
            end_ns=start_ns,
            frames=(0, 0),
        ),
        summary_zh=words.get("summary_zh", "有人<b>進入</b>"),
        summary_en=words.get("summary_en", "somebody <b>entered</b>"),
    )


async def filled(workspace: Workspace, *times: str | StoredEvent, name: str = "後門") -> None:
    document = Camera(timezone=BERLIN).model_dump(mode="json")
    await workspace.database.save_camera(
        CameraRow(camera_id="cam9", name=name, timezone=BERLIN, document=document)
    )
    await workspace.database.import_events(
        [event(n, at) if isinstance(at, str) else at for n, at in enumerate(times, 1)]
    )


async def watched(workspace: Workspace, *spans: tuple[int, int], camera: str = "cam9") -> None:
    key = RunKey(camera_id=camera, fingerprint="film", settings_hash="s")
    run = await workspace.database.begin_run(key, {}, 0)
    await workspace.database.commit_step(run, Step(checkpoint=b"1", coverage=spans))
    await workspace.database.finish_run(run, {})


@pytest.fixture
async def workspace(tmp_path: Path) -> AsyncIterator[Workspace]:
    async with open_workspace(tmp_path / "data") as opened:
        yield opened


async def report(
    workspace: Workspace, since: str, until: str, *, now_ns: int = LATER_NS, **options: object
) -> Report:
    return await make_report(
        workspace,
        since=since,
        until=until,
        now_ns=now_ns,
        **options,  # type: ignore[arg-type]
    )


async def summed_up(
    workspace: Workspace, since: str, until: str, told: ToldSummary, *, language: Language
) -> Report:
    """The report with a model's words, whoever checked them."""
    findings = await find(workspace, since=since, until=until, camera="", now_ns=LATER_NS)
    return render(findings, workspace, language, told)


async def bars(workspace: Workspace, since: str, until: str, *times: str) -> dict[str, int]:
    await filled(workspace, *times)
    figures = (await report(workspace, since, until)).figures
    return {bar["label"]: bar["count"] for bar in figures["over_time"]}


# --- time


async def test_an_hour_is_shown_by_five_minutes(workspace: Workspace) -> None:
    found = await bars(
        workspace, "2026-01-05T10:02", "2026-01-05T11:00", "2026-01-05T10:04", "2026-01-05T10:59"
    )
    assert list(found)[:2] == ["10:00", "10:05"]
    assert (found["10:00"], found["10:55"], sum(found.values())) == (1, 1, 2)


async def test_ten_minutes_are_shown_by_the_minute(workspace: Workspace) -> None:
    found = await bars(workspace, "2026-01-05T10:02", "2026-01-05T10:12", "2026-01-05T10:04:59.9")
    assert len(found) == 10
    assert found["10:04"] == sum(found.values()) == 1


async def test_the_night_the_clocks_go_back_has_twenty_five_hours(workspace: Workspace) -> None:
    await filled(workspace, "2026-10-25T02:30+02:00", "2026-10-25T02:30+01:00")

    made = await report(workspace, "2026-10-25", "2026-10-26")

    labels = [bar["label"] for bar in made.figures["over_time"]]
    assert len(labels) == 25
    assert labels[:5] == ["00:00", "01:00", "02:00", "02:00", "03:00"]
    assert [bar["count"] for bar in made.figures["over_time"]][2:4] == [1, 1]
    # One hour twice: every time says which offset it means.
    times = [row[0] for row in Page(made.html).cells["list events"][1:]]
    assert times == ["2026-10-25 02:30:00 +02:00", "2026-10-25 02:30:00 +01:00"]
    assert "Europe/Berlin · UTC+02:00、2026-10-25 02:00 起 UTC+01:00" in made.html
    assert "2026-10-25 00:00 +02:00 – 2026-10-26 00:00 +01:00" in made.html


async def test_the_night_the_clocks_go_forward_has_twenty_three_hours(
    workspace: Workspace,
) -> None:
    await filled(workspace, "2026-03-29T01:59:59", "2026-03-29T03:00:00")

    figures = (await report(workspace, "2026-03-29", "2026-03-30")).figures

    labels = [bar["label"] for bar in figures["over_time"]]
    assert (len(labels), labels[1:3]) == (23, ["01:00", "03:00"])
    assert [bar["count"] for bar in figures["over_time"]][1:3] == [1, 1]


async def test_a_month_is_shown_by_local_days_across_the_change(workspace: Workspace) -> None:
    found = await bars(
        workspace, "2026-10-20", "2026-10-30", "2026-10-25T23:30", "2026-10-26T00:10"
    )
    assert list(found) == [f"10-{day}" for day in range(20, 30)]
    assert (found["10-25"], found["10-26"]) == (1, 1)


async def test_a_month_also_shows_the_hours_of_the_day_on_the_wall_clock(
    workspace: Workspace,
) -> None:
    await filled(workspace, "2026-10-24T23:30", "2026-10-26T23:10", "2026-10-26T08:00")

    page = Page((await report(workspace, "2026-10-20", "2026-10-30")).html)

    hours = {row[0]: row[-1] for row in page.cells["numbers"] if re.fullmatch(r"\d\d:00", row[0])}
    assert len(hours) == 24
    assert {hour: count for hour, count in hours.items() if count != "0"} == {
        "08:00": "1",
        "23:00": "2",
    }


# --- numbers


async def test_the_numbers_and_the_plots_agree_with_the_events(workspace: Workspace) -> None:
    chance = np.random.default_rng(5)
    first_ns = parse_time("2026-10-23", ZoneInfo(BERLIN), what="at")
    kinds = ("intrusion", "loitering", "pacing")
    await filled(
        workspace,
        *[
            event(
                n,
                first_ns + int(chance.integers(0, 96 * HOUR_NS)),
                kind=kinds[chance.integers(3)],
                risk=RISK_LEVELS[chance.integers(4)],
            )
            for n in range(1, 400)
        ],
    )
    since, until = "2026-10-24T07:20", "2026-10-26T05:00"

    made = await report(workspace, since, until)

    zone = ZoneInfo(BERLIN)
    query = EventQuery(
        since_ns=parse_time(since, zone, what="from"),
        until_ns=parse_time(until, zone, what="to"),
        limit=1000,
    )
    events = [stored.event for stored in (await workspace.database.events(query)).events]
    figures, page = made.figures, Page(made.html)
    assert figures["total"] == len(events) == sum(bar["count"] for bar in figures["over_time"])
    assert figures["by_type"] == Counter(found.type for found in events)
    assert figures["by_risk"] == Counter(found.risk_level for found in events)
    assert figures["by_camera"] == {"cam9": len(events)}
    for bar in figures["over_time"]:
        start, end = (parse_time(bar[key], zone, what=key) for key in ("from", "to"))
        inside = [found for found in events if start <= found.start_ns < end]
        assert bar["count"] == len(inside)
        assert {k: v for k, v in bar["by_risk"].items() if v} == Counter(
            found.risk_level for found in inside
        )
    # What is drawn is as high as what is counted.
    drawn = Counter[str]()
    for rect in page.rects["t"]:
        drawn[rect["class"]] += float(rect["height"])  # type: ignore[assignment]
    one = drawn["critical"] / figures["by_risk"]["critical"]
    assert {level: round(height / one) for level, height in drawn.items()} == figures["by_risk"]
    widths = Counter[str]()
    for rect in page.rects["m"]:
        widths[rect["class"]] += float(rect["width"].rstrip("%"))  # type: ignore[assignment]
    for level, count in figures["by_risk"].items():
        assert widths[level] == pytest.approx(100 * count / len(events), abs=0.01)
    assert len(page.cells["list events"]) == len(events) + 1


async def test_an_event_that_began_before_is_counted_and_not_drawn(workspace: Workspace) -> None:
    begun = event(1, "2026-01-05T09:00")
    lasting = Event(
        **{
            field: getattr(begun.event, field)
            for field in begun.event.__slots__
            if field != "end_ns"
        },
        end_ns=begun.event.start_ns + 2 * HOUR_NS,
    )
    await filled(workspace, StoredEvent(event=lasting), event(2, "2026-01-05T10:30"))

    made = await report(workspace, "2026-01-05T10:00", "2026-01-05T12:00", language="en")

    assert (made.figures["total"], made.figures["began_before"]) == (2, 1)
    assert sum(bar["count"] for bar in made.figures["over_time"]) == 1
    assert "Of these, 1 began before the period" in made.html


async def test_what_is_not_listed_is_counted(workspace: Workspace) -> None:
    first_ns = parse_time("2026-01-05", ZoneInfo(BERLIN), what="at")
    many = MAX_LISTED + 7
    await filled(workspace, *[event(n, first_ns + n * NS_PER_S) for n in range(1, many + 1)])

    made = await report(workspace, "2026-01-05", "2026-01-06", language="en")

    page = Page(made.html)
    assert made.figures["total"] == many
    assert len(page.cells["list events"]) == MAX_LISTED + 1
    assert page.words.count("The first 1,000 by start; 7 more are not listed.") == 2
    assert "The first 12 by risk level, of 1,007." in page.words


# --- coverage


async def test_gaps_are_told_apart_from_time_in_which_nothing_happened(
    workspace: Workspace,
) -> None:
    at = parse_time("2026-01-05T10:00", ZoneInfo(BERLIN), what="at")
    await filled(workspace)
    await watched(workspace, (at, at + HOUR_NS // 4), (at + HOUR_NS // 2, at + HOUR_NS))

    made = await report(workspace, "2026-01-05T10:00", "2026-01-05T12:00", language="en")

    page = Page(made.html)
    assert made.figures["coverage"]["cam9"] == {
        "recorded_s": 2700.0,
        "gaps": [
            {"from": "2026-01-05T10:15:00+01:00", "to": "2026-01-05T10:30:00+01:00"},
            {"from": "2026-01-05T11:00:00+01:00", "to": "2026-01-05T12:00:00+01:00"},
        ],
    }
    strip = [
        (r["class"], float(r["x"].rstrip("%")), float(r["width"].rstrip("%")))
        for r in page.rects["c1"]
    ]
    assert strip == [
        ("recorded", 0.0, 12.5),
        ("recorded", 25.0, 25.0),
        ("gaps", 12.5, 12.5),
        ("gaps", 50.0, 50.0),
    ]
    assert page.cells["list gaps"][1:] == [
        ["後門", "2026-01-05 10:15:00", "2026-01-05 10:30:00", "15 min"],
        ["後門", "2026-01-05 11:00:00", "2026-01-05 12:00:00", "1 h"],
    ]
    assert "37.5 % recorded" in page.words
    assert "no recording" in page.words
    assert "There are no events in this period. The recording has gaps" in page.words


async def test_a_second_without_recording_in_a_month_is_still_drawn(workspace: Workspace) -> None:
    zone = ZoneInfo(BERLIN)
    since, until = (parse_time(text, zone, what="at") for text in ("2026-02-01", "2026-03-01"))
    middle = (since + until) // 2
    await filled(workspace)
    await watched(workspace, (since, middle), (middle + NS_PER_S, until))

    page = Page((await report(workspace, "2026-02-01", "2026-03-01")).html)

    drawn = [float(r["width"].rstrip("%")) for r in page.rects["c1"] if r["class"] == "gaps"]
    assert drawn == [0.15]
    assert len(page.cells["list gaps"]) == 2
    assert "99.9 %" in page.words


async def test_gaps_that_are_not_listed_are_counted(workspace: Workspace) -> None:
    at = parse_time("2026-01-05T10:00", ZoneInfo(BERLIN), what="at")
    minute = 60 * NS_PER_S
    await filled(workspace)
    spans = [(at + n * minute, at + n * minute + 30 * NS_PER_S) for n in range(MAX_GAPS + 3)]
    await watched(workspace, *spans)

    made = await report(workspace, "2026-01-05T10:00", "2026-01-05T11:43", language="en")

    page = Page(made.html)
    assert len(made.figures["coverage"]["cam9"]["gaps"]) == MAX_GAPS + 3
    assert len(page.cells["list gaps"]) == MAX_GAPS + 1
    assert "there are 3 more, 1 min 30 s in all" in page.words


async def test_time_that_has_not_come_yet_is_no_gap(workspace: Workspace) -> None:
    zone = ZoneInfo(BERLIN)
    at = parse_time("2026-01-05T10:00", zone, what="at")
    await filled(workspace)
    await watched(workspace, (at, at + HOUR_NS))

    made = await report(
        workspace, "2026-01-05T10:00", "2026-01-05T12:00", now_ns=at + HOUR_NS, language="en"
    )

    assert made.figures["coverage"]["cam9"]["gaps"] == []
    page = Page(made.html)
    assert [r["class"] for r in page.rects["c1"]] == ["recorded", "later"]
    assert "The recording of this period is complete" in page.words
    assert "what lies after 2026-01-05 11:00:00 has not happened" in page.words


async def test_a_period_without_any_recording_says_that_nothing_is_known(
    workspace: Workspace,
) -> None:
    await filled(workspace)
    made = await report(workspace, "2026-01-05", "2026-01-06", language="en")
    assert "it cannot be said whether anything happened" in made.html
    assert "(the whole period)" in made.html


async def test_a_data_directory_without_cameras_gives_a_report(workspace: Workspace) -> None:
    made = await report(workspace, "2026-01-05", "2026-01-06")
    assert made.figures["total"] == 0
    assert "沒有任何攝影機" in made.html


# --- pictures


async def pictured(workspace: Workspace, *contents: bytes | None) -> list[str]:
    """An event for each picture (None: without); gives the stored hashes."""
    await filled(workspace, *[f"2026-01-05T10:{n:02}" for n in range(len(contents))])
    hashes = []
    for n, content in enumerate(contents, 1):
        if content is None:
            continue
        hashes.append(workspace.blobs.put(content, ".jpg"))
        row = EvidenceRow(
            kind="annotated",
            what="entered",
            time_ns=event(n, f"2026-01-05T10:{n - 1:02}").event.start_ns,
            frame=0,
            sha256=hashes[-1],
            media_type="image/jpeg",
            bytes=len(content),
            width=640,
            height=360,
        )
        await workspace.database.add_evidence(f"evt_20260101_cam9_{n:04d}", [row])
    return hashes


def noise(width: int, height: int, seed: int = 1) -> bytes:
    chance = np.random.default_rng(seed)
    return encode_jpeg(chance.integers(0, 256, (height, width, 3), dtype=np.uint8))


async def test_a_picture_is_the_stored_evidence_itself_and_its_hash_is_given(
    workspace: Workspace,
) -> None:
    (sha256,) = await pictured(workspace, noise(320, 180))

    page = Page((await report(workspace, "2026-01-05", "2026-01-06", language="en")).html)

    (shown,) = page.pictures
    head, _, data = shown.partition(",")
    assert head == "data:image/jpeg;base64"
    assert hashlib.sha256(base64.b64decode(data)).hexdigest() == sha256
    assert page.cells["list hashes"][1][-1] == sha256
    assert "evidence file as stored" in page.words


async def test_large_pictures_are_scaled_down_and_what_finds_no_room_is_said(
    workspace: Workspace,
) -> None:
    hashes = await pictured(workspace, *[noise(1920, 1080, seed) for seed in range(12)])

    made = await report(workspace, "2026-01-05", "2026-01-06", language="en")

    page = Page(made.html)
    assert len(made.html.encode()) < 6_000_000
    shown = [base64.b64decode(picture.partition(",")[2]) for picture in page.pictures]
    assert 3 < len(shown) < 12
    assert sum(map(len, shown)) <= MAX_BYTES
    assert page.words.count("Left out, to keep this file small enough") == 12 - len(shown)
    assert page.words.count("scaled down") >= len(shown)
    assert [row[-1] for row in page.cells["list hashes"][1:]] == hashes


async def test_pictures_that_are_gone_changed_or_damaged_are_said_and_not_shown(
    workspace: Workspace,
) -> None:
    hashes = await pictured(workspace, noise(64, 48, 1), noise(64, 48, 2), b"no picture", None)
    workspace.blobs.path(hashes[0], ".jpg").unlink()
    workspace.blobs.path(hashes[1], ".jpg").write_bytes(noise(64, 48, 3))

    page = Page((await report(workspace, "2026-01-05", "2026-01-06", language="en")).html)

    assert page.pictures == []
    for said in ("is gone", "does not match its hash", "is damaged", "There is no picture of"):
        assert said in page.words


# --- words


async def test_names_in_a_report_are_text_and_never_markup(workspace: Workspace) -> None:
    hostile = event(2, "2026-01-05T10:05", kind=HOSTILE, summary_zh=HOSTILE)
    await filled(workspace, "2026-01-05T10:04", hostile, name=HOSTILE)
    told = ToldSummary(model=HOSTILE, sentences=(ToldSentence(text=HOSTILE, event_ids=(HOSTILE,)),))

    made = await summed_up(workspace, "2026-01-05", "2026-01-06", told, language="zh-TW")

    page = Page(made.html)
    assert made.figures["total"] == 2
    assert "有人&lt;b&gt;進入" in made.html
    assert page.words.count(HOSTILE) > 8
    assert not {"script", "iframe", "link", "object", "form"} & set(page.tags)
    assert "<b>進入" not in made.html
    assert page.tags.count("img") == 0
    assert not [key for key, _ in page.attributes if key.startswith("on") or key == "style"]


async def test_a_report_refers_to_nothing_outside_itself(workspace: Workspace) -> None:
    await pictured(workspace, noise(64, 48))

    made = await report(workspace, "2026-01-05", "2026-01-06")

    page = Page(made.html)
    references = {"src", "href", "xlink:href", "data", "srcset", "action", "poster", "background"}
    for key, value in page.attributes:
        if key in references:
            assert value.startswith(("data:image/jpeg;base64,", "#")), (key, value[:80])
    assert "://" not in made.html
    assert "@import" not in made.html
    assert re.findall(r"url\(([^)]*)\)", made.html) == ["#hatch"]
    assert set(page.links) <= {f"#{name}" for name in page.ids}
    assert len(page.ids) == len(set(page.ids))


@pytest.mark.parametrize(
    ("language", "said", "unsaid"),
    [
        (
            "zh-TW",
            ["事件報告", "闖入", "風險：高", "沒有錄影", "有人<b>進入</b>"],
            ["No recording"],
        ),
        (
            "en",
            ["Events from", "intrusion", "Risk: high", "no recording", "somebody <b>entered</b>"],
            ["闖入", "事件"],
        ),
    ],
)
async def test_a_report_speaks_one_language(
    workspace: Workspace, language: str, said: list[str], unsaid: list[str]
) -> None:
    await filled(workspace, "2026-01-05T10:04")

    made = await report(workspace, "2026-01-05", "2026-01-06", language=language)

    page = Page(made.html)
    assert ("lang", language) in page.attributes
    for words in said:
        assert words in page.words
    for words in unsaid:
        assert words not in page.words


async def test_a_models_summary_is_marked_as_its_words_and_linked_to_the_events(
    workspace: Workspace,
) -> None:
    await filled(workspace, "2026-01-05T10:04", "2026-01-05T10:30")
    told = ToldSummary(
        model="some-model:8b",
        sentences=(
            ToldSentence(
                text="Somebody came in twice.",
                event_ids=("evt_20260101_cam9_0002", "evt_20260101_cam9_0404"),
            ),
        ),
    )

    made = await summed_up(workspace, "2026-01-05", "2026-01-06", told, language="en")
    plain = await report(workspace, "2026-01-05", "2026-01-06", language="en")

    page = Page(made.html)
    assert "A language model, “some-model:8b”, wrote these words" in page.words
    assert "Somebody came in twice." in page.words
    assert "#e2" in page.links
    assert "evt_20260101_cam9_0404" in page.words
    assert "without a language model" not in page.words
    assert "without a language model" in plain.html
    assert made.figures == plain.figures


async def test_a_models_words_on_an_event_stand_beside_those_of_the_rules(
    workspace: Workspace,
) -> None:
    await filled(workspace, "2026-01-05T10:04", "2026-01-05T10:05", "2026-01-05T10:06")
    narrations = workspace.database.narrations
    await narrations.request(NarrationRequest(language="en", requested_ns=1), limit=None)
    outcomes = {
        1: {"model": "some-model:8b", "text": "A man with <i>an umbrella</i>."},
        2: {"model": "some-model:8b", "text": "有人撐傘", "flags": ("language",)},
        3: {"model": None, "text": "By template."},
    }
    for n, outcome in outcomes.items():
        claim = await narrations.claim(f"evt_20260101_cam9_{n:04d}", 1, "worker")
        assert claim is not None
        done = NarrationOutcome(status="done", level="frames", **outcome)  # type: ignore[arg-type]
        await narrations.finish(claim, done, finished_ns=2)

    english = (await report(workspace, "2026-01-05", "2026-01-06", language="en")).html
    chinese = (await report(workspace, "2026-01-05", "2026-01-06")).html

    words = Page(english).words
    assert "A language model, “some-model:8b”: A man with <i>an umbrella</i>." in words
    assert words.count("A language model, ") == 1
    assert words.count("somebody <b>entered</b>") == 6  # each on its card and in the table
    assert "only what is marked as written by a language model" in words
    assert "umbrella" not in chinese
    assert "未使用語言模型" in chinese


async def test_a_summary_is_asked_for_and_only_what_holds_of_it_is_shown(tmp_path: Path) -> None:
    def answer(ask: Ask) -> dict[str, object]:
        (first, *_) = json.loads(ask.text)["candidates"]
        held = f"At {first['time'][11:16]} an intrusion took place."
        invented = "At 23:59 the gate burnt down."
        return {"sentences": [{"text": t, "cites": [first["id"]]} for t in (held, invented)]}

    with LlmServer(answer=answer) as server:
        (tmp_path / "settings.yaml").write_text(
            f"servers: {{local: {{kind: ollama, url: '{server.url}'}}}}\n"
            "answers: {server: local, model: teller}\n"
        )
        async with open_workspace(tmp_path) as opened:
            await filled(opened, "2026-01-05T10:04", "2026-01-05T10:30")
            made = await report(opened, "2026-01-05", "2026-01-06", language="en")
            plain = await report(opened, "2026-01-05", "2026-01-06", language="en", use_model=False)
    assert "an intrusion took place" in made.html
    assert "burnt down" not in made.html
    assert "an intrusion took place" not in plain.html
    assert len(server.asks) == 1


# --- from the service and from the command line


async def test_service_and_command_give_the_same_report(tmp_path: Path) -> None:
    folder, path = tmp_path / "data", tmp_path / "report.html"
    period = {"from": "2026-01-15T22:00:00", "to": "2026-01-15T22:10:00"}
    async with open_workspace(folder) as workspace:
        await fill(workspace, tmp_path)
        async with client_of(workspace, await make_key(workspace)) as client:
            answer = await client.get("/api/report", params=period | {"lang": "en"})

    words = ("report", "--from", period["from"], "--to", period["to"], "--lang", "en")
    outcome = await asyncio.to_thread(
        video_detective, *words, "--data-dir", folder, "--output", path
    )

    assert (outcome.code, outcome.out) == (0, f"Wrote {path}: 3 events\n")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    made_at = re.compile(r"<dt>Made at</dt><dd>[^<]*</dd>")
    assert made_at.sub("", answer.text) == made_at.sub("", path.read_text("utf-8"))
    assert INTRUSION in answer.text
    assert len(Page(answer.text).pictures) == 3


async def test_the_policy_lets_the_report_show_its_own_style_and_nothing_else(
    workspace: Workspace,
) -> None:
    await filled(workspace, "2026-01-05T10:04")
    async with client_of(workspace, await make_key(workspace)) as client:
        answer = await client.get("/api/report", params={"from": "2026-01-05", "to": "2026-01-06"})

    policy = answer.headers["Content-Security-Policy"]
    (style,) = re.findall(r"<style>(.*?)</style>", answer.text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'"
    )
    # The saved file keeps to it, too.
    (kept,) = [value for key, value in Page(answer.text).attributes if value.startswith("default")]
    assert policy == f"{kept}; frame-ancestors 'none'"


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"to": None}, 400),
        ({"from": "noon"}, 400),
        ({"to": "2025-01-01"}, 400),
        ({"lang": "fr"}, 400),
        ({"camera": "cam99"}, 404),
        ({"format": "pdf"}, 400),
    ],
    ids=str,
)
async def test_the_service_refuses_a_report_that_cannot_be_meant(
    workspace: Workspace, changes: dict[str, str | None], status: int
) -> None:
    await filled(workspace)
    wanted = {"from": "2026-01-05", "to": "2026-01-06"} | changes
    async with client_of(workspace, await make_key(workspace)) as client:
        answer = await client.get(
            "/api/report", params={key: value for key, value in wanted.items() if value}
        )

    assert answer.status_code == status
    assert answer.json()["success"] is False


async def test_a_period_that_ends_before_it_begins_is_refused(workspace: Workspace) -> None:
    await filled(workspace)
    with pytest.raises(UsageError, match="is empty"):
        await report(workspace, "2026-01-06", "2026-01-05")


def test_a_language_that_there_is_not_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    outcome = video_detective(
        "report", "--from", "2026-01-05", "--to", "2026-01-06", "--lang", "fr",
        "--data-dir", tmp_path / "data", "--output", tmp_path / "report.html",
    )  # fmt: skip
    assert_refused(outcome, 2, "'fr'", "zh-TW")
    assert not (tmp_path / "report.html").exists()


# --- catalogues

TEMPLATES = Path(str(resources.files("video_detective.services"))) / "templates"
CATALOGUES = {
    language: json.loads((TEMPLATES / f"report.{language}.json").read_text("utf-8"))
    for language in LANGUAGES
}


def test_both_languages_say_the_same_things_about_the_same_values() -> None:
    chinese, english = CATALOGUES["zh-TW"], CATALOGUES["en"]
    assert set(chinese) == set(english)
    for key in chinese:
        places = [sorted(re.findall(r"{\w+}", words[key])) for words in (chinese, english)]
        assert places[0] == places[1], key
        assert not re.search(r"[\u3400-\u9fff]", english[key])


def test_chinese_words_have_chinese_punctuation() -> None:
    for key, words in CATALOGUES["zh-TW"].items():
        assert not re.search(r"[\u3400-\u9fff}][,;:?!()]|[,;:?!()][\u3400-\u9fff{]", words), key
