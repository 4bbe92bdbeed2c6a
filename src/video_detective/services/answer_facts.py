"""What the answer to a question rests on: what was found, and what was recorded at all."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from video_detective.geometry import NS_PER_S
from video_detective.narration.answer_template import AnswerFacts, Finding, Watch
from video_detective.narration.catalogue import Language
from video_detective.search.question import Interpretation
from video_detective.services.understanding import KNOWN_PLACE, Asked
from video_detective.services.workspace import Places
from video_detective.storage import StoredEvent

SHORT_GAP_NS = 2 * NS_PER_S
"""Recording that pauses for less was not interrupted: sampled frames lie apart."""

_YES_NO = re.compile(
    r"有沒有|有没有|有無|有无|是否|是不是|[嗎吗么]|會不會|会不会"
    r"|\b(?:was|were|is|are|did|does|has|have|any|anyone|anybody|anything|somebody|someone)\b",
    re.IGNORECASE,
)


def answer_facts(
    question: str,
    asked: Asked,
    *,
    full: Sequence[StoredEvent],
    near: Sequence[StoredEvent],
    total: int,
    more: bool,
    spans: Mapping[str, Sequence[tuple[int, int]]],
    places: Places,
    now_ns: int,
    language: Language,
) -> AnswerFacts:
    """What a template answer is made from.

    Args:
        question: As it was asked.
        asked: What it is taken to ask.
        full: Events of this page that match in full, best first.
        near: Those that match in part.
        total: How many match in full, on all pages.
        more: There are more than that.
        spans: What was recorded, of every camera asked for.
        places: Names and zones of cameras.
        now_ns: When it was asked.
        language: Of the answer.
    """
    all_here = total == len(full)
    return AnswerFacts(
        since_ns=asked.since_ns,
        until_ns=asked.until_ns,
        zone=asked.zone,
        places=_places(asked, places),
        unknown_places=_unknown_places(asked.interpretation),
        yes_no=_YES_NO.search(question) is not None,
        count=total,
        more=more,
        kinds=tuple(Counter(s.event.type for s in full).most_common()) if all_here else (),
        findings=tuple(_finding(stored, places, language) for stored in full),
        nearest=tuple(_finding(stored, places, language) for stored in near),
        watches=_watches(asked, spans, places, now_ns),
        unused=asked.interpretation.not_understood,
        is_lost=bool(asked.interpretation.not_understood) and not asked.interpretation.chips,
    )


def _places(asked: Asked, places: Places) -> tuple[str, ...]:
    """Where, as people call it: the question's own words, or the cameras chosen by hand."""
    said = [c.text for c in asked.interpretation.chips if c.kind == "place" and not c.negated]
    return tuple(dict.fromkeys((*(places.name(key) for key in asked.cameras), *said)))


def _unknown_places(read: Interpretation) -> tuple[str, ...]:
    """Places asked for that no camera, zone or tripwire is called by."""
    unknown = {
        group.key.removeprefix("place:")
        for group in read.groups
        if group.key.startswith("place:")
        and not any(token.startswith(KNOWN_PLACE) for t in group.terms for token in t.tokens)
    }
    return tuple(chip.text for chip in read.chips if chip.kind == "place" and chip.value in unknown)


def _finding(stored: StoredEvent, places: Places, language: Language) -> Finding:
    return Finding(
        event_id=stored.event.event_id,
        camera=places.name(stored.event.camera_id),
        start_ns=stored.event.start_ns,
        sentence=stored.summary_zh if language == "zh-TW" else stored.summary_en,
    )


def _watches(
    asked: Asked,
    spans: Mapping[str, Sequence[tuple[int, int]]],
    places: Places,
    now_ns: int,
) -> tuple[Watch, ...]:
    """How each camera was recorded; what is still to come is no gap."""
    since = asked.since_ns
    until = None if asked.until_ns is None else min(asked.until_ns, now_ns)
    return tuple(
        Watch(
            camera_id=camera,
            camera=places.name(camera),
            recorded=bool(own),
            gaps=() if since is None or until is None else _gaps(own, since, until),
        )
        for camera, own in spans.items()
    )


def _gaps(
    spans: Sequence[tuple[int, int]], since_ns: int, until_ns: int
) -> tuple[tuple[int, int], ...]:
    gaps: list[tuple[int, int]] = []
    at = since_ns
    for start, end in [*spans, (until_ns, until_ns)]:
        if start - at >= SHORT_GAP_NS:
            gaps.append((at, start))
        at = max(at, end)
    return tuple(gaps)
