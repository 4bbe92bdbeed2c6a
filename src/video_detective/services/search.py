"""Questions: understood by rules, answered from events, with the recording the answer rests on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from video_detective.errors import MissingError, UsageError
from video_detective.narration.answer_template import (
    missing_info,
    period_words,
    template_answer,
)
from video_detective.narration.catalogue import LANGUAGES, Language
from video_detective.search.base import Group, Hit, Hits, IndexQuery
from video_detective.search.fusion import fuse
from video_detective.services.answer_facts import answer_facts
from video_detective.services.embedding import nearest
from video_detective.services.records import coverage_records, timeline_entry
from video_detective.services.times import rfc3339
from video_detective.services.understanding import Asked, understand
from video_detective.services.wording import Worded, word_answer
from video_detective.services.workspace import Places, Workspace
from video_detective.storage import EventQuery, StoredEvent

ALWAYS_NS = 1 << 62
"""After every time that can be stored."""
NEAREST = 10
"""So many events that match in part are shown where fewer match in full."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """One page: events best first, how each matches, and how many match in full."""

    events: tuple[StoredEvent, ...]
    is_ranked: bool
    hits: Mapping[str, Hit]
    total: int
    exact: bool
    next_cursor: str | None


async def search(
    workspace: Workspace,
    question: str,
    *,
    now_ns: int,
    camera: str = "",
    since: str = "",
    until: str = "",
    limit: int = 50,
    cursor: str | None = None,
    language: Language = "zh-TW",
    use_model: bool = True,
) -> dict[str, Any]:
    """Answer a question.

    Args:
        workspace: Where the events are.
        question: Words or a sentence, Chinese or English; empty lists everything.
        now_ns: When it is asked: 昨天 is the day before.
        camera: Camera id; empty means those the question names, or all.
        since: RFC 3339, without offset in the camera's zone; wins over the question's time.
        until: Likewise.
        limit: Events a page.
        cursor: ``next_cursor`` of the page before.
        language: Of the model's answer, when one is configured; the template gives both.
        use_model: Whether a configured model is asked at all.

    Returns:
        The source's ``answer_zh``, ``timeline`` and ``missing_info``, with ``answer_en``,
        ``missing_info_en``, ``answer_by``, ``sentences``, ``interpretation``, ``coverage``,
        ``total``, ``total_is_exact``, ``next_cursor``.

    Raises:
        MissingError: there is no such camera.
        UsageError: a time or the cursor cannot be read, or the period between them is empty.
    """
    places, asked = await ask(workspace, question, now_ns, camera, since, until)
    found = await _find(workspace, asked, limit, cursor)
    spans = await workspace.database.coverages(
        asked.watched(places),
        asked.since_ns or 0,
        ALWAYS_NS if asked.until_ns is None else asked.until_ns,
    )
    full = [stored for stored in found.events if _complete(found, stored)]
    facts = {
        each: answer_facts(
            question,
            asked,
            full=full,
            near=[stored for stored in found.events if not _complete(found, stored)],
            total=found.total,
            more=not found.exact,
            spans=spans,
            places=places,
            now_ns=now_ns,
            language=each,
        )
        for each in LANGUAGES
    }
    answers = {each: template_answer(facts[each], each) for each in facts}
    worded = Worded(reason="not_asked" if workspace.settings.answers else "no_model")
    if use_model and cursor is None:
        worded = await word_answer(
            workspace,
            question,
            full,
            places=places,
            since_ns=asked.since_ns,
            until_ns=asked.until_ns,
            period=period_words(facts[language], language),
            total=found.total,
            now_ns=now_ns,
            language=language,
        )
        if worded.sentences:
            answers[language] = worded.sentences
    return {
        "answer_zh": "".join(sentence.text for sentence in answers["zh-TW"]),
        "answer_en": " ".join(sentence.text for sentence in answers["en"]),
        "answer_by": "model" if worded.sentences else "template",
        "answer_model": worded.model,
        "answer_note": worded.reason or None,
        "sentences": [
            {"text": sentence.text, "event_ids": list(sentence.cites)}
            for sentence in answers[language]
        ],
        "timeline": [_entry(stored, found, places) for stored in found.events],
        "missing_info": missing_info(facts["zh-TW"], "zh-TW"),
        "missing_info_en": missing_info(facts["en"], "en"),
        "interpretation": _interpretation(asked),
        "coverage": coverage_records(spans, places),
        "total": found.total,
        "total_is_exact": found.exact,
        "next_cursor": found.next_cursor,
    }


async def ask(
    workspace: Workspace, question: str, now_ns: int, camera: str, since: str, until: str
) -> tuple[Places, Asked]:
    """Read a question for somebody: what is asked of the cameras that they may see.

    The arguments are those of ``search``.

    Raises:
        MissingError: there is no such camera.
        UsageError: a time cannot be read, or the period between them is empty.
    """
    places = await workspace.places()
    if camera and camera not in places.scenes:
        raise MissingError(
            f"There is no camera {camera!r}",
            remedy=f"Use one of: {', '.join(places.scenes) or '(none yet)'}.",
            reason="not_found",
            what="device",
            id=camera,
        )
    asked = understand(question, places, now_ns, camera, since, until)
    seen = await workspace.cameras()
    if seen is not None and not asked.cameras:
        # No id is empty: who sees no camera finds nothing.
        asked = replace(asked, searched=tuple(sorted(seen)) or ("",))
    return places, asked


async def _find(workspace: Workspace, asked: Asked, limit: int, cursor: str | None) -> _Found:
    read = asked.interpretation
    if not read.groups and not read.without and len(asked.cameras) <= 1:
        page = await workspace.database.events(
            EventQuery(
                camera=next(iter(asked.cameras), None),
                reach=workspace.reach,
                since_ns=asked.since_ns,
                until_ns=asked.until_ns,
                limit=limit,
                cursor=cursor,
            )
        )
        return _Found(
            events=page.events,
            is_ranked=False,
            hits={},
            total=page.total,
            exact=True,
            next_cursor=page.next_cursor,
        )
    offset = _offset(cursor)
    complete = await _hits(workspace, asked, only_complete=True, limit=limit, offset=offset)
    hits: list[Hit] = list(complete.hits)
    reached = offset + len(hits)
    if offset + len(hits) < NEAREST and len(hits) < limit and len(read.groups) > 1:
        near = await _hits(workspace, asked, only_complete=False, limit=NEAREST, offset=0)
        hits += [hit for hit in near.hits if not hit.complete]  # the others are on a page before
    similar = (
        await nearest(workspace, _wording(asked), index_query(asked), NEAREST)
        if not offset
        else None
    )
    if similar is None or not similar.events:
        ranked = [hit.event_id for hit in hits]
    else:
        ranked = [candidate.event_id for candidate in fuse(hits, similar.events)]
    ranked = ranked[: max(len(complete.hits), min(limit, NEAREST))]
    by_id = await workspace.database.events_by_id(ranked)
    more = complete.complete > reached and bool(complete.hits)
    return _Found(
        events=tuple(by_id[event_id] for event_id in ranked if event_id in by_id),
        is_ranked=True,
        hits={hit.event_id: hit for hit in hits},
        total=complete.complete,
        exact=complete.complete < complete.counted_to,
        next_cursor=f"{_RANKED}{reached}" if more else None,
    )


async def _hits(
    workspace: Workspace, asked: Asked, *, only_complete: bool, limit: int, offset: int
) -> Hits:
    query = replace(index_query(asked), only_complete=only_complete, limit=limit, offset=offset)
    return await workspace.database.search(query)


def index_query(asked: Asked) -> IndexQuery:
    """The search of the index that finds what is asked."""
    return replace(
        asked.interpretation.query(),
        groups=by_rules(asked.interpretation.groups),
        cameras=asked.cameras or asked.searched,
        since_ns=asked.since_ns,
        until_ns=asked.until_ns,
    )


def _wording(asked: Asked) -> str:
    """The question without its times and places, which are conditions and would only blur it."""
    letters = list(asked.interpretation.question)
    for chip in asked.interpretation.chips:
        if chip.kind in {"time", "camera", "place"} or chip.negated:
            letters[chip.start : chip.end] = " " * (chip.end - chip.start)
    return " ".join("".join(letters).split())


def by_rules(groups: Sequence[Group]) -> tuple[Group, ...]:
    """The groups, with types of events told by their rules alone.

    An event whose words only say what was asked for (``said:``) may come first among others, but
    does not answer: whether something happened is not for a model's words to decide.
    """
    kept: list[Group] = []
    for group in groups:
        facts = tuple(term for term in group.terms if not term.tokens[0].startswith("said:"))
        if group.refines or not group.key.startswith("kin:type:") or len(facts) == len(group.terms):
            kept.append(group)
        else:
            kept += [
                replace(group, refines=True),
                replace(group, key=group.key.replace("kin:", "rule:", 1), terms=facts),
            ]
    return tuple(kept)


_RANKED = "r"
"""Begins the cursors of ranked pages, which count hits; those of plain lists name an event."""
MAX_OFFSET = 10_000


def _offset(cursor: str | None) -> int:
    if cursor is None:
        return 0
    number = cursor.removeprefix(_RANKED)
    if cursor.startswith(_RANKED) and number.isascii() and number.isdigit() and len(number) < 8:
        return min(int(number), MAX_OFFSET)
    raise UsageError(
        f"The cursor {cursor[:40]!r} belongs to another list",
        remedy="Take next_cursor from a page of the same question.",
        reason="cursor_unknown",
    )


def _complete(found: _Found, stored: StoredEvent) -> bool:
    """Whether an event is an answer: of a plain list every one is, else those that match in full.

    What only its vector found has no hit; it is like the question, and no answer.
    """
    if not found.is_ranked:
        return True
    hit = found.hits.get(stored.event.event_id)
    return hit is not None and hit.complete


def _entry(stored: StoredEvent, found: _Found, places: Places) -> dict[str, Any]:
    hit = found.hits.get(stored.event.event_id)
    return {
        **timeline_entry(stored, places.scene(stored.event.camera_id)),
        "match": "full" if _complete(found, stored) else "partial",
        "matched": [] if hit is None else list(hit.matched),
    }


def _interpretation(asked: Asked) -> dict[str, Any]:
    read = asked.interpretation
    return {
        "startDate": None if asked.since_ns is None else rfc3339(asked.since_ns, asked.zone),
        "endDate": None if asked.until_ns is None else rfc3339(asked.until_ns, asked.zone),
        "cameras": list(asked.cameras),
        "zones": list(read.zones),
        "eventTypes": list(read.event_types),
        "classes": list(read.classes),
        "colours": list(read.colours),
        "riskLevel": read.risk_level,
        "activityKeywords": list(read.activity_keywords),
        "notUnderstood": list(read.not_understood),
        "chips": [
            {
                "start": chip.start,
                "end": chip.end,
                "kind": chip.kind,
                "value": chip.value,
                "text": chip.text,
                "negated": chip.negated,
            }
            for chip in read.chips
        ],
    }
