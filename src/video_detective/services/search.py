"""Search by keywords, camera and time: the answer in the shape of the specification."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from video_detective.errors import MissingError, UsageError
from video_detective.narration.template import event_synonyms
from video_detective.services.records import coverage_records, timeline_entry
from video_detective.services.times import parse_time
from video_detective.services.workspace import Workspace
from video_detective.storage import CameraRow, EventQuery
from video_detective.storage.rows import search_form

_KIN = {"pacing": "loitering", "loitering": "pacing"}
ALWAYS_NS = 1 << 62
"""After every time that can be stored."""
_IDEOGRAPHS = re.compile(r"[\u3400-\u9fff]+")
_SPACES = " \t\r\n,、。?!;:「」『』()嗎呢"
"""What stands between words, in ``search_form``: punctuation and particles of questions."""


async def search(
    workspace: Workspace,
    question: str,
    *,
    camera: str = "",
    since: str = "",
    until: str = "",
    limit: int = 50,
    cursor: str | None = None,
) -> dict[str, Any]:
    """Events that match every keyword of the question.

    Words the system knows (event types and their synonyms, names of cameras, zones and tripwires)
    are found inside a sentence; a question without any is split at spaces and punctuation.

    Args:
        workspace: Where the events are.
        question: Keywords or a sentence; empty lists everything.
        camera: Camera id; empty means all.
        since: RFC 3339, without offset in the camera's zone; empty means open.
        until: Likewise.
        limit: Events a page.
        cursor: ``next_cursor`` of the page before.

    Returns:
        ``answer_zh``, ``answer_en``, ``timeline``, ``missing_info``, ``interpretation``,
        ``coverage``, ``total``, ``next_cursor``.

    Raises:
        MissingError: there is no such camera.
        UsageError: a time cannot be read, or ``since`` lies after ``until``.
    """
    cameras = {row.camera_id: row for row in await workspace.database.cameras()}
    if camera and camera not in cameras:
        raise MissingError(
            f"There is no camera {camera!r}",
            remedy=f"Use one of: {', '.join(cameras) or '(none yet)'}.",
        )
    places = await workspace.places()
    asked = places.zone(camera)
    since_ns = parse_time(since, asked, what="from") if since else None
    until_ns = parse_time(until, asked, what="to") if until else None
    if since_ns is not None and until_ns is not None and since_ns > until_ns:
        raise UsageError(
            f"from {since!r} lies after to {until!r}", remedy="Exchange the two times."
        )
    types, terms = understand(question, cameras.values())
    page = await workspace.database.events(
        EventQuery(
            camera=camera or None,
            types=types,
            since_ns=since_ns,
            until_ns=until_ns,
            text=terms,
            limit=limit,
            cursor=cursor,
        )
    )
    spans = {
        key: await workspace.database.coverage(key, since_ns or 0, until_ns or ALWAYS_NS)
        for key in ([camera] if camera else cameras)
    }
    timeline = [
        timeline_entry(stored, places.scene(stored.event.camera_id)) for stored in page.events
    ]
    recorded = any(spans.values())
    return {
        "answer_zh": _answer_zh(timeline, page.total, recorded=recorded),
        "answer_en": _answer_en(timeline, page.total, recorded=recorded),
        "timeline": timeline,
        "missing_info": _missing(page.total, recorded=recorded),
        "interpretation": {
            "startDate": since or None,
            "endDate": until or None,
            "cameras": [camera] if camera else [],
            "eventTypes": list(types),
            "activityKeywords": list(terms),
        },
        "coverage": coverage_records(spans, places),
        "total": page.total,
        "next_cursor": page.next_cursor,
    }


def understand(
    question: str, cameras: Iterable[CameraRow]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Event types and further terms that a question names; longest known words first."""
    rest = search_form(question)
    types: list[str] = []
    terms: list[str] = []
    words = [(search_form(word), kind) for word, kind in event_synonyms()]
    words += [(word, "") for name in _names(cameras) for word in _ways_to_say(search_form(name))]
    for word, kind in sorted(set(words), key=lambda pair: (-len(pair[0]), pair)):
        if word and word in rest:
            rest = rest.replace(word, " ")
            if kind:
                types.append(kind)
            else:
                terms.append(word)
    if not types and not terms:
        for mark in _SPACES:
            rest = rest.replace(mark, " ")
        terms = rest.split()
    # 停留 and 徘徊 are one thing to most people who ask.
    types += [_KIN[kind] for kind in types if kind in _KIN]
    return tuple(dict.fromkeys(types)), tuple(dict.fromkeys(terms))


def _names(cameras: Iterable[CameraRow]) -> Iterable[str]:
    for row in cameras:
        yield row.camera_id
        yield row.name
        for key in ("zones", "tripwires"):
            for entry in row.document.get(key, {}).values():
                yield entry.get("name", "")
        yield from row.document.get("aliases", ())


def _ways_to_say(name: str) -> Iterable[str]:
    """A name, and its beginnings of two or more Chinese characters: 後門 for 後門攝影機."""
    yield name
    for end in range(2, len(name)):
        if not _IDEOGRAPHS.fullmatch(name[:end]):
            return
        yield name[:end]


def _answer_zh(timeline: Sequence[dict[str, Any]], total: int, *, recorded: bool) -> str:
    if total:
        lead = f"找到 {total} 筆事件"
        if not timeline:
            return lead + "。"
        return f"{lead}，最近一筆：{_when(timeline[0])} {timeline[0]['description']}"
    if not recorded:
        return "這段時間沒有錄影，無法判斷是否發生事件。"
    return "這段時間有錄影，沒有找到符合條件的事件。"


def _answer_en(timeline: Sequence[dict[str, Any]], total: int, *, recorded: bool) -> str:
    if total:
        lead = f"{total} event{'s' * (total != 1)} found"
        if not timeline:
            return lead + "."
        return f"{lead}; the latest: {_when(timeline[0])} {timeline[0]['description_en']}"
    if not recorded:
        return (
            "Nothing was recorded in this period, so it cannot be said whether anything happened."
        )
    return "There is recording for this period, and no event that matches."


def _when(entry: Mapping[str, Any]) -> str:
    """The entry's time; only its day where its own words begin with the hour."""
    day, clock = str(entry["time_range"])[:10], str(entry["time_range"])[11:19]
    return day if str(entry["description"]).startswith(clock) else str(entry["time_range"])


def _missing(total: int, *, recorded: bool) -> list[str]:
    if total:
        return []
    if not recorded:
        return ["這段時間沒有任何錄影資料；請先分析該時段的影片，或放寬時間範圍。"]
    return ["可放寬時間範圍、改選其他攝影機，或改用其他關鍵詞（例如：闖入、越線、停留）。"]
