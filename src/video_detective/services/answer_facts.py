"""What the answer to a question rests on: what was found, and what was recorded at all."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from video_detective.geometry import NS_PER_S
from video_detective.narration.answer_template import AnswerFacts, Finding, Watch
from video_detective.narration.catalogue import Language
from video_detective.search.question import Interpretation
from video_detective.services.understanding import Asked, places_known
from video_detective.services.workspace import Places
from video_detective.storage import StoredEvent

SHORT_GAP_NS = 2 * NS_PER_S
"""Recording that pauses for less was not interrupted: sampled frames lie apart."""

_YES_NO = re.compile(
    r"有沒有|有没有|有無|有无|是否|是不是|[嗎吗]|(?<![什甚怎这那多要])么|會不會|会不会"
    r"|^(?!.*\b(?:who|whose|what|when|where|which|why|how|show|list|find)\b).*"
    r"\b(?:was|were|is|are|did|does|has|have|any|anyone|anybody|anything|somebody|someone)\b",
    re.IGNORECASE | re.DOTALL,
)
_BY_RULES = frozenset({"time", "camera", "place", "type", "risk"})
"""Kinds of chips that facts alone bear out."""
_DETECTED = frozenset(
    {"person", "vehicle", "car", "motorcycle", "bicycle", "bus", "truck", "animal", "dog", "cat"}
    | {"bag", "backpack", "handbag", "suitcase", "object", "face"}
)
"""Concepts of things that detectors report; what else is seen (a knife), only words tell."""


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
        unknown_places=_unknown_places(asked),
        unseen_places=_unseen_places(asked),
        told_only=_told_only(asked.interpretation),
        # Of a question of which nothing was understood, everything there is is no yes.
        yes_no=bool(asked.interpretation.chips) and _YES_NO.search(question) is not None,
        count=total,
        more=more,
        kinds=tuple(Counter(s.event.type for s in full).most_common()) if all_here else (),
        findings=tuple(_finding(stored, places, language) for stored in full),
        nearest=tuple(_finding(stored, places, language) for stored in near),
        watches=_watches(asked, spans, places, now_ns),
        has_zones=any(places.zone(camera) != asked.zone for camera in spans),
        is_future=asked.since_ns is not None and asked.since_ns >= now_ns,
        is_unfinished=asked.until_ns is not None and asked.until_ns > now_ns,
        unused=asked.interpretation.not_understood,
        is_lost=bool(asked.interpretation.not_understood) and not asked.interpretation.chips,
    )


def _places(asked: Asked, places: Places) -> tuple[str, ...]:
    """Where, as people call it: the question's own words, or the cameras chosen by hand."""
    said = [c.text for c in asked.interpretation.chips if c.kind == "place" and not c.negated]
    return tuple(dict.fromkeys((*(places.name(key) for key in asked.cameras), *said)))


def _unknown_places(asked: Asked) -> tuple[str, ...]:
    """Places and cameras asked for that no camera, zone or tripwire is called by."""
    known = places_known(asked.interpretation)
    unknown = (
        chip.text
        for chip in asked.interpretation.chips
        if not chip.negated
        and (
            (chip.kind == "place" and not known.get(chip.value, True))
            or (chip.kind == "camera" and not chip.value and not asked.cameras)
        )
    )
    return tuple(dict.fromkeys(unknown))


def _unseen_places(asked: Asked) -> tuple[str, ...]:
    """Places asked for that are known, but to none of the cameras that were chosen."""
    known = places_known(asked.interpretation)
    chosen = {camera.lower() for camera in asked.cameras}
    return tuple(
        chip.text
        for chip in asked.interpretation.chips
        if chosen and chip.kind == "place" and not chip.negated
        if (cameras := known.get(chip.value)) and not cameras & chosen
    )


def _told_only(read: Interpretation) -> tuple[str, ...]:
    """What no rule and no detector establishes: colours, clothes, most of what people do."""
    return tuple(
        dict.fromkeys(
            chip.text
            for chip in read.chips
            if chip.kind not in _BY_RULES
            and not (chip.kind == "class" and _DETECTED & set(chip.value.split(",")))
            and not (chip.kind == "act" and read.event_types)
            and (chip.kind == "wear" or not chip.negated)
        )
    )


def _finding(stored: StoredEvent, places: Places, language: Language) -> Finding:
    return Finding(
        event_id=stored.event.event_id,
        camera=places.name(stored.event.camera_id),
        start_ns=stored.event.start_ns,
        zone=places.zone(stored.event.camera_id),
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
